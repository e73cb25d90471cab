//! Clients and daemons that go in the midst of something.

use std::thread;
use std::time::Duration;

use crate::scene::{Daemon, Of, Peer, Proxy, get, ok};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn a_client_that_leaves_a_stream_leaves_the_daemon_as_well() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    for leave in [drop as fn(Peer), Peer::abandon] {
        let mut client = proxy.client();
        client.send(get("/containers/a/logs?follow=1"));
        let mut link = daemon.asked();
        link.send(format!("{CHUNKED}4\r\nline\r\n"));
        client.head();
        assert_eq!(client.chunk().as_deref(), Some("line"));
        leave(client);
        // Without another line, which the proxy could not write.
        link.is_closed();
    }
}

#[test]
fn a_client_that_leaves_before_the_answer_leaves_the_daemon_as_well() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    for leave in [drop as fn(Peer), Peer::abandon] {
        let mut client = proxy.client();
        client.send("POST /containers/a/wait HTTP/1.1\r\nHost: a\r\n\r\n");
        let mut link = daemon.asked();
        leave(client);
        link.is_closed();
        assert_eq!(proxy.record("/containers/a/wait")["status"], 0, "there was no answer");
    }
}

#[test]
fn a_client_that_leaves_in_the_midst_of_its_body_is_not_taken_for_done() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    for framing in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let body = if framing.contains("chunked") { "5\r\nhello\r\n" } else { "hello" };
        for leave in [drop as fn(Peer), Peer::abandon] {
            let mut client = proxy.client();
            client.send(format!("POST /images/load HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n"));
            let mut link = daemon.link();
            link.head();
            client.send(body);
            assert_eq!(link.exactly(body.len()), body.as_bytes());
            leave(client);
            link.is_closed();
        }
    }
    let record = proxy.record("/images/load");
    assert_ne!(record["verdict"], "unanswered", "the daemon is not to blame: {record}");
}

#[test]
fn a_client_that_sends_nothing_more_gets_its_answer() {
    // As `printf 'GET …' | nc` does, and the health checks that are made of it.
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    for request in [get("/containers/json"), "GET /_ping HTTP/1.0\r\n\r\n".to_owned()] {
        let mut client = proxy.client();
        client.send(request);
        client.close_sending();
        let mut link = daemon.asked();
        thread::sleep(Duration::from_millis(50));
        link.send(ok("here"));
        assert_eq!(client.answer().text(), "here");
        client.ends();
    }
}

#[test]
fn an_answer_that_the_daemon_cuts_is_cut_for_the_client() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    for head in [CHUNKED, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"] {
        let mut client = proxy.client();
        client.send(get("/containers/a/export"));
        let mut link = daemon.asked();
        link.send(head);
        let begun = if head == CHUNKED { "5\r\nbegun\r\n" } else { "begun" };
        link.send(begun);
        client.head();
        drop(link);
        let rest = client.rest().unwrap_or_default();
        let shown = String::from_utf8_lossy(&rest);
        assert!(!shown.contains("0\r\n\r\n") && shown.len() < 100, "it looks whole: {shown:?}");

        let mut next = proxy.client();
        next.send(get("/containers/json"));
        let mut link = daemon.asked();
        link.send(ok("[]"));
        assert_eq!(next.answer().text(), "[]");
    }
}

#[test]
fn a_daemon_that_speaks_something_else_is_not_let_through() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    for nonsense in
        ["SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "", "HTTP/1.1 200 OK\r\nA"]
    {
        let mut client = proxy.client();
        client.send(get("/containers/json"));
        let mut link = daemon.asked();
        link.send(nonsense);
        drop(link);
        let answer = client.answer();
        assert_eq!(answer.status(), 502, "{nonsense:?}");
        let words = answer.words();
        assert!(words.starts_with("dockgate: the Docker daemon broke off: "), "{words}");
    }
}

#[test]
fn an_upload_that_the_daemon_turns_down_does_not_hold_the_client() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    // Go's server reads a little more and closes; others just leave the rest unread.
    for closes in [true, false] {
        let mut client = proxy.client();
        client.send(
            "PUT /containers/a/archive HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\n",
        );
        let mut link = daemon.link();
        link.head();
        let close = if closes { "Connection: close\r\n" } else { "" };
        link.send(format!("HTTP/1.1 404 Not Found\r\n{close}Content-Length: 2\r\n\r\n{{}}"));
        if closes {
            link.close_sending();
        }
        // Many clients send all of it before they read.
        let sent = client.try_send(vec![b'x'; 64 << 20]);
        let stuck =
            sent.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!stuck, "the client waits for ever, closes = {closes}");
        if sent.is_ok() {
            assert_eq!(client.try_message(Of::Answer).unwrap().unwrap().status(), 404);
        }
        client.rest().ok();
    }
}

