//! `bundled:container-guard` without settings in front of a real Docker daemon: every way to the host,
//! in every spelling that the daemon takes, is refused and leaves nothing behind; and what people do
//! every day goes through.
//!
//! Needs what tests/dockerd.rs needs. That a way is one is shown as well: the daemon itself, sent the
//! same bytes, does what the guard is there to prevent.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "dockerd/clients.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod clients;
#[path = "dockerd/daemon.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod daemon;
#[path = "teams/engine.rs"]
mod engine;
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

#[path = "guard/everyday.rs"]
mod everyday;
#[path = "guard/networks.rs"]
mod networks;
#[path = "guard/scene.rs"]
mod scene;
#[path = "guard/spellings.rs"]
mod spellings;
#[path = "guard/ways.rs"]
mod ways;
