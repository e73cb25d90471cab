//! One request and its answer.

use std::{
    cell::RefCell,
    convert::Infallible,
    future::ready,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header, request::Parts};
use hyper::{body::Incoming, service::Service, upgrade::Upgraded};

use super::{
    body::{Answer, Exchange},
    gather::{self, NotHeld, Place, gather},
    refusal::Words,
    upstream::{Answered, Leased, Upstream},
    who::Who,
    wire::Control,
};
use crate::{
    chain::{self, Approved, Decision, Next, Reply},
    log::{self, Outcome, Record},
    plugin::{Asked, Loaded, LookUps, Needs},
    request::{CanonicalRequest, Operation, Upgrade, Violation, routes},
    selection::Chosen,
    worker::{Serving, Settings, Worker},
};

/// What all requests on one connection share.
pub(super) struct Line {
    /// The worker that serves it.
    pub worker: Rc<Worker>,
    /// What is known of the other end.
    pub who: Who,
    /// Its wire.
    pub wire: Rc<Control>,
    /// Where a connection that the daemon took over is put, for the holder to carry on with.
    pub taken_over: RefCell<Option<TakenOver>>,
}

/// A connection that the daemon took over.
pub(super) struct TakenOver {
    /// The head for the client.
    pub head: Response<()>,
    /// The daemon's side.
    pub daemon: Upgraded,
    /// Its record.
    pub exchange: Exchange,
}

/// The chain that decides about a request, and all that it does so with.
pub(super) struct Choice {
    pub serving: Rc<Serving>,
    chosen: Chosen,
}

impl Choice {
    /// What the chain is called, where that tells it from others.
    fn chain_name(&self) -> Option<&Arc<str>> {
        self.serving.policy.selection.name(self.chosen.chain)
    }

    /// The plugins of the chain, in order, by their places.
    pub(super) fn plugins(&self) -> &[usize] {
        &self.serving.policy.selection.chains()[self.chosen.chain].plugins
    }

    /// The plugin at a place.
    pub(super) fn plugin(&self, place: usize) -> &Loaded {
        &self.serving.policy.plugins[place]
    }

    /// What the plugins of the chain together want to see.
    pub(super) fn needs(&self) -> Needs {
        self.chosen.needs
    }
}

/// What a chain allowed.
enum Allowed {
    Forward(Approved),
    Reply(Reply),
}

/// Answers the requests of a line.
pub(super) struct Answering(pub Rc<Line>);

impl Service<Request<Incoming>> for Answering {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answer>, Infallible>>>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let line = Rc::clone(&self.0);
        let (head, body) = request.into_parts();
        let exchange = line.begin(&head);
        // At once, since hyper may look for the end of the client's side before it polls the future.
        line.wire.keep_open();
        let mut answer = Box::pin(async move { Ok(line.answer(head, body, exchange).await) });
        // Decided at once, unless a plugin waits for something: a refusal gives the body up before hyper
        // goes on to read it. Who is to be woken hyper says when it polls, which is next.
        match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => Box::pin(ready(answer)),
            Poll::Pending => answer,
        }
    }
}

impl Line {
    /// Decides about a request and has it answered. Nothing waits before it is decided but for a
    /// body that a plugin reads, and for look-ups.
    async fn answer(
        &self,
        head: Parts,
        body: Incoming,
        mut exchange: Exchange,
    ) -> Response<Answer> {
        let serving = self.worker.begin();
        let request = match CanonicalRequest::new(head, serving.policy.requests.oldest_api) {
            Ok(request) => request,
            Err(violation) => return refuse(Words::invalid(&violation), exchange),
        };
        exchange.record.operation = request.operation().name();
        if let Some((directory, origin)) = self.who.to_be_asked(&serving.policy) {
            // Rare and large: apart, so that the future of an ordinary request is small.
            Box::pin(self.who.ask(directory, origin)).await;
        }
        exchange.record.container = self.who.container();
        let Some(chosen) = self.who.choose(&serving.policy, &request) else {
            return refuse(Words::no_chain(&request), exchange);
        };
        let choice = Choice { serving, chosen };
        exchange.record.chain = choice.chain_name().cloned();
        if choice.needs() == Needs::default() {
            return self.decide_and_send(request, Some(body), choice, exchange).await;
        }
        // Rare and large: apart, so that the future of an ordinary request is small.
        Box::pin(self.read_and_decide(request, body, choice, exchange)).await
    }

