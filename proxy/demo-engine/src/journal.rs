//! A bounded list that grows at one end while any number of readers follow it.

use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::sync::watch;

use crate::locked;

pub(crate) struct Journal<T> {
    kept: Mutex<VecDeque<T>>,
    /// How many entries were ever written, those since dropped included.
    written: watch::Sender<u64>,
    limit: usize,
}

/// A reader's place. A reader that is too slow misses entries rather than hold up the writer.
pub(crate) struct Cursor {
    next: u64,
    written: watch::Receiver<u64>,
}

impl<T: Clone> Journal<T> {
    pub(crate) fn keeping(limit: usize) -> Self {
        Self { kept: Mutex::default(), written: watch::Sender::new(0), limit }
    }

    pub(crate) fn push(&self, entry: T) {
        let mut kept = locked(&self.kept);
        if kept.len() == self.limit {
            kept.pop_front();
        }
        kept.push_back(entry);
        self.written.send_modify(|written| *written += 1);
    }

    /// A cursor at the oldest entry that is kept.
    pub(crate) fn oldest(&self) -> Cursor {
        Cursor { next: 0, written: self.written.subscribe() }
    }

    /// Everything from the cursor to the end, and moves the cursor there.
    pub(crate) fn read(&self, cursor: &mut Cursor) -> Vec<T> {
        let kept = locked(&self.kept);
        let written = *self.written.borrow();
        let unread = usize::try_from(written - cursor.next).unwrap_or(usize::MAX).min(kept.len());
        cursor.next = written;
        kept.range(kept.len() - unread..).cloned().collect()
    }
}

impl Cursor {
    /// Returns once there is something to read.
    pub(crate) async fn grown(&mut self) {
        let next = self.next;
        // The journal lives as long as its readers, which borrow it to read.
        let _ = self.written.wait_for(|written| *written > next).await;
    }
}
