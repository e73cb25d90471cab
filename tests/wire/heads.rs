//! Heads that two readers could read in two ways: each is refused in words, the connection is closed,
//! and nothing of it reaches the daemon.

use std::thread;
use std::time::Duration;

use crate::scene::{Daemon, Proxy, complaints, get, ok, refusal};

const HOST: &str = "Host must stand exactly once";
const LENGTH: &str = "Content-Length must be one decimal number";
const TWO: &str = "Content-Length and Transfer-Encoding exclude each other";
const ENCODING: &str = "Transfer-Encoding must be chunked, in HTTP/1.1";
const NEW_LINE: &str = "a line does not end in CR LF";
const NAME: &str = "a header's name has a character that it can't have";
const VALUE: &str = "a header's value has a character that it can't have";
const REQUEST_LINE: &str = "the request line has a character that it can't have";
const VERSION: &str = "the version is not HTTP/1.0 or HTTP/1.1";

/// What is sent, and the rule that it breaks.
const HEADS: &[(&str, &str)] = &[
    // The length of the body.
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        TWO,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
        TWO,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        LENGTH,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        LENGTH,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\ncontent-length: 0\r\n\r\n{}",
        LENGTH,
    ),
    ("POST /exec/1/start HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n{}", LENGTH),
    ("POST /exec/1/start HTTP/1.1\r\nHost: a\r\nContent-Length: -2\r\n\r\n{}", LENGTH),
    ("POST /exec/1/start HTTP/1.1\r\nHost: a\r\nContent-Length:  2, 2\r\n\r\n{}", LENGTH),
    ("POST /exec/1/start HTTP/1.1\r\nHost: a\r\nContent-Length: 0x2\r\n\r\n{}", LENGTH),
    ("POST /exec/1/start HTTP/1.1\r\nHost: a\r\nContent-Length: 2.0\r\n\r\n{}", LENGTH),
    ("POST /exec/1/start HTTP/1.1\r\nHost: a\r\nContent-Length: 1 2\r\n\r\n{}", LENGTH),
    ("POST /exec/1/start HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n{}", LENGTH),
    ("POST /exec/1/start HTTP/1.1\r\nHost: a\r\nContent-Length: 2\t\x0b\r\n\r\n{}", VALUE),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n{}",
        LENGTH,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n{}",
        LENGTH,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551618\r\n\r\n{}",
        LENGTH,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        ENCODING,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        ENCODING,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        ENCODING,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        ENCODING,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        ENCODING,
    ),
    ("POST /exec/1/start HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n", ENCODING),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ENCODING,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        ENCODING,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
        ENCODING,
    ),
    (
        "POST /exec/1/start HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ENCODING,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        NAME,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nTransfer_Encoding\x00: chunked\r\n\r\n0\r\n\r\n",
        NAME,
    ),
    (
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        VALUE,
    ),
    // Lines.
    ("GET /containers/json HTTP/1.1\nHost: a\n\n", NEW_LINE),
    ("GET /containers/json HTTP/1.1\nHost: a\r\n\r\n", NEW_LINE),
    ("GET /containers/json HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", NEW_LINE),
    ("GET /containers/json HTTP/1.1\r\nHost: a\r\nX: b\n\r\n", NEW_LINE),
    ("GET /containers/json HTTP/1.1\r\nHost: a\r\nX: b\r\n\n", NEW_LINE),
    ("\nGET /containers/json HTTP/1.1\r\nHost: a\r\n\r\n", NEW_LINE),
    ("GET /containers/json HTTP/1.1\r\nHost: a\r\nX: b\rY: c\r\n\r\n", VALUE),
    ("GET /containers/json HTTP/1.1\rHost: a\r\n\r\n", NEW_LINE),
    ("GET /containers/json HTTP/1.1\r\nHost: a\r\nX: b\r\n folded\r\n\r\n", NAME),
    ("GET /containers/json HTTP/1.1\r\nHost: a\r\nX: b\r\n\tfolded: c\r\n\r\n", NAME),
    ("GET /containers/json HTTP/1.1\r\n X: b\r\nHost: a\r\n\r\n", NAME),
    ("GET /containers/json HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n", NAME),
    ("GET /containers/json HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", NAME),
    ("GET /containers/json HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", NAME),
    ("GET /containers/json HTTP/1.1\r\nHost: a\r\nX(: b\r\n\r\n", NAME),
    ("GET /containers/json HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", VALUE),
    ("GET /containers/json HTTP/1.1\r\nHost: a\r\nX: \x1b[31m\r\n\r\n", VALUE),
    ("GET /containers/json HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", VALUE),
    // Host.
    ("GET /containers/json HTTP/1.1\r\n\r\n", HOST),
    ("GET /containers/json HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", HOST),
    ("GET /containers/json HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", HOST),
    ("GET /containers/json HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", HOST),
    // The request line.
    ("GET /containers/json HTTP/1.2\r\nHost: a\r\n\r\n", VERSION),
    ("GET /containers/json HTTP/2.0\r\nHost: a\r\n\r\n", VERSION),
    ("GET /containers/json http/1.1\r\nHost: a\r\n\r\n", VERSION),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VERSION),
    ("GET /containers/json\r\nHost: a\r\n\r\n", REQUEST_LINE),
    ("GET /containers/json  HTTP/1.1\r\nHost: a\r\n\r\n", VERSION),
    ("GET  /containers/json HTTP/1.1\r\nHost: a\r\n\r\n", REQUEST_LINE),
    ("GET /containers/json HTTP/1.1 \r\nHost: a\r\n\r\n", NEW_LINE),
    ("GET\t/containers/json HTTP/1.1\r\nHost: a\r\n\r\n", REQUEST_LINE),
    ("GET /containers/\x01json HTTP/1.1\r\nHost: a\r\n\r\n", REQUEST_LINE),
    ("GET /containers/\x7fjson HTTP/1.1\r\nHost: a\r\n\r\n", REQUEST_LINE),
    ("G(T /containers/json HTTP/1.1\r\nHost: a\r\n\r\n", REQUEST_LINE),
    (" GET /containers/json HTTP/1.1\r\nHost: a\r\n\r\n", REQUEST_LINE),
    ("\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03\r\n\r\n", "it is TLS"),
    ("GET /containers/json#x HTTP/1.1\r\nHost: a\r\n\r\n", "must not have a fragment"),
    ("GET /containers/json?a=b#x HTTP/1.1\r\nHost: a\r\n\r\n", "must not have a fragment"),
];

