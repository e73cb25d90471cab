//! Why a request goes no further.

use dockgate_plugin::{Denial, Kind};

use crate::images;

/// What the client gets in the place of the daemon's answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// This status and message, in the daemon's own words.
    Answer(u16, String),
    /// A refusal, in ours.
    Refuse(Denial),
}

impl Stop {
    /// That there is no such thing, as the daemon says it.
    pub(crate) fn missing(kind: Kind, name: &str) -> Self {
        let message = match kind {
            Kind::Container => format!("No such container: {name}"),
            Kind::Image => format!("No such image: {}", images::with_tag(name)),
            Kind::Volume => format!("get {name}: no such volume"),
            Kind::Exec => format!("No such exec instance: {name}"),
            Kind::Network
            | Kind::Service
            | Kind::Task
            | Kind::Node
            | Kind::Secret
            | Kind::Config => format!("{} {name} not found", kind.name()),
        };
        Self::Answer(404, message)
    }

    /// The same with status 400 in the place of 404, which Docker's client takes from
    /// `container-create` to mean the image, and pulls that.
    pub(crate) fn not_of_the_image(self) -> Self {
        match self {
            Self::Answer(404, message) => Self::Answer(400, message),
            other => other,
        }
    }

    /// A 403 in our own words.
    pub(crate) fn refuse(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Denial::new(message).with_code(code).with_hint(hint).into()
    }

    /// A 400 for what the daemon would not take either, or that can be read in two ways.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Denial::new(message).with_status(400).with_code("malformed").into()
    }
}

impl From<Denial> for Stop {
    fn from(denial: Denial) -> Self {
        Self::Refuse(denial)
    }
}
