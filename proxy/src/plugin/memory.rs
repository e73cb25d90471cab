//! How much memory an instance may have, and that it has one.
//!
//! A component may be composed of several, which tools do to put something inert in the place of
//! WASI. What these pass to each other the host copies from one's memory into the other's, and fuel
//! does not count it: with strings of megabytes a worker would stand still for hours. Components
//! never share a memory, and wasmtime lets none call itself, its parent or its child; so where only
//! one memory has anything in it, there is nothing that could be copied.

use wasmtime::ResourceLimiter;

/// What a table takes for an element.
const ELEMENT: usize = size_of::<usize>();

/// What is left of an instance's memory: its linear memory and its tables have a share in it.
pub(super) struct Memory {
    left: usize,
    /// One of its linear memories has something in it.
    has_one: bool,
}

/// A plugin wanted more memory than it may have. An error and not a refusal, which the plugin could
/// go on without, so that nobody wonders about what it then decides.
#[derive(Debug, thiserror::Error)]
#[error("too much memory")]
pub(super) struct TooMuchMemory;

/// A plugin has a second memory that is not empty.
#[derive(Debug, thiserror::Error)]
#[error("it has several memories, and may have one: build it as one component with one memory")]
struct SecondMemory;

impl Memory {
    /// So many bytes.
    pub(super) fn of(bytes: usize) -> Self {
        Self { left: bytes, has_one: false }
    }

    /// How much is left.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    fn take(&mut self, bytes: Option<usize>) -> wasmtime::Result<bool> {
        self.left = bytes.and_then(|bytes| self.left.checked_sub(bytes)).ok_or(TooMuchMemory)?;
        Ok(true)
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if current == 0 && desired > 0 && std::mem::replace(&mut self.has_one, true) {
            return Err(SecondMemory.into());
        }
        self.take(desired.checked_sub(current))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.take(desired.checked_sub(current).and_then(|more| more.checked_mul(ELEMENT)))
    }

    // The system can't give it.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(error)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(error)
    }

    fn instances(&self) -> usize {
        64
    }

    fn tables(&self) -> usize {
        64
    }

    fn memories(&self) -> usize {
        16
    }
}
