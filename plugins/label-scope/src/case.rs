//! One request under decision.

use dockgate_plugin::{Content, Filters, Json, Kind, Request};

use crate::{LabelScope, settings::OutOfScope, stop::Stop, things};

/// A request, and the policy that decides about it.
pub(crate) struct Case<'a> {
    pub(crate) policy: &'a LabelScope,
    pub(crate) request: &'a Request,
}

impl Case<'_> {
    /// What the daemon says of something in scope. All else ends here, and what is not there as what
    /// is hidden: nothing goes to the daemon that was not found.
    pub(crate) fn find(&self, kind: Kind, name: &str) -> Result<Json, Stop> {
        // The daemon takes the names of containers as it shows them, `/web`.
        let slash = if kind == Kind::Container { "/" } else { "" };
        let name = name.strip_prefix(slash).unwrap_or(name);
        let Some(found) = self.request.look_up(kind, name) else {
            return Err(Stop::missing(kind, name));
        };
        if self.is_inside(kind, &found) { Ok(found) } else { Err(self.foreign(kind, name)) }
    }

    /// The target of the request, in scope. Having looked it up, the proxy sends its id.
    pub(crate) fn target(&self, kind: Kind) -> Result<Json, Stop> {
        self.find(kind, self.request.target().unwrap_or_default())
    }

    pub(crate) fn is_inside(&self, kind: Kind, found: &Json) -> bool {
        things::is_inside(&self.policy.scope, self.request, kind, found)
    }

    /// What is said of a thing that is not in scope.
    pub(crate) fn foreign(&self, kind: Kind, name: &str) -> Stop {
        match self.policy.out_of_scope {
            OutOfScope::Hide => Stop::missing(kind, name),
            OutOfScope::Refuse => Stop::refuse(
                "out-of-scope",
                format!("the {} {name} is out of this client's scope", kind.name()),
                format!("that is what carries {}", self.policy.scope),
            ),
        }
    }

    /// The id in the place of a name in a parameter or a body: the name may belong to something else
    /// a moment later.
    pub(crate) fn id(&self, kind: Kind, name: &str) -> Result<String, Stop> {
        id(kind, name, &self.find(kind, name)?)
    }

    /// The JSON body, which must be there.
    pub(crate) fn body(&self) -> Result<Json, Stop> {
        match self.request.body() {
            Content::Json(body @ Json::Object(_)) => Ok(body),
            _ => Err(Stop::malformed(format!(
                "{} takes a JSON object",
                self.request.operation_name()
            ))),
        }
    }

    /// The parameter `filters`.
    pub(crate) fn filters(&self) -> Result<Filters, Stop> {
        self.request.filters().map_err(|bad| Stop::malformed(bad.to_string()))
    }

    /// A parameter of the query; what is empty is not there.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.request.query(name).filter(|value| !value.is_empty())
    }

    /// All values of a parameter of the query that the daemon takes more than once.
    pub(crate) fn query_values(&self, name: &str) -> impl Iterator<Item = String> {
        let all = self.request.query_all().into_iter();
        all.filter(move |(parameter, _)| parameter == name).map(|(_, value)| value)
    }

    /// Puts a value into the body unless it is there already.
    pub(crate) fn put(&self, pointer: &str, old: Option<&Json>, new: &Json) {
        if old != Some(new) {
            self.request.set_json(pointer, new);
        }
    }
}

/// The id of something that was found. A volume has none but its name.
pub(crate) fn id(kind: Kind, name: &str, found: &Json) -> Result<String, Stop> {
    let id = found.get("Id").and_then(Json::as_str).filter(|id| !id.is_empty());
    id.map(str::to_owned).ok_or_else(|| Stop::missing(kind, name))
}

/// A string in a body: empty where it is null or not there, and nothing else may be in its place.
pub(crate) fn text<'j>(json: Option<&'j Json>, what: &str) -> Result<&'j str, Stop> {
    match json {
        None | Some(Json::Null) => Ok(""),
        Some(json) => json.as_str().ok_or_else(|| Stop::malformed(format!("{what} is a string"))),
    }
}

/// A list in a body, likewise.
pub(crate) fn list<'j>(json: Option<&'j Json>, what: &str) -> Result<&'j [Json], Stop> {
    match json {
        None | Some(Json::Null) => Ok(&[]),
        Some(Json::List(items)) => Ok(items),
        Some(_) => Err(Stop::malformed(format!("{what} is a list"))),
    }
}

/// The fields of an object in a body, likewise.
pub(crate) fn fields<'j>(
    json: Option<&'j Json>,
    what: &str,
) -> Result<Vec<(&'j str, &'j Json)>, Stop> {
    match json {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(object @ Json::Object(_)) => Ok(object.entries().collect()),
        Some(_) => Err(Stop::malformed(format!("{what} is an object"))),
    }
}
