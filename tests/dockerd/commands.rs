//! The `docker` commands that people give, as tables.

/// A script that has to come to the same on the daemon's socket and through the proxy.
pub struct Case {
    pub name: &'static str,
    pub script: &'static str,
    pub same: Same,
}

/// How far two runs of a script have to agree.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Same {
    /// In each byte: what it reads does not change between the runs.
    Exactly,
    /// In all but ids and times: it makes things anew.
    ButForIdsAndTimes,
}

use Same::{ButForIdsAndTimes, Exactly};

const fn reads(name: &'static str, script: &'static str) -> Case {
    Case { name, script, same: Exactly }
}

const fn makes(name: &'static str, script: &'static str) -> Case {
    Case { name, script, same: ButForIdsAndTimes }
}

/// What the cases find: a container that has run and one that runs, and the time they were made
/// in, as `$SINCE` and `$UNTIL`.
pub const SCENE: &str = r"
    docker volume create --label scene=1 shelf
    docker run --name kept --label scene=1 -v shelf:/shelf busy:1 \
        sh -c 'echo to stdout; echo to stderr >&2; echo made > /made; exit 3' || test $? = 3
    docker run --detach --name steady --label scene=1 --network none --stop-signal KILL busy:1 \
        sh -c 'echo up; exec sleep 100000'
";

