//! Raw streams: the connections that attach and exec take over, and logs.

use std::future::pending;
use std::io::Cursor;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::HeaderMap;
use http::header::UPGRADE;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::api::Call;
use crate::containers::Container;
use crate::output::{Chunk, Line, Source};
use crate::process::Process;
use crate::query::Query;
use crate::reply::{self, Answer, Refusal, Result};
use crate::{Engine, shapes};

/// A connection that is about to become the standard streams of a process.
pub(crate) struct Session {
    pub(crate) process: Arc<Process>,
    pub(crate) upgrade: bool,
    pub(crate) stdin: bool,
    pub(crate) wanted: Wanted,
    /// What was written before, for a client that asked for it.
    pub(crate) replay: Vec<Line>,
    /// None when only the replay is wanted.
    pub(crate) output: Option<mpsc::Receiver<Chunk>>,
}

#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
}

pub(crate) fn asks_for_upgrade(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"tcp"))
}

pub(crate) fn attach(engine: &Engine, container: &Container, call: &Call) -> Answer {
    let process = Arc::clone(&container.process);
    let output = call.query.is_true("stream").then(|| process.output.attach());
    let log = &process.output.log;
    let with_log = call.query.is_true("logs");
    let replay = if with_log { log.read(&mut log.oldest()) } else { Vec::new() };
    engine.container_event(container, "attach", &[]);
    Answer::Hijack(Session {
        upgrade: asks_for_upgrade(&call.headers),
        stdin: call.query.is_true("stdin") && output.is_some(),
        wanted: Wanted::in_query(&call.query),
        replay,
        output,
        process,
    })
}

pub(crate) fn logs(container: &Container, query: &Query) -> Result<Answer> {
    let wanted = Wanted::in_query(query);
    if !wanted.stdout && !wanted.stderr {
        return Err(Refusal::bad_request("Bad parameters: you must choose at least one stream"));
    }
    let tail = query.get("tail").parse().unwrap_or(usize::MAX);
    let since = shapes::unix_time(query.get("since"))?;
    let until = shapes::unix_time(query.get("until"))?;
    let (timestamps, follow) = (query.is_true("timestamps"), query.is_true("follow"));
    let process = Arc::clone(&container.process);
    Ok(reply::stream(RAW_STREAM, async move |client| {
        let fits = |line: &Line| {
            wanted.includes(line.chunk.source)
                && since.is_none_or(|since| line.at >= since)
                && until.is_none_or(|until| line.at <= until)
        };
        let log = &process.output.log;
        // From before the log is read: what was written up to the end is read before the stream ends.
        let mut ended = pin!(process.ended());
        let mut complete = !follow;
        let mut cursor = log.oldest();
        let mut lines = log.read(&mut cursor);
        lines.retain(fits);
        lines.drain(..lines.len().saturating_sub(tail));
        loop {
            for line in lines.iter().filter(|line| fits(line)) {
                if client.send(framed(&logged(line, timestamps), process.tty)).await.is_err() {
                    return;
                }
            }
            if complete {
                return;
            }
            tokio::select! {
                () = cursor.grown() => {}
                () = &mut ended => complete = true,
            }
            lines = log.read(&mut cursor);
        }
    }))
}

impl Session {
    /// Runs to the end of the output. The client may close its side before: that ends the input.
    pub(crate) async fn run(self, stream: UnixStream, already_read: Bytes) {
        let Self { process, upgrade, stdin, wanted, replay, output } = self;
        let (reader, mut writer) = stream.into_split();
        let mut reader = Cursor::new(already_read).chain(reader);
        let write = async {
            writer.write_all(if upgrade { SWITCHING_HEAD } else { TAKEN_OVER_HEAD }).await?;
            for line in replay.iter().filter(|line| wanted.includes(line.chunk.source)) {
                writer.write_all(&framed(&line.chunk, process.tty)).await?;
            }
            let Some(mut output) = output else { return writer.shutdown().await };
            while let Some(chunk) = output.recv().await {
                if wanted.includes(chunk.source) {
                    writer.write_all(&framed(&chunk, process.tty)).await?;
                }
            }
            writer.shutdown().await
        };
        let read = async {
            if stdin {
                feed(&mut reader, process.stdin()).await;
                process.stdin_done();
            } else {
                feed(&mut reader, None).await;
            }
            pending().await
        };
        let sent = tokio::select! {
            sent = write => sent,
            never = read => never,
        };
        // A socket closed with input unread would look like a reset to the client.
        if sent.is_ok() {
            let _ = timeout(LINGER, feed(&mut reader, None)).await;
        }
    }
}

impl Wanted {
    fn in_query(query: &Query) -> Self {
        Self { stdout: query.is_true("stdout"), stderr: query.is_true("stderr") }
    }

    fn includes(self, source: Source) -> bool {
        match source {
            Source::Stdout => self.stdout,
            Source::Stderr => self.stderr,
        }
    }
}

/// Reads to the end, and lets `stdin` have it for as long as its process reads.
async fn feed(reader: &mut (impl AsyncRead + Unpin), mut stdin: Option<mpsc::Sender<Bytes>>) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(READ_SIZE);
        let Ok(1..) = reader.read_buf(&mut buffer).await else { return };
        let data = buffer.split().freeze();
        if let Some(writer) = &stdin
            && writer.send(data).await.is_err()
        {
            stdin = None;
        }
    }
}

fn logged(line: &Line, timestamps: bool) -> Chunk {
    if !timestamps {
        return line.chunk.clone();
    }
    let data = [shapes::timestamp(line.at).as_bytes(), b" ", &line.chunk.data].concat();
    Chunk { source: line.chunk.source, data: data.into() }
}

/// Without a terminal both streams share the connection, in frames of 8 bytes of head: the stream,
/// three zeros, the length.
fn framed(chunk: &Chunk, tty: bool) -> Bytes {
    if tty {
        return chunk.data.clone();
    }
    let mut frame = BytesMut::with_capacity(8 + chunk.data.len());
    frame.put_slice(&[chunk.source as u8, 0, 0, 0]);
    frame.put_u32(u32::try_from(chunk.data.len()).unwrap_or(u32::MAX));
    frame.put_slice(&chunk.data);
    frame.freeze()
}

const RAW_STREAM: &str = "application/vnd.docker.raw-stream";
/// Both as the daemon writes them, past its HTTP server.
const SWITCHING_HEAD: &[u8] = b"HTTP/1.1 101 UPGRADED\r\n\
    Content-Type: application/vnd.docker.raw-stream\r\n\
    Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
const TAKEN_OVER_HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n";
const READ_SIZE: usize = 8192;
const LINGER: Duration = Duration::from_secs(1);
