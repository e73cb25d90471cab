//! The example in `examples/dockgate.yaml`.

use std::fs;

use dockgate::config::{self, report};

use crate::{authority::Authority, folder::Folder, wat::Plugin};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/dockgate.yaml");

/// Its text.
pub fn text() -> String {
    fs::read_to_string(EXAMPLE).unwrap()
}

#[test]
fn nothing_is_wrong_with_the_shape_of_the_example() {
    let read: config::Read =
        config::read_text("dockgate.yaml", text().as_bytes(), &|name| match name {
            "SLACK_TOKEN" => Ok("xoxb".to_owned()),
            _ => Err(std::env::VarError::NotPresent),
        });
    let said = report::text(&read.problems, &read.document, false);
    assert!(read.problems.all().is_empty(), "{said}");
    let config = read.content.unwrap();
    assert_eq!(config.chains.last().unwrap().plugins, [""; 0], "the last one refuses the rest");
}

#[test]
fn the_schema_is_one_and_takes_the_example_of_an_editor() {
    let schema = config::schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema.get("$id"), None);
    // An editor has no null to offer: what nobody wrote is left out.
    let text = schema.to_string();
    assert!(!text.contains("\"null\""), "{text}");
    assert!(
        schema["properties"]["chains"]["description"].as_str().unwrap().contains("first chain")
    );
}

/// As it would be said where its files are.
#[test]
fn nothing_is_wrong_with_what_the_example_means_but_for_files_that_are_not_here() {
    let authority = Authority::new("ours");
    let policy = Plugin::allowing()
        .with_manifest(r#"{"name": "ci-policy", "environment": ["SLACK_TOKEN"], "grants": []}"#);
    let folder =
        Folder::new().file("ci-policy.wasm", policy.build()).variable("SLACK_TOKEN", "xoxb");
    authority.server(&["localhost"]).write(folder.root(), &authority);
    let here = [
        ("/etc/dockgate/server.pem", "cert.pem"),
        ("/etc/dockgate/server-key.pem", "key.pem"),
        ("/etc/dockgate/clients-ca.pem", "ca.pem"),
        ("/etc/dockgate/ci-policy.wasm", "ci-policy.wasm"),
    ];
    let text = here.iter().fold(text(), |text, (there, here)| {
        assert!(text.contains(there), "{there}");
        text.replace(there, here)
    });
    let folder = folder.file("dockgate.yaml", text);
    let said = folder.run(&["check", "--json"]);
    assert_eq!(said.code, 0);
    let problems = said.json();
    let odd: Vec<_> =
        problems.as_array().unwrap().iter().map(|problem| &problem["message"]).collect();
    let root = "the plugin ci says: clients can become root on the host with POST=1 by CONTAINERS \
                (creates privileged containers)";
    assert_eq!(odd, [root], "for which its own policy is behind it");

    let table = fs::read_to_string(EXAMPLE.replace("dockgate.yaml", "dockgate.test.yaml")).unwrap();
    let folder = folder.file("dockgate.test.yaml", table);
    let said = folder.run(&["test", "dockgate.test.yaml"]);
    assert_eq!((said.out.as_str(), said.words.as_str()), ("7 passed\n", ""));

    // And only for these without them.
    let folder = Folder::new().file("dockgate.yaml", self::text()).variable("SLACK_TOKEN", "xoxb");
    let said = folder.run(&["check", "--json"]);
    assert_eq!(said.code, 2);
    for problem in said.json().as_array().unwrap() {
        let message = problem["message"].as_str().unwrap();
        assert!(here.iter().any(|(there, _)| message.contains(there)), "{message}");
    }
}
