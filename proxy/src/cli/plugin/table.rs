//! A table of requests and of what is expected of a plugin: `requests.json`, as the SDK's native
//! tests read it.

use std::{collections::BTreeMap, fmt::Write as _, net::SocketAddr, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use super::{
    given::{self, Found, Given},
    identity::{Certificate, Container},
    trial::{Decided, Outcome},
};
use crate::{
    client::{Client, Peer},
    request::{CanonicalRequest, Document, Resource, UnknownFields, body_of},
};

/// A row: one request, and what is expected.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    /// What the plugin is set up from; where nothing is said, from what the command line says.
    pub settings: Option<Value>,
    pub request: Request,
    verdict: Verdict,
    status: Option<u16>,
    says: Option<String>,
    after: Option<After>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub method: String,
    /// As a plugin sees it: decoded, and without a version.
    pub path: String,
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    certificate: Option<Certificate>,
    container: Option<Container>,
    /// Seconds since 1970.
    pub time: Option<u64>,
    #[serde(default)]
    found: Vec<Known>,
}

/// Something that the daemon knows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    kind: String,
    name: String,
    json: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Allow,
    Abstain,
    Deny,
    Respond,
}

/// What edits leave; what is not named may be anything, and what is null is gone.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    target: Option<String>,
    #[serde(default)]
    query: BTreeMap<String, Option<String>>,
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    body: Option<Value>,
}

/// What a path and a query have to be encoded in; the canonical form makes its own of it.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.');

impl Request {
    /// The request as a client would send it.
    ///
    /// # Errors
    /// What in the row can't be sent.
    pub(super) fn given(&self) -> Result<Given, String> {
        let mut target = utf8_percent_encode(&self.path, ENCODED).to_string();
        for (at, (name, value)) in self.query.iter().enumerate() {
            let (name, value) =
                (utf8_percent_encode(name, ENCODED), utf8_percent_encode(value, ENCODED));
            // Writing to a String can't fail.
            let _ = write!(target, "{}{name}={value}", if at == 0 { '?' } else { '&' });
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let odd = || format!("the header {name:?} can't be sent");
            let read = HeaderName::from_bytes(name.as_bytes()).map_err(|_| odd())?;
            headers.append(read, HeaderValue::from_str(value).map_err(|_| odd())?);
        }
        let head = given::head(&self.method, &target, headers)
            .map_err(|problem| format!("{} {} {problem}", self.method, self.path))?;
        let peer = Peer::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)));
        Ok(Given {
            head,
            body: self.body.as_ref().map(Value::to_string).unwrap_or_default().into_bytes(),
            client: Client {
                certificate: self.certificate.clone().map(|it| Arc::new(it.into())),
                container: self.container.clone().map(|it| Arc::new(it.into())),
                ..Client::new("given".into(), "tcp://127.0.0.1:2375".into(), peer)
            },
            found: self.found.iter().map(Known::found).collect::<Result<_, _>>()?,
        })
    }
}

impl Known {
    fn found(&self) -> Result<Found, String> {
        let resource = Resource::named(&self.kind)
            .ok_or_else(|| format!("{:?} is no kind of thing", self.kind))?;
        Ok(Found { resource, name: self.name.clone(), json: self.json.to_string() })
    }
}

impl Row {
    /// Compares what a plugin came to.
    ///
    /// # Errors
    /// What was seen in the place of what is expected.
    pub(super) fn check(&self, decided: &Decided) -> Result<(), String> {
        match (self.verdict, &decided.outcome) {
            (Verdict::Allow, Outcome::Allowed) | (Verdict::Abstain, Outcome::Abstained) => {
                self.after.as_ref().map_or(Ok(()), |after| after.check(&decided.after.request))
            }
            (Verdict::Deny, Outcome::Denied(denial)) => {
                self.check_words(denial.status, &denial.words())
            }
            (Verdict::Respond, Outcome::Answered { reply, .. }) => {
                self.check_words(reply.status, &reply.json)
            }
            (expected, seen) => Err(format!("expected {}, seen {}", expected.word(), seen.words())),
        }
    }

    fn check_words(&self, status: u16, words: &str) -> Result<(), String> {
        if let Some(expected) = self.status.filter(|expected| *expected != status) {
            return Err(format!("expected the status {expected}, seen {status}"));
        }
        match &self.says {
            Some(says) if !words.contains(says.as_str()) => {
                Err(format!("expected the words {says:?}, seen {words:?}"))
            }
            _ => Ok(()),
        }
    }
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Abstain => "abstain",
            Self::Deny => "deny",
            Self::Respond => "respond",
        }
    }
}

impl Outcome {
    fn words(&self) -> String {
        match self {
            Self::Allowed => "allow".to_owned(),
            Self::Abstained => "abstain".to_owned(),
            Self::Denied(denial) => format!("deny: {}", denial.message),
            Self::Answered { reply, .. } => format!("respond: {} {}", reply.status, reply.json),
            Self::Failed(failure) => format!("a failure: {failure}"),
            Self::Restless => "that it goes on changing the request".to_owned(),
        }
    }
}

impl After {
    fn check(&self, request: &CanonicalRequest) -> Result<(), String> {
        let differs = |what: &str, expected: String, seen: String| {
            if expected == seen {
                Ok(())
            } else {
                Err(format!("expected {what} {expected} afterwards, seen {seen}"))
            }
        };
        if self.target.is_some() {
            differs("the target", shown(self.target.as_deref()), shown(request.target()))?;
        }
        for (name, expected) in &self.query {
            let seen = request.query().get(name);
            differs(
                &format!("{name} in the query"),
                shown(expected.as_deref()),
                shown(seen.as_deref()),
            )?;
        }
        for (name, expected) in &self.headers {
            let seen = request.headers().get(name).and_then(|value| value.to_str().ok());
            differs(&format!("the header {name}"), shown(expected.as_deref()), shown(seen))?;
        }
        let Some(expected) = &self.body else { return Ok(()) };
        // Names get their usual spelling, as those of the body have.
        let expected = expected.to_string();
        let expected =
            Document::parse(expected.as_bytes(), request.operation(), UnknownFields::Pass)
                .map_err(|misread| misread.to_string())?;
        let expected: Option<Value> = serde_json::from_str(&expected.to_text()).ok();
        let body = |value: &Option<Value>| value.as_ref().map_or("none".into(), Value::to_string);
        differs("the body", body(&expected), body(&body_of(request)))
    }
}

fn shown(value: Option<&str>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| format!("{value:?}"))
}
