//! What must hold of a client. What can't be established of one holds of nothing.

use std::{fmt, net::IpAddr};

use globset::{GlobBuilder, GlobMatcher};
use ipnet::IpNet;

use crate::client::{Certificate, Client, Container};

/// What must hold of a client, all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientCondition {
    /// The network that its address is in.
    pub address: Option<IpNet>,
    /// The user at the other end of a unix socket.
    pub user: Option<u32>,
    /// The group there.
    pub group: Option<u32>,
    /// The process there.
    pub process: Option<u32>,
    /// Its certificate.
    pub certificate: Option<CertificateCondition>,
    /// Its container.
    pub container: Option<ContainerCondition>,
}

/// What must hold of a certificate, all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CertificateCondition {
    /// Its subject.
    pub subject: Option<Pattern>,
    /// One of its names.
    pub name: Option<Pattern>,
    /// The digest of its public key, in lower-case hexadecimal.
    pub pin: Option<String>,
}

/// What must hold of a container, all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerCondition {
    /// Its name.
    pub name: Option<Pattern>,
    /// Its image.
    pub image: Option<Pattern>,
    /// Labels that it has, with their values.
    pub labels: Vec<(String, Pattern)>,
    /// Its compose project.
    pub project: Option<Pattern>,
    /// Its compose service.
    pub service: Option<Pattern>,
}

/// A pattern of a text: `*` stands for anything, `?` for a character, `[ab]` for one of some, `{a,b}`
/// for either, and a backslash before one of these for itself.
#[derive(Clone, Debug)]
pub struct Pattern(GlobMatcher);

impl Pattern {
    /// Reads it.
    ///
    /// # Errors
    /// Words on what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(text).backslash_escape(true).empty_alternates(true).build();
        let glob = glob.map_err(|error| format!("{text:?} is no pattern: {}", error.kind()))?;
        Ok(Self(glob.compile_matcher()))
    }

    fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.glob() == other.0.glob()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.glob().glob())
    }
}

impl ClientCondition {
    /// Whether it holds.
    pub fn holds_of(&self, client: &Client) -> bool {
        let Self { address, user, group, process, certificate, container } = self;
        let peer = client.process();
        holds(address.as_ref(), client.address(), |net, address: IpAddr| net.contains(&address))
            && holds(user.as_ref(), peer.map(|peer| peer.uid), |wanted, uid| *wanted == uid)
            && holds(group.as_ref(), peer.map(|peer| peer.gid), |wanted, gid| *wanted == gid)
            && holds(process.as_ref(), peer.and_then(|peer| peer.pid), |wanted, pid| *wanted == pid)
            && holds(
                certificate.as_ref(),
                client.certificate.as_deref(),
                CertificateCondition::holds_of,
            )
            && holds(container.as_ref(), client.container.as_deref(), ContainerCondition::holds_of)
    }

    /// Whether it holds of nobody of whom another does not hold.
    pub(super) fn is_within(&self, wider: &Self) -> bool {
        let address = match (&wider.address, &self.address) {
            (None, _) => true,
            (Some(wide), Some(narrow)) => wide.contains(narrow),
            (Some(_), None) => false,
        };
        address
            && is_within(self.user.as_ref(), wider.user.as_ref())
            && is_within(self.group.as_ref(), wider.group.as_ref())
            && is_within(self.process.as_ref(), wider.process.as_ref())
            && is_within(self.certificate.as_ref(), wider.certificate.as_ref())
            && is_within(self.container.as_ref(), wider.container.as_ref())
    }
}

impl CertificateCondition {
    fn holds_of(&self, certificate: &Certificate) -> bool {
        let names = |pattern: &Pattern| certificate.names.iter().any(|name| pattern.matches(name));
        self.subject.as_ref().is_none_or(|pattern| pattern.matches(&certificate.subject))
            && self.name.as_ref().is_none_or(names)
            && self.pin.as_ref().is_none_or(|pin| *pin == certificate.pin)
    }
}

impl ContainerCondition {
    fn holds_of(&self, container: &Container) -> bool {
        let label = |(name, pattern): &(String, Pattern)| {
            container.labels.get(name).is_some_and(|value| pattern.matches(value))
        };
        self.labels.iter().all(label)
            && holds(self.name.as_ref(), Some(&*container.name), Pattern::matches)
            && holds(self.image.as_ref(), Some(&*container.image), Pattern::matches)
            && holds(self.project.as_ref(), container.project(), Pattern::matches)
            && holds(self.service.as_ref(), container.service(), Pattern::matches)
    }
}

/// Whether what is wanted, if anything, holds of what is known. Of what is not known nothing does.
fn holds<W, K>(wanted: Option<&W>, known: Option<K>, hold: impl Fn(&W, K) -> bool) -> bool {
    match (wanted, known) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wanted), Some(known)) => hold(wanted, known),
    }
}

