//! A plugin that is tried out: set up as the proxy sets it up, and asked without a daemon.

use std::sync::Arc;

use tokio::runtime::Runtime;

use super::{
    given::Given,
    stand_in::{LookedUp, StandIn},
};
use crate::{
    chain::{self, Decision, Denial, Failure, Next, Refusal, Reply, Vote},
    client::Client,
    error::Error,
    plugin::{Asked, Cost, Instances, Loaded, LookUps, ResponseView, Ruling, Sifted},
    request::{CanonicalRequest, OLDEST_SAFE_API, UnknownFields, Violation},
};

/// A plugin on trial.
pub(super) struct Trial {
    runtime: Runtime,
    plugins: Arc<[Loaded]>,
    instances: Instances,
    stand_in: StandIn,
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
        let runtime = crate::cli::event_loop("a thread")?;
        let plugins: Arc<[Loaded]> = Arc::new([plugin]);
        let stand_in = StandIn::new(&runtime);
        let instances = Instances::new(Arc::clone(&plugins));
        Ok(Self { runtime, plugins, instances, stand_in })
    }

    pub(super) fn plugin(&self) -> &Loaded {
        &self.plugins[0]
    }

    /// The request as the plugin gets to see it.
    ///
    /// # Errors
    /// Why the proxy refuses it before any plugin is asked.
    pub(super) fn prepare(&self, given: &Given) -> Result<CanonicalRequest, Violation> {
        self.stand_in.fill(&given.found);
        let mut request = CanonicalRequest::new(given.head.clone(), OLDEST_SAFE_API)?;
        let needs = self.plugin().needs(request.operation());
        if needs.answers() {
            request.want_plain_answer();
        }
        if needs.request_body && request.has_readable_body() {
            request = request.with_body(&given.body, UnknownFields::Pass)?;
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
        let look_ups = LookUps::new(self.stand_in.daemon());
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
        self.stand_in.forget_look_ups();
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
        Decided { outcome, before, after: asked, passes, looked_up: self.stand_in.look_ups(), cost }
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
