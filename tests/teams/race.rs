//! A name that goes over to another team's thing after it was looked up and before it is used.

use std::sync::Arc;

use crate::engine::{self, Engine};
use crate::http::Request;
use crate::relay::Relay;
use crate::table;
use crate::team::{Kind, Things, proxy_at};

#[test]
fn an_operation_is_done_to_what_was_looked_up_and_not_to_who_has_the_name_now() {
    let Some(engine) = engine::shared() else { return };
    let scene = Scene::set(engine, "op");
    for row in table::rows(engine).filter(|row| row.thing == Kind::Container) {
        let web = scene.name();
        scene.name_goes_over_after_look_up();
        let request = row.request(&web, &scene.ours, "1");
        let answer = request.ask(&scene.proxy.socket());
        scene.expect_only_the_id(&request.line);
        let is_unsupported = row.operation.contains("checkpoint");
        assert_eq!(answer.status < 400, !is_unsupported, "{}: {}", row.operation, answer.words());
        assert!(!answer.text().contains("theirs-op-said"), "{}", row.operation);
        scene.name_comes_back(row.operation);
    }
}

#[test]
fn what_was_looked_up_is_named_in_a_body_and_not_who_has_the_name_now() {
    let Some(engine) = engine::shared() else { return };
    let scene = Scene::set(engine, "body");
    let create = |fields: &str| {
        let body = format!(r#"{{"Image":"busy:1","HostConfig":{{{fields}}}}}"#);
        Request::new("POST /containers/create").with_body(body)
    };
    let web = scene.name();
    for request in [
        create(&format!(r#""NetworkMode":"container:{web}""#)),
        create(&format!(r#""PidMode":"container:{web}""#)),
        create(&format!(r#""IpcMode":"container:{web}""#)),
        create(&format!(r#""VolumesFrom":["{web}:ro"]"#)),
        create(&format!(r#""VolumesFrom":["/{web}"]"#)),
        create(&format!(r#""Links":["{web}:db"]"#)),
        Request::new(format!("POST /commit?container={web}")).with_body("{}"),
        Request::new(format!("POST /networks/{}/disconnect", scene.ours.name(Kind::Network)))
            .with_body(format!(r#"{{"Container":"{web}"}}"#)),
        Request::new(format!("POST /networks/{}/connect", scene.ours.name(Kind::Network)))
            .with_body(format!(r#"{{"Container":"{web}"}}"#)),
    ] {
        let tried = format!("{} {}", request.line, request.body);
        scene.name_goes_over_after_look_up();
        let answer = request.ask(&scene.proxy.socket());
        scene.expect_only_the_id(&tried);
        assert!(answer.status < 400, "{tried}: {}", answer.words());
        scene.name_comes_back(&tried);
    }
}

#[test]
fn a_network_is_the_one_that_was_looked_up() {
    let Some(engine) = engine::shared() else { return };
    let scene = Scene::set(engine, "net");
    let container = scene.ours.name(Kind::Container);
    let shop = "net-shop";
    for request in [
        Request::new(format!("POST /networks/{shop}/connect"))
            .with_body(format!(r#"{{"Container":"{container}"}}"#)),
        Request::new("POST /containers/create")
            .with_body(r#"{"Image":"busy:1","HostConfig":{"NetworkMode":"net-shop"}}"#),
        Request::new(format!("DELETE /networks/{shop}")),
    ] {
        scene.ours.must_run("docker network create --label $L net-shop");
        let theirs = Arc::clone(&scene.theirs);
        scene.relay.after_look_up(format!("/networks/{shop}"), move || {
            theirs.must_run(
                "docker network rm net-shop
                 docker network create --label $L net-shop",
            );
        });
        let answer = request.ask(&scene.proxy.socket());
        assert!(scene.relay.has_acted(), "{}: not looked up", request.line);
        // Ours is gone, and theirs is as it was made.
        let said = answer.text();
        assert!(answer.status >= 400 || request.line.contains("create"), "{said}");
        let created = scene.relay.passed().join("\n");
        assert!(!created.contains(shop), "{created}");
        let left = scene.theirs.must_run(
            "docker network inspect --format '{{json .Containers}}' net-shop
             docker network rm net-shop >&2",
        );
        assert_eq!(left, "{}\n", "{}", request.line);
    }
}

/// Two teams, and a relay behind the proxy of the one.
struct Scene {
    ours: Things,
    theirs: Arc<Things>,
    ours_id: String,
    theirs_id: String,
    relay: Relay,
    proxy: crate::proxy::Proxy,
}

impl Scene {
    fn set(engine: &'static Engine, of: &str) -> Self {
        let ours = Things::of(engine, &format!("ours-{of}"), &format!("ours-{of}"));
        let theirs = Things::of(engine, &format!("theirs-{of}"), &format!("theirs-{of}"));
        let relay = Relay::to(&engine.daemon.socket());
        let proxy = proxy_at(&relay.socket(), &ours.team, "read");
        let ours_id = ours.id(Kind::Container).to_owned();
        let theirs_id = theirs.id(Kind::Container).to_owned();
        Self { ours, theirs: Arc::new(theirs), ours_id, theirs_id, relay, proxy }
    }

    fn name(&self) -> String {
        self.ours.name(Kind::Container).to_owned()
    }

    /// Ours is looked up, moves out of the way, and theirs has the name.
    fn name_goes_over_after_look_up(&self) {
        let (ours, theirs, web) = (self.ours_id.clone(), self.theirs_id.clone(), self.name());
        let team = Arc::clone(&self.theirs);
        self.relay.after_look_up(format!("/containers/{web}/json"), move || {
            team.must_run(&format!(
                "docker rename {ours} {web}-moved; docker rename {theirs} {web}"
            ));
        });
    }

    fn expect_only_the_id(&self, tried: &str) {
        assert!(self.relay.has_acted(), "{tried}: not looked up");
        let passed = self.relay.passed();
        // Before it, other things may have been looked up.
        let request = passed.last().expect("it went on");
        assert!(request.contains(&self.ours_id), "{tried}: {passed:?}");
        assert!(!request.contains(&self.name()), "{tried}: {passed:?}");
    }

    /// Theirs is untouched but for its name, which it has back after this.
    fn name_comes_back(&self, after: &str) {
        let state = &self.theirs.inspect(Kind::Container);
        assert_eq!(state["State"]["Status"], "running", "after {after}");
        assert_eq!(state["RestartCount"], 0, "after {after}");
        assert_eq!(state["HostConfig"]["CpuShares"], 0, "after {after}");
        assert_eq!(state["Name"], format!("/{}", self.name()), "after {after}");
        let (ours, theirs) = (&self.ours_id, &self.theirs_id);
        let theirs_name = self.theirs.name(Kind::Container);
        let web = self.name();
        self.theirs.must_run(&format!("docker rename {theirs} {theirs_name}"));
        if after != "container-delete" {
            self.theirs.must_run(&format!("docker rename {ours} {web}"));
        }
    }
}
