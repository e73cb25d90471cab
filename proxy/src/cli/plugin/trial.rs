//! A plugin that is tried out: set up as the proxy sets it up, and asked without a daemon.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{runtime::Runtime, sync::mpsc::UnboundedReceiver};

use super::given::{Found, Given};
use crate::{
    chain::{self, Decision, Denial, Failure, Next, Refusal, Reply, Vote},
    client::Client,
    error::Error,
    plugin::{
        Asked, Cost, Daemon, Instances, Loaded, LookUp, LookUps, ResponseView, Ruling, Sifted,
    },
    request::{CanonicalRequest, Inspect, OLDEST_SAFE_API, Violation},
};

/// A plugin on trial.
pub(super) struct Trial {
    runtime: Runtime,
    plugins: Arc<[Loaded]>,
    instances: Instances,
    daemon: Daemon,
    known: Arc<Known>,
}

/// What stands in the daemon's place: it answers look-ups.
#[derive(Default)]
struct Known {
    /// What there is, by the path that it is asked for with.
    found: Mutex<HashMap<String, String>>,
    looked_up: Mutex<Vec<LookedUp>>,
}

/// A look-up, and whether anything was there.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct LookedUp {
    pub path: String,
    pub found: bool,
}

/// What a plugin came to about a request.
pub(super) struct Decided {
    pub outcome: Outcome,
    /// The request as it came.
    pub before: Arc<CanonicalRequest>,
    /// The request as it would be sent, for further questions.
    pub after: Asked,
    /// How often it was asked, until it changed nothing more.
    pub passes: u32,
    pub looked_up: Vec<LookedUp>,
    /// Of the last answer; none where it failed.
    pub cost: Option<Cost>,
}

/// How it ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Allowed,
    Abstained,
    Denied(Denial),
    /// It answers in the daemon's stead, and allows as well or abstains.
    Answered {
        reply: Reply,
        allowed: bool,
    },
    Failed(Failure),
    /// It went on changing the request.
    Restless,
}

