//! dockgate: a programmable filter proxy for the Docker Engine API.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod chain;
pub mod cli;
pub mod client;
pub mod config;
pub mod error;
pub mod explain;
pub mod http;
pub mod import;
pub mod listener;
pub mod log;
pub mod nearest;
pub mod oci;
pub mod plugin;
pub mod policy;
pub mod preset;
pub mod request;
pub mod selection;
pub mod settings;
pub mod tls;
pub mod worker;
