//! The containers of the daemon, as its lists, documents and events tell of them: which has an
//! address, and since when.
//!
//! What a daemon of version 20.10 was seen to do when it starts a container, by the times at which
//! it was told:
//!
//! | after | what |
//! | ---: | --- |
//! | 0 ms | the event `create`; the list has the container from here on, with its network mode |
//! | 18 ms | the event `connect` of the network; the list has no address yet, and an inspect waits |
//! | 420 ms | its process runs, and may send |
//! | 425 ms | `StartedAt` |
//! | 428 ms | the list has the address, the inspect is answered, the event `start` comes |
//!
//! So a client may be there before `StartedAt`, and before the list has its address. Since when an
//! address is the container's is known by the event `connect`, where there was one to see.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
    time::SystemTime,
};

use ipnet::IpNet;
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Container, cgroup::is_id};

/// What is known of the daemon's containers and networks.
#[derive(Debug, Default)]
pub(super) struct Containers {
    /// By the id. Those that don't run are here too: what they join, they join again.
    known: HashMap<String, Entry>,
    networks: HashMap<String, Network>,
    generation: u64,
}

/// What is known of a container.
#[derive(Clone, Debug, Default, PartialEq)]
struct Entry {
    runs: bool,
    name: String,
    /// The container whose network it uses, by whatever the daemon calls it: an id, where it is
    /// Docker.
    joins: Option<String>,
    /// Its addresses, while it runs, each with the id of its network.
    addresses: Vec<(String, IpAddr)>,
    /// When it was seen to get an address in a network.
    attached: HashMap<String, SystemTime>,
    /// When a container that shared its addresses was last seen to end.
    shared_until: Option<SystemTime>,
    /// As it was last inspected.
    container: Option<Arc<Container>>,
}

/// The ranges of addresses of a network, and the addresses that are no container's.
#[derive(Clone, Debug, Default, PartialEq)]
struct Network {
    subnets: Vec<IpNet>,
    gateways: Vec<IpAddr>,
}

impl Containers {
    /// Goes up with whatever could change what is said of a container.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// How many run.
    pub(super) fn running(&self) -> usize {
        self.known.values().filter(|entry| entry.runs).count()
    }

    /// A container that runs, if it has been inspected since it started.
    pub(super) fn by_id(&self, id: &str) -> Option<Arc<Container>> {
        self.known.get(id)?.container.clone()
    }

    /// The one container that runs with this address. None where there are two, in networks that use
    /// the same addresses.
    pub(super) fn by_address(&self, address: IpAddr) -> Option<&str> {
        let mut found = self.known.iter().filter(|(_, entry)| entry.has(address));
        let (id, _) = found.next()?;
        found.next().is_none().then_some(id)
    }

    /// Whether a container could have this address.
    pub(super) fn may_have(&self, address: IpAddr) -> bool {
        let mut networks = self.networks.values();
        let within = networks.any(|network| network.has(address))
            || self.known.values().any(|entry| entry.has(address));
        within && !self.networks.values().any(|network| network.gateways.contains(&address))
    }

    /// Containers that are getting an address in a network where it could be this one: they are
    /// starting, or being connected. Within a network an address is one container's, so where one
    /// has it nobody else gets it.
    pub(super) fn attaching(&self, address: IpAddr) -> Vec<String> {
        let taken = |network: &str| {
            let mut entries = self.known.values();
            entries
                .any(|entry| entry.addresses.iter().any(|has| has.0 == network && has.1 == address))
        };
        let possible = |network: &String| {
            let it = self.networks.get(network);
            it.is_none_or(|it| it.has(address)) && !taken(network)
        };
        let found = self.known.iter().filter(|(_, entry)| entry.attaching().any(possible));
        found.map(|(id, _)| id.clone()).collect()
    }

    /// The containers that use this one's network, or that of one that does.
    pub(super) fn sharing(&self, id: &str) -> Vec<String> {
        let mut sharing: Vec<&str> = Vec::new();
        let mut owners = vec![id];
        while let Some(owner) = owners.pop() {
            for (joiner, entry) in &self.known {
                let joins = entry.joins.as_deref().is_some_and(|name| self.is_called(owner, name));
                if joins && joiner != id && !sharing.contains(&&**joiner) {
                    sharing.push(joiner);
                    owners.push(joiner);
                }
            }
        }
        sharing.into_iter().map(str::to_owned).collect()
    }

