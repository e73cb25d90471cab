//! What the proxy says: one record for each request, and words on its own affairs.
//!
//! Records are gathered for a worker and written by a task of its own, so that under load many share
//! one system call and an idle proxy shows each at once.

mod events;
mod record;
mod severity;
mod timestamp;

use std::{
    cell::RefCell,
    io::{IsTerminal as _, Write as _},
    rc::Rc,
    sync::OnceLock,
    time::Duration,
};

use tokio::sync::Notify;

pub use record::{Outcome, Record, printable};
pub use severity::Severity;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a person at a terminal, who may have colours.
    Text {
        /// Whether severities have colours.
        colours: bool,
    },
    /// A JSON object a line.
    Json,
}

impl Format {
    /// Text on a terminal, JSON elsewhere.
    pub fn for_stdout() -> Self {
        if std::io::stdout().is_terminal() { Self::text() } else { Self::Json }
    }

    /// Text, with colours on a terminal that has not asked to be spared them (`NO_COLOR`).
    pub fn text() -> Self {
        let spared = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self::Text { colours: std::io::stdout().is_terminal() && !spared }
    }
}

/// How the log of this process is kept.
#[derive(Clone, Copy, Debug)]
struct Kept {
    format: Format,
    level: Severity,
}

static KEPT: OnceLock<Kept> = OnceLock::new();

/// Begins the log: lines of this severity and worse go to standard output. The first call counts.
pub fn init(format: Format, level: Severity) {
    if KEPT.set(Kept { format, level }).is_ok() {
        events::install(format, level);
    }
}

/// Writes the record of a request.
pub fn record(record: &Record) {
    let Some(kept) = KEPT.get().filter(|kept| record.severity() <= kept.level) else {
        return;
    };
    gather(|line| record.write(kept.format, line));
}

/// How much is gathered before it is written in any case.
const GATHERED: usize = 32 << 10;

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static GATHERING: Rc<Notify> = Rc::default();
}

/// How long records are gathered under load.
const GATHERED_FOR: Duration = Duration::from_millis(5);

/// Writes what this thread's tasks record, for ever.
pub async fn write_records() {
    let gathering = GATHERING.with(Rc::clone);
    loop {
        gathering.notified().await;
        flush();
        tokio::time::sleep(GATHERED_FOR).await;
    }
}

fn gather(write: impl FnOnce(&mut Vec<u8>)) {
    let full = LINES.with_borrow_mut(|lines| {
        if lines.is_empty() {
            GATHERING.with(|gathering| gathering.notify_one());
        }
        write(lines);
        lines.len() >= GATHERED
    });
    if full {
        flush();
    }
}

/// Writes what this thread has gathered.
pub fn flush() {
    LINES.with_borrow_mut(|lines| {
        if lines.is_empty() {
            return;
        }
        // Nobody is left to tell that standard output is gone.
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(lines).and_then(|()| out.flush());
        lines.clear();
    });
}
