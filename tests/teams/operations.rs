//! Each operation of the table of routes that names a thing in its path.

use std::path::Path;

use crate::engine::{self, Engine};
use crate::http::Answer;
use crate::table::{self, Row, Theirs};
use crate::team::{Kind, Things, proxy_of};

#[test]
fn every_route_with_a_target_is_in_the_table() {
    for route in table::routes_with_target() {
        assert!(table::has(route.operation.name()), "{} is not in the table", route.operation);
    }
}

#[test]
fn what_another_team_has_is_not_there() {
    let Some(engine) = engine::shared() else { return };
    nothing_of_theirs_is_reached(engine, "read");
}

#[test]
fn what_another_team_has_is_not_there_where_images_are_scoped_as_well() {
    let Some(engine) = engine::shared() else { return };
    nothing_of_theirs_is_reached(engine, "labelled");
}

fn nothing_of_theirs_is_reached(engine: &'static Engine, images: &str) {
    let ours = Things::of(engine, &format!("ours-{images}"), &format!("ours-{images}"));
    let theirs = Things::of(engine, &format!("theirs-{images}"), &format!("theirs-{images}"));
    let proxy = proxy_of(engine, &ours.team, images);
    let (ours_before, theirs_before) = (ours.state(), theirs.state());
    for row in table::rows(engine) {
        for spelling in theirs.spellings(row.thing) {
            let request = row.request(&spelling, &ours, "1");
            let answer = request.ask(&proxy.socket());
            let tried = format!("{} as {spelling}: {}", row.operation, request.line);
            expect_refusal(row, images, &answer, &tried);
            if !is_open(row, images) {
                theirs.expect_nothing_of_them_in(&answer, &tried);
            }
        }
        theirs.expect_unchanged(&theirs_before, row.operation);
        ours.expect_unchanged(&ours_before, row.operation);
    }
}

fn is_open(row: &Row, images: &str) -> bool {
    row.theirs == Theirs::Nobodys || row.theirs == Theirs::ReadByAll && images == "read"
}

fn expect_refusal(row: &Row, images: &str, answer: &Answer, tried: &str) {
    let words = answer.words();
    let is_as_told = match row.theirs {
        _ if is_open(row, images) => !words.contains("dockgate: "),
        Theirs::Unscoped => answer.status == 403 && words.contains("can't be confined to labels"),
        // There are no words in the answer to a HEAD.
        _ if row.operation == "container-archive-info" => answer.status == 404,
        // A short id may as well be a repository.
        _ if words.contains("without a tag means all images") => answer.status == 403,
        // `sha256:1` may be the beginning of an id of one's own, by chance; the daemon has no such
        // repository to push.
        _ if words.contains("does not exist locally with the tag: sha256") => answer.status == 200,
        // The daemon knows no such names, and who can't look one up refuses.
        _ if words.contains("invalid reference format") => answer.status == 502,
        _ => answer.status == 404 && (words.contains("o such ") || words.contains("not found")),
    };
    assert!(is_as_told, "{tried}: {} {words}", answer.status);
}

#[test]
fn what_a_team_has_itself_is_as_on_the_engine() {
    let Some(engine) = engine::shared() else { return };
    let through_proxy = Things::of(engine, "own", "own");
    let at_engine = Things::of(engine, "own", "own2");
    let proxy = proxy_of(engine, "own", "labelled");
    if engine.is_swarm {
        // A node is a team's where it has the label.
        at_engine.must_run(r#"docker node update --label-add "$L" "$(docker node ls --quiet)""#);
    }
    for row in table::rows(engine) {
        let ask = |things: &Things, socket: &Path| {
            let version = things.inspect(row.thing)["Version"]["Index"].to_string();
            let name = if is_named(row) { things.name(row.thing) } else { things.id(row.thing) };
            row.request(name, things, &version).ask(socket)
        };
        if row.theirs == Theirs::Unscoped {
            let answer = ask(&through_proxy, &proxy.socket());
            expect_refusal(row, "labelled", &answer, row.operation);
            continue;
        }
        let proxied = ask(&through_proxy, &proxy.socket());
        let direct = ask(&at_engine, &engine.daemon.socket());
        let (words, expected) = (proxied.words(), direct.words());
        let operation = row.operation;
        assert_eq!(
            proxied.status, direct.status,
            "{operation}: {words} in the place of {expected}"
        );
        assert_eq!(proxied.status < 400, !fails_here(row), "{operation}: {words}");
    }
}

/// Whether it goes by name; those that lose it, and images whose names can be taken from them, not.
fn is_named(row: &Row) -> bool {
    match row.thing {
        Kind::Image => !matches!(row.operation, "image-inspect" | "image-history"),
        Kind::Task => false,
        _ => row.operation != "container-delete",
    }
}

/// What no daemon does in these tests: it wants an experimental one, a newer one, a registry.
fn fails_here(row: &Row) -> bool {
    row.operation.contains("checkpoint")
        || matches!(row.operation, "image-attestations" | "distribution-inspect" | "plugin-inspect")
}
