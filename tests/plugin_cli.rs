//! `dockgate plugin`, the real binary: what it shows of plugins, what it makes, and its words where
//! something is wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "plugin_cli/bench.rs"]
mod bench;
#[path = "plugin_cli/cache.rs"]
mod cache;
#[path = "plugin_cli/command.rs"]
mod command;
#[path = "phases/component.rs"]
mod component;
#[path = "plugin_cli/inspect.rs"]
mod inspect;
#[path = "plugin_cli/mistakes.rs"]
mod mistakes;
#[path = "plugin_cli/new.rs"]
mod new;
#[path = "plugin_cli/pack.rs"]
mod pack;
#[path = "plugin_cli/run.rs"]
mod run;
#[path = "plugin_cli/table.rs"]
mod table;
#[path = "plugins/wat.rs"]
#[allow(dead_code, reason = "tests/plugins.rs uses the rest")]
mod wat;
