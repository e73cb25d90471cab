//! Why the proxy can't start.

use std::{io, path::PathBuf};

/// Why the proxy can't start, in words for the person who started it.
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
    /// A file can't be read.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A plugin can't be loaded, or refuses its settings.
    #[error("plugin {plugin}: {problem}")]
    Plugin {
        /// Its source.
        plugin: String,
        /// What is wrong.
        problem: String,
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
    /// The exit code: 2 for what the person wrote, 1 for what the machine refuses.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Value { .. } | Self::File { .. } | Self::Plugin { .. } => 2,
            Self::Listen { .. } | Self::System { .. } | Self::Unhealthy(_) => 1,
        }
    }
}
