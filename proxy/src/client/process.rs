//! From the process at the other end of a unix socket to its cgroups.
//!
//! The kernel says the number of the process that connected, and a number may be another process's
//! by the time that it is used. So a process is held while it is read of: by a pidfd that the socket
//! gives (`SO_PEERPIDFD`, Linux 6.5 and later), which is of the process that connected and of no
//! other. If that still runs after the reading, what was read was its.
//!
//! What this needs:
//! - The proxy sees the processes of its clients. In a container that is `pid: host`; without it the
//!   kernel says no number, and no container is established.
//! - The proxy counts processes as the daemon does, whose word on the first process of a container is
//!   compared (see [`super::cgroup`]). A daemon on the machine and a proxy with `pid: host` do.
//!
//! What remains:
//! - Before Linux 6.5 the number is all there is. A process is taken for the client if it started
//!   before the connection was accepted, within a hundredth of a second. One that got the number of a
//!   client which ended between its connecting and that moment is taken for it.
//! - A connection belongs to whoever made it, and may be handed on to a process elsewhere.
//! - A client that sent its request and ended before it was looked at is not established.

use std::{
    fs::{self, File},
    io::Read as _,
    os::fd::{AsFd as _, BorrowedFd, OwnedFd},
    path::Path,
    time::{Duration, SystemTime},
};

use nix::{
    errno::Errno,
    sys::socket::{getsockopt, sockopt::PeerPidfd},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, pidfd_open},
    time::{ClockId, clock_gettime},
};

use super::{Process, cgroup::Cgroups};

/// How much is read of a file that the kernel writes of a process.
const TOLD: u64 = 64 << 10;

/// The cgroups of the process that made this connection. None where there is a doubt.
pub(super) fn cgroups(
    process: Process,
    socket: BorrowedFd,
    accepted: SystemTime,
) -> Option<Cgroups> {
    let pid = process.pid?;
    if !numbers_are_ours() {
        return None;
    }
    let held = match getsockopt(&socket, PeerPidfd) {
        Ok(pidfd) => pidfd,
        Err(Errno::ENOPROTOOPT) => open(pid, accepted)?,
        Err(_) => return None,
    };
    let cgroups = cgroups_of(pid)?;
    runs(&held).then_some(cgroups)
}

/// The cgroups of the process with this number.
pub(super) fn cgroups_of(pid: u32) -> Option<Cgroups> {
    Cgroups::read(&read(pid, "cgroup")?)
}

/// Whether `/proc` counts processes as we do, and not as the machine around a container does.
fn numbers_are_ours() -> bool {
    let number = std::process::id().to_string();
    fs::read_link("/proc/self").is_ok_and(|shown| shown == Path::new(&number))
}

/// For a kernel that does not say it with the socket.
fn open(pid: u32, accepted: SystemTime) -> Option<OwnedFd> {
    let number = Pid::from_raw(i32::try_from(pid).ok()?)?;
    let held = pidfd_open(number, PidfdFlags::empty()).ok()?;
    started_before(&read(pid, "stat")?, accepted)?.then_some(held)
}

/// A pidfd can be read when its process has ended: see `pidfd_open(2)`.
fn runs(pidfd: &OwnedFd) -> bool {
    let mut polled = [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)];
    poll(&mut polled, Some(&Timespec::default())).is_ok_and(|ended| ended == 0)
}

/// Whether the process with this `/proc/PID/stat` started before that time.
fn started_before(stat: &str, time: SystemTime) -> Option<bool> {
    let uptime = Duration::try_from(clock_gettime(ClockId::Boottime)).ok()?;
    let age = uptime.checked_sub(start(stat, rustix::param::clock_ticks_per_second())?)?;
    Some(age >= SystemTime::now().duration_since(time).ok()?)
}

/// When a process started, since the machine did: field 22 in `proc_pid_stat(5)`, counted from behind
/// the name, in which anything may be.
fn start(stat: &str, ticks_per_second: u64) -> Option<Duration> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let ticks: u64 = behind_name.split_ascii_whitespace().nth(22 - 3)?.parse().ok()?;
    Some(Duration::from_nanos(ticks.checked_mul(1_000_000_000u64.checked_div(ticks_per_second)?)?))
}

fn read(pid: u32, file: &str) -> Option<String> {
    let mut text = String::new();
    let file = File::open(format!("/proc/{pid}/{file}")).ok()?;
    let length = file.take(TOLD).read_to_string(&mut text).ok()?;
    ((length as u64) < TOLD).then_some(text)
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::net::{UnixListener, UnixStream},
        process::Command,
    };

    use super::*;

    /// A process of our own, as the kernel tells of it at a socket.
    fn process(pid: u32) -> Process {
        Process { uid: 0, gid: 0, pid: Some(pid) }
    }

    #[test]
    fn the_start_is_found_behind_any_name() {
        let behind = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 250 20 21";
        for name in ["sh", "a b", ") S 1 2", "((("] {
            let stat = format!("7 ({name}) {behind}");
            assert_eq!(start(&stat, 100), Some(Duration::from_millis(2500)), "{name}");
        }
        assert_eq!(start("7 (sh) S 1", 100), None);
    }

    #[test]
    fn a_process_that_started_later_is_another() {
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        assert_eq!(started_before(&stat, SystemTime::now()), Some(true));
        assert_eq!(started_before(&stat, SystemTime::UNIX_EPOCH), Some(false));
        let ours = std::process::id();
        assert!(open(ours, SystemTime::now()).is_some());
        assert!(open(ours, SystemTime::UNIX_EPOCH).is_none());
    }

    #[test]
    fn a_client_that_runs_has_cgroups_and_one_that_has_ended_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let ours = UnixStream::connect(&path).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let found = cgroups(process(std::process::id()), accepted.as_fd(), SystemTime::now());
        assert_eq!(found, cgroups_of(std::process::id()));
        assert!(found.is_some());
        drop(ours);

        // The number is a running process's, as if it had been given away.
        let script = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])";
        let client = Command::new("python3").args(["-c", script]).arg(&path).spawn();
        let Ok(mut client) = client else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "CI has python3");
            eprintln!("SKIPPED: python3 is not installed");
            return;
        };
        let (accepted, _) = listener.accept().unwrap();
        client.wait().unwrap();
        let found = cgroups(process(std::process::id()), accepted.as_fd(), SystemTime::now());
        assert_eq!(found, None);
    }

    #[test]
    fn a_process_outside_of_our_namespace_has_none() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let unseen = Process { uid: 0, gid: 0, pid: None };
        assert_eq!(cgroups(unseen, ours.as_fd(), SystemTime::now()), None);
    }
}
