//! A registry, and what is asked of it.
//!
//! This is for processes that end: a client with its TLS, and what it keeps of connections, is not
//! for the one that serves.

use std::{
    fs, io,
    io::Write as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http::HeaderValue;
use oci_client::{
    Client, RegistryOperation,
    client::{ClientConfig, ClientProtocol},
    errors::OciDistributionError,
    manifest::{
        IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    },
};
use tokio::io::AsyncWrite;

use super::{
    Artifact, Digest, Failure, Reference,
    artifact::{self, Layer},
    credentials::Credentials,
};

/// How long a registry may take to accept a connection.
const ACCEPTING: Duration = Duration::from_secs(10);
/// How long a registry may be silent.
const SILENT: Duration = Duration::from_secs(30);
/// How much is sent in one request.
const PART: usize = 4 << 20;

/// How registries are spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// With TLS, but for those on this machine.
    Safe,
    /// In plain HTTP.
    Plain,
}

/// Is told how many bytes of how many have come or gone.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// A registry, and what in it is meant.
pub(super) struct Registry {
    client: Client,
    reference: Reference,
    credentials: Credentials,
}

impl Registry {
    /// Makes ourselves known to it, if it wants that.
    pub(super) async fn open(
        reference: Reference,
        transport: Transport,
        operation: RegistryOperation,
    ) -> Result<Self, Failure> {
        let client = client(&reference, transport)?;
        let host = reference.host().to_owned();
        // A helper is another program, and takes its time.
        let credentials = tokio::task::spawn_blocking(move || Credentials::of_docker(&host))
            .await
            .map_err(|error| Failure::Refused(error.to_string()))?
            .map_err(Failure::Refused)?;
        let registry = Self { client, reference, credentials };
        let authenticated =
            registry.client.auth(registry.reference.named(), &registry.credentials.auth, operation);
        authenticated.await.map_err(|error| registry.failure(error))?;
        Ok(registry)
    }

    /// The manifest, as it was pushed.
    pub(super) async fn manifest(&self) -> Result<Bytes, Failure> {
        let accepted = [
            artifact::MANIFEST,
            IMAGE_MANIFEST_MEDIA_TYPE,
            // To be able to say that they are none.
            OCI_IMAGE_INDEX_MEDIA_TYPE,
            IMAGE_MANIFEST_LIST_MEDIA_TYPE,
        ];
        let pulled = self.client.pull_manifest_raw(
            self.reference.named(),
            &self.credentials.auth,
            &accepted,
        );
        let (manifest, _) = pulled.await.map_err(|error| self.failure(error))?;
        let so = Digest::of(&manifest);
        match self.reference.digest() {
            Some(digest) if *digest != so => Err(Failure::Refused(format!(
                "the manifest that {} sends is not the one that was asked for: {so} in place of \
                 {digest}",
                self.reference.host()
            ))),
            _ => Ok(manifest),
        }
    }

    /// Writes a component to a file, no more of it than there should be. Whether it is the right one
    /// is for the store to see.
    pub(super) async fn component(
        &self,
        layer: &Layer,
        file: &fs::File,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let download = Download { file, done: 0, size: layer.size, progress };
        // Not from the addresses that a manifest may name besides.
        let digest = layer.digest.to_string();
        let pulled = self.client.pull_blob(self.reference.named(), &*digest, download);
        pulled.await.map_err(|error| self.failure(error))
    }

    /// Pushes all parts, the manifest last: what it names is there then.
    pub(super) async fn push(
        &self,
        artifact: &Artifact,
        progress: &Progress,
    ) -> Result<(), Failure> {
        self.push_blob(&artifact.config, &silent()).await?;
        self.push_blob(&artifact.component, progress).await?;
        let kind = HeaderValue::from_static(artifact::MANIFEST);
        let pushed =
            self.client.push_manifest_raw(self.reference.named(), artifact.manifest.clone(), kind);
        pushed.await.map(drop).map_err(|error| self.failure(error))
    }

    async fn push_blob(&self, content: &Bytes, progress: &Progress) -> Result<(), Failure> {
        let (image, digest) = (self.reference.named(), Digest::of(content).to_string());
        // One that does not say is sent it.
        if self.client.blob_exists(image, &digest).await.unwrap_or(false) {
            return Ok(());
        }
        let parts = stream::iter(parts(content.clone(), Arc::clone(progress)));
        let pushed = match self.client.push_blob_stream(image, parts, &digest, None).await {
            // There are registries that take nothing in parts.
            Err(OciDistributionError::SpecViolationError(_)) => {
                self.client.push_blob(image, content.clone(), &digest).await
            }
            pushed => pushed,
        };
        pushed.map(drop).map_err(|error| self.failure(error))
    }

    fn failure(&self, error: OciDistributionError) -> Failure {
        Failure::of(error, &self.reference, &self.credentials)
    }
}

/// Tells nobody.
pub fn silent() -> Progress {
    Arc::new(|_, _| {})
}

fn client(reference: &Reference, transport: Transport) -> Result<Client, Failure> {
    // There is one already where this is not the first client.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let plain = transport == Transport::Plain || reference.is_on_this_machine();
    let config = ClientConfig {
        protocol: if plain { ClientProtocol::Http } else { ClientProtocol::Https },
        connect_timeout: Some(ACCEPTING),
        read_timeout: Some(SILENT),
        platform_resolver: None,
        user_agent: concat!("dockgate/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    };
    Client::try_from(config).map_err(|_| {
        let words = "no certificates of authorities are found here: name a file with them in \
                     SSL_CERT_FILE";
        Failure::Refused(words.to_owned())
    })
}

/// Content in parts, which are told of as they are asked for.
fn parts(
    mut left: Bytes,
    progress: Progress,
) -> impl Iterator<Item = Result<Bytes, OciDistributionError>> + Send {
    let size = left.len() as u64;
    std::iter::from_fn(move || {
        progress(size - left.len() as u64, size);
        let part = left.split_to(PART.min(left.len()));
        (!part.is_empty()).then_some(Ok(part))
    })
}

/// What comes, on its way to a file. Nothing else is done by this process, so it may wait for the
/// disk.
struct Download<'d> {
    file: &'d fs::File,
    done: u64,
    size: u64,
    progress: &'d Progress,
}

impl AsyncWrite for Download<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        part: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.done += part.len() as u64;
        if self.done > self.size {
            let words = "the component is larger than its manifest says";
            return Poll::Ready(Err(io::Error::other(words)));
        }
        (self.progress)(self.done, self.size);
        Poll::Ready(self.file.write_all(part).map(|()| part.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