    /// Reads the body where a plugin asks for it, before anything is decided.
    async fn read_and_decide(
        &self,
        mut request: CanonicalRequest,
        body: Incoming,
        choice: Choice,
        exchange: Exchange,
    ) -> Response<Answer> {
        let needs = choice.needs();
        if needs.answers() {
            request.want_plain_answer();
        }
        if !needs.request_body || !request.has_readable_body() {
            return self.decide_and_send(request, Some(body), choice, exchange).await;
        }
        let (body, _place) = match self.hold(body, &choice.serving.policy.requests).await {
            Ok(held) => held,
            Err(words) => return refuse(words, exchange),
        };
        let unknown = choice.serving.policy.requests.unknown_fields;
        match request.with_body(&body, unknown) {
            Ok(request) => self.decide_and_send(request, None, choice, exchange).await,
            Err(violation) => refuse(Words::invalid(&violation), exchange),
        }
    }

    /// Reads the body of a request, which a plugin is to see.
    async fn hold(&self, body: Incoming, settings: &Settings) -> Result<(Bytes, Place), Words> {
        let held = gather(body, settings.max_body, &settings.room);
        let late = || {
            let words = format!("the body of the request did not come within {:?}", gather::TIME);
            Words::not_held(StatusCode::REQUEST_TIMEOUT, words)
        };
        let held = tokio::time::timeout(gather::TIME, held).await.map_err(|_| late())?;
        held.map_err(|error| match error {
            NotHeld::Large(limit) => Words::not_held(
                StatusCode::PAYLOAD_TOO_LARGE,
                Violation::LargeBody(limit).to_string(),
            ),
            NotHeld::NoRoom => Words::not_held(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many bodies are being read at once: try again".to_owned(),
            ),
            NotHeld::Broken(_) => match self.wire.broken() {
                Some(violation) => Words::invalid(&violation),
                None => Words::invalid(&"the body of the request broke off"),
            },
        })
    }

    async fn decide_and_send(
        &self,
        request: CanonicalRequest,
        body: Option<Incoming>,
        choice: Choice,
        mut exchange: Exchange,
    ) -> Response<Answer> {
        let upgrade = request.upgrade();
        let look_ups = LookUps::new(&choice.serving.daemon);
        let (decided, by) = self.decide(request, &choice, &look_ups).await;
        exchange.record.plugin = by.map(|by| choice.plugin(choice.plugins()[by]).shared_name());
        match decided {
            Ok(Allowed::Reply(reply)) => respond(reply, exchange),
            Err(words) => refuse(words, exchange),
            Ok(Allowed::Forward(approved)) => {
                let reviewed = choice.needs().answers();
                let reviewed = reviewed.then(|| self.asked(approved.request(), &look_ups));
                let upstream = &choice.serving.upstream;
                match (self.send(approved, body, upgrade, upstream, exchange).await, reviewed) {
                    (Err(refused), _) => refused,
                    (Ok((response, exchange)), None) => {
                        response.map(|body| Answer::daemon(body, exchange))
                    }
                    (Ok((response, exchange)), Some(asked)) => {
                        Box::pin(self.review(asked, &choice, response, exchange)).await
                    }
                }
            }
        }
    }

    /// Asks the chain, and says which plugin settled it, by its place in the chain.
    async fn decide(
        &self,
        request: CanonicalRequest,
        choice: &Choice,
        look_ups: &Arc<LookUps>,
    ) -> (Result<Allowed, Words>, Option<usize>) {
        let plugins = choice.plugins();
        let mut next = chain::begin(request, plugins.len());
        loop {
            match next {
                Next::Ask(question) => {
                    let asked = self.asked(question.request(), look_ups);
                    let plugin = plugins[question.plugin()];
                    let answer = choice.serving.instances.ask(plugin, &asked).await;
                    // Shared with nobody, the request can be changed in its place.
                    drop(asked);
                    next = question.answer(answer);
                }
                Next::Decided(Decision::Forward { request, by }) => {
                    return (Ok(Allowed::Forward(request)), Some(by));
                }
                Next::Decided(Decision::Reply { reply, by }) => {
                    return (Ok(Allowed::Reply(reply)), Some(by));
                }
                Next::Decided(Decision::Refuse(refusal, request)) => {
                    let by = refusal.by();
                    let name = by.map(|by| choice.plugin(plugins[by]).name());
                    let chain = choice.chain_name().map(|name| &**name);
                    let words = Words::refused(refusal, &request, name.unwrap_or_default(), chain);
                    return (Err(words), by);
                }
            }
        }
    }

