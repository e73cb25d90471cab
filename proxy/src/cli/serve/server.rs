//! The running proxy: who accepts, who serves, and by which policy.

use std::{
    collections::HashMap,
    io,
    ops::ControlFlow,
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
};
use crate::{
    client::{Peer, directory::Directory},
    error::Error,
    http::upstream::Upstream,
    listener::{Access, Address, Listener},
    policy::Policy,
    settings::{ListenerEntry, Process},
    worker::{self, Accepted, Handle},
};

/// How long an accept that the system refuses is put off.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// The running proxy.
pub(super) struct Server {
    process: Process,
    policy: watch::Sender<Arc<Policy>>,
    gate: Gate,
    /// By what a listener is known by from one configuration to the next.
    accepting: HashMap<(Address, Option<Arc<str>>), Accepting>,
    /// Where the owner asks, and what answers.
    admin: Option<(Address, JoinHandle<()>)>,
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
        let admin = open_admin(policy.borrow().admin.as_ref())?;
        let mut server = Self {
            process,
            policy,
            gate,
            accepting: HashMap::new(),
            admin: None,
            drain,
            signals,
            loader: Arc::new(loader),
        };
        server.accept_at(opened);
        server.answer_at(admin);
        tracing::info!("in front of {}", server.policy.borrow().requests.upstream);
        Ok(server)
    }

    /// Serves until it is told to end, and what is under way has ended.
    pub(super) async fn serve_until_told(mut self) {
        loop {
            let mut watched = self.loader.watched().clone();
            tokio::select! {
                told = self.signals.next() => match told {
                    Told::End => break,
                    Told::Reload => tracing::info!("told to read the configuration again"),
                },
                () = watched.changed() => tracing::info!("the configuration has changed"),
            }
            if self.reload().await.is_break() {
                break;
            }
        }
        self.end().await;
    }

    /// Takes a new configuration, whole, or goes on with the one that there is. Breaks off where it
    /// is told to end: a plugin may take long to come or to be compiled.
    async fn reload(&mut self) -> ControlFlow<()> {
        let loader = Arc::clone(&self.loader);
        // Not here, where clients are accepted.
        let reading = tokio::task::spawn_blocking(move || loader.load(|_| {}));
        let read = tokio::select! {
            read = reading => read,
            () = self.signals.end() => return ControlFlow::Break(()),
        };
        let taken = match read {
            Ok(Ok(usable)) => self.take(usable).await,
            Ok(Err(error)) => Err(error),
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
        ControlFlow::Continue(())
    }

    async fn take(&mut self, usable: Usable) -> Result<(), Error> {
        let Usable { mut policy, process, oddities } = usable;
        let fresh = |entry: &&ListenerEntry| !self.accepting.contains_key(&entry.identity());
        let fresh: Vec<_> = policy.listeners.iter().filter(fresh).cloned().collect();
        let opened = open(&fresh).map_err(|error| self.our_own(error))?;
        let stays = policy.admin.as_ref() == self.admin.as_ref().map(|(address, _)| address);
        let admin = open_admin(policy.admin.as_ref().filter(|_| !stays))?;
        self.apply_access(&policy.listeners)?;
        // From here on nothing fails.
        for oddity in oddities {
            tracing::warn!("{oddity}");
        }
        let mut gone = std::mem::take(&mut self.accepting);
        for entry in &policy.listeners {
            if let Some(accepting) = gone.remove(&entry.identity()) {
                accepting.entry.send_replace(entry.clone());
                self.accepting.insert(entry.identity(), accepting);
            }
        }
        policy.directory = directory_for(&policy, Some(&self.policy.borrow()));
        let upstream = policy.requests.upstream.to_string();
        let old = self.policy.send_replace(Arc::new(policy));
        if upstream != old.requests.upstream.to_string() {
            tracing::info!("in front of {upstream}");
        }
        self.accept_at(opened);
        for ((address, _), accepting) in gone {
            close(accepting.task).await;
            tracing::info!("no longer listening on {address}");
        }
        if !stays {
            if let Some((_, task)) = self.admin.take() {
                close(task).await;
            }
            self.answer_at(admin);
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

    /// Gives the sockets that stay open their permissions, all or none.
    fn apply_access(&self, entries: &[ListenerEntry]) -> Result<(), Error> {
        for entry in entries {
            let Some(accepting) = self.accepting.get(&entry.identity()) else { continue };
            if accepting.entry.borrow().access == entry.access {
                continue;
            }
            if let Err(error) = entry.apply_access() {
                for accepting in self.accepting.values() {
                    // What could not be changed need not be changed back.
                    let _ = accepting.entry.borrow().apply_access();
                }
                let address = entry.address.to_string();
                return Err(Error::Listen { address, error, hint: " (see its mode and owner)" });
            }
        }
        Ok(())
    }

    /// An address may be in use by what the new configuration would close.
    fn our_own(&self, error: Error) -> Error {
        let port = |address: &str| address.rsplit_once(':').map(|(_, port)| port.to_owned());
        match error {
            Error::Listen { address, error, .. }
                if error.kind() == io::ErrorKind::AddrInUse
                    && self.accepting.keys().any(|(ours, _)| {
                        matches!(ours, Address::Tcp(_)) && port(&ours.to_string()) == port(&address)
                    }) =>
            {
                let hint = " (the old configuration has this port at another address: restart)";
                Error::Listen { address, error, hint }
            }
            other => other,
        }
    }

    fn answer_at(&mut self, admin: Option<(Address, Listener)>) {
        let answer = |(address, listener)| {
            tracing::info!("to be asked at {address}");
            let answering = admin::answer_all(listener, self.policy.subscribe());
            (address, tokio::task::spawn_local(answering))
        };
        self.admin = admin.map(answer);
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
            close(accepting.task).await;
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

/// Only when what accepts there has gone is a socket closed.
async fn close(task: JoinHandle<()>) {
    task.abort();
    // How it ended is known.
    let _ = task.await;
}

fn open_admin(address: Option<&Address>) -> Result<Option<(Address, Listener)>, Error> {
    let open = |address: &Address| Ok((address.clone(), Listener::open(address, Access::OURS)?));
    address.map(open).transpose()
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
                // At once: a process that has ended tells nothing. An address tells as much when a
                // later configuration asks.
                let is_asked = policy.borrow().directory.is_some();
                let is_free = matches!(peer, Peer::Tcp(_));
                let origin = (is_asked || is_free).then(|| stream.origin(&peer, SystemTime::now()));
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
