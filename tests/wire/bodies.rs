//! Chunked bodies that two readers could frame in two ways.

use crate::scene::{Daemon, Of, Proxy, complaints, get, refusal};

const CHUNK: &str = "the chunked body is not framed as RFC 9112 section 7.1 says";

/// Bodies, each behind a head that says that it is chunked.
const BODIES: &[&str] = &[
    "2;name=value\r\n{}\r\n0\r\n\r\n",
    "2;\r\n{}\r\n0\r\n\r\n",
    "2 \r\n{}\r\n0\r\n\r\n",
    " 2\r\n{}\r\n0\r\n\r\n",
    "+2\r\n{}\r\n0\r\n\r\n",
    "0x2\r\n{}\r\n0\r\n\r\n",
    "2\n{}\n0\n\n",
    "2\r\n{}\n0\r\n\r\n",
    "2\r\n{}x\r\n0\r\n\r\n",
    "2\r\n{}\r\n0\r\nTrailer: 1\r\n\r\n",
    "2\r\n{}\r\n0\r\nContent-Length: 1\r\n\r\nx",
    "2\r\n{}\r\n0\n\r\n",
    "2\r\n{}\r\n\r\n",
    "10000000000000002\r\n{}\r\n0\r\n\r\n",
    "g\r\n{}\r\n0\r\n\r\n",
    "\r\n2\r\n{}\r\n0\r\n\r\n",
    "-1\r\n",
];

#[test]
fn a_chunked_body_with_two_readings_is_refused() {
    let daemon = Daemon::by_hand();
    let proxy = all_open(&daemon);
    let head = "POST /containers/create HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let complaints = complaints(BODIES, |body| {
        let mut client = proxy.client();
        client.send([head, body, &get("/containers/json?smuggled")].concat());
        (body, refusal(&mut client, CHUNK))
    });
    assert!(complaints.is_empty(), "{complaints}");
    expect_nothing_whole(&daemon, &proxy);
}

/// Expects that the daemon has read no request to its end.
fn expect_nothing_whole(daemon: &Daemon, proxy: &Proxy) {
    let mut fence = proxy.client();
    fence.send(get("/containers/json?fence"));
    // What was cut in the middle comes before it.
    let links = std::iter::repeat_with(|| daemon.link());
    let whole = { links }.find_map(|mut link| link.try_message(Of::Request).ok().flatten());
    assert_eq!(whole.unwrap().first_line(), "GET /containers/json?fence= HTTP/1.1");
}

#[test]
fn an_answer_that_has_begun_is_cut_when_the_body_breaks_its_frame() {
    let daemon = Daemon::by_hand();
    let proxy = all_open(&daemon);
    let mut client = proxy.client();
    client.send(
        "POST /images/load HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n",
    );
    let mut link = daemon.link();
    link.head();
    link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nbegun\n\r\n");
    assert_eq!(client.head().status(), 200);
    assert_eq!(client.chunk().as_deref(), Some("begun\n"));
    client.send("2;x=y\r\nxx\r\n0\r\n\r\n");
    let rest = client.rest().unwrap_or_default();
    assert_eq!(String::from_utf8_lossy(&rest), "", "no second head in the midst of a body");
}

fn all_open(daemon: &Daemon) -> Proxy {
    Proxy::in_front_of(daemon).open(&["CONTAINERS", "POST", "EXEC", "IMAGES"]).start()
}
