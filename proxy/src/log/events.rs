//! Words on the proxy's own affairs, through `tracing`.

use std::{
    fmt::{self, Write as _},
    time::SystemTime,
};

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context, prelude::*, registry::LookupSpan};

use super::{Format, Severity, flush, gather, record, timestamp::Timestamp};

/// Sends events to the log.
pub(super) fn install(format: Format, level: Severity) {
    // Only the first log of a process is kept, see `super::init`.
    let _ = tracing_subscriber::registry().with(Lines { format, level }).try_init();
}

struct Lines {
    format: Format,
    level: Severity,
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Lines {
    fn on_event(&self, event: &Event, _: Context<S>) {
        let severity = match *event.metadata().level() {
            Level::ERROR => Severity::Error,
            Level::WARN => Severity::Warning,
            Level::INFO => Severity::Notice,
            Level::DEBUG | Level::TRACE => Severity::Debug,
        };
        let ours = event.metadata().target().starts_with("dockgate");
        if severity > self.level || !ours {
            return;
        }
        let mut said = Said::default();
        event.record(&mut said);
        gather(|line| write(&said, severity, self.format, line));
        flush();
    }
}

/// What an event says.
#[derive(Default)]
struct Said {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a String can't fail.
            let _ = write!(self.message, "{value:?}");
        } else {
            self.fields.push((field.name(), format!("{value:?}")));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            self.fields.push((field.name(), value.to_owned()));
        }
    }
}

fn write(said: &Said, severity: Severity, format: Format, line: &mut Vec<u8>) {
    match format {
        Format::Json => {
            // Writing to a Vec can't fail, and strings always serialise.
            let _ = serde_json::to_writer(&mut *line, &AsJson { said, severity });
            line.push(b'\n');
        }
        Format::Text { colours } => {
            let mut text = record::start_of_line(SystemTime::now(), severity, colours);
            text.push_str(&said.message);
            for (name, value) in &said.fields {
                let _ = write!(text, " {name}={value}");
            }
            text.push('\n');
            line.extend_from_slice(text.as_bytes());
        }
    }
}

struct AsJson<'s> {
    said: &'s Said,
    severity: Severity,
}

impl Serialize for AsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time", Timestamp::of(SystemTime::now()).as_str())?;
        map.serialize_entry("level", self.severity.name())?;
        for (name, value) in &self.said.fields {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("message", &self.said.message)?;
        map.end()
    }
}
