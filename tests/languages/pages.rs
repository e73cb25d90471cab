//! The pages that lead from an empty folder to the policy.

use crate::{
    page::{self, Block, Page},
    policy::{JAVASCRIPT, Language, PYTHON},
    session::Session,
};

/// What becomes of a command that is not run as it stands.
pub enum Way {
    /// It is not run here, for this reason.
    Elsewhere(#[allow(dead_code, reason = "for whoever reads this")] &'static str),
    /// This goes on while the commands behind it are run.
    Serves(&'static str),
}

/// The commands that are not run as they stand. All others are.
pub const COMMANDS: &[(&str, Way)] = &[
    (
        "rustup target add wasm32-wasip2",
        Way::Elsewhere("the binary under test could not be built without"),
    ),
    (
        "cargo install --locked --path dockgate/proxy",
        Way::Elsewhere("the binary under test is in its place"),
    ),
    (
        ".venv/bin/pip install componentize-py==0.25.1",
        Way::Elsewhere("policy.rs installed what requirements.txt says"),
    ),
    (SERVES, Way::Serves(SERVES)),
];

const SERVES: &str = "CONTAINERS=1 POST=1 dockgate --demo --plugin bundled:tecnativa \
                      --plugin ./our-images.wasm=settings.json";

/// What is run in the place of a command: the tools are there already.
const INSTEAD: [(&str, &str); 2] = [
    (
        "python3 -m venv .venv",
        concat!("ln -s ", env!("CARGO_TARGET_TMPDIR"), "/languages/venv .venv"),
    ),
    (
        "npm install --save-dev componentize-qjs@0.4.5",
        concat!("ln -s ", env!("CARGO_TARGET_TMPDIR"), "/languages/node_modules node_modules"),
    ),
];

const PAGES: [&str; 2] =
    ["docs/writing-a-plugin-in-python.md", "docs/writing-a-plugin-in-javascript.md"];

#[test]
fn the_page_about_python_leads_to_a_policy_that_runs() {
    follow(PAGES[0], &PYTHON, &["policy.py", "manifest.json", "settings.json"]);
}

#[test]
fn the_page_about_javascript_leads_to_a_policy_that_runs() {
    follow(PAGES[1], &JAVASCRIPT, &["policy.js", "manifest.json", "settings.json"]);
}

fn follow(name: &str, language: &Language, files: &[&str]) {
    let mut page = Page::read(name);
    for file in files {
        let example = page::file(&format!("examples/{}/{file}", language.name));
        let is_it = |block: &Block| block.file.as_deref() == Some(*file) && block.text == example;
        assert!(page.blocks().iter().any(is_it), "{name} shows another {file} than examples/");
    }
    if language.has_tools() {
        for (command, instead) in INSTEAD {
            page.text = page.text.replace(command, instead);
        }
        Session::beside_checkout().go_through(&page);
    }
}

/// The example is in the checkout, the page works beside it.
#[test]
fn the_examples_are_built_as_their_pages_say() {
    for (page, language) in PAGES.iter().zip([&PYTHON, &JAVASCRIPT]) {
        let readme = Page::read(&format!("examples/{}/README.md", language.name));
        let page = Page::read(page).text.replace("../dockgate/wit", "../../wit");
        let commands = ["componentize", "dockgate plugin pack", "dockgate --demo --plugin bundled"];
        for command in commands {
            let line = readme.text.lines().find(|line| line.contains(command)).unwrap();
            assert!(
                page.lines().any(|other| other == line),
                "{} has another {line}",
                language.name
            );
        }
    }
}

#[test]
fn the_pages_pin_what_the_examples_pin() {
    let python = page::file("examples/python/requirements.txt");
    assert!(Page::read(PAGES[0]).text.contains(&format!("install {python}")), "{python}");
    let manifest = page::file("examples/javascript/package.json");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let version = manifest["devDependencies"]["componentize-qjs"].as_str().unwrap();
    assert!(Page::read(PAGES[1]).text.contains(&format!("componentize-qjs@{version}\n")));
}

#[test]
fn every_exception_is_of_a_command_that_is_there() {
    let pages = PAGES.map(Page::read);
    for command in COMMANDS.iter().map(|(command, _)| command).chain(&INSTEAD.map(|(c, _)| c)) {
        let shown = pages.iter().any(|page| page.text.lines().any(|line| line == *command));
        assert!(shown, "no page has this command any more: {command}");
    }
}
