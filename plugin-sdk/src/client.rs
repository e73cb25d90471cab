use std::net::IpAddr;

use crate::host::Host;

/// Who sent a request, as far as the proxy knows by itself.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a>(pub(crate) &'a Host);

impl Client<'_> {
    /// Where the request came in: `tcp://[::]:2375`, `unix:///run/dockgate.sock`.
    pub fn listener(self) -> Option<String> {
        self.0.listener()
    }

    /// The address that it came from. None on a unix socket.
    pub fn address(self) -> Option<IpAddr> {
        self.0.address()?.parse().ok()
    }

    /// User and group of the process at the other end of a unix socket. None on TCP.
    pub fn unix_user(self) -> Option<(u32, u32)> {
        self.0.unix_user()
    }
}
