//! What a condition can read of a request.

use std::{cell::OnceCell, collections::HashMap, sync::Arc};

use cel::{
    Value,
    objects::{Key, Map},
};
use dockgate_plugin::{Content, Json, Request};

/// A variable of conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    Operation,
    Method,
    Path,
    Version,
    Target,
    Query,
    Body,
    Client,
}

impl Fact {
    pub(crate) const ALL: [Self; 8] = [
        Self::Operation,
        Self::Method,
        Self::Path,
        Self::Version,
        Self::Target,
        Self::Query,
        Self::Body,
        Self::Client,
    ];

    /// The one that is called so.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fact| fact.name() == name)
    }

    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::Method => "method",
            Self::Path => "path",
            Self::Version => "version",
            Self::Target => "target",
            Self::Query => "query",
            Self::Body => "body",
            Self::Client => "client",
        }
    }

    /// What it is for a request; `null` where that has none.
    fn of(self, request: &Request) -> Value {
        match self {
            Self::Operation => request.operation_name().into(),
            Self::Method => request.method().into(),
            Self::Path => request.path().into(),
            Self::Version => optional(request.api_version()),
            Self::Target => optional(request.target()),
            Self::Query => query(request),
            Self::Body => body(request),
            Self::Client => client(request),
        }
    }
}

/// What conditions have read of one request, each variable made once.
pub(crate) struct Facts<'r> {
    request: &'r Request,
    read: [OnceCell<Value>; Fact::ALL.len()],
}

impl<'r> Facts<'r> {
    /// Those of a request, none of them read yet.
    pub(crate) fn of(request: &'r Request) -> Self {
        Self { request, read: [const { OnceCell::new() }; Fact::ALL.len()] }
    }

    /// One of them.
    pub(crate) fn get(&self, fact: Fact) -> Value {
        self.read[fact as usize].get_or_init(|| fact.of(self.request)).clone()
    }

    /// The request.
    pub(crate) fn request(&self) -> &'r Request {
        self.request
    }
}

/// The parameters of the query. Where one stands twice the first counts, as for the daemon.
fn query(request: &Request) -> Value {
    let mut parameters = HashMap::new();
    for (name, value) in request.query_all() {
        parameters.entry(Key::from(name)).or_insert_with(|| Value::from(value));
    }
    map(parameters)
}

/// The JSON body, in the one spelling that the daemon reads.
fn body(request: &Request) -> Value {
    match request.body() {
        Content::Json(json) => value(json),
        Content::None | Content::NotAskedFor => Value::Null,
    }
}

/// Who sent it. Containers are not looked up: that would be done for every request of every chain
/// with this plugin. A chain's `clients` can name them.
fn client(request: &Request) -> Value {
    let client = request.client();
    let number = |number: Option<u32>| number.map_or(Value::Null, Value::from);
    let user = client.unix_user();
    let subject = client.certificate().map(|certificate| certificate.subject());
    map(HashMap::from([
        ("listener".into(), optional(client.listener())),
        ("address".into(), optional(client.address().map(|address| address.to_string()))),
        ("user".into(), number(user.map(|(user, _)| user))),
        ("group".into(), number(user.map(|(_, group)| group))),
        ("subject".into(), optional(subject)),
    ]))
}

fn optional(text: Option<impl Into<String>>) -> Value {
    text.map_or(Value::Null, |text| Value::from(text.into()))
}

fn map(fields: HashMap<Key, Value>) -> Value {
    Value::Map(Map { map: Arc::new(fields) })
}

/// The same value in CEL. An integer is an `int`, whatever its sign, so that `body.Memory < 7` can be
/// compared; what is beyond its range is a `uint` or a `double`.
fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Value::Int(value),
            (None, Some(value)) => Value::UInt(value),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text),
        Json::List(items) => Value::List(Arc::new(items.into_iter().map(value).collect())),
        Json::Object(fields) => {
            map(fields.into_iter().map(|(name, field)| (Key::from(name), value(field))).collect())
        }
    }
}
