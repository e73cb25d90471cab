//! A simulated process: what a container or an exec "runs".

use std::convert::Infallible;
use std::future::pending;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};

use crate::locked;
use crate::output::{Output, Source};

pub(crate) struct Process {
    pub(crate) argv: Vec<String>,
    pub(crate) tty: bool,
    pub(crate) output: Output,
    pub(crate) life: watch::Sender<Life>,
    stdin_use: Stdin,
    stdin: Mutex<Pipe>,
    signal: watch::Sender<Option<u8>>,
}

/// Whether a process has a standard input, and for how many clients.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stdin {
    Closed,
    /// Closed for good when the first client that writes to it is done.
    Once,
    Open,
}

#[derive(Clone, Copy)]
pub(crate) struct Life {
    pub(crate) phase: Phase,
    pub(crate) pid: u32,
    /// Of the latest run that has ended.
    pub(crate) exit_code: u8,
    pub(crate) exits: u32,
    pub(crate) started: Option<OffsetDateTime>,
    pub(crate) finished: Option<OffsetDateTime>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Created,
    Running,
    Exited,
    Removed,
}

impl Life {
    /// A restart may follow an end so closely that the end itself is never seen.
    pub(crate) fn ended_since(&self, earlier: &Self) -> bool {
        self.exits > earlier.exits || self.phase == Phase::Removed
    }
}

impl Process {
    pub(crate) fn new(argv: Vec<String>, tty: bool, stdin_use: Stdin) -> Self {
        Self {
            argv,
            tty,
            output: Output::new(),
            life: watch::Sender::new(Life {
                phase: Phase::Created,
                pid: 0,
                exit_code: 0,
                exits: 0,
                started: None,
                finished: None,
            }),
            stdin_use,
            stdin: Mutex::new(Pipe::new(stdin_use)),
            signal: watch::Sender::new(None),
        }
    }

    pub(crate) fn life(&self) -> Life {
        *self.life.borrow()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.life().phase == Phase::Running
    }

    /// False when it was running already.
    pub(crate) fn begin(&self) -> bool {
        self.life.send_if_modified(|life| {
            if matches!(life.phase, Phase::Running | Phase::Removed) {
                return false;
            }
            self.signal.send_replace(None);
            life.phase = Phase::Running;
            life.pid = NEXT_PID.fetch_add(1, Ordering::Relaxed);
            life.started = Some(OffsetDateTime::now_utc());
            true
        })
    }

    /// Runs what has begun, to its end or to a signal; returns the exit code.
    pub(crate) async fn run(&self) -> u8 {
        let stdin = locked(&self.stdin).reader.take();
        let mut signal = self.signal.subscribe();
        let killed = async {
            match signal.wait_for(Option::is_some).await.map(|signal| *signal) {
                Ok(Some(signal)) => 128 + signal,
                _ => pending().await,
            }
        };
        tokio::select! {
            code = killed => code,
            code = self.program(stdin) => code,
        }
    }

    /// Makes the end known: first the log and the state, then the attached streams close, so that
    /// a client that asks for the exit code when its stream ends gets it.
    pub(crate) fn finish(&self, exit_code: u8) {
        self.output.flush_log();
        *locked(&self.stdin) = Pipe::new(self.stdin_use);
        self.life.send_modify(|life| {
            life.phase = Phase::Exited;
            life.pid = 0;
            life.exit_code = exit_code;
            life.exits += 1;
            life.finished = Some(OffsetDateTime::now_utc());
        });
        self.output.detach_all();
    }

    /// Whether the process ends of it; it feels no other signals.
    pub(crate) fn signal(&self, signal: u8) -> bool {
        let fatal = FATAL.contains(&signal);
        if fatal {
            self.signal.send_replace(Some(signal));
        }
        fatal
    }

    /// Resolves when the run that is under way at this call ends, at once when there is none.
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + use<> {
        let mut life = self.life.subscribe();
        let now = *life.borrow();
        async move {
            // An error would mean that the process is gone altogether.
            let _ =
                life.wait_for(|life| now.phase != Phase::Running || life.ended_since(&now)).await;
        }
    }

