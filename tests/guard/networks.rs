//! Containers that are kept off the default network.

use serde_json::json;

use crate::http::Request;
use crate::proxy::{Proxy, everything};
use crate::scene::Scene;

/// The daemon takes an id, and its beginning, for the name.
#[test]
fn the_default_network_is_closed_by_each_of_its_names() {
    let Some(scene) = Scene::new() else { return };
    let socket = scene.engine.daemon.socket();
    let settings = json!({ "no-default-network": true });
    let proxy = Proxy::with_plugins(&socket, &[everything(), ("container-guard", settings)]);
    let network = Request::new("GET /networks/bridge").ask(&socket).json();
    let id = network["Id"].as_str().expect("there is one");
    proxy.shell().must_run("docker network create kept");
    let before = scene.state();
    for name in ["bridge", id, &id[..12], "default"] {
        let outcome = proxy.shell().run(&format!("docker create --network {name} busy:1"));
        assert_ne!(outcome.status, Some(0), "{name}");
        assert!(outcome.stderr.contains("not on the default network"), "{name}: {outcome}");
        if name == "default" {
            continue;
        }
        let outcome = proxy.shell().run(&format!("docker network connect {name} web"));
        assert!(outcome.stderr.contains("not on the default network"), "{name}: {outcome}");
        let mut body = json!({ "Image": "busy:1", "HostConfig": { "NetworkMode": "kept" } });
        body["NetworkingConfig"] = json!({ "EndpointsConfig": { name: {} } });
        let answer = Request::new("POST /containers/create")
            .with_body(body.to_string())
            .ask(&proxy.socket());
        assert_eq!(answer.status, 403, "{name}: {}", answer.text());
    }
    assert_eq!(scene.state(), before);
    proxy.shell().must_run(
        "docker run --rm --network kept busy:1 true
         docker run --rm --network none busy:1 true
         docker network rm kept",
    );
}
