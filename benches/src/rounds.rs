//! The drives: every load on every subject, in turn, several times.

use std::io::{IsTerminal, stderr};

use crate::cost::Cost;
use crate::error::BenchError;
use crate::options::Options;
use crate::process::CpuTime;
use crate::proxies::{Running, Subject};
use crate::wrk;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Load {
    /// A list of 2.6 kB.
    Containers,
    /// A list of 200 kB.
    Images,
    /// A request that the rules refuse.
    Refused,
}

impl Load {
    /// What the load is called in tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::Containers => "2.6 kB list",
            Self::Images => "200 kB list",
            Self::Refused => "refused",
        }
    }

    /// The request's target.
    pub fn path(self) -> &'static str {
        match self {
            Self::Containers => "/v1.41/containers/json",
            Self::Images => "/v1.41/images/json",
            Self::Refused => "/v1.41/networks",
        }
    }
}

/// One load with one number of connections.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Drive {
    /// What is asked for.
    pub load: Load,
    /// Over how many connections.
    pub connections: u32,
}

impl Drive {
    /// The drives that the options call for.
    pub fn all(options: &Options) -> Vec<Self> {
        let with =
            |load| options.connections.iter().map(move |&connections| Self { load, connections });
        options.only.iter().copied().flat_map(with).collect()
    }

    /// What the drive is called in tables.
    pub fn title(self) -> String {
        format!("{}, {} conn.", self.load.title(), self.connections)
    }

    /// Drives each of the subjects as often as the options say, each round in another order; gives the
    /// medians.
    pub fn run_in_turn(
        self,
        subjects: &[Running],
        options: &Options,
    ) -> Result<Vec<Cost>, BenchError> {
        let mut costs = vec![Vec::new(); subjects.len()];
        // The first round warms them up.
        for round in 0..=options.rounds {
            for step in 0..subjects.len() {
                let subject = (round as usize + step) % subjects.len();
                let cost = self.run(&subjects[subject], options.seconds)?;
                if round > 0 {
                    costs[subject].push(cost);
                }
            }
        }
        Ok(costs.iter().map(|costs| Cost::median(costs)).collect())
    }

    /// Drives a subject once.
    pub(crate) fn run(self, on: &Running, seconds: u32) -> Result<Cost, BenchError> {
        on.empty_log()?;
        let before = CpuTime::of(on.pid)?;
        let account = wrk::drive(on.address, self.load.path(), self.connections, seconds)?;
        let used = CpuTime::of(on.pid)? - before;

        let refused = self.load == Load::Refused && on.subject != Subject::Bare;
        let wrong = if refused { account.requests - account.not_ok } else { account.not_ok };
        if wrong > 0.0 || account.socket_errors.is_some() {
            let errors = account.socket_errors.unwrap_or_default();
            return Err(BenchError::WrongAnswers {
                proxy: on.subject.name(),
                load: self.title(),
                wrong: format!("{wrong} with another status, socket errors: {errors}"),
            });
        }
        Ok(Cost::new(used, &account))
    }
}

/// What a drive cost on each subject.
#[derive(Debug, serde::Serialize)]
pub struct Cell {
    /// The drive.
    #[serde(flatten)]
    pub drive: Drive,
    /// Medians, in the order of the subjects.
    pub costs: Vec<(Subject, Cost)>,
}

impl Cell {
    /// What the drive cost on `subject`, if it was driven.
    pub fn cost(&self, subject: Subject) -> Option<&Cost> {
        self.costs.iter().find(|(of, _)| *of == subject).map(|(_, cost)| cost)
    }
}

/// Warms every subject up, then drives each as often as the options say, each round in another order.
pub fn drive_all(subjects: &[Running], options: &Options) -> Result<Vec<Cell>, BenchError> {
    let drives = Drive::all(options);
    if !options.quick {
        for subject in subjects {
            for &load in &options.only {
                Drive { load, connections: 16 }.run(subject, 1)?;
            }
        }
    }

    let mut costs = vec![vec![Vec::new(); subjects.len()]; drives.len()];
    let mut turn = 0;
    for round in 1..=options.rounds {
        for (drive, of_drive) in drives.iter().zip(&mut costs) {
            if stderr().is_terminal() {
                eprint!("\r\x1b[Kround {round} of {}: {}", options.rounds, drive.title());
            }
            for step in 0..subjects.len() {
                let subject = (turn + step) % subjects.len();
                of_drive[subject].push(drive.run(&subjects[subject], options.seconds)?);
            }
            turn += 1;
        }
    }
    if stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }

    let cells = drives.into_iter().zip(costs).map(|(drive, of_drive)| {
        let medians = of_drive.iter().map(|costs| Cost::median(costs));
        Cell { drive, costs: subjects.iter().map(|running| running.subject).zip(medians).collect() }
    });
    Ok(cells.collect())
}
