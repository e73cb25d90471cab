//! The threads that serve clients: each with a runtime, plugin instances and connections to the
//! daemon of its own, so that no request waits for a lock.

use std::{
    io,
    os::unix::net::UnixStream as StdUnixStream,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::{
    net::{TcpStream, UnixStream},
    sync::{mpsc, watch},
    task::LocalSet,
};

use crate::{
    client::Client,
    http::{
        connection,
        gather::Room,
        upstream::{Address, Patience, Upstream},
        wire::HeadLimits,
    },
    log,
    plugin::{Daemon, Instances, Loaded, LookUp, Needs},
    request::{ApiVersion, Operation},
};

/// What the requests of a worker share.
pub struct Worker {
    /// How requests are treated.
    pub settings: Settings,
    /// The plugins of the chain, in order.
    pub plugins: Arc<[Loaded]>,
    /// This worker's instances of them.
    pub instances: Instances,
    /// Where plugins look things up.
    pub daemon: Daemon,
    /// This worker's way to the daemon.
    pub upstream: Rc<Upstream>,
    /// True when no new requests are to be taken.
    pub drain: watch::Receiver<bool>,
}

/// How requests are treated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The oldest version of the API that is let through.
    pub oldest_api: ApiVersion,
    /// The bounds of a head.
    pub head: HeadLimits,
    /// Where the daemon is.
    pub upstream: Address,
    /// How long the daemon may take.
    pub patience: Patience,
    /// How large a body of a request may be that a plugin reads, in bytes.
    pub max_body: usize,
    /// How large an answer may be that a plugin reads, in bytes.
    pub max_answer: usize,
    /// The room for all of these at a time.
    pub room: Room,
}

impl Worker {
    /// What the plugins of the chain together want to see of an operation.
    pub fn needs(&self, operation: Operation) -> Needs {
        self.plugins
            .iter()
            .fold(Needs::default(), |needs, plugin| needs.and(plugin.needs(operation)))
    }
}

/// A connection that was accepted, on its way to a worker.
pub struct Accepted {
    /// The connection.
    pub stream: Stream,
    /// Who is at the other end.
    pub client: Client,
    /// Held as long as the connection is served.
    pub place: Place,
}

/// A place among the connections that may be open at once.
pub type Place = tokio::sync::OwnedSemaphorePermit;

/// A connection of either kind, not yet part of a runtime.
pub enum Stream {
    /// TCP.
    Tcp(std::net::TcpStream),
    /// A unix socket.
    Unix(StdUnixStream),
}

/// The way to a worker's thread.
pub struct Handle {
    queue: mpsc::UnboundedSender<Accepted>,
    load: Arc<AtomicUsize>,
    thread: thread::JoinHandle<()>,
}

impl Handle {
    /// Gives a connection to the worker.
    pub fn take(&self, accepted: Accepted) {
        self.load.fetch_add(1, Ordering::Relaxed);
        // The worker lives as long as its handle.
        let _ = self.queue.send(accepted);
    }

    /// How many connections the worker has.
    pub fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Ends the worker. What it still serves is broken off, and recorded.
    pub fn end(self) {
        drop(self.queue);
        // A worker that panicked has said so.
        let _ = self.thread.join();
    }
}

/// Starts a worker's thread.
///
/// # Errors
/// Where the system has no thread, or nothing to wait for events with.
pub fn start(
    number: usize,
    settings: Settings,
    plugins: Arc<[Loaded]>,
    drain: watch::Receiver<bool>,
) -> io::Result<Handle> {
    let (queue, connections) = mpsc::unbounded_channel();
    let load = Arc::new(AtomicUsize::new(0));
    let our_load = Arc::clone(&load);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
        let (daemon, look_ups) = Daemon::new();
        let worker = Rc::new(Worker {
            instances: Instances::new(Arc::clone(&plugins)),
            daemon,
            upstream: Upstream::new(settings.upstream.clone(), settings.patience),
            plugins,
            drain,
            settings,
        });
        let local = LocalSet::new();
        local.spawn_local(look_up_all(Rc::clone(&worker.upstream), look_ups));
        local.block_on(&runtime, serve(worker, connections, our_load));
        // With it ends what is still under way, and is recorded.
        drop(local);
        log::flush();
    })?;
    Ok(Handle { queue, load, thread })
}

/// Asks the daemon what plugins want to know.
async fn look_up_all(upstream: Rc<Upstream>, mut look_ups: mpsc::UnboundedReceiver<LookUp>) {
    while let Some(look_up) = look_ups.recv().await {
        let upstream = Rc::clone(&upstream);
        tokio::task::spawn_local(async move {
            let said = upstream.look_up(look_up.inspect.clone()).await;
            look_up.answer(said);
        });
    }
}

async fn serve(
    worker: Rc<Worker>,
    mut connections: mpsc::UnboundedReceiver<Accepted>,
    load: Arc<AtomicUsize>,
) {
    tokio::task::spawn_local(log::write_records());
    while let Some(Accepted { stream, client, place }) = connections.recv().await {
        let worker = Rc::clone(&worker);
        let load = Arc::clone(&load);
        tokio::task::spawn_local(async move {
            if let Err(error) = serve_one(stream, client, worker).await {
                tracing::error!("a connection could not be served: {error}");
            }
            load.fetch_sub(1, Ordering::Relaxed);
            drop(place);
        });
    }
}

async fn serve_one(stream: Stream, client: Client, worker: Rc<Worker>) -> io::Result<()> {
    match stream {
        Stream::Tcp(stream) => {
            connection::serve(TcpStream::from_std(stream)?, client, worker).await;
        }
        Stream::Unix(stream) => {
            connection::serve(UnixStream::from_std(stream)?, client, worker).await;
        }
    }
    Ok(())
}
