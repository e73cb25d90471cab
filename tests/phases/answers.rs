//! The daemon's answer, reviewed before the client gets it.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::proxy::Scene;

/// Asks for this part of the answers to lists.
fn lists(part: &str) -> Value {
    json!([{"operations": ["container-list"], "response": part}])
}

const LIST: &str = r#"[{"Id":"1","Labels":{"team":"a"}},{"Id":"2","Labels":{"team":"b"}}]"#;

#[test]
fn a_list_is_filtered() {
    let leave = json!({"review": [{"leave": ["/Labels/team", "a"]}]});
    let proxy = Scene::new().probe(&lists("json"), &leave).start();
    proxy.daemon.says("/containers/json", 200, LIST);
    let answer = proxy.get("/containers/json");
    let left = r#"[{"Id":"1","Labels":{"team":"a"}}]"#;
    assert_eq!((answer.status, &*answer.body), (200, left));
    assert_eq!(answer.header("content-length"), Some(&*left.len().to_string()));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let record = proxy.record("/containers/json");
    assert_eq!(record["bytes"], left.len());
}

#[test]
fn what_no_plugin_asks_for_is_not_touched() {
    let leave = json!({"review": [{"set-body": 1}]});
    let proxy = Scene::new().probe(&lists("json"), &leave).start();
    let answer = proxy.get("/images/json");
    assert_eq!(answer.header("x-probe"), None);
    assert_eq!(answer.body, crate::daemon::YES);
}

#[test]
fn an_answer_that_is_left_alone_goes_on_as_it_came() {
    let proxy = Scene::new().probe(&lists("json"), &json!({"review": ["body"]})).start();
    let odd = " [ 1 , 2.50 ]\n";
    proxy.daemon.says("/containers/json", 200, odd);
    let answer = proxy.get("/containers/json");
    assert_eq!(answer.body, odd);
    assert_eq!(answer.header("x-probe"), Some("200; [1,2.5]"));
}

#[test]
fn not_asked_for_and_none_are_two_things() {
    let steps = json!({"review": ["body"]});
    let proxy = Scene::new().probe(&lists("head"), &steps).start();
    assert_eq!(proxy.get("/containers/json").header("x-probe"), Some("200; not asked for"));
    let deletion = json!([{"operations": ["container-delete"], "response": "json"}]);
    let proxy = Scene::new().probe(&deletion, &steps).start();
    proxy
        .daemon
        .writes("/containers/web", |stream| stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n"));
    let answer = proxy.connect().ask("DELETE", "/containers/web");
    assert_eq!((answer.status, answer.header("x-probe")), (204, Some("204; none")));
}

#[test]
fn status_and_headers_are_changed_within_bounds() {
    let steps = json!({"review": [
        {"header": "Api-Version"}, {"set-status": 201}, {"set-header": ["X-Added", "1"]},
    ]});
    let proxy = Scene::new().probe(&lists("head"), &steps).start();
    proxy.daemon.writes("/containers/json", |stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\n[]")
    });
    let answer = proxy.get("/containers/json");
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("x-added"), Some("1"));
    assert_eq!(answer.header("x-probe"), Some("200; Some(\"1.41\")"));
    for header in ["Content-Length", "Connection", "Transfer-Encoding"] {
        let steps = json!({"review": [{"set-header": [header, "1"]}]});
        let proxy = Scene::new().probe(&lists("head"), &steps).start();
        let answer = proxy.get("/containers/json");
        assert_eq!(answer.status, 502, "{header}");
        assert!(answer.message().contains("may not edit the header"), "{answer:?}");
    }
}

#[test]
fn the_plugins_of_a_chain_are_asked_in_reverse_order() {
    let proxy = Scene::new()
        .named_probe("first", &lists("json"), &json!({"review": ["body", {"set-body": "first"}]}))
        .probe(&lists("json"), &json!({"review": [{"set-body": "second"}]}))
        .start();
    let answer = proxy.get("/containers/json");
    assert_eq!(answer.body, "\"first\"");
    assert_eq!(answer.header("x-probe"), Some("200; \"second\""));
}

#[test]
fn an_answer_can_be_refused() {
    let steps = json!({"review": [{"refuse": "not today"}]});
    let proxy = Scene::new().probe(&lists("json"), &steps).start();
    let answer = proxy.get("/containers/json");
    assert_eq!((answer.status, &*answer.message()), (403, "dockgate: not today"));
}

