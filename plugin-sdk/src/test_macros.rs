//! Tests that a policy gets by naming it. The macros are there on every target, since a crate names
//! them on every target; what they make is not.

/// Makes a test of the crate's `manifest.json`: that `settings` in it is the JSON Schema of the
/// policy's settings. With `DOCKGATE_BLESS=1` in the environment it writes the schema there.
///
/// ```ignore
/// dockgate_plugin::manifest_test!(MyPolicy);
/// ```
#[macro_export]
macro_rules! manifest_test {
    ($policy:ty) => {
        #[cfg(all(test, not(target_family = "wasm")))]
        #[test]
        fn the_manifest_has_the_schema_of_the_settings() {
            $crate::testing::check_manifest::<$policy>(env!("CARGO_MANIFEST_DIR"));
        }
    };
}

/// Makes a test of the crate's `requests.json`, a table of requests and of what is expected:
///
/// ```json
/// [
///   {
///     "settings": { "allowed": ["ghcr.io/acme/*"] },
///     "request": {
///       "method": "POST",
///       "path": "/containers/create",
///       "query": { "name": "web" },
///       "headers": { "X-Team": "web" },
///       "body": { "Image": "nginx" },
///       "time": 1767225600,
///       "found": [{ "kind": "container", "name": "web", "json": { "Id": "4f66" } }]
///     },
///     "verdict": "deny",
///     "status": 403,
///     "says": "docker.io/library/nginx"
///   }
/// ]
/// ```
///
/// Of the request only `method` and `path` are needed; without `settings` the policy is set up from
/// `{}`. The body is shown to the policy if its manifest asks for it, and so are the time and what
/// is found if it asks for the grants.
///
/// | `verdict` | what is expected |
/// | --- | --- |
/// | `allow`, `abstain` | that; `after` is what edits leave, if it is there |
/// | `deny` | a denial, with `status` and with `says` in its words, if they are there |
/// | `respond` | allowed or abstained with a ready answer, with `status` and with `says` in its JSON |
///
/// `after` holds what matters of the request as it would be sent: `target`, `query`, `headers` and
/// `body`. Parameters and headers that are not named there may be anything, those that are `null`
/// must be gone; the body is compared as a whole.
///
/// As in the proxy a request with edits is decided again, until nothing changes.
///
/// ```ignore
/// dockgate_plugin::requests_test!(MyPolicy);
/// ```
#[macro_export]
macro_rules! requests_test {
    ($policy:ty) => {
        #[cfg(all(test, not(target_family = "wasm")))]
        #[test]
        fn requests_are_decided_as_the_table_says() {
            $crate::testing::check_requests::<$policy>(env!("CARGO_MANIFEST_DIR"));
        }
    };
}
