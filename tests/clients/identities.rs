//! Whose connection it is: of the container that runs, whatever address it was given and whatever
//! it is called now.

use crate::{
    client::{Client, Settings, Verdict},
    daemon::{Daemon, wait_until},
    machine::{Machine, Namespace, WITH_MACHINE},
    proxy::Proxy,
    shell::Shell,
};

const NETWORK: &str = "docker network create --subnet 10.124.1.0/24 --gateway 10.124.1.1 \
    --opt com.docker.network.bridge.name=team0 team";
const ADDRESS: Settings =
    Settings { address: "tcp://10.124.1.1:2375", certificates: None, user: None };

/// Readers are for containers and writers are for volumes, so either is refused what the other may.
const CONTAINERS: &str = "GET /containers/json";
const VOLUMES: &str = "GET /volumes";

/// A configuration with a chain for containers and one for volumes, each for these clients.
fn configuration(listener: &str, containers: &str, volumes: &str) -> String {
    format!(
        r#"
listeners:
  all: {{ address: "{listener}", mode: "0666" }}
plugins:
  containers: {{ source: "bundled:tecnativa", environment: {{ CONTAINERS: 1 }} }}
  volumes: {{ source: "bundled:tecnativa", environment: {{ VOLUMES: 1 }} }}
chains:
  - {{ name: for-containers, clients: [{containers}], plugins: [containers] }}
  - {{ name: for-volumes, clients: [{volumes}], plugins: [volumes] }}
"#
    )
    .replace(if listener.starts_with("tcp:") { ", mode: \"0666\"" } else { "nothing" }, "")
}

/// A container that clients can be in.
fn run(daemon: &Daemon, name: &str, options: &str) {
    let run = format!("docker run --detach {WITH_MACHINE} --name {name} {options}");
    daemon.shell().must_run(&format!("{run} busy:1 sleep 1000"));
}

/// A machine with a network for the daemon's containers, and a proxy there for these clients.
fn before(daemon: &Daemon, containers: &str, volumes: &str) -> (Machine, Shell, Proxy) {
    let (machine, shell) = (Machine::of(daemon), daemon.shell());
    shell.must_run(NETWORK);
    let configuration = configuration(ADDRESS.address, containers, volumes);
    let proxy = Proxy::start(&machine, &configuration);
    (machine, shell, proxy)
}

/// The number of a container's first process.
fn first_process(daemon: &Daemon, name: &str) -> String {
    let inspect = format!("docker inspect --format '{{{{.State.Pid}}}}' {name}");
    daemon.shell().must_run(&inspect).trim().to_owned()
}

/// Whether all requests came on one connection.
fn one_connection(proxy: &Proxy) -> bool {
    let records = proxy.records();
    records.iter().all(|record| record["client"] == records[0]["client"])
}

/// Whether a client may see containers, and volumes.
fn may(client: &mut Client) -> [bool; 2] {
    [CONTAINERS, VOLUMES].map(|line| is_allowed(client.ask(line)))
}

