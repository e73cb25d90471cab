//! `dockgate explain` without a running proxy, the real binary.

use serde_json::{Value, json};

use crate::{
    folder::{Folder, Said},
    wat::Plugin,
};

const CONFIG: &str = "\
listeners:
  local: { address: \"unix:///run/local.sock\" }
  network: { address: \"127.0.0.1:2375\" }
plugins:
  flags: { source: \"bundled:tecnativa\", environment: { CONTAINERS: 1, POST: 1 } }
  scope: { source: \"bundled:label-scope\", settings: { labels: [team=web], allow: true } }
  broken: { source: broken.wasm }
chains:
  - name: traefik
    listeners: [network]
    clients: [{ container: { name: traefik, labels: { team: \"*\" } } }]
    plugins: [flags]
  - { name: user, listeners: [local], clients: [{ user: 1000 }], plugins: [scope] }
  - { name: reads, listeners: [network], methods: [GET], operations: [\"image-*\"], plugins: [broken, flags] }
  - { name: rest, plugins: [] }
";

fn folder() -> Folder {
    let broken =
        Plugin::deciding("(if (call $path-has \"bad\") (then (unreachable))) (call $abstain)")
            .build();
    Folder::with(CONFIG).file("broken.wasm", broken)
}

/// By the file.
fn explain(arguments: &[&str]) -> Said {
    let said = folder().run(&[&["explain", "--config", "dockgate.yaml"], arguments].concat());
    assert_eq!(said.words, "", "{arguments:?}");
    Said { out: without_times(&said.out), ..said }
}

/// No test rests on how long something takes.
fn without_times(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(" µs") {
        masked += before.trim_end_matches(|c: char| c.is_ascii_digit());
        masked += "N µs";
        rest = behind;
    }
    masked + rest
}

fn json_without_times(mut told: Value) -> Value {
    for step in told["steps"].as_array_mut().unwrap() {
        assert!(step["micros"].is_u64());
        step["micros"] = json!(0);
    }
    told
}

/// The file and the variables of the environment decide with the same code.
#[test]
fn the_environment_is_explained() {
    let folder = Folder::new().variable("CONTAINERS", "1");
    let said = folder.run(&["explain", "GET", "/v1.41/containers/json?all=1&all=0"]);
    assert_eq!((said.code, said.words.as_str()), (0, ""));
    insta::assert_snapshot!("explained_by_the_environment", without_times(&said.out));

    let said = folder.run(&["explain", "POST", "/containers/web/stop"]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("POST=1"), "{}", said.out);
}

#[test]
fn the_chain_is_named_and_why_it_is_not_another() {
    let said = explain(&["GET", "/images/json", "--listener", "network", "--as", "10.0.0.7"]);
    assert_eq!(said.code, 1);
    insta::assert_snapshot!("explained_which_chain", said.out);

    let traefik = ["--container", "name=traefik,label.team=web", "--as", "172.18.0.3"];
    let said = explain(&[&["GET", "/containers/json"], &traefik[..]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("\n  client    172.18.0.3:0\n"), "{}", said.out);
    assert!(said.out.contains("\n  chain     traefik\n"), "{}", said.out);
    assert!(!said.out.contains("not for it"), "{}", said.out);

    let said = explain(&["GET", "/containers/json", "--as", "1000:1000"]);
    assert!(said.out.contains("\n  chain     user\n"), "{}", said.out);
    let said = explain(&["GET", "/containers/json", "--as", "1001:1000"]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("\n  chain     user: not for it, by its clients\n"), "{}", said.out);
}

#[test]
fn what_is_changed_is_shown() {
    let body = r#"{"Image": "nginx", "labels": {"a": "b"}}"#;
    let said =
        explain(&["POST", "/containers/create?name=web", "--as", "1000:1000", "--body", body]);
    assert_eq!(said.code, 0);
    insta::assert_snapshot!("explained_what_is_changed", said.out);
}

#[test]
fn what_is_looked_up_is_what_was_given() {
    let stop = ["POST", "/containers/web/stop", "--as", "1000:1000", "--found"];
    let ours = r#"container/web={"Id":"4f66","Config":{"Labels":{"team":"web"}}}"#;
    let said = explain(&[&stop[..], &[ours]].concat());
    assert_eq!(said.code, 0);
    assert!(said.out.contains("\n  sent      with target: \"web\" → \"4f66\"\n"), "{}", said.out);

    let said = explain(&[&stop[..], &["container/db={\"Id\":\"5a77\"}"]].concat());
    assert_eq!(said.code, 0, "it is answered");
    insta::assert_snapshot!("explained_an_answer", said.out);
}

#[test]
fn what_has_not_one_meaning_is_explained() {
    let said = explain(&["GET", "/containers/%2e%2e/json"]);
    assert_eq!(said.code, 1);
    insta::assert_snapshot!("explained_two_meanings", said.out);
    let said = explain(&[
        "POST",
        "/containers/create",
        "--as",
        "1000:1000",
        "--body",
        r#"{"Image": "a", "image": "b"}"#,
    ]);
    assert_eq!(said.code, 1);
    assert!(said.out.starts_with("refused, since it has not one meaning\n"), "{}", said.out);
}

#[test]
fn a_plugin_that_fails_is_named() {
    let said = explain(&["GET", "/images/bad/json", "--json"]);
    assert_eq!(said.code, 1);
    let told = json_without_times(said.json());
    assert_eq!(told["decision"], "fault");
    assert_eq!(told["status"], 403);
    assert_eq!(told["plugin"], "broken");
    let verdicts: Vec<_> =
        told["steps"].as_array().unwrap().iter().map(|step| &step["verdict"]).collect();
    assert_eq!(verdicts, ["fail"]);
}

#[test]
fn programs_are_told_the_same() {
    let folder = Folder::new().variable("CONTAINERS", "1");
    let said = folder.run(&["explain", "GET", "/v1.41/containers/web/json?size=1", "--json"]);
    assert_eq!(said.code, 0);
    assert_eq!(
        json_without_times(said.json()),
        json!({
            "client": "127.0.0.1:0",
            "request": {
                "operation": "container-inspect", "method": "GET", "path": "/containers/web/json",
                "version": "1.41", "target": "web", "query": "size=1",
            },
            "chains": [{"chain": "all"}],
            "steps": [{"pass": 1, "plugin": "tecnativa", "verdict": "allow", "micros": 0}],
            "decision": "allow",
            "plugin": "tecnativa",
            "changes": [],
        })
    );
}

#[test]
fn what_is_wrong_is_said_with_another_code() {
    let folder = folder();
    for (arguments, words) in [
        (&["GET", "/_ping", "--config", "nowhere.yaml"][..], "dockgate: nowhere.yaml: "),
        (&["get", "/_ping"], "dockgate: --request: \"get /_ping\" begins with no method"),
        (&["GET", "/_ping", "--header", "a"], "dockgate: --header: \"a\" is no header"),
        (&["GET", "/_ping", "--running", "unix:///nowhere.sock"], "dockgate: --running: "),
    ] {
        let said = folder.run(&[&["explain"], arguments].concat());
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{arguments:?}");
        assert!(said.words.starts_with(words), "{}", said.words);
    }
    let broken = Folder::with("log: { level: loud }\n");
    let said = broken.run(&["explain", "GET", "/_ping", "--config", "dockgate.yaml"]);
    assert_eq!(said.words, broken.run(&["--config", "dockgate.yaml"]).words);
}

/// `config show` is the way from variables and options to a file: it must decide the same.
#[test]
fn the_file_that_the_environment_amounts_to_decides_the_same() {
    let keyed = Plugin::deciding(
        "(if (result i32) (global.get $environment-length)
           (then (call $abstain)) (else (call $deny (i32.const 403) \"there is no key\")))",
    )
    .with_manifest(r#"{"name": "keyed", "environment": ["KEY"]}"#);
    let folder = Folder::new()
        .file("keyed.wasm", keyed.build())
        .file("scope.json", r#"{"labels": ["team=$web"]}"#)
        .variable("KEY", "hunter2$${X}\"\n")
        .variable("CONTAINERS", "1")
        .variable("POST", "1")
        .variable("ALLOW_STOP", "0");
    let options = [
        ("DOCKGATE_PLUGINS", "bundled:tecnativa,keyed.wasm,bundled:label-scope=scope.json"),
        ("DOCKGATE_GRANT_ENV", "KEY"),
        ("DOCKGATE_LISTEN", "127.0.0.1:2375,unix:///run/dockgate.sock"),
        ("DOCKGATE_MIN_API_VERSION", "1.30"),
        ("DOCKGATE_PLUGIN_MEMORY", "keyed=16"),
    ];
    let run = |arguments: &[&str], by_options: bool| {
        let mut command = folder.command(arguments);
        if by_options {
            command.envs(options);
        }
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = run(&["config", "show"], true);
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("\n      KEY: \"${KEY}\"\n"), "{shown}");
    assert!(shown.contains("\n      CONTAINERS: \"1\"\n"), "{shown}");
    std::fs::write(folder.path("shown.yaml"), &shown).unwrap();
    let again = run(&["config", "show", "--config", "shown.yaml"], false);
    assert_eq!(again.replace("team=$$web", "team=$web"), shown.replace("team=$$web", "team=$web"));

    let mut decisions = Vec::new();
    for request in [
        &["GET", "/v1.41/containers/json"][..],
        &["GET", "/v1.24/containers/json"],
        &["GET", "/images/json"],
        &["POST", "/containers/web/stop"],
        &["POST", "/containers/create", "--body", r#"{"Image":"nginx"}"#],
        &["POST", "/containers/create", "--body", r#"{"Image":"nginx"}"#, "--as", "0:0"],
        &["GET", "/_ping", "--as", "1000:1000"],
        &["GET", "/../_ping"],
    ] {
        let by_options = run(&[&["explain", "--json"], request].concat(), true);
        let file = ["explain", "--json", "--config", "shown.yaml"];
        let by_file = run(&[&file, request].concat(), false);
        let told = |text: &str| json_without_times(serde_json::from_str(text).unwrap());
        assert_eq!(told(&by_options), told(&by_file), "{request:?}");
        decisions.push(told(&by_file)["decision"].clone());
    }
    assert!(decisions.contains(&json!("allow")), "{decisions:?}");
    assert!(decisions.contains(&json!("deny")), "{decisions:?}");
}

#[test]
fn a_field_that_the_daemon_is_not_known_to_have_passes_unless_the_file_says_otherwise() {
    let explained = |limits: &str| {
        let text = format!(
            "listeners: {{ main: {{ address: \"127.0.0.1:0\" }} }}\n\
             plugins:\n  flags: {{ source: \"bundled:tecnativa\", environment: {{ CONTAINERS: 1, POST: 1 }} }}\n  \
             guard: {{ source: \"bundled:container-guard\" }}\n\
             chains: [{{ name: all, plugins: [flags, guard] }}]\n{limits}"
        );
        let body = "{\"Image\":\"nginx\",\"hostconfig\":{\"Novelty\":1}}";
        let arguments =
            ["POST", "/containers/create", "--header", "Content-Type: application/json"];
        let more = ["--body", body, "--config", "dockgate.yaml"];
        Folder::with(&text)
            .run(&["explain"].iter().chain(&arguments).chain(&more).copied().collect::<Vec<_>>())
    };
    let passed = explained("");
    assert_eq!((passed.code, passed.out.lines().next()), (0, Some("allowed")), "{passed:?}");
    let refused = explained("limits: { unknown-fields: refuse }\n");
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.out.contains("Novelty"), "{refused:?}");
}
