//! A team: its proxy, and what it has at the daemon.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::{Value, json};

use crate::daemon::wait_until;
use crate::engine::Engine;
use crate::http::{Answer, Request};
use crate::proxy::Proxy;

/// The key of the label by which teams are told apart.
pub const KEY: &str = "com.example.team";

/// A kind of thing, by the word that the API's paths begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Container,
    Exec,
    Volume,
    Network,
    Image,
    Service,
    Task,
    Node,
    Secret,
    Config,
    /// Nobody's: it has no labels, and there is none here.
    Plugin,
}

impl Kind {
    /// Whether there is such a thing only in a swarm.
    pub fn is_of_swarm(self) -> bool {
        matches!(self, Self::Service | Self::Task | Self::Node | Self::Secret | Self::Config)
    }

    fn inspect(self, id: &str) -> String {
        match self {
            Self::Container => format!("GET /containers/{id}/json"),
            Self::Exec => format!("GET /exec/{id}/json"),
            Self::Volume => format!("GET /volumes/{id}"),
            Self::Network => format!("GET /networks/{id}"),
            Self::Image => format!("GET /images/{id}/json"),
            Self::Service => format!("GET /services/{id}"),
            Self::Task => format!("GET /tasks/{id}"),
            Self::Node => format!("GET /nodes/{id}"),
            Self::Secret => format!("GET /secrets/{id}"),
            Self::Config => format!("GET /configs/{id}"),
            Self::Plugin => format!("GET /plugins/{id}/json"),
        }
    }
}

/// The proxy of a team, which sees what carries the label `com.example.team=NAME`.
pub fn proxy_of(engine: &Engine, name: &str, images: &str) -> Proxy {
    proxy_at(&engine.daemon.socket(), name, images)
}

/// The same before another socket.
pub fn proxy_at(upstream: &Path, name: &str, images: &str) -> Proxy {
    let label = format!("{KEY}={name}");
    let settings = json!({ "labels": [label], "allow": true, "images": images });
    Proxy::with_plugins(upstream, &[("label-scope", settings)])
}

/// What there is of a team.
pub struct State(BTreeMap<String, Value>);

/// What a thing is called.
#[derive(Clone, Debug)]
pub struct Thing {
    pub name: String,
    pub id: String,
}

/// One thing of each kind, made at the daemon itself, with the label of a team. The container runs, is
/// on the network and mounts the volume.
/// They go with the daemon.
pub struct Things {
    engine: &'static Engine,
    /// The value of their label.
    pub team: String,
    /// What their names begin with.
    pub prefix: String,
    made: BTreeMap<Kind, Thing>,
}

impl Things {
    pub fn of(engine: &'static Engine, team: &str, prefix: &str) -> Self {
        let mut this = Self {
            engine,
            team: team.to_owned(),
            prefix: prefix.to_owned(),
            made: BTreeMap::new(),
        };
        let network = NETWORKS.fetch_add(1, Ordering::Relaxed);
        for line in this.must_run(&format!("N={network}{MAKE}")).lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [kind, name, id] = words[..] else { panic!("{line}") };
            this.add(kind_named(kind), name, id);
        }
        let web = this.name(Kind::Container).to_owned();
        // With a terminal, so that it can be resized.
        let exec = Request::new(format!("POST /containers/{web}/exec"))
            .with_body(r#"{"Cmd":["sleep","1000"],"Tty":true}"#)
            .ask(&engine.daemon.socket())
            .json();
        let exec = exec["Id"].as_str().expect("an id");
        this.add(Kind::Exec, exec, exec);
        this.add(Kind::Plugin, &format!("{prefix}-plugin"), &format!("{prefix}-plugin"));
        if engine.is_swarm {
            this.add_swarm();
        }
        this
    }

