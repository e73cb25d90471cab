//! The plugin host: components that decide, and the limits that they decide within.

pub mod bundled;
pub mod cache;
mod imports;
mod inert_wasi;
mod instance;
mod loaded;
mod look_ups;
mod manifest;
mod memory;
mod outline;
mod packing;
mod precompiled;
mod remembered;
mod source;
mod world;

#[allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "complete-filter",
        imports: { "dockgate:filter/docker.inspect": async | trappable, default: trappable },
        exports: { default: async },
    });
}

mod engine {
    include!("engine.rs");
}

pub use imports::{Asked, ResponseEdit, ResponseView};
pub use instance::{Cost, Instances, Ruling, Sifted};
pub use loaded::{Clock, Limits, Loaded, Permission, Problem, Setup, check};
pub use look_ups::{Daemon, LookUp, LookUps, Said};
pub use manifest::{Grant, Interest, Manifest, Needs, ResponsePart};
pub use outline::Outline;
pub use precompiled::Code;
pub use source::{Opened, Source};
pub use world::{Misfit, Standing};

/// An engine that runs what was compiled ahead of time, and compiles nothing.
///
/// # Errors
/// Where this machine can't run WebAssembly.
pub fn runtime() -> wasmtime::Result<wasmtime::Engine> {
    wasmtime::Engine::new(engine::engine_config().enable_compiler(false))
}
