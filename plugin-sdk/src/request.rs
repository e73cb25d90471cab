/// A request under decision, in the form in which it will be sent to the daemon.
///
/// In a plugin the proxy gives it; in a native test [`Request::new`] and the `with_…` methods do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    pub(crate) operation: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) api_version: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) body: String,
    #[cfg(not(target_family = "wasm"))]
    pub(crate) query: Vec<(String, String)>,
    #[cfg(not(target_family = "wasm"))]
    pub(crate) headers: Vec<(String, String)>,
}

impl Request {
    /// A request for a test: no version, no target, the operation `unknown`.
    #[cfg(not(target_family = "wasm"))]
    pub fn new(method: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            operation: "unknown".to_owned(),
            method: method.into(),
            path: path.into(),
            body: "none".to_owned(),
            ..Self::default()
        }
    }

    /// The same as this operation.
    #[cfg(not(target_family = "wasm"))]
    #[must_use]
    pub fn with_operation(mut self, operation: impl Into<String>) -> Self {
        self.operation = operation.into();
        self
    }

    /// The same on this target.
    #[cfg(not(target_family = "wasm"))]
    #[must_use]
    pub fn with_target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// The same with one more parameter in the query.
    #[cfg(not(target_family = "wasm"))]
    #[must_use]
    pub fn with_query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// The same with one more header.
    #[cfg(not(target_family = "wasm"))]
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The endpoint of the Docker Engine API by its name: `container-list`; `unknown` where no
    /// route of the API matches.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// The method, in upper case.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path without the version, decoded and clean.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The version that the path begins with, without the `v`.
    pub fn api_version(&self) -> Option<&str> {
        self.api_version.as_deref()
    }

    /// The container, image, volume … that the path names, as the client wrote it.
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// What kind of body the operation takes: `none`, `json`, `tar` or `stream`.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The first value of a parameter of the query, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        #[cfg(target_family = "wasm")]
        return crate::component::bindings::dockgate::filter::request::query(name);
        #[cfg(not(target_family = "wasm"))]
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
    }

    /// The value of a header; `None` as well for those that carry credentials.
    pub fn header(&self, name: &str) -> Option<String> {
        #[cfg(target_family = "wasm")]
        return crate::component::bindings::dockgate::filter::request::header(name);
        #[cfg(not(target_family = "wasm"))]
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
    }
}
