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
    answers: Answers,
    _folder: tempfile::TempDir,
}

/// What is written in answer to a request for a path that begins so.
type Answers = Arc<Mutex<Vec<(String, Writes)>>>;
type Writes = Arc<dyn Fn(&mut UnixStream) -> std::io::Result<()> + Send + Sync>;

/// A request as it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    pub method: String,
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Daemon {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&socket).expect("a socket in a fresh folder");
        let received = Arc::<Mutex<Vec<_>>>::default();
        let answers = Answers::default();
        let (kept, known) = (Arc::clone(&received), Arc::clone(&answers));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (kept, known) = (Arc::clone(&kept), Arc::clone(&known));
                std::thread::spawn(move || serve(stream, &kept, &known));
            }
        });
        Self { socket, received, answers, _folder: folder }
    }

    /// From now on this JSON is the answer to requests for a path that begins so.
    pub fn says(&self, path: &str, status: u16, json: &str) {
        let answer = format!(
            "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}",
            json.len()
        );
        self.writes(path, move |stream| stream.write_all(answer.as_bytes()));
    }

    /// From now on this is written in answer to requests for a path that begins so.
    pub fn writes(
        &self,
        path: &str,
        answer: impl Fn(&mut UnixStream) -> std::io::Result<()> + Send + Sync + 'static,
    ) {
        let mut answers = self.answers.lock().expect("no server panics");
        answers.insert(0, (path.to_owned(), Arc::new(answer)));
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
    /// Whether the proxy asks for itself, as it does where a plugin may ask for the client's container.
    fn follows_containers(&self) -> bool {
        let path = self.target.split('?').next().unwrap_or_default();
        self.header("user-agent").is_some_and(|agent| agent.starts_with("dockgate/"))
            && ["/events", "/networks", "/containers/json"].contains(&path)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// Serves a connection until its client has gone.
fn serve(stream: UnixStream, received: &Mutex<Vec<Received>>, answers: &Answers) {
    let mut writer = stream.try_clone().expect("a descriptor");
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        if request.follows_containers() {
            // There are none here.
            let none = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
            if writer.write_all(none.as_bytes()).is_err() {
                return;
            }
            continue;
        }
        let known = known(answers, &request.target);
        let body = if request.method == "HEAD" { "" } else { YES };
        received.lock().expect("no server panics").push(request);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            YES.len()
        );
        let written = match known {
            Some(answer) => answer(&mut writer),
            None => writer.write_all(format!("{head}{body}").as_bytes()),
        };
        if written.is_err() {
            return;
        }
    }
}

/// What is to be written for this path, if something is.
fn known(answers: &Answers, path: &str) -> Option<Writes> {
    let answers = answers.lock().expect("no server panics");
    let (_, answer) = answers.iter().find(|(known, _)| path.starts_with(known.as_str()))?;
    Some(Arc::clone(answer))
}

/// A request with its body.
fn read_request(reader: &mut impl BufRead) -> Option<Received> {
    let mut lines = std::iter::from_fn(|| {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned()).filter(|line| !line.is_empty())
    });
    let first = lines.next()?;
    let mut words = first.split(' ').map(str::to_owned);
    let mut request =
        Received { method: words.next()?, target: words.next()?, ..Received::default() };
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a proxy sends proper headers");
        request.headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length =
        request.header("content-length").map_or(0, |length| length.parse().expect("a number"));
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body).ok()?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    Some(request)
}
