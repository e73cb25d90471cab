//! The listener's side of TLS.

use std::{io, sync::Arc, time::Duration};

use rustls::{
    Error, RootCertStore, ServerConfig,
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::SingleCertAndKey,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    Field, VERSIONS, Wrong, certificate,
    files::{self, authorities, out_of_date},
    provider,
};
use crate::{
    client::Certificate,
    config::{ClientCertificates, ListenerTls},
};

/// What a listener answers TLS with. It is as it was in its files when it was loaded.
#[derive(Clone, Debug)]
pub struct Server {
    config: Arc<ServerConfig>,
    clients: Option<ClientCertificates>,
    odd: Arc<[Wrong]>,
}

impl Server {
    /// Reads the files of a listener.
    ///
    /// # Errors
    /// The first file that can't be used, and why.
    pub fn load(tls: &ListenerTls) -> Result<Self, Wrong> {
        let own = files::own(&tls.certificate, &tls.key)?;
        let mut odd = out_of_date(Field::Certificate, &tls.certificate);
        let builder = ServerConfig::builder_with_provider(provider());
        let builder =
            builder.with_protocol_versions(VERSIONS).map_err(|error| refused(tls, &error))?;
        let builder = match &tls.client_ca {
            None => builder.with_no_client_auth(),
            Some(file) => {
                odd.extend(out_of_date(Field::ClientCa, file));
                let authorities = authorities(Field::ClientCa, file)?;
                builder.with_client_cert_verifier(
                    verifier(authorities, tls.clients).map_err(|error| refused(tls, &error))?,
                )
            }
        };
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A session that is taken up again would bring its certificate along unchecked, and it may
        // have ended since.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        let clients = tls.client_ca.as_ref().map(|_| tls.clients);
        Ok(Self { config: Arc::new(config), clients, odd: odd.into() })
    }

    /// What is odd about the files: a certificate that has ended, or has not begun. Clients see to
    /// the listener's own themselves, and that an authority has ended keeps nobody out.
    pub fn odd(&self) -> &[Wrong] {
        &self.odd
    }

    /// Whether clients must show certificates. None where nobody asks for any.
    pub fn clients(&self) -> Option<ClientCertificates> {
        self.clients
    }

    /// Shakes hands with a client, within a time, and says which certificate it has shown.
    ///
    /// # Errors
    /// Where it does not come to an end in time, or not to a good one; and where what the client has
    /// shown is valid, but can't be read.
    pub async fn accept(
        &self,
        stream: TcpStream,
        time: Duration,
    ) -> io::Result<(TlsStream<TcpStream>, Option<Arc<Certificate>>)> {
        let accepted = timeout(time, TlsAcceptor::from(Arc::clone(&self.config)).accept(stream));
        let slow = |_| {
            let words = format!("the TLS handshake took more than {} seconds", time.as_secs_f32());
            io::Error::new(io::ErrorKind::TimedOut, words)
        };
        let stream = accepted.await.map_err(slow)?.map_err(in_words)?;
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let certificate = shown.map(|shown| certificate::read(shown)).transpose();
        let certificate = certificate.map_err(|why| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the client's certificate is refused: {why}"),
            )
        })?;
        Ok((stream, certificate.map(Arc::new)))
    }
}

fn verifier(
    authorities: RootCertStore,
    clients: ClientCertificates,
) -> Result<Arc<dyn ClientCertVerifier>, impl std::fmt::Display> {
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider());
    match clients {
        ClientCertificates::Required => builder.build(),
        // Who shows one that is not good is refused all the same.
        ClientCertificates::Optional => builder.allow_unauthenticated().build(),
    }
}

fn refused(tls: &ListenerTls, error: &impl std::fmt::Display) -> Wrong {
    Wrong {
        field: Field::Certificate,
        file: tls.certificate.clone(),
        problem: format!("can't be used: {error}"),
        cure: "",
    }
}

