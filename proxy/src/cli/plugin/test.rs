//! `dockgate plugin test`: a table of requests.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use serde_json::Value;

use super::{
    document, say,
    source::{Configured, Granted, Opened},
    table::Row,
    trial::Trial,
};
use crate::{error::Error, plugin::Clock};

/// Give a table of requests to a plugin, and compare what it says with what is expected.
///
/// The table is the requests.json that a plugin's native tests read as well. The plugin is granted
/// all that its manifest asks for.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Test {
    #[command(flatten)]
    configured: Configured,
    /// The table: a JSON list of requests and expected verdicts
    #[arg(value_name = "TABLE")]
    table: PathBuf,
}

const AFTER_HELP: &str = r#"A row of the table; of it "request" with "method" and "path", and "verdict" are needed:
  {"settings": {"required-label": "team"},
   "request": {"method": "POST", "path": "/containers/create", "query": {"name": "web"},
               "headers": {"X-Team": "web"}, "body": {"Image": "nginx"}, "time": 1767225600,
               "found": [{"kind": "container", "name": "web", "json": {"Id": "4f66"}}],
               "certificate": {"subject": "CN=ci", "names": ["ci.example"], "pin": "4f66"},
               "container": {"name": "ci", "image": "runner", "id": "4f66", "labels": {"team": "web"}}},
   "verdict": "deny", "status": 403, "says": "label"}
"verdict" is allow, abstain, deny or respond. A row that expects allow or abstain may have "after",
with the "target", "query", "headers" and "body" that edits leave.

Examples:
  dockgate plugin test my-policy.wasm requests.json
  dockgate plugin test my-policy.wasm requests.json --settings '{"required-label":"team"}'

Exit codes: 0 where all is as expected, 1 where a row is not, 2 where an option, the table or the
plugin is wrong."#;

impl Test {
    pub(super) fn run(&self) -> Result<u8, Error> {
        let rows: Vec<Row> = document::read_file(&self.table)?;
        if rows.is_empty() {
            let problem = "it has no rows, so nothing would be tested".to_owned();
            return Err(Error::Content { path: self.table.clone(), problem });
        }
        let settings = self.configured.settings()?;
        let plugin = self.configured.open()?;
        let mut set_up = SetUp { plugin: &plugin, last: None };
        let (mut lines, mut failures) = (String::new(), 0);
        for (at, row) in rows.iter().enumerate() {
            if let Err(why) = set_up.check(row, &settings)? {
                let (method, path) = (&row.request.method, &row.request.path);
                // Writing to a String can't fail.
                let _ = writeln!(lines, "row {}: {method} {path}: {why}", at + 1);
                failures += 1;
            }
        }
        let _ = match failures {
            0 => writeln!(lines, "{} rows, all as expected", rows.len()),
            _ => writeln!(lines, "{failures} of {} rows are not as expected", rows.len()),
        };
        say(&lines);
        Ok(u8::from(failures > 0))
    }
}

/// The plugin, set up for the row before.
struct SetUp<'o> {
    plugin: &'o Opened<'o>,
    last: Option<(String, Option<u64>, Trial)>,
}

impl SetUp<'_> {
    /// Asks about a row, and says what is not as expected.
    fn check(&mut self, row: &Row, settings: &str) -> Result<Result<(), String>, Error> {
        let settings = row.settings.as_ref().map_or_else(|| settings.to_owned(), Value::to_string);
        let trial = self.trial(settings, row.request.time)?;
        let given = match row.request.given() {
            Ok(given) => given,
            Err(why) => return Ok(Err(why)),
        };
        Ok(match trial.prepare(&given) {
            Ok(request) => row.check(&trial.decide(&request, &given.client)),
            Err(violation) => Err(format!("the proxy refuses it by itself: {violation}")),
        })
    }

    fn trial(&mut self, settings: String, time: Option<u64>) -> Result<&Trial, Error> {
        let last = self.last.take().filter(|(s, t, _)| *s == settings && *t == time);
        let trial = if let Some((_, _, trial)) = last {
            trial
        } else {
            let clock = time.map_or(Clock::Runs, Clock::StandsAt);
            Trial::new(self.plugin.load(&settings, Granted::AsItAsks, clock)?)?
        };
        Ok(&self.last.insert((settings, time, trial)).2)
    }
}
