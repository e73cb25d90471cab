//! From a request to the operation that answers it.

use std::cmp::Ordering;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, LOCATION};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use tokio::time::timeout;

use crate::query::Query;
use crate::received::RequestNumber;
use crate::reply::{Answer, Refusal, ReplyBody, Result};
use crate::{Engine, containers, events, execs, images, inventory, reply, streams, system};

/// A request with what its operation may want to know of it.
pub(crate) struct Call {
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    body: Bytes,
}

/// Answers a request and remembers it.
pub(crate) async fn answer(engine: &Engine, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let number = engine.shared.requests.arrived(&head);
    let answer = match received(engine, number, body).await {
        Ok(body) => dispatch(engine, head, body).await,
        Err(refusal) => Err(refusal),
    };
    match answer.unwrap_or_else(|refusal| Answer::Reply(refusal.into_response())) {
        Answer::Reply(response) => Answer::Reply(signed(response)),
        hijack @ Answer::Hijack(_) => hijack,
    }
}

impl Call {
    /// The body as JSON; null when there is none.
    pub(crate) fn json(&self) -> Result<Value> {
        let content_type = self.headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        let content_type = String::from_utf8_lossy(content_type);
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            return Err(Refusal::bad_request(format!(
                "Content-Type specified ({content_type}) must be 'application/json'"
            )));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| Refusal::bad_request(format!("invalid JSON: {error}")))
    }
}

/// Reads a body to its end; keeps what a JSON body may have.
async fn received(engine: &Engine, number: RequestNumber, mut body: Incoming) -> Result<Bytes> {
    let mut kept = BytesMut::new();
    let mut too_large = false;
    loop {
        let Ok(frame) = timeout(BODY_PATIENCE, body.frame()).await else {
            return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body does not arrive"));
        };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|error| Refusal::bad_request(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        engine.shared.requests.body_arrived(number, &data);
        too_large |= kept.len() + data.len() > MAX_BODY;
        if !too_large {
            kept.extend_from_slice(&data);
        }
    }
    if too_large {
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "http: request body too large"));
    }
    Ok(kept.freeze())
}

async fn dispatch(engine: &Engine, head: Parts, body: Bytes) -> Result<Answer> {
    if !is_well_escaped(head.uri.path()) {
        return Err(Refusal::bad_request("400 Bad Request"));
    }
    let path = percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned();
    if let Some(clean) = cleaned(&path) {
        return Ok(moved_to(&clean, head.uri.query()));
    }
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let (version, segments) = match segments.as_slice() {
        [first, rest @ ..] if is_version(first) && !rest.is_empty() => (Some(&first[1..]), rest),
        all => (None, all),
    };
    if let Some(version) = version {
        check_version(version)?;
    }
    let call = Call { query: query(&head, &body), headers: head.headers, body };
    route(engine, &head.method, segments, &call).await
}

/// The routes, in the daemon's order: the first that matches counts, and the name of a container or
/// an image may contain slashes.
async fn route(engine: &Engine, method: &Method, path: &[&str], call: &Call) -> Result<Answer> {
    let query = &call.query;
    match (method.as_str(), path) {
        ("OPTIONS", _) => Ok(reply::status(StatusCode::OK)),
        ("GET" | "HEAD", ["_ping"]) => Ok(system::ping(method)),
        ("GET", ["version"]) => Ok(reply::json(&system::version())),
        ("GET", ["info"]) => Ok(reply::json(&system::info(engine))),
        ("GET", ["events"]) => events::follow(engine, query),
        ("GET", ["networks"] | ["networks", ""]) => Ok(reply::json(&inventory::networks())),
        ("GET", ["volumes"]) => Ok(reply::json(&inventory::volumes())),
        ("GET", ["images", "json"]) => images::list(query),
        ("GET", ["images", name @ .., "json"]) if !name.is_empty() => {
            images::inspect(&name.join("/"))
        }
        ("POST", ["images", "create"]) => images::pull(query),
        ("GET", ["containers", "json"]) => containers::list(engine, query),
        ("POST", ["containers", "create"]) => containers::create(engine, query, &call.json()?),
        ("DELETE", ["containers", name @ ..]) if !name.is_empty() => {
            containers::delete(engine, &name.join("/"), query).await
        }
        (method, ["containers", name @ .., action]) if !name.is_empty() => {
            container_route(engine, (method, action), &name.join("/"), call).await
        }
        ("GET", ["exec", id, "json"]) => execs::inspect(engine, id),
        ("POST", ["exec", id, "start"]) => execs::start(engine, id, call),
        ("POST", ["exec", id, "resize"]) => {
            engine.exec(id).map(|_| reply::status(StatusCode::CREATED))
        }
        _ => Err(no_route()),
    }
}

