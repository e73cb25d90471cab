//! Images: read by all or scoped as everything else, and changed only where they carry the labels.

use dockgate_plugin::{Json, Kind};

use crate::{
    case::{Case, text},
    lists, references,
    settings::Images,
    stop::Stop,
};

/// Inspecting, and the like.
pub(crate) fn look_at(case: &Case) -> Result<(), Stop> {
    lists::without_manifests(case);
    match case.policy.images {
        Images::Read => Ok(()),
        Images::Labelled => case.target(Kind::Image).map(|_| ()),
    }
}

/// The image of a container or a service, in its body.
pub(crate) fn run_in(case: &Case, image: Option<&Json>) -> Result<(), Stop> {
    run(case, text(image, "Image")?)
}

/// An image that a body names, to run or to mount it.
pub(crate) fn run(case: &Case, name: &str) -> Result<(), Stop> {
    match case.policy.images {
        Images::Labelled if !name.is_empty() => case.find(Kind::Image, name).map(|_| ()),
        _ => Ok(()),
    }
}

/// Saving images, one by its path or several by the query. A repository alone means all its tags.
pub(crate) fn save(case: &Case) -> Result<(), Stop> {
    if case.policy.images == Images::Read {
        return Ok(());
    }
    let target = case.request.target().map(str::to_owned);
    for name in target.into_iter().chain(case.query_values("names")) {
        one_tag(&name)?;
        case.find(Kind::Image, &name)?;
    }
    Ok(())
}

/// Pulling. To import an archive is the same operation, and what is in it bears no labels.
pub(crate) fn pull(case: &Case) -> Result<(), Stop> {
    let Some(image) = case.query("fromImage") else {
        return Err(Stop::refuse(
            "not-scoped",
            "images that are imported carry no labels",
            "pull the image, or build it",
        ));
    };
    if case.policy.images == Images::Read {
        return Ok(());
    }
    let name = tagged(&image, case.query("tag"));
    one_tag(&name)?;
    not_anothers(case, &name)
}

/// Giving an image another name.
pub(crate) fn tag(case: &Case) -> Result<(), Stop> {
    case.target(Kind::Image)?;
    new_name(case)
}

/// Pushing one tag. Its path and its query name it together.
pub(crate) fn push(case: &Case) -> Result<(), Stop> {
    let name = tagged(case.request.target().unwrap_or_default(), case.query("tag"));
    one_tag(&name)?;
    case.find(Kind::Image, &name).map(|_| ())
}

/// Building, with the classic builder: its labels come after those of the Dockerfile.
pub(crate) fn build(case: &Case) -> Result<(), Stop> {
    if case.policy.images == Images::Labelled {
        return Err(Stop::refuse(
            "not-scoped",
            "what a Dockerfile takes from other images can't be seen",
            "set images to \"read\"",
        ));
    }
    let is_buildkit = case.query("version").is_some_and(|version| version != "1");
    if is_buildkit || case.query("session").is_some() || case.query("outputs").is_some() {
        return Err(Stop::refuse(
            "not-scoped",
            "BuildKit can't be confined to labels",
            "build with DOCKER_BUILDKIT=0",
        ));
    }
    for name in case.query_values("t") {
        not_anothers(case, &with_tag(&name))?;
    }
    if let Some(mode) = case.query("networkmode") {
        let pinned = references::network_mode(case, &mode)?;
        if pinned != mode {
            case.request.set_query("networkmode", &pinned);
        }
    }
    let labels = case.query("labels").map(|labels| Json::parse(&labels)).transpose();
    let labels = labels.map_err(|_| Stop::malformed("labels are JSON"))?;
    if let Some(labels) = case.policy.scope.stamp(labels.as_ref())? {
        case.request.set_query("labels", &labels.to_string());
    }
    Ok(())
}

/// Making an image of a container. It gets the container's labels, and then those of the body and
/// those of `changes`.
pub(crate) fn commit(case: &Case) -> Result<(), Stop> {
    let container = case.query("container").unwrap_or_default();
    let id = case.id(Kind::Container, &container)?;
    if let Some(config) = case.request.body().json() {
        let labels = config.get("Labels").filter(|labels| !labels.is_null());
        labels.map_or(Ok(()), |labels| case.policy.scope.keeps(labels))?;
    }
    if case.query_values("changes").any(|change| may_set_a_label(&change)) {
        return Err(Stop::refuse(
            "other-label",
            "changes of a commit may not set labels, nor go on in another line",
            "leave LABEL out: the image gets the container's labels",
        ));
    }
    new_name(case)?;
    if id != container {
        case.request.set_query("container", &id);
    }
    Ok(())
}

