//! The record of one request.

use std::{
    borrow::Cow,
    io::{self, Write as _},
    rc::Rc,
    sync::Arc,
    time::{Duration, SystemTime},
};

use percent_encoding::{CONTROLS, utf8_percent_encode};

use super::{Format, Severity, timestamp::Timestamp};
use crate::client::Container;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It went to the daemon.
    Allow,
    /// A plugin answered it.
    Respond,
    /// It was refused by a plugin, or by all that kept silent.
    Deny,
    /// It was not canonical.
    Invalid,
    /// A plugin failed, and it was refused.
    Fault,
    /// It was allowed, and the daemon gave no answer.
    Unanswered,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Respond => "respond",
            Self::Deny => "deny",
            Self::Invalid => "invalid",
            Self::Fault => "fault",
            Self::Unanswered => "unanswered",
        }
    }
}

/// The record of one request. It never holds a query, a header or a body, which may be secret.
#[derive(Clone, Debug)]
pub struct Record {
    /// When its head was there.
    pub time: SystemTime,
    /// Who sent it.
    pub client: Rc<str>,
    /// The container that it runs in, where that was established.
    pub container: Option<Arc<Container>>,
    /// The endpoint of the API.
    pub operation: &'static str,
    /// The method.
    pub method: http::Method,
    /// The path, without the query.
    pub path: String,
    /// The chain that decided, where there are several.
    pub chain: Option<Arc<str>>,
    /// What became of it.
    pub verdict: Outcome,
    /// The plugin that settled it.
    pub plugin: Option<Arc<str>>,
    /// Why, where it was not simply allowed.
    pub reason: Option<String>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// From the head of the request to the end of the answer.
    pub duration: Duration,
    /// The bytes of the answer's body, or of the stream to the client.
    pub bytes: u64,
}

impl Record {
    /// How much it matters.
    pub fn severity(&self) -> Severity {
        match self.verdict {
            Outcome::Allow | Outcome::Respond => Severity::Info,
            Outcome::Deny | Outcome::Invalid => Severity::Notice,
            Outcome::Unanswered => Severity::Warning,
            Outcome::Fault => Severity::Error,
        }
    }

    /// Appends it as a line.
    pub(super) fn write(&self, format: Format, line: &mut Vec<u8>) {
        // Writing to a Vec can't fail, and every field serialises.
        let _ = match format {
            Format::Json => self.write_json(line).is_ok(),
            Format::Text { colours } => self.write_text(colours, line).is_ok(),
        };
        line.push(b'\n');
    }

    /// Piece by piece, as most of it needs no escapes: half the time of a serialiser.
    fn write_json(&self, line: &mut Vec<u8>) -> io::Result<()> {
        let (time, level) = (Timestamp::of(self.time), self.severity().name());
        let Self { client, operation, method, .. } = self;
        write!(line, r#"{{"time":"{}","level":"{level}","client":"{client}""#, time.as_str())?;
        if let Some(container) = &self.container {
            line.extend_from_slice(br#","container":"#);
            serde_json::to_writer(&mut *line, &container.name)?;
        }
        write!(line, r#","operation":"{operation}","method":"{method}","path":"#)?;
        serde_json::to_writer(&mut *line, &self.path)?;
        write!(line, r#","verdict":"{}""#, self.verdict.name())?;
        let (chain, plugin) = (self.chain.as_deref(), self.plugin.as_deref());
        let reason = self.reason.as_deref();
        for (name, text) in [("chain", chain), ("plugin", plugin), ("reason", reason)] {
            if let Some(text) = text {
                write!(line, r#","{name}":"#)?;
                serde_json::to_writer(&mut *line, text)?;
            }
        }
        let (status, duration, bytes) = (self.status, self.duration.as_micros(), self.bytes);
        write!(line, r#","status":{status},"duration_us":{duration},"bytes":{bytes}}}"#)
    }

    fn write_text(&self, colours: bool, line: &mut Vec<u8>) -> io::Result<()> {
        let start = start_of_line(self.time, self.severity(), colours);
        let verdict = self.verdict.name();
        let plugin = self.plugin.as_deref().unwrap_or("-");
        let chain = self.chain.as_ref().map(|chain| format!(" of {chain}")).unwrap_or_default();
        let container = self.container.as_ref().map(|c| format!(" in {}", c.name));
        let container = container.unwrap_or_default();
        write!(
            line,
            "{start}{}{container} {} {} {} {verdict} by {plugin}{chain} {} {:.1}ms {}B",
            self.client,
            self.operation,
            self.method,
            self.path.escape_debug(),
            self.status,
            self.duration.as_secs_f64() * 1e3,
            self.bytes,
        )?;
        if let Some(reason) = &self.reason {
            write!(
                line,
                ": {}",
                reason.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'")
            )?;
        }
        Ok(())
    }
}

/// A path for a record, as the client sent it: what is not ASCII, or moves the cursor of a terminal,
/// is percent-encoded, as the client could have sent it as well.
pub fn printable(path: &str) -> String {
    Cow::from(utf8_percent_encode(path, CONTROLS)).into_owned()
}

/// Time and severity, as lines of text begin.
pub(super) fn start_of_line(time: SystemTime, severity: Severity, colours: bool) -> String {
    let (on, off) = if colours { (severity.colour(), "\x1b[0m") } else { ("", "") };
    format!("{} {on}{severity:<7}{off} ", Timestamp::of(time).as_str())
}
