//! Which container a client runs in, as the daemon tells it now.
//!
//! A client is established by what it can't choose: the address that the daemon gave its container,
//! or the cgroup that the daemon put its process into. The directory follows the events of the daemon
//! to know whom to ask about, and then asks: nobody has an identity that the daemon does not confirm
//! at this moment. Where the daemon is away, takes longer than five seconds or leaves a doubt, there is
//! none.
//!
//! An address is as good as the network. Whoever else is in it may have `NET_RAW`, which Docker gives
//! to all containers by default, and answer for an address that is not its own. Clients that must not
//! be taken for one another are in networks of their own, or without that capability. What uses the
//! address of another container, by `--network container:…`, can't be told from it, and then neither
//! has an identity; nor has what comes by way of a gateway or the host's own network.
//!
//! Since when a container has its address is what the directory saw, and where it was not there to see,
//! when the container started, by the clock of the daemon: one on another machine needs a clock that
//! is right. What became of addresses while the daemon's events could not be followed is not seen: a
//! container that got an address then without being started has it from its start on.

use std::{
    cell::Cell,
    convert::Infallible,
    future::poll_fn,
    net::IpAddr,
    os::fd::BorrowedFd,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::BytesMut;
use http::{StatusCode, Uri};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Limited};
use serde::de::DeserializeOwned;
use tokio::{
    sync::{Mutex, Semaphore, mpsc, oneshot, watch},
    time::{Instant, timeout},
};

use super::{
    Container, Peer,
    cgroup::Cgroups,
    containers::{Behind, Containers, Event, Inspected},
    process,
};
use crate::{
    http::upstream::{Leased, Upstream},
    request::{Inspect, Resource},
};

/// How long it may take to establish who a client is.
const ESTABLISHED_WITHIN: Duration = Duration::from_secs(5);
/// How much the daemon may say of all its containers, or networks, in bytes.
const LISTED: usize = 32 << 20;
/// The largest event, in bytes: all labels of a container are in it.
const LARGEST_EVENT: usize = 1 << 20;
/// How many clients may be asked about at a time, and how many more may wait for that.
const WAITING: usize = 1024;
/// How many containers the daemon is asked about at a time.
const ASKED_AT_ONCE: usize = 16;
/// After how long the containers are listed again though no event came: events can be lost.
const STALE: Duration = Duration::from_secs(30);
/// How long a daemon that went away is left alone at first, and at the most.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];
/// The events that change what is known here.
const EVENTS: &str = r#"{"type":["container","network"],"event":["create","start","die","died","destroy","remove","rename","connect","disconnect"]}"#;

/// The way to the directory, from any thread.
#[derive(Clone)]
pub struct Directory {
    shared: Arc<Shared>,
    questions: mpsc::Sender<Question>,
}

/// What the keeper and all handles see.
#[derive(Default)]
struct Shared {
    containers: RwLock<Containers>,
    generation: AtomicU64,
}

/// What tells where a client runs, as it was seen when the client was accepted. It stays good for
/// being asked about again.
#[derive(Clone, Debug)]
pub struct Origin {
    trace: Trace,
    accepted: SystemTime,
}

#[derive(Clone, Debug)]
enum Trace {
    Nothing,
    Address(IpAddr),
    Process(Cgroups),
}

impl Origin {
    /// Of the client at the other end of this socket. To be called as soon as it is accepted: a
    /// process that has ended tells nothing.
    pub fn of(peer: &Peer, socket: BorrowedFd, accepted: SystemTime) -> Self {
        let trace = match *peer {
            Peer::Tcp(address) => Trace::Address(address.ip().to_canonical()),
            Peer::Unix(process) => process
                .and_then(|process| process::cgroups(process, socket, accepted))
                .map_or(Trace::Nothing, Trace::Process),
        };
        Self { trace, accepted }
    }
}

/// Who is asked about, and where the answer goes.
struct Question {
    origin: Origin,
    answer: oneshot::Sender<Option<Arc<Container>>>,
}

