//! dockgate: a programmable filter proxy for the Docker Engine API.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod chain;
pub mod cli;
pub mod client;
pub mod config;
pub mod error;
pub mod http;
pub mod listener;
pub mod log;
pub mod oci;
pub mod plugin;
pub mod request;
pub mod settings;
pub mod worker;
