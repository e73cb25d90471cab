//! Canaries, and all the places that they are put into and looked for.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::daemon::wait_until;
use crate::engine::Engine;
use crate::http::{Answer, Request};

/// What is never to come back, by what it stands for.
pub const CANARIES: [&str; 7] = [
    "CANARY-argument",
    "CANARY-config",
    "CANARY-environment",
    "CANARY-label",
    "CANARY-mount",
    "CANARY-option",
    "CANARY-step",
];

/// Those that are in an answer, as they are or in base64.
pub fn in_answer(answer: &Answer) -> BTreeSet<&'static str> {
    let text = answer.text();
    let is_in = |canary: &&str| {
        let encoded = BASE64_STANDARD.encode(canary);
        text.contains(*canary) || text.contains(encoded.trim_end_matches('='))
    };
    CANARIES.into_iter().filter(is_in).collect()
}

impl Answer {
    /// Its values: one, or those of a stream.
    pub fn json_values(&self) -> Vec<Value> {
        let values = serde_json::Deserializer::from_slice(&self.body).into_iter();
        values.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// Puts them into everything.
pub fn plant(engine: &Engine) {
    let folder = engine.daemon.folder().join("CANARY-mount");
    std::fs::create_dir(&folder).expect("the daemon has a folder");
    let shell = engine.daemon.shell().and_variable("FOLDER", &folder.display().to_string());
    shell.must_run(SCRIPT);
    for state in ["running", "rejected"] {
        wait_until(&format!("a task is {state}"), || {
            let tasks = Request::new("GET /tasks").ask(&engine.daemon.socket()).json();
            let tasks = tasks.as_array().cloned().unwrap_or_default();
            tasks.iter().any(|task| task["Status"]["State"] == state)
        });
    }
}

/// Every request that reads what there is, by the name of its operation.
pub fn reads(engine: &Engine) -> Vec<(&'static str, String)> {
    let socket = engine.daemon.socket();
    let first = |line: &str| {
        let id = &Request::new(line).ask(&socket).json()[0]["ID"];
        id.as_str().expect("there is one").to_owned()
    };
    let (task, node) = (first("GET /tasks"), first("GET /nodes"));
    let container = Request::new("GET /containers/web/json").ask(&socket).json();
    let exec = container["ExecIDs"][0].as_str().expect("a command runs in it").to_owned();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("it is after 1970").as_secs();
    [
        ("container-list", "/containers/json?all=1&size=1"),
        ("container-inspect", "/containers/web/json?size=1"),
        ("container-inspect", "/containers/stopped/json"),
        ("container-inspect", "/containers/hosted/json"),
        ("container-top", "/containers/web/top"),
        ("container-top", "/containers/web/top?ps_args=aux"),
        ("container-changes", "/containers/web/changes"),
        ("container-stats", "/containers/web/stats?stream=0"),
        ("exec-inspect", &format!("/exec/{exec}/json")),
        ("image-list", "/images/json?all=1&digests=1"),
        ("image-inspect", "/images/shown:1/json"),
        ("image-inspect", "/images/made:1/json"),
        ("image-history", "/images/shown:1/history"),
        ("image-history", "/images/made:1/history"),
        ("network-list", "/networks"),
        ("network-inspect", "/networks/net?verbose=1"),
        ("network-inspect", "/networks/over?verbose=1"),
        ("volume-list", "/volumes"),
        ("volume-inspect", "/volumes/data"),
        ("service-list", "/services"),
        ("service-inspect", "/services/svc"),
        ("service-inspect", "/services/svc?insertDefaults=1"),
        ("task-list", "/tasks"),
        ("task-inspect", &format!("/tasks/{task}")),
        ("node-list", "/nodes"),
        ("node-inspect", &format!("/nodes/{node}")),
        ("secret-list", "/secrets"),
        ("secret-inspect", "/secrets/sec"),
        ("config-list", "/configs"),
        ("config-inspect", "/configs/conf"),
        ("swarm-inspect", "/swarm"),
        ("swarm-unlockkey", "/swarm/unlockkey"),
        ("plugin-list", "/plugins"),
        ("system-info", "/info"),
        ("system-version", "/version"),
        ("system-data-usage", "/system/df"),
        ("system-events", &format!("/events?since=1&until={now}")),
    ]
    .into_iter()
    .flat_map(|(operation, path)| {
        // The shape of some answers changed with the versions.
        [("", operation), ("/v1.24", operation)]
            .map(|(version, operation)| (operation, format!("GET {version}{path}")))
    })
    // What there was not yet with the version.
    .filter(|(_, line)| !(line.contains("/v1.24/") && is_newer(line)))
    .collect()
}

fn is_newer(line: &str) -> bool {
    ["/configs", "/secrets", "/system/df", "/plugins"].iter().any(|path| line.contains(path))
}

const SCRIPT: &str = r#"
    docker volume create --label note=CANARY-label --opt type=nfs \
        --opt o=addr=192.0.2.1,password=CANARY-option --opt device=:/CANARY-option share
    docker volume create --label note=CANARY-label --opt type=none --opt o=bind \
        --opt "device=$FOLDER" data
    docker network create --label note=CANARY-label --opt parent=CANARY-option \
        --subnet 198.18.77.0/24 net
    docker network create --driver overlay --label note=CANARY-label --opt note=CANARY-option \
        --subnet 198.18.78.0/24 over

    cat >Dockerfile <<'FILE'
FROM busy:1
ARG ARGUMENT
ENV NAME=CANARY-environment
LABEL note=CANARY-label
RUN echo CANARY-step
ONBUILD RUN echo CANARY-step
ONBUILD ENV NAME CANARY-environment
HEALTHCHECK CMD echo CANARY-argument
CMD ["sh", "-c", "echo CANARY-argument"]
FILE
    docker build --tag shown:1 --build-arg ARGUMENT=CANARY-environment --label more=CANARY-label .

    docker run --detach --name web --network net --env NAME=CANARY-environment \
        --label note=CANARY-label --volume "$FOLDER:/one:ro" --volume data:/two \
        --mount "type=bind,source=$FOLDER,target=/three" \
        --mount "type=volume,source=options,target=/four,volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=uid=0,volume-label=note=CANARY-label" \
        --log-opt tag=CANARY-option --device "/dev/null:/dev/canary" \
        --health-cmd "echo CANARY-argument" --health-interval 100ms \
        busy:1 sh -c "sleep 1000; echo CANARY-argument"
    docker create --name stopped --env NAME=CANARY-environment --entrypoint CANARY-argument \
        --label note=CANARY-label --volume "$FOLDER:/one" busy:1 CANARY-argument
    docker start stopped 2>/dev/null || true
    docker exec --detach --env NAME=CANARY-environment web sh -c "sleep 1000; echo CANARY-argument"
    docker create --name hosted --network host \
        --label "com.docker.compose.project.working_dir=$FOLDER" busy:1
    mkdir "$FOLDER/gone"
    docker create --name unmountable --mount "type=bind,source=$FOLDER/gone,target=/one" busy:1
    rmdir "$FOLDER/gone"
    docker commit --change "ENV OTHER=CANARY-environment" --change "LABEL other=CANARY-label" \
        web made:1

    docker swarm update --autolock=true >/dev/null
    printf CANARY-config | docker config create --label note=CANARY-label conf -
    printf CANARY-config | docker secret create --label note=CANARY-label sec -
    docker node update --label-add note=CANARY-label "$(docker node ls --quiet)"
    docker service create --quiet --detach --no-resolve-image --name svc --label note=CANARY-label \
        --container-label note=CANARY-label --env NAME=CANARY-environment --secret sec \
        --config conf --mount "type=bind,source=$FOLDER,target=/one" \
        --mount "type=volume,source=data,target=/two" --log-opt tag=CANARY-option \
        --health-cmd "echo CANARY-argument" --health-interval 100ms --entrypoint sh \
        busy:1 -c "sleep 1000; echo CANARY-argument"
    docker service update --quiet --detach --no-resolve-image --label-add more=CANARY-label \
        --args "-c 'sleep 2000; echo CANARY-argument'" svc
    # Its task says why it can't run.
    docker service create --quiet --detach --no-resolve-image --name lost \
        --mount type=bind,source=/CANARY-mount/nowhere,target=/one busy:1 true
"#;
