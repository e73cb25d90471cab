//! What people read: refusals, warnings, and the table of permissions.

#![allow(clippy::unwrap_used)]

use dockgate_plugin::{Permission, Policy, Problem, Request, Setup, Verdict};
use dockgate_plugin_tecnativa::{DialectSetting, Settings, Tecnativa};

#[test]
fn a_refusal_names_the_operation_and_the_flag() {
    for (flags, request, expected) in [
        (
            "",
            "container-list GET /containers/json",
            "container-list is not allowed: set CONTAINERS=1",
        ),
        (
            "CONTAINERS=true",
            "container-list GET /containers/json",
            "container-list is not allowed: set CONTAINERS=1",
        ),
        (
            "CONTAINERS=1",
            "container-create POST /containers/create",
            "container-create is not allowed: set POST=1",
        ),
        (
            "",
            "container-create POST /containers/create",
            "container-create is not allowed: set POST=1 and CONTAINERS=1",
        ),
        (
            "POST=1",
            "container-create POST /containers/create",
            "container-create is not allowed: set CONTAINERS=1",
        ),
        ("PING=0", "system-ping HEAD /_ping", "system-ping is not allowed: set PING=1"),
        (
            "",
            "network-connect POST /networks/a/connect",
            "network-connect is not allowed: set POST=1 and NETWORKS=1",
        ),
        ("", "unknown GET /networkshop", "GET /networkshop is not allowed: set NETWORKS=1"),
        ("", "unknown PROPFIND /version", "PROPFIND /version is not allowed: set POST=1"),
    ] {
        assert_eq!(refusal(flags, request), expected, "{flags}: {request}");
    }
}

#[test]
fn a_refusal_asks_for_the_flag_that_opens_least() {
    for (flags, request, expected) in [
        (
            "",
            "container-start POST /containers/web/start",
            "container-start is not allowed: set POST=1 and ALLOW_START=1",
        ),
        (
            "POST=1",
            "container-start POST /containers/web/start",
            "container-start is not allowed: set ALLOW_START=1",
        ),
        (
            "ALLOW_START=1",
            "container-start POST /containers/web/start",
            "container-start is not allowed: set POST=1",
        ),
        (
            "CONTAINERS=1",
            "container-start POST /containers/web/start",
            "container-start is not allowed: set POST=1",
        ),
        (
            "",
            "container-stop POST /containers/web/stop",
            "container-stop is not allowed: set POST=1 and ALLOW_STOP=1",
        ),
        (
            "ALLOW_RESTARTS=1",
            "container-stop POST /containers/web/stop",
            "container-stop is not allowed: set POST=1",
        ),
        (
            "",
            "container-kill POST /containers/web/kill",
            "container-kill is not allowed: set POST=1 and ALLOW_RESTARTS=1",
        ),
        (
            "",
            "container-pause POST /containers/web/pause",
            "container-pause is not allowed: set POST=1 and CONTAINERS=1",
        ),
        (
            "LIBPOD_PING=1 CONTAINERS=1",
            "container-stop POST /containers/web/stop",
            "container-stop is not allowed: set ALLOW_STOP=1",
        ),
        (
            "LIBPOD_PING=1",
            "container-pause POST /containers/web/pause",
            "container-pause is not allowed: set ALLOW_PAUSE=1",
        ),
        (
            "LIBPOD_PING=1",
            "unknown POST /libpod/pods/web/stop",
            "POST /libpod/pods/web/stop is not allowed: set ALLOW_STOP=1",
        ),
    ] {
        assert_eq!(refusal(flags, request), expected, "{flags}: {request}");
    }
}

