//! What the system tells the proxy.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::Error;

/// The signals that the proxy minds.
pub(super) struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

/// What it is told.
pub(super) enum Told {
    /// SIGTERM, SIGINT.
    End,
    /// SIGHUP.
    Reload,
}

impl Signals {
    pub(super) fn new() -> Result<Self, Error> {
        let on = |kind| signal(kind).map_err(|error| Error::System { what: "a signal", error });
        Ok(Self {
            term: on(SignalKind::terminate())?,
            int: on(SignalKind::interrupt())?,
            hup: on(SignalKind::hangup())?,
        })
    }

    pub(super) async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.term.recv() => Told::End,
            _ = self.int.recv() => Told::End,
            _ = self.hup.recv() => Told::Reload,
        }
    }

    /// Waits until it is to end. What else it is told stays to be heard.
    pub(super) async fn end(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}