pub const CASES: &[Case] = &[
    // The engine.
    reads("version", "docker version"),
    // The engine lists its runtimes in any order.
    reads("info", "docker info | sed '/^ Runtimes: /d'"),
    // The engine counts for one asker at a time.
    makes("disk use", "docker system df --verbose --format '{{json .Images}}'"),
    reads("events of a time", "docker events --since $SINCE --until $UNTIL"),
    reads("events by filter", "docker events --since $SINCE --until $UNTIL --filter type=volume"),
    reads("plugins", "docker plugin ls"),
    // Containers, read.
    reads("ids", "docker ps --all --quiet --no-trunc"),
    makes("list", "docker ps --all --size; docker ps --format '{{json .}}'"),
    reads("list by filter", "docker ps -aq --filter label=scene=1 --filter status=exited"),
    reads("inspect", "docker inspect kept steady"),
    reads("inspect nothing", "docker inspect nothing"),
    reads("logs", "docker logs kept; docker logs --timestamps --tail 1 kept"),
    reads("logs that end", "docker logs --follow --details kept"),
    reads("top", "docker top steady; docker top steady -o pid,comm"),
    reads("top of a stopped one", "docker top kept"),
    reads("stats", "docker stats --no-stream --format '{{json .}}' steady | sed 's/[0-9.]\\+/N/g'"),
    reads("diff", "docker diff kept | sort"),
    reads("port", "docker port steady"),
    reads("wait for an ended one", "docker wait kept"),
    reads("export", "docker export kept | sha256sum"),
    reads("copy out", "docker cp kept:/made - | sha256sum; docker cp kept:/made here; cat here"),
    reads("copy out a tree", "docker cp kept:/bin bin.out; ls bin.out | wc -l"),
    reads("copy out nothing", "docker cp kept:/nothing here"),
    // Containers, made.
    makes("run", "docker run --rm busy:1 echo hello"),
    makes("run that fails", "docker run --rm busy:1 sh -c 'echo no >&2; exit 42'"),
    makes(
        "run what is not there",
        // The older client may complain, or not, that it stopped waiting for the container.
        "docker run --rm busy:1 no-such-program 2>err; echo $?; grep -v 'context canceled' err",
    ),
    makes("run no image", "docker run --rm --pull never no-such-image:1"),
    makes("run with a pipe", "seq 1 20000 | docker run --rm -i busy:1 sh -c 'wc; echo end >&2'"),
    makes("run with an empty pipe", "docker run --rm -i busy:1 sh -c 'cat; echo end' </dev/null"),
    makes(
        "run and answer after the input's end",
        "printf 'a\nb\n' | docker run --rm -i busy:1 sh -c 'wc -l; sleep 1; seq 1 50000'",
    ),
    makes(
        "run on a terminal",
        r#"
        (sleep 2; printf 'typed\n'; sleep 2) | script -qec "
            stty rows 33 cols 77
            docker run --rm -it busy:1 sh -c 'sleep 1; stty size; tty; read line; echo got \$line; exit 5'
        " /dev/null
        "#,
    ),
    makes(
        "run in the background",
        r"
        docker run --detach --name job --env A=1 --publish 127.0.0.1::80 --memory 64m busy:1 \
            sh -c 'echo $A; sleep 1; exit 4'
        docker wait job; docker logs job
        docker inspect --format '{{.State.ExitCode}} {{.HostConfig.Memory}}' job; docker rm job
        ",
    ),
    makes(
        "create, start, stop, restart",
        r"
        docker create --name job --stop-signal KILL busy:1 sleep 1000
        docker start job; docker restart --time 0 job; docker stop --time 0 job
        docker inspect --format '{{.State.Status}} {{.State.ExitCode}}' job; docker rm job
        ",
    ),
    makes(
        "start attached",
        r"
        docker create -i --name job busy:1 sh -c 'read line; echo got $line; cat >/dev/null; exit 6'
        echo typed | docker start --attach --interactive job; echo $?; docker rm job
        ",
    ),
    makes(
        "attach",
        // The end of the input would end the attaching, not the container's own input.
        r"
        docker run -di --name job busy:1 sh -c 'read line; echo got $line; echo end >&2; exit 3'
        (echo typed; sleep 1) | docker attach job; echo $?; docker rm job
        ",
    ),
    makes(
        "exec",
        r"
        docker exec steady sh -c 'echo out; echo err >&2; exit 9'; echo $?
        docker exec --workdir /tmp --env B=2 steady sh -c 'pwd; echo $B'
        docker exec steady no-such-program; echo $?
        docker exec --detach steady true
        docker exec kept true
        ",
    ),
    makes("exec with a pipe", "seq 1 20000 | docker exec -i steady sh -c 'wc; sleep 1; echo end'"),
    makes(
        "exec on a terminal",
        r#"
        (sleep 2; printf 'typed\n'; sleep 2) | script -qec "
            stty rows 33 cols 77
            docker exec -it steady sh -c 'sleep 1; stty size; read line; echo got \$line; exit 5'
        " /dev/null
        "#,
    ),
    makes(
        "follow logs",
        r"
        docker run -d --name job busy:1 sh -c 'for i in 1 2 3; do echo $i; sleep 0.3; done'
        docker logs --follow job; docker rm job
        ",
    ),
    makes("copy in", "echo new > file; docker cp file kept:/new; docker cp kept:/new - | tar -xO"),
    makes("copy in a tree", "mkdir -p d/e; seq 1 9 > d/e/f; tar -c d | docker cp - steady:/tmp"),
    makes("kill", "docker run -d --name job busy:1 sleep 1000; docker kill job; docker rm job"),
    makes(
        "pause",
        r"
        docker pause steady; docker inspect --format '{{.State.Status}}' steady
        docker exec steady true; docker unpause steady
        ",
    ),
    makes(
        "rename and update",
        r"
        docker create --name job busy:1; docker rename job work; docker rename job work
        docker update --restart on-failure:3 work
        docker inspect --format '{{json .HostConfig.RestartPolicy}}' work; docker rm work
        ",
    ),
    makes("remove nothing", "docker rm nothing; docker rm --force nothing; docker rm steady"),
    // Images.
    makes("images", "docker images; docker images --digests --no-trunc"),
    reads("inspect image", "docker image inspect busy:1"),
    reads("history", "docker history --human=false --no-trunc busy:1"),
    reads("save", "docker save busy:1 | sha256sum"),
    makes("save and load", "docker save busy:1 > image.tar; docker load < image.tar"),
    makes(
        "export and import",
        "docker export kept | docker import - import:1; docker rmi import:1",
    ),
    makes(
        "tag",
        "docker tag busy:1 other/name:2; docker images -q other/name; docker rmi other/name:2",
    ),
    makes(
        "commit",
        r#"
        docker commit --change 'CMD ["cat", "/made"]' --message why kept commit:1
        docker run --rm commit:1; docker rmi commit:1
        "#,
    ),
    makes(
        "build",
        r"
        printf 'FROM busy:1\nARG A\nCOPY f /f\nRUN cat /f && echo $A && sleep 1 && echo warn >&2\n' > Dockerfile
        seq 1 20000 > f
        docker build --build-arg A=1 --label l=1 --network none -t build:1 .
        docker run --rm build:1 wc /f; docker rmi build:1
        ",
    ),
    makes(
        "build that fails",
        "printf 'FROM busy:1\nRUN exit 3\n' | docker build --network none --force-rm -; docker build nowhere",
    ),
    makes(
        "build with BuildKit",
        r"
        printf 'FROM busy:1\nCOPY f /f\nRUN wc -l /f\n' > Dockerfile; seq 1 20000 > f
        DOCKER_BUILDKIT=1 docker build --no-cache --network none --quiet -t kit:1 . && docker rmi kit:1
        ",
    ),
    reads("pull from nowhere", "docker pull 127.0.0.1:9/image:1"),
    reads("log in nowhere", "docker login --username u --password p 127.0.0.1:9"),
    // Networks and volumes.
    reads("networks", "docker network ls; docker network inspect bridge none"),
    makes(
        "a network",
        r"
        docker network create --internal --subnet 10.213.7.0/24 --label l=1 net
        docker network create net
        docker run --rm --network net --ip 10.213.7.9 busy:1 sh -c 'ip -4 addr show eth0 | grep inet'
        docker network inspect --format '{{json .IPAM.Config}} {{.Internal}} {{.Labels}}' net
        docker create --name job busy:1; docker network connect --alias a net job
        docker network disconnect net job; docker rm job; docker network rm net
        ",
    ),
    reads("volumes", "docker volume ls; docker volume inspect shelf"),
    makes(
        "a volume",
        r"
        docker volume create --label l=1 vol
        docker run --rm -v vol:/v busy:1 sh -c 'echo kept > /v/file'
        docker run --rm -v vol:/v:ro busy:1 cat /v/file
        docker volume rm vol; docker volume rm vol; docker volume rm shelf
        ",
    ),
    makes(
        "prune",
        r"
        docker create --name job --label prune=1 busy:1
        docker container prune --force --filter label=prune=1 | sed 's/B$//'
        docker volume create --label prune=1 vol; docker volume prune --force --filter label=prune=1
        docker network create --label prune=1 net; docker network prune --force --filter label=prune=1
        docker image prune --force
        ",
    ),
    // Swarm.
    makes(
        "swarm",
        r"
        docker swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1 >/dev/null
        docker node ls --format '{{.Status}} {{.ManagerStatus}}'; docker node ps self
        echo hush | docker secret create secret -; docker secret ls --format '{{.Name}}'
        echo loud | docker config create config -; docker config inspect --pretty config | tail -1
        docker service create --detach --quiet --name web --replicas 0 --network host busy:1
        docker service ls --format '{{.Name}} {{.Replicas}}'; docker service ps web; docker service rm web
        docker swarm leave --force
        ",
    ),
];

