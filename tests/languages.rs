//! The same policy in Python and in JavaScript (`examples/`), built by the tools of these languages
//! as their pages say: what it decides, what it costs, and that all commands of the pages work.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "plugins/client.rs"]
#[allow(dead_code, reason = "tests/phases.rs uses the rest")]
mod client;
#[path = "languages/cost.rs"]
mod cost;
#[path = "plugins/daemon.rs"]
#[allow(dead_code, reason = "tests/phases.rs uses the rest")]
mod daemon;
#[path = "languages/decisions.rs"]
mod decisions;
#[path = "languages/first.rs"]
mod first;
#[path = "docs/page.rs"]
#[allow(dead_code, reason = "tests/docs.rs uses the rest")]
mod page;
#[path = "languages/pages.rs"]
mod pages;
#[path = "languages/policy.rs"]
mod policy;
#[path = "plugins/proxy.rs"]
#[allow(dead_code, reason = "tests/plugins.rs uses the rest")]
mod proxy;
#[path = "docs/session.rs"]
#[allow(dead_code, reason = "tests/docs.rs uses the rest")]
mod session;

// What `docs/session.rs` asks its test for.
use pages::{COMMANDS, Way};
