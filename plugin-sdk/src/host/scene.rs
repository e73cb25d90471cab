//! What a test has set, in the place of the proxy, and what a policy staged.

use std::cell::RefCell;

use serde::Serialize;

use crate::{
    Content, Json, Kind,
    json::{index, position, steps},
    testing::{Certificate, Container, Edit, ResponseEdit},
};

/// The rest of the request under decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) listener: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) unix_user: Option<(u32, u32)>,
    pub(crate) unix_process: Option<u32>,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) container: Option<Container>,
    pub(crate) content: Content,
    pub(crate) found: Vec<(Kind, String, Json)>,
    pub(crate) time: Option<u64>,
    pub(crate) edits: RefCell<Vec<Edit>>,
}

impl Host {
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
    }

    pub(crate) fn query_all(&self) -> Vec<(String, String)> {
        self.query.clone()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        find_header(&self.headers, name)
    }

    pub(crate) fn listener(&self) -> Option<String> {
        self.listener.clone()
    }

    pub(crate) fn address(&self) -> Option<String> {
        self.address.clone()
    }

    pub(crate) fn unix_user(&self) -> Option<(u32, u32)> {
        self.unix_user
    }

    pub(crate) fn unix_process(&self) -> Option<u32> {
        self.unix_process
    }

    pub(crate) fn certificate_subject(&self) -> Option<String> {
        self.certificate.as_ref().map(|certificate| certificate.subject.clone())
    }

    pub(crate) fn certificate_names(&self) -> Vec<String> {
        self.certificate.as_ref().map(|it| it.names.clone()).unwrap_or_default()
    }

    pub(crate) fn certificate_pin(&self) -> Option<String> {
        self.certificate.as_ref().map(|certificate| certificate.pin.clone())
    }

    pub(crate) fn container_id(&self) -> Option<String> {
        self.container.as_ref().map(|container| container.id.clone())
    }

    pub(crate) fn container_name(&self) -> Option<String> {
        self.container.as_ref().map(|container| container.name.clone())
    }

    pub(crate) fn container_image(&self) -> Option<String> {
        self.container.as_ref().map(|container| container.image.clone())
    }

    pub(crate) fn container_label(&self, name: &str) -> Option<String> {
        self.container.as_ref()?.labels.get(name).cloned()
    }

    pub(crate) fn container_labels(&self) -> Vec<(String, String)> {
        let labels = self.container.as_ref().map(|container| container.labels.clone());
        labels.into_iter().flatten().collect()
    }

    pub(crate) fn body(&self) -> Content {
        self.content.clone()
    }

    pub(crate) fn body_at(&self, pointer: &str) -> Option<Json> {
        match &self.content {
            Content::Json(json) => json.at(pointer).cloned(),
            Content::None => None,
            Content::NotAskedFor => panic!("the manifest does not ask for this body: {pointer}"),
        }
    }

    /// Things are found by the name that the test gave them, and by the id that is in what was
    /// found, since the proxy puts it in the place of the name.
    pub(crate) fn look_up(&self, kind: Kind, name: &str) -> Option<Json> {
        let is_meant = |(of, called, json): &&(Kind, String, Json)| {
            let id = json.get("Id").and_then(Json::as_str);
            *of == kind && (called == name || id == Some(name))
        };
        self.found.iter().find(is_meant).map(|(_, _, json)| json.clone())
    }

    pub(crate) fn unix_time(&self) -> u64 {
        self.time.unwrap_or_else(|| panic!("the test sets no time: Request::at_time"))
    }

    pub(crate) fn set_query(&self, name: &str, value: &str) {
        self.stage(Edit::SetQuery(name.to_owned(), value.to_owned()));
    }

    pub(crate) fn remove_query(&self, name: &str) {
        self.stage(Edit::RemoveQuery(name.to_owned()));
    }

    pub(crate) fn set_header(&self, name: &str, value: &str) {
        self.stage(Edit::SetHeader(name.to_owned(), value.to_owned()));
    }

    pub(crate) fn remove_header(&self, name: &str) {
        self.stage(Edit::RemoveHeader(name.to_owned()));
    }

    pub(crate) fn set_target(&self, target: &str) {
        self.stage(Edit::SetTarget(target.to_owned()));
    }

    pub(crate) fn set_json(&self, pointer: &str, value: &impl Serialize) {
        self.must_have_body(pointer);
        self.stage(Edit::SetJson(pointer.to_owned(), as_json(value)));
    }

    pub(crate) fn remove_json(&self, pointer: &str) {
        self.must_have_body(pointer);
        self.stage(Edit::RemoveJson(pointer.to_owned()));
    }

    pub(crate) fn respond(&self, status: u16, value: &impl Serialize) {
        assert!((200..=599).contains(&status), "no answer has the status {status}");
        self.stage(Edit::Respond(status, as_json(value)));
    }

    fn must_have_body(&self, pointer: &str) {
        let has = matches!(self.content, Content::Json(_));
        assert!(has, "there is no body to change at {pointer}: {:?}", self.content);
    }

    fn stage(&self, edit: Edit) {
        self.edits.borrow_mut().push(edit);
    }

    /// Does to the query, the headers and the body what was staged.
    pub(crate) fn apply(&mut self, edit: Edit) {
        match edit {
            Edit::SetQuery(name, value) => put_pair(&mut self.query, str::eq, name, value),
            Edit::RemoveQuery(name) => self.query.retain(|(n, _)| *n != name),
            Edit::SetHeader(name, value) => {
                put_pair(&mut self.headers, str::eq_ignore_ascii_case, name, value);
            }
            Edit::RemoveHeader(name) => {
                self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(&name));
            }
            Edit::SetJson(pointer, value) => {
                if let Content::Json(body) = &mut self.content {
                    *place(body, &pointer) = value;
                }
            }
            Edit::RemoveJson(pointer) => {
                if let Content::Json(body) = &mut self.content {
                    remove(body, &pointer);
                }
            }
            // The target is not here, and an answer changes no request.
            Edit::SetTarget(_) | Edit::Respond(..) => {}
        }
    }
}

