//! What a plugin may call while it is asked: the imports of the worlds.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use http::HeaderMap;
use wasmtime::component::{HasSelf, Linker};

use super::{
    Clock, Grant, Needs,
    bindings::dockgate::filter as wit,
    look_ups::{Found, LookUps},
    memory::Memory,
};
use crate::{
    chain::Reply,
    client::{Certificate, Client, Container},
    request::{CanonicalRequest, Content, Edit, Json, Resource, header_name, is_secret},
};

/// How often a plugin may call the proxy while it answers one question. Fuel does not count what
/// the proxy does on its behalf.
const HOST_CALLS: u32 = 10_000;
/// How many bytes the proxy looks through or keeps for it meanwhile, besides those of a body.
const HOST_BYTES: usize = 4 << 20;
/// How often a plugin may read or replace the whole of a body.
const WHOLE_BODIES: usize = 4;
/// How many changes it may stage: each is made on the whole of the query.
const EDITS: usize = 100;
/// How many lines a plugin may log while it answers one question.
const LOG_LINES: u32 = 20;
/// How many characters of a logged line are kept.
const LOG_LINE: usize = 1000;

/// What belongs to an instance: the question that it is asked, and its limits.
pub(super) struct Context {
    plugin: Arc<str>,
    clock: Clock,
    pub(super) memory: Memory,
    question: Option<Question>,
    host_calls: u32,
    host_bytes: usize,
    log_lines: u32,
    quiet: bool,
}

/// What a plugin is asked about.
#[derive(Clone)]
pub struct Asked {
    /// The request as it stands.
    pub request: Arc<CanonicalRequest>,
    /// Who sent it.
    pub client: Arc<Client>,
    /// What was looked up for it.
    pub look_ups: Arc<LookUps>,
}

/// The question, and what the plugin staged so far.
struct Question {
    asked: Asked,
    needs: Needs,
    phase: Phase,
    staged: Staged,
}

/// What is asked.
pub(super) enum Phase {
    /// Whether the request may go on.
    Request,
    /// Whether the answer to it may.
    Response(ResponseView),
    /// Whether a value of the answer may.
    Item,
}

/// An answer of the daemon's, as a plugin sees it.
#[derive(Clone, Debug)]
pub struct ResponseView {
    /// Its headers.
    pub headers: Arc<HeaderMap>,
    /// Its body, a JSON document. None where there is none, or no plugin asks for it.
    pub body: Option<Arc<str>>,
}

/// What is to be committed if the call returns well.
#[derive(Debug, Default)]
pub(super) struct Staged {
    pub(super) edits: Vec<Edit>,
    pub(super) reply: Option<Reply>,
    /// The id of the target, if it was looked up by another name.
    pub(super) target_id: Option<String>,
    pub(super) response_edits: Vec<ResponseEdit>,
}

/// A change that a plugin makes to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseEdit {
    /// This JSON document is the body.
    SetBody(String),
    /// This is the status.
    SetStatus(u16),
    /// A header gets a value.
    SetHeader(String, String),
    /// A header goes.
    RemoveHeader(String),
}

/// A plugin asked more of the proxy than it may.
#[derive(Debug, thiserror::Error)]
#[error("too many calls of the proxy")]
pub(super) struct TooManyCalls;

/// A plugin called something that it may not call then.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Misuse(pub(super) String);

/// What a plugin asked for could not be found out.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct LookUpFailed(pub(super) String);

impl Context {
    /// For an instance of a plugin with so many bytes of memory at the most. A quiet one logs
    /// nothing: it is set up like others before it.
    pub(super) fn new(plugin: Arc<str>, clock: Clock, memory: usize, quiet: bool) -> Self {
        Self {
            plugin,
            clock,
            memory: Memory::of(memory),
            question: None,
            host_calls: 0,
            host_bytes: HOST_BYTES,
            log_lines: 0,
            quiet,
        }
    }

