//! What a request names in its query or its body, and the names that it would take.

use std::path::Path;

use crate::engine;
use crate::http::{Answer, Request};
use crate::table::{EMPTY_TAR, with_own};
use crate::team::{Kind, Things, proxy_of};

use Kind::{Config, Container, Image, Network, Secret, Service, Volume};
use Own::{Alike, Found, Unlabelled, Works};

/// A request with `{it}` for a thing in its line or body.
struct Reference {
    thing: Kind,
    line: &'static str,
    body: &'static str,
    /// What a team is told that names another's thing.
    status: u16,
    own: Own,
}

/// What comes of it for a thing of one's own.
#[derive(PartialEq, Eq)]
enum Own {
    /// It is done.
    Works,
    /// It is done, and by spellings too that the daemon would not take here.
    Found,
    /// This daemon does not do it either, and says so in its own words.
    Alike,
    /// The daemon takes no labels there.
    Unlabelled,
}

impl Reference {
    fn request(&self, name: &str, own: &Things) -> Request {
        let filled = |text| with_own(text, own).replace("{it}", name);
        Request::new(filled(self.line)).with_body(filled(self.body))
    }
}

#[test]
fn what_another_team_has_is_not_there_to_be_named() {
    let Some(engine) = engine::shared() else { return };
    let ours = Things::of(engine, "ours-named", "ours-named");
    let theirs = Things::of(engine, "theirs-named", "theirs-named");
    let read = proxy_of(engine, &ours.team, "read");
    let labelled = proxy_of(engine, &ours.team, "labelled");
    let (ours_before, theirs_before) = (ours.state(), theirs.state());
    for reference in REFERENCES.iter().filter(|r| engine.is_swarm || !is_of_swarm(r)) {
        let proxy = if reference.thing == Image { &labelled } else { &read };
        for name in spellings(&theirs, reference.thing) {
            let request = reference.request(&name, &ours);
            let answer = request.ask(&proxy.socket());
            let tried = format!("{} {}", request.line, request.body);
            expect_refusal(reference, &answer, &tried);
            theirs.expect_nothing_of_them_in(&answer, &tried);
        }
        let request = format!("{} {}", reference.line, reference.body);
        theirs.expect_unchanged(&theirs_before, &request);
        ours.expect_unchanged(&ours_before, &request);
    }
}

/// As in a path, and as an inspect shows the names of containers.
fn spellings(things: &Things, kind: Kind) -> Vec<String> {
    if kind == Volume {
        // All else that it might be called is a volume that is not there yet.
        return vec![things.name(kind).to_owned()];
    }
    let mut spellings = things.spellings(kind);
    if kind == Container {
        spellings.push(format!("/{}", things.name(kind)));
    }
    spellings
}

fn is_of_swarm(reference: &Reference) -> bool {
    reference.line.contains("/services/") || reference.thing.is_of_swarm()
}

fn expect_refusal(reference: &Reference, answer: &Answer, tried: &str) {
    let words = answer.words();
    let is_as_told = match reference.thing {
        Image if words.contains("invalid reference format") => answer.status == 502,
        Image if words.contains("without a tag means all images") => answer.status == 403,
        _ => {
            let not_there = ["o such ", "not found", "there is no volume"];
            answer.status == reference.status && not_there.iter().any(|said| words.contains(said))
        }
    };
    assert!(is_as_told, "{tried}: {} {words}", answer.status);
}

