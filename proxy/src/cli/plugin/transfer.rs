//! What pushing and pulling have in common: the reference, the transport, and a line on a terminal
//! that says how far it is.

use std::{
    io::{IsTerminal as _, Write as _},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use clap::Args;

use super::size;
use crate::{
    error::Error,
    oci::{self, Failure, Progress, Reference, Transport},
};

/// How a registry is spoken to.
#[derive(Clone, Debug, Args)]
pub(super) struct Connection {
    /// Speak plain HTTP: whoever is on the way can read and change all of it, credentials too
    ///
    /// Registries at localhost and 127.0.0.1 are always spoken to in this way, all others with TLS
    /// unless this is given.
    #[arg(long)]
    insecure_http: bool,
}

impl Connection {
    pub(super) fn transport(&self) -> Transport {
        if self.insecure_http { Transport::Plain } else { Transport::Safe }
    }
}

/// Reads `oci://…`.
pub(super) fn reference(text: &str) -> Result<Reference, Error> {
    text.parse().map_err(|problem| Error::Plugin { plugin: text.to_owned(), problem })
}

/// What a registry did, as an error of the command.
pub(super) fn failed(reference: &Reference, failure: Failure) -> Error {
    Error::Registry { reference: reference.to_string(), failure }
}

/// How often the line is written.
const TOLD_EVERY: Duration = Duration::from_millis(200);

/// A line on the terminal, for what takes a while; elsewhere nothing.
pub(super) fn progress(doing: &'static str) -> Progress {
    if !std::io::stderr().is_terminal() {
        return oci::silent();
    }
    let written = Mutex::new(Instant::now());
    Arc::new(move |done, all| {
        let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.elapsed() < TOLD_EVERY {
            return;
        }
        *written = Instant::now();
        let (percent, all) = (done * 100 / all.max(1), usize::try_from(all).unwrap_or(usize::MAX));
        // The next line of anybody's is written over it.
        let _ = write!(std::io::stderr(), "\r{doing} {percent:>3} % of {}\r", size(all));
    })
}
