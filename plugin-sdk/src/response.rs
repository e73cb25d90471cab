use serde::Serialize;

use crate::{Content, host::Answer};

/// The daemon's answer under review.
///
/// In a plugin the proxy gives it; in a native test [`Response::new`] and the `with_…` methods do.
/// Edits are staged: reading goes on to show the answer as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) answer: Answer,
}

impl Response {
    /// The status: `200`.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The value of a header; `None` as well for `Set-Cookie`.
    pub fn header(&self, name: &str) -> Option<String> {
        self.answer.header(name)
    }

    /// The JSON body, if the manifest asks for it.
    pub fn body(&self) -> Content {
        self.answer.body()
    }

    /// Replaces the body. Where the manifest does not ask for it, this is a fault, and the answer is
    /// not sent.
    pub fn set_body(&self, json: &impl Serialize) {
        self.answer.set_body(json);
    }

    /// Sets the status, 200 to 599.
    pub fn set_status(&self, status: u16) {
        self.answer.set_status(status);
    }

    /// Sets a header, within the bounds of [`Request::set_header`](crate::Request::set_header).
    pub fn set_header(&self, name: &str, value: &str) {
        self.answer.set_header(name, value);
    }

    /// Removes a header, within the same bounds.
    pub fn remove_header(&self, name: &str) {
        self.answer.remove_header(name);
    }
}