#[test]
fn a_refusal_of_linuxservers_sub_paths_names_their_flags() {
    for (flags, request, expected) in [
        (
            "ALLOW_LOGS=0 CONTAINERS=1",
            "container-logs GET /containers/web/logs",
            "container-logs is not allowed: set ALLOW_LOGS=1",
        ),
        (
            "ALLOW_LOGS=0",
            "container-logs GET /containers/web/logs",
            "container-logs is not allowed: set CONTAINERS=1 and ALLOW_LOGS=1",
        ),
        (
            "ALLOW_LOGS=1",
            "container-logs GET /containers/web/logs",
            "container-logs is not allowed: set CONTAINERS=1",
        ),
        (
            "ALLOW_LOGS=1",
            "container-archive-put PUT /containers/web/archive",
            "container-archive-put is not allowed: set POST=1, CONTAINERS=1 and ALLOW_ARCHIVE=1",
        ),
        (
            "ALLOW_LOGS=1",
            "unknown GET /libpod/pods/web/top",
            "GET /libpod/pods/web/top is not allowed: set LIBPOD_PODS=1 and ALLOW_TOP=1",
        ),
    ] {
        assert_eq!(refusal(flags, request), expected, "{flags}: {request}");
    }
}

#[test]
fn a_refusal_says_when_no_flag_would_help() {
    for (flags, request, expected) in [
        ("POST=1", "unknown GET /metrics", "GET /metrics is not allowed: no flag opens this path"),
        ("", "unknown POST /", "POST / is not allowed: no flag opens this path"),
        (
            "",
            "unknown GET /libpod/pods/json",
            "GET /libpod/pods/json is not allowed: only the dialect linuxserver has a flag for it, LIBPOD_PODS",
        ),
        (
            "POST=1 ALLOW_START=1",
            "unknown POST /libpod/containers/web/start",
            "POST /libpod/containers/web/start is not allowed: only the dialect linuxserver has a flag for it, LIBPOD_CONTAINERS",
        ),
        (
            "ALLOW_LOGS=1",
            "unknown GET /pods/web/logs",
            "GET /pods/web/logs is not allowed: no flag opens this path",
        ),
    ] {
        assert_eq!(refusal(flags, request), expected, "{flags}: {request}");
    }
}

#[test]
fn refusals_have_a_word_for_machines() {
    let code = |request| match decide("", request) {
        Verdict::Deny(denial) => (denial.status, denial.code),
        verdict => panic!("{verdict:?}"),
    };
    assert_eq!(code("container-list GET /containers/json"), (403, "flag-not-set".to_owned()));
    assert_eq!(code("unknown GET /metrics"), (403, "no-such-section".to_owned()));
}

#[test]
fn a_long_path_is_cut_in_a_refusal() {
    let words = refusal("", &format!("unknown GET /{}", "é".repeat(5000)));
    assert_eq!(words.chars().count(), "GET  is not allowed: no flag opens this path".len() + 200);
}

#[test]
fn the_dialect_follows_from_the_variables() {
    let logs = "container-logs GET /containers/web/logs";
    let start = "container-start POST /containers/web/start";
    assert_eq!(decide("CONTAINERS=1", logs), Verdict::Allow);
    assert_eq!(refusal("ALLOW_START=1", start), "container-start is not allowed: set POST=1");
    for linuxservers in
        ["ALLOW_LOGS=0", "ALLOW_UNPAUSE=", "LIBPOD_PING=1", "LIBPOD_ALLOW_POD_STOP=no"]
    {
        let flags = format!("CONTAINERS=1 ALLOW_START=1 {linuxservers}");
        assert_eq!(refusal(&flags, logs), "container-logs is not allowed: set ALLOW_LOGS=1");
        assert_eq!(decide(&flags, start), Verdict::Allow, "{linuxservers}");
    }
}

#[test]
fn the_setting_outweighs_the_variables() {
    let logs = Request::new("GET", "/containers/web/logs");
    let decide = |dialect, flags| {
        Tecnativa::set_up(&mut set_up_from(flags).with_dialect(dialect)).decide(&logs)
    };
    let allowed = Verdict::Allow;
    assert_eq!(decide(DialectSetting::Tecnativa, "CONTAINERS=1 ALLOW_LOGS=0"), allowed);
    assert_ne!(decide(DialectSetting::LinuxServer, "CONTAINERS=1"), allowed);
}

