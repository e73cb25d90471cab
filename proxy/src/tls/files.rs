//! Certificates and keys in files.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use rustls::{
    Error, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    sign::CertifiedKey,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::provider;

/// What is wrong with a file, or odd.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {problem}", file.display())]
pub struct Wrong {
    /// Which of the files it is, by the name of its field in the configuration.
    pub field: Field,
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub problem: String,
    /// What to do. Empty where nothing general can be said.
    pub cure: &'static str,
}

/// A file, by the name of its field in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Our own certificate.
    Certificate,
    /// The key of our own certificate.
    Key,
    /// The authorities for certificates of clients.
    ClientCa,
    /// The authorities for the daemon's certificate.
    Ca,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
            Self::ClientCa => "client-ca",
            Self::Ca => "ca",
        })
    }
}

/// A certificate, those between it and the authority, and its key.
pub(super) fn own(certificate: &Path, key: &Path) -> Result<CertifiedKey, Wrong> {
    let chain = certificates(Field::Certificate, certificate)?;
    let wrong_key = |problem, cure| wrong(Field::Key, key, problem, cure);
    let signing = provider().key_provider.load_private_key(private_key(key)?).map_err(|_| {
        let problem = "holds a key of a kind that is not known".to_owned();
        wrong_key(problem, "use an ECDSA (P-256, P-384), Ed25519 or RSA (2048 bits and more) key")
    })?;
    let own = CertifiedKey::new(chain, signing);
    match own.keys_match() {
        Ok(()) => Ok(own),
        Err(Error::InconsistentKeys(_)) => Err(wrong_key(
            format!("is not the key of the certificate in {}", certificate.display()),
            "give the key that the certificate was made with; in the certificate's file, the \
             certificate itself comes first",
        )),
        Err(error) => Err(wrong(
            Field::Certificate,
            certificate,
            format!("holds a certificate that can't be used: {error}"),
            "",
        )),
    }
}

/// The authorities in a file.
pub(super) fn authorities(field: Field, file: &Path) -> Result<RootCertStore, Wrong> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(field, file)? {
        store.add(certificate).map_err(|error| {
            let problem = format!("holds an authority that can't be used: {error}");
            wrong(field, file, problem, "")
        })?;
    }
    Ok(store)
}

/// What is odd about the dates of the certificates in a file that was read before.
pub(super) fn out_of_date(field: Field, file: &Path) -> Vec<Wrong> {
    let certificates = certificates(field, file).unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let odd = |der: &CertificateDer| {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        let (begin, end) = (validity.not_before, validity.not_after);
        let problem = match i64::try_from(now).ok()? {
            now if now > end.timestamp() => {
                format!("holds a certificate that ended on {}", end.to_datetime().date())
            }
            now if now < begin.timestamp() => {
                format!("holds a certificate that begins on {}", begin.to_datetime().date())
            }
            _ => return None,
        };
        Some(wrong(field, file, problem, "renew it, or set the clock"))
    };
    certificates.iter().filter_map(odd).collect()
}

fn certificates(field: Field, file: &Path) -> Result<Vec<CertificateDer<'static>>, Wrong> {
    let pem = read(field, file)?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| not_pem(field, file, &error))?;
    if certificates.is_empty() {
        let cure = "give a PEM file: -----BEGIN CERTIFICATE-----";
        return Err(wrong(field, file, "holds no certificate".to_owned(), cure));
    }
    Ok(certificates)
}

/// In any of the forms of keys in PEM: of PKCS #8, of PKCS #1 (RSA) and of SEC 1 (EC).
fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, Wrong> {
    let pem = read(Field::Key, file)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| match error {
        pem::Error::NoItemsFound if is_encrypted(&pem) => wrong(
            Field::Key,
            file,
            "holds a key that needs a password".to_owned(),
            "take the password off: openssl pkey -in KEY -out KEY.plain",
        ),
        pem::Error::NoItemsFound => wrong(
            Field::Key,
            file,
            "holds no private key".to_owned(),
            "give a PEM file: -----BEGIN PRIVATE KEY-----",
        ),
        error => not_pem(Field::Key, file, &error),
    })
}

fn is_encrypted(pem: &[u8]) -> bool {
    String::from_utf8_lossy(pem).contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
}

fn read(field: Field, file: &Path) -> Result<Vec<u8>, Wrong> {
    let cure = "put the file there, readable for the proxy, or name another";
    fs::read(file).map_err(|error| wrong(field, file, format!("can't be read: {error}"), cure))
}

/// What is wrong is told without the line in which it is: that may be a part of a key.
fn not_pem(field: Field, file: &Path, error: &pem::Error) -> Wrong {
    let (problem, cure) = match error {
        pem::Error::MissingSectionEnd { .. } => ("ends in the middle", "write all of it"),
        _ => (
            "is not well-formed PEM",
            "write it anew, with a line for each -----BEGIN and -----END",
        ),
    };
    wrong(field, file, problem.to_owned(), cure)
}

fn wrong(field: Field, file: &Path, problem: String, cure: &'static str) -> Wrong {
    Wrong { field, file: file.to_owned(), problem, cure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_in_all_the_forms_of_pem() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.pem");
        for kind in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
            // OpenSSL writes the parameters of a curve before the key.
            let parameters = "-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\n";
            let key = format!("{parameters}-----BEGIN {kind}-----\nMAA=\n-----END {kind}-----\n");
            fs::write(&file, key).unwrap();
            let read = match private_key(&file).unwrap() {
                PrivateKeyDer::Pkcs8(_) => "PRIVATE KEY",
                PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
                PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
                _ => "another",
            };
            assert_eq!(read, kind);
        }
    }

    #[test]
    fn the_words_about_a_broken_key_have_nothing_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.pem");
        for secret in [
            "-----BEGIN PRIVATE KEY-----\nc2VjcmV0!\n-----END PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END c2VjcmV0\n",
            "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
            "-----BEGIN c2VjcmV0\n",
        ] {
            fs::write(&file, secret).unwrap();
            let wrong = own(&file, &file).err().or_else(|| private_key(&file).err());
            let words = wrong.map(|wrong| format!("{wrong:?}")).unwrap_or_default();
            assert!(!words.contains("c2VjcmV0") && !words.contains("secret"), "{words}");
        }
    }
}
