//! A plugin, and the instances of it that answer.

use std::{
    collections::BTreeMap,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use wasmtime::{Engine, Store, Trap, component::Linker};

use super::{
    bindings,
    imports::{self, Context, Staged, TooManyCalls},
    inert_wasi,
    memory::TooMuchMemory,
    precompiled,
    remembered::Remembered,
};
use crate::{
    chain::{Answer, Denial, Failure, Reply, Vote},
    client::Client,
    request::CanonicalRequest,
};

use bindings::{
    dockgate::filter::types,
    exports::dockgate::filter::{lifecycle, on_request, overview},
};

/// What a plugin may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Fuel for one answer; 100 million are some five milliseconds.
    pub decide_fuel: u64,
    /// Fuel for setting an instance up.
    pub configure_fuel: u64,
    /// Bytes of memory.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { decide_fuel: 100_000_000, configure_fuel: 1_000_000_000, memory: 32 << 20 }
    }
}

/// What a guest may hand over at once, in bytes: a denial, an edit, a reply.
const HANDED_OVER: usize = 4 << 20;
/// How many characters of a plugin's words are kept.
const WORDS: usize = 2000;
/// How many handles an instance may hold; the interface itself has none.
const HANDLES: usize = 64;
/// After about how many answers an instance is renewed, so that what it leaks does not add up and
/// no plugin comes to rely on being kept.
const RENEWED_AFTER: u32 = 20_000;

/// What an instance is set up from.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// JSON.
    pub settings: String,
    /// The variables that it was granted, by name.
    pub environment: BTreeMap<String, String>,
    /// The names of the others, where it was granted those.
    pub other_names: Vec<String>,
}

/// Something about its settings that a plugin reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A JSON pointer into the settings, or the name of a variable.
    pub subject: String,
    /// What is wrong.
    pub message: String,
    /// Whether the plugin can't work so.
    pub fatal: bool,
}

/// One switch of a plugin, as it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether anything is allowed by it.
    pub open: bool,
    /// What it exposes.
    pub exposes: String,
}

/// A plugin that is loaded and whose settings it accepted. Shared by all threads.
pub struct Loaded {
    name: Arc<str>,
    engine: Engine,
    pre: wasmtime::component::InstancePre<Context>,
    lifecycle: lifecycle::GuestIndices,
    on_request: on_request::GuestIndices,
    setup: Setup,
    limits: Limits,
    problems: Vec<Problem>,
    permissions: Vec<Permission>,
    failures: AtomicU64,
}

