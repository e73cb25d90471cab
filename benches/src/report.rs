//! What a run prints.

mod table;
mod targets;

use crate::chains::Chain;
use crate::options::Options;
use crate::process::Memory;
use crate::proxies::Subject;
use crate::rounds::Cell;
use crate::selection::Behind;
use crate::syscalls::Calls;

/// All that a run saw.
#[derive(Debug, serde::Serialize)]
pub struct Report {
    /// The drives.
    pub cells: Vec<Cell>,
    /// What is measured once for a subject.
    pub uses: Vec<Use>,
    /// What plugins cost that are asked.
    pub chains: Vec<Chain>,
    /// What choosing a chain costs.
    pub behind: Vec<Behind>,
}

/// What is measured once for a subject.
#[derive(Debug, serde::Serialize)]
pub struct Use {
    /// The subject.
    pub subject: Subject,
    /// Milliseconds from its start to its first answer.
    pub ready: Option<f64>,
    /// Its memory before the drives.
    pub idle: Option<Memory>,
    /// Its memory at the end of all drives.
    pub driven: Option<Memory>,
    /// Its memory ten seconds later; a quick run does not wait for that.
    pub rested: Option<Memory>,
    /// Its system calls a request.
    pub calls: Option<Vec<Calls>>,
}

impl Report {
    /// Prints the report as tables, or as JSON if the options say so.
    pub fn print(&self, options: &Options) {
        if options.json {
            println!("{:#}", serde_json::json!(self));
            return;
        }
        println!("{}", self.costs());
        println!("{}", self.once());
        println!("{}", self.calls());
        println!("{}", self.plugins());
        println!("{}", self.selection());
        println!("{}", self.targets());
    }

    fn used(&self, subject: Subject) -> Option<&Use> {
        self.uses.iter().find(|used| used.subject == subject)
    }
}
