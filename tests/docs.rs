//! What the pages say: every command in README.md and in the guide is run, and what is said of flags,
//! options, limits and files is compared with what is so.
//!
//! `DOCKGATE_BLESS=1 cargo test --test docs flags` writes the tables of flags anew, `keys` in the place
//! of `flags` those of the configuration file.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "docs/flags.rs"]
mod flags;
#[path = "docs/keys.rs"]
mod keys;
#[path = "docs/limits.rs"]
mod limits;
#[path = "docs/page.rs"]
mod page;
#[path = "docs/session.rs"]
mod session;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};

use flags::{Dialect, Row};
use page::{Page, ROOT};
use serde_json::Value;
use session::{Server, Session, environment};

/// What becomes of a command that is not run as it stands.
enum Way {
    /// It is not run here, for this reason.
    Elsewhere(&'static str),
    /// This goes on while the commands behind it are run.
    Serves(&'static str),
}

/// The commands that are not run as they stand. All others are.
const COMMANDS: &[(&str, Way)] = &[
    (
        "rustup target add wasm32-wasip2 && CONTAINERS=1 cargo run --release -- --demo",
        // .ci/main-job runs it to the letter.
        Way::Serves(concat!("CONTAINERS=1 ", env!("CARGO_BIN_EXE_dockgate"), " --demo")),
    ),
    (
        "rustup target add wasm32-wasip2 && cargo test --workspace",
        Way::Elsewhere("it runs this test; .ci/run runs it to the letter"),
    ),
    (
        "docker build -t dockgate/dockgate:0.1 .",
        Way::Elsewhere("it needs a registry; tests/image.rs builds the last stage"),
    ),
    ("docker compose up -d", Way::Elsewhere("tests/image.rs brings every compose file up")),
    (
        "rustup target add wasm32-wasip2",
        Way::Elsewhere("the binary under test could not be built without"),
    ),
    (
        "dockgate --plugin bundled:tecnativa=dialect.json",
        Way::Serves(concat!(
            env!("CARGO_BIN_EXE_dockgate"),
            " --demo --plugin bundled:tecnativa=dialect.json"
        )),
    ),
    (
        "cargo install --locked --path dockgate/proxy",
        Way::Elsewhere("the binary under test is in its place"),
    ),
    (
        "dockgate plugin push team-label.wasm oci://ghcr.io/example/team-label:0.2.0",
        Way::Elsewhere("it needs a registry; tests/registry.rs pushes to one"),
    ),
    (
        "dockgate plugin pull oci://ghcr.io/example/team-label:0.2.0 -o pulled.wasm",
        Way::Elsewhere("it needs a registry; tests/registry.rs pulls from one"),
    ),
    (
        "dockgate --config first.yaml",
        Way::Elsewhere(
            "it takes a port of this machine; a_running_proxy_of_a_file_serves_and_explains has another",
        ),
    ),
    (
        "dockgate explain GET /images/json --running unix:///run/dockgate/admin.sock",
        Way::Elsewhere("a_running_proxy_of_a_file_serves_and_explains asks one"),
    ),
    (
        "docker --host tcp://gate.example.com:2376 --tlsverify --tlscacert server.pem --tlscert ci.pem --tlskey ci-key.pem ps",
        Way::Elsewhere(
            "the host is none; a_client_is_known_by_the_certificates_of_the_page has one",
        ),
    ),
    (GUIDE_SERVES[0], Way::Serves(GUIDE_SERVES[0])),
    (GUIDE_SERVES[1], Way::Serves(GUIDE_SERVES[1])),
];

/// The proxies that the guide starts, each with the plugin that it has come to.
const GUIDE_SERVES: [&str; 2] = [
    "CONTAINERS=1 POST=1 dockgate --demo --plugin bundled:tecnativa --plugin ./team-label.wasm",
    "CONTAINERS=1 POST=1 dockgate --demo --grant team-label=look-ups \
     --plugin bundled:tecnativa --plugin ./team-label.wasm=settings.json",
];

#[test]
fn what_readme_shows_is_what_comes() {
    Session::in_checkout().go_through(&Page::read("README.md"));
}

#[test]
fn the_guide_leads_to_policies_that_run() {
    Session::beside_checkout().go_through(&Page::read("docs/writing-a-plugin.md"));
}

#[test]
fn the_setting_for_linuxservers_flags_is_taken() {
    Session::beside_checkout().go_through(&Page::read("docs/flags.md"));
}

#[test]
fn what_is_said_of_the_configuration_is_what_comes() {
    Session::beside_checkout().go_through(&Page::read("docs/configuration.md"));
}

#[test]
fn what_is_said_of_clients_is_what_comes() {
    Session::beside_checkout().go_through(&Page::read("docs/clients.md"));
}

#[test]
fn what_is_said_of_presets_is_what_comes() {
    Session::beside_checkout().go_through(&Page::read("docs/presets.md"));
}

#[test]
fn what_is_said_of_importing_is_what_comes() {
    Session::beside_checkout().go_through(&Page::read("docs/importing.md"));
}

#[test]
fn what_is_said_of_rules_is_what_comes() {
    Session::beside_checkout().go_through(&Page::read("plugins/rules/README.md"));
}

#[test]
fn what_is_said_of_redaction_is_what_comes() {
    Session::beside_checkout().go_through(&Page::read("plugins/redact/README.md"));
}

#[test]
fn every_exception_is_of_a_command_that_is_there() {
    let pages = [
        "README.md",
        "docs/clients.md",
        "docs/configuration.md",
        "docs/flags.md",
        "docs/writing-a-plugin.md",
    ];
    let pages = pages.map(Page::read);
    for (command, way) in COMMANDS {
        let is_it = |line: &str| line.trim_start_matches("$ ") == *command;
        let shown = pages.iter().any(|page| page.text.lines().any(is_it));
        let reason = if let Way::Elsewhere(reason) = way { reason } else { "it goes on" };
        assert!(shown, "no page has this command any more: {command} ({reason})");
    }
}

#[test]
fn the_policy_in_readme_is_one_that_is_bundled() {
    let bundled = page::file("plugins/read-only/src/lib.rs");
    let (policy, _) = bundled.split_once("\ndockgate_plugin::manifest_test!").unwrap();
    let readme = Page::read("README.md");
    let shown = readme.blocks().iter().any(|block| block.text == format!("{policy}\n"));
    assert!(shown, "README.md shows another");
}

#[test]
fn a_panic_refuses_and_its_words_are_in_the_log() {
    let policy = "match request.path() { \"/panic\" => panic!(\"out of words\"), \
                  \"/print\" => loop { println!(\"again\") }, _ => Verdict::allow() }";
    let (folder, plugin) = plugin_that_decides("panicking", policy);
    let mut server = Server::start(demo_with(&folder, &plugin));
    let printed = answer(&server, "GET /panic");
    let refused = "is refused, since the plugin panicking failed: it trapped: ";
    assert!(printed.contains(refused), "{printed}");
    server.wait_for("panicked at src/lib.rs");
    server.wait_for("out of words");
    server.wait_for("\"verdict\":\"fault\"");

    let printed = answer(&server, "GET /print");
    assert!(printed.contains("it asked more of the proxy than it may"), "{printed}");
    let log = server.log();
    let lines = log.lines().filter(|line| line.contains("\"message\":\"again\"")).count();
    assert_eq!(lines, 20);

    let printed = answer(&server, "GET /_ping");
    assert!(printed.ends_with("OK"), "the next one finds a fresh instance: {printed}");
}

#[test]
fn a_hash_map_is_no_import_that_nobody_grants() {
    let policy = "let mut seen = std::collections::HashMap::new(); \
                  seen.insert(request.path(), ()); \
                  if seen.contains_key(\"/_ping\") { Verdict::allow() } else { Verdict::abstain() }";
    let (folder, plugin) = plugin_that_decides("hashing", policy);
    let server = Server::start(demo_with(&folder, &plugin));
    assert!(answer(&server, "GET /_ping").ends_with("OK"));
}

#[test]
fn the_flags_in_readme_are_those_of_tecnativas_image() {
    has_table(&Page::read("README.md"), &flags::rows(Dialect::Tecnativa));
}

#[test]
fn the_flags_in_their_page_are_what_linuxservers_image_has_besides() {
    let tecnativas: BTreeSet<_> = flags::rows(Dialect::Tecnativa).into_iter().collect();
    let rows = flags::rows(Dialect::LinuxServer);
    let besides: Vec<_> = rows.into_iter().filter(|row| !tecnativas.contains(row)).collect();
    has_table(&Page::read("docs/flags.md"), &besides);
}

#[test]
fn the_tools_in_their_page_are_those_that_there_are() {
    let row = |name| {
        let preset = dockgate::preset::find(name).unwrap();
        let guard = if preset.guard.is_some() { "yes" } else { "–" };
        let allow = preset.allow.iter().map(|pattern| format!("`{pattern}`"));
        let allow = allow.collect::<Vec<_>>().join(", ");
        format!("| `{name}` | {} | {allow} | {guard} |", preset.about)
    };
    let rows: Vec<_> = dockgate::preset::names().map(row).collect();
    let head = "| tool | what it does | what it may | guard |\n| --- | --- | --- | --- |";
    let page = Page::read("docs/presets.md");
    page.must_have("<!-- tools -->", "<!-- /tools -->", &format!("{head}\n{}", rows.join("\n")));
}

fn has_table(page: &Page, rows: &[Row]) {
    let head = "| flag | default | opens | with `POST=1` also |\n| --- | --- | --- | --- |";
    let rows: Vec<_> = rows.iter().map(|row| format!("| {} |", row.join(" | "))).collect();
    page.must_have("<!-- flags -->", "<!-- /flags -->", &format!("{head}\n{}", rows.join("\n")));
}

#[test]
fn the_keys_in_the_page_are_those_of_the_schema() {
    let sections = keys::sections();
    for keys::Section { name, rows } in &sections {
        let head = "| key | value | what it is |\n| --- | --- | --- |";
        let rows: Vec<_> = rows.iter().map(|row| format!("| {} |", row.join(" | "))).collect();
        let table = format!("{head}\n{}", rows.join("\n"));
        let page = Page::read("docs/configuration.md");
        page.must_have(&format!("<!-- keys of {name} -->"), "<!-- /keys -->", &table);
    }
    let shown = Page::read("docs/configuration.md").text.matches("<!-- keys of ").count();
    assert_eq!(shown, sections.len(), "a table is of no section any more");
}

#[test]
fn nothing_is_wrong_with_the_configurations_of_the_examples() {
    let blocks = Page::read("README.md").blocks();
    let readme = blocks.into_iter().find(|block| block.text.starts_with("listeners:")).unwrap();
    for (name, text) in [
        ("README.md", readme.text),
        ("compose/one-for-all.yaml", embedded("examples/compose/one-for-all.yaml")),
        ("swarm/dockgate.yaml", page::file("examples/swarm/dockgate.yaml")),
    ] {
        let problems = problems(&text, &[]);
        let fatal: Vec<_> = problems.iter().filter(|one| one["severity"] == "error").collect();
        assert!(fatal.is_empty(), "{name}: {fatal:#?}");
    }
}

#[test]
fn all_that_the_example_lacks_is_its_files() {
    let text = page::file("examples/dockgate.yaml");
    for problem in problems(&text, &[("SLACK_TOKEN", "x")]) {
        let words = problem["message"].as_str().unwrap();
        let lacks = words.contains("No such file") || problem["severity"] == "warning";
        assert!(lacks, "examples/dockgate.yaml: {problem:#}");
    }
}

#[test]
fn compose_takes_the_examples() {
    let version = Command::new("docker-compose").args(["version", "--short"]).output();
    let Ok(version) = version else {
        session::skip("docker-compose is not installed");
        return;
    };
    // Before 2.23.1 it knows no `content` of a config.
    let is_old = version.stdout.starts_with(b"1.");
    for file in ["examples/compose/one-for-all.yaml", "examples/swarm/stack.yaml"] {
        if is_old && page::file(file).contains("\n    content: |") {
            continue;
        }
        let path = Path::new(ROOT).join(file);
        let mut command = Command::new("docker-compose");
        must_succeed(command.arg("--file").arg(path).args(["config", "--quiet"]));
    }
}

/// The configuration that a compose file has in it. A dollar is doubled there.
fn embedded(file: &str) -> String {
    let text = page::file(file);
    let (_, content) = text.split_once("    content: |\n").unwrap();
    let lines = content.lines().take_while(|line| line.is_empty() || line.starts_with("      "));
    let lines: String = lines.flat_map(|line| [line.get(6..).unwrap_or(""), "\n"]).collect();
    assert!(
        !lines.replace("$$", "").contains('$'),
        "{file}: compose reads a dollar that is not doubled"
    );
    lines.replace("$$", "$")
}

/// What `dockgate check` says of a configuration, with these variables set.
fn problems(text: &str, variables: &[(&str, &str)]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dockgate.yaml");
    fs::write(&file, text).unwrap();
    let mut command = dockgate(folder.path(), &["check", "--json"]);
    let output = command.arg(&file).envs(variables.iter().copied()).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", printed_by(&output)))
}

#[test]
fn a_running_proxy_of_a_file_serves_and_explains() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("admin.sock").display().to_string();
    let page = Page::read("docs/configuration.md");
    let first = page.blocks().into_iter().find(|block| block.file.as_deref() == Some("first.yaml"));
    let first = first.unwrap().text.replace("127.0.0.1:2375", "127.0.0.1:0");
    let file = folder.path().join("first.yaml").display().to_string();
    fs::write(&file, format!("{first}admin: {{ address: unix://{socket} }}\n")).unwrap();
    let server = Server::start(dockgate(folder.path(), &["--demo", "--config", &file]));
    assert!(answer(&server, "GET /containers/json").contains("shop-web-1"));

    let running = format!("unix://{socket}");
    let asked = ["explain", "GET", "/images/json", "--running", &running];
    let told = dockgate(folder.path(), &asked).output().unwrap();
    assert_eq!(told.status.code(), Some(1), "{}", printed_by(&told));
    assert!(printed_by(&told).contains("set IMAGES=1"), "{}", printed_by(&told));
}

#[test]
fn a_client_is_known_by_the_certificates_of_the_page() {
    if session::missing("openssl").is_some() || session::missing("curl").is_some() {
        session::skip("openssl or curl is not installed");
        return;
    }
    let mut reader = Session::beside_checkout();
    reader.go_on(&Page::read("docs/clients.md"));
    let file = reader.folder().join("dockgate.yaml");
    let text = fs::read_to_string(&file).unwrap().replace("0.0.0.0:2376", "127.0.0.1:0");
    fs::write(&file, text).unwrap();
    let mut command = dockgate(reader.folder(), &["--demo", "--config", "dockgate.yaml"]);
    command.current_dir(reader.folder());
    let server = Server::start(command);
    let port = server.address.rsplit(':').next().unwrap().to_owned();
    let curl = |arguments: &str| {
        let url = format!("https://gate.example.com:{port}/containers/json");
        let resolve = format!("gate.example.com:{port}:127.0.0.1");
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--cacert", "server.pem", "--resolve", &resolve]);
        let output = curl.args(arguments.split_whitespace()).arg(url).current_dir(reader.folder());
        printed_by(&output.output().unwrap())
    };
    let known = curl("--cert ci.pem --key ci-key.pem");
    assert!(known.contains("shop-web-1"), "{known}\n{}", server.log());
    let unknown = curl("");
    assert!(!unknown.contains("shop-web-1"), "{unknown}");
}

#[test]
fn every_option_and_variable_that_is_named_is_in_the_help() {
    let help = help();
    for page in [
        "README.md",
        "ARCHITECTURE.md",
        "SECURITY.md",
        "docs/clients.md",
        "docs/configuration.md",
        "docs/importing.md",
        "docs/presets.md",
        "docs/writing-a-plugin.md",
    ] {
        let page = Page::read(page);
        let code = page.code();
        let words = code.iter().flat_map(|code| code.split([' ', '=', ',']));
        let named = |word: &&str| word.starts_with("--") || word.starts_with("DOCKGATE_");
        // Those of cargo and docker, and what only tests read.
        let cargos = ["--workspace", "--test", "--locked", "--path"];
        let others = ["--format", "--signal", "DOCKGATE_BLESS", "DOCKGATE_MUSL_BIN"];
        let theirs = cargos.iter().chain(&others).collect::<Vec<_>>();
        for word in words.filter(named).filter(|word| !theirs.contains(&word)) {
            let known = help.split([' ', '\n', '=', '[']).any(|known| known == word);
            assert!(known, "{} names {word}, which --help does not", page.name);
        }
    }
}

#[test]
fn the_log_line_has_the_fields_of_a_real_one() {
    let blocks = Page::read("README.md").blocks();
    let shown = blocks.iter().find(|block| block.language == "json").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = dockgate(folder.path(), &["--demo", "--log-format", "json"]);
    command.env("CONTAINERS", "1");
    let mut server = Server::start(command);
    answer(&server, "POST /containers/shop-web-1/restart");
    let real = server.wait_for("\"operation\":\"container-restart\"");

    let keys = |line: &str| -> Vec<String> {
        let fields = line.trim_matches(['{', '}', '\n']).split(",\"");
        fields.map(|f| f.split("\":").next().unwrap().trim_matches('"').to_owned()).collect()
    };
    assert_eq!(keys(&shown.text), keys(&real));
    let values = |line: &str| {
        let mut record: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
        record.retain(|name, _| !["time", "client", "duration_us"].contains(&name.as_str()));
        record
    };
    assert_eq!(values(&shown.text), values(&real));

    let explained = Page::read("README.md").table("## The log");
    let explained: String = explained.iter().map(|row| row[0].as_str()).collect();
    for key in
        keys(&real).iter().filter(|key| !["time", "method", "status"].contains(&key.as_str()))
    {
        assert!(explained.contains(&format!("`{key}`")), "README.md does not explain {key}");
    }
}

#[test]
fn it_ends_with_the_codes_that_readme_names() {
    let folder = tempfile::tempdir().unwrap();
    let demo = |listen: &str| dockgate(folder.path(), &["--demo", "--listen", listen]);
    let mut server = Server::start(demo("127.0.0.1:0"));
    let in_use = demo(&server.address).output().unwrap();
    assert_eq!(in_use.status.code(), Some(1), "{}", printed_by(&in_use));
    let wrong = demo("nowhere").output().unwrap();
    assert_eq!(wrong.status.code(), Some(2), "{}", printed_by(&wrong));
    assert_eq!(server.end(), Some(0), "{}", server.log());
}

#[test]
fn every_link_leads_to_something() {
    let mut astray = Vec::new();
    for page in Page::all() {
        let folder = Path::new(ROOT).join(&page.name);
        let folder = folder.parent().unwrap();
        for link in page.links().into_iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target =
                if file.is_empty() { Path::new(ROOT).join(&page.name) } else { folder.join(file) };
            let there = target.exists() && (anchor.is_empty() || has_anchor(&target, anchor));
            if !there {
                astray.push(format!("{}: {link}", page.name));
            }
        }
    }
    assert!(astray.is_empty(), "these lead nowhere: {astray:#?}");
}

