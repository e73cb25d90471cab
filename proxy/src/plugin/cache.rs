//! Plugins from files: compiled once, in a process of its own, and kept.
//!
//! Compiling takes time and a hundred megabytes, which the serving process shall not have. What
//! comes out is native code, so the cache is a folder that only the proxy's own user can write, and
//! its files are named after what they were made from and for.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use wasmparser::{CanonicalFunction, Parser, Payload};
use wasmtime::Engine;

use super::{Manifest, engine::engine_config};

/// How large a component may be.
const LARGEST: u64 = 128 << 20;

/// A plugin from a file, ready to be loaded.
pub struct FromFile {
    /// What it says of itself; one that says nothing is called after its file.
    pub manifest: Manifest,
    /// Its code, compiled ahead of time.
    pub code: Vec<u8>,
}

/// Reads a component, and compiles it unless `cache` has it compiled already.
///
/// # Errors
/// Words on what is wrong with the file, or why it can't be compiled.
pub fn load(engine: &Engine, path: &Path, cache: Option<&Path>) -> Result<FromFile, String> {
    let component = read(path).map_err(|error| error.to_string())?;
    check_is_component(&component)?;
    check_is_one(&component)?;
    let manifest = Manifest::read(&component)?.unwrap_or_else(|| named_after(path));
    let cached = cache.map(|folder| folder.join(file_name(engine, &component)));
    if let Some(code) = cached.as_deref().and_then(kept) {
        return Ok(FromFile { manifest, code });
    }
    tracing::info!("compiling {}", path.display());
    let code = compile_apart(component)?;
    if let Some(file) = cached
        && let Err(error) = keep(&file, &code)
    {
        tracing::warn!("the compiled plugin can't be kept in {}: {error}", file.display());
    }
    Ok(FromFile { manifest, code })
}

/// The folder for compiled plugins where none is configured.
pub fn default_folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache"))).map(|f| f.join("dockgate"))
}

/// Compiles from standard input to standard output: what the process of its own does.
///
/// # Errors
/// Where the input is no component, or the output is gone.
pub fn compile() -> Result<(), String> {
    let mut component = Vec::new();
    io::stdin().lock().take(LARGEST).read_to_end(&mut component).map_err(|e| e.to_string())?;
    let code = Engine::new(&engine_config())
        .and_then(|engine| engine.precompile_component(&component))
        .map_err(|error| format!("{error:#}"))?;
    io::stdout().lock().write_all(&code).map_err(|error| error.to_string())
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut component = Vec::new();
    fs::File::open(path)?.take(LARGEST + 1).read_to_end(&mut component)?;
    if component.len() as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 128 MiB"));
    }
    Ok(component)
}

/// By the preamble (component model, Binary.md): `\0asm`, a version, a layer.
fn check_is_component(bytes: &[u8]) -> Result<(), String> {
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => Ok(()),
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => {
            Err("it is a core module: a plugin is a component (build for wasm32-wasip2)".to_owned())
        }
        _ => Err("it is not WebAssembly".to_owned()),
    }
}

/// Not several in one: what these pass to each other the host copies, and fuel does not count it.
fn check_is_one(component: &[u8]) -> Result<(), String> {
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|error| error.to_string())? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentCanonicalSection(functions) if depth > 1 => {
                for function in functions {
                    let function = function.map_err(|error| error.to_string())?;
                    if matches!(function, CanonicalFunction::Lift { .. }) {
                        return Err("it is composed of several components, whose calls of each \
                                    other no limit of time covers: build it as one"
                            .to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn named_after(path: &Path) -> Manifest {
    let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Manifest { name, ..Manifest::default() }
}

/// After what it was made from, and for which engine.
fn file_name(engine: &Engine, component: &[u8]) -> String {
    let digest = Bytes::copy_from_slice(&Sha256::digest(component));
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{digest:x}-{:016x}.cwasm", hasher.finish())
}

/// What the cache has, if nobody else can have written it and it is as it was written: the digest
/// of the code stands behind the code. Native code that is damaged must not run.
fn kept(file: &Path) -> Option<Vec<u8>> {
    if !is_ours(file.parent()?) {
        return None;
    }
    let mut code = fs::read(file).ok()?;
    let digest = code.split_off(code.len().checked_sub(Sha256::output_size())?);
    (*Sha256::digest(&code) == *digest).then_some(code)
}

/// A folder of our own user that nobody else may write.
fn is_ours(folder: &Path) -> bool {
    let us = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(folder).is_ok_and(|m| m.is_dir() && m.uid() == us && m.mode() & 0o022 == 0)
}

/// Puts it into the cache whole or not at all.
fn keep(file: &Path, code: &[u8]) -> io::Result<()> {
    let folder = file.parent().ok_or(io::ErrorKind::NotFound)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if !is_ours(folder) {
        let words = "others may write the folder, so nothing in it can be trusted";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, words));
    }
    let unfinished = file.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = fs::OpenOptions::new();
    let mut out = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    out.write_all(code)?;
    out.write_all(&Sha256::digest(code))?;
    fs::rename(&unfinished, file)
}

/// Has this same program compile it in a process of its own.
fn compile_apart(component: Vec<u8>) -> Result<Vec<u8>, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut compiler = Command::new(program)
        .arg("compile")
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("the compiler could not be started: {error}"))?;
    let stdin = compiler.stdin.take();
    let feeder = std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&component)));
    let output = compiler.wait_with_output().map_err(|error| error.to_string())?;
    // A compiler that did not read to the end has said why.
    let _ = feeder.join();
    if output.status.success() {
        Ok(output.stdout)
    } else {
        let words = String::from_utf8_lossy(&output.stderr);
        Err(words.trim().trim_start_matches("dockgate: ").to_owned())
    }
}
