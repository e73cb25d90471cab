//! What a client may take of the proxy's time, memory and places.

use std::thread;
use std::time::Duration;

use crate::scene::{Daemon, Peer, Proxy, Setup, get, ok, wait_until};

/// What the proxy may have in use at its peak, in KiB. A debug build idles at some 15 MB.
const MEMORY: u64 = 40 << 10;

#[test]
fn a_head_that_dribbles_is_given_up_and_holds_nobody_up() {
    let daemon = Daemon::empty();
    let proxy =
        containers(&daemon).option("--head-timeout", "0.5").option("--workers", "1").start();
    let mut slow: Vec<Peer> = (0..20).map(|_| proxy.client()).collect();
    for client in &mut slow {
        let mut writer = client.writer();
        thread::spawn(move || {
            for byte in get("/containers/json?").bytes().chain(std::iter::repeat(b'x')) {
                if std::io::Write::write_all(&mut writer, &[byte]).is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(30));
            }
        });
    }
    assert_eq!(proxy.client().ask(get("/containers/json")).status(), 200, "others are served");
    for client in &mut slow {
        let refusal = client.answer();
        assert_eq!(refusal.status(), 408);
        let words = "dockgate: the head of the request did not come within 0.5 seconds";
        assert_eq!(refusal.words(), words);
        client.is_closed();
    }
    assert_eq!(daemon.request_lines().len(), 1);
}

#[test]
fn a_second_head_that_dribbles_is_given_up_as_well() {
    let daemon = Daemon::empty();
    let proxy = containers(&daemon).option("--head-timeout", "0.3").start();
    let mut client = proxy.client();
    assert_eq!(client.ask(get("/containers/json")).status(), 200);
    // Between requests another limit holds.
    thread::sleep(Duration::from_millis(500));
    assert_eq!(client.ask(get("/containers/json")).status(), 200);
    assert_eq!(client.ask("GET /containers/json HTTP/1.1\r\n").status(), 408);
    client.ends();
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let daemon = Daemon::empty();
    let proxy = containers(&daemon).option("--idle-timeout", "0.3").start();
    proxy.client().ends();
    let mut client = proxy.client();
    assert_eq!(client.ask(get("/containers/json")).status(), 200);
    client.ends();
    assert_eq!(proxy.log().records().len(), 1, "that is no request");
}

#[test]
fn neither_limit_holds_for_what_a_daemon_takes_its_time_with() {
    let daemon = Daemon::by_hand();
    let proxy = containers(&daemon)
        .option("--idle-timeout", "0.2")
        .option("--head-timeout", "0.2")
        .option("--answer-timeout", "0.2")
        .start();
    let mut client = proxy.client();
    client.send(get("/containers/a/logs?follow=1"));
    let mut link = daemon.asked();
    thread::sleep(Duration::from_millis(600));
    link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(client.head().status(), 200);
    thread::sleep(Duration::from_millis(600));
    link.send("2\r\nok\r\n");
    assert_eq!(client.chunk().as_deref(), Some("ok"));
}

#[test]
fn a_head_that_is_too_large_is_refused_and_not_kept() {
    let daemon = Daemon::empty();
    let proxy = containers(&daemon).start();
    let many =
        |count: usize| (0..count).map(|n| format!("X-{n}: y\r\n")).collect::<Vec<_>>().concat();
    let head = |headers: String| {
        format!("GET /containers/json HTTP/1.1\r\nHost: a\r\n{headers}\r\n").into_bytes()
    };
    let large = format!("X: {}\r\n", "y".repeat(10 << 20));
    let (bytes, headers) = ("larger than the limit of 65536 bytes", "more than 100 headers");
    for (request, rule) in [
        (head(many(100)), headers),
        (head(many(100_000)), headers),
        (head(large), bytes),
        (get(&format!("/{}", "a".repeat(1 << 20))).into_bytes(), bytes),
        (vec![b'A'; 1 << 20], bytes),
        ("\r\n".repeat(1 << 19).into_bytes(), bytes),
        (get(&format!("/containers/json?a={}", "\"".repeat(30_000))).into_bytes(), bytes),
    ] {
        let mut client = proxy.client();
        client.send(request);
        let refusal = client.answer();
        assert_eq!(refusal.status(), 431, "{}", refusal.text());
        let words = refusal.words();
        assert!(words.ends_with(rule), "{words}");
        client.ends();
    }
    assert_eq!(proxy.client().ask(head(many(99))).status(), 200, "with Host it is the hundredth");
    assert!(proxy.peak_memory_kib() < MEMORY, "{} KiB", proxy.peak_memory_kib());
}

