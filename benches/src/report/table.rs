//! The tables of a report, in Markdown that is aligned to be read as it stands.

use std::fmt;

use super::Report;
use crate::cost::Cost;
use crate::proxies::Subject;

impl Report {
    /// A row for each subject of each drive, and one for the ratio of dockgate to HAProxy.
    pub(super) fn costs(&self) -> Table {
        let header =
            ["load", "", "CPU µs/request", "user", "system", "requests/s", "p50 ms", "p99 ms"];
        let mut table = Table::new(&header);
        for cell in &self.cells {
            let mut title = cell.drive.title();
            for (subject, cost) in &cell.costs {
                let row = cost_row(cost);
                table.row(
                    [vec![std::mem::take(&mut title), subject.name().to_owned()], row].concat(),
                );
            }
            let ratio = cell.cost(Subject::Dockgate).zip(cell.cost(Subject::Haproxy));
            if let Some((dockgate, haproxy)) = ratio {
                let row = ratio_row(dockgate, haproxy);
                table.row([vec![String::new(), "**ratio**".to_owned()], row].concat());
            }
        }
        table
    }

    /// What is measured once for a subject.
    pub(super) fn once(&self) -> Table {
        let header = ["", "ready ms", "resident MB idle", "anonymous"];
        let driven = ["at the end of the drives", "anonymous", "10 s later", "anonymous"];
        let mut table = Table::new(&[&header[..], &driven].concat());
        for used in &self.uses {
            let shown = |of: Option<f64>| of.map_or_else(String::new, |of| format!("{of:.1}"));
            let mut row = vec![used.subject.name().to_owned(), shown(used.ready)];
            for memory in [used.idle, used.driven, used.rested] {
                row.push(shown(memory.map(|memory| memory.resident)));
                row.push(shown(memory.map(|memory| memory.anonymous)));
            }
            table.row(row);
        }
        table
    }

    /// What a request costs more for each plugin that is asked about it.
    pub(super) fn plugins(&self) -> Table {
        let header = ["plugins asked (2.6 kB list, 16 conn.)", "CPU µs/request", "more than none"];
        let mut table = Table::new(&header);
        for chain in &self.chains {
            let more = self.more_than_none(chain.asked).unwrap_or_default();
            let figures = [format!("{:.1}", chain.cpu), format!("{more:.1}")];
            table.row([vec![chain.asked.to_string()], figures.to_vec()].concat());
        }
        table
    }

    /// What a request costs behind chains that are not for its client.
    pub(super) fn selection(&self) -> Table {
        let header = ["chains before (2.6 kB list, 16 conn.)", "CPU µs/request", "more than none"];
        let mut table = Table::new(&header);
        for behind in &self.behind {
            let more = self.more_than_first(behind.chains).unwrap_or_default();
            let figures = [format!("{:.2}", behind.cpu), format!("{more:.2}")];
            table.row([vec![behind.chains.to_string()], figures.to_vec()].concat());
        }
        table
    }

    /// Microseconds that so many chains before the one that decides add to a request.
    pub(super) fn more_than_first(&self, chains: usize) -> Option<f64> {
        let of = |chains| self.behind.iter().find(|behind| behind.chains == chains);
        Some(of(chains)?.cpu - of(0)?.cpu)
    }

    /// Microseconds that so many plugins add to a request.
    pub(super) fn more_than_none(&self, asked: usize) -> Option<f64> {
        let of = |asked| self.chains.iter().find(|chain| chain.asked == asked);
        Some(of(asked)?.cpu - of(0)?.cpu)
    }

    /// System calls a request, each subject's in its own order.
    pub(super) fn calls(&self) -> Table {
        let mut table = Table::new(&["", "system calls a request (2.6 kB list, 16 conn.)", "all"]);
        for used in &self.uses {
            let Some(calls) = &used.calls else { continue };
            let named = calls.iter().filter(|call| call.a_request >= 0.05);
            let named: Vec<_> =
                named.map(|call| format!("{} {:.2}", call.name, call.a_request)).collect();
            let all: f64 = calls.iter().map(|call| call.a_request).sum();
            let subject = used.subject.name().to_owned();
            table.row(vec![subject, named.join(", "), format!("{all:.1}")]);
        }
        table
    }
}

fn cost_row(cost: &Cost) -> Vec<String> {
    vec![
        format!("{:.1}", cost.cpu),
        format!("{:.1}", cost.user),
        format!("{:.1}", cost.system),
        format!("{:.0}", cost.requests_a_second),
        format!("{:.2}", cost.p50 / 1e3),
        format!("{:.2}", cost.p99 / 1e3),
    ]
}

fn ratio_row(dockgate: &Cost, haproxy: &Cost) -> Vec<String> {
    let measures: [fn(&Cost) -> f64; 6] = [
        |cost| cost.cpu,
        |cost| cost.user,
        |cost| cost.system,
        |cost| cost.requests_a_second,
        |cost| cost.p50,
        |cost| cost.p99,
    ];
    measures.map(|measure| format!("**{:.2} ×**", measure(dockgate) / measure(haproxy))).to_vec()
}

/// A table in Markdown: texts to the left, figures to the right.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(header: &[&str]) -> Self {
        Self { rows: vec![header.iter().map(|&title| title.to_owned()).collect()] }
    }

    pub(super) fn row(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [header, rows @ ..] = &self.rows[..] else { return Ok(()) };
        let widths: Vec<usize> = (0..header.len())
            .map(|column| {
                self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
            })
            .collect();
        let is_figure = |column: usize| {
            let cells = rows.iter().map(|row| row[column].as_str());
            cells.filter(|cell| !cell.is_empty()).take(1).any(|cell| cell.parse::<f64>().is_ok())
        };

        for (number, row) in self.rows.iter().enumerate() {
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                if is_figure(column) {
                    write!(f, "| {cell:>width$} ")?;
                } else {
                    write!(f, "| {cell:<width$} ")?;
                }
            }
            writeln!(f, "|")?;
            if number == 0 {
                for (column, width) in widths.iter().enumerate() {
                    let right = if is_figure(column) { ':' } else { '-' };
                    write!(f, "| {}{right} ", "-".repeat(width.saturating_sub(1)))?;
                }
                writeln!(f, "|")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_to_the_right() {
        let mut table = Table::new(&["", "µs"]);
        table.row(vec!["haproxy".to_owned(), "30.1".to_owned()]);
        table.row(vec!["dockgate".to_owned(), "9.2".to_owned()]);
        let text = "\
|          |   µs |
| -------- | ---: |
| haproxy  | 30.1 |
| dockgate |  9.2 |
";
        assert_eq!(table.to_string(), text);
    }
}
