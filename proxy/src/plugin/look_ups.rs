//! Look-ups at the daemon on behalf of plugins: one set for each request, so that the same question
//! has the same answer as long as the request is decided.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

use crate::request::{Inspect, Resource};

/// How many look-ups a request may have, whichever plugins make them.
const LOOK_UPS: usize = 64;
/// How long one may take.
const TIME: Duration = Duration::from_secs(10);

/// The way to whoever asks the daemon: instances of plugins move between threads in the eyes of the
/// compiler, connections to the daemon do not.
#[derive(Clone, Debug)]
pub struct Daemon(mpsc::UnboundedSender<LookUp>);

/// A question for the daemon.
#[derive(Debug)]
pub struct LookUp {
    /// What is asked for.
    pub inspect: Inspect,
    answer: oneshot::Sender<Said>,
}

/// What the daemon said: a document, that there is no such thing, or why there is no answer.
pub type Said = Result<Option<String>, String>;

impl Daemon {
    /// A way to the daemon, and its other end.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<LookUp>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }
}

impl LookUp {
    /// Answers the question. Nobody may be left to hear it.
    pub fn answer(self, said: Said) {
        let _ = self.answer.send(said);
    }
}

/// What was looked up for one request.
#[derive(Debug)]
pub struct LookUps {
    daemon: Daemon,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    answers: HashMap<(Resource, String), Answer>,
    asked: usize,
}

/// An answer of the daemon's: the thing, or that there is none.
#[derive(Clone, Debug)]
struct Answer {
    found: Option<Arc<Found>>,
}

/// Something that the daemon knows.
#[derive(Debug)]
pub struct Found {
    /// What it said, as JSON.
    pub json: String,
    /// The id that the thing keeps for its life.
    pub id: Option<String>,
}

impl LookUps {
    /// None yet.
    pub fn new(daemon: &Daemon) -> Arc<Self> {
        Arc::new(Self { daemon: daemon.clone(), known: Mutex::default() })
    }

    /// Asks about a thing, or says again what was found before.
    ///
    /// # Errors
    /// Words on why nothing can be said.
    pub async fn inspect(
        &self,
        resource: Resource,
        name: &str,
    ) -> Result<Option<Arc<Found>>, String> {
        let question = (resource, name.to_owned());
        if let Some(known) = self.begin(&question)? {
            return Ok(known.found);
        }
        let Some(inspect) = Inspect::new(resource, name) else {
            return Ok(None);
        };
        let said = self.ask(inspect).await?;
        let found = said.map(|json| found(resource, json)).transpose()?.map(Arc::new);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = found.as_ref().and_then(|found| found.id.clone()) {
            known.answers.insert((resource, id), Answer { found: found.clone() });
        }
        known.answers.insert(question, Answer { found: found.clone() });
        Ok(found)
    }

    /// What is known already; counts the question where nothing is.
    fn begin(&self, question: &(Resource, String)) -> Result<Option<Answer>, String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known.answers.get(question) {
            return Ok(Some(answer.clone()));
        }
        known.asked += 1;
        if known.asked > LOOK_UPS {
            return Err(format!("a request may have {LOOK_UPS} look-ups and no more"));
        }
        Ok(None)
    }

    async fn ask(&self, inspect: Inspect) -> Said {
        let (answer, said) = oneshot::channel();
        let gone = || "nobody is there to ask the daemon".to_owned();
        self.daemon.0.send(LookUp { inspect, answer }).map_err(|_| gone())?;
        match tokio::time::timeout(TIME, said).await {
            Ok(said) => said.map_err(|_| gone())?,
            Err(_) => Err(format!("the Docker daemon did not answer within {TIME:?}")),
        }
    }
}

fn found(resource: Resource, json: String) -> Result<Found, String> {
    let value: serde_json::Value = serde_json::from_str(&json)
        .map_err(|error| format!("the Docker daemon's answer is not JSON: {error}"))?;
    let id = resource.id(&value).map(str::to_owned);
    Ok(Found { json, id })
}
