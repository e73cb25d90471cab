//! `dockgate explain`: what would become of a request, and why.

use std::{fmt::Write as _, io::Write as _, path::PathBuf, sync::Arc};

use clap::Args;
use tokio::task::LocalSet;

use super::{
    Serve,
    config::errors_have_colours,
    event_loop,
    load::{Loader, Usable},
    plugin::{Asking, Given, StandIn},
};
use crate::{
    client::{Client, Peer},
    error::Error,
    explain::{Case, Explained, Explanation, Outcome, Step},
    listener::Address,
    plugin::{Instances, LookUps},
    policy::Policy,
    settings::ListenerEntry,
};

/// Show what would become of a request, and why: its one form, the chain that decides, what each
/// plugin says, and what is changed. Nothing is sent.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Explain {
    /// The method: GET
    method: String,
    /// The path, and the query: /v1.41/containers/json?all=1
    path: String,
    /// The configuration file; without it, the variables of the environment
    #[arg(long, value_name = "FILE", env = "DOCKGATE_CONFIG")]
    config: Option<PathBuf>,
    /// Ask the running proxy at this admin socket, which looks things up at its daemon
    #[arg(long, value_name = "SOCKET", conflicts_with_all = ["config", "found"])]
    running: Option<String>,
    #[command(flatten)]
    asking: Asking,
    /// Show it as JSON
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  CONTAINERS=1 dockgate explain GET /containers/json
  dockgate explain POST /containers/web/stop --config dockgate.yaml --as 172.18.0.3
  dockgate explain GET /containers/json --config dockgate.yaml --listener network --container name=traefik
  dockgate explain POST /containers/create --body create.json --running unix:///run/dockgate/admin.sock

Exit codes: 0 where it is allowed, 1 where it is refused, 2 where an option or the configuration is
wrong.";

impl Explain {
    /// Explains, and gives the exit code.
    ///
    /// # Errors
    /// What is wrong with an option or the configuration.
    pub fn run(&self) -> Result<u8, Error> {
        let given = self.asking.read(&format!("{} {}", self.method, self.path))?;
        let told = match &self.running {
            Some(socket) => super::admin::ask(socket, &given)?,
            None => self.offline(given)?,
        };
        let text = if self.json {
            format!("{}\n", serde_json::to_string_pretty(&told).unwrap_or_default())
        } else {
            text(&told, errors_have_colours(&std::io::stdout()))
        };
        // Whoever closed it has seen enough.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
        Ok(u8::from(!matches!(told.decision, Outcome::Allow | Outcome::Respond)))
    }

    fn offline(&self, given: Given) -> Result<Explanation, Error> {
        let serve = Serve { config: self.config.clone(), ..Serve::without_options() };
        let Usable { policy, .. } = Loader::new(&serve, None)?.load(|_| {})?;
        Ok(Trials::new(policy)?.explain(given).told)
    }
}

/// Where requests are explained without a daemon.
pub(super) struct Trials {
    policy: Policy,
    instances: Instances,
    stand_in: StandIn,
    runtime: tokio::runtime::Runtime,
}

impl Trials {
    pub(super) fn new(policy: Policy) -> Result<Self, Error> {
        let runtime = event_loop("a thread")?;
        let stand_in = StandIn::new(&runtime);
        let instances = Instances::new(Arc::clone(&policy.plugins));
        Ok(Self { policy, instances, stand_in, runtime })
    }

    pub(super) fn explain(&self, given: Given) -> Explained {
        self.stand_in.fill(&given.found);
        let Given { head, body, client, .. } = given;
        let client = came_in(client, &self.policy.listeners);
        let look_ups = LookUps::new(self.stand_in.daemon());
        let (policy, instances) = (&self.policy, &self.instances);
        let case = Case { policy, instances, look_ups, client, head, body: &body };
        LocalSet::new().block_on(&self.runtime, case.explain())
    }
}

/// The client, at the listener that it names: by its name or its address, or else at the first to
/// which one like it could come.
pub(super) fn came_in(client: Client, listeners: &[ListenerEntry]) -> Client {
    let named = |entry: &&ListenerEntry| {
        entry.name == client.listener || *entry.address.to_string() == *client.listener
    };
    let fits = |entry: &&ListenerEntry| {
        matches!(entry.address, Address::Unix(_)) == matches!(client.peer, Peer::Unix(_))
    };
    match listeners.iter().find(named).or_else(|| listeners.iter().find(fits)) {
        Some(entry) => Client {
            listener_name: Arc::clone(&entry.name),
            listener: entry.address.to_string().into(),
            ..client
        },
        None => client,
    }
}

/// For people: the decision in the first line, then how it came to be.
pub(super) fn text(told: &Explanation, colours: bool) -> String {
    let paint = |code: &str, text: &str| {
        if colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    };
    let (code, word) = match told.decision {
        Outcome::Allow => ("32", "allowed"),
        Outcome::Respond => ("32", "answered in the daemon's stead"),
        Outcome::Deny => ("31", "refused"),
        Outcome::Invalid => ("31", "refused, since it has not one meaning"),
        Outcome::Fault => ("31", "refused, since a plugin failed"),
    };
    let mut text = paint(code, word);
    let mut line = |name: &str, value: &str| {
        // Writing to a String can't fail.
        let _ = write!(text, "\n  {name:<9} {value}");
    };
    if let (Some(status), Some(message)) = (told.status, &told.message) {
        line("answer", &format!("{status} {message}"));
    }
    if let (Some(status), Some(reply)) = (told.status, &told.reply) {
        line("answer", &format!("{status} {reply}"));
    }
    line("client", &told.client);
    if let Some(form) = &told.request {
        let version = form.version.as_ref().map(|v| format!(" (v{v})")).unwrap_or_default();
        let query = if form.query.is_empty() { String::new() } else { format!("?{}", form.query) };
        line("request", &format!("{} {}{query}{version}", form.method, form.path));
        let target = form.target.as_ref().map(|t| format!(" of {t}")).unwrap_or_default();
        line("operation", &format!("{}{target}", form.operation));
    }
    for tried in &told.chains {
        match &tried.fails {
            Some(fails) => line("chain", &format!("{}: not for it, by its {fails}", tried.chain)),
            None => line("chain", &paint("1", &tried.chain)),
        }
    }
    for step in &told.steps {
        line(&format!("pass {}", step.pass), &words(step));
        for change in &step.changes {
            line("", &format!("  changes {change}"));
        }
    }
    for change in &told.changes {
        line("sent", &format!("with {change}"));
    }
    text.push('\n');
    text
}

fn words(step: &Step) -> String {
    let words = step.words.as_ref().map(|words| format!(": {words}")).unwrap_or_default();
    let verdict = match step.verdict.as_str() {
        "allow" => "allows",
        "abstain" => "abstains",
        "deny" => "denies",
        _ => "fails",
    };
    format!("{} {verdict} in {} µs{words}", step.plugin, step.micros)
}
