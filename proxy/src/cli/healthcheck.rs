//! `dockgate healthcheck`: for a container image that has no shell.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::Place;
use crate::{
    config::{self, Config, Problems, flags, report},
    error::Error,
    http::upstream,
    listener, settings,
};

/// Where the proxy and the daemon are.
#[derive(Clone, Debug, Args)]
pub struct Healthcheck {
    /// The configuration file of the proxy, in place of the other options
    #[arg(long, value_name = "FILE", env = "DOCKGATE_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

const PATIENCE: Duration = Duration::from_secs(5);

/// What is asked.
struct Asked {
    listener: listener::Address,
    /// Whether it answers TLS alone. Who asks here has no certificate: that it accepts is all there is
    /// to see.
    speaks_tls: bool,
    daemon: upstream::Address,
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
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::System { what: "the health check", error })?
            .block_on(check(&asked))
    }
}

fn on_command_line(place: &Place) -> Result<Asked, Error> {
    let listeners = flags::addresses(place)?;
    let written = flags::upstream(place)?;
    let mut problems = Problems::default();
    let daemon = settings::daemon(&written, Path::new(""), &mut problems)
        .ok_or_else(|| Error::Flags(problems.first()))?;
    let listener = listeners.into_iter().next().ok_or_else(nowhere)?;
    Ok(Asked { listener, speaks_tls: false, daemon })
}

/// Of what the file says only the addresses: plugins are none of this.
fn in_file(file: &Path) -> Result<Asked, Error> {
    let mut read = config::read(file)?;
    let base = file.parent().unwrap_or(Path::new(""));
    let asked = read.mean(|config, problems| {
        let daemon = settings::daemon(&config.upstream, base, problems)?;
        let (listener, speaks_tls) = easiest(config)?;
        Some(Asked { listener, speaks_tls, daemon })
    });
    match asked {
        Some(asked) => Ok(asked),
        None if !read.problems.are_fatal() => Err(nowhere()),
        None => Err(Error::Config {
            text: report::text(&read.problems, &read.document, false),
            lines: report::lines(&read.problems, &read.document),
        }),
    }
}

/// A listener to be asked at, better one without TLS.
fn easiest(config: &Config) -> Option<(listener::Address, bool)> {
    let listeners = config.listeners.values();
    let read = listeners.filter_map(|one| Some((one.address.parse().ok()?, one.tls.is_some())));
    read.min_by_key(|(_, speaks_tls)| *speaks_tls)
}

fn nowhere() -> Error {
    Error::Unhealthy("it listens nowhere".to_owned())
}

async fn check(Asked { listener, speaks_tls, daemon }: &Asked) -> Result<(), Error> {
    let unhealthy = |what: &str, why: String| Error::Unhealthy(format!("{what}: {why}"));
    let (proxy, here) = (listener.to_string(), within(listener));
    let status = if *speaks_tls { accepts(&here).await } else { ping(&here).await };
    match status.map_err(|why| unhealthy(&proxy, why))? {
        200 => Ok(()),
        403 => match ping(daemon).await.map_err(|why| unhealthy("the daemon", why))? {
            200 => Ok(()),
            status => Err(unhealthy("the daemon", format!("it answers a ping with {status}"))),
        },
        status => Err(unhealthy(&proxy, format!("it answers a ping with {status}"))),
    }
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

/// As if a ping was refused, where there is somebody to refuse it.
async fn accepts(address: &upstream::Address) -> Result<u16, String> {
    let connected = timeout(PATIENCE, address.connect()).await.map_err(|_| slow())?;
    connected.map(|_| 403).map_err(|error| error.to_string())
}

/// The status of the answer to a ping.
async fn ping(address: &upstream::Address) -> Result<u16, String> {
    let answer = timeout(PATIENCE, first_line(address)).await;
    let line = answer.map_err(|_| slow())??;
    std::str::from_utf8(&line)
        .ok()
        .and_then(|line| line.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok())
        .ok_or_else(|| "the answer is not HTTP".to_owned())
}

fn slow() -> String {
    format!("no answer within {} seconds", PATIENCE.as_secs())
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