#[test]
fn the_limit_of_a_head_is_a_setting() {
    let daemon = Daemon::empty();
    let proxy = containers(&daemon).option("--max-head", "1024").start();
    let head = |length: usize| {
        let head = get("/containers/json?a=");
        head.replacen("a=", &format!("a={}", "b".repeat(length - head.len())), 1)
    };
    assert_eq!(head(1024).len(), 1024);
    assert_eq!(proxy.client().ask(head(1024)).status(), 200);
    assert_eq!(proxy.client().ask(head(1025)).status(), 431);
}

#[test]
fn clients_that_stay_with_half_a_head_cost_little() {
    let daemon = Daemon::empty();
    let proxy = containers(&daemon).start();
    let half = format!("GET /containers/json HTTP/1.1\r\nHost: a\r\nX: {}", "y".repeat(4000));
    let clients: Vec<Peer> = (0..500)
        .map(|_| {
            let mut client = proxy.client();
            client.send(&half);
            client
        })
        .collect();
    assert_eq!(proxy.client().ask(get("/containers/json")).status(), 200);
    assert!(proxy.peak_memory_kib() < MEMORY, "{} KiB", proxy.peak_memory_kib());
    drop(clients);
}

#[test]
fn a_client_that_reads_nothing_can_not_ask_for_ever() {
    let daemon = Daemon::answering(|_| ok(&"x".repeat(100_000)));
    let proxy = containers(&daemon).start();
    let client = proxy.client();
    let mut writer = client.writer();
    let sending = thread::spawn(move || {
        let all = get("/containers/json").repeat(100_000);
        // Blocked by the proxy until the client is gone.
        let _ = std::io::Write::write_all(&mut writer, all.as_bytes());
    });
    let mut before = 0;
    wait_until("the proxy asks the daemon no more", || {
        let now = daemon.received().len();
        thread::sleep(Duration::from_millis(100));
        now > 0 && now == std::mem::replace(&mut before, now)
    });
    assert!(before < 1000, "{before} answers wait to be read");
    assert!(proxy.peak_memory_kib() < MEMORY, "{} KiB", proxy.peak_memory_kib());
    drop(client);
    sending.join().unwrap();
}

#[test]
fn what_is_sent_ahead_of_an_answer_is_not_kept() {
    let daemon = Daemon::by_hand();
    let proxy = containers(&daemon).start();
    let mut client = proxy.client();
    client.send(get("/containers/a/logs?follow=1"));
    let _link = daemon.link();
    let sent = client.fill();
    assert!(sent < 16 << 20, "{sent} bytes are on the way and nobody reads");
    assert!(proxy.peak_memory_kib() < MEMORY, "{} KiB", proxy.peak_memory_kib());
}

#[test]
fn a_client_over_the_limit_waits_until_another_leaves() {
    let daemon = Daemon::empty();
    for listeners in [1, 3] {
        let mut setup = containers(&daemon).option("--max-connections", "2");
        for _ in 0..listeners {
            setup = setup.listening_on("127.0.0.1:0");
        }
        let proxy = setup.start();
        let mut first = proxy.client();
        let mut second = proxy.client();
        for client in [&mut first, &mut second] {
            assert_eq!(client.ask(get("/containers/json")).status(), 200, "{listeners} listeners");
        }
        let mut third = proxy.client();
        third.send(get("/containers/json?third"));
        thread::sleep(Duration::from_millis(100));
        assert!(!proxy_has_answered_three(&proxy), "two places, three clients");
        drop(first);
        assert_eq!(third.answer().status(), 200);
    }
}

fn proxy_has_answered_three(proxy: &Proxy) -> bool {
    proxy.log().records().len() > 2
}

fn containers(daemon: &Daemon) -> Setup {
    Proxy::in_front_of(daemon).open(&["CONTAINERS"])
}
