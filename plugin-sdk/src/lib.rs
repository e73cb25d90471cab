//! Write a policy for dockgate in Rust.
//!
//! A policy is a type that implements [`Policy`]: it is set up once from its settings, and is then
//! asked about requests. [`export!`] makes a component of it. Built for the machine's own target
//! the same crate is an ordinary library, so a policy is tested with plain `cargo test`.
//!
//! ```
//! use dockgate_plugin::{NoSettings, Operation, Policy, Request, Setup, Verdict};
//!
//! /// Containers run what this host built: none from an image of elsewhere.
//! struct LocalImages;
//!
//! impl Policy for LocalImages {
//!     type Settings = NoSettings;
//!
//!     fn set_up(_: &mut Setup<NoSettings>) -> Self {
//!         LocalImages
//!     }
//!
//!     fn decide(&self, request: &Request) -> Verdict {
//!         if request.operation() != Operation::ContainerCreate {
//!             return Verdict::abstain();
//!         }
//!         match request.body_at("/Image") {
//!             Some(image) if image.as_str().is_some_and(|name| name.starts_with("local/")) => {
//!                 Verdict::abstain()
//!             }
//!             _ => Verdict::deny("containers are made from images of local/… alone"),
//!         }
//!     }
//! }
//!
//! dockgate_plugin::export!(LocalImages);
//!
//! // In a test:
//! use dockgate_plugin::json;
//!
//! let create = Request::of(Operation::ContainerCreate);
//! let own = create.clone().with_body(json!({ "Image": "local/web" }));
//! LocalImages.decide(&own).assert_abstained();
//! let foreign = create.with_body(json!({ "image": "evil" }));
//! LocalImages.decide(&foreign).assert_denied_with("local/… alone");
//! ```
//!
//! What a plugin wants beyond the heads of requests (their bodies, the daemon's answers, look-ups,
//! the time) is in its manifest, `manifest.json` beside `Cargo.toml`:
//!
//! ```json
//! {
//!   "name": "local-images",
//!   "interests": [{ "operations": ["container-create"], "request-body": true }]
//! }
//! ```

mod client;
mod filters;
mod fold;
mod host;
mod json;
pub mod labels;
mod look_up;
mod operation;
mod policy;
mod request;
mod response;
mod test_macros;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod typed;
mod verdict;

#[doc(hidden)]
pub mod component;

pub use schemars;
pub use serde_json::json;

pub use client::{Certificate, Client, Container};
pub use filters::{BadFilters, Filters};
pub use json::{Content, Json};
pub use look_up::Kind;
pub use operation::{BodyKind, Operation};
pub use policy::{Environment, NoSettings, Permission, Policy, Problem, Setup};
pub use request::Request;
pub use response::Response;
pub use typed::Misfit;
pub use verdict::{Denial, Ruling, Sifted, Verdict};
