//! Many reloads under load: no connection breaks, no answer mixes two configurations, and nothing is
//! left of those that were replaced.

use std::{
    collections::HashMap,
    fs,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{
    authority::Authority,
    running::{Folder, REFUSED, Running, TAKEN},
    scene::{Daemon, Of, Peer, Proxy, get, ok, post},
};
use rustix::process::Signal;

const RELOADS: usize = 500;
/// After so many the proxy is as large as it gets.
const SETTLED: usize = 50;
const CLIENTS: usize = 6;
/// How much larger it may be at the end than when it had settled, in KiB: it is 1 MiB, and was 12 when
/// one in 25 of the replaced configurations was kept.
const GROWTH_KIB: u64 = 6 << 10;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const TAKEN_OVER: &str = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

#[test]
fn five_hundred_reloads_under_load_break_nothing_mix_nothing_and_leave_nothing() {
    let over = Arc::<AtomicBool>::default();
    let daemons = [0, 1].map(|name| daemon(name, &over));
    let storm = Arc::new(Storm {
        in_use: AtomicUsize::new(0),
        attempted: AtomicUsize::new(0),
        pause: RwLock::new(()),
        over: Arc::clone(&over),
    });
    let folder = Folder::new();
    let authority = Authority::new("listeners");
    authority.server(&["localhost"]).write(folder.folder(), &authority);
    let text = configuration(0, &daemons);
    let running = folder.start(&text);
    let mut streams: Vec<_> = (0..2).map(|_| events(&running)).collect();
    let mut tunnel = tunnel(&running);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (storm, peer) = (Arc::clone(&storm), running.proxy.client());
            thread::spawn(move || storm.ask(number, peer))
        })
        .collect();

    let mut settled = None;
    for n in 1..=RELOADS {
        if n % 10 == 5 {
            refused(&running, n, &daemons);
        } else {
            storm.attempted.store(n, Ordering::SeqCst);
            taken(&running, n, &daemons);
            storm.in_use.store(n, Ordering::SeqCst);
        }
        assert!(clients.iter().all(|client| !client.is_finished()), "a client has failed");
        if n == SETTLED {
            settled = Some(storm.measure(&running));
        }
    }
    let (settled, ended) = (settled.unwrap(), storm.measure(&running));
    over.store(true, Ordering::SeqCst);
    let seen: HashMap<_, _> =
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
    assert!(seen.len() > RELOADS, "{} requests are no load", seen.len());
    for stream in &mut streams {
        while stream.chunk().is_some() {}
    }
    tunnel.send("still here");
    assert_eq!(tunnel.exactly(10), b"still here");
    drop(tunnel);

    check_records(&running, &seen);
    eprintln!("after {SETTLED} and after {RELOADS} reloads: {settled:?}, {ended:?}");
    // What was open at the daemon's side when it was measured differs.
    assert!(ended.files <= settled.files + CLIENTS, "{settled:?} {ended:?}");
    // The threads that read a configuration go by themselves.
    assert!(ended.threads <= settled.threads + 2, "{settled:?} {ended:?}");
    assert!(ended.memory_kib <= settled.memory_kib + GROWTH_KIB, "{settled:?} {ended:?}");
}

/// What the clients and the one who changes the configuration share.
struct Storm {
    /// The last configuration of which the log says that it is in use.
    in_use: AtomicUsize,
    /// The last that may be in use.
    attempted: AtomicUsize,
    /// Held while a request is under way.
    pause: RwLock<()>,
    over: Arc<AtomicBool>,
}

/// By which configuration requests were decided, as the client has it, by their paths.
type Seen = Vec<(String, usize)>;

impl Storm {
    fn ask(&self, number: usize, mut peer: Peer) -> Seen {
        let mut seen = Seen::new();
        for n in 0.. {
            if self.over.load(Ordering::SeqCst) {
                break;
            }
            let under_way = self.pause.read().unwrap();
            let oldest = self.in_use.load(Ordering::SeqCst);
            if n % 2 == 0 {
                // Refused by a plugin that names its settings.
                let body = r#"{"Image":"elsewhere.example/a"}"#;
                let words = peer.ask(post("/containers/create", body)).words();
                let by = number_in(&words, "allowed are r-").unwrap_or_else(|| panic!("{words}"));
                let newest = self.attempted.load(Ordering::SeqCst);
                assert!((oldest..=newest).contains(&by), "{by}: {oldest}..={newest}");
            } else {
                let path = format!("/containers/c{number}x{n}/json");
                let daemon = peer.ask(get(&path)).text().parse().unwrap();
                seen.push((path, daemon));
            }
            drop(under_way);
            thread::sleep(Duration::from_millis(1));
        }
        seen
    }

    /// Between two requests.
    fn measure(&self, running: &Running) -> Size {
        let _nothing_is_under_way = self.pause.write().unwrap();
        thread::sleep(Duration::from_millis(300));
        Size::of(&running.proxy)
    }
}

/// What the proxy takes.
#[derive(Debug)]
struct Size {
    files: usize,
    threads: usize,
    memory_kib: u64,
}

impl Size {
    fn of(proxy: &Proxy) -> Self {
        let process = proxy.id();
        let count =
            |folder: &str| fs::read_dir(format!("/proc/{process}/{folder}")).unwrap().count();
        let memory_kib = proxy.memory_kib("VmRSS");
        Self { files: count("fd"), threads: count("task"), memory_kib }
    }
}

