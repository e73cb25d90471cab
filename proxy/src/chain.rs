//! The decision core: how the verdicts of a chain of plugins come to one decision.
//!
//! A state machine without I/O: [`begin`] and [`Question::answer`] say what comes next, a plugin to
//! ask about a request or the decision. It upholds:
//!
//! - default deny: nothing is approved that no plugin allowed or any denied;
//! - approved as sent: a change starts a new pass through the whole chain, and only a request that
//!   went through a pass unchanged is approved;
//! - fail closed: what goes wrong with a plugin, or with the changes that it asks for, refuses.
//!
//! [`Approved`] can't be made anywhere else.

use std::sync::Arc;

use crate::request::{BadEdit, CanonicalRequest, Edit};

/// How often a request may go through its chain before it must have come to rest.
pub const MAX_PASSES: u8 = 4;

/// What a plugin came to about a request: its vote, and the changes that it staged.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// For, against, or neither.
    pub vote: Vote,
    /// What it changes, in order.
    pub edits: Vec<Edit>,
    /// What it answers in the daemon's stead.
    pub reply: Option<Reply>,
    /// The id of the target, where the vote rests on what was found out about it: the name may
    /// belong to something else a moment later.
    pub target_id: Option<String>,
}

impl From<Vote> for Answer {
    fn from(vote: Vote) -> Self {
        Self { vote, edits: Vec::new(), reply: None, target_id: None }
    }
}

/// A plugin's vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vote {
    /// Neither for nor against.
    Abstain,
    /// For.
    Allow,
    /// Against, whatever the others say.
    Deny(Denial),
}

/// A plugin's words on why it denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The HTTP status for the client, 400 to 599.
    pub status: u16,
    /// A word for machines.
    pub code: String,
    /// What is refused.
    pub message: String,
    /// What would allow it.
    pub hint: Option<String>,
}

impl Denial {
    /// What is refused, and what would allow it.
    pub fn words(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}: {hint}", self.message),
            None => self.message.clone(),
        }
    }
}

/// A plugin's answer in the daemon's stead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status, 200 to 599.
    pub status: u16,
    /// A JSON document.
    pub json: String,
}

/// What went wrong with a plugin while it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It ran into `unreachable` or the like.
    #[error("it trapped: {0}")]
    Trap(String),
    /// It used up its time.
    #[error("it took longer than it may")]
    Timeout,
    /// It wanted more memory than it may have.
    #[error("it wanted more memory than it may have")]
    Memory,
    /// It asked more of the proxy than it may.
    #[error("it asked more of the proxy than it may")]
    HostCalls,
    /// No instance of it could be made.
    #[error("no instance of it could be set up: {0}")]
    Start(String),
    /// It answered something that can't be carried out.
    #[error("it answered nonsense: {0}")]
    Nonsense(String),
    /// What it wanted to know could not be found out.
    #[error("what it asks for could not be looked up: {0}")]
    LookUp(String),
    /// It asked for a change that can't be made.
    #[error(transparent)]
    Edit(#[from] BadEdit),
}

/// What a chain came to.
#[derive(Debug)]
pub enum Decision {
    /// The request goes to the daemon.
    Forward {
        /// The request, in the form that every plugin saw last.
        request: Approved,
        /// The first plugin that allowed it, by its place in the chain.
        by: usize,
    },
    /// A plugin answers it.
    Reply {
        /// The answer.
        reply: Reply,
        /// The plugin.
        by: usize,
    },
    /// It is refused, as it stood then.
    Refuse(Refusal, Arc<CanonicalRequest>),
}

/// Why a chain refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A plugin denied it.
    Denied {
        /// The plugin's words.
        denial: Denial,
        /// The plugin, by its place in the chain.
        by: usize,
    },
    /// No plugin allowed it.
    NobodyAllowed,
    /// A plugin failed.
    Failed {
        /// How.
        failure: Failure,
        /// The plugin, by its place in the chain.
        by: usize,
    },
    /// The plugins went on changing it.
    Restless {
        /// The last one that did, by its place in the chain.
        by: usize,
    },
}

impl Refusal {
    /// The plugin that settled it, by its place in the chain.
    pub fn by(&self) -> Option<usize> {
        match *self {
            Self::NobodyAllowed => None,
            Self::Denied { by, .. } | Self::Failed { by, .. } | Self::Restless { by } => Some(by),
        }
    }
}

/// A request that a chain let through: all that the upstream accepts.
#[derive(Debug)]
pub struct Approved(Arc<CanonicalRequest>);

