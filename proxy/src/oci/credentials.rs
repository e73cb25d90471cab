//! Who we are to a registry: what `docker login` left behind.

use std::{env, fs, io, path::PathBuf};

use docker_credential::{CredentialRetrievalError, DockerCredential};
use oci_client::secrets::RegistryAuth;

/// What a registry is shown.
pub(super) struct Credentials {
    pub auth: RegistryAuth,
    /// Where they are kept, or would be.
    place: PathBuf,
}

impl Credentials {
    /// Those that Docker keeps for a registry, in its configuration or with a credential helper;
    /// none are none.
    ///
    /// # Errors
    /// Words on why they can't be had. What a helper says is not among them.
    pub(super) fn of_docker(host: &str) -> Result<Self, String> {
        let Some(place) = configuration() else { return Ok(Self::none()) };
        let file = match fs::File::open(&place) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { auth: RegistryAuth::Anonymous, place });
            }
            Err(error) => return Err(format!("{}: {error}", place.display())),
        };
        // By the name that Docker keeps those of Docker Hub under.
        let server = if host == "index.docker.io" { "https://index.docker.io/v1/" } else { host };
        let found = docker_credential::get_credential_from_reader(io::BufReader::new(file), server);
        let auth = match found {
            Ok(DockerCredential::UsernamePassword(user, password)) => {
                RegistryAuth::Basic(user, password)
            }
            Ok(DockerCredential::IdentityToken(_)) => {
                return Err(format!(
                    "{} has an identity token for {host}, which can't be used here: log in with a user \
                     and a password, or an access token in its place",
                    place.display()
                ));
            }
            Err(CredentialRetrievalError::NoCredentialConfigured) => RegistryAuth::Anonymous,
            Err(CredentialRetrievalError::HelperFailure { stdout, .. })
                if stdout.contains(NOT_FOUND) =>
            {
                RegistryAuth::Anonymous
            }
            Err(error) => {
                return Err(format!("{}: {} for {host}", place.display(), words(&error)));
            }
        };
        Ok(Self { auth, place })
    }

    /// Of somebody who has none.
    pub(super) fn none() -> Self {
        Self { auth: RegistryAuth::Anonymous, place: PathBuf::from("~/.docker/config.json") }
    }

    /// What to do where a registry does not take them.
    pub(super) fn denied(&self, host: &str) -> String {
        let place = self.place.display();
        match self.auth {
            RegistryAuth::Anonymous => format!(
                "{host} wants credentials for this, or does not have it, and {place} has none: \
                 `docker login {host}`"
            ),
            _ => format!(
                "{host} does not take the credentials in {place} for this: log in again with \
                 `docker login {host}`"
            ),
        }
    }
}

/// How a credential helper says that it has none (docker-credential-helpers, `credentials/error.go`).
const NOT_FOUND: &str = "credentials not found";

/// Docker's own configuration.
fn configuration() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("DOCKER_CONFIG").or_else(|| Some(set("HOME")?.join(".docker")))?;
    Some(folder.join("config.json"))
}

/// Without what a helper wrote, which may be a secret.
fn words(error: &CredentialRetrievalError) -> String {
    match error {
        CredentialRetrievalError::HelperCommunicationError => {
            "the credential helper that it names is not there, or does not listen".to_owned()
        }
        CredentialRetrievalError::MalformedHelperResponse => {
            "the credential helper that it names answers nothing that can be read".to_owned()
        }
        CredentialRetrievalError::HelperFailure { helper, .. } => format!("{helper} fails"),
        _ => "the credentials in it can't be read".to_owned(),
    }
}
