//! What is odd about some chains together: one that never decides, one that is partly taken by
//! another, operations that nobody can allow, conditions that hold of nobody who can come.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use super::{Chain, ClientCondition, Conditions, Selection};
use crate::request::Operation;

/// Something odd about the chains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A chain to which nothing comes: others before it take it all.
    Unreachable {
        /// Its place.
        chain: usize,
        /// The places of those that do.
        behind: Vec<usize>,
    },
    /// Some operations that a chain names go to another before it.
    Shadowed {
        /// Its place.
        chain: usize,
        /// The place of the other.
        behind: usize,
        /// The operations.
        operations: Vec<&'static str>,
    },
    /// Operations for which there is no chain that has a plugin: they are refused to everybody.
    NeverAllowed(Vec<&'static str>),
    /// A condition on clients that holds of none that can come to the chain.
    HoldsOfNobody {
        /// The chain's place.
        chain: usize,
        /// The condition's place among those on clients.
        client: usize,
        /// The part of it.
        part: Part,
    },
}

/// A part of a condition on clients that depends on where they come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// An address, which clients of a unix socket don't have.
    Address,
    /// A user, which is known at a unix socket alone.
    User,
    /// A group, likewise.
    Group,
    /// A process, likewise.
    Process,
    /// A certificate, which is shown where somebody asks for it.
    Certificate,
}

/// What is known of clients at a listener.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// The listener's name.
    pub name: Arc<str>,
    /// Whether it is a unix socket.
    pub is_unix: bool,
    /// Whether clients may show certificates.
    pub asks_for_certificates: bool,
}

impl Selection {
    /// What is odd about the chains, in their order, if these are all the listeners.
    pub fn findings(&self, entrances: &[Entrance]) -> Vec<Finding> {
        let of_chain = |chain| {
            let of_clients = self.of_clients(chain, entrances);
            self.of_chain(chain).into_iter().chain(of_clients)
        };
        (0..self.chains.len()).flat_map(of_chain).chain(self.never_allowed()).collect()
    }

    fn of_clients(&self, chain: usize, entrances: &[Entrance]) -> Vec<Finding> {
        let Conditions { listeners, clients, .. } = &self.chains[chain].conditions;
        let is_of_chain = |entrance: &&Entrance| {
            listeners.as_ref().is_none_or(|names| names.contains(&entrance.name))
        };
        let ways: Vec<_> = entrances.iter().filter(is_of_chain).collect();
        let found = |(client, condition): (usize, &ClientCondition)| {
            let never = condition.parts().filter(|part| !ways.iter().any(|way| way.shows(*part)));
            never.map(|part| Finding::HoldsOfNobody { chain, client, part }).collect::<Vec<_>>()
        };
        clients.iter().flatten().enumerate().flat_map(found).collect()
    }

    fn of_chain(&self, place: usize) -> Vec<Finding> {
        let (before, chain) = (&self.chains[..place], &self.chains[place]);
        // By who takes them: the first that is there for all that this one is there for.
        let mut gone: BTreeMap<usize, Vec<&'static str>> = BTreeMap::new();
        let mut left = false;
        for operation in all_operations().filter(|operation| chain.takes_operation(*operation)) {
            let decides = |earlier: &Chain| {
                earlier.takes_operation(operation) && earlier.conditions.hold_wherever(chain)
            };
            match before.iter().position(decides) {
                Some(earlier) => gone.entry(earlier).or_default().push(operation.name()),
                None => left = true,
            }
        }
        if !left && !gone.is_empty() {
            return vec![Finding::Unreachable { chain: place, behind: gone.into_keys().collect() }];
        }
        if chain.conditions.operations.is_none() {
            // For whatever is left: that others take some is why it is there.
            return Vec::new();
        }
        let shadowed =
            |(behind, operations)| Finding::Shadowed { chain: place, behind, operations };
        gone.into_iter().map(shadowed).collect()
    }

    fn never_allowed(&self) -> Option<Finding> {
        let may_be = |operation: &Operation| {
            let mut chains = self.chains.iter().filter(|chain| !chain.plugins.is_empty());
            chains.any(|chain| chain.takes_operation(*operation))
        };
        let never: Vec<_> = all_operations().filter(|o| !may_be(o)).map(Operation::name).collect();
        (!never.is_empty()).then_some(Finding::NeverAllowed(never))
    }
}

impl Entrance {
    fn shows(&self, part: Part) -> bool {
        match part {
            Part::Address => !self.is_unix,
            Part::User | Part::Group | Part::Process => self.is_unix,
            Part::Certificate => self.asks_for_certificates,
        }
    }
}

impl ClientCondition {
    fn parts(&self) -> impl Iterator<Item = Part> {
        [
            self.address.is_some().then_some(Part::Address),
            self.user.is_some().then_some(Part::User),
            self.group.is_some().then_some(Part::Group),
            self.process.is_some().then_some(Part::Process),
            self.certificate.is_some().then_some(Part::Certificate),
        ]
        .into_iter()
        .flatten()
    }
}

impl Part {
    /// Its key in the configuration.
    pub fn key(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::User => "user",
            Self::Group => "group",
            Self::Process => "process",
            Self::Certificate => "certificate",
        }
    }
}

