//! What every test sets its scene with: a daemon, the proxy in front of it, and clients.

mod daemon;
mod log;
mod message;
mod peer;
mod proxy;
mod refusal;

pub use daemon::{Daemon, EMPTY_LIST};
pub use message::{Message, Of};
pub use peer::{PATIENCE, Peer};
pub use proxy::{Proxy, Setup};
pub use refusal::{complaints, refusal};

use std::thread;
use std::time::{Duration, Instant};

/// A request without a body.
pub fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// A request with a JSON body.
pub fn post(target: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

/// An answer of the daemon.
pub fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Waits for something that takes moments.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