    /// Whether the daemon may mean this container by a name: the name, the id or its beginning.
    fn is_called(&self, id: &str, name: &str) -> bool {
        let entry = self.known.get(id);
        !name.is_empty() && (id.starts_with(name) || entry.is_some_and(|entry| entry.name == name))
    }

    /// What an inspect says of who has this address, if it was this container's from before that
    /// time on, and no other's.
    pub(super) fn confirm(
        &self,
        document: &Inspected,
        address: IpAddr,
        accepted: SystemTime,
    ) -> Option<Arc<Container>> {
        let entry = self.known.get(&document.id)?;
        let (network, _) = document.addresses().find(|(_, has)| *has == address)?;
        let since = entry.attached.get(network).copied().or_else(|| document.started())?;
        let alone = entry.shared_until.is_none_or(|until| until < accepted);
        let confirmed = document.state.running && alone && since <= accepted;
        confirmed.then(|| Arc::new(document.container()))
    }

    /// Takes over a list of all containers, running or not.
    pub(super) fn list(&mut self, listed: Vec<Listed>) {
        let entry = |listed: Listed| {
            let before = self.known.get(&listed.id).cloned().unwrap_or_default();
            let name = listed.name();
            let runs = matches!(&*listed.state, "running" | "paused");
            let networks = listed.network_settings.unwrap_or_default();
            let entry = Entry {
                runs,
                joins: listed.host_config.joins(),
                addresses: networks.addresses().filter(|_| runs).map(owned).collect(),
                container: before.container.filter(|it| runs && it.name == name),
                name,
                ..before
            };
            (listed.id, entry)
        };
        let known = listed.into_iter().map(entry).collect();
        if self.known != known {
            self.known = known;
            self.generation += 1;
        }
    }

    /// Takes over a list of networks.
    pub(super) fn list_networks(&mut self, listed: Vec<ListedNetwork>) {
        self.networks = listed.into_iter().map(|it| (it.id, it.ipam.network())).collect();
    }

    /// Takes over what an inspect says.
    pub(super) fn inspected(&mut self, document: &Inspected) {
        let entry = self.known.entry(document.id.clone()).or_default();
        let before = entry.clone();
        entry.runs = document.state.running;
        plain(&document.name).clone_into(&mut entry.name);
        entry.joins = document.host_config.joins();
        entry.addresses = document.addresses().filter(|_| entry.runs).map(owned).collect();
        entry.container = entry.runs.then(|| Arc::new(document.container()));
        if *entry != before {
            self.generation += 1;
        }
    }

    /// Takes over what an event tells, which came at that time, and says what has to be asked for
    /// anew.
    pub(super) fn happened(&mut self, event: Event, now: SystemTime) -> Behind {
        let Event { kind, action, actor: Actor { id, attributes } } = event;
        match (&*kind, &*action) {
            ("container", "create") => return Behind::Containers,
            ("container", "start") => {}
            ("container", "die" | "died") => self.ended(&id, now),
            ("container", "destroy" | "remove") => {
                if self.known.get(&id).is_some_and(|entry| entry.runs) {
                    self.ended(&id, now);
                }
                self.known.remove(&id);
            }
            ("container", "rename") => self.renamed(&id, attributes.name.as_deref()),
            ("network", "connect" | "disconnect") => {
                let container = attributes.container.filter(|id| is_id(id));
                let Some(container) = container else { return Behind::Networks };
                let is_new = !self.networks.contains_key(&id);
                let entry = self.known.entry(container).or_default();
                entry.addresses.retain(|(network, _)| *network != id);
                if action == "connect" {
                    entry.attached.insert(id, now);
                } else {
                    entry.attached.remove(&id);
                }
                if is_new {
                    self.generation += 1;
                    return Behind::Networks;
                }
            }
            ("network", "create" | "destroy" | "remove") => return Behind::Networks,
            _ => return Behind::Nothing,
        }
        self.generation += 1;
        Behind::Containers
    }

    fn ended(&mut self, id: &str, now: SystemTime) {
        let Some(entry) = self.known.get_mut(id) else { return };
        entry.runs = false;
        entry.container = None;
        entry.addresses.clear();
        entry.attached.clear();
        // Whatever it may have joined: it can be gone from the lists before anyone asks.
        let mut joined = entry.joins.clone();
        for _ in 0..self.known.len() {
            let Some(name) = joined.take() else { break };
            let mut ids = self.known.keys();
            let Some(owner) = ids.find(|id| self.is_called(id, &name)).cloned() else { break };
            if let Some(entry) = self.known.get_mut(&owner) {
                entry.shared_until = Some(now);
                joined.clone_from(&entry.joins);
            }
        }
    }

