//! What a native test has in the place of the proxy.
//!
//! [`Request::of`](crate::Request::of) and [`Request::to`](crate::Request::to) make requests, the
//! `with_…` methods set what surrounds them, and after [`Policy::decide`](crate::Policy::decide)
//! there is what was staged:
//!
//! ```
//! use dockgate_plugin::{Operation, Request, testing::Edit};
//!
//! let list = Request::of(Operation::ContainerList).with_query("all", "1");
//! list.set_query("all", "0"); // as a policy would
//! assert_eq!(list.edits(), [Edit::SetQuery("all".to_owned(), "0".to_owned())]);
//! assert_eq!(list.edited().query("all").as_deref(), Some("0"));
//! ```
//!
//! What is a fault in the proxy is a panic here.

mod identity;
mod manifest;
mod request;
mod response;
mod route;
mod table;
mod verdict;

pub use crate::operation::{Route, routes};
pub use identity::{Certificate, Container};
pub use manifest::check_manifest;
pub use request::Edit;
pub use response::ResponseEdit;
pub use table::check_requests;
