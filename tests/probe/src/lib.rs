//! A plugin for tests: its settings are a list of things to do, and it tells what it saw.

use dockgate_plugin::{
    Content, Json, Kind, Policy, Request, Response, Ruling, Setup, Sifted, Verdict, schemars,
};
use serde::Deserialize;

/// What to do in each phase.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// When asked about a request.
    #[serde(default)]
    pub decide: Vec<Step>,
    /// Whether it then denies the request in the words of what it saw, or allows it.
    #[serde(default)]
    pub tell: bool,
    /// When asked about an answer; what it saw is a header.
    #[serde(default)]
    pub review: Vec<Step>,
    /// When asked about a value.
    #[serde(default)]
    pub sift: Vec<Sieve>,
}

/// A thing to do.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// See the whole body.
    Body,
    /// See a value of it.
    BodyAt(String),
    /// See a parameter of the query.
    Query(String),
    /// See a header of the answer.
    Header(String),
    /// See what there is: kind and name, and a place in it.
    LookUp(String, String, String),
    /// See whether the time is later than 2026.
    Time,
    /// See what is known of the client.
    Client,
    /// See a label of the client's container.
    ClientLabel(String),
    /// See how many labels that has.
    ClientLabels,
    /// Change the body.
    SetJson(String, serde_json::Value),
    /// Take something out of it.
    RemoveJson(String),
    /// Put something else in the target's place.
    SetTarget(String),
    /// Replace the body of the answer.
    SetBody(serde_json::Value),
    /// Of a list in the answer, leave the objects that have this value here.
    Leave(String, serde_json::Value),
    /// Set the status of the answer.
    SetStatus(u16),
    /// Set a header of the answer.
    SetHeader(String, String),
    /// Deny, unless the client's container has a label with this value.
    OnlyFor(String, String),
    /// Deny, or refuse.
    Refuse(String),
    /// Panic.
    Panic,
    /// Never end.
    Spin,
}

/// A thing to do with a value that holds a text.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sieve {
    /// Leave it out.
    Drop(String),
    /// Put another in its place.
    Replace(String, serde_json::Value),
    /// Leave it out unless there is a container that is called so.
    LookUp(String, String),
    /// Panic.
    Panic(String),
    /// Never end.
    Spin(String),
}

/// The plugin.
pub struct Probe(Settings);

impl Policy for Probe {
    type Settings = Settings;

    fn set_up(setup: &mut Setup<Settings>) -> Self {
        let nothing = Settings { decide: vec![], tell: false, review: vec![], sift: vec![] };
        Self(std::mem::replace(&mut setup.settings, nothing))
    }

    fn decide(&self, request: &Request) -> Verdict {
        let mut saw = Vec::new();
        for step in &self.0.decide {
            match step {
                Step::Body => saw.push(words(request.body())),
                Step::BodyAt(pointer) => saw.push(text(request.body_at(pointer))),
                Step::SetJson(pointer, value) => request.set_json(pointer, value),
                Step::RemoveJson(pointer) => request.remove_json(pointer),
                Step::SetTarget(target) => request.set_target(target),
                Step::OnlyFor(label, value) => {
                    let has = request.client().container().and_then(|it| it.label(label));
                    if has.as_ref() != Some(value) {
                        return Verdict::deny(format!("{label} is {has:?}"));
                    }
                }
                Step::Refuse(words) => return Verdict::deny(words),
                other => saw.extend(common(other, request)),
            }
        }
        if self.0.tell { Verdict::deny(saw.join("; ")) } else { Verdict::allow() }
    }

    fn review(&self, request: &Request, response: &Response) -> Ruling {
        let mut saw = vec![response.status().to_string()];
        for step in &self.0.review {
            match step {
                Step::Body => saw.push(words(response.body())),
                Step::Header(name) => saw.push(format!("{:?}", response.header(name))),
                Step::SetBody(value) => response.set_body(value),
                Step::Leave(pointer, value) => leave(response, pointer, value),
                Step::SetStatus(status) => response.set_status(*status),
                Step::SetHeader(name, value) => response.set_header(name, value),
                Step::Refuse(words) => return Ruling::refuse(words),
                other => saw.extend(common(other, request)),
            }
        }
        response.set_header("X-Probe", &saw.join("; "));
        Ruling::Pass
    }

    fn sift(&self, request: &Request, item: &str) -> Sifted {
        for step in &self.0.sift {
            match step {
                Sieve::Drop(text) if item.contains(text) => return Sifted::Drop,
                Sieve::Replace(text, value) if item.contains(text) => {
                    return Sifted::Replace(value.to_string());
                }
                Sieve::LookUp(text, name)
                    if item.contains(text) && request.look_up(Kind::Container, name).is_none() =>
                {
                    return Sifted::Drop;
                }
                Sieve::Panic(text) if item.contains(text) => panic!("as it was told"),
                Sieve::Spin(text) if item.contains(text) => spin(),
                _ => {}
            }
        }
        Sifted::Keep
    }
}

/// What can be done in every phase.
fn common(step: &Step, request: &Request) -> Option<String> {
    match step {
        Step::Query(name) => Some(format!("{:?}", request.query(name))),
        Step::LookUp(kind, name, pointer) => {
            let found = request.look_up(kind_of(kind), name);
            Some(found.map_or("nothing".to_owned(), |found| text(found.at(pointer).cloned())))
        }
        Step::Time => Some((request.unix_time() > 1_767_225_600).to_string()),
        Step::Client => Some(client(request)),
        Step::ClientLabel(name) => {
            Some(format!("{:?}", request.client().container().and_then(|it| it.label(name))))
        }
        Step::ClientLabels => {
            let labels = request.client().container().map(|container| container.labels());
            Some(labels.unwrap_or_default().len().to_string())
        }
        Step::Spin => spin(),
        other => panic!("{other:?}"),
    }
}

fn client(request: &Request) -> String {
    let client = request.client();
    let process = client.unix_process();
    let certificate =
        client.certificate().map(|it| (it.subject(), it.names(), it.pin().to_owned()));
    let container = client.container().map(|it| (it.id().to_owned(), it.name(), it.image()));
    format!("{process:?} {certificate:?} {container:?}")
}

fn leave(response: &Response, pointer: &str, wanted: &serde_json::Value) {
    let Content::Json(list) = response.body() else { panic!("a list") };
    let wanted = Json::parse(&wanted.to_string()).ok();
    let left: Vec<_> =
        list.items().iter().filter(|item| item.at(pointer) == wanted.as_ref()).collect();
    response.set_body(&left);
}

fn kind_of(name: &str) -> Kind {
    match name {
        "container" => Kind::Container,
        "image" => Kind::Image,
        "volume" => Kind::Volume,
        "network" => Kind::Network,
        other => panic!("{other}"),
    }
}

fn words(content: Content) -> String {
    match content {
        Content::NotAskedFor => "not asked for".to_owned(),
        Content::None => "none".to_owned(),
        Content::Json(json) => text(Some(json)),
    }
}

fn text(json: Option<Json>) -> String {
    json.map_or("nothing".to_owned(), |json| serde_json::to_string(&json).unwrap_or_default())
}

fn spin() -> ! {
    loop {
        std::hint::black_box(());
    }
}

dockgate_plugin::export!(Probe);
