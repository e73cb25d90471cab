//! What is put into all that is made.
//!
//! Each edit is made only where something is not yet so, since the request comes back with it.

use dockgate_plugin::{Json, json};
use serde::Serialize;

use crate::{
    Capability,
    case::{Case, Field, NEVER},
    host_config,
    security::{NO_NEW_PRIVILEGES, is_no_new_privileges},
    settings::Force,
};

/// Into a container.
pub(crate) fn on_container(case: &mut Case, body: &Field) {
    let force = &case.settings.force;
    if !force.is_something() || body.json.is_null() {
        return;
    }
    nothing_beside_host_config(case, body);
    let host = body.get("HostConfig");
    let edits = Edits { case };
    edits.drop_capabilities(&host.get("CapDrop"), "/HostConfig/CapDrop", force);
    if force.no_new_privileges {
        let options = host.get("SecurityOpt");
        if !options.json.strings().into_iter().any(is_no_new_privileges) {
            let mut list: Vec<&str> = options.json.strings();
            list.push(NO_NEW_PRIVILEGES);
            edits.put("/HostConfig/SecurityOpt", &list);
        }
    }
    if force.read_only_root {
        edits.set(&host.get("ReadonlyRootfs"), "/HostConfig/ReadonlyRootfs", &true.into());
    }
    if force.init {
        edits.set(&host.get("Init"), "/HostConfig/Init", &true.into());
    }
    edits.user(&body.get("User"), "/User", force);
    edits.labels(&body.get("Labels"), "/Labels", force);
    edits.memory(&host, "/HostConfig", force);
    edits.cpus(&host, "/HostConfig", force);
    if let Some(most) = force.pids {
        edits.at_most(&host.get("PidsLimit"), "/HostConfig/PidsLimit", i64::from(most));
    }
    if let Some(most) = force.shm_size {
        // Without one it is 64 MiB.
        let field = host.get("ShmSize");
        if field.is_said() || most.0 < DEFAULT_SHM {
            edits.at_most(&field, "/HostConfig/ShmSize", most.0);
        }
    }
}

const DEFAULT_SHM: i64 = 64 << 20;

/// Into an update, where it goes beyond what is forced. What it leaves out stays as it is.
pub(crate) fn on_update(case: &mut Case, body: &Field) {
    let force = &case.settings.force;
    let pids = body.get("PidsLimit");
    if let Some(most) = force.pids
        && !pids.json.is_null()
    {
        Edits { case }.at_most(&pids, "/PidsLimit", i64::from(most));
    }
    if let Some(most) = force.memory {
        for (name, most) in [("Memory", most.0), ("MemorySwap", most.0.saturating_mul(2))] {
            let field = body.get(name);
            if field.is_said() {
                Edits { case }.at_most(&field, &format!("/{name}"), most);
            }
        }
    }
    if let Some(cpus) = force.cpus {
        let nano = body.get("NanoCpus");
        if nano.is_said() {
            Edits { case }.at_most(&nano, "/NanoCpus", nanos(cpus));
        }
        for name in ["CpuQuota", "CpuPeriod"] {
            let field = body.get(name);
            if field.is_said() {
                case.refuse(&field, "CPUs are limited by NanoCpus", NEVER);
            }
        }
    }
}

/// Into a service.
pub(crate) fn on_service(case: &mut Case, spec: &Field) {
    let force = &case.settings.force;
    if !force.is_something() {
        return;
    }
    let task = spec.get("TaskTemplate");
    let container = task.get("ContainerSpec");
    if container.json.is_null() {
        return;
    }
    let at = |name: &str| format!("/TaskTemplate/ContainerSpec/{name}");
    let edits = Edits { case };
    edits.drop_capabilities(&container.get("CapabilityDrop"), &at("CapabilityDrop"), force);
    if force.no_new_privileges {
        let field = container.get("Privileges").get("NoNewPrivileges");
        edits.set(&field, &at("Privileges/NoNewPrivileges"), &true.into());
    }
    if force.read_only_root {
        edits.set(&container.get("ReadOnly"), &at("ReadOnly"), &true.into());
    }
    if force.init {
        edits.set(&container.get("Init"), &at("Init"), &true.into());
    }
    edits.user(&container.get("User"), &at("User"), force);
    edits.labels(&container.get("Labels"), &at("Labels"), force);
    let limits = task.get("Resources").get("Limits");
    let bounds = [
        ("MemoryBytes", force.memory.map(|size| size.0)),
        ("NanoCPUs", force.cpus.map(nanos)),
        ("Pids", force.pids.map(i64::from)),
    ];
    for (name, most) in bounds {
        if let Some(most) = most {
            let place = format!("/TaskTemplate/Resources/Limits/{name}");
            edits.at_most(&limits.get(name), &place, most);
        }
    }
}

