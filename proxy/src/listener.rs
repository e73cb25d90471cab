//! Where clients come in.

use std::{
    fmt, fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use rustix::fs::Mode;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UnixListener};

use crate::{
    client::{Client, Peer, Process},
    error::Error,
    worker::Stream,
};

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// An address and a port. `[::]` takes IPv4 as well.
    Tcp(SocketAddr),
    /// A path.
    Unix(PathBuf),
}

/// Who may use a unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The permissions, as `chmod` has them.
    pub mode: u32,
    /// User and group, where they are not the proxy's own.
    pub owner: (Option<u32>, Option<u32>),
}

impl FromStr for Address {
    type Err = String;

    /// Reads `HOST:PORT`, `:PORT`, `*:PORT`, `tcp://HOST:PORT` and `unix:///PATH`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix://") {
            let path = PathBuf::from(path);
            return if path.is_absolute() {
                Ok(Self::Unix(path))
            } else {
                Err("needs an absolute path: unix:///run/dockgate.sock".to_owned())
            };
        }
        let address = text.strip_prefix("tcp://").unwrap_or(text);
        let (host, port) = address.rsplit_once(':').ok_or_else(no_address)?;
        let port = port.parse().map_err(|_| no_address())?;
        let ip = match host {
            "" | "*" => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            host => host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .parse()
                .map_err(|_| no_address())?,
        };
        Ok(Self::Tcp(SocketAddr::new(ip, port)))
    }
}

fn no_address() -> String {
    "is no address: write 127.0.0.1:2375, [::]:2375 or unix:///run/dockgate.sock".to_owned()
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

impl Address {
    /// Whether it can be reached from another machine, or another container.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Tcp(address) => !address.ip().is_loopback(),
            Self::Unix(_) => false,
        }
    }
}

/// An open listener.
pub struct Listener {
    /// Its address, with the port that the system chose for port 0.
    pub address: Address,
    words: Arc<str>,
    socket: Kind,
}

enum Kind {
    Tcp(TcpListener),
    Unix { _unlink: Unlink, socket: UnixListener },
}

/// Removes a socket's file when the listener goes, if it is still the listener's own.
struct Unlink {
    path: PathBuf,
    own: Option<(u64, u64)>,
}

impl Unlink {
    fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), own: identity(path) }
    }
}

impl Drop for Unlink {
    fn drop(&mut self) {
        if self.own.is_some() && self.own == identity(&self.path) {
            // It may be gone already.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Which file it is, whatever it is called.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

impl Listener {
    /// Opens a listener. Where `[::]` is asked for and the machine has no IPv6, `0.0.0.0` is taken.
    ///
    /// # Errors
    /// Where the system refuses the address.
    pub fn open(address: &Address, access: Access) -> Result<Self, Error> {
        match address {
            Address::Tcp(wanted) => Self::open_tcp(*wanted),
            Address::Unix(path) => Self::open_unix(path, access),
        }
    }

    fn open_tcp(wanted: SocketAddr) -> Result<Self, Error> {
        let bound = match bind_tcp(wanted) {
            Err(error) if has_no_ipv6(&error) && wanted.ip() == Ipv6Addr::UNSPECIFIED => {
                tracing::warn!("this machine has no IPv6: listening on IPv4 only");
                bind_tcp(SocketAddr::from((Ipv4Addr::UNSPECIFIED, wanted.port())))
            }
            bound => bound,
        };
        let refused = |error: io::Error| Error::Listen {
            address: Address::Tcp(wanted).to_string(),
            hint: hint(&error),
            error,
        };
        let listener = bound.and_then(TcpListener::from_std).map_err(refused)?;
        let address = Address::Tcp(listener.local_addr().map_err(refused)?);
        Ok(Self { words: address.to_string().into(), address, socket: Kind::Tcp(listener) })
    }

    fn open_unix(path: &Path, access: Access) -> Result<Self, Error> {
        let address = Address::Unix(path.to_owned());
        let refused = |error: io::Error| Error::Listen {
            address: address.to_string(),
            hint: hint(&error),
            error,
        };
        remove_stale(path).map_err(refused)?;
        // Nobody else may connect before the permissions are as they should be.
        let before = rustix::process::umask(Mode::from_raw_mode(0o177));
        let bound = UnixListener::bind(path);
        rustix::process::umask(before);
        let listener = bound.map_err(refused)?;
        let unlink = Unlink::of(path);
        access.apply(path).map_err(refused)?;
        let words = address.to_string().into();
        Ok(Self { address, words, socket: Kind::Unix { _unlink: unlink, socket: listener } })
    }

    /// Waits for a client.
    ///
    /// # Errors
    /// Where the system has no more file descriptors, or the client has gone already.
    pub async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match &self.socket {
            Kind::Tcp(socket) => {
                let (stream, address) = socket.accept().await?;
                stream.set_nodelay(true)?;
                // A client that is gone without a word must not hold a tunnel for ever.
                socket2::SockRef::from(&stream).set_keepalive(true)?;
                let stream = Stream::Tcp(stream.into_std()?);
                Ok((stream, Peer::Tcp(address)))
            }
            Kind::Unix { socket, .. } => {
                let (stream, _) = socket.accept().await?;
                let process = stream.peer_cred().ok().map(|peer| Process {
                    uid: peer.uid(),
                    gid: peer.gid(),
                    // The kernel says 0 of a process that is outside of our namespace.
                    pid: peer.pid().and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0),
                });
                let stream = Stream::Unix(stream.into_std()?);
                Ok((stream, Peer::Unix(process)))
            }
        }
    }
}

impl Listener {
    /// A client that came in here, by the name of the listener in the configuration.
    pub fn client(&self, name: &Arc<str>, peer: Peer) -> Client {
        Client::new(Arc::clone(name), Arc::clone(&self.words), peer)
    }
}

impl Access {
    /// For the proxy's own user alone.
    pub const OURS: Self = Self { mode: 0o600, owner: (None, None) };

