//! What would become of a request, and why: the same way that a request goes, with all that is
//! decided on it written down, and nothing sent.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use http::request::Parts;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    chain::{self, Decision, Next, Vote},
    client::{Certificate, Client, Container, Peer, Process},
    http::Words,
    plugin::{Asked, Instances, LookUps},
    policy::Policy,
    request::{CanonicalRequest, Change, changes},
    selection::Chosen,
};

/// What would become of a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Explanation {
    /// Who sends it.
    pub client: String,
    /// The one form that it has. None where it has none, and is refused for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Form>,
    /// The chains, in order, to the one that decides.
    pub chains: Vec<Tried>,
    /// What each plugin says, in order; a change begins another pass.
    pub steps: Vec<Step>,
    /// What it comes to.
    pub decision: Outcome,
    /// The plugin that settles it: the one that refuses or answers it, or the first that allows it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub plugin: Option<String>,
    /// The HTTP status of the refusal or of the answer in the daemon's stead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The words of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The answer in the daemon's stead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Value>,
    /// What all plugins together changed: how what is sent differs from what came.
    pub changes: Vec<Change>,
}

/// What a request comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It goes to the daemon.
    Allow,
    /// It is refused.
    #[default]
    Deny,
    /// A plugin answers it.
    Respond,
    /// It has no one form.
    Invalid,
    /// A plugin fails, and it is refused.
    Fault,
}

/// A request in its one form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Form {
    /// The endpoint of the API.
    pub operation: String,
    /// The method.
    pub method: String,
    /// The path, without a version.
    pub path: String,
    /// The version of the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The thing that the path names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The query, as it is sent.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub query: String,
}

/// A chain, and whether it is the one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tried {
    /// Its name.
    pub chain: String,
    /// The first condition that does not hold. None for the chain that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
}

/// What a plugin says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// Which pass through the chain, from 1.
    pub pass: u32,
    /// The plugin.
    pub plugin: String,
    /// `allow`, `abstain`, `deny`, or `fail`.
    pub verdict: String,
    /// Its words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// What it changes.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub changes: Vec<Change>,
}

/// What would become of a request, and what would be sent of it.
pub struct Explained {
    /// For people and programs.
    pub told: Explanation,
    /// What would go to the daemon, where anything would.
    pub sent: Option<Arc<CanonicalRequest>>,
}

impl From<Explanation> for Explained {
    /// Of one that is not sent.
    fn from(told: Explanation) -> Self {
        Self { told, sent: None }
    }
}

/// What is decided by, and what is asked.
pub struct Case<'c> {
    /// What requests are decided by.
    pub policy: &'c Policy,
    /// Instances of its plugins.
    pub instances: &'c Instances,
    /// Where plugins look things up.
    pub look_ups: Arc<LookUps>,
    /// Who asks.
    pub client: Client,
    /// The head of the request.
    pub head: Parts,
    /// Its body.
    pub body: &'c [u8],
}

impl Case<'_> {
    /// Goes the way of the request, without sending it.
    pub async fn explain(self) -> Explained {
        let mut told = Explanation { client: self.client.to_string(), ..Default::default() };
        let oldest = self.policy.requests.oldest_api;
        let request = match CanonicalRequest::new(self.head.clone(), oldest) {
            Ok(request) => request,
            Err(violation) => {
                return told.refused(Outcome::Invalid, &Words::invalid(&violation)).into();
            }
        };
        told.request = Some(Form::of(&request));
        let Some(chosen) = self.choose(&request, &mut told.chains) else {
            return told.refused(Outcome::Deny, &Words::no_chain(&request)).into();
        };
        let request = match self.prepared(request, chosen) {
            Ok(request) => request,
            Err(words) => return told.refused(Outcome::Invalid, &words).into(),
        };
        self.deliberate(request, chosen, told).await
    }

    fn choose(&self, request: &CanonicalRequest, tried: &mut Vec<Tried>) -> Option<Chosen> {
        let selection = &self.policy.selection;
        let chosen = selection.choose(&selection.admit(&self.client), request);
        let until = chosen.map_or(selection.chains().len(), |chosen| chosen.chain + 1);
        for chain in &selection.chains()[..until] {
            let fails = chain.conditions.first_that_fails(&self.client, request);
            tried.push(Tried { chain: chain.name.to_string(), fails: fails.map(str::to_owned) });
        }
        chosen
    }

    fn prepared(
        &self,
        mut request: CanonicalRequest,
        chosen: Chosen,
    ) -> Result<CanonicalRequest, Words> {
        if chosen.needs.answers() {
            request.want_plain_answer();
        }
        if !chosen.needs.request_body || !request.has_readable_body() {
            return Ok(request);
        }
        request
            .with_body(self.body, self.policy.requests.unknown_fields)
            .map_err(|violation| Words::invalid(&violation))
    }

    async fn deliberate(
        &self,
        request: CanonicalRequest,
        chosen: Chosen,
        mut told: Explanation,
    ) -> Explained {
        let chain = &self.policy.selection.chains()[chosen.chain];
        let plugin = |place: usize| &self.policy.plugins[chain.plugins[place]];
        let came = request.clone();
        let (mut next, mut pass) = (chain::begin(request, chain.plugins.len()), 0);
        let decision = loop {
            match next {
                Next::Decided(decision) => break decision,
                Next::Ask(question) => {
                    let place = question.plugin();
                    pass += u32::from(place == 0);
                    let asked = Asked {
                        request: Arc::clone(question.request()),
                        client: Arc::new(self.client.clone()),
                        look_ups: Arc::clone(&self.look_ups),
                    };
                    let begun = Instant::now();
                    let answer = self.instances.ask(chain.plugins[place], &asked).await;
                    let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
                    let mut step = Step::of(pass, plugin(place).name(), &answer);
                    step.micros = micros;
                    step.changes = made_by(&answer, &asked.request);
                    told.steps.push(step);
                    drop(asked);
                    next = question.answer(answer);
                }
            }
        };
        let named = |by: usize| Some(plugin(by).name().to_owned());
        match decision {
            Decision::Forward { request, by } => {
                let (decision, plugin) = (Outcome::Allow, named(by));
                let changes = changes(&came, request.request());
                let told = Explanation { decision, plugin, changes, ..told };
                Explained { told, sent: Some(Arc::clone(request.request())) }
            }
            Decision::Reply { reply, by } => Explanation {
                decision: Outcome::Respond,
                plugin: named(by),
                status: Some(reply.status),
                reply: serde_json::from_str(&reply.json).ok(),
                ..told
            }
            .into(),
            Decision::Refuse(refusal, request) => {
                let by = refusal.by().and_then(named);
                let name = self.policy.selection.name(chosen.chain).map(|name| &**name);
                let words =
                    Words::refused(refusal, &request, by.as_deref().unwrap_or_default(), name);
                let outcome = if words.is_fault() { Outcome::Fault } else { Outcome::Deny };
                Explanation { plugin: by, ..told }.refused(outcome, &words).into()
            }
        }
    }
}

