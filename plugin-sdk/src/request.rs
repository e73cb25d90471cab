use serde::Serialize;

use crate::{BadFilters, BodyKind, Client, Content, Filters, Json, Kind, Operation, host::Host};

/// A request under decision, in the form in which it will be sent to the daemon.
///
/// In a plugin the proxy gives it; in a native test [`Request::new`], [`Request::of`] or
/// [`Request::to`] and the `with_…` methods do.
///
/// Edits are staged: reading goes on to show the request as it came. They take effect unless the
/// verdict is a denial, and the request then goes through the whole chain again in its new form. A
/// policy that is asked about a request with its own edits must not change it further.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    pub(crate) operation: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) api_version: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) body_kind: BodyKind,
    pub(crate) host: Host,
}

impl Request {
    /// The endpoint of the Docker Engine API; [`Operation::Unknown`] where no route matches, or one
    /// that this version of the crate does not know.
    pub fn operation(&self) -> Operation {
        Operation::from_name(&self.operation).unwrap_or(Operation::Unknown)
    }

    /// The same by its name: `container-list`; `unknown` where no route of the API matches.
    pub fn operation_name(&self) -> &str {
        &self.operation
    }

    /// Whether it only looks: its method is GET, HEAD or OPTIONS. Attaching by WebSocket begins as a
    /// GET, takes input, and does not only look.
    pub fn only_reads(&self) -> bool {
        matches!(self.method(), "GET" | "HEAD" | "OPTIONS")
            && self.operation_name() != Operation::ContainerAttachWebsocket.name()
    }

    /// The method, in upper case.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path without the version, decoded and clean: `/containers/web/json`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The version that the path begins with, without the `v`: `1.41`.
    pub fn api_version(&self) -> Option<&str> {
        self.api_version.as_deref()
    }

    /// The container, image, volume … that the path names, as the client wrote it.
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// What kind of body the operation takes.
    pub fn body_kind(&self) -> BodyKind {
        self.body_kind
    }

    /// The first value of a parameter of the query, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        self.host.query(name)
    }

    /// All parameters of the query, decoded, in their order.
    pub fn query_all(&self) -> Vec<(String, String)> {
        self.host.query_all()
    }

    /// The parameter `filters` of lists, prunes and events; no filters where it is not there.
    ///
    /// # Errors
    /// Where it can't be read. The daemon doesn't take it either: refuse the request.
    pub fn filters(&self) -> Result<Filters, BadFilters> {
        Filters::parse(&self.query("filters").unwrap_or_default())
    }

    /// The value of a header; `None` as well for those that carry credentials.
    pub fn header(&self, name: &str) -> Option<String> {
        self.host.header(name)
    }

    /// Who sent it.
    pub fn client(&self) -> Client<'_> {
        Client(&self.host)
    }

    /// The JSON body, if the manifest asks for it.
    pub fn body(&self) -> Content {
        self.host.body()
    }

    /// The value at a place in the JSON body, by JSON pointer: `/HostConfig/Binds/0`. Cheaper than
    /// [`body`](Self::body) where it is one of a few. Names are compared without regard to case, but
    /// for keys that are the user's, such as labels.
    ///
    /// To call it without asking for the body in the manifest is a fault: the request is refused.
    pub fn body_at(&self, pointer: &str) -> Option<Json> {
        self.host.body_at(pointer)
    }

    /// What the daemon's inspect says of something. None where there is no such thing.
    ///
    /// It takes the grant `look-ups`. A look-up that fails refuses the request by itself. If what is
    /// looked up is the target, the proxy puts the id that was found in the place of its name.
    pub fn look_up(&self, kind: Kind, name: &str) -> Option<Json> {
        self.host.look_up(kind, name)
    }

    /// Seconds since 1970-01-01 00:00 UTC. It takes the grant `clock`.
    pub fn unix_time(&self) -> u64 {
        self.host.unix_time()
    }

    /// Sets a parameter of the query, in its first place if it is there.
    pub fn set_query(&self, name: &str, value: &str) {
        self.host.set_query(name, value);
    }

    /// Removes a parameter of the query.
    pub fn remove_query(&self, name: &str) {
        self.host.remove_query(name);
    }

    /// Sets the parameter `filters`, or removes it where nothing is filtered.
    pub fn set_filters(&self, filters: &Filters) {
        if filters.is_empty() {
            self.remove_query("filters");
        } else {
            self.set_query("filters", &filters.to_string());
        }
    }

    /// Sets a header. One that frames the message or carries credentials can't be set: that is a
    /// fault, and the request is refused.
    pub fn set_header(&self, name: &str, value: &str) {
        self.host.set_header(name, value);
    }

    /// Removes a header, within the same bounds.
    pub fn remove_header(&self, name: &str) {
        self.host.remove_header(name);
    }

    /// Puts another name or id in the place of the target.
    pub fn set_target(&self, target: &str) {
        self.host.set_target(target);
    }

    /// Puts a value at a place in the JSON body, by JSON pointer; `-` as the last step appends to a
    /// list, an empty pointer replaces all of it. Objects on the way that are missing are made.
    ///
    /// Where there is no body, or the manifest does not ask for it, this is a fault.
    pub fn set_json(&self, pointer: &str, value: &impl Serialize) {
        self.host.set_json(pointer, value);
    }

    /// Removes what is at a place in the JSON body, within the same bounds.
    pub fn remove_json(&self, pointer: &str) {
        self.host.remove_json(pointer);
    }

    /// Answers with this JSON document in the daemon's stead, provided that the chain comes to allow
    /// the request. The status must be 200 to 599.
    pub fn respond(&self, status: u16, json: &impl Serialize) {
        self.host.respond(status, json);
    }
}
