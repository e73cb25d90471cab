//! Headers, and the frame of bodies, as they reach the daemon and the client.

use crate::scene::{Daemon, EMPTY_LIST, Proxy, get, post};

#[test]
fn the_daemon_gets_no_header_that_belongs_to_the_connection() {
    let daemon = Daemon::empty();
    let proxy = all_open(&daemon);
    proxy.client().ask(
        "GET /containers/json HTTP/1.1\r\nHOST: evil.example\r\nConnection: keep-alive, X-Mine\r\n\
         Connection: x-also, Content-Type, X-Registry-Auth\r\nKeep-Alive: 5\r\nX-Mine: 1\r\n\
         X-Also: 1\r\nTE: trailers\r\nTrailer: X\r\nUpgrade: tcp\r\nProxy-Connection: x\r\n\
         Proxy-Authorization: x\r\nX-Registry-Auth: kept\r\nContent-Type: text/plain\r\n\
         Accept: */*\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n",
    );
    let request = daemon.received().pop().unwrap();
    let mut lines: Vec<_> = request.head.trim_end().lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "GET /containers/json HTTP/1.1",
            "accept: */*",
            "content-type: text/plain",
            "host: docker",
            "x-registry-auth: kept",
            "x-twice: 1",
            "x-twice: 2",
        ]
    );
}

#[test]
fn the_daemon_gets_the_body_in_the_frame_in_which_it_was_sent() {
    let daemon = Daemon::empty();
    let proxy = all_open(&daemon);
    let mut client = proxy.client();
    let chunked =
        "POST /containers/create HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n";
    for (request, frame, body) in [
        (post("/containers/create", "{\"a\":1}"), ("content-length", "7"), "{\"a\":1}"),
        (post("/containers/a/start", ""), ("content-length", "0"), ""),
        (
            format!("{chunked}3\r\n{{\"a\r\n04\r\n\":1}}\r\n0\r\n\r\n"),
            ("transfer-encoding", "chunked"),
            "{\"a\":1}",
        ),
        (format!("{chunked}0\r\n\r\n"), ("transfer-encoding", "chunked"), ""),
        (post("/containers/json", "x").replacen("POST", "GET", 1), ("content-length", "1"), "x"),
    ] {
        assert_eq!(client.ask(&request).status(), 200, "{request}");
        let sent = daemon.received().pop().unwrap();
        let frames = ["content-length", "transfer-encoding"];
        let found: Vec<_> = frames.iter().filter_map(|f| Some((*f, sent.header(f)?))).collect();
        assert_eq!((found, sent.text()), (vec![frame], body), "{request}");
    }
}

#[test]
fn a_request_without_a_body_has_none_for_the_daemon() {
    let daemon = Daemon::empty();
    let proxy = all_open(&daemon);
    let mut client = proxy.client();
    for method in ["GET", "DELETE", "OPTIONS", "POST", "PUT"] {
        client.ask(get("/containers/a").replacen("GET", method, 1));
        let sent = daemon.received().pop().unwrap();
        // A POST without a length is one of the length 0, and hyper says so.
        assert_eq!(sent.header("transfer-encoding"), None, "{method}");
        assert!(matches!(sent.header("content-length"), None | Some("0")), "{}", sent.head);
        if ["GET", "DELETE", "OPTIONS"].contains(&method) {
            assert_eq!(
                sent.head,
                format!("{method} /containers/a HTTP/1.1\r\nhost: docker\r\n\r\n")
            );
        }
    }
}

#[test]
fn the_client_gets_the_headers_of_the_daemon() {
    let daemon = Daemon::answering(|_| {
        EMPTY_LIST.replacen(
            "\r\n",
            "\r\nApi-Version: 1.41\r\nDocker-Experimental: false\r\nOstype: linux\r\n\
             Server: Docker/20.10.24 (linux)\r\nX-Docker-Container-Path-Stat: eyJ9\r\n\
             Warning: 1\r\nWarning: 2\r\nConnection: keep-alive\r\nKeep-Alive: 5\r\n\
             Date: Tue, 01 Aug 2026 00:00:00 GMT\r\n",
            1,
        )
    });
    let proxy = all_open(&daemon);
    let answer = proxy.client().ask(get("/containers/json"));
    let mut lines: Vec<_> = answer.head.trim_end().lines().skip(1).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "api-version: 1.41",
            "content-length: 3",
            "content-type: application/json",
            "date: Tue, 01 Aug 2026 00:00:00 GMT",
            "docker-experimental: false",
            "ostype: linux",
            "server: Docker/20.10.24 (linux)",
            "warning: 1",
            "warning: 2",
            "x-docker-container-path-stat: eyJ9",
        ]
    );
    assert_eq!(answer.text(), "[]\n");
}

#[test]
fn a_head_request_is_answered_with_headers_alone() {
    let daemon = Daemon::answering(|request| {
        let length = if request.first_line().contains("archive") { 1_000_000 } else { 0 };
        format!(
            "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nDocker-Experimental: false\r\n\
             Content-Length: {length}\r\nPragma: no-cache\r\n\r\n"
        )
    });
    let proxy = all_open(&daemon);
    let mut client = proxy.client();
    for (target, length) in [("/_ping", "0"), ("/containers/a/archive?path=/", "1000000")] {
        client.send(get(target).replacen("GET", "HEAD", 1));
        let answer = client.answer_to_head();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.header("api-version"), Some("1.41"));
        assert_eq!(answer.header("content-length"), Some(length), "{target}");
        assert_eq!(answer.header("transfer-encoding"), None, "{target}");
    }
    client.send(get("/images/json").replacen("GET", "HEAD", 1));
    assert_eq!(client.answer_to_head().status(), 403, "a refusal has no body either");
    assert_eq!(client.ask(get("/_ping")).status(), 200, "the next answer stands where it should");
}

fn all_open(daemon: &Daemon) -> Proxy {
    Proxy::in_front_of(daemon).open(&["CONTAINERS", "POST", "EXEC"]).start()
}