impl Trial {
    pub(super) fn new(plugin: Loaded) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::System { what: "a thread", error })?;
        let plugins: Arc<[Loaded]> = Arc::new([plugin]);
        let (daemon, look_ups) = Daemon::new();
        let known = Arc::<Known>::default();
        runtime.spawn(answer(look_ups, Arc::clone(&known)));
        Ok(Self {
            runtime,
            instances: Instances::new(Arc::clone(&plugins)),
            plugins,
            daemon,
            known,
        })
    }

    pub(super) fn plugin(&self) -> &Loaded {
        &self.plugins[0]
    }

    /// The request as the plugin gets to see it.
    ///
    /// # Errors
    /// Why the proxy refuses it before any plugin is asked.
    pub(super) fn prepare(&self, given: &Given) -> Result<CanonicalRequest, Violation> {
        self.known.fill(&given.found);
        let mut request = CanonicalRequest::new(given.head.clone(), OLDEST_SAFE_API)?;
        let needs = self.plugin().needs(request.operation());
        if needs.answers() {
            request.want_plain_answer();
        }
        if needs.request_body && request.has_readable_body() {
            request = request.with_body(&given.body)?;
        }
        Ok(request)
    }

    /// Asks about a request, as a chain of this plugin alone would.
    pub(super) fn decide(&self, request: &CanonicalRequest, client: &Client) -> Decided {
        self.runtime.block_on(self.ask(request, client))
    }

    /// Runs something that asks again and again.
    pub(super) fn run<T>(&self, asking: impl Future<Output = T>) -> T {
        self.runtime.block_on(asking)
    }

    /// Asks once, and not about what is staged.
    pub(super) async fn ask_once(&self, asked: &Asked) -> Result<chain::Answer, Failure> {
        self.instances.ask(0, asked).await
    }

    /// A question about a request.
    pub(super) fn asked(&self, request: Arc<CanonicalRequest>, client: &Client) -> Asked {
        let look_ups = LookUps::new(&self.daemon);
        Asked { request, client: Arc::new(client.clone()), look_ups }
    }

    pub(super) fn instances(&self) -> &Instances {
        &self.instances
    }

    /// Asks about an answer of the daemon's.
    pub(super) fn review(
        &self,
        asked: &Asked,
        status: u16,
        response: ResponseView,
    ) -> Result<Ruling, Failure> {
        self.runtime.block_on(self.instances.review(0, asked, status, response))
    }

    /// Asks about a value of an answer.
    pub(super) fn sift(&self, asked: &Asked, item: &str) -> Result<Sifted, Failure> {
        self.runtime.block_on(self.instances.sift(0, asked, item))
    }

    async fn ask(&self, request: &CanonicalRequest, client: &Client) -> Decided {
        self.known.forget_look_ups();
        let before = Arc::new(request.clone());
        let mut asked = self.asked(Arc::clone(&before), client);
        let (mut passes, mut last, mut cost) = (0, None, None);
        let mut next = chain::begin(request.clone(), 1);
        let decision = loop {
            match next {
                Next::Decided(decision) => break decision,
                Next::Ask(question) => {
                    asked.request = Arc::clone(question.request());
                    self.instances.forget(0);
                    let answer = self.instances.ask(0, &asked).await;
                    passes += 1;
                    cost = answer.is_ok().then(|| self.instances.cost(0)).flatten();
                    last = answer.clone().ok();
                    next = question.answer(answer);
                }
            }
        };
        let outcome = match decision {
            Decision::Forward { request, .. } => {
                asked.request = Arc::clone(request.request());
                Outcome::Allowed
            }
            Decision::Reply { reply, .. } => Outcome::Answered { reply, allowed: true },
            Decision::Refuse(refusal, request) => {
                asked.request = request;
                refused(refusal, last)
            }
        };
        Decided { outcome, before, after: asked, passes, looked_up: self.known.look_ups(), cost }
    }
}

/// What a refusal of the chain is in the plugin's own terms: a chain in which it is alone refuses
/// as well where it abstains.
fn refused(refusal: Refusal, last: Option<chain::Answer>) -> Outcome {
    match refusal {
        Refusal::Denied { denial, .. } => Outcome::Denied(denial),
        Refusal::Failed { failure, .. } => Outcome::Failed(failure),
        Refusal::Restless { .. } => Outcome::Restless,
        Refusal::NobodyAllowed => match last {
            Some(chain::Answer { vote: Vote::Abstain, reply: Some(reply), .. }) => {
                Outcome::Answered { reply, allowed: false }
            }
            _ => Outcome::Abstained,
        },
    }
}

/// Answers look-ups as long as anybody asks.
async fn answer(mut look_ups: UnboundedReceiver<LookUp>, known: Arc<Known>) {
    while let Some(look_up) = look_ups.recv().await {
        let said = known.inspect(&look_up.inspect);
        look_up.answer(Ok(said));
    }
}

impl Known {
    /// Knows these things and no others, by their names and by their ids.
    fn fill(&self, things: &[Found]) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.clear();
        for Found { resource, name, json } in things {
            let value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
            let id = resource.id(&value).unwrap_or(name);
            for name in [name, id] {
                if let Some(inspect) = Inspect::new(*resource, name) {
                    found.insert(inspect.into_uri().to_string(), json.clone());
                }
            }
        }
    }

    fn inspect(&self, inspect: &Inspect) -> Option<String> {
        let path = inspect.clone().into_uri().to_string();
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(&path).cloned();
        let look_up = LookedUp { path, found: found.is_some() };
        self.looked_up.lock().unwrap_or_else(PoisonError::into_inner).push(look_up);
        found
    }

    fn look_ups(&self) -> Vec<LookedUp> {
        self.looked_up.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn forget_look_ups(&self) {
        self.looked_up.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
