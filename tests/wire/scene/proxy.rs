//! The proxy's own binary.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::daemon::Daemon;
use super::log::Log;
use super::peer::{PATIENCE, Peer};

/// How a proxy is to be started.
pub struct Setup {
    command: Command,
    folder: TempDir,
    listens: bool,
}

/// A proxy that serves until it is dropped.
pub struct Proxy {
    process: Child,
    log: Log,
    readers: Vec<JoinHandle<()>>,
    /// Gone when the proxy is.
    _folder: TempDir,
    addresses: Vec<String>,
}

impl Proxy {
    /// With Tecnativa's defaults, on a free port.
    pub fn in_front_of(daemon: &Daemon) -> Setup {
        Self::in_front_of_socket(&daemon.socket())
    }

    pub fn in_front_of_socket(socket: &Path) -> Setup {
        let mut setup = Self::in_front_of_nothing_said();
        setup.command.arg("--upstream").arg(socket);
        setup
    }

    /// Of whatever the environment says.
    pub fn in_front_of_nothing_said() -> Setup {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockgate"));
        command.env_clear().env("HOME", folder.path());
        Setup { command, folder, listens: false }
    }

    /// A new client of its first listener.
    pub fn client(&self) -> Peer {
        match self.addresses[0].strip_prefix("unix://") {
            Some(path) => Peer::new(UnixStream::connect(path).expect("the proxy listens")),
            None => Peer::new(TcpStream::connect(self.address()).expect("the proxy listens")),
        }
    }

    /// Its first listener, as a TCP port.
    pub fn address(&self) -> SocketAddr {
        let address = self.addresses[0].strip_prefix("tcp://").expect("a TCP port");
        address.parse().expect("an address")
    }

    /// All that it listens on, as its log has it.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The record of the request with this path, as soon as it is written.
    pub fn record(&self, path: &str) -> Value {
        self.log.wait_for(&format!("a record of {path}"), |line| line["path"] == path)
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("the proxy runs");
    }

    /// Waits for its end, and for the end of its log.
    pub fn exit_code(&mut self) -> i32 {
        let code = exit_code_of(&mut self.process);
        for reader in self.readers.drain(..) {
            reader.join().expect("a reader does not panic");
        }
        code
    }

    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().expect("a child of ours").is_none()
    }

    /// The most memory that it has had in use until now, in KiB.
    pub fn peak_memory_kib(&self) -> u64 {
        self.memory_kib("VmHWM")
    }

    /// Memory, in KiB, by its name in `proc_pid_status(5)`.
    pub fn memory_kib(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("the proxy runs");
        let number = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let number = number.expect("Linux").trim().trim_end_matches(" kB");
        number.parse().expect("a number of kB")
    }

    /// `dockgate healthcheck` in an environment: its exit code and its words.
    pub fn health(environment: &[(&str, &str)]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockgate"));
        outcome(command.env_clear().envs(environment.iter().copied()).arg("healthcheck"))
    }
}

impl Setup {
    /// With a variable in its environment.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// With flags of Tecnativa's on.
    pub fn open(self, flags: &[&str]) -> Self {
        flags.iter().fold(self, |setup, flag| setup.with(flag, "1"))
    }

    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.command.args([name, value]);
        self
    }

    /// Listening here, and not on a free port.
    pub fn listening_on(mut self, address: &str) -> Self {
        self.listens = true;
        self.option("--listen", address)
    }

    /// As a configuration file says, and nothing else.
    pub fn configured_by(mut self, file: &Path) -> Self {
        self.listens = true;
        self.command.arg("--config").arg(file);
        self
    }

    /// Listening on a unix socket, whose buffers are small and do not grow.
    pub fn listening_on_a_socket(self) -> Self {
        let address = format!("unix://{}", self.path("proxy.sock").display());
        self.listening_on(&address)
    }

    /// Listening where the environment says.
    pub fn listening_by(mut self, name: &str, value: &str) -> Self {
        self.listens = true;
        self.with(name, value)
    }

    /// Where it may put a socket.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts it, and waits until its log says that it listens.
    pub fn start(self) -> Proxy {
        let mut proxy = self.start_silently();
        proxy.log.wait_for_text("in front of ");
        proxy.addresses = proxy.log.text().lines().filter_map(listening_address).collect();
        proxy
    }

    /// Starts it without knowing whether it listens, and where.
    pub fn start_silently(mut self) -> Proxy {
        if !self.listens {
            self.command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut process = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the proxy starts");
        let log = Log::default();
        let stdout = BufReader::new(process.stdout.take().expect("a pipe"));
        let stderr = BufReader::new(process.stderr.take().expect("a pipe"));
        let readers = vec![follow(stdout, log.clone()), follow(stderr, log.clone())];
        Proxy { process, log, readers, _folder: self.folder, addresses: Vec::new() }
    }

    /// Starts it where it can't serve: its exit code and its words.
    pub fn refuses(mut self) -> (i32, String) {
        outcome(&mut self.command)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed or will.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let log = self.log.text();
        if thread::panicking() {
            let from = log.lines().count().saturating_sub(20);
            let end: Vec<_> = log.lines().skip(from).collect();
            eprintln!("the end of the proxy's log:\n{}", end.join("\n"));
        } else {
            assert!(!log.contains("panicked"), "{log}");
        }
    }
}

/// The address of a line like `{…,"message":"listening on tcp://127.0.0.1:40001"}`.
fn listening_address(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("listening on ")?;
    Some(rest.split(['"', ' ']).next().unwrap_or(rest).to_owned())
}

fn follow(stream: impl BufRead + Send + 'static, log: Log) -> JoinHandle<()> {
    thread::spawn(move || stream.lines().map_while(Result::ok).for_each(|line| log.push(line)))
}

/// Runs a command that ends by itself: its exit code and what it writes.
fn outcome(command: &mut Command) -> (i32, String) {
    let mut process = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let code = exit_code_of(&mut process);
    let mut words = String::new();
    process.stderr.expect("a pipe").read_to_string(&mut words).expect("text");
    (code, words)
}

fn exit_code_of(process: &mut Child) -> i32 {
    let started = Instant::now();
    loop {
        if let Some(status) = process.try_wait().expect("a child of ours") {
            return status.code().unwrap_or_else(|| panic!("it was killed: {status}"));
        }
        if started.elapsed() > PATIENCE {
            let _ = process.kill();
            panic!("it does not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
}
