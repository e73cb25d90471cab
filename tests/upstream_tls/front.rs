//! A TCP port in front of a daemon's socket, as a daemon has it itself.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpStream, UnixStream},
    sync::oneshot,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    authority::{Authority, Issued},
    scene::Daemon,
};

/// What is spoken at the port.
#[derive(Clone)]
pub enum Security {
    None,
    /// Something else than TLS, before anything comes.
    Babble,
    Tls(Arc<ServerConfig>),
}

impl Security {
    /// TLS, with those only who show a certificate of an authority, where there is one.
    pub fn tls(
        ours: &Issued,
        version: &'static SupportedProtocolVersion,
        asking: Option<&Authority>,
    ) -> Self {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[version])
            .unwrap();
        let builder = match asking {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                let pem = authority.pem.as_bytes();
                roots.add(CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::from_pem_slice(ours.key.as_bytes()).unwrap();
        let config = builder.with_single_cert(vec![ours.der.clone().into()], key).unwrap();
        Self::Tls(Arc::new(config))
    }
}

/// What stands at the port, until it is ended or dropped.
pub struct Front {
    address: SocketAddr,
    shown: Shown,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The certificates of those who shook hands, in order.
type Shown = Arc<Mutex<Vec<Option<Vec<u8>>>>>;

impl Front {
    pub fn of(daemon: &Daemon, security: Security) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), daemon, security)
    }

    pub fn at(address: SocketAddr, daemon: &Daemon, security: Security) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel();
        let shown = Shown::default();
        let (record, socket) = (Arc::clone(&shown), daemon.socket());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // With the runtime all connections end.
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = ended => {}
                    () = accept_all(listener, socket, security, record) => {}
                }
            });
        });
        Self { address, shown, end: Some(end), thread: Some(thread) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn shown(&self) -> Vec<Option<Vec<u8>>> {
        self.shown.lock().unwrap().clone()
    }

    /// Closes the port and all connections.
    pub fn end(self) {
        drop(self);
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        drop(self.end.take());
        // Where it panicked the test has seen it.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn accept_all(listener: TcpListener, socket: PathBuf, security: Security, shown: Shown) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(serve(stream, socket.clone(), security.clone(), Arc::clone(&shown)));
    }
}

async fn serve(mut stream: TcpStream, socket: PathBuf, security: Security, shown: Shown) {
    match security {
        Security::None => relay(stream, socket).await,
        Security::Babble => {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
        Security::Tls(config) => {
            // Who is refused is none of the daemon's.
            let Ok(stream) = TlsAcceptor::from(config).accept(stream).await else { return };
            let certificate = stream.get_ref().1.peer_certificates().map(|all| all[0].to_vec());
            shown.lock().unwrap().push(certificate);
            relay(stream, socket).await;
        }
    }
}

/// Carries the end of each side on by itself. What ends without a `close_notify` breaks it off.
async fn relay(mut stream: impl AsyncRead + AsyncWrite + Unpin, socket: PathBuf) {
    let mut daemon = UnixStream::connect(socket).await.unwrap();
    let _ = copy_bidirectional(&mut stream, &mut daemon).await;
}
