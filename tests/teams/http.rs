//! Requests as the tables write them, each on a connection of its own.

use std::path::Path;

use serde_json::Value;

use crate::wire::Wire;

/// A request: a line like `GET /containers/json?all=1`, and a JSON body or none.
#[derive(Clone, Debug)]
pub struct Request {
    pub line: String,
    pub body: String,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(line: impl Into<String>) -> Self {
        Self { line: line.into(), body: String::new() }
    }

    pub fn with_body(self, body: impl Into<String>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Sends it to a socket. A stream of an answer ends when the other side closes.
    pub fn ask(&self, socket: &Path) -> Answer {
        let mut wire = Wire::connect(socket).expect("a socket that listens");
        // At once: who refuses by the head may not wait for a body.
        wire.send(self.head() + &self.body);
        let head = wire.head();
        let lower = head.to_lowercase();
        let length =
            lower.split("\r\ncontent-length: ").nth(1).and_then(|rest| rest.lines().next());
        let body = match length {
            _ if self.line.starts_with("HEAD") => Vec::new(),
            // A connection that was to be upgraded, and was not, may stay open.
            Some(length) => wire.exactly(length.parse().expect("a number")),
            None if lower.contains("\r\ntransfer-encoding: chunked") => {
                dechunked(&wire.until_closed())
            }
            None => wire.until_closed(),
        };
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("{}: no status in {head}", self.line));
        Answer { status, head, body }
    }

    fn head(&self) -> String {
        let mut head = format!("{} HTTP/1.1\r\nHost: docker\r\n", self.line);
        if self.line.contains("/attach/ws") {
            head += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Origin: http://localhost\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        } else {
            head += "Connection: close\r\n";
        }
        if self.line.contains("/push") {
            // Credentials, `{}`: the daemon wants some.
            head += "X-Registry-Auth: e30=\r\n";
        }
        let is_tar = self.line.contains("/archive") || self.line.contains("/build");
        let kind = if is_tar { "application/x-tar" } else { "application/json" };
        if !self.body.is_empty() {
            head.extend(["Content-Type: ", kind, "\r\n"]);
        }
        format!("{head}Content-Length: {}\r\n\r\n", self.body.len())
    }
}

impl Answer {
    /// Its body as text, with what is none replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.head, self.text()))
    }

    /// What a client shows of a refusal; else the beginning of what came.
    pub fn words(&self) -> String {
        let json: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let message = json["message"].as_str().map(str::to_owned);
        message.unwrap_or_else(|| self.text().chars().take(200).collect())
    }
}

/// A body without the lengths of its chunks; one that is broken off is as far as it came.
fn dechunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).expect("a length is text");
        let size = usize::from_str_radix(size, 16).expect("a length in hexadecimal");
        let chunk = &rest[end + 2..];
        body.extend(&chunk[..size.min(chunk.len())]);
        if size == 0 {
            break;
        }
        rest = chunk.get(size + 2..).unwrap_or_default();
    }
    body
}
