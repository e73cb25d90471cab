//! One request and its answer.

use std::{
    cell::RefCell,
    convert::Infallible,
    future::ready,
    pin::Pin,
    rc::Rc,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header, request::Parts};
use hyper::{body::Incoming, service::Service, upgrade::Upgraded};

use super::{
    body::{Answer, Exchange},
    refusal::Words,
    upstream::Answered,
    wire::Control,
};
use crate::{
    chain::{self, Approved, Decision, Next, Reply},
    client::Client,
    log::{self, Outcome, Record},
    plugin::Asked,
    request::{CanonicalRequest, Operation, Upgrade, routes},
    worker::Worker,
};

/// What all requests on one connection share.
pub(super) struct Line {
    /// The worker that serves it.
    pub worker: Rc<Worker>,
    /// Who is at the other end.
    pub client: Rc<Client>,
    /// The same in the words of the log.
    pub client_words: Rc<str>,
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

/// What a request came to, before anything is sent.
enum Ruling {
    /// It goes to the daemon. The client asked for an upgrade, or not.
    Forward(Approved, Option<Upgrade>, Exchange),
    Answer(Response<Answer>),
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

    /// The decision is made at once, before the future is first polled.
    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (head, body) = request.into_parts();
        match self.0.rule(head) {
            Ruling::Answer(response) => {
                self.0.wire.keep_open();
                Box::pin(ready(Ok(response)))
            }
            Ruling::Forward(approved, upgrade, exchange) => {
                let line = Rc::clone(&self.0);
                Box::pin(async move { Ok(line.forward(approved, body, upgrade, exchange).await) })
            }
        }
    }
}

impl Line {
    /// Decides about a request, and starts the record of it. Nothing here waits.
    fn rule(&self, head: Parts) -> Ruling {
        let mut exchange = self.begin(&head);
        let request = match CanonicalRequest::new(head, self.worker.settings.oldest_api) {
            Ok(request) => request,
            Err(violation) => return Ruling::Answer(refuse(Words::invalid(&violation), exchange)),
        };
        exchange.record.operation = request.operation().name();
        if matches!(request.answer(), routes::Answer::Hijack | routes::Answer::Prompt) {
            self.wire.keep_open();
        }
        let upgrade = request.upgrade();
        let (decided, by) = self.decide(request);
        exchange.record.plugin = by.map(|by| self.worker.plugins[by].shared_name());
        match decided {
            Ok(Allowed::Forward(approved)) => Ruling::Forward(approved, upgrade, exchange),
            Ok(Allowed::Reply(reply)) => Ruling::Answer(respond(reply, exchange)),
            Err(words) => Ruling::Answer(refuse(words, exchange)),
        }
    }

    /// Asks the chain, and says which plugin settled it, by its place in the chain.
    fn decide(&self, request: CanonicalRequest) -> (Result<Allowed, Words>, Option<usize>) {
        let plugins = &self.worker.plugins;
        let mut instances = self.worker.instances.borrow_mut();
        let mut next = chain::begin(request, plugins.len());
        loop {
            match next {
                Next::Ask(question) => {
                    let asked = Asked { request: question.request(), client: &self.client };
                    let answer = instances.ask(question.plugin(), &asked);
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
                    let name = by.map(|by| plugins[by].name());
                    return (Err(Words::refused(refusal, &request, name.unwrap_or_default())), by);
                }
            }
        }
    }

    /// Sends a request to the daemon, and its answer on. Where the daemon takes the connection
    /// over, the future never ends: the holder of the connection carries on.
    async fn forward(
        &self,
        approved: Approved,
        body: Incoming,
        upgrade: Option<Upgrade>,
        mut exchange: Exchange,
    ) -> Response<Answer> {
        match self.worker.upstream.send(approved, body).await {
            Ok(Answered::Response(response)) => {
                exchange.record.status = response.status().as_u16();
                let mut response = response.map(|body| Answer::daemon(body, exchange));
                strip_hop_by_hop(response.headers_mut());
                response
            }
            Ok(Answered::TakenOver(head, daemon)) => {
                let head = for_client(head, upgrade);
                exchange.record.status = head.status().as_u16();
                self.wire.another_protocol();
                self.taken_over.replace(Some(TakenOver { head, daemon, exchange }));
                std::future::pending().await
            }
            Err(failure) => match self.wire.broken() {
                Some(violation) => {
                    let mut response = refuse(Words::invalid(&violation), exchange);
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(header::CONNECTION, close);
                    response
                }
                None => refuse(Words::unanswered(&failure), exchange),
            },
        }
    }

    fn begin(&self, head: &Parts) -> Exchange {
        Exchange {
            record: Record {
                time: SystemTime::now(),
                client: Rc::clone(&self.client_words),
                operation: Operation::UNKNOWN.name(),
                method: head.method.clone(),
                path: log::printable(head.uri.path()),
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
fn refuse(words: Words, mut exchange: Exchange) -> Response<Answer> {
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
