//! What people do every day goes through the guard as it is without settings.

use serde_json::json;

use crate::clients::Client;
use crate::daemon::{is_installed, programs_named};
use crate::proxy::{Proxy, everything};
use crate::scene::{Scene, ask};

#[test]
fn docker_py_has_its_session() {
    let Some(scene) = Scene::new() else { return };
    let Some(client) = Client::docker_py() else { return };
    client.runs("allowed", &scene.proxy.unix());
}

#[test]
fn dockerode_has_its_session() {
    let Some(scene) = Scene::new() else { return };
    let Some(client) = Client::dockerode() else { return };
    client.runs("allowed", &scene.proxy.unix());
}

/// What one writes at a command line, and what comes of it at the daemon itself.
const COMMANDS: &str = r#"
    docker network create --subnet 10.97.0.0/24 shop
    docker volume create data
    docker run --detach --name everyday --publish 127.0.0.1:8097:80 --volume data:/data \
        --volume /anonymous --tmpfs /scratch --env COLOUR=blue --label team=shop --hostname everyday \
        --network shop --network-alias front --ip 10.97.0.9 --restart unless-stopped \
        --health-cmd true --health-interval 100ms --memory 64m --cpus 0.5 --pids-limit 64 \
        --ulimit nofile=1024:2048 --read-only --user 1000:1000 --cap-drop ALL \
        --cap-add NET_BIND_SERVICE --security-opt no-new-privileges --shm-size 8m --init \
        --log-opt max-size=1m --dns 192.0.2.1 --add-host db:192.0.2.2 --stop-signal KILL \
        --workdir /data --entrypoint sleep busy:1 100000
    until [ "$(docker inspect --format '{{.State.Health.Status}}' everyday)" = healthy ]; do sleep 0.1; done
    docker exec everyday echo inside
    docker update --memory 128m --memory-swap 128m --restart no everyday
    docker cp /etc/hostname everyday:/data/hostname
    docker network create other
    docker network connect --alias back other everyday
    docker network disconnect other everyday
    docker inspect --format '{{.HostConfig.Memory}} {{.HostConfig.Init}} {{.HostConfig.CapAdd}}' everyday
    docker commit everyday localhost:1/everyday:1
    docker run --rm --interactive --network none busy:1 cat </etc/hostname
    printf 'FROM busy:1\nRUN echo built\n' | docker build --network none --tag localhost:1/built:1 -
    docker stop everyday
    docker rm --volumes everyday
    docker rmi localhost:1/everyday:1 localhost:1/built:1
    docker network rm shop other
    docker volume rm data
"#;

#[test]
fn the_command_line_works_as_without_the_guard() {
    let Some(scene) = Scene::new() else { return };
    for client in programs_named("docker") {
        let through = scene.proxy.shell().and_client(&client).run(COMMANDS);
        let direct = scene.engine.daemon.shell().and_client(&client).run(COMMANDS);
        assert_eq!(direct.status, Some(0), "{direct}");
        if let Some(difference) = direct.alike().difference_from(&through.alike()) {
            panic!("{difference}\n{through}\n{}", scene.proxy.log());
        }
    }
}

/// A project of three services, which depend on each other.
const COMPOSE: &str = r#"
    cat >compose.yaml <<'YAML'
version: "2.4"
services:
  db:
    image: busy:1
    command: sh -c 'echo 1 >/data/ready; exec sleep 100000'
    volumes: [data:/data]
    networks: [back]
    healthcheck: { test: [CMD, test, -e, /data/ready], interval: 200ms, retries: 50 }
    stop_signal: KILL
  api:
    image: busy:1
    command: sleep 100000
    depends_on: { db: { condition: service_healthy } }
    environment: { DB: db }
    networks: [back, front]
    restart: unless-stopped
    stop_signal: KILL
  web:
    image: busy:1
    command: sleep 100000
    depends_on: [api]
    ports: ["127.0.0.1:8098:80"]
    networks: { front: { aliases: [shop] } }
    read_only: true
    tmpfs: [/tmp]
    stop_signal: KILL
networks: { front: {}, back: { internal: true } }
volumes: { data: {} }
YAML
    docker-compose --project-name everyday up --detach
    docker-compose --project-name everyday exec -T web echo reached
    docker-compose --project-name everyday ps --services
    docker-compose --project-name everyday down --volumes
    docker ps --all --quiet --filter label=com.docker.compose.project=everyday
"#;

#[test]
fn a_project_of_three_services_goes_up_and_down() {
    let Some(scene) = Scene::new() else { return };
    if !is_installed("docker-compose") {
        return;
    }
    let printed = scene.proxy.shell().must_run(COMPOSE);
    assert_eq!(printed, "reached\ndb\napi\nweb\n");
}

#[test]
fn testcontainers_starts_a_container() {
    let Some(scene) = Scene::new() else { return };
    let Some(client) = Client::dockerode() else { return };
    let client = client.and_script("../../guard/clients/testcontainers.js");
    client.runs("container", &scene.proxy.unix());
}

/// Watchtower and its like make a container again from what the daemon shows of it.
#[test]
fn a_container_is_made_again_from_what_is_shown_of_it() {
    let Some(scene) = Scene::new() else { return };
    // What the daemon fills in where control groups are of version 1.
    let settings = json!({ "host-namespaces": ["cgroup"] });
    let chain = [everything(), ("container-guard", settings)];
    let proxy = Proxy::with_plugins(&scene.engine.daemon.socket(), &chain);
    proxy.shell().must_run(
        "docker run --detach --name first --env A=b --volume kept:/kept --tmpfs /scratch \
            --restart always --health-cmd true --log-opt max-size=1m --memory 64m --init \
            --shm-size 32m --ulimit nofile=1024 --publish 127.0.0.1:8096:80 busy:1 sleep 100000",
    );
    let shown = scene.bare("GET /containers/first/json", "").json();
    let mut made = shown["Config"].clone();
    made["HostConfig"] = shown["HostConfig"].clone();
    made["NetworkingConfig"] = json!({ "EndpointsConfig": shown["NetworkSettings"]["Networks"] });
    let answer = ask(&proxy.socket(), "POST /containers/create?name=second", &made.to_string());
    assert_eq!(answer.status, 201, "{}", answer.text());
    let again = scene.bare("GET /containers/second/json", "").json();
    assert_eq!(again["HostConfig"], shown["HostConfig"]);
    proxy.shell().must_run("docker rm --force --volumes first second; docker volume rm kept");
}
