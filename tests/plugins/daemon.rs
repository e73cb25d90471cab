//! A daemon that says yes to everything, and remembers what it was asked.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// What it answers.
pub const YES: &str = "{\"from\":\"the daemon\"}";

/// A daemon on a unix socket. It serves until the process of the test ends.
pub struct Daemon {
    socket: PathBuf,
    received: Arc<Mutex<Vec<Received>>>,
    _folder: tempfile::TempDir,
}

/// A request as it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    pub method: String,
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Daemon {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&socket).expect("a socket in a fresh folder");
        let received = Arc::<Mutex<Vec<_>>>::default();
        let kept = Arc::clone(&received);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || serve(stream, &kept));
            }
        });
        Self { socket, received, _folder: folder }
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// All requests until now.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no server panics").clone()
    }

    /// The method and target of each.
    pub fn received_lines(&self) -> Vec<String> {
        self.received().iter().map(|r| format!("{} {}", r.method, r.target)).collect()
    }
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// Serves a connection until its client has gone.
fn serve(stream: UnixStream, received: &Mutex<Vec<Received>>) {
    let mut writer = stream.try_clone().expect("a descriptor");
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let body = if request.method == "HEAD" { "" } else { YES };
        received.lock().expect("no server panics").push(request);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            YES.len()
        );
        if writer.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// A request, its body read and forgotten.
fn read_request(reader: &mut impl BufRead) -> Option<Received> {
    let mut lines = std::iter::from_fn(|| {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned()).filter(|line| !line.is_empty())
    });
    let first = lines.next()?;
    let mut words = first.split(' ').map(str::to_owned);
    let mut request =
        Received { method: words.next()?, target: words.next()?, headers: Vec::new() };
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a proxy sends proper headers");
        request.headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length =
        request.header("content-length").map_or(0, |length| length.parse().expect("a number"));
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).ok()?;
    Some(request)
}