fn is_within<T: PartialEq>(narrow: Option<&T>, wide: Option<&T>) -> bool {
    wide.is_none() || wide == narrow
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

    use super::*;
    use crate::client::{Peer, Process};

    fn pattern(text: &str) -> Option<Pattern> {
        Pattern::new(text).ok()
    }

    fn at(address: &str) -> Client {
        let address: SocketAddr = address.parse().unwrap();
        Client::new("web".into(), "tcp://[::]:2375".into(), Peer::Tcp(address))
    }

    fn container(name: &str) -> Client {
        let labels = BTreeMap::from([("team".to_owned(), "web".to_owned())]);
        let (id, image) = ("4f66".to_owned(), "registry/app:1".to_owned());
        let container = Container { id, name: name.to_owned(), image, labels };
        Client { container: Some(Arc::new(container)), ..at("172.18.0.3:1") }
    }

    #[test]
    fn an_address_is_in_a_network_in_either_spelling() {
        for (net, address, holds) in [
            ("172.18.0.0/16", "172.18.0.3:1", true),
            ("172.18.0.0/16", "[::ffff:172.18.0.3]:1", true),
            ("172.18.0.3/32", "172.18.0.4:1", false),
            ("fd00::/8", "[fd00::1]:1", true),
            ("fd00::/8", "10.0.0.1:1", false),
        ] {
            let condition = ClientCondition { address: net.parse().ok(), ..Default::default() };
            assert_eq!(condition.holds_of(&at(address)), holds, "{net} {address}");
        }
    }

    #[test]
    fn a_process_is_known_by_what_the_kernel_says() {
        let process = Process { uid: 1000, gid: 998, pid: Some(7) };
        let client = |peer| Client::new("a".into(), "unix:///a".into(), Peer::Unix(peer));
        let user = |uid| ClientCondition { user: Some(uid), ..Default::default() };
        assert!(user(1000).holds_of(&client(Some(process))));
        assert!(!user(0).holds_of(&client(Some(process))));
        assert!(!user(0).holds_of(&client(None)), "nobody is not root");
        let all = ClientCondition { group: Some(998), process: Some(7), ..user(1000) };
        assert!(all.holds_of(&client(Some(process))));
        assert!(!all.holds_of(&client(Some(Process { gid: 0, ..process }))));
        assert!(!all.holds_of(&client(Some(Process { pid: None, ..process }))));
        assert!(!user(0).holds_of(&at("127.0.0.1:1")));
    }

    #[test]
    fn a_certificate_must_be_there() {
        let shown = Certificate {
            subject: "CN=ci-1,O=Example".to_owned(),
            names: vec!["ci-1.example".to_owned(), "ci@example".to_owned()],
            pin: "ab".repeat(32),
        };
        let client = Client { certificate: Some(Arc::new(shown)), ..at("10.0.0.1:1") };
        let of = |condition| ClientCondition { certificate: Some(condition), ..Default::default() };
        let any = CertificateCondition::default;
        for (condition, holds) in [
            (any(), true),
            (CertificateCondition { subject: pattern("CN=ci-*,O=Example"), ..any() }, true),
            (CertificateCondition { subject: pattern("CN=ci"), ..any() }, false),
            (CertificateCondition { name: pattern("*@example"), ..any() }, true),
            (CertificateCondition { name: pattern("other"), ..any() }, false),
            (CertificateCondition { pin: Some("ab".repeat(32)), ..any() }, true),
            (CertificateCondition { pin: Some("cd".repeat(32)), ..any() }, false),
        ] {
            assert_eq!(of(condition.clone()).holds_of(&client), holds, "{condition:?}");
            assert!(!of(condition).holds_of(&at("10.0.0.1:1")), "none is shown");
        }
    }

    #[test]
    fn a_container_must_be_established() {
        let of = |condition| ClientCondition { container: Some(condition), ..Default::default() };
        let any = ContainerCondition::default;
        let label = |name: &str, text| vec![(name.to_owned(), Pattern::new(text).unwrap())];
        for (condition, holds) in [
            (any(), true),
            (ContainerCondition { name: pattern("web-*"), ..any() }, true),
            (ContainerCondition { name: pattern("db"), ..any() }, false),
            (ContainerCondition { image: pattern("registry/*"), ..any() }, true),
            (ContainerCondition { labels: label("team", "web"), ..any() }, true),
            (ContainerCondition { labels: label("team", "*"), ..any() }, true),
            (ContainerCondition { labels: label("team", ""), ..any() }, false),
            (ContainerCondition { labels: label("TEAM", "web"), ..any() }, false),
            (ContainerCondition { project: pattern("*"), ..any() }, false),
        ] {
            assert_eq!(of(condition.clone()).holds_of(&container("web-1")), holds, "{condition:?}");
            assert!(!of(condition).holds_of(&at("172.18.0.3:1")), "none is established");
        }
    }
}
