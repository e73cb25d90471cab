//! What a component imports and exports, read without running it.

use wasmparser::{Parser, Payload};
use wasmtime::Engine;

use super::{bundled::Bundled, precompiled};

/// The names of what a component imports and exports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// What it imports.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
}

impl Outline {
    /// Of a component.
    ///
    /// # Errors
    /// Words on what is wrong with it.
    pub fn read(component: &[u8]) -> Result<Self, String> {
        let mut outline = Self::default();
        // What is inside of it has imports and exports of its own.
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(component) {
            match payload.map_err(|error| error.to_string())? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ComponentImportSection(imports) if depth == 1 => {
                    for import in imports {
                        let import = import.map_err(|error| error.to_string())?;
                        outline.imports.push(import.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 1 => {
                    for export in exports {
                        let export = export.map_err(|error| error.to_string())?;
                        outline.exports.push(export.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(outline)
    }

    /// Of a plugin in this binary, which holds it compiled.
    ///
    /// # Errors
    /// Words on why this machine can't load it.
    pub fn of_bundled(engine: &Engine, bundled: &Bundled) -> Result<Self, String> {
        let component = precompiled::load(engine, &bundled.code()).map_err(|e| format!("{e:#}"))?;
        let component = component.component_type();
        Ok(Self {
            imports: component.imports(engine).map(|(name, _)| name.to_owned()).collect(),
            exports: component.exports(engine).map(|(name, _)| name.to_owned()).collect(),
        })
    }
}
