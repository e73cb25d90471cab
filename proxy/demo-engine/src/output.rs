//! What a process writes: raw chunks to those attached, whole lines to the log.

use std::sync::Mutex;

use bytes::{Bytes, BytesMut};
use time::OffsetDateTime;
use tokio::sync::mpsc;

use crate::journal::Journal;
use crate::locked;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Stdout = 1,
    Stderr = 2,
}

#[derive(Clone)]
pub(crate) struct Chunk {
    pub(crate) source: Source,
    pub(crate) data: Bytes,
}

#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) at: OffsetDateTime,
    pub(crate) chunk: Chunk,
}

pub(crate) struct Output {
    pub(crate) log: Journal<Line>,
    /// The beginning of a line of stdout and of stderr whose end has not been written yet.
    partial: Mutex<[BytesMut; 2]>,
    attached: Mutex<Vec<mpsc::Sender<Chunk>>>,
}

impl Output {
    pub(crate) fn new() -> Self {
        Self {
            log: Journal::keeping(MAX_LINES),
            partial: Mutex::default(),
            attached: Mutex::default(),
        }
    }

    /// Everything written from now on, until the process ends or the receiver is dropped.
    pub(crate) fn attach(&self) -> mpsc::Receiver<Chunk> {
        let (sender, receiver) = mpsc::channel(MAX_UNREAD_CHUNKS);
        locked(&self.attached).push(sender);
        receiver
    }

    /// Waits for those attached, as a process waits for the reader of its pipe.
    pub(crate) async fn write(&self, source: Source, data: Bytes) {
        self.log(source, &data);
        let attached = locked(&self.attached).clone();
        let mut gone = false;
        for reader in attached {
            gone |= reader.send(Chunk { source, data: data.clone() }).await.is_err();
        }
        if gone {
            locked(&self.attached).retain(|reader| !reader.is_closed());
        }
    }

    pub(crate) fn flush_log(&self) {
        for source in [Source::Stdout, Source::Stderr] {
            let rest = locked(&self.partial)[source as usize - 1].split();
            if !rest.is_empty() {
                self.log_line(source, rest.freeze());
            }
        }
    }

    /// Lets go of those attached, who see the end of the stream.
    pub(crate) fn detach_all(&self) {
        locked(&self.attached).clear();
    }

    fn log(&self, source: Source, data: &[u8]) {
        let mut partial = locked(&self.partial);
        let partial = &mut partial[source as usize - 1];
        for piece in data.split_inclusive(|byte| *byte == b'\n') {
            for piece in piece.chunks(MAX_LINE) {
                partial.extend_from_slice(piece);
                if partial.ends_with(b"\n") || partial.len() >= MAX_LINE {
                    self.log_line(source, partial.split().freeze());
                }
            }
        }
    }

    fn log_line(&self, source: Source, data: Bytes) {
        let line = Line { at: OffsetDateTime::now_utc(), chunk: Chunk { source, data } };
        self.log.push(line);
    }
}

const MAX_LINES: usize = 500;
const MAX_LINE: usize = 4096;
const MAX_UNREAD_CHUNKS: usize = 16;
