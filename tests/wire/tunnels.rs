//! Connections that the daemon takes over: attach, exec, and the protocols of `BuildKit` and browsers.

use std::io::Write as _;
use std::thread;

use crate::scene::{Daemon, Of, Peer, Proxy, get, ok};

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
const TAKEN_OVER: &str = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n\
    Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

#[test]
fn a_connection_becomes_a_stream_both_ways() {
    let daemon = Daemon::by_hand();
    let proxy = all_open(&daemon);
    let (mut client, mut link) = attached(&proxy, &daemon);
    client.send("input");
    assert_eq!(link.exactly(5), b"input");
    link.send("output");
    assert_eq!(client.exactly(6), b"output");
    // What looks like a request is input like any other.
    client.send(get("/images/json"));
    assert_eq!(link.request().head, get("/images/json"));
    link.send("HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.head().status(), 100);
}

#[test]
fn the_head_of_an_upgrade_reaches_both_sides_as_they_know_it() {
    let daemon = Daemon::by_hand();
    let proxy = all_open(&daemon);
    let mut client = proxy.client();
    client.send(start("/exec/1/start", UPGRADE));
    let mut link = daemon.link();
    let request = link.request();
    assert_eq!(request.first_line(), "POST /exec/1/start HTTP/1.1");
    assert_eq!(request.header("connection"), Some("Upgrade"));
    assert_eq!(request.header("upgrade"), Some("tcp"));
    assert_eq!(request.header("host"), Some("docker"));
    assert_eq!(request.text(), "{}");
    link.send(TAKEN_OVER);
    let answer = client.head();
    assert_eq!(answer.first_line(), "HTTP/1.1 101 UPGRADED");
    assert_eq!(answer.header("connection"), Some("Upgrade"));
    assert_eq!(answer.header("upgrade"), Some("tcp"));
    assert_eq!(answer.header("content-type"), Some("application/vnd.docker.raw-stream"));
}

#[test]
fn what_the_client_sends_right_behind_the_request_is_input() {
    let daemon = Daemon::by_hand();
    let proxy = all_open(&daemon);
    for headers in [UPGRADE, ""] {
        let mut client = proxy.client();
        client.send(format!("{}early input", start("/exec/1/start", headers)));
        let mut link = daemon.link();
        assert_eq!(link.request().text(), "{}");
        link.send(format!("{TAKEN_OVER}early output"));
        client.head();
        assert_eq!(client.exactly(12), b"early output");
        assert_eq!(link.exactly(11), b"early input");
    }
}

#[test]
fn the_end_of_a_chunked_request_is_where_the_input_begins() {
    let daemon = Daemon::by_hand();
    let proxy = all_open(&daemon);
    let mut client = proxy.client();
    client.send(format!(
        "POST /exec/1/start HTTP/1.1\r\nHost: a\r\n{UPGRADE}Transfer-Encoding: chunked\r\n\r\n\
         2\r\n{{}}\r\n0\r\n\r\n5\r\ninput"
    ));
    let mut link = daemon.link();
    assert_eq!(link.request().text(), "{}");
    link.send(TAKEN_OVER);
    client.head();
    assert_eq!(link.exactly(8), b"5\r\ninput");
}

#[test]
fn without_the_headers_of_an_upgrade_it_is_the_stream_of_old() {
    let daemon = Daemon::by_hand();
    let proxy = all_open(&daemon);
    for version in ["HTTP/1.1", "HTTP/1.0"] {
        let mut client = proxy.client();
        client.send(start("/containers/a/attach?stream=1", "").replacen("HTTP/1.1", version, 1));
        let mut link = daemon.link();
        // The daemon is asked in the one way that tells when the stream begins.
        assert_eq!(link.request().header("upgrade"), Some("tcp"));
        link.send(TAKEN_OVER);
        let answer = client.head();
        assert_eq!(answer.first_line(), "HTTP/1.1 200 OK");
        assert_eq!(answer.header("content-type"), Some("application/vnd.docker.raw-stream"));
        for absent in ["upgrade", "connection", "content-length", "transfer-encoding"] {
            assert_eq!(answer.header(absent), None, "{}", answer.head);
        }
        client.send("input");
        assert_eq!(link.exactly(5), b"input");
        link.send("output");
        drop(link);
        assert_eq!(client.rest().unwrap(), b"output");
    }
}

/// The daemon has said all that it will and takes nothing more; a client that goes on sending, and is
/// slow to read, still gets all of it.
#[test]
fn the_output_of_a_daemon_that_has_gone_arrives_while_the_input_goes_on() {
    let daemon = Daemon::by_hand();
    let proxy = all_open(&daemon);
    let (mut client, mut link) = attached(&proxy, &daemon);
    let mut input = client.writer();
    let sending = thread::spawn(move || while input.write_all(&[b'x'; 4096]).is_ok() {});
    let output = vec![b'o'; 150_000];
    link.send(&output);
    drop(link);
    thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(client.exactly(output.len()), output);
    client.socket().shutdown(std::net::Shutdown::Both).unwrap();
    sending.join().unwrap();
}

#[test]
fn output_follows_the_end_of_the_input() {
    let daemon = Daemon::by_hand();
    let proxy = all_open(&daemon);
    for (headers, input) in [(UPGRADE, "input"), ("", "input"), (UPGRADE, ""), ("", "")] {
        // Before the daemon has answered, and after.
        let mut client = proxy.client();
        client.send(format!("{}{input}", start("/exec/1/start", headers)));
        client.close_sending();
        let mut link = daemon.asked();
        link.send(TAKEN_OVER);
        client.head();
        assert_eq!(link.rest().unwrap(), input.as_bytes(), "the daemon sees the end");
        link.send("output");
        assert_eq!(client.exactly(6), b"output");
        link.send("more");
        drop(link);
        assert_eq!(client.rest().unwrap(), b"more");
    }
    let (client, mut link) = attached(&proxy, &daemon);
    client.close_sending();
    link.ends();
    let mut client = client;
    link.send("output");
    drop(link);
    assert_eq!(client.rest().unwrap(), b"output");
}

#[test]
fn input_follows_the_end_of_the_output() {
    let daemon = Daemon::by_hand();
    let proxy = all_open(&daemon);
    let (mut client, mut link) = attached(&proxy, &daemon);
    link.close_sending();
    client.ends();
    client.send("input");
    client.close_sending();
    assert_eq!(link.rest().unwrap(), b"input");
}

#[test]
fn one_side_that_goes_takes_the_other_with_it() {
    let daemon = Daemon::by_hand();
    let proxy = all_open(&daemon);
    let (client, mut link) = attached(&proxy, &daemon);
    client.abandon();
    link.is_closed();
    let (mut client, link) = attached(&proxy, &daemon);
    drop(link);
    client.is_closed();
}

#[test]
fn much_goes_both_ways_at_once_and_unchanged() {
    const SIZE: usize = 30 << 20;
    fn all(seed: usize) -> Vec<u8> {
        (0..SIZE / 8).flat_map(|place| place.wrapping_mul(seed).to_le_bytes()).collect()
    }
    let daemon = Daemon::by_hand();
    let proxy = all_open(&daemon);
    let (mut client, mut link) = attached(&proxy, &daemon);
    let (mut to_daemon, mut to_client) = (client.writer(), link.writer());
    thread::scope(|scope| {
        scope.spawn(move || to_daemon.write_all(&all(7)).unwrap());
        scope.spawn(move || to_client.write_all(&all(11)).unwrap());
        let input = scope.spawn(|| link.exactly(SIZE) == all(7));
        assert!(client.exactly(SIZE) == all(11), "the output is as it was sent");
        assert!(input.join().unwrap(), "the input is as it was sent");
    });
    assert!(proxy.peak_memory_kib() < 40 << 10, "{} KiB", proxy.peak_memory_kib());
}

#[test]
fn other_protocols_are_taken_over_in_their_name() {
    let daemon = Daemon::by_hand();
    let proxy = all_open(&daemon);
    for (request, protocol) in [
        ("POST /session", "h2c"),
        ("POST /grpc", "h2c"),
        ("GET /containers/a/attach/ws?stream=1", "websocket"),
    ] {
        let mut client = proxy.client();
        client.send(format!(
            "{request} HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
             Upgrade: {protocol}\r\nSec-WebSocket-Key: k\r\nX-Docker-Expose-Session-Uuid: u\r\n\r\nearly"
        ));
        let mut link = daemon.link();
        let sent = link.request();
        assert_eq!(sent.header("upgrade"), Some(protocol));
        assert_eq!(sent.header("sec-websocket-key"), Some("k"));
        assert_eq!(sent.header("x-docker-expose-session-uuid"), Some("u"));
        link.send(TAKEN_OVER.replace("tcp", protocol));
        assert_eq!(client.head().header("upgrade"), Some(protocol));
        assert_eq!(link.exactly(5), b"early");
        link.send("frames");
        assert_eq!(client.exactly(6), b"frames");
    }
}

#[test]
fn a_refused_upgrade_leaves_a_connection_of_requests() {
    let daemon = Daemon::empty();
    let proxy = Proxy::in_front_of(&daemon).open(&["CONTAINERS", "POST"]).start();
    let mut client = proxy.client();
    client.send(
        [start("/exec/1/start", UPGRADE), get("/containers/json"), get("/images/json")].concat(),
    );
    assert_eq!(client.answer().words(), "dockgate: exec-start is not allowed: set EXEC=1");
    assert_eq!(client.answer().status(), 200);
    assert_eq!(client.answer().status(), 403);
    assert_eq!(daemon.request_lines(), ["GET /containers/json HTTP/1.1"]);
}

#[test]
fn an_upgrade_that_the_daemon_turns_down_leaves_a_connection_of_requests() {
    let daemon = Daemon::by_hand();
    let proxy = all_open(&daemon);
    for (status, headers) in
        [("404 Not Found", UPGRADE), ("409 Conflict", UPGRADE), ("404 Not Found", "")]
    {
        let mut client = proxy.client();
        // The second request must not be taken for the input of the first.
        client.send([start("/exec/1/start", headers), get("/containers/json")].concat());
        let mut link = daemon.link();
        assert_eq!(link.request().text(), "{}");
        let error = "{\"message\":\"no such exec\"}";
        link.send(ok(error).replacen("200 OK", status, 1));
        let answer = client.answer();
        assert_eq!(format!("HTTP/1.1 {status}"), answer.first_line());
        assert_eq!(answer.text(), error);
        let mut second = daemon.link();
        assert_eq!(second.request().first_line(), "GET /containers/json HTTP/1.1");
        second.send(ok("[]"));
        assert_eq!(client.answer().text(), "[]");
        assert!(matches!(link.try_message(Of::Request), Ok(None)), "nothing came behind the first");
    }
}

#[test]
fn only_what_takes_a_connection_over_is_upgraded() {
    let daemon = Daemon::by_hand();
    let proxy = all_open(&daemon);
    let mut client = proxy.client();
    client.send(get("/containers/json").replacen("Host", &format!("{UPGRADE}Host"), 1));
    let mut link = daemon.link();
    let request = link.request();
    assert_eq!((request.header("upgrade"), request.header("connection")), (None, None));
    link.send(ok("[]"));
    assert_eq!(client.answer().status(), 200);
}

/// A request of the form that clients of Docker send.
fn start(target: &str, headers: &str) -> String {
    format!(
        "POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: 2\r\n{headers}\r\n{{}}"
    )
}

fn attached(proxy: &Proxy, daemon: &Daemon) -> (Peer, Peer) {
    let mut client = proxy.client();
    client.send(format!("POST /containers/a/attach?stream=1 HTTP/1.1\r\nHost: a\r\n{UPGRADE}\r\n"));
    let mut link = daemon.asked();
    link.send(TAKEN_OVER);
    assert_eq!(client.head().status(), 101);
    (client, link)
}

fn all_open(daemon: &Daemon) -> Proxy {
    let flags = ["CONTAINERS", "POST", "EXEC", "SESSION", "GRPC", "IMAGES"];
    Proxy::in_front_of(daemon).open(&flags).start()
}
