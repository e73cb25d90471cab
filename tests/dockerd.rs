//! The proxy between a real Docker daemon and real clients.
//!
//! Needs root, `dockerd`, `docker` and a static `busybox`; docker-py and dockerode are installed
//! below `target/`. Where something is missing the tests say so and pass, but fail in CI.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "`pub` is for the other modules of the test")]

#[path = "dockerd/clients.rs"]
#[allow(dead_code, reason = "tests/teams.rs uses the rest")]
mod clients;
#[path = "dockerd/commands.rs"]
mod commands;
#[path = "dockerd/daemon.rs"]
#[allow(dead_code, reason = "tests/image.rs uses the rest")]
mod daemon;
#[path = "dockerd/guide.rs"]
mod guide;
#[path = "docs/page.rs"]
#[allow(dead_code, reason = "tests/docs.rs uses the rest")]
mod page;
#[path = "dockerd/proxy.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod proxy;
#[path = "dockerd/shell.rs"]
#[allow(dead_code, reason = "tests/image.rs uses the rest")]
mod shell;
#[path = "dockerd/wire.rs"]
mod wire;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use clients::Client;
use commands::{CASES, REFUSALS, SCENE, Same};
use daemon::{Daemon, is_installed, programs_named, skip, wait_until};
use proxy::{FLAGS, Proxy};
use shell::Shell;
use wire::Wire;