impl Conditions {
    /// Whether, operations apart, they hold wherever those of a chain do. Where that is not certain
    /// they are taken not to.
    fn hold_wherever(&self, chain: &Chain) -> bool {
        let narrow = &chain.conditions;
        let clients = match (&self.clients, &narrow.clients) {
            (None, _) => true,
            (Some(wide), Some(narrow)) => {
                narrow.iter().all(|narrow| wide.iter().any(|wide| narrow.is_within(wide)))
            }
            (Some(_), None) => false,
        };
        let paths = |paths: &super::Paths| paths.written.iter().cloned().collect::<BTreeSet<_>>();
        clients
            && contain(self.listeners.as_deref(), narrow.listeners.as_deref())
            && contain(self.methods.as_deref(), narrow.methods.as_deref())
            && match (self.paths.as_ref().map(paths), narrow.paths.as_ref().map(paths)) {
                (None, _) => true,
                (Some(wide), Some(narrow)) => wide.is_superset(&narrow),
                (Some(_), None) => false,
            }
    }
}

fn contain<T: PartialEq>(wide: Option<&[T]>, narrow: Option<&[T]>) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(wide), Some(narrow)) => narrow.iter().all(|one| wide.contains(one)),
        (Some(_), None) => false,
    }
}

/// Each once, in the order of the table.
fn all_operations() -> impl Iterator<Item = Operation> {
    let mut seen = HashSet::new();
    Operation::all().filter(move |operation| seen.insert(*operation))
}

#[cfg(test)]
mod tests {
    use super::{super::tests::operations, *};
    use crate::{plugin::Needs, selection::CertificateCondition};

    fn users(uids: &[u32]) -> Vec<ClientCondition> {
        let user = |uid: &u32| ClientCondition { user: Some(*uid), ..Default::default() };
        uids.iter().map(user).collect()
    }

    fn entrances() -> [Entrance; 3] {
        let entrance = |name: &str, is_unix, asks_for_certificates| Entrance {
            name: name.into(),
            is_unix,
            asks_for_certificates,
        };
        [entrance("tcp", false, false), entrance("tls", false, true), entrance("unix", true, false)]
    }

    fn findings(all: Vec<Conditions>) -> Vec<Finding> {
        let chain = |conditions| Chain { conditions, plugins: [0].into(), ..Default::default() };
        let chains = all.into_iter().map(chain).collect();
        Selection::new(chains, |_, _| Needs::default()).findings(&entrances())
    }

    #[test]
    fn what_others_take_is_found() {
        let none = Conditions::default;
        let lists = || Conditions { operations: operations(&["*-list"]), ..none() };
        let seven = || Conditions { clients: Some(users(&[7])), ..none() };
        assert_eq!(findings(vec![seven(), none()]), [], "a fallback is what it should be");
        assert_eq!(findings(vec![lists(), none()]), []);
        assert_eq!(
            findings(vec![none(), seven()]),
            [Finding::Unreachable { chain: 1, behind: vec![0] }]
        );
        let eight = Conditions { clients: Some(users(&[7, 8])), ..lists() };
        assert_eq!(findings(vec![seven(), eight, none()]), [], "8 comes there");
        let both =
            Conditions { operations: operations(&["container-list", "image-get"]), ..none() };
        assert_eq!(
            findings(vec![lists(), both, none()]),
            [Finding::Shadowed { chain: 1, behind: 0, operations: vec!["container-list"] }]
        );
        let rest = Conditions { operations: operations(&["container-list"]), ..seven() };
        let by_two = vec![seven(), rest, lists(), none()];
        assert_eq!(findings(by_two), [Finding::Unreachable { chain: 1, behind: vec![0] }]);
    }

    #[test]
    fn what_can_hold_of_nobody_is_found() {
        let certificate = ClientCondition {
            address: Some("10.0.0.0/8".parse().unwrap()),
            certificate: Some(CertificateCondition::default()),
            ..Default::default()
        };
        let process = ClientCondition {
            user: Some(0),
            group: Some(0),
            process: Some(1),
            ..Default::default()
        };
        let of = |names: Option<&[&str]>, never: &[(usize, Part)]| {
            let listeners = names.map(|names| names.iter().map(|name| (*name).into()).collect());
            let clients = Some(vec![certificate.clone(), process.clone()]);
            let chain = Conditions { listeners, clients, ..Default::default() };
            let found = findings(vec![chain, Conditions::default()]);
            let never = never.iter();
            let never =
                never.map(|&(client, part)| Finding::HoldsOfNobody { chain: 0, client, part });
            assert_eq!(found, never.collect::<Vec<_>>(), "{names:?}");
        };
        let process = [(1, Part::User), (1, Part::Group), (1, Part::Process)];
        of(None, &[]);
        of(Some(&["tls", "unix"]), &[]);
        of(Some(&["tls"]), &process);
        of(Some(&["tcp"]), &[&[(0, Part::Certificate)][..], &process].concat());
        of(Some(&["unix"]), &[(0, Part::Address), (0, Part::Certificate)]);
    }

    #[test]
    fn what_nobody_can_allow_is_found() {
        let all_but = Conditions { operations: operations(&["[!u]*"]), ..Default::default() };
        assert_eq!(findings(vec![all_but]), [Finding::NeverAllowed(vec!["unknown"])]);
    }
}
