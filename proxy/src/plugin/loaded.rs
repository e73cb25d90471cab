//! A plugin that is loaded, and how instances of it are made.

use std::{
    collections::{BTreeMap, HashMap},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context as Polling, Poll, Waker},
};

use wasmtime::{
    Engine, Store,
    component::{Component, InstancePre, Linker},
};

use super::{
    Code, Grant, Manifest, Needs,
    bindings::exports::dockgate::filter::{lifecycle, on_item, on_request, on_response, overview},
    imports::{self, Context},
    inert_wasi,
    instance::{Instance, failure_of},
    precompiled,
    world::{self, Misfit},
};
use crate::{chain::Failure, request::Operation};

/// What a plugin may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Fuel for one answer, besides what is added for the size of a body; 100 million are some five
    /// milliseconds.
    pub decide_fuel: u64,
    /// Fuel for setting an instance up.
    pub configure_fuel: u64,
    /// Bytes of memory.
    pub memory: usize,
    /// Whether an instance is used for one question only.
    pub fresh: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            decide_fuel: 100_000_000,
            configure_fuel: 1_000_000_000,
            memory: 32 << 20,
            fresh: false,
        }
    }
}

/// What a guest may hand over while it is set up, in bytes.
const HANDED_OVER: usize = 4 << 20;
/// After how much fuel a plugin lets others of its thread go on: a tenth of a millisecond or so,
/// more than an ordinary decision takes.
const YIELD: u64 = 2_000_000;
/// How many characters of a plugin's words are kept.
const WORDS: usize = 2000;
/// How many handles an instance may hold; the interface itself has none.
const HANDLES: usize = 64;

/// What an instance is set up from.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// What it is called in logs and refusals. None where that is as it calls itself.
    pub name: Option<String>,
    /// JSON.
    pub settings: String,
    /// The variables that it was granted, by name.
    pub environment: BTreeMap<String, String>,
    /// The names of the others, where it was granted those.
    pub other_names: Vec<String>,
    /// The time that it is told, where it was granted that.
    pub clock: Clock,
}

/// Where a plugin's time comes from.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// From the machine.
    #[default]
    Runs,
    /// Always these seconds since 1970, for trying a plugin out.
    StandsAt(u64),
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
    pre: InstancePre<Context>,
    exports: Exports,
    needs: HashMap<Operation, Needs>,
    reads_container: bool,
    setup: Setup,
    pub(super) limits: Limits,
    problems: Vec<Problem>,
    permissions: Vec<Permission>,
    failures: AtomicU64,
}

/// A component that fits its manifest and what it is granted.
struct Fitting {
    pre: InstancePre<Context>,
    exports: Exports,
    needs: HashMap<Operation, Needs>,
    reads_container: bool,
}

/// Where the exports of a component are.
struct Exports {
    lifecycle: lifecycle::GuestIndices,
    on_request: on_request::GuestIndices,
    on_response: Option<on_response::GuestIndices>,
    on_item: Option<on_item::GuestIndices>,
}

