//! Clients, each a process of its own where such a client runs: `client.py`.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde::Deserialize;
use serde_json::json;

/// A client, until it is dropped.
pub struct Client {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// As whom a client connects, and where.
#[derive(Clone, Copy, Default)]
pub struct Settings<'s> {
    pub address: &'s str,
    /// A folder with `ca.pem`, `cert.pem` and `key.pem`: it speaks TLS.
    pub certificates: Option<&'s Path>,
    /// The number of its user, and of its group.
    pub user: Option<u32>,
}

/// What a client got.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The daemon's own answer, whatever it is.
    Allowed,
    /// A refusal, in dockgate's words.
    Refused(String),
    /// The word that the daemon gives no answer.
    Unanswered(String),
    /// No HTTP at all.
    NoConnection(String),
}

#[derive(Deserialize)]
struct Answer {
    status: u16,
    message: String,
}

impl Client {
    /// The command runs what is appended to it where the client is to be.
    pub fn start(mut place: Command, settings: Settings) -> Self {
        let Settings { address, certificates, user } = settings;
        let settings = json!({"address": address, "certificates": certificates, "user": user});
        let mut process = place
            .args(["python3", concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/clients/client.py")])
            .arg(settings.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the client starts");
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        Self { input: process.stdin.take(), output, process }
    }

    /// Sends a request like `GET /containers/json` on a connection of its own.
    pub fn ask(&mut self, line: &str) -> Verdict {
        self.send(line, None, false)
    }

    /// The same with a JSON body.
    pub fn ask_with(&mut self, line: &str, body: Option<&str>) -> Verdict {
        self.send(line, body, false)
    }

    /// The same on the one connection that is kept.
    pub fn ask_on_kept(&mut self, line: &str) -> Verdict {
        self.send(line, None, true)
    }

    fn send(&mut self, line: &str, body: Option<&str>, kept: bool) -> Verdict {
        let request = json!({"line": line, "body": body, "kept": kept});
        let input = self.input.as_mut().expect("it is open until this is dropped");
        writeln!(input, "{request}").expect("the client runs");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("text");
        let Answer { status, message } = serde_json::from_str(&answer)
            .unwrap_or_else(|error| panic!("{error} in {answer:?} to {line}"));
        let words = message.strip_prefix("dockgate: ").map(str::to_owned);
        match (status, words) {
            (0, _) => Verdict::NoConnection(message),
            (403, Some(words)) => Verdict::Refused(words),
            (502 | 504, Some(words)) => Verdict::Unanswered(words),
            (_, Some(words)) => panic!("{status} {words} to {line}"),
            (_, None) => Verdict::Allowed,
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // The end of its input is the client's, in a container too, where it can't be killed.
        drop(self.input.take());
        let _ = self.process.wait();
    }
}
