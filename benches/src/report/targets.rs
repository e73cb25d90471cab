//! What the project has set itself to reach, beside what a run saw.

use super::Report;
use super::table::Table;
use crate::proxies::Subject;
use crate::rounds::Cell;

/// Of HAProxy's CPU time a request, at 16 connections.
const CPU: f64 = 0.65;
/// Of HAProxy's p99, at 16 connections.
const P99: f64 = 1.0;
/// Megabytes resident ten seconds after the drives.
const RESIDENT: f64 = 12.0;
/// Milliseconds from start to first answer.
const READY: f64 = 50.0;
/// Microseconds of CPU that so many plugins may add to a request.
const PLUGINS: [(usize, f64); 2] = [(1, 4.0), (5, 12.0)];
/// Microseconds of CPU that so many chains before the one that decides may add to a request.
const SELECTION: (usize, f64) = (200, 1.0);
/// The load that the bounds are set for.
const CONNECTIONS: u32 = 16;

impl Report {
    /// A row for each bound: what it is, what was seen, whether it is kept.
    pub(super) fn targets(&self) -> Table {
        let mut table = Table::new(&["target", "seen", "at most", ""]);
        for cell in self.cells.iter().filter(|cell| cell.drive.connections == CONNECTIONS) {
            let title = cell.drive.title();
            table.target(&format!("CPU × HAProxy's, {title}"), cell.ratio(|cost| cost.cpu), CPU);
            table.target(&format!("p99 × HAProxy's, {title}"), cell.ratio(|cost| cost.p99), P99);
        }
        let used = self.used(Subject::Dockgate);
        let resident = used.and_then(|used| used.rested).map(|memory| memory.resident);
        table.target("MB resident 10 s after the drives", resident, RESIDENT);
        table.target("ms to the first answer", used.and_then(|used| used.ready), READY);
        for (asked, at_most) in PLUGINS {
            let what = format!("µs for the plugins of a request, {asked} of them");
            table.target(&what, self.more_than_none(asked), at_most);
        }
        let (chains, at_most) = SELECTION;
        let what = format!("µs to choose behind {chains} chains");
        table.target(&what, self.more_than_first(chains), at_most);
        table
    }
}

impl Cell {
    /// How dockgate compares to HAProxy in one measure, where both were driven.
    fn ratio(&self, measure: fn(&crate::cost::Cost) -> f64) -> Option<f64> {
        let (ours, theirs) = (self.cost(Subject::Dockgate)?, self.cost(Subject::Haproxy)?);
        Some(measure(ours) / measure(theirs))
    }
}

impl Table {
    fn target(&mut self, what: &str, seen: Option<f64>, at_most: f64) {
        let Some(seen) = seen else { return };
        let kept = if seen <= at_most { "reached" } else { "MISSED" };
        let row = [what.to_owned(), format!("{seen:.2}"), format!("{at_most:.2}"), kept.to_owned()];
        self.row(row.to_vec());
    }
}
