//! A reader at a terminal, who types what a page shows.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::page::{self, Block, Page, ROOT};
use crate::{COMMANDS, Way};

/// How long something that comes at once may take on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// The reader, in a new folder with a checkout in `dockgate`.
pub struct Session {
    folder: TempDir,
    here: PathBuf,
    server: Option<Server>,
}

impl Session {
    /// A reader who works beside the checkout, and has written no file yet.
    pub fn beside_checkout() -> Self {
        let folder = tempfile::tempdir().unwrap();
        symlink(fs::canonicalize(ROOT).unwrap(), folder.path().join("dockgate")).unwrap();
        let here = folder.path().to_owned();
        Self { folder, here, server: None }
    }

    /// A reader in the checkout, where the files that a page shows are already.
    pub fn in_checkout() -> Self {
        let mut session = Self::beside_checkout();
        session.here.push("dockgate");
        session
    }

    /// Where the reader has come to.
    pub fn folder(&self) -> &Path {
        &self.here
    }

    /// Types all that the page shows, in order, and looks whether what comes is what it shows.
    pub fn go_through(mut self, page: &Page) {
        self.go_on(page);
    }

    /// The same, and stays there.
    pub fn go_on(&mut self, page: &Page) {
        for block in page.blocks() {
            let place = format!("{}, line {}", page.name, block.line);
            match (block.language.as_str(), &block.file) {
                ("sh", _) => block.text.lines().for_each(|line| self.must_run(line, &place)),
                ("console", _) => self.converse(&block, &place),
                ("text", _) => self.must_have_logged(&block, &place),
                (_, Some(file)) if self.here.ends_with("dockgate") => {
                    assert_eq!(block.text, page::file(file), "{place}: it shows {file}");
                }
                (_, Some(file)) => self.write(file, &block.text),
                _ => {}
            }
        }
    }

    fn must_run(&mut self, command: &str, place: &str) {
        let Some((status, printed)) = self.run(command) else { return };
        assert_eq!(status, Some(0), "{place}: {command}\n{printed}");
    }

    /// Commands behind `$`, and behind each what it prints.
    fn converse(&mut self, block: &Block, place: &str) {
        for turn in block.text.split("$ ").skip(1) {
            let (command, expected) = turn.split_once('\n').unwrap();
            let Some((_, printed)) = self.run(command) else { continue };
            let expected = self.with_words_replaced(expected);
            let same = expected.lines().count() == printed.lines().count()
                && expected.lines().zip(printed.lines()).all(|(e, p)| is_like(e, p));
            assert!(same, "{place}: {command}\nshould print\n{expected}\nand prints\n{printed}");
        }
    }

