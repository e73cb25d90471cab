//! Targets that a filter and the daemon could read in two ways: each is refused in words, on a
//! connection that goes on, or sent in the one canonical form.

use crate::scene::{Daemon, Proxy, get};

/// What stands between the method and the version, and the words of the refusal.
const TARGETS: &[(&str, &str)] = &[
    ("/containers/json%00", "control character"),
    ("/containers/json%0a", "control character"),
    ("/containers/json%0d%0aX:y", "control character"),
    ("/containers/%c2%85/json", "control character"),
    ("/containers/json?all=%00", "control character"),
    ("/containers/json?%1b=x", "control character"),
    ("/containers%2fjson", "encoded slash (%2F)"),
    ("/v1.41%2Fcontainers/json", "encoded slash (%2F)"),
    ("/_ping/..%2fcontainers/json", "encoded slash (%2F)"),
    ("/_ping/../containers/json", "dot segment"),
    ("/containers/%2e%2e/images/json", "dot segment"),
    ("/./containers/json", "dot segment"),
    ("/..", "dot segment"),
    ("//containers/json", "empty segment (//)"),
    ("/containers//json", "empty segment (//)"),
    ("/v1.41//containers/json", "empty segment (//)"),
    ("/containers/json?a=1;b=2", "encode it as %3B"),
    ("/containers/json?;", "encode it as %3B"),
    ("/v1.041/containers/json", "such as /v1.41"),
    ("/v1.41./containers/json", "such as /v1.41"),
    ("/v1.41../containers/json", "such as /v1.41"),
    ("/v01.41/containers/json", "such as /v1.41"),
    ("/V1.41/containers/json", "such as /v1.41"),
    ("/v1%2e41./containers/json", "such as /v1.41"),
    ("/v1/containers/json", "such as /v1.41"),
    ("/v1.23/containers/json", "API version 1.23 is older than 1.24"),
    ("/v0.9/containers/json", "API version 0.9 is older than 1.24"),
    ("/containers/%", "no two hexadecimal digits"),
    ("/containers/%zz", "no two hexadecimal digits"),
    ("/containers/json?a=%4", "no two hexadecimal digits"),
    ("/containers/%ff", "not UTF-8"),
    ("/containers/%c0%ae%c0%ae/images/json", "not UTF-8"),
    ("/containers/json?a=%ff", "not UTF-8"),
];

#[test]
fn a_target_with_two_readings_is_refused() {
    let daemon = Daemon::empty();
    let proxy = all_open(&daemon);
    let mut client = proxy.client();
    for (target, rule) in TARGETS {
        for method in ["GET", "POST", "DELETE"] {
            let refusal = client.ask(get(target).replacen("GET", method, 1));
            assert_eq!(refusal.status(), 400, "{method} {target}");
            let words = refusal.words();
            assert!(words.starts_with("dockgate: ") && words.contains(rule), "{target}: {words}");
        }
    }
    assert_eq!(client.ask(get("/containers/json")).status(), 200, "the connection goes on");
    assert_eq!(daemon.request_lines(), ["GET /containers/json HTTP/1.1"]);
}

