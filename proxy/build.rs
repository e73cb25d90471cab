//! Builds the bundled plugins from source, compiles them ahead of time, and puts both the code and
//! the manifest where `plugin::bundled` embeds them; and the SDK's text where `plugin new` does.

#![allow(clippy::expect_used, reason = "cargo sets what a build script reads, and shows a panic")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, exit},
};

#[allow(unreachable_pub, reason = "the proxy includes it as well")]
mod engine {
    include!("src/plugin/engine.rs");
}

#[path = "build/sdk.rs"]
mod sdk;

const BUNDLED: &[&str] = &[
    "container-guard",
    "image-registry",
    "label-scope",
    "office-hours",
    "read-only",
    "redact",
    "rules",
    "tecnativa",
];

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("..");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    for watched in ["plugins", "plugin-sdk", "wit", "proxy/src/plugin/engine.rs", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/sdk.rs");
    println!("cargo::rerun-if-changed={}", root.join("Cargo.toml").display());
    sdk::embed(&root, &out);
    shorten_relocations();
    let list: Vec<_> = BUNDLED.iter().map(|name| entry(name)).collect();
    fs::write(out.join("bundled.rs"), format!("&[{}]", list.join(",")))
        .expect("OUT_DIR is writable");
    let target_dir = target_dir_of_plugins(&out);
    println!("cargo::rustc-env=DOCKGATE_PLUGINS_TARGET_DIR={}", target_dir.display());
    for name in BUNDLED {
        let wasm = build(&root, &target_dir, name);
        let code = precompile(&wasm);
        fs::write(out.join(format!("{name}.cwasm")), code).expect("OUT_DIR is writable");
        let manifest = root.join("plugins").join(name).join("manifest.json");
        fs::copy(&manifest, out.join(format!("{name}.json")))
            .unwrap_or_else(|error| fail(&format!("{}: {error}", manifest.display())));
    }
}

/// A plugin in the list of `plugin::bundled`, as Rust.
fn entry(name: &str) -> String {
    format!(
        "Bundled {{ name: {name:?}, manifest: include_str!(\"{name}.json\"), \
         code: include_bytes!(\"{name}.cwasm\") }}"
    )
}

/// The static binary is placed anywhere in memory by a table that a start reads whole: in the format
/// of 2018 (`DT_RELR`, which musl knows since 1.2.4) that is a few kB, and not one MB.
fn shorten_relocations() {
    if env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|libc| libc == "musl") {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// A folder of its own, since cargo holds the lock of the one that it is called from; the same for
/// every profile and target of the proxy, since the plugins are the same. Cargo marks its folder,
/// and the one of a target in it, with `CACHEDIR.TAG`; so do others with folders farther up.
fn target_dir_of_plugins(out: &Path) -> PathBuf {
    let target = env::var_os("TARGET");
    let is_cargos = |folder: &&Path| {
        folder.join("CACHEDIR.TAG").is_file() && folder.file_name() != target.as_deref()
    };
    out.ancestors().find(is_cargos).unwrap_or(out).join("plugins")
}

/// Builds a plugin for `wasm32-wasip2`.
fn build(root: &Path, target_dir: &Path, name: &str) -> Vec<u8> {
    let package = format!("dockgate-plugin-{name}");
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        // Of this one crate type: beside a library that Rust crates can use, cargo leaves out the
        // optimisation across crates.
        .args(["rustc", "--profile", "plugin", "--locked", "--lib", "--crate-type", "cdylib"])
        .args(["--target", "wasm32-wasip2", "--package"])
        .arg(&package)
        .arg("--target-dir")
        .arg(target_dir)
        // What is meant for the proxy's own build must not reach the plugin's.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("RUSTC_WRAPPER");
    let output = command.output().unwrap_or_else(|error| fail(&format!("cargo: {error}")));
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        if words.contains("target may not be installed")
            || words.contains("can't find crate for `core`")
            || words.contains("can't find crate for `std`")
        {
            fail(
                "the bundled plugins are built for wasm32-wasip2, which this toolchain does not \
                  have yet.\n  Run: rustup target add wasm32-wasip2",
            );
        }
        fail(&format!("building the bundled plugin {name} failed:\n{words}"));
    }
    let file = format!("{}.wasm", package.replace('-', "_"));
    let path = target_dir.join("wasm32-wasip2/plugin").join(file);
    fs::read(&path).unwrap_or_else(|error| fail(&format!("{}: {error}", path.display())))
}

/// Compiles a component for the machine that the proxy is built for, without features of the
/// processor that not every such machine has.
fn precompile(wasm: &[u8]) -> Vec<u8> {
    let arch = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets it");
    let os = env::var("CARGO_CFG_TARGET_OS").expect("cargo sets it");
    let mut config = engine::engine_config();
    let target = format!("{arch}-unknown-{os}-gnu");
    config.target(&target).unwrap_or_else(|error| fail(&format!("{target}: {error:#}")));
    wasmtime::Engine::new(&config)
        .and_then(|engine| engine.precompile_component(wasm))
        .unwrap_or_else(|error| fail(&format!("compiling a bundled plugin: {error:#}")))
}

fn fail(words: &str) -> ! {
    for line in words.lines() {
        println!("cargo::error={line}");
    }
    exit(1)
}