impl Explanation {
    fn refused(self, decision: Outcome, words: &Words) -> Self {
        let (status, message) = (Some(words.status.as_u16()), Some(words.message.clone()));
        Self { decision, status, message, ..self }
    }
}

impl Form {
    fn of(request: &CanonicalRequest) -> Self {
        Self {
            operation: request.operation().name().to_owned(),
            method: request.method().to_string(),
            path: request.path().to_owned(),
            version: request.version().map(|version| version.to_string()),
            target: request.target().map(str::to_owned),
            query: request.query().as_str().to_owned(),
        }
    }
}

impl Step {
    fn of(pass: u32, plugin: &str, answer: &Result<chain::Answer, chain::Failure>) -> Self {
        let (verdict, words) = match answer {
            Err(failure) => ("fail", Some(failure.to_string())),
            Ok(answer) => match &answer.vote {
                Vote::Allow if answer.reply.is_some() => ("allow", Some("with an answer".into())),
                Vote::Allow => ("allow", None),
                Vote::Abstain => ("abstain", None),
                Vote::Deny(denial) => ("deny", Some(denial.words())),
            },
        };
        let (plugin, verdict) = (plugin.to_owned(), verdict.to_owned());
        Self { pass, plugin, verdict, words, micros: 0, changes: Vec::new() }
    }
}

/// What an answer changes about a request, as far as it can be made.
fn made_by(
    answer: &Result<chain::Answer, chain::Failure>,
    request: &CanonicalRequest,
) -> Vec<Change> {
    let Ok(answer) = answer else { return Vec::new() };
    let mut changed = request.clone();
    for edit in &answer.edits {
        // The chain says what is wrong with one that can't be made.
        let _ = changed.edit(edit.clone());
    }
    changes(request, &changed)
}

/// A request to be explained by the running proxy, as it goes to its admin socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Question {
    /// The method.
    pub method: String,
    /// The path and the query, as a client sends them.
    pub target: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// Where it comes in: the name or the address of a listener.
    pub listener: String,
    /// The address that it comes from. None for a unix socket.
    pub address: Option<IpAddr>,
    /// The process at the other end of a unix socket.
    pub process: Option<Process>,
    /// The certificate that is shown.
    pub certificate: Option<Certificate>,
    /// The container that it comes from.
    pub container: Option<Container>,
}

impl Question {
    /// About a request of a client's.
    ///
    /// # Errors
    /// Where a header or the body is no text.
    pub fn new(head: &Parts, body: &[u8], client: &Client) -> Result<Self, String> {
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            let value = value.to_str().map_err(|_| format!("the header {name} is no text"))?;
            Ok((name.to_string(), value.to_owned()))
        };
        let body = std::str::from_utf8(body).map_err(|_| "the body is no text".to_owned())?;
        Ok(Self {
            method: head.method.to_string(),
            target: head.uri.to_string(),
            headers: head.headers.iter().map(header).collect::<Result<_, String>>()?,
            body: body.to_owned(),
            listener: client.listener.to_string(),
            address: client.address(),
            process: client.process(),
            certificate: client.certificate.as_deref().cloned(),
            container: client.container.as_deref().cloned(),
        })
    }

    /// The head of the request, its body, and the client.
    ///
    /// # Errors
    /// What can't stand in a request.
    pub fn into_parts(self) -> Result<(Parts, Vec<u8>, Client), String> {
        let mut request = http::Request::builder().method(&*self.method).uri(&*self.target);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(()).map_err(|error| error.to_string())?;
        let peer = match self.address {
            Some(address) => Peer::Tcp(SocketAddr::new(address, 0)),
            None => Peer::Unix(self.process),
        };
        let client = Client {
            certificate: self.certificate.map(Arc::new),
            container: self.container.map(Arc::new),
            ..Client::new(self.listener.as_str().into(), self.listener.into(), peer)
        };
        Ok((request.into_parts().0, self.body.into_bytes(), client))
    }
}
