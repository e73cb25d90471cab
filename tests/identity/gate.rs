//! A unix socket that tells each client the name of its container.
//!
//! It is served by a process of its own, this very program, in the namespaces of the daemon: a proxy
//! on the daemon's machine, or with `pid: host` on it, counts processes as the daemon does.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use dockgate::client::directory::Origin;
use dockgate::listener::{Access, Address, Listener};
use dockgate::worker::Stream;

use crate::daemon::{Daemon, wait_until};
use crate::kept::Kept;

/// The folder of the gate, for the process that serves it.
const FOLDER: &str = "DOCKGATE_TEST_GATE";

/// Connects, and prints what it is told.
const CLIENT: &str = "import socket, sys
gate = socket.socket(socket.AF_UNIX)
gate.connect(sys.argv[1])
print(gate.makefile().read())";

pub struct Gate {
    namespaces: String,
    client: String,
    server: Child,
}

impl Gate {
    pub fn open(daemon: &Daemon) -> Self {
        let socket = daemon.folder().join("gate.sock");
        let script = daemon.folder().join("client.py");
        std::fs::write(&script, CLIENT).unwrap();
        let namespaces = daemon.namespaces();
        let server = entering(&namespaces)
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "gate::serves", "--ignored", "--nocapture"])
            .env(FOLDER, daemon.folder())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("the gate is open", || socket.exists());
        let client = format!("python3 {} {}", script.display(), socket.display());
        Self { namespaces, client, server }
    }

    /// The command of a client.
    pub fn client(&self) -> &str {
        &self.client
    }

    /// What a command prints that runs beside the daemon.
    pub fn on_the_machine(&self, command: &str) -> String {
        let output = entering(&self.namespaces)
            .args(["sh", "-c", command])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same, in cgroups that are called like a container's.
    pub fn in_a_forged_cgroup(&self, container: &str, command: &str) -> String {
        let forged = format!("dockgate-test-forged-{}/{container}", std::process::id());
        self.on_the_machine(&format!(
            r"
            hierarchies=/sys/fs/cgroup
            [ -f /sys/fs/cgroup/cgroup.controllers ] || hierarchies=$(echo /sys/fs/cgroup/*)
            for hierarchy in $hierarchies; do
                mkdir -p $hierarchy/{forged}
                for of in cpus mems; do
                    for below in $hierarchy/{parent} $hierarchy/{forged}; do
                        [ ! -f $below/cpuset.$of ] || cat $hierarchy/cpuset.$of >$below/cpuset.$of
                    done
                done 2>/dev/null
            done
            (
                read -r pid _ </proc/self/stat
                for hierarchy in $hierarchies; do echo $pid >$hierarchy/{forged}/cgroup.procs; done
                grep -q {container} /proc/self/cgroup && {command}
            )
            rmdir $(for hierarchy in $hierarchies; do echo $hierarchy/{forged} $hierarchy/{parent}; done)
            ",
            parent = forged.split('/').next().unwrap(),
        ))
    }

    /// Where the daemon put a container.
    pub fn cgroup_of(&self, container: &str) -> String {
        let found = self.on_the_machine(&format!(
            "cat /proc/[0-9]*/cgroup 2>/dev/null | grep -o '/.*{container}.*' | sort -u | head -n 1"
        ));
        found.trim().to_owned()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // It is ended with the daemon's namespaces otherwise.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn entering(namespaces: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.args(["--target", namespaces, "--mount", "--net", "--pid", "--"]);
    command
}

/// Not a test of its own: what serves the gate.
#[test]
#[ignore = "it is started by the test that connects to the gate"]
fn serves() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let kept = Kept::at(&folder.join("docker.sock"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(serve(&kept, &folder.join("gate.sock")));
}

async fn serve(kept: &Kept, socket: &Path) {
    let access = Access { mode: 0o666, owner: (None, None) };
    let listener = Listener::open(&Address::Unix(socket.to_owned()), access).unwrap();
    loop {
        let (stream, peer) = listener.accept().await.unwrap();
        let Stream::Unix(mut stream) = stream else { unreachable!("it is a unix socket") };
        let origin = Origin::of(&peer, std::os::fd::AsFd::as_fd(&stream), SystemTime::now());
        let container = kept.directory.container_of(&origin).await;
        let name = container.as_ref().map_or("nobody", |container| &container.name);
        // A client that is gone has its answer.
        let _ = stream.write_all(name.as_bytes());
    }
}
