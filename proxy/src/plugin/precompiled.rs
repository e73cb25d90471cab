//! Loading code that was compiled ahead of time: the one place of the project with `unsafe`.
//!
//! Such code is native code. Wasmtime checks that it was made for this version, these settings and
//! this machine, but trusts it otherwise; so a component comes here from two sources only: what
//! this build of the proxy compiled and embedded, and what it has just compiled or finds in the
//! cache that only the proxy's own user can write ([`super::cache`]).
#![allow(unsafe_code)]

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    os::fd::AsRawFd as _,
};

use wasmtime::{Engine, component::Component};

/// Code that was compiled ahead of time.
#[derive(Debug)]
pub enum Code {
    /// In this binary.
    Embedded(&'static [u8]),
    /// In memory.
    Compiled(Vec<u8>),
    /// In a file of the cache, at its beginning.
    File(File),
}

impl Code {
    /// How many bytes it has.
    pub fn size(&self) -> usize {
        match self {
            Self::Embedded(code) => code.len(),
            Self::Compiled(code) => code.len(),
            Self::File(file) => {
                file.metadata().map_or(0, |file| usize::try_from(file.len()).unwrap_or(usize::MAX))
            }
        }
    }
}

impl From<Vec<u8>> for Code {
    fn from(code: Vec<u8>) -> Self {
        Self::Compiled(code)
    }
}

/// Loads what [`Engine::precompile_component`] made.
///
/// The caller answers for where `code` comes from: see the top of this file.
pub(super) fn load(engine: &Engine, code: &Code) -> wasmtime::Result<Component> {
    match code {
        Code::Embedded(code) => from_memory(engine, code),
        Code::Compiled(code) => from_memory(engine, code),
        // Where it can't be mapped, on a file system whose files must not be executed, it is read.
        Code::File(file) => mapped(engine, file).or_else(|_| from_memory(engine, &read(file)?)),
    }
}

fn from_memory(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` begins with the unchanged output of `Engine::precompile_component`, by the rule
    // above, and no section of that names what may stand behind it.
    unsafe { Component::deserialize(engine, code) }
}

/// Maps a file: what of it is not used is not in memory, and what is used only once for all that map
/// it.
fn mapped(engine: &Engine, file: &File) -> wasmtime::Result<Component> {
    // The open file itself and not its name, which may be another file's by now.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // SAFETY: the file begins with the unchanged output of `Engine::precompile_component`: its digest
    // was compared when this same file was open already, and nothing names what stands behind it. It
    // stays as it is while it is mapped: only our own user can write it, and the cache never writes
    // into a file that has its name, it puts another in its place.
    unsafe { Component::deserialize_file(engine, path) }
}

fn read(mut file: &File) -> io::Result<Vec<u8>> {
    let mut code = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut code)?;
    Ok(code)
}
