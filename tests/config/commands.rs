//! `dockgate check` and `dockgate config`, the real binary.

use std::fs;

use serde_json::{Value, json};

use crate::folder::{Folder, Said};

/// What a configuration can't do without.
const REST: &str = "listeners: { main: { address: \"127.0.0.1:0\" } }\n\
    plugins: { flags: { source: \"bundled:tecnativa\" } }\n\
    chains: [{ name: all, plugins: [flags] }]\n";

fn folder(text: &str) -> Folder {
    Folder::with(text)
}

fn run(folder: &Folder, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let Said { code, out, words } =
        Said::of(folder.command(arguments).envs(variables.iter().copied()));
    (code, out, words)
}

#[test]
fn a_file_with_which_nothing_is_wrong_is_named() {
    let folder = folder(&format!("log:\n  level: info\n{REST}"));
    let fine = (0, "dockgate.yaml: nothing is wrong\n".to_owned(), String::new());
    assert_eq!(run(&folder, &["check"], &[]), fine);
    assert_eq!(run(&folder, &["check", "dockgate.yaml"], &[]), fine);

    fs::rename(folder.path("dockgate.yaml"), folder.path("other.yaml")).unwrap();
    let (code, said, _) = run(&folder, &["check"], &[("DOCKGATE_CONFIG", "other.yaml")]);
    assert_eq!((code, said.as_str()), (0, "other.yaml: nothing is wrong\n"));
    let (code, said, _) = run(&folder, &["check", "--json", "other.yaml"], &[]);
    assert_eq!((code, said.as_str()), (0, "[]\n"));
}

#[test]
fn what_is_wrong_is_said_and_is_the_exit_code() {
    let folder = folder(&format!("log:\n  levle: info\n{REST}"));
    let (code, said, words) = run(&folder, &["check"], &[]);
    assert_eq!((code, words.as_str()), (2, ""));
    assert_eq!(
        said,
        "dockgate.yaml:2:3: error: unknown key \"levle\": did you mean \"level\"?\n  2 |   levle: \
         info\n    |   ^^^^^\n\n1 error\n"
    );
    let (code, said, _) = run(&folder, &["check", "--json"], &[]);
    assert_eq!(code, 2);
    let problem = json!({
        "file": "dockgate.yaml", "line": 2, "column": 3, "severity": "error",
        "message": "unknown key \"levle\": did you mean \"level\"?", "cure": null,
    });
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), json!([problem]));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = folder("");
    let (code, said, words) = run(&folder, &["check", "nowhere.yaml"], &[]);
    assert_eq!((code, said.as_str()), (2, ""));
    assert_eq!(words, "dockgate: nowhere.yaml: No such file or directory (os error 2)\n");
}

#[test]
fn the_schema_is_printed() {
    let (code, said, _) = run(&folder(""), &["config", "schema"], &[]);
    assert_eq!(code, 0);
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), dockgate::config::schema());
}

#[test]
fn a_file_is_shown_as_it_is_meant_and_without_what_came_from_outside() {
    let folder = folder(
        "limits: { idle-timeout: 300s, connections: !!str 5 }\nlog: { level: \"${LEVEL:-info}\" }\n",
    );
    let (code, _, words) = run(&folder, &["config", "show", "--config", "dockgate.yaml"], &[]);
    assert_eq!(code, 2);
    assert!(words.contains("\"connections\" wants a whole number, and is \"5\""), "{words}");

    fs::write(
        folder.path("dockgate.yaml"),
        "limits:\n  idle-timeout: 300s\n  connections: ${N}\nlog: { level: \"${LEVEL:-info}\" }\n\
         plugins:\n  p: { source: a$$b, environment: { TOKEN: \"${TOKEN}\" } }\n",
    )
    .unwrap();
    let variables = [("N", "12"), ("TOKEN", "hunter2")];
    let (code, said, words) =
        run(&folder, &["config", "show", "--config", "dockgate.yaml"], &variables);
    assert_eq!((code, words.as_str()), (0, ""));
    let (_, body) = said.split_once("\n\n").unwrap();
    assert_eq!(
        body,
        "plugins:\n  p:\n    source: a$$b\n    environment:\n      TOKEN: \"${TOKEN}\"\n\n\
         log:\n  level: \"${LEVEL:-info}\"\n\n\
         limits:\n  connections: ${N}\n  idle-timeout: 5m\n"
    );
    // It reads back, by the same variables.
    fs::write(folder.path("again.yaml"), &said).unwrap();
    let (code, again, _) = run(&folder, &["config", "show", "--config", "again.yaml"], &variables);
    assert_eq!((code, again), (0, said));
}
