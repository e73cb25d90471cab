//! Which container a client runs in, at a real Docker daemon.
//!
//! Needs what tests/dockerd.rs needs, and `python3`. The directory is the proxy's own, on a thread of
//! this program; what connects to a unix socket is asked about by a process that counts processes as
//! the daemon does: see `identity/gate.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "dockerd/daemon.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod daemon;
#[path = "identity/gate.rs"]
mod gate;
#[path = "identity/kept.rs"]
mod kept;
#[path = "identity/relay.rs"]
mod relay;
#[path = "dockerd/shell.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod shell;
#[path = "dockerd/wire.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod wire;

use std::time::{Duration, SystemTime};

use daemon::{is_installed, wait_until};
use gate::Gate;
use kept::Kept;
use relay::Relay;
use shell::Shell;

const NETWORK: &str = "docker network create --subnet 10.123.0.0/24 --gateway 10.123.0.1 team";

/// A container at 10.123.0.11.
fn one_in_a_network() -> String {
    format!(
        "{NETWORK}
        docker run -d --name one --network team --ip 10.123.0.11 busy:1 sleep 1000"
    )
}

#[test]
fn each_container_of_a_network_is_known_by_its_address() {
    let Some(daemon) = daemon::shared() else { return };
    let shell = daemon.shell();
    let before = SystemTime::now();
    shell.must_run(&format!(
        "{NETWORK}
        docker run -d --name one --network team --ip 10.123.0.11 --label role=ci busy:1 sleep 1000"
    ));
    let kept = Kept::at(&daemon.socket());
    // One that was there before the directory, one that it saw coming, in another network as well.
    shell.must_run(
        "docker run -d --name two --network team --ip 10.123.0.12 busy:1 sleep 1000
        docker network connect bridge two",
    );

    let one = kept.container("10.123.0.11").unwrap();
    assert_eq!((&*one.name, &*one.image), ("one", "busy:1"));
    assert_eq!(one.labels["role"], "ci");
    assert_eq!(one.id, id_of(&shell, "one"));
    assert_eq!(kept.name("10.123.0.12").as_deref(), Some("two"));
    let other_address = shell
        .must_run("docker inspect --format '{{.NetworkSettings.Networks.bridge.IPAddress}}' two");
    assert_eq!(kept.name(other_address.trim()).as_deref(), Some("two"));
    assert_eq!(kept.name("::ffff:10.123.0.11").as_deref(), Some("one"), "as an IPv6 socket has it");

    assert_eq!(kept.name("10.123.0.1"), None, "the gateway");
    assert_eq!(kept.name("10.123.0.99"), None, "nobody's");
    assert_eq!(kept.name("127.0.0.1"), None);
    assert_eq!(kept.name_before("10.123.0.11", before), None, "accepted before it was there");
}

#[test]
fn a_container_is_known_from_its_first_moment_on() {
    let Some(daemon) = daemon::shared() else { return };
    let shell = daemon.shell();
    shell.must_run(NETWORK);
    let kept = Kept::at(&daemon.socket());
    kept.container("10.123.0.11");
    let seen = daemon.folder().join("seen");
    std::fs::create_dir(&seen).unwrap();
    shell.must_run(&format!(
        "docker create --name one --network team --ip 10.123.0.11 --volume {}:/seen busy:1 \
         sh -c 'touch /seen/running; sleep 1000'",
        seen.display()
    ));
    std::thread::scope(|scope| {
        scope.spawn(|| shell.must_run("docker start one"));
        // It runs before the daemon says so, and before its list has the address.
        while !seen.join("running").exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(kept.name("10.123.0.11").as_deref(), Some("one"));
    });
    std::fs::remove_dir_all(seen).unwrap();
}

#[test]
fn an_address_that_goes_to_another_container_is_the_others_for_later_clients_only() {
    let Some(daemon) = daemon::shared() else { return };
    let shell = daemon.shell();
    shell.must_run(&format!(
        "{NETWORK}
        docker run -d --name one --network team --ip 10.123.0.11 busy:1 sleep 1000
        docker run -d --name old --network none busy:1 sleep 1000
        docker network disconnect none old"
    ));
    let kept = Kept::at(&daemon.socket());
    assert_eq!(kept.name("10.123.0.11").as_deref(), Some("one"));

    let accepted = SystemTime::now();
    shell.must_run(
        "docker rm --force one
        docker run -d --name two --network team --ip 10.123.0.11 busy:1 sleep 1000",
    );
    assert_eq!(kept.name_before("10.123.0.11", accepted), None);
    assert_eq!(kept.name("10.123.0.11").as_deref(), Some("two"));

    // One that has run for long, and gets the address now.
    let accepted = SystemTime::now();
    shell.must_run(
        "docker network disconnect team two
        docker network connect --ip 10.123.0.11 team old",
    );
    assert_eq!(kept.name_before("10.123.0.11", accepted), None);
    assert_eq!(kept.name("10.123.0.11").as_deref(), Some("old"));
}

#[test]
fn a_renamed_container_has_its_new_name() {
    let Some(daemon) = daemon::shared() else { return };
    let shell = daemon.shell();
    shell.must_run(&one_in_a_network());
    let kept = Kept::at(&daemon.socket());
    let one = kept.container("10.123.0.11").unwrap();
    let generation = kept.directory.generation();
    let name = || kept.directory.by_id(&one.id).map(|container| container.name.clone());
    assert_eq!(name().as_deref(), Some("one"));

    shell.must_run("docker rename one first");
    wait_until("the new name is known", || name().as_deref() == Some("first"));
    assert!(kept.directory.generation() > generation);
    assert_eq!(kept.name("10.123.0.11").as_deref(), Some("first"));

    let generation = kept.directory.generation();
    shell.must_run("docker rm --force first");
    wait_until("it is gone", || name().is_none());
    assert!(kept.directory.generation() > generation);
}

