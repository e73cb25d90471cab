//! The proxies: how each is started, and when it is ready.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::daemon::MockDaemon;
use crate::error::BenchError;
use crate::process::Process;

/// What is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// The daemon with no proxy.
    Bare,
    /// HAProxy with Tecnativa's rules.
    Haproxy,
    /// dockgate.
    Dockgate,
}

impl Subject {
    /// Its name in tables and file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Haproxy => "haproxy",
            Self::Dockgate => "dockgate",
        }
    }
}

/// Where the proxies' programs are.
#[derive(Debug)]
pub struct Programs {
    /// HAProxy.
    pub haproxy: PathBuf,
    /// dockgate.
    pub dockgate: PathBuf,
}

/// The flags that both proxies run with, beside Tecnativa's defaults.
const FLAGS: [(&str, &str); 2] = [("CONTAINERS", "1"), ("IMAGES", "1")];

impl Programs {
    /// The command that starts a proxy on `address`; the bare daemon has none.
    pub fn command(
        &self,
        subject: Subject,
        address: SocketAddr,
        upstream: &Path,
    ) -> Option<Command> {
        match subject {
            Subject::Bare => None,
            Subject::Haproxy => {
                let mut command = haproxy(&self.haproxy, &address.to_string(), upstream);
                command.envs(FLAGS);
                Some(command)
            }
            Subject::Dockgate => {
                let mut command = Command::new(&self.dockgate);
                command.args(["--log-format", "json", "--listen"]).arg(format!("tcp://{address}"));
                command.arg("--upstream").arg(format!("unix://{}", upstream.display()));
                command.env_clear().envs(FLAGS);
                Some(command)
            }
        }
    }
}

/// HAProxy with `haproxy.cfg` and the flags' defaults, in the foreground, without a master process.
pub fn haproxy(program: &Path, bind: &str, upstream: &Path) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(program);
    command.args(["-q", "-db", "-f"]).arg(folder.join("haproxy.cfg"));
    command.env_clear().env("BIND", bind).env("SOCKET_PATH", upstream);
    command.env("ERROR_PAGE", folder.join("haproxy-403.http"));
    command.envs([("LOG_LEVEL", "info"), ("EVENTS", "1"), ("PING", "1"), ("VERSION", "1")]);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// A subject that answers.
#[derive(Debug)]
pub struct Running {
    /// What it is.
    pub subject: Subject,
    /// Where it answers.
    pub address: SocketAddr,
    /// The process whose use is measured.
    pub pid: u32,
    log: Option<File>,
    _process: Option<Process>,
}

impl Running {
    /// Starts `subject` in front of `daemon`; its log goes to a file in `folder`.
    pub fn start(
        subject: Subject,
        programs: &Programs,
        daemon: &MockDaemon,
        folder: &Path,
    ) -> Result<Self, BenchError> {
        Self::start_with(subject, programs, daemon, folder, |_| ())
    }

    /// The same with more arguments for its command.
    pub fn start_with(
        subject: Subject,
        programs: &Programs,
        daemon: &MockDaemon,
        folder: &Path,
        more: impl FnOnce(&mut Command),
    ) -> Result<Self, BenchError> {
        let address = free_address()?;
        let Some(mut command) = programs.command(subject, address, &daemon.socket) else {
            let (address, pid) = (daemon.tcp, daemon.pid());
            return Ok(Self { subject, address, pid, log: None, _process: None });
        };
        more(&mut command);
        Self::start_at(subject, address, &command, folder)
    }

    /// Starts a proxy by a command that has it answer at this address.
    pub fn start_at(
        subject: Subject,
        address: SocketAddr,
        command: &Command,
        folder: &Path,
    ) -> Result<Self, BenchError> {
        let path = folder.join(format!("{}.log", subject.name()));
        let log = OpenOptions::new().create(true).append(true).open(&path);
        let log = log.map_err(BenchError::io(path.display().to_string()))?;
        let stdout = log.try_clone().map_err(BenchError::io("the log"))?;
        let process = Process::start_leashed(command, stdout.into())?;
        wait_until_ready(subject.name(), address, &path)?;
        let pid = process.pid();
        Ok(Self { subject, address, pid, log: Some(log), _process: Some(process) })
    }

    /// Empties its log, so that a long run does not fill the memory that the log is kept in.
    pub fn empty_log(&self) -> Result<(), BenchError> {
        self.log.as_ref().map_or(Ok(()), |log| log.set_len(0)).map_err(BenchError::io("the log"))
    }
}

/// A loopback port that nobody listened on a moment ago.
pub fn free_address() -> Result<SocketAddr, BenchError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(BenchError::io("looking for a free port"))
}

/// Waits until `address` answers a ping with 200.
pub fn wait_until_ready(
    name: &'static str,
    address: SocketAddr,
    log: &Path,
) -> Result<(), BenchError> {
    const PATIENCE: Duration = Duration::from_secs(10);
    const PAUSE: Duration = Duration::from_micros(200);
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if matches!(ping(address), Ok(true)) {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
    let (address, seconds) = (address.to_string(), PATIENCE.as_secs());
    Err(BenchError::NotReady { name, address, seconds, log: log.to_owned() })
}

fn ping(address: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(b"GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n")?;
    let mut status_line = [0; 12];
    stream.read_exact(&mut status_line)?;
    Ok(status_line.ends_with(b" 200"))
}

/// The program that `cargo build --release -p dockgate` makes, built if need be.
pub fn build_dockgate() -> Result<PathBuf, BenchError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "-p", "dockgate", "--bin", "dockgate"]);
    command.args(["--message-format", "json-render-diagnostics"]);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(std::process::Stdio::inherit());
    let output = command
        .output()
        .map_err(|source| BenchError::Start { program: "cargo".to_owned(), source })?;
    if !output.status.success() {
        let said = output.status.to_string();
        return Err(BenchError::Failed { program: "cargo build".to_owned(), said });
    }

    // Cargo names every artifact in a JSON object on a line of its own.
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
        .next_back()
        .ok_or_else(|| BenchError::Unreadable { what: "cargo's messages", text: text.into_owned() })
}
