//! `dockgate healthcheck`: for a container image that has no shell.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Place, event_loop};
use crate::{
    config::{self, Config, Problems, flags},
    error::Error,
    http::upstream,
    listener, settings,
};

const PATIENCE: Duration = Duration::from_secs(5);

/// Where the proxy is, and the daemon.
#[derive(Clone, Debug, Args)]
pub struct Healthcheck {
    /// The configuration file of the proxy, in place of --listen and --upstream
    #[arg(long, value_name = "FILE", env = "DOCKGATE_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// Whom to ask.
struct Asked {
    proxy: Entrance,
    daemon: upstream::Address,
}

/// A listener of the proxy.
struct Entrance {
    address: listener::Address,
    /// There a ping would need a certificate that the daemon's clients have, and we don't.
    has_tls: bool,
}

impl Healthcheck {
    /// Asks the proxy for a ping. Where it refuses that, it serves all the same, and the daemon is
    /// asked past it.
    ///
    /// # Errors
    /// [`Error::Unhealthy`] with what is wrong.
    pub fn run(&self) -> Result<(), Error> {
        let asked = match &self.config {
            Some(file) => in_file(file)?,
            None => on_command_line(&self.place)?,
        };
        event_loop("the health check")?.block_on(check(&asked))
    }
}

fn on_command_line(place: &Place) -> Result<Asked, Error> {
    let mut problems = Problems::default();
    let daemon = settings::daemon(&flags::upstream(place)?, Path::new(""), &mut problems);
    let daemon = daemon.ok_or_else(|| Error::Flags(problems.first()))?;
    let address = flags::addresses(place)?.into_iter().next().ok_or_else(nowhere)?;
    Ok(Asked { proxy: Entrance { address, has_tls: false }, daemon })
}

/// What is right of a file is enough: a proxy that runs goes on when its file is broken.
fn in_file(file: &Path) -> Result<Asked, Error> {
    let mut read = config::read::<Config>(file)?;
    let mut found = None;
    read.mean(|config, problems| {
        let base = file.parent().unwrap_or(Path::new(""));
        found = settings::daemon(&config.upstream, base, problems).zip(entrance(config));
        Some(())
    });
    match found {
        Some((daemon, proxy)) => Ok(Asked { proxy, daemon }),
        None if read.problems.are_fatal() => Err(read.refused()),
        None => Err(nowhere()),
    }
}

/// The first listener without TLS, or else the first. Where the system chooses the port, nobody
/// knows it here.
fn entrance(config: &Config) -> Option<Entrance> {
    let known = config.listeners.values().filter_map(|listener| {
        let address: listener::Address = listener.address.parse().ok()?;
        let is_known = !matches!(address, listener::Address::Tcp(address) if address.port() == 0);
        is_known.then_some(Entrance { address, has_tls: listener.tls.is_some() })
    });
    known.min_by_key(|entrance| entrance.has_tls)
}

fn nowhere() -> Error {
    Error::Unhealthy("it listens nowhere".to_owned())
}

async fn check(Asked { proxy, daemon }: &Asked) -> Result<(), Error> {
    let unhealthy = |what: &str, why: String| Error::Unhealthy(format!("{what}: {why}"));
    let (name, address) = (proxy.address.to_string(), within(&proxy.address));
    if proxy.has_tls {
        // That somebody listens is all that is seen from outside.
        in_time(address.connect()).await.map_err(|why| unhealthy(&name, why))?;
    } else {
        match ping(&address).await.map_err(|why| unhealthy(&name, why))? {
            200 => return Ok(()),
            403 => {}
            status => return Err(unhealthy(&name, format!("it answers a ping with {status}"))),
        }
    }
    match ping(daemon).await.map_err(|why| unhealthy("the daemon", why))? {
        200 => Ok(()),
        status => Err(unhealthy("the daemon", format!("it answers a ping with {status}"))),
    }
}

async fn in_time<T, E: ToString>(done: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    let done = tokio::time::timeout(PATIENCE, done).await;
    let done = done.map_err(|_| format!("no answer within {} seconds", PATIENCE.as_secs()))?;
    done.map_err(|error| error.to_string())
}

/// From here, every address of the proxy is this machine's own.
fn within(listener: &listener::Address) -> upstream::Address {
    match listener {
        listener::Address::Unix(path) => upstream::Address::Unix(path.clone()),
        listener::Address::Tcp(address) => {
            let ip = match address.ip() {
                // `[::]` takes IPv4 as well, and is all that is left on a machine without IPv6.
                ip if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                ip => ip,
            };
            upstream::Address::Tcp(SocketAddr::new(ip, address.port()).into())
        }
    }
}

/// The status of the answer to a ping.
async fn ping(address: &upstream::Address) -> Result<u16, String> {
    let line = in_time(first_line(address)).await?;
    std::str::from_utf8(&line)
        .ok()
        .and_then(|line| line.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok())
        .ok_or_else(|| "the answer is not HTTP".to_owned())
}

/// The first line of the answer, as far as its status.
async fn first_line(address: &upstream::Address) -> Result<[u8; 12], String> {
    let mut stream = address.connect().await.map_err(|error| error.to_string())?;
    let request = b"HEAD /_ping HTTP/1.1\r\nHost: dockgate\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.map_err(|error| error.to_string())?;
    stream.flush().await.map_err(|error| error.to_string())?;
    let mut line = [0; 12];
    stream.read_exact(&mut line).await.map_err(|error| format!("no answer: {error}"))?;
    Ok(line)
}