impl Directory {
    /// A directory, and what keeps it: to be run on the thread of the upstream, within a `LocalSet`,
    /// for as long as anyone asks.
    pub fn start(upstream: Rc<Upstream>) -> (Self, impl Future<Output = ()> + 'static) {
        let (questions, asked) = mpsc::channel(WAITING);
        let shared = Arc::<Shared>::default();
        let keeper = Rc::new(Keeper::new(upstream, Arc::clone(&shared)));
        let kept = async move {
            tokio::select! {
                never = Rc::clone(&keeper).follow_for_ever() => match never {},
                () = keeper.answer_all(asked) => {}
            }
        };
        (Self { shared, questions }, kept)
    }

    /// The container that a client runs in, if it is established.
    pub async fn container_of(&self, origin: &Origin) -> Option<Arc<Container>> {
        let (answer, said) = oneshot::channel();
        self.questions.try_send(Question { origin: origin.clone(), answer }).ok()?;
        timeout(ESTABLISHED_WITHIN, said).await.ok()?.ok()?
    }

    /// A container that runs and was asked about since it started, as it is now: with the name that
    /// it has been given.
    pub fn by_id(&self, id: &str) -> Option<Arc<Container>> {
        self.shared.read().by_id(id)
    }

    /// A number that goes up whenever another answer may be right: a container was started, ended,
    /// renamed or connected, or the daemon went away or came back.
    pub fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
    }
}

impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, Containers> {
        self.containers.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Containers) -> T) -> T {
        let mut containers = self.containers.write().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut containers);
        self.generation.store(containers.generation(), Ordering::Release);
        changed
    }
}

/// How far the directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// The daemon has not been reached yet.
    Opening,
    /// The daemon tells what happens.
    Open,
    /// The daemon is away.
    Lost,
}

/// What keeps the directory.
struct Keeper {
    upstream: Rc<Upstream>,
    shared: Arc<Shared>,
    sight: watch::Sender<Sight>,
    /// How many events came that the lists may not show yet.
    events: Cell<u64>,
    /// When the last of them came that is of networks.
    of_networks: Cell<u64>,
    inspects: Semaphore,
    lists: Mutex<()>,
    /// How many lists were begun, and which of these was the last that came.
    begun: Cell<u64>,
    came: Cell<u64>,
    /// What the last list shows: the events that had come when it was begun, and when that was.
    shown: Cell<Option<(u64, Instant)>>,
}

impl Keeper {
    fn new(upstream: Rc<Upstream>, shared: Arc<Shared>) -> Self {
        Self {
            upstream,
            shared,
            sight: watch::Sender::new(Sight::Opening),
            events: Cell::default(),
            of_networks: Cell::default(),
            inspects: Semaphore::new(ASKED_AT_ONCE),
            lists: Mutex::default(),
            begun: Cell::default(),
            came: Cell::default(),
            shown: Cell::default(),
        }
    }

    /// Follows the daemon, whenever it is there.
    async fn follow_for_ever(self: Rc<Self>) -> Infallible {
        let [shortest, longest] = PAUSES;
        let mut pause = shortest;
        loop {
            let Err(why) = self.follow().await;
            match self.sight.send_replace(Sight::Lost) {
                Sight::Lost => {}
                Sight::Opening | Sight::Open => {
                    pause = shortest;
                    tracing::warn!("no client's container is established: {why}");
                }
            }
            self.shared.change(Containers::forget);
            self.shown.set(None);
            tokio::time::sleep(pause).await;
            pause = longest.min(pause * 2);
        }
    }

    /// Follows the events of the daemon until it ends them. They are asked for before the lists, so
    /// that nothing happens between the two.
    async fn follow(&self) -> Result<Infallible, String> {
        let mut stream = self.events().await?;
        self.list().await?;
        self.sight.send_replace(Sight::Open);
        let running = self.shared.read().running();
        tracing::info!(running, "the containers of the Docker daemon are known");
        loop {
            let event = stream.next().await?;
            let events = self.events.get() + 1;
            match self.shared.change(|containers| containers.happened(event, SystemTime::now())) {
                Behind::Nothing => {}
                Behind::Containers => self.events.set(events),
                Behind::Networks => {
                    self.events.set(events);
                    self.of_networks.set(events);
                }
            }
        }
    }

