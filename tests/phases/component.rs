//! The component of the probe (`tests/probe`), without a manifest.

use std::{path::Path, process::Command, sync::LazyLock};

/// Built once, in the folder where the bundled plugins are built: most of it is there already.
pub static COMPONENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let target = Path::new(env!("DOCKGATE_PLUGINS_TARGET_DIR"));
    let built = Command::new(env!("CARGO"))
        .args(["build", "--profile", "plugin", "--locked", "--target", "wasm32-wasip2"])
        .args(["--package", "dockgate-probe", "--target-dir"])
        .arg(target)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the probe is built");
    std::fs::read(target.join("wasm32-wasip2/plugin/dockgate_probe.wasm")).expect("it was built")
});
