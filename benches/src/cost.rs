//! What one drive cost, and the median of several.

use crate::process::CpuTime;
use crate::wrk::Account;

/// The cost of one drive, a request.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Cost {
    /// Microseconds of CPU time in the subject's own code.
    pub user: f64,
    /// Microseconds of CPU time in the kernel for it.
    pub system: f64,
    /// Microseconds of CPU time.
    pub cpu: f64,
    /// Answers a second.
    pub requests_a_second: f64,
    /// Microseconds that half of the answers came within.
    pub p50: f64,
    /// Microseconds that 99 of 100 answers came within.
    pub p99: f64,
}

impl Cost {
    /// Shares what the subject used among the requests that it answered.
    pub fn new(used: CpuTime, account: &Account) -> Self {
        let a_request = |seconds: f64| seconds * 1e6 / account.requests.max(1.0);
        Self {
            user: a_request(used.user),
            system: a_request(used.system),
            cpu: a_request(used.user + used.system),
            requests_a_second: account.requests_a_second,
            p50: account.p50,
            p99: account.p99,
        }
    }

    /// The median of each measure by itself.
    pub fn median(costs: &[Self]) -> Self {
        let of = |measure: fn(&Self) -> f64| median(costs.iter().map(measure).collect());
        Self {
            user: of(|cost| cost.user),
            system: of(|cost| cost.system),
            cpu: of(|cost| cost.cpu),
            requests_a_second: of(|cost| cost.requests_a_second),
            p50: of(|cost| cost.p50),
            p99: of(|cost| cost.p99),
        }
    }
}

/// The middle value, or the mean of the two in the middle; 0 of nothing.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_an_outlier() {
        assert!((median(vec![3.0, 90.0, 1.0]) - 3.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 2.0]) - 3.0).abs() < f64::EPSILON);
    }
}
