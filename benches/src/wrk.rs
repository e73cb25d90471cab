//! wrk: the load, and its account of how it went.

use std::net::SocketAddr;
use std::process::Command;

use crate::error::BenchError;

/// What wrk counted and timed in one drive.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Answers.
    pub requests: f64,
    /// Answers whose status was neither 2xx nor 3xx.
    pub not_ok: f64,
    /// Connections that failed, in wrk's words.
    pub socket_errors: Option<String>,
    /// Answers a second.
    pub requests_a_second: f64,
    /// Microseconds that half of the answers came within.
    pub p50: f64,
    /// Microseconds that 99 of 100 answers came within.
    pub p99: f64,
}

/// Drives `address` with one thread: the cores are shared with what is measured.
pub fn drive(
    address: SocketAddr,
    path: &str,
    connections: u32,
    seconds: u32,
) -> Result<Account, BenchError> {
    let output = Command::new("wrk")
        .args(["-t1", "--latency"])
        .arg(format!("-c{connections}"))
        .arg(format!("-d{seconds}s"))
        .args(["-H", "User-Agent: Docker-Client/27.5.1 (linux)"])
        .arg(format!("http://{address}{path}"))
        .output()
        .map_err(|source| BenchError::Start { program: "wrk".to_owned(), source })?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = format!("{}\n{text}{said}", output.status);
        return Err(BenchError::Failed { program: "wrk".to_owned(), said });
    }
    Account::read(&text)
        .ok_or_else(|| BenchError::Unreadable { what: "wrk's output", text: text.into_owned() })
}

impl Account {
    fn read(text: &str) -> Option<Self> {
        let after = |start: &str| {
            text.lines().find_map(|line| Some(line.trim().strip_prefix(start)?.trim().to_owned()))
        };
        let requests = text.lines().find_map(|line| line.trim().split_once(" requests in "))?.0;
        Some(Self {
            requests: requests.parse().ok()?,
            not_ok: match after("Non-2xx or 3xx responses:") {
                Some(number) => number.parse().ok()?,
                None => 0.0,
            },
            socket_errors: after("Socket errors:"),
            requests_a_second: after("Requests/sec:")?.parse().ok()?,
            p50: microseconds(&after("50%")?)?,
            p99: microseconds(&after("99%")?)?,
        })
    }
}

/// Reads `410.00us`, `1.20ms` or `2.01s`.
fn microseconds(text: &str) -> Option<f64> {
    let units = [("us", 1.0), ("ms", 1e3), ("s", 1e6), ("m", 60e6)];
    let (number, unit) =
        units.into_iter().find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))?;
    Some(number.parse::<f64>().ok()? * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_account() {
        let text = "\
Running 1s test @ http://127.0.0.1:2375/_ping
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   437.17us  131.80us   2.82ms   83.01%
    Req/Sec    36.31k     2.51k   39.49k    72.73%
  Latency Distribution
     50%  418.00us
     75%  485.00us
     90%  567.00us
     99%    1.20ms
  39730 requests in 1.10s, 4.77MB read
  Socket errors: connect 0, read 3, write 0, timeout 0
  Non-2xx or 3xx responses: 7
Requests/sec:  36119.44
Transfer/sec:      4.34MB
";
        let account = Account {
            requests: 39730.0,
            not_ok: 7.0,
            socket_errors: Some("connect 0, read 3, write 0, timeout 0".to_owned()),
            requests_a_second: 36119.44,
            p50: 418.0,
            p99: 1200.0,
        };
        assert_eq!(Account::read(text), Some(account));
    }
}
