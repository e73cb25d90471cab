//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::daemon::Framing;
use crate::proxies::Subject;
use crate::rounds::Load;

/// Drives dockgate, HAProxy with the same rules, and the bare daemon, and prints what each cost.
#[derive(Debug, Parser)]
#[command(name = "dockgate-bench")]
pub struct Arguments {
    /// What a run measures.
    #[command(flatten)]
    pub options: Options,
    /// What the process is, if not a run.
    #[command(subcommand)]
    pub role: Option<Role>,
}

/// Parts that a run starts from its own binary.
#[derive(Debug, Subcommand)]
pub enum Role {
    /// The mock daemon.
    #[command(hide = true)]
    MockDaemon {
        /// The unix socket to make.
        #[arg(long)]
        socket: PathBuf,
        /// How lists end.
        #[arg(long, default_value = "chunked")]
        framing: Framing,
    },
}

/// What a run measures.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Seconds of each drive.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub seconds: u32,

    /// Times that every drive is repeated; the table shows medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,

    /// Loads to drive.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["containers", "images", "refused"])]
    pub only: Vec<Load>,

    /// Numbers of connections.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 128])]
    pub connections: Vec<u32>,

    /// What to drive.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["bare", "haproxy", "dockgate"])]
    pub subjects: Vec<Subject>,

    /// How the daemon marks the end of its lists.
    #[arg(long, value_enum, default_value = "chunked")]
    pub framing: Framing,

    /// One short drive of each load: shows that everything runs, not how fast.
    #[arg(long)]
    pub quick: bool,

    /// Print the measurements as JSON.
    #[arg(long)]
    pub json: bool,

    /// The dockgate to drive; without it, the one of this checkout is built.
    #[arg(long, env = "DOCKGATE_BIN")]
    pub dockgate: Option<PathBuf>,

    /// The folder that dockgate keeps compiled plugins in; without it, one that is empty at first.
    #[arg(long)]
    pub cache: Option<PathBuf>,

    /// The HAProxy to drive.
    #[arg(long, default_value = "haproxy")]
    pub haproxy: PathBuf,
}

impl Options {
    /// The options that `--quick` stands for.
    #[must_use]
    pub fn settled(&self) -> Self {
        if !self.quick {
            return self.clone();
        }
        Self { seconds: 1, rounds: 1, connections: vec![16], ..self.clone() }
    }
}
