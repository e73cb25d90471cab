//! `dockgate healthcheck`: for a container image that has no shell.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::Place;
use crate::{
    config::{Problems, flags},
    error::Error,
    http::upstream,
    listener, settings,
};

const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the proxy for a ping. Where it refuses that, it serves all the same, and the daemon is
/// asked past it.
///
/// # Errors
/// [`Error::Unhealthy`] with what is wrong.
pub fn run(place: &Place) -> Result<(), Error> {
    let listeners = flags::addresses(place)?;
    let written = flags::upstream(place)?;
    let mut problems = Problems::default();
    let daemon = settings::daemon(&written, Path::new(""), &mut problems)
        .ok_or_else(|| Error::Flags(problems.first()))?;
    let Some(listener) = listeners.first() else {
        return Err(Error::Unhealthy("it listens nowhere".to_owned()));
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::System { what: "the health check", error })?
        .block_on(check(listener, &daemon))
}

async fn check(listener: &listener::Address, daemon: &upstream::Address) -> Result<(), Error> {
    let unhealthy = |what: &str, why: String| Error::Unhealthy(format!("{what}: {why}"));
    let proxy = listener.to_string();
    match ping(&within(listener)).await.map_err(|why| unhealthy(&proxy, why))? {
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

/// The status of the answer to a ping.
async fn ping(address: &upstream::Address) -> Result<u16, String> {
    let answer = tokio::time::timeout(PATIENCE, first_line(address)).await;
    let line = answer.map_err(|_| format!("no answer within {} seconds", PATIENCE.as_secs()))??;
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
