//! A table as it is written, and as it is meant for a configuration.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::plugin::{After, Certificate, Container, Found, Given, Known, headers, line},
    compare::Expected,
};
use crate::{
    client::{Client, Peer, Process},
    config::{ClientCertificates, Format, Pointer, Problems, cure_of_name},
    explain::Outcome,
    listener,
    plugin::Loaded,
    policy::Policy,
    settings::ListenerEntry,
    tls,
};

/// Requests, and what is expected of a configuration of dockgate.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    /// The configuration file, beside this one. Without it, what the variables of the environment
    /// amount to.
    #[serde(default)]
    pub config: Option<PathBuf>,
    /// The requests.
    requests: Vec<Row>,
}

/// A request, and what is expected.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Row {
    /// What it shows.
    #[serde(default)]
    name: Option<String>,
    /// The request line, as a client sends it: `GET /v1.41/containers/json?all=1`.
    request: String,
    /// The listener where it comes in, by name. Without it, the first to which such a client can come,
    /// and of those with a TCP address if there is one.
    #[serde(default)]
    listener: Option<String>,
    /// Who asks. Without it, somebody of whom nothing is known but where it comes in.
    #[serde(default)]
    client: Asker,
    /// Headers of the request.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Its JSON body.
    #[serde(default)]
    body: Option<Value>,
    /// What the daemon would say where a plugin looks something up. What is not here is not there.
    #[serde(default)]
    found: Vec<Known>,
    /// What should become of it: `allow`, `deny`, `respond` or `invalid`.
    expect: Expect,
    /// The chain that should decide.
    #[serde(default)]
    chain: Option<String>,
    /// The plugin that should settle it: the one that refuses or answers it, or the first that allows
    /// it.
    #[serde(default)]
    plugin: Option<String>,
    /// The HTTP status that the client should get.
    #[serde(default)]
    status: Option<u16>,
    /// What should be part of the words, or of the answer, that the client gets.
    #[serde(default)]
    says: Option<String>,
    /// What should be sent to the daemon.
    #[serde(default)]
    sent: Option<After>,
}

/// What should become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Expect {
    /// It goes to the daemon.
    Allow,
    /// It is refused.
    Deny,
    /// A plugin answers it.
    Respond,
    /// It has not one meaning, and is refused for that.
    Invalid,
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Asker {
    /// Its address.
    address: Option<String>,
    /// The user at the other end of a unix socket, a number.
    user: Option<u32>,
    /// The group at the other end of a unix socket, a number.
    group: Option<u32>,
    /// The number of the process at the other end of a unix socket.
    process: Option<u32>,
    /// The certificate that it has shown.
    certificate: Option<Certificate>,
    /// The container that it runs in.
    container: Option<Container>,
}

impl Asker {
    /// Whether it is known as the process at the other end of a unix socket.
    fn is_process(&self) -> bool {
        self.user.is_some() || self.group.is_some() || self.process.is_some()
    }
}

impl Format for Table {
    const NAME: &str = "dockgate.test.yaml";
}

/// A request that can be asked about, and what is expected.
pub(super) struct Asked {
    pub place: Pointer,
    pub name: String,
    pub request: String,
    pub given: Given,
    pub expected: Expected,
}

impl Table {
    /// What the rows mean for a configuration. None where one means nothing.
    pub(super) fn mean(&self, policy: &Policy, problems: &mut Problems) -> Option<Vec<Asked>> {
        let root = Pointer::root().then("requests");
        if self.requests.is_empty() {
            let cure = "write - request: GET /containers/json, and expect: allow below it";
            problems.wrong(&root, "there are no requests, so nothing is tested", cure);
        }
        let mean = |(n, row): (usize, &Row)| {
            Reader { policy, problems: &mut *problems, at: root.then(n) }.row(row)
        };
        let rows: Vec<_> = self.requests.iter().enumerate().map(mean).collect();
        rows.into_iter().collect()
    }
}

/// A row on its way to what it means.
struct Reader<'a> {
    policy: &'a Policy,
    problems: &'a mut Problems,
    at: Pointer,
}

impl<'a> Reader<'a> {
    fn row(&mut self, row: &Row) -> Option<Asked> {
        let headers = self.take("headers", "", headers(&row.headers));
        let cure = "write GET /containers/json";
        let head = line(&row.request, headers.clone().unwrap_or_default())
            .map_err(|words| format!("{:?} {words}", row.request));
        let head = self.take("request", cure, head);
        let client = self.client(row);
        let found = self.found(&row.found);
        let expected = self.expected(row);
        headers?;
        Some(Asked {
            place: self.at.clone(),
            name: row.name.clone().unwrap_or_else(|| row.request.clone()),
            request: row.request.clone(),
            given: Given {
                head: head?,
                body: row.body.as_ref().map(Value::to_string).unwrap_or_default().into_bytes(),
                client: client?,
                found: found?,
            },
            expected,
        })
    }

    fn found(&mut self, known: &[Known]) -> Option<Vec<Found>> {
        let mut all = Vec::new();
        for (n, known) in known.iter().enumerate() {
            let at = self.at.then("found").then(n).then("kind");
            let cure = "write container, image, network, volume or the like";
            all.push(self.problems.take(&at, cure, known.found()));
        }
        all.into_iter().collect()
    }