    fn add_swarm(&mut self) {
        for line in self.must_run(MAKE_SWARM).lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [kind, name, id] = words[..] else { panic!("{line}") };
            self.add(kind_named(kind), name, id);
        }
        wait_until("the task of a service runs", || {
            let task = &self.inspect(Kind::Task);
            task["Status"]["State"] == "running"
        });
    }

    fn add(&mut self, kind: Kind, name: &str, id: &str) {
        self.made.insert(kind, Thing { name: name.to_owned(), id: id.to_owned() });
    }

    /// Runs a script at the daemon itself, with `$P` for the prefix and `$L` for the label.
    pub fn must_run(&self, script: &str) -> String {
        let shell = self.engine.daemon.shell();
        let label = format!("{KEY}={}", self.team);
        shell.and_variable("P", &self.prefix).and_variable("L", &label).must_run(script)
    }

    pub fn is_in_swarm(&self) -> bool {
        self.engine.is_swarm
    }

    pub fn thing(&self, kind: Kind) -> &Thing {
        self.made.get(&kind).unwrap_or_else(|| panic!("no {kind:?} was made"))
    }

    pub fn name(&self, kind: Kind) -> &str {
        &self.thing(kind).name
    }

    pub fn id(&self, kind: Kind) -> &str {
        &self.thing(kind).id
    }

    /// The ways to say which thing is meant.
    pub fn spellings(&self, kind: Kind) -> Vec<String> {
        let (name, id) = (self.name(kind), self.id(kind));
        let forms = [name, id, short(id), &name.to_uppercase(), &id.to_uppercase()];
        let mut spellings: Vec<String> = Vec::new();
        for form in forms.map(str::to_owned) {
            if !spellings.contains(&form) {
                spellings.push(form);
            }
        }
        spellings
    }

    /// What the daemon says of one of them.
    pub fn inspect(&self, kind: Kind) -> Value {
        let answer = Request::new(kind.inspect(self.id(kind))).ask(&self.engine.daemon.socket());
        answer.json()
    }

    /// What the daemon says of all of them but the node, which is everybody's, and whatever else has
    /// the label.
    pub fn state(&self) -> State {
        let socket = self.engine.daemon.socket();
        let mut state = BTreeMap::new();
        for (kind, thing) in self.made.iter().filter(|(kind, _)| **kind != Kind::Node) {
            let answer = Request::new(kind.inspect(&thing.id)).ask(&socket);
            state.insert(format!("{kind:?}"), answer.json());
        }
        let label = format!("{KEY}={}", self.team);
        for list in ["containers/json", "volumes", "networks", "images/json"] {
            let filters = format!("%7B%22label%22:%5B%22{label}%22%5D%7D");
            let line = format!("GET /{list}?all=1&filters={filters}");
            let mut found = Request::new(line).ask(&socket).json();
            let things = if list == "volumes" { &mut found["Volumes"] } else { &mut found };
            if let Some(things) = things.as_array_mut() {
                things.iter_mut().for_each(without_age);
                // The daemon has no order of volumes.
                things.sort_by_key(ToString::to_string);
            }
            state.insert(list.to_owned(), found);
        }
        State(state)
    }

    /// Fails where they are not as they were.
    pub fn expect_unchanged(&self, before: &State, after: &str) {
        let now = self.state();
        for (what, was) in &before.0 {
            let is = &now.0[what];
            assert!(was == is, "after {after}, {what} of {} was\n{was}\nand is\n{is}", self.team);
        }
    }

    /// What of theirs may stand in no answer to another team: the beginnings of their ids, the value
    /// of their label, what they say, where they are.
    pub fn secrets(&self) -> Vec<String> {
        let address = &self.inspect(Kind::Container)["NetworkSettings"]["Networks"];
        let address = &address[self.name(Kind::Network)]["IPAddress"];
        let address = address.as_str().filter(|address| !address.is_empty());
        let address = address.expect("the container is on the network").to_owned();
        let others = [Kind::Volume, Kind::Node, Kind::Plugin];
        let ids = self.made.iter().filter(|(kind, _)| !others.contains(kind));
        ids.map(|(_, thing)| short(&thing.id).to_owned())
            .chain([address, format!("{}-said", self.prefix), format!("{}-env", self.prefix)])
            .chain([format!("\"{}\"", self.team), format!("={}", self.team)])
            .collect()
    }

    /// Fails where an answer gives away anything but what the request has said itself.
    pub fn expect_nothing_of_them_in(&self, answer: &Answer, request: &str) {
        let said = format!("{}\n{}", answer.head, answer.text());
        for secret in self.secrets() {
            assert!(
                request.contains(&secret) || !said.contains(&secret),
                "{request}\nis told {secret}:\n{said}"
            );
        }
    }
}

fn kind_named(word: &str) -> Kind {
    match word {
        "container" => Kind::Container,
        "volume" => Kind::Volume,
        "network" => Kind::Network,
        "image" => Kind::Image,
        "service" => Kind::Service,
        "task" => Kind::Task,
        "node" => Kind::Node,
        "secret" => Kind::Secret,
        "config" => Kind::Config,
        _ => panic!("{word}"),
    }
}

/// `Up 3 seconds`
fn without_age(container: &mut Value) {
    if let Some(fields) = container.as_object_mut() {
        fields.remove("Status");
    }
}

/// An id as clients show it.
pub fn short(id: &str) -> &str {
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    &id[..id.len().min(12)]
}

/// The daemon itself has a choice of only thirty addresses for networks.
static NETWORKS: AtomicU8 = AtomicU8::new(0);

const MAKE: &str = r#"
    network=$(docker network create --label "$L" --subnet "198.18.$N.0/24" "$P-net")
    volume=$(docker volume create --label "$L" "$P-vol")
    printf 'FROM busy:1\nLABEL %s of=%s\n' "$L" "$P" |
        docker build --quiet --tag "localhost:1/$P:1" - >image 2>/dev/null
    container=$(docker run --detach --name "$P-web" --label "$L" --env "A=$P-env" \
        --network "$P-net" --volume "$P-vol:/data" --stop-signal KILL busy:1 \
        sh -c "echo $P-said; exec sleep 1000" 2>/dev/null)
    echo "network $P-net $network"
    echo "volume $P-vol $volume"
    echo "image localhost:1/$P:1 $(cat image)"
    echo "container $P-web $container"
"#;

/// The labels are the service's alone: the container of its task is the team's by its service.
const MAKE_SWARM: &str = r#"
    secret=$(echo "$P-said" | docker secret create --label "$L" "$P-secret" -)
    config=$(echo "$P-said" | docker config create --label "$L" "$P-config" -)
    service=$(docker service create --quiet --detach --no-resolve-image --name "$P-svc" \
        --label "$L" --stop-signal KILL --env "A=$P-env" busy:1 \
        sh -c "echo $P-said; exec sleep 1000")
    while [ -z "$(docker service ps --quiet --no-trunc "$P-svc")" ]; do sleep 0.1; done
    echo "secret $P-secret $secret"
    echo "config $P-config $config"
    echo "service $P-svc $service"
    echo "task $P-svc.1 $(docker service ps --quiet --no-trunc "$P-svc")"
    echo "node $(docker node inspect --format '{{.Description.Hostname}} {{.ID}}' self)"
"#;