fn has_anchor(page: &Path, anchor: &str) -> bool {
    let text = fs::read_to_string(page).unwrap();
    Page { name: String::new(), text }.anchors().iter().any(|known| known == anchor)
}

#[test]
fn every_file_that_is_named_is_there() {
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let page = Page::read(page);
        let files = [".rs", ".wit", ".md", ".toml", ".json", ".yaml", ".jsonl", "/"];
        let is_file = |code: &&str| {
            !code.starts_with(['/', '-', '~', '.'])
                && !code.contains([' ', ':', '{', '*', '<'])
                && files.iter().any(|end| code.ends_with(end))
        };
        let mut code = page.code();
        code.retain(is_file);
        for file in code {
            // From the checkout, or from a folder that was named before.
            let known =
                ["", "proxy/src", "proxy/src/request", "proxy/src/http", "proxy/src/plugin"];
            let plugins = ["plugins", "plugins/tecnativa", "plugins/tecnativa/src"];
            let more = [
                "plugins/container-guard/src",
                "plugins/label-scope/src",
                "plugins/redact/src",
                "plugins/rules/src",
                "plugin-sdk/src",
                "tests",
            ];
            let parts = [
                "cli",
                "client",
                "config",
                "import",
                "oci",
                "request/document",
                "selection",
                "tls",
            ];
            let parts = parts.map(|part| format!("proxy/src/{part}"));
            let parts = parts.iter().map(String::as_str);
            let named = known.iter().chain(&plugins).chain(&more).copied();
            let mut folders = named.chain(parts);
            let there = folders.any(|folder| Path::new(ROOT).join(folder).join(file).exists());
            assert!(there, "{} names {file}", page.name);
        }
    }
}

