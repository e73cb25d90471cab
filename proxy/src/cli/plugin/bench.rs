//! `dockgate plugin bench`: what a plugin costs.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use clap::Args;

use super::{
    given::{Asking, Time},
    say, size,
    source::{Configured, Granted},
    trial::Trial,
};
use crate::{
    chain::Failure,
    error::Error,
    plugin::{Asked, Source},
};

/// Measure what a plugin costs: the time of a call and of making an instance, fuel, and memory.
///
/// Each call really runs the plugin; the proxy remembers answers that rest on the head of a request
/// alone, and mostly does not.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Bench {
    #[command(flatten)]
    configured: Configured,
    /// The request: 'METHOD /path?query', or a file with a whole HTTP/1.1 request
    #[arg(long, value_name = "REQUEST|FILE", default_value = "GET /containers/json")]
    request: String,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    time: Time,
    /// What a plugin from a file may do: look-ups or clock; may be repeated
    #[arg(long = "grant", value_name = "GRANT", value_delimiter = ',')]
    grants: Vec<String>,
    /// How long to measure calls
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = crate::cli::seconds)]
    seconds: Duration,
}

const AFTER_HELP: &str = "\
Examples:
  dockgate plugin bench bundled:tecnativa
  dockgate plugin bench my-policy.wasm --request 'POST /containers/create' --body create.json --seconds 5";

/// How many calls there may be before measuring begins.
const WARM_UP: usize = 100;
/// How many calls are kept the time of.
const MOST_CALLS: usize = 5_000_000;
/// How many instances are made.
const INSTANCES: usize = 100;

impl Bench {
    pub(super) fn run(&self) -> Result<(), Error> {
        let given = self.asking.read(&self.request)?;
        let settings = self.configured.settings()?;
        let opened = self.configured.open()?;
        let clock = self.time.clock();
        let trial = Trial::new(opened.load(&settings, Granted::These(&self.grants), clock)?)?;
        let request = trial.prepare(&given).map_err(|violation| Error::Value {
            name: "--request",
            value: self.request.clone(),
            problem: format!("is refused before any plugin is asked: {violation}"),
        })?;
        let operation = request.operation();
        let asked = trial.asked(request.into(), &given.client);
        let wrong = |failure: Failure| Error::Plugin {
            plugin: self.configured.source.clone(),
            problem: format!("it failed: {failure}"),
        };
        let mut instances = trial.run(instances(&trial)).map_err(wrong)?;
        let mut calls = trial.run(calls(&trial, &asked, self.seconds)).map_err(wrong)?;
        let cost = trial.instances().cost(0);
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            // Writing to a String can't fail.
            let _ = writeln!(text, "{name:<12} {value}");
        };
        let version = &opened.manifest.version;
        line("plugin", format!("{} {version}", opened.manifest.name).trim_end().to_owned());
        line("request", format!("{operation}, {} calls", calls.len()));
        line("a call", Times::of(&mut calls).to_string());
        if let Some(cost) = cost {
            line("", format!("{} fuel", cost.fuel));
        }
        line("an instance", Times::of(&mut instances).to_string());
        if let Some(cost) = cost {
            line("", format!("{} of memory", size(cost.memory)));
        }
        let mut code = format!("{} compiled for this machine", size(opened.code.size()));
        if let Source::File(path) = &opened.source
            && let Ok(file) = path.metadata()
        {
            code = format!(
                "{} as a component, {code}",
                size(usize::try_from(file.len()).unwrap_or(0))
            );
        }
        line("code", code);
        say(&text);
        Ok(())
    }
}

/// Makes instances, and says how long each took to make and to set up.
async fn instances(trial: &Trial) -> Result<Vec<Duration>, Failure> {
    let mut times = Vec::with_capacity(INSTANCES);
    for _ in 0..INSTANCES {
        let begun = Instant::now();
        trial.instances().renew(0).await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

/// Asks for so long, and says how long each answer took. What the plugin looks up is known after the
/// first time.
async fn calls(trial: &Trial, asked: &Asked, during: Duration) -> Result<Vec<Duration>, Failure> {
    for _ in 0..WARM_UP {
        trial.instances().forget(0);
        trial.ask_once(asked).await?;
    }
    let mut times = Vec::new();
    let end = Instant::now() + during;
    while times.len() < MOST_CALLS {
        trial.instances().forget(0);
        let begun = Instant::now();
        trial.ask_once(asked).await?;
        let now = Instant::now();
        times.push(now - begun);
        if now >= end {
            break;
        }
    }
    Ok(times)
}

/// The middle of some times, and where the slowest hundredth begins.
struct Times {
    median: Duration,
    p99: Duration,
}

impl Times {
    fn of(times: &mut [Duration]) -> Self {
        times.sort_unstable();
        let at =
            |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
        Self { median: at(50), p99: at(99) }
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1?} (median), {:.1?} (99th percentile)", self.median, self.p99)
    }
}