#[test]
fn a_head_with_two_readings_is_refused_and_the_connection_closed() {
    let daemon = Daemon::empty();
    let proxy = all_open(&daemon);
    let complaints = complaints(HEADS, |(request, rule)| {
        let mut client = proxy.client();
        client.send(request);
        (request, refusal(&mut client, rule))
    });
    assert!(complaints.is_empty(), "{complaints}");
    proxy.client().ask(get("/containers/json?fence"));
    assert_eq!(daemon.request_lines(), ["GET /containers/json?fence= HTTP/1.1"]);
}

#[test]
fn what_follows_a_head_with_two_readings_is_no_request() {
    let daemon = Daemon::empty();
    let proxy = all_open(&daemon);
    let complaints = complaints(HEADS, |(request, rule)| {
        let mut client = proxy.client();
        client.send([request, get("/containers/json?smuggled").as_str()].concat());
        (request, refusal(&mut client, rule))
    });
    assert!(complaints.is_empty(), "{complaints}");
    proxy.client().ask(get("/containers/json?fence"));
    assert_eq!(daemon.request_lines(), ["GET /containers/json?fence= HTTP/1.1"]);
}

const LIST: usize = 230_000;

#[test]
fn the_answer_before_a_head_with_two_readings_arrives_whole() {
    // More than the socket's buffers hold and less than they and hyper's do together: the proxy is
    // done with the answer, and has not written it.
    let daemon = Daemon::answering(move |_| ok(&"x".repeat(LIST)));
    let proxy = Proxy::in_front_of(&daemon).open(&["CONTAINERS"]).listening_on_a_socket().start();
    let mut client = proxy.client();
    client.send([get("/containers/json").as_str(), HEADS[0].0].concat());
    proxy.log().wait_for("a record of the first request", |line| line["status"] == 200);
    let list = client.answer();
    assert_eq!((list.status(), list.body.len()), (200, LIST));
    assert_eq!(refusal(&mut client, TWO), Ok(()));
}