#[test]
fn what_a_team_has_itself_may_be_named_as_on_the_engine() {
    let Some(engine) = engine::shared() else { return };
    let through_proxy = Things::of(engine, "own-named", "own-named");
    let at_engine = Things::of(engine, "own-named", "own-named2");
    let proxy = proxy_of(engine, "own-named", "read");
    let labelled = proxy_of(engine, "own-named", "labelled");
    for (ours, theirs) in own_spellings(&through_proxy).into_iter().zip(own_spellings(&at_engine)) {
        let (kind, name) = ours;
        let of_kind = |r: &&Reference| r.thing == kind && (engine.is_swarm || !is_of_swarm(r));
        for reference in REFERENCES.iter().filter(of_kind) {
            let ask = |name: &str, things: &Things, socket: &Path| {
                reference.request(name, things).ask(socket)
            };
            let proxy = if kind == Image { &labelled } else { &proxy };
            let proxied = ask(&name, &through_proxy, &proxy.socket());
            let direct = ask(&theirs.1, &at_engine, &engine.daemon.socket());
            let tried = format!("{} {} with {name}", reference.line, reference.body);
            let (words, expected) = (proxied.words(), direct.words());
            let (is_same, is_done) = (proxied.status == direct.status, proxied.status < 400);
            let is_as_told = match reference.own {
                Works => is_same && is_done,
                Found => is_done,
                Alike => is_same && !is_done,
                Unlabelled => !is_done,
            };
            assert!(is_as_told, "{tried}: {words} in the place of {expected}");
        }
    }
}

/// The spellings that a daemon takes for what is there.
fn own_spellings(things: &Things) -> Vec<(Kind, String)> {
    let mut kinds = vec![Container, Network, Volume, Image];
    if things.is_in_swarm() {
        kinds.extend([Secret, Config, Service]);
    }
    let mut spellings = Vec::new();
    for kind in kinds {
        spellings.push((kind, things.name(kind).to_owned()));
        if !matches!(kind, Volume | Image) {
            spellings.push((kind, things.id(kind).to_owned()));
            spellings.push((kind, crate::team::short(things.id(kind)).to_owned()));
        }
        if kind == Container {
            spellings.push((kind, format!("/{}", things.name(kind))));
        }
    }
    spellings
}

#[test]
fn the_names_of_others_are_taken_and_nothing_more_is_told() {
    let Some(engine) = engine::shared() else { return };
    let ours = Things::of(engine, "ours-taken", "ours-taken");
    let theirs = Things::of(engine, "theirs-taken", "theirs-taken");
    let read = proxy_of(engine, &ours.team, "read");
    let labelled = proxy_of(engine, &ours.team, "labelled");
    let (ours_before, theirs_before) = (ours.state(), theirs.state());
    let of_swarm = ["/services/", "/secrets/", "/configs/"];
    for (line, body, status) in NAMES {
        if !engine.is_swarm && of_swarm.iter().any(|path| line.contains(path)) {
            continue;
        }
        let filled = |text| with_own(text, &ours).replace("{theirs}", &theirs.prefix);
        let request = Request::new(filled(line)).with_body(filled(body));
        // With `read` a pull takes place.
        let proxy = if line.contains("fromImage") { &labelled } else { &read };
        let answer = request.ask(&proxy.socket());
        let tried = format!("{} {}", request.line, request.body);
        assert_eq!(answer.status, *status, "{tried}: {}", answer.words());
        theirs.expect_nothing_of_them_in(&answer, &tried);
        theirs.expect_unchanged(&theirs_before, &tried);
        ours.expect_unchanged(&ours_before, &tried);
    }
}

