//! The flags of Tecnativa's and `LinuxServer`'s images, through the whole proxy: verdicts held against
//! the recorded ones of a real `HAProxy` (`conformance/README.md`), and what is said at the start.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "conformance/beyond.rs"]
mod beyond;
#[path = "conformance/binary.rs"]
mod binary;
#[path = "plugins/client.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod client;
#[path = "conformance/component.rs"]
mod component;
#[path = "plugins/daemon.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod daemon;
#[path = "conformance/demo.rs"]
mod demo;
#[path = "plugins/proxy.rs"]
#[allow(dead_code, reason = "tests/plugins.rs uses the rest")]
mod proxy;
#[path = "conformance/recording.rs"]
mod recording;
#[path = "conformance/start.rs"]
mod start;
