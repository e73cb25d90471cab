//! `dockgate plugin run`: one request, and all that a plugin says and does about it.

use std::{fmt::Write as _, sync::Arc};

use clap::Args;
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use serde_json::Value;

use super::{
    document,
    given::{Asking, Given, Time},
    say, size,
    source::{Configured, Granted},
    stand_in::LookedUp,
    trial::{Decided, Outcome, Trial},
};
use crate::{
    chain::{Denial, Failure},
    error::Error,
    log::{self, Format, Severity},
    plugin::{Asked, ResponseEdit, ResponsePart, ResponseView, Ruling, Sifted},
    request::{CanonicalRequest, Change, Violation, changes, changes_of_json},
};

/// Give one request to a plugin, and show what it says and does.
///
/// The plugin is set up as the proxy would set it up, and asked until it changes nothing more. No
/// daemon is needed: what the plugin looks up is answered from --found.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Run {
    #[command(flatten)]
    configured: Configured,
    /// The request: 'METHOD /path?query', or a file with a whole HTTP/1.1 request
    #[arg(long, value_name = "REQUEST|FILE")]
    request: String,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    time: Time,
    /// What a plugin from a file may do: look-ups or clock; may be repeated
    #[arg(long = "grant", value_name = "GRANT", value_delimiter = ',')]
    grants: Vec<String>,
    /// The daemon's answer, for a plugin that reviews answers: JSON, or a file with it
    #[arg(long, value_name = "JSON|FILE")]
    response: Option<String>,
    /// The status of the daemon's answer
    #[arg(long, value_name = "STATUS", default_value_t = 200, requires = "response", value_parser = clap::value_parser!(u16).range(200..=599))]
    status: u16,
    /// A value of an answer that is a stream, such as an event: JSON, or a file with it; may be
    /// repeated
    #[arg(long = "item", value_name = "JSON|FILE")]
    items: Vec<String>,
    /// Show it as JSON
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  CONTAINERS=1 dockgate plugin run bundled:tecnativa --request 'GET /v1.41/containers/json?all=1'
  dockgate plugin run my-policy.wasm --settings settings.json --request 'POST /containers/create' --body '{\"Image\":\"nginx\"}'
  dockgate plugin run my-policy.wasm --grant look-ups --request 'POST /containers/web/stop' --found container/web=web.json
  dockgate plugin run my-policy.wasm --request 'GET /containers/json' --response list.json

Exit codes: 0 where it is allowed, 1 where it is refused, 3 where the plugin abstains, 2 where an
option or the plugin is wrong.";

/// What came of it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Report {
    plugin: String,
    operation: String,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// What it answers in the daemon's stead.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<Value>,
    changes: Vec<Change>,
    look_ups: Vec<LookedUp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fuel: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Reviewed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<Reviewed>,
}

/// What became of an answer, or of a value in one.
#[derive(Debug, Default, Serialize)]
struct Reviewed {
    /// `pass`, `refuse` or `fail`; of a value `keep`, `drop` or `replace`.
    ruling: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    changes: Vec<Change>,
}

impl Run {
    pub(super) fn run(&self) -> Result<u8, Error> {
        if !self.json {
            log::init(Format::text(), Severity::Debug);
        }
        let given = self.asking.read(&self.request)?;
        let settings = self.configured.settings()?;
        let clock = self.time.clock();
        let loaded =
            self.configured.open()?.load(&settings, Granted::These(&self.grants), clock)?;
        for problem in loaded.problems() {
            tracing::warn!(subject = problem.subject, "{}", problem.message);
        }
        let trial = Trial::new(loaded)?;
        let report = match trial.prepare(&given) {
            Ok(request) => self.ask(&trial, &request, &given)?,
            Err(violation) => {
                Report { plugin: trial.plugin().name().to_owned(), ..invalid(&violation) }
            }
        };
        if self.json {
            say(&format!("{}\n", serde_json::to_string_pretty(&report).unwrap_or_default()));
        } else {
            say(&report.text());
        }
        Ok(report.exit_code())
    }

