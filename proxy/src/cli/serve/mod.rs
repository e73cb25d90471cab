//! `dockgate`: load, listen, serve, drain.

mod admin;
mod announce;
mod demo;
mod server;
mod signals;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use tokio::task::LocalSet;

use super::{Serve, event_loop, load::Loader};
use crate::{error::Error, log};

use announce::{announce, announce_problems};
use demo::Demo;
use server::Server;

/// Serves until it is told to end.
///
/// # Errors
/// Whatever keeps it from starting.
pub fn run(serve: &Serve) -> Result<(), Error> {
    let demo = if serve.demo { Some(Demo::start()?) } else { None };
    let loader = Loader::new(serve, demo.as_ref().map(|demo| demo.socket.clone()))?;
    let usable = loader.load(|process| log::init(process.log_format, process.log_level))?;
    for oddity in &usable.oddities {
        tracing::warn!("{oddity}");
    }
    // What they find odd in a file is among these already, with its line.
    if serve.config.is_none() {
        announce_problems(&usable.policy);
    }
    announce(&usable.policy, usable.process.log_format);
    raise_file_limit(usable.process.connections);
    let runtime = event_loop("the main thread")?;
    let served = LocalSet::new().block_on(&runtime, async {
        Server::start(usable, loader)?.serve_until_told().await;
        Ok(())
    });
    // A configuration that is still being read is not waited for.
    runtime.shutdown_background();
    served
}

/// Two descriptors a connection, and some to spare. Nothing is sized by the limit, so a limit of a
/// thousand million costs nothing.
fn raise_file_limit(connections: u32) {
    let wanted = u64::from(connections) * 2 + 64;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    let possible = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(possible), maximum });
    if raised.is_err() || possible < wanted {
        tracing::warn!(
            "{possible} open files are all the system allows, for {connections} connections of two each"
        );
    }
}
