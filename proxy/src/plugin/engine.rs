// How WebAssembly is compiled and run. The build script includes this file as well: code that was
// compiled ahead of time only loads in an engine with the same settings.

use wasmtime::Config;

/// The settings of the engine.
pub(super) fn engine_config() -> Config {
    let mut config = Config::new();
    config
        // Costs two to three times the call where plugins don't use it, and ours can't.
        .concurrency_support(false)
        // The limit of time: deterministic, so the same request always gets the same verdict, and
        // without a clock. Bulk operations are charged by the byte.
        .consume_fuel(true)
        // Enough for a JSON parser's recursion, and a stack overflow of the guest stays its trap.
        .max_wasm_stack(256 << 10)
        // The same, and as much for what the proxy does on behalf of a guest.
        .async_stack_size(512 << 10)
        // What plugins have no use for is not there to be attacked.
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        // Smaller code; a trap is reported by its kind.
        .generate_address_map(false)
        .native_unwind_info(false)
        .wasm_backtrace_max_frames(None);
    config
}