#[test]
fn requests_are_the_same_however_they_are_cut() {
    let daemon =
        Daemon::answering(|request| ok(&format!("{} {}", request.first_line(), request.text())));
    let proxy = all_open(&daemon);
    let all = "\r\nPOST /containers/create HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
        3\r\n{\"a\r\n004\r\n\":1}\r\n0\r\n\r\n\
        POST /exec/1/json HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}\
        GET /containers/json?a=\"b\" HTTP/1.1\r\nHost: a\r\n\r\n";
    thread::scope(|scope| {
        for half in [1, 0] {
            let proxy = &proxy;
            scope.spawn(move || {
                for cut in (half..all.len()).step_by(2) {
                    let mut client = proxy.client();
                    client.socket().set_tcp_nodelay(true).unwrap();
                    client.send(&all[..cut]);
                    thread::sleep(Duration::from_millis(2));
                    client.send(&all[cut..]);
                    for expected in [
                        "POST /containers/create HTTP/1.1 {\"a\":1}",
                        "POST /exec/1/json HTTP/1.1 {}",
                        "GET /containers/json?a=%22b%22 HTTP/1.1 ",
                    ] {
                        let answer = client.answer();
                        assert_eq!(
                            (answer.status(), answer.text()),
                            (200, expected),
                            "cut at {cut}"
                        );
                    }
                }
            });
        }
    });
    let mut client = proxy.client();
    client.socket().set_tcp_nodelay(true).unwrap();
    for byte in all.bytes() {
        client.send([byte]);
    }
    for _ in 0..3 {
        assert_eq!(client.answer().status(), 200, "byte by byte");
    }
}

#[test]
fn every_character_in_a_head_is_forwarded_or_refused_in_words() {
    let daemon = Daemon::empty();
    let proxy = all_open(&daemon);
    for byte in 1..=255_u8 {
        for (before, after) in [
            ("GET /containers/", "/json HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("GET /containers/json?a=", " HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("GET /containers/json HTTP/1.1\r\nHost: a\r\nX", ": b\r\n\r\n"),
            ("GET /containers/json HTTP/1.1\r\nHost: a\r\nX: ", "b\r\n\r\n"),
            ("GET /containers/json HTTP/1.1\r\nHost: a", "\r\n\r\n"),
            ("G", " /containers/json HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("", "ET /containers/json HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("GET /containers/json HTTP/1.", "\r\nHost: a\r\n\r\n"),
        ] {
            let request = [before.as_bytes(), &[byte], after.as_bytes()].concat();
            let mut client = proxy.client();
            let answer = client.ask(&request);
            let shown = String::from_utf8_lossy(&request);
            assert!(
                [200, 400, 403].contains(&answer.status()),
                "{byte:#x} in {shown:?}: {}",
                answer.head
            );
            if answer.status() != 200 {
                assert!(!answer.body.is_empty(), "{byte:#x} in {shown:?}: {}", answer.head);
                assert!(answer.words().starts_with("dockgate: "), "{shown:?}");
            }
        }
    }
}

fn all_open(daemon: &Daemon) -> Proxy {
    Proxy::in_front_of(daemon).open(&["CONTAINERS", "POST", "EXEC", "IMAGES"]).start()
}
