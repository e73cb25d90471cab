//! How much memory an instance may have.

use wasmtime::ResourceLimiter;

/// What a table takes for an element.
const ELEMENT: usize = size_of::<usize>();

/// What is left of an instance's memory: all its linear memories and tables have a share in it.
pub(super) struct Memory {
    left: usize,
}

/// A plugin wanted more memory than it may have. An error and not a refusal, which the plugin could
/// go on without, so that nobody wonders about what it then decides.
#[derive(Debug, thiserror::Error)]
#[error("too much memory")]
pub(super) struct TooMuchMemory;

impl Memory {
    /// So many bytes.
    pub(super) fn of(bytes: usize) -> Self {
        Self { left: bytes }
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
