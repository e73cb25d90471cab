//! The command line, as it is written; `settings` has what it means.

#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    reason = "these comments are the text of --help"
)]

mod admin;
pub mod check;
pub mod config;
pub mod explain;
pub mod healthcheck;
pub mod import;
pub mod init;
mod load;
pub mod plugin;
mod replaced;
pub mod serve;
pub mod test;
mod watch;

use std::{path::PathBuf, time::Duration};

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::{
    error::Error,
    log::Severity,
    plugin::{Grant, cache},
    request::ApiVersion,
};

pub use replaced::Unread;

/// A programmable filter proxy for the Docker Engine API.
///
/// dockgate stands before the Docker socket and lets through what its plugins allow. Without any
/// option it does what tecnativa/docker-socket-proxy does, by the same variables of the
/// environment: everything is refused but ping, version and events, until CONTAINERS=1, POST=1 and
/// the like open a section.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, max_term_width = 100)]
#[command(after_long_help = AFTER_HELP)]
pub struct Cli {
    /// Another thing to do than to serve.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub serve: Serve,
}

impl Cli {
    /// Reads the command line and the environment. Where they can't be read, and for help, it ends
    /// the process.
    ///
    /// # Errors
    /// An option that is not for a proxy with a configuration file.
    pub fn read() -> Result<Self, Error> {
        let matches = Self::command().get_matches();
        let mut cli = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        if cli.command.is_none() && cli.serve.config.is_some() {
            replaced::refuse_options(&matches)?;
            cli.serve.unread = replaced::variables(&matches);
        }
        Ok(cli)
    }
}

const AFTER_HELP: &str = "\
Examples:
  CONTAINERS=1 dockgate
      let programs on this machine list and inspect containers, at tcp://127.0.0.1:2375
  CONTAINERS=1 dockgate --demo
      the same in front of a small engine inside, on a machine without Docker
  CONTAINERS=1 POST=1 ALLOW_RESTARTS=1 dockgate --listen unix:///run/dockgate.sock
      a unix socket for others to use
  dockgate --plugin bundled:tecnativa --plugin ./team-policy.wasm
      a policy of your own, which may refuse what the flags allow

Exit codes: 0 after SIGTERM or SIGINT, 1 where the machine refuses something (an address in use),
2 where an option, a variable or a plugin is wrong.";

/// What else it does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what would become of a request, and why
    Explain(Box<explain::Explain>),
    /// Ask the running proxy whether it serves and reaches the daemon; exit with 0 or 1
    Healthcheck(healthcheck::Healthcheck),
    /// Say what is wrong with a configuration file; exit with 0 if the proxy would start with it, or 2
    Check(check::Check),
    /// Compare what a configuration makes of requests with what is expected of it
    Test(test::Test),
    /// Show the configuration as a file, or the schema of such files
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Write the smallest configuration for a tool: Traefik, Portainer, …
    Init(init::Init),
    /// Print the configuration that another proxy's options come to
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Write a plugin: begin, build, inspect, run, test and measure it
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// List the operations of the Docker Engine API by the names that refusals, logs and plugins use
    Operations,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Compile a component from standard input to standard output (used by the proxy itself)
    #[command(hide = true)]
    Compile,
    /// Fetch a plugin from a registry into a cache (used by the proxy itself)
    #[command(hide = true)]
    Fetch {
        /// Which
        source: String,
        /// Where it is kept
        cache: PathBuf,
    },
}

/// Where it listens, and where the daemon is.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// Listen here: HOST:PORT, tcp://HOST:PORT or unix:///PATH; may be repeated, or be a list with commas
    ///
    /// Without it, BIND_CONFIG is read as in Tecnativa's image; without that, 127.0.0.1:2375, or in
    /// a container [::]:2375 (0.0.0.0:2375 with DISABLE_IPV6=1).
    #[arg(long, value_name = "ADDRESS", env = "DOCKGATE_LISTEN", value_delimiter = ',')]
    pub listen: Vec<String>,
    /// The Docker daemon: unix:///PATH, a path, or tcp://HOST:PORT
    ///
    /// Without it, SOCKET_PATH and DOCKER_HOST are read; without those, /var/run/docker.sock. With
    /// DOCKER_TLS_VERIFY=1 a TCP address is one with TLS, by ca.pem, cert.pem and key.pem in the
    /// folder DOCKER_CERT_PATH.
    #[arg(long, value_name = "ADDRESS", env = "DOCKGATE_UPSTREAM")]
    pub upstream: Option<String>,
}