#[test]
fn settings_are_read_from_json() {
    let read = serde_json::from_str::<Settings>;
    assert_eq!(read("{}").unwrap().dialect, DialectSetting::Auto);
    let linuxserver = r#"{"dialect":"linuxserver"}"#;
    assert_eq!(read(linuxserver).unwrap().dialect, DialectSetting::LinuxServer);
    let wrong = read(r#"{"dialect":"lsio"}"#).unwrap_err().to_string();
    assert!(
        wrong.starts_with(
            "unknown variant `lsio`, expected one of `auto`, `tecnativa`, `linuxserver`"
        ),
        "{wrong}"
    );
    let unknown = read(r#"{"flavour":"auto"}"#).unwrap_err().to_string();
    assert!(unknown.starts_with("unknown field `flavour`, expected `dialect`"), "{unknown}");
}

#[test]
fn a_value_that_counts_as_0_against_its_meaning_is_a_warning() {
    for (flags, expected) in [
        (
            "CONTAINERS=true",
            "CONTAINERS='true' counts as 0, as only numbers count: write CONTAINERS=1, or CONTAINERS=0 if that is meant",
        ),
        (
            "CONTAINERS=\"1\"",
            "CONTAINERS='\"1\"' counts as 0, as only numbers count: write CONTAINERS=1, or CONTAINERS=0 if that is meant",
        ),
        (
            "INFO=averyveryverylongvalue",
            "the value of INFO counts as 0, as only numbers count: write INFO=1, or INFO=0 if that is meant",
        ),
        (
            "PING=yes",
            "PING='yes' counts as 0, and closes what is open by default: write PING=1, or leave it out",
        ),
    ] {
        assert_eq!(warnings(flags), [expected]);
    }
    let setup = Setup::new(Settings::default()).with_environment([("NODES", " 1")]);
    assert!(warnings_of(setup)[0].starts_with("NODES=' 1' counts as 0"));
    let plain = "CONTAINERS=0 IMAGES= INFO=false PING=no NODES=1 TASKS=2 EVENTS=off";
    assert_eq!(warnings(plain), Vec::<String>::new());
}

#[test]
fn a_flag_without_effect_is_a_warning() {
    for (flags, expected) in [
        (
            "ALLOW_START=1",
            "ALLOW_START opens nothing without POST=1; for LinuxServer's image, where it works alone, choose the dialect linuxserver",
        ),
        ("BUILD=1", "BUILD opens nothing without POST=1"),
        ("ALLOW_LOGS=1", "ALLOW_LOGS opens nothing without CONTAINERS=1"),
    ] {
        assert_eq!(warnings(flags), [expected]);
    }
    for flags in ["ALLOW_STOP=1 ALLOW_PAUSE=1", "ALLOW_LOGS=1 LIBPOD_PODS=1", "ALLOW_STOP=1 POST=1"]
    {
        assert_eq!(warnings(flags), Vec::<String>::new(), "{flags}");
    }
}

#[test]
fn the_way_to_root_on_the_host_is_a_warning() {
    for (flags, expected) in [
        (
            "POST=1 CONTAINERS=1 EXEC=1 NETWORKS=1",
            "clients can become root on the host with POST=1 by CONTAINERS (creates privileged containers)",
        ),
        (
            "POST=1 BUILD=1 VOLUMES=1",
            "clients can become root on the host with POST=1 by BUILD (runs the steps of any build, on the host's network if asked to), VOLUMES (makes volumes of the host's directories for containers to mount)",
        ),
        (
            "ALLOW_START=1 ALLOW_LOGS=0",
            "clients can become root on the host by ALLOW_START (Docker Engine 24 and older take a new host configuration at start)",
        ),
    ] {
        assert_eq!(warnings(flags), [expected]);
    }
    for flags in ["POST=1", "CONTAINERS=1 IMAGES=1 SWARM=1", "POST=1 NETWORKS=1 EXEC=1 SESSION=1"] {
        assert_eq!(warnings(flags), Vec::<String>::new(), "{flags}");
    }
}

#[test]
fn a_name_that_nothing_reads_is_a_warning() {
    for (name, expected) in [
        ("DELETE", "nothing reads DELETE: POST=1 opens every method"),
        ("GET", "nothing reads GET: GET and HEAD pass wherever a section is open"),
        (
            "ALLOW_CREATE",
            "nothing reads ALLOW_CREATE: POST=1 and CONTAINERS=1 open it, with everything else on containers",
        ),
        (
            "ALLOW_EXEC",
            "nothing reads ALLOW_EXEC: POST=1, CONTAINERS=1 and EXEC=1 open it, with everything else on containers",
        ),
        (
            "ALLOW_KILL",
            "nothing reads ALLOW_KILL: POST=1 and ALLOW_RESTARTS=1 open stop, restart and kill",
        ),
        ("ALLOW_RESTART", "nothing reads ALLOW_RESTART: is ALLOW_RESTARTS meant?"),
        ("ALLOW_UNICORNS", "nothing reads ALLOW_UNICORNS: there is no such flag"),
        ("LIBPOD_POD", "nothing reads LIBPOD_POD: is LIBPOD_PODS meant?"),
        ("CONTAINER", "nothing reads CONTAINER: is CONTAINERS meant?"),
        ("CONTIANERS", "nothing reads CONTIANERS: is CONTAINERS meant?"),
        ("EVENT", "nothing reads EVENT: is EVENTS meant?"),
        ("NETWORK", "nothing reads NETWORK: is NETWORKS meant?"),
        ("PSOT", "nothing reads PSOT: is POST meant?"),
        ("images", "nothing reads images: write IMAGES"),
    ] {
        let setup = Setup::new(Settings::default()).with_other_names([name]);
        assert_eq!(warnings_of(setup), [expected]);
    }
    let setup = set_up_from("ALLOW_LOGS=1").0.with_other_names(["ALLOW_KILL"]);
    assert_eq!(
        warnings_of(setup)[1],
        "nothing reads ALLOW_KILL: ALLOW_RESTARTS=1 opens stop, restart and kill"
    );
}

#[test]
fn a_flag_of_the_other_dialect_is_a_warning() {
    let setup = set_up_from("ALLOW_LOGS=1 CONTAINERS=1").with_dialect(DialectSetting::Tecnativa);
    assert_eq!(warnings_of(setup), ["nothing reads ALLOW_LOGS: it takes the dialect linuxserver"]);
}

#[test]
fn ordinary_names_are_no_warning() {
    let ordinary = "PATH HOME HOSTNAME HOST PORT PWD OLDPWD TERM LANG LANGUAGE LC_ALL SHLVL USER \
        USERNAME LOGNAME SHELL MAIL EDITOR PAGER TZ UID GID PUID PGID UMASK PS1 IFS _ TMPDIR TMP \
        TEMP DEBUG DISPLAY container HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy no_proxy XDG_RUNTIME_DIR \
        XDG_SESSION_ID SSL_CERT_FILE NOTIFY_SOCKET INVOCATION_ID JOURNAL_STREAM SYSTEMD_EXEC_PID \
        LISTEN_FDS LISTEN_PID CREDENTIALS_DIRECTORY MEMORY_PRESSURE_WATCH SSH_AUTH_SOCK SSH_CONNECTION \
        KUBERNETES_SERVICE_HOST KUBERNETES_PORT CI NODE_ENV RUST_LOG RUST_BACKTRACE MALLOC_ARENA_MAX \
        LOG_LEVEL SOCKET_PATH DISABLE_IPV6 BIND_CONFIG DOCKER_HOST DOCKER_CONFIG DOCKER_TLS_VERIFY \
        DOCKER_CERT_PATH DOCKER_API_VERSION DOCKGATE_CONFIG DOCKGATE_LISTEN COMPOSE_PROJECT_NAME \
        HAPROXY_VERSION HAPROXY_URL HAPROXY_SHA256 S6_VERBOSITY LSIO_FIRST_PARTY VIRTUAL_ENV";
    let setup = Setup::new(Settings::default()).with_other_names(ordinary.split_whitespace());
    assert_eq!(warnings_of(setup), Vec::<String>::new());
}

#[test]
fn warnings_are_about_a_variable_and_never_fatal() {
    let mut setup = set_up_from("CONTAINERS=true").0.with_other_names(["DELETE"]);
    Tecnativa::set_up(&mut setup);
    let subjects: Vec<&str> = setup.problems().iter().map(|p| p.subject.as_str()).collect();
    assert_eq!(subjects, ["CONTAINERS", "DELETE"]);
    assert!(setup.problems().iter().all(|problem| !problem.fatal));
}

#[test]
fn the_permissions_begin_with_what_matters() {
    let names = |flags| -> Vec<String> {
        permissions(flags).into_iter().map(|permission| permission.name).collect()
    };
    let tecnativas = names("");
    assert_eq!(tecnativas.len(), 27);
    assert_eq!(tecnativas[..3], ["POST", "CONTAINERS", "ALLOW_START"]);
    assert_eq!(tecnativas[24..], ["EVENTS", "VERSION", "PING"]);
    assert_eq!(names("ALLOW_LOGS=0").len(), 59);
}

#[test]
fn permissions_say_what_is_exposed() {
    for (flags, expected) in [
        ("", "POST=0 closed: every method on all that is open, instead of GET and HEAD alone"),
        ("POST=1", "POST=1 open: every method on all that is open, instead of GET and HEAD alone"),
        ("", "PING=1 open: whether the daemon answers"),
        ("PING=true", "PING=true closed: whether the daemon answers"),
        (
            "CONTAINERS=1",
            "CONTAINERS=1 open: list, inspect (environment values), logs, top, export, archive of any file, attach by WebSocket (takes input)",
        ),
        (
            "CONTAINERS=1 POST=1",
            "CONTAINERS=1 open: list, inspect (environment values), logs, top, export, archive of any file, attach by WebSocket (takes input); create, start, exec, update, delete; can lead to root on the host (creates privileged containers)",
        ),
        (
            "CONTAINERS=1 ALLOW_LOGS=0",
            "CONTAINERS=1 open: list, inspect (environment values), stats, attach by WebSocket (takes input)",
        ),
        ("ALLOW_LOGS=1", "ALLOW_LOGS=1 closed: nothing without CONTAINERS=1"),
        ("ALLOW_LOGS=1 CONTAINERS=1", "ALLOW_LOGS=1 open: what containers write to their logs"),
        ("ALLOW_STOP=1", "ALLOW_STOP=1 closed: nothing without POST=1"),
        ("ALLOW_STOP=1 POST=1", "ALLOW_STOP=1 open: stop any container"),
        ("BUILD=0", "BUILD=0 closed: nothing without POST=1"),
        (
            "INFO=averyveryverylongvalue",
            "INFO=(too long to show) closed: facts about the host, registry configuration",
        ),
    ] {
        let name = expected.split_once('=').unwrap().0;
        let shown = permissions(flags).into_iter().find(|permission| permission.name == name);
        let Permission { name, value, open, exposes } = shown.unwrap();
        let open = if open { "open" } else { "closed" };
        assert_eq!(format!("{name}={value} {open}: {exposes}"), expected, "{flags}");
    }
}

/// A setup whose dialect may still be chosen.
struct Scene(Setup<Settings>);

impl Scene {
    fn with_dialect(mut self, dialect: DialectSetting) -> Setup<Settings> {
        self.0.settings.dialect = dialect;
        self.0
    }
}

/// From `CONTAINERS=1 POST=1`.
fn set_up_from(flags: &str) -> Scene {
    let variables = flags.split_whitespace().map(|flag| flag.split_once('=').unwrap());
    Scene(Setup::new(Settings::default()).with_environment(variables))
}

/// Decides about a request such as `container-list GET /containers/json`.
fn decide(flags: &str, request: &str) -> Verdict {
    let mut words = request.split_whitespace();
    let mut next = || words.next().unwrap();
    let operation = next();
    let request = Request::new(next(), next());
    assert_eq!(request.operation_name(), operation);
    Tecnativa::set_up(&mut set_up_from(flags).0).decide(&request)
}

/// The refusal as the proxy puts it together.
fn refusal(flags: &str, request: &str) -> String {
    match decide(flags, request) {
        Verdict::Deny(denial) => format!("{}: {}", denial.message, denial.hint.unwrap()),
        verdict => panic!("{flags}: {request}: {verdict:?}"),
    }
}

fn warnings(flags: &str) -> Vec<String> {
    warnings_of(set_up_from(flags).0)
}

fn warnings_of(mut setup: Setup<Settings>) -> Vec<String> {
    Tecnativa::set_up(&mut setup);
    setup.problems().iter().map(|Problem { message, .. }| message.clone()).collect()
}

fn permissions(flags: &str) -> Vec<Permission> {
    Tecnativa::set_up(&mut set_up_from(flags).0).permissions()
}
