//! Containers: what they are and what can be done to them.

use std::sync::{Arc, Mutex};

use http::StatusCode;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::images::Image;
use crate::process::{Life, Phase, Process, SIGKILL, SIGTERM, Stdin, signal_number};
use crate::query::Query;
use crate::reply::{self, Answer, Refusal, Result};
use crate::shapes::{field, is_true, words};
use crate::{Engine, State, locked, shapes};

pub(crate) use crate::shapes::container_inspect as inspect;

pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) created: OffsetDateTime,
    pub(crate) image: &'static Image,
    pub(crate) config: Value,
    pub(crate) host_config: Value,
    pub(crate) process: Arc<Process>,
    name: Mutex<String>,
}

impl Container {
    pub(crate) fn name(&self) -> String {
        locked(&self.name).clone()
    }
}

impl Engine {
    /// By id, name or the beginning of an id, in this order.
    pub(crate) fn container(&self, name: &str) -> Result<Arc<Container>> {
        let state = self.state();
        let all = &state.containers;
        let plain = name.strip_prefix('/').unwrap_or(name);
        let exact = all
            .iter()
            .find(|container| container.id == name)
            .or_else(|| all.iter().find(|container| container.name() == plain));
        if let Some(container) = exact {
            return Ok(Arc::clone(container));
        }
        let mut by_prefix = all.iter().filter(|container| container.id.starts_with(name));
        match (by_prefix.next(), by_prefix.next()) {
            (Some(container), None) => Ok(Arc::clone(container)),
            (Some(_), Some(_)) => Err(Refusal::bad_request(format!(
                "Multiple IDs found with provided prefix: {name}"
            ))),
            _ => Err(Refusal::not_found(format!("No such container: {name}"))),
        }
    }

    pub(crate) fn create_container(&self, name: &str, body: &Value) -> Result<Arc<Container>> {
        let reference = field(body, "Image").as_str().unwrap_or_default();
        let image =
            Image::named(reference).ok_or_else(|| Refusal::not_found(no_image(reference)))?;
        let argv = [words(field(body, "Entrypoint")), words(field(body, "Cmd"))].concat();
        let argv = if argv.is_empty() { words(&json!(image.command)) } else { argv };
        if argv.is_empty() {
            return Err(Refusal::bad_request("No command specified"));
        }
        let stdin = match (is_true(body, "OpenStdin"), is_true(body, "StdinOnce")) {
            (false, _) => Stdin::Closed,
            (true, true) => Stdin::Once,
            (true, false) => Stdin::Open,
        };
        let id = shapes::random_id();
        let mut state = self.state();
        let name = match name.strip_prefix('/').unwrap_or(name) {
            "" => format!("demo_{}", &id[..8]),
            name => name.to_owned(),
        };
        check_name(&state, &name)?;
        if state.containers.len() == MAX_CONTAINERS {
            return Err(Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("the demo engine holds at most {MAX_CONTAINERS} containers"),
            ));
        }
        let container = Arc::new(Container {
            config: shapes::container_config(body, &id),
            host_config: shapes::host_config(field(body, "HostConfig")),
            process: Arc::new(Process::new(argv, is_true(body, "Tty"), stdin)),
            created: OffsetDateTime::now_utc(),
            name: Mutex::new(name),
            image,
            id,
        });
        state.containers.push(Arc::clone(&container));
        drop(state);
        self.container_event(&container, "create", &[]);
        Ok(container)
    }

    /// False when it was running already.
    pub(crate) fn start(&self, container: &Arc<Container>) -> bool {
        if !container.process.begin() {
            return false;
        }
        self.container_event(container, "start", &[]);
        let (engine, container) = (self.clone(), Arc::clone(container));
        tokio::spawn(async move {
            let code = container.process.run().await;
            engine.container_event(&container, "die", &[("exitCode", &code.to_string())]);
            container.process.finish(code);
            if is_true(&container.host_config, "AutoRemove") {
                engine.remove(&container);
            }
        });
        true
    }

    async fn signal(&self, container: &Container, signal: u8) {
        let ended = container.process.ended();
        self.container_event(container, "kill", &[("signal", &signal.to_string())]);
        if container.process.signal(signal) {
            ended.await;
        }
    }

    fn remove(&self, container: &Container) {
        let mut state = self.state();
        let before = state.containers.len();
        state.containers.retain(|other| other.id != container.id);
        state.execs.retain(|exec| exec.container.id != container.id);
        let removed = state.containers.len() < before;
        drop(state);
        if removed {
            self.container_event(container, "destroy", &[]);
            container.process.life.send_modify(|life| life.phase = Phase::Removed);
            container.process.output.detach_all();
        }
    }
}

pub(crate) fn list(engine: &Engine, query: &Query) -> Result<Answer> {
    let filters = query.filters(&["ancestor", "id", "label", "name", "status"])?;
    let all = query.is_true("all") || !filters.is_empty("status");
    let limit = query.get("limit").parse().ok().filter(|limit| *limit > 0);
    let containers = engine.state().containers.clone();
    let listed = containers
        .iter()
        .rev()
        .filter(|container| all || limit.is_some() || container.process.is_running())
        .filter(|container| filters.any("id", |id| container.id.starts_with(id)))
        .filter(|container| {
            filters.any("name", |name| format!("/{}", container.name()).contains(name))
        })
        .filter(|container| filters.any("status", |status| shapes::state(container) == status))
        .filter(|container| filters.any("ancestor", |image| container.image.is_named(image)))
        .filter(|container| filters.labels_match(&container.config["Labels"]))
        .take(limit.unwrap_or(usize::MAX))
        .map(|container| shapes::container_summary(container))
        .collect();
    Ok(reply::json(&Value::Array(listed)))
}