impl Approved {
    /// The request, to look at.
    pub fn request(&self) -> &Arc<CanonicalRequest> {
        &self.0
    }

    /// The request, to be sent.
    pub fn into_request(self) -> CanonicalRequest {
        Arc::unwrap_or_clone(self.0)
    }
}

/// What comes next in a deliberation.
#[derive(Debug)]
pub enum Next {
    /// A plugin is to be asked.
    Ask(Question),
    /// It is decided.
    Decided(Decision),
}

/// A plugin is to be asked about the request as it stands.
#[derive(Debug)]
pub struct Question {
    /// Shared with the plugin while it is asked, and with nobody else.
    request: Arc<CanonicalRequest>,
    /// How many plugins the chain has; more than `pass.turn`.
    plugins: usize,
    pass: Pass,
    passes: u8,
}

/// How far a pass through the chain has come.
#[derive(Debug, Default)]
struct Pass {
    /// The plugin whose turn it is.
    turn: usize,
    /// The first that allowed.
    allowed_by: Option<usize>,
    /// The last that changed the request.
    changed_by: Option<usize>,
    /// The first that answers in the daemon's stead.
    reply: Option<(Reply, usize)>,
    /// The id of the target that a vote rests on, and whose vote that is.
    target_id: Option<(String, usize)>,
}

/// Brings a request before a chain of so many plugins.
pub fn begin(request: CanonicalRequest, plugins: usize) -> Next {
    Question { request: Arc::new(request), plugins, pass: Pass::default(), passes: 1 }.next()
}

impl Question {
    /// The plugin to ask, by its place in the chain.
    pub fn plugin(&self) -> usize {
        self.pass.turn
    }

    /// The request to ask about.
    pub fn request(&self) -> &Arc<CanonicalRequest> {
        &self.request
    }

    /// Takes the plugin's answer.
    pub fn answer(mut self, answer: Result<Answer, Failure>) -> Next {
        match self.take(answer) {
            Ok(()) => self.next(),
            Err(refusal) => Next::Decided(Decision::Refuse(refusal, self.request)),
        }
    }

    fn take(&mut self, answer: Result<Answer, Failure>) -> Result<(), Refusal> {
        let by = self.pass.turn;
        let failed = |failure| Refusal::Failed { failure, by };
        let answer = answer.map_err(failed)?;
        match answer.vote {
            Vote::Deny(denial) => return Err(Refusal::Denied { denial, by }),
            Vote::Allow => self.pass.allowed_by = self.pass.allowed_by.or(Some(by)),
            Vote::Abstain => {}
        }
        for edit in answer.edits {
            let request = Arc::make_mut(&mut self.request);
            if request.edit(edit).map_err(|bad| failed(bad.into()))? {
                self.pass.changed_by = Some(by);
            }
        }
        self.pass.reply = self.pass.reply.take().or(answer.reply.map(|reply| (reply, by)));
        let target_id = answer.target_id.map(|id| (id, by));
        self.pass.target_id = self.pass.target_id.take().or(target_id);
        self.pass.turn += 1;
        Ok(())
    }

    /// Asks the next plugin, begins another pass after one that changed something, or decides.
    fn next(mut self) -> Next {
        if self.pass.turn < self.plugins {
            return Next::Ask(self);
        }
        if let Err(refusal) = self.pin_target() {
            return Next::Decided(Decision::Refuse(refusal, self.request));
        }
        match self.pass.changed_by {
            None => Next::Decided(self.conclude()),
            Some(by) if self.passes == MAX_PASSES => {
                Next::Decided(Decision::Refuse(Refusal::Restless { by }, self.request))
            }
            Some(_) => {
                self.passes += 1;
                self.pass = Pass::default();
                self.next()
            }
        }
    }

    /// Puts the id that a vote rests on in the place of the target, once nothing but that is left to
    /// be changed and the request is to go on. Not before: a plugin that hides the target answers for
    /// its name, and must not be shown the id that another one has found.
    fn pin_target(&mut self) -> Result<(), Refusal> {
        let settled = self.pass.changed_by.is_none() && self.pass.reply.is_none();
        if !settled || self.pass.allowed_by.is_none() {
            return Ok(());
        }
        let Some((id, by)) = self.pass.target_id.take() else {
            return Ok(());
        };
        let failed = |bad: BadEdit| Refusal::Failed { failure: bad.into(), by };
        let request = Arc::make_mut(&mut self.request);
        if request.edit(Edit::SetTarget(id)).map_err(failed)? {
            self.pass.changed_by = Some(by);
        }
        Ok(())
    }