    fn asked(&self, request: &Arc<CanonicalRequest>, look_ups: &Arc<LookUps>) -> Asked {
        Asked {
            request: Arc::clone(request),
            client: self.who.client(),
            look_ups: Arc::clone(look_ups),
        }
    }

    /// Sends a request to the daemon and gives its answer, or what is said in its place. Where the
    /// daemon takes the connection over, the future never ends: the holder of the connection carries
    /// on.
    async fn send(
        &self,
        approved: Approved,
        body: Option<Incoming>,
        upgrade: Option<Upgrade>,
        upstream: &Rc<Upstream>,
        mut exchange: Exchange,
    ) -> Result<(Response<Leased>, Exchange), Response<Answer>> {
        let at_once = [routes::Answer::Hijack, routes::Answer::Prompt];
        if !at_once.contains(&approved.request().answer()) {
            self.wire.let_go();
        }
        match upstream.send(approved, body).await {
            Ok(Answered::Response(mut response)) => {
                exchange.record.status = response.status().as_u16();
                strip_hop_by_hop(response.headers_mut());
                Ok((response, exchange))
            }
            Ok(Answered::TakenOver(head, daemon)) => {
                let head = for_client(head, upgrade);
                exchange.record.status = head.status().as_u16();
                self.wire.another_protocol();
                self.taken_over.replace(Some(TakenOver { head, daemon, exchange }));
                std::future::pending().await
            }
            Err(failure) => Err(match self.wire.broken() {
                Some(violation) => {
                    let mut response = refuse(Words::invalid(&violation), exchange);
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(header::CONNECTION, close);
                    response
                }
                None => refuse(Words::unanswered(&failure), exchange),
            }),
        }
    }

    fn begin(&self, head: &Parts) -> Exchange {
        Exchange {
            record: Record {
                time: SystemTime::now(),
                client: self.who.words(),
                operation: Operation::UNKNOWN.name(),
                method: head.method.clone(),
                path: log::printable(head.uri.path()),
                container: None,
                chain: None,
                verdict: Outcome::Allow,
                plugin: None,
                reason: None,
                status: 0,
                duration: Duration::ZERO,
                bytes: 0,
            },
            begun: Instant::now(),
            wire: Rc::clone(&self.wire),
        }
    }
}

/// A refusal, and why, for the client and for the log.
pub(super) fn refuse(words: Words, mut exchange: Exchange) -> Response<Answer> {
    let body = words.body();
    exchange.record.verdict = words.outcome;
    exchange.record.reason = Some(words.message);
    json(words.status, body, exchange)
}

/// A plugin's answer in the daemon's stead.
fn respond(reply: Reply, mut exchange: Exchange) -> Response<Answer> {
    exchange.record.verdict = Outcome::Respond;
    // The host has checked the range.
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    json(status, reply.json.into(), exchange)
}

fn json(status: StatusCode, body: Bytes, mut exchange: Exchange) -> Response<Answer> {
    exchange.record.status = status.as_u16();
    let mut response = Response::new(Answer::own(body, exchange));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// What belongs to the connection to the daemon (RFC 9110 section 7.6.1).
fn strip_hop_by_hop(headers: &mut HeaderMap) {
    for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::TRAILER] {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

/// The head with which the client's connection is taken over: an upgrade for those who asked for
/// one, and otherwise the 200 with which the daemon did it before there were upgrades.
fn for_client(mut head: Response<()>, upgrade: Option<Upgrade>) -> Response<()> {
    if upgrade.is_none() {
        *head.status_mut() = StatusCode::OK;
        head.extensions_mut().clear();
        strip_hop_by_hop(head.headers_mut());
    }
    head
}