impl Loaded {
    /// Loads what was compiled ahead of time, sets a first instance up, and asks it for its
    /// problems and its permissions. See `precompiled.rs` for where `code` may come from.
    ///
    /// # Errors
    /// Words on what is wrong: an import that nobody grants, an export that is missing, settings
    /// that the plugin refuses.
    pub fn new(
        engine: &Engine,
        name: &str,
        code: &[u8],
        setup: Setup,
        limits: Limits,
    ) -> Result<Self, String> {
        let words = |error: wasmtime::Error| format!("{error:#}");
        let component = precompiled::load(engine, code).map_err(words)?;
        let mut linker = Linker::new(engine);
        imports::add_to(&mut linker).map_err(words)?;
        inert_wasi::add_to(&mut linker, engine, &component)
            .map_err(|import| format!("it imports {import}, which is not granted"))?;
        let pre = linker.instantiate_pre(&component).map_err(words)?;
        let missing = |what: &str| {
            let what = what.to_owned();
            move |_| {
                format!(
                    "it does not export dockgate:filter/{what}@0.1.0: build it for the world `filter`"
                )
            }
        };
        let mut loaded = Self {
            name: shown(name).into(),
            engine: engine.clone(),
            lifecycle: lifecycle::GuestIndices::new(&pre).map_err(missing("lifecycle"))?,
            on_request: on_request::GuestIndices::new(&pre).map_err(missing("on-request"))?,
            pre,
            setup,
            limits,
            problems: Vec::new(),
            permissions: Vec::new(),
            failures: AtomicU64::new(0),
        };
        let (mut first, problems) = loaded.instance(true).map_err(|failure| failure.to_string())?;
        if let Some(fatal) = problems.iter().find(|problem| problem.fatal) {
            let Problem { subject, message, .. } = fatal;
            let about = if subject.is_empty() { String::new() } else { format!("{subject}: ") };
            return Err(format!("it refuses its settings: {about}{message}"));
        }
        loaded.permissions = loaded
            .ask_permissions(&mut first)
            .map_err(|error| format!("it can't say what it permits: {}", failure_of(&error)))?;
        loaded.problems = problems;
        Ok(loaded)
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same, for what outlives a borrow.
    pub fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// What it reported about its settings.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// What it permits; nothing where it does not say.
    pub fn permissions(&self) -> &[Permission] {
        &self.permissions
    }

    /// How often it failed to answer since it was loaded.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Makes an instance and sets it up. All but the first are quiet about it.
    fn instance(&self, first: bool) -> Result<(Instance, Vec<Problem>), Failure> {
        let context = Context::new(Arc::clone(&self.name), self.limits.memory, !first);
        let mut store = Store::new(&self.engine, context);
        store.limiter(|context| &mut context.memory);
        store.set_hostcall_fuel(HANDED_OVER);
        store.set_max_component_handles(HANDLES);
        self.configure(store, first).map_err(|error| match failure_of(&error) {
            Failure::Trap(words) => Failure::Start(words),
            other => Failure::Start(other.to_string()),
        })
    }

    fn configure(
        &self,
        mut store: Store<Context>,
        first: bool,
    ) -> wasmtime::Result<(Instance, Vec<Problem>)> {
        store.set_fuel(self.limits.configure_fuel)?;
        let exports = self.pre.instantiate(&mut store)?;
        let guest =
            self.lifecycle.load(&mut store, &exports).map_err(another_shape("lifecycle"))?;
        let environment: Vec<_> =
            self.setup.environment.iter().map(|(n, v)| (n.clone(), v.clone())).collect();
        // Misspelt names are looked for once.
        let other_names = if first { self.setup.other_names.as_slice() } else { &[] };
        let problems =
            guest.call_configure(&mut store, &self.setup.settings, &environment, other_names)?;
        let problems = problems
            .into_iter()
            .map(|p| Problem {
                subject: shown(&p.subject),
                message: shown(&p.message),
                fatal: p.fatal,
            })
            .collect();
        let on_request =
            self.on_request.load(&mut store, &exports).map_err(another_shape("on-request"))?;
        Ok((Instance { store, exports, on_request, answers: 0 }, problems))
    }

    fn ask_permissions(&self, first: &mut Instance) -> wasmtime::Result<Vec<Permission>> {
        let Ok(indices) = overview::GuestIndices::new(&self.pre) else {
            return Ok(Vec::new());
        };
        let guest = indices.load(&mut first.store, &first.exports)?;
        first.store.set_fuel(self.limits.configure_fuel)?;
        let permissions = guest.call_permissions(&mut first.store)?;
        let ours = |p: overview::Permission| Permission {
            name: shown(&p.name),
            value: shown(&p.value),
            open: p.open,
            exposes: shown(&p.exposes),
        };
        Ok(permissions.into_iter().map(ours).collect())
    }
}

/// An export has the name of one of ours, and other types.
fn another_shape(export: &str) -> impl Fn(wasmtime::Error) -> wasmtime::Error {
    move |error| {
        let words = error.root_cause();
        wasmtime::format_err!("its dockgate:filter/{export}@0.1.0 has another shape: {words}")
    }
}

/// An instance of a plugin, with the memory that it lives in.
struct Instance {
    store: Store<Context>,
    exports: wasmtime::component::Instance,
    on_request: on_request::Guest,
    answers: u32,
}

/// The instances of one thread: one for each plugin of a chain, made when it is first needed.
///
/// A call does not wait for anything, so a thread never needs two of the same plugin. An instance
/// that failed is not used again.
pub struct Instances {
    plugins: Arc<[Loaded]>,
    idle: Vec<Option<Instance>>,
    remembered: Vec<Remembered>,
}

/// A question to a plugin.
pub struct Asked<'q> {
    /// The request as it stands.
    pub request: &'q Rc<CanonicalRequest>,
    /// Who sent it.
    pub client: &'q Rc<Client>,
}

impl Instances {
    /// For the plugins of a chain, in order.
    pub fn new(plugins: Arc<[Loaded]>) -> Self {
        let idle = plugins.iter().map(|_| None).collect();
        let remembered = plugins.iter().map(|_| Remembered::default()).collect();
        Self { plugins, idle, remembered }
    }

