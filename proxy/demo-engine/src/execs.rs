//! Further processes in a running container.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use crate::api::Call;
use crate::containers::Container;
use crate::process::{Phase, Process, SIGKILL, Stdin};
use crate::reply::{self, Answer, Refusal, Result};
use crate::shapes::{field, is_true, random_id, words};
use crate::streams::{Session, Wanted, asks_for_upgrade};
use crate::{Engine, shapes};

pub(crate) struct Exec {
    pub(crate) id: String,
    pub(crate) container: Arc<Container>,
    pub(crate) process: Arc<Process>,
    pub(crate) stdin: bool,
    pub(crate) wanted: Wanted,
}

impl Engine {
    pub(crate) fn exec(&self, id: &str) -> Result<Arc<Exec>> {
        let state = self.state();
        let exec = state.execs.iter().find(|exec| exec.id == id);
        exec.cloned().ok_or_else(|| Refusal::not_found(format!("No such exec instance: {id}")))
    }
}

pub(crate) fn create(engine: &Engine, container: &Arc<Container>, body: &Value) -> Result<Answer> {
    check_running(container)?;
    let argv = words(field(body, "Cmd"));
    if argv.is_empty() {
        return Err(Refusal::bad_request("No exec command specified"));
    }
    let stdin = is_true(body, "AttachStdin");
    let use_of_stdin = if stdin { Stdin::Once } else { Stdin::Closed };
    let exec = Arc::new(Exec {
        id: random_id(),
        container: Arc::clone(container),
        process: Arc::new(Process::new(argv, is_true(body, "Tty"), use_of_stdin)),
        stdin,
        wanted: Wanted {
            stdout: is_true(body, "AttachStdout"),
            stderr: is_true(body, "AttachStderr"),
        },
    });
    remember(engine, &exec)?;
    exec_event(engine, &exec, &format!("exec_create: {}", exec.process.argv.join(" ")));
    Ok(reply::created(&json!({ "Id": exec.id })))
}

pub(crate) fn start(engine: &Engine, id: &str, call: &Call) -> Result<Answer> {
    let exec = engine.exec(id)?;
    let body = call.json()?;
    check_running(&exec.container)?;
    let detach = is_true(&body, "Detach");
    let output = (!detach).then(|| exec.process.output.attach());
    if exec.process.life().phase != Phase::Created || !exec.process.begin() {
        return Err(Refusal::conflict(format!("Error: Exec command {id} has already run")));
    }
    exec_event(engine, &exec, &format!("exec_start: {}", exec.process.argv.join(" ")));
    tokio::spawn(run(engine.clone(), Arc::clone(&exec), exec.container.process.ended()));
    if detach {
        return Ok(reply::status(StatusCode::OK));
    }
    Ok(Answer::Hijack(Session {
        process: Arc::clone(&exec.process),
        upgrade: asks_for_upgrade(&call.headers),
        stdin: exec.stdin,
        wanted: exec.wanted,
        replay: Vec::new(),
        output,
    }))
}

pub(crate) fn inspect(engine: &Engine, id: &str) -> Result<Answer> {
    engine.exec(id).map(|exec| reply::json(&shapes::exec_inspect(&exec)))
}

/// Runs to its end, which is at the latest that of the container.
async fn run(engine: Engine, exec: Arc<Exec>, container_ended: impl Future<Output = ()>) {
    let code = tokio::select! {
        code = exec.process.run() => code,
        () = container_ended => 128 + SIGKILL,
    };
    exec_event(&engine, &exec, &format!("exec_die: {code}"));
    exec.process.finish(code);
}

/// Forgets the oldest that has ended when there are too many.
fn remember(engine: &Engine, exec: &Arc<Exec>) -> Result<()> {
    let mut state = engine.state();
    if state.execs.len() == MAX_EXECS {
        let ended = state.execs.iter().position(|exec| !exec.process.is_running());
        let Some(ended) = ended else {
            return Err(Refusal::conflict(format!(
                "the demo engine holds at most {MAX_EXECS} running execs"
            )));
        };
        state.execs.remove(ended);
    }
    state.execs.push_back(Arc::clone(exec));
    Ok(())
}

fn check_running(container: &Container) -> Result<()> {
    if container.process.is_running() {
        return Ok(());
    }
    Err(Refusal::conflict(format!("Container {} is not running", container.id)))
}

fn exec_event(engine: &Engine, exec: &Exec, action: &str) {
    engine.container_event(&exec.container, action, &[("execID", &exec.id)]);
}

const MAX_EXECS: usize = 64;