impl Loaded {
    /// Loads what was compiled ahead of time, sets a first instance up, and asks it for its
    /// problems and its permissions. See `precompiled.rs` for where `code` may come from.
    ///
    /// # Errors
    /// What is wrong: an import that nobody grants, an export that is missing, settings that the
    /// plugin refuses.
    pub fn new(
        engine: &Engine,
        manifest: &Manifest,
        code: &Code,
        setup: Setup,
        grants: &[Grant],
        limits: Limits,
    ) -> Result<Self, Misfit> {
        let Fitting { pre, exports, needs, reads_container } =
            Fitting::new(engine, manifest, code, grants)?;
        let mut loaded = Self {
            name: shown(setup.name.as_ref().unwrap_or(&manifest.name)).into(),
            engine: engine.clone(),
            pre,
            exports,
            needs,
            reads_container,
            setup,
            limits,
            problems: Vec::new(),
            permissions: Vec::new(),
            failures: AtomicU64::new(0),
        };
        let (mut first, problems) =
            at_once(loaded.instance(true)).map_err(|failure| failure.to_string())?;
        if let Some(fatal) = problems.iter().find(|problem| problem.fatal) {
            let Problem { subject, message, .. } = fatal.clone();
            return Err(Misfit::Settings { subject, message });
        }
        loaded.permissions = at_once(loaded.ask_permissions(&mut first))
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

    /// What it wants to see of an operation.
    pub fn needs(&self, operation: Operation) -> Needs {
        // Most plugins want nothing of anything.
        if self.needs.is_empty() {
            return Needs::default();
        }
        self.needs.get(&operation).copied().unwrap_or_default()
    }

    /// Whether it may ask for the container that a client runs in, which must then be established
    /// before it is asked.
    pub fn reads_container(&self) -> bool {
        self.reads_container
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

    /// Counts a failure.
    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Makes an instance and sets it up. All but the first are quiet about it.
    pub(super) async fn instance(&self, first: bool) -> Result<(Instance, Vec<Problem>), Failure> {
        self.set_up(first).await.map_err(|error| match failure_of(&error) {
            Failure::Trap(words) => Failure::Start(words),
            other => Failure::Start(other.to_string()),
        })
    }

    async fn set_up(&self, first: bool) -> wasmtime::Result<(Instance, Vec<Problem>)> {
        let context =
            Context::new(Arc::clone(&self.name), self.setup.clock, self.limits.memory, !first);
        let mut store = Store::new(&self.engine, context);
        store.limiter(|context| &mut context.memory);
        store.set_hostcall_fuel(HANDED_OVER);
        store.set_max_component_handles(HANDLES);
        store.set_fuel(self.limits.configure_fuel)?;
        store.fuel_async_yield_interval(Some(YIELD))?;
        let exports = self.pre.instantiate_async(&mut store).await?;
        let found = &self.exports;
        let guest =
            found.lifecycle.load(&mut store, &exports).map_err(another_shape("lifecycle"))?;
        let on_request =
            found.on_request.load(&mut store, &exports).map_err(another_shape("on-request"))?;
        let on_response = match &found.on_response {
            Some(indices) => {
                Some(indices.load(&mut store, &exports).map_err(another_shape("on-response"))?)
            }
            None => None,
        };
        let on_item = match &found.on_item {
            Some(indices) => {
                Some(indices.load(&mut store, &exports).map_err(another_shape("on-item"))?)
            }
            None => None,
        };
        let problems = self.configure(&mut store, &guest, first).await?;
        Ok((Instance::new(store, exports, on_request, on_response, on_item), problems))
    }

    async fn configure(
        &self,
        store: &mut Store<Context>,
        guest: &lifecycle::Guest,
        first: bool,
    ) -> wasmtime::Result<Vec<Problem>> {
        let environment: Vec<_> =
            self.setup.environment.iter().map(|(n, v)| (n.clone(), v.clone())).collect();
        // Misspelt names are looked for once.
        let other_names = if first { self.setup.other_names.as_slice() } else { &[] };
        let problems =
            guest.call_configure(store, &self.setup.settings, &environment, other_names).await?;
        Ok(problems
            .into_iter()
            .map(|p| Problem {
                subject: shown(&p.subject),
                message: shown(&p.message),
                fatal: p.fatal,
            })
            .collect())
    }

    async fn ask_permissions(&self, first: &mut Instance) -> wasmtime::Result<Vec<Permission>> {
        let Ok(indices) = overview::GuestIndices::new(&self.pre) else {
            return Ok(Vec::new());
        };
        let (store, exports) = first.parts();
        let guest = indices.load(&mut *store, exports)?;
        store.set_fuel(self.limits.configure_fuel)?;
        let permissions = guest.call_permissions(store).await?;
        let ours = |p: overview::Permission| Permission {
            name: shown(&p.name),
            value: shown(&p.value),
            open: p.open,
            exposes: shown(&p.exposes),
        };
        Ok(permissions.into_iter().map(ours).collect())
    }
}

/// Checks that a component has what its manifest and its world say, and imports nothing beyond
/// `grants`. None of it is run. See `precompiled.rs` for where `code` may come from.
///
/// # Errors
/// What does not fit.
pub fn check(
    engine: &Engine,
    manifest: &Manifest,
    code: &Code,
    grants: &[Grant],
) -> Result<(), Misfit> {
    Fitting::new(engine, manifest, code, grants).map(|_| ())
}

impl Fitting {
    fn new(
        engine: &Engine,
        manifest: &Manifest,
        code: &Code,
        grants: &[Grant],
    ) -> Result<Self, Misfit> {
        let component = precompiled::load(engine, code).map_err(|error| format!("{error:#}"))?;
        world::check(engine, &component, grants)?;
        let pre = linked(engine, &component, grants)?;
        let needs = manifest.needs()?;
        let reads_container = world::reads_container(engine, &component);
        Ok(Self { exports: Exports::find(&pre, &needs)?, pre, needs, reads_container })
    }
}

impl Exports {
    /// Finds those that every plugin has, and those that its manifest asks to be called.
    fn find(pre: &InstancePre<Context>, needs: &HashMap<Operation, Needs>) -> Result<Self, String> {
        let reviews = needs.values().any(|needs| needs.response.is_some());
        let sifts = needs.values().any(|needs| needs.items);
        let on_response = on_response::GuestIndices::new(pre).map_err(missing("on-response"));
        let on_item = on_item::GuestIndices::new(pre).map_err(missing("on-item"));
        Ok(Self {
            lifecycle: lifecycle::GuestIndices::new(pre).map_err(missing("lifecycle"))?,
            on_request: on_request::GuestIndices::new(pre).map_err(missing("on-request"))?,
            on_response: reviews.then_some(on_response).transpose()?,
            on_item: sifts.then_some(on_item).transpose()?,
        })
    }
}

fn linked(
    engine: &Engine,
    component: &Component,
    grants: &[Grant],
) -> Result<InstancePre<Context>, String> {
    let words = |error: wasmtime::Error| format!("{error:#}");
    let mut linker = Linker::new(engine);
    imports::add_to(&mut linker, grants).map_err(words)?;
    inert_wasi::add_to(&mut linker, engine, component)
        .map_err(|import| format!("it imports {import}, which is not granted"))?;
    linker.instantiate_pre(component).map_err(words)
}

fn missing(export: &'static str) -> impl Fn(wasmtime::Error) -> String {
    move |_| match export {
        "lifecycle" | "on-request" => format!(
            "it does not export dockgate:filter/{export}@0.1.0: build it for the world `filter`"
        ),
        _ => format!(
            "its manifest asks for what dockgate:filter/{export}@0.1.0 is called with, which it does \
             not export"
        ),
    }
}

/// An export has the name of one of ours, and other types.
fn another_shape(export: &str) -> impl Fn(wasmtime::Error) -> wasmtime::Error {
    move |error| {
        let words = error.root_cause();
        wasmtime::format_err!("its dockgate:filter/{export}@0.1.0 has another shape: {words}")
    }
}

/// Runs what waits for nothing: a plugin that is being set up has nobody to ask, and only lets others
/// go on.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut polling = Polling::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut polling) {
            return done;
        }
    }
}

/// A plugin's words as they can be shown anywhere: no control characters, and not without end.
pub(super) fn shown(words: &str) -> String {
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS).collect()
}
