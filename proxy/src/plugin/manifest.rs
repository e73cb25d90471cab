use serde::{Deserialize, Serialize};
use wasmparser::{Parser, Payload};

/// What a plugin says of itself, readable without running it: JSON in the custom section
/// `dockgate:manifest` of the component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// What it is called in logs and refusals.
    pub name: String,
    /// Its own version.
    #[serde(default)]
    pub version: String,
    /// What it does, in a line.
    #[serde(default)]
    pub description: String,
    /// The variables of the environment that it reads, if they are granted.
    #[serde(default)]
    pub environment: Vec<String>,
    /// Whether it wants to see the names of all variables, to find misspelt ones.
    #[serde(default)]
    pub environment_names: bool,
}

impl Manifest {
    /// Reads the manifest of a component. None where it has none.
    ///
    /// # Errors
    /// Words on what is wrong with the section, or with the component around it.
    pub fn read(component: &[u8]) -> Result<Option<Self>, String> {
        for payload in Parser::new(0).parse_all(component) {
            match payload.map_err(|error| error.to_string())? {
                Payload::CustomSection(section) if section.name() == "dockgate:manifest" => {
                    return serde_json::from_slice(section.data())
                        .map(Some)
                        .map_err(|error| format!("its manifest can't be read: {error}"));
                }
                _ => {}
            }
        }
        Ok(None)
    }
}
