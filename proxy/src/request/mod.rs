//! A request of a client, brought to one meaning or refused.
//!
//! Nothing here does I/O. [`CanonicalRequest`] can only be built from a request that the daemon
//! can't read in another way, and it is what plugins see and what is sent.

mod change;
pub mod document;
mod headers;
pub mod inspect;
mod path;
mod query;
pub mod routes;
mod violation;

use std::sync::Arc;

use http::{HeaderName, Method, Uri, header, request::Parts};

pub use change::{Change, body_of, changes, changes_of_json};
pub use document::{BadPointer, Document, Json, Misread, UnknownFields};
pub use headers::{Upgrade, is_json, is_secret, remove as remove_header, set as set_header};
pub use inspect::{Inspect, Resource};
pub use path::ApiVersion;
pub use query::Query;
pub use routes::Operation;
pub use violation::Violation;

use routes::{Answer, Body, Route, Target};

/// The oldest API version that is let through where no setting lowers it: before it, a start may
/// carry a `HostConfig` that replaces the container's own.
pub const OLDEST_SAFE_API: ApiVersion = ApiVersion { major: 1, minor: 24 };

/// How long a target may be as it is sent, in bytes: what the types of HTTP hold.
const LONGEST_TARGET: usize = 65_534;
/// How long an edit may make the query, in bytes: as long as the head of a client's request.
const LONGEST_QUERY: usize = 64 << 10;

/// A request in the one form in which it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct CanonicalRequest {
    method: Method,
    version: Option<ApiVersion>,
    path: String,
    route: Option<&'static Route>,
    target: Option<Target>,
    query: Query,
    headers: http::HeaderMap,
    upgrade: Option<Upgrade>,
    content: Content,
}

/// The body of a request, as far as it has been read.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Content {
    /// It has not been: no plugin of the chain asks for it, and it goes through as it comes.
    #[default]
    Unread,
    /// There is none.
    Empty,
    /// This document, which is what will be sent.
    Json(Arc<Document>),
}

/// `Route`s are compared by what they are called, which is all that two of them share.
impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.operation == other.operation
    }
}

impl CanonicalRequest {
    /// Brings the head of a request to its canonical form, or says which rule it breaks. Versions
    /// of the API older than `oldest` are refused.
    pub fn new(head: Parts, oldest: ApiVersion) -> Result<Self, Violation> {
        let Parts { method, uri, headers, .. } = head;
        if uri.scheme().is_some() || uri.authority().is_some() {
            return Err(Violation::OriginForm);
        }
        if method == Method::CONNECT || method == Method::TRACE {
            return Err(Violation::Method);
        }
        let (version, path) = path::canonical(uri.path())?;
        if let Some(version) = version.filter(|version| *version < oldest) {
            return Err(Violation::OldVersion { version, oldest });
        }
        let query = Query::parse(uri.query().unwrap_or_default())?;
        let (route, target) = classify(&method, &path);
        let operation = route.map_or(Operation::UNKNOWN, |route| route.operation);
        let query = query.with_json(operation)?;
        if operation == Operation::CONTAINER_START && headers::announces_body(&headers) {
            return Err(Violation::BodyAtStart);
        }
        if operation == Operation::IMAGE_BUILD {
            headers::check_registry_config(&headers)?;
        }
        let takes_over =
            route.is_some_and(|route| matches!(route.answer, Answer::Hijack | Answer::Upgrade));
        let (headers, upgrade) = headers::canonical(headers, takes_over)?;
        let request = Self {
            method,
            version,
            path,
            route,
            target,
            query,
            headers,
            upgrade,
            content: Content::Unread,
        };
        if request.fits() { Ok(request) } else { Err(Violation::LongTarget) }
    }