    fn client(&mut self, row: &Row) -> Option<Client> {
        let entry = self.listener(row)?;
        let peer = self.peer(&row.client, &entry.address)?;
        let certificate = row.client.certificate.clone();
        let asked = entry.tls.as_ref().and_then(tls::Server::clients);
        match (asked, &certificate) {
            (None, Some(_)) => {
                let words = format!("the listener {:?} asks for no certificate", entry.name);
                let cure = "name another listener, or leave it out";
                self.wrong("client/certificate", words, cure);
            }
            (Some(ClientCertificates::Required), None) => {
                let words = format!(
                    "a client without a certificate gets no connection at the listener {:?}",
                    entry.name
                );
                let cure = "write client: {certificate: {subject: CN=…}}";
                self.wrong("", words, cure);
            }
            _ => {}
        }
        Some(Client {
            certificate: certificate.map(|it| Arc::new(it.into())),
            container: row.client.container.clone().map(|it| Arc::new(it.into())),
            ..Client::new(Arc::clone(&entry.name), entry.address.to_string().into(), peer)
        })
    }

    /// The listener of that name, or the first to which such a client can come.
    fn listener(&mut self, row: &Row) -> Option<&'a ListenerEntry> {
        let policy = self.policy;
        let Some(name) = &row.listener else {
            let Asker { address, certificate, .. } = &row.client;
            let is_process = row.client.is_process();
            let fits = |entry: &&ListenerEntry| {
                let asked = entry.tls.as_ref().and_then(tls::Server::clients);
                let is_way = if is_unix(entry) { address.is_none() } else { !is_process };
                is_way
                    && match asked {
                        None => certificate.is_none(),
                        Some(ClientCertificates::Required) => certificate.is_some(),
                        Some(ClientCertificates::Optional) => true,
                    }
            };
            let found = policy.listeners.iter().filter(fits).min_by_key(|entry| is_unix(entry));
            if found.is_none() {
                self.wrong("client", "such a client can come to no listener", "name a listener");
            }
            return found;
        };
        let found = policy.listeners.iter().find(|entry| *entry.name == **name);
        if found.is_none() {
            let names = policy.listeners.iter().map(|entry| &*entry.name);
            self.unknown("listener", name, &names.collect::<Vec<_>>());
        }
        found
    }

    fn peer(&mut self, asker: &Asker, address: &listener::Address) -> Option<Peer> {
        let Asker { address: from, user, group, process, .. } = asker;
        let is_process = asker.is_process();
        match address {
            listener::Address::Unix(_) if from.is_some() => {
                let cure = "say user and group, or name another listener";
                let words = format!("a client at {address} has no address");
                self.wrong("client/address", words, cure);
                None
            }
            listener::Address::Unix(_) => {
                let (uid, gid) = (user.unwrap_or(UNKNOWN), group.unwrap_or(UNKNOWN));
                let known = Process { uid, gid, pid: *process };
                Some(Peer::Unix(is_process.then_some(known)))
            }
            listener::Address::Tcp(_) if is_process => {
                let cure = "say address, or name another listener";
                let words = format!("at {address} nobody knows the process of a client");
                self.wrong("client", words, cure);
                None
            }
            listener::Address::Tcp(_) => {
                let from = from.as_ref().map(|text| {
                    let read = text.parse().map_err(|_| format!("{text:?} is no address"));
                    self.take("client/address", "write 172.18.0.3", read)
                });
                let from: IpAddr = from.unwrap_or(Some(Ipv4Addr::LOCALHOST.into()))?;
                Some(Peer::Tcp(SocketAddr::new(from, 0)))
            }
        }
    }

    fn expected(&mut self, row: &Row) -> Expected {
        let is_sent = row.expect == Expect::Allow;
        let given = [("status", row.status.is_some()), ("says", row.says.is_some())];
        for (key, _) in given.iter().filter(|(_, given)| is_sent && *given) {
            let words = format!("{key:?} is the daemon's business where a request is allowed");
            self.wrong(key, words, "leave it out, or write expect: deny");
        }
        if row.sent.is_some() && !is_sent {
            let words = "nothing is sent where a request is not allowed";
            self.wrong("sent", words, "leave it out, or write expect: allow");
        }
        let policy = self.policy;
        if let Some(chain) = &row.chain {
            let chains = policy.selection.chains().iter().map(|chain| &*chain.name);
            self.one_of("chain", chain, &chains.collect::<Vec<_>>());
        }
        if let Some(plugin) = &row.plugin {
            let plugins = policy.plugins.iter().map(Loaded::name);
            self.one_of("plugin", plugin, &plugins.collect::<Vec<_>>());
        }
        Expected {
            decision: match row.expect {
                Expect::Allow => Outcome::Allow,
                Expect::Deny => Outcome::Deny,
                Expect::Respond => Outcome::Respond,
                Expect::Invalid => Outcome::Invalid,
            },
            chain: row.chain.clone(),
            plugin: row.plugin.clone(),
            status: row.status,
            says: row.says.clone(),
            sent: row.sent.clone(),
        }
    }

    fn one_of(&mut self, what: &str, name: &str, all: &[&str]) {
        if !all.contains(&name) {
            self.unknown(what, name, all);
        }
    }

    fn unknown(&mut self, what: &str, name: &str, all: &[&str]) {
        let cure = cure_of_name(name, all);
        self.wrong(what, format!("there is no {what} {name:?} in the configuration"), &cure);
    }

    /// A problem at a place in the row: `client/address`.
    fn wrong(&mut self, key: &str, words: impl Into<String>, cure: &str) {
        let at = if key.is_empty() { self.at.clone() } else { self.at.join(&format!("/{key}")) };
        self.problems.wrong(&at, words, cure);
    }

    fn take<T>(&mut self, key: &str, cure: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|words| self.wrong(key, words, cure)).ok()
    }
}

fn is_unix(entry: &ListenerEntry) -> bool {
    matches!(entry.address, listener::Address::Unix(_))
}

/// The user or group of which nothing is said: nobody has it, as -1 stands for none.
const UNKNOWN: u32 = u32::MAX;
