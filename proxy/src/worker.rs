//! The threads that serve clients: each with a runtime, plugin instances and connections to the
//! daemon of its own, so that no request waits for a lock.

use std::{
    cell::RefCell,
    hint::black_box,
    io,
    os::{fd::AsFd as _, unix::net::UnixStream as StdUnixStream},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use futures_util::FutureExt as _;
use tokio::{
    net::{TcpStream, UnixStream},
    sync::{Notify, mpsc, watch},
    task::LocalSet,
};

use crate::{
    client::{Client, Peer, directory::Origin},
    http::{
        Who, connection,
        gather::Room,
        upstream::{self, Patience, Upstream},
        wire::HeadLimits,
    },
    log,
    plugin::{Daemon, Instances, LookUp},
    policy::Policy,
    request::{ApiVersion, UnknownFields},
    tls,
};

/// What the connections of a worker share.
pub struct Worker {
    /// What requests are decided by now.
    serving: RefCell<Rc<Serving>>,
    /// What they are to be decided by.
    newest: RefCell<watch::Receiver<Arc<Policy>>>,
    /// True when no new requests are to be taken.
    pub drain: watch::Receiver<bool>,
    /// Told when something is done that is to be tidied up after.
    used: Notify,
}

/// How long a connection to the daemon is kept, at the least, for whoever may need it.
const KEPT_FOR: Duration = Duration::from_secs(3);

/// A policy, as a worker has it: with instances of the plugins, and a way to the daemon, of its own.
/// A request that has begun with one ends with it.
pub struct Serving {
    /// What requests are decided by.
    pub policy: Arc<Policy>,
    /// This worker's instances of its plugins.
    pub instances: Instances,
    /// Where plugins look things up.
    pub daemon: Daemon,
    /// This worker's way to the daemon.
    pub upstream: Rc<Upstream>,
}

/// How requests are treated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The oldest version of the API that is let through.
    pub oldest_api: ApiVersion,
    /// The bounds of a head.
    pub head: HeadLimits,
    /// Where the daemon is.
    pub upstream: upstream::Address,
    /// How long the daemon may take.
    pub patience: Patience,
    /// How large a body of a request may be that a plugin reads, in bytes.
    pub max_body: usize,
    /// What becomes of fields that the daemon is not known to have, in a body that a plugin reads.
    pub unknown_fields: UnknownFields,
    /// How large an answer may be that a plugin reads, in bytes.
    pub max_answer: usize,
    /// The room for all of these at a time.
    pub room: Room,
}

impl Worker {
    fn new(mut newest: watch::Receiver<Arc<Policy>>, drain: watch::Receiver<bool>) -> Self {
        let policy = Arc::clone(&newest.borrow_and_update());
        let requests = &policy.requests;
        let upstream = Upstream::new(requests.upstream.clone(), requests.patience);
        let serving = Serving::new(policy, upstream);
        Self {
            serving: RefCell::new(Rc::new(serving)),
            newest: RefCell::new(newest),
            drain,
            used: Notify::default(),
        }
    }

    /// Begins a request, and gives what it is decided by.
    pub fn begin(&self) -> Rc<Serving> {
        self.used.notify_one();
        self.serving()
    }

    /// What a request that begins now is decided by.
    pub fn serving(&self) -> Rc<Serving> {
        // The sender lives as long as the process.
        if self.newest.borrow().has_changed().unwrap_or(false) {
            self.renew();
        }
        Rc::clone(&self.serving.borrow())
    }

    #[cold]
    fn renew(&self) {
        let policy = Arc::clone(&self.newest.borrow_mut().borrow_and_update());
        let renewed = self.serving.borrow().renewed(policy);
        self.serving.replace(Rc::new(renewed));
    }

    /// Renews as soon as there is something newer, so that a worker without requests does not keep
    /// the old.
    async fn follow(self: Rc<Self>) {
        let mut newest = self.newest.borrow().clone();
        while newest.changed().await.is_ok() {
            drop(self.serving());
        }
    }

    /// Gives back what a burst of requests leaves behind. Where nothing happens it sleeps.
    async fn tidy(self: Rc<Self>) {
        loop {
            self.used.notified().await;
            loop {
                tokio::time::sleep(KEPT_FOR).await;
                let closed = self.serving.borrow().upstream.tidy();
                let is_used = self.used.notified().now_or_never().is_some();
                if closed == 0 && !is_used {
                    break;
                }
            }
            give_memory_back();
        }
    }
}

