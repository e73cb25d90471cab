//! What the proxy writes.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use serde_json::Value;

use super::peer::PATIENCE;

/// Lines, as they come.
#[derive(Clone, Default)]
pub struct Log(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Log {
    pub fn push(&self, line: String) {
        let (lines, more) = &*self.0;
        lines.lock().expect("no panic").push(line);
        more.notify_all();
    }

    pub fn text(&self) -> String {
        self.0.0.lock().expect("no panic").join("\n")
    }

    /// All until now that are JSON objects.
    pub fn lines(&self) -> Vec<Value> {
        self.0.0.lock().expect("no panic").iter().filter_map(|line| parse(line)).collect()
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

    fn wait_for_line<T>(&self, what: &str, read: impl Fn(&str) -> Option<T>) -> T {
        let (lines, more) = &*self.0;
        let end = Instant::now() + PATIENCE;
        let mut lines = lines.lock().expect("no panic");
        loop {
            if let Some(found) = lines.iter().find_map(|line| read(line)) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what} in\n{}", lines.join("\n"));
            lines = more.wait_timeout(lines, left).expect("no panic").0;
        }
    }
}

fn parse(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok().filter(Value::is_object)
}
