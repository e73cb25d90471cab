//! The mock daemon's server: just enough HTTP/1.1 to answer the same bytes again, fast.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::{LocalSet, spawn_local};

use super::Framing;
use super::answers::Answers;

/// Serves on `socket` and on a loopback port, which it prints, until its standard input closes.
pub fn serve(socket: &Path, framing: Framing) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, async {
        let unix = UnixListener::bind(socket)?;
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", tcp.local_addr()?);

        let answers = Rc::new(Answers::new(framing));
        spawn_local(accept_unix(unix, Rc::clone(&answers)));
        spawn_local(accept_tcp(tcp, answers));
        tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
        Ok(())
    })
}

async fn accept_unix(listener: UnixListener, answers: Rc<Answers>) {
    while let Ok((stream, _)) = listener.accept().await {
        spawn_local(converse(stream, Rc::clone(&answers)));
    }
}

async fn accept_tcp(listener: TcpListener, answers: Rc<Answers>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        spawn_local(converse(stream, Rc::clone(&answers)));
    }
}

/// Answers the requests of one connection. An error ends the connection and concerns nobody else.
async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, answers: Rc<Answers>) {
    let mut buffer = Vec::with_capacity(8 * 1024);
    loop {
        let Some(request) = Request::parse(&buffer) else {
            match stream.read_buf(&mut buffer).await {
                Ok(read) if read > 0 => continue,
                _ => return,
            }
        };
        let answer = answers.to(request.method, request.target);
        let (length, closes) = (request.length, request.closes);
        if stream.write_all(answer).await.is_err() || closes {
            return;
        }
        buffer.drain(..length);
    }
}

/// A complete request at the start of a buffer.
struct Request<'a> {
    method: &'a str,
    target: &'a str,
    /// Head and body.
    length: usize,
    closes: bool,
}

impl<'a> Request<'a> {
    /// `None` if more has to be read first. A body needs a `Content-Length`.
    fn parse(buffer: &'a [u8]) -> Option<Self> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut head = httparse::Request::new(&mut headers);
        let Ok(httparse::Status::Complete(head_length)) = head.parse(buffer) else { return None };

        let value = |name: &str| {
            let header = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            header.and_then(|header| std::str::from_utf8(header.value).ok())
        };
        let body_length =
            value("content-length").and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
        let closes = value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let length = head_length + body_length;
        (buffer.len() >= length).then_some(Self {
            method: head.method.unwrap_or_default(),
            target: head.path.unwrap_or_default(),
            length,
            closes,
        })
    }
}
