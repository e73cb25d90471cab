//! A real Docker daemon for the length of a test run.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::shell::Shell;
use crate::wire::Wire;

/// The one daemon of this test program, for one test at a time. `None`, after a line that says
/// why, where no daemon can run.
pub fn shared() -> Option<MutexGuard<'static, Daemon>> {
    static SHARED: OnceLock<Mutex<Daemon>> = OnceLock::new();
    if !can_run() {
        return None;
    }
    let shared = SHARED.get_or_init(|| Mutex::new(Daemon::start()));
    let daemon = shared.lock().unwrap_or_else(PoisonError::into_inner);
    daemon.tidy();
    Some(daemon)
}

/// Whether a daemon can run here; says why where it can't, and fails in CI.
pub fn can_run() -> bool {
    let missing = ["dockerd", "docker", "busybox", "unshare"]
        .into_iter()
        .find(|program| programs_named(program).is_empty());
    if let Some(program) = missing {
        skip(&format!("{program} is not installed"));
        return false;
    }
    // The owner of a process's own folder is the user that it runs as.
    if fs::metadata("/proc/self").is_ok_and(|process| process.uid() != 0) {
        skip("dockerd needs root");
        return false;
    }
    true
}

/// Tells why a test did not run; in CI, where everything is installed, that is a failure.
pub fn skip(reason: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "not to be skipped in CI: {reason}");
    // The harness captures what the print macros write, and shows it only for tests that fail.
    writeln!(io::stderr(), "SKIPPED: {reason}").expect("stderr takes a line");
}

/// Every program of this name on the path, each once however many folders link to it.
pub fn programs_named(name: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut programs: Vec<PathBuf> = Vec::new();
    for folder in std::env::split_paths(&path) {
        if let Ok(program) = folder.join(name).canonicalize()
            && !programs.contains(&program)
        {
            programs.push(program);
        }
    }
    programs
}

/// Whether there is such a program; tells that a test is skipped where there is none.
pub fn is_installed(name: &str) -> bool {
    let found = !programs_named(name).is_empty();
    if !found {
        skip(&format!("{name} is not installed"));
    }
    found
}

/// A daemon on a socket of its own, in namespaces of its own. Nothing of it is left when this is
/// dropped, nor when the test program ends without dropping it: see `engine.sh`.
pub struct Daemon {
    folder: PathBuf,
    engine: Child,
    commands: Option<ChildStdin>,
}

impl Daemon {
    /// Starts one, with the image `busy:1` in it: a static busybox, all its commands, `sh` to run.
    pub fn start() -> Self {
        let folder = new_folder("engine");
        let mut engine = Command::new("sh")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/dockerd/engine.sh"))
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // An interrupt at the keyboard is for the tests: the engine has to outlive them to clean up.
            .process_group(0)
            .spawn()
            .expect("sh starts");
        let commands = engine.stdin.take();
        let mut daemon = Self { folder, engine, commands };
        daemon.serve();
        daemon.make_image();
        daemon
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.join("docker.sock")
    }

    /// Its socket, as a client's configuration has it.
    pub fn address(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The first process of the daemon's namespaces, by which `nsenter` finds them.
    pub fn namespaces(&self) -> String {
        let pid =
            fs::read_to_string(self.folder.join("namespaces.pid")).expect("engine.sh wrote it");
        pid.trim().to_owned()
    }

    /// A folder that is gone with the daemon.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs a script whose `docker` talks to the daemon itself.
    pub fn shell(&self) -> Shell {
        Shell::with_docker_at(&self.address())
    }

    /// Ends the daemon as a crash would: at once, its socket left behind.
    pub fn kill(&mut self) {
        self.command("kill");
        wait_until("the daemon is killed", || {
            fs::read_to_string(self.folder.join("engine.log"))
                .is_ok_and(|log| log.ends_with("killed\n"))
        });
    }

    /// Starts the daemon, the first time or again after [`Daemon::kill`].
    pub fn serve(&mut self) {
        self.command("start");
        let socket = self.socket();
        let started = Instant::now();
        while !answers_ping(&socket) {
            let ended = self.engine.try_wait().expect("a child of ours").is_some();
            let log = || fs::read_to_string(self.folder.join("engine.log")).unwrap_or_default();
            assert!(!ended, "the engine ended:\n{}", log());
            assert!(
                started.elapsed() < Duration::from_mins(1),
                "dockerd did not start:\n{}",
                log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn command(&mut self, command: &str) {
        let commands = self.commands.as_mut().expect("the engine listens until this is dropped");
        writeln!(commands, "{command}").expect("the engine listens");
    }

    fn make_image(&self) {
        self.shell().must_run(
            r#"
            mkdir -p root/bin root/etc root/tmp
            cp "$(command -v busybox)" root/bin/busybox
            for command in $(busybox --list); do
                [ "$command" = busybox ] || ln -s busybox "root/bin/$command"
            done
            tar -C root -c . | docker import --change 'CMD ["sh"]' --change 'ENV PATH=/bin' - busy:1
            docker run --rm --network none busy:1 true
            "#,
        );
    }

    /// Removes what the test before this one left, above all if it failed in the middle.
    fn tidy(&self) {
        self.shell().must_run(
            r"
            docker ps --all --quiet | xargs -r docker rm --force --volumes
            docker volume ls --quiet | xargs -r docker volume rm
            docker network ls --quiet --filter type=custom | xargs -r docker network rm
            docker images --format '{{.Repository}}:{{.Tag}}' | grep -v '^busy:1$' |
                grep -v '<none>' | xargs -r docker rmi --force
            docker image prune --force
            ",
        );
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.commands.take());
        self.engine.wait().expect("the engine ends with its input");
    }
}

/// A new folder under the system's for temporary files, its path short enough for a socket's.
pub fn new_folder(purpose: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("dockgate-{purpose}-{}-{count}", process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir(&folder).expect("a new folder");
    folder
}

/// Waits for something that takes moments, and fails when it takes half a minute.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn answers_ping(socket: &Path) -> bool {
    let Ok(mut wire) = Wire::connect(socket) else { return false };
    wire.send("GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
    wire.until_closed().ends_with(b"OK")
}
