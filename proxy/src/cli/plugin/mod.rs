//! `dockgate plugin`: writing a plugin, from an empty folder to a component in the cache.

mod after;
mod bench;
mod build;
mod compile;
mod document;
mod given;
mod identity;
mod inspect;
mod new;
mod pack;
mod pull;
mod push;
mod run;
mod source;
mod stand_in;
mod table;
mod test;
mod transfer;
mod trial;

use std::{io::Write as _, path::PathBuf};

use clap::{Args, Subcommand};

use crate::{error::Error, plugin::cache};

pub(super) use after::{After, Difference, shown};
pub(super) use given::{Asking, Found, Given, headers, line};
pub(super) use identity::{Certificate, Container};
pub(super) use stand_in::StandIn;
pub(super) use table::Known;

/// What there is to do with a plugin.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Begin a policy: a crate with tests and with all that it needs, ready to build
    New(new::New),
    /// Build the crate in this folder, and make a plugin of it
    Build(build::Build),
    /// Put a manifest into a component of any language, which makes a plugin of it
    Pack(pack::Pack),
    /// Show what a plugin says of itself and what it wants, without running it
    Inspect(inspect::Inspect),
    /// Give one request to a plugin, and show what it says and does
    Run(Box<run::Run>),
    /// Give a table of requests to a plugin, and compare what it says with what is expected
    Test(test::Test),
    /// Measure what a plugin costs
    Bench(Box<bench::Bench>),
    /// Compile plugins for a proxy that starts where nothing can be written
    Compile(compile::Compile),
    /// Push a plugin to an OCI registry, from where others pull it
    Push(push::Push),
    /// Pull a plugin from an OCI registry into the cache
    Pull(pull::Pull),
}

/// Does it, and gives the exit code.
///
/// # Errors
/// What is wrong with what the person wrote.
pub fn run(command: &PluginCommand) -> Result<u8, Error> {
    match command {
        PluginCommand::New(new) => new.run().map(|()| 0),
        PluginCommand::Build(build) => build.run().map(|()| 0),
        PluginCommand::Pack(pack) => pack.run().map(|()| 0),
        PluginCommand::Inspect(inspect) => inspect.run().map(|()| 0),
        PluginCommand::Run(run) => run.run(),
        PluginCommand::Test(test) => test.run(),
        PluginCommand::Bench(bench) => bench.run().map(|()| 0),
        PluginCommand::Compile(compile) => compile.run().map(|()| 0),
        PluginCommand::Push(push) => push.run().map(|()| 0),
        PluginCommand::Pull(pull) => pull.run().map(|()| 0),
    }
}

/// Where compiled plugins are kept.
#[derive(Clone, Debug, Args)]
struct Cache {
    /// Where compiled plugins are kept
    ///
    /// Without it, dockgate in XDG_CACHE_HOME or in ~/.cache.
    #[arg(long, value_name = "FOLDER", env = "DOCKGATE_CACHE")]
    cache: Option<PathBuf>,
}

impl Cache {
    fn folder(&self) -> Option<PathBuf> {
        self.cache.clone().or_else(cache::default_folder)
    }

    /// For what can't be done without one.
    fn needed(&self) -> Result<PathBuf, Error> {
        self.folder().ok_or_else(|| Error::Value {
            name: "--cache",
            value: String::new(),
            problem: "is needed: there is no home folder to keep anything in".to_owned(),
        })
    }
}

/// Writes to standard output. Whoever closed it has seen enough.
fn say(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// A number of bytes for people.
#[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
fn size(bytes: usize) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
