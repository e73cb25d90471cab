//! The machine: the namespaces of the daemon, where the proxy runs and clients do.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    client::{Client, Settings},
    daemon::Daemon,
};

/// Inside of the daemon's namespaces: its networks are there, and processes are counted as it does.
#[derive(Clone)]
pub struct Machine {
    namespaces: String,
    daemon: String,
    folder: PathBuf,
}

impl Machine {
    pub fn of(daemon: &Daemon) -> Self {
        let (namespaces, folder) = (daemon.namespaces(), daemon.folder().to_owned());
        Self { namespaces, daemon: daemon.address(), folder }
    }

    /// A folder that all see who are in it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A unix socket in that folder.
    pub fn socket(&self, name: &str) -> String {
        format!("unix://{}", self.folder.join(name).display())
    }

    /// Runs what is appended. It ends with the process that is started here.
    pub fn command(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.namespaces, "--mount", "--net", "--pid", "--"]).args([
            "setpriv",
            "--pdeathsig",
            "KILL",
        ]);
        command
    }

    /// Runs a script that is part of the scene.
    pub fn must_run(&self, script: &str) {
        let script = ["sh", "-e", "-c", script];
        let status = self.command().args(script).stdin(Stdio::null()).status();
        assert!(status.expect("nsenter starts").success(), "{script:?}");
    }

    /// A client that is a process of the machine.
    pub fn client(&self, settings: Settings) -> Client {
        Client::start(self.command(), settings)
    }

    /// A client that is a process of the machine, in the network of this one.
    pub fn client_in_network_of(&self, process: &str, settings: Settings) -> Client {
        let mut command = self.command();
        command.args(["nsenter", "--target", process, "--net", "--"]);
        Client::start(command, settings)
    }

    /// A client in a container, which sees the folders of the machine: see [`WITH_MACHINE`].
    pub fn client_in(&self, container: &str, settings: Settings) -> Client {
        let mut command = Command::new("docker");
        command.env("DOCKER_HOST", &self.daemon).args([
            "exec",
            "--interactive",
            container,
            "chroot",
            "/machine",
        ]);
        Client::start(command, settings)
    }
}

/// What a container is run with for a client to be in it: the machine's own python is there.
pub const WITH_MACHINE: &str = "--volume /:/machine";

/// A network namespace with a cable to the machine, until it is dropped.
pub struct Namespace {
    machine: Machine,
    name: &'static str,
}

impl Namespace {
    /// The two ends of the cable have these addresses: the machine's, and the namespace's.
    pub fn new(machine: &Machine, name: &'static str, ours: &str, its: &str) -> Self {
        Self::plugged(machine, name, &format!("ip address add {ours} dev {name}"), its)
    }

    /// The machine's end is in a bridge of Docker's.
    pub fn in_bridge(machine: &Machine, name: &'static str, bridge: &str, its: &str) -> Self {
        Self::plugged(machine, name, &format!("ip link set {name} master {bridge}"), its)
    }

    fn plugged(machine: &Machine, name: &'static str, plug: &str, its: &str) -> Self {
        machine.must_run(&format!(
            "ip netns add {name}
            ip link add {name} type veth peer name eth0 netns {name}
            {plug}
            ip link set {name} up
            ip -netns {name} address add {its} dev eth0
            ip -netns {name} link set eth0 up"
        ));
        Self { machine: machine.clone(), name }
    }

    pub fn client(&self, settings: Settings) -> Client {
        let mut command = self.machine.command();
        command.args(["ip", "netns", "exec", self.name]);
        Client::start(command, settings)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The cable goes with it. If this fails, it goes with the daemon.
        let _ = self.machine.command().args(["ip", "netns", "delete", self.name]).status();
    }
}