    fn renamed(&mut self, id: &str, name: Option<&str>) {
        let (Some(entry), Some(name)) = (self.known.get_mut(id), name) else { return };
        plain(name).clone_into(&mut entry.name);
        if let Some(container) = &mut entry.container {
            entry.name.clone_into(&mut Arc::make_mut(container).name);
        }
    }

    /// Forgets everything, since nobody tells what becomes of it.
    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.networks.clear();
        self.generation += 1;
    }
}

impl Entry {
    fn has(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|(_, has)| *has == address)
    }

    /// The networks that it was connected to without an address being known.
    fn attaching(&self) -> impl Iterator<Item = &String> {
        let addressed = |id: &String| self.addresses.iter().any(|(network, _)| network == id);
        self.attached.keys().filter(move |id| !addressed(id))
    }
}

impl Network {
    fn has(&self, address: IpAddr) -> bool {
        self.subnets.iter().any(|subnet| subnet.contains(&address))
    }
}

/// What an event leaves to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// Nothing: it is of no interest here.
    Nothing,
    /// The containers.
    Containers,
    /// The networks, and the containers.
    Networks,
}

/// A container in the answer to `GET /containers/json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    id: String,
    names: Option<Vec<String>>,
    state: String,
    #[serde(default)]
    host_config: HostConfig,
    network_settings: Option<NetworkSettings>,
}

/// The answer to `GET /containers/ID/json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Inspected {
    /// Its id.
    pub id: String,
    name: String,
    /// How it is.
    pub state: State,
    config: Config,
    #[serde(default)]
    host_config: HostConfig,
    network_settings: Option<NetworkSettings>,
}

