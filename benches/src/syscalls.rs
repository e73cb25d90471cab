//! System calls a request, counted by strace.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;
use std::{fs, io};

use rustix::process::Signal;

use crate::error::BenchError;
use crate::process::Process;
use crate::proxies::Running;
use crate::rounds::Load;
use crate::wrk;

/// How often a subject makes a system call for one request.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Calls {
    /// The call's name.
    pub name: String,
    /// Times a request.
    pub a_request: f64,
}

/// Counts the calls of `subject` under the 2.6 kB list with 16 connections, most frequent first.
///
/// `None` if strace is missing or may not attach.
pub fn count(subject: &Running, folder: &Path) -> Result<Option<Vec<Calls>>, BenchError> {
    let summary = folder.join(format!("{}.strace", subject.subject.name()));
    let mut command = Command::new("strace");
    command.args(["-c", "-f", "-q", "-p"]).arg(subject.pid.to_string()).arg("-o").arg(&summary);
    let strace = match Process::start(command.stdout(Stdio::null()).stderr(Stdio::null())) {
        Ok(strace) => strace,
        Err(BenchError::Start { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    // strace says nothing when it has attached.
    thread::sleep(Duration::from_millis(300));
    let account = wrk::drive(subject.address, Load::Containers.path(), 16, 1)?;

    strace.signal(Signal::INT).map_err(BenchError::io("strace"))?;
    strace.wait()?;
    let text = fs::read_to_string(&summary).unwrap_or_default();
    let calls = read(&text, account.requests);
    Ok((!calls.is_empty()).then_some(calls))
}

/// Reads strace's table: `% time, seconds, usecs/call, calls, [errors,] syscall`.
fn read(table: &str, requests: f64) -> Vec<Calls> {
    let rows = table.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, _, _, calls, .., name] = fields[..] else { return None };
        let calls: f64 = calls.parse().ok()?;
        (name != "total")
            .then(|| Calls { name: name.to_owned(), a_request: calls / requests.max(1.0) })
    });
    let mut rows: Vec<Calls> = rows.collect();
    rows.sort_by(|one, other| other.a_request.total_cmp(&one.a_request));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_summary() {
        let table = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.300000           3    100000        12 recvfrom
 40.00    0.200000           4     50000           sendto
------ ----------- ----------- --------- --------- ----------------
100.00    0.500000           3    150000        12 total
";
        let calls = read(table, 50000.0);
        let calls: Vec<_> = calls.iter().map(|row| (row.name.as_str(), row.a_request)).collect();
        assert_eq!(calls, [("recvfrom", 2.0), ("sendto", 1.0)]);
    }
}