#[test]
fn what_is_no_path_is_refused_and_the_connection_closed() {
    let daemon = Daemon::empty();
    let proxy = all_open(&daemon);
    for line in [
        "GET http://localhost/containers/json",
        "GET HTTP://localhost/containers/json",
        "GET http://user:secret@localhost/containers/json",
        "GET unix:///containers/json",
        "GET http://[/",
        "GET containers/json",
        "GET ?all=1",
        "OPTIONS *",
        "CONNECT docker:2375",
        "CONNECT [::1]:2375",
    ] {
        let mut client = proxy.client();
        let refusal = client.ask(format!("{line} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_eq!(refusal.status(), 400, "{line}");
        let words = refusal.words();
        assert!(words.contains("must be a path that begins with one slash"), "{line}: {words}");
        client.ends();
    }
    assert_eq!(daemon.request_lines(), [""; 0]);
    assert!(!proxy.log().text().contains("secret"), "credentials in a target are not logged");
}

#[test]
fn what_no_client_of_docker_sends_is_refused() {
    let daemon = Daemon::empty();
    let proxy = all_open(&daemon);
    let mut client = proxy.client();
    for (request, rule) in [
        ("CONNECT /containers/json", "the method is none"),
        ("TRACE /containers/json", "the method is none"),
        (
            "POST /containers/a/kill?signal=TERM HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded",
            "form bodies",
        ),
        (
            "POST /containers/a/kill HTTP/1.1\r\ncontent-type: APPLICATION/X-WWW-Form-Urlencoded;charset=x",
            "form bodies",
        ),
        (
            "POST /containers/a/kill HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x",
            "form bodies",
        ),
        (
            "POST /exec/1/start HTTP/1.1\r\nContent-Type: application/json\r\nContent-Type: text/plain",
            "Content-Type stands twice",
        ),
        ("POST /exec/1/start HTTP/1.1\r\nExpect: 200-ok", "Expect must be 100-continue"),
        (
            "POST /exec/1/start HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: smtp",
            "Upgrade must be tcp, h2c or websocket",
        ),
        (
            "POST /exec/1/start HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp, h2c",
            "Upgrade must be tcp, h2c or websocket",
        ),
    ] {
        let version = if request.contains("HTTP/1.1") { "" } else { " HTTP/1.1" };
        let refusal = client.ask(format!("{request}{version}\r\nHost: localhost\r\n\r\n"));
        assert_eq!(refusal.status(), 400, "{request}");
        let words = refusal.words();
        assert!(words.starts_with("dockgate: ") && words.contains(rule), "{request}: {words}");
    }
    assert_eq!(client.ask(get("/containers/json")).status(), 200, "the connection goes on");
    assert_eq!(daemon.request_lines(), ["GET /containers/json HTTP/1.1"]);
}

#[test]
fn an_older_version_is_let_through_where_it_is_asked_for() {
    let daemon = Daemon::empty();
    let proxy = Proxy::in_front_of(&daemon)
        .open(&["CONTAINERS"])
        .option("--min-api-version", "1.20")
        .start();
    let mut client = proxy.client();
    assert_eq!(client.ask(get("/v1.20/containers/json")).status(), 200);
    assert_eq!(client.ask(get("/v1.19/containers/json")).status(), 400);
}

#[test]
fn the_daemon_gets_the_canonical_target() {
    let daemon = Daemon::empty();
    let proxy = all_open(&daemon);
    let mut client = proxy.client();
    for (target, canonical) in [
        ("/v1%2e41/%63ontainers/json", "/v1.41/containers/json"),
        ("/containers/a%3fb/json", "/containers/a%3Fb/json"),
        ("/containers/a%252fb/json", "/containers/a%252fb/json"),
        ("/containers/%c3%a4/json", "/containers/%C3%A4/json"),
        ("/containers/\u{e4}/json", "/containers/%C3%A4/json"),
        ("/containers/a+b/json", "/containers/a+b/json"),
        ("/containers/\"{<`|\\^>}/json", "/containers/%22%7B%3C%60%7C%5C%5E%3E%7D/json"),
        ("/containers/json?", "/containers/json"),
        ("/containers/json?all", "/containers/json?all="),
        ("/containers/json?&all=1&&b=2&", "/containers/json?all=1&b=2"),
        ("/containers/json?a+b=c%2Bd", "/containers/json?a%20b=c%2Bd"),
        ("/containers/json?x=%c3%a4&x=2", "/containers/json?x=%C3%A4&x=2"),
        ("/containers/json?a?b=c/d", "/containers/json?a%3Fb=c/d"),
        (
            "/containers/json?filters={\"label\":[\"a=b\"]}",
            "/containers/json?filters=%7B%22label%22:%5B%22a%3Db%22%5D%7D",
        ),
    ] {
        assert_eq!(client.ask(get(target)).status(), 200, "{target}");
        let sent = daemon.request_lines().pop().unwrap();
        assert_eq!(sent, format!("GET {canonical} HTTP/1.1"), "{target}");
    }
}

fn all_open(daemon: &Daemon) -> Proxy {
    Proxy::in_front_of(daemon).open(&["CONTAINERS", "POST", "EXEC"]).start()
}
