//! Putting a manifest into a component.

use std::borrow::Cow;

use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::{Chunk, Parser, Payload};

use super::{Manifest, manifest::SECTION};

impl Manifest {
    /// The component with this manifest, in the place of any that it has.
    ///
    /// # Errors
    /// Words on what is wrong with the component.
    pub fn pack(&self, component: &[u8]) -> Result<Vec<u8>, String> {
        let text = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        let mut packed = stripped(component).map_err(|error| error.to_string())?;
        let section = CustomSection { name: SECTION.into(), data: Cow::Owned(text) };
        section.append_to_component(&mut packed);
        Ok(packed)
    }
}

/// What the linker wrote for people with a debugger: a tenth of a small plugin.
const NAMES: &str = "component-name";

/// All sections but those that hold a manifest or names, byte for byte.
fn stripped(component: &[u8]) -> wasmparser::Result<Vec<u8>> {
    let (mut parser, mut rest) = (Parser::new(0), component);
    let mut kept = Vec::with_capacity(component.len());
    while !rest.is_empty() {
        // All of it is here, so the parser never asks for more.
        let Chunk::Parsed { mut consumed, payload } = parser.parse(rest, true)? else { break };
        match &payload {
            Payload::CustomSection(section) if [SECTION, NAMES].contains(&section.name()) => {
                rest = &rest[consumed..];
                continue;
            }
            Payload::ModuleSection { unchecked_range: within, .. }
            | Payload::ComponentSection { unchecked_range: within, .. } => {
                // The parser has gone past it already.
                consumed += within.len();
            }
            Payload::End(_) => break,
            _ => {}
        }
        let Some(part) = rest.get(..consumed) else { break };
        kept.extend_from_slice(part);
        rest = &rest[consumed..];
    }
    Ok(kept)
}
