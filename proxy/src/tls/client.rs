//! Our side of TLS with the daemon.

use std::{error::Error as StdError, io, path::Path, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, Error, pki_types::ServerName, sign::SingleCertAndKey,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    Field, VERSIONS, Wrong,
    files::{self, authorities},
    provider,
};
use crate::config::UpstreamTls;

/// How the daemon is known, and how it knows us.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<ClientConfig>,
    ca: Arc<Path>,
}

impl Client {
    /// Reads the files. Nothing but what is in `ca` is trusted, whatever the system trusts.
    ///
    /// # Errors
    /// The first file that can't be used, and why.
    pub fn load(tls: &UpstreamTls) -> Result<Self, Wrong> {
        let authorities = authorities(Field::Ca, &tls.ca)?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(|error| Wrong {
                field: Field::Ca,
                file: tls.ca.clone(),
                problem: format!("can't be used: {error}"),
                cure: "",
            })?
            .with_root_certificates(authorities);
        // Docker's clients name no protocol either (ALPN); what is spoken is HTTP/1.1.
        let config = match (&tls.certificate, &tls.key) {
            (Some(certificate), Some(key)) => {
                let own = SingleCertAndKey::from(files::own(certificate, key)?);
                builder.with_client_cert_resolver(Arc::new(own))
            }
            (None, None) => builder.with_no_client_auth(),
            (Some(file), None) => return Err(alone(Field::Certificate, file, "give its key too")),
            (None, Some(file)) => return Err(alone(Field::Key, file, "give its certificate too")),
        };
        Ok(Self { config: Arc::new(config), ca: tls.ca.as_path().into() })
    }

    /// Shakes hands with the daemon.
    ///
    /// # Errors
    /// Where it does not come to a good end, in words that name the daemon's fault.
    pub async fn connect(
        &self,
        name: ServerName<'static>,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        connector.connect(name, stream).await.map_err(|error| match cause(&error) {
            Some(tls) => io::Error::new(error.kind(), self.words(tls)),
            None => error,
        })
    }

    fn words(&self, error: &Error) -> String {
        match error {
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                format!("its certificate is from no authority in {}", self.ca.display())
            }
            Error::InvalidCertificate(why) => format!("its certificate is refused: {why}"),
            Error::InvalidMessage(_) => "it does not speak TLS".to_owned(),
            Error::AlertReceived(alert) => format!("it refuses us: {alert:?}"),
            other => format!("TLS: {other}"),
        }
    }
}

/// What went wrong in TLS, if that is why something else did.
pub(crate) fn cause<'a>(mut error: &'a (dyn StdError + 'static)) -> Option<&'a Error> {
    loop {
        // An `io::Error` passes over what it holds when it is asked for its source.
        let held = error.downcast_ref::<io::Error>().and_then(|error| error.get_ref());
        error = match held {
            Some(held) => held,
            None => error.source()?,
        };
        if let Some(tls) = error.downcast_ref() {
            return Some(tls);
        }
    }
}

fn alone(field: Field, file: &Path, cure: &'static str) -> Wrong {
    Wrong { field, file: file.to_owned(), problem: "is there alone".to_owned(), cure }
}