/// How a container is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct State {
    /// Whether it runs. It does when it is paused too.
    pub running: bool,
    /// The number of its first process, as the daemon counts.
    #[serde(default)]
    pub pid: u32,
    started_at: Option<String>,
    finished_at: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    image: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HostConfig {
    network_mode: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkSettings {
    networks: Option<HashMap<String, Attachment>>,
}

#[derive(Debug, Deserialize)]
struct Attachment {
    #[serde(rename = "NetworkID")]
    network: Option<String>,
    #[serde(rename = "IPAddress")]
    v4: Option<String>,
    #[serde(rename = "GlobalIPv6Address")]
    v6: Option<String>,
}

/// A network in the answer to `GET /networks`.
#[derive(Debug, Deserialize)]
pub(super) struct ListedNetwork {
    #[serde(rename = "Id", alias = "ID")]
    id: String,
    #[serde(rename = "IPAM", default)]
    ipam: Ipam,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ipam {
    config: Option<Vec<Range>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Range {
    subnet: Option<String>,
    gateway: Option<String>,
}

/// A value of the stream `GET /events`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Event {
    #[serde(rename = "Type", default)]
    kind: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    actor: Actor,
}

#[derive(Debug, Default, Deserialize)]
struct Actor {
    #[serde(rename = "ID", default)]
    id: String,
    #[serde(rename = "Attributes", default)]
    attributes: Attributes,
}

/// Labels are among them: whoever made a container may call one `container`, but not in the event of
/// a network.
#[derive(Debug, Default, Deserialize)]
struct Attributes {
    name: Option<String>,
    container: Option<String>,
}

impl Listed {
    /// Links give a container more names, with another container's before the last slash.
    fn name(&self) -> String {
        let mut names = self.names.iter().flatten().map(|name| plain(name));
        names.find(|name| !name.contains('/')).unwrap_or_default().to_owned()
    }
}

impl Inspected {
    /// As plugins see it.
    pub(super) fn container(&self) -> Container {
        Container {
            id: self.id.clone(),
            name: plain(&self.name).to_owned(),
            image: self.config.image.clone().unwrap_or_default(),
            labels: self.config.labels.clone().unwrap_or_default(),
        }
    }

    /// Whether it has run after that time, as far as the daemon says.
    pub(super) fn ran_after(&self, time: SystemTime) -> bool {
        let finished = self.state.finished_at.as_deref().and_then(moment);
        self.state.running || finished.is_none_or(|finished| finished >= time)
    }

    fn started(&self) -> Option<SystemTime> {
        moment(self.state.started_at.as_deref()?)
    }

    fn addresses(&self) -> impl Iterator<Item = (&str, IpAddr)> {
        self.network_settings.iter().flat_map(NetworkSettings::addresses)
    }
}

impl HostConfig {
    fn joins(&self) -> Option<String> {
        Some(self.network_mode.as_deref()?.strip_prefix("container:")?.to_owned())
    }
}

impl NetworkSettings {
    /// Each with the id of its network.
    fn addresses(&self) -> impl Iterator<Item = (&str, IpAddr)> {
        self.networks.iter().flat_map(HashMap::values).flat_map(|attachment| {
            let network = attachment.network.as_deref().unwrap_or_default();
            let texts = [&attachment.v4, &attachment.v6].into_iter().flatten();
            texts.filter_map(move |text| Some((network, address(text)?)))
        })
    }
}

impl Ipam {
    fn network(self) -> Network {
        let mut network = Network::default();
        for range in self.config.into_iter().flatten() {
            network.subnets.extend(range.subnet.and_then(|subnet| subnet.parse::<IpNet>().ok()));
            network.gateways.extend(range.gateway.and_then(|gateway| address(&gateway)));
        }
        network
    }
}

/// An address, with or without the length of its network. Where there is none the text is empty, or
/// it is the address that means none.
fn address(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.split('/').next()?.parse().ok()?;
    Some(address.to_canonical()).filter(|address| !address.is_unspecified())
}

fn owned((network, address): (&str, IpAddr)) -> (String, IpAddr) {
    (network.to_owned(), address)
}

/// A name without the slash that the API puts before it.
fn plain(name: &str) -> &str {
    name.strip_prefix('/').unwrap_or(name)
}

fn moment(text: &str) -> Option<SystemTime> {
    Some(OffsetDateTime::parse(text, &Rfc3339).ok()?.into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;

    fn id(digit: &str) -> String {
        digit.repeat(64)
    }

    fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(second)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// A container in a list: its id, how it is, its network mode, its networks and addresses.
    fn listed(digit: &str, state: &str, mode: &str, addresses: &[(&str, &str)]) -> Value {
        json!({
            "Id": id(digit),
            "Names": [format!("/name-{digit}")],
            "State": state,
            "HostConfig": { "NetworkMode": mode },
            "NetworkSettings": { "Networks": networks(addresses) },
        })
    }

    fn networks(addresses: &[(&str, &str)]) -> Value {
        let network = |&(network, address): &(&str, &str)| {
            let v6 = if address.contains(':') { address } else { "" };
            let v4 = if address.contains(':') { "" } else { address };
            let it = json!({ "NetworkID": network, "IPAddress": v4, "GlobalIPv6Address": v6 });
            (network.to_owned(), it)
        };
        addresses.iter().map(network).collect::<serde_json::Map<_, _>>().into()
    }

    fn inspected(digit: &str, started: u64, addresses: &[(&str, &str)]) -> Inspected {
        let started = OffsetDateTime::from(at(started)).format(&Rfc3339).unwrap();
        serde_json::from_value(json!({
            "Id": id(digit),
            "Name": format!("/name-{digit}"),
            "State": {
                "Running": true, "Pid": 7, "StartedAt": started, "FinishedAt": "0001-01-01T00:00:00Z",
            },
            "Config": { "Image": "app:1", "Labels": { "com.docker.compose.project": "shop" } },
            "HostConfig": { "NetworkMode": "bridge" },
            "NetworkSettings": { "Networks": networks(addresses) },
        }))
        .unwrap()
    }

    fn containers(listed: Vec<Value>) -> Containers {
        let mut containers = Containers::default();
        let networks = json!([
            { "Id": "net1", "IPAM": { "Config": [{ "Subnet": "10.0.0.0/24", "Gateway": "10.0.0.1" }] } },
            { "Id": "net2", "IPAM": { "Config": [
                { "Subnet": "10.0.0.0/24" }, { "Subnet": "fd00::/64", "Gateway": "fd00::1/64" },
            ] } },
            { "Id": "host", "IPAM": { "Config": null } },
            { "Id": "none", "IPAM": { "Config": [] } },
        ]);
        containers.list_networks(serde_json::from_value(networks).unwrap());
        containers.list(serde_json::from_value(listed.into()).unwrap());
        containers
    }

    fn happens(containers: &mut Containers, second: u64, event: Value) -> Behind {
        containers.happened(serde_json::from_value(event).unwrap(), at(second))
    }

    fn of_container(action: &str, digit: &str) -> Value {
        let attributes = json!({ "name": "new-name", "image": "app:1" });
        json!({ "Type": "container", "Action": action, "Actor": { "ID": id(digit), "Attributes": attributes } })
    }

    fn of_network(action: &str, network: &str, digit: &str) -> Value {
        let attributes = json!({ "container": id(digit), "name": "net", "type": "bridge" });
        json!({ "Type": "network", "Action": action, "Actor": { "ID": network, "Attributes": attributes } })
    }

    #[test]
    fn an_address_is_the_one_containers_that_runs_with_it() {
        let containers = containers(vec![
            listed("a", "running", "bridge", &[("net1", "10.0.0.2"), ("net2", "fd00::2")]),
            listed("b", "exited", "bridge", &[("net1", "10.0.0.3")]),
            listed("c", "running", "bridge", &[("net1", "10.0.0.4")]),
            listed("d", "paused", "net2", &[("net2", "10.0.0.4")]),
            listed("e", "running", "host", &[("host", "")]),
        ]);
        for (address, expected) in [
            ("10.0.0.2", Some("a")),
            ("fd00::2", Some("a")),
            ("10.0.0.3", None),
            ("10.0.0.4", None),
            ("10.0.0.9", None),
            ("0.0.0.0", None),
        ] {
            let expected = expected.map(id);
            assert_eq!(containers.by_address(ip(address)), expected.as_deref(), "{address}");
        }
    }

    #[test]
    fn only_addresses_in_a_network_and_not_its_gateway_can_be_a_containers() {
        let containers = containers(vec![listed("a", "running", "x", &[("x", "192.168.9.9")])]);
        for (address, may) in [
            ("10.0.0.200", true),
            ("fd00::5", true),
            ("192.168.9.9", true),
            ("192.168.9.8", false),
            ("10.0.0.1", false),
            ("fd00::1", false),
            ("127.0.0.1", false),
            ("203.0.113.7", false),
        ] {
            assert_eq!(containers.may_have(ip(address)), may, "{address}");
        }
    }

    #[test]
    fn an_address_counts_if_it_was_the_containers_before_the_client_was_accepted() {
        let mut containers = containers(vec![listed("a", "running", "bridge", &[])]);
        let document = inspected("a", 100, &[("net1", "10.0.0.2")]);
        let confirmed = |containers: &Containers, address: &str, second| {
            containers.confirm(&document, ip(address), at(second)).is_some()
        };
        assert!(confirmed(&containers, "10.0.0.2", 100));
        assert!(!confirmed(&containers, "10.0.0.2", 99), "it had not started");
        assert!(!confirmed(&containers, "10.0.0.3", 100), "another address");

        // It was seen to come into the network: before it started, as is usual, or later.
        happens(&mut containers, 98, of_network("connect", "net1", "a"));
        assert!(confirmed(&containers, "10.0.0.2", 99));
        happens(&mut containers, 200, of_network("connect", "net1", "a"));
        assert!(!confirmed(&containers, "10.0.0.2", 199));
        assert!(confirmed(&containers, "10.0.0.2", 200));

        let mut ended = inspected("a", 100, &[("net1", "10.0.0.2")]);
        ended.state.running = false;
        assert!(containers.confirm(&ended, ip("10.0.0.2"), at(300)).is_none());
    }

    #[test]
    fn who_is_getting_an_address_is_known_by_the_network() {
        let mut containers = containers(vec![
            listed("a", "running", "bridge", &[("net1", "10.0.0.2")]),
            listed("b", "created", "bridge", &[("net1", "")]),
        ]);
        assert!(containers.attaching(ip("10.0.0.3")).is_empty());
        happens(&mut containers, 1, of_network("connect", "net1", "b"));
        assert_eq!(containers.attaching(ip("10.0.0.3")), [id("b")]);
        assert!(containers.attaching(ip("fd00::3")).is_empty(), "another range");
        assert!(containers.attaching(ip("10.0.0.2")).is_empty(), "taken in this network");
        happens(&mut containers, 1, of_network("connect", "net2", "b"));
        assert_eq!(containers.attaching(ip("10.0.0.2")), [id("b")], "free in the other");

        containers.inspected(&inspected("b", 2, &[("net1", "10.0.0.3"), ("net2", "10.0.0.3")]));
        assert!(containers.attaching(ip("10.0.0.2")).is_empty());
        assert_eq!(containers.by_address(ip("10.0.0.3")), Some(&*id("b")));
    }

    #[test]
    fn containers_that_share_a_network_namespace_are_found_by_id_by_name_and_in_a_row() {
        let containers = containers(vec![
            listed("a", "running", "bridge", &[("net1", "10.0.0.2")]),
            listed("b", "running", &format!("container:{}", id("a")), &[]),
            listed("c", "created", "container:name-a", &[]),
            listed("d", "exited", &format!("container:{}", id("b")), &[]),
            listed("e", "running", "container:name-x", &[]),
            listed("f", "running", "bridge", &[("net1", "10.0.0.3")]),
        ]);
        let mut sharing = containers.sharing(&id("a"));
        sharing.sort();
        assert_eq!(sharing, [id("b"), id("c"), id("d")]);
        assert!(containers.sharing(&id("f")).is_empty());
    }

    #[test]
    fn an_address_that_was_shared_until_after_the_client_was_accepted_is_nobodys() {
        let joiner = listed("b", "running", &format!("container:{}", id("a")), &[]);
        let owner = listed("a", "running", "bridge", &[("net1", "10.0.0.2")]);
        let mut containers = containers(vec![owner, joiner]);
        happens(&mut containers, 200, of_container("die", "b"));
        happens(&mut containers, 201, of_container("destroy", "b"));
        assert!(containers.sharing(&id("a")).is_empty());
        let document = inspected("a", 100, &[("net1", "10.0.0.2")]);
        assert!(containers.confirm(&document, ip("10.0.0.2"), at(150)).is_none());
        assert!(containers.confirm(&document, ip("10.0.0.2"), at(201)).is_some());
    }

    #[test]
    fn the_generation_goes_up_with_what_can_be_seen() {
        let mut containers =
            containers(vec![listed("a", "running", "bridge", &[("net1", "10.0.0.2")])]);
        for (event, behind, up) in [
            (of_container("exec_start: sh", "a"), Behind::Nothing, false),
            (of_container("create", "b"), Behind::Containers, false),
            (of_container("rename", "a"), Behind::Containers, true),
            (of_network("connect", "net1", "b"), Behind::Containers, true),
            (of_container("start", "b"), Behind::Containers, true),
            (of_network("disconnect", "net1", "b"), Behind::Containers, true),
            (of_container("die", "b"), Behind::Containers, true),
            (of_container("destroy", "b"), Behind::Containers, true),
            (json!({ "Type": "network", "Action": "create" }), Behind::Networks, false),
            (json!({ "status": "pull", "id": "x" }), Behind::Nothing, false),
        ] {
            let before = containers.generation();
            assert_eq!(happens(&mut containers, 1, event.clone()), behind, "{event}");
            assert_eq!(containers.generation() > before, up, "{event}");
        }
        let before = containers.generation();
        containers.forget();
        assert!(containers.generation() > before);
    }

    #[test]
    fn events_are_in_force_at_once() {
        let mut containers =
            containers(vec![listed("a", "running", "bridge", &[("net1", "10.0.0.2")])]);
        containers.inspected(&inspected("a", 1, &[("net1", "10.0.0.2")]));
        assert_eq!(containers.by_id(&id("a")).unwrap().project(), Some("shop"));
        happens(&mut containers, 2, of_container("rename", "a"));
        assert_eq!(containers.by_id(&id("a")).unwrap().name, "new-name");
        assert_eq!(containers.by_id(&id("a")).unwrap().image, "app:1");
        happens(&mut containers, 3, of_container("die", "a"));
        assert_eq!(containers.by_id(&id("a")), None);
        assert_eq!(containers.by_address(ip("10.0.0.2")), None);
    }

    #[test]
    fn a_list_forgets_what_is_not_in_it_and_keeps_what_was_learned() {
        let a = listed("a", "running", "bridge", &[("net1", "10.0.0.2")]);
        let b = listed("b", "running", "bridge", &[("net1", "10.0.0.3")]);
        let mut containers = containers(vec![a.clone(), b]);
        containers.inspected(&inspected("a", 1, &[("net1", "10.0.0.2")]));
        let before = containers.generation();
        containers.list(serde_json::from_value(json!([a])).unwrap());
        assert!(containers.generation() > before);
        assert_eq!(containers.running(), 1);
        assert!(containers.by_id(&id("a")).is_some());
        let before = containers.generation();
        containers.list(serde_json::from_value(json!([a])).unwrap());
        assert_eq!(containers.generation(), before, "nothing changed");
    }
}
