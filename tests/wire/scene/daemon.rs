//! A daemon that does what a test tells it to.

use std::fs;
use std::net::Shutdown;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use socket2::{SockRef, Socket};
use tempfile::TempDir;

use super::message::{Message, Of};
use super::peer::{PATIENCE, Peer};

/// What a daemon answers that has nothing.
pub const EMPTY_LIST: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n[]\n";

/// A unix socket, and what is done with the connections that come in.
pub struct Daemon {
    folder: TempDir,
    take: Arc<dyn Fn(Peer) + Send + Sync>,
    links: Mutex<Receiver<Peer>>,
    received: Arc<Mutex<Vec<Message>>>,
    /// The listener and every connection, to be closed.
    open: Arc<Mutex<Vec<Socket>>>,
}

impl Daemon {
    /// One whose connections wait for the test to take them with [`Daemon::link`].
    pub fn by_hand() -> Self {
        let (send, links) = mpsc::channel();
        let send = Mutex::new(send);
        Self::new(links, Arc::default(), move |link| {
            let send: Sender<Peer> = send.lock().expect("no panic").clone();
            // A test that has ended takes no more.
            let _ = send.send(link);
        })
    }

    /// One that answers each request by itself.
    pub fn answering<A: Into<Vec<u8>>>(
        answer: impl Fn(&Message) -> A + Send + Sync + 'static,
    ) -> Self {
        let received = Arc::<Mutex<Vec<Message>>>::default();
        let record = Arc::clone(&received);
        let answer = Arc::new(answer);
        Self::new(mpsc::channel().1, received, move |mut link| {
            let (record, answer) = (Arc::clone(&record), Arc::clone(&answer));
            thread::spawn(move || {
                while let Ok(Some(request)) = link.try_message(Of::Request) {
                    let bytes = answer(&request).into();
                    record.lock().expect("no panic").push(request);
                    if link.try_send(bytes).is_err() {
                        break;
                    }
                }
            });
        })
    }

    /// One that does this with each connection, on a thread of its own.
    pub fn serving(serve: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        let serve = Arc::new(serve);
        Self::new(mpsc::channel().1, Arc::default(), move |link| {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(link));
        })
    }

    /// One that has nothing.
    pub fn empty() -> Self {
        Self::answering(|_| EMPTY_LIST)
    }

    fn new(
        links: Receiver<Peer>,
        received: Arc<Mutex<Vec<Message>>>,
        take: impl Fn(Peer) + Send + Sync + 'static,
    ) -> Self {
        let daemon = Self {
            folder: tempfile::tempdir().expect("a folder"),
            take: Arc::new(take),
            links: Mutex::new(links),
            received,
            open: Arc::default(),
        };
        daemon.come_back();
        daemon
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    /// The next connection that the proxy makes.
    pub fn link(&self) -> Peer {
        let links = self.links.lock().expect("no panic");
        links.recv_timeout(PATIENCE).expect("the proxy connects")
    }

    /// The next connection that the proxy makes, once a request came on it.
    pub fn asked(&self) -> Peer {
        let mut link = self.link();
        link.request();
        link
    }

    /// All requests until now, in the order in which they were answered.
    pub fn received(&self) -> Vec<Message> {
        self.received.lock().expect("no panic").clone()
    }

    /// Their request lines.
    pub fn request_lines(&self) -> Vec<String> {
        self.received().iter().map(|request| request.first_line().to_owned()).collect()
    }

    /// Ends as a crash would: everything is closed at once, and the socket is left behind.
    pub fn vanish(&self) {
        for socket in self.open.lock().expect("no panic").drain(..) {
            // Whoever has gone before needs no closing.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Serves again.
    pub fn come_back(&self) {
        let _ = fs::remove_file(self.socket());
        let listener = UnixListener::bind(self.socket()).expect("a socket in our folder");
        let open = Arc::clone(&self.open);
        let hold = |socket: SockRef| socket.try_clone().expect("a file descriptor");
        open.lock().expect("no panic").push(hold(SockRef::from(&listener)));
        let take = Arc::clone(&self.take);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                open.lock().expect("no panic").push(hold(SockRef::from(&stream)));
                take(Peer::new(stream));
            }
        });
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.vanish();
    }
}
