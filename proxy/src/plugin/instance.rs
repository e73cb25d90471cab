//! The instances of plugins that answer, and what they are asked.

mod cost;

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use tokio::sync::Semaphore;
use wasmtime::{Store, Trap};

use super::{
    Loaded, Needs,
    bindings::{
        dockgate::filter::types,
        exports::dockgate::filter::{on_item, on_request, on_response},
    },
    imports::{
        Asked, Context, LookUpFailed, Misuse, Phase, ResponseEdit, ResponseView, Staged,
        TooManyCalls,
    },
    loaded::shown,
    memory::TooMuchMemory,
    remembered::Remembered,
};
use crate::{
    chain::{Answer, Denial, Failure, Vote},
    request::{CanonicalRequest, Content},
};

pub use cost::Cost;

/// What a guest may hand over at once, in bytes, besides as much as a body has: a denial, an edit, a
/// reply.
const HANDED_OVER: usize = 4 << 20;
/// Fuel that is added for each byte of a body: some three times what a JSON parser takes.
const FUEL_A_BYTE: u64 = 200;
/// After about how many answers an instance is renewed, so that what it leaks does not add up and
/// no plugin comes to rely on being kept.
const RENEWED_AFTER: u32 = 20_000;
/// How many instances of a plugin a thread has at once: as many requests as may wait for look-ups of
/// one plugin's.
const AT_ONCE: usize = 32;
/// How many it keeps for later.
const SPARE: usize = 4;

/// An instance of a plugin, with the memory that it lives in.
pub(super) struct Instance {
    store: Store<Context>,
    exports: wasmtime::component::Instance,
    on_request: on_request::Guest,
    on_response: Option<on_response::Guest>,
    on_item: Option<on_item::Guest>,
    answers: u32,
    /// What it was given for its last answer.
    fuel: u64,
}

/// The instances of one thread, made when they are first needed.
///
/// One is taken out while it is asked, and put back only if it answered: what is broken off in the
/// middle is not used again.
pub struct Instances {
    plugins: Arc<[Loaded]>,
    of: Vec<OfPlugin>,
}

/// The instances of one plugin.
struct OfPlugin {
    idle: RefCell<Vec<Instance>>,
    remembered: RefCell<Remembered>,
    places: Semaphore,
}

/// What a plugin rules about an answer of the daemon's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It goes on, with these changes.
    Pass(Vec<ResponseEdit>),
    /// It does not.
    Refuse(Denial),
}

/// What a plugin rules about a value of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sifted {
    /// It goes on.
    Keep,
    /// It does not.
    Drop,
    /// This JSON goes on in its place.
    Replace(String),
}

impl Instances {
    /// For the plugins of a chain, in order.
    pub fn new(plugins: Arc<[Loaded]>) -> Self {
        let of = plugins.iter().map(|_| OfPlugin {
            idle: RefCell::default(),
            remembered: RefCell::default(),
            places: Semaphore::new(AT_ONCE),
        });
        Self { of: of.collect(), plugins }
    }

    /// Asks a plugin, by its place in the chain, about a request.
    ///
    /// # Errors
    /// How it failed; the failure is counted, and the instance gone.
    pub async fn ask(&self, plugin: usize, asked: &Asked) -> Result<Answer, Failure> {
        let of = &self.of[plugin];
        if let Some(vote) = of.remembered.borrow().vote(&asked.request) {
            return Ok(vote.clone().into());
        }
        let mut call =
            self.begin(plugin, asked, Phase::Request, body_length(&asked.request)).await?;
        let head = head(&asked.request);
        let verdict = call.instance.on_request.call_decide(&mut call.instance.store, &head).await;
        let answer = call.end(verdict, answer)?;
        if answer.by_the_head_alone {
            of.remembered.borrow_mut().keep(&asked.request, answer.said.vote.clone());
        }
        Ok(answer.said)
    }

    /// Asks a plugin about an answer of the daemon's with this status.
    ///
    /// # Errors
    /// As [`Instances::ask`].
    pub async fn review(
        &self,
        plugin: usize,
        asked: &Asked,
        status: u16,
        response: ResponseView,
    ) -> Result<Ruling, Failure> {
        let bodies = response.body.as_ref().map_or(0, |body| body.len());
        let mut call = self.begin(plugin, asked, Phase::Response(response), bodies).await?;
        let head = head(&asked.request);
        let Instance { store, on_response: Some(guest), .. } = &mut call.instance else {
            return Err(call.failed(Failure::Nonsense("it reviews no answers".to_owned())));
        };
        let ruling = guest.call_review(store, &head, status).await;
        call.end(ruling, ruled).map(|ruling| ruling.said)
    }

