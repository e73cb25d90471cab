//! A table of requests and of what is expected of a plugin: `requests.json`, as the SDK's native
//! tests read it.

use std::{collections::BTreeMap, fmt::Write as _, net::SocketAddr, sync::Arc};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    after::{After, Difference, shown},
    given::{self, Found, Given},
    identity::{Certificate, Container},
    trial::{Decided, Outcome},
};
use crate::{
    client::{Client, Peer},
    request::{CanonicalRequest, Resource},
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
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Known {
    /// What it is: `container`, `image`, `network`, `volume` …
    kind: String,
    /// Its name.
    name: String,
    /// What `docker inspect` shows of it.
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
        let headers = given::headers(&self.headers)?;
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
    /// The same, to be looked up.
    ///
    /// # Errors
    /// Where its kind is none.
    pub(in crate::cli) fn found(&self) -> Result<Found, String> {
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
                self.check_after(&decided.after.request)
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

    fn check_after(&self, request: &CanonicalRequest) -> Result<(), String> {
        let Some(after) = &self.after else { return Ok(()) };
        match after.differences(request)?.first() {
            None => Ok(()),
            Some(Difference { what, expected, seen }) => {
                let (expected, seen) = (shown(expected.as_ref()), shown(seen.as_ref()));
                Err(format!("expected {what} {expected} afterwards, seen {seen}"))
            }
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
