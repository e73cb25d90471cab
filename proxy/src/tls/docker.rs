//! TLS with the daemon as Docker's own clients are told of it: by variables, and a folder with
//! `ca.pem`, `cert.pem` and `key.pem`.

use std::path::{Path, PathBuf};

use super::Client;
use crate::{config::UpstreamTls, error::Error};

/// What the variables say about a daemon at a TCP address. None is plain TCP.
///
/// As for `docker` (`cli/flags/options.go` of docker/cli), `DOCKER_TLS_VERIFY` set to anything is TLS
/// with a daemon whose certificate is checked; the folder is `DOCKER_CERT_PATH`, or else that of the
/// client's configuration; and `cert.pem` and `key.pem` may be absent. `DOCKER_CERT_PATH` alone is
/// plain TCP for it, though TLS that checks nothing for programs on Docker's Go library. That kind of
/// TLS, which is `DOCKER_TLS` for `docker`, is not for a proxy: it is refused. And `ca.pem` is all that
/// is trusted, where `docker` trusts the system's authorities besides.
///
/// # Errors
/// Where there is no folder, or a file in it can't be used.
pub fn files_of_docker(
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<UpstreamTls>, Error> {
    let Some(verify) = variable("DOCKER_TLS_VERIFY") else {
        return match variable("DOCKER_TLS") {
            None => Ok(None),
            Some(value) => Err(Error::Value {
                name: "DOCKER_TLS",
                value,
                problem: "is TLS with whoever answers: set DOCKER_TLS_VERIFY=1 instead, and \
                          DOCKER_CERT_PATH to the folder of ca.pem"
                    .to_owned(),
            }),
        };
    };
    let in_home = |home: String| PathBuf::from(home).join(".docker").display().to_string();
    let folder = [
        ("DOCKER_CERT_PATH", variable("DOCKER_CERT_PATH")),
        ("DOCKER_CONFIG", variable("DOCKER_CONFIG")),
        ("HOME", variable("HOME").map(in_home)),
    ];
    let Some((name, folder)) = folder.into_iter().find_map(|(name, value)| Some((name, value?)))
    else {
        return Err(Error::Value {
            name: "DOCKER_TLS_VERIFY",
            value: verify,
            problem: "needs DOCKER_CERT_PATH: the folder of ca.pem, cert.pem and key.pem"
                .to_owned(),
        });
    };
    let files = files(Path::new(&folder));
    Client::load(&files).map_err(|wrong| Error::Value {
        name,
        value: folder,
        problem: format!(
            "is no folder for DOCKER_TLS_VERIFY: {wrong}; it needs ca.pem, and cert.pem and key.pem \
             where the daemon asks for a certificate"
        ),
    })?;
    Ok(Some(files))
}

fn files(folder: &Path) -> UpstreamTls {
    let if_there = |name| Some(folder.join(name)).filter(|file| file.exists());
    UpstreamTls {
        ca: folder.join("ca.pem"),
        certificate: if_there("cert.pem"),
        key: if_there("key.pem"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::tls::authority::Authority;

    #[test]
    fn tls_is_spoken_where_the_daemon_is_to_be_verified() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".docker");
        fs::create_dir(&folder).unwrap();
        Authority::new("ours").client("proxy").write(&folder, &Authority::new("daemons"));
        let (home, folder) = (home.path().to_str().unwrap(), folder.to_str().unwrap());
        for (variables, spoken) in [
            (vec![], false),
            (vec![("DOCKER_CERT_PATH", folder)], false),
            (vec![("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", folder)], true),
            // Anything at all, as for Docker's clients.
            (vec![("DOCKER_TLS_VERIFY", "0"), ("DOCKER_CERT_PATH", folder)], true),
            (vec![("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CONFIG", folder), ("HOME", "/")], true),
            (vec![("DOCKER_TLS_VERIFY", "1"), ("HOME", home), ("DOCKER_TLS", "1")], true),
        ] {
            assert_eq!(client(&variables).unwrap().is_some(), spoken, "{variables:?}");
        }
    }

    #[test]
    fn our_own_certificate_may_be_absent_but_not_in_half() {
        let folder = tempfile::tempdir().unwrap();
        Authority::new("ours").client("proxy").write(folder.path(), &Authority::new("daemons"));
        let path = folder.path().to_str().unwrap();
        let variables = [("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", path)];
        fs::remove_file(folder.path().join("key.pem")).unwrap();
        assert_eq!(
            client(&variables).unwrap_err().to_string(),
            format!(
                "DOCKER_CERT_PATH: {path:?} is no folder for DOCKER_TLS_VERIFY: {path}/cert.pem is \
                 there alone; it needs ca.pem, and cert.pem and key.pem where the daemon asks for a \
                 certificate"
            )
        );
        fs::remove_file(folder.path().join("cert.pem")).unwrap();
        assert!(client(&variables).unwrap().is_some());
        fs::remove_file(folder.path().join("ca.pem")).unwrap();
        let words = client(&variables).unwrap_err().to_string();
        assert!(words.contains("/ca.pem can't be read: No such file"), "{words}");
    }

    #[test]
    fn tls_that_verifies_nothing_is_refused() {
        let words = client(&[("DOCKER_TLS", "1")]).unwrap_err().to_string();
        assert!(
            words.starts_with("DOCKER_TLS: \"1\" is TLS with whoever answers: set "),
            "{words}"
        );
        let words = client(&[("DOCKER_TLS_VERIFY", "1")]).unwrap_err().to_string();
        assert!(words.starts_with("DOCKER_TLS_VERIFY: \"1\" needs DOCKER_CERT_PATH: "), "{words}");
    }

    fn client(variables: &[(&str, &str)]) -> Result<Option<UpstreamTls>, Error> {
        files_of_docker(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }
}
