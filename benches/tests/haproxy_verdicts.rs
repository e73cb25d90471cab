//! `haproxy.cfg` means what Tecnativa's rules mean: HAProxy is asked again what it answered with those.

#![allow(clippy::unwrap_used, reason = "a test ends where it can't go on")]

use std::collections::BTreeMap;
use std::env;
use std::fs::File;
use std::io::{Read, Write, stderr};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use dockgate_bench::daemon::{Framing, MockDaemon};
use dockgate_bench::process::Process;
use dockgate_bench::proxies::haproxy;

/// Of the recorded environments, every third; of the unusual targets', every eighth.
const SAMPLES: [(&str, usize); 2] = [("tecnativa.jsonl", 3), ("tecnativa_noncanonical.jsonl", 8)];

#[test]
fn allows_what_the_image_allows() {
    let program = Path::new("haproxy");
    if Command::new(program).arg("-v").stdout(Stdio::null()).status().is_err() {
        assert_ne!(env::var("CI").as_deref(), Ok("true"), "haproxy is not installed");
        // Not `eprintln`, whose words the test harness would keep to itself.
        let _ = writeln!(stderr(), "SKIPPED haproxy's verdicts: haproxy is not installed");
        return;
    }

    let folder = tempfile::tempdir().unwrap();
    let bench = Path::new(env!("CARGO_BIN_EXE_dockgate-bench"));
    let daemon = MockDaemon::start(bench, folder.path(), Framing::Length).unwrap();
    let mut differences = Vec::new();
    for (file, step) in SAMPLES {
        let recorded = Recorded::read(file);
        for (env, expected) in recorded.environments.iter().step_by(step) {
            let socket = folder.path().join("haproxy.sock");
            let mut command =
                haproxy(program, &format!("unix@{}", socket.display()), &daemon.socket);
            command.envs(env).stdin(Stdio::null()).stdout(File::create("/dev/null").unwrap());
            let _process = Process::start(&mut command).unwrap();
            wait_for(&socket);

            for ((method, target), expected) in recorded.requests.iter().zip(expected.chars()) {
                let verdict = ask(&socket, method, target);
                if verdict != expected {
                    differences
                        .push(format!("{env:?} {method} {target}: {verdict}, not {expected}"));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

/// Verdicts of HAProxy with the image's own rules: **a**llowed, **d**enied or an **e**rror.
struct Recorded {
    requests: Vec<(String, String)>,
    environments: Vec<(BTreeMap<String, String>, String)>,
}

impl Recorded {
    fn read(file: &str) -> Self {
        #[derive(serde::Deserialize)]
        struct Requests {
            requests: Vec<(String, String)>,
        }
        #[derive(serde::Deserialize)]
        struct Environment {
            env: BTreeMap<String, String>,
            verdicts: String,
        }

        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance");
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        let Requests { requests } = serde_json::from_str(first).unwrap();
        let environments = rest.lines().map(|line| {
            let Environment { env, verdicts } = serde_json::from_str(line).unwrap();
            assert_eq!(verdicts.len(), requests.len(), "{file}: {env:?}");
            (env, verdicts)
        });
        Self { environments: environments.collect(), requests }
    }
}

fn wait_for(socket: &Path) {
    for _ in 0..5000 {
        if UnixStream::connect(socket).is_ok() {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("haproxy did not start");
}

fn ask(socket: &Path, method: &str, target: &str) -> char {
    let mut stream = UnixStream::connect(socket).unwrap();
    let length = if method == "GET" || method == "HEAD" { "" } else { "Content-Length: 0\r\n" };
    let request =
        format!("{method} {target} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n{length}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    match answer.get(9..12) {
        Some("200") => 'a',
        Some("403") => 'd',
        _ => 'e',
    }
}
