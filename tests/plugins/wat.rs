//! Plugins in the text format of WebAssembly, so that they can misbehave in every way there is.

use std::fmt::Write as _;

/// A plugin, complete but for what it does.
///
/// In the WAT of its functions a text in quotes stands for its address and its length:
/// `(call $set-query "limit" "5")`. `prelude.wat` has the functions that can be called.
#[derive(Clone)]
pub struct Plugin {
    decide: String,
    configure: String,
    functions: String,
    pages: u32,
    manifest: String,
    imports: String,
    host_functions: Vec<HostFunction>,
    permissions: Option<String>,
    renamed: Option<(String, String)>,
}

/// A function that the plugin imports besides those of its world.
#[derive(Clone)]
struct HostFunction {
    name: String,
    signature: String,
    lowered: String,
}

impl Plugin {
    /// That answers so. The WAT leaves the address of a verdict: `(call $allow)`.
    pub fn deciding(decide: &str) -> Self {
        Self {
            decide: decide.to_owned(),
            configure: String::new(),
            functions: String::new(),
            pages: 9,
            manifest: String::new(),
            imports: String::new(),
            host_functions: Vec::new(),
            permissions: None,
            renamed: None,
        }
    }

    /// That allows everything.
    pub fn allowing() -> Self {
        Self::deciding("(call $allow)")
    }

    /// That keeps silent.
    pub fn abstaining() -> Self {
        Self::deciding("(call $abstain)")
    }

    /// That denies everything, with these words.
    pub fn denying(message: &str) -> Self {
        Self::deciding(&format!("(call $deny (i32.const 403) \"{message}\")"))
    }

    /// The same, that does this when it is set up.
    pub fn configuring(mut self, configure: &str) -> Self {
        configure.clone_into(&mut self.configure);
        self
    }

    /// The same with these functions and globals in its core module.
    pub fn with(mut self, functions: &str) -> Self {
        self.functions.push_str(functions);
        self
    }

    /// The same, that looks at the query first: its answers rest on more than the head.
    pub fn never_remembered(mut self) -> Self {
        self.decide.insert_str(0, "(call $query \"any\" (i32.const 512))\n");
        self
    }

    /// The same with so many pages of 64 KiB to begin with, instead of nine.
    pub fn with_pages(mut self, pages: u32) -> Self {
        self.pages = pages;
        self
    }

    /// The same with this manifest, as JSON.
    pub fn with_manifest(mut self, manifest: &str) -> Self {
        self.manifest = format!("(@custom \"dockgate:manifest\" {})", quoted(manifest.as_bytes()));
        self
    }

    /// The same with more imports, in the component's own text.
    pub fn importing(mut self, imports: &str) -> Self {
        self.imports.push_str(imports);
        self
    }

    /// The same, whose core module can call an import: the name that it gives it, its signature
    /// there, and what is lowered to it.
    pub fn calling(mut self, name: &str, signature: &str, lowered: &str) -> Self {
        self.host_functions.push(HostFunction {
            name: name.to_owned(),
            signature: signature.to_owned(),
            lowered: lowered.to_owned(),
        });
        self
    }

    /// The same with the optional export that says what is permitted. The WAT leaves the address of
    /// a list.
    pub fn permitting(mut self, permissions: &str) -> Self {
        self.permissions = Some(permissions.to_owned());
        self
    }

    /// The same with another name in the place of one of the interface's.
    pub fn renaming(mut self, name: &str, other: &str) -> Self {
        self.renamed = Some((name.to_owned(), other.to_owned()));
        self
    }

    /// The component.
    pub fn build(&self) -> Vec<u8> {
        let text = self.text();
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
    }

    pub fn text(&self) -> String {
        let mut text = include_str!("prelude.wat").to_owned();
        let mut fill = |hole: &str, with: &str| {
            let hole = format!("{{{{{hole}}}}}");
            assert!(text.contains(&hole), "prelude.wat has no hole {hole}");
            text = text.replace(&hole, with);
        };
        let mut texts = Texts::default();
        for (hole, code) in [
            ("decide", &*self.decide),
            ("configure", &self.configure),
            ("functions", &self.functions),
            ("permissions", self.permissions.as_deref().unwrap_or("unreachable")),
            ("nothing", "\"(nothing)\""),
        ] {
            fill(hole, &texts.place(code));
        }
        fill("data", &texts.data);
        fill("pages", &self.pages.to_string());
        fill("manifest", &self.manifest);
        fill("overview", if self.permissions.is_some() { OVERVIEW } else { "" });
        let (mut lowered, mut imported, mut passed) = Default::default();
        for HostFunction { name, signature, lowered: what } in &self.host_functions {
            write_line(&mut lowered, &format!("(core func ${name} (canon lower {what}))"));
            let import = format!("(import \"proxy\" \"{name}\" (func ${name} {signature}))");
            write_line(&mut imported, &import);
            write_line(&mut passed, &format!("(export \"{name}\" (func ${name}))"));
        }
        fill("imports", &self.imports);
        fill("lowered", &lowered);
        fill("module-imports", &imported);
        fill("module-arguments", &passed);
        if let Some((name, other)) = &self.renamed {
            assert!(text.contains(name), "nothing is called {name}");
            text = text.replace(name, other);
        }
        text
    }
}

const OVERVIEW: &str = r#"
  (type $permission (record
    (field "name" string) (field "value" string) (field "open" bool) (field "exposes" string)))
  (func $permissions (result (list $permission))
    (canon lift (core func $plugin "permissions") (memory $memory)))
  (instance $overview
    (export "permission" (type $permission)) (export "permissions" (func $permissions)))
  (export "dockgate:filter/overview@0.1.0" (instance $overview))"#;

/// The texts of a plugin, one behind the other in its memory.
#[derive(Default)]
struct Texts {
    data: String,
    length: usize,
}

impl Texts {
    /// Where they begin.
    const START: usize = 1024;

    /// Puts addresses and lengths in the place of texts in quotes.
    fn place(&mut self, code: &str) -> String {
        let mut placed = String::new();
        let mut rest = code;
        while let Some((before, after)) = rest.split_once('"') {
            let (text, after) = after.split_once('"').expect("a closing quote");
            let (address, length) = (Self::START + self.length, length_of(text));
            self.length += length;
            assert!(address + length < 65536, "the texts fill the first page");
            write_line(&mut self.data, &format!("(data (i32.const {address}) \"{text}\")"));
            let _ = write!(placed, "{before}(i32.const {address}) (i32.const {length})");
            rest = after;
        }
        placed + rest
    }
}

/// How many bytes a text has, in which `\0d` is one.
fn length_of(text: &str) -> usize {
    text.len() - 2 * text.matches('\\').count()
}

/// Bytes as a string of the text format.
fn quoted(bytes: &[u8]) -> String {
    let escaped: Vec<_> = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    format!("\"{}\"", escaped.concat())
}

fn write_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
