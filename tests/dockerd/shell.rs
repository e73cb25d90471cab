//! Shell scripts that drive the `docker` client, and what came of them.

use std::fmt;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::daemon::new_folder;

/// Where scripts run: a folder of its own that is gone afterwards, no configuration, one `docker`.
pub struct Shell {
    folder: PathBuf,
    docker_host: String,
    variables: Vec<(String, String)>,
    entering: Vec<String>,
}

impl Shell {
    /// The `docker` of its scripts talks to this address.
    pub fn with_docker_at(address: &str) -> Self {
        Self {
            folder: new_folder("shell"),
            docker_host: address.to_owned(),
            variables: Vec::new(),
            entering: Vec::new(),
        }
    }

    /// Takes this client for `docker`, not the first on the path.
    pub fn and_client(self, docker: &Path) -> Self {
        let bin = self.folder.join("bin");
        fs::create_dir(&bin).expect("one client for a shell");
        symlink(docker, bin.join("docker")).expect("a link to the client");
        self
    }

    pub fn and_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs in the network of a process, not in the tests' own.
    pub fn in_network_of(mut self, process: &str) -> Self {
        self.entering = vec!["nsenter".to_owned(), format!("--net=/proc/{process}/ns/net")];
        self
    }

    /// Runs a script to its end, or for two minutes.
    pub fn run(&self, script: &str) -> Outcome {
        let output = self
            .command(&["timeout", "--kill-after=5", "120", "sh", "-c", script])
            .stdin(Stdio::null())
            .output()
            .expect("sh starts");
        Outcome {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs a script that is part of the scene, and returns what it printed.
    pub fn must_run(&self, script: &str) -> String {
        let outcome = self.run(&format!("set -e\n{script}"));
        assert_eq!(outcome.status, Some(0), "{script}\n{outcome}");
        outcome.stdout
    }

    /// A command in the folder and environment of the scripts, not yet started.
    pub fn command(&self, words: &[&str]) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let entering = self.entering.iter().map(String::as_str);
        let words: Vec<&str> = entering.chain(words.iter().copied()).collect();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", format!("{}:{path}", self.folder.join("bin").display()))
            .env("HOME", &self.folder)
            .env("LC_ALL", "C")
            .env("TERM", "xterm")
            .env("DOCKER_HOST", &self.docker_host)
            .env("DOCKER_CLI_HINTS", "false")
            .env("DOCKER_BUILDKIT", "0")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // A failure here must not hide the one that the test is failing with.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What a person at the terminal would have seen of a script.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// The same with what differs from run to run by nature brought to one form: `alike.sed`.
    pub fn alike(&self) -> Self {
        Self { status: self.status, stdout: alike(&self.stdout), stderr: alike(&self.stderr) }
    }

    /// Where another outcome begins to differ, with a few lines of both.
    pub fn difference_from(&self, other: &Self) -> Option<String> {
        if self == other {
            return None;
        }
        let (this, other) = (self.to_string(), other.to_string());
        let same = this.lines().zip(other.lines()).take_while(|(a, b)| a == b).count();
        let excerpt = |text: &str| {
            let lines = text.lines().skip(same.saturating_sub(3)).take(12);
            lines.fold(String::new(), |excerpt, line| excerpt + "    " + line + "\n")
        };
        Some(format!(
            "after {same} lines, directly:\n{}through the proxy:\n{}",
            excerpt(&this),
            excerpt(&other)
        ))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        write!(f, "exit {status}\n--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)
    }
}

fn alike(text: &str) -> String {
    let mut sed = Command::new("sed")
        .args(["-E", "-f", concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/dockerd/alike.sed")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sed starts");
    let mut stdin = sed.stdin.take().expect("stdin is a pipe");
    // sed writes as it reads: more than a pipe holds has to be written beside the reading.
    let text = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = sed.wait_with_output().expect("sed ends");
    writer.join().expect("no panic").expect("sed reads to the end");
    assert!(output.status.success(), "alike.sed is not a script for sed");
    String::from_utf8(output.stdout).expect("sed leaves text text")
}
