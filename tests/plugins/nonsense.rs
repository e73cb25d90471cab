//! Answers that make no sense.

use crate::{
    client::Answer,
    proxy::{Proxy, Scene},
    wat::Plugin,
};

/// What a client is told where a plugin answers so.
fn answered(decide: &str) -> (Answer, Proxy) {
    let proxy = Scene::new().plugin("odd", &Plugin::deciding(decide).with_pages(256)).start();
    let answer = proxy.get("/containers/web/json");
    assert_eq!(proxy.daemon.received(), [], "the daemon is not asked");
    (answer, proxy)
}

/// It is a fault of the plugin, with these words.
fn is_a_fault(decide: &str, words: &str) {
    let (answer, proxy) = answered(decide);
    let message = format!(
        "dockgate: container-inspect (GET /containers/web/json) is refused, since the plugin odd failed: {words}"
    );
    assert_eq!((answer.status, answer.message()), (403, message), "{decide}");
    let record = proxy.record("/containers/web/json");
    assert_eq!(record["verdict"], "fault", "{record}");
}

#[test]
fn a_denial_is_an_error_whatever_its_status() {
    for (status, sent) in [
        (451, 451),
        (599, 599),
        (400, 400),
        (200, 403),
        (99, 403),
        (0, 403),
        (399, 403),
        (600, 403),
        (65535, 403),
    ] {
        let (answer, proxy) = answered(&format!("(call $deny (i32.const {status}) \"no\")"));
        assert_eq!((answer.status, answer.message().as_str()), (sent, "dockgate: no"));
        let record = proxy.record("/containers/web/json");
        assert_eq!((&record["verdict"], &record["reason"]), (&"deny".into(), &"no".into()));
    }
}

#[test]
fn words_of_a_denial_can_be_shown_anywhere() {
    let (answer, proxy) = answered("(call $deny (i32.const 403) \"a\\0d\\0ab\\1b[31mc\\00\\7fd\")");
    assert_eq!(answer.message(), "dockgate: a  b [31mc  d");
    assert_eq!(proxy.record("/containers/web/json")["reason"], "a  b [31mc  d");
}

#[test]
fn words_of_a_denial_have_an_end() {
    let deny = |length| {
        answered(&format!(
            "(memory.fill (i32.const 65536) (i32.const 97) (i32.const {length}))
             (call $deny (i32.const 403) (i32.const 65536) (i32.const {length}))"
        ))
    };
    let (answer, _proxy) = deny(4_000_000);
    assert_eq!(answer.message(), format!("dockgate: {}", "a".repeat(2000)));
    let (answer, _proxy) = deny(10_000_000);
    let words = "the plugin odd failed: it trapped: too much data is being copied between the host and the guest";
    assert!(answer.message().contains(words), "{answer:?}");
}

#[test]
fn a_verdict_that_there_is_not_is_a_fault() {
    for verdict in [3, 255] {
        is_a_fault(
            &format!("(i32.store8 (i32.const 256) (i32.const {verdict})) (i32.const 256)"),
            &format!("it trapped: unexpected discriminant: {verdict}"),
        );
    }
}

#[test]
fn a_verdict_outside_of_memory_is_a_fault() {
    for address in ["-4", "16777212"] {
        is_a_fault(
            &format!("(i32.const {address})"),
            "it trapped: pointer out of bounds of memory",
        );
    }
    is_a_fault("(i32.const 257)", "it trapped: return pointer not aligned");
}

#[test]
fn texts_that_are_none_are_faults() {
    for (text, words) in [
        ("(i32.const 65536) (i32.const -1)", "string pointer/length out of bounds of memory"),
        ("(i32.const -1) (i32.const 2)", "string pointer/length out of bounds of memory"),
        ("(i32.const 16777215) (i32.const 2)", "string pointer/length out of bounds of memory"),
        ("\"a\\ff\"", "invalid utf-8 sequence of 1 bytes from index 1"),
        ("\"\\ed\\a0\\80\"", "invalid utf-8 sequence of 1 bytes from index 0"),
    ] {
        is_a_fault(
            &format!("(call $deny (i32.const 403) {text})"),
            &format!("it trapped: {words}"),
        );
        for call in
            ["$set-query \"a\"", "$set-header \"X-A\"", "$set-target", "$remove-query", "$say"]
        {
            is_a_fault(
                &format!("(call {call} {text}) (call $allow)"),
                &format!("it trapped: {words}"),
            );
        }
    }
}

#[test]
fn a_level_that_there_is_not_is_a_fault() {
    is_a_fault(
        "(call $write (i32.const 9) \"hello\") (call $allow)",
        "it trapped: unexpected discriminant: 9",
    );
}

#[test]
fn a_reply_must_be_an_answer() {
    for status in [0, 99, 100, 101, 199, 600, 65535] {
        is_a_fault(
            &format!("(call $respond (i32.const {status}) \"{{}}\") (call $allow)"),
            &format!("it answered nonsense: a reply with status {status}"),
        );
    }
}

#[test]
fn a_reply_must_be_json() {
    for (text, words) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("yes", "expected value at line 1 column 1"),
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("{} {}", "trailing characters at line 1 column 4"),
        ("<p>", "expected value at line 1 column 1"),
    ] {
        is_a_fault(
            &format!("(call $respond (i32.const 200) \"{text}\") (call $allow)"),
            &format!("it answered nonsense: a reply that is not JSON: {words}"),
        );
    }
}

/// Deep nesting is where parsers end up in a stack overflow.
#[test]
fn a_reply_of_brackets_alone_is_a_fault() {
    let (answer, _proxy) = answered(
        "(memory.fill (i32.const 65536) (i32.const 91) (i32.const 4000000))
         (call $respond (i32.const 200) (i32.const 65536) (i32.const 4000000)) (call $allow)",
    );
    let words = "a reply that is not JSON: EOF while parsing a list at line 1 column 4000000";
    assert!(answer.message().contains(words), "{answer:?}");
}
