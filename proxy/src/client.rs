//! Who sent a request, as far as the proxy knows by itself.

use std::{fmt, net::IpAddr, sync::Arc};

/// A client: where it came in, and what its connection says of it.
#[derive(Clone, Debug)]
pub struct Client {
    /// The listener: `tcp://[::]:2375`, `unix:///run/dockgate.sock`.
    pub listener: Arc<str>,
    /// The other end of the connection.
    pub peer: Peer,
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub enum Peer {
    /// An address of the Internet protocols.
    Tcp(std::net::SocketAddr),
    /// A process on this machine: its user and group, from the kernel. None where the kernel does
    /// not say.
    Unix(Option<(u32, u32)>),
}

impl Client {
    /// The address without the port, a mapped IPv4 address as what it is.
    pub fn address(&self) -> Option<IpAddr> {
        match self.peer {
            Peer::Tcp(address) => Some(address.ip().to_canonical()),
            Peer::Unix(_) => None,
        }
    }

    /// User and group.
    pub fn unix_user(&self) -> Option<(u32, u32)> {
        match self.peer {
            Peer::Tcp(_) => None,
            Peer::Unix(user) => user,
        }
    }
}

impl fmt::Display for Client {
    /// For the log: an address with its port, or `uid=1000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.peer {
            Peer::Tcp(address) => {
                std::net::SocketAddr::new(address.ip().to_canonical(), address.port()).fmt(f)
            }
            Peer::Unix(Some((uid, _))) => write!(f, "uid={uid}"),
            Peer::Unix(None) => f.write_str("unix"),
        }
    }
}