#[test]
fn an_upload_that_is_turned_down_at_length_gets_all_the_words() {
    // As much as the socket's buffers and those of hyper just hold.
    const WORDS: usize = 500_000;
    let daemon = Daemon::by_hand();
    let setup = Proxy::in_front_of(&daemon).open(&["IMAGES", "POST"]);
    let proxy = setup.listening_on_a_socket().start();
    let mut client = proxy.client();
    client.send("POST /images/load HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    let mut link = daemon.link();
    link.head();
    link.send(ok(&"x".repeat(WORDS)));
    thread::sleep(Duration::from_millis(200));
    assert_eq!(client.answer().body.len(), WORDS);
    client.ends();
}

#[test]
fn what_is_left_of_an_upload_that_was_turned_down_is_no_request() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    let mut client = proxy.client();
    client.send("POST /images/load HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    let mut link = daemon.link();
    link.head();
    link.send(ok("{}").replacen("200 OK", "500 Internal Server Error", 1));
    assert_eq!(client.answer().status(), 500);
    client.send(get("/containers/json?smuggled").repeat(10));
    client.ends();
    proxy.client().send(get("/containers/json?fence"));
    assert_eq!(daemon.link().request().first_line(), "GET /containers/json?fence= HTTP/1.1");
}

#[test]
fn an_answer_never_reaches_another_client() {
    // Some go in the midst of it, so that what is left of theirs lies ready for the next.
    let daemon = Daemon::answering(|request| ok(&request.first_line().repeat(2000)));
    let proxy = Proxy::in_front_of(&daemon).open(&["CONTAINERS"]).option("--workers", "1").start();
    thread::scope(|scope| {
        for client in 0..8 {
            let proxy = &proxy;
            scope.spawn(move || {
                let mut stream = proxy.client();
                for n in 0..100 {
                    let target = format!("/containers/json?client={client}&n={n}");
                    if n % 3 == client % 3 {
                        stream.send(get(&target));
                        stream.exactly(100 * n);
                        stream = proxy.client();
                    } else {
                        let expected = format!("GET {target} HTTP/1.1").repeat(2000);
                        assert!(stream.ask(get(&target)).text() == expected, "{target}");
                    }
                }
            });
        }
    });
}

#[test]
fn what_the_daemon_says_before_its_answer_is_not_the_answer() {
    let daemon = Daemon::answering(|_| {
        format!(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{}",
            ok("it")
        )
    });
    let proxy = open(&daemon);
    let mut client = proxy.client();
    assert_eq!(client.ask(get("/containers/json")).text(), "it");
    assert_eq!(client.ask(get("/containers/json")).text(), "it");
}

#[test]
fn a_daemon_that_goes_over_to_something_unasked_is_not_followed() {
    let daemon = Daemon::by_hand();
    let proxy = open(&daemon);
    let mut client = proxy.client();
    client.send(get("/containers/json"));
    let mut link = daemon.asked();
    link.send("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nraw");
    assert_eq!(client.answer().status(), 502);
    link.is_closed();
    client.send(get("/containers/json"));
    let mut link = daemon.asked();
    link.send(ok("it"));
    assert_eq!(client.answer().text(), "it", "the connection is one of requests as before");
}

#[test]
fn a_connection_that_the_daemon_has_closed_is_not_used_again() {
    let daemon = Daemon::by_hand();
    let proxy = Proxy::in_front_of(&daemon).open(&["CONTAINERS"]).option("--workers", "1").start();
    let mut client = proxy.client();
    client.send(get("/containers/json"));
    let mut link = daemon.asked();
    link.send(ok("one"));
    assert_eq!(client.answer().text(), "one");
    client.send(get("/containers/json"));
    link.request();
    link.send(ok("two"));
    assert_eq!(client.answer().text(), "two", "while it is open it is used again");
    drop(link);
    client.send(get("/containers/json"));
    let mut link = daemon.asked();
    link.send(ok("three"));
    assert_eq!(client.answer().text(), "three");
}

#[test]
fn what_a_daemon_says_unasked_is_no_answer() {
    let daemon = Daemon::by_hand();
    let proxy = Proxy::in_front_of(&daemon).open(&["CONTAINERS"]).option("--workers", "1").start();
    let mut client = proxy.client();
    client.send(get("/containers/json"));
    let mut link = daemon.asked();
    link.send([ok("one"), ok("of nobody")].concat());
    assert_eq!(client.answer().text(), "one");
    client.send(get("/containers/json"));
    let mut link = daemon.asked();
    link.send(ok("two"));
    assert_eq!(client.answer().text(), "two");
}

fn open(daemon: &Daemon) -> Proxy {
    Proxy::in_front_of(daemon).open(&["CONTAINERS", "IMAGES", "POST"]).start()
}
