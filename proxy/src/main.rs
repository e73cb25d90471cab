//! `dockgate`, the command.

use std::{io, process::ExitCode};

use clap::{CommandFactory as _, Parser as _};
use dockgate::{
    cli::{self, Cli, Command},
    log,
    plugin::cache,
};

/// The system's allocators keep too much (glibc: 4 MB more after a day's load) or take a lock that all
/// threads share (musl: half as much CPU again for a request); `BENCHMARKS.md` has the numbers.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        None => cli::serve::run(&cli.serve).map_err(|error| (error.to_string(), error.exit_code())),
        Some(Command::Healthcheck(place)) => {
            cli::healthcheck::run(place).map_err(|error| (error.to_string(), error.exit_code()))
        }
        Some(Command::Operations) => {
            // A pager that was closed has seen enough.
            let _ = cli::operations(&mut io::stdout().lock());
            Ok(())
        }
        Some(Command::Completions { shell }) => {
            clap_complete::generate(*shell, &mut Cli::command(), "dockgate", &mut io::stdout());
            Ok(())
        }
        Some(Command::Compile) => cache::compile().map_err(|words| (words, 2)),
    };
    log::flush();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err((words, code)) => {
            eprintln!("dockgate: {words}");
            ExitCode::from(code)
        }
    }
}
