//! A plugin for the first interface that shipped, without the SDK: lists are shortened, and nothing
//! else is allowed.
#![cfg(target_family = "wasm")]

#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, clippy::pedantic)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod bindings {
    wit_bindgen::generate!({ path: "../shipped/1.wit", world: "filter" });
}

use bindings::{
    dockgate::filter::{
        client, edit, log, request,
        types::{Denial, RequestHead, Verdict},
    },
    exports::dockgate::filter::{lifecycle, on_request},
};

struct Plugin;

impl lifecycle::Guest for Plugin {
    fn configure(
        settings: String,
        _environment: Vec<(String, String)>,
        _other_names: Vec<String>,
    ) -> Vec<lifecycle::Problem> {
        let message = format!("settings of {} bytes", settings.len());
        vec![lifecycle::Problem { subject: String::new(), message, fatal: false }]
    }
}

impl on_request::Guest for Plugin {
    fn decide(head: RequestHead) -> Verdict {
        log::write(log::Level::Info, &client::listener().unwrap_or_default());
        if head.operation.ends_with("-list") {
            edit::set_query("limit", "5");
            return Verdict::Allow;
        }
        let target = head.target.unwrap_or_default();
        let query: Vec<_> = request::query_all()
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Verdict::Deny(Denial {
            status: 403,
            code: "no".to_owned(),
            message: format!("{} of {target} with {}", head.operation, query.join("&")),
            hint: None,
        })
    }
}

#[allow(unsafe_code, reason = "the bindings export functions")]
mod export {
    super::bindings::export!(Plugin with_types_in super::bindings);
    use super::Plugin;
}
