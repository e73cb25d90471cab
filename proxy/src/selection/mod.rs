//! Which chain decides about a request: the first whose conditions all hold.
//!
//! Pure: a client and a request in, a chain out. What can be settled beforehand is: which chains an
//! operation may come to when the configuration is read, which a client may come to once for each
//! connection. What is left for a request is one look-up, and a glance at each chain that admits the
//! client.

mod condition;
mod findings;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use globset::GlobSet;
use http::Method;

use crate::{
    client::Client,
    plugin::Needs,
    request::{CanonicalRequest, Operation},
};

pub use condition::{CertificateCondition, ClientCondition, ContainerCondition, Pattern};
pub use findings::{Entrance, Finding, Part};

/// Some plugins in order, and when they decide.
#[derive(Debug, Default)]
pub struct Chain {
    /// What it is called.
    pub name: Arc<str>,
    /// The plugins, by their places among all of the configuration.
    pub plugins: Box<[usize]>,
    /// When.
    pub conditions: Conditions,
}

/// What must hold for a chain to decide. What is not said holds of everything.
#[derive(Debug, Default)]
pub struct Conditions {
    /// The listeners, by name.
    pub listeners: Option<Vec<Arc<str>>>,
    /// Who asks.
    pub clients: Option<Vec<ClientCondition>>,
    /// The operations.
    pub operations: Option<HashSet<Operation>>,
    /// The methods.
    pub methods: Option<Vec<Method>>,
    /// The paths, without a version.
    pub paths: Option<Paths>,
}

/// Patterns of paths.
#[derive(Debug)]
pub struct Paths {
    /// As they are written.
    pub written: Vec<String>,
    /// Made ready.
    pub set: GlobSet,
}

/// All chains, in order.
#[derive(Debug)]
pub struct Selection {
    chains: Box<[Chain]>,
    /// For each chain what its plugins together want to see. None where it does not take the
    /// operation.
    by_operation: HashMap<Operation, Box<[Option<Needs>]>>,
}

/// Which chains a client may come to, by their places, in order.
#[derive(Clone, Debug)]
pub struct Admitted(Box<[usize]>);

/// The chain that decides about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its place among all.
    pub chain: usize,
    /// What its plugins together want to see.
    pub needs: Needs,
}

impl Selection {
    /// Of these chains; `needs` says what a plugin, by its place, wants to see of an operation.
    pub fn new(chains: Vec<Chain>, needs: impl Fn(usize, Operation) -> Needs) -> Self {
        let needs = |operation, chain: &Chain| {
            let all = chain.plugins.iter().map(|plugin| needs(*plugin, operation));
            all.fold(Needs::default(), Needs::and)
        };
        let of_chain = |operation, chain: &Chain| {
            chain.takes_operation(operation).then(|| needs(operation, chain))
        };
        let of_all = |one| (one, chains.iter().map(|chain| of_chain(one, chain)).collect());
        let by_operation = Operation::all().map(of_all).collect();
        Self { chains: chains.into(), by_operation }
    }

    /// The chains, in order.
    pub fn chains(&self) -> &[Chain] {
        &self.chains
    }

    /// Whether requests have more than one way to go.
    fn is_one_for_all(&self) -> bool {
        matches!(&*self.chains, [only] if only.conditions.are_none())
    }

    /// What a chain is called, where that tells it from others.
    pub fn name(&self, chain: usize) -> Option<&Arc<str>> {
        (!self.is_one_for_all()).then(|| &self.chains[chain].name)
    }

    /// Which chains a client may come to.
    pub fn admit(&self, client: &Client) -> Admitted {
        let admits = |(_, chain): &(usize, &Chain)| chain.conditions.admit(client);
        Admitted(self.chains.iter().enumerate().filter(admits).map(|(place, _)| place).collect())
    }

    /// The chain that decides about a client's request. None where no conditions hold.
    pub fn choose(&self, admitted: &Admitted, request: &CanonicalRequest) -> Option<Chosen> {
        let takes = self.by_operation.get(&request.operation())?;
        admitted.0.iter().find_map(|&chain| {
            let needs = takes[chain]?;
            let holds = self.chains[chain].conditions.hold_of(request);
            holds.then_some(Chosen { chain, needs })
        })
    }

    /// Whether a condition needs to know in which container a client runs.
    pub fn reads_containers(&self) -> bool {
        let mut conditions = self.chains.iter().filter_map(|c| c.conditions.clients.as_ref());
        conditions.any(|any| any.iter().any(|condition| condition.container.is_some()))
    }
}

impl Chain {
    fn takes_operation(&self, operation: Operation) -> bool {
        self.conditions.operations.as_ref().is_none_or(|named| named.contains(&operation))
    }
}

impl Conditions {
    /// Whether there are none.
    pub fn are_none(&self) -> bool {
        let Self { listeners, clients, operations, methods, paths } = self;
        listeners.is_none()
            && clients.is_none()
            && operations.is_none()
            && methods.is_none()
            && paths.is_none()
    }

