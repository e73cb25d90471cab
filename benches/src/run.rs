//! A whole run.

use std::env;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::daemon::MockDaemon;
use crate::error::BenchError;
use crate::options::Options;
use crate::process::Memory;
use crate::proxies::{Programs, Running, Subject, build_dockgate};
use crate::report::{Report, Use};
use crate::rounds::drive_all;
use crate::{chains, selection, startup, syscalls};

/// How long a subject may take to give back what the drives left in its memory.
const REST: Duration = Duration::from_secs(10);

/// Measures what the options call for and prints it.
pub fn run(options: &Options) -> Result<(), BenchError> {
    let options = options.settled();
    let programs = Programs { haproxy: options.haproxy.clone(), dockgate: dockgate(&options)? };
    let own_program = env::current_exe().map_err(BenchError::io("this program's path"))?;
    // The proxies' logs are kept in memory: a disk's speed is not what is measured.
    let folder = tempfile::tempdir_in(memory_or_disk()).map_err(BenchError::io("a folder"))?;
    let daemon = MockDaemon::start(&own_program, folder.path(), options.framing)?;

    let mut uses = Vec::new();
    for &subject in &options.subjects {
        let tries = if options.quick { 3 } else { 15 };
        let ready = startup::time(subject, &programs, &daemon.socket, tries)?;
        uses.push(Use { subject, ready, idle: None, driven: None, rested: None, calls: None });
    }

    let subjects = options.subjects.iter();
    let subjects =
        subjects.map(|&subject| Running::start(subject, &programs, &daemon, folder.path()));
    let subjects = subjects.collect::<Result<Vec<_>, _>>()?;
    for (subject, used) in subjects.iter().zip(&mut uses) {
        used.idle = Some(Memory::of(subject.pid)?);
    }
    let cells = drive_all(&subjects, &options)?;
    for (subject, used) in subjects.iter().zip(&mut uses) {
        used.driven = Some(Memory::of(subject.pid)?);
    }
    if !options.quick {
        thread::sleep(REST);
        for (subject, used) in subjects.iter().zip(&mut uses) {
            used.rested = Some(Memory::of(subject.pid)?);
        }
    }
    for (subject, used) in subjects.iter().zip(&mut uses) {
        used.calls = syscalls::count(subject, folder.path())?;
    }

    drop(subjects);
    let (chains, behind) = if options.subjects.contains(&Subject::Dockgate) {
        let chains = chains::drive_all(&programs, &daemon, folder.path(), &options)?;
        (chains, selection::drive_all(&programs, &daemon, folder.path(), &options)?)
    } else {
        (Vec::new(), Vec::new())
    };

    Report { cells, uses, chains, behind }.print(&options);
    Ok(())
}

fn dockgate(options: &Options) -> Result<PathBuf, BenchError> {
    match &options.dockgate {
        Some(path) => Ok(path.clone()),
        None if options.subjects.contains(&Subject::Dockgate) => build_dockgate(),
        None => Ok(PathBuf::from("dockgate")),
    }
}

fn memory_or_disk() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { env::temp_dir() }
}
