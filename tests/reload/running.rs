//! A proxy that is configured by a file, and the file.

use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::scene::{Daemon, Proxy};

/// What the log says of a configuration that was taken, and of one that was not.
pub const TAKEN: &str = "the new configuration is in use";
pub const REFUSED: &str = "the new configuration can't be used: the old one stays in use";

/// A folder for a configuration and the files that it names.
pub struct Folder(TempDir);

/// A proxy that runs by a configuration file.
pub struct Running {
    pub proxy: Proxy,
    pub folder: Folder,
    /// How much of the log was awaited.
    seen: Cell<usize>,
}

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The same, as it is written in a configuration.
    pub fn named(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file in its place, as `echo` does.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("a folder of ours");
    }

    /// Puts a new file in the place of an old one, as editors do.
    pub fn replace(&self, name: &str, content: impl AsRef<[u8]>) {
        let new = self.path(&format!(".{name}.new"));
        fs::write(&new, content).expect("a folder of ours");
        fs::rename(new, self.path(name)).expect("a folder of ours");
    }

    pub fn start(self, configuration: &str) -> Running {
        self.write("dockgate.yaml", configuration);
        self.started()
    }

    /// With the `dockgate.yaml` that is there.
    pub fn started(self) -> Running {
        let file = self.path("dockgate.yaml");
        let proxy = Proxy::in_front_of_nothing_said().configured_by(&file).start();
        Running { proxy, folder: self, seen: Cell::new(0) }
    }
}

impl Running {
    /// Has it read another configuration, which it is to take.
    pub fn takes(&self, configuration: &str) {
        self.is_told(configuration);
        self.logs(TAKEN);
    }

    /// Has it read another configuration, which it is to refuse: what it says.
    pub fn refuses(&self, configuration: &str) -> String {
        let from = self.proxy.log().length();
        self.is_told(configuration);
        self.logs(REFUSED);
        self.lines_from(from)
    }

    fn is_told(&self, configuration: &str) {
        self.folder.replace("dockgate.yaml", configuration);
        self.reads_what_is_there();
    }

    /// Has it read its configuration.
    pub fn reads_what_is_there(&self) {
        self.skip_log();
        self.proxy.signal(Signal::HUP);
        // Where the file was noticed just before, it is read twice, and the second time counts.
        self.logs("told to read the configuration again");
    }

    /// Waits for a line with this text behind those that were awaited.
    pub fn logs(&self, text: &str) {
        self.seen.set(self.proxy.log().wait_beyond(self.seen.get(), text));
    }

    /// What comes from here on is awaited next.
    pub fn skip_log(&self) {
        self.seen.set(self.proxy.log().length());
    }

    fn lines_from(&self, from: usize) -> String {
        self.proxy.log().text().lines().skip(from).collect::<Vec<_>>().join("\n")
    }
}

/// A daemon that gives its name to whoever asks.
pub fn daemon_called(name: &str) -> Daemon {
    let answer = crate::scene::ok(name);
    Daemon::answering(move |_| answer.clone())
}

/// A configuration with one listener, a chain that permits these flags, and more below it.
pub fn permitting(daemon: &Daemon, listeners: &str, flags: &str, more: &str) -> String {
    format!(
        "upstream: {{address: \"unix://{}\"}}
listeners: {listeners}
plugins:
  flags:
    source: bundled:tecnativa
    environment: {flags}
chains:
  - {{name: all, plugins: [flags]}}
{more}",
        daemon.socket().display()
    )
}

/// A listener on a free port.
pub const MAIN: &str = "{main: {address: \"127.0.0.1:0\"}}";