    /// The first that does not hold of a request and who sends it. None where all do.
    pub fn first_that_fails(
        &self,
        client: &Client,
        request: &CanonicalRequest,
    ) -> Option<&'static str> {
        let operation = request.operation();
        let named = self.operations.as_ref().is_none_or(|named| named.contains(&operation));
        [
            ("listeners", self.admits_listener(client)),
            ("clients", self.admits_client(client)),
            ("operations", named),
            ("methods", self.hold_of_method(request)),
            ("paths", self.hold_of_path(request)),
        ]
        .into_iter()
        .find_map(|(condition, holds)| (!holds).then_some(condition))
    }

    /// What is settled by the connection.
    fn admit(&self, client: &Client) -> bool {
        self.admits_listener(client) && self.admits_client(client)
    }

    fn admits_listener(&self, client: &Client) -> bool {
        self.listeners.as_ref().is_none_or(|names| names.contains(&client.listener_name))
    }

    fn admits_client(&self, client: &Client) -> bool {
        self.clients.as_ref().is_none_or(|any| any.iter().any(|one| one.holds_of(client)))
    }

    /// What is settled by the request, besides its operation.
    fn hold_of(&self, request: &CanonicalRequest) -> bool {
        self.hold_of_method(request) && self.hold_of_path(request)
    }

    fn hold_of_method(&self, request: &CanonicalRequest) -> bool {
        self.methods.as_ref().is_none_or(|methods| methods.contains(request.method()))
    }

    fn hold_of_path(&self, request: &CanonicalRequest) -> bool {
        self.paths.as_ref().is_none_or(|paths| paths.set.is_match(request.path()))
    }
}

#[cfg(test)]
mod tests {
    use globset::{GlobBuilder, GlobSetBuilder};
    use http::Request;

    use super::*;
    use crate::{
        client::{Peer, Process},
        request::OLDEST_SAFE_API,
    };

    fn request(method: &str, target: &str) -> CanonicalRequest {
        let request = Request::builder().method(method).uri(target).body(()).unwrap();
        CanonicalRequest::new(request.into_parts().0, OLDEST_SAFE_API).unwrap()
    }

    fn user(uid: u32) -> Client {
        let process = Process { uid, gid: 0, pid: None };
        Client::new("agents".into(), "unix:///a.sock".into(), Peer::Unix(Some(process)))
    }

    fn chain(name: &str, conditions: Conditions) -> Chain {
        Chain { name: name.into(), plugins: Box::default(), conditions }
    }

    pub(super) fn operations(patterns: &[&str]) -> Option<HashSet<Operation>> {
        patterns.iter().map(|pattern| Operation::matching(pattern).ok()).try_fold(
            HashSet::new(),
            |mut all, found| {
                all.extend(found?);
                Some(all)
            },
        )
    }

    fn paths(pattern: &str) -> Paths {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build().unwrap();
        let set = GlobSetBuilder::new().add(glob).build().unwrap();
        Paths { written: vec![pattern.to_owned()], set }
    }

    #[test]
    fn the_first_chain_whose_conditions_all_hold_decides() {
        let of_user = |uid| Some(vec![ClientCondition { user: Some(uid), ..Default::default() }]);
        let chains = vec![
            chain(
                "elsewhere",
                Conditions { listeners: Some(vec!["web".into()]), ..Default::default() },
            ),
            chain(
                "reads of 7",
                Conditions {
                    clients: of_user(7),
                    operations: operations(&["container-list", "image-*"]),
                    methods: Some(vec![Method::GET]),
                    ..Default::default()
                },
            ),
            chain(
                "paths of 7",
                Conditions {
                    clients: of_user(7),
                    paths: Some(paths("/containers/ci-*/**")),
                    ..Default::default()
                },
            ),
            chain("7", Conditions { clients: of_user(7), ..Default::default() }),
            chain("8", Conditions { clients: of_user(8), ..Default::default() }),
        ];
        let selection = Selection::new(chains, |_, _| Needs::default());
        for (uid, method, target, chosen) in [
            (7, "GET", "/v1.41/containers/json?all=1", Some("reads of 7")),
            (7, "GET", "/images/json", Some("reads of 7")),
            (7, "DELETE", "/images/nginx", Some("7")),
            (7, "POST", "/v1.41/containers/ci-1/stop", Some("paths of 7")),
            (7, "POST", "/containers/web/stop", Some("7")),
            (7, "GET", "/no/such/route", Some("7")),
            (8, "GET", "/containers/json", Some("8")),
            (9, "GET", "/containers/json", None),
        ] {
            let admitted = selection.admit(&user(uid));
            let found = selection.choose(&admitted, &request(method, target));
            let found = found.map(|chosen| &*selection.chains()[chosen.chain].name);
            assert_eq!(found, chosen, "{uid} {method} {target}");
        }
    }

    #[test]
    fn a_chain_needs_what_its_plugins_need() {
        let mut all = chain("all", Conditions::default());
        all.plugins = [1, 0].into();
        let selection = Selection::new(vec![all], |plugin, operation| Needs {
            request_body: plugin == 0 && operation.name() == "container-create",
            ..Default::default()
        });
        let needs = |method, target| {
            selection.choose(&selection.admit(&user(0)), &request(method, target)).unwrap().needs
        };
        assert!(needs("POST", "/containers/create").request_body);
        assert!(!needs("GET", "/containers/json").request_body);
    }
}
