//! The record of one request.

use std::{borrow::Cow, io::Write as _, rc::Rc, sync::Arc, time::Duration};

use percent_encoding::{CONTROLS, utf8_percent_encode};
use serde::Serialize;
use time::OffsetDateTime;

use super::{Format, Severity};

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
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

/// The record of one request. It never holds a query, a header or a body, which may be secret.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// When its head was there.
    #[serde(skip)]
    pub time: OffsetDateTime,
    /// Who sent it.
    #[serde(serialize_with = "as_shared")]
    pub client: Rc<str>,
    /// The endpoint of the API.
    pub operation: &'static str,
    /// The method.
    #[serde(serialize_with = "as_str")]
    pub method: http::Method,
    /// The path, without the query.
    pub path: String,
    /// What became of it.
    pub verdict: Outcome,
    /// The plugin that settled it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_option")]
    pub plugin: Option<Arc<str>>,
    /// Why, where it was not simply allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// From the head of the request to the end of the answer.
    #[serde(rename = "duration_us", serialize_with = "as_micros")]
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
        #[derive(Serialize)]
        struct Line<'r> {
            #[serde(serialize_with = "as_rfc3339")]
            time: OffsetDateTime,
            level: &'static str,
            #[serde(flatten)]
            record: &'r Record,
        }
        // Writing to a Vec can't fail, and every field serialises.
        let _ = match format {
            Format::Json => {
                let level = self.severity().name();
                let object = Line { time: self.time, level, record: self };
                serde_json::to_writer(&mut *line, &object).is_ok()
            }
            Format::Text { colours } => self.write_text(colours, line).is_ok(),
        };
        line.push(b'\n');
    }

    fn write_text(&self, colours: bool, line: &mut Vec<u8>) -> std::io::Result<()> {
        let start = start_of_line(self.severity(), colours);
        let verdict = match self.verdict {
            Outcome::Allow => "allow",
            Outcome::Respond => "respond",
            Outcome::Deny => "deny",
            Outcome::Invalid => "invalid",
            Outcome::Fault => "fault",
            Outcome::Unanswered => "unanswered",
        };
        let plugin = self.plugin.as_deref().unwrap_or("-");
        write!(
            line,
            "{start}{} {} {} {} {verdict} by {plugin} {} {:.1}ms {}B",
            self.client,
            self.operation,
            self.method,
            self.path.escape_debug(),
            self.status,
            self.duration.as_secs_f64() * 1e3,
            self.bytes,
        )?;
        if let Some(reason) = &self.reason {
            write!(line, ": {}", reason.escape_debug().to_string().replace("\\\"", "\""))?;
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
pub(super) fn start_of_line(severity: Severity, colours: bool) -> String {
    let (on, off) = if colours { (severity.colour(), "\x1b[0m") } else { ("", "") };
    format!("{} {on}{severity:<7}{off} ", now())
}

/// The time, as RFC 3339 writes it.
pub(super) fn now() -> String {
    rfc3339(OffsetDateTime::now_utc())
}

/// With milliseconds, always three digits.
fn rfc3339(time: OffsetDateTime) -> String {
    let (date, (hour, minute, second, milli)) = (time.date(), time.time().as_hms_milli());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

fn as_rfc3339<S: serde::Serializer>(time: &OffsetDateTime, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&rfc3339(*time))
}

fn as_shared<S: serde::Serializer>(text: &Rc<str>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(text)
}

#[allow(clippy::ref_option, reason = "what serde calls")]
fn as_option<S: serde::Serializer>(text: &Option<Arc<str>>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(text.as_deref().unwrap_or_default())
}

fn as_str<S: serde::Serializer>(method: &http::Method, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(method.as_str())
}

fn as_micros<S: serde::Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}