    fn ask(
        &self,
        trial: &Trial,
        request: &CanonicalRequest,
        given: &Given,
    ) -> Result<Report, Error> {
        let decided = trial.decide(request, &given.client);
        let refused = !matches!(decided.outcome, Outcome::Allowed | Outcome::Abstained);
        let mut report = Report {
            plugin: trial.plugin().name().to_owned(),
            operation: request.operation().name().to_owned(),
            ..Report::of(&decided)
        };
        // What is refused gets no answer of the daemon's.
        if !refused {
            report.response = self.review(trial, &decided.after)?;
            report.items = self.sift(trial, &decided.after)?;
        }
        Ok(report)
    }

    fn review(&self, trial: &Trial, asked: &Asked) -> Result<Option<Reviewed>, Error> {
        let Some(text) = &self.response else { return Ok(None) };
        let json = document::read("--response", text)?;
        let operation = asked.request.operation();
        let Some(part) = trial.plugin().needs(operation).response else {
            return Err(Error::Value {
                name: "--response",
                value: text.clone(),
                problem: format!(
                    "is not what this plugin sees: its manifest asks for no answers to {operation}"
                ),
            });
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let before: Option<Value> = serde_json::from_str(&json).ok();
        let body = (part == ResponsePart::Json).then(|| Arc::from(json));
        let response = ResponseView { headers: Arc::new(headers.clone()), body };
        Ok(Some(match trial.review(asked, self.status, response) {
            Err(failure) => failed(&failure),
            Ok(Ruling::Refuse(denial)) => {
                Reviewed { ruling: "refuse", message: Some(words(&denial)), ..Reviewed::default() }
            }
            Ok(Ruling::Pass(edits)) => Reviewed {
                ruling: "pass",
                changes: edits
                    .iter()
                    .flat_map(|e| self.change(e, &headers, before.as_ref()))
                    .collect(),
                ..Reviewed::default()
            },
        }))
    }

    /// What an edit changes about the answer.
    fn change(
        &self,
        edit: &ResponseEdit,
        headers: &HeaderMap,
        body: Option<&Value>,
    ) -> Vec<Change> {
        let was = |name: &str| headers.get(name)?.to_str().ok().map(Value::from);
        let header = |name: &String, after: Option<Value>| {
            let (place, before) = (name.to_lowercase(), was(name));
            vec![Change { part: "header".into(), place, before, after }]
        };
        match edit {
            ResponseEdit::SetBody(json) => {
                changes_of_json(body, serde_json::from_str(json).ok().as_ref())
            }
            ResponseEdit::SetStatus(status) => vec![Change {
                part: "status".into(),
                place: String::new(),
                before: Some(self.status.into()),
                after: Some((*status).into()),
            }],
            ResponseEdit::SetHeader(name, value) => header(name, Some(value.as_str().into())),
            ResponseEdit::RemoveHeader(name) => header(name, None),
        }
    }

    fn sift(&self, trial: &Trial, asked: &Asked) -> Result<Vec<Reviewed>, Error> {
        let operation = asked.request.operation();
        if let Some(item) = self.items.first()
            && !trial.plugin().needs(operation).items
        {
            return Err(Error::Value {
                name: "--item",
                value: item.clone(),
                problem: format!(
                    "is not what this plugin sees: its manifest asks for no items of {operation}"
                ),
            });
        }
        self.items
            .iter()
            .map(|item| Ok(sift(trial, asked, &document::read("--item", item)?)))
            .collect()
    }
}

fn sift(trial: &Trial, asked: &Asked, item: &str) -> Reviewed {
    let ruling = |ruling| Reviewed { ruling, ..Reviewed::default() };
    match trial.sift(asked, item.trim()) {
        Err(failure) => failed(&failure),
        Ok(Sifted::Keep) => ruling("keep"),
        Ok(Sifted::Drop) => ruling("drop"),
        Ok(Sifted::Replace(json)) => {
            let read = |text: &str| serde_json::from_str::<Value>(text).ok();
            let changes = changes_of_json(read(item).as_ref(), read(&json).as_ref());
            Reviewed { changes, ..ruling("replace") }
        }
    }
}

fn failed(failure: &Failure) -> Reviewed {
    Reviewed { ruling: "fail", message: Some(failure.to_string()), ..Reviewed::default() }
}

fn words(denial: &Denial) -> String {
    match &denial.hint {
        Some(hint) => format!("{} ({hint})", denial.message),
        None => denial.message.clone(),
    }
}

/// The proxy refuses it, before any plugin is asked.
fn invalid(violation: &Violation) -> Report {
    Report {
        verdict: "invalid",
        status: Some(400),
        message: Some(violation.to_string()),
        ..Report::default()
    }
}

impl Report {
    fn of(decided: &Decided) -> Self {
        let report = Self {
            changes: changes(&decided.before, &decided.after.request),
            look_ups: decided.looked_up.clone(),
            fuel: decided.cost.map(|cost| cost.fuel),
            memory: decided.cost.map(|cost| cost.memory),
            ..Self::default()
        };
        match &decided.outcome {
            Outcome::Allowed => Self { verdict: "allow", ..report },
            Outcome::Abstained => Self { verdict: "abstain", ..report },
            Outcome::Denied(denial) => Self {
                verdict: "deny",
                status: Some(denial.status),
                code: Some(denial.code.clone()).filter(|code| !code.is_empty()),
                message: Some(denial.message.clone()),
                hint: denial.hint.clone(),
                ..report
            },
            Outcome::Answered { reply, allowed } => Self {
                verdict: if *allowed { "respond" } else { "abstain" },
                status: Some(reply.status),
                reply: serde_json::from_str(&reply.json).ok(),
                ..report
            },
            Outcome::Failed(failure) => {
                Self { verdict: "fail", message: Some(failure.to_string()), ..report }
            }
            Outcome::Restless => {
                let message = format!("it still changes it after {} passes", decided.passes);
                Self { verdict: "fail", message: Some(message), ..report }
            }
        }
    }