/// How to serve.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// A configuration file, in place of all other options but --cache and --demo
    ///
    /// `dockgate config show` prints the file that the other options and the variables of the
    /// environment amount to. The file is read again when it changes, and at SIGHUP.
    #[arg(long, value_name = "FILE", env = "DOCKGATE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Permissions of unix sockets that it listens on, in octal
    #[arg(long, value_name = "MODE", default_value = "0660", env = "DOCKGATE_SOCKET_MODE")]
    pub socket_mode: String,
    /// Owner of unix sockets that it listens on, as numbers: UID:GID, UID or :GID
    #[arg(long, value_name = "OWNER", env = "DOCKGATE_SOCKET_OWNER")]
    pub socket_owner: Option<String>,
    /// Serve a small Docker Engine inside instead of a real one, to try things out
    #[arg(long, conflicts_with = "upstream")]
    pub demo: bool,
    /// A plugin of the chain: bundled:NAME or a component's file, and =FILE for its settings as
    /// JSON; may be repeated
    #[arg(
        long = "plugin",
        value_name = "SOURCE[=SETTINGS]",
        env = "DOCKGATE_PLUGINS",
        value_delimiter = ',',
        default_value = "bundled:tecnativa"
    )]
    pub plugins: Vec<String>,
    /// A variable of the environment that plugins from files may read, if they ask for it; may be
    /// repeated
    #[arg(
        long = "grant-env",
        value_name = "NAME",
        env = "DOCKGATE_GRANT_ENV",
        value_delimiter = ','
    )]
    pub granted_environment: Vec<String>,
    /// What a plugin from a file may do, by the name that it has in its manifest: look-ups (ask the
    /// daemon about things) or clock (know the time); may be repeated
    #[arg(
        long = "grant",
        value_name = "PLUGIN=GRANT",
        env = "DOCKGATE_GRANTS",
        value_delimiter = ',',
        value_parser = grant
    )]
    pub grants: Vec<(String, Grant)>,
    /// How much memory an instance of a plugin may have, in MiB [default: 32]; may be repeated
    #[arg(
        long = "plugin-memory",
        value_name = "PLUGIN=MIB",
        env = "DOCKGATE_PLUGIN_MEMORY",
        value_delimiter = ',',
        value_parser = memory
    )]
    pub memory: Vec<(String, u32)>,
    /// Where compiled plugins are kept
    ///
    /// Without it, dockgate in XDG_CACHE_HOME or in ~/.cache.
    #[arg(long, value_name = "FOLDER", env = "DOCKGATE_CACHE")]
    pub cache: Option<PathBuf>,
    /// How much is logged: debug, info (every request), notice (refusals), warning, err
    #[arg(long, value_name = "LEVEL", default_value = "info", env = "LOG_LEVEL")]
    pub log_level: Severity,
    /// How it is logged: text, json, or auto: text on a terminal and JSON elsewhere
    #[arg(long, value_name = "FORMAT", default_value = "auto", env = "DOCKGATE_LOG_FORMAT")]
    pub log_format: LogFormat,
    /// The oldest API version to let through
    ///
    /// Before 1.24 a start may carry a HostConfig that makes the container privileged.
    #[arg(long, value_name = "VERSION", default_value = "1.24", env = "DOCKGATE_MIN_API_VERSION", value_parser = api_version)]
    pub min_api_version: ApiVersion,
    /// How many client connections may be open at once; more wait
    #[arg(long, value_name = "N", default_value_t = 4000, env = "DOCKGATE_MAX_CONNECTIONS", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
    /// How large a request line with its headers may be, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 65_536, env = "DOCKGATE_MAX_HEAD", value_parser = clap::value_parser!(u32).range(1024..=65_536))]
    pub max_head: u32,
    /// How large the body of a request may be that a plugin reads, in MiB; all others have no limit
    #[arg(long, value_name = "MIB", default_value_t = 4, env = "DOCKGATE_MAX_BODY", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub max_body: u32,
    /// How large an answer of the daemon's may be that a plugin reads, in MiB; all others have no
    /// limit
    #[arg(long, value_name = "MIB", default_value_t = 32, env = "DOCKGATE_MAX_ANSWER", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub max_answer: u32,
    /// How long a request line with its headers may take to arrive
    #[arg(long, value_name = "SECONDS", default_value = "10", env = "DOCKGATE_HEAD_TIMEOUT", value_parser = seconds)]
    pub head_timeout: Duration,
    /// How long a connection is kept between requests
    #[arg(long, value_name = "SECONDS", default_value = "300", env = "DOCKGATE_IDLE_TIMEOUT", value_parser = seconds)]
    pub idle_timeout: Duration,
    /// How long the daemon may take to accept a connection
    #[arg(long, value_name = "SECONDS", default_value = "10", env = "DOCKGATE_CONNECT_TIMEOUT", value_parser = seconds)]
    pub connect_timeout: Duration,
    /// How long the daemon may take to begin an answer that it gives at once, such as a list; logs,
    /// events, builds, waits and all that writes have no limit
    #[arg(long, value_name = "SECONDS", default_value = "600", env = "DOCKGATE_ANSWER_TIMEOUT", value_parser = seconds)]
    pub answer_timeout: Duration,
    /// How long requests under way may go on after SIGTERM
    #[arg(long, value_name = "SECONDS", default_value = "8", env = "DOCKGATE_GRACE", value_parser = seconds)]
    pub grace: Duration,
    /// How many threads serve clients [default: one a core, 8 at the most]
    #[arg(long, value_name = "N", env = "DOCKGATE_WORKERS", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,
    /// The variables that are set and have no meaning beside a configuration file.
    #[arg(skip)]
    pub unread: Vec<Unread>,
}