/// Says what a client did wrong, for the log.
fn in_words(error: io::Error) -> io::Error {
    let words = match error.get_ref().and_then(|cause| cause.downcast_ref()) {
        Some(Error::NoCertificatesPresented) => "the client shows no certificate".to_owned(),
        Some(Error::InvalidCertificate(why)) => {
            format!("the client's certificate is refused: {why}")
        }
        Some(Error::InvalidMessage(_)) => "the client does not speak TLS".to_owned(),
        Some(Error::PeerIncompatible(why)) => {
            format!("the client speaks no TLS that is spoken here: {why:?}")
        }
        Some(Error::AlertReceived(alert)) => format!("the client breaks off: {alert:?}"),
        Some(other) => format!("TLS: {other}"),
        None => return error,
    };
    io::Error::new(error.kind(), words)
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use rcgen::CertificateParams;
    use rustls::{
        ClientConfig, SupportedProtocolVersion,
        pki_types::{PrivateKeyDer, ServerName, pem::PemObject as _},
        sign::CertifiedKey,
        version::{TLS12, TLS13},
    };
    use tempfile::TempDir;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };
    use tokio_rustls::TlsConnector;

    use super::*;
    use crate::tls::authority::{self, Authority, Issued};

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_client_is_known_by_its_certificate() {
        let scene = Scene::new(ClientCertificates::Required);
        let ci = scene.clients.client("ci");
        for version in [&TLS13, &TLS12] {
            let known = scene.accept(scene.client(Some(&ci), version)).await.unwrap().unwrap();
            assert_eq!(*known, certificate::read(&ci.der).unwrap());
            assert_eq!(known.subject, "CN=ci,O=Example");
        }
    }

    #[tokio::test]
    async fn who_shows_none_is_refused_or_nobody_as_the_listener_has_it() {
        for version in [&TLS13, &TLS12] {
            let scene = Scene::new(ClientCertificates::Required);
            let refused = scene.accept(scene.client(None, version)).await.unwrap_err();
            assert_eq!(refused.to_string(), "the client shows no certificate");
            let scene = Scene::new(ClientCertificates::Optional);
            assert_eq!(scene.accept(scene.client(None, version)).await.unwrap(), None);
            let ci = scene.clients.client("ci");
            assert!(scene.accept(scene.client(Some(&ci), version)).await.unwrap().is_some());
        }
    }

    #[tokio::test]
    async fn without_authorities_no_certificate_is_asked_for() {
        let mut scene = Scene::new(ClientCertificates::Required);
        scene.tls.client_ca = None;
        let ci = scene.clients.client("ci");
        assert_eq!(scene.accept(scene.client(Some(&ci), &TLS13)).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_certificate_that_is_not_good_is_refused_even_where_none_is_needed() {
        for clients in [ClientCertificates::Required, ClientCertificates::Optional] {
            let scene = Scene::new(clients);
            let with = |change: fn(&mut CertificateParams)| {
                let mut params = authority::client("ci");
                change(&mut params);
                scene.clients.issue(&params)
            };
            for (shown, why) in [
                (Authority::new("others").client("ci"), "UnknownIssuer"),
                // One that calls itself what the authority is called.
                (Authority::new("clients").client("ci"), "BadSignature"),
                (with(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 1)), "expired"),
                (
                    with(|params| params.not_before = rcgen::date_time_ymd(4000, 1, 1)),
                    "not valid yet",
                ),
                (scene.clients.server(&["ci"]), "does not allow"),
                (scene.clients.client("ci\n"), "CN in its subject has a control character"),
            ] {
                for version in [&TLS13, &TLS12] {
                    let refused = scene.accept(scene.client(Some(&shown), version)).await;
                    let words = refused.unwrap_err().to_string();
                    assert!(words.starts_with("the client's certificate is refused: "), "{words}");
                    assert!(words.contains(why), "{words} is for {why}");
                }
            }
        }
    }

    #[tokio::test]
    async fn a_certificate_of_another_is_refused_without_its_key() {
        let scene = Scene::new(ClientCertificates::Optional);
        let (ci, thief) = (scene.clients.client("ci"), scene.clients.client("thief"));
        let forged = Issued { key: thief.key, ..ci };
        for version in [&TLS13, &TLS12] {
            assert!(scene.accept(scene.client(Some(&forged), version)).await.is_err());
        }
    }

    #[tokio::test]
    async fn only_http_1_is_agreed_upon() {
        let scene = Scene::new(ClientCertificates::Optional);
        let mut config = scene.client(None, &TLS13);
        config.alpn_protocols = vec![b"h2".to_vec()];
        assert!(scene.accept(config.clone()).await.is_err());
        config.alpn_protocols.push(b"http/1.1".to_vec());
        assert!(scene.accept(config).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_no_tls_or_an_old_one_is_refused() {
        let scene = Scene::new(ClientCertificates::Optional);
        let plain = scene.accept_bytes(b"GET /_ping HTTP/1.1\r\nHost: a\r\n\r\n", PATIENCE).await;
        assert_eq!(plain.unwrap_err().to_string(), "the client does not speak TLS");
        // RFC 4346: a hello of version 3.2 with one suite and no extensions.
        let body = [&[3, 2][..], &[7; 32], &[0, 0, 2, 0, 0x2f, 1, 0]].concat();
        let length = u8::try_from(body.len()).unwrap();
        let hello = [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat();
        let words = scene.accept_bytes(&hello, PATIENCE).await.unwrap_err().to_string();
        assert!(words.starts_with("the client speaks no TLS that is spoken here: "), "{words}");
    }

    #[tokio::test]
    async fn a_handshake_that_dribbles_is_ended() {
        let scene = Scene::new(ClientCertificates::Optional);
        for hello in [&b""[..], &[22, 3, 1, 2, 0, 1, 0]] {
            let slow = scene.accept_bytes(hello, Duration::from_millis(200)).await.unwrap_err();
            assert_eq!(slow.kind(), io::ErrorKind::TimedOut);
            assert_eq!(slow.to_string(), "the TLS handshake took more than 0.2 seconds");
        }
    }

    #[test]
    fn a_file_that_can_not_be_used_is_named_with_its_field() {
        let scene = Scene::new(ClientCertificates::Required);
        let other = Authority::new("other").server(&["a"]);
        let encrypted =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let cut = &other.pem[..other.pem.len() / 2];
        for (field, text, problem) in [
            (Field::Certificate, None, "can't be read: No such file or directory (os error 2)"),
            (Field::Certificate, Some(""), "holds no certificate"),
            (Field::Certificate, Some(&*other.key), "holds no certificate"),
            (Field::Certificate, Some(cut), "ends in the middle"),
            (
                Field::Certificate,
                Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                "holds a certificate that can't be used: invalid peer certificate: BadEncoding",
            ),
            (
                Field::Certificate,
                Some("-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n"),
                "is not well-formed PEM",
            ),
            (Field::Key, None, "can't be read: No such file or directory (os error 2)"),
            (Field::Key, Some(&*other.pem), "holds no private key"),
            (Field::Key, Some(encrypted), "holds a key that needs a password"),
            (
                Field::Key,
                Some("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
                "holds a key of a kind that is not known",
            ),
            (Field::Key, Some(&*other.key), "is not the key of the certificate in "),
            (Field::ClientCa, None, "can't be read: No such file or directory (os error 2)"),
            (Field::ClientCa, Some("none"), "holds no certificate"),
            (
                Field::ClientCa,
                Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                "holds an authority that can't be used: invalid peer certificate: BadEncoding",
            ),
        ] {
            let mut tls = scene.tls.clone();
            let file = scene.folder.path().join("wrong.pem");
            let _ = fs::remove_file(&file);
            if let Some(text) = text {
                fs::write(&file, text).unwrap();
            }
            match field {
                Field::Certificate => tls.certificate = file.clone(),
                Field::Key => tls.key = file.clone(),
                Field::ClientCa | Field::Ca => tls.client_ca = Some(file.clone()),
            }
            let wrong = Server::load(&tls).unwrap_err();
            assert_eq!((wrong.field, &wrong.file), (field, &file));
            assert!(wrong.problem.starts_with(problem), "{wrong} is not: {problem}");
        }
    }

    #[test]
    fn a_certificate_that_has_ended_is_odd_and_no_more() {
        let scene = Scene::new(ClientCertificates::Required);
        assert_eq!(Server::load(&scene.tls).unwrap().odd(), []);
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2020, 1, 31);
        let ended = Authority::new("listeners").issue(&params);
        ended.write(scene.folder.path(), &scene.clients);
        let server = Server::load(&scene.tls).unwrap();
        let odd: Vec<_> = server.odd().iter().map(|odd| (odd.field, &*odd.problem)).collect();
        assert_eq!(odd, [(Field::Certificate, "holds a certificate that ended on 2020-01-31")]);
    }

    /// A listener, and the authorities of both sides.
    struct Scene {
        folder: TempDir,
        tls: ListenerTls,
        listeners: Authority,
        clients: Authority,
    }

    impl Scene {
        fn new(mode: ClientCertificates) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let (listeners, clients) = (Authority::new("listeners"), Authority::new("clients"));
            listeners.server(&["localhost"]).write(folder.path(), &clients);
            let file = |name: &str| -> PathBuf { folder.path().join(name) };
            let tls = ListenerTls {
                certificate: file("cert.pem"),
                key: file("key.pem"),
                client_ca: Some(file("ca.pem")),
                clients: mode,
            };
            Self { folder, tls, listeners, clients }
        }

        /// A client that shows a certificate whatever it is worth.
        fn client(
            &self,
            shown: Option<&Issued>,
            version: &'static SupportedProtocolVersion,
        ) -> ClientConfig {
            let ca: &Path = &self.folder.path().join("listeners.pem");
            fs::write(ca, &self.listeners.pem).unwrap();
            let builder = ClientConfig::builder_with_provider(provider())
                .with_protocol_versions(&[version])
                .unwrap()
                .with_root_certificates(authorities(Field::Ca, ca).unwrap());
            let Some(shown) = shown else { return builder.with_no_client_auth() };
            let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).unwrap();
            let key = provider().key_provider.load_private_key(key).unwrap();
            let own = CertifiedKey::new(vec![shown.der.clone().into()], key);
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own)))
        }

        async fn accept(&self, client: ClientConfig) -> io::Result<Option<Arc<Certificate>>> {
            let connector = TlsConnector::from(Arc::new(client));
            self.accept_from(PATIENCE, async |stream| {
                let name = ServerName::try_from("localhost").unwrap();
                // What the client makes of a refusal is its own affair.
                if let Ok(mut stream) = connector.connect(name, stream).await {
                    let _ = stream.read_to_end(&mut Vec::new()).await;
                }
            })
            .await
        }

        async fn accept_bytes(
            &self,
            bytes: &[u8],
            time: Duration,
        ) -> io::Result<Option<Arc<Certificate>>> {
            self.accept_from(time, async |mut stream| {
                stream.write_all(bytes).await.unwrap();
                let _ = stream.read_to_end(&mut Vec::new()).await;
            })
            .await
        }

        async fn accept_from(
            &self,
            time: Duration,
            client: impl AsyncFnOnce(TcpStream),
        ) -> io::Result<Option<Arc<Certificate>>> {
            let server = Server::load(&self.tls).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let client = async {
                client(TcpStream::connect(address).await.unwrap()).await;
            };
            let accept = async {
                let (stream, _) = listener.accept().await.unwrap();
                server.accept(stream, time).await.map(|(_, certificate)| certificate)
            };
            tokio::join!(client, accept).1
        }
    }
}
