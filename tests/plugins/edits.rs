//! Changes to a request: what is sent is what the chain saw last, and some changes can't be made.

use crate::{proxy::Scene, wat::Plugin};

/// Makes these edits, and allows.
fn editing(edits: &str) -> Plugin {
    Plugin::deciding(&format!("{edits} (call $allow)"))
}

#[test]
fn the_daemon_gets_the_edited_request() {
    let plugin = editing(
        "(call $set-target \"4f66ad9a0b2e\")
         (call $set-query \"limit\" \"a b&c\")
         (call $remove-query \"all\")
         (call $set-header \"X-Added\" \"by the plugin\")
         (call $remove-header \"X-Removed\")",
    );
    let proxy = Scene::new().plugin("edits", &plugin).start();
    let headers = [("X-Removed", "1"), ("X-Kept", "2"), ("X-Added", "3")];
    let target = "/v1.41/containers/web/json?all=1&size=1&limit=9&limit=10";
    assert_eq!(proxy.connect().ask_with("GET", target, &headers).status, 200);

    let received = &proxy.daemon.received()[0];
    assert_eq!(received.target, "/v1.41/containers/4f66ad9a0b2e/json?size=1&limit=a%20b%26c");
    assert_eq!(received.header("x-added"), Some("by the plugin"));
    assert_eq!(received.header("x-removed"), None);
    assert_eq!(received.header("x-kept"), Some("2"));
}

/// The request does not go through: the edit can't be made, for this reason.
fn is_refused(edit: &str, words: &str) {
    let proxy = Scene::new().plugin("edits", &editing(edit)).start();
    let answer = proxy.get("/containers/web/logs");
    assert_eq!(answer.status, 403, "{edit}");
    let refused = "container-logs (GET /containers/web/logs) is refused";
    let message = format!("dockgate: {refused}, since the plugin edits failed: {words}");
    assert_eq!(answer.message(), message, "{edit}");
    assert_eq!(proxy.daemon.received(), [], "{edit}");
}

#[test]
fn headers_that_frame_the_message_or_carry_credentials_can_not_be_edited() {
    for name in [
        "Host",
        "content-length",
        "Content-Type",
        "Content-Encoding",
        "Transfer-Encoding",
        "Connection",
        "Upgrade",
        "Expect",
        "TE",
        "Trailer",
        "Keep-Alive",
        "X-Registry-Auth",
        "x-registry-config",
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
    ] {
        let words = format!("it may not edit the header {name:?}");
        is_refused(&format!("(call $set-header \"{name}\" \"1\")"), &words);
        is_refused(&format!("(call $remove-header \"{name}\")"), &words);
    }
}

#[test]
fn a_header_is_one_line_with_a_proper_name() {
    for name in ["", "a b", "a:b", "X-A: 1, X-B", "\u{e4}"] {
        let words = format!("it may not edit the header {name:?}");
        is_refused(&format!("(call $set-header \"{name}\" \"1\")"), &words);
    }
    for value in ["1\\0d\\0aX-B: 2", "1\\0aX-B: 2", "1\\00"] {
        let words = "it sets a header to a value that no header can have";
        is_refused(&format!("(call $set-header \"X-A\" \"{value}\")"), words);
    }
}

#[test]
fn an_edited_request_has_one_meaning_like_any_other() {
    let dots = "the path has a dot segment (. or ..), which the daemon would clean away";
    let empty = "the path has an empty segment (//), which the daemon would clean away";
    let control = "the request target has a control character";
    for (edit, words) in [
        ("(call $set-target \"../x\")", dots),
        ("(call $set-target \"..\")", dots),
        ("(call $set-target \"a/../b\")", dots),
        ("(call $set-target \"\")", empty),
        ("(call $set-target \"/a\")", empty),
        ("(call $set-target \"a\\00b\")", control),
        ("(call $set-target \"a\\0d\\0aX-B: 2\")", control),
        ("(call $set-query \"a\" \"\\00\")", control),
        ("(call $set-query \"\\1b\" \"1\")", control),
    ] {
        is_refused(edit, &format!("its edit leaves a request that is refused: {words}"));
    }
}

/// `GET /networks/` is the list of all.
#[test]
fn a_target_does_not_make_another_operation_of_the_request() {
    let proxy = Scene::new().plugin("edits", &editing("(call $set-target \"\")")).start();
    let answer = proxy.get("/networks/web");
    let words = "failed: its target makes another operation of the request";
    assert!(answer.message().ends_with(words), "{answer:?}");
    assert_eq!(proxy.daemon.received(), []);
}

#[test]
fn an_operation_without_a_target_gets_none() {
    let proxy = Scene::new().plugin("edits", &editing("(call $set-target \"web\")")).start();
    let answer = proxy.get("/containers/json");
    let words = "failed: it sets the target of an operation that has none";
    assert!(answer.message().ends_with(words), "{answer:?}");
    assert_eq!(proxy.daemon.received(), []);
}

#[test]
fn a_query_grows_no_longer_than_a_client_can_make_it() {
    let plugin = editing(
        "(memory.fill (i32.const 65536) (i32.const 97) (i32.const 66000))
         (call $set-query \"a\" (i32.const 65536) (i32.const 66000))",
    );
    let proxy = Scene::new().plugin("edits", &plugin).start();
    let answer = proxy.get("/containers/json");
    let words = "failed: its edit makes the query longer than 64 KiB";
    assert!(answer.message().ends_with(words), "{answer:?}");
    assert_eq!(proxy.daemon.received(), []);
}

#[test]
fn a_plugin_makes_a_hundred_changes_and_no_more() {
    for (edits, status) in [(100, 200), (101, 403)] {
        let edit = "(call $set-query \"limit\" \"5\")".repeat(edits);
        let proxy = Scene::new().plugin("edits", &editing(&edit)).start();
        assert_eq!(proxy.get("/containers/json").status, status, "{edits}");
    }
}

/// The name comes from the plugin and goes to the client and the log.
#[test]
fn the_name_of_a_header_that_can_not_be_edited_is_cut_short() {
    let plugin = editing(
        "(memory.fill (i32.const 65536) (i32.const 32) (i32.const 500000))
         (call $remove-header (i32.const 65536) (i32.const 500000))",
    );
    let proxy = Scene::new().plugin("edits", &plugin).start();
    let message = proxy.get("/containers/json").message();
    assert!(message.contains("it may not edit the header"), "{message}");
    assert!(message.len() < 400, "{message}");
}

/// As the wire of HTTP has no room for it, a value with line ends in a query is encoded.
#[test]
fn line_ends_in_a_query_stay_in_the_query() {
    let plugin = editing("(call $set-query \"a\" \"1\\0d\\0aX-B: 2\")");
    let proxy = Scene::new().plugin("edits", &plugin).start();
    assert_eq!(proxy.get("/containers/json").status, 200);
    let received = &proxy.daemon.received()[0];
    assert_eq!(received.target, "/containers/json?a=1%0D%0AX-B:%202");
    assert_eq!(received.header("x-b"), None);
}

#[test]
fn a_plugin_that_does_not_come_to_rest_is_refused_after_four_passes() {
    let plugin = Plugin::deciding(
        "(call $say \"asked\")
         (global.set $flip (i32.xor (global.get $flip) (i32.const 1)))
         (if (global.get $flip)
           (then (call $set-query \"limit\" \"1\"))
           (else (call $set-query \"limit\" \"2\")))
         (call $allow)",
    )
    .with("(global $flip (mut i32) (i32.const 0))");
    let proxy = Scene::new().plugin("restless", &plugin).start();
    let answer = proxy.get("/containers/json");
    let reason = "container-list (GET /containers/json) is refused, since the plugin restless goes on changing it";
    assert_eq!((answer.status, answer.message()), (403, format!("dockgate: {reason}")));
    assert_eq!(proxy.said("restless", "/containers/json").len(), 4);
    let record = proxy.record("/containers/json");
    assert_eq!((&record["verdict"], &record["reason"]), (&"fault".into(), &reason.into()));
    assert_eq!(proxy.daemon.received(), []);
}

#[test]
fn edits_of_who_denies_or_fails_go_with_the_request() {
    for end in ["(call $deny (i32.const 403) \"no\")", "(unreachable)"] {
        let plugin = Plugin::deciding(&format!(
            "(if (call $path-has \"bad\") (then
               (call $set-query \"limit\" \"1\")
               (call $respond (i32.const 200) \"[]\")
               (return {end})))
             (call $allow)"
        ));
        let proxy = Scene::new().plugin("edits", &plugin).arguments(&["--workers", "1"]).start();
        assert_eq!(proxy.get("/containers/bad/json").status, 403);
        assert_eq!(proxy.get("/containers/good/json").status, 200);
        assert_eq!(proxy.daemon.received_lines(), ["GET /containers/good/json"]);
    }
}
