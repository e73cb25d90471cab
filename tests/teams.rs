//! Two teams at one real Docker daemon, each behind a proxy with `bundled:label-scope`: what the one
//! has is not there for the other, whatever it asks for and however it asks.
//!
//! Needs what tests/dockerd.rs needs. All tests share one daemon, beside each other: each has teams
//! of its own, and the labels keep those apart as well.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "dockerd/clients.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod clients;
#[path = "dockerd/daemon.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod daemon;
#[path = "dockerd/proxy.rs"]
#[allow(dead_code, reason = "tests/dockerd.rs uses the rest")]
mod proxy;
#[path = "dockerd/shell.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod shell;
#[path = "dockerd/wire.rs"]
#[allow(dead_code, reason = "tests/dockerd.rs uses the rest")]
mod wire;

#[path = "teams/engine.rs"]
mod engine;
#[path = "teams/events.rs"]
mod events;
#[path = "teams/http.rs"]
mod http;
#[path = "teams/lists.rs"]
mod lists;
#[path = "teams/operations.rs"]
mod operations;
#[path = "teams/race.rs"]
mod race;
#[path = "teams/references.rs"]
mod references;
#[path = "teams/relay.rs"]
mod relay;
#[path = "teams/sessions.rs"]
mod sessions;
#[path = "teams/table.rs"]
mod table;
#[path = "teams/team.rs"]
mod team;
