//! A client that sends requests as they are written.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use serde_json::Value;

/// A kept connection.
pub struct Client {
    reader: BufReader<UnixStream>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Client {
    pub fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("the proxy listens");
        // Whoever waits longer hangs.
        stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a socket");
        Self { reader: BufReader::new(stream) }
    }

    pub fn get(&mut self, target: &str) -> Answer {
        self.ask("GET", target)
    }

    pub fn ask(&mut self, method: &str, target: &str) -> Answer {
        self.ask_with(method, target, &[])
    }

    pub fn ask_with(&mut self, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: docker\r\n");
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        self.reader.get_mut().write_all(head.as_bytes()).expect("the proxy reads");
        self.answer(method)
    }

    fn answer(&mut self, method: &str) -> Answer {
        let status_line = self.line();
        let status = status_line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status in {status_line:?}"));
        let mut length = 0;
        loop {
            let line = self.line().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().expect("a number");
            }
        }
        let mut body = vec![0; if method == "HEAD" { 0 } else { length }];
        self.reader.read_exact(&mut body).expect("a body of this length");
        Answer { status, body: String::from_utf8(body).expect("a body of text") }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("an answer");
        assert!(line.ends_with('\n'), "the proxy closed the connection after {line:?}");
        line.trim_end().to_owned()
    }
}

impl Answer {
    /// What a Docker client shows of a refusal.
    pub fn message(&self) -> String {
        let body: Value = serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.body));
        body["message"].as_str().unwrap_or_else(|| panic!("no message in {body}")).to_owned()
    }
}