    /// The endpoint that the daemon will take it for.
    pub fn operation(&self) -> Operation {
        self.route.map_or(Operation::UNKNOWN, |route| route.operation)
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The version that the path begins with.
    pub fn version(&self) -> Option<ApiVersion> {
        self.version
    }

    /// The path without the version, decoded and clean.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The container, image, volume … that the path names.
    pub fn target(&self) -> Option<&str> {
        self.target.clone().map(|target| &self.path[target])
    }

    /// Whether a plugin can be given the body to read: where there is a document, or nothing.
    pub fn has_readable_body(&self) -> bool {
        matches!(self.body(), Body::Json | Body::Nothing)
    }

    /// What kind of body the operation takes. What no route describes may have any.
    pub fn body(&self) -> Body {
        self.route.map_or(Body::Stream, |route| route.body)
    }

    /// How the daemon answers the operation.
    pub fn answer(&self) -> Answer {
        self.route.map_or(Answer::Open, |route| route.answer)
    }

    /// The parameters.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The headers, without those that are the business of one connection.
    pub fn headers(&self) -> &http::HeaderMap {
        &self.headers
    }

    /// The protocol that the client asks to go over to, where the operation has one.
    pub fn upgrade(&self) -> Option<Upgrade> {
        self.upgrade
    }

    /// The body, as far as it has been read.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Has the daemon answer in a form that plugins can read.
    pub fn want_plain_answer(&mut self) {
        self.headers.remove(header::ACCEPT_ENCODING);
    }

    /// The same with the body that the client sent with it; none where it is empty, or where the
    /// daemon would not read it: `dockerode` sends the parameters of the query in a body as well.
    ///
    /// # Errors
    /// Where it has more than one reading, or is no JSON, or not said to be.
    pub fn with_body(mut self, body: &[u8], unknown: UnknownFields) -> Result<Self, Violation> {
        let operation = self.operation();
        self.content = if body.is_empty() || !Document::is_read_by(operation) {
            Content::Empty
        } else if self.headers.contains_key(header::CONTENT_ENCODING) {
            return Err(Violation::EncodedBody);
        } else if !headers::says_json(&self.headers) {
            return Err(Violation::BodyType);
        } else {
            let document = Document::parse(body, operation, unknown);
            Content::Json(Arc::new(document.map_err(Violation::Json)?))
        };
        // Of the body that the client sent, which is not the one that will be.
        self.headers.remove(header::CONTENT_LENGTH);
        Ok(self)
    }

    /// Makes one change, and says whether the request is another now.
    pub fn edit(&mut self, edit: Edit) -> Result<bool, BadEdit> {
        match edit {
            Edit::SetQuery(name, value) => self.edit_query(|query| query.set(&name, &value)),
            Edit::RemoveQuery(name) => self.edit_query(|query| {
                query.remove(&name);
                Ok(())
            }),
            Edit::SetHeader(name, value) => headers::set(&mut self.headers, &name, &value),
            Edit::RemoveHeader(name) => headers::remove(&mut self.headers, &name),
            Edit::SetTarget(target) => self.set_target(&target),
            Edit::SetJson(pointer, value) => Ok(self.document()?.set(&pointer, value)?),
            Edit::RemoveJson(pointer) => Ok(self.document()?.remove(&pointer)?),
        }
    }

    /// Takes it apart into what is sent: method, target and headers.
    pub fn into_parts(self) -> (Method, Uri, http::HeaderMap) {
        let mut target = path::encode(self.version, &self.path);
        if !self.query.as_str().is_empty() {
            target.push('?');
            target.push_str(self.query.as_str());
        }
        // The encoders leave unencoded only what a target may hold, and `fits` has seen to its length;
        // were that ever untrue, the daemon would be asked for a route that it does not have.
        let uri =
            Uri::try_from(target).unwrap_or_else(|_| Uri::from_static("/_dockgate/unsendable"));
        (self.method, uri, self.headers)
    }

    fn document(&mut self) -> Result<&mut Document, BadEdit> {
        match &mut self.content {
            Content::Json(json) => Ok(Arc::make_mut(json)),
            Content::Unread | Content::Empty => Err(BadEdit::NoBody),
        }
    }

    fn edit_query(
        &mut self,
        change: impl FnOnce(&mut Query) -> Result<(), Violation>,
    ) -> Result<bool, BadEdit> {
        let before = self.query.clone();
        change(&mut self.query).map_err(BadEdit::Unclean)?;
        let query = std::mem::take(&mut self.query);
        self.query = query.with_json(self.operation()).map_err(BadEdit::Unclean)?;
        let longest = before.as_str().len().max(LONGEST_QUERY);
        if self.query.as_str().len() > longest || !self.fits() {
            return Err(BadEdit::LongQuery);
        }
        Ok(self.query != before)
    }

    fn set_target(&mut self, target: &str) -> Result<bool, BadEdit> {
        let place = self.target.clone().ok_or(BadEdit::NoTarget)?;
        let mut path = self.path.clone();
        path.replace_range(place, target);
        let encoded = path::encode(None, &path);
        let (None, clean) = path::canonical(&encoded).map_err(BadEdit::Unclean)? else {
            return Err(BadEdit::Unclean(Violation::Version));
        };
        let (route, place) = classify(&self.method, &clean);
        if route != self.route || place.clone().map(|place| &clean[place]) != Some(target) {
            return Err(BadEdit::OtherOperation);
        }
        let changed = clean != self.path;
        (self.path, self.target) = (clean, place);
        if self.fits() { Ok(changed) } else { Err(BadEdit::Unclean(Violation::LongTarget)) }
    }

    /// Whether it can be sent: encoding makes up to three bytes of one.
    fn fits(&self) -> bool {
        let longest_path = LONGEST_TARGET.saturating_sub(self.query.as_str().len() + 1);
        self.path.len() < longest_path / 4
            || path::encode(self.version, &self.path).len() <= longest_path
    }
}

/// A change that a plugin makes to a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// A parameter of the query gets a value.
    SetQuery(String, String),
    /// A parameter goes.
    RemoveQuery(String),
    /// A header gets a value.
    SetHeader(String, String),
    /// A header goes.
    RemoveHeader(String),
    /// Another name or id stands in the place of the target.
    SetTarget(String),
    /// A value is put into the body, by JSON pointer.
    SetJson(String, Json),
    /// A value is removed from the body.
    RemoveJson(String),
}

