//! Write a policy for dockgate in Rust.
//!
//! A policy is a type that implements [`Policy`]: it is set up once from its settings, and is then
//! asked about requests. [`export!`] makes a component of it. Built for the machine's own target
//! the same crate is an ordinary library, so a policy is tested with plain `cargo test`.
//!
//! ```
//! use dockgate_plugin::{Policy, Request, Setup, Verdict};
//!
//! /// Lets clients read, and nothing else.
//! struct ReadOnly;
//!
//! impl Policy for ReadOnly {
//!     type Settings = dockgate_plugin::NoSettings;
//!
//!     fn set_up(_setup: &mut Setup<Self::Settings>) -> Self {
//!         ReadOnly
//!     }
//!
//!     fn decide(&self, request: &Request) -> Verdict {
//!         match request.method() {
//!             "GET" | "HEAD" => Verdict::allow(),
//!             _ => Verdict::deny(format!("{} would change something", request.operation())),
//!         }
//!     }
//! }
//!
//! dockgate_plugin::export!(ReadOnly);
//!
//! let policy = ReadOnly;
//! let list = Request::new("GET", "/containers/json").with_operation("container-list");
//! assert_eq!(policy.decide(&list), Verdict::allow());
//! ```

mod policy;
mod request;
mod verdict;

#[doc(hidden)]
pub mod component;

pub use policy::{NoSettings, Permission, Policy, Problem, Setup};
pub use request::Request;
pub use verdict::{Denial, Verdict};
