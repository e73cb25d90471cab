//! The container image, run by a real Docker daemon as `Dockerfile` and the compose files say.
//!
//! `DOCKGATE_MUSL_BIN` names the static binary that the first stage of `Dockerfile` makes: that
//! stage needs a registry, the last one does not and is built here as it stands. Without the
//! variable, or a daemon, the tests say so and pass, but fail in CI.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "dockerd/daemon.rs"]
#[allow(dead_code, reason = "tests/dockerd.rs uses the rest")]
mod daemon;
#[path = "dockerd/shell.rs"]
#[allow(dead_code, reason = "tests/dockerd.rs uses the rest")]
mod shell;
#[path = "dockerd/wire.rs"]
#[allow(dead_code, reason = "tests/dockerd.rs uses the rest")]
mod wire;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use daemon::{Daemon, is_installed, skip, wait_until};
use shell::Shell;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const IMAGE: &str = "dockgate/dockgate:0.1";

#[test]
fn the_image_is_the_binary_and_what_describes_it() {
    let Some(daemon) = daemon_with_image() else { return };
    let shell = daemon.shell();
    let inspected = |field: &str| {
        shell.must_run(&format!("docker image inspect --format '{{{{json {field}}}}}' {IMAGE}"))
    };
    assert_eq!(inspected(".Config.Entrypoint"), "[\"/dockgate\"]\n");
    assert_eq!(inspected(".Config.ExposedPorts"), "{\"2375/tcp\":{}}\n");
    assert_eq!(inspected(".Config.Healthcheck.Test"), "[\"CMD\",\"/dockgate\",\"healthcheck\"]\n");
    assert_eq!(
        inspected("(index .Config.Labels \"org.opencontainers.image.version\")"),
        format!("\"{}\"\n", env!("CARGO_PKG_VERSION"))
    );
    let files = shell.must_run(&format!(
        "docker save {IMAGE} | tar -xO --wildcards '*/layer.tar' | tar -t | grep -v '/$' | sort"
    ));
    assert_eq!(files, "dockgate\netc/ssl/certs/ca-certificates.crt\n");
}

#[test]
fn the_container_serves_as_root_without_privileges() {
    let Some(daemon) = daemon_with_image() else { return };
    serves_and_stops(&daemon, "0:0");
}

#[test]
fn the_container_serves_as_a_user_with_the_group_of_the_socket() {
    let Some(daemon) = daemon_with_image() else { return };
    serves_and_stops(&daemon, &format!("65534:{}", group_of_the_socket(&daemon)));
}

#[test]
fn the_container_says_what_is_wrong_with_the_socket() {
    let Some(daemon) = daemon_with_image() else { return };
    let shell = daemon.shell();
    let socket = "--volume /var/run/docker.sock:/var/run/docker.sock:ro";
    let not_in_its_group = format!("{socket} --user 65534:65534");
    for (options, expected) in [(&*not_in_its_group, "ermission denied"), ("", "No such file")] {
        shell.must_run(&format!("docker run -d --name gate --env CONTAINERS=1 {options} {IMAGE}"));
        let client = client_in(&daemon, "gate");
        let outcome = client.run("docker ps");
        assert_eq!(outcome.status, Some(1), "{outcome}");
        assert!(outcome.stderr.contains("dockgate: "), "{outcome}");
        assert!(outcome.stderr.contains(expected), "{outcome}");
        let health = shell.run("docker exec gate /dockgate healthcheck");
        assert_eq!(health.status, Some(1), "{health}");
        shell.must_run("docker rm --force gate");
    }
}

#[test]
fn each_compose_file_brings_the_proxy_up() {
    let Some(daemon) = daemon_with_image() else { return };
    if !is_installed("docker-compose") {
        return;
    }
    let shell = daemon.shell().and_variable("DOCKER_GID", &group_of_the_socket(&daemon));
    let mut files = vec![Path::new(ROOT).join("compose.yaml")];
    let examples = fs::read_dir(Path::new(ROOT).join("examples/compose")).unwrap();
    files.extend(examples.map(|entry| entry.unwrap().path()));
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    assert!(files.len() > 1);
    if shell.must_run("docker-compose version --short").starts_with("1.") {
        // It knows no `content` of a config; the test of the pages checks what is in it.
        files.retain(|path| !fs::read_to_string(path).unwrap().contains("\n    content: |"));
    }

    for file in files {
        let compose = format!("docker-compose --project-name p --file {}", file.display());
        shell.must_run(&format!("{compose} config --quiet"));
        shell.must_run(&format!("{compose} up --detach --no-deps dockgate"));
        let container = shell.must_run(&format!("{compose} ps --quiet dockgate"));
        is_healthy_before_long(&shell, container.trim());
        let hardened = shell.must_run(&format!(
            "docker inspect --format '{{{{.HostConfig.ReadonlyRootfs}}}} {{{{.HostConfig.CapDrop}}}} \
             {{{{.HostConfig.CapAdd}}}} {{{{.HostConfig.SecurityOpt}}}} {{{{.HostConfig.PortBindings}}}}' {}",
            container.trim()
        ));
        assert_eq!(
            hardened,
            "true [ALL] [] [no-new-privileges:true] map[]\n",
            "{}",
            file.display()
        );
        shell.must_run(&format!("{compose} down --volumes"));
    }
}

