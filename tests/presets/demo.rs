//! A proxy with a configuration file, before the engine inside or a daemon.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::wire::Wire;

/// A proxy that serves at `proxy.sock` in its folder until it is dropped.
pub struct Proxy {
    process: Child,
    folder: Folder,
}

impl Proxy {
    /// By `dockgate.yaml` in the folder, which listens at `proxy.sock` there.
    pub fn start(folder: Folder) -> Self {
        Self::with(folder, &["--demo"])
    }

    /// Likewise, before the daemon that stands in the file.
    pub fn before_a_daemon(folder: Folder) -> Self {
        Self::with(folder, &[])
    }

    fn with(folder: Folder, options: &[&str]) -> Self {
        let words = folder.path("stderr");
        let process = folder
            .command(&[&["--config", "dockgate.yaml"], options].concat())
            .stdin(Stdio::null())
            .stdout(File::create(folder.path("log")).unwrap())
            .stderr(File::create(&words).unwrap())
            .spawn()
            .unwrap();
        let mut proxy = Self { process, folder };
        let deadline = Instant::now() + Duration::from_secs(20);
        while Wire::connect(&proxy.socket()).is_err() {
            let ended = proxy.process.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "{ended:?}: {}",
                std::fs::read_to_string(&words).unwrap()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        proxy
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path("proxy.sock")
    }

    /// Its socket, as a client's configuration has it.
    pub fn address(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// A record for each request that was answered so far.
    pub fn records(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(self.folder.path("log")).unwrap();
        let records = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        records.filter(|record| record["operation"].is_string()).collect()
    }
}

/// One that allows everything but what `container-guard` refuses with these settings.
pub fn guarded(settings: &Value) -> Proxy {
    let folder = Folder::new();
    let socket = folder.path("proxy.sock");
    let config = json!({
        "listeners": { "main": { "address": format!("unix://{}", socket.display()) } },
        "plugins": {
            "all": { "source": "bundled:rules", "settings": { "rules": [{ "allow": ["*"] }] } },
            "guard": { "source": "bundled:container-guard", "settings": settings },
        },
        "chains": [{ "name": "all", "plugins": ["all", "guard"] }],
    });
    Proxy::start(folder.file("dockgate.yaml", config.to_string()))
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What dockgate itself says to a request; `None` where it let it through.
pub fn refusal(socket: &Path, line: &str, body: &str) -> Option<String> {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let mut wire = Wire::connect(socket).unwrap();
    let line = encoded(line);
    let length = body.len();
    wire.send(format!(
        "{line} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n{kind}Content-Length: {length}\r\n\r\n{body}"
    ));
    let head = wire.head();
    let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
    // Others may be streams without an end.
    if !matches!(status, 400 | 403 | 502) {
        return None;
    }
    let text = String::from_utf8(wire.until_closed()).unwrap();
    text.contains("dockgate: ").then(|| format!("{status} {text}"))
}

/// As clients encode what a query may not hold.
fn encoded(line: &str) -> String {
    let pairs = [("{", "%7B"), ("}", "%7D"), ("\"", "%22"), ("[", "%5B"), ("]", "%5D")];
    pairs.iter().fold(line.to_owned(), |line, (plain, encoded)| line.replace(plain, encoded))
}
