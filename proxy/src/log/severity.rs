use std::{fmt, str::FromStr};

/// How much a line matters: the levels of syslog (RFC 5424 section 6.2.1) by the names that
/// `LOG_LEVEL` has for them, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The proxy itself, or a plugin, or the daemon, does not work.
    Error,
    /// Something is not as it should be.
    Warning,
    /// Refusals, and what a person wants to know at the start.
    Notice,
    /// Every request.
    Info,
    /// What helps to find a fault.
    Debug,
}

impl Severity {
    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "err",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    /// The colour on a terminal, as an ANSI code.
    pub(super) fn colour(self) -> &'static str {
        match self {
            Self::Error => "\x1b[31m",
            Self::Warning => "\x1b[33m",
            Self::Notice => "\x1b[36m",
            Self::Info => "\x1b[32m",
            Self::Debug => "\x1b[2m",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Severity {
    type Err = String;

    /// Reads the names of `HAProxy`, which `LOG_LEVEL` had in Tecnativa's image, and the usual others.
    fn from_str(name: &str) -> Result<Self, String> {
        match name.to_ascii_lowercase().as_str() {
            "emerg" | "alert" | "crit" | "err" | "error" => Ok(Self::Error),
            "warning" | "warn" => Ok(Self::Warning),
            "notice" => Ok(Self::Notice),
            "info" => Ok(Self::Info),
            "debug" | "trace" => Ok(Self::Debug),
            _ => Err("use one of debug, info, notice, warning, err, crit, alert, emerg".to_owned()),
        }
    }
}
