//! The stream of events while two teams work.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::clients::Client;
use crate::daemon::wait_until;
use crate::engine;
use crate::shell::Shell;
use crate::team::{Things, proxy_of};

#[test]
fn events_are_of_what_is_ones_own() {
    let Some(engine) = engine::shared() else { return };
    let ours = Things::of(engine, "ours-seen", "ours-seen");
    let theirs = Things::of(engine, "theirs-seen", "theirs-seen");
    let proxy = proxy_of(engine, &ours.team, "labelled");
    let shell = proxy.shell();
    let direct = engine.daemon.shell();
    let cli = ["docker", "events", "--format", "{{json .}}"];
    let mut watchers = vec![
        ("docker", Watcher::of(&shell, &cli)),
        (
            "docker with a filter",
            Watcher::of(&shell, &[&cli[..], &["--filter", "label!=x"]].concat()),
        ),
        (
            "docker, theirs",
            Watcher::of(
                &shell,
                &[&cli[..], &["--filter", "label=com.example.team=theirs-seen"]].concat(),
            ),
        ),
        ("the daemon itself", Watcher::of(&direct, &cli)),
    ];
    if let Some(client) = Client::docker_py() {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/teams/clients/events.py");
        let runtime = client.runtime().display().to_string();
        watchers.push(("docker-py", Watcher::of(&shell, &[&runtime, script, &proxy.unix()])));
    }
    // All are there once all have seen something new.
    wait_until("everybody watches", || {
        for team in [&ours, &theirs] {
            team.must_run("docker rm $(docker create --name $P-hello --label $L busy:1 true) >&2");
        }
        watchers.iter().all(|(name, watcher)| {
            watcher.has("destroy", "-seen-hello") || *name == "docker, theirs"
        })
    });

    std::thread::scope(|scope| {
        for team in [&ours, &theirs] {
            scope.spawn(|| team.must_run(WORK));
        }
    });
    ours.must_run("docker create --name $P-last --label $L busy:1 true");

    let secrets = theirs.secrets();
    for (name, watcher) in &watchers {
        if *name == "docker, theirs" {
            assert_eq!(watcher.text(), "", "{name}");
            continue;
        }
        wait_until("the last event comes", || watcher.has("create", "ours-seen-last"));
        for (action, words) in EXPECTED {
            assert!(watcher.has(action, words), "{name} has seen no {action} of {words}");
        }
        let told = secrets.iter().chain([&theirs.team]).find(|s| watcher.text().contains(*s));
        if *name == "the daemon itself" {
            assert!(told.is_some(), "the other team did nothing");
        } else {
            assert_eq!(told, None, "{name}:\n{}", watcher.text());
        }
    }
}

/// What both teams do at the same time.
const WORK: &str = r#"
    docker run --detach --interactive --name "$P-a" --label "$L" --network "$P-net" \
        --volume "$P-vol:/v" --stop-signal KILL busy:1 >&2
    docker exec "$P-a" true
    docker pause "$P-a" && docker unpause "$P-a"
    docker rename "$P-a" "$P-b"
    docker network create --label "$L" "$P-more" >&2
    docker network connect "$P-more" "$P-b"
    docker network disconnect "$P-more" "$P-b"
    docker volume create --label "$L" "$P-more" >&2
    docker restart --time 0 "$P-b" >&2
    docker cp "$P-b:/bin/sh" - >/dev/null
    docker commit "$P-b" "localhost:1/$P:2" >&2
    docker tag "localhost:1/$P:2" "localhost:1/$P:3"
    docker rmi "localhost:1/$P:3" >&2
    docker stop --time 0 "$P-b" >&2
    docker rm "$P-b" >&2
    docker network rm "$P-more" >&2
    docker volume rm "$P-more" >&2
"#;

/// An action, and words in the same event. That a network or a volume is removed is not told: it
/// can't be looked up any more.
const EXPECTED: &[(&str, &str)] = &[
    ("create", "ours-seen-a"),
    ("start", "ours-seen-a"),
    ("exec_create: true", "ours-seen-a"),
    ("exec_start: true", "ours-seen-a"),
    ("exec_die", "ours-seen-a"),
    ("pause", "ours-seen-a"),
    ("unpause", "ours-seen-a"),
    ("rename", "ours-seen-b"),
    ("create", "ours-seen-more"),
    ("connect", "ours-seen-more"),
    ("disconnect", "ours-seen-more"),
    ("mount", "ours-seen-vol"),
    ("restart", "ours-seen-b"),
    ("commit", "ours-seen-b"),
    ("tag", "ours-seen:2"),
    ("untag", "ours-seen"),
    ("die", "ours-seen-b"),
    ("stop", "ours-seen-b"),
    ("destroy", "ours-seen-b"),
];

/// A client that writes an event a line, for as long as it is watched.
struct Watcher {
    process: Child,
    lines: Arc<Mutex<String>>,
}

impl Watcher {
    fn of(shell: &Shell, words: &[&str]) -> Self {
        assert!(Path::new(words[0]).is_relative() || Path::new(words[0]).exists());
        let mut process = shell.command(words).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let lines = Arc::<Mutex<String>>::default();
        let gathered = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                *gathered.lock().unwrap() += &(line + "\n");
            }
        });
        Self { process, lines }
    }

    fn text(&self) -> String {
        self.lines.lock().unwrap().clone()
    }

    fn has(&self, action: &str, words: &str) -> bool {
        self.text().lines().filter(|line| line.contains(words)).any(|line| {
            let event: Value = serde_json::from_str(line).expect("an event is JSON");
            event["Action"].as_str().map(str::trim) == Some(action)
        })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // It may have come to its end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