/// Why a change can't be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEdit {
    /// The result would not be canonical.
    #[error("its edit leaves a request that is refused: {0}")]
    Unclean(Violation),
    /// The query would be longer than any client's can be.
    #[error("its edit makes the query longer than 64 KiB")]
    LongQuery,
    /// The header frames the message or carries credentials, or its name is no name.
    #[error("it may not edit the header {0:?}")]
    Header(String),
    /// The value has characters that a header can't have.
    #[error("it sets a header to a value that no header can have")]
    HeaderValue,
    /// The operation has no target.
    #[error("it sets the target of an operation that has none")]
    NoTarget,
    /// There is no body that could be changed.
    #[error("it edits a body that it did not ask for, or that is not there")]
    NoBody,
    /// The place in the body is none.
    #[error(transparent)]
    Pointer(#[from] BadPointer),
    /// The path would be another endpoint's with this target.
    #[error("its target makes another operation of the request")]
    OtherOperation,
}

fn classify(method: &Method, path: &str) -> (Option<&'static Route>, Option<Target>) {
    match routes::find(method.as_str(), path) {
        Some((route, target)) => (Some(route), target),
        None => (None, None),
    }
}

/// Reads the name of a header that a plugin may see or edit.
pub(crate) fn header_name(name: &str) -> Option<HeaderName> {
    HeaderName::from_bytes(name.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_URL_SAFE, Engine as _};

    use super::*;

    fn parse(method: &str, target: &str) -> Result<CanonicalRequest, Violation> {
        parse_with(method, target, &[])
    }

    fn parse_with(
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Result<CanonicalRequest, Violation> {
        let mut request = http::Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).expect("a request").into_parts();
        CanonicalRequest::new(head, OLDEST_SAFE_API)
    }

    #[test]
    fn what_is_sent_is_the_canonical_form() {
        let request =
            parse("GET", "/v1%2e41/%63ontainers/web/logs?follow&tail=a+b").expect("clean");
        assert_eq!(request.operation().name(), "container-logs");
        assert_eq!(request.target(), Some("web"));
        let (_, uri, _) = request.into_parts();
        assert_eq!(uri, "/v1.41/containers/web/logs?follow=&tail=a%20b");
    }

    #[test]
    fn old_versions_and_odd_requests_are_refused() {
        let oldest = OLDEST_SAFE_API;
        let version = ApiVersion { major: 1, minor: 23 };
        for (method, target, rule) in [
            ("POST", "/v1.23/containers/x/start", Violation::OldVersion { version, oldest }),
            ("GET", "http://docker/containers/json", Violation::OriginForm),
            ("CONNECT", "docker:80", Violation::OriginForm),
            ("CONNECT", "/containers/json", Violation::Method),
            ("TRACE", "/containers/json", Violation::Method),
            ("GET", "/containers/json?a;b", Violation::Semicolon),
        ] {
            assert_eq!(parse(method, target), Err(rule), "{method} {target}");
        }
    }

    #[test]
    fn headers_are_canonical() {
        let request = parse_with(
            "POST",
            "/containers/web/attach",
            &[
                ("Connection", "Upgrade, X-Private"),
                ("Upgrade", "TCP"),
                ("X-Private", "1"),
                ("Keep-Alive", "5"),
                ("TE", "trailers"),
                ("Host", "api.moby.localhost"),
                ("X-Kept", "1"),
            ],
        )
        .expect("clean");
        assert_eq!(request.upgrade(), Some(Upgrade::Tcp));
        let mut names: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["x-kept"]);
    }

    #[test]
    fn an_upgrade_counts_only_where_the_operation_has_one() {
        let headers = [("Connection", "upgrade"), ("Upgrade", "tcp")];
        assert_eq!(
            parse_with("POST", "/exec/1/start", &headers).expect("clean").upgrade(),
            Some(Upgrade::Tcp)
        );
        assert_eq!(parse_with("GET", "/containers/json", &headers).expect("clean").upgrade(), None);
        let without = [("Upgrade", "tcp")];
        assert_eq!(parse_with("POST", "/exec/1/start", &without).expect("clean").upgrade(), None);
        let other = [("Connection", "upgrade"), ("Upgrade", "smtp")];
        assert_eq!(parse_with("POST", "/exec/1/start", &other), Err(Violation::Upgrade));
    }

    #[test]
    fn bodies_that_the_daemon_reads_in_its_own_way_are_refused() {
        for kind in [
            "application/x-www-form-urlencoded",
            "APPLICATION/X-WWW-FORM-URLENCODED; a=b",
            "multipart/form-data; boundary=x",
        ] {
            let found =
                parse_with("POST", "/containers/a/rename?name=b", &[("Content-Type", kind)]);
            assert_eq!(found, Err(Violation::FormBody), "{kind}");
        }
        let twice = [("Content-Type", "application/json"), ("Content-Type", "text/plain")];
        assert_eq!(
            parse_with("POST", "/containers/create", &twice),
            Err(Violation::ContentTypeTwice)
        );
        assert_eq!(parse_with("POST", "/x", &[("Expect", "magic")]), Err(Violation::Expect));
    }

    #[test]
    fn an_edit_says_whether_it_changed_anything() {
        let mut request = parse("POST", "/v1.41/containers/web/rename?name=a").expect("clean");
        let set = |name: &str, value: &str| Edit::SetQuery(name.into(), value.into());
        assert_eq!(request.edit(set("name", "a")), Ok(false));
        assert_eq!(request.edit(set("name", "b")), Ok(true));
        assert_eq!(request.edit(Edit::SetTarget("web".into())), Ok(false));
        assert_eq!(request.edit(Edit::SetTarget("4f66".into())), Ok(true));
        assert_eq!(request.edit(Edit::RemoveQuery("none".into())), Ok(false));
        let header = Edit::SetHeader("X-Team".into(), "web".into());
        assert_eq!(request.edit(header.clone()), Ok(true));
        assert_eq!(request.edit(header), Ok(false));
        let (_, uri, headers) = request.into_parts();
        assert_eq!(uri, "/v1.41/containers/4f66/rename?name=b");
        assert_eq!(headers["x-team"], "web");
    }

    #[test]
    fn what_can_not_be_sent_is_refused() {
        let braces = "{".repeat(22_000);
        let found = parse("GET", &format!("/containers/json?a={braces}"));
        assert_eq!(found.map(|request| request.operation()), Err(Violation::LongTarget));
        let fits =
            parse("GET", &format!("/containers/json?a={}", "{".repeat(20_000))).expect("fits");
        let (_, uri, _) = fits.into_parts();
        assert_eq!(uri.path(), "/containers/json");
        assert_eq!(uri.query().map(str::len), Some(2 + 60_000));

        let mut request = parse("GET", "/containers/web/json").expect("clean");
        let long = Edit::SetQuery("a".into(), "{".repeat(21_840));
        assert_eq!(request.clone().edit(long), Err(BadEdit::LongQuery));
        let long = Edit::SetTarget("{".repeat(22_000));
        assert_eq!(request.edit(long), Err(BadEdit::Unclean(Violation::LongTarget)));
    }

    #[test]
    fn an_edit_can_not_make_another_request_of_it() {
        let mut request = parse("GET", "/containers/web/logs").expect("clean");
        for (edit, why) in [
            (Edit::SetTarget("../images".into()), BadEdit::Unclean(Violation::DotSegment)),
            (Edit::SetTarget(String::new()), BadEdit::Unclean(Violation::EmptySegment)),
            (Edit::SetTarget("a\nb".into()), BadEdit::Unclean(Violation::Control)),
            (Edit::SetHeader("Host".into(), "x".into()), BadEdit::Header("Host".into())),
            (
                Edit::SetHeader("content-length".into(), "0".into()),
                BadEdit::Header("content-length".into()),
            ),
            (
                Edit::RemoveHeader("X-Registry-Auth".into()),
                BadEdit::Header("X-Registry-Auth".into()),
            ),
            (Edit::SetHeader("a b".into(), "x".into()), BadEdit::Header("a b".into())),
            (Edit::SetHeader("X-A".into(), "a\r\nb".into()), BadEdit::HeaderValue),
        ] {
            assert_eq!(request.clone().edit(edit.clone()), Err(why), "{edit:?}");
        }
        let mut delete = parse("DELETE", "/containers/web").expect("clean");
        let checkpoint = Edit::SetTarget("web/checkpoints/x".into());
        assert_eq!(delete.edit(checkpoint), Err(BadEdit::OtherOperation));
        let list = Edit::SetTarget("web".into());
        assert_eq!(
            parse("GET", "/containers/json").expect("clean").edit(list),
            Err(BadEdit::NoTarget)
        );
        assert_eq!(
            request.edit(Edit::SetTarget("v1.41".into())),
            Ok(true),
            "a name may look like a version"
        );
    }

    #[test]
    fn a_body_that_the_daemon_does_not_read_is_not_sent() {
        let with = |method: &str, target: &str, body: &str| {
            let request = parse(method, target).expect("clean");
            request.with_body(body.as_bytes(), UnknownFields::Pass).map(|r| r.content().clone())
        };
        let stop = with("POST", "/containers/web/stop?t=5", r#"{"t":5}"#);
        assert_eq!(stop, Ok(Content::Empty));
        assert_eq!(with("POST", "/containers/web/start", "{}"), Ok(Content::Empty));
        let old_push = with("POST", "/images/a/push", r#"{"Username":"u"}"#);
        let Ok(Content::Json(document)) = old_push else { panic!("{old_push:?}") };
        assert_eq!(document.to_text(), r#"{"username":"u"}"#);
        let create = with("POST", "/containers/create", r#"{"Image":1}"#);
        assert!(matches!(create, Err(Violation::Json(_))), "{create:?}");
    }

    #[test]
    fn a_container_is_not_started_with_a_host_config() {
        let start = |headers: &[(&str, &str)]| parse_with("POST", "/containers/web/start", headers);
        for headers in [[("Content-Length", "19")], [("Transfer-Encoding", "chunked")]] {
            assert_eq!(start(&headers), Err(Violation::BodyAtStart), "{headers:?}");
        }
        for headers in [[("Content-Length", "0")], [("Content-Length", "2")]] {
            assert!(start(&headers).is_ok(), "{headers:?}");
        }
        assert!(start(&[]).is_ok());
    }

    #[test]
    fn credentials_for_a_build_have_one_meaning() {
        let build = |value: &str| parse_with("POST", "/build", &[("X-Registry-Config", value)]);
        for (json, is_one) in [
            (r#"{"docker.io":{"username":"u","password":"p?>"}}"#, true),
            ("{}", true),
            (r#"{"docker.io":{"username":"u","UserName":"v"}}"#, false),
            (r#"{"docker.io":{},"docker.io":{}}"#, false),
            ("{} {}", false),
            (r#"{"docker.io":{"username":1}}"#, false),
        ] {
            let value = BASE64_URL_SAFE.encode(json);
            let expected = if is_one { Ok(()) } else { Err(Violation::RegistryConfig) };
            assert_eq!(build(&value).map(|_| ()), expected, "{json}");
        }
        assert!(build("").is_ok());
        assert_eq!(build("e30"), Err(Violation::RegistryConfig), "without its padding");
        let twice = [("X-Registry-Config", "e30="), ("X-Registry-Config", "e30=")];
        assert_eq!(parse_with("POST", "/build", &twice), Err(Violation::RegistryConfig));
    }

    #[test]
    fn an_edit_of_the_query_is_brought_to_the_one_form() {
        let mut request = parse("GET", "/containers/json").expect("clean");
        let filters = |value: &str| Edit::SetQuery("filters".into(), value.into());
        assert_eq!(request.edit(filters(r#"{"label":{"a":true}}"#)), Ok(true));
        assert_eq!(request.edit(filters(r#"{"label":["a"]}"#)), Ok(false));
        assert_eq!(request.query().get("filters").as_deref(), Some(r#"{"label":["a"]}"#));
        assert!(matches!(
            request.edit(filters("x")),
            Err(BadEdit::Unclean(Violation::JsonInQuery(..)))
        ));
    }
}
