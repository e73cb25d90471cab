//! One end of a connection, written and read by hand: a client's, or the daemon's.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use socket2::Socket;

use super::message::{Message, Of, read_chunk};

/// How long something that takes moments may take before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Peer {
    stream: BufReader<Socket>,
    says_goodbye: bool,
}

impl Peer {
    pub fn new(socket: impl Into<Socket>) -> Self {
        let socket = socket.into();
        socket.set_read_timeout(Some(PATIENCE)).expect("an open socket");
        socket.set_write_timeout(Some(PATIENCE)).expect("an open socket");
        Self { stream: BufReader::new(socket), says_goodbye: true }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).expect("the other side reads");
    }

    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.socket().write_all(bytes.as_ref())
    }

    /// Sends until the other side has taken nothing for a while: how many bytes it took.
    pub fn fill(&self) -> usize {
        let mut socket = self.socket();
        socket.set_write_timeout(Some(Duration::from_millis(500))).expect("an open socket");
        let block = vec![b'x'; 64 << 10];
        let mut sent = 0;
        while let Ok(n) = socket.write(&block) {
            sent += n;
        }
        sent
    }

    /// Says that nothing more will be sent, and goes on reading.
    pub fn close_sending(&self) {
        self.socket().shutdown(Shutdown::Write).expect("the sending half is open");
    }

    /// Sends a request and reads the answer.
    pub fn ask(&mut self, request: impl AsRef<[u8]>) -> Message {
        self.send(request);
        self.answer()
    }

    pub fn answer(&mut self) -> Message {
        self.message(Of::Answer)
    }

    pub fn answer_to_head(&mut self) -> Message {
        self.message(Of::AnswerToHead)
    }

    pub fn request(&mut self) -> Message {
        self.message(Of::Request)
    }

    /// A head, and not one byte of what follows.
    pub fn head(&mut self) -> Message {
        let head = Message::read_head(&mut self.stream).expect("a whole head");
        head.expect("the connection is open")
    }

    /// `None` where the other side has closed.
    pub fn try_message(&mut self, of: Of) -> io::Result<Option<Message>> {
        Message::read(&mut self.stream, of)
    }

    pub fn exactly(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).expect("as many bytes");
        bytes
    }

    /// A chunk of a chunked body as text, `None` for the last one.
    pub fn chunk(&mut self) -> Option<String> {
        let chunk = read_chunk(&mut self.stream).expect("a whole chunk");
        chunk.map(|chunk| String::from_utf8(chunk).expect("a chunk of text"))
    }

    /// What comes until the other side says that it sends no more. An error where it breaks off.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Expects that the other side closes, in whatever way, and sends nothing before.
    pub fn is_closed(&mut self) {
        match self.stream.fill_buf() {
            Ok([]) => {}
            Ok(bytes) => panic!("{:?} comes instead of the end", String::from_utf8_lossy(bytes)),
            Err(error) if is_break(&error) => {}
            Err(error) => panic!("the connection stays open: {error}"),
        }
    }

    /// Expects that the other side closes in order: with an end, not with a reset.
    pub fn ends(&mut self) {
        let rest = self.rest().expect("an end, not a reset");
        assert_eq!(String::from_utf8_lossy(&rest), "", "nothing comes before the end");
    }

    /// Goes with a reset and without an end.
    pub fn abandon(mut self) {
        self.socket().set_linger(Some(Duration::ZERO)).expect("an open socket");
        self.says_goodbye = false;
    }

    /// Another hold on the connection, to write with while this one reads.
    pub fn writer(&self) -> Socket {
        self.socket().try_clone().expect("a file descriptor")
    }

    pub fn reader(&mut self) -> &mut impl BufRead {
        &mut self.stream
    }

    pub fn socket(&self) -> &Socket {
        self.stream.get_ref()
    }

    fn message(&mut self, of: Of) -> Message {
        let message = self.try_message(of).expect("a whole message");
        message.expect("the connection is open")
    }
}

impl Drop for Peer {
    /// Closes, whoever else has a hold on the connection.
    fn drop(&mut self) {
        if self.says_goodbye {
            // The other side may have been faster.
            let _ = self.socket().shutdown(Shutdown::Both);
        }
    }
}

/// Whether a peer has gone without an end.
pub fn is_break(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}
