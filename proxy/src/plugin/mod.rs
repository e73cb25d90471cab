//! The plugin host: components that decide, and the limits that they decide within.

pub mod bundled;
pub mod cache;
mod imports;
mod inert_wasi;
mod instance;
mod manifest;
mod memory;
mod precompiled;
mod remembered;

#[allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "filter-with-overview",
        imports: { default: trappable },
    });
}

mod engine {
    include!("engine.rs");
}

pub use instance::{Asked, Instances, Limits, Loaded, Permission, Problem, Setup};
pub use manifest::Manifest;

/// An engine that runs what was compiled ahead of time, and compiles nothing.
///
/// # Errors
/// Where this machine can't run WebAssembly.
pub fn runtime() -> wasmtime::Result<wasmtime::Engine> {
    wasmtime::Engine::new(engine::engine_config().enable_compiler(false))
}
