//! `dockgate healthcheck`: for a container image that has no shell.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use super::Place;
use crate::{config::flags, error::Error, listener::Address};

const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the proxy for a ping. Where it refuses that, it serves all the same, and the daemon is
/// asked past it.
///
/// # Errors
/// [`Error::Unhealthy`] with what is wrong.
pub fn run(place: &Place) -> Result<(), Error> {
    let listeners = flags::addresses(place)?;
    let socket = flags::socket(place)?;
    let unhealthy = |what: &str, why: String| Error::Unhealthy(format!("{what}: {why}"));
    let Some(address) = listeners.first() else {
        return Err(Error::Unhealthy("it listens nowhere".to_owned()));
    };
    let proxy = address.to_string();
    match ping(address).map_err(|why| unhealthy(&proxy, why))? {
        200 => Ok(()),
        403 => match ping_unix(&socket).map_err(|why| unhealthy("the daemon", why))? {
            200 => Ok(()),
            status => Err(unhealthy("the daemon", format!("it answers a ping with {status}"))),
        },
        status => Err(unhealthy(&proxy, format!("it answers a ping with {status}"))),
    }
}

fn ping(address: &Address) -> Result<u16, String> {
    match address {
        Address::Unix(path) => ping_unix(path),
        Address::Tcp(address) => {
            let stream = TcpStream::connect_timeout(&within(*address), PATIENCE);
            let stream = stream.map_err(|error| error.to_string())?;
            let limited = stream.set_read_timeout(Some(PATIENCE));
            limited.map_err(|error| error.to_string())?;
            ask(stream)
        }
    }
}

fn ping_unix(path: &Path) -> Result<u16, String> {
    let stream = UnixStream::connect(path).map_err(|error| error.to_string())?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
    ask(stream)
}

/// From here, every address is this machine's own.
fn within(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        // `[::]` takes IPv4 as well, and is all that is left on a machine without IPv6.
        ip if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The status of the answer to a ping.
fn ask(mut stream: impl Read + Write) -> Result<u16, String> {
    let request = b"HEAD /_ping HTTP/1.1\r\nHost: dockgate\r\nConnection: close\r\n\r\n";
    stream.write_all(request).map_err(|error| error.to_string())?;
    let mut line = [0; 12];
    stream.read_exact(&mut line).map_err(|error| format!("no answer: {error}"))?;
    std::str::from_utf8(&line)
        .ok()
        .and_then(|line| line.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok())
        .ok_or_else(|| "the answer is not HTTP".to_owned())
}