    /// Makes ready for a call, in which so many bytes of bodies are at hand.
    pub(super) fn begin(&mut self, asked: Asked, needs: Needs, phase: Phase, bodies: usize) {
        self.question = Some(Question { asked, needs, phase, staged: Staged::default() });
        self.host_bytes = HOST_BYTES.saturating_add(bodies.saturating_mul(WHOLE_BODIES));
        (self.host_calls, self.log_lines) = (0, 0);
        self.quiet = false;
    }

    /// Takes what was staged in the call.
    pub(super) fn finish(&mut self) -> Staged {
        self.question.take().map(|question| question.staged).unwrap_or_default()
    }

    fn request(&self) -> Option<&CanonicalRequest> {
        self.question.as_ref().map(|question| &*question.asked.request)
    }

    fn client(&self) -> Option<&Client> {
        self.question.as_ref().map(|question| &*question.asked.client)
    }

    /// The question, if it is about a request.
    fn on_request(&mut self) -> wasmtime::Result<Option<&mut Question>> {
        match &mut self.question {
            Some(Question { phase: Phase::Response(_) | Phase::Item, .. }) => {
                misused("it edits a request that has gone to the daemon")
            }
            question => Ok(question.as_mut()),
        }
    }

    /// The answer under review. Asking for it at any other time is a fault, since nothing said
    /// would be mistaken for nothing there.
    fn response(&self) -> wasmtime::Result<(&ResponseView, Needs)> {
        match &self.question {
            Some(Question { phase: Phase::Response(response), needs, .. }) => {
                Ok((response, *needs))
            }
            _ => misused("it asks for an answer of the daemon's before there is one"),
        }
    }

    fn stage(&mut self, edit: Edit) -> wasmtime::Result<()> {
        self.count_call(match &edit {
            Edit::SetQuery(name, value) | Edit::SetHeader(name, value) => name.len() + value.len(),
            Edit::RemoveQuery(name)
            | Edit::RemoveHeader(name)
            | Edit::SetTarget(name)
            | Edit::SetJson(name, _)
            | Edit::RemoveJson(name) => name.len(),
        })?;
        let Some(Question { staged, .. }) = self.on_request()? else {
            return Ok(());
        };
        staged.edits.push(edit);
        if staged.edits.len() > EDITS { Err(TooManyCalls.into()) } else { Ok(()) }
    }

    fn stage_response(&mut self, edit: ResponseEdit, bytes: usize) -> wasmtime::Result<()> {
        self.count_call(bytes)?;
        self.response()?;
        let Some(Question { staged, .. }) = &mut self.question else {
            return Ok(());
        };
        staged.response_edits.push(edit);
        if staged.response_edits.len() > EDITS { Err(TooManyCalls.into()) } else { Ok(()) }
    }

    /// Counts a call, and the bytes that are handed over or looked through in it.
    pub(super) fn count_call(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.host_calls += 1;
        let left = self.host_bytes.checked_sub(bytes);
        self.host_bytes = left.unwrap_or(0);
        let too_much = self.host_calls > HOST_CALLS || left.is_none();
        if too_much { Err(TooManyCalls.into()) } else { Ok(()) }
    }

    /// Whether the plugin called the proxy while it answered.
    pub(super) fn was_called(&self) -> bool {
        self.host_calls > 0
    }

    /// How long the query is, through which each look for a parameter goes.
    fn query_length(&self) -> usize {
        self.request().map_or(0, |request| request.query().as_str().len())
    }

    /// The body of the request, where the plugin asked for it.
    fn content(&self) -> Option<&Content> {
        let question = self.question.as_ref().filter(|question| question.needs.request_body)?;
        match question.asked.request.content() {
            Content::Unread => None,
            read => Some(read),
        }
    }

