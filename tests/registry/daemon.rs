//! A registry of images for the length of a test.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// A registry that serves until it is dropped.
pub struct Registry {
    folder: TempDir,
    process: Child,
    host: String,
}

/// One that is to be started.
pub struct Scene {
    folder: TempDir,
    address: &'static str,
    tls: &'static str,
    auth: &'static str,
}

/// One at 127.0.0.1 that anybody may use. `None`, after a line that says why, where none can run.
pub fn registry() -> Option<Registry> {
    Some(scene()?.start())
}

/// The same, not started yet.
pub fn scene() -> Option<Scene> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(PROGRAM).exists()) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        return Some(Scene { folder, address: "127.0.0.1", tls: "", auth: "" });
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{PROGRAM} is to be installed in CI");
    // The harness captures what the print macros write, and shows it only for tests that fail.
    writeln!(io::stderr(), "SKIPPED: {PROGRAM} is not installed").expect("stderr takes a line");
    None
}

const PROGRAM: &str = "docker-registry";

/// Who may use one with users, `htpasswd -nbB -C 4`.
pub const USER: &str = "reader";
pub const PASSWORD: &str = "open sesame";
const USERS: &str = "reader:$2y$04$b0KP8KM5WpbkT0.BKRj3Kugo09CBatnYw/yXEljC/WivQTK0D67C.\n";

impl Scene {
    /// The same at another address of this machine.
    pub fn at(self, address: &'static str) -> Self {
        Self { address, ..self }
    }

    /// The same with this certificate.
    pub fn with_certificate(self, certificate: &str, key: &str) -> Self {
        fs::write(self.folder.path().join("cert.pem"), certificate).unwrap();
        fs::write(self.folder.path().join("key.pem"), key).unwrap();
        Self { tls: "\n  tls: {certificate: FOLDER/cert.pem, key: FOLDER/key.pem}", ..self }
    }

    /// The same for one user.
    pub fn with_users(self) -> Self {
        fs::write(self.folder.path().join("users"), USERS).unwrap();
        Self { auth: "auth: {htpasswd: {realm: here, path: FOLDER/users}}\n", ..self }
    }

    pub fn start(self) -> Registry {
        let Self { folder, address, tls, auth } = self;
        let configuration = format!(
            "version: 0.1\nlog: {{level: info, formatter: json}}\n\
             storage: {{filesystem: {{rootdirectory: FOLDER/storage}}}}\n\
             http:\n  addr: '{address}:0'\n  secret: test{tls}\n{auth}"
        );
        let configuration = configuration.replace("FOLDER", folder.path().to_str().unwrap());
        fs::write(folder.path().join("config.yml"), configuration).unwrap();
        let mut process = Command::new(PROGRAM)
            .arg("serve")
            .arg(folder.path().join("config.yml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry starts");
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut said = String::new();
        let host = loop {
            let before = said.len();
            assert!(log.read_line(&mut said).unwrap() > 0, "it does not listen: {said}");
            if let Some((_, rest)) = said[before..].split_once("listening on ") {
                break rest.split(['"', ',']).next().unwrap().to_owned();
            }
        };
        // It would wait for somebody to read what it says.
        std::thread::spawn(move || io::copy(&mut log, &mut io::sink()));
        Registry { folder, process, host }
    }
}

impl Registry {
    /// The reference of something in it.
    pub fn reference(&self, name: &str) -> String {
        format!("oci://{}/{name}", self.host)
    }

    /// Its name, as Docker has it.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The file of something in it: `sha256:…`.
    pub fn blob(&self, digest: &str) -> PathBuf {
        let digits = digest.strip_prefix("sha256:").unwrap();
        let blobs = self.folder.path().join("storage/docker/registry/v2/blobs/sha256");
        blobs.join(&digits[..2]).join(digits).join("data")
    }

    /// The digest of the one layer of an artifact in it, by its manifest.
    pub fn layer(&self, pinned: &str) -> String {
        let (_, digest) = pinned.split_once('@').unwrap();
        let manifest = fs::read(self.blob(digest)).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        manifest["layers"][0]["digest"].as_str().unwrap().to_owned()
    }

    /// Loses all that has this name.
    pub fn forget(&self, name: &str) {
        let repositories = self.folder.path().join("storage/docker/registry/v2/repositories");
        fs::remove_dir_all(repositories.join(name)).unwrap();
    }

    /// Whether anything was pushed.
    pub fn is_empty(&self) -> bool {
        !self.folder.path().join("storage/docker/registry/v2/repositories").exists()
    }

    pub fn stop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop();
    }
}
