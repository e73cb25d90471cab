//! A process under measurement: started, read from /proc, ended.

use std::ops::Sub;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::BenchError;

/// A child process that is ended with this value.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts `command`.
    pub fn start(command: &mut Command) -> Result<Self, BenchError> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.spawn().map(Self).map_err(|source| BenchError::Start { program, source })
    }

    /// Starts `command`, to be killed by the system too if the run is killed.
    ///
    /// Its output goes to `stdout`: what the command itself says of it is lost on the way.
    pub fn start_leashed(command: &Command, stdout: Stdio) -> Result<Self, BenchError> {
        let mut leashed = Command::new("setpriv");
        leashed.args(["--pdeathsig", "KILL", "--"]);
        leashed.arg(command.get_program()).args(command.get_args()).env_clear();
        leashed.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Self::start(leashed.stdin(Stdio::null()).stdout(stdout))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.0), signal)?)
    }

    /// Waits for it to end by itself.
    pub fn wait(mut self) -> Result<(), BenchError> {
        self.0.wait().map(drop).map_err(BenchError::io("waiting for a process"))
    }

    fn has_ended(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(Some(_)))
    }
}

impl Drop for Process {
    /// Asks it to end, and kills it if it does not: a program that takes its own profile writes that
    /// at an orderly end.
    fn drop(&mut self) {
        const PATIENCE: Duration = Duration::from_secs(5);
        const PAUSE: Duration = Duration::from_millis(5);
        // The number of one that has been waited for may be another's by now.
        if self.has_ended() {
            return;
        }
        let _ = self.signal(Signal::TERM);
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if self.has_ended() {
                return;
            }
            thread::sleep(PAUSE);
        }
        // Both fail only if it ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Seconds of CPU time of all threads of a process, ended ones included.
#[derive(Clone, Copy, Debug)]
pub struct CpuTime {
    /// In its own code.
    pub user: f64,
    /// In the kernel.
    pub system: f64,
}

impl CpuTime {
    /// What the process has used until now, to 10 ms.
    pub fn of(pid: u32) -> Result<Self, BenchError> {
        /// `USER_HZ`, the same on every architecture that a proxy runs on.
        const TICKS_A_SECOND: f64 = 100.0;
        let stat = read_proc(pid, "stat")?;
        let unreadable = || BenchError::Unreadable { what: "/proc/PID/stat", text: stat.clone() };

        // The name, in parentheses, may hold anything; the fields after it are numbered from 3.
        let (_, fields) = stat.rsplit_once(')').ok_or_else(unreadable)?;
        let mut times = fields.split_whitespace().skip(14 - 3).map(str::parse::<f64>);
        let (Some(Ok(user)), Some(Ok(system))) = (times.next(), times.next()) else {
            return Err(unreadable());
        };
        Ok(Self { user: user / TICKS_A_SECOND, system: system / TICKS_A_SECOND })
    }
}

impl Sub for CpuTime {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self { user: self.user - earlier.user, system: self.system - earlier.system }
    }
}

/// Megabytes (10⁶ bytes) of memory of a process.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Memory {
    /// All that is resident, with the pages of files that other processes may share.
    pub resident: f64,
    /// The part that belongs to no file.
    pub anonymous: f64,
}

impl Memory {
    /// What the process holds now.
    pub fn of(pid: u32) -> Result<Self, BenchError> {
        let status = read_proc(pid, "status")?;
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kibibytes: f64 =
                line.trim_start_matches(':').trim().strip_suffix(" kB")?.parse().ok()?;
            Some(kibibytes * 1024.0 / 1e6)
        };
        match (megabytes("VmRSS"), megabytes("RssAnon")) {
            (Some(resident), Some(anonymous)) => Ok(Self { resident, anonymous }),
            _ => Err(BenchError::Unreadable { what: "/proc/PID/status", text: status }),
        }
    }
}

fn read_proc(pid: u32, file: &str) -> Result<String, BenchError> {
    let path = format!("/proc/{pid}/{file}");
    fs::read_to_string(&path).map_err(BenchError::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_this_process() {
        let own = std::process::id();
        let started = CpuTime::of(own).unwrap();
        let used = CpuTime::of(own).unwrap() - started;
        assert!(used.user >= 0.0 && used.system >= 0.0);

        let memory = Memory::of(own).unwrap();
        assert!(memory.resident >= memory.anonymous && memory.anonymous > 0.0);
    }
}
