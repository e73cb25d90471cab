//! `dockgate import`: another proxy's options, as a configuration file.

use std::{
    env::VarError,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};

use crate::{
    config::{self, Config, read_text},
    error::Error,
    import::{Imported, Variable, cetusguard, variables, wollomatic},
    policy::{self, Policy},
    settings,
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
    /// Options that mean nothing or come to what the proxy would not start with, and files that can't be
    /// read.
    pub fn run(&self) -> Result<(), Error> {
        let (name, imported) = match self {
            Self::Wollomatic(given) => {
                ("wollomatic/socket-proxy", wollomatic::import(&given.options, &given.variables()?))
            }
            Self::Cetusguard(given) => {
                let imported = cetusguard::import(&given.options, &given.variables()?, &text);
                ("CetusGuard", imported)
            }
        };
        let imported = imported.map_err(Error::Import)?;
        check(&imported)?;
        for note in &imported.notes {
            eprintln!("dockgate: {note}");
        }
        let text = commented(name, &imported.notes) + &config::write(&imported.config);
        // Whoever closed it has seen enough.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
        Ok(())
    }
}

impl Given {
    fn variables(&self) -> Result<Vec<Variable>, Error> {
        let Some(file) = &self.env_file else { return Ok(Vec::new()) };
        let text = text(file).map_err(|error| Error::File { path: file.clone(), error })?;
        variables(file, &text).map_err(|problem| Error::Content { path: file.clone(), problem })
    }
}

/// The text of a file, which is UTF-8.
fn text(file: &Path) -> io::Result<String> {
    String::from_utf8(fs::read(file)?).map_err(|error| {
        let right = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = right.split(|byte| *byte == b'\n').count();
        io::Error::new(io::ErrorKind::InvalidData, format!("line {line} is no UTF-8"))
    })
}

/// Whether the proxy would start with it: a file that it would not start with is of no use. Files for
/// TLS may come to their place later.
///
/// # Errors
/// What is wrong, with the option that it comes of.
fn check(imported: &Imported) -> Result<(), Error> {
    let mut config = imported.config.clone();
    config.upstream.tls = None;
    config.listeners.values_mut().for_each(|listener| listener.tls = None);
    let nothing = |_: &str| Err(VarError::NotPresent);
    let mut read =
        read_text::<Config>("dockgate.yaml", config::write(&config).as_bytes(), &nothing);
    let engine = policy::runtime()?;
    read.mean(|config, problems| {
        let settings = settings::mean(config, Path::new(""), problems)?;
        Policy::load_in_file(settings, &engine, None, problems)
    });
    let wrong = read.problems.all().iter().filter(|problem| problem.fatal).map(|problem| {
        let origin = imported.origin(&problem.place).unwrap_or("these options");
        format!("what comes of {origin} can't be used: {}", problem.words())
    });
    let wrong: Vec<_> = wrong.collect();
    if wrong.is_empty() { Ok(()) } else { Err(Error::Import(wrong.join("\n"))) }
}

/// Comments for the beginning of the file.
fn commented(name: &str, notes: &[String]) -> String {
    let mut text = format!("# From the options of {name}.\n");
    for note in notes {
        let _ = write!(text, "#\n{}\n", super::comment(note));
    }
    text + "#\n"
}