pub(crate) fn create(engine: &Engine, query: &Query, body: &Value) -> Result<Answer> {
    if !body.is_object() {
        return Err(Refusal::bad_request("Config cannot be empty in order to create a container"));
    }
    let container = engine.create_container(query.get("name"), body)?;
    Ok(reply::created(&json!({ "Id": container.id, "Warnings": [] })))
}

pub(crate) fn start(engine: &Engine, container: &Arc<Container>) -> Answer {
    let started = engine.start(container);
    reply::status(if started { StatusCode::NO_CONTENT } else { StatusCode::NOT_MODIFIED })
}

pub(crate) async fn stop(engine: &Engine, container: &Container) -> Answer {
    if !container.process.is_running() {
        return reply::status(StatusCode::NOT_MODIFIED);
    }
    engine.signal(container, SIGTERM).await;
    engine.container_event(container, "stop", &[]);
    reply::status(StatusCode::NO_CONTENT)
}

pub(crate) async fn restart(engine: &Engine, container: &Arc<Container>) -> Answer {
    if container.process.is_running() {
        engine.signal(container, SIGTERM).await;
        engine.container_event(container, "stop", &[]);
    }
    engine.start(container);
    engine.container_event(container, "restart", &[]);
    reply::status(StatusCode::NO_CONTENT)
}

pub(crate) async fn kill(engine: &Engine, container: &Container, query: &Query) -> Result<Answer> {
    let name = query.get("signal");
    let signal = if name.is_empty() { Some(SIGKILL) } else { signal_number(name) };
    let signal = signal.ok_or_else(|| Refusal::bad_request(format!("Invalid signal: {name}")))?;
    if !container.process.is_running() {
        let id = &container.id;
        return Err(Refusal::conflict(format!(
            "Cannot kill container: {id}: Container {id} is not running"
        )));
    }
    engine.signal(container, signal).await;
    Ok(reply::status(StatusCode::NO_CONTENT))
}

pub(crate) async fn delete(engine: &Engine, name: &str, query: &Query) -> Result<Answer> {
    let container = engine.container(name)?;
    if container.process.is_running() {
        if !query.is_true("force") {
            return Err(Refusal::conflict(format!(
                "You cannot remove a running container {}. Stop the container before attempting \
                 removal or force remove",
                container.id
            )));
        }
        engine.signal(&container, SIGKILL).await;
    }
    engine.remove(&container);
    Ok(reply::status(StatusCode::NO_CONTENT))
}

pub(crate) fn rename(engine: &Engine, container: &Container, query: &Query) -> Result<Answer> {
    let name = query.get("name");
    let name = name.strip_prefix('/').unwrap_or(name);
    if name.is_empty() {
        return Err(Refusal::bad_request("Neither old nor new names may be empty"));
    }
    let state = engine.state();
    check_name(&state, name)?;
    let old = std::mem::replace(&mut *locked(&container.name), name.to_owned());
    drop(state);
    engine.container_event(container, "rename", &[("oldName", &format!("/{old}"))]);
    Ok(reply::status(StatusCode::NO_CONTENT))
}

pub(crate) fn wait(container: &Container, query: &Query) -> Result<Answer> {
    let mut life = container.process.life.subscribe();
    let now = *life.borrow();
    let reached: fn(&Life, &Life) -> bool = match query.get("condition") {
        "" | "not-running" if now.phase == Phase::Running => Life::ended_since,
        "" | "not-running" => |_, _| true,
        "next-exit" => Life::ended_since,
        "removed" => |life, _| life.phase == Phase::Removed,
        other => return Err(Refusal::bad_request(format!("invalid condition: {other:?}"))),
    };
    Ok(reply::stream("application/json", async move |client| {
        let code = life.wait_for(|life| reached(life, &now)).await.map(|life| life.exit_code);
        if let Ok(code) = code {
            // A client that has left needs no answer.
            let _ = client.send(reply::json_line(&json!({ "StatusCode": code }))).await;
        }
    }))
}

pub(crate) fn no_image(reference: &str) -> String {
    format!("No such image: {}", Image::tagged(reference))
}

fn check_name(state: &State, name: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let starts_well = name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    if !starts_well || name.len() < 2 || !name.bytes().all(allowed) {
        return Err(Refusal::bad_request(format!(
            "Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
        )));
    }
    match state.containers.iter().find(|container| container.name() == name) {
        None => Ok(()),
        Some(other) => Err(Refusal::conflict(format!(
            "Conflict. The container name \"/{name}\" is already in use by container \"{}\". You \
             have to remove (or rename) that container to be able to reuse that name.",
            other.id
        ))),
    }
}

const MAX_CONTAINERS: usize = 64;