    fn exit_code(&self) -> u8 {
        let passed = |reviewed: &Reviewed| !["refuse", "fail"].contains(&reviewed.ruling);
        let passed = self.response.iter().chain(&self.items).all(passed);
        match self.verdict {
            "allow" | "respond" if passed => 0,
            "abstain" if passed => 3,
            _ => 1,
        }
    }

    /// For people: the verdict in the first line, what belongs to it below.
    fn text(&self) -> String {
        let Self { plugin, operation, .. } = self;
        let mut text = match self.verdict {
            "allow" => format!("{plugin} allows {operation}\n"),
            "abstain" => format!("{plugin} abstains on {operation}\n"),
            "deny" => format!("{plugin} denies {operation}\n"),
            "respond" => format!("{plugin} answers {operation} in the daemon's stead\n"),
            "invalid" => "refused by the proxy, before any plugin is asked\n".to_owned(),
            _ => format!("{plugin} failed on {operation}, which refuses it\n"),
        };
        let mut line = |name: &str, value: &str| {
            // Writing to a String can't fail.
            let _ = writeln!(text, "  {name:<8} {value}");
        };
        if let Some(status) = self.status {
            line("status", &status.to_string());
        }
        for (name, value) in [("code", &self.code), ("reason", &self.message), ("hint", &self.hint)]
        {
            if let Some(value) = value {
                line(name, value);
            }
        }
        if let Some(reply) = &self.reply {
            line("answer", &reply.to_string());
        }
        for change in &self.changes {
            line("changes", &change.to_string());
        }
        for LookedUp { path, found } in &self.look_ups {
            line("looks up", &format!("{path} {}", if *found { "(found)" } else { "(not there)" }));
        }
        if let (Some(fuel), Some(memory)) = (self.fuel, self.memory) {
            line("costs", &format!("{fuel} fuel; its instance has {} of memory", size(memory)));
        }
        for (what, reviewed) in self
            .response
            .iter()
            .map(|r| ("answer", r))
            .chain(self.items.iter().map(|i| ("item", i)))
        {
            let message = reviewed.message.as_ref().map(|m| format!(": {m}")).unwrap_or_default();
            let _ = writeln!(text, "{what}: {}{message}", reviewed.ruling);
            for change in &reviewed.changes {
                let _ = writeln!(text, "  changes  {change}");
            }
        }
        text
    }
}