    /// Asks a plugin about a value of a stream, which is JSON.
    ///
    /// # Errors
    /// As [`Instances::ask`].
    pub async fn sift(&self, plugin: usize, asked: &Asked, item: &str) -> Result<Sifted, Failure> {
        let mut call = self.begin(plugin, asked, Phase::Item, item.len()).await?;
        let head = head(&asked.request);
        let Instance { store, on_item: Some(guest), .. } = &mut call.instance else {
            return Err(call.failed(Failure::Nonsense("it sifts no values".to_owned())));
        };
        let ruling = guest.call_sift(store, &head, item).await;
        call.end(ruling, sifted).map(|sifted| sifted.said)
    }

    /// Takes an instance, or makes one, and makes it ready for a call.
    async fn begin(
        &self,
        plugin: usize,
        asked: &Asked,
        phase: Phase,
        bodies: usize,
    ) -> Result<Call<'_>, Failure> {
        let (of, loaded) = (&self.of[plugin], &self.plugins[plugin]);
        // The semaphore is never closed.
        let place = of.places.acquire().await.ok();
        let idle = of.idle.borrow_mut().pop();
        let instance = match idle {
            Some(instance) => instance,
            None => loaded
                .instance(false)
                .await
                .map(|(instance, _)| instance)
                .inspect_err(|_| loaded.failed())?,
        };
        let mut call = Call { instance, of, loaded, _place: place };
        let needs = loaded.needs(asked.request.operation());
        call.instance
            .make_ready(asked, needs, phase, bodies, loaded.limits.decide_fuel)
            .map_err(|error| call.failed(failure_of(&error)))?;
        Ok(call)
    }
}

/// A call that is under way.
struct Call<'i> {
    instance: Instance,
    of: &'i OfPlugin,
    loaded: &'i Loaded,
    _place: Option<tokio::sync::SemaphorePermit<'i>>,
}

/// What a plugin said.
struct Said<T> {
    said: T,
    /// No call of the proxy was made, and so no edit either.
    by_the_head_alone: bool,
}

impl Call<'_> {
    /// Ends a call: puts the instance back where it answered well.
    fn end<R, T>(
        mut self,
        returned: wasmtime::Result<R>,
        read: impl FnOnce(R, Staged) -> Result<T, Failure>,
    ) -> Result<Said<T>, Failure> {
        let context = self.instance.store.data_mut();
        let (staged, by_the_head_alone) = (context.finish(), !context.was_called());
        let said = returned
            .map_err(|error| failure_of(&error))
            .and_then(|returned| read(returned, staged))
            .map_err(|failure| self.failed(failure))?;
        let mut idle = self.of.idle.borrow_mut();
        let worn = self.loaded.limits.fresh || self.instance.answers > RENEWED_AFTER + staggered();
        if !worn && idle.len() < SPARE {
            idle.push(self.instance);
        }
        Ok(Said { said, by_the_head_alone })
    }

    fn failed(&self, failure: Failure) -> Failure {
        self.loaded.failed();
        failure
    }
}

impl Instance {
    pub(super) fn new(
        store: Store<Context>,
        exports: wasmtime::component::Instance,
        on_request: on_request::Guest,
        on_response: Option<on_response::Guest>,
        on_item: Option<on_item::Guest>,
    ) -> Self {
        Self { store, exports, on_request, on_response, on_item, answers: 0, fuel: 0 }
    }

    pub(super) fn parts(&mut self) -> (&mut Store<Context>, &wasmtime::component::Instance) {
        (&mut self.store, &self.exports)
    }

    fn make_ready(
        &mut self,
        asked: &Asked,
        needs: Needs,
        phase: Phase,
        bodies: usize,
        fuel: u64,
    ) -> wasmtime::Result<()> {
        self.answers += 1;
        self.store.set_hostcall_fuel(HANDED_OVER.saturating_add(bodies.saturating_mul(2)));
        self.store.data_mut().begin(asked.clone(), needs, phase, bodies);
        self.fuel = fuel.saturating_add((bodies as u64).saturating_mul(FUEL_A_BYTE));
        self.store.set_fuel(self.fuel)
    }
}