    async fn events(&self) -> Result<Events, String> {
        // The daemon may answer a moment before it listens to itself: what happened since this
        // second is told again.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let filters =
            percent_encoding::utf8_percent_encode(EVENTS, percent_encoding::NON_ALPHANUMERIC);
        let path = format!("/events?since={}&filters={filters}", since.as_secs());
        Ok(Events { daemon: self.get(&path).await?, read: BytesMut::new() })
    }

    async fn answer_all(self: Rc<Self>, mut questions: mpsc::Receiver<Question>) {
        let places = Arc::new(Semaphore::new(WAITING));
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            let Some(Question { origin, mut answer }) = questions.recv().await else { return };
            let keeper = Rc::clone(&self);
            tokio::task::spawn_local(async move {
                tokio::select! {
                    // Nobody waits any longer.
                    () = answer.closed() => {}
                    found = keeper.container_of(origin) => drop(answer.send(found)),
                }
                drop(place);
            });
        }
    }

    async fn container_of(&self, Origin { trace, accepted }: Origin) -> Option<Arc<Container>> {
        let mut sight = self.sight.subscribe();
        let sight = sight.wait_for(|sight| *sight != Sight::Opening).await.ok()?.to_owned();
        if sight == Sight::Lost {
            return None;
        }
        match trace {
            Trace::Nothing => None,
            Trace::Address(address) => self.at_address(address, accepted).await,
            Trace::Process(cgroups) => self.in_cgroups(&cgroups).await,
        }
    }

    /// The container that had this address when the client was accepted, and has it now.
    async fn at_address(&self, address: IpAddr, accepted: SystemTime) -> Option<Arc<Container>> {
        if !self.networks_are_behind() && !self.shared.read().may_have(address) {
            return None;
        }
        if self.is_behind() {
            self.list().await.ok()?;
        }
        let id = match self.candidate(address) {
            Some(id) => id,
            None => self.candidate_after_asking(address).await?,
        };
        self.is_alone(&id, accepted).await?;
        let document = self.inspect(&id).await.ok()??;
        self.shared.change(|containers| {
            containers.inspected(&document);
            // Another may have got the same address in another network meanwhile.
            containers.by_address(address).filter(|found| *found == document.id)?;
            containers.confirm(&document, address, accepted)
        })
    }

    /// Who has the address, as far as is known, if nobody else may be about to get it.
    fn candidate(&self, address: IpAddr) -> Option<String> {
        let containers = self.shared.read();
        let found = containers.by_address(address)?.to_owned();
        containers.attaching(address).is_empty().then_some(found)
    }

    /// Asks anew who has the address: the list does not show it before a container's start is over,
    /// and an inspect waits for that.
    async fn candidate_after_asking(&self, address: IpAddr) -> Option<String> {
        self.list().await.ok()?;
        let attaching = self.shared.read().attaching(address);
        for id in attaching {
            if let Some(document) = self.inspect(&id).await.ok()? {
                self.shared.change(|containers| containers.inspected(&document));
            }
        }
        self.shared.read().by_address(address).map(str::to_owned)
    }

    /// Something, if no other container uses the network of this one, or has since the client was
    /// accepted. One that is not known to run is inspected: the list may not show yet that it does.
    async fn is_alone(&self, id: &str, accepted: SystemTime) -> Option<()> {
        let sharing = self.shared.read().sharing(id);
        for other in sharing {
            let document = self.inspect(&other).await.ok()??;
            if document.ran_after(accepted) {
                return None;
            }
        }
        Some(())
    }

    /// The container that these cgroups are of. Of more than one that the daemon knows none counts:
    /// whoever may name a cgroup's parent puts himself into another container's.
    async fn in_cgroups(&self, cgroups: &Cgroups) -> Option<Arc<Container>> {
        let mut found = None;
        for id in cgroups.containers() {
            if let Some(document) = self.inspect(id).await.ok()? {
                if found.is_some() || document.id != id {
                    return None;
                }
                found = Some(document);
            }
        }
        let document = found.filter(|document| document.state.running)?;
        let first = process::cgroups_of(document.state.pid)?;
        if !cgroups.are_in(&document.id, &first) {
            return None;
        }
        self.shared.change(|containers| containers.inspected(&document));
        Some(Arc::new(document.container()))
    }

    fn networks_are_behind(&self) -> bool {
        self.shown.get().is_none_or(|(events, _)| self.of_networks.get() > events)
    }

    fn is_behind(&self) -> bool {
        self.shown
            .get()
            .is_none_or(|(events, when)| self.events.get() > events || when.elapsed() > STALE)
    }

    /// Lists the containers, and the networks where they have changed: one list at a time, which is
    /// shared by all who asked before it was begun.
    async fn list(&self) -> Result<(), String> {
        let asked = self.begun.get();
        let _turn = self.lists.lock().await;
        if self.came.get() > asked {
            return Ok(());
        }
        let this = self.begun.get() + 1;
        self.begun.set(this);
        let shows = (self.events.get(), Instant::now());
        timeout(ESTABLISHED_WITHIN, self.read_lists()).await.map_err(|_| {
            format!("the Docker daemon did not list its containers within {ESTABLISHED_WITHIN:?}")
        })??;
        self.came.set(this);
        self.shown.set(Some(shows));
        Ok(())
    }

    async fn read_lists(&self) -> Result<(), String> {
        if self.networks_are_behind() {
            let networks = self.document("/networks").await?;
            self.shared.change(|containers| containers.list_networks(networks));
        }
        let listed = self.document("/containers/json?all=true").await?;
        self.shared.change(|containers| containers.list(listed));
        Ok(())
    }

    /// What the daemon says of a container. None where it has no such.
    async fn inspect(&self, id: &str) -> Result<Option<Inspected>, String> {
        let Some(inspect) = Inspect::new(Resource::Container, id) else { return Ok(None) };
        let _place = self.inspects.acquire().await;
        let said = self.upstream.look_up(inspect).await?;
        said.map(|json| serde_json::from_str(&json)).transpose().map_err(|error| no_sense(&error))
    }

    async fn document<T: DeserializeOwned>(&self, path: &'static str) -> Result<T, String> {
        let body = Limited::new(self.get(path).await?, LISTED);
        let whole = body.collect().await.map_err(|error| format!("{path}: {error}"))?;
        serde_json::from_slice(&whole.to_bytes()).map_err(|error| no_sense(&error))
    }

    async fn get(&self, path: &str) -> Result<Leased, String> {
        let uri: Uri = path.parse().map_err(|_| format!("{path} is no path"))?;
        let response = self.upstream.get(uri, Some(ESTABLISHED_WITHIN)).await;
        let response = response.map_err(|failure| failure.to_string())?;
        match response.status() {
            StatusCode::OK => Ok(response.into_body()),
            status => Err(format!("the Docker daemon says {status} to {path}")),
        }
    }
}

fn no_sense(error: &serde_json::Error) -> String {
    format!("the Docker daemon's answer can't be read: {error}")
}

/// The stream of events: a line for each.
struct Events {
    daemon: Leased,
    read: BytesMut,
}

impl Events {
    async fn next(&mut self) -> Result<Event, String> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line = self.read.split_to(end + 1);
                if line.trim_ascii().is_empty() {
                    continue;
                }
                return serde_json::from_slice(&line).map_err(|error| no_sense(&error));
            }
            if self.read.len() > LARGEST_EVENT {
                return Err("the Docker daemon's event is too large".to_owned());
            }
            let daemon = &mut self.daemon;
            let frame = poll_fn(|cx| Pin::new(&mut *daemon).poll_frame(cx)).await;
            let frame = frame.ok_or("the Docker daemon ended the stream of its events")?;
            let frame = frame.map_err(|error| format!("the Docker daemon broke off: {error}"))?;
            self.read.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        }
    }
}
