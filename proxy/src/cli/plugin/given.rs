//! A request from the command line or from a table.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc};

use clap::Args;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, request::Parts};

use super::{
    document,
    identity::{self, Certificate, Container},
};
use crate::{
    client::{Client, Peer, Process},
    error::Error,
    plugin::Clock,
    request::Resource,
};

/// What is around a request.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Asking {
    /// A header of it, 'Name: value'; may be repeated
    #[arg(long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// Its body: JSON, or a file with it
    #[arg(long, value_name = "JSON|FILE")]
    body: Option<String>,
    /// Who sent it: an address such as 172.18.0.3, or UID:GID or UID:GID:PID of a process at a unix
    /// socket
    #[arg(long, visible_alias = "as", value_name = "ADDRESS|UID:GID[:PID]", default_value = "127.0.0.1", value_parser = peer)]
    client: Peer,
    /// The certificate that the client has shown: subject=CN=ci,O=Example,name=ci.example,pin=4f66…
    #[arg(long, value_name = "FIELDS", value_parser = identity::certificate)]
    certificate: Option<Certificate>,
    /// The container that the client runs in: name=web,image=nginx,id=4f66…,label.team=web
    #[arg(long, value_name = "FIELDS", value_parser = identity::container)]
    container: Option<Container>,
    /// Where it came in [default: tcp://127.0.0.1:2375 or unix:///run/dockgate.sock]
    #[arg(long, value_name = "ADDRESS")]
    listener: Option<String>,
    /// Something that the daemon knows, for look-ups: KIND/NAME=JSON, or a file with it; may be
    /// repeated. What is not named is not there
    #[arg(long, value_name = "KIND/NAME=JSON|FILE")]
    found: Vec<String>,
}

/// The time that a plugin is told.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Time {
    /// The time that it is told, in seconds since 1970 [default: now]
    #[arg(long, value_name = "SECONDS")]
    time: Option<u64>,
}

impl Time {
    pub(super) fn clock(self) -> Clock {
        self.time.map_or(Clock::Runs, Clock::StandsAt)
    }
}

/// A request as a client sends it, with what is around it.
pub(in crate::cli) struct Given {
    pub head: Parts,
    pub body: Vec<u8>,
    pub client: Client,
    pub found: Vec<Found>,
}

/// Something that the daemon knows.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Found {
    pub resource: Resource,
    pub name: String,
    /// What its inspect says.
    pub json: String,
}

impl Asking {
    /// The request that is written so, or in the file with that name, with what is around it.
    pub(in crate::cli) fn read(&self, text: &str) -> Result<Given, Error> {
        let (mut head, mut body) = request(text)?;
        for line in &self.headers {
            let (name, value) = header(line)?;
            head.headers.append(name, value);
        }
        if let Some(text) = &self.body {
            body = document::read("--body", text)?.into_bytes();
        }
        let usual = match self.client {
            Peer::Tcp(_) => "tcp://127.0.0.1:2375",
            Peer::Unix(_) => "unix:///run/dockgate.sock",
        };
        let listener = self.listener.as_deref().unwrap_or(usual).into();
        let found = self.found.iter().map(|text| found(text)).collect::<Result<_, _>>()?;
        let client = Client {
            certificate: self.certificate.clone().map(|it| Arc::new(it.into())),
            container: self.container.clone().map(|it| Arc::new(it.into())),
            ..Client::new("given".into(), listener, self.client)
        };
        Ok(Given { head, body, client, found })
    }
}

/// Reads headers that stand alone.
///
/// # Errors
/// The one that can't be sent.
pub(in crate::cli) fn headers(written: &BTreeMap<String, String>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in written {
        let odd = || format!("the header {name:?} can't be sent");
        let read = HeaderName::from_bytes(name.as_bytes()).map_err(|_| odd())?;
        headers.append(read, HeaderValue::from_str(value).map_err(|_| odd())?);
    }
    Ok(headers)
}

/// Reads `GET /containers/json`.
///
/// # Errors
/// What is wrong with it.
pub(in crate::cli) fn line(text: &str, headers: HeaderMap) -> Result<Parts, String> {
    let (method, target) = text.split_once(' ').ok_or("is no request")?;
    head(method, target.trim().trim_end_matches(" HTTP/1.1"), headers)
}

