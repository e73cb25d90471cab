//! Plugins that misbehave in every way there is, in front of the real binary: whatever a plugin
//! does, a request is only let through that the whole chain agreed to, and other clients are served.
//!
//! The plugins are WebAssembly text (`plugins/wat.rs`), the daemon says yes to everything
//! (`plugins/daemon.rs`), so what is refused here is refused by the proxy.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "plugins/cache.rs"]
mod cache;
#[path = "plugins/chain.rs"]
mod chain;
#[path = "plugins/client.rs"]
#[allow(dead_code, reason = "tests/phases.rs uses the rest")]
mod client;
#[path = "plugins/configured.rs"]
mod configured;
#[path = "plugins/daemon.rs"]
#[allow(dead_code, reason = "tests/phases.rs uses the rest")]
mod daemon;
#[path = "plugins/edits.rs"]
mod edits;
#[path = "plugins/grants.rs"]
mod grants;
#[path = "plugins/instances.rs"]
mod instances;
#[path = "plugins/limits.rs"]
mod limits;
#[path = "plugins/loading.rs"]
mod loading;
#[path = "plugins/nonsense.rs"]
mod nonsense;
#[path = "plugins/proxy.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod proxy;
#[path = "plugins/wat.rs"]
mod wat;

use proxy::Scene;
use wat::Plugin;

impl Scene {
    /// The same with one more plugin at the end of its chain, called so.
    pub fn plugin(self, name: &str, plugin: &Plugin) -> Self {
        self.file(&format!("{name}.wasm"), &plugin.build())
    }
}
