//! The configuration file: what is said where something is wrong with it, and the commands that
//! read it, write it, explain what it does and test it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "../proxy/src/tls/authority.rs"]
#[allow(dead_code, reason = "tests/upstream_tls.rs uses the rest")]
mod authority;
#[path = "config/commands.rs"]
mod commands;
#[path = "config/example.rs"]
mod example;
#[path = "config/explain.rs"]
mod explain;
#[path = "config/folder.rs"]
mod folder;
#[path = "config/health.rs"]
mod health;
#[path = "config/meaning.rs"]
mod meaning;
#[path = "config/mistakes.rs"]
mod mistakes;
#[path = "config/replaced.rs"]
mod replaced;
#[path = "config/robust.rs"]
mod robust;
#[path = "config/running.rs"]
mod running;
#[path = "wire/scene/mod.rs"]
#[allow(dead_code, unused_imports, reason = "tests/wire.rs uses the rest")]
mod scene;
#[path = "config/table.rs"]
mod table;
#[path = "plugins/wat.rs"]
#[allow(dead_code, reason = "tests/plugins.rs uses the rest")]
mod wat;
