//! `dockgate import`: another proxy's options, as a configuration file.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};

use crate::{
    config,
    error::Error,
    import::{Imported, cetusguard, variables, wollomatic},
};

/// The proxies whose options can be taken over.
#[derive(Clone, Debug, Subcommand)]
pub enum ImportCommand {
    /// wollomatic/socket-proxy: its options as they stand, -allowGET='…' and the like
    #[command(after_long_help = "\
Examples:
  dockgate import wollomatic -allowGET='/v1\\..{1,2}/(version|containers/.*|events.*)' >dockgate.yaml
      what an option allows there, this file allows
  dockgate import wollomatic --env-file socket-proxy.env -loglevel=debug >dockgate.yaml
      with the variables SP_… of a file, which options take the place of")]
    Wollomatic(Given),
    /// CetusGuard: its options as they stand, -rules='…' and the like
    #[command(after_long_help = "\
Examples:
  dockgate import cetusguard -rules-file=rules.list >dockgate.yaml
      what a rule allows there, this file allows
  dockgate import cetusguard -rules='GET %API_PREFIX_CONTAINERS%/json' -no-builtin-rules
      a rule, and none of those that are built in")]
    Cetusguard(Given),
}

/// What that proxy was given.
#[derive(Clone, Debug, Args)]
pub struct Given {
    /// Its variables of the environment, NAME=VALUE, a line each; before its options
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Its options, as they stand
    #[arg(value_name = "OPTION", trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

impl ImportCommand {
    /// Prints the file, with what it does in another way at its beginning and on standard error.
    ///
    /// # Errors
    /// Options that mean nothing, and files that can't be read.
    pub fn run(&self) -> Result<(), Error> {
        let (name, imported) = match self {
            Self::Wollomatic(given) => {
                ("wollomatic/socket-proxy", wollomatic::import(&given.options, &given.variables()?))
            }
            Self::Cetusguard(given) => {
                let read = |file: &Path| fs::read_to_string(file);
                let imported = cetusguard::import(&given.options, &given.variables()?, &read);
                ("CetusGuard", imported)
            }
        };
        let Imported { config, notes } = imported.map_err(Error::Import)?;
        for note in &notes {
            eprintln!("dockgate: {note}");
        }
        let text = commented(name, &notes) + &config::write(&config);
        // Whoever closed it has seen enough.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
        Ok(())
    }
}

impl Given {
    fn variables(&self) -> Result<Vec<(String, String)>, Error> {
        let Some(file) = &self.env_file else { return Ok(Vec::new()) };
        let text =
            fs::read_to_string(file).map_err(|error| Error::File { path: file.clone(), error })?;
        variables(&text).map_err(|problem| Error::Content { path: file.clone(), problem })
    }
}

/// Comments for the beginning of the file.
fn commented(name: &str, notes: &[String]) -> String {
    let mut text = format!("# From the options of {name}.\n");
    for note in notes {
        let _ = write!(text, "#\n{}\n", super::comment(note));
    }
    text + "#\n"
}
