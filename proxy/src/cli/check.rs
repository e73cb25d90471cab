//! `dockgate check`: what is wrong with a configuration file.

use std::{env, io::Write as _, path::PathBuf};

use clap::Args;

use super::{Serve, config::errors_have_colours, load::Loader};
use crate::{
    config::{self, report},
    error::Error,
};

/// Where to look, and how to say it.
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// The file
    ///
    /// Without it, that of DOCKGATE_CONFIG, dockgate.yaml in this folder, or
    /// /etc/dockgate/dockgate.yaml.
    file: Option<PathBuf>,
    /// Print a list of problems as JSON, for programs
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Says what is wrong, and gives the exit code: 2 where the proxy would not start.
    ///
    /// # Errors
    /// Where there is no file, or it can't be read.
    pub fn run(&self) -> Result<u8, Error> {
        let found = || config::find(&|name| env::var(name));
        let file = self.file.clone().or_else(found).ok_or_else(|| Error::Value {
            name: "FILE",
            value: String::new(),
            problem: "is named by nobody, and there is neither dockgate.yaml in this folder nor \
                      /etc/dockgate/dockgate.yaml: name a file, or set DOCKGATE_CONFIG"
                .to_owned(),
        })?;
        let loader = Loader::new(&Serve::without_options(), None)?;
        let (read, meant) = loader.read(&file, |_| {})?;
        let (problems, document) = (&read.problems, &read.document);
        let said = if self.json {
            format!("{:#}\n", report::json(problems, document))
        } else if problems.all().is_empty() {
            format!("{}: nothing is wrong\n", document.name())
        } else {
            report::text(problems, document, errors_have_colours(&std::io::stdout()))
        };
        // Whoever closed it has seen enough.
        let _ = std::io::stdout().lock().write_all(said.as_bytes());
        Ok(if meant.is_some() { 0 } else { 2 })
    }
}