/// The rest of the answer under review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content: Content,
    pub(crate) edits: RefCell<Vec<ResponseEdit>>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        find_header(&self.headers, name)
    }

    pub(crate) fn body(&self) -> Content {
        self.content.clone()
    }

    pub(crate) fn set_body(&self, value: &impl Serialize) {
        let asked_for = self.content != Content::NotAskedFor;
        assert!(asked_for, "the manifest does not ask for the body of this answer");
        self.stage(ResponseEdit::SetBody(as_json(value)));
    }

    pub(crate) fn set_status(&self, status: u16) {
        assert!((200..=599).contains(&status), "no answer has the status {status}");
        self.stage(ResponseEdit::SetStatus(status));
    }

    pub(crate) fn set_header(&self, name: &str, value: &str) {
        self.stage(ResponseEdit::SetHeader(name.to_owned(), value.to_owned()));
    }

    pub(crate) fn remove_header(&self, name: &str) {
        self.stage(ResponseEdit::RemoveHeader(name.to_owned()));
    }

    fn stage(&self, edit: ResponseEdit) {
        self.edits.borrow_mut().push(edit);
    }
}

pub(crate) fn as_json(value: &impl Serialize) -> Json {
    serde_json::to_string(value)
        .and_then(|text| Json::parse(&text))
        .unwrap_or_else(|error| panic!("it is no JSON: {error}"))
}

fn find_header(headers: &[(String, String)], name: &str) -> Option<String> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
}

/// Sets a value in its first place, and takes all others away.
fn put_pair(
    pairs: &mut Vec<(String, String)>,
    same: fn(&str, &str) -> bool,
    name: String,
    value: String,
) {
    let mut value = Some(value);
    pairs.retain_mut(|(n, v)| {
        if !same(n, &name) {
            return true;
        }
        value.take().map(|value| *v = value).is_some()
    });
    if let Some(value) = value {
        pairs.push((name, value));
    }
}

/// The place that a pointer means; objects on the way that are missing are made.
fn place<'a>(body: &'a mut Json, pointer: &str) -> &'a mut Json {
    let steps = steps(pointer).unwrap_or_else(|| panic!("{pointer} is no JSON pointer"));
    steps.fold(body, |json, step| match json {
        Json::List(items) => {
            let at = if step == "-" { items.len() } else { index(&step).unwrap_or(usize::MAX) };
            if at == items.len() {
                items.push(Json::Null);
            }
            items.get_mut(at).unwrap_or_else(|| panic!("{pointer} is beyond its list"))
        }
        json => {
            if json.is_null() {
                *json = Json::Object(Vec::new());
            }
            let Json::Object(fields) = json else { panic!("{pointer} leads through a value") };
            let at = position(fields, &step).unwrap_or_else(|| {
                fields.push((step, Json::Null));
                fields.len() - 1
            });
            &mut fields[at].1
        }
    })
}

fn remove(body: &mut Json, pointer: &str) {
    let Some((parent, last)) = pointer.rsplit_once('/') else {
        panic!("the body can't be removed, only what is in it");
    };
    if body.at(pointer).is_none() {
        return;
    }
    let last = last.replace("~1", "/").replace("~0", "~");
    match place(body, parent) {
        Json::List(items) => {
            items.remove(index(&last).unwrap_or(usize::MAX));
        }
        object => {
            object.remove(&last);
        }
    }
}