/// Each record names one configuration in all that it names, and the daemon is that configuration's.
fn check_records(running: &Running, seen: &HashMap<String, usize>) {
    // Under load the last are written later, and those of the streams, which have just ended.
    for path in seen.keys().filter(|path| path.ends_with("x1/json")) {
        running.proxy.record(path);
    }
    running.proxy.record("/events");
    let mut first = None;
    for record in running.proxy.log().records() {
        let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let chain = number_in(&text("chain"), "rules-").unwrap_or_else(|| panic!("{record}"));
        let plugin = number_in(&text("plugin"), "-").unwrap_or_else(|| panic!("{record}"));
        assert_eq!(plugin, chain, "{record}");
        if let Some(settings) = number_in(&text("reason"), "allowed are r-") {
            assert_eq!(settings, chain, "{record}");
        }
        if let Some(daemon) = seen.get(&text("path")) {
            assert_eq!(*daemon, chain % 2, "{record}");
        }
        if text("path") == "/events" {
            first = Some(chain);
        }
    }
    assert_eq!(first, Some(0), "a stream ends by the rules that it began with");
}

/// The number behind a text.
fn number_in(words: &str, before: &str) -> Option<usize> {
    let (_, behind) = words.split_once(before)?;
    let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
    behind[..end].parse().ok()
}

/// All of its parts are marked with a number. The last chain never decides, which the log says, with
/// the number, when the configuration is taken.
fn configuration(n: usize, daemons: &[Daemon; 2]) -> String {
    format!(
        "upstream: {{address: \"unix://{}\"}}
listeners:
  main: {{address: \"127.0.0.1:0\"}}
  secure: {{address: \"127.0.0.1:0\", tls: {{certificate: cert.pem, key: key.pem}}}}
plugins:
  flags-{n}:
    source: bundled:tecnativa
    environment: {{CONTAINERS: 1, EVENTS: 1, POST: 1}}
  images-{n}:
    source: bundled:image-registry
    settings: {{allowed: [\"r-{n}.example/**\"]}}
chains:
  - {{name: rules-{n}, plugins: [images-{n}, flags-{n}]}}
  - {{name: spare-{n}, plugins: []}}
limits: {{workers: 3, grace: 60s}}
",
        daemons[n % 2].socket().display()
    )
}

fn taken(running: &Running, n: usize, daemons: &[Daemon; 2]) {
    running.folder.replace("dockgate.yaml", configuration(n, daemons));
    running.proxy.signal(Signal::HUP);
    running.logs(&format!("\\\"spare-{n}\\\" never decides"));
    running.logs(TAKEN);
}

/// Breaks the configuration in one of five ways: the log says where, what and what to do.
fn refused(running: &Running, n: usize, daemons: &[Daemon; 2]) {
    let whole = configuration(n, daemons);
    let registry = format!("r-{n}.example/**");
    let (text, place) = match n / 10 % 5 {
        0 => (format!("{whole}  - [\n"), "16:3: this does not fit the lines before it".to_owned()),
        1 => (format!("{whole}key-{n}: 1\n"), format!("16:1: unknown key \\\"key-{n}\\\"")),
        2 => {
            let missing = format!("missing-{n}.wasm");
            let place = format!("7:13: the plugin {}: No such", running.folder.named(&missing));
            (whole.replace("bundled:tecnativa", &missing), place)
        }
        3 => {
            let place = "11:25: the plugin bundled:image-registry: it refuses its settings";
            (whole.replace(&format!("[\"{registry}\"]"), "7"), place.to_owned())
        }
        _ => {
            let bad = format!("bad-{n}.pem");
            running.folder.write(&bad, "-----BEGIN CERTIFICATE-----\n");
            let place = format!("4:55: {} ends in the middle", running.folder.named(&bad));
            (whole.replace("cert.pem", &bad), place)
        }
    };
    running.folder.replace("dockgate.yaml", text);
    running.proxy.signal(Signal::HUP);
    running.logs(&format!("{}:{place}", running.folder.named("dockgate.yaml")));
    running.logs(REFUSED);
}

/// Answers with its name, streams events, and echoes what it is attached to.
fn daemon(name: usize, over: &Arc<AtomicBool>) -> Daemon {
    let over = Arc::clone(over);
    Daemon::serving(move |mut link| {
        while let Ok(Some(request)) = link.try_message(Of::Request) {
            let line = request.first_line();
            let sent = if line.contains("/events") {
                stream(&mut link, &over)
            } else if line.contains("/attach") {
                link.send(TAKEN_OVER);
                echo(&mut link)
            } else {
                link.try_send(ok(&name.to_string()))
            };
            if sent.is_err() {
                break;
            }
        }
    })
}

fn stream(link: &mut Peer, over: &AtomicBool) -> std::io::Result<()> {
    link.try_send(CHUNKED)?;
    while !over.load(Ordering::SeqCst) {
        link.try_send("5\r\nline\n\r\n")?;
        thread::sleep(Duration::from_millis(20));
    }
    link.try_send("0\r\n\r\n")
}

fn echo(link: &mut Peer) -> std::io::Result<()> {
    use std::io::{BufRead as _, Write as _};
    link.socket().set_read_timeout(None)?;
    let mut writer = link.writer();
    loop {
        let read = link.reader().fill_buf()?.to_vec();
        if read.is_empty() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        writer.write_all(&read)?;
        link.reader().consume(read.len());
    }
}

fn events(running: &Running) -> Peer {
    let mut peer = running.proxy.client();
    peer.send(get("/events"));
    peer.head();
    assert_eq!(peer.chunk().as_deref(), Some("line\n"));
    peer
}

fn tunnel(running: &Running) -> Peer {
    let mut peer = running.proxy.client();
    peer.send(
        "POST /containers/a/attach?stream=1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
         Upgrade: tcp\r\n\r\n",
    );
    assert_eq!(peer.head().status(), 101);
    peer.send("begun");
    assert_eq!(peer.exactly(5), b"begun");
    peer
}
