//! A client that speaks TLS.

use std::{
    io::{self, BufReader, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};

use crate::{
    authority::{Authority, Issued},
    scene::{Message, Of, PATIENCE},
};

/// A kept connection.
pub struct TlsClient(BufReader<StreamOwned<ClientConnection, TcpStream>>);

/// Trusts this authority alone, and shows a certificate whatever it is worth.
pub fn trusting(authority: &Authority, shown: Option<&Issued>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    Arc::new(match shown {
        None => builder.with_no_client_auth(),
        Some(shown) => {
            let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![shown.der.clone().into()], key).unwrap()
        }
    })
}

impl TlsClient {
    /// Connects, and shakes hands as far as that needs no answer to what is shown: in TLS 1.3 the
    /// client is told only afterwards that its certificate is not taken.
    pub fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> io::Result<Self> {
        let name = ServerName::try_from("localhost").unwrap();
        let mut tls = ClientConnection::new(Arc::clone(config), name).unwrap();
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        while tls.is_handshaking() {
            tls.complete_io(&mut stream)?;
        }
        Ok(Self(BufReader::new(StreamOwned::new(tls, stream))))
    }

    /// An error where the proxy has closed.
    pub fn ask(&mut self, request: &str) -> io::Result<Message> {
        self.0.get_mut().write_all(request.as_bytes())?;
        let answer = Message::read(&mut self.0, Of::Answer)?;
        answer.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// The certificate that the proxy has shown.
    pub fn shown(&self) -> Vec<u8> {
        self.0.get_ref().conn.peer_certificates().unwrap()[0].to_vec()
    }
}
