//! The SDK and the interface as text, for `dockgate plugin new`: a policy is built against what the
//! proxy was built with, and needs no checkout of it.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use super::fail;

/// The folders of the repository that go into a new crate, as they stand.
const FOLDERS: [&str; 2] = ["plugin-sdk/src", "wit"];
const MANIFEST: &str = "plugin-sdk/Cargo.toml";

/// Writes `sdk.rs`: the list of the files, each with its text.
pub(super) fn embed(root: &Path, out: &Path) {
    let manifest = standing_alone(&read(&root.join("Cargo.toml")), &read(&root.join(MANIFEST)));
    let manifest_file = out.join("sdk-manifest.toml");
    write(&manifest_file, &manifest);
    let mut files = vec![(MANIFEST.to_owned(), manifest_file)];
    for folder in FOLDERS {
        collect(&root.join(folder), folder, &mut files);
    }
    files.sort();
    let mut list = String::from("&[\n");
    for (name, path) in files {
        // Writing to a String can't fail.
        let _ = writeln!(list, "    ({name:?}, include_str!({:?})),", path.display().to_string());
    }
    list.push_str("]\n");
    write(&out.join("sdk.rs"), &list);
}

/// The files in a folder and below it, by their names in the repository.
fn collect(folder: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| wrong(folder, &error));
    for entry in entries {
        let entry = entry.unwrap_or_else(|error| wrong(folder, &error));
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &name, files);
        } else {
            files.push((name, entry.path()));
        }
    }
}

/// The manifest of a member of the workspace with what it takes from there written out. Both have a
/// line for each thing, which is all that is read here; a key that is missing fails the build.
fn standing_alone(workspace: &str, member: &str) -> String {
    let shared = |section: &str, key: &str| {
        let lines = workspace.lines().skip_while(|line| *line != format!("[{section}]")).skip(1);
        let mut lines = lines.take_while(|line| !line.starts_with('['));
        let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
        value.unwrap_or_else(|| fail(&format!("Cargo.toml has no {key} in [{section}]"))).to_owned()
    };
    let mut alone = String::new();
    for line in member.lines().take_while(|line| *line != "[lints]") {
        let section = if alone.contains("\n[dependencies]") {
            "workspace.dependencies"
        } else {
            "workspace.package"
        };
        // Writing to a String can't fail.
        let _ = match line.strip_suffix(".workspace = true") {
            Some(key) => writeln!(alone, "{key} = {}", shared(section, key)),
            None => writeln!(alone, "{line}"),
        };
    }
    if alone.contains("workspace") {
        fail(&format!("{MANIFEST} still needs its workspace:\n{alone}"));
    }
    alone.trim_end().to_owned() + "\n"
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| wrong(path, &error))
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| wrong(path, &error));
}

fn wrong(path: &Path, error: &std::io::Error) -> ! {
    fail(&format!("{}: {error}", path.display()))
}
