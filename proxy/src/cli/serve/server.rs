//! The running proxy: who accepts, who serves, and by which policy.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    sync::{Semaphore, watch},
    task::JoinHandle,
};

use super::{
    super::load::{Loader, Usable},
    admin,
    signals::{Signals, Told},
    watch::Watched,
};
use crate::{
    client::directory::Directory,
    error::Error,
    http::upstream::Upstream,
    listener::{Access, Address, Listener},
    policy::Policy,
    settings::{ListenerEntry, Process},
    worker::{self, Accepted, Handle},
};

/// How long an accept that the system refuses is put off.
const PAUSE: Duration = Duration::from_millis(100);

/// The running proxy.
pub(super) struct Server {
    process: Process,
    policy: watch::Sender<Arc<Policy>>,
    gate: Gate,
    /// By what a listener is known by from one configuration to the next.
    accepting: HashMap<(Address, Option<Arc<str>>), Accepting>,
    drain: watch::Sender<bool>,
    signals: Signals,
    loader: Arc<Loader>,
}

/// What accepts at an address.
struct Accepting {
    task: JoinHandle<()>,
    /// The listener, as it is configured now.
    entry: watch::Sender<ListenerEntry>,
}

/// The way from a listener to the workers.
#[derive(Clone)]
struct Gate {
    workers: Arc<Vec<Handle>>,
    places: Arc<Semaphore>,
}

