//! What of WASI a guest's standard library may import: nothing that does anything.
//!
//! Rust's standard library for `wasm32-wasip2` imports the environment, the standard streams and
//! their machinery even where a plugin never uses them. They are linked, and inert: the environment
//! is empty, input is closed, exiting is a trap, and what is written to the output streams, a
//! panic's words, goes to the log as the plugin's. An import beyond that is refused when loading.

use wasmtime::{
    Engine, StoreContextMut,
    component::{
        Component, Linker, LinkerInstance, Resource, ResourceType, Val,
        types::{ComponentFunc, ComponentInstance, ComponentItem},
    },
};

use super::{bindings::dockgate::filter::log::Level, imports::Context};

/// A handle to a stream, a terminal or the like; all of them are the same nothing.
struct Inert;

/// What is linked. The seed is what `std::collections::HashMap` asks for.
const KNOWN: [&str; 3] = ["wasi:cli/", "wasi:io/", "wasi:random/insecure-seed@"];

/// Whether an import by this name is linked.
pub(super) fn is_inert(import: &str) -> bool {
    KNOWN.iter().any(|known| import.starts_with(known))
}

/// Links those imports that a component has, under their own versions.
///
/// # Errors
/// The name of the first import that nobody grants.
pub(super) fn add_to(
    linker: &mut Linker<Context>,
    engine: &Engine,
    component: &Component,
) -> Result<(), String> {
    for (name, import) in component.component_type().imports(engine) {
        if name.starts_with("dockgate:filter/") {
            continue;
        }
        let known = is_inert(name);
        let ComponentItem::ComponentInstance(interface) = import.ty else {
            return Err(name.to_owned());
        };
        if !known {
            return Err(name.to_owned());
        }
        let mut instance = linker.instance(name).map_err(|error| error.to_string())?;
        define(&mut instance, engine, &interface).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn define(
    instance: &mut LinkerInstance<Context>,
    engine: &Engine,
    interface: &ComponentInstance,
) -> wasmtime::Result<()> {
    for (name, export) in interface.exports(engine) {
        match export.ty {
            ComponentItem::Resource(_) => {
                instance.resource(name, ResourceType::host::<Inert>(), |_, _| Ok(()))?;
            }
            ComponentItem::ComponentFunc(_) => {
                let function = name.to_owned();
                instance.func_new(
                    name,
                    move |mut store, _ty: ComponentFunc, arguments, results| {
                        store.data_mut().count_call(bytes_in(arguments))?;
                        match results.first_mut() {
                            Some(result) => *result = answer(&mut store, &function, arguments)?,
                            // All that can be waited for is an output stream, which is ready.
                            None if function == "[method]pollable.block" => {}
                            // `exit`, and nothing else that a guest comes by.
                            None => wasmtime::bail!("the plugin called {function}"),
                        }
                        give_back(&mut store, arguments)
                    },
                )?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The inert answer of a function.
fn answer(
    store: &mut StoreContextMut<Context>,
    function: &str,
    arguments: &[Val],
) -> wasmtime::Result<Val> {
    let done = Val::Result(Ok(None));
    Ok(match function {
        "get-environment" | "get-arguments" => Val::List(Vec::new()),
        "initial-cwd" => Val::Option(None),
        // The same for all, so that a plugin decides the same each time.
        "insecure-seed" => Val::Tuple(vec![Val::U64(0), Val::U64(0)]),
        name if name.starts_with("get-terminal-") => Val::Option(None),
        "get-stdin" | "get-stdout" | "get-stderr" | "[method]output-stream.subscribe" => {
            Val::Resource(Resource::<Inert>::new_own(0).try_into_resource_any(store)?)
        }
        "[method]output-stream.check-write" => Val::Result(Ok(Some(Box::new(Val::U64(4096))))),
        "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush" => {
            if let Some(Val::List(bytes)) = arguments.get(1) {
                log(store.data_mut(), bytes);
            }
            done
        }
        "[method]output-stream.flush" | "[method]output-stream.blocking-flush" => done,
        other => wasmtime::bail!("the plugin called {other}, which WASI is not granted for"),
    })
}

/// Ends the loans of handles that a call was given: a call that keeps one is a trap.
fn give_back(store: &mut StoreContextMut<Context>, arguments: &[Val]) -> wasmtime::Result<()> {
    for argument in arguments {
        if let Val::Resource(handle) = argument {
            // What it is turned into is ours, and nothing.
            handle.try_into_resource::<Inert>(&mut *store)?;
        }
    }
    Ok(())
}

fn bytes_in(arguments: &[Val]) -> usize {
    let bytes = |value: &Val| if let Val::List(bytes) = value { bytes.len() } else { 0 };
    arguments.iter().map(bytes).sum()
}

fn log(context: &mut Context, bytes: &[Val]) {
    let byte = |value: &Val| if let Val::U8(byte) = value { Some(*byte) } else { None };
    let text: Vec<u8> = bytes.iter().filter_map(byte).collect();
    for line in String::from_utf8_lossy(&text).lines().filter(|line| !line.trim().is_empty()) {
        context.log(Level::Error, line);
    }
}
