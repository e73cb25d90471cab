//! Between the directory and the daemon: sees what is asked for, and can hold it up.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::daemon::Daemon;

pub struct Relay {
    socket: PathBuf,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<String>>,
    hangs: AtomicBool,
}

impl Relay {
    pub fn before(daemon: &Daemon) -> Self {
        let socket = daemon.folder().join("relay.sock");
        // The test before this one may have left its own.
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).unwrap();
        let seen = Arc::<Seen>::default();
        let (ours, daemon) = (Arc::clone(&seen), daemon.socket());
        thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let Ok(daemon) = UnixStream::connect(&daemon) else { return };
                let (answers, back) = (daemon.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || copy(answers, back, |_| {}));
                let seen = Arc::clone(&ours);
                thread::spawn(move || copy(client, daemon, |bytes| seen.see(bytes)));
            }
        });
        Self { socket, seen }
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The paths of all requests.
    pub fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// Whether requests are held up.
    pub fn hang(&self, hangs: bool) {
        self.seen.hangs.store(hangs, Ordering::Relaxed);
    }
}

impl Seen {
    /// Each request comes in one piece: the directory sends no bodies.
    fn see(&self, bytes: &[u8]) {
        let head = String::from_utf8_lossy(bytes);
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        self.requests.lock().unwrap().push(path);
        while self.hangs.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn copy(mut from: UnixStream, mut to: UnixStream, see: impl Fn(&[u8])) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        see(&bytes[..read]);
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    // Either end may be gone already.
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
