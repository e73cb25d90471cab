//! What is known of the other end of a connection, and which chains its requests may come to.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{Arc, Weak},
};

use crate::{
    client::{
        Client, Container,
        directory::{Directory, Origin},
    },
    policy::Policy,
    request::CanonicalRequest,
    selection::{Admitted, Chosen},
};

/// The other end of a connection.
pub struct Who {
    client: RefCell<Arc<Client>>,
    /// In the words of the log.
    words: Rc<str>,
    /// What tells in which container it runs.
    origin: Option<Origin>,
    /// What the directory had seen when it was asked last.
    seen: Cell<Option<u64>>,
    /// By the policy that was asked last, which a connection without requests does not keep.
    admitted: RefCell<Option<(Weak<Policy>, Admitted)>>,
}

impl Who {
    /// A client of which no more is known yet.
    pub fn new(client: Client, origin: Option<Origin>) -> Self {
        Self {
            words: client.to_string().into(),
            client: RefCell::new(Arc::new(client)),
            origin,
            seen: Cell::default(),
            admitted: RefCell::default(),
        }
    }

    pub(super) fn client(&self) -> Arc<Client> {
        Arc::clone(&self.client.borrow())
    }

    pub(super) fn container(&self) -> Option<Arc<Container>> {
        self.client.borrow().container.clone()
    }

    pub(super) fn words(&self) -> Rc<str> {
        Rc::clone(&self.words)
    }

    /// Where it has to be asked who this is, before the next request can be decided: something has
    /// become of containers since it was asked last, or it never was.
    pub(super) fn to_be_asked<'p>(&self, policy: &'p Policy) -> Option<(&'p Directory, &Origin)> {
        let (directory, origin) = policy.directory.as_ref().zip(self.origin.as_ref())?;
        let is_known = self.seen.get() == Some(directory.generation());
        (!is_known).then_some((directory, origin))
    }

    /// Finds out in which container the client runs. One that it was established in is the same as
    /// long as it runs, whatever it is called now.
    pub(super) async fn ask(&self, directory: &Directory, origin: &Origin) {
        // Before asking: what happens meanwhile is asked about again.
        let seen = directory.generation();
        let known = self.container().and_then(|known| directory.by_id(&known.id));
        let container = match known {
            Some(known) => Some(known),
            None => directory.container_of(origin).await,
        };
        self.runs_in(container);
        self.seen.set(Some(seen));
    }

    fn runs_in(&self, container: Option<Arc<Container>>) {
        let before = self.client();
        if before.container != container {
            self.client.replace(Arc::new(Client { container, ..Client::clone(&before) }));
            self.admitted.take();
        }
    }

    /// Its listener may have another name in this policy. One that is closed keeps its own.
    fn is_called_by(&self, policy: &Policy) {
        let before = self.client();
        match policy.listener_name(&before.listener) {
            Some(name) if *name != before.listener_name => {
                let listener_name = Arc::clone(name);
                self.client.replace(Arc::new(Client { listener_name, ..Client::clone(&before) }));
            }
            _ => {}
        }
    }

    /// The chain that decides about a request of its. None where there is none.
    pub(super) fn choose(
        &self,
        policy: &Arc<Policy>,
        request: &CanonicalRequest,
    ) -> Option<Chosen> {
        let mut known = self.admitted.borrow_mut();
        let (_, admitted) = match &mut *known {
            // As long as there is a weak one, nothing else is at its address.
            Some(known) if known.0.as_ptr() == Arc::as_ptr(policy) => known,
            stale => {
                self.is_called_by(policy);
                let admitted = policy.selection.admit(&self.client.borrow());
                stale.insert((Arc::downgrade(policy), admitted))
            }
        };
        policy.selection.choose(admitted, request)
    }
}
