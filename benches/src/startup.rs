//! Start time: from the start of the program to its first successful answer.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use crate::cost::median;
use crate::error::BenchError;
use crate::process::Process;
use crate::proxies::{Programs, Subject, free_address, wait_until_ready};

/// The median of several starts in milliseconds; the bare daemon has none.
pub fn time(
    subject: Subject,
    programs: &Programs,
    upstream: &Path,
    tries: u32,
) -> Result<Option<f64>, BenchError> {
    let mut times = Vec::new();
    for _ in 0..tries {
        let address = free_address()?;
        let Some(mut command) = programs.command(subject, address, upstream) else {
            return Ok(None);
        };
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let started = Instant::now();
        let _process = Process::start(&mut command)?;
        wait_until_ready(subject.name(), address, Path::new("/dev/null"))?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(Some(median(times)))
}
