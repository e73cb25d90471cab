//! What the proxy has found out about a client.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A certificate that a client proved to have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    #[serde(default)]
    pub(crate) subject: String,
    #[serde(default)]
    pub(crate) names: Vec<String>,
    #[serde(default = "digits")]
    pub(crate) pin: String,
}

impl Certificate {
    /// One with this subject: `CN=ci,O=Example`.
    pub fn of(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), names: Vec::new(), pin: digits() }
    }

    /// The same with one more name: `ci.example`.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// The same for the key with this SHA-256.
    #[must_use]
    pub fn with_pin(mut self, pin: impl Into<String>) -> Self {
        self.pin = pin.into();
        self
    }
}

/// A container that a client runs in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    #[serde(default = "digits")]
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) image: String,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
}

impl Container {
    /// One with this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { id: digits(), name: name.into(), image: String::new(), labels: BTreeMap::new() }
    }

    /// The same with this id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// The same, made from this image.
    #[must_use]
    pub fn with_image(mut self, image: impl Into<String>) -> Self {
        self.image = image.into();
        self
    }

    /// The same with one more label.
    #[must_use]
    pub fn with_label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// The same as a container of a service of a compose project.
    #[must_use]
    pub fn in_service(self, project: impl Into<String>, service: impl Into<String>) -> Self {
        self.with_label("com.docker.compose.project", project)
            .with_label("com.docker.compose.service", service)
    }
}

/// An id or a pin, where none is given.
fn digits() -> String {
    "0".repeat(64)
}
