//! The mock daemon: a process of its own, so that what it uses is not counted with the proxies.

mod answers;
mod serve;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub use serve::serve;

use crate::error::BenchError;

/// How the daemon marks the end of its lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Framing {
    /// As one chunk, which is what Go's net/http makes of an answer over 2 kB written at once.
    #[default]
    Chunked,
    /// With a `Content-Length`.
    Length,
}

impl Framing {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chunked => "chunked",
            Self::Length => "length",
        }
    }
}

/// A running mock daemon, ended with this value.
#[derive(Debug)]
pub struct MockDaemon {
    child: Child,
    /// Where proxies reach it.
    pub socket: PathBuf,
    /// Where wrk, which speaks only TCP, reaches it bare.
    pub tcp: SocketAddr,
}

impl MockDaemon {
    /// Starts `program`, a dockgate-bench, as the daemon on a socket in `folder`.
    pub fn start(program: &Path, folder: &Path, framing: Framing) -> Result<Self, BenchError> {
        let socket = folder.join("docker.sock");
        let mut child = Command::new(program)
            .args(["mock-daemon", "--framing", framing.name(), "--socket"])
            .arg(&socket)
            // It ends when this pipe closes, however its parent ends.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|source| BenchError::Start {
                program: program.display().to_string(),
                source,
            })?;

        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(BenchError::io("reading the mock daemon's address"))?;
        }
        let tcp = line.trim().parse().map_err(|_| BenchError::Unreadable {
            what: "the mock daemon's address",
            text: line.clone(),
        })?;
        Ok(Self { child, socket, tcp })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for MockDaemon {
    fn drop(&mut self) {
        // Both fail only if it ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