    /// Decides after a pass that changed nothing.
    fn conclude(self) -> Decision {
        let Some(by) = self.pass.allowed_by else {
            return Decision::Refuse(Refusal::NobodyAllowed, self.request);
        };
        match self.pass.reply {
            Some((reply, by)) => Decision::Reply { reply, by },
            None => Decision::Forward { request: Approved(self.request), by },
        }
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::request::OLDEST_SAFE_API;

    type Plugin<'p> = &'p dyn Fn(&CanonicalRequest) -> Result<Answer, Failure>;

    fn request() -> CanonicalRequest {
        let (head, ()) = Request::get("/containers/json?all=1").body(()).unwrap().into_parts();
        CanonicalRequest::new(head, OLDEST_SAFE_API).unwrap()
    }

    /// Runs a chain; gives as well what each plugin saw, in order.
    fn run(plugins: &[Plugin]) -> (Decision, Vec<(usize, CanonicalRequest)>) {
        let mut seen = Vec::new();
        let mut next = begin(request(), plugins.len());
        loop {
            match next {
                Next::Decided(decision) => return (decision, seen),
                Next::Ask(question) => {
                    let plugin = question.plugin();
                    seen.push((plugin, CanonicalRequest::clone(question.request())));
                    let answer = plugins[plugin](question.request());
                    next = question.answer(answer);
                }
            }
        }
    }

    #[allow(clippy::unnecessary_wraps, reason = "the type of a plugin")]
    fn allow(_: &CanonicalRequest) -> Result<Answer, Failure> {
        Ok(Vote::Allow.into())
    }

    #[allow(clippy::unnecessary_wraps, reason = "the type of a plugin")]
    fn abstain(_: &CanonicalRequest) -> Result<Answer, Failure> {
        Ok(Vote::Abstain.into())
    }

    #[allow(clippy::unnecessary_wraps, reason = "the type of a plugin")]
    fn deny(_: &CanonicalRequest) -> Result<Answer, Failure> {
        let denial = Denial { status: 403, code: "no".into(), message: "no".into(), hint: None };
        Ok(Vote::Deny(denial).into())
    }

    fn trap(_: &CanonicalRequest) -> Result<Answer, Failure> {
        Err(Failure::Trap("unreachable".into()))
    }

    /// Sets `limit` to a value, and abstains.
    fn limit(value: &'static str) -> impl Fn(&CanonicalRequest) -> Result<Answer, Failure> {
        move |_| {
            let edits = vec![Edit::SetQuery("limit".into(), value.into())];
            Ok(Answer { edits, ..Vote::Abstain.into() })
        }
    }

    /// Denies when `limit` is set.
    fn no_limit(request: &CanonicalRequest) -> Result<Answer, Failure> {
        if request.query().get("limit").is_some() { deny(request) } else { allow(request) }
    }

    #[test]
    fn a_request_is_forwarded_only_if_one_allows_and_none_denies() {
        for (plugins, forwarded) in [
            (vec![], false),
            (vec![&abstain as Plugin], false),
            (vec![&abstain, &abstain], false),
            (vec![&allow], true),
            (vec![&abstain, &allow, &abstain], true),
            (vec![&deny], false),
            (vec![&allow, &deny], false),
            (vec![&deny, &allow], false),
            (vec![&trap, &allow], false),
            (vec![&allow, &trap], false),
        ] {
            let (decision, _) = run(&plugins);
            assert_eq!(matches!(decision, Decision::Forward { .. }), forwarded, "{decision:?}");
        }
    }

    #[test]
    fn a_decision_names_the_plugin_that_settled_it() {
        let by_of = |plugins: &[Plugin]| match run(plugins).0 {
            Decision::Forward { by, .. } | Decision::Reply { by, .. } => Some(by),
            Decision::Refuse(refusal, _) => refusal.by(),
        };
        assert_eq!(by_of(&[&abstain, &allow, &allow]), Some(1));
        assert_eq!(by_of(&[&allow, &deny, &deny]), Some(1));
        assert_eq!(by_of(&[&allow, &trap]), Some(1));
        assert_eq!(by_of(&[&abstain]), None);
    }

    #[test]
    fn a_change_goes_past_every_plugin_again() {
        let (decision, seen) = run(&[&allow, &limit("5")]);
        let Decision::Forward { request, .. } = decision else { panic!("{decision:?}") };
        let request = request.into_request();
        assert_eq!(request.query().as_str(), "all=1&limit=5");
        let last: Vec<_> = seen.iter().rev().take(2).collect();
        assert!(last.iter().all(|(_, saw)| *saw == request), "both saw what is sent");
        assert_eq!(seen.len(), 4);
    }

    #[test]
    fn order_never_lets_a_rewrite_slip_past_a_veto() {
        for plugins in [[&no_limit as Plugin, &limit("5")], [&limit("5"), &no_limit]] {
            let (decision, _) = run(&plugins);
            assert!(
                matches!(decision, Decision::Refuse(Refusal::Denied { .. }, _)),
                "{decision:?}"
            );
        }
    }

    #[test]
    fn what_does_not_come_to_rest_is_refused() {
        let (decision, seen) = run(&[&allow, &limit("5"), &limit("6")]);
        assert!(
            matches!(decision, Decision::Refuse(Refusal::Restless { by: 2 }, _)),
            "{decision:?}"
        );
        assert_eq!(seen.len(), 3 * usize::from(MAX_PASSES));
    }

    #[test]
    fn a_change_that_can_not_be_made_refuses() {
        let evil = |_: &CanonicalRequest| {
            let edits = vec![Edit::SetHeader("Content-Length".into(), "0".into())];
            Ok(Answer { edits, ..Vote::Allow.into() })
        };
        let (decision, _) = run(&[&evil]);
        let Decision::Refuse(Refusal::Failed { failure, by: 0 }, _) = decision else {
            panic!("{decision:?}")
        };
        assert!(matches!(failure, Failure::Edit(BadEdit::Header(_))));
    }

    #[test]
    fn a_target_becomes_its_id_when_the_request_goes_on_and_not_before() {
        let (head, ()) = Request::get("/containers/web/json").body(()).unwrap().into_parts();
        let request = CanonicalRequest::new(head, OLDEST_SAFE_API).unwrap();
        let run = |plugins: &[Plugin]| {
            let (mut next, mut seen) = (begin(request.clone(), plugins.len()), Vec::new());
            loop {
                match next {
                    Next::Decided(decision) => return (decision, seen),
                    Next::Ask(question) => {
                        seen.push(question.request().target().unwrap().to_owned());
                        let answer = plugins[question.plugin()](question.request());
                        next = question.answer(answer);
                    }
                }
            }
        };
        let finds = |_: &CanonicalRequest| {
            Ok(Answer { target_id: Some("4f66".into()), ..Vote::Abstain.into() })
        };
        let (decision, seen) = run(&[&finds, &allow]);
        let Decision::Forward { request: approved, .. } = decision else { panic!("{decision:?}") };
        assert_eq!(approved.request().path(), "/containers/4f66/json");
        assert_eq!(seen, ["web", "web", "4f66", "4f66"], "every plugin saw what is sent");

        let reply = Reply { status: 404, json: "{}".into() };
        let hides =
            |_: &CanonicalRequest| Ok(Answer { reply: Some(reply.clone()), ..Vote::Allow.into() });
        for plugins in [[&finds as Plugin, &hides], [&finds, &deny], [&finds, &abstain]] {
            let (decision, seen) = run(&plugins);
            assert!(!matches!(decision, Decision::Forward { .. }), "{decision:?}");
            assert_eq!(seen, ["web", "web"], "nobody is shown the id");
        }
        let edits = |request: &CanonicalRequest| {
            let edits = vec![Edit::SetTarget("db".into())];
            let target_id = (request.target() == Some("web")).then(|| "4f66".into());
            Ok(Answer { edits, target_id, ..Vote::Allow.into() })
        };
        let (decision, _) = run(&[&edits]);
        let Decision::Forward { request: approved, .. } = decision else { panic!("{decision:?}") };
        assert_eq!(approved.request().target(), Some("db"), "a plugin's own target stands");
    }

    #[test]
    fn a_reply_stands_only_if_the_chain_allows() {
        let reply = Reply { status: 200, json: "[]".into() };
        let respond = |_: &CanonicalRequest| {
            Ok(Answer { reply: Some(reply.clone()), ..Vote::Abstain.into() })
        };
        assert!(matches!(run(&[&respond]).0, Decision::Refuse(Refusal::NobodyAllowed, _)));
        assert!(matches!(run(&[&respond, &deny]).0, Decision::Refuse(Refusal::Denied { .. }, _)));
        let (decision, _) = run(&[&respond, &allow]);
        assert!(matches!(decision, Decision::Reply { by: 0, .. }), "{decision:?}");
    }
}