    /// The lines stand in the server's log, one behind the other where no `…` is between them.
    fn must_have_logged(&mut self, block: &Block, place: &str) {
        let expected = self.with_words_replaced(&block.text);
        let expected = without_numbers(&expected);
        let server = self.server.as_ref().unwrap_or_else(|| panic!("{place}: nothing serves"));
        let started = Instant::now();
        loop {
            let logged = without_numbers(&server.log());
            let logged: Vec<&str> = logged.lines().collect();
            let expected: Vec<&str> = expected.lines().collect();
            if (0..logged.len()).any(|from| follow(&expected, &logged[from..])) {
                return;
            }
            let log = server.log();
            assert!(started.elapsed() < DEADLINE, "{place}: this is not in the log:\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Writes a file, or to its end.
    fn write(&self, file: &str, text: &str) {
        let (file, more) = match file.strip_prefix('+') {
            Some(file) => (file, true),
            None => (file, false),
        };
        let mut open = OpenOptions::new();
        open.create(true).write(true).append(more).truncate(!more);
        open.open(self.here.join(file)).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Runs a command, by the table where it has an entry there. Nothing comes back where it is not
    /// run, or goes on.
    fn run(&mut self, command: &str) -> Option<(Option<i32>, String)> {
        if let Some(folder) = command.strip_prefix("cd ") {
            match folder {
                ".." => drop(self.here.pop()),
                folder => self.here.push(folder),
            }
            return None;
        }
        let way = COMMANDS.iter().find(|(known, _)| *known == command).map(|(_, way)| way);
        match way {
            Some(Way::Elsewhere(_)) => None,
            Some(Way::Serves(command)) => {
                self.serve(command);
                None
            }
            None => {
                if let Some(program) = missing(command) {
                    skip(&format!("{program} is not installed, so this is not tried: {command}"));
                    return None;
                }
                let command = self.with_words_replaced(command);
                let output = self.command("sh").args(["-c", &command]).output().unwrap();
                let printed = [output.stdout, output.stderr].concat();
                Some((output.status.code(), String::from_utf8(printed).unwrap()))
            }
        }
    }

    fn serve(&mut self, command: &str) {
        let command = self.with_words_replaced(command);
        let words: Vec<&str> = command.split_whitespace().collect();
        let program = words.iter().position(|word| assignment(word).is_none()).unwrap();
        let (assignments, words) = words.split_at(program);
        let mut process = self.command(words[0]);
        process.args(&words[1..]).envs(assignments.iter().filter_map(|word| assignment(word)));
        // What a reader sees at a terminal.
        process.env("DOCKGATE_LOG_FORMAT", "text");
        // The one before it has the port.
        drop(self.server.take());
        self.server = Some(Server::start(process));
    }

    /// A program in the reader's environment.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.here).stdin(Stdio::null()).env_clear();
        command.envs(environment(self.folder.path()));
        command
    }

    fn with_words_replaced(&self, text: &str) -> String {
        // The address stands for the one that the last proxy listens on.
        match &self.server {
            Some(server) => text.replace("127.0.0.1:2375", &server.address),
            None => text.to_owned(),
        }
    }
}

/// What a program may see of this test's environment.
pub fn environment(folder: &Path) -> Vec<(String, String)> {
    let kept = ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
    let kept = kept.into_iter().filter_map(|name| Some((name, std::env::var(name).ok()?)));
    let folder = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    // `dockgate` is the binary under test.
    let binary = Path::new(env!("CARGO_BIN_EXE_dockgate")).parent().unwrap().display();
    let path = std::env::var("PATH").unwrap_or_default();
    let ours = [
        ("PATH", format!("{binary}:{path}")),
        // What the workspace needs is there; nothing new is fetched.
        ("CARGO_NET_OFFLINE", "true".to_owned()),
        ("CARGO_TARGET_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/guide").to_owned()),
        ("DOCKGATE_LISTEN", "127.0.0.1:0".to_owned()),
        ("XDG_CACHE_HOME", folder(".cache")),
        ("TMPDIR", folder("")),
    ];
    kept.chain(ours).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A proxy that serves until it is dropped.
pub struct Server {
    process: Child,
    log: Arc<Mutex<String>>,
    /// Where it listens: `127.0.0.1:40001`.
    pub address: String,
}

impl Server {
    /// Starts one that listens on one TCP address.
    pub fn start(mut command: Command) -> Self {
        let mut process =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let log = Arc::new(Mutex::new(String::new()));
        let stdout = Box::new(process.stdout.take().unwrap()) as Box<dyn io::Read + Send>;
        let stderr = Box::new(process.stderr.take().unwrap());
        for stream in [stdout, stderr] {
            let log = Arc::clone(&log);
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    log.lock().unwrap().extend([&*line, "\n"]);
                }
            });
        }
        let mut server = Self { process, log, address: String::new() };
        // The last that it says before it serves.
        server.wait_for("in front of unix://");
        let log = server.log();
        let (_, rest) = log.split_once("listening on tcp://").expect("it listens");
        let end = rest.find(['"', ' ', '\n']).unwrap();
        rest[..end].clone_into(&mut server.address);
        server
    }

    /// What it has written until now.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits for a line that has this in it.
    pub fn wait_for(&mut self, what: &str) -> String {
        let started = Instant::now();
        loop {
            let log = self.log();
            if let Some(line) = log.lines().find(|line| line.contains(what)) {
                return line.to_owned();
            }
            let ended = self.process.try_wait().unwrap().is_some();
            assert!(!ended && started.elapsed() < DEADLINE, "no {what:?} in the log:\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Tells it to end, and waits for that.
    pub fn end(&mut self) -> Option<i32> {
        let pid = Pid::from_child(&self.process);
        // It may have ended by itself.
        let _ = kill_process(pid, Signal::TERM);
        self.process.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// The program of a command that is not installed.
pub fn missing(command: &str) -> Option<&str> {
    let program = command.split_whitespace().find(|word| assignment(word).is_none())?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = program.contains('/')
        || program == "dockgate"
        || std::env::split_paths(&path).any(|folder| folder.join(program).exists());
    (!found).then_some(program)
}

/// The variable that a word before a command sets, and its value.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let of_a_name = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    word.split_once('=').filter(|(name, _)| name.bytes().all(of_a_name))
}

/// Tells why something was not tried; in CI, where everything is installed, that is a failure.
pub fn skip(reason: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "not to be skipped in CI: {reason}");
    // The harness captures what the print macros write, and shows it only for tests that fail.
    writeln!(io::stderr(), "SKIPPED: {reason}").expect("stderr takes a line");
}

/// Whether lines begin with the expected ones; `…` on a line of its own stands for any lines.
fn follow(expected: &[&str], lines: &[&str]) -> bool {
    match expected {
        [] => true,
        ["…", rest @ ..] => (0..=lines.len()).any(|from| follow(rest, &lines[from..])),
        [first, rest @ ..] => {
            lines.first().is_some_and(|line| is_like(first, line) && follow(rest, &lines[1..]))
        }
    }
}

/// Whether a line is the expected one; `…` at its end stands for any end.
fn is_like(expected: &str, line: &str) -> bool {
    match expected.strip_suffix('…') {
        Some(start) => line.starts_with(start),
        None => line == expected,
    }
}

/// With every run of digits made one `0`: times, ports and sizes differ from run to run.
fn without_numbers(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        let c = if c.is_ascii_digit() { '0' } else { c };
        if c != '0' || !plain.ends_with('0') {
            plain.push(c);
        }
    }
    plain
}
