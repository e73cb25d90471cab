//! How the proxy ends.

use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::scene::{Daemon, Peer, Proxy, Setup, get, ok, wait_until};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn what_is_under_way_is_finished() {
    for signal in [Signal::TERM, Signal::INT] {
        let daemon = Daemon::by_hand();
        let mut proxy = open(&daemon).start();
        let mut client = proxy.client();
        client.send([get("/containers/a/logs"), get("/containers/json")].concat());
        let mut link = daemon.asked();
        link.send(format!("{CHUNKED}5\r\nbegun\r\n"));
        client.head();
        assert_eq!(client.chunk().as_deref(), Some("begun"));

        proxy.signal(signal);
        wait_until("no client is accepted", || TcpStream::connect(proxy.address()).is_err());
        assert!(proxy.is_running(), "a request is under way");
        link.send("5\r\nended\r\n0\r\n\r\n");
        assert_eq!(client.chunk().as_deref(), Some("ended"));
        assert_eq!(client.chunk(), None);
        client.is_closed();
        assert_eq!(proxy.exit_code(), 0);
        assert_eq!(proxy.record("/containers/a/logs")["bytes"], 10);
    }
}

#[test]
fn a_client_that_waits_for_its_answer_gets_it_and_is_told_to_go() {
    let daemon = Daemon::by_hand();
    let mut proxy = open(&daemon).option("--workers", "1").start();
    let mut idle = proxy.client();
    let mut client = proxy.client();
    client.send(get("/containers/json"));
    let mut link = daemon.asked();
    proxy.signal(Signal::TERM);
    // When this one is closed the worker knows.
    idle.is_closed();
    link.send(ok("[]"));
    let answer = client.answer();
    assert_eq!((answer.text(), answer.header("connection")), ("[]", Some("close")));
    client.ends();
    assert_eq!(proxy.exit_code(), 0);
}

#[test]
fn whoever_asks_for_nothing_is_left_at_once() {
    let daemon = Daemon::empty();
    let mut proxy = open(&daemon).option("--grace", "600").start();
    let mut new = proxy.client();
    let mut idle = proxy.client();
    assert_eq!(idle.ask(get("/containers/json")).status(), 200);
    let mut half = proxy.client();
    half.send("GET /containers/json HT");
    thread::sleep(Duration::from_millis(50));
    proxy.signal(Signal::TERM);
    for client in [&mut new, &mut idle, &mut half] {
        client.is_closed();
    }
    assert_eq!(proxy.exit_code(), 0);
}

#[test]
fn what_does_not_end_is_cut_after_the_grace() {
    let daemon = Daemon::by_hand();
    let mut proxy = open(&daemon).option("--grace", "1").start();
    let (mut stream, _link) = streaming(&proxy, &daemon);
    let mut attached = proxy.client();
    attached.send("POST /containers/a/attach HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
    let mut link = daemon.asked();
    link.send("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nout");
    attached.head();
    attached.exactly(3);

    proxy.signal(Signal::TERM);
    assert!(proxy.is_running());
    stream.is_closed();
    attached.is_closed();
    assert_eq!(proxy.exit_code(), 0);
    assert_eq!(proxy.record("/events")["bytes"], 4, "it is recorded all the same");
    assert_eq!(proxy.record("/containers/a/attach")["bytes"], 3);
    proxy.log().wait_for_text("closing 2 connections that are still open");
}

#[test]
fn whoever_is_told_twice_ends_at_once() {
    for (first, second) in [(Signal::TERM, Signal::TERM), (Signal::INT, Signal::TERM)] {
        let daemon = Daemon::by_hand();
        let mut proxy = open(&daemon).option("--grace", "600").start();
        let (mut stream, _link) = streaming(&proxy, &daemon);
        proxy.signal(first);
        proxy.log().wait_for_text("ending");
        assert!(proxy.is_running());
        proxy.signal(second);
        stream.is_closed();
        assert_eq!(proxy.exit_code(), 0);
        proxy.record("/events");
    }
}

#[test]
fn whoever_waits_for_a_place_is_left_as_well() {
    let daemon = Daemon::by_hand();
    let mut proxy = open(&daemon).option("--max-connections", "1").start();
    let (mut stream, link) = streaming(&proxy, &daemon);
    let mut waiting = proxy.client();
    waiting.send(get("/containers/json"));
    thread::sleep(Duration::from_millis(50));
    proxy.signal(Signal::TERM);
    waiting.is_closed();
    drop(link);
    stream.is_closed();
    assert_eq!(proxy.exit_code(), 0);
}

/// A client that reads a stream of which one line has come, and the daemon's end of it.
fn streaming(proxy: &Proxy, daemon: &Daemon) -> (Peer, Peer) {
    let mut client = proxy.client();
    client.send(get("/events"));
    let mut link = daemon.asked();
    link.send(format!("{CHUNKED}4\r\nline\r\n"));
    client.head();
    assert_eq!(client.chunk().as_deref(), Some("line"));
    (client, link)
}

fn open(daemon: &Daemon) -> Setup {
    Proxy::in_front_of(daemon).open(&["CONTAINERS", "POST"])
}