/// A number that differs from thread to thread and from time to time, well below
/// [`RENEWED_AFTER`].
fn staggered() -> u32 {
    use std::hash::{BuildHasher, RandomState};
    thread_local!(static STAGGER: Cell<u32> = Cell::new((RandomState::new().hash_one(()) % 4096) as u32));
    STAGGER.get()
}

/// About how long the body of a request is.
fn body_length(request: &CanonicalRequest) -> usize {
    match request.content() {
        Content::Json(json) => json.length(),
        Content::Unread | Content::Empty => 0,
    }
}

fn head(request: &CanonicalRequest) -> types::RequestHead {
    types::RequestHead {
        operation: request.operation().name().to_owned(),
        method: request.method().as_str().to_owned(),
        path: request.path().to_owned(),
        api_version: request.version().map(|version| version.to_string()),
        target: request.target().map(str::to_owned),
        body: request.body().name().to_owned(),
    }
}

/// What a plugin said of a request, checked.
fn answer(verdict: types::Verdict, staged: Staged) -> Result<Answer, Failure> {
    let vote = match verdict {
        types::Verdict::Abstain => Vote::Abstain,
        types::Verdict::Allow => Vote::Allow,
        types::Verdict::Deny(denial) => return Ok(Vote::Deny(denied(denial)).into()),
    };
    if let Some(reply) = &staged.reply {
        check_status(reply.status)?;
        check_json("a reply", &reply.json)?;
    }
    let Staged { edits, reply, target_id, .. } = staged;
    Ok(Answer { vote, edits, reply, target_id })
}

/// What a plugin said of an answer, checked.
fn ruled(ruling: on_response::Ruling, staged: Staged) -> Result<Ruling, Failure> {
    let edits = match ruling {
        on_response::Ruling::Refuse(denial) => return Ok(Ruling::Refuse(denied(denial))),
        on_response::Ruling::Pass => staged.response_edits,
    };
    for edit in &edits {
        match edit {
            ResponseEdit::SetStatus(status) => check_status(*status)?,
            ResponseEdit::SetBody(json) => check_json("a body", json)?,
            ResponseEdit::SetHeader(..) | ResponseEdit::RemoveHeader(_) => {}
        }
    }
    Ok(Ruling::Pass(edits))
}

/// What a plugin said of a value, checked.
fn sifted(ruling: on_item::Ruling, _: Staged) -> Result<Sifted, Failure> {
    Ok(match ruling {
        on_item::Ruling::Keep => Sifted::Keep,
        on_item::Ruling::Drop => Sifted::Drop,
        on_item::Ruling::Replace(json) => {
            check_json("a value", &json)?;
            Sifted::Replace(json)
        }
    })
}

fn denied(denial: types::Denial) -> Denial {
    let types::Denial { status, code, message, hint } = denial;
    let status = if (400..=599).contains(&status) { status } else { 403 };
    let hint = hint.as_deref().map(shown);
    Denial { status, code: shown(&code), message: shown(&message), hint }
}

fn check_status(status: u16) -> Result<(), Failure> {
    if (200..=599).contains(&status) {
        return Ok(());
    }
    Err(Failure::Nonsense(format!("a reply with status {status}")))
}

fn check_json(what: &str, json: &str) -> Result<(), Failure> {
    serde_json::from_str::<serde::de::IgnoredAny>(json)
        .map(|_| ())
        .map_err(|error| Failure::Nonsense(format!("{what} that is not JSON: {error}")))
}

pub(super) fn failure_of(error: &wasmtime::Error) -> Failure {
    if error.is::<TooManyCalls>() {
        return Failure::HostCalls;
    }
    if error.is::<TooMuchMemory>() {
        return Failure::Memory;
    }
    if let Some(Misuse(words)) = error.downcast_ref() {
        return Failure::Nonsense(words.clone());
    }
    if let Some(LookUpFailed(words)) = error.downcast_ref() {
        return Failure::LookUp(words.clone());
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Failure::Timeout,
        Some(trap) => Failure::Trap(trap.to_string()),
        None => Failure::Trap(error.root_cause().to_string()),
    }
}
