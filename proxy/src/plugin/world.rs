//! Whether a component fits: what it imports and exports, in words for the person who wrote it.

use wasmtime::{Engine, component::Component};

use super::{Grant, inert_wasi};

/// The interface, and its version.
const PACKAGE: &str = "dockgate:filter/";
const VERSION: &str = "0.1.0";
/// What a plugin may import without a grant, and with one.
const IMPORTS: [&str; 9] =
    ["types", "request", "content", "body", "client", "edit", "log", "response", "on-response"];
const GRANTED: [(&str, Grant); 2] = [("docker", Grant::LookUps), ("clock", Grant::Clock)];

/// Why a component can't be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It imports what it is not granted.
    #[error("it imports {import}, which is not granted")]
    NotGranted {
        /// What it imports.
        import: String,
        /// The grant that would allow it.
        grant: Grant,
    },
    /// It can't work with its settings.
    #[error("it refuses its settings: {}{message}", about(subject))]
    Settings {
        /// A JSON pointer into the settings, or the name of a variable, or nothing.
        subject: String,
        /// In its own words.
        message: String,
    },
    /// Anything else.
    #[error("{0}")]
    Words(String),
}

impl From<String> for Misfit {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

fn about(subject: &str) -> String {
    if subject.is_empty() { String::new() } else { format!("{subject}: ") }
}

/// Checks what a component imports and exports of ours.
///
/// # Errors
/// The first thing that does not fit.
pub(super) fn check(
    engine: &Engine,
    component: &Component,
    grants: &[Grant],
) -> Result<(), Misfit> {
    let component = component.component_type();
    for (name, _) in component.imports(engine).chain(component.exports(engine)) {
        version(name)?;
    }
    let ours = component.imports(engine).map(|(name, _)| name).filter(|n| interface(n).is_some());
    for import in ours {
        match Standing::of(import) {
            Standing::Granted(grant) if !grants.contains(&grant) => {
                return Err(Misfit::NotGranted { import: import.to_owned(), grant });
            }
            Standing::Free | Standing::Granted(_) | Standing::Inert => {}
            Standing::Foreign => {
                let words = format!("it imports {import}, which this dockgate does not have");
                return Err(words.into());
            }
        }
    }
    Ok(())
}

/// What stands between a plugin and something that it imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: every plugin has it.
    Free,
    /// A grant.
    Granted(Grant),
    /// Nothing, since it does nothing: what a standard library wants to be there.
    Inert,
    /// This dockgate does not have it.
    Foreign,
}

impl Standing {
    /// Of an import by this name.
    pub fn of(import: &str) -> Self {
        if inert_wasi::is_inert(import) {
            return Self::Inert;
        }
        match interface(import) {
            Some(_) if version(import).is_err() => Self::Foreign,
            Some(ours) if IMPORTS.contains(&ours) => Self::Free,
            Some(ours) => GRANTED
                .iter()
                .find(|(granted, _)| *granted == ours)
                .map_or(Self::Foreign, |(_, grant)| Self::Granted(*grant)),
            None => Self::Foreign,
        }
    }
}

/// The part of a name between the package and the version.
fn interface(name: &str) -> Option<&str> {
    name.strip_prefix(PACKAGE)?.split('@').next()
}

/// Refuses a version that is not ours. Within 0.1 everything that was shipped stays as it was.
fn version(name: &str) -> Result<(), String> {
    let Some((_, version)) = name.strip_prefix(PACKAGE).and_then(|rest| rest.split_once('@'))
    else {
        return Ok(());
    };
    if version.rsplit_once('.').map(|(minor, _)| minor) == VERSION.rsplit_once('.').map(|(m, _)| m)
    {
        return Ok(());
    }
    Err(format!(
        "it was built for version {version} of the interface, and this dockgate has {VERSION}: build \
         it again, or use the dockgate that it was built for"
    ))
}
