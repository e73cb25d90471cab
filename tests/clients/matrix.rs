//! Who may do what: each kind of client, each operation, a connection for each.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::{
    authority::{Authority, Issued},
    client::{Client, Settings, Verdict},
    daemon::Daemon,
    machine::{Machine, Namespace, WITH_MACHINE},
    proxy::Proxy,
};

/// `yes` and `no` are what the client's own chain says, in brackets what the last one says, which is
/// for everybody else. Who gets no connection has a dash.
const TABLE: &str = "
operation              traefik  updater  misplaced  plain  ci     release  stranger  agent  user   office  host
system-ping            yes      yes      (yes)      (yes)  yes    no       -         yes    (yes)  yes     yes
system-version         yes      yes      (no)       (no)   (no)   no       -         yes    (no)   yes     yes
system-info            no       no       (no)       (no)   (no)   no       -         yes    (no)   yes     (no)
system-events          yes      yes      (no)       (no)   (no)   no       -         yes    (no)   no      (no)
system-data-usage      no       no       (no)       (no)   (no)   no       -         yes    (no)   yes     (no)
container-list         yes      yes      (no)       (no)   yes    no       -         yes    (no)   no      (no)
container-inspect      yes      yes      (no)       (no)   yes    no       -         yes    (no)   no      (no)
container-logs         yes      yes      (no)       (no)   yes    no       -         yes    (no)   no      (no)
container-create       no       yes      (no)       (no)   yes    no       -         (no)   (no)   no      (no)
container-start        no       yes      (no)       (no)   yes    no       -         (no)   (no)   no      (no)
container-stop         no       yes      (no)       (no)   yes    no       -         (no)   (no)   no      (no)
container-delete       no       yes      (no)       (no)   yes    no       -         (no)   (no)   no      (no)
container-exec         no       yes      (no)       (no)   yes    no       -         (no)   (no)   no      (no)
exec-start             no       no       (no)       (no)   (no)   no       -         (no)   (no)   no      (no)
image-list             no       yes      (no)       (no)   yes    yes      -         yes    (no)   no      (no)
image-create           no       yes      (no)       (no)   yes    yes      -         (no)   (no)   no      (no)
image-delete           no       yes      (no)       (no)   yes    yes      -         (no)   (no)   no      (no)
image-build            no       no       (no)       (no)   no     no       -         (no)   (no)   no      (no)
system-auth            no       no       (no)       (no)   (no)   yes      -         (no)   (no)   no      (no)
network-list           no       yes      (no)       (no)   (no)   no       -         yes    (no)   no      yes
network-connect        no       yes      (no)       (no)   (no)   no       -         (no)   (no)   no      yes
volume-list            no       no       (no)       (no)   (no)   no       -         yes    (no)   no      yes
volume-delete          no       no       (no)       (no)   (no)   no       -         (no)   (no)   no      yes
secret-list            no       no       (no)       (no)   (no)   no       -         yes    (no)   no      (no)
";

