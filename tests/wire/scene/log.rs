//! What the proxy writes.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;

use super::peer::PATIENCE;

/// Lines, as they come.
#[derive(Clone, Default)]
pub struct Log(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Log {
    pub fn push(&self, line: String) {
        self.lock().push(line);
        self.0.1.notify_all();
    }

    pub fn text(&self) -> String {
        self.lock().join("\n")
    }

    /// All until now that are JSON objects.
    pub fn lines(&self) -> Vec<Value> {
        self.lock().iter().filter_map(|line| parse(line)).collect()
    }

    /// The records of requests among them.
    pub fn records(&self) -> Vec<Value> {
        self.lines().into_iter().filter(|line| line.get("verdict").is_some()).collect()
    }

    /// The first line that is so, once it is there.
    pub fn wait_for(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        self.wait_for_line(what, |line| parse(line).filter(&is_so))
    }

    /// Waits for a line that has a text in it.
    pub fn wait_for_text(&self, text: &str) -> String {
        self.wait_for_line(text, |line| line.contains(text).then(|| line.to_owned()))
    }

    /// Waits for a line with a text among those from the one with this number on; gives the number
    /// of the line behind it.
    pub fn wait_beyond(&self, from: usize, text: &str) -> usize {
        let (mut number, end) = (from, Instant::now() + PATIENCE);
        let mut lines = self.lock();
        loop {
            while let Some(line) = lines.get(number) {
                number += 1;
                if line.contains(text) {
                    return number;
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {text} from line {from} on");
            lines = self.0.1.wait_timeout(lines, left).expect("no panic").0;
        }
    }

    /// How many lines there are until now.
    pub fn length(&self) -> usize {
        self.lock().len()
    }

    /// Who waited in vain has panicked with the lines in hand; they are good all the same.
    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_line<T>(&self, what: &str, read: impl Fn(&str) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut lines = self.lock();
        loop {
            if let Some(found) = lines.iter().find_map(|line| read(line)) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what} in\n{}", lines.join("\n"));
            lines = self.0.1.wait_timeout(lines, left).expect("no panic").0;
        }
    }
}

fn parse(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok().filter(Value::is_object)
}
