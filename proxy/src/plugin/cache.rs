//! Plugins from files: compiled once, in a process of its own, and kept.
//!
//! Compiling takes time and a hundred megabytes, which the serving process shall not have. What
//! comes out is native code, so the cache is a folder that only the proxy's own user can write, and
//! its files are named after what they were made from and for.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

use super::{Code, Manifest, engine::engine_config};

/// How large a component may be.
pub(crate) const LARGEST: u64 = 128 << 20;

/// A plugin from a file, ready to be loaded.
pub struct FromFile {
    /// What it says of itself; one that says nothing is called after its file.
    pub manifest: Manifest,
    /// Its code.
    pub code: Code,
}

/// Compiles a component, unless `cache` has it compiled already. Neither it nor its code is read into
/// memory, unless it can't be kept in the cache.
///
/// # Errors
/// Words on what is wrong with the file, or why it can't be compiled.
pub fn load(engine: &Engine, path: &Path, cache: Option<&Path>) -> Result<FromFile, String> {
    let component = Source::open(path)?;
    let place = cache.map(|folder| folder.join(file_name(engine, &component.digest)));
    let compiled = if let Some(kept) = place.as_deref().and_then(kept) {
        kept
    } else {
        tracing::info!("compiling {}", path.display());
        component.compile(place.as_deref())?
    };
    let manifest = compiled.made_from.manifest.unwrap_or_else(|| named_after(path));
    Ok(FromFile { manifest, code: compiled.code })
}

/// Compiles a component into the cache, unless it is there already, and says in which file.
///
/// # Errors
/// As [`load`], or where it can't be kept.
pub fn fill(engine: &Engine, path: &Path, cache: &Path) -> Result<PathBuf, String> {
    let component = Source::open(path)?;
    let place = cache.join(file_name(engine, &component.digest));
    if kept(&place).is_none() {
        component.compile_into(&place)?;
    }
    Ok(place)
}

/// Reads a component.
///
/// # Errors
/// Words on what is wrong with the file.
pub fn component(path: &Path) -> Result<Vec<u8>, String> {
    let mut component = Vec::new();
    let source = Source::open(path)?;
    (&source.file).read_to_end(&mut component).map_err(|error| error.to_string())?;
    check_is_component(&component)?;
    Ok(component)
}

/// The folder for compiled plugins where none is configured.
pub fn default_folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache"))).map(|f| f.join("dockgate"))
}

/// Compiles from standard input to standard output: what the process of its own does. What comes out
/// is as it stands in the cache.
///
/// # Errors
/// Where the input is no component, or the output is gone.
pub fn compile() -> Result<(), String> {
    let mut component = Vec::new();
    io::stdin().lock().take(LARGEST).read_to_end(&mut component).map_err(|e| e.to_string())?;
    check_is_component(&component)?;
    let made_from = MadeFrom {
        component: digest(&component),
        manifest: Manifest::read(&mut io::Cursor::new(&component))?,
    };
    let code = Engine::new(&engine_config())
        .and_then(|engine| engine.precompile_component(&component))
        .map_err(|error| format!("{error:#}"))?;
    let sealed = sealed(code, &made_from).map_err(|error| error.to_string())?;
    io::stdout().lock().write_all(&sealed).map_err(|error| error.to_string())
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

/// The manifest of a component that has none.
pub fn named_after(path: &Path) -> Manifest {
    let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Manifest { name, ..Manifest::default() }
}

/// The SHA-256 digest of a component, as it is written everywhere: hexadecimal.
pub fn digest(component: &[u8]) -> String {
    hexadecimal(&Sha256::digest(component))
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    format!("{:x}", Bytes::copy_from_slice(bytes))
}

/// After what it was made from, and for which engine.
fn file_name(engine: &Engine, digest: &str) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{digest}-{:016x}.cwasm", hasher.finish())
}

/// A component in a file, which stays open: what was looked at is what is compiled.
struct Source {
    file: fs::File,
    digest: String,
}

/// What was compiled.
struct Compiled {
    code: Code,
    made_from: MadeFrom,
}

/// What stands behind the code: all that there is to know of the component in order to load it.
#[derive(Serialize, Deserialize)]
struct MadeFrom {
    /// Its digest.
    component: String,
    manifest: Option<Manifest>,
}

impl Source {
    fn open(path: &Path) -> Result<Self, String> {
        let words = |error: io::Error| error.to_string();
        let mut file = fs::File::open(path).map_err(words)?;
        let digest = digest_of((&file).take(LARGEST)).map_err(words)?;
        if file.read(&mut [0]).map_err(words)? > 0 {
            return Err("it is larger than 128 MiB".to_owned());
        }
        file.rewind().map_err(words)?;
        Ok(Self { file, digest: hexadecimal(&digest) })
    }