#[test]
fn every_command_comes_to_the_same_through_the_proxy() {
    if !daemon::can_run() {
        return;
    }
    // Most of the time goes into waiting: each client has a daemon of its own, beside the others.
    let clients = programs_named("docker");
    let differences: String = std::thread::scope(|scope| {
        let clients = clients.iter().map(|client| scope.spawn(|| differences_seen_by(client)));
        let clients: Vec<_> = clients.collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert!(differences.is_empty(), "{differences}");
}

fn differences_seen_by(client: &Path) -> String {
    let daemon = Daemon::start();
    let proxy = Proxy::open(&daemon.socket());
    let (since, until) = set_scene(&daemon);
    let shell_at = |address: &str| {
        Shell::with_docker_at(address)
            .and_client(client)
            .and_variable("SINCE", &since)
            .and_variable("UNTIL", &until)
    };

    let mut differences = String::new();
    for case in CASES {
        let direct = || shell_at(&daemon.address()).run(case.script);
        let proxied = || shell_at(&proxy.unix()).run(case.script);
        let (direct, proxied) = match case.same {
            Same::Exactly => std::thread::scope(|scope| {
                let direct = scope.spawn(direct);
                let proxied = proxied();
                (direct.join().unwrap(), proxied)
            }),
            Same::ButForIdsAndTimes => (direct().alike(), proxied().alike()),
        };
        if let Some(difference) = direct.difference_from(&proxied) {
            let (name, client) = (case.name, client.display());
            write!(differences, "\n===== {name} ({client})\n{difference}").unwrap();
        }
    }
    if !differences.is_empty() {
        write!(differences, "===== the proxy's log\n{}", proxy.log()).unwrap();
    }
    differences
}

#[test]
fn refused_commands_show_why() {
    let Some(daemon) = daemon::shared() else { return };
    let (since, until) = set_scene(&daemon);
    let closed = Proxy::with_flags(&daemon.socket(), &["PING"]);

    let mut complaints = String::new();
    let mut expect_refusal = |proxy: &Proxy, command: &str, named: &str| {
        let outcome =
            proxy.shell().and_variable("SINCE", &since).and_variable("UNTIL", &until).run(command);
        let screen = format!("{}{}", outcome.stdout, outcome.stderr);
        let shows_why = screen.contains("dockgate: ") && screen.contains(named);
        if outcome.status == Some(0) || !shows_why {
            write!(complaints, "\n===== {command} (expected {named})\n{outcome}").unwrap();
        }
    };
    for (_, command) in REFUSALS {
        expect_refusal(&closed, command, "=1");
    }
    for flag in FLAGS {
        let mut commands = REFUSALS.iter().filter(|(lacks, _)| *lacks == flag).peekable();
        if commands.peek().is_some() {
            let others: Vec<&str> = FLAGS.into_iter().filter(|other| *other != flag).collect();
            let open_but_for_one = Proxy::with_flags(&daemon.socket(), &others);
            for (_, command) in commands {
                expect_refusal(&open_but_for_one, command, &format!("{flag}=1"));
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints}");

    // The client says no more than the status when it may not take a connection over.
    let others: Vec<&str> = FLAGS.into_iter().filter(|flag| *flag != "EXEC").collect();
    let without_exec = Proxy::with_flags(&daemon.socket(), &others);
    let outcome = without_exec.shell().run("docker exec steady true");
    assert_eq!(outcome.status, Some(1), "{outcome}");
    assert!(outcome.stderr.contains("403") || outcome.stderr.contains("EXEC=1"), "{outcome}");
    let log = without_exec.log();
    assert!(log.contains("exec-start is not allowed: set EXEC=1"), "{log}");
    assert_eq!(
        daemon.shell().must_run("docker ps --all --format '{{.Names}} {{.State}}'"),
        "steady running\nkept exited\n"
    );
}

#[test]
fn docker_py_runs_its_session_over_unix_and_tcp() {
    let Some(daemon) = daemon::shared() else { return };
    let Some(client) = Client::docker_py() else { return };
    client.runs("allowed", &daemon.address());

    let open = Proxy::open(&daemon.socket());
    client.runs("allowed", &open.unix());
    client.runs("allowed", open.tcp());
    let closed = Proxy::with_flags(&daemon.socket(), &[]);
    client.runs("refused", &closed.unix());
    client.runs("refused", closed.tcp());
}

#[test]
fn dockerode_runs_its_session_over_unix_and_tcp() {
    let Some(daemon) = daemon::shared() else { return };
    let Some(client) = Client::dockerode() else { return };
    client.runs("allowed", &daemon.address());

    let open = Proxy::open(&daemon.socket());
    client.runs("allowed", &open.unix());
    client.runs("allowed", open.tcp());
    let closed = Proxy::with_flags(&daemon.socket(), &[]);
    client.runs("refused", &closed.unix());
    client.runs("refused", closed.tcp());
}

#[test]
fn compose_brings_a_project_up_and_down() {
    let Some(daemon) = daemon::shared() else { return };
    if !is_installed("docker-compose") {
        return;
    }
    let proxy = Proxy::open(&daemon.socket());
    let shell = proxy.shell();
    let printed = shell.must_run(
        r#"
        cat > compose.yaml <<'YAML'
        services:
          web:
            image: busy:1
            command: sh -c 'echo served; exec sleep 1000'
            stop_signal: KILL
            volumes: ["data:/data"]
          job:
            image: busy:1
            command: sh -c 'echo done; exit 5'
            depends_on: [web]
        volumes:
          data: {}
YAML
        docker-compose --project-name p up --detach 2>&1
        docker-compose --project-name p logs --no-color job
        docker-compose --project-name p exec -T web echo reached
        docker-compose --project-name p ps --services --filter status=running
        docker-compose --project-name p down --volumes 2>&1
        "#,
    );
    for expected in ["job_1  | done", "reached\nweb\n", "Removing network p_default"] {
        assert!(printed.contains(expected), "no {expected:?} in\n{printed}");
    }
    assert_eq!(daemon.shell().must_run("docker ps --all --quiet; docker volume ls --quiet"), "");
}

#[test]
fn build_kit_builds_over_a_session() {
    let Some(daemon) = daemon::shared() else { return };
    let Some(client) = client_with_build_kit() else {
        skip("no docker client here has BuildKit built in");
        return;
    };
    let proxy = Proxy::open(&daemon.socket());
    let shell = proxy.shell().and_client(&client).and_variable("DOCKER_BUILDKIT", "1");
    let printed = shell.must_run(
        r"
        printf 'FROM busy:1\nCOPY f /f\nRUN wc -l /f\n' > Dockerfile
        seq 1 100000 > f
        docker build --no-cache --network none --progress plain --tag kit:1 . 2>&1
        docker run --rm kit:1 wc -l /f
        ",
    );
    assert!(printed.contains("transferring context: 589.03kB"), "{printed}");
    assert!(printed.ends_with("100000 /f\n"), "{printed}");

    let others: Vec<&str> = FLAGS.into_iter().filter(|flag| *flag != "SESSION").collect();
    let without_session = Proxy::with_flags(&daemon.socket(), &others);
    let shell = without_session.shell().and_client(&client).and_variable("DOCKER_BUILDKIT", "1");
    let outcome = shell.run("echo 'FROM busy:1' > Dockerfile; timeout 20 docker build .");
    assert_ne!(outcome.status, Some(0), "{outcome}");
}

#[test]
fn events_and_logs_arrive_as_they_happen() {
    let Some(daemon) = daemon::shared() else { return };
    let proxy = Proxy::open(&daemon.socket());
    let watching = proxy.shell();

    let mut events = Following::of(&watching, &["docker", "events", "--format", "{{.Action}}"]);
    // The client has asked for events when the proxy's log has the request, not before.
    wait_until("the proxy has passed on the request", || proxy.log().contains("event"));
    let direct = daemon.shell();
    direct.must_run("docker create -i --name slow busy:1 sh -c 'echo 1; read line; echo $line'");
    assert_eq!(events.line(), "create");
    direct.must_run("docker start slow");
    assert_eq!(events.line_that(|line| line == "start"), "start");

    let mut logs = Following::of(&watching, &["docker", "logs", "--follow", "slow"]);
    assert_eq!(logs.line(), "1");
    let mut attached = Wire::connect(&proxy.socket()).unwrap();
    attached.send(upgrade("POST /containers/slow/attach?stream=1&stdin=1", "tcp"));
    assert!(attached.head().starts_with("HTTP/1.1 101 UPGRADED\r\n"));
    attached.send("2\n");
    assert_eq!(logs.line(), "2");
    assert!(logs.ends());
    assert_eq!(events.line_that(|line| line == "die"), "die");
}

#[test]
fn the_rest_of_the_output_follows_the_end_of_the_input() {
    let Some(daemon) = daemon::shared() else { return };
    let proxy = Proxy::open(&daemon.socket());
    daemon.shell().must_run(
        "docker create -i --name counter busy:1 sh -c 'wc -c; sleep 1; head -c 300000 /dev/zero'",
    );

    let mut attached = Wire::connect(&proxy.socket()).unwrap();
    attached.send(upgrade("POST /containers/counter/attach?stream=1&stdin=1&stdout=1", "tcp"));
    let head = attached.head();
    assert!(head.starts_with("HTTP/1.1 101 UPGRADED\r\n"), "{head}");
    assert!(head.contains("\r\nUpgrade: tcp\r\n"), "{head}");
    daemon.shell().must_run("docker start counter");
    attached.send(vec![b'x'; 200_000]);
    attached.close_sending();

    let output = demultiplexed(&attached.until_closed());
    let (count, rest) = output.split_at(7);
    assert_eq!(count, b"200000\n");
    assert_eq!(rest.len(), 300_000);
}

#[test]
fn a_session_becomes_http_2() {
    let Some(daemon) = daemon::shared() else { return };
    let proxy = Proxy::open(&daemon.socket());
    let mut session = Wire::connect(&proxy.socket()).unwrap();
    session.send(upgrade("POST /session", "h2c").replace(
        "\r\n\r\n",
        "\r\nX-Docker-Expose-Session-Uuid: kq9y7rrdkvmxyg3wyc1l6ewra\r\n\
             X-Docker-Expose-Session-Name: test\r\n\
             X-Docker-Expose-Session-Sharedkey: test\r\n\
             X-Docker-Expose-Session-Grpc-Method: /grpc.health.v1.Health/Check\r\n\r\n",
    ));
    let head = session.head();
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
    assert!(head.to_lowercase().contains("\r\nupgrade: h2c\r\n"), "{head}");

    // From here on the daemon is the client, and this end is the server.
    assert_eq!(session.exactly(24), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_eq!(next_settings(&mut session), NOT_ACKNOWLEDGED);
    session.send(SETTINGS);
    assert_eq!(next_settings(&mut session), ACKNOWLEDGED);
}

#[test]
fn grpc_becomes_http_2() {
    let Some(daemon) = daemon::shared() else { return };
    let proxy = Proxy::open(&daemon.socket());
    let mut grpc = Wire::connect(&proxy.socket()).unwrap();
    grpc.send(upgrade("POST /grpc", "h2c"));
    let head = grpc.head();
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");

    grpc.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    grpc.send(SETTINGS);
    assert_eq!(next_settings(&mut grpc), NOT_ACKNOWLEDGED);
    assert_eq!(next_settings(&mut grpc), ACKNOWLEDGED);
}

#[test]
fn a_web_socket_attaches() {
    let Some(daemon) = daemon::shared() else { return };
    let proxy = Proxy::open(&daemon.socket());
    daemon.shell().must_run(
        "docker run -di --name echo busy:1 sh -c 'read line; echo got $line; exec cat >/dev/null'",
    );
    let mut socket = Wire::connect(&proxy.socket()).unwrap();
    socket.send(
        upgrade("GET /containers/echo/attach/ws?stream=1&stdin=1&stdout=1", "websocket").replace(
            "\r\n\r\n",
            "\r\nOrigin: http://localhost\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        ),
    );
    let head = socket.head();
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
    // The answer to the key, from RFC 6455, section 1.3.
    assert!(head.contains("-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");

    // One text frame, masked with zeros, and the container's answer in frames of text or bytes.
    socket.send(b"\x81\x86\0\0\0\0typed\n");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\n") {
        let frame = socket.exactly(2);
        assert!(frame[0] == 0x81 || frame[0] == 0x82, "{frame:?}");
        answer.extend(socket.exactly(usize::from(frame[1])));
    }
    assert_eq!(answer, b"got typed\n");
}

#[test]
fn large_uploads_and_downloads_pass_without_being_held() {
    let Some(daemon) = daemon::shared() else { return };
    let proxy = Proxy::open(&daemon.socket());
    let before = proxy.peak_memory_kib();
    let printed = proxy.shell().must_run(
        r"
        mkdir files; head -c 300M /dev/zero > files/zeros
        tar -C files -c . | docker import - zeros:1 > /dev/null
        docker save zeros:1 | wc -c
        docker create --name zeros zeros:1 none > /dev/null
        docker cp zeros:/zeros - | tar -xO | sha256sum
        sha256sum < files/zeros
        docker rm zeros > /dev/null; docker rmi zeros:1 > /dev/null
        ",
    );
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].parse::<u64>().unwrap() > 300 << 20, "{printed}");
    assert_eq!(lines[1], lines[2]);
    let grown = proxy.peak_memory_kib() - before;
    assert!(grown < 32 << 10, "the proxy grew by {grown} KiB while 300 MiB passed");
}

#[test]
fn the_daemon_may_go_away_and_come_back() {
    if !daemon::can_run() {
        return;
    }
    let mut daemon = Daemon::start();
    let proxy = Proxy::open(&daemon.socket());
    let shell = proxy.shell();
    shell.must_run("docker run -d --name job busy:1 sleep 1000");
    let mut logs = Following::of(&shell, &["docker", "logs", "--follow", "job"]);
    let mut kept_alive = Wire::connect(&proxy.socket()).unwrap();
    kept_alive.send("GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n");
    assert!(kept_alive.head().starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(kept_alive.exactly(2), b"OK");

    daemon.kill();
    assert!(logs.ends(), "a stream outlives the daemon");
    for path in ["/_ping", "/containers/json"] {
        let mut wire = Wire::connect(&proxy.socket()).unwrap();
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"));
        let answer = String::from_utf8(wire.until_closed()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{answer}");
        assert!(
            answer.to_lowercase().contains("\r\ncontent-type: application/json\r\n"),
            "{answer}"
        );
        assert!(answer.contains("{\"message\":\"dockgate: "), "{answer}");
    }
    let outcome = shell.run("docker ps");
    assert_eq!(outcome.status, Some(1), "{outcome}");
    assert!(outcome.stderr.contains("dockgate: "), "{outcome}");

    daemon.serve();
    assert_eq!(shell.must_run("docker ps --all --format '{{.Names}}'"), "job\n");
    shell.must_run("docker start job; docker kill job; docker rm job");
}

/// Makes what the tables of commands speak of; returns the time before and after.
fn set_scene(daemon: &Daemon) -> (String, String) {
    let shell = daemon.shell();
    let now = || shell.must_run("date +%s.%N").trim().to_owned();
    let since = now();
    shell.must_run(SCENE);
    (since, now())
}

/// The 20.10 to 22 lines of the client: the later ones need a plugin for it.
fn client_with_build_kit() -> Option<PathBuf> {
    programs_named("docker").into_iter().find(|client| {
        let shell = Shell::with_docker_at("unix:///nowhere").and_client(client);
        let version = shell.run("docker --version").stdout;
        ["20.10.", "22.", "23."].iter().any(|line| version.contains(&format!("version {line}")))
    })
}

/// A command that goes on, read line by line.
struct Following {
    process: Child,
    lines: Receiver<String>,
}

impl Following {
    fn of(shell: &Shell, words: &[&str]) -> Self {
        let mut process = shell.command(words).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        Self { process, lines }
    }

    fn line(&mut self) -> String {
        self.lines.recv_timeout(Duration::from_secs(20)).expect("a line in time")
    }

    fn line_that(&mut self, is_awaited: impl Fn(&str) -> bool) -> String {
        loop {
            let line = self.line();
            if is_awaited(&line) {
                return line;
            }
        }
    }

    /// Whether the output comes to its end, with or without more lines.
    fn ends(&mut self) -> bool {
        loop {
            match self.lines.recv_timeout(Duration::from_secs(20)) {
                Ok(_) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return true,
                Err(mpsc::RecvTimeoutError::Timeout) => return false,
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // It may have come to its end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The head of a request that asks for another protocol on its connection.
fn upgrade(line: &str, protocol: &str) -> String {
    format!(
        "{line} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n{}\r\n",
        if line.starts_with("POST") { "Content-Length: 0\r\n" } else { "" }
    )
}

/// The payloads of Docker's frames: a byte for the stream, three zeros, four of length, a payload.
fn demultiplexed(mut frames: &[u8]) -> Vec<u8> {
    let mut payloads = Vec::new();
    while let Some((header, rest)) = frames.split_first_chunk::<8>() {
        let [_, _, _, _, length @ ..] = *header;
        let (payload, rest) = rest.split_at(u32::from_be_bytes(length) as usize);
        payloads.extend(payload);
        frames = rest;
    }
    payloads
}

/// An HTTP/2 frame of settings that sets nothing.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const NOT_ACKNOWLEDGED: u8 = 0;
const ACKNOWLEDGED: u8 = 1;

/// Reads frames until one of settings, and returns its flags.
fn next_settings(wire: &mut Wire) -> u8 {
    loop {
        let header = wire.exactly(9);
        let length =
            usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2]);
        wire.exactly(length);
        if header[3] == 4 {
            return header[4];
        }
    }
}