/// Puts the head of a request together.
///
/// # Errors
/// What can't stand in one.
pub(super) fn head(method: &str, target: &str, headers: HeaderMap) -> Result<Parts, String> {
    let is_method = !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase());
    let method = Method::from_bytes(method.as_bytes()).ok().filter(|_| is_method);
    let method = method.ok_or("begins with no method, such as GET")?;
    if !target.starts_with('/') {
        return Err("has no path that begins with a slash".to_owned());
    }
    let uri: Uri = target.parse().map_err(|error| format!("has a target that is none: {error}"))?;
    let (mut head, ()) = Request::new(()).into_parts();
    (head.method, head.uri, head.headers) = (method, uri, headers);
    Ok(head)
}

/// Reads `GET /containers/json`, or the file with that name.
fn request(text: &str) -> Result<(Parts, Vec<u8>), Error> {
    let is_line = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.contains(" /");
    if !is_line && Path::new(text).exists() {
        return whole(Path::new(text));
    }
    let wrong = |problem: String| {
        let problem = format!("{problem}: write 'GET /containers/json', or name a file");
        Error::Value { name: "--request", value: text.to_owned(), problem }
    };
    if !text.contains(' ') {
        return Err(wrong("is no request, and no such file".to_owned()));
    }
    Ok((line(text, HeaderMap::new()).map_err(wrong)?, Vec::new()))
}

/// Reads a file with a request as it goes over the wire; what follows the head is its body.
fn whole(path: &Path) -> Result<(Parts, Vec<u8>), Error> {
    let bytes =
        std::fs::read(path).map_err(|error| Error::File { path: path.to_owned(), error })?;
    let wrong = |problem: String| Error::Content {
        path: path.to_owned(),
        problem: format!("it is no HTTP/1.1 request: it {problem}"),
    };
    let mut slots = [httparse::EMPTY_HEADER; 100];
    let mut parsed = httparse::Request::new(&mut slots);
    let length = match parsed.parse(&bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => {
            return Err(wrong("has no empty line behind its headers".to_owned()));
        }
        Err(error) => return Err(wrong(format!("breaks off: {error}"))),
    };
    let mut headers = HeaderMap::new();
    for header in parsed.headers.iter() {
        let odd = || wrong(format!("has an odd header {:?}", header.name));
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| odd())?;
        headers.append(name, HeaderValue::from_bytes(header.value).map_err(|_| odd())?);
    }
    let (method, target) = (parsed.method.unwrap_or_default(), parsed.path.unwrap_or_default());
    let head = head(method, target, headers).map_err(wrong)?;
    Ok((head, bytes[length..].to_vec()))
}

/// Reads `Name: value`.
fn header(line: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let read = || {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(value.trim()).ok()?))
    };
    read().ok_or_else(|| Error::Value {
        name: "--header",
        value: line.to_owned(),
        problem: "is no header: write 'X-Team: web'".to_owned(),
    })
}

/// Reads `container/web=FILE`.
fn found(text: &str) -> Result<Found, Error> {
    let wrong = |problem: String| Error::Value {
        name: "--found",
        value: text.to_owned(),
        problem: format!("{problem}: write container/web={{\"Id\":\"4f66\"}}"),
    };
    let (thing, json) = text.split_once('=').ok_or_else(|| wrong("says nothing of it".into()))?;
    let (kind, name) = thing.split_once('/').ok_or_else(|| wrong("has no kind".into()))?;
    let resource =
        Resource::named(kind).ok_or_else(|| wrong(format!("has a kind {kind:?} that is none")))?;
    Ok(Found { resource, name: name.to_owned(), json: document::read("--found", json)? })
}

/// Reads `172.18.0.3`, `1000:1000` or `1000:1000:7`.
fn peer(text: &str) -> Result<Peer, String> {
    let user = || {
        let (uid, rest) = text.split_once(':')?;
        let (gid, pid) = match rest.split_once(':') {
            Some((gid, pid)) => (gid, Some(pid.parse().ok()?)),
            None => (rest, None),
        };
        Some(Process { uid: uid.parse().ok()?, gid: gid.parse().ok()?, pid })
    };
    match text.parse() {
        Ok(address) => Ok(Peer::Tcp(SocketAddr::new(address, 0))),
        Err(_) => user()
            .map(|process| Peer::Unix(Some(process)))
            .ok_or_else(|| "give an address such as 172.18.0.3, or UID:GID".to_owned()),
    }
}