    /// Compiles it into a place in the cache, or else into memory.
    fn compile(&self, place: Option<&Path>) -> Result<Compiled, String> {
        let kept = place.map(|place| (place, self.compile_into(place)));
        if let Some((_, Ok(compiled))) = kept {
            return Ok(compiled);
        }
        let sealed = self.compile_apart(Stdio::piped())?;
        let made_from =
            unsealed(&mut io::Cursor::new(&sealed)).map_err(|error| error.to_string())?;
        let compiled = self.checked(Compiled { code: sealed.into(), made_from });
        if let Some((place, Err(error))) = kept {
            tracing::warn!("the compiled plugin can't be kept in {}: {error}", place.display());
        }
        compiled
    }

    /// Puts it into the cache whole or not at all.
    fn compile_into(&self, place: &Path) -> Result<Compiled, String> {
        let words = |error: io::Error| error.to_string();
        let unfinished = place.with_extension(format!("{}.tmp", std::process::id()));
        let out = new_file(&unfinished).map_err(words)?;
        let put = self
            .compile_apart(Stdio::from(out))
            .and_then(|_| fs::rename(&unfinished, place).map_err(words));
        put.inspect_err(|_| {
            // It is in nobody's way, and there may be none.
            let _ = fs::remove_file(&unfinished);
        })?;
        let compiled = kept(place).ok_or("what was written there can't be read again")?;
        self.checked(compiled)
    }

    /// Has this same program compile it in a process of its own, and gives what that writes to a
    /// pipe.
    fn compile_apart(&self, out: Stdio) -> Result<Vec<u8>, String> {
        let words = |error: io::Error| error.to_string();
        let mut component = self.file.try_clone().map_err(words)?;
        // The copy and the file have one position.
        component.rewind().map_err(words)?;
        let output = Command::new(std::env::current_exe().map_err(words)?)
            .arg("compile")
            .env_clear()
            .stdin(component)
            .stdout(out)
            .stderr(Stdio::piped())
            .spawn()
            .and_then(std::process::Child::wait_with_output)
            .map_err(|error| format!("the compiler could not be started: {error}"))?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            let words = String::from_utf8_lossy(&output.stderr);
            Err(words.trim().trim_start_matches("dockgate: ").to_owned())
        }
    }

    /// That it was made from this component: the file may have been written to in between.
    fn checked(&self, compiled: Compiled) -> Result<Compiled, String> {
        if compiled.made_from.component == self.digest {
            Ok(compiled)
        } else {
            Err("it was changed while it was compiled".to_owned())
        }
    }
}

/// What the cache has, if nobody else can have written it and it is as it was written. Native code
/// that is damaged must not run.
fn kept(file: &Path) -> Option<Compiled> {
    if !is_ours(file.parent()?) {
        return None;
    }
    let mut file = fs::File::open(file).ok()?;
    let made_from = unsealed(&mut file).ok()?;
    Some(Compiled { code: Code::File(file), made_from })
}

/// A folder of our own user that nobody else may write.
pub(crate) fn is_ours(folder: &Path) -> bool {
    let us = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(folder).is_ok_and(|m| m.is_dir() && m.uid() == us && m.mode() & 0o022 == 0)
}

/// A file in the cache that is to be written.
pub(crate) fn new_file(file: &Path) -> io::Result<fs::File> {
    let folder = file.parent().ok_or(io::ErrorKind::NotFound)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if !is_ours(folder) {
        let words = "others may write the folder, so nothing in it can be trusted";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, words));
    }
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)
}

/// How long the length of the text is that stands behind the code.
const LENGTH: usize = size_of::<u64>();

/// Code, what it was made from as JSON, the length of that, and the digest of it all.
fn sealed(mut code: Vec<u8>, made_from: &MadeFrom) -> io::Result<Vec<u8>> {
    let text = serde_json::to_vec(made_from)?;
    code.extend_from_slice(&text);
    code.extend_from_slice(&(text.len() as u64).to_le_bytes());
    let digest = Sha256::digest(&code);
    code.extend_from_slice(&digest);
    Ok(code)
}

/// Checks that what was sealed is whole, and says what it was made from.
fn unsealed(sealed: &mut (impl io::Read + io::Seek)) -> io::Result<MadeFrom> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "it is damaged");
    let (mut length, mut digest) = ([0; LENGTH], Vec::new());
    let all = sealed.seek(SeekFrom::End(0))?;
    let end = all.checked_sub((LENGTH + Sha256::output_size()) as u64).ok_or_else(damaged)?;
    sealed.seek(SeekFrom::Start(end))?;
    sealed.read_exact(&mut length)?;
    sealed.read_to_end(&mut digest)?;
    sealed.rewind()?;
    if digest != digest_of(sealed.by_ref().take(end + LENGTH as u64))? {
        return Err(damaged());
    }
    let length = u64::from_le_bytes(length);
    sealed.seek(SeekFrom::Start(end.checked_sub(length).ok_or_else(damaged)?))?;
    Ok(serde_json::from_reader(sealed.take(length))?)
}

pub(crate) fn digest_of(mut source: impl io::Read) -> io::Result<Vec<u8>> {
    let (mut digest, mut part) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        match source.read(&mut part)? {
            0 => return Ok(digest.finalize().to_vec()),
            read => digest.update(&part[..read]),
        }
    }
}
