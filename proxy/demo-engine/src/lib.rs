//! A small in-process Docker Engine: the API's real shapes, words and streams over simulated
//! containers, for trying dockgate and testing it on a machine without Docker.
//!
//! No code is run. A "process" is an async task that knows a handful of commands (`cat` repeats its
//! input, `echo` prints, `sleep` waits, `true` and `false` exit); any other logs a tick a second.
//! States, events, logs and exit codes follow from what these tasks do.

// For the longest `json!` literal.
#![recursion_limit = "256"]

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::UnixListener;
use tokio::task::JoinSet;

use crate::containers::Container;
use crate::events::Event;
use crate::execs::Exec;
use crate::journal::Journal;
use crate::received::Requests;

pub use crate::received::Received;

mod api;
mod connection;
mod containers;
mod events;
mod execs;
mod images;
mod inventory;
mod journal;
mod output;
mod process;
mod query;
mod received;
mod reply;
mod shapes;
mod streams;
mod system;

/// The engine: a handle to shared state, cheap to clone.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

impl Engine {
    /// An engine with three containers, as after `docker compose up`: `shop-web-1`, which logs a
    /// line a second, `shop-worker-1`, which waits for input, and `shop-backup-1`, which is done.
    /// They start with the first [`serve`](Self::serve).
    pub fn new() -> Self {
        let engine = Self::empty();
        inventory::compose_project(&engine);
        engine
    }

    /// An engine with images to create containers from, and no container.
    pub fn empty() -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                events: Journal::keeping(MAX_EVENTS),
                requests: Requests::default(),
            }),
        }
    }

    /// Serves until `listener` fails. Dropping the future closes its connections; containers go on.
    pub async fn serve(&self, listener: UnixListener) -> io::Result<()> {
        let autostart = std::mem::take(&mut self.state().autostart);
        for container in autostart {
            self.start(&container);
        }
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => {
                    let (stream, _) = accepted?;
                    connections.spawn(connection::serve(self.clone(), stream));
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    /// The latest requests as they were received, oldest first; at most [`Received::KEPT`].
    pub fn requests(&self) -> Vec<Received> {
        self.shared.requests.latest()
    }

    /// How many requests have been received so far.
    pub fn request_count(&self) -> u64 {
        self.shared.requests.count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.shared.state)
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

struct Shared {
    state: Mutex<State>,
    events: Journal<Event>,
    requests: Requests,
}

/// What exists. Never locked across an await.
#[derive(Default)]
struct State {
    containers: Vec<Arc<Container>>,
    execs: VecDeque<Arc<Exec>>,
    autostart: Vec<Arc<Container>>,
}

/// A panic elsewhere leaves plain data behind, which is as good as before.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const MAX_CONNECTIONS: usize = 1024;
const MAX_EVENTS: usize = 256;
