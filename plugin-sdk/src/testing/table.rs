//! A table of requests and what a policy says of them, as a JSON file.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use super::{
    Certificate, Container,
    manifest::{Interests, read},
};
use crate::{Content, Json, Kind, Policy, Request, Setup, Verdict};

/// What [`requests_test!`](crate::requests_test) does, for the crate in this folder.
///
/// # Panics
/// Where a row is not as it says, with all such rows.
pub fn check_requests<P: Policy>(folder: impl AsRef<Path>) {
    let interests = Interests::of(&read(&folder.as_ref().join("manifest.json")));
    let rows = read(&folder.as_ref().join("requests.json"));
    assert!(!rows.items().is_empty(), "requests.json has no rows");
    let failures: Vec<String> = rows
        .items()
        .iter()
        .filter_map(|json| {
            let row: Row = serde_json::from_value(json.clone().into())
                .unwrap_or_else(|error| panic!("{json}: {error}"));
            row.check::<P>(&interests).err().map(|words| format!("{json}\n  {words}"))
        })
        .collect();
    assert!(failures.is_empty(), "requests.json:\n{}", failures.join("\n"));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(default = "no_settings")]
    settings: Json,
    request: RequestRow,
    verdict: Expected,
    status: Option<u16>,
    says: Option<String>,
    after: Option<After>,
}

fn no_settings() -> Json {
    Json::Object(Vec::new())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestRow {
    method: String,
    path: String,
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Json>,
    certificate: Option<Certificate>,
    container: Option<Container>,
    time: Option<u64>,
    #[serde(default)]
    found: Vec<Found>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Found {
    kind: String,
    name: String,
    json: Json,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Allow,
    Abstain,
    Deny,
    Respond,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    target: Option<String>,
    #[serde(default)]
    query: BTreeMap<String, Option<String>>,
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    body: Option<Json>,
}

impl Row {
    fn check<P: Policy>(&self, interests: &Interests) -> Result<(), String> {
        let settings = serde_json::from_value(self.settings.clone().into())
            .map_err(|error| format!("the settings: {error}"))?;
        let mut setup = Setup::new(settings);
        let policy = P::set_up(&mut setup);
        if let Some(problem) = setup.problems().iter().find(|problem| problem.fatal) {
            return Err(format!("the settings: {}: {}", problem.subject, problem.message));
        }
        let (verdict, request) = settle(&policy, interests.show(self.request.build()))?;
        let reply = request.reply();
        match (self.verdict, &verdict, reply) {
            (Expected::Deny, Verdict::Deny(denial), _) => {
                self.check_words(denial.status, &denial.words())
            }
            (Expected::Respond, Verdict::Allow | Verdict::Abstain, Some((status, json))) => {
                self.check_words(status, &json.to_string())
            }
            (Expected::Allow, Verdict::Allow, None)
            | (Expected::Abstain, Verdict::Abstain, None) => {
                self.after.as_ref().map_or(Ok(()), |after| after.check(&request))
            }
            (_, verdict, reply) => Err(format!("it is {verdict:?} with the answer {reply:?}")),
        }
    }

    fn check_words(&self, status: u16, words: &str) -> Result<(), String> {
        if self.status.is_some_and(|expected| expected != status) {
            return Err(format!("its status is {status}"));
        }
        match &self.says {
            Some(says) if !words.contains(says.as_str()) => Err(format!("it says: {words}")),
            _ => Ok(()),
        }
    }
}

/// Asks until nothing changes; the request is the one that was asked about last.
fn settle<P: Policy>(policy: &P, mut request: Request) -> Result<(Verdict, Request), String> {
    for _ in 0..MOST_PASSES {
        let verdict = policy.decide(&request);
        let edited = request.edited();
        if matches!(verdict, Verdict::Deny(_)) || edited.is_sent_as(&request) {
            return Ok((verdict, request));
        }
        request = edited;
    }
    Err(format!("it still changes after {MOST_PASSES} passes: {:?}", request.edits()))
}

/// As many as the proxy makes.
const MOST_PASSES: usize = 4;

impl Request {
    fn is_sent_as(&self, other: &Self) -> bool {
        self.target == other.target
            && self.host.query == other.host.query
            && self.host.headers == other.host.headers
            && self.host.content == other.host.content
    }
}

impl RequestRow {
    fn build(&self) -> Request {
        let mut request = Request::new(&self.method, &self.path);
        for (name, value) in &self.query {
            request = request.with_query(name, value);
        }
        for (name, value) in &self.headers {
            request = request.with_header(name, value);
        }
        if let Some(body) = &self.body {
            request = request.with_body(body);
        }
        if let Some(certificate) = &self.certificate {
            request = request.with_certificate(certificate.clone());
        }
        if let Some(container) = &self.container {
            request = request.with_container(container.clone());
        }
        if let Some(time) = self.time {
            request = request.at_time(time);
        }
        for Found { kind, name, json } in &self.found {
            let kind = Kind::ALL
                .into_iter()
                .find(|known| known.name() == kind)
                .unwrap_or_else(|| panic!("nothing is called {kind}"));
            request = request.with_found(kind, name, json);
        }
        request
    }
}

impl After {
    fn check(&self, request: &Request) -> Result<(), String> {
        if self.target.is_some() && self.target.as_deref() != request.target() {
            return Err(format!("its target is {:?}", request.target()));
        }
        for (name, value) in &self.query {
            if *value != request.query(name) {
                return Err(format!("its query is {:?}", request.query_all()));
            }
        }
        for (name, value) in &self.headers {
            if *value != request.header(name) {
                return Err(format!("its header {name} is {:?}", request.header(name)));
            }
        }
        match (&self.body, request.body()) {
            (Some(expected), Content::Json(body)) if *expected != body => {
                Err(format!("its body is {body}"))
            }
            (Some(_), Content::None | Content::NotAskedFor) => Err("it has no body".to_owned()),
            _ => Ok(()),
        }
    }
}
