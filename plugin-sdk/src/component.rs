//! The way from the interface to a [`Policy`] and back, for [`export!`](crate::export).

use std::any::{Any, TypeId};

use serde::de::DeserializeOwned;

use crate::{
    BodyKind, Denial, Json, Misfit, NoSettings, Policy, Problem, Request, Response, Ruling, Setup,
    Sifted, Verdict,
    host::{Answer, Host},
};

#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, clippy::pedantic)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "complete-filter",
        pub_export_macro: true,
        default_bindings_module: "dockgate_plugin::component::bindings",
    });
}

use bindings::dockgate::filter::types;
use bindings::exports::dockgate::filter::{lifecycle, on_item, on_response, overview};

/// Sets a policy up from what the interface gives. No policy where the settings can't be read.
pub fn set_up<P: Policy>(
    settings: &str,
    environment: Vec<(String, String)>,
    other_names: Vec<String>,
) -> (Option<P>, Vec<lifecycle::Problem>) {
    let settings = match read::<P::Settings>(settings) {
        Ok(settings) => settings,
        Err(Misfit { pointer, message }) => {
            let message = format!("the settings don't fit: {message}");
            return (None, vec![lifecycle::Problem { subject: pointer, message, fatal: true }]);
        }
    };
    let mut setup = Setup::given(settings, environment, other_names);
    let policy = P::set_up(&mut setup);
    let as_wit =
        |Problem { subject, message, fatal }| lifecycle::Problem { subject, message, fatal };
    (Some(policy), setup.into_problems().into_iter().map(as_wit).collect())
}

/// Reads settings. Those of a policy without any take no parser of JSON, so that its component has
/// none: that is a fifth of it.
fn read<S: DeserializeOwned + 'static>(settings: &str) -> Result<S, Misfit> {
    if TypeId::of::<S>() != TypeId::of::<NoSettings>() {
        return Json::from_proxy(settings).read();
    }
    let is_empty = settings.bytes().filter(|byte| !byte.is_ascii_whitespace()).eq(*b"{}");
    let none: Box<dyn Any> = Box::new(NoSettings {});
    match none.downcast() {
        Ok(none) if is_empty => Ok(*none),
        _ => Err(Misfit {
            pointer: String::new(),
            message: "there are none to make: write {}".to_owned(),
        }),
    }
}

/// Asks a policy about a request.
pub fn decide<P: Policy>(policy: &P, head: types::RequestHead) -> types::Verdict {
    match policy.decide(&request(head)) {
        Verdict::Abstain => types::Verdict::Abstain,
        Verdict::Allow => types::Verdict::Allow,
        Verdict::Deny(denial) => types::Verdict::Deny(denial.into()),
    }
}

/// Has a policy review an answer.
#[allow(clippy::default_constructed_unit_structs, reason = "in a native build it has fields")]
pub fn review<P: Policy>(policy: &P, head: types::RequestHead, status: u16) -> on_response::Ruling {
    match policy.review(&request(head), &Response { status, answer: Answer::default() }) {
        Ruling::Pass => on_response::Ruling::Pass,
        Ruling::Refuse(denial) => on_response::Ruling::Refuse(denial.into()),
    }
}

/// Has a policy sift a value of an answer.
pub fn sift<P: Policy>(policy: &P, head: types::RequestHead, item: &str) -> on_item::Ruling {
    match policy.sift(&request(head), item) {
        Sifted::Keep => on_item::Ruling::Keep,
        Sifted::Drop => on_item::Ruling::Drop,
        Sifted::Replace(json) => on_item::Ruling::Replace(json),
    }
}

#[allow(clippy::default_constructed_unit_structs, reason = "in a native build it has fields")]
fn request(head: types::RequestHead) -> Request {
    Request {
        operation: head.operation,
        method: head.method,
        path: head.path,
        api_version: head.api_version,
        target: head.target,
        body_kind: BodyKind::from_name(&head.body),
        host: Host::default(),
    }
}

impl From<Denial> for types::Denial {
    fn from(Denial { status, code, message, hint }: Denial) -> Self {
        Self { status, code, message, hint }
    }
}

/// What a policy permits.
pub fn permissions<P: Policy>(policy: &P) -> Vec<overview::Permission> {
    let as_wit = |p: crate::Permission| overview::Permission {
        name: p.name,
        value: p.value,
        open: p.open,
        exposes: p.exposes,
    };
    policy.permissions().into_iter().map(as_wit).collect()
}

/// Makes a plugin of a [`Policy`](crate::Policy). Once in a crate, whose type is `cdylib`; nothing
/// happens on targets other than WebAssembly.
#[macro_export]
macro_rules! export {
    ($policy:ty) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code)]
        const _: () = {
            use $crate::component::bindings;
            use bindings::dockgate::filter::types;
            use bindings::exports::dockgate::filter::{
                lifecycle, on_item, on_request, on_response, overview,
            };

            ::std::thread_local! {
                static POLICY: ::std::cell::OnceCell<$policy> = const { ::std::cell::OnceCell::new() };
            }

            fn with_policy<R>(ask: impl FnOnce(&$policy) -> R) -> R {
                POLICY.with(|policy| ask(policy.get().expect("the proxy configures before it asks")))
            }

            struct Component;

            impl lifecycle::Guest for Component {
                fn configure(
                    settings: String,
                    environment: Vec<(String, String)>,
                    other_names: Vec<String>,
                ) -> Vec<lifecycle::Problem> {
                    let (policy, problems) =
                        $crate::component::set_up::<$policy>(&settings, environment, other_names);
                    if let Some(policy) = policy {
                        POLICY.with(|slot| slot.set(policy).ok().expect("configured once"));
                    }
                    problems
                }
            }

            impl on_request::Guest for Component {
                fn decide(request: types::RequestHead) -> types::Verdict {
                    with_policy(|policy| $crate::component::decide(policy, request))
                }
            }

            impl on_response::Guest for Component {
                fn review(request: types::RequestHead, status: u16) -> on_response::Ruling {
                    with_policy(|policy| $crate::component::review(policy, request, status))
                }
            }

            impl on_item::Guest for Component {
                fn sift(request: types::RequestHead, item: String) -> on_item::Ruling {
                    with_policy(|policy| $crate::component::sift(policy, request, &item))
                }
            }

            impl overview::Guest for Component {
                fn permissions() -> Vec<overview::Permission> {
                    with_policy($crate::component::permissions)
                }
            }

            bindings::export!(Component with_types_in bindings);
        };
    };
}
