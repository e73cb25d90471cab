//! `dockgate`: load, listen, serve, drain.

use std::{fmt::Write as _, io::Write as _, path::PathBuf, sync::Arc, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    net::UnixListener,
    signal::unix::{SignalKind, signal},
    sync::{Semaphore, watch},
};

use super::{Serve, load::load_all};
use crate::{
    error::Error,
    http::upstream::Address,
    listener::Listener,
    log::{self, Format},
    plugin::Loaded,
    settings::Settings,
    worker::{self, Accepted, Handle},
};

/// How long an accept that the system refuses is put off.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until it is told to end.
///
/// # Errors
/// Whatever keeps it from starting.
pub fn run(serve: &Serve) -> Result<(), Error> {
    let mut settings = Settings::new(serve)?;
    log::init(settings.log_format, settings.log_level);
    let demo = if serve.demo { Some(Demo::start()?) } else { None };
    if let Some(demo) = &demo {
        settings.requests.upstream = Address::Unix(demo.socket.clone());
    }
    let plugins = load_all(&settings)?;
    announce(&plugins, settings.log_format);
    raise_file_limit(settings.connections);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::System { what: "the main thread", error })?;
    runtime.block_on(serve_until_told(settings, plugins))
}

async fn serve_until_told(settings: Settings, plugins: Arc<[Loaded]>) -> Result<(), Error> {
    // Before the log says that it listens, which is when others may begin to tell it.
    let mut told = Told::new()?;
    let listeners = open_all(&settings)?;
    let (drain, draining) = watch::channel(false);
    let workers = (0..settings.workers)
        .map(|n| {
            worker::start(n, settings.requests.clone(), Arc::clone(&plugins), draining.clone())
        })
        .collect::<Result<Vec<_>, _>>()
        .map(Arc::new)
        .map_err(|error| Error::System { what: "a worker's thread", error })?;
    let places = Arc::new(Semaphore::new(settings.connections as usize));
    let accepting: Vec<_> = listeners
        .into_iter()
        .map(|listener| {
            tokio::spawn(accept_all(listener, Arc::clone(&workers), Arc::clone(&places)))
        })
        .collect();
    told.wait().await;
    tracing::info!("ending: requests under way have {} seconds", settings.grace.as_secs_f32());
    for listener in accepting {
        listener.abort();
        // Only when it has gone is its socket closed.
        let _ = listener.await;
    }
    // The workers hold receivers.
    let _ = drain.send(true);
    tokio::select! {
        _ = places.acquire_many(settings.connections) => {}
        () = tokio::time::sleep(settings.grace) => {
            let left = settings.connections as usize - places.available_permits();
            tracing::warn!("closing {left} connections that are still open");
        }
        () = told.wait() => tracing::warn!("told twice: closing at once"),
    }
    if let Some(workers) = Arc::into_inner(workers) {
        workers.into_iter().for_each(Handle::end);
    }
    for plugin in plugins.iter().filter(|plugin| plugin.failures() > 0) {
        let (plugin, failures) = (plugin.name(), plugin.failures());
        tracing::warn!(plugin, failures, "it failed so often since the start");
    }
    tracing::info!("ended");
    Ok(())
}

/// Gives each client of a listener to the worker that has the fewest.
async fn accept_all(listener: Listener, workers: Arc<Vec<Handle>>, places: Arc<Semaphore>) {
    loop {
        match listener.accept().await {
            Ok((stream, client)) => {
                // Not before: a listener that waits must not keep a place from the others. The
                // semaphore is never closed.
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                if let Some(worker) = workers.iter().min_by_key(|worker| worker.load()) {
                    worker.take(Accepted { stream, client, place });
                }
            }
            Err(error) => {
                tracing::warn!("a client could not be accepted: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn open_all(settings: &Settings) -> Result<Vec<Listener>, Error> {
    let open = |address| Listener::open(address, settings.access);
    let listeners = settings.addresses.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    for Listener { address, .. } in &listeners {
        tracing::info!("listening on {address}");
        if address.is_open() {
            tracing::info!("whoever can reach {address} has the permissions above");
        }
    }
    tracing::info!("in front of {}", settings.requests.upstream);
    Ok(listeners)
}

/// Shows what is permitted, and what the plugins find odd in their settings.
fn announce(plugins: &[Loaded], format: Format) {
    for plugin in plugins {
        let name = plugin.name();
        if !plugin.permissions().is_empty() {
            match format {
                Format::Text { .. } => print_table(plugin),
                Format::Json => log_table(plugin),
            }
        }
        for problem in plugin.problems() {
            tracing::warn!(plugin = name, subject = problem.subject, "{}", problem.message);
        }
    }
    let chain: Vec<_> = plugins.iter().map(Loaded::name).collect();
    tracing::info!("the chain of plugins: {}", chain.join(", "));
}

fn print_table(plugin: &Loaded) {
    let (open, shut): (Vec<_>, Vec<_>) = plugin.permissions().iter().partition(|p| p.open);
    let width = open.iter().map(|p| p.name.len() + p.value.len() + 1).max().unwrap_or(0);
    let mut table = format!("Permitted by {}:\n", plugin.name());
    for permission in &open {
        let setting = format!("{}={}", permission.name, permission.value);
        let _ = writeln!(table, "  {setting:<width$}  {}", permission.exposes);
    }
    if open.is_empty() {
        table.push_str("  nothing\n");
    }
    let names: Vec<_> = shut.iter().map(|permission| permission.name.as_str()).collect();
    table.push_str("Not permitted:\n");
    for line in names.chunks(8) {
        let _ = writeln!(table, "  {}", line.join(" "));
    }
    // Nobody is left to tell that standard output is gone.
    let _ = std::io::stdout().lock().write_all(table.as_bytes());
}

fn log_table(plugin: &Loaded) {
    for permission in plugin.permissions().iter().filter(|permission| permission.open) {
        tracing::info!(
            plugin = plugin.name(),
            permission = permission.name,
            value = permission.value,
            "open: {}",
            permission.exposes
        );
    }
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

/// SIGTERM and SIGINT.
struct Told {
    term: tokio::signal::unix::Signal,
    int: tokio::signal::unix::Signal,
}

impl Told {
    fn new() -> Result<Self, Error> {
        let on = |kind| signal(kind).map_err(|error| Error::System { what: "a signal", error });
        Ok(Self { term: on(SignalKind::terminate())?, int: on(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

/// The small engine inside, on a socket of its own that goes when the proxy ends.
struct Demo {
    socket: PathBuf,
    folder: PathBuf,
}

impl Demo {
    fn start() -> Result<Self, Error> {
        let system = |error| Error::System { what: "the engine inside", error };
        let folder = std::env::temp_dir().join(format!("dockgate-demo-{}", std::process::id()));
        std::fs::DirBuilder::new().create(&folder).map_err(system)?;
        let socket = folder.join("docker.sock");
        let demo = Self { socket: socket.clone(), folder };
        let listener = std::os::unix::net::UnixListener::bind(&socket).map_err(system)?;
        listener.set_nonblocking(true).map_err(system)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
        std::thread::Builder::new()
            .name("demo-engine".to_owned())
            .spawn(move || {
                let served = runtime.block_on(async {
                    let listener = UnixListener::from_std(listener)?;
                    dockgate_demo_engine::Engine::new().serve(listener).await
                });
                if let Err(error) = served {
                    tracing::error!("the engine inside ended: {error}");
                }
            })
            .map_err(system)?;
        Ok(demo)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Only the socket is in it.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