/// A request for each line of the table. Nothing that they name is there, so none changes anything.
const REQUESTS: [(&str, Option<&str>); 24] = [
    ("GET /_ping", None),
    ("GET /version", None),
    ("GET /v1.41/info", None),
    ("GET /events?since=0&until=1", None),
    ("GET /system/df", None),
    ("GET /v1.41/containers/json?all=1", None),
    ("GET /containers/none/json", None),
    ("GET /containers/none/logs?stdout=1", None),
    ("POST /containers/create?name=none", Some(r#"{"Image": "none:1"}"#)),
    ("POST /v1.41/containers/none/start", None),
    ("POST /containers/none/stop", None),
    ("DELETE /containers/none", None),
    ("POST /containers/none/exec", Some(r#"{"Cmd": ["true"]}"#)),
    ("POST /exec/none/start", Some("{}")),
    ("GET /images/json", None),
    ("POST /images/create?fromImage=127.0.0.1:1/none&tag=1", None),
    ("DELETE /images/none", None),
    ("POST /build?dockerfile=none", None),
    ("POST /auth", Some(r#"{"serveraddress": "127.0.0.1:1"}"#)),
    ("GET /networks", None),
    ("POST /networks/none/connect", Some(r#"{"Container": "none"}"#)),
    ("GET /volumes", None),
    ("DELETE /volumes/none", None),
    ("GET /secrets", None),
];

/// Who has a certificate that the proxy does not trust. Of his requests there are no records.
const STRANGER: &str = "stranger";
/// The chain that is for everybody else.
const OTHERS: &str = "everybody-else";

#[test]
fn each_client_may_do_what_its_chain_allows_and_nothing_else() {
    let Some(daemon) = crate::daemon() else { return };
    let machine = Machine::of(&daemon);
    make_containers(&daemon);
    let office = Namespace::new(&machine, "office", "10.124.9.1/24", "10.124.9.2/24");
    let certificates = Certificates::new(machine.folder());
    let proxy = Proxy::start(&machine, &configuration(&machine, &certificates));

    let at = |address| Settings { address, ..Settings::default() };
    let (web, ops) = (at("tcp://10.124.1.1:2375"), at("tcp://10.124.2.1:2375"));
    let socket = machine.socket("proxy.sock");
    let user = |user| Settings { user: Some(user), ..at(&socket) };
    let runner = |name| {
        let certificates = certificates.folder(name);
        machine.client(Settings { certificates: Some(&certificates), ..at("tcp://127.0.0.1:2376") })
    };
    let mut columns = [
        Column::of("traefik", machine.client_in("web-traefik-1", web))
            .in_container("web-traefik-1"),
        Column::of("updater", machine.client_in("updater", ops)).in_container("updater"),
        // The machine's address in another network can be reached: where a client came in does not
        // tell in which network it is.
        Column::of("misplaced", machine.client_in("misplaced", ops)).in_container("misplaced"),
        Column::of("plain", machine.client_in("plain", web)).in_container("plain"),
        Column::of("ci", runner("ci-7")),
        Column::of("release", runner("ci-release")),
        Column::of(STRANGER, runner(STRANGER)),
        Column::of("agent", machine.client(user(65534))),
        Column::of("user", machine.client(user(1000))),
        Column::of("office", office.client(at("tcp://10.124.9.1:2375"))),
        Column::of("host", machine.client(at("tcp://127.0.0.1:2375"))),
    ];
    for (operation, request) in operations().zip(REQUESTS) {
        for column in &mut columns {
            column.ask(&proxy, operation, request);
        }
    }
    let seen = draw(&columns);
    assert!(seen == TABLE, "is:{seen}\nshould be:{TABLE}");
}

/// Traefik and a container without a label share a network, the updater has another, and one that is
/// labelled as the updater is in the wrong one.
fn make_containers(daemon: &Daemon) {
    daemon.shell().must_run(&format!(
        "
        docker network create --subnet 10.124.1.0/24 --gateway 10.124.1.1 web
        docker network create --subnet 10.124.2.0/24 --gateway 10.124.2.1 ops
        run='docker run --detach {WITH_MACHINE}'
        $run --name web-traefik-1 --network web --label com.docker.compose.project=web \
            --label com.docker.compose.service=traefik busy:1 sleep 1000
        $run --name updater --network ops --label role=updater busy:1 sleep 1000
        $run --name misplaced --network web --label role=updater busy:1 sleep 1000
        $run --name plain --network web busy:1 sleep 1000
        "
    ));
}

/// The file: listeners at the machine's own addresses in each network, and a chain for each client.
fn configuration(machine: &Machine, certificates: &Certificates) -> String {
    let (socket, server) = (machine.socket("proxy.sock"), certificates.folder("server"));
    let (server, pin) = (server.display(), &certificates.pin);
    format!(
        r#"
listeners:
  web: {{ address: "tcp://10.124.1.1:2375" }}
  ops: {{ address: "tcp://10.124.2.1:2375" }}
  office: {{ address: "tcp://10.124.9.1:2375" }}
  host: {{ address: "tcp://127.0.0.1:2375" }}
  local: {{ address: "{socket}", mode: "0666" }}
  runners:
    address: tcp://127.0.0.1:2376
    tls: {{ certificate: {server}/cert.pem, key: {server}/key.pem, client-ca: {server}/ca.pem }}

plugins:
  traefik: {{ source: "bundled:tecnativa", environment: {{ CONTAINERS: 1 }} }}
  updater:
    source: bundled:tecnativa
    environment: {{ CONTAINERS: 1, IMAGES: 1, NETWORKS: 1, POST: 1 }}
  ci: {{ source: "bundled:tecnativa", environment: {{ CONTAINERS: 1, IMAGES: 1, POST: 1 }} }}
  release:
    source: bundled:tecnativa
    environment: {{ AUTH: 1, IMAGES: 1, POST: 1, PING: 0, VERSION: 0, EVENTS: 0 }}
  look:
    source: bundled:tecnativa
    environment: {{ CONTAINERS: 1, IMAGES: 1, INFO: 1, NETWORKS: 1, SECRETS: 1, SYSTEM: 1, VOLUMES: 1, POST: 1 }}
  read-only: {{ source: "bundled:read-only" }}
  office: {{ source: "bundled:tecnativa", environment: {{ INFO: 1, SYSTEM: 1, EVENTS: 0 }} }}
  host: {{ source: "bundled:tecnativa", environment: {{ NETWORKS: 1, VOLUMES: 1, POST: 1 }} }}
  ping: {{ source: "bundled:tecnativa", environment: {{ VERSION: 0, EVENTS: 0 }} }}

chains:
  - name: traefik
    clients: [{{ container: {{ project: web, service: traefik }} }}]
    plugins: [traefik]
  - name: updater
    listeners: [ops]
    clients: [{{ address: 10.124.2.0/24, container: {{ labels: {{ role: updater }} }} }}]
    plugins: [updater]
  - name: release
    clients: [{{ certificate: {{ pin: {pin} }} }}]
    plugins: [release]
  - name: ci
    listeners: [runners]
    clients: [{{ certificate: {{ subject: "CN=ci-*,O=Example" }} }}]
    operations: [system-ping, "container-*", "image-*"]
    plugins: [ci]
  - name: agent
    clients: [{{ user: 65534 }}]
    methods: [GET, HEAD]
    plugins: [look, read-only]
  - name: office
    clients: [{{ address: 10.124.9.0/24 }}]
    plugins: [office]
  - name: host
    listeners: [host]
    paths: ["/_ping", "/version", "/networks", "/networks/**", "/volumes", "/volumes/**"]
    plugins: [host]
  - name: {OTHERS}
    plugins: [ping]
"#
    )
}

/// A client, and what it may.
struct Column {
    name: &'static str,
    client: Client,
    /// What it runs in, as the log should have it.
    container: Option<&'static str>,
    cells: Vec<&'static str>,
}

impl Column {
    fn of(name: &'static str, client: Client) -> Self {
        Self { name, client, container: None, cells: Vec::new() }
    }

    fn in_container(self, container: &'static str) -> Self {
        Self { container: Some(container), ..self }
    }

    fn ask(&mut self, proxy: &Proxy, operation: &str, (line, body): (&str, Option<&str>)) {
        if self.name == STRANGER {
            let verdict = self.client.ask_with(line, body);
            assert!(matches!(verdict, Verdict::NoConnection(_)), "{line}: {verdict:?}");
            self.cells.push("-");
            return;
        }
        let (verdict, record) = proxy.record_of(|| self.client.ask_with(line, body));
        assert_eq!(record["operation"], operation, "{line}");
        let container = self.container.map_or(Value::Null, Value::from);
        assert_eq!(record["container"], container, "{}: {line}: {record}", self.name);
        let others = record["chain"] == OTHERS;
        assert!(others || record["chain"] == self.name, "{}: {line}: {record}", self.name);
        self.cells.push(match verdict {
            Verdict::Allowed if others => "(yes)",
            Verdict::Allowed => "yes",
            Verdict::Refused(_) if others => "(no)",
            Verdict::Refused(_) => "no",
            other => panic!("{}: {line}: {other:?}", self.name),
        });
    }
}

/// The first words of the table's lines.
fn operations() -> impl Iterator<Item = &'static str> {
    TABLE.trim_start().lines().skip(1).filter_map(|line| line.split(' ').next())
}

/// In the form of the table.
fn draw(columns: &[Column]) -> String {
    let mut table = format!("\n{:23}", "operation");
    let width = |column: &Column| column.name.len().max("(yes)".len()) + 2;
    let end_line = |table: &mut String| {
        table.truncate(table.trim_end_matches(' ').len());
        table.push('\n');
    };
    for column in columns {
        write!(table, "{:1$}", column.name, width(column)).unwrap();
    }
    end_line(&mut table);
    for (row, operation) in operations().enumerate() {
        write!(table, "{operation:23}").unwrap();
        for column in columns {
            write!(table, "{:1$}", column.cells[row], width(column)).unwrap();
        }
        end_line(&mut table);
    }
    table
}

/// What the proxy and the runners show each other, in a folder for each.
struct Certificates {
    folder: PathBuf,
    /// Of the key of `ci-release`.
    pin: String,
}

impl Certificates {
    fn new(folder: &Path) -> Self {
        let folder = folder.join("certificates");
        let (servers, runners) = (Authority::new("servers"), Authority::new("runners"));
        let release = runners.client("ci-release");
        let certificates = Self { folder, pin: pin_of(&release) };
        certificates.write("server", &servers.server(&["127.0.0.1"]), &runners);
        certificates.write("ci-7", &runners.client("ci-7"), &servers);
        certificates.write("ci-release", &release, &servers);
        // Of an authority that is called like theirs, and calls him as it likes.
        let foreign = Authority::new("runners").client("ci-7");
        certificates.write(STRANGER, &foreign, &servers);
        certificates
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn write(&self, name: &str, issued: &Issued, ca: &Authority) {
        let folder = self.folder(name);
        fs::create_dir_all(&folder).unwrap();
        issued.write(&folder, ca);
    }
}

fn pin_of(certificate: &Issued) -> String {
    let (_, parsed) = X509Certificate::from_der(&certificate.der).unwrap();
    let digest = Sha256::digest(parsed.tbs_certificate.subject_pki.raw);
    digest.iter().fold(String::new(), |pin, byte| pin + &format!("{byte:02x}"))
}
