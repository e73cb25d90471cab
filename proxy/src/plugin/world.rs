//! Whether a component fits: what it imports and exports, in words for the person who wrote it.

use wasmtime::{
    Engine,
    component::{Component, types::ComponentItem},
};

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

/// Whether a component can ask for the container that a client runs in: it imports one of the
/// functions for it. One that does not need not have it established.
pub(super) fn reads_container(engine: &Engine, component: &Component) -> bool {
    let component = component.component_type();
    let mut imports = component.imports(engine);
    imports.any(|(name, import)| match import.ty {
        ComponentItem::ComponentInstance(functions) if interface(name) == Some("client") => {
            functions.exports(engine).any(|(function, _)| function.starts_with("container-"))
        }
        _ => false,
    })
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

#[cfg(test)]
mod tests {
    use super::{
        super::{bundled, engine::engine_config, precompiled},
        *,
    };

    /// Whether a component with these imports reads containers.
    fn reads(imports: &str) -> bool {
        let engine = Engine::new(&engine_config()).unwrap();
        let component = wat::parse_str(format!("(component {imports})")).unwrap();
        reads_container(&engine, &Component::new(&engine, component).unwrap())
    }

    #[test]
    fn a_plugin_that_imports_a_function_for_it_reads_containers() {
        let label = r#"(export "container-label"
            (func (param "name" string) (result (option string))))"#;
        let address = r#"(export "address" (func (result (option string))))"#;
        let import = |name: &str, functions: &str| {
            format!(r#"(import "dockgate:filter/{name}" (instance {functions}))"#)
        };
        assert!(reads(&import("client@0.1.0", label)));
        assert!(reads(&import("client@0.1.7", &format!("{address} {label}"))), "a later one");
        assert!(!reads(&import("client@0.1.0", address)));
        assert!(!reads(&import("docker@0.1.0", label)), "not of a client");
        assert!(!reads(""));
    }

    /// What the SDK can do and a policy does not is not in its component.
    #[test]
    fn a_policy_that_asks_for_no_container_imports_no_function_for_it() {
        let engine = super::super::runtime().unwrap();
        for bundled in bundled::ALL {
            let component = precompiled::load(&engine, &bundled.code()).unwrap();
            assert!(!reads_container(&engine, &component), "{}", bundled.name);
        }
    }
}
