//! What is read and staged through the imports of the interface.

#![allow(clippy::unused_self, reason = "these are the methods of what a native test has")]

use serde::Serialize;

use crate::{
    Content, Json, Kind,
    component::bindings::dockgate::filter::{
        body, client, clock, content, docker, edit, request, response,
    },
};

/// The rest of the request under decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Host;

impl Host {
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        request::query(name)
    }

    pub(crate) fn query_all(&self) -> Vec<(String, String)> {
        request::query_all()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        request::header(name)
    }

    pub(crate) fn listener(&self) -> Option<String> {
        client::listener()
    }

    pub(crate) fn address(&self) -> Option<String> {
        client::address()
    }

    pub(crate) fn unix_user(&self) -> Option<(u32, u32)> {
        client::unix_user()
    }

    pub(crate) fn unix_process(&self) -> Option<u32> {
        client::unix_process()
    }

    pub(crate) fn certificate_subject(&self) -> Option<String> {
        client::certificate_subject()
    }

    pub(crate) fn certificate_names(&self) -> Vec<String> {
        client::certificate_names()
    }

    pub(crate) fn certificate_pin(&self) -> Option<String> {
        client::certificate_pin()
    }

    pub(crate) fn container_id(&self) -> Option<String> {
        client::container_id()
    }

    pub(crate) fn container_name(&self) -> Option<String> {
        client::container_name()
    }

    pub(crate) fn container_image(&self) -> Option<String> {
        client::container_image()
    }

    pub(crate) fn container_label(&self, name: &str) -> Option<String> {
        client::container_label(name)
    }

    pub(crate) fn container_labels(&self) -> Vec<(String, String)> {
        client::container_labels()
    }

    pub(crate) fn body(&self) -> Content {
        body::whole().into()
    }

    pub(crate) fn body_at(&self, pointer: &str) -> Option<Json> {
        body::get(pointer).map(|text| Json::from_proxy(&text))
    }

    pub(crate) fn look_up(&self, kind: Kind, name: &str) -> Option<Json> {
        docker::inspect(kind.name(), name).map(|text| Json::from_proxy(&text))
    }

    pub(crate) fn unix_time(&self) -> u64 {
        clock::unix_time()
    }

    pub(crate) fn set_query(&self, name: &str, value: &str) {
        edit::set_query(name, value);
    }

    pub(crate) fn remove_query(&self, name: &str) {
        edit::remove_query(name);
    }

    pub(crate) fn set_header(&self, name: &str, value: &str) {
        edit::set_header(name, value);
    }

    pub(crate) fn remove_header(&self, name: &str) {
        edit::remove_header(name);
    }

    pub(crate) fn set_target(&self, target: &str) {
        edit::set_target(target);
    }

    pub(crate) fn set_json(&self, pointer: &str, value: &impl Serialize) {
        edit::set_json(pointer, &as_text(value));
    }

    pub(crate) fn remove_json(&self, pointer: &str) {
        edit::remove_json(pointer);
    }

    pub(crate) fn respond(&self, status: u16, value: &impl Serialize) {
        edit::respond(status, &as_text(value));
    }
}

/// The rest of the answer under review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer;

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        response::header(name)
    }

    pub(crate) fn body(&self) -> Content {
        response::body().into()
    }

    pub(crate) fn set_body(&self, value: &impl Serialize) {
        response::set_body(&as_text(value));
    }

    pub(crate) fn set_status(&self, status: u16) {
        response::set_status(status);
    }

    pub(crate) fn set_header(&self, name: &str, value: &str) {
        response::set_header(name, value);
    }

    pub(crate) fn remove_header(&self, name: &str) {
        response::remove_header(name);
    }
}

impl From<content::Content> for Content {
    fn from(content: content::Content) -> Self {
        match content {
            content::Content::NotAskedFor => Self::NotAskedFor,
            content::Content::None => Self::None,
            content::Content::Json(text) => Self::Json(Json::from_proxy(&text)),
        }
    }
}

#[allow(clippy::expect_used, reason = "a panic refuses the request, and names the value's type")]
fn as_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("the value can be written as JSON")
}
