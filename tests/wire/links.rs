//! The connections to the daemon, and what is left of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::scene::{Daemon, Of, Proxy, get, ok, wait_until};

#[test]
fn as_many_connections_as_clients_are_used_again() {
    let made = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&made);
    let daemon = Daemon::serving(move |mut link| {
        count.fetch_add(1, Ordering::Relaxed);
        while let Ok(Some(_)) = link.try_message(Of::Request) {
            if link.try_send(ok("it")).is_err() {
                break;
            }
        }
    });
    let proxy = Proxy::in_front_of(&daemon).open(&["CONTAINERS"]).option("--workers", "1").start();
    let mut clients: Vec<_> = (0..100).map(|_| proxy.client()).collect();
    for _ in 0..20 {
        for client in &mut clients {
            client.send(get("/containers/json"));
        }
        for client in &mut clients {
            assert_eq!(client.answer().text(), "it");
        }
    }
    // Where this machine pauses for seconds, all are made anew.
    let (made, few) = (made.load(Ordering::Relaxed), 5 * clients.len());
    assert!(made < few, "{made} connections for {} clients", clients.len());
}

#[test]
fn what_nobody_needs_is_closed() {
    let daemon = Daemon::by_hand();
    let proxy = Proxy::in_front_of(&daemon).open(&["CONTAINERS"]).option("--workers", "1").start();
    let (mut one, mut other) = (proxy.client(), proxy.client());
    one.send(get("/containers/json"));
    let mut first = daemon.asked();
    other.send(get("/containers/json"));
    let mut second = daemon.asked();
    first.send(ok("one"));
    assert_eq!(one.answer().text(), "one");
    second.send(ok("other"));
    assert_eq!(other.answer().text(), "other");
    first.is_closed();
    second.is_closed();
    one.send(get("/containers/json"));
    let mut third = daemon.asked();
    third.send(ok("again"));
    assert_eq!(one.answer().text(), "again");
}

#[test]
fn the_memory_of_a_burst_is_given_back() {
    let daemon = Daemon::empty();
    let proxy = Proxy::in_front_of(&daemon).open(&["CONTAINERS"]).start();
    proxy.client().ask(get("/containers/json"));
    let in_no_file = || proxy.memory_kib("RssAnon");
    let before = in_no_file();
    let half_a_head = format!("GET /containers/json HTTP/1.1\r\nX: {}", "x".repeat(60_000));
    let mut clients: Vec<_> = (0..400).map(|_| proxy.client()).collect();
    for client in &mut clients {
        client.send(&half_a_head);
    }
    wait_until("heads are held", || in_no_file() > before + 10_000);
    drop(clients);
    wait_until("memory is given back", || in_no_file() < before + 3_000);
}
