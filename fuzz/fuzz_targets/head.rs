//! A method and a target, `POST /v1.41/containers/a%20b/start?t=5`: what is accepted has one reading,
//! and what is sent for it is its own canonical form.
#![no_main]

use dockgate_fuzz::{canonical, sent};
use http::{Method, Uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some((method, target)) = text.split_once(' ') else { return };
    let (Ok(method), Ok(target)) = (method.parse::<Method>(), target.parse::<Uri>()) else {
        return;
    };
    let Some(request) = canonical(method, target) else { return };

    let path = request.path();
    assert!(path.starts_with('/'), "{path}");
    // The daemon's router redirects what Go's path.Clean would change.
    let steps = path.strip_suffix('/').unwrap_or(path);
    assert!(!path.contains("//"), "{path}");
    assert!(!steps.split('/').any(|step| step == "." || step == ".."), "{path}");
    assert!(!path.chars().any(char::is_control), "{path:?}");

    let (method, uri, _) = sent(&request);
    assert_ne!(uri.path(), "/_dockgate/unsendable", "{path}");
    let again = canonical(method, uri.clone()).expect("what is sent is canonical");
    assert_eq!(again.path(), request.path());
    assert_eq!(again.version(), request.version());
    assert_eq!(again.operation(), request.operation());
    assert_eq!(again.target(), request.target());
    assert_eq!(again.query(), request.query());
    assert_eq!(sent(&again).1, uri);
});
