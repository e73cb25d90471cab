//! The client libraries, installed below `target/` at the versions that `clients/` pins.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::daemon::{is_installed, skip};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/dockerd/clients");
const INSTALLED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/clients");

/// A language's client, and the session that it runs.
pub struct Client {
    runtime: PathBuf,
    script: &'static str,
}

impl Client {
    /// docker-py. `None`, after a line that says why, where it can't be had.
    pub fn docker_py() -> Option<Self> {
        let runtime = Path::new(INSTALLED).join("venv/bin/python");
        let script = r#"
            python3 -m venv --clear "$INSTALLED/venv"
            "$INSTALLED/venv/bin/pip" install --quiet --requirement requirements.txt
        "#;
        installed("python3", &["requirements.txt"], script)
            .then_some(Self { runtime, script: "session.py" })
    }

    /// dockerode. `None`, after a line that says why, where it can't be had.
    pub fn dockerode() -> Option<Self> {
        let runtime = PathBuf::from("node");
        let script = r#"
            mkdir -p "$INSTALLED"
            cp package.json package-lock.json "$INSTALLED"
            cd "$INSTALLED"
            npm ci --ignore-scripts --no-audit --no-fund
        "#;
        installed("npm", &["package.json", "package-lock.json"], script)
            .then_some(Self { runtime, script: "session.js" })
    }

    /// The program that runs its scripts.
    pub fn runtime(&self) -> &Path {
        &self.runtime
    }

    /// With another script, a path from `clients/`.
    pub fn and_script(self, script: &'static str) -> Self {
        Self { script, ..self }
    }

    /// A program that came with it.
    pub fn program(name: &str) -> PathBuf {
        Path::new(INSTALLED).join("node_modules/.bin").join(name)
    }

    /// Has the client go through its session at an address, and expects that all went as it says.
    pub fn runs(&self, session: &str, address: &str) {
        let output = Command::new("timeout")
            .args(["--kill-after=5", "120"])
            .arg(&self.runtime)
            .arg(format!("{SOURCES}/{}", self.script))
            .args([session, address])
            .env("NODE_PATH", format!("{INSTALLED}/node_modules"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .expect("timeout starts");
        let said = said(&output);
        assert!(output.status.success(), "{} {session} at {address}:\n{said}", self.script);
        assert!(said.contains(&format!("{session} as expected")), "{said}");
    }
}

/// Installs once for each state of the files that say what to install.
fn installed(tool: &str, sources: &[&str], script: &str) -> bool {
    if !is_installed(tool) {
        return false;
    }
    let wanted: String = sources
        .iter()
        .map(|name| fs::read_to_string(Path::new(SOURCES).join(name)).expect("a file of ours"))
        .collect();
    let stamp = Path::new(INSTALLED).join(format!("{tool}.installed"));
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return true;
    }
    fs::create_dir_all(INSTALLED).expect("a folder below target");
    let output = Command::new("sh")
        .args(["-euc", script])
        .current_dir(SOURCES)
        .env("INSTALLED", INSTALLED)
        .output()
        .expect("sh starts");
    if !output.status.success() {
        skip(&format!("the client can't be installed:\n{}", said(&output)));
        return false;
    }
    fs::write(stamp, wanted).expect("a file below target");
    true
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned()
}
