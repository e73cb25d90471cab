//! Loading code that was compiled ahead of time: the one place of the project with `unsafe`.
//!
//! Such code is native code. Wasmtime checks that it was made for this version, these settings and
//! this machine, but trusts it otherwise; so a component comes here from two sources only: what
//! this build of the proxy compiled and embedded, and the cache that only the proxy's own user can
//! write ([`super::cache`]).
#![allow(unsafe_code)]

use wasmtime::{Engine, component::Component};

/// Loads what [`Engine::precompile_component`] made.
///
/// The caller answers for where `code` comes from: see the top of this file.
pub(super) fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` is the unchanged output of `Engine::precompile_component`, by the rule above.
    unsafe { Component::deserialize(engine, code) }
}