/// Old daemons take from the top of the body what HostConfig doesn't have, and a HostConfig that is
/// made here would hide it.
fn nothing_beside_host_config(case: &mut Case, body: &Field) {
    for name in host_config::FIELDS.split_whitespace() {
        let field = body.get(name);
        if field.is_said() {
            case.refuse_unshown(&field.place, "it belongs into HostConfig", NEVER);
        }
    }
}

impl Force {
    /// Whether anything is forced.
    fn is_something(&self) -> bool {
        !self.drop_capabilities.is_empty()
            || self.no_new_privileges
            || self.read_only_root
            || self.init
            || self.user.is_some()
            || !self.labels.is_empty()
            || self.memory.is_some()
            || self.cpus.is_some()
            || self.pids.is_some()
            || self.shm_size.is_some()
    }
}

/// Changes to the body of a case. A denial takes them all back.
struct Edits<'c, 'a> {
    case: &'c Case<'a>,
}

impl Edits<'_, '_> {
    fn put(&self, pointer: &str, value: &impl Serialize) {
        self.case.request.set_json(pointer, value);
    }

    /// A value, where it is another one.
    fn set(&self, field: &Field, pointer: &str, value: &Json) {
        if field.json != value {
            self.put(pointer, value);
        }
    }

    /// A limit, where there is none or a higher one. What is not above 0 is none.
    fn at_most(&self, field: &Field, pointer: &str, most: i64) {
        if !field.json.as_i64().is_some_and(|value| (1..=most).contains(&value)) {
            self.put(pointer, &most);
        }
    }

    fn drop_capabilities(&self, field: &Field, pointer: &str, force: &Force) {
        let there: Vec<&str> = field.json.strings();
        let has = |wanted: &Capability| {
            there.iter().any(|text| {
                let dropped = Capability::read(text);
                dropped.is_all() || dropped == *wanted
            })
        };
        let missing: Vec<_> = force.drop_capabilities.iter().filter(|it| !has(it)).collect();
        if missing.is_empty() {
            return;
        }
        let mut list: Vec<String> = there.iter().map(|&text| text.to_owned()).collect();
        list.extend(missing.into_iter().map(Capability::to_string));
        self.put(pointer, &list);
    }

    fn user(&self, field: &Field, pointer: &str, force: &Force) {
        if let Some(user) = &force.user {
            self.set(field, pointer, &user.as_str().into());
        }
    }

    fn labels(&self, field: &Field, pointer: &str, force: &Force) {
        let lacks = |(key, value): (&String, &String)| {
            field.json.exact(key).and_then(Json::as_str) != Some(value)
        };
        if !force.labels.iter().any(lacks) {
            return;
        }
        let is_forced = |key: &str| force.labels.contains_key(key);
        let kept = field.json.entries().filter(|(key, _)| !is_forced(key));
        let mut labels: Vec<(String, Json)> =
            kept.map(|(key, value)| (key.to_owned(), value.clone())).collect();
        let forced = force.labels.iter();
        labels.extend(forced.map(|(key, value)| (key.clone(), value.as_str().into())));
        self.put(pointer, &Json::Object(labels));
    }

    /// The daemon gives as much swap again, and takes no more reserved than there is.
    fn memory(&self, host: &Field, at: &str, force: &Force) {
        let Some(most) = force.memory else { return };
        self.at_most(&host.get("Memory"), &format!("{at}/Memory"), most.0);
        let others = [("MemorySwap", most.0.saturating_mul(2)), ("MemoryReservation", most.0)];
        for (name, most) in others {
            let field = host.get(name);
            if field.is_said() {
                self.at_most(&field, &format!("{at}/{name}"), most);
            }
        }
    }

    /// Either `NanoCpus` or a quota of a period, which the daemon takes no both of.
    fn cpus(&self, host: &Field, at: &str, force: &Force) {
        let Some(cpus) = force.cpus else { return };
        let most = nanos(cpus);
        let (quota, period) = (host.get("CpuQuota"), host.get("CpuPeriod"));
        let of_period = match period.json.as_i64() {
            None | Some(0) => DEFAULT_PERIOD,
            Some(period) => period,
        };
        let within = quota.json.as_i64().is_some_and(|quota| {
            let nanos = i128::from(quota) * 1_000_000_000;
            quota > 0 && of_period > 0 && nanos <= i128::from(most) * i128::from(of_period)
        });
        if within && !host.get("NanoCpus").is_said() {
            return;
        }
        for (name, field) in [("CpuQuota", quota), ("CpuPeriod", period)] {
            if field.is_said() {
                self.put(&format!("{at}/{name}"), &json!(0));
            }
        }
        self.at_most(&host.get("NanoCpus"), &format!("{at}/NanoCpus"), most);
    }
}

/// Microseconds, as the kernel has it.
const DEFAULT_PERIOD: i64 = 100_000;

#[allow(clippy::cast_possible_truncation, reason = "settings are refused above 10 000")]
fn nanos(cpus: f64) -> i64 {
    (cpus * 1e9).round() as i64
}
