//! Many kinds of clients of one proxy, with one configuration file, before a real Docker daemon: who
//! may do what, and that it is the client that counts and not what it can choose.
//!
//! Needs what tests/dockerd.rs needs, and `python3`, `ip`, `nsenter` and `setpriv`. The proxy and the
//! clients run in the namespaces of the daemon, and end with them: see `clients/machine.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "../proxy/src/tls/authority.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod authority;
#[path = "clients/client.rs"]
mod client;
#[path = "phases/component.rs"]
mod component;
#[path = "dockerd/daemon.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod daemon;
#[path = "clients/identities.rs"]
mod identities;
#[path = "clients/machine.rs"]
mod machine;
#[path = "clients/matrix.rs"]
mod matrix;
#[path = "clients/plugins.rs"]
mod plugins;
#[path = "clients/proxy.rs"]
mod proxy;
#[path = "dockerd/shell.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod shell;
#[path = "dockerd/wire.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod wire;

use std::sync::MutexGuard;

use daemon::{Daemon, is_installed};

/// The daemon, if all is there that the tests need.
fn daemon() -> Option<MutexGuard<'static, Daemon>> {
    if !["python3", "ip", "nsenter", "setpriv"].into_iter().all(is_installed) {
        return None;
    }
    daemon::shared()
}
