use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Request, Response, Ruling, Sifted, Verdict};

/// A policy: what [`export!`](crate::export) makes a plugin of.
pub trait Policy: Sized + 'static {
    /// What a person may configure, read from JSON. Give it `#[serde(deny_unknown_fields)]`, so
    /// that a misspelt key is refused at start, and `#[serde(default)]` where a default makes sense:
    /// a plugin without settings is given `{}`.
    ///
    /// The JSON Schema of it goes into the manifest: see
    /// [`manifest_test!`](crate::manifest_test).
    type Settings: DeserializeOwned + JsonSchema + 'static;

    /// Sets an instance up. The proxy runs several instances and renews them as it likes, so
    /// nothing may be kept from one request to the next.
    ///
    /// What is wrong with the settings is reported through [`Setup::warn`] and [`Setup::refuse`].
    fn set_up(setup: &mut Setup<Self::Settings>) -> Self;

    /// Decides about a request. A panic refuses it.
    ///
    /// An answer that looked at no more than the head of the request (its operation, method, path,
    /// version, target and kind of body) may be used again for a request that has the same, without
    /// asking.
    fn decide(&self, request: &Request) -> Verdict;

    /// Reviews the daemon's answer to a request that was allowed, for operations whose `response`
    /// the manifest asks for. A panic keeps the answer from the client.
    ///
    /// The request is as it was sent, but for its body, which is gone; nothing of it can be changed.
    fn review(&self, _request: &Request, _response: &Response) -> Ruling {
        Ruling::Pass
    }

    /// Sifts the values of an answer that is a stream of JSON, such as events, one after the other,
    /// for operations whose `items` the manifest asks for. A panic ends the stream.
    ///
    /// Of the request there is what [`review`](Self::review) has.
    fn sift(&self, _request: &Request, _item: &str) -> Sifted {
        Sifted::Keep
    }

    /// What is permitted with these settings, for the person who starts the proxy.
    fn permissions(&self) -> Vec<Permission> {
        Vec::new()
    }
}

/// The settings of a policy that has none: `{}`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

/// What a policy is set up from, and the problems that it finds there.
#[derive(Debug)]
pub struct Setup<S> {
    /// The settings, as the person wrote them.
    pub settings: S,
    environment: Environment,
    other_names: Vec<String>,
    problems: Vec<Problem>,
}

impl<S> Setup<S> {
    /// A setup with these settings and an empty environment.
    pub fn new(settings: S) -> Self {
        Self::given(settings, Vec::new(), Vec::new())
    }

    /// What the proxy gives, variables in the order of their names.
    pub(crate) fn given(
        settings: S,
        environment: Vec<(String, String)>,
        other_names: Vec<String>,
    ) -> Self {
        let environment = Environment(environment);
        Self { settings, environment, other_names, problems: Vec::new() }
    }

    /// The same with these granted variables.
    #[must_use]
    pub fn with_environment<N: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.environment.0.extend(variables);
        self.environment.0.sort();
        self
    }

    /// The same with these names of variables that were not granted.
    #[must_use]
    pub fn with_other_names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.other_names.extend(names.into_iter().map(Into::into));
        self
    }

    /// The variables that the plugin was granted and that are set.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The names of all other variables, where the plugin was granted to see them.
    pub fn other_names(&self) -> &[String] {
        &self.other_names
    }

    /// Reports something that the person should know, and that the plugin can live with.
    pub fn warn(&mut self, subject: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem {
            subject: subject.into(),
            message: message.into(),
            fatal: false,
        });
    }

    /// Reports something without which the plugin can't work: the proxy will not start.
    pub fn refuse(&mut self, subject: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem {
            subject: subject.into(),
            message: message.into(),
            fatal: true,
        });
    }

    /// What has been reported so far.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}

/// Variables of the proxy's environment, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(Vec<(String, String)>);

impl Environment {
    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Something about the settings that the person who wrote them should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A JSON pointer into the settings (`/dialect`), or the name of a variable.
    pub subject: String,
    /// What is wrong, and what to write instead.
    pub message: String,
    /// Whether the plugin can't work so.
    pub fatal: bool,
}

/// One switch of a policy, as it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Its name, as the person wrote it: `CONTAINERS`.
    pub name: String,
    /// Its value: `1`.
    pub value: String,
    /// Whether anything is allowed by it.
    pub open: bool,
    /// What it exposes, in a few words.
    pub exposes: String,
}
