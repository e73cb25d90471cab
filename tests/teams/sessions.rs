//! What people see: the clients, each with a team's own life, and another team beside it.

use crate::clients::Client;
use crate::daemon::programs_named;
use crate::engine;
use crate::shell::Shell;
use crate::team::{Things, proxy_of};

#[test]
fn docker_py_has_its_day() {
    let Some(engine) = engine::shared() else { return };
    let Some(client) = Client::docker_py() else { return };
    let theirs = Things::of(engine, "theirs-py", "theirs-py");
    let before = theirs.state();
    let proxy = proxy_of(engine, "ours-py", "read");
    client.and_script("../../teams/clients/session.py").runs("day", &proxy.unix());
    theirs.expect_unchanged(&before, "a session of docker-py");
}

#[test]
fn dockerode_has_its_day() {
    let Some(engine) = engine::shared() else { return };
    let Some(client) = Client::dockerode() else { return };
    let theirs = Things::of(engine, "theirs-js", "theirs-js");
    let before = theirs.state();
    let proxy = proxy_of(engine, "ours-js", "read");
    client.and_script("../../teams/clients/session.js").runs("day", &proxy.unix());
    theirs.expect_unchanged(&before, "a session of dockerode");
}

#[test]
fn the_command_line_has_its_day() {
    let Some(engine) = engine::shared() else { return };
    let theirs = Things::of(engine, "theirs-cli", "theirs-cli");
    let before = theirs.state();
    for client in programs_named("docker") {
        let proxy = proxy_of(engine, "ours-cli", "read");
        let shell = Shell::with_docker_at(&proxy.unix()).and_client(&client);
        let printed = shell.must_run(DAY);
        assert_eq!(printed, PRINTED, "{}", client.display());
        for (command, words) in STRANGERS {
            if command.starts_with("docker service") && !engine.is_swarm {
                continue;
            }
            let outcome = shell.run(command);
            let screen = format!("{}{}", outcome.stdout, outcome.stderr);
            assert_ne!(outcome.status, Some(0), "{command}\n{outcome}");
            assert!(
                words.split('|').any(|words| screen.contains(words)),
                "{command} ({})\n{outcome}",
                client.display()
            );
        }
        theirs.expect_unchanged(&before, "a session of docker");
    }
}

const DAY: &str = r#"
    quiet() { "$@" >/dev/null 2>&1; }
    quiet docker network create net
    quiet docker volume create vol
    quiet docker run --detach --name web --network net --volume vol:/data --stop-signal KILL \
        busy:1 sh -c 'echo hello; exec sleep 1000'
    docker run --rm --network none busy:1 echo ran
    docker exec web echo inside
    echo text >file
    quiet docker cp file web:/data/file
    docker cp web:/data/file - | tar -xO
    until docker logs web | grep hello; do sleep 0.1; done
    docker ps --all --format '{{.Names}}'
    docker network ls --format '{{.Name}}'
    docker volume ls --format '{{.Name}}'
    docker inspect --format '{{json .Config.Labels}}' web
    docker network inspect --format '{{range .Containers}}{{.Name}}{{end}}' net
    docker volume inspect --format '{{json .Labels}}' vol
    docker inspect --format '{{.Name}}' net vol | sort
    printf 'FROM busy:1\nRUN echo built\n' | docker build --quiet --network none --tag localhost:1/cli:1 - >/dev/null 2>&1
    docker image inspect --format '{{json .Config.Labels}}' localhost:1/cli:1
    quiet docker rmi localhost:1/cli:1
    quiet docker stop --time 0 web
    quiet docker start web
    quiet docker rm --force web
    quiet docker create --name old busy:1
    docker container prune --force | grep -c '^[0-9a-f]\{64\}$'
    docker network prune --force | grep net
    docker volume prune --force --filter all=1 >/dev/null 2>&1 || docker volume prune --force >/dev/null
    docker volume ls --quiet
    docker ps --all --quiet
"#;

const PRINTED: &str = r#"ran
inside
text
hello
web
net
vol
{"com.example.team":"ours-cli"}
web
{"com.example.team":"ours-cli"}
net
vol
{"com.example.team":"ours-cli"}
1
net
"#;

/// Commands about what another team has, and what is on the screen: one of these, by the client.
const STRANGERS: &[(&str, &str)] = &[
    ("docker inspect theirs-cli-web", "o such object: theirs-cli-web"),
    ("docker container inspect theirs-cli-web", "o such container: theirs-cli-web"),
    ("docker exec theirs-cli-web true", "No such container: theirs-cli-web"),
    ("docker logs theirs-cli-web", "No such container: theirs-cli-web"),
    ("docker attach theirs-cli-web", "o such container: theirs-cli-web"),
    ("docker top theirs-cli-web", "No such container: theirs-cli-web"),
    ("docker stats --no-stream theirs-cli-web", "No such container: theirs-cli-web"),
    ("docker cp theirs-cli-web:/bin/sh .", "o such container"),
    // Who asks for the place to copy to gets no words, from the daemon either.
    ("docker cp /bin/true theirs-cli-web:/", "no such directory"),
    ("docker stop theirs-cli-web", "No such container: theirs-cli-web"),
    ("docker kill theirs-cli-web", "No such container: theirs-cli-web"),
    ("docker rename theirs-cli-web x", "No such container: theirs-cli-web"),
    (
        "docker rm --force --volumes theirs-cli-web; docker rm theirs-cli-web",
        "No such container: theirs-cli-web",
    ),
    ("docker commit theirs-cli-web", "No such container: theirs-cli-web"),
    ("docker export theirs-cli-web | grep . && false", "No such container: theirs-cli-web"),
    ("docker run --rm --volumes-from theirs-cli-web busy:1", "No such container: theirs-cli-web"),
    (
        "docker run --rm --network container:theirs-cli-web busy:1",
        "No such container: theirs-cli-web",
    ),
    ("docker run --rm --pid container:theirs-cli-web busy:1", "No such container: theirs-cli-web"),
    ("docker run --rm --link theirs-cli-web:db busy:1", "No such container: theirs-cli-web"),
    ("docker run --rm --network theirs-cli-net busy:1", "network theirs-cli-net not found"),
    (
        "docker run --rm --volume theirs-cli-vol:/v busy:1",
        "no volume theirs-cli-vol in this client's scope",
    ),
    ("docker run --rm --name theirs-cli-web busy:1", "is already in use"),
    (
        "docker network inspect theirs-cli-net",
        "theirs-cli-net not found|No such network: theirs-cli-net",
    ),
    (
        "docker network rm theirs-cli-net",
        "theirs-cli-net not found|No such network: theirs-cli-net",
    ),
    (
        "docker volume inspect theirs-cli-vol",
        "theirs-cli-vol: no such volume|No such volume: theirs-cli-vol",
    ),
    (
        "docker volume rm theirs-cli-vol",
        "theirs-cli-vol: no such volume|No such volume: theirs-cli-vol",
    ),
    ("docker rmi localhost:1/theirs-cli:1", "o such image: localhost:1/theirs-cli:1"),
    ("docker tag localhost:1/theirs-cli:1 x", "No such image: localhost:1/theirs-cli:1"),
    ("docker service inspect theirs-cli-svc", "o such service: theirs-cli-svc"),
    ("docker service logs theirs-cli-svc", "o such "),
    (
        "docker service rm theirs-cli-svc",
        "theirs-cli-svc not found|No such service: theirs-cli-svc",
    ),
];
