//! The configuration file: what is said where something is wrong with it, and the commands that
//! read and write it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "config/commands.rs"]
mod commands;
#[path = "config/example.rs"]
mod example;
#[path = "config/mistakes.rs"]
mod mistakes;
#[path = "config/robust.rs"]
mod robust;
