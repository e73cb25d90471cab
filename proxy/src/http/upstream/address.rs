//! Where the daemon is.

use std::{fmt, io, net::SocketAddr, path::PathBuf, time::Duration};

use rustls::pki_types::{IpAddr, ServerName};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixStream, lookup_host};

use super::Stream;
use crate::tls;

/// When a daemon that is too busy to be connected to is asked again.
const AGAIN: Duration = Duration::from_millis(5);
/// How long nothing may come over the network before the system asks whether the daemon's is still
/// there, and again. What stands between forgets a connection after some minutes of silence.
const SILENCE: Duration = Duration::from_secs(30);

/// Where the daemon is, and what is spoken there below HTTP.
#[derive(Clone, Debug)]
pub enum Address {
    /// A unix socket.
    Unix(PathBuf),
    /// A port of a host.
    Tcp(Host),
    /// The same, with TLS.
    Tls(Host, tls::Client),
}

/// A port of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The name or the IP address, which is also what the certificate must be for.
    name: ServerName<'static>,
    port: u16,
}

impl Address {
    /// Reads `unix:///PATH`, a path, and `tcp://HOST[:PORT]`, where `tls` is what is spoken if there
    /// is one.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub fn new(text: &str, tls: Option<tls::Client>) -> Result<Self, String> {
        if let Some(host) = text.strip_prefix("tcp://") {
            return match tls {
                None => Ok(Self::Tcp(Host::new(host, PORT)?)),
                Some(tls) => Ok(Self::Tls(Host::new(host, TLS_PORT)?, tls)),
            };
        }
        let path = PathBuf::from(text.strip_prefix("unix://").unwrap_or(text));
        match (path.is_absolute(), tls) {
            (true, None) => Ok(Self::Unix(path)),
            (true, Some(_)) => {
                Err("is a unix socket, which speaks no TLS: write tcp://HOST:2376".to_owned())
            }
            (false, _) => Err("is no address of a Docker daemon: write \
                               unix:///var/run/docker.sock or tcp://HOST:2376"
                .to_owned()),
        }
    }

    /// Whether connections to one are as good as to the other. With TLS they are not: what is in its
    /// files may have changed.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unix(one), Self::Unix(other)) => one == other,
            (Self::Tcp(one), Self::Tcp(other)) => one == other,
            _ => false,
        }
    }

    /// Connects, and shakes hands where that is TLS.
    ///
    /// # Errors
    /// What the system says, or TLS.
    pub async fn connect(&self) -> io::Result<Stream> {
        match self {
            Self::Unix(path) => {
                // As soon as the daemon's queue has a place: the system lets no socket wait for one
                // that is not to block.
                loop {
                    match UnixStream::connect(path).await {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            tokio::time::sleep(AGAIN).await;
                        }
                        connected => return connected.map(Stream::Unix),
                    }
                }
            }
            Self::Tcp(host) => host.connect().await.map(Stream::Tcp),
            Self::Tls(host, tls) => {
                let stream = host.connect().await?;
                let stream = tls.connect(host.name.clone(), stream).await?;
                Ok(Stream::Tls(Box::new(stream)))
            }
        }
    }
}

/// The ports that Docker has for TCP, and for TLS.
const PORT: u16 = 2375;
const TLS_PORT: u16 = 2376;

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(host) | Self::Tls(host, _) => write!(f, "tcp://{host}"),
        }
    }
}

impl Host {
    fn new(text: &str, default: u16) -> Result<Self, String> {
        let wrong = || {
            "is no host with a port: write tcp://docker.example.com:2376, tcp://10.0.0.5:2376 or \
             tcp://[fd00::5]:2376"
                .to_owned()
        };
        let text = text.strip_suffix('/').unwrap_or(text);
        // What is in brackets has colons of its own.
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => {
                let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
                (name, port.parse().ok().filter(|port| is_number && *port > 0).ok_or_else(wrong)?)
            }
            _ => (text, default),
        };
        let bare = match name.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').filter(|name| name.contains(':')),
            None => Some(name).filter(|name| !name.contains(':')),
        };
        let name = ServerName::try_from(bare.ok_or_else(wrong)?).map_err(|_| wrong())?.to_owned();
        Ok(Self { name, port })
    }

    /// To the first of its IP addresses that accepts.
    async fn connect(&self) -> io::Result<TcpStream> {
        let mut refused = None;
        for address in lookup_host((&*self.name.to_str(), self.port)).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    let alive = TcpKeepalive::new().with_time(SILENCE).with_interval(SILENCE);
                    SockRef::from(&stream).set_tcp_keepalive(&alive)?;
                    return Ok(stream);
                }
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.unwrap_or_else(|| io::Error::other("its name has no address")))
    }
}

impl From<SocketAddr> for Host {
    fn from(address: SocketAddr) -> Self {
        Self { name: ServerName::IpAddress(address.ip().into()), port: address.port() }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            ServerName::IpAddress(IpAddr::V6(_)) => {
                write!(f, "[{}]:{}", self.name.to_str(), self.port)
            }
            name => write!(f, "{}:{}", name.to_str(), self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_the_forms_of_docker() {
        for (text, address) in [
            ("/var/run/docker.sock", "unix:///var/run/docker.sock"),
            ("unix:///run/a.sock", "unix:///run/a.sock"),
            ("tcp://10.0.0.5:1", "tcp://10.0.0.5:1"),
            ("tcp://10.0.0.5", "tcp://10.0.0.5:2375"),
            ("tcp://docker.example.com:2376/", "tcp://docker.example.com:2376"),
            ("tcp://docker_in_docker", "tcp://docker_in_docker:2375"),
            ("tcp://[fd00::5]:2376", "tcp://[fd00::5]:2376"),
            ("tcp://[::1]", "tcp://[::1]:2375"),
        ] {
            assert_eq!(Address::new(text, None).map(|a| a.to_string()).as_deref(), Ok(address));
        }
    }

    #[test]
    fn what_is_no_address_is_told_what_to_write() {
        for text in [
            "",
            "docker.sock",
            "unix://docker.sock",
            "10.0.0.5:2375",
            "http://a:1",
            "ssh://a",
            "tcp://",
            "tcp://:2375",
            "tcp://a:",
            "tcp://a:0",
            "tcp://a:+1",
            "tcp://a:65536",
            "tcp://a/v1.44",
            "tcp://u@a:1",
            "tcp://a b:1",
            "tcp://::1:2375",
            "tcp://[a]:1",
            "tcp://[::1",
            "tcp://a:1:2",
        ] {
            let wrong = Address::new(text, None).unwrap_err();
            assert!(wrong.contains(": write "), "{text}: {wrong}");
        }
    }
}