/// Has the allocator give back to the system what is free. It does so, of the thread that asks, before it
/// says that there is no more; so it is asked for more than there can be.
fn give_memory_back() {
    let mut more = Vec::<u8>::new();
    let refused = more.try_reserve_exact(isize::MAX.unsigned_abs());
    debug_assert!(refused.is_err(), "half of all addresses are not to be had");
    black_box(more);
}

impl Serving {
    fn new(policy: Arc<Policy>, upstream: Rc<Upstream>) -> Self {
        let (daemon, look_ups) = Daemon::new();
        // It ends with the last request that could look something up.
        tokio::task::spawn_local(look_up_all(Rc::clone(&upstream), look_ups));
        let instances = Instances::new(Arc::clone(&policy.plugins));
        Self { policy, instances, daemon, upstream }
    }

    /// With another policy. The connections to the daemon are kept if it is still the same.
    fn renewed(&self, policy: Arc<Policy>) -> Self {
        let (old, new) = (&self.policy.requests, &policy.requests);
        let same = old.upstream.is_same(&new.upstream) && old.patience == new.patience;
        let upstream = if same {
            Rc::clone(&self.upstream)
        } else {
            self.upstream.retire();
            Upstream::new(new.upstream.clone(), new.patience)
        };
        Self::new(policy, upstream)
    }
}

/// A connection that was accepted, on its way to a worker.
pub struct Accepted {
    /// The connection.
    pub stream: Stream,
    /// Who is at the other end.
    pub client: Client,
    /// What tells in which container it runs. None while nobody wants to know.
    pub origin: Option<Origin>,
    /// What TCP is answered with, if that is TLS.
    pub tls: Option<tls::Server>,
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

impl Stream {
    /// What tells in which container the other end runs.
    pub fn origin(&self, peer: &Peer, accepted: SystemTime) -> Origin {
        match self {
            Self::Tcp(stream) => Origin::of(peer, stream.as_fd(), accepted),
            Self::Unix(stream) => Origin::of(peer, stream.as_fd(), accepted),
        }
    }
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
    policy: watch::Receiver<Arc<Policy>>,
    drain: watch::Receiver<bool>,
) -> io::Result<Handle> {
    let (queue, connections) = mpsc::unbounded_channel();
    let load = Arc::new(AtomicUsize::new(0));
    let our_load = Arc::clone(&load);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
        let local = LocalSet::new();
        local.block_on(&runtime, async {
            let worker = Rc::new(Worker::new(policy, drain));
            serve(worker, connections, our_load).await;
        });
        // With it ends what is still under way, and is recorded.
        drop(local);
        log::flush();
    })?;
    Ok(Handle { queue, load, thread })
}

/// Asks the daemon what plugins want to know.
pub async fn look_up_all(upstream: Rc<Upstream>, mut look_ups: mpsc::UnboundedReceiver<LookUp>) {
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
    tokio::task::spawn_local(Rc::clone(&worker).follow());
    tokio::task::spawn_local(Rc::clone(&worker).tidy());
    while let Some(Accepted { stream, client, origin, tls, place }) = connections.recv().await {
        let worker = Rc::clone(&worker);
        let load = Arc::clone(&load);
        tokio::task::spawn_local(async move {
            let words = client.to_string();
            if let Err(error) = serve_one(stream, client, origin, tls, Rc::clone(&worker)).await {
                tracing::warn!(client = words, "a connection could not be served: {error}");
            }
            worker.used.notify_one();
            load.fetch_sub(1, Ordering::Relaxed);
            drop(place);
        });
    }
}

async fn serve_one(
    stream: Stream,
    client: Client,
    origin: Option<Origin>,
    tls: Option<tls::Server>,
    worker: Rc<Worker>,
) -> io::Result<()> {
    match stream {
        Stream::Tcp(stream) => {
            let stream = TcpStream::from_std(stream)?;
            let Some(tls) = tls else {
                connection::serve(stream, Who::new(client, origin), worker).await;
                return Ok(());
            };
            let time = worker.serving().policy.requests.head.time;
            let mut drain = worker.drain.clone();
            let (stream, certificate) = tokio::select! {
                accepted = tls.accept(stream, time) => accepted?,
                // Whoever has not asked for anything yet is left at once.
                _ = drain.wait_for(|drain| *drain) => return Ok(()),
            };
            // Rare and large: apart, so that the future of an ordinary connection is small.
            let who = Who::new(Client { certificate, ..client }, origin);
            Box::pin(connection::serve(stream, who, worker)).await;
        }
        Stream::Unix(stream) => {
            let who = Who::new(client, origin);
            connection::serve(UnixStream::from_std(stream)?, who, worker).await;
        }
    }
    Ok(())
}