/// What a plugin would have taken out must not get through because it could not.
#[test]
fn an_answer_is_not_sent_if_a_plugin_fails() {
    for (step, words) in [
        (json!("panic"), "it trapped"),
        (json!("spin"), "it took longer than it may"),
        (json!({"set-status": 99}), "a reply with status 99"),
    ] {
        let proxy = Scene::new().probe(&lists("json"), &json!({"review": [step]})).start();
        let answer = proxy.get("/containers/json");
        assert_eq!(answer.status, 502, "{step}");
        assert!(answer.message().contains(words), "{answer:?}");
        assert!(!answer.body.contains("the daemon\""), "nothing of the answer: {answer:?}");
        assert_eq!(proxy.record("/containers/json")["verdict"], "fault");
        assert_eq!(proxy.get("/images/json").status, 200, "the next request works");
    }
}

#[test]
fn an_answer_that_can_not_be_read_is_not_sent() {
    let proxy = Scene::new().probe(&lists("json"), &json!({"review": ["body"]})).start();
    for (head, body, words) in [
        ("Content-Encoding: gzip\r\n", "[]", "it has a Content-Encoding"),
        ("Content-Type: text/plain\r\n", "[]", "it is not said to be JSON"),
        ("", "[1,", "it is not JSON"),
        ("", "[] []", "it is not JSON"),
        ("", "\"\u{1}\"", "it is not JSON"),
    ] {
        let length = body.len();
        let raw = format!("HTTP/1.1 200 OK\r\n{head}Content-Length: {length}\r\n\r\n{body}");
        proxy.daemon.writes("/containers/json", move |stream| stream.write_all(raw.as_bytes()));
        let answer = proxy.get("/containers/json");
        assert_eq!(answer.status, 502, "{head}{body}");
        assert!(answer.message().contains(words), "{answer:?}");
    }
    // A daemon that breaks off.
    proxy.daemon.writes("/containers/json", |stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[]")?;
        Err(std::io::ErrorKind::BrokenPipe.into())
    });
}

/// The daemon is asked for an answer that can be read.
#[test]
fn the_client_s_wish_for_compression_is_not_passed_on() {
    let proxy = Scene::new().probe(&lists("json"), &json!({})).start();
    let headers = [("Accept-Encoding", "gzip")];
    assert_eq!(proxy.connect().ask_with("GET", "/containers/json", &headers).status, 200);
    assert_eq!(proxy.connect().ask_with("GET", "/images/json", &headers).status, 200);
    let received = proxy.daemon.received();
    assert_eq!(received[0].header("accept-encoding"), None);
    assert_eq!(received[1].header("accept-encoding"), Some("gzip"));
}

/// 20 MB: filtered where the plugin has the memory for it, refused where not.
#[test]
fn a_large_list_is_filtered_within_the_limits_or_refused() {
    let item = |n: usize| {
        let team = if n.is_multiple_of(2) { "a" } else { "b" };
        format!(r#"{{"Id":"{n:064}","Labels":{{"team":"{team}"}},"Pad":"{}"}}"#, "x".repeat(900))
    };
    let items: Vec<_> = (0..20_000).map(item).collect();
    let list = format!("[{}]", items.join(","));
    assert!(list.len() > 20_000_000);
    let leave = json!({"review": [{"leave": ["/Labels/team", "a"]}]});

    let scene = || Scene::new().probe(&lists("json"), &leave);
    let proxy = scene().arguments(&["--plugin-memory", "probe=256"]).start();
    proxy.daemon.says("/containers/json", 200, &list);
    let answer = proxy.get("/containers/json");
    let left: Vec<_> = items.into_iter().step_by(2).collect();
    assert!(answer.body == format!("[{}]", left.join(",")), "{:.300}", answer.body);

    let proxy = scene().start();
    proxy.daemon.says("/containers/json", 200, &list);
    let answer = proxy.get("/containers/json");
    assert_eq!(answer.status, 502);
    assert!(answer.message().contains("more memory than it may have"), "{answer:?}");

    let proxy = scene().arguments(&["--max-answer", "16"]).start();
    proxy.daemon.says("/containers/json", 200, &list);
    let answer = proxy.get("/containers/json");
    assert_eq!(answer.status, 502);
    assert!(answer.message().contains("it is larger than 16777216 bytes"), "{answer:?}");
    assert!(proxy.peak_memory() < 100, "{} MiB", proxy.peak_memory());
}

#[test]
fn what_was_asked_can_be_seen_again() {
    let steps = json!({"review": [{"query": "all"}, {"look-up": ["container", "web", "/Id"]}]});
    let proxy = Scene::new().probe(&lists("head"), &steps).start();
    proxy.daemon.says("/containers/web/json", 200, r#"{"Id":"1"}"#);
    proxy.daemon.says("/containers/json", 200, "[]");
    let answer = proxy.get("/containers/json?all=1");
    assert_eq!(answer.header("x-probe"), Some("200; Some(\"1\"); \"1\""));
}
