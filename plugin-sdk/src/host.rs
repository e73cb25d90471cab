//! The other side of a request and of an answer: in a plugin the imports of the interface, in a
//! native test what the test has set. Both have the same methods.

#[cfg(target_family = "wasm")]
mod imports;
#[cfg(not(target_family = "wasm"))]
mod scene;

#[cfg(target_family = "wasm")]
pub(crate) use imports::{Answer, Host};
#[cfg(not(target_family = "wasm"))]
pub(crate) use scene::{Answer, Host, as_json};
