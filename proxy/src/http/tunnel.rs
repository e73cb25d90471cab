//! A connection that the daemon took over: bytes in both directions, each ended by itself.

use std::{io, time::Duration};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

/// How long a client may go on sending when the daemon has ended its side for good: with nothing
/// left to read it has no reason to stay.
const LINGER: Duration = Duration::from_secs(30);

/// Carries bytes both ways until both sides have ended theirs, and counts those for the client. The
/// end of one side is passed on and leaves the other open: a client that is done with its input
/// goes on reading what comes out.
///
/// # Errors
/// Where one of the two breaks off; what was carried is counted in `to_client` all the same.
pub(super) async fn carry(
    client: impl AsyncRead + AsyncWrite,
    daemon: impl AsyncRead + AsyncWrite,
    to_client: &mut u64,
) -> io::Result<()> {
    let (mut from_client, mut client_side) = tokio::io::split(client);
    let (mut from_daemon, mut daemon_side) = tokio::io::split(daemon);
    let upload = async {
        match tokio::io::copy(&mut from_client, &mut daemon_side).await {
            // The daemon takes no more. What still comes is read and dropped, or the system would
            // reset the connection before the output has arrived.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                tokio::io::copy(&mut from_client, &mut tokio::io::sink()).await.map(drop)
            }
            copied => {
                copied?;
                daemon_side.shutdown().await
            }
        }
    };
    let download = async {
        let copied = copy_counting(&mut from_daemon, &mut client_side, to_client).await;
        let ended = client_side.shutdown().await;
        copied.and(ended)
    };
    tokio::pin!(upload, download);
    tokio::select! {
        uploaded = &mut upload => {
            // A client that can't be read any more may still be written to, and the reverse; only
            // the direction that ended well is waited out.
            uploaded?;
            download.await
        }
        downloaded = &mut download => {
            downloaded?;
            tokio::time::timeout(LINGER, upload).await.unwrap_or(Ok(()))
        }
    }
}

async fn copy_counting(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    count: &mut u64,
) -> io::Result<()> {
    use tokio::io::AsyncReadExt as _;
    let mut buffer = bytes::BytesMut::new();
    loop {
        buffer.reserve(16 << 10);
        let n = from.read_buf(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        to.write_all_buf(&mut buffer).await?;
        to.flush().await?;
        *count += n as u64;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn each_side_ends_by_itself() {
        let (mut client, client_end) = duplex(64);
        let (mut daemon, daemon_end) = duplex(64);
        let carried = tokio::spawn(async move {
            let mut count = 0;
            carry(client_end, daemon_end, &mut count).await.map(|()| count)
        });
        client.write_all(b"input").await.unwrap();
        client.shutdown().await.unwrap();
        let mut input = String::new();
        daemon.read_to_string(&mut input).await.unwrap();
        assert_eq!(input, "input", "the end of the input arrives");
        daemon.write_all(b"output after it").await.unwrap();
        drop(daemon);
        let mut output = String::new();
        client.read_to_string(&mut output).await.unwrap();
        assert_eq!(output, "output after it");
        assert_eq!(carried.await.unwrap().unwrap(), 15);
    }
}
