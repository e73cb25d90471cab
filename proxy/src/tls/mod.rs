//! TLS: at listeners, where clients may show certificates, and on the way to the daemon.
//!
//! The provider of the cryptography is named wherever a configuration is made, since nothing says
//! which one a default of the process would be.

pub mod certificate;
mod client;
mod docker;
mod files;
mod server;

use std::sync::Arc;

use rustls::{
    SupportedProtocolVersion,
    crypto::{CryptoProvider, ring},
    version::{TLS12, TLS13},
};

pub use client::Client;
pub use docker::files_of_docker;
pub use files::{Field, Wrong};
pub use server::Server;

pub(crate) use client::cause;

/// What Docker's own clients and daemons speak: `tlsconfig` of go-connections asks for 1.2 and up.
const VERSIONS: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

#[cfg(test)]
mod authority;