    /// Writes a line of the plugin's to the log, whatever is in it.
    pub(super) fn log(&mut self, level: wit::log::Level, message: &str) {
        self.log_lines += 1;
        if self.quiet || self.log_lines > LOG_LINES {
            return;
        }
        let line: String = message.trim_end().chars().take(LOG_LINE).collect();
        let line = line.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'");
        let plugin = &*self.plugin;
        match level {
            wit::log::Level::Debug => tracing::debug!(plugin, "{line}"),
            wit::log::Level::Info => tracing::info!(plugin, "{line}"),
            wit::log::Level::Warning => tracing::warn!(plugin, "{line}"),
            wit::log::Level::Error => tracing::error!(plugin, "{line}"),
        }
    }
}

fn misused<T>(words: &str) -> wasmtime::Result<T> {
    Err(Misuse(words.to_owned()).into())
}

/// Adds the imports to a linker, those that need a grant only with it.
pub(super) fn add_to(linker: &mut Linker<Context>, grants: &[Grant]) -> wasmtime::Result<()> {
    type Same = HasSelf<Context>;
    wit::types::add_to_linker::<_, Same>(linker, |context| context)?;
    wit::request::add_to_linker::<_, Same>(linker, |context| context)?;
    wit::content::add_to_linker::<_, Same>(linker, |context| context)?;
    wit::body::add_to_linker::<_, Same>(linker, |context| context)?;
    wit::client::add_to_linker::<_, Same>(linker, |context| context)?;
    wit::edit::add_to_linker::<_, Same>(linker, |context| context)?;
    wit::log::add_to_linker::<_, Same>(linker, |context| context)?;
    wit::response::add_to_linker::<_, Same>(linker, |context| context)?;
    if grants.contains(&Grant::LookUps) {
        wit::docker::add_to_linker::<_, Same>(linker, |context| context)?;
    }
    if grants.contains(&Grant::Clock) {
        wit::clock::add_to_linker::<_, Same>(linker, |context| context)?;
    }
    Ok(())
}

impl wit::types::Host for Context {}

impl wit::request::Host for Context {
    fn query(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        self.count_call(name.len() + self.query_length())?;
        Ok(self.request().and_then(|request| request.query().get(&name)))
    }

    fn query_all(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        self.count_call(self.query_length())?;
        Ok(self.request().map(|request| request.query().pairs().collect()).unwrap_or_default())
    }

    fn header(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        let known = header_name(&name).filter(|name| !is_secret(name));
        let value = self
            .request()
            .zip(known)
            .and_then(|(request, name)| request.headers().get(name)?.to_str().ok())
            .map(str::to_owned);
        self.count_call(name.len() + value.as_ref().map_or(0, String::len))?;
        Ok(value)
    }
}

impl wit::content::Host for Context {}

impl wit::body::Host for Context {
    fn whole(&mut self) -> wasmtime::Result<wit::content::Content> {
        let content = match self.content() {
            None => wit::content::Content::NotAskedFor,
            Some(Content::Json(json)) => wit::content::Content::Json(json.to_text()),
            Some(_) => wit::content::Content::None,
        };
        self.count_call(length(&content))?;
        Ok(content)
    }

    fn get(&mut self, pointer: String) -> wasmtime::Result<Option<String>> {
        let value = match self.content() {
            None => return misused("it reads a body that it did not ask for"),
            Some(Content::Json(json)) => json.at(&pointer).map(Json::to_text),
            Some(_) => None,
        };
        self.count_call(pointer.len() + value.as_ref().map_or(0, String::len))?;
        Ok(value)
    }
}

fn length(content: &wit::content::Content) -> usize {
    match content {
        wit::content::Content::Json(json) => json.len(),
        _ => 0,
    }
}

impl wit::response::Host for Context {
    fn header(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        let known = header_name(&name).filter(|name| name != http::header::SET_COOKIE);
        let (response, _) = self.response()?;
        let value =
            known.and_then(|name| response.headers.get(name)?.to_str().ok()).map(str::to_owned);
        self.count_call(name.len() + value.as_ref().map_or(0, String::len))?;
        Ok(value)
    }

