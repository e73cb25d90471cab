//! JSON on the command line: as it stands, or in a file.

use std::{fs, path::Path};

use serde::de::DeserializeOwned;

use crate::error::Error;

/// The text of a JSON document. What begins like an object, a list or a string is one; everything
/// else is the name of a file.
pub(super) fn read(option: &'static str, text: &str) -> Result<String, Error> {
    let inline = text.trim_start().starts_with(['{', '[', '"']);
    let json = if inline { text.to_owned() } else { file(Path::new(text))? };
    match serde_json::from_str::<serde::de::IgnoredAny>(&json) {
        Ok(_) => Ok(json),
        Err(error) if inline => Err(Error::Value {
            name: option,
            value: text.to_owned(),
            problem: format!("is not JSON: {error}"),
        }),
        Err(error) => {
            Err(Error::Content { path: text.into(), problem: format!("it is not JSON: {error}") })
        }
    }
}

/// A file with a JSON document that has this shape.
pub(super) fn read_file<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    serde_json::from_str(&file(path)?)
        .map_err(|error| Error::Content { path: path.to_owned(), problem: error.to_string() })
}

/// The text of a file.
pub(super) fn file(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| Error::File { path: path.to_owned(), error })
}