    /// Asks a plugin, by its place in the chain.
    ///
    /// # Errors
    /// How it failed; the failure is counted, and the instance gone.
    pub fn ask(&mut self, plugin: usize, asked: &Asked) -> Result<Answer, Failure> {
        let remembered = &mut self.remembered[plugin];
        if let Some(vote) = remembered.vote(asked.request) {
            return Ok(vote.clone().into());
        }
        let loaded = &self.plugins[plugin];
        let answered = take_or_make(&mut self.idle[plugin], loaded).and_then(|mut instance| {
            let answer = instance.ask(asked, loaded.limits.decide_fuel)?;
            if instance.answered_by_the_head_alone() {
                remembered.keep(asked.request, answer.vote.clone());
            }
            let due = instance.answers > RENEWED_AFTER + staggered();
            self.idle[plugin] = (!due).then_some(instance);
            Ok(answer)
        });
        if answered.is_err() {
            loaded.failures.fetch_add(1, Ordering::Relaxed);
        }
        answered
    }
}

/// Out of its slot, so that an instance that fails is not there any more.
fn take_or_make(slot: &mut Option<Instance>, loaded: &Loaded) -> Result<Instance, Failure> {
    match slot.take() {
        Some(instance) => Ok(instance),
        None => loaded.instance(false).map(|(instance, _)| instance),
    }
}

impl Instance {
    fn ask(&mut self, asked: &Asked, fuel: u64) -> Result<Answer, Failure> {
        self.answers += 1;
        let head = head(asked.request);
        let store = &mut self.store;
        store.data_mut().begin(Rc::clone(asked.request), Rc::clone(asked.client));
        let verdict = store
            .set_fuel(fuel)
            .and_then(|()| self.on_request.call_decide(&mut *store, &head))
            .map_err(|error| failure_of(&error));
        let staged = store.data_mut().finish();
        answer(verdict?, staged)
    }

    /// Whether the last answer rests on nothing but the head: no call, and so no edit either.
    fn answered_by_the_head_alone(&self) -> bool {
        !self.store.data().was_called()
    }
}

/// A number that differs from thread to thread and from time to time, well below
/// [`RENEWED_AFTER`].
fn staggered() -> u32 {
    use std::hash::{BuildHasher, RandomState};
    thread_local!(static STAGGER: u32 = (RandomState::new().hash_one(()) % 4096) as u32);
    STAGGER.with(|stagger| *stagger)
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

/// What a plugin said, checked.
fn answer(verdict: types::Verdict, staged: Staged) -> Result<Answer, Failure> {
    let vote = match verdict {
        types::Verdict::Abstain => Vote::Abstain,
        types::Verdict::Allow => Vote::Allow,
        types::Verdict::Deny(denial) => return Ok(Vote::Deny(denied(denial)).into()),
    };
    if let Some(reply) = &staged.reply {
        check(reply)?;
    }
    Ok(Answer { vote, edits: staged.edits, reply: staged.reply })
}

fn denied(denial: types::Denial) -> Denial {
    let types::Denial { status, code, message, hint } = denial;
    let status = if (400..=599).contains(&status) { status } else { 403 };
    let hint = hint.as_deref().map(shown);
    Denial { status, code: shown(&code), message: shown(&message), hint }
}

/// A plugin's words as they can be shown anywhere: no control characters, and not without end.
fn shown(words: &str) -> String {
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS).collect()
}

fn check(reply: &Reply) -> Result<(), Failure> {
    if !(200..=599).contains(&reply.status) {
        return Err(Failure::Nonsense(format!("a reply with status {}", reply.status)));
    }
    serde_json::from_str::<serde::de::IgnoredAny>(&reply.json)
        .map(|_| ())
        .map_err(|error| Failure::Nonsense(format!("a reply that is not JSON: {error}")))
}

fn failure_of(error: &wasmtime::Error) -> Failure {
    if error.is::<TooManyCalls>() {
        return Failure::HostCalls;
    }
    if error.is::<TooMuchMemory>() {
        return Failure::Memory;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Failure::Timeout,
        Some(trap) => Failure::Trap(trap.to_string()),
        None => Failure::Trap(error.root_cause().to_string()),
    }
}
