//! `dockgate plugin build`: from a Rust crate to a plugin.

use std::{
    io::BufRead as _,
    io::BufReader,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::Args;
use serde_json::Value;

use super::{Cache, pack};
use crate::error::Error;

/// Build the crate in this folder, and make a plugin of it.
///
/// Runs cargo for wasm32-wasip2 with settings that make small code, puts manifest.json into the
/// component, and sees that the proxy can load it.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Build {
    /// The Cargo.toml of the crate [default: the one of this folder, or of one above it]
    #[arg(long, value_name = "FILE")]
    manifest_path: Option<PathBuf>,
    /// Where the plugin is written [default: its name and .wasm, beside Cargo.toml]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    cache: Cache,
}

const AFTER_HELP: &str = "\
Examples:
  dockgate plugin build
  dockgate plugin build --manifest-path my-policy/Cargo.toml --output team-policy.wasm";

const TARGET: &str = "wasm32-wasip2";
/// What makes small code: a plugin is compiled again, for the machine that it runs on.
const PROFILE: [(&str, &str); 5] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_STRIP", "true"),
];

impl Build {
    pub(super) fn run(&self) -> Result<(), Error> {
        let cargo_toml = self.locate()?;
        let path = cargo_toml.with_file_name("manifest.json");
        let manifest = pack::read_manifest(&path)?;
        check_target(&cargo_toml)?;
        let component = build(&cargo_toml)?;
        pack::pack(&component, &manifest, &path, self.output.as_deref(), &self.cache)
    }

    /// The crate's Cargo.toml, as cargo finds it.
    fn locate(&self) -> Result<PathBuf, Error> {
        let mut cargo = Command::new("cargo");
        cargo.args(["locate-project", "--message-format", "plain"]);
        if let Some(path) = &self.manifest_path {
            cargo.arg("--manifest-path").arg(path);
        }
        let output = cargo.stderr(Stdio::inherit()).output().map_err(|error| no_cargo(&error))?;
        let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() || path.is_empty() {
            let words = "there is no crate here: begin one with `dockgate plugin new NAME`, or name \
                         its Cargo.toml with --manifest-path";
            return Err(Error::Build(words.to_owned()));
        }
        Ok(path.into())
    }
}

/// Sees that the toolchain of the crate's folder has the target: cargo's own words on that do not say
/// what to do on every machine.
fn check_target(cargo_toml: &Path) -> Result<(), Error> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]).stderr(Stdio::null());
    if let Some(folder) = cargo_toml.parent() {
        rustc.current_dir(folder);
    }
    let output = rustc.output().map_err(|error| no_cargo(&error))?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && folder.is_dir() {
        return Ok(());
    }
    Err(Error::Build(format!(
        "this toolchain can't build for {TARGET} yet: run `rustup target add {TARGET}`"
    )))
}

/// Runs cargo, which shows its progress and its errors itself, and gives the component.
fn build(cargo_toml: &Path) -> Result<PathBuf, Error> {
    let mut cargo = Command::new("cargo")
        .args(["build", "--release", "--lib", "--target", TARGET])
        .args(["--message-format", "json-render-diagnostics", "--manifest-path"])
        .arg(cargo_toml)
        .envs(PROFILE)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| no_cargo(&error))?;
    let lines = cargo.stdout.take().map(|out| BufReader::new(out).lines());
    let component = lines
        .into_iter()
        .flatten()
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str(&line).ok())
        .filter_map(|message| component_in(&message, cargo_toml))
        .last();
    let ended = cargo.wait().map_err(|error| no_cargo(&error))?;
    if !ended.success() {
        return Err(Error::Build("cargo could not build the crate: see above".to_owned()));
    }
    component.ok_or_else(|| {
        let words = "the crate makes no component: give it a [lib] with crate-type = [\"cdylib\", \
                     \"rlib\"]";
        Error::Build(format!("{}: {words}", cargo_toml.display()))
    })
}

/// The component that a message of cargo's says it has made of this crate.
fn component_in(message: &Value, cargo_toml: &Path) -> Option<PathBuf> {
    let is_ours = message["reason"] == "compiler-artifact"
        && message["manifest_path"].as_str().map(Path::new) == Some(cargo_toml);
    let files = message["filenames"].as_array().filter(|_| is_ours)?;
    let mut files = files.iter().filter_map(Value::as_str).map(PathBuf::from);
    files.find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

fn no_cargo(error: &std::io::Error) -> Error {
    Error::Build(format!(
        "cargo could not be run ({error}): it comes with Rust, see https://rustup.rs"
    ))
}