    fn body(&mut self) -> wasmtime::Result<wit::content::Content> {
        let content = match self.response()? {
            (_, needs) if needs.response != Some(super::ResponsePart::Json) => {
                wit::content::Content::NotAskedFor
            }
            (ResponseView { body: None, .. }, _) => wit::content::Content::None,
            (ResponseView { body: Some(json), .. }, _) => {
                wit::content::Content::Json(json.to_string())
            }
        };
        self.count_call(length(&content))?;
        Ok(content)
    }

    fn set_body(&mut self, json: String) -> wasmtime::Result<()> {
        if self.response()?.0.body.is_none()
            || self.response()?.1.response != Some(super::ResponsePart::Json)
        {
            return misused("it replaces a body that it did not ask for, or that is not there");
        }
        let bytes = json.len();
        self.stage_response(ResponseEdit::SetBody(json), bytes)
    }

    fn set_status(&mut self, status: u16) -> wasmtime::Result<()> {
        self.stage_response(ResponseEdit::SetStatus(status), 0)
    }

    fn set_header(&mut self, name: String, value: String) -> wasmtime::Result<()> {
        let bytes = name.len() + value.len();
        self.stage_response(ResponseEdit::SetHeader(name, value), bytes)
    }

    fn remove_header(&mut self, name: String) -> wasmtime::Result<()> {
        let bytes = name.len();
        self.stage_response(ResponseEdit::RemoveHeader(name), bytes)
    }
}

impl wit::docker::Host for Context {
    async fn inspect(&mut self, kind: String, name: String) -> wasmtime::Result<Option<String>> {
        self.count_call(kind.len() + name.len())?;
        let Some(resource) = Resource::named(&kind) else {
            return misused(&format!("it looks up something that there is not: {kind:.20}"));
        };
        let Some(look_ups) = self.question.as_ref().map(|q| Arc::clone(&q.asked.look_ups)) else {
            return misused("it looks something up when there is no request");
        };
        let found = look_ups.inspect(resource, &name).await.map_err(LookUpFailed)?;
        if let Some(found) = &found {
            self.count_call(found.json.len())?;
            self.rest_on(resource, &name, found);
        }
        Ok(found.map(|found| found.json.clone()))
    }
}

impl Context {
    /// Notes the id of the request's target when the target was looked up: the verdict rests on
    /// what was found, and the name may belong to something else a moment later.
    fn rest_on(&mut self, resource: Resource, name: &str, found: &Found) {
        let Some(Question { asked, phase: Phase::Request, staged, .. }) = &mut self.question else {
            return;
        };
        if asked.request.replaceable_target() == Some((resource, name)) {
            staged.target_id = found.id.clone().filter(|id| id != name);
        }
    }
}

impl wit::clock::Host for Context {
    fn unix_time(&mut self) -> wasmtime::Result<u64> {
        self.count_call(0)?;
        Ok(match self.clock {
            Clock::Runs => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs()),
            Clock::StandsAt(seconds) => seconds,
        })
    }
}

impl wit::client::Host for Context {
    fn listener(&mut self) -> wasmtime::Result<Option<String>> {
        self.count_call(0)?;
        Ok(self.client().map(|client| client.listener.to_string()))
    }

    fn address(&mut self) -> wasmtime::Result<Option<String>> {
        self.count_call(0)?;
        Ok(self.client().and_then(Client::address).map(|address| address.to_string()))
    }

    fn unix_user(&mut self) -> wasmtime::Result<Option<(u32, u32)>> {
        self.count_call(0)?;
        Ok(self.client().and_then(Client::process).map(|process| (process.uid, process.gid)))
    }

    fn unix_process(&mut self) -> wasmtime::Result<Option<u32>> {
        self.count_call(0)?;
        Ok(self.client().and_then(Client::process).and_then(|process| process.pid))
    }

    fn certificate_subject(&mut self) -> wasmtime::Result<Option<String>> {
        self.of_certificate(|certificate| &certificate.subject)
    }

    fn certificate_names(&mut self) -> wasmtime::Result<Vec<String>> {
        let names = self.certificate().map_or(0, |it| it.names.iter().map(String::len).sum());
        self.count_call(names)?;
        Ok(self.certificate().map(|certificate| certificate.names.clone()).unwrap_or_default())
    }

