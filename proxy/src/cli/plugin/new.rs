//! `dockgate plugin new`: a crate to begin with.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;

use super::say;
use crate::error::Error;

/// Begin a policy: a crate with tests and with all that it needs, ready to build.
///
/// The crate is a small policy that works: it refuses containers without a label. The SDK is in it,
/// in the folder dockgate, as this binary was built with; nothing of it is in a registry.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct New {
    /// What the policy is called: small letters, digits and dashes
    name: String,
    /// Where the crate is made [default: a folder with its name]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Examples:
  dockgate plugin new team-policy
  dockgate plugin new team-policy --folder policies/team";

/// The files of the crate, with `{{name}}` for what it is called.
const FILES: [(&str, &str); 7] = [
    ("Cargo.toml", include_str!("template/Cargo.toml.in")),
    ("src/lib.rs", include_str!("template/lib.rs.in")),
    ("manifest.json", include_str!("template/manifest.json.in")),
    ("requests.json", include_str!("template/requests.json.in")),
    ("README.md", include_str!("template/README.md.in")),
    (".github/workflows/ci.yml", include_str!("template/ci.yml.in")),
    (".gitignore", include_str!("template/gitignore.in")),
];

/// The SDK and the interface, by their names in the repository: `plugin-sdk/src/lib.rs`.
static SDK: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));
/// Where they are in the crate.
const SDK_FOLDER: &str = "dockgate";

impl New {
    pub(super) fn run(&self) -> Result<(), Error> {
        check(&self.name).map_err(|problem| Error::Value {
            name: "NAME",
            value: self.name.clone(),
            problem,
        })?;
        let folder = self.folder.clone().unwrap_or_else(|| self.name.clone().into());
        let system = |error| Error::File { path: folder.clone(), error };
        fs::create_dir_all(&folder).map_err(system)?;
        if fs::read_dir(&folder).map_err(system)?.next().is_some() {
            let words = "there is something in it already: name another with --folder";
            return Err(system(io::Error::new(io::ErrorKind::AlreadyExists, words)));
        }
        for (name, text) in FILES {
            write(&folder.join(name), &text.replace("{{name}}", &self.name))?;
        }
        for (name, text) in SDK {
            write(&folder.join(SDK_FOLDER).join(name), text)?;
        }
        say(&self.next(&folder));
        Ok(())
    }

    /// What to do now.
    fn next(&self, folder: &Path) -> String {
        let (name, folder) = (&self.name, folder.display());
        format!(
            "{folder} is a policy that works. What comes next:

  cd {folder}
  cargo test                                    # on this machine, without Docker
  dockgate plugin build                         # writes {name}.wasm
  dockgate plugin test {name}.wasm requests.json
  CONTAINERS=1 POST=1 dockgate --demo --plugin bundled:tecnativa --plugin ./{name}.wasm

src/lib.rs is the policy, manifest.json says what it wants to see, README.md has more.
"
        )
    }
}

/// Whether a crate, a plugin and a file can be called so.
fn check(name: &str) -> Result<(), String> {
    /// What Rust has for itself, or the crate would confuse with what is in it.
    const TAKEN: [&str; 12] = [
        "alloc",
        "core",
        "dockgate",
        "dockgate-plugin",
        "proc-macro",
        "schemars",
        "serde",
        "serde-json",
        "std",
        "test",
        "wit-bindgen",
        "build",
    ];
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let well_formed = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(known)
        && !name.ends_with('-')
        && !name.contains("--")
        && name.len() <= 50;
    if !well_formed {
        return Err("is no name for a policy: write small letters, digits and dashes, such as \
                    team-policy"
            .to_owned());
    }
    if TAKEN.contains(&name) || is_keyword(name) {
        return Err(format!("is taken by Rust or by the SDK: write {name}-policy, say"));
    }
    Ok(())
}

/// The words of the Rust reference, "Keywords", strict and reserved, for edition 2024.
fn is_keyword(name: &str) -> bool {
    "as break const continue crate else enum extern false fn for if impl in let loop match mod move \
     mut pub ref return self static struct super trait true type unsafe use where while async await \
     dyn abstract become box do final gen macro override priv typeof unsized virtual yield try"
        .split_whitespace()
        .any(|keyword| keyword == name)
}

/// Writes a file that is not there yet.
fn write(path: &Path, text: &str) -> Result<(), Error> {
    let system = |error| Error::File { path: path.to_owned(), error };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(system)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(system)?;
    file.write_all(text.as_bytes()).map_err(system)
}
