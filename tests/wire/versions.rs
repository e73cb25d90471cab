//! What older clients say and careful ones ask: HTTP/1.0, and `Expect: 100-continue`.

use crate::scene::{Daemon, Proxy, get, ok};

const EXPECTING: &str = "POST /containers/create HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\
    Content-Length: 2\r\n\r\n";

#[test]
fn a_client_that_waits_is_told_to_go_on() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    let mut client = proxy.client();
    client.send(EXPECTING);
    assert_eq!(client.head().head, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("{}");
    let mut link = daemon.link();
    let request = link.request();
    assert_eq!((request.text(), request.header("expect")), ("{}", None));
    link.send(ok("created"));
    assert_eq!(client.answer().text(), "created");
    client.send(get("/containers/json"));
    link.request();
    link.send(ok("next"));
    assert_eq!(client.answer().text(), "next");
}

#[test]
fn a_client_that_waits_is_refused_before_it_has_sent_anything() {
    let daemon = Daemon::empty();
    let proxy = Proxy::in_front_of(&daemon).open(&["CONTAINERS"]).start();
    let mut client = proxy.client();
    let refusal = client.ask(EXPECTING);
    assert_eq!(refusal.status(), 403, "the first that comes is the refusal");
    // The client may send the body all the same, or not: nobody can tell what comes next.
    assert_eq!(refusal.header("connection"), Some("close"));
    let _ = client.try_send(get("/containers/json"));
    client.ends();
    assert_eq!(daemon.request_lines(), [""; 0]);
}

#[test]
fn a_client_that_does_not_wait_after_all_is_served_as_well() {
    let daemon = Daemon::empty();
    let proxy = open(&daemon);
    let mut client = proxy.client();
    client.send(format!("{EXPECTING}{{}}"));
    let mut answer = client.head();
    if answer.status() == 100 {
        answer = client.head();
    }
    assert_eq!(answer.status(), 200);
    assert_eq!(daemon.received()[0].text(), "{}");
}

#[test]
fn an_older_client_is_answered_and_left() {
    let daemon = Daemon::empty();
    let proxy = open(&daemon);
    for head in ["", "Host: localhost\r\n", "Connection: close\r\n", "Host: a\r\nX: y\r\n"] {
        let mut client = proxy.client();
        client.send(format!("GET /v1.41/containers/json HTTP/1.0\r\n{head}\r\n"));
        let answer = client.answer();
        assert_eq!((answer.status(), answer.text()), (200, "[]\n"), "{head}");
        assert_ne!(answer.header("connection"), Some("keep-alive"));
        client.ends();
    }
    let first = &daemon.received()[0];
    assert_eq!(first.first_line(), "GET /v1.41/containers/json HTTP/1.1");
    assert_eq!(first.header("host"), Some("docker"));
}

#[test]
fn an_older_client_may_ask_to_stay() {
    let daemon = Daemon::empty();
    let proxy = open(&daemon);
    let mut client = proxy.client();
    for _ in 0..3 {
        let request = "GET /containers/json HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
        let answer = client.ask(request);
        assert_eq!((answer.status(), answer.header("connection")), (200, Some("keep-alive")));
        assert_eq!(answer.header("content-length"), Some("3"));
    }
    let refusal = client.ask("GET /images/json HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(refusal.status(), 403);
    assert_eq!(client.ask("GET /containers/json HTTP/1.0\r\n\r\n").status(), 200);
    client.ends();
}

#[test]
fn an_older_client_gets_no_chunks() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    for stays in ["", "Connection: keep-alive\r\n"] {
        let mut client = proxy.client();
        client.send(format!("GET /containers/a/logs?follow=1 HTTP/1.0\r\n{stays}\r\n"));
        let mut link = daemon.asked();
        link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nline\n\r\n");
        let head = client.head();
        assert_eq!(head.header("transfer-encoding"), None, "{}", head.head);
        assert_eq!(client.exactly(5), b"line\n");
        link.send("4\r\nlast\r\n0\r\n\r\n");
        assert_eq!(client.rest().unwrap(), b"last");
    }
}

#[test]
fn an_older_client_may_send_a_body() {
    let daemon = Daemon::empty();
    let proxy = open(&daemon);
    let request = "POST /containers/create HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(proxy.client().ask(request).status(), 200);
    let request = daemon.received().pop().unwrap();
    assert_eq!((request.text(), request.header("content-length")), ("{}", Some("2")));
}

#[test]
fn a_client_that_asks_to_close_is_left() {
    let daemon = Daemon::empty();
    let proxy = open(&daemon);
    let mut client = proxy.client();
    let both = get("/containers/json").replacen("Host", "Connection: close\r\nHost", 1);
    client.send([both, get("/containers/json?behind")].concat());
    let answer = client.answer();
    assert_eq!((answer.status(), answer.header("connection")), (200, Some("close")));
    client.ends();
    assert_eq!(daemon.request_lines().len(), 1, "what stands behind is not read");
}

fn open(daemon: &Daemon) -> Proxy {
    Proxy::in_front_of(daemon).open(&["CONTAINERS", "POST"]).start()
}
