//! What the proxy refuses before any plugin sees it, and this one does not rely on.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

use dockgate_plugin::{Operation, Policy, Request, Setup, json};
use dockgate_plugin_label_scope::{LabelScope, Settings};

fn blue() -> LabelScope {
    let settings: Settings = serde_json::from_value(json!({ "labels": ["team=blue"] })).unwrap();
    LabelScope::set_up(&mut Setup::new(settings))
}

#[test]
fn filters_that_no_daemon_reads_are_refused() {
    let list = Request::of(Operation::ContainerList).with_query("filters", "label=team");
    assert_eq!(blue().decide(&list).assert_denied_with("filters can't be read").status, 400);
}

#[test]
fn fields_of_host_config_beside_it_are_refused() {
    for (field, value) in [
        ("Binds", json!(["red-shelf:/x"])),
        ("NetworkMode", json!("container:red-db")),
        ("VolumesFrom", json!(["red-db"])),
    ] {
        let body = json!({ "Image": "nginx", "Labels": { "team": "blue" }, field: value });
        let create = Request::of(Operation::ContainerCreate).with_body(body);
        let words = format!("{field} belongs into HostConfig");
        assert_eq!(blue().decide(&create).assert_denied_with(&words).status, 400);
    }
}
