//! Answers and bodies that are long, slow or cut: they pass bit by bit, and nothing is kept of them.

use std::io::{BufRead, Read, Write};
use std::thread;
use std::time::Duration;

use crate::scene::{Daemon, Peer, Proxy, get, ok, wait_until};

/// What the proxy may have in use at its peak, in KiB. A debug build idles at some 15 MB.
const MEMORY: u64 = 40 << 10;

/// How much goes through in one direction.
const SIZE: u64 = 5 << 30;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn five_gigabytes_go_down_in_flat_memory() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    for framing in [format!("Content-Length: {}", SIZE / 2), "Transfer-Encoding: chunked".into()] {
        let mut client = proxy.client();
        client.send(get("/containers/a/export"));
        let mut link = daemon.asked();
        link.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n"));
        assert_eq!(
            client.head().header(framing.split(':').next().unwrap()),
            framing.split(": ").nth(1)
        );
        let chunked = framing.contains("chunked");
        let writer = link.writer();
        let sending = thread::spawn(move || send_much(writer, SIZE / 2, chunked));
        assert_eq!(count(&mut client, chunked, SIZE / 2), SIZE / 2);
        sending.join().unwrap();
    }
    assert!(proxy.peak_memory_kib() < MEMORY, "{} KiB", proxy.peak_memory_kib());
    let all = |line: &serde_json::Value| line["bytes"] == SIZE / 2;
    wait_until("both are recorded", || {
        proxy.log().records().iter().filter(|r| all(r)).count() == 2
    });
}

#[test]
fn five_gigabytes_go_up_in_flat_memory() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    for (framing, request) in [
        (format!("Content-Length: {}", SIZE / 2), "PUT /containers/a/archive?path=/"),
        ("Transfer-Encoding: chunked".into(), "POST /images/load"),
    ] {
        let mut client = proxy.client();
        client.send(format!("{request} HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n"));
        let chunked = framing.contains("chunked");
        let writer = client.writer();
        let sending = thread::spawn(move || send_much(writer, SIZE / 2, chunked));
        let mut link = daemon.link();
        link.head();
        assert_eq!(count(&mut link, chunked, SIZE / 2), SIZE / 2);
        sending.join().unwrap();
        link.send(ok("loaded"));
        assert_eq!(client.answer().text(), "loaded");
    }
    assert!(proxy.peak_memory_kib() < MEMORY, "{} KiB", proxy.peak_memory_kib());
}

#[test]
fn a_client_that_reads_slowly_holds_the_daemon_up() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    let mut client = proxy.client();
    client.send(get("/containers/a/export"));
    let mut link = daemon.asked();
    link.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    let sent = link.fill();
    assert!(sent < 16 << 20, "{sent} bytes are on the way and nobody reads");
    client.head();
    client.exactly(sent);
    assert!(link.fill() > 0, "it goes on when the client does");
    assert!(proxy.peak_memory_kib() < MEMORY, "{} KiB", proxy.peak_memory_kib());
}

#[test]
fn a_daemon_that_reads_slowly_holds_the_client_up() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    let mut client = proxy.client();
    client.send("POST /images/load HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
    let mut link = daemon.link();
    link.head();
    let sent = client.fill();
    assert!(sent < 16 << 20, "{sent} bytes are on the way and nobody reads");
    link.exactly(sent);
    assert!(client.fill() > 0, "it goes on when the daemon does");
    assert!(proxy.peak_memory_kib() < MEMORY, "{} KiB", proxy.peak_memory_kib());
}

#[test]
fn each_line_arrives_before_the_next_is_written() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    let mut client = proxy.client();
    client.send(get("/events"));
    let mut link = daemon.asked();
    link.send(CHUNKED);
    assert_eq!(client.head().header("transfer-encoding"), Some("chunked"), "before any line");
    for line in ["{\"a\":1}\n", "{\"b\":2}\n", "{\"c\":3}\n"] {
        link.send(format!("{:x}\r\n{line}\r\n", line.len()));
        assert_eq!(client.chunk().as_deref(), Some(line));
    }
    link.send("0\r\n\r\n");
    assert_eq!(client.chunk(), None);
}

#[test]
fn each_line_arrives_where_only_the_close_ends_the_answer() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    let mut client = proxy.client();
    client.send(get("/containers/a/logs?follow=1"));
    let mut link = daemon.asked();
    link.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    client.head();
    for line in ["one\n", "two\n"] {
        link.send(line);
        assert_eq!(client.chunk().as_deref(), Some(line));
    }
    drop(link);
    assert_eq!(client.chunk(), None);
    client.send(get("/containers/a/logs"));
    daemon.link().request();
}

#[test]
fn each_part_of_a_body_arrives_before_the_next_is_sent() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    let mut client = proxy.client();
    client.send("POST /build HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut link = daemon.link();
    link.head();
    client.send("3\r\none\r\n");
    assert_eq!(link.chunk().as_deref(), Some("one"));
    // The daemon answers while the upload goes on.
    link.send(format!("{CHUNKED}6\r\nstep 1\r\n"));
    client.head();
    assert_eq!(client.chunk().as_deref(), Some("step 1"));
    client.send("3\r\ntwo\r\n0\r\n\r\n");
    assert_eq!(link.chunk().as_deref(), Some("two"));
    assert_eq!(link.chunk(), None);
    link.send("6\r\nstep 2\r\n0\r\n\r\n");
    assert_eq!(client.chunk().as_deref(), Some("step 2"));
    assert_eq!(client.chunk(), None);
}

#[test]
fn an_answer_reaches_a_slow_reader_to_its_last_byte() {
    // As much as the socket's buffers and those of hyper just hold.
    const LIST: usize = 500_000;
    let daemon = Daemon::answering(move |_| ok(&"x".repeat(LIST)));
    let setup = Proxy::in_front_of(&daemon).open(&["CONTAINERS"]);
    let proxy = setup.listening_on_a_socket().start();
    for head in ["HTTP/1.1\r\nHost: a\r\nConnection: close", "HTTP/1.1\r\nHost: a", "HTTP/1.0"] {
        let mut client = proxy.client();
        client.send(format!("GET /containers/json {head}\r\n\r\n"));
        thread::sleep(Duration::from_millis(200));
        client.head();
        assert_eq!(client.exactly(LIST).len(), LIST, "{head}");
    }
}

fn open(daemon: &Daemon) -> Proxy {
    Proxy::in_front_of(daemon).open(&["CONTAINERS", "IMAGES", "BUILD", "POST"]).start()
}

const BLOCK: usize = 256 << 10;

fn send_much(mut to: impl Write, size: u64, chunked: bool) {
    let block = vec![b'x'; BLOCK];
    let framed = [format!("{BLOCK:x}\r\n").as_bytes(), &block, b"\r\n"].concat();
    for _ in 0..size / BLOCK as u64 {
        to.write_all(if chunked { &framed } else { &block }).unwrap();
    }
    if chunked {
        to.write_all(b"0\r\n\r\n").unwrap();
    }
}

/// Counts the bytes of a body.
fn count(from: &mut Peer, chunked: bool, size: u64) -> u64 {
    if !chunked {
        return std::io::copy(&mut from.reader().take(size), &mut std::io::sink()).unwrap();
    }
    let mut total = 0;
    loop {
        let mut line = String::new();
        from.reader().read_line(&mut line).unwrap();
        let size = u64::from_str_radix(line.trim_end(), 16).unwrap();
        let frame = std::io::copy(&mut from.reader().take(size + 2), &mut std::io::sink());
        assert_eq!(frame.unwrap(), size + 2);
        total += size;
        if size == 0 {
            return total;
        }
    }
}
