//! What is known of a client, from the command line or from a table: its certificate and its
//! container.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::client;

/// A client's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Certificate {
    /// Its subject, as RFC 4514 writes it: `CN=ci,O=Example`.
    #[serde(default)]
    subject: String,
    /// The names in its subject alternative name.
    #[serde(default)]
    names: Vec<String>,
    /// SHA-256 of its public key: 64 hexadecimal digits.
    #[serde(default = "digits")]
    pin: String,
}

/// A client's container.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Container {
    /// Its id: 64 hexadecimal digits.
    #[serde(default = "digits")]
    id: String,
    /// Its name, without a slash.
    name: String,
    /// The image, as whoever made the container wrote it.
    #[serde(default)]
    image: String,
    /// Its labels.
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// An id or a pin, where none is given: 64 hexadecimal digits.
fn digits() -> String {
    "0".repeat(64)
}

/// Reads `subject=CN=ci,O=Example,name=ci.example`.
pub(super) fn certificate(text: &str) -> Result<Certificate, String> {
    let mut read = Certificate { subject: String::new(), names: Vec::new(), pin: digits() };
    for (field, value) in fields(text, &["subject", "name", "pin"])? {
        match field {
            "subject" => read.subject = value,
            "name" => read.names.push(value),
            _ => read.pin = value,
        }
    }
    Ok(read)
}

/// Reads `name=web,image=nginx,label.team=web`.
pub(super) fn container(text: &str) -> Result<Container, String> {
    let (mut name, mut id) = (None, digits());
    let (mut image, mut labels) = (String::new(), BTreeMap::new());
    for (field, value) in fields(text, &["name", "id", "image", "label."])? {
        match field {
            "name" => name = Some(value),
            "id" => id = value,
            "image" => image = value,
            label => {
                let label = label.strip_prefix("label.").unwrap_or(label);
                labels.insert(label.to_owned(), value);
            }
        }
    }
    let name = name.ok_or("give its name: name=web,image=nginx,label.team=web")?;
    Ok(Container { id, name, image, labels })
}

/// Splits `name=web,image=nginx` at commas. Of the names that are known, one that ends with a dot stands
/// for all that begin so. A subject goes on behind its commas: `subject=CN=ci,O=Example`.
fn fields<'t>(text: &'t str, known: &[&str]) -> Result<Vec<(&'t str, String)>, String> {
    let is_known = |field: &str| {
        known.iter().any(|name| *name == field || name.ends_with('.') && field.starts_with(name))
    };
    let mut fields: Vec<(&str, String)> = Vec::new();
    for part in text.split(',') {
        match (part.split_once('='), fields.last_mut()) {
            (Some((field, value)), _) if is_known(field) => fields.push((field, value.to_owned())),
            (_, Some(("subject", subject))) => {
                subject.push(',');
                subject.push_str(part);
            }
            _ => return Err(format!("{part:?} is none of {}", known.join("=…, ") + "=…")),
        }
    }
    Ok(fields)
}

impl From<Certificate> for client::Certificate {
    fn from(Certificate { subject, names, pin }: Certificate) -> Self {
        Self { subject, names, pin }
    }
}

impl From<Container> for client::Container {
    fn from(Container { id, name, image, labels }: Container) -> Self {
        Self { id, name, image, labels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_has_commas_of_its_own() {
        let read = certificate("subject=CN=ci,O=Example,name=a,name=b,pin=4f66").unwrap();
        assert_eq!((&*read.subject, &*read.pin), ("CN=ci,O=Example", "4f66"));
        assert_eq!(read.names, ["a", "b"]);
        assert_eq!(certificate("name=a").unwrap().pin, "0".repeat(64));
        for text in ["", "ci", "name=a,O=Example", "subjekt=CN=ci"] {
            assert!(certificate(text).unwrap_err().contains("subject=…, name=…, pin=…"), "{text}");
        }
    }

    #[test]
    fn a_container_has_labels() {
        let read =
            container("name=web,image=nginx:1,id=4f66,label.a.b=c=d,label.label.e=").unwrap();
        assert_eq!((&*read.name, &*read.image, &*read.id), ("web", "nginx:1", "4f66"));
        let labels =
            [("a.b", "c=d"), ("label.e", "")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(read.labels, BTreeMap::from(labels));
        assert!(container("image=nginx").unwrap_err().starts_with("give its name"));
        for text in ["", "web", "name=web,nginx", "name=web,imge=nginx", "name=web,label=a"] {
            assert!(container(text).unwrap_err().contains(" is none of name=…"), "{text}");
        }
    }
}
