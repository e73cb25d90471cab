//! `dockgate test`, the real binary.

use serde_json::{Value, json};

use crate::{authority::Authority, folder::Folder};

/// Traefik at a TCP address, a team at a socket, and nobody else.
const CONFIG: &str = "\
listeners:
  local: { address: \"unix:///run/local.sock\" }
  network: { address: \"127.0.0.1:2375\" }
plugins:
  flags: { source: \"bundled:tecnativa\", environment: { CONTAINERS: 1, POST: 0 } }
  scope: { source: \"bundled:label-scope\", settings: { labels: [team=web], allow: true } }
chains:
  - name: traefik
    listeners: [network]
    clients: [{ container: { name: traefik } }]
    plugins: [flags]
  - { name: team, listeners: [local], plugins: [scope] }
  - { name: rest, plugins: [] }
";

const RIGHT: &str = "\
config: dockgate.yaml
requests:
  - name: Traefik lists containers
    request: GET /v1.41/containers/json?all=1
    client: { address: 172.18.0.3, container: { name: traefik } }
    expect: allow
    chain: traefik
    plugin: flags
    sent: { query: { all: 1, limit: ~ }, headers: { x-team: ~ } }
  - name: and stops none
    request: POST /containers/web/stop
    client: { container: { name: traefik } }
    expect: deny
    plugin: flags
    status: 403
    says: POST=1
  - request: GET /containers/json
    expect: deny
    chain: rest
  - request: POST /containers/create
    listener: local
    body: { Image: nginx }
    expect: allow
    chain: team
    sent: { body: { image: nginx, labels: { team: web } } }
  - request: DELETE /containers/db
    client: { user: 1000 }
    found: [{ kind: container, name: db, json: { Id: 4f66, Config: { Labels: { team: db } } } }]
    expect: respond
    status: 404
    says: No such container
  - request: DELETE /containers/web?force=1
    client: { user: 1000, group: 1000, process: 7 }
    headers: { X-Reason: test }
    found: [{ kind: container, name: web, json: { Id: 4f66, Config: { Labels: { team: web } } } }]
    expect: allow
    sent: { target: 4f66, headers: { x-reason: test } }
  - request: GET /containers//json
    expect: invalid
    status: 400
    says: empty segment
";

/// Each in another way.
const WRONG: &str = "\
config: dockgate.yaml
requests:
  - name: a decision
    request: GET /containers/json
    expect: allow
    chain: traefik
  - name: who settles it, and how
    request: POST /containers/web/stop
    client: { container: { name: traefik } }
    expect: deny
    chain: rest
    plugin: scope
    status: 404
    says: nothing like it
  - name: a body
    request: POST /containers/create
    listener: local
    body: { Image: nginx, Cmd: [a, b, c], Env: [A=1] }
    expect: allow
    sent: { body: { Image: nginx, Cmd: [a, b, c], Env: [A=1], Labels: { team: db, more: '1' } } }
  - name: a query, a header and a target
    request: DELETE /containers/web?force=1
    listener: local
    headers: { X-Reason: test }
    found: [{ kind: container, name: web, json: { Id: 4f66, Config: { Labels: { team: web } } } }]
    expect: allow
    sent: { target: web, query: { force: ~, v: 1 }, headers: { x-reason: tests } }
  - request: GET /_ping
    listener: local
    expect: deny
";

fn folder() -> Folder {
    Folder::with(CONFIG).file("right.yaml", RIGHT).file("wrong.yaml", WRONG)
}

#[test]
fn a_table_that_is_right_is_counted() {
    let said = folder().run(&["test", "right.yaml"]);
    assert_eq!((said.out.as_str(), said.words.as_str()), ("7 passed\n", ""));
    assert_eq!(said.code, 0);
}

#[test]
fn what_is_not_as_expected_is_shown_beside_what_is() {
    let said = folder().run(&["test", "wrong.yaml", "right.yaml"]);
    assert_eq!((said.code, said.words.as_str()), (1, ""));
    insta::assert_snapshot!("what_is_not_as_expected", said.out);
}

#[test]
fn what_is_not_as_expected_is_explained() {
    let said = folder().run(&["test", "--explain", "wrong.yaml"]);
    assert_eq!(said.code, 1);
    let explained = "  | refused\n  |   answer    403 container-list (GET /containers/json) is not \
                     allowed: the chain \"rest\" has no plugin";
    let begins = "wrong.yaml:3: a decision (GET /containers/json)\n  the decision: ";
    assert!(said.out.starts_with(begins), "{}", said.out);
    let (first, rest) = said.out.split_once("\n\n").unwrap();
    assert!(first.contains("  | refused\n  |   answer    403 "), "{explained}\n{first}");
    assert!(first.contains("  |   chain     traefik: not for it, by its clients\n"), "{first}");
    assert!(rest.contains("  |   pass 1    flags denies in "), "{rest}");
}

#[test]
fn programs_are_told_the_same() {
    let said = folder().run(&["test", "--json", "wrong.yaml", "right.yaml"]);
    assert_eq!(said.code, 1);
    let told = said.json();
    assert_eq!((&told["passed"], &told["failed"]), (&json!(7), &json!(5)));
    let row = |n: usize| &told["rows"][n];
    assert_eq!(row(2)["file"], "wrong.yaml");
    assert_eq!(row(2)["line"], 15);
    assert_eq!(row(2)["differences"][0]["what"], "the body");
    assert_eq!(row(2)["differences"][0]["seen"]["Labels"], json!({"team": "web"}));
    assert_eq!(row(2).get("explanation"), None);
    assert_eq!(row(5)["passed"], true);
    assert_eq!(row(5).get("differences"), None);

    let told = folder().run(&["test", "--json", "--explain", "wrong.yaml"]).json();
    assert_eq!(told["rows"][0]["explanation"]["decision"], "deny");
    assert_eq!(told["rows"][0]["explanation"]["request"]["operation"], "container-list");
}

#[test]
fn the_configuration_is_named_by_the_table_or_by_the_command_or_is_the_environment() {
    let row =
        |expect: &str| format!("requests:\n  - request: GET /images/json\n    expect: {expect}\n");
    let folder = Folder::with(CONFIG)
        .file(
            "images.yaml",
            CONFIG
                .replace("CONTAINERS: 1", "IMAGES: 1")
                .replace("{ name: traefik }", "{ name: \"*\" }")
                .replace("plugins: []", "plugins: [flags]"),
        )
        .file("none.yaml", row("deny"))
        .file("table.yaml", format!("config: images.yaml\n{}", row("allow")));
    let passes = |folder: &Folder, arguments: &[&str]| {
        let said = folder.run(&[&["test"], arguments].concat());
        assert_eq!((said.code, said.out.as_str()), (0, "1 passed\n"), "{arguments:?} {said:?}");
    };
    passes(&folder, &["none.yaml"]);
    passes(&folder, &["table.yaml"]);
    passes(&folder, &["none.yaml", "--config", "dockgate.yaml"]);
    let said = folder.run(&["test", "table.yaml", "--config", "dockgate.yaml"]);
    assert_eq!(said.code, 1, "{said:?}");

    let folder = folder.variable("IMAGES", "1").file("allowed.yaml", row("allow"));
    passes(&folder, &["allowed.yaml"]);
    let folder = folder.variable("DOCKGATE_CONFIG", "dockgate.yaml");
    passes(&folder, &["none.yaml"]);
    passes(&folder, &["table.yaml"]);

    std::fs::create_dir(folder.path("tests")).unwrap();
    let table = format!("config: ../images.yaml\n{}", row("allow"));
    let folder = folder.file("tests/table.yaml", table);
    passes(&folder, &["tests/table.yaml"]);
}

/// Compares what is said of a table that can't be used.
fn refused(table: &str) -> String {
    let folder = Folder::with(CONFIG).file("table.yaml", table).variable("TOKEN", "hunter2");
    let said = folder.run(&["test", "table.yaml"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
    assert!(!said.words.contains("hunter2"), "{}", said.words);
    said.words
}

#[test]
fn a_mistake_of_shape_is_shown_where_it_is() {
    insta::assert_snapshot!(
        "a_table_of_another_shape",
        refused(
            "config: dockgate.yaml
requests:
  - request: GET /_ping
    expct: allow
  - expect: alow
    request: GET /_ping
    client: { adress: 10.0.0.1, user: root }
  - name: nobody says what is expected
    request: GET /_ping
  - request: GET /_ping
    expect: deny
    status: \"${TOKEN}\"
    found: [{ kind: container, name: web }]
"
        )
    );
}

#[test]
fn a_mistake_of_meaning_is_shown_where_it_is() {
    insta::assert_snapshot!(
        "a_table_that_means_nothing",
        refused(
            "config: dockgate.yaml
requests:
  - request: GET
    expect: allow
    says: welcome
    status: 200
  - request: get /_ping
    client: { address: 10.0.0.1, user: 7 }
    expect: deny
    sent: { target: web }
  - request: GET /_ping
    listener: netwrk
    headers: { \"a b\": c }
    expect: deny
    chain: trafik
    plugin: elsewhere
  - request: GET /_ping
    listener: network
    client: { certificate: { subject: CN=a } }
    expect: deny
    found: [{ kind: contaner, name: a, json: {} }]
  - request: GET /_ping
    listener: network
    client: { user: 0 }
    expect: deny
  - request: GET /_ping
    listener: local
    client: { address: 10.0.0.1 }
    expect: deny
  - request: GET /_ping
    client: { address: 10.0.0.300 }
    expect: deny
"
        )
    );
}

#[test]
fn no_rows_are_a_mistake() {
    for table in ["config: dockgate.yaml\n", "requests:\n", "requests: []\n", ""] {
        let words = refused(table);
        assert!(words.contains("requests"), "{table:?}: {words}");
    }
    let words = refused("requests: []\n");
    assert!(words.contains("there are no requests, so nothing is tested"), "{words}");
}

#[test]
fn what_is_wrong_with_the_configuration_is_said_as_elsewhere() {
    let folder = Folder::with("chains: []\n").file("table.yaml", RIGHT);
    let said = folder.run(&["test", "table.yaml"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert_eq!(said.words, folder.run(&["--config", "dockgate.yaml"]).words);
    let said = folder.run(&["test", "nowhere.yaml"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.words.starts_with("dockgate: nowhere.yaml: "), "{}", said.words);
}

/// A row for which no client could ever come is no test of anything.
#[test]
fn a_client_without_a_certificate_does_not_come_where_one_must_be_shown() {
    let authority = Authority::new("ours");
    let config = "\
listeners:
  runners:
    address: 127.0.0.1:2376
    tls: { certificate: cert.pem, key: key.pem, client-ca: ca.pem }
plugins: { flags: { source: \"bundled:tecnativa\" } }
chains:
  - { name: ci, clients: [{ certificate: { subject: \"CN=ci-*\" } }], plugins: [flags] }
  - { name: rest, plugins: [] }
";
    let row = |client: &str, chain: &str| {
        format!(
            "config: dockgate.yaml\nrequests:\n  - request: GET /_ping\n    listener: runners\n    \
             client: {{ {client} }}\n    expect: {chain}\n"
        )
    };
    let folder = Folder::with(config)
        .file("ci.yaml", row("certificate: { subject: \"CN=ci-1\" }", "allow"))
        .file("others.yaml", row("certificate: { subject: \"CN=a\" }", "deny"))
        .file("none.yaml", row("address: 10.0.0.1", "deny"));
    authority.server(&["localhost"]).write(folder.root(), &authority);
    assert_eq!(folder.run(&["test", "ci.yaml", "others.yaml"]).out, "2 passed\n");
    let said = folder.run(&["test", "none.yaml"]);
    assert_eq!(said.code, 2);
    let words = "a client without a certificate gets no connection at the listener \"runners\"";
    assert!(said.words.contains(words), "{}", said.words);
}

#[test]
fn the_schema_of_tables_is_printed() {
    let said = Folder::new().run(&["test", "--schema"]);
    assert_eq!(said.code, 0);
    let schema: Value = said.json();
    assert_eq!(schema["required"], json!(["requests"]));
    let row = &schema["$defs"]["Row"];
    assert_eq!(row["required"], json!(["request", "expect"]));
    for (name, property) in row["properties"].as_object().unwrap() {
        assert!(property.to_string().contains("description"), "{name} is not described");
    }
}
