//! What plugins look up at the daemon.

use std::{io::Write as _, time::Duration};

use serde_json::{Value, json};

use crate::proxy::Scene;

const ID: &str = "4f66ad9a0b2e0c6c8b6d1a5e2f7c9d8e1b3a5c7d9e0f2a4b6c8d0e2f4a6b8c0d";

/// Looks a container up and says what is at a place, in a refusal.
fn telling(name: &str, pointer: &str) -> Value {
    json!({"decide": [{"look-up": ["container", name, pointer]}], "tell": true})
}

/// Looks a container up and lets the request go on.
fn looking(name: &str) -> Value {
    json!({"decide": [{"look-up": ["container", name, ""]}]})
}

#[test]
fn a_plugin_learns_what_the_daemon_knows() {
    let proxy = Scene::new().probe(&json!([]), &telling("web", "/Config/Labels/team")).start();
    proxy.daemon.says(
        "/containers/web/json",
        200,
        r#"{"Id":"1","Config":{"Labels":{"team":"a"}}}"#,
    );
    assert_eq!(proxy.connect().get("/version").message(), r#"dockgate: "a""#);
    let received = proxy.daemon.received_lines();
    assert_eq!(received, ["GET /containers/web/json"], "read, and nothing else");
    let log = proxy.log();
    assert!(!log.contains("/containers/web/json"), "it is no request of a client's: {log}");
}

#[test]
fn what_is_not_there_is_said_to_be_not_there() {
    let proxy = Scene::new().probe(&json!([]), &telling("web", "")).start();
    proxy.daemon.says("/containers/web/json", 404, r#"{"message":"No such container: web"}"#);
    assert_eq!(proxy.connect().get("/version").message(), "dockgate: nothing");
    for name in ["..", "a/../b", "", "a\u{0}b"] {
        let proxy = Scene::new().probe(&json!([]), &telling(name, "")).start();
        assert_eq!(proxy.connect().get("/version").message(), "dockgate: nothing", "{name:?}");
        assert_eq!(proxy.daemon.received(), [], "{name:?}");
    }
}

#[test]
fn a_daemon_that_can_not_say_refuses_the_request() {
    for (status, json, words) in [
        (500, r#"{"message":"on fire"}"#, "the Docker daemon says 500 Internal Server Error"),
        (200, "nonsense", "the Docker daemon's answer is not JSON"),
    ] {
        let proxy = Scene::new().probe(&json!([]), &looking("web")).start();
        proxy.daemon.says("/containers/web/json", status, json);
        let answer = proxy.connect().get("/containers/web/logs");
        assert_eq!(answer.status, 502, "{answer:?}");
        assert!(answer.message().contains(words), "{answer:?}");
        assert_eq!(proxy.daemon.received().len(), 1, "only the look-up");
    }
}

#[test]
fn one_question_has_one_answer_for_one_request() {
    let twice = json!({"decide": [
        {"look-up": ["container", "web", "/Id"]}, {"look-up": ["container", "web", "/Id"]},
    ]});
    let proxy =
        Scene::new().named_probe("first", &json!([]), &twice).probe(&json!([]), &twice).start();
    proxy.daemon.says("/containers/web/json", 200, r#"{"Id":"1"}"#);
    assert_eq!(proxy.get("/version").status, 200);
    assert_eq!(proxy.get("/version").status, 200);
    let look_up = "GET /containers/web/json";
    let expected = [look_up, "GET /version", look_up, "GET /version"];
    assert_eq!(proxy.daemon.received_lines(), expected);
}

/// The name may belong to another container when the request arrives.
#[test]
fn a_target_that_was_looked_up_is_sent_as_its_id() {
    let proxy = Scene::new().probe(&json!([]), &looking("web")).start();
    proxy.daemon.says("/containers/web/json", 200, &format!(r#"{{"Id":"{ID}"}}"#));
    for (method, target, sent) in [
        ("POST", "/v1.41/containers/web/stop?t=1", format!("/v1.41/containers/{ID}/stop?t=1")),
        ("DELETE", "/containers/web", format!("/containers/{ID}")),
        // Not the target of this one.
        ("POST", "/containers/db/stop", "/containers/db/stop".to_owned()),
        ("POST", "/networks/web/connect", "/networks/web/connect".to_owned()),
    ] {
        let before = proxy.daemon.received().len();
        assert_eq!(proxy.connect().ask(method, target).status, 200, "{target}");
        let received = proxy.daemon.received_lines().split_off(before);
        assert_eq!(received, ["GET /containers/web/json".to_owned(), format!("{method} {sent}")]);
    }
}

#[test]
fn a_plugin_that_sets_the_target_itself_is_not_overruled() {
    let steps = json!({"decide": [{"look-up": ["container", "web", ""]}, {"set-target": "db"}]});
    let proxy = Scene::new().probe(&json!([]), &steps).start();
    proxy.daemon.says("/containers/web/json", 200, &format!(r#"{{"Id":"{ID}"}}"#));
    assert_eq!(proxy.connect().ask("POST", "/containers/web/stop").status, 200);
    assert_eq!(proxy.daemon.received_lines().last().unwrap(), "POST /containers/db/stop");
}

#[test]
fn a_request_may_not_have_look_ups_without_end() {
    let steps: Vec<_> =
        (0..65).map(|n| json!({"look-up": ["container", format!("c{n}"), ""]})).collect();
    let proxy = Scene::new().probe(&json!([]), &json!({"decide": steps})).start();
    let answer = proxy.get("/version");
    assert_eq!(answer.status, 502);
    assert!(answer.message().contains("64 look-ups and no more"), "{answer:?}");
    assert_eq!(proxy.daemon.received().len(), 64);
    let proxy = Scene::new().probe(&json!([]), &json!({"decide": steps[..64]})).start();
    assert_eq!(proxy.get("/version").status, 200);
}

/// Requests that wait for the daemon keep nobody else from being served.
#[test]
fn others_are_served_while_one_waits() {
    let steps = json!({"decide": [{"look-up": ["container", "slow", ""]}]});
    let proxy = Scene::new()
        .probe(&json!([]), &steps)
        .arguments(&["--workers", "1", "--max-connections", "200"])
        .start();
    let (answer, waiting) = std::sync::mpsc::channel::<()>();
    let waiting = std::sync::Mutex::new(waiting);
    proxy.daemon.writes("/containers/slow/json", move |stream| {
        // Until the test lets it, or for ever so long.
        let _ = waiting.lock().unwrap().recv_timeout(Duration::from_secs(5));
        stream.write_all(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
    });
    let mut waits = proxy.connect();
    waits.send("GET", "/version", &[], "");
    let ping = proxy.get("/%zz");
    assert_eq!(ping.status, 400, "one that needs no look-up");
    // A client that goes meanwhile is forgotten, and what it waited for is thrown away.
    let mut goes = proxy.connect();
    goes.send("POST", "/containers/x/restart", &[], "");
    drop(goes);
    answer.send(()).unwrap();
    answer.send(()).unwrap();
    assert_eq!(waits.answer("GET").status, 200);
    drop(answer);
    assert_eq!(proxy.get("/version").status, 200);
}

#[test]
fn the_time_is_told_to_who_may_know_it() {
    let proxy = Scene::new().probe(&json!([]), &json!({"decide": ["time"], "tell": true})).start();
    assert_eq!(proxy.get("/version").message(), "dockgate: true");
}