    /// Gives a socket's file its permissions.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn apply(self, path: &Path) -> io::Result<()> {
        let (uid, gid) = self.owner;
        std::os::unix::fs::chown(path, uid, gid)?;
        fs::set_permissions(path, fs::Permissions::from_mode(self.mode))
    }
}

/// Reads the permissions of a socket, in octal.
///
/// # Errors
/// Words on what to write.
pub fn mode(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| "is no mode: write it in octal, such as 0660".to_owned())
}

/// Reads the owner of a socket: `UID:GID`, `UID` or `:GID`.
///
/// # Errors
/// Words on what to write.
pub fn owner(text: &str) -> Result<(Option<u32>, Option<u32>), String> {
    let (uid, gid) = text.split_once(':').unwrap_or((text, ""));
    let number = |part: &str| match part {
        "" => Ok(None),
        digits => digits
            .parse()
            .map(Some)
            .map_err(|_| "is no owner: write numbers, such as 1000:998".to_owned()),
    };
    Ok((number(uid)?, number(gid)?))
}

fn bind_tcp(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn has_no_ipv6(error: &io::Error) -> bool {
    let errno = rustix::io::Errno::from_io_error(error);
    errno == Some(rustix::io::Errno::AFNOSUPPORT) || errno == Some(rustix::io::Errno::ADDRNOTAVAIL)
}

/// Removes a socket that a process which is gone has left; anything else is left alone.
fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file that is no socket is there"))
        }
        Ok(_) => match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
            Err(_) => fs::remove_file(path),
        },
    }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            " (another process listens there: stop it, or choose with --listen)"
        }
        io::ErrorKind::PermissionDenied => " (ports below 1024 and folders of others need root)",
        io::ErrorKind::NotFound => " (the folder must exist)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_the_usual_forms() {
        for (text, address) in [
            ("127.0.0.1:2375", "tcp://127.0.0.1:2375"),
            ("tcp://0.0.0.0:1", "tcp://0.0.0.0:1"),
            ("[::1]:2375", "tcp://[::1]:2375"),
            (":2375", "tcp://[::]:2375"),
            ("*:2375", "tcp://[::]:2375"),
            ("localhost:2375", "tcp://127.0.0.1:2375"),
            ("unix:///run/a.sock", "unix:///run/a.sock"),
        ] {
            assert_eq!(text.parse::<Address>().map(|a| a.to_string()).as_deref(), Ok(address));
        }
        for text in
            ["", "2375", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "unix://a", "host:1"]
        {
            assert!(text.parse::<Address>().is_err(), "{text:?}");
        }
    }
}