fn is_allowed(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Allowed => true,
        Verdict::Refused(_) => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn permissions_follow_a_container_and_not_its_address() {
    let Some(daemon) = crate::daemon() else { return };
    let (machine, shell, proxy) = before(
        &daemon,
        "{ container: { labels: { role: reader } } }",
        "{ container: { labels: { role: writer } } }",
    );
    run(&daemon, "one", "--network team --ip 10.124.1.11 --label role=reader");
    run(&daemon, "two", "--network team --ip 10.124.1.12 --label role=writer");
    assert_eq!(may(&mut machine.client_in("one", ADDRESS)), [true, false]);
    assert_eq!(may(&mut machine.client_in("two", ADDRESS)), [false, true]);

    // The address of the one is given to another, which has just been made.
    shell.must_run("docker stop --time 0 one two");
    run(&daemon, "three", "--network team --ip 10.124.1.11 --label role=writer");
    let mut three = machine.client_in("three", ADDRESS);
    assert_eq!(three.ask("GET /volumes/threes"), Verdict::Allowed);
    let record = proxy.record("/volumes/threes");
    assert!(record["client"].as_str().unwrap().starts_with("10.124.1.11:"), "{record}");
    assert_eq!((&record["container"], &record["chain"]), (&"three".into(), &"for-volumes".into()));
    assert_eq!(may(&mut three), [false, true]);

    // To another that had one of its own, and has been started again.
    drop(three);
    shell.must_run(
        "docker rm --force three
        docker network disconnect team one
        docker network disconnect team two
        docker network connect --ip 10.124.1.12 team one
        docker network connect --ip 10.124.1.11 team two
        docker start one two",
    );
    assert_eq!(may(&mut machine.client_in("one", ADDRESS)), [true, false]);
    assert_eq!(may(&mut machine.client_in("two", ADDRESS)), [false, true]);

    // And while they run.
    shell.must_run(
        "docker network disconnect team one
        docker network disconnect team two
        docker network connect --ip 10.124.1.11 team one
        docker network connect --ip 10.124.1.12 team two",
    );
    assert_eq!(may(&mut machine.client_in("one", ADDRESS)), [true, false]);
    assert_eq!(may(&mut machine.client_in("two", ADDRESS)), [false, true]);
}

#[test]
fn nobody_is_a_container_by_an_address_that_it_had_or_shares() {
    let Some(daemon) = crate::daemon() else { return };
    let (machine, shell, proxy) =
        before(&daemon, "{ container: { name: one } }", "{ container: { name: joiner } }");
    run(&daemon, "one", "--network team --ip 10.124.1.11");
    let mut one = machine.client_in("one", ADDRESS);
    assert_eq!(may(&mut one), [true, false]);
    assert!(is_allowed(one.ask_on_kept(CONTAINERS)));

    run(&daemon, "joiner", "--network container:one");
    assert_eq!(may(&mut one), [false, false]);
    assert_eq!(may(&mut machine.client_in("joiner", ADDRESS)), [false, false]);
    assert!(is_allowed(one.ask_on_kept(CONTAINERS)), "when it came it was alone");
    drop(one);

    shell.must_run("docker rm --force joiner && docker stop --time 0 one");
    let thief = Namespace::in_bridge(&machine, "thief", "team0", "10.124.1.11/24");
    let mut client = thief.client(ADDRESS);
    assert_eq!(may(&mut client), [false, false]);
    assert!(!is_allowed(client.ask("GET /containers/thiefs/json")));
    let record = proxy.record("/containers/thiefs/json");
    assert!(record["client"].as_str().unwrap().starts_with("10.124.1.11:"), "{record}");
    assert_eq!(record.get("container"), None);
}

#[test]
fn a_connection_that_is_kept_has_the_chain_of_the_new_name() {
    let Some(daemon) = crate::daemon() else { return };
    let (machine, shell, proxy) =
        before(&daemon, "{ container: { name: reader-* } }", "{ container: { name: writer-* } }");
    run(&daemon, "reader-1", "--network team");
    let mut client = machine.client_in("reader-1", ADDRESS);
    let mut may = |line| is_allowed(client.ask_on_kept(line));
    assert!(may(CONTAINERS));
    assert!(!may(VOLUMES));

    shell.must_run("docker rename reader-1 writer-1");
    wait_until("the new name counts", || may(VOLUMES));
    assert!(!may("GET /containers/none/json"));
    let record = proxy.record("/containers/none/json");
    assert_eq!(
        (&record["container"], &record["chain"]),
        (&"writer-1".into(), &"for-volumes".into())
    );

    shell.must_run("docker rename writer-1 nobody");
    wait_until("no chain is for that name", || !may(VOLUMES));
    assert!(!may(CONTAINERS));

    assert!(one_connection(&proxy));
}

#[test]
fn a_client_at_a_unix_socket_is_known_in_a_container_and_not_beside_it() {
    let Some(daemon) = crate::daemon() else { return };
    let machine = Machine::of(&daemon);
    let socket = machine.socket("proxy.sock");
    let at_socket = Settings { address: &socket, ..Settings::default() };
    let proxy = Proxy::start(
        &machine,
        &configuration(
            &socket,
            "{ container: { labels: { role: reader } } }",
            "{ container: { labels: { role: writer } } }",
        ),
    );
    run(&daemon, "one", "--network none --label role=reader");
    run(&daemon, "two", "--network none --label role=writer");
    let mut one = machine.client_in("one", at_socket);
    assert_eq!(may(&mut one), [true, false]);
    assert_eq!(may(&mut machine.client_in("two", at_socket)), [false, true]);
    assert_eq!(one.ask("GET /containers/ones/json"), Verdict::Allowed);
    let record = proxy.record("/containers/ones/json");
    assert_eq!((&record["client"], &record["container"]), (&"uid=0".into(), &"one".into()));

    let mut beside = machine.client(at_socket);
    assert_eq!(may(&mut beside), [false, false]);
    assert!(!is_allowed(beside.ask("GET /containers/machines/json")));
    let record = proxy.record("/containers/machines/json");
    assert_eq!((&record["client"], record.get("container")), (&"uid=0".into(), None));
}

#[test]
fn a_connection_outlives_the_daemon_where_its_container_does() {
    let Some(mut daemon) = crate::daemon() else { return };
    let (machine, shell, proxy) =
        before(&daemon, "{ container: { name: one } }", "{ container: { name: two } }");
    let leave_containers_alone = |whether: bool| {
        machine.must_run(&format!(
            r#"cd {}; echo '{{"live-restore": {whether}}}' >daemon.json; kill -HUP $(cat dockerd.pid)"#,
            machine.folder().display()
        ));
        let is_so = "docker info --format '{{.LiveRestoreEnabled}}'";
        wait_until("it is so", || shell.must_run(is_so).trim() == whether.to_string());
    };
    run(&daemon, "one", "--network team");
    let mut one = machine.client_in_network_of(&first_process(&daemon, "one"), ADDRESS);
    assert!(is_allowed(one.ask_on_kept(CONTAINERS)));

    leave_containers_alone(true);
    daemon.kill();
    wait_until("nobody is known", || matches!(one.ask_on_kept(CONTAINERS), Verdict::Refused(_)));
    daemon.serve();
    wait_until("it is known again", || is_allowed(one.ask_on_kept(CONTAINERS)));
    assert!(!is_allowed(one.ask_on_kept(VOLUMES)));
    assert!(one_connection(&proxy));
    leave_containers_alone(false);
}

#[test]
fn identities_come_back_with_the_daemon() {
    let Some(mut daemon) = crate::daemon() else { return };
    let (machine, shell, _proxy) = before(
        &daemon,
        "{ container: { name: one } }",
        "{ address: 10.124.1.1 }, { container: { name: two } }",
    );
    run(&daemon, "one", "--network team --ip 10.124.1.11");
    run(&daemon, "two", "--network team --ip 10.124.1.12");
    // Not in it as the others are, which end with the daemon's side of them.
    let mut one = machine.client_in_network_of(&first_process(&daemon, "one"), ADDRESS);
    // The machine itself is known by its address, and needs no daemon for that.
    let mut beside = machine.client(ADDRESS);
    assert!(is_allowed(one.ask_on_kept(CONTAINERS)));
    assert!(is_allowed(beside.ask_on_kept(VOLUMES)));

    daemon.kill();
    wait_until("nobody is known", || matches!(one.ask_on_kept(CONTAINERS), Verdict::Refused(_)));
    assert!(matches!(beside.ask_on_kept(VOLUMES), Verdict::Unanswered(_)));

    daemon.serve();
    shell.must_run("docker start one two");
    wait_until("it answers", || matches!(beside.ask_on_kept(VOLUMES), Verdict::Allowed));
    for (name, expected) in [("one", [true, false]), ("two", [false, true])] {
        let mut client = machine.client_in(name, ADDRESS);
        wait_until("it is known again", || may(&mut client) == expected);
    }
}