impl Server {
    /// Starts workers and opens the listeners.
    ///
    /// # Errors
    /// What the system refuses.
    pub(super) fn start(usable: Usable, loader: Loader) -> Result<Self, Error> {
        let Usable { mut policy, process, .. } = usable;
        policy.directory = directory_for(&policy, None);
        // Before the log says that it listens, which is when others may begin to tell it.
        let signals = Signals::new()?;
        let listeners = policy.listeners.clone();
        let (policy, newest) = watch::channel(Arc::new(policy));
        let (drain, draining) = watch::channel(false);
        let workers = (0..process.workers)
            .map(|n| worker::start(n, newest.clone(), draining.clone()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Error::System { what: "a worker's thread", error })?;
        let places = Arc::new(Semaphore::new(process.connections as usize));
        let gate = Gate { workers: Arc::new(workers), places };
        let opened = open(&listeners)?;
        if let Some(address) = &policy.borrow().admin {
            let listener = Listener::open(address, Access::OURS)?;
            tracing::info!("to be asked at {address}");
            tokio::task::spawn_local(admin::answer_all(listener, newest));
        }
        let mut server = Self {
            process,
            policy,
            gate,
            accepting: HashMap::new(),
            drain,
            signals,
            loader: Arc::new(loader),
        };
        server.accept_at(opened);
        tracing::info!("in front of {}", server.policy.borrow().requests.upstream);
        Ok(server)
    }

    /// Serves until it is told to end, and what is under way has ended.
    pub(super) async fn serve_until_told(mut self) {
        let mut watched = Watched::new(self.loader.files());
        loop {
            tokio::select! {
                told = self.signals.next() => match told {
                    Told::End => break,
                    Told::Reload => tracing::info!("told to read the configuration again"),
                },
                () = watched.changed() => tracing::info!("the configuration has changed"),
            }
            self.reload().await;
            watched = Watched::new(self.loader.files());
        }
        self.end().await;
    }

    /// Takes a new configuration, whole, or goes on with the one that there is.
    async fn reload(&mut self) {
        let loader = Arc::clone(&self.loader);
        // Not here, where clients are accepted.
        let read = tokio::task::spawn_blocking(move || loader.load(|_| {})).await;
        let taken = match read {
            Ok(read) => read.and_then(|usable| self.take(usable)),
            Err(panic) => Err(Error::Reload(panic.to_string())),
        };
        match taken {
            Ok(()) => tracing::info!("the new configuration is in use"),
            Err(error) => {
                for line in error.lines() {
                    tracing::error!("{line}");
                }
                tracing::error!("the new configuration can't be used: the old one stays in use");
            }
        }
    }

    fn take(&mut self, usable: Usable) -> Result<(), Error> {
        let Usable { mut policy, process, oddities } = usable;
        for oddity in oddities {
            tracing::warn!("{oddity}");
        }
        let fresh = |entry: &&ListenerEntry| !self.accepting.contains_key(&entry.identity());
        let fresh: Vec<_> = policy.listeners.iter().filter(fresh).cloned().collect();
        let opened = open(&fresh)?;
        let mut gone = std::mem::take(&mut self.accepting);
        for entry in &policy.listeners {
            if let Some(accepting) = gone.remove(&entry.identity()) {
                if let Err(error) = entry.apply_access() {
                    tracing::error!("{}: {error}", entry.address);
                }
                accepting.entry.send_replace(entry.clone());
                self.accepting.insert(entry.identity(), accepting);
            }
        }
        policy.directory = directory_for(&policy, Some(&self.policy.borrow()));
        self.policy.send_replace(Arc::new(policy));
        self.accept_at(opened);
        for ((address, _), accepting) in gone {
            accepting.task.abort();
            tracing::info!("no longer listening on {address}");
        }
        let fixed = |process: Process| Process { grace: self.process.grace, ..process };
        if fixed(process) != self.process {
            tracing::warn!(
                "the log, and the numbers of connections and workers, change at the next start"
            );
        }
        self.process.grace = process.grace;
        Ok(())
    }

    fn accept_at(&mut self, opened: Vec<(ListenerEntry, Listener)>) {
        for (entry, listener) in opened {
            let identity = entry.identity();
            let (entry, newest) = watch::channel(entry);
            let task = tokio::spawn(accept_all(
                listener,
                newest,
                self.policy.subscribe(),
                self.gate.clone(),
            ));
            self.accepting.insert(identity, Accepting { task, entry });
        }
    }

    /// No new requests; those under way have their time, and are broken off at its end.
    async fn end(mut self) {
        let (grace, connections) = (self.process.grace, self.process.connections);
        tracing::info!("ending: requests under way have {} seconds", grace.as_secs_f32());
        for (_, accepting) in self.accepting {
            accepting.task.abort();
            // Only when it has gone is its socket closed.
            let _ = accepting.task.await;
        }
        // The workers hold receivers.
        let _ = self.drain.send(true);
        let Gate { workers, places } = self.gate;
        tokio::select! {
            _ = places.acquire_many(connections) => {}
            () = tokio::time::sleep(grace) => {
                let left = connections as usize - places.available_permits();
                tracing::warn!("closing {left} connections that are still open");
            }
            () = self.signals.end() => tracing::warn!("told twice: closing at once"),
        }
        if let Some(workers) = Arc::into_inner(workers) {
            workers.into_iter().for_each(Handle::end);
        }
        for plugin in self.policy.borrow().plugins.iter().filter(|plugin| plugin.failures() > 0) {
            let (plugin, failures) = (plugin.name(), plugin.failures());
            tracing::warn!(plugin, failures, "it failed so often since it was loaded");
        }
        tracing::info!("ended");
    }
}

fn open(entries: &[ListenerEntry]) -> Result<Vec<(ListenerEntry, Listener)>, Error> {
    let open = |entry: &ListenerEntry| {
        Listener::open(&entry.address, entry.access).map(|listener| (entry.clone(), listener))
    };
    let opened = entries.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    for (_, Listener { address, .. }) in &opened {
        tracing::info!("listening on {address}");
        if address.is_open() {
            tracing::info!("whoever can reach {address} has the permissions above");
        }
    }
    Ok(opened)
}

/// What knows the containers of a policy's daemon: the one that there is, if it is the same daemon.
fn directory_for(policy: &Policy, old: Option<&Policy>) -> Option<Directory> {
    if !policy.reads_containers() {
        return None;
    }
    let upstream = &policy.requests.upstream;
    let same = old.filter(|old| old.requests.upstream.is_same(upstream));
    if let Some(directory) = same.and_then(|old| old.directory.clone()) {
        return Some(directory);
    }
    let upstream = Upstream::new(upstream.clone(), policy.requests.patience);
    let (directory, kept) = Directory::start(upstream);
    // It ends with the last policy that has it.
    tokio::task::spawn_local(kept);
    Some(directory)
}

/// Gives each client of a listener to the worker that has the fewest.
async fn accept_all(
    listener: Listener,
    entry: watch::Receiver<ListenerEntry>,
    policy: watch::Receiver<Arc<Policy>>,
    gate: Gate,
) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // At once: a process that has ended tells nothing.
                let is_asked = policy.borrow().directory.is_some();
                let origin = is_asked.then(|| stream.origin(&peer, SystemTime::now()));
                // Not before: a listener that waits must not keep a place from the others. The
                // semaphore is never closed.
                let Ok(place) = Arc::clone(&gate.places).acquire_owned().await else { return };
                let (client, tls) = {
                    let entry = entry.borrow();
                    (listener.client(&entry.name, peer), entry.tls.clone())
                };
                if let Some(worker) = gate.workers.iter().min_by_key(|worker| worker.load()) {
                    worker.take(Accepted { stream, client, origin, tls, place });
                }
            }
            Err(error) => {
                tracing::warn!("a client could not be accepted: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
