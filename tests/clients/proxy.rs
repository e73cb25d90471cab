//! The proxy's own binary with a configuration file, on the machine of the daemon.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use serde_json::Value;

use crate::{daemon::wait_until, machine::Machine};

/// A proxy that serves until it is dropped.
pub struct Proxy {
    process: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// What is here is added to the configuration: the daemon, and how the log looks.
    pub fn start(machine: &Machine, configuration: &str) -> Self {
        let file = machine.folder().join("dockgate.yaml");
        let socket = machine.socket("docker.sock");
        let common = format!("upstream: {{ address: \"{socket}\" }}\nlog: {{ format: json }}\n");
        fs::write(&file, common + configuration).unwrap();
        let mut process = machine
            .command()
            .arg(env!("CARGO_BIN_EXE_dockgate"))
            .arg("--config")
            .arg(&file)
            .env("HOME", machine.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the proxy starts");
        let lines = Arc::<Mutex<Vec<String>>>::default();
        follow(process.stdout.take().expect("a pipe"), &lines);
        follow(process.stderr.take().expect("a pipe"), &lines);
        let mut proxy = Self { process, lines };
        wait_until("the proxy serves", || {
            let ended = proxy.process.try_wait().unwrap();
            assert!(ended.is_none(), "it ended:\n{}", proxy.log());
            proxy.log().contains("in front of ")
        });
        proxy
    }

    pub fn log(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// The records of all requests until now.
    pub fn records(&self) -> Vec<Value> {
        let records = self.log();
        let records = records.lines().filter_map(|line| serde_json::from_str(line).ok());
        records.filter(|line: &Value| line.get("verdict").is_some()).collect()
    }

    /// The record of the first request with this path, as soon as it is written.
    pub fn record(&self, path: &str) -> Value {
        let found = || self.records().into_iter().find(|record| record["path"] == path);
        wait_until("it is in the log", || found().is_some());
        found().unwrap()
    }

    /// The record of what is asked, which is the only request at this time, and what came of it.
    pub fn record_of<T>(&self, ask: impl FnOnce() -> T) -> (T, Value) {
        let before = self.records().len();
        let asked = ask();
        wait_until("it is in the log", || self.records().len() > before);
        let mut records = self.records();
        assert_eq!(records.len(), before + 1, "one request, one record");
        (asked, records.remove(before))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It ends with its parent, which enters the namespaces for it.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let log = self.log();
        if thread::panicking() {
            let from = log.lines().count().saturating_sub(20);
            let end: Vec<_> = log.lines().skip(from).collect();
            eprintln!("the end of the proxy's log:\n{}", end.join("\n"));
        } else {
            assert!(!log.contains("panicked"), "{log}");
        }
    }
}

fn follow(stream: impl std::io::Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) {
    let lines = Arc::clone(lines);
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
}
