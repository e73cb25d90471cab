//! What a plugin may call while it is asked: the imports of the world `filter`.

use std::{rc::Rc, sync::Arc};

use wasmtime::component::{HasSelf, Linker};

use super::{
    bindings::{FilterWithOverview, dockgate::filter as wit},
    memory::Memory,
};
use crate::{
    chain::Reply,
    client::Client,
    request::{CanonicalRequest, Edit, header_name, is_secret},
};

/// How often a plugin may call the proxy while it answers one question. Fuel does not count what
/// the proxy does on its behalf.
const HOST_CALLS: u32 = 10_000;
/// How many bytes the proxy looks through or keeps for it meanwhile.
const HOST_BYTES: usize = 4 << 20;
/// How many changes it may stage: each is made on the whole of the query.
const EDITS: usize = 100;
/// How many lines a plugin may log while it answers one question.
const LOG_LINES: u32 = 20;
/// How many characters of a logged line are kept.
const LOG_LINE: usize = 1000;

/// What belongs to an instance: the question that it is asked, and its limits.
pub(super) struct Context {
    plugin: Arc<str>,
    pub(super) memory: Memory,
    question: Option<Question>,
    host_calls: u32,
    host_bytes: usize,
    log_lines: u32,
    quiet: bool,
}

/// The question, and what the plugin staged so far.
struct Question {
    request: Rc<CanonicalRequest>,
    client: Rc<Client>,
    staged: Staged,
}

/// Edits and a reply, to be committed if the call returns well.
#[derive(Debug, Default)]
pub(super) struct Staged {
    pub(super) edits: Vec<Edit>,
    pub(super) reply: Option<Reply>,
}

/// A plugin asked more of the proxy than it may.
#[derive(Debug, thiserror::Error)]
#[error("too many calls of the proxy")]
pub(super) struct TooManyCalls;

impl Context {
    /// For an instance of a plugin with so many bytes of memory at the most. A quiet one logs
    /// nothing: it is set up like others before it.
    pub(super) fn new(plugin: Arc<str>, memory: usize, quiet: bool) -> Self {
        Self {
            plugin,
            memory: Memory::of(memory),
            question: None,
            host_calls: 0,
            host_bytes: 0,
            log_lines: 0,
            quiet,
        }
    }

    /// Makes ready for a call about a request.
    pub(super) fn begin(&mut self, request: Rc<CanonicalRequest>, client: Rc<Client>) {
        self.question = Some(Question { request, client, staged: Staged::default() });
        (self.host_calls, self.host_bytes, self.log_lines) = (0, 0, 0);
        self.quiet = false;
    }

    /// Takes what was staged in the call.
    pub(super) fn finish(&mut self) -> Staged {
        self.question.take().map(|question| question.staged).unwrap_or_default()
    }

    fn request(&self) -> Option<&CanonicalRequest> {
        self.question.as_ref().map(|question| &*question.request)
    }

    fn client(&self) -> Option<&Client> {
        self.question.as_ref().map(|question| &*question.client)
    }

    fn stage(&mut self, edit: Edit) -> wasmtime::Result<()> {
        self.count_call(match &edit {
            Edit::SetQuery(name, value) | Edit::SetHeader(name, value) => name.len() + value.len(),
            Edit::RemoveQuery(name) | Edit::RemoveHeader(name) | Edit::SetTarget(name) => {
                name.len()
            }
        })?;
        let Some(Question { staged, .. }) = &mut self.question else {
            return Ok(());
        };
        staged.edits.push(edit);
        if staged.edits.len() > EDITS { Err(TooManyCalls.into()) } else { Ok(()) }
    }

    /// Counts a call, and the bytes that are handed over or looked through in it.
    pub(super) fn count_call(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.host_calls += 1;
        self.host_bytes = self.host_bytes.saturating_add(bytes);
        let too_much = self.host_calls > HOST_CALLS || self.host_bytes > HOST_BYTES;
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

/// Adds the imports of the world to a linker.
pub(super) fn add_to(linker: &mut Linker<Context>) -> wasmtime::Result<()> {
    FilterWithOverview::add_to_linker::<_, HasSelf<_>>(linker, |context| context)
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
        Ok(self.client().and_then(Client::unix_user))
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

    fn respond(&mut self, status: u16, json: String) -> wasmtime::Result<()> {
        self.count_call(json.len())?;
        if let Some(question) = &mut self.question {
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
