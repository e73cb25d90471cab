//! Bytes in, bytes out: the proxy's own binary between clients and a daemon that are both played
//! here, byte by byte.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "wire/scene/mod.rs"]
#[allow(dead_code, reason = "tests/reload.rs uses the rest")]
mod scene;

#[path = "wire/away.rs"]
mod away;
#[path = "wire/bodies.rs"]
mod bodies;
#[path = "wire/departures.rs"]
mod departures;
#[path = "wire/drain.rs"]
mod drain;
#[path = "wire/headers.rs"]
mod headers;
#[path = "wire/heads.rs"]
mod heads;
#[path = "wire/health.rs"]
mod health;
#[path = "wire/limits.rs"]
mod limits;
#[path = "wire/links.rs"]
mod links;
#[path = "wire/listeners.rs"]
mod listeners;
#[path = "wire/pipelining.rs"]
mod pipelining;
#[path = "wire/records.rs"]
mod records;
#[path = "wire/secrets.rs"]
mod secrets;
#[path = "wire/streams.rs"]
mod streams;
#[path = "wire/targets.rs"]
mod targets;
#[path = "wire/tunnels.rs"]
mod tunnels;
#[path = "wire/versions.rs"]
mod versions;
