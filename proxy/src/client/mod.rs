//! Who sent a request, as far as the proxy knows by itself: nothing here is taken from what a client
//! says of itself.

mod cgroup;
mod containers;
pub mod directory;
mod process;

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

/// A client: where it came in, and what is known of the other end of its connection.
#[derive(Clone, Debug)]
pub struct Client {
    /// The name of the listener in the configuration.
    pub listener_name: Arc<str>,
    /// Its address: `tcp://[::]:2375`, `unix:///run/dockgate.sock`.
    pub listener: Arc<str>,
    /// The other end of the connection.
    pub peer: Peer,
    /// The certificate that it proved to have.
    pub certificate: Option<Arc<Certificate>>,
    /// The container that it runs in, as the daemon tells it. None as well where that can't be
    /// established.
    pub container: Option<Arc<Container>>,
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub enum Peer {
    /// An address of the Internet protocols.
    Tcp(SocketAddr),
    /// A process on this machine, as the kernel tells it. None where it does not.
    Unix(Option<Process>),
}

/// A process at the other end of a unix socket, when it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its number. None where it has none in the proxy's own namespace of processes.
    pub pid: Option<u32>,
}

/// A client's certificate, checked against the authorities of its listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The subject in the form of RFC 4514: `CN=ci,O=Example`.
    pub subject: String,
    /// The names in its subject alternative name: of hosts, addresses, e-mail addresses, URIs.
    pub names: Vec<String>,
    /// SHA-256 of its public key (the `SubjectPublicKeyInfo` in DER), in lower-case hexadecimal.
    pub pin: String,
}

/// A container of the daemon's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its id, 64 hexadecimal digits.
    pub id: String,
    /// Its name, without the slash that the API puts before it.
    pub name: String,
    /// The image that it was made from, as whoever made it wrote it.
    pub image: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

impl Container {
    /// The compose project that it belongs to.
    pub fn project(&self) -> Option<&str> {
        self.labels.get("com.docker.compose.project").map(String::as_str)
    }

    /// The service of the compose project.
    pub fn service(&self) -> Option<&str> {
        self.labels.get("com.docker.compose.service").map(String::as_str)
    }
}

impl Client {
    /// One of whom only the other end of its connection is known.
    pub fn new(listener_name: Arc<str>, listener: Arc<str>, peer: Peer) -> Self {
        Self { listener_name, listener, peer, certificate: None, container: None }
    }

    /// The address without the port, a mapped IPv4 address as what it is.
    pub fn address(&self) -> Option<IpAddr> {
        match self.peer {
            Peer::Tcp(address) => Some(address.ip().to_canonical()),
            Peer::Unix(_) => None,
        }
    }

    /// The process at the other end of a unix socket.
    pub fn process(&self) -> Option<Process> {
        match self.peer {
            Peer::Tcp(_) => None,
            Peer::Unix(process) => process,
        }
    }
}

impl fmt::Display for Client {
    /// For the log: an address with its port, or `uid=1000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.peer {
            Peer::Tcp(address) => {
                SocketAddr::new(address.ip().to_canonical(), address.port()).fmt(f)
            }
            Peer::Unix(Some(process)) => write!(f, "uid={}", process.uid),
            Peer::Unix(None) => f.write_str("unix"),
        }
    }
}