/// Whether a line of a Dockerfile may be read as LABEL. The daemon joins all changes before it reads
/// them, so one line may go on in the next.
fn may_set_a_label(change: &str) -> bool {
    let instruction = change.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    let is_label = instruction.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("label"));
    is_label || change.contains(['\n', '\r']) || change.trim_end().ends_with(['\\', '`'])
}

/// The name in `repo` and `tag`, which an image is to get.
fn new_name(case: &Case) -> Result<(), Stop> {
    match case.query("repo") {
        Some(repo) => not_anothers(case, &with_tag(&tagged(&repo, case.query("tag")))),
        None => Ok(()),
    }
}

/// That a name may be given to an image: it would be taken from the one that has it.
fn not_anothers(case: &Case, name: &str) -> Result<(), Stop> {
    match case.request.look_up(Kind::Image, name) {
        Some(found) if !case.is_inside(Kind::Image, &found) => {
            Err(Stop::Answer(409, format!("conflict: the name {name} belongs to another image")))
        }
        _ => Ok(()),
    }
}

/// That a name means one image, and not all tags of a repository.
fn one_tag(name: &str) -> Result<(), Stop> {
    if has_tag(name) {
        return Ok(());
    }
    let message = format!("{name} without a tag means all images of that name");
    Err(Stop::refuse("all-tags", message, format!("name one: {name}:latest")))
}

/// A name with the tag or digest that is given beside it.
fn tagged(name: &str, tag: Option<String>) -> String {
    let Some(tag) = tag else { return name.to_owned() };
    let repository =
        if has_tag(name) { name.rsplit_once([':', '@']).map_or(name, |(r, _)| r) } else { name };
    // `name@sha256:…`
    let repository = repository.strip_suffix("@sha256").unwrap_or(repository);
    let between = if tag.contains(':') { '@' } else { ':' };
    format!("{repository}{between}{tag}")
}

/// The name as the daemon completes it: `nginx:latest`.
pub(crate) fn with_tag(name: &str) -> String {
    if has_tag(name) { name.to_owned() } else { format!("{name}:latest") }
}

/// Whether a name has a tag or a digest; the port of a registry is none.
fn has_tag(name: &str) -> bool {
    name.rsplit('/').next().unwrap_or(name).contains([':', '@'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_the_daemon_does() {
        for (name, full) in [
            ("nginx", "nginx:latest"),
            ("nginx:1", "nginx:1"),
            ("localhost:5000/nginx", "localhost:5000/nginx:latest"),
            ("localhost:5000/a/b:c", "localhost:5000/a/b:c"),
            ("nginx@sha256:4f66", "nginx@sha256:4f66"),
            ("sha256:4f66", "sha256:4f66"),
        ] {
            assert_eq!(with_tag(name), full);
        }
    }

    #[test]
    fn a_tag_beside_the_name_counts() {
        for (name, tag, together) in [
            ("nginx", "1", "nginx:1"),
            ("nginx:2", "1", "nginx:1"),
            ("localhost:5000/nginx", "1", "localhost:5000/nginx:1"),
            ("nginx", "sha256:4f66", "nginx@sha256:4f66"),
            ("nginx@sha256:4f66", "1", "nginx:1"),
        ] {
            assert_eq!(tagged(name, Some(tag.to_owned())), together);
        }
        assert_eq!(tagged("nginx:2", None), "nginx:2");
    }

    #[test]
    fn labels_are_seen_however_they_are_written() {
        for change in [
            "LABEL team=red",
            "label team=red",
            " \tLabel team=red",
            "\u{feff}LABEL team=red",
            "ENV A=b\nLABEL team=red",
            "LAB\\",
            "LAB\\ \t",
            "LAB`",
        ] {
            assert!(may_set_a_label(change), "{change:?}");
        }
        for change in ["ENV LABEL=1", "CMD [\"label\"]", "EXPOSE 80", "ENV A=a\\ b", ""] {
            assert!(!may_set_a_label(change), "{change:?}");
        }
    }
}