#[test]
fn who_else_uses_what_a_team_has_is_not_told() {
    let Some(engine) = engine::shared() else { return };
    let ours = Things::of(engine, "ours-shared", "ours-shared");
    let theirs = Things::of(engine, "theirs-shared", "theirs-shared");
    let proxy = proxy_of(engine, &ours.team, "read");
    theirs.must_run(
        "docker run --detach --name $P-guest --label $L --network ours-shared-net \
             --volume ours-shared-vol:/v --stop-signal KILL localhost:1/ours-shared:1 \
             sleep 1000 >&2
         docker rm --force ours-shared-web >&2",
    );
    let guest = theirs.must_run("docker inspect --format '{{.Id}} {{.Name}}' $P-guest");
    let address = theirs.must_run(
        "docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' \
         $P-guest",
    );
    let secrets = [&guest[..12], "theirs-shared", address.trim()];
    for (line, status) in [
        ("GET /networks/{own network}", 200),
        ("GET /networks/{own network}?verbose=1", 200),
        ("GET /networks", 200),
        ("GET /volumes/{own volume}", 200),
        ("DELETE /networks/{own network}", 403),
        ("DELETE /volumes/{own volume}", 409),
        ("DELETE /images/{own image}", 409),
    ] {
        let request = Request::new(with_own(line, &ours));
        let answer = request.ask(&proxy.socket());
        let said = answer.text();
        assert_eq!(answer.status, status, "{line}: {said}");
        for secret in secrets {
            assert!(!said.contains(secret), "{line} tells {secret}: {said}");
        }
    }
}

