//! The body of a request: read, changed, and sent as it was read.

use serde_json::{Value, json};

use crate::proxy::Scene;

/// Asks for the body of what is created.
fn creation() -> Value {
    json!([{"operations": ["*-create"], "request-body": true}])
}

/// Says in a refusal what it saw.
fn telling(steps: &Value) -> Value {
    json!({"decide": steps, "tell": true})
}

#[test]
fn not_asked_for_and_none_and_here_it_is_are_three_things() {
    let proxy = Scene::new().probe(&creation(), &telling(&json!(["body"]))).start();
    let mut client = proxy.connect();
    let message = |body| format!("dockgate: {body}");
    let create = "/containers/create";
    assert_eq!(client.post(create, r#"{"Image":"x"}"#).message(), message(r#"{"Image":"x"}"#));
    assert_eq!(client.ask("POST", create).message(), message("none"));
    assert_eq!(client.post(create, "null").message(), message("null"));
    // Another operation, and one whose body is no document.
    assert_eq!(client.post("/commit", "{}").message(), message("not asked for"));
    assert_eq!(client.ask("POST", "/plugins/create").message(), message("not asked for"));
}

#[test]
fn the_daemon_gets_what_the_plugin_read() {
    let proxy = Scene::new().probe(&creation(), &json!({})).start();
    let body = r#" {"image": "x", "HOSTCONFIG": {"Ho\u0073tIp": "" , "bınds": [1, 2.50]},"labels":{"A":"1","a":"2"}}"#;
    let answer = proxy.connect().post("/v1.41/containers/create?name=a", body);
    assert_eq!(answer.status, 200);
    let received = &proxy.daemon.received()[0];
    let sent =
        r#"{"Image":"x","HostConfig":{"HostIp":"","bınds":[1,2.5]},"Labels":{"A":"1","a":"2"}}"#;
    assert_eq!(received.body, sent);
    assert_eq!(received.header("content-length"), Some(&*sent.len().to_string()));
    assert_eq!(received.header("transfer-encoding"), None);
    assert_eq!(received.header("content-type"), Some("application/json"));
}

#[test]
fn what_no_plugin_asks_for_goes_through_as_it_came() {
    let proxy = Scene::new().probe(&creation(), &json!({})).start();
    let body = r#"{"a":1,"A":2} and more"#;
    assert_eq!(proxy.connect().post("/containers/web/update", body).status, 200);
    assert_eq!(proxy.daemon.received()[0].body, body);
}

#[test]
fn a_body_with_more_than_one_reading_is_refused() {
    let proxy = Scene::new().probe(&creation(), &json!({})).start();
    let mut client = proxy.connect();
    for (body, words) in [
        (
            r#"{"HostConfig":{"Privileged":false},"hostconfig":{"privileged":true}}"#,
            "the name \"HostConfig\" stands twice in an object",
        ),
        (r#"{"Privileged":true}"#, "\"Privileged\" stands beside HostConfig"),
        (
            r#"{"HostConfig":{"Privileged":"true"}}"#,
            "true or false is expected, not a string (at /HostConfig/Privileged)",
        ),
        (r#"{"Image":"x"} {}"#, "trailing characters at line 1 column 15"),
        ("{", "EOF while parsing an object"),
        ("\u{feff}{}", "expected value at line 1 column 1"),
    ] {
        let answer = client.post("/containers/create", body);
        assert_eq!(answer.status, 400, "{body}");
        let message = answer.message();
        assert!(message.starts_with("dockgate: the body can't be read as JSON in one way: "));
        assert!(message.contains(words), "{message}");
    }
    let headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")];
    client.send("POST", "/containers/create", &headers, "{}");
    assert!(client.answer("POST").message().contains("Content-Encoding"));
    client.send("POST", "/containers/create", &[("Content-Type", "text/plain")], "{}");
    assert!(client.answer("POST").message().contains("application/json"));
    assert_eq!(proxy.daemon.received(), []);
    assert_eq!(client.post("/containers/create", "{}").status, 200, "the next request works");
}

#[test]
fn a_body_beyond_the_limit_is_refused_and_not_shown_as_none() {
    let scene = Scene::new().probe(&creation(), &json!({})).arguments(&["--max-body", "1"]);
    let proxy = scene.start();
    let large = format!(r#"{{"Image":"{}"}}"#, "x".repeat(1 << 20));
    let answer = proxy.connect().post("/containers/create", &large);
    assert_eq!(answer.status, 413);
    let words = "the body is larger than 1048576 bytes, the most that a plugin is given to read";
    assert_eq!(answer.message(), format!("dockgate: {words}"));
    assert_eq!(proxy.daemon.received(), []);
    let fits = format!(r#"{{"Image":"{}"}}"#, "x".repeat((1 << 20) - 20));
    assert_eq!(proxy.connect().post("/containers/create", &fits).status, 200);
}

#[test]
fn a_value_is_read_as_the_daemon_reads_it() {
    let steps = json!([
        {"body-at": "/hostconfig/BINDS/0"}, {"body-at": "/Labels/team"}, {"body-at": "/Labels/Team"},
        {"body-at": "/no"},
    ]);
    let proxy = Scene::new().probe(&creation(), &telling(&steps)).start();
    let body = r#"{"HostConfig":{"binds":["/:/h"]},"Labels":{"team":"web"}}"#;
    let message = proxy.connect().post("/containers/create", body).message();
    assert_eq!(message, r#"dockgate: "/:/h"; "web"; nothing; nothing"#);
}

#[test]
fn an_edit_is_seen_by_the_whole_chain_before_it_is_sent() {
    let edits = json!([
        {"set-json": ["/labels/team", "web"]}, {"set-json": ["/HostConfig/CapDrop/-", "ALL"]},
        {"remove-json": "/HostConfig/Privileged"},
    ]);
    // What appends whenever it is asked never comes to rest.
    let proxy = Scene::new().probe(&creation(), &json!({"decide": edits})).start();
    let restless = proxy.connect().post("/containers/create", "{}");
    assert!(restless.message().contains("goes on changing it"), "{restless:?}");

    let edits = json!([
        {"set-json": ["/labels/team", "web"]}, {"set-json": ["/HostConfig/CapDrop", ["ALL"]]},
        {"remove-json": "/HostConfig/Privileged"},
    ]);
    let proxy = Scene::new()
        .named_probe("first", &creation(), &json!({}))
        .probe(&creation(), &json!({"decide": edits}))
        .start();
    let body = r#"{"HostConfig":{"privileged":true},"Labels":{"team":"x","Team":"y"}}"#;
    assert_eq!(proxy.connect().post("/containers/create", body).status, 200);
    let sent = r#"{"HostConfig":{"CapDrop":["ALL"]},"Labels":{"team":"web","Team":"y"}}"#;
    assert_eq!(proxy.daemon.received()[0].body, sent);

    // One that denies what the other has made of it.
    let proxy = Scene::new()
        .named_probe("first", &creation(), &telling(&json!([{"body-at": "/Labels/team"}])))
        .probe(&creation(), &json!({"decide": edits}))
        .start();
    assert_eq!(proxy.connect().post("/containers/create", "{}").status, 403);
    assert_eq!(proxy.daemon.received(), []);
}

#[test]
fn a_plugin_may_not_touch_a_body_that_it_did_not_ask_for() {
    let other = json!([{"operations": ["container-list"], "request-body": true}]);
    for step in [
        json!({"body-at": "/Image"}),
        json!({"set-json": ["/Image", "x"]}),
        json!({"remove-json": "/Image"}),
    ] {
        // Somebody else in the chain has asked for it.
        let proxy = Scene::new()
            .named_probe("asks", &creation(), &json!({}))
            .probe(&other, &json!({"decide": [step]}))
            .start();
        let answer = proxy.connect().post("/containers/create", r#"{"Image":"x"}"#);
        assert_eq!(answer.status, 403, "{step}");
        assert!(answer.message().contains("a body that it did not ask for"), "{answer:?}");
        assert_eq!(proxy.daemon.received(), []);
    }
}

#[test]
fn a_client_that_waits_for_a_word_before_it_sends_is_told_to() {
    let proxy = Scene::new().probe(&creation(), &json!({})).start();
    let mut client = proxy.connect();
    let headers =
        [("Content-Type", "application/json"), ("Expect", "100-continue"), ("Content-Length", "2")];
    client.send("POST", "/containers/create", &headers, "");
    assert_eq!(client.head().0, 100);
    client.write("{}");
    assert_eq!(client.answer("POST").status, 200);
    assert_eq!(proxy.daemon.received()[0].body, "{}");
}

#[test]
fn a_client_that_goes_in_the_middle_of_a_body_is_forgotten() {
    let proxy = Scene::new().probe(&creation(), &json!({})).start();
    let mut client = proxy.connect();
    let headers = [("Content-Type", "application/json"), ("Content-Length", "20")];
    client.send("POST", "/containers/create", &headers, "");
    client.write("{\"Image\"");
    drop(client);
    proxy.record("/containers/create");
    assert_eq!(proxy.connect().post("/containers/create", "{}").status, 200);
    assert_eq!(proxy.daemon.received().len(), 1);
}
