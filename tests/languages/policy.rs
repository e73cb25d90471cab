//! The policy in each language, built once with the tools that `examples/` pins, below `target/`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use serde_json::Value;

use crate::{proxy::Scene, session::skip};

/// Where tools and components are.
pub const BUILT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/languages");
const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A language that the policy is written in.
pub struct Language {
    pub name: &'static str,
    /// What has to be on the machine.
    program: &'static str,
    /// What says which tools are installed.
    pinned: &'static [&'static str],
    /// Installs them into `$BUILT`.
    install: &'static str,
    /// Makes the component `$OUT`; run in the folder of the example.
    build: &'static str,
    source: &'static str,
    /// Makes the component `$OUT` of the plugin that `tests/interface/` has for the first interface.
    build_first: &'static str,
    tools: OnceLock<bool>,
    plugin: OnceLock<Option<PathBuf>>,
}

pub static PYTHON: Language = Language {
    name: "python",
    program: "python3",
    pinned: &["requirements.txt"],
    install: r#"
        python3 -m venv --clear "$BUILT/venv"
        "$BUILT/venv/bin/pip" install --quiet --requirement requirements.txt
    "#,
    build: r#"
        "$BUILT/venv/bin/componentize-py" -d ../../wit -w filter componentize --stub-wasi \
            policy -o "$OUT"
    "#,
    source: "policy.py",
    build_first: r#"
        cd ../../tests/interface/first-python
        "$BUILT/venv/bin/componentize-py" -d ../shipped/1.wit -w filter componentize --stub-wasi \
            first -o "$OUT"
    "#,
    tools: OnceLock::new(),
    plugin: OnceLock::new(),
};

pub static JAVASCRIPT: Language = Language {
    name: "javascript",
    program: "npm",
    pinned: &["package.json", "package-lock.json"],
    install: r#"
        cp package.json package-lock.json "$BUILT"
        cd "$BUILT"
        npm ci --ignore-scripts --no-audit --no-fund
    "#,
    build: r#"
        "$BUILT/node_modules/.bin/componentize-qjs" --wit ../../wit --world filter \
            --js policy.js --sync --stub-wasi -o "$OUT"
    "#,
    source: "policy.js",
    build_first: r#"
        cd ../../tests/interface/first-javascript
        "$BUILT/node_modules/.bin/componentize-qjs" --wit ../shipped/1.wit --world filter \
            --js first.js --sync --stub-wasi -o "$OUT"
    "#,
    tools: OnceLock::new(),
    plugin: OnceLock::new(),
};

/// Does it with the policy in each language whose tools are there.
pub fn in_each_language(what: impl Fn(&Language)) {
    for language in [&PYTHON, &JAVASCRIPT] {
        if language.plugin().is_some() {
            what(language);
        }
    }
}

impl Language {
    /// A proxy whose flags open containers, with the policy behind them.
    pub fn behind_open_flags(&self, settings: &Value) -> Scene {
        let scene = Scene::new().tecnativa().variable("CONTAINERS", "1").variable("POST", "1");
        self.at_the_end_of(scene, settings)
    }

    /// The same with the policy at the end of its chain.
    pub fn at_the_end_of(&self, scene: Scene, settings: &Value) -> Scene {
        let plugin = self.plugin().expect("it was built");
        let component = fs::read(plugin).expect("it was built");
        // Compiling takes seconds.
        let cache = Path::new(BUILT).join("cache");
        scene.with_settings("our-images.wasm", &component, &settings.to_string()).cache(&cache)
    }

    /// The plugin. `None`, after a line that says why, where it can't be built.
    pub fn plugin(&self) -> Option<&Path> {
        self.plugin.get_or_init(|| self.has_tools().then(|| self.built())).as_deref()
    }

    /// Whether the tools are there; installs them once for each state of the files that pin them.
    pub fn has_tools(&self) -> bool {
        *self.tools.get_or_init(|| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            if !std::env::split_paths(&path).any(|folder| folder.join(self.program).exists()) {
                skip(&format!("{} is not installed", self.program));
                return false;
            }
            let installed = self.once("installed", &self.text_of(self.pinned), self.install);
            if let Err(words) = &installed {
                skip(&format!("the tools of {} can't be installed:\n{words}", self.name));
            }
            installed.is_ok()
        })
    }

    /// The plugin, built once for each state of what it is made from.
    fn built(&self) -> PathBuf {
        let made_from = self.text_of(self.pinned)
            + &self.text_of(&[self.source, "manifest.json", "../../wit/filter.wit"])
            + self.build;
        let script = format!(
            "{}\n\"$DOCKGATE\" plugin pack \"$OUT\" --manifest manifest.json \
             --output \"$OUT.packed\" --cache \"$BUILT/cache\"",
            self.build
        );
        self.once("built", &made_from, &script).unwrap_or_else(|words| panic!("{words}"));
        Path::new(BUILT).join(self.name).with_extension("wasm.packed")
    }

    /// The plugin for the first interface that shipped, built once.
    pub fn for_the_first_interface(&self) -> PathBuf {
        let made_from = self.text_of(self.pinned) + self.build_first;
        let script = format!("OUT=\"$BUILT/first-{}.wasm\"\n{}", self.name, self.build_first);
        self.once("first", &made_from, &script).unwrap_or_else(|words| panic!("{words}"));
        Path::new(BUILT).join(format!("first-{}.wasm", self.name))
    }

    fn text_of(&self, files: &[&str]) -> String {
        let folder = Path::new(CHECKOUT).join("examples").join(self.name);
        files.iter().map(|file| fs::read_to_string(folder.join(file)).expect("a file")).collect()
    }

    /// Runs a script, unless that was done before with the same input.
    fn once(&self, what: &str, input: &str, script: &str) -> Result<(), String> {
        let stamp = Path::new(BUILT).join(format!("{}.{what}", self.name));
        if fs::read_to_string(&stamp).is_ok_and(|before| before == input) {
            return Ok(());
        }
        fs::create_dir_all(BUILT).expect("a folder below target");
        let output = Command::new("sh")
            .args(["-euc", script])
            .current_dir(Path::new(CHECKOUT).join("examples").join(self.name))
            .env("BUILT", BUILT)
            .env("OUT", Path::new(BUILT).join(self.name).with_extension("wasm"))
            .env("DOCKGATE", env!("CARGO_BIN_EXE_dockgate"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .expect("sh starts");
        if !output.status.success() {
            return Err(said(&output));
        }
        fs::write(stamp, input).expect("a file below target");
        Ok(())
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned()
}
