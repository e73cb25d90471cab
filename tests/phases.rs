//! What plugins see beyond the head of a request: bodies, things at the daemon, answers and their
//! values. The plugin is one that does what its settings say (`probe/`), built by the SDK; the daemon
//! says what each test has it say.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "phases/answers.rs"]
mod answers;
#[path = "phases/bodies.rs"]
mod bodies;
#[path = "plugins/client.rs"]
mod client;
#[path = "phases/clients.rs"]
mod clients;
#[path = "phases/component.rs"]
mod component;
#[path = "plugins/daemon.rs"]
mod daemon;
#[path = "phases/items.rs"]
mod items;
#[path = "phases/look_ups.rs"]
mod look_ups;
#[path = "phases/probe.rs"]
mod probe;
#[path = "plugins/proxy.rs"]
#[allow(dead_code, reason = "tests/plugins.rs uses the rest")]
mod proxy;
