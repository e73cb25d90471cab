//! What can go wrong in a run.

use std::io;
use std::path::PathBuf;

/// Why a run ended without its table.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A program could not be started.
    #[error("can't start {program}: {source}")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program ended with an error.
    #[error("{program} failed: {said}")]
    Failed {
        /// The program.
        program: String,
        /// Its exit status and what it wrote.
        said: String,
    },
    /// A server never answered.
    #[error("{name} gave no successful answer at {address} within {seconds} s; see {log}")]
    NotReady {
        /// The server.
        name: &'static str,
        /// Where it was asked.
        address: String,
        /// For how long.
        seconds: u64,
        /// Where its output went.
        log: PathBuf,
    },
    /// The output of a program, or a file in /proc, does not read as expected.
    #[error("can't read {what}: {text}")]
    Unreadable {
        /// What was read.
        what: &'static str,
        /// What stood there.
        text: String,
    },
    /// Answers that the load does not call for make its numbers worthless.
    #[error("{proxy} answered {load} wrongly: {wrong}")]
    WrongAnswers {
        /// The proxy that was driven.
        proxy: &'static str,
        /// The load.
        load: String,
        /// What was counted.
        wrong: String,
    },
    /// A file or socket failed.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

impl BenchError {
    /// Names what was tried, for `map_err`.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
