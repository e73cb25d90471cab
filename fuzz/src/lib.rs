//! What is fuzzed: a request in its canonical form, the files of the proxy themselves.
#![allow(dead_code, reason = "the proxy uses the rest")]
#![allow(missing_docs, reason = "the proxy's own build asks for them")]

#[path = "../../proxy/src/nearest.rs"]
pub mod nearest;
#[path = "../../proxy/src/request/mod.rs"]
pub mod request;

use http::{HeaderMap, Method, Request, Uri, header};
use request::{ApiVersion, CanonicalRequest};

/// The canonical form of a request for a target, or nothing where it has none.
pub fn canonical(method: Method, target: Uri) -> Option<CanonicalRequest> {
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = target;
    request.headers_mut().insert(header::HOST, header::HeaderValue::from_static("docker"));
    let oldest = ApiVersion { major: 1, minor: 24 };
    CanonicalRequest::new(request.into_parts().0, oldest).ok()
}

/// What is sent for it, and its own canonical form.
pub fn sent(request: &CanonicalRequest) -> (Method, Uri, HeaderMap) {
    request.clone().into_parts()
}