async fn container_route(
    engine: &Engine,
    action: (&str, &str),
    name: &str,
    call: &Call,
) -> Result<Answer> {
    let container = || engine.container(name);
    let query = &call.query;
    match action {
        ("GET", "json") => Ok(reply::json(&containers::inspect(&*container()?))),
        ("GET", "logs") => streams::logs(&*container()?, query),
        ("POST", "attach") => Ok(streams::attach(engine, &*container()?, call)),
        ("POST", "wait") => containers::wait(&*container()?, query),
        ("POST", "start") => Ok(containers::start(engine, &container()?)),
        ("POST", "stop") => Ok(containers::stop(engine, &*container()?).await),
        ("POST", "restart") => Ok(containers::restart(engine, &container()?).await),
        ("POST", "kill") => containers::kill(engine, &*container()?, query).await,
        ("POST", "rename") => containers::rename(engine, &*container()?, query),
        ("POST", "resize") => container().map(|_| reply::status(StatusCode::OK)),
        ("POST", "exec") => execs::create(engine, &container()?, &call.json()?),
        _ => Err(no_route()),
    }
}

fn no_route() -> Refusal {
    Refusal::not_found("page not found")
}

/// The daemon reads `Request.Form`, where a form body comes before the query.
fn query(head: &Parts, body: &Bytes) -> Query {
    let is_form = head
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let form = if is_form { String::from_utf8_lossy(body) } else { "".into() };
    Query::parse(&form, head.uri.query().unwrap_or_default())
}

/// Go's server refuses a path with an escape that is none.
fn is_well_escaped(path: &str) -> bool {
    path.split('%')
        .skip(1)
        .all(|rest| rest.len() >= 2 && rest.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit))
}

/// The clean form of a path that has empty, `.` or `..` segments.
fn cleaned(path: &str) -> Option<String> {
    let mut clean: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(clean.pop()),
            segment => clean.push(segment),
        }
    }
    let mut clean = format!("/{}", clean.join("/"));
    if path.ends_with('/') && clean != "/" {
        clean.push('/');
    }
    (clean != path).then_some(clean)
}

fn moved_to(path: &str, query: Option<&str>) -> Answer {
    let encoded = percent_encoding::utf8_percent_encode(path, system::PATH);
    let location = query.map_or(encoded.to_string(), |query| format!("{encoded}?{query}"));
    let answer = reply::status(StatusCode::MOVED_PERMANENTLY);
    match (answer, HeaderValue::try_from(location)) {
        (Answer::Reply(mut response), Ok(location)) => {
            response.headers_mut().insert(LOCATION, location);
            Answer::Reply(response)
        }
        (answer, _) => answer,
    }
}

/// The router's `/v{version:[0-9.]+}`.
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|version| {
        !version.is_empty() && version.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit())
    })
}

fn check_version(version: &str) -> Result<()> {
    if compare_versions(version, system::API_VERSION).is_gt() {
        let maximum = system::API_VERSION;
        return Err(Refusal::bad_request(format!(
            "client version {version} is too new. Maximum supported API version is {maximum}"
        )));
    }
    if compare_versions(version, system::MIN_API_VERSION).is_lt() {
        let minimum = system::MIN_API_VERSION;
        return Err(Refusal::bad_request(format!(
            "client version {version} is too old. Minimum supported API version is {minimum}, \
             please upgrade your client to a newer version"
        )));
    }
    Ok(())
}

/// Part by part; a part that is no number or missing is 0, as in moby's `versions` package.
fn compare_versions(a: &str, b: &str) -> Ordering {
    let parts = |version: &str| version.split('.').map(|part| part.parse().unwrap_or(0)).collect();
    let (mut a, mut b): (Vec<u32>, Vec<u32>) = (parts(a), parts(b));
    let longest = a.len().max(b.len());
    a.resize(longest, 0);
    b.resize(longest, 0);
    a.cmp(&b)
}

/// The headers that every response has.
fn signed(mut response: Response<ReplyBody>) -> Response<ReplyBody> {
    for (name, value) in system::HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// How long a client may pause within a body.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
const MAX_BODY: usize = 4 * 1024 * 1024;
