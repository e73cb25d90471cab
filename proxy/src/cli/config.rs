//! `dockgate config`: the configuration as a file, and the schema of such files.

use std::{
    io::{IsTerminal, Write as _},
    path::{Path, PathBuf},
};

use clap::Subcommand;

use super::Serve;
use crate::{
    config::{self, Config, report},
    error::Error,
};

/// What there is to see of the configuration.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the JSON Schema of configuration files, for editors and other programs
    Schema,
    /// Print a configuration as a file, values from outside as they are named
    ///
    /// Without a file it is what the variables of the environment amount to.
    Show {
        /// The file
        #[arg(long, value_name = "FILE", env = "DOCKGATE_CONFIG")]
        config: Option<PathBuf>,
    },
}

/// Does it, and gives the exit code.
///
/// # Errors
/// Where a file can't be read.
pub fn run(command: &ConfigCommand) -> Result<u8, Error> {
    match command {
        ConfigCommand::Schema => say(&format!("{:#}\n", config::schema())),
        ConfigCommand::Show { config: None } => {
            let config = Config::from_flags(&Serve::without_options())?;
            say(&config::write_without_values(&config));
        }
        ConfigCommand::Show { config: Some(file) } => return show(file),
    }
    Ok(0)
}

fn show(file: &Path) -> Result<u8, Error> {
    let read = config::read::<Config>(file)?;
    let (problems, document) = (&read.problems, &read.document);
    let colours = errors_have_colours(&std::io::stderr());
    eprint!("{}", report::text(problems, document, colours));
    match &read.content {
        Some(config) if !problems.are_fatal() => {
            say(&config::write_as_written(config, document));
            Ok(0)
        }
        _ => Ok(2),
    }
}

/// Whether errors may have colours where they go: on a terminal that has not asked to be spared
/// them.
pub(super) fn errors_have_colours(to: &impl IsTerminal) -> bool {
    let spared = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    to.is_terminal() && !spared
}

/// Writes to standard output. Whoever closed it has seen enough.
fn say(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
