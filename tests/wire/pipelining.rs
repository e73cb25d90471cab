//! Several requests on one connection, and bodies that nobody reads.

use std::thread;

use crate::scene::{Daemon, Proxy, get, ok, post};

/// What a smuggler hides in a body.
const HIDDEN: &str = "GET /containers/json?smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn containers_only(daemon: &Daemon) -> Proxy {
    Proxy::in_front_of(daemon).open(&["CONTAINERS"]).start()
}

#[test]
fn a_refusal_in_the_middle_leaves_its_neighbours_alone() {
    let daemon = Daemon::empty();
    let proxy = containers_only(&daemon);
    let mut client = proxy.client();
    client.send(
        [get("/containers/json?n=1"), get("/images/json"), get("/containers/json?n=2")].concat(),
    );
    assert_eq!(client.answer().status(), 200);
    let refusal = client.answer();
    assert_eq!(refusal.status(), 403);
    assert_eq!(refusal.words(), "dockgate: image-list is not allowed: set IMAGES=1");
    assert_eq!(client.answer().status(), 200);
    assert_eq!(
        daemon.request_lines(),
        ["GET /containers/json?n=1 HTTP/1.1", "GET /containers/json?n=2 HTTP/1.1"]
    );
}

#[test]
fn a_request_behind_a_refused_body_is_answered() {
    let daemon = Daemon::empty();
    let proxy = containers_only(&daemon);
    let mut client = proxy.client();
    client.send([post("/containers/create", HIDDEN), get("/containers/json")].concat());
    assert_eq!(client.answer().status(), 403);
    assert_eq!(client.answer().status(), 200);
    assert_eq!(daemon.request_lines(), ["GET /containers/json HTTP/1.1"]);
}

#[test]
fn nothing_is_read_behind_a_refused_body_whose_end_is_not_there_yet() {
    let daemon = Daemon::empty();
    let proxy = containers_only(&daemon);
    for (framing, body) in [
        ("Transfer-Encoding: chunked", format!("{:x}\r\n{HIDDEN}\r\n", HIDDEN.len())),
        ("Content-Length: 1000000", HIDDEN.repeat(200)),
        ("Content-Length: 1000000", String::new()),
    ] {
        let mut client = proxy.client();
        client.send(format!("POST /exec/1/start HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n{body}"));
        let refusal = client.answer();
        assert_eq!((refusal.status(), refusal.header("connection")), (403, Some("close")));
        client.send(HIDDEN);
        client.ends();
    }
    proxy.client().ask(get("/containers/json"));
    assert_eq!(daemon.request_lines(), ["GET /containers/json HTTP/1.1"]);
}

#[test]
fn a_client_that_only_reads_when_it_has_sent_all_reads_the_refusal() {
    let daemon = Daemon::empty();
    let proxy = containers_only(&daemon);
    for framing in ["Content-Length: 8388608", "Transfer-Encoding: chunked"] {
        let mut client = proxy.client();
        client.send(format!("POST /images/load HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n"));
        if framing.starts_with("Transfer") {
            client.send("800000\r\n");
        }
        client.send(vec![b'x'; 8 << 20]);
        let refusal = client.answer();
        assert_eq!(refusal.status(), 403, "{framing}");
        assert_eq!(refusal.header("connection"), Some("close"));
        client.ends();
    }
    assert_eq!(daemon.request_lines(), [""; 0]);
}

#[test]
fn many_requests_in_one_segment_are_answered_in_order() {
    let daemon = Daemon::answering(|request| ok(request.first_line()));
    let proxy = containers_only(&daemon);
    let mut client = proxy.client();
    let all: String = (0..500).map(|n| get(&format!("/containers/json?n={n}"))).collect();
    let mut writer = client.writer();
    let sending = thread::spawn(move || std::io::Write::write_all(&mut writer, all.as_bytes()));
    for n in 0..500 {
        assert_eq!(client.answer().text(), format!("GET /containers/json?n={n} HTTP/1.1"));
    }
    sending.join().unwrap().unwrap();
}