#[test]
fn containers_that_share_an_address_have_no_identity() {
    let Some(daemon) = daemon::shared() else { return };
    let shell = daemon.shell();
    shell.must_run(&one_in_a_network());
    let kept = Kept::at(&daemon.socket());
    assert_eq!(kept.name("10.123.0.11").as_deref(), Some("one"));

    shell.must_run("docker run -d --name joiner --network container:one busy:1 sleep 1000");
    assert_eq!(kept.name("10.123.0.11"), None);
    let accepted = SystemTime::now();
    shell.must_run("docker stop --time 0 joiner");
    assert_eq!(kept.name_before("10.123.0.11", accepted), None, "it may have been the other");
    assert_eq!(kept.name("10.123.0.11").as_deref(), Some("one"));

    shell.must_run("docker start joiner");
    assert_eq!(kept.name("10.123.0.11"), None);
    let accepted = SystemTime::now();
    shell.must_run("docker rm --force joiner");
    wait_until("the other is gone", || kept.name("10.123.0.11").is_some());
    assert_eq!(kept.name_before("10.123.0.11", accepted), None, "it may have been the other");
}

#[test]
fn a_daemon_that_was_away_is_asked_again() {
    let Some(mut daemon) = daemon::shared() else { return };
    let shell = daemon.shell();
    shell.must_run(&one_in_a_network());
    let kept = Kept::at(&daemon.socket());
    let one = kept.container("10.123.0.11").unwrap();
    let generation = kept.directory.generation();

    daemon.kill();
    wait_until("it is known to be away", || kept.directory.by_id(&one.id).is_none());
    assert_eq!(kept.name("10.123.0.11"), None);
    assert!(kept.directory.generation() > generation);

    daemon.serve();
    shell.must_run("docker start one");
    wait_until("it is back", || kept.name("10.123.0.11").as_deref() == Some("one"));
}

#[test]
fn many_clients_at_once_cost_few_lists_and_strangers_cost_nothing() {
    let Some(daemon) = daemon::shared() else { return };
    let shell = daemon.shell();
    shell.must_run(&one_in_a_network());
    let relay = Relay::before(&daemon);
    let kept = Kept::at(relay.socket());
    assert_eq!(kept.name("10.123.0.11").as_deref(), Some("one"));

    let lists = || relay.requests().iter().filter(|path| path.contains("containers/json")).count();
    let before = lists();
    let names = kept.names_at_once(&["10.123.0.99"; 100]);
    assert!(names.iter().all(Option::is_none));
    let listed = lists() - before;
    assert!((1..=3).contains(&listed), "{listed} lists for 100 clients");

    let before = relay.requests().len();
    for stranger in ["203.0.113.7", "127.0.0.1", "10.123.0.1", "2001:db8::1"] {
        assert_eq!(kept.name(stranger), None);
    }
    assert_eq!(relay.requests().len(), before, "{:?}", relay.requests());
}

#[test]
fn a_daemon_that_hangs_leaves_clients_without_a_container_and_nothing_behind() {
    let Some(daemon) = daemon::shared() else { return };
    let shell = daemon.shell();
    shell.must_run(&one_in_a_network());
    let relay = Relay::before(&daemon);
    let kept = Kept::at(relay.socket());
    assert_eq!(kept.name("10.123.0.11").as_deref(), Some("one"));
    relay.hang(true);
    let names = kept.names_at_once(&["10.123.0.11"; 40]);
    assert!(names.iter().all(Option::is_none), "{names:?}");
    relay.hang(false);
    assert_eq!(kept.name("10.123.0.11").as_deref(), Some("one"));
}

#[test]
fn a_client_at_a_unix_socket_is_known_by_its_cgroup() {
    let Some(daemon) = daemon::shared() else { return };
    if !is_installed("python3") {
        return;
    }
    let shell = daemon.shell();
    let gate = Gate::open(&daemon);
    let client = gate.client();
    // The machine's own python, in a container.
    let in_container = format!("chroot /machine {client}");
    let run = "docker run --rm --volume /:/machine --network none";
    assert_eq!(shell.must_run(&format!("{run} --name one busy:1 {in_container}")), "one\n");
    shell.must_run(&format!("{run} -d --name two busy:1 sleep 1000"));
    assert_eq!(shell.must_run(&format!("docker exec two {in_container}")), "two\n");
    assert_eq!(shell.must_run(&format!("docker exec two {in_container}")), "two\n", "again");

    assert_eq!(gate.on_the_machine(client), "nobody\n");
    // Who may make cgroups makes one that is called like the container's.
    let two = id_of(&shell, "two");
    assert_eq!(gate.in_a_forged_cgroup(&two, client), "nobody\n");
    // Who may choose where the daemon makes his chooses the container's. With cgroups of version 2
    // the system does not have it.
    let parent = gate.cgroup_of(&two);
    let inside = shell.run(&format!("{run} --cgroup-parent {parent} busy:1 {in_container}"));
    assert!(inside.status != Some(0) || inside.stdout == "nobody\n", "{inside}");
    assert_eq!(shell.must_run(&format!("docker exec two {in_container}")), "two\n", "still");
}

fn id_of(shell: &Shell, name: &str) -> String {
    shell.must_run(&format!("docker inspect --format '{{{{.Id}}}}' {name}")).trim().to_owned()
}