#[test]
fn every_invariant_has_tests_that_exist() {
    let sources = sources_of_tests();
    for row in Page::read("ARCHITECTURE.md").table("## Invariants") {
        has_tests(&sources, &row[0], &row[1]);
    }
}

#[test]
fn every_way_to_the_host_has_tests_that_exist() {
    let sources = sources_of_tests();
    for row in Page::read("docs/threat-model.md").table("## Ways") {
        let [way, _, _, tests] = &row[..] else { panic!("{row:?}") };
        has_tests(&sources, way, tests);
    }
}

fn sources_of_tests() -> String {
    limits::sources(&["proxy", "tests", "plugins", "plugin-sdk", "benches"])
}

fn has_tests(sources: &str, what: &str, cell: &str) {
    let tests: Vec<_> = cell.split('`').skip(1).step_by(2).collect();
    assert!(!tests.is_empty(), "nothing shows this: {what}");
    for test in tests {
        assert!(sources.contains(&format!("fn {test}(")), "there is no test {test}");
    }
}

#[test]
fn every_limit_has_the_value_that_is_said() {
    let (help, sources) = (help(), limits::sources(&["proxy/src"]));
    for row in Page::read("ARCHITECTURE.md").table("## Limits") {
        let [what, said, set_by] = &row[..] else { panic!("{row:?}") };
        let so = match set_by.trim_matches('`') {
            option if option.starts_with("--") => limits::default_of(&help, option),
            constant => limits::value_of(&sources, constant),
        };
        assert_eq!(limits::number(said), so, "{what}: {said} ({set_by})");
    }
}

