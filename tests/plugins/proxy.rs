//! The proxy's own binary, with a chain of plugins, in front of a daemon.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    client::{Answer, Client},
    daemon::Daemon,
};

/// How long something that comes at once may take on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// What is to be started.
pub struct Scene {
    folder: TempDir,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    format: &'static str,
    cache: Option<PathBuf>,
    demo: bool,
    configuration: Option<String>,
}

/// A proxy that serves until it is dropped, and the daemon behind it.
pub struct Proxy {
    pub daemon: Daemon,
    process: Child,
    socket: PathBuf,
    log: Arc<Mutex<String>>,
    _folder: TempDir,
}

/// A proxy that ended by itself.
pub struct Ended {
    pub code: Option<i32>,
    /// What it wrote to standard error.
    pub words: String,
    /// What it logged.
    pub log: String,
}

impl Scene {
    /// A proxy without plugins of its own choice: with none, what is bundled decides.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            arguments: Vec::new(),
            variables: Vec::new(),
            format: "json",
            cache: None,
            demo: false,
            configuration: None,
        }
    }

    /// The same with this file as a plugin at the end of its chain.
    pub fn file(self, name: &str, content: &[u8]) -> Self {
        let path = self.folder.path().join(name);
        fs::write(&path, content).expect("a fresh folder");
        let path = path.display().to_string();
        self.arguments(&["--plugin", &path])
    }

    /// The same with this file as a plugin at the end of its chain, and these settings for it.
    pub fn with_settings(self, name: &str, content: &[u8], settings: &str) -> Self {
        let path = self.folder.path().join(name);
        let settings_path = path.with_extension("json");
        fs::write(&path, content).expect("a fresh folder");
        fs::write(&settings_path, settings).expect("a fresh folder");
        let plugin = format!("{}={}", path.display(), settings_path.display());
        self.arguments(&["--plugin", &plugin])
    }

    /// The same with this file beside those of the scene.
    pub fn beside(self, name: &str, content: &[u8]) -> Self {
        fs::write(self.folder.path().join(name), content).expect("a fresh folder");
        self
    }

    /// The same with a configuration file in place of options. Where it listens, and in front of
    /// what, is added to it.
    pub fn configuration(mut self, text: &str) -> Self {
        self.configuration = Some(text.to_owned());
        self
    }

    /// The same with the flags of the bundled plugin at the end of its chain.
    pub fn tecnativa(self) -> Self {
        self.arguments(&["--plugin", "bundled:tecnativa"])
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// The same, that logs for people.
    pub fn text_log(mut self) -> Self {
        self.format = "text";
        self
    }

    /// The same, that keeps compiled plugins in this folder instead of one of its own.
    pub fn cache(mut self, folder: &Path) -> Self {
        self.cache = Some(folder.to_owned());
        self
    }

    /// The same in front of the engine inside, instead of a daemon.
    pub fn demo(mut self) -> Self {
        self.demo = true;
        self
    }

    /// Starts it, and waits until it listens.
    pub fn start(self) -> Proxy {
        let daemon = Daemon::start();
        let mut process = self.command(&daemon).spawn().expect("the proxy starts");
        let log = Arc::<Mutex<String>>::default();
        follow(process.stdout.take().expect("stdout is a pipe"), &log);
        follow(process.stderr.take().expect("stderr is a pipe"), &log);
        let socket = self.folder.path().join("proxy.sock");
        let mut proxy = Proxy { daemon, process, socket, log, _folder: self.folder };
        proxy.wait_until_it_listens();
        proxy
    }

    /// Starts it, and waits until it ends.
    ///
    /// # Panics
    /// Where it serves.
    pub fn refusal(self) -> Ended {
        let daemon = Daemon::start();
        let mut process = self.command(&daemon).spawn().expect("the proxy starts");
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = process.try_wait().expect("a child of this process") {
                break status;
            }
            if begun.elapsed() > DEADLINE || self.folder.path().join("proxy.sock").exists() {
                process.kill().expect("a child of this process");
                let output = process.wait_with_output().expect("a child of this process");
                panic!("the proxy starts: {}", String::from_utf8_lossy(&output.stdout));
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(status.signal(), None, "the proxy crashed");
        let output = process.wait_with_output().expect("a child of this process");
        let text = |bytes| String::from_utf8(bytes).expect("the proxy writes text");
        Ended { code: status.code(), words: text(output.stderr), log: text(output.stdout) }
    }

    fn command(&self, daemon: &Daemon) -> Command {
        let folder = self.folder.path();
        let cache = self.cache.clone().unwrap_or_else(|| folder.join("cache"));
        let listener = format!("unix://{}", folder.join("proxy.sock").display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockgate"));
        command
            .arg("--cache")
            .arg(cache)
            .args(&self.arguments)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(text) = &self.configuration {
            let (file, daemon) = (folder.join("dockgate.yaml"), daemon.socket());
            let text = format!(
                "upstream: {{ address: \"unix://{}\" }}\n\
                 listeners: {{ main: {{ address: \"{listener}\" }} }}\n\
                 log: {{ format: {} }}\n\
                 {text}",
                daemon.display(),
                self.format,
            );
            fs::write(&file, text).expect("a fresh folder");
            command.arg("--config").arg(file);
            return command;
        }
        command.arg("--listen").arg(listener).args(["--log-format", self.format]);
        if self.demo {
            command.arg("--demo");
        } else {
            command.arg("--upstream").arg(daemon.socket());
        }
        command
    }
}

/// Gathers what a stream brings.
fn follow(stream: impl std::io::Read + Send + 'static, log: &Arc<Mutex<String>>) {
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut log = log.lock().expect("no writer panics");
            log.push_str(&line);
            log.push('\n');
        }
    });
}

