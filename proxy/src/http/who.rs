//! What is known of the other end of a connection, and which chains its requests may come to.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use crate::{
    client::Client,
    policy::Policy,
    request::CanonicalRequest,
    selection::{Admitted, Chosen},
    worker::Serving,
};

/// The other end of a connection.
pub(super) struct Who {
    client: Arc<Client>,
    /// In the words of the log.
    words: Rc<str>,
    /// By the policy that was asked last.
    admitted: RefCell<Option<(Arc<Policy>, Admitted)>>,
}

impl Who {
    pub(super) fn new(client: Client) -> Self {
        let words = client.to_string().into();
        Self { client: Arc::new(client), words, admitted: RefCell::default() }
    }

    pub(super) fn client(&self) -> Arc<Client> {
        Arc::clone(&self.client)
    }

    pub(super) fn words(&self) -> Rc<str> {
        Rc::clone(&self.words)
    }

    /// The chain that decides about a request of its. None where there is none.
    pub(super) fn choose(&self, serving: &Serving, request: &CanonicalRequest) -> Option<Chosen> {
        let (policy, mut known) = (&serving.policy, self.admitted.borrow_mut());
        let (_, admitted) = match &mut *known {
            Some(known) if Arc::ptr_eq(&known.0, policy) => known,
            stale => stale.insert((Arc::clone(policy), policy.selection.admit(&self.client))),
        };
        policy.selection.choose(admitted, request)
    }
}