/// Of the proxy, and of the commands whose options the pages name.
fn help() -> String {
    let folder = tempfile::tempdir().unwrap();
    let help = |command: &str| {
        let arguments: Vec<_> = command.split_whitespace().chain(["--help"]).collect();
        let output = dockgate(folder.path(), &arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    ["", "explain", "check", "config show", "healthcheck", "init", "import wollomatic"]
        .map(help)
        .concat()
}

/// A component whose policy decides so, and the folder that it is in.
fn plugin_that_decides(name: &str, body: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let sdk = fs::canonicalize(Path::new(ROOT).join("plugin-sdk")).unwrap();
    let manifest = format!(
        "[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [lib]\ncrate-type = [\"cdylib\"]\n\
         [dependencies]\ndockgate-plugin = {{ path = \"{}\" }}\n[workspace]\n",
        sdk.display()
    );
    let source = format!(
        "use dockgate_plugin::{{NoSettings, Policy, Request, Setup, Verdict}};\n\
         pub struct Decides;\n\
         impl Policy for Decides {{\n\
             type Settings = NoSettings;\n\
             fn set_up(_: &mut Setup<NoSettings>) -> Self {{ Decides }}\n\
             fn decide(&self, request: &Request) -> Verdict {{ {body} }}\n\
         }}\n\
         dockgate_plugin::export!(Decides);\n"
    );
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/lib.rs"), source).unwrap();
    let mut command = cargo(&["build", "--quiet", "--release", "--target", "wasm32-wasip2"], "");
    must_succeed(command.current_dir(folder.path()));
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide/wasm32-wasip2/release");
    (folder, built.join(name).with_extension("wasm"))
}

/// A proxy in front of the engine inside, with this plugin alone.
fn demo_with(folder: &tempfile::TempDir, plugin: &Path) -> Command {
    let mut command = dockgate(folder.path(), &["--demo", "--log-format", "json", "--plugin"]);
    command.arg(plugin);
    command
}

/// The proxy, which leaves nothing outside of this folder.
fn dockgate(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dockgate"));
    command.args(arguments).env_clear().envs(environment(folder));
    command
}

/// What is answered to a request, the head and the body.
fn answer(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    write!(stream, "{request} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn cargo(arguments: &[&str], folder: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(Path::new(ROOT).join(folder)).env_clear();
    command.envs(environment(&std::env::temp_dir()));
    command
}

fn must_succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", printed_by(&output));
}

fn printed_by(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}
