//! Making requests, and what a policy did to them.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::Value;

use super::{Certificate, Container, route};
use crate::{
    BodyKind, Content, Json, Kind, Operation, Request,
    host::{Host, as_json},
};

/// A change that a policy staged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// [`Request::set_query`]
    SetQuery(String, String),
    /// [`Request::remove_query`]
    RemoveQuery(String),
    /// [`Request::set_header`]
    SetHeader(String, String),
    /// [`Request::remove_header`]
    RemoveHeader(String),
    /// [`Request::set_target`]
    SetTarget(String),
    /// [`Request::set_json`]
    SetJson(String, Json),
    /// [`Request::remove_json`]
    RemoveJson(String),
    /// [`Request::respond`]
    Respond(u16, Json),
}

/// Making a request. Only for native tests.
impl Request {
    /// A request with this method on this path; the path is what a policy sees, so it has no version
    /// and no query.
    pub fn new(method: impl Into<String>, path: impl Into<String>) -> Self {
        let (method, path) = (method.into(), path.into());
        let found = route::find(&method, &path);
        let target = found.and_then(|(_, target)| target).map(str::to_owned);
        let (operation, body_kind) =
            found.map_or((Operation::Unknown, BodyKind::Nothing), |(r, _)| (r.operation, r.body));
        Self {
            operation: operation.name().to_owned(),
            method,
            path,
            api_version: None,
            target,
            body_kind,
            host: Host::default(),
        }
    }

    /// A request for an operation that has no target: `container-list`.
    ///
    /// # Panics
    /// Where it has one.
    pub fn of(operation: Operation) -> Self {
        let (method, path) = route::to(operation, None);
        Self::new(method, path)
    }

    /// A request for an operation on this container, image, volume …
    ///
    /// # Panics
    /// Where it has no target, or the path with this one leads to another operation.
    pub fn to(operation: Operation, target: &str) -> Self {
        let (method, path) = route::to(operation, Some(target));
        Self::new(method, path)
    }

    /// The same with this version in its path: `1.41`.
    #[must_use]
    pub fn with_api_version(mut self, version: impl Into<String>) -> Self {
        self.api_version = Some(version.into());
        self
    }

    /// The same with one more parameter in the query.
    #[must_use]
    pub fn with_query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.host.query.push((name.into(), value.into()));
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.host.headers.push((name.into(), value.into()));
        self
    }

    /// The same with this JSON body, which the manifest asks for.
    #[must_use]
    pub fn with_body(mut self, body: impl Serialize) -> Self {
        self.host.content = Content::Json(as_json(&body));
        self
    }

    /// The same with a body that the manifest does not ask for.
    #[must_use]
    pub fn with_unread_body(mut self) -> Self {
        self.host.content = Content::NotAskedFor;
        self
    }

    /// The same through this listener: `tcp://[::]:2375`.
    #[must_use]
    pub fn with_listener(mut self, listener: impl Into<String>) -> Self {
        self.host.listener = Some(listener.into());
        self
    }

    /// The same from this address.
    #[must_use]
    pub fn with_client_address(mut self, address: impl Into<IpAddr>) -> Self {
        self.host.address = Some(address.into().to_string());
        self
    }

    /// The same from a process of this user and group, on a unix socket.
    #[must_use]
    pub fn with_unix_user(mut self, user: u32, group: u32) -> Self {
        self.host.unix_user = Some((user, group));
        self
    }

    /// The same, where that process has this number.
    #[must_use]
    pub fn with_unix_process(mut self, number: u32) -> Self {
        self.host.unix_process = Some(number);
        self
    }

    /// The same from a client with this certificate.
    #[must_use]
    pub fn with_certificate(mut self, certificate: Certificate) -> Self {
        self.host.certificate = Some(certificate);
        self
    }

    /// The same from a client in this container.
    #[must_use]
    pub fn with_container(mut self, container: Container) -> Self {
        self.host.container = Some(container);
        self
    }

    /// The same with something that is found when it is looked up; nothing else is.
    #[must_use]
    pub fn with_found(mut self, kind: Kind, name: impl Into<String>, json: impl Serialize) -> Self {
        self.host.found.push((kind, name.into(), as_json(&json)));
        self
    }

    /// The same at this time, in seconds since 1970-01-01 00:00 UTC.
    #[must_use]
    pub fn at_time(mut self, unix_time: u64) -> Self {
        self.host.time = Some(unix_time);
        self
    }

    /// What a policy staged, in order.
    pub fn edits(&self) -> Vec<Edit> {
        self.host.edits.borrow().clone()
    }

    /// The answer that a policy staged in the daemon's stead.
    pub fn reply(&self) -> Option<(u16, Value)> {
        self.host.edits.borrow().iter().rev().find_map(|edit| match edit {
            Edit::Respond(status, json) => Some((*status, json.clone().into())),
            _ => None,
        })
    }

    /// The request with all that was staged, as it goes through the chain again.
    ///
    /// # Panics
    /// Where a new target makes another operation of it, which is a fault.
    #[must_use]
    pub fn edited(&self) -> Self {
        let mut edited = self.clone();
        for edit in edited.host.edits.take() {
            if let Edit::SetTarget(target) = &edit {
                edited.retarget(target);
            }
            edited.host.apply(edit);
        }
        edited
    }

    fn retarget(&mut self, target: &str) {
        let (_, path) = route::to(self.operation(), Some(target));
        self.path = path;
        self.target = Some(target.to_owned());
    }
}
