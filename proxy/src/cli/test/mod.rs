//! `dockgate test`: a table of requests, and what a configuration should make of them.

mod compare;
mod report;
mod table;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    Serve,
    config::errors_have_colours,
    explain::Trials,
    load::{Loader, Usable},
};
use crate::{
    config::{self, Format as _, Read, report as problems},
    error::Error,
};

use report::{Outcome, Tested};
use table::{Asked, Table};

/// Compare what a configuration makes of requests with what is expected. Nothing is sent.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Test {
    /// Tables of requests
    #[arg(value_name = "FILE", required_unless_present = "schema")]
    tables: Vec<PathBuf>,
    /// The configuration file, in place of the one that a table names
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Explain what becomes of each request that is not as expected
    #[arg(long)]
    explain: bool,
    /// Print it as JSON, for programs
    #[arg(long)]
    json: bool,
    /// Print the JSON Schema of tables, for editors
    #[arg(long, exclusive = true)]
    schema: bool,
}

const AFTER_HELP: &str = r#"A table:
  config: dockgate.yaml              # beside the table; without it, what the environment says
  requests:
    - name: Traefik lists containers
      request: GET /v1.41/containers/json?all=1
      listener: network
      client: { address: 172.18.0.3, container: { name: traefik, labels: { team: web } } }
      expect: allow                  # allow, deny, respond or invalid
      chain: traefik                 # from here on, what is named is compared
      sent: { query: { all: "1" } }
    - name: and can't stop one
      request: POST /containers/web/stop
      client: { address: 172.18.0.3 }
      expect: deny
      plugin: flags
      status: 403
      says: POST=1

A request may have "headers", a "body", and "found", a list of what look-ups find:
  found: [{ kind: container, name: web, json: { Id: 4f66, Config: { Labels: { team: web } } } }]
A client has an "address", or a "user", "group" and "process" at a unix socket; and besides that a
"certificate" (subject, names, pin) and a "container" (name, image, id, labels).

Exit codes: 0 where all is as expected, 1 where a request is not, 2 where an option, a table or the
configuration is wrong."#;

impl Test {
    /// Tests, and gives the exit code.
    ///
    /// # Errors
    /// What is wrong with a table or the configuration.
    pub fn run(&self) -> Result<u8, Error> {
        if self.schema {
            say(&format!("{:#}\n", Table::schema()));
            return Ok(0);
        }
        let mut tested = Vec::new();
        for table in &self.tables {
            tested.extend(self.test(table)?);
        }
        let failed = tested.iter().any(|row| !row.passed());
        let said = if self.json {
            report::json(&tested)
        } else {
            report::text(&tested, errors_have_colours(&std::io::stdout()))
        };
        say(&said);
        Ok(u8::from(failed))
    }

    fn test(&self, file: &Path) -> Result<Vec<Tested>, Error> {
        let mut read: Read<Table> = config::read(file)?;
        let Some(written) = &read.content else { return Err(unusable(&read)) };
        let beside =
            written.config.as_ref().map(|path| file.parent().unwrap_or(Path::new("")).join(path));
        let mut serve = Serve::without_options();
        serve.config = self.config.clone().or(beside).or(serve.config);
        let Usable { policy, .. } = Loader::new(&serve, None)?.load(|_| {})?;
        let meant = read.mean(|table, problems| table.mean(&policy, problems));
        let Some(rows) = meant else { return Err(unusable(&read)) };
        let trials = Trials::new(policy)?;
        let test = |Asked { place, name, request, given, expected }: Asked| {
            let explained = trials.explain(given);
            let differences = expected.compare(&explained);
            let outcome = if differences.is_empty() {
                Outcome::Passed
            } else {
                let explanation = self.explain.then(|| Box::new(explained.told));
                Outcome::Failed { differences, explanation }
            };
            let (file, line) = (file.display().to_string(), read.document.position(&place).line);
            Tested { file, line, name, request, outcome }
        };
        Ok(rows.into_iter().map(test).collect())
    }
}

fn unusable(read: &Read<Table>) -> Error {
    let colours = errors_have_colours(&std::io::stderr());
    Error::Table { text: problems::text(&read.problems, &read.document, colours) }
}

/// Writes to standard output. Whoever closed it has seen enough.
fn say(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