impl Proxy {
    /// A connection of its own.
    pub fn connect(&self) -> Client {
        Client::connect(&self.socket)
    }

    /// Asks on a connection of its own.
    pub fn get(&self, target: &str) -> Answer {
        self.connect().get(target)
    }

    /// What it has written until now.
    pub fn log(&self) -> String {
        self.log.lock().expect("no writer panics").clone()
    }

    /// Waits until the log has a line like this.
    pub fn logged(&self, like: impl Fn(&Value) -> bool) -> Value {
        self.wait_for("such a line", |log| {
            let lines = log.lines().filter_map(|line| serde_json::from_str(line).ok());
            lines.into_iter().find(|line| like(line))
        })
    }

    /// Waits until the log has these words.
    pub fn logs(&self, words: &str) {
        self.wait_for(words, |log| log.contains(words).then_some(()));
    }

    /// Waits until the log has the record of a request for this path.
    pub fn record(&self, path: &str) -> Value {
        self.logged(|line| line["path"] == path)
    }

    /// What a plugin has said until the log has the record of a request for this path.
    pub fn said(&self, plugin: &str, path: &str) -> Vec<String> {
        self.record(path);
        let log = self.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .filter(|line| line["plugin"] == plugin && line["path"].is_null())
            .filter_map(|line| line["message"].as_str().map(str::to_owned))
            .collect()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The most memory that it has had in use until now, in MiB.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("the proxy runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number of kB");
        kib / 1024
    }

    /// Tells it to end, and waits until it has; gives its exit code.
    pub fn end(mut self) -> Option<i32> {
        let process = Pid::from_child(&self.process);
        rustix::process::kill_process(process, Signal::TERM).expect("the proxy runs");
        self.process.wait().expect("a child of this process").code()
    }

    fn wait_until_it_listens(&mut self) {
        let begun = Instant::now();
        // The last that it says before it accepts clients.
        while !self.log().contains("in front of unix://") {
            let ended = self.process.try_wait().expect("a child of this process").is_some();
            assert!(!ended && begun.elapsed() < DEADLINE, "it does not listen:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn wait_for<T>(&self, what: &str, found: impl Fn(&str) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            let log = self.log();
            if let Some(found) = found(&log) {
                return found;
            }
            assert!(begun.elapsed() < DEADLINE, "waiting for {what}, in vain:\n{log}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed or will.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