/// The shared daemon, with the image that the last stage of `Dockerfile` makes of the binary.
fn daemon_with_image() -> Option<MutexGuard<'static, Daemon>> {
    let Some(binary) = std::env::var_os("DOCKGATE_MUSL_BIN").map(PathBuf::from) else {
        skip("DOCKGATE_MUSL_BIN does not name the binary of the image");
        return None;
    };
    let daemon = daemon::shared()?;
    let dockerfile = fs::read_to_string(Path::new(ROOT).join("Dockerfile")).unwrap();
    let (_, last_stage) = dockerfile.split_once("\nFROM scratch\n").expect("a last stage");
    let shell = daemon.shell().and_variable("BINARY", binary.to_str().unwrap());
    let shell = shell.and_variable("LAST_STAGE", last_stage);
    shell.must_run(&format!(
        r#"
        mkdir -p image/etc/ssl/certs
        cp "$BINARY" image/dockgate
        touch image/etc/ssl/certs/ca-certificates.crt
        printf 'FROM scratch AS build\nCOPY image /image\nFROM scratch\n' > Dockerfile
        printf '%s' "$LAST_STAGE" >> Dockerfile
        docker build --tag {IMAGE} .
        "#
    ));
    Some(daemon)
}

/// Runs the image as this user, with nothing that it does not need, and through its whole life.
fn serves_and_stops(daemon: &Daemon, user: &str) {
    let shell = daemon.shell();
    shell.must_run(&format!(
        "docker run --detach --name gate --user {user} --read-only --cap-drop ALL \
         --security-opt no-new-privileges --pids-limit 64 --memory 64m --health-interval 1s \
         --volume /var/run/docker.sock:/var/run/docker.sock:ro --env CONTAINERS=1 {IMAGE}"
    ));
    is_healthy_before_long(&shell, "gate");

    let client = client_in(daemon, "gate");
    assert_eq!(client.must_run("docker ps --format '{{.Names}}'"), "gate\n");
    let refused = client.run("docker kill gate");
    assert_eq!(refused.status, Some(1), "{refused}");
    assert!(refused.stderr.contains("dockgate: "), "{refused}");
    assert!(refused.stderr.contains("POST=1"), "{refused}");

    let started = Instant::now();
    shell.must_run("docker stop --time 20 gate");
    let took = started.elapsed();
    assert!(took < Duration::from_secs(3), "an idle proxy took {took:?} to stop");
    assert_eq!(exit_code(&shell), "0\n");

    // A client that follows events for ever does not hold the proxy up until it is killed.
    shell.must_run("docker start gate");
    is_healthy_before_long(&shell, "gate");
    let events = daemon.folder().join("events");
    let mut follower = client_in(daemon, "gate")
        .command(&["docker", "events"])
        .stdout(fs::File::create(&events).unwrap())
        .spawn()
        .unwrap();
    wait_until("an event arrives", || {
        shell.must_run("docker volume create seen; docker volume rm seen");
        fs::metadata(&events).unwrap().len() > 0
    });
    shell.must_run("docker stop gate");
    assert_eq!(exit_code(&shell), "0\n", "it was killed, ten seconds after it was asked to stop");
    follower.wait().unwrap();
    shell.must_run("docker rm gate");
}

fn is_healthy_before_long(shell: &Shell, container: &str) {
    let health = format!("docker inspect --format '{{{{json .State}}}}' {container}");
    let mut state = String::new();
    let started = Instant::now();
    while !state.contains("\"Status\":\"healthy\"") {
        assert!(
            started.elapsed() < Duration::from_secs(25),
            "{container} is not healthy: {state}{}",
            shell.run(&format!("docker logs {container}"))
        );
        std::thread::sleep(Duration::from_millis(100));
        state = shell.must_run(&health);
    }
}

fn exit_code(shell: &Shell) -> String {
    shell.must_run("docker inspect --format '{{.State.ExitCode}}' gate")
}

/// Scripts whose `docker` talks to the proxy in a container, from within the daemon's network.
fn client_in(daemon: &Daemon, container: &str) -> Shell {
    let address = daemon.shell().must_run(&format!(
        "docker inspect --format '{{{{.NetworkSettings.IPAddress}}}}' {container}"
    ));
    let address = format!("tcp://{}:2375", address.trim());
    Shell::with_docker_at(&address).in_network_of(&daemon.namespaces())
}

fn group_of_the_socket(daemon: &Daemon) -> String {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(daemon.socket()).unwrap().gid().to_string()
}
