//! Making answers, and what a policy did to them.

use serde::Serialize;

use crate::{
    Content, Json, Response,
    host::{Answer, as_json},
};

/// A change to an answer that a policy staged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseEdit {
    /// [`Response::set_body`]
    SetBody(Json),
    /// [`Response::set_status`]
    SetStatus(u16),
    /// [`Response::set_header`]
    SetHeader(String, String),
    /// [`Response::remove_header`]
    RemoveHeader(String),
}

/// Making an answer. Only for native tests.
impl Response {
    /// An answer with this status, without a body.
    pub fn new(status: u16) -> Self {
        Self { status, answer: Answer::default() }
    }

    /// The same with this JSON body, which the manifest asks for.
    #[must_use]
    pub fn with_body(mut self, body: impl Serialize) -> Self {
        self.answer.content = Content::Json(as_json(&body));
        self
    }

    /// The same with a body that the manifest does not ask for.
    #[must_use]
    pub fn with_unread_body(mut self) -> Self {
        self.answer.content = Content::NotAskedFor;
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.answer.headers.push((name.into(), value.into()));
        self
    }

    /// What a policy staged, in order.
    pub fn edits(&self) -> Vec<ResponseEdit> {
        self.answer.edits.borrow().clone()
    }

    /// The body that the client would get: the staged one, or that of the daemon.
    pub fn edited_body(&self) -> Option<Json> {
        let edits = self.answer.edits.borrow();
        let staged = edits.iter().rev().find_map(|edit| match edit {
            ResponseEdit::SetBody(json) => Some(json.clone()),
            _ => None,
        });
        staged.or_else(|| self.body().json())
    }
}
