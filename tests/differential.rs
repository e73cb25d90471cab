//! What a plugin is shown of a body is what a real daemon makes of it. Generated bodies (spellings,
//! duplicates, nulls, escapes, wrong types) go to the daemon as they are and through the proxy; where
//! the proxy lets one through, both make the same thing, and the thing is what the body says to one
//! who reads it plainly.
//!
//! Needs what tests/dockerd.rs needs. `DOCKGATE_SEED` takes another seed, `DOCKGATE_BODIES` another
//! number of bodies.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "dockerd/daemon.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod daemon;
#[path = "teams/http.rs"]
#[allow(dead_code, reason = "tests/teams.rs uses the rest")]
mod http;
#[path = "dockerd/proxy.rs"]
#[allow(dead_code, reason = "tests/dockerd.rs uses the rest")]
mod proxy;
#[path = "dockerd/shell.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod shell;
#[path = "dockerd/wire.rs"]
#[allow(dead_code, reason = "tests/dockerd.rs uses the rest")]
mod wire;

#[path = "differential/bodies.rs"]
mod bodies;
#[path = "differential/readers.rs"]
mod readers;
#[path = "guard/spellings.rs"]
#[allow(dead_code, reason = "tests/guard.rs uses the rest")]
mod spellings;
#[path = "differential/things.rs"]
mod things;

use std::env;
use std::path::Path;

use dockgate::request::{Document, Operation, UnknownFields};
use serde_json::Value;

use bodies::{Dice, body};
use daemon::Daemon;
use http::Request;
use proxy::Proxy;
use readers::Reader;
use things::{Kind, check};

/// How many bodies of each kind; containers are slow to make.
const BODIES: [(Kind, u64); 2] = [(Kind::Container, 500), (Kind::Volume, 2000)];

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

/// A proxy that lets everything through that has one reading.
fn open_proxy(daemon: &Daemon) -> Proxy {
    Proxy::with_plugins(&daemon.socket(), &[proxy::everything()])
}

/// What a daemon makes of a body, or the words of whoever refuses it.
fn made(socket: &Path, daemon: &Path, kind: Kind, body: &str) -> Result<Value, String> {
    let answer = Request::new(kind.create()).with_body(body).ask(socket);
    if answer.status != 201 {
        return Err(answer.words());
    }
    let made = answer.json();
    let inspected = Request::new(kind.inspect(&made)).ask(daemon).json();
    let removed = Request::new(kind.remove(&made)).ask(daemon);
    assert_eq!(removed.status, 204, "{}", removed.text());
    Ok(kind.meant(inspected))
}

/// The document that plugins are shown, by the proxy's own function.
fn shown(kind: Kind, body: &str) -> Option<Value> {
    let operation = Operation::all().find(|one| one.name() == kind.operation()).expect("known");
    let document = Document::parse(body.as_bytes(), operation, UnknownFields::Pass).ok()?;
    Some(serde_json::from_str(&document.to_text()).expect("JSON"))
}

#[test]
fn what_is_shown_is_what_the_daemon_makes() {
    let Some(daemon) = daemon::shared() else { return };
    let proxy = open_proxy(&daemon);
    let (bare, through) = (daemon.socket(), proxy.socket());
    let seed = number("DOCKGATE_SEED").unwrap_or(20_261_126);
    for (kind, count) in BODIES {
        let mut dice = Dice::new(seed);
        let mut passed = 0;
        let count = number("DOCKGATE_BODIES").unwrap_or(count);
        for at in 0..count {
            let text = body(&mut dice, kind);
            let place = format!("body {at} of {kind:?} with DOCKGATE_SEED={seed}:\n{text}");
            let ours = made(&through, &bare, kind, &text);
            let Some(shown) = shown(kind, &text) else {
                let words = ours.expect_err(&place);
                assert!(words.starts_with("dockgate: "), "{words}\n{place}");
                continue;
            };
            let theirs = made(&bare, &bare, kind, &text);
            match (ours, theirs) {
                (Ok(ours), Ok(theirs)) => {
                    assert_eq!(ours, theirs, "{place}");
                    if let Err(words) = check(&shown, &ours) {
                        panic!("{words}\n{place}");
                    }
                    passed += 1;
                }
                // Neither is made. The words differ where the daemon quotes what it was sent.
                (Err(_), Err(_)) => {}
                (ours, theirs) => panic!("{ours:?} and directly {theirs:?}\n{place}"),
            }
        }
        // Else the proxy refuses everything, and nothing is shown.
        assert!(passed * 4 > count, "{passed} of {count} {kind:?} were made");
    }
}

/// The comparison has teeth: readers that leave out one thing of what Go does are found out by the same
/// bodies.
#[test]
fn a_reader_that_leaves_something_out_is_found_out() {
    let Some(daemon) = daemon::shared() else { return };
    let bare = daemon.socket();
    for reader in Reader::WRONG {
        let mut dice = Dice::new(20_261_126);
        let found = (0..600).find(|_| {
            let text = body(&mut dice, Kind::Container);
            // `{"ulimits":[null]}` would leave the daemon without an answer to anybody.
            if text.contains("[null]") {
                return false;
            }
            // Brought to one form, as what the proxy itself reads, so that the one thing makes the
            // difference.
            let read = reader.read(&text).map(|read| read.to_string());
            let Some(shown) = read.and_then(|read| shown(Kind::Container, &read)) else {
                return false;
            };
            made(&bare, &bare, Kind::Container, &text)
                .is_ok_and(|made| check(&shown, &made).is_err())
        });
        assert!(found.is_some(), "{reader:?} reads every body as the daemon does");
    }
}

#[test]
fn what_sdks_always_send_passes() {
    let Some(daemon) = daemon::shared() else { return };
    let proxy = open_proxy(&daemon);
    let falsy = bodies::falsy();
    let made = made(&proxy.socket(), &daemon.socket(), Kind::Container, &falsy).expect(&falsy);
    assert_eq!(made["HostConfig"]["Privileged"], false);
}
