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

/// Checks what a component imports and exports of ours.
///
/// # Errors
/// The first thing that does not fit, and what to do.
pub(super) fn check(
    engine: &Engine,
    component: &Component,
    plugin: &str,
    grants: &[Grant],
) -> Result<(), String> {
    let component = component.component_type();
    for (name, _) in component.imports(engine).chain(component.exports(engine)) {
        version(name)?;
    }
    for (name, _) in component.imports(engine) {
        let Some(interface) = interface(name) else { continue };
        if IMPORTS.contains(&interface) {
            continue;
        }
        match GRANTED.iter().find(|(granted, _)| *granted == interface) {
            None => {
                return Err(format!("it imports {name}, which this dockgate does not have"));
            }
            Some((_, grant)) if grants.contains(grant) => {}
            Some((_, grant)) => {
                let word = grant.word();
                return Err(format!(
                    "it imports {name}, which is not granted: grant it with --grant {plugin}={word}"
                ));
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
