//! Another configuration without a restart: the proxy's own binary with a configuration file that
//! changes, and clients that notice nothing but the new rules. TLS at listeners as well, whose
//! certificates are renewed in this way.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "../proxy/src/tls/authority.rs"]
mod authority;
#[path = "reload/running.rs"]
mod running;
#[path = "wire/scene/mod.rs"]
#[allow(dead_code, unused_imports, reason = "tests/wire.rs uses the rest")]
mod scene;
#[path = "reload/tls_client.rs"]
mod tls_client;
#[path = "plugins/wat.rs"]
#[allow(dead_code, reason = "tests/plugins.rs uses the rest")]
mod wat;

#[path = "reload/broken.rs"]
mod broken;
#[path = "reload/certificates.rs"]
mod certificates;
#[path = "reload/files.rs"]
mod files;
#[path = "reload/handshakes.rs"]
mod handshakes;
#[path = "reload/listeners.rs"]
mod listeners;
#[path = "reload/storm.rs"]
mod storm;
#[path = "reload/upstream.rs"]
mod upstream;
