//! The proxy's own binary in front of a daemon.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::daemon::new_folder;
use crate::shell::Shell;

/// All of Tecnativa's flags.
pub const FLAGS: [&str; 27] = [
    "ALLOW_RESTARTS",
    "ALLOW_START",
    "ALLOW_STOP",
    "AUTH",
    "BUILD",
    "COMMIT",
    "CONFIGS",
    "CONTAINERS",
    "DISTRIBUTION",
    "EVENTS",
    "EXEC",
    "GRPC",
    "IMAGES",
    "INFO",
    "NETWORKS",
    "NODES",
    "PING",
    "PLUGINS",
    "POST",
    "SECRETS",
    "SERVICES",
    "SESSION",
    "SWARM",
    "SYSTEM",
    "TASKS",
    "VERSION",
    "VOLUMES",
];

/// The plugin `rules` with settings that allow everything.
pub fn everything() -> (&'static str, Value) {
    ("rules", json!({ "rules": [{ "allow": ["*"] }] }))
}

/// A proxy that serves on a unix socket and a TCP port until it is dropped.
pub struct Proxy {
    process: Child,
    folder: PathBuf,
    tcp: String,
    log: Arc<Mutex<String>>,
}

impl Proxy {
    /// With every flag on.
    pub fn open(upstream: &Path) -> Self {
        Self::with_flags(upstream, &FLAGS)
    }

    /// With these flags on and all others off, those too that are on by default.
    pub fn with_flags(upstream: &Path, on: &[&str]) -> Self {
        let flags = FLAGS.map(|flag| (flag, if on.contains(&flag) { "1" } else { "0" }));
        Self::configured(upstream, |command| command.envs(flags))
    }

    /// With a chain of bundled plugins, each with its settings.
    pub fn with_plugins(upstream: &Path, plugins: &[(&str, Value)]) -> Self {
        let folder = new_folder("settings");
        let plugins = plugins.iter().map(|(name, settings)| {
            let file = folder.join(format!("{name}.json"));
            fs::write(&file, settings.to_string()).expect("a new folder");
            format!("--plugin=bundled:{name}={}", file.display())
        });
        let proxy = Self::configured(upstream, |command| command.args(plugins));
        fs::remove_dir_all(&folder).expect("it is read at the start");
        proxy
    }

    /// With the chain that its arguments and variables make.
    pub fn configured(
        upstream: &Path,
        configure: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Self {
        let folder = new_folder("proxy");
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockgate"));
        command
            .arg("--listen")
            .arg(format!("unix://{}", folder.join("proxy.sock").display()))
            .args(["--listen", "tcp://127.0.0.1:0", "--log-format", "json", "--upstream"])
            .arg(format!("unix://{}", upstream.display()))
            .env_clear()
            .env("HOME", &folder);
        let mut process = configure(&mut command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the proxy starts");

        let log = Arc::new(Mutex::new(String::new()));
        let (send_address, addresses) = mpsc::channel();
        let stdout = BufReader::new(process.stdout.take().expect("stdout is a pipe"));
        let stderr = BufReader::new(process.stderr.take().expect("stderr is a pipe"));
        let lines = [Box::new(stdout) as Box<dyn BufRead + Send>, Box::new(stderr)];
        for stream in lines {
            let log = Arc::clone(&log);
            let send_address = send_address.clone();
            std::thread::spawn(move || {
                for line in stream.lines().map_while(Result::ok) {
                    if let Some(address) = listening_address(&line) {
                        // Nobody waits any more once both addresses have come.
                        let _ = send_address.send(address);
                    }
                    let mut log = log.lock().expect("no writer panics");
                    log.push_str(&line);
                    log.push('\n');
                }
            });
        }
        drop(send_address);

        let mut proxy = Self { process, folder, tcp: String::new(), log };
        for _ in 0..2 {
            let address = addresses
                .recv_timeout(Duration::from_secs(20))
                .unwrap_or_else(|_| panic!("the proxy does not listen:\n{}", proxy.log()));
            if address.starts_with("tcp://") {
                proxy.tcp = address;
            }
        }
        assert!(!proxy.tcp.is_empty(), "no TCP address in the log:\n{}", proxy.log());
        proxy
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.join("proxy.sock")
    }

    /// Its unix socket, as a client's configuration has it.
    pub fn unix(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Its TCP port, as a client's configuration has it: `tcp://127.0.0.1:40001`.
    pub fn tcp(&self) -> &str {
        &self.tcp
    }

    /// Runs scripts whose `docker` talks to the proxy.
    pub fn shell(&self) -> Shell {
        Shell::with_docker_at(&self.unix())
    }

    /// What it has written until now.
    pub fn log(&self) -> String {
        // The threads that read it may still have the last lines in hand.
        std::thread::sleep(Duration::from_millis(50));
        self.log.lock().expect("no writer panics").clone()
    }

    /// The most memory that it has had in use until now, in KiB.
    pub fn peak_memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("the proxy runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux");
        line.trim().trim_end_matches(" kB").parse().expect("a number of kB")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed or will.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The address of a line like `{…,"message":"listening on tcp://127.0.0.1:40001"}`.
fn listening_address(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("listening on ")?;
    let end = rest.find(['"', ' ']).unwrap_or(rest.len());
    Some(rest[..end].to_owned())
}