/// Commands that are refused when all flags are off, each with the flag that it still lacks when
/// all others are on.
pub const REFUSALS: &[(&str, &str)] = &[
    ("AUTH", "docker login --username u --password p 127.0.0.1:9"),
    ("BUILD", "echo 'FROM busy:1' | docker build -"),
    // More than any buffer on the way holds: the refusal must not cut the upload short.
    ("BUILD", "echo 'FROM busy:1' > Dockerfile; head -c 20M /dev/zero > f; docker build ."),
    ("COMMIT", "docker commit kept"),
    ("CONFIGS", "docker config ls"),
    ("CONTAINERS", "docker ps"),
    ("CONTAINERS", "docker inspect --type container kept"),
    ("CONTAINERS", "docker logs --follow kept"),
    ("CONTAINERS", "docker top steady"),
    ("CONTAINERS", "docker stats --no-stream steady"),
    ("CONTAINERS", "docker diff kept"),
    ("CONTAINERS", "docker export --output exported kept"),
    ("CONTAINERS", "docker cp kept:/made here"),
    ("EVENTS", "docker events --since $SINCE --until $UNTIL"),
    ("IMAGES", "docker images"),
    ("IMAGES", "docker history busy:1"),
    ("IMAGES", "docker image inspect busy:1"),
    ("IMAGES", "docker save --output saved busy:1"),
    ("IMAGES", "docker load --input /dev/null"),
    ("IMAGES", "docker tag busy:1 busy:2"),
    ("IMAGES", "docker rmi no-such-image"),
    ("IMAGES", "docker image prune --force"),
    ("IMAGES", "docker pull 127.0.0.1:9/image:1"),
    ("IMAGES", "docker export kept | docker import -"),
    ("INFO", "docker info"),
    ("NETWORKS", "docker network ls"),
    ("NETWORKS", "docker network create net"),
    ("NETWORKS", "docker network inspect bridge"),
    ("NETWORKS", "docker network rm net"),
    ("NODES", "docker node ls"),
    ("PLUGINS", "docker plugin ls"),
    ("POST", "docker run --rm busy:1"),
    ("POST", "echo typed | docker run --rm -i busy:1 cat"),
    ("POST", "docker create busy:1"),
    ("POST", "docker exec steady true"),
    ("POST", "docker rename kept renamed"),
    ("POST", "docker update --memory 64m kept"),
    ("POST", "docker pause steady"),
    ("POST", "docker unpause steady"),
    ("POST", "docker wait kept"),
    ("POST", "docker rm kept"),
    ("POST", "docker container prune --force"),
    ("POST", "docker cp /etc/hostname kept:/copied"),
    ("POST", "docker volume create vol"),
    ("SECRETS", "docker secret ls"),
    ("SERVICES", "docker service ls"),
    ("SWARM", "docker swarm join-token worker"),
    ("SYSTEM", "docker system df"),
    ("VERSION", "docker version"),
    ("VOLUMES", "docker volume ls"),
    ("VOLUMES", "docker volume inspect shelf"),
    ("VOLUMES", "docker volume rm shelf"),
];
