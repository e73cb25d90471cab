//! Why the proxy can't start, or a command can't do what it was told.

use std::{io, path::PathBuf};

use crate::oci;

/// Why the proxy can't start, or a command can't do what it was told, in words for the person who
/// started it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A flag or a variable has a value that means nothing.
    #[error("{name}: {value:?} {problem}")]
    Value {
        /// The flag or variable.
        name: &'static str,
        /// What it was set to.
        value: String,
        /// What is wrong with it, and what to write instead.
        problem: String,
    },
    /// What the flags amount to can't be used.
    #[error("the flags come to a configuration that can't be used: {0}")]
    Flags(String),
    /// A configuration file can't be used.
    #[error("the configuration can't be used\n{text}")]
    Config {
        /// What is wrong, for people.
        text: String,
        /// What is wrong, a line each.
        lines: Vec<String>,
    },
    /// A table of requests can't be used.
    #[error("the table can't be used\n{text}")]
    Table {
        /// What is wrong, for people.
        text: String,
    },
    /// A configuration could not be read again.
    #[error("the configuration could not be read again: {0}")]
    Reload(String),
    /// A file can't be read.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Another proxy's options mean nothing.
    #[error("{0}")]
    Import(String),
    /// A plugin can't be built.
    #[error("{0}")]
    Build(String),
    /// A component can't be compiled.
    #[error("{0}")]
    Compile(String),
    /// A plugin can't be fetched.
    #[error("{0}")]
    Fetch(String),
    /// A plugin can't be loaded, or refuses its settings.
    #[error("plugin {plugin}: {problem}")]
    Plugin {
        /// Its source.
        plugin: String,
        /// What is wrong.
        problem: String,
    },
    /// A registry does not do what is asked of it.
    #[error("{reference}: {failure}")]
    Registry {
        /// What was meant.
        reference: String,
        /// What is wrong.
        failure: oci::Failure,
    },
    /// A listener can't be opened.
    #[error("can't listen on {address}: {error}{hint}")]
    Listen {
        /// Where.
        address: String,
        /// What the system says.
        error: io::Error,
        /// What would help.
        hint: &'static str,
    },
    /// The system refuses something that the proxy can't do without.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// The health check failed.
    #[error("unhealthy: {0}")]
    Unhealthy(String),
}

impl Error {
    /// What is wrong in lines that are for the log.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Config { lines, .. } => lines.clone(),
            other => vec![other.to_string()],
        }
    }

    /// The exit code: 2 for what the person wrote, 1 for what the machine refuses.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Value { .. }
            | Self::Flags(_)
            | Self::Config { .. }
            | Self::Table { .. }
            | Self::File { .. }
            | Self::Content { .. }
            | Self::Build(_)
            | Self::Compile(_)
            | Self::Fetch(_)
            | Self::Import(_)
            | Self::Plugin { .. } => 2,
            Self::Registry { .. }
            | Self::Listen { .. }
            | Self::Reload(_)
            | Self::System { .. }
            | Self::Unhealthy(_) => 1,
        }
    }
}
