//! What content is called: by its SHA-256.

use std::{fmt, fs, io, path::Path, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::plugin::cache;

/// A SHA-256 digest, as OCI writes it: `sha256:` and 64 hexadecimal digits in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

const ALGORITHM: &str = "sha256:";

impl Digest {
    /// Of some content.
    pub fn of(content: &[u8]) -> Self {
        Self(cache::digest(content))
    }

    /// Of a file.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        Ok(Self(cache::hexadecimal(&cache::digest_of(fs::File::open(path)?)?)))
    }

    /// The digits alone.
    pub fn hexadecimal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        text.strip_prefix(ALGORITHM)
            .filter(|digits| digits.len() == 64 && digits.bytes().all(is_digit))
            .map(|digits| Self(digits.to_owned()))
            .ok_or_else(|| {
                let wanted = "64 hexadecimal digits in lower case";
                format!("the digest {text:?} is none: write {ALGORITHM} and {wanted}")
            })
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ALGORITHM}{}", self.0)
    }
}
