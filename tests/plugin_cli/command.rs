//! A folder to work in, and the binary in it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{component, wat::Plugin};

/// A folder with files, in which commands are run.
pub struct Bench {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub words: String,
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, variables: Vec::new() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The same with this file.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.folder.path().join(name), content).expect("a fresh folder");
        self
    }

    /// The same with this plugin as `NAME.wasm`.
    pub fn plugin(self, name: &str, plugin: &Plugin) -> Self {
        self.file(&format!("{name}.wasm"), plugin.build())
    }

    /// The same with `probe.wasm`, a plugin that does what its settings say, and asks for all that
    /// there is to see of these operations.
    pub fn probe(self, operations: &[&str]) -> Self {
        let interest = json!({
            "operations": operations, "request-body": true, "response": "json", "items": true
        });
        let manifest =
            json!({ "name": "probe", "grants": ["look-ups", "clock"], "interests": [interest] });
        let bench = self
            .file("component.wasm", &*component::COMPONENT)
            .file("manifest.json", manifest.to_string());
        bench.does("pack component.wasm");
        bench
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs `dockgate plugin` with these words; each stands alone.
    pub fn run(&self, words: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockgate"));
        command.arg("plugin").args(words);
        self.finish(command)
    }

    /// The same for words without spaces, which must succeed.
    pub fn does(&self, words: &str) -> Said {
        let words: Vec<_> = words.split(' ').collect();
        let said = self.run(&words);
        assert_eq!(said.code, Some(0), "{words:?}: {said:?}");
        said
    }

    /// The same, with a mistake in it: gives what is said of that.
    pub fn refuses(&self, words: &[&str]) -> String {
        let said = self.run(words);
        assert_eq!(said.code, Some(2), "{words:?}: {said:?}");
        said.words
    }

    /// Runs it in the folder, with the compiled plugins kept there.
    pub fn finish(&self, mut command: Command) -> Said {
        let output = command
            .current_dir(self.path())
            .env("DOCKGATE_CACHE", self.cache())
            .env_remove("CONTAINERS")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("the command starts");
        Said {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("text"),
            words: String::from_utf8(output.stderr).expect("text"),
        }
    }

    pub fn cache(&self) -> PathBuf {
        self.path().join("cache")
    }
}

impl Said {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// That a line begins and goes on so, whatever is between.
    #[track_caller]
    pub fn has_line(&self, name: &str, rest: &str) -> &Self {
        let fits = |line: &str| {
            line.trim_start().strip_prefix(name).is_some_and(|after| after.trim() == rest)
        };
        assert!(self.out.lines().any(fits), "no line {name:?} {rest:?}:\n{}", self.out);
        self
    }

    #[track_caller]
    pub fn is(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}