#[test]
fn prunes_take_away_what_is_ones_own() {
    let Some(engine) = engine::shared() else { return };
    let ours = Things::of(engine, "ours-pruned", "ours-pruned");
    let theirs = Things::of(engine, "theirs-pruned", "theirs-pruned");
    for team in [&ours, &theirs] {
        team.must_run(
            r#"
            docker create --name "$P-old" --label "$L" busy:1 true
            docker network create --label "$L" "$P-unused"
            docker volume create --label "$L" "$P-unused"
            printf 'FROM busy:1\nLABEL %s of=%s-dangling\n' "$L" "$P" | docker build --quiet - 2>&1
            "#,
        );
    }
    let (ours_before, theirs_before) = (ours.state(), theirs.state());
    let proxy = proxy_of(engine, &ours.team, "read");
    let prune = |what: &str, filters: &str| {
        let filters = filters.replace('"', "%22").replace('{', "%7B").replace('}', "%7D");
        let line = format!("POST /{what}/prune{filters}");
        let answer = Request::new(&line).ask(&proxy.socket());
        theirs.expect_nothing_of_them_in(&answer, &line);
        theirs.expect_unchanged(&theirs_before, &line);
        (answer.status, line + ": " + &answer.text())
    };
    let kinds = ["containers", "networks", "volumes", "images"];
    for what in kinds {
        for widening in [
            r#"?filters={"label":["com.example.team=theirs-pruned"]}"#,
            r#"?filters={"label":{"com.example.team=theirs-pruned":true}}"#,
            r#"?filters={"label!":["com.example.team=ours-pruned"]}"#,
        ] {
            let (status, said) = prune(what, widening);
            assert_eq!(status, 200, "{said}");
        }
    }
    // What would have to be of two teams is not there.
    ours.expect_unchanged(&ours_before, "prunes with a second label");
    for what in kinds {
        let (status, said) = prune(what, "");
        assert_eq!(status, 200, "{said}");
    }
    let (status, said) = prune("images", r#"?filters={"dangling":["false"]}"#);
    assert_eq!(status, 200, "{said}");
    assert_eq!(prune("build", "").0, 403);

    let left = ours.must_run(
        r#"
        docker ps --all --filter "label=$L" --format '{{.Names}}'
        docker network ls --filter "label=$L" --format '{{.Name}}'
        docker volume ls --filter "label=$L" --format '{{.Name}}'
        docker images --all --filter "label=$L" --format '{{.Repository}}'
        "#,
    );
    assert_eq!(left, "ours-pruned-web\nours-pruned-net\nours-pruned-vol\n");
}

const fn it(
    thing: Kind,
    line: &'static str,
    body: &'static str,
    status: u16,
    own: Own,
) -> Reference {
    Reference { thing, line, body, status, own }
}

const CREATE: &str = "POST /containers/create";
const SERVICE: &str = "POST /services/create";

#[rustfmt::skip]
const REFERENCES: &[Reference] = &[
    it(Container, CREATE, r#"{"Image":"busy:1","HostConfig":{"NetworkMode":"container:{it}"}}"#, 400, Works),
    it(Container, CREATE, r#"{"Image":"busy:1","HostConfig":{"PidMode":"container:{it}"}}"#, 400, Works),
    it(Container, CREATE, r#"{"Image":"busy:1","HostConfig":{"IpcMode":"container:{it}"}}"#, 400, Works),
    it(Container, CREATE, r#"{"Image":"busy:1","HostConfig":{"VolumesFrom":["{it}"]}}"#, 400, Works),
    it(Container, CREATE, r#"{"Image":"busy:1","HostConfig":{"VolumesFrom":["{it}:ro"]}}"#, 400, Works),
    it(Container, CREATE, r#"{"Image":"busy:1","HostConfig":{"Links":["{it}:db"]}}"#, 400, Works),
    it(Container, CREATE, r#"{"Image":"busy:1","NetworkingConfig":{"EndpointsConfig":{"{own network}":{"Links":["{it}:db"]}}}}"#, 400, Works),
    it(Container, "POST /commit?container={it}", "{}", 404, Works),
    it(Container, "POST /networks/{own network}/disconnect", r#"{"Container":"{it}"}"#, 404, Works),
    it(Container, "POST /networks/{own network}/connect", r#"{"Container":"{it}"}"#, 404, Works),
    it(Container, "POST /networks/{own network}/disconnect", r#"{"Container":"{it}","Force":true}"#, 404, Works),
    it(Container, "POST /networks/{own network}/connect", r#"{"Container":"{own container}","EndpointConfig":{"Links":["{it}:db"]}}"#, 404, Works),
    it(Container, r"GET /containers/json?all=1&filters=%7B%22before%22:%5B%22{it}%22%5D%7D", "", 404, Found),
    it(Container, r"GET /containers/json?all=1&filters=%7B%22since%22:%7B%22{it}%22:true%7D%7D", "", 404, Found),
    it(Container, "POST /build?networkmode=container:{it}", EMPTY_TAR, 404, Alike),

    it(Network, CREATE, r#"{"Image":"busy:1","HostConfig":{"NetworkMode":"{it}"}}"#, 400, Works),
    it(Network, CREATE, r#"{"Image":"busy:1","NetworkingConfig":{"EndpointsConfig":{"{it}":{}}}}"#, 400, Works),
    it(Network, CREATE, r#"{"Image":"busy:1","NetworkingConfig":{"EndpointsConfig":{"bridge":{"NetworkID":"{it}"}}}}"#, 400, Works),
    it(Network, "POST /networks/{own network}/disconnect", r#"{"Container":"{own container}","EndpointConfig":{"NetworkID":"{it}"}}"#, 404, Works),
    it(Network, "POST /networks/{own network}/connect", r#"{"Container":"{own container}","EndpointConfig":{"NetworkID":"{it}"}}"#, 404, Works),
    it(Network, "POST /networks/create", r#"{"Name":"{own}-from","ConfigFrom":{"Network":"{it}"}}"#, 404, Unlabelled),
    it(Network, "POST /build?networkmode={it}", EMPTY_TAR, 404, Alike),
    // A network of one machine alone is nothing for services.
    it(Network, SERVICE, r#"{"Name":"{own}-a","TaskTemplate":{"ContainerSpec":{"Image":"busy:1"},"Networks":[{"Target":"{it}"}]}}"#, 404, Alike),
    it(Network, SERVICE, r#"{"Name":"{own}-a","TaskTemplate":{"ContainerSpec":{"Image":"busy:1"}},"Networks":[{"Target":"{it}"}]}"#, 404, Alike),

    it(Volume, CREATE, r#"{"Image":"busy:1","HostConfig":{"Binds":["{it}:/v"]}}"#, 403, Works),
    it(Volume, CREATE, r#"{"Image":"busy:1","HostConfig":{"Binds":["{it}:/v:ro"]}}"#, 403, Works),
    it(Volume, CREATE, r#"{"Image":"busy:1","HostConfig":{"Mounts":[{"Type":"volume","Source":"{it}","Target":"/v"}]}}"#, 403, Works),
    it(Volume, SERVICE, r#"{"Name":"{own}-{it}","TaskTemplate":{"ContainerSpec":{"Image":"busy:1","Mounts":[{"Type":"volume","Source":"{it}","Target":"/v"}]}},"Mode":{"Replicated":{"Replicas":0}}}"#, 403, Works),

    it(Image, CREATE, r#"{"Image":"{it}"}"#, 404, Works),
    it(Image, CREATE, r#"{"Image":"{own image}","HostConfig":{"Mounts":[{"Type":"image","Source":"{it}","Target":"/i"}]}}"#, 400, Alike),
    it(Image, "GET /images/get?names={it}", "", 404, Works),
    it(Image, "GET /images/get?names={own image}&names={it}", "", 404, Works),
    it(Image, SERVICE, r#"{"Name":"{own}-image","TaskTemplate":{"ContainerSpec":{"Image":"{it}"}},"Mode":{"Replicated":{"Replicas":0}}}"#, 404, Works),

    it(Secret, SERVICE, r#"{"Name":"{own}-{it}","TaskTemplate":{"ContainerSpec":{"Image":"busy:1","Secrets":[{"SecretID":"{it}","SecretName":"{own}-secret","File":{"Name":"s","UID":"0","GID":"0","Mode":292}}]}},"Mode":{"Replicated":{"Replicas":0}}}"#, 404, Found),
    it(Config, SERVICE, r#"{"Name":"{own}-{it}","TaskTemplate":{"ContainerSpec":{"Image":"busy:1","Configs":[{"ConfigID":"{it}","ConfigName":"{own}-config","File":{"Name":"c","UID":"0","GID":"0","Mode":292}}]}},"Mode":{"Replicated":{"Replicas":0}}}"#, 404, Found),
    it(Service, "GET /tasks?filters=%7B%22service%22:%7B%22{it}%22:true%7D%7D", "", 404, Works),
];

/// Requests that would take a name which `{theirs}` has.
#[rustfmt::skip]
const NAMES: &[(&str, &str, u16)] = &[
    ("POST /containers/create?name={theirs}-web", r#"{"Image":"busy:1"}"#, 409),
    ("POST /containers/create?name=/{theirs}-web", r#"{"Image":"busy:1"}"#, 409),
    ("POST /containers/{own container}/rename?name={theirs}-web", "", 409),
    ("POST /volumes/create", r#"{"Name":"{theirs}-vol"}"#, 409),
    ("POST /networks/create", r#"{"Name":"{theirs}-net"}"#, 409),
    ("POST /networks/create", r#"{"Name":"{theirs}-net","CheckDuplicate":true}"#, 409),
    ("POST /images/{own image}/tag?repo=localhost:1/{theirs}&tag=1", "", 409),
    ("POST /images/{own image}/tag?repo=localhost:1/{theirs}:1", "", 409),
    ("POST /commit?container={own container}&repo=localhost:1/{theirs}&tag=1", "{}", 409),
    ("POST /build?t=localhost:1/{theirs}:1", EMPTY_TAR, 409),
    ("POST /images/localhost:1/{theirs}/push?tag=1", "", 404),
    ("POST /images/create?fromImage=localhost:1/{theirs}&tag=1", "", 409),
    ("POST /services/create", r#"{"Name":"{theirs}-svc","TaskTemplate":{"ContainerSpec":{"Image":"busy:1"}}}"#, 409),
    ("POST /secrets/create", r#"{"Name":"{theirs}-secret","Data":"YQ=="}"#, 409),
    ("POST /configs/create", r#"{"Name":"{theirs}-config","Data":"YQ=="}"#, 409),
];