    fn certificate_pin(&mut self) -> wasmtime::Result<Option<String>> {
        self.of_certificate(|certificate| &certificate.pin)
    }

    fn container_id(&mut self) -> wasmtime::Result<Option<String>> {
        self.of_container(|container| &container.id)
    }

    fn container_name(&mut self) -> wasmtime::Result<Option<String>> {
        self.of_container(|container| &container.name)
    }

    fn container_image(&mut self) -> wasmtime::Result<Option<String>> {
        self.of_container(|container| &container.image)
    }

    fn container_label(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        let value = self.container().and_then(|container| container.labels.get(&name));
        let value = value.cloned();
        self.count_call(name.len() + value.as_ref().map_or(0, String::len))?;
        Ok(value)
    }

    fn container_labels(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        let labels = self.container().map(|container| &container.labels);
        let length = |labels: &BTreeMap<String, String>| {
            labels.iter().map(|(name, value)| name.len() + value.len()).sum()
        };
        self.count_call(labels.map_or(0, length))?;
        let labels = self.container().map(|container| container.labels.clone());
        Ok(labels.into_iter().flatten().collect())
    }
}

impl Context {
    fn certificate(&self) -> Option<&Certificate> {
        self.client()?.certificate.as_deref()
    }

    fn container(&self) -> Option<&Container> {
        self.client()?.container.as_deref()
    }

    fn of_certificate(
        &mut self,
        text: impl Fn(&Certificate) -> &String,
    ) -> wasmtime::Result<Option<String>> {
        let text = self.certificate().map(text).cloned();
        self.count_call(text.as_ref().map_or(0, String::len))?;
        Ok(text)
    }

    fn of_container(
        &mut self,
        text: impl Fn(&Container) -> &String,
    ) -> wasmtime::Result<Option<String>> {
        let text = self.container().map(text).cloned();
        self.count_call(text.as_ref().map_or(0, String::len))?;
        Ok(text)
    }
}

impl wit::edit::Host for Context {
    fn set_query(&mut self, name: String, value: String) -> wasmtime::Result<()> {
        self.stage(Edit::SetQuery(name, value))
    }

    fn remove_query(&mut self, name: String) -> wasmtime::Result<()> {
        self.stage(Edit::RemoveQuery(name))
    }

    fn set_header(&mut self, name: String, value: String) -> wasmtime::Result<()> {
        self.stage(Edit::SetHeader(name, value))
    }

    fn remove_header(&mut self, name: String) -> wasmtime::Result<()> {
        self.stage(Edit::RemoveHeader(name))
    }

    fn set_target(&mut self, target: String) -> wasmtime::Result<()> {
        self.stage(Edit::SetTarget(target))
    }

    fn set_json(&mut self, pointer: String, json: String) -> wasmtime::Result<()> {
        self.count_call(json.len())?;
        if self.content().is_none() {
            return misused("it edits a body that it did not ask for");
        }
        match Json::parse(json.as_bytes()) {
            Ok(value) => self.stage(Edit::SetJson(pointer, value)),
            Err(error) => {
                misused(&format!("it puts something into the body that is no JSON: {error}"))
            }
        }
    }

    fn remove_json(&mut self, pointer: String) -> wasmtime::Result<()> {
        if self.content().is_none() {
            return misused("it edits a body that it did not ask for");
        }
        self.stage(Edit::RemoveJson(pointer))
    }

    fn respond(&mut self, status: u16, json: String) -> wasmtime::Result<()> {
        self.count_call(json.len())?;
        if let Some(question) = self.on_request()? {
            question.staged.reply = Some(Reply { status, json });
        }
        Ok(())
    }
}

impl wit::log::Host for Context {
    fn write(&mut self, level: wit::log::Level, message: String) -> wasmtime::Result<()> {
        self.count_call(message.len())?;
        self.log(level, &message);
        Ok(())
    }
}
