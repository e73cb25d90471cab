//! A stretch of the way between the proxy and the daemon, on which something happens just in time.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::daemon::new_folder;
use crate::http::Request;

/// Passes everything on. After the first look-up of a thing, and before its answer, it does what it
/// is told to do then.
pub struct Relay {
    folder: PathBuf,
    way: Arc<Way>,
}

struct Way {
    daemon: PathBuf,
    between: Mutex<Option<Between>>,
    passed: Mutex<Vec<String>>,
}

/// The path of a look-up, and what to do after it.
struct Between {
    path: String,
    act: Box<dyn FnOnce() + Send>,
}

impl Relay {
    pub fn to(daemon: &Path) -> Self {
        let folder = new_folder("relay");
        let listener = UnixListener::bind(folder.join("relay.sock")).expect("a new folder");
        let way = Arc::new(Way {
            daemon: daemon.to_owned(),
            between: Mutex::default(),
            passed: Mutex::default(),
        });
        let this = Self { folder, way: Arc::clone(&way) };
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let way = Arc::clone(&way);
                // A peer that goes away ends its connection, and nothing else.
                std::thread::spawn(move || way.pass(client));
            }
        });
        this
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.join("relay.sock")
    }

    /// Does this once, between the next look-up of a path and its answer.
    pub fn after_look_up(&self, path: String, act: impl FnOnce() + Send + 'static) {
        *self.way.between.lock().unwrap() = Some(Between { path, act: Box::new(act) });
        self.way.passed.lock().unwrap().clear();
    }

    /// Whether it has been done.
    pub fn has_acted(&self) -> bool {
        self.way.between.lock().unwrap().is_none()
    }

    /// What went on to the daemon since, look-ups aside: heads and what came with them of bodies.
    pub fn passed(&self) -> Vec<String> {
        self.way.passed.lock().unwrap().clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // A failure here must not hide the one that the test is failing with.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Way {
    fn pass(&self, mut client: UnixStream) -> io::Result<()> {
        loop {
            let head = read_head(&mut client)?;
            let line = head.lines().next().unwrap_or_default().to_owned();
            let Some(act) = self.act_after(&line) else { return self.pass_on(client, &head) };
            // The look-up itself is over at the daemon before anything else happens.
            let request = Request::new(line.trim_end_matches(" HTTP/1.1"));
            let answer = request.ask(&self.daemon);
            act();
            let status = answer.head.lines().next().unwrap_or_default();
            let length = answer.body.len();
            let head = format!(
                "{status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
            );
            client.write_all(head.as_bytes())?;
            client.write_all(&answer.body)?;
        }
    }

    fn act_after(&self, line: &str) -> Option<Box<dyn FnOnce() + Send>> {
        let mut between = self.between.lock().unwrap();
        let is_it = between.as_ref().is_some_and(|between| {
            line.strip_prefix("GET ").and_then(|rest| rest.strip_suffix(" HTTP/1.1"))
                == Some(&between.path)
        });
        if is_it { between.take().map(|between| between.act) } else { None }
    }

    /// Passes one request and its answer on, whatever becomes of the connection.
    fn pass_on(&self, mut client: UnixStream, head: &str) -> io::Result<()> {
        let mut daemon = UnixStream::connect(&self.daemon)?;
        let is_upgrade = head.to_lowercase().contains("\r\nupgrade:");
        // With one request a connection, every head is seen.
        let close = if is_upgrade { "" } else { "Connection: close\r\n" };
        let (line, rest) = head.split_once("\r\n").expect("a head has lines");
        let index = self.note(head);
        daemon.write_all(format!("{line}\r\n{close}{rest}").as_bytes())?;
        let (mut up, mut from) = (daemon.try_clone()?, client.try_clone()?);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut bytes = [0; 16 * 1024];
                while let Ok(count) = from.read(&mut bytes)
                    && count > 0
                    && up.write_all(&bytes[..count]).is_ok()
                {
                    self.note_more(index, &bytes[..count]);
                }
                let _ = up.shutdown(Shutdown::Write);
            });
            let result = io::copy(&mut daemon, &mut client);
            let _ = client.shutdown(Shutdown::Both);
            result.map(|_| ())
        })
    }

    fn note(&self, head: &str) -> usize {
        let mut passed = self.passed.lock().unwrap();
        passed.push(head.to_owned());
        passed.len() - 1
    }

    fn note_more(&self, index: usize, bytes: &[u8]) {
        if let Some(request) = self.passed.lock().unwrap().get_mut(index) {
            request.push_str(&String::from_utf8_lossy(bytes));
        }
    }
}

fn read_head(stream: &mut UnixStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    String::from_utf8(head).map_err(io::Error::other)
}
