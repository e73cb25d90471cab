//! What choosing a chain costs: a configuration with one chain, and one with many before it that are
//! all in question and not for the client, driven in turn.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::daemon::MockDaemon;
use crate::error::BenchError;
use crate::options::Options;
use crate::proxies::{Programs, Running, Subject, free_address};
use crate::rounds::{Drive, Load};

/// How many chains stand before the one that decides.
const BEFORE: [usize; 2] = [0, 200];
/// How many patterns of operations each of them has.
const PATTERNS: usize = 50;

/// What a request cost behind so many chains.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Behind {
    /// How many chains were before the one that decided.
    pub chains: usize,
    /// Microseconds of CPU time.
    pub cpu: f64,
}

/// Drives dockgate with each configuration, in turn.
pub fn drive_all(
    programs: &Programs,
    daemon: &MockDaemon,
    folder: &Path,
    options: &Options,
) -> Result<Vec<Behind>, BenchError> {
    let start = |before: usize| {
        let (address, file) = (free_address()?, folder.join(format!("behind-{before}.yaml")));
        let text = configuration(address, &daemon.socket, before);
        std::fs::write(&file, text).map_err(BenchError::io(file.display().to_string()))?;
        let mut command = Command::new(&programs.dockgate);
        command.env_clear().arg("--config").arg(&file);
        Running::start_at(Subject::Dockgate, address, &command, folder)
    };
    let subjects = BEFORE.map(start).into_iter().collect::<Result<Vec<_>, _>>()?;
    let drive = Drive { load: Load::Containers, connections: 16 };
    let costs = drive.run_in_turn(&subjects, options)?;
    let cpu = costs.iter().map(|cost| cost.cpu);
    Ok(BEFORE.into_iter().zip(cpu).map(|(chains, cpu)| Behind { chains, cpu }).collect())
}

/// Chains for other clients, each of which names the operation that is driven, and one for all.
fn configuration(address: SocketAddr, daemon: &Path, before: usize) -> String {
    let mut text = format!(
        "upstream: {{ address: \"unix://{}\" }}\n\
         listeners: {{ main: {{ address: \"{address}\" }} }}\n\
         plugins: {{ flags: {{ source: \"bundled:tecnativa\", environment: {{ CONTAINERS: 1 }} }} }}\n\
         log: {{ format: json }}\n\
         chains:\n",
        daemon.display()
    );
    for chain in 0..before {
        // All differ, and all name the list among others.
        let patterns = ["container-*", "*-list", "c*t", "{image,container}-*", "[a-d]*"];
        let patterns: Vec<_> = (0..PATTERNS)
            .map(|n| format!("{:?}", patterns[(chain + n) % patterns.len()]))
            .collect();
        // Writing to a String can't fail.
        let _ = writeln!(
            text,
            "  - {{ name: other-{chain}, clients: [{{ address: 10.{chain}.0.0/16 }}], operations: [{}], plugins: [flags] }}",
            patterns.join(", ")
        );
    }
    text + "  - { name: all, plugins: [flags] }\n"
}
