//! `dockgate`, the command.

use std::{io, process::ExitCode};

use clap::CommandFactory as _;
use dockgate::{
    cli::{self, Cli, Command},
    error::Error,
    log, oci,
    plugin::cache,
};

/// The system's allocators keep too much (glibc: 4 MB more after a day's load) or take a lock that all
/// threads share (musl: half as much CPU again for a request); `BENCHMARKS.md` has the numbers.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    let done: Result<u8, _> = match &cli.command {
        None => cli::serve::run(&cli.serve).map(|()| 0),
        Some(Command::Explain(explain)) => explain.run(),
        Some(Command::Healthcheck(check)) => check.run().map(|()| 0),
        Some(Command::Check(check)) => check.run(),
        Some(Command::Test(test)) => test.run(),
        Some(Command::Config(command)) => cli::config::run(command),
        Some(Command::Init(init)) => init.run().map(|()| 0),
        Some(Command::Import(command)) => command.run().map(|()| 0),
        Some(Command::Plugin(command)) => cli::plugin::run(command),
        Some(Command::Operations) => {
            // A pager that was closed has seen enough.
            let _ = cli::operations(&mut io::stdout().lock());
            Ok(0)
        }
        Some(Command::Completions { shell }) => {
            clap_complete::generate(*shell, &mut Cli::command(), "dockgate", &mut io::stdout());
            Ok(0)
        }
        Some(Command::Compile) => cache::compile().map(|()| 0).map_err(Error::Compile),
        Some(Command::Fetch { source, cache }) => {
            oci::fetch_here(source, cache).map(|()| 0).map_err(Error::Fetch)
        }
    };
    log::flush();
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => refused(&error),
    }
}

fn refused(error: &Error) -> ExitCode {
    eprintln!("dockgate: {error}");
    ExitCode::from(error.exit_code())
}