impl Serve {
    /// Where compiled and fetched plugins are kept.
    pub fn cache_folder(&self) -> Option<PathBuf> {
        self.cache.clone().or_else(cache::default_folder)
    }

    /// What the environment alone says.
    pub fn without_options() -> Self {
        // Whatever is wrong in the environment, clap has said before and ended.
        Cli::parse_from(["dockgate"]).serve
    }
}

/// What waits for events on the thread that asks for it; `what` it is for, if the system has none.
fn event_loop(what: &'static str) -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::System { what, error })
}

/// Words in lines of a comment.
fn comment(words: &str) -> String {
    const LONGEST: usize = 92;
    let mut lines = vec![String::from("#")];
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < LONGEST => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("# {word}")),
        }
    }
    lines.join("\n")
}

/// How the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// An object a line.
    Json,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .filter(|seconds| (0.001..=1e9).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "give seconds, such as 10 or 0.5".to_owned())
}

/// Reads `PLUGIN=GRANT`.
fn grant(text: &str) -> Result<(String, Grant), String> {
    let (plugin, grant) = of_plugin(text)?;
    Ok((plugin, grant_named(grant)?))
}

fn grant_named(name: &str) -> Result<Grant, String> {
    Grant::from_str(name, false).map_err(|_| {
        let names: Vec<_> = Grant::value_variants().iter().map(|grant| grant.word()).collect();
        format!("there is no grant {name:?}; there is {}", names.join(", "))
    })
}

/// Reads `PLUGIN=MIB`.
fn memory(text: &str) -> Result<(String, u32), String> {
    let (plugin, mib) = of_plugin(text)?;
    let mib = mib.parse().ok().filter(|mib| (1..=2048).contains(mib));
    Ok((plugin, mib.ok_or("give 1 to 2048 MiB, such as my-policy=64")?))
}

fn of_plugin(text: &str) -> Result<(String, &str), String> {
    let (plugin, value) = text.rsplit_once('=').ok_or("name the plugin, and what it is given")?;
    Ok((plugin.to_owned(), value))
}

fn api_version(text: &str) -> Result<ApiVersion, String> {
    text.parse().map_err(|_| "give a version of the API, such as 1.24".to_owned())
}

/// Writes the table of operations.
///
/// # Errors
/// Where standard output is gone.
pub fn operations(out: &mut impl std::io::Write) -> std::io::Result<()> {
    writeln!(out, "{:<28} {:<8} {:<6} {:<6} PATH", "OPERATION", "METHOD", "SINCE", "BODY")?;
    for route in crate::request::routes::all() {
        let (operation, since) = (route.operation.name(), format!("1.{}", route.since));
        let (method, body, path) = (route.method, route.body.name(), route.pattern);
        writeln!(out, "{operation:<28} {method:<8} {since:<6} {body:<6} {path}")?;
    }
    Ok(())
}