    pub(crate) fn stdin(&self) -> Option<mpsc::Sender<Bytes>> {
        locked(&self.stdin).writer.clone()
    }

    /// Called when a client has closed its side.
    pub(crate) fn stdin_done(&self) {
        if self.stdin_use == Stdin::Once {
            locked(&self.stdin).writer = None;
        }
    }

    async fn program(&self, stdin: Option<mpsc::Receiver<Bytes>>) -> u8 {
        let argv: Vec<&str> = self.argv.iter().map(String::as_str).collect();
        match argv.as_slice() {
            ["cat"] => self.cat(stdin).await,
            ["echo", words @ ..] => {
                self.print(format!("{}\n", words.join(" "))).await;
                0
            }
            ["sleep", time] if sleep_time(time).is_some() => {
                tokio::time::sleep(sleep_time(time).unwrap_or_default()).await;
                0
            }
            ["true"] => 0,
            ["false"] => 1,
            _ => match self.tick().await {},
        }
    }

    async fn cat(&self, stdin: Option<mpsc::Receiver<Bytes>>) -> u8 {
        let Some(mut stdin) = stdin else { return 0 };
        while let Some(data) = stdin.recv().await {
            if self.tty && data.contains(&CTRL_C) {
                return 128 + SIGINT;
            }
            if self.tty && data.contains(&CTRL_D) {
                return 0;
            }
            let data = if self.tty { carriage_returned(&data) } else { data };
            self.output.write(Source::Stdout, data).await;
        }
        0
    }

    async fn tick(&self) -> Infallible {
        let note = format!("demo: '{}' is not run, it only ticks\n", self.argv.join(" "));
        self.output.write(Source::Stderr, note.into()).await;
        let mut second = tokio::time::interval(Duration::from_secs(1));
        for tick in 1_u64.. {
            second.tick().await;
            self.print(format!("tick {tick}\n")).await;
        }
        pending().await
    }

    async fn print(&self, text: String) {
        let text = if self.tty { text.replace('\n', "\r\n") } else { text };
        self.output.write(Source::Stdout, text.into()).await;
    }
}

/// As a terminal shows what is typed: Enter moves to the next line.
fn carriage_returned(typed: &Bytes) -> Bytes {
    String::from_utf8_lossy(typed).replace('\r', "\r\n").into()
}

/// The input that clients write and the program reads. Made before the start, for those who attach
/// early, and anew after each end.
struct Pipe {
    writer: Option<mpsc::Sender<Bytes>>,
    reader: Option<mpsc::Receiver<Bytes>>,
}

impl Pipe {
    fn new(stdin_use: Stdin) -> Self {
        if stdin_use == Stdin::Closed {
            return Self { writer: None, reader: None };
        }
        let (writer, reader) = mpsc::channel(MAX_UNREAD_INPUT);
        Self { writer: Some(writer), reader: Some(reader) }
    }
}

fn sleep_time(argument: &str) -> Option<Duration> {
    match argument {
        "infinity" => Some(Duration::MAX),
        seconds => seconds.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok()),
    }
}

/// The number of a signal by its name, with or without `SIG`, or number.
pub(crate) fn signal_number(name: &str) -> Option<u8> {
    let upper = name.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    let by_name = SIGNALS.iter().find(|(name, _)| *name == short).map(|(_, number)| *number);
    by_name.or_else(|| name.parse().ok().filter(|number| (1..=64).contains(number)))
}

pub(crate) const SIGTERM: u8 = 15;
pub(crate) const SIGKILL: u8 = 9;
const SIGINT: u8 = 2;
const FATAL: [u8; 5] = [1, SIGINT, 3, SIGKILL, SIGTERM];
const SIGNALS: [(&str, u8); 9] = [
    ("HUP", 1),
    ("INT", SIGINT),
    ("QUIT", 3),
    ("KILL", SIGKILL),
    ("USR1", 10),
    ("USR2", 12),
    ("TERM", SIGTERM),
    ("CONT", 18),
    ("WINCH", 28),
];
const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const MAX_UNREAD_INPUT: usize = 16;
static NEXT_PID: AtomicU32 = AtomicU32::new(1000);
