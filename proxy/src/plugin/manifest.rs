use std::{
    collections::HashMap,
    io::{Read, Seek, SeekFrom},
};

use serde::{Deserialize, Serialize};
use wasmparser::BinaryReader;

use crate::request::Operation;

/// The custom section of a component that holds its manifest.
pub(super) const SECTION: &str = "dockgate:manifest";

/// What a plugin says of itself, readable without running it: JSON in the custom section
/// `dockgate:manifest` of the component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// What it is called in logs and refusals.
    pub name: String,
    /// Its own version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// What it does, in a line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The variables of the environment that it reads, if they are granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// Whether it wants to see the names of all variables, to find misspelt ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub environment_names: bool,
    /// What it must be granted to work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// The memory that an instance needs, in MiB, where it is more than the usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u32>,
    /// What it wants beyond the heads of requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interests: Vec<Interest>,
    /// The JSON Schema of its settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<serde_json::Value>,
}

/// Something that a plugin can't do without being granted it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// Asking the daemon about things: `docker`.
    LookUps,
    /// Knowing the time: `clock`.
    Clock,
}

impl Grant {
    /// The word for it on the command line and in manifests.
    pub fn word(self) -> &'static str {
        match self {
            Self::LookUps => "look-ups",
            Self::Clock => "clock",
        }
    }
}

/// What a plugin wants to see of some operations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Interest {
    /// The operations, by name; `*` stands for any part of one.
    pub operations: Vec<String>,
    /// Whether it reads the JSON bodies of requests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub request_body: bool,
    /// What it reviews of answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponsePart>,
    /// Whether it goes through the values of answers that are streams.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub items: bool,
}

/// How much of an answer a plugin reviews.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResponsePart {
    /// Its status and headers.
    Head,
    /// These, and the JSON body.
    Json,
}

/// What a plugin wants to see of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The body of the request.
    pub request_body: bool,
    /// The answer.
    pub response: Option<ResponsePart>,
    /// Each value of an answer that is a stream.
    pub items: bool,
}

impl Needs {
    /// Whether it wants anything of answers.
    pub fn answers(self) -> bool {
        self.response.is_some() || self.items
    }

    /// What both want together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            request_body: self.request_body || other.request_body,
            response: self.response.max(other.response),
            items: self.items || other.items,
        }
    }
}

impl Manifest {
    /// Reads the manifest of a component, and nothing else of it. None where it has none, and where
    /// it is none: whoever compiles it says so.
    ///
    /// # Errors
    /// Words on what is wrong with the manifest.
    pub fn read(component: &mut (impl Read + Seek)) -> Result<Option<Self>, String> {
        let mut manifest = None;
        // The last, which is the one that was packed last, counts.
        while let Ok(Some(section)) = next_custom_section(component) {
            let mut content = BinaryReader::new(&section, 0);
            if content.read_string().is_ok_and(|name| name == SECTION) {
                manifest = Some(Self::parse(&section[content.original_position()..])?);
            }
        }
        Ok(manifest)
    }

    /// Reads its text.
    ///
    /// # Errors
    /// Words on what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let wrong = |error: String| format!("its manifest can't be read: {error}");
        let manifest: Self =
            serde_json::from_slice(text).map_err(|error| wrong(error.to_string()))?;
        manifest.needs().map_err(wrong)?;
        Ok(manifest)
    }

    /// What it wants, by operation; one that is not there gets nothing.
    ///
    /// # Errors
    /// Names an operation that there is not.
    pub fn needs(&self) -> Result<HashMap<Operation, Needs>, String> {
        let mut needs: HashMap<Operation, Needs> = HashMap::new();
        for interest in &self.interests {
            let Interest { request_body, response, items, .. } = *interest;
            for pattern in &interest.operations {
                for operation in Operation::matching(pattern)? {
                    let known = needs.entry(operation).or_default();
                    *known = known.and(Needs { request_body, response, items });
                }
            }
        }
        Ok(needs)
    }
}

/// How long the preamble of a component is (component model, Binary.md).
const PREAMBLE: u64 = 8;
/// The kind of a custom section.
const CUSTOM: u8 = 0;

/// The content of the next custom section. None at the end.
fn next_custom_section(component: &mut (impl Read + Seek)) -> std::io::Result<Option<Vec<u8>>> {
    if component.stream_position()? == 0 {
        component.seek(SeekFrom::Start(PREAMBLE))?;
    }
    while let Some((kind, length)) = section(component)? {
        if kind == CUSTOM {
            let mut content = Vec::new();
            component.take(length.into()).read_to_end(&mut content)?;
            return Ok(Some(content));
        }
        component.seek_relative(i64::from(length))?;
    }
    Ok(None)
}

/// The head of a section: its kind, and its length as unsigned LEB128. None at the end.
fn section(component: &mut impl Read) -> std::io::Result<Option<(u8, u32)>> {
    let mut byte = [0];
    if component.read(&mut byte)? == 0 {
        return Ok(None);
    }
    let (kind, mut length) = (byte[0], 0);
    for shift in (0..u32::BITS).step_by(7) {
        component.read_exact(&mut byte)?;
        length |= u32::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            return Ok(Some((kind, length)));
        }
    }
    Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "a section has no length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interests_name_operations() {
        let manifest = Manifest::parse(
            br#"{"name":"x","interests":[
                {"operations":["container-*"],"request-body":true},
                {"operations":["container-list","system-df*","system-data-usage"],"response":"json"},
                {"operations":["container-list"],"response":"head"}]}"#,
        );
        assert!(manifest.unwrap_err().contains("system-df*"));
        let manifest = Manifest::parse(
            br#"{"name":"x","interests":[
                {"operations":["container-*"],"request-body":true},
                {"operations":["container-list"],"response":"json"},
                {"operations":["container-list"],"response":"head"}]}"#,
        );
        let needs = manifest.unwrap().needs().unwrap();
        let of = |name: &str| needs.iter().find(|(o, _)| o.name() == name).map(|(_, needs)| *needs);
        let list = Needs { request_body: true, response: Some(ResponsePart::Json), items: false };
        assert_eq!(of("container-list"), Some(list));
        assert_eq!(of("container-stop").map(|needs| needs.response), Some(None));
        assert_eq!(of("image-list"), None);
    }
}
