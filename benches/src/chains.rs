//! What plugins cost that are asked about every request: chains of different lengths, driven in turn.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::daemon::MockDaemon;
use crate::error::BenchError;
use crate::options::Options;
use crate::proxies::{Programs, Running, Subject};
use crate::rounds::{Drive, Load};

/// How many plugins are asked, besides one whose answers are remembered.
const LENGTHS: [usize; 3] = [0, 1, 5];

/// What a request cost with a chain.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Chain {
    /// How many plugins were asked about it.
    pub asked: usize,
    /// Microseconds of CPU time.
    pub cpu: f64,
}

/// Drives dockgate with each chain, in turn.
pub fn drive_all(
    programs: &Programs,
    daemon: &MockDaemon,
    folder: &Path,
    options: &Options,
) -> Result<Vec<Chain>, BenchError> {
    let plugin = build_plugin()?;
    let settings = folder.join("plugin.json");
    // It looks at the query, so that its answers rest on more than what is remembered.
    std::fs::write(&settings, r#"{"decide":[{"query":"limit"}]}"#)
        .map_err(BenchError::io(settings.display().to_string()))?;
    let source = format!("{}={}", plugin.display(), settings.display());
    let cache = options.cache.clone().unwrap_or_else(|| folder.join("cache"));
    let start = |asked: usize| {
        Running::start_with(Subject::Dockgate, programs, daemon, folder, |command| {
            command.arg("--cache").arg(&cache).args(["--plugin", "bundled:tecnativa"]);
            for _ in 0..asked {
                command.args(["--plugin", &source]);
            }
            if asked > 0 {
                command.args(["--grant", "dockgate_probe=look-ups,dockgate_probe=clock"]);
            }
        })
    };
    let subjects = LENGTHS.map(start).into_iter().collect::<Result<Vec<_>, _>>()?;
    let drive = Drive { load: Load::Containers, connections: 16 };
    let costs = drive.run_in_turn(&subjects, options)?;
    let cpu = costs.iter().map(|cost| cost.cpu);
    Ok(LENGTHS.into_iter().zip(cpu).map(|(asked, cpu)| Chain { asked, cpu }).collect())
}

/// The plugin of the tests that does what its settings say, built as and where a bundled one is.
fn build_plugin() -> Result<PathBuf, BenchError> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/plugins");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--profile", "plugin", "--locked", "--package", "dockgate-probe"])
        .args(["--target", "wasm32-wasip2", "--target-dir"])
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .status()
        .map_err(|source| BenchError::Start { program: "cargo".to_owned(), source })?;
    if !status.success() {
        let said = status.to_string();
        return Err(BenchError::Failed { program: "building a plugin".to_owned(), said });
    }
    Ok(target.join("wasm32-wasip2/plugin/dockgate_probe.wasm"))
}
