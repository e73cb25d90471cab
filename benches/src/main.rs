//! `cargo run --release -p dockgate-bench`: dockgate beside HAProxy, as a table.

use std::process::ExitCode;

use clap::Parser;
use dockgate_bench::error::BenchError;
use dockgate_bench::options::{Arguments, Role};
use dockgate_bench::{daemon, run};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.role {
        Some(Role::MockDaemon { socket, framing }) => {
            daemon::serve(&socket, framing).map_err(BenchError::io("the mock daemon"))
        }
        None => run::run(&arguments.options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dockgate-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
