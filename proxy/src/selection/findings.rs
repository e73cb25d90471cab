//! What is odd about some chains together: one that never decides, one that is partly taken by
//! another, operations that nobody can allow.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{Chain, Conditions, Selection};
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
}

impl Selection {
    /// What is odd about the chains, in their order.
    pub fn findings(&self) -> Vec<Finding> {
        let chains = (0..self.chains.len()).flat_map(|chain| self.of_chain(chain));
        chains.chain(self.never_allowed()).collect()
    }

    fn of_chain(&self, place: usize) -> Vec<Finding> {
        let (before, chain) = (&self.chains[..place], &self.chains[place]);
        // By who takes them: the first that is there for all that this one is there for.
        let mut taken: BTreeMap<usize, Vec<&'static str>> = BTreeMap::new();
        let mut left = false;
        for operation in all_operations().filter(|operation| chain.takes_operation(*operation)) {
            let decides = |earlier: &Chain| {
                earlier.takes_operation(operation) && earlier.conditions.hold_wherever(chain)
            };
            match before.iter().position(decides) {
                Some(earlier) => taken.entry(earlier).or_default().push(operation.name()),
                None => left = true,
            }
        }
        if !left && !taken.is_empty() {
            return vec![Finding::Unreachable {
                chain: place,
                behind: taken.into_keys().collect(),
            }];
        }
        if chain.conditions.operations.is_none() {
            // For whatever is left: that others take some is why it is there.
            return Vec::new();
        }
        let shadowed =
            |(behind, operations)| Finding::Shadowed { chain: place, behind, operations };
        taken.into_iter().map(shadowed).collect()
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
    use super::*;
    use crate::{plugin::Needs, selection::ClientCondition};

    fn operations(patterns: &[&str]) -> Option<HashSet<Operation>> {
        patterns.iter().map(|pattern| Operation::matching(pattern).ok()).try_fold(
            HashSet::new(),
            |mut all, found| {
                all.extend(found?);
                Some(all)
            },
        )
    }

    fn users(uids: &[u32]) -> Vec<ClientCondition> {
        let user = |uid: &u32| ClientCondition { user: Some(*uid), ..Default::default() };
        uids.iter().map(user).collect()
    }

    fn findings(all: Vec<Conditions>) -> Vec<Finding> {
        let chain = |conditions| Chain { conditions, plugins: [0].into(), ..Default::default() };
        let chains = all.into_iter().map(chain).collect();
        Selection::new(chains, |_, _| Needs::default()).findings()
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
    fn what_nobody_can_allow_is_found() {
        let all_but = Conditions { operations: operations(&["[!u]*"]), ..Default::default() };
        assert_eq!(findings(vec![all_but]), [Finding::NeverAllowed(vec!["unknown"])]);
    }
}
