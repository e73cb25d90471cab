//! Credentials reach the daemon, and nothing and nobody else.

use crate::scene::{Daemon, Message, Proxy, Setup, get, ok, post, wait_until};

const SECRET: &str = "hunter2";

#[test]
fn credentials_reach_the_daemon_as_they_are() {
    let daemon = Daemon::empty();
    let proxy = talkative(&daemon).start();
    for request in requests() {
        assert_eq!(proxy.client().ask(&request).status(), 200, "{request}");
        let sent = daemon.received().pop().unwrap();
        assert!(whole(&sent).contains(SECRET), "{request}");
    }
    expect_silence(&proxy, requests().len());
}

#[test]
fn credentials_do_not_come_back_with_a_refusal() {
    let daemon = Daemon::empty();
    let proxy = Proxy::in_front_of(&daemon).with("LOG_LEVEL", "debug").start();
    for request in requests() {
        let refusal = proxy.client().ask(&request);
        assert_eq!(refusal.status(), 403, "{request}");
        assert!(!whole(&refusal).contains(SECRET), "{}", refusal.text());
    }
    expect_silence(&proxy, requests().len());
}

#[test]
fn credentials_do_not_come_back_when_the_daemon_is_away() {
    let daemon = Daemon::empty();
    daemon.vanish();
    let proxy = talkative(&daemon).start();
    for request in requests() {
        let refusal = proxy.client().ask(&request);
        assert_eq!(refusal.status(), 502, "{request}");
        assert!(!whole(&refusal).contains(SECRET), "{}", refusal.text());
    }
    expect_silence(&proxy, requests().len());
}

#[test]
fn credentials_in_what_is_no_request_are_not_shown() {
    let daemon = Daemon::answering(|_| ok("{}"));
    let proxy = talkative(&daemon).start();
    let body = format!("{{\"username\": \"u\", \"password\": \"{SECRET}\", \"a\": \"/{SECRET}\"}}");
    let broken = [
        // A body without its frame, which is read as a second request.
        format!("POST /auth HTTP/1.1\r\nHost: a\r\n\r\n{body}\r\n\r\n"),
        format!("POST /auth HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n{body}\r\n\r\n"),
        // A frame that breaks in the midst of it.
        format!("POST /auth HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}\r\n"),
        format!(
            "POST /auth HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{body}\r\n"
        ),
        // Heads in which a secret stands where something else should.
        format!("X-Registry-Auth: {SECRET}\r\nPOST /auth HTTP/1.1\r\n\r\n"),
        format!("GET /events?token={SECRET} HTTP/3\r\nHost: a\r\n\r\n"),
        format!("GET http://user:{SECRET}@docker/_ping HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("GET /_ping HTTP/1.1\r\nHost: a\r\nX-Registry-Auth: {SECRET}\x01\r\n\r\n"),
        format!("GET /_ping HTTP/1.1\r\nHost: a\r\nAuthorization : {SECRET}\r\n\r\n"),
        format!("GET /_ping?a=%zz&token={SECRET} HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("GET /_ping HTTP/1.1\r\nHost: {SECRET}\r\nHost: {SECRET}\r\n\r\n"),
        format!("POST /_ping HTTP/1.1\r\nHost: a\r\nContent-Length: {SECRET}\r\n\r\n"),
    ];
    for request in &broken {
        let mut client = proxy.client();
        client.send(request);
        client.close_sending();
        let answers = String::from_utf8_lossy(&client.rest().unwrap()).into_owned();
        assert!(answers.contains("HTTP/1.1 400 "), "{request:?}: {answers}");
        assert!(!answers.contains(SECRET), "{request:?}: {answers}");
    }
    expect_silence(&proxy, broken.len());
}

/// Requests with a secret in each place that may have one.
fn requests() -> Vec<String> {
    let with_header = |name: &str| {
        let header = format!("{name}: {SECRET}\r\nHost");
        post("/images/create?fromImage=a", "").replacen("Host", &header, 1)
    };
    vec![
        with_header("X-Registry-Auth"),
        with_header("x-registry-config"),
        with_header("Authorization"),
        with_header("Cookie"),
        post("/auth", &format!("{{\"username\":\"u\",\"password\":\"{SECRET}\"}}")),
        post("/containers/create?name=a", &format!("{{\"Env\":[\"TOKEN={SECRET}\"]}}")),
        post(&format!("/images/create?fromSrc=https://u:{SECRET}@example/"), ""),
        get(&format!("/containers/json?filters=%7B%22label%22:%5B%22{SECRET}%22%5D%7D")),
    ]
}

fn talkative(daemon: &Daemon) -> Setup {
    let flags = ["CONTAINERS", "IMAGES", "AUTH", "POST"];
    Proxy::in_front_of(daemon).open(&flags).with("LOG_LEVEL", "debug")
}

/// Expects that the log has records of so many requests, and no secret.
fn expect_silence(proxy: &Proxy, requests: usize) {
    wait_until("all are recorded", || proxy.log().records().len() >= requests);
    let log = proxy.log().text();
    assert!(!log.contains(SECRET), "{log}");
}

fn whole(message: &Message) -> String {
    format!("{}{}", message.head, message.text())
}
