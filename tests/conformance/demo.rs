//! `dockgate --demo`: a session on a machine without Docker.

use serde_json::Value;

use crate::proxy::{Proxy, Scene};

#[test]
fn a_demo_serves_what_the_flags_permit_and_refuses_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = demo(&folder).variable("CONTAINERS", "1").start();
    assert_eq!(proxy.connect().ask("HEAD", "/_ping").status, 200);
    let version = json(&proxy, "/version");
    assert!(version["ApiVersion"].is_string(), "{version}");
    let containers = json(&proxy, "/v1.41/containers/json");
    let containers = containers.as_array().unwrap();
    assert!(!containers.is_empty());
    let name = containers[0]["Names"][0].as_str().unwrap().trim_start_matches('/');
    let inspected = json(&proxy, &format!("/containers/{name}/json"));
    assert_eq!(inspected["Id"], containers[0]["Id"]);

    let refusal = proxy.connect().ask("POST", &format!("/v1.41/containers/{name}/stop"));
    let words = "dockgate: container-stop is not allowed: set POST=1";
    assert_eq!((refusal.status, refusal.message()), (403, words.to_owned()));
    let refusal = proxy.get("/v1.41/images/json");
    let words = "dockgate: image-list is not allowed: set IMAGES=1";
    assert_eq!((refusal.status, refusal.message()), (403, words.to_owned()));
    assert_eq!(json(&proxy, "/containers/json").as_array().unwrap().len(), containers.len());
}

#[test]
fn what_is_done_in_a_demo_is_really_done() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = demo(&folder).variable("CONTAINERS", "1").variable("POST", "1").start();
    let running = || json(&proxy, "/containers/json").as_array().unwrap().clone();
    let before = running();
    let id = before[0]["Id"].as_str().unwrap();
    assert_eq!(proxy.connect().ask("POST", &format!("/containers/{id}/stop")).status, 204);
    assert_eq!(running().len(), before.len() - 1);
    assert!(running().iter().all(|container| container["Id"] != id));
}

#[test]
fn a_demo_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = demo(&folder).start();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "its socket has a folder");
    assert_eq!(proxy.end(), Some(0));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

/// In front of the engine inside, whose socket is in this folder.
fn demo(folder: &tempfile::TempDir) -> Scene {
    Scene::new().demo().variable("TMPDIR", folder.path().to_str().unwrap())
}

fn json(proxy: &Proxy, target: &str) -> Value {
    let answer = proxy.get(target);
    assert_eq!(answer.status, 200, "{target}: {answer:?}");
    serde_json::from_str(&answer.body).unwrap()
}
