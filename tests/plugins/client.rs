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
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
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
        self.send(method, target, headers, "");
        self.answer(method)
    }

    /// Sends a JSON document.
    pub fn post(&mut self, target: &str, json: &str) -> Answer {
        self.send("POST", target, &[("Content-Type", "application/json")], json);
        self.answer("POST")
    }

    /// Sends a request, and leaves the answer to be read.
    pub fn send(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: docker\r\n");
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if !body.is_empty() {
            let length = body.len().to_string();
            head.extend(["Content-Length: ", &length, "\r\n"]);
        }
        let request = format!("{head}\r\n{body}");
        self.reader.get_mut().write_all(request.as_bytes()).expect("the proxy reads");
    }

    /// Sends more.
    pub fn write(&mut self, text: &str) {
        self.reader.get_mut().write_all(text.as_bytes()).expect("the proxy reads");
    }

    /// The answer to what was sent.
    pub fn answer(&mut self, method: &str) -> Answer {
        let (status, headers) = self.head();
        let body = if method == "HEAD" { Vec::new() } else { self.body(&headers) };
        Answer { status, headers, body: String::from_utf8(body).expect("a body of text") }
    }

    /// Status and headers, with the body left to be read.
    pub fn head(&mut self) -> (u16, Vec<(String, String)>) {
        let status_line = self.line();
        let status = status_line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status in {status_line:?}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        (status, headers)
    }

    fn body(&mut self, headers: &[(String, String)]) -> Vec<u8> {
        let header = |name| headers.iter().find(|(n, _)| n == name).map(|(_, value)| value);
        if header("transfer-encoding").is_some() {
            let mut body = Vec::new();
            while let Some(chunk) = self.chunk().expect("a body that ends well") {
                body.extend(chunk);
            }
            return body;
        }
        let length = header("content-length").map_or(0, |value| value.parse().expect("a number"));
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).expect("a body of this length");
        body
    }

    /// All that comes until the proxy closes the connection, as it is written.
    pub fn read_to_end(&mut self) -> String {
        let mut all = Vec::new();
        // It may be reset; what came before counts.
        let _ = self.reader.read_to_end(&mut all);
        String::from_utf8(all).expect("text")
    }

    /// The next chunk of a body; none at its end, an error where it is broken off.
    pub fn chunk(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut size = String::new();
        self.reader.read_line(&mut size)?;
        let length = usize::from_str_radix(size.trim_end(), 16)
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::UnexpectedEof))?;
        let mut chunk = vec![0; length + 2];
        self.reader.read_exact(&mut chunk)?;
        chunk.truncate(length);
        Ok(Some(chunk).filter(|chunk| !chunk.is_empty()))
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("an answer");
        assert!(line.ends_with('\n'), "the proxy closed the connection after {line:?}");
        line.trim_end().to_owned()
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// What a Docker client shows of a refusal.
    pub fn message(&self) -> String {
        let body: Value = serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.body));
        body["message"].as_str().unwrap_or_else(|| panic!("no message in {body}")).to_owned()
    }
}
