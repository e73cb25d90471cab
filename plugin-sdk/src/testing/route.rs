//! Which operation a request is, by the table of routes.

use crate::operation::{Operation, Route, routes};

/// The route that the daemon takes, the first that matches, and the target that the path names.
pub(super) fn find<'a>(method: &str, path: &'a str) -> Option<(&'static Route, Option<&'a str>)> {
    let mut routes = routes().iter().filter(|route| route.method == method);
    routes.find_map(|route| matched(route, path).map(|target| (route, target)))
}

/// A method and a path that lead to an operation on this target.
pub(super) fn to(operation: Operation, target: Option<&str>) -> (&'static str, String) {
    let Some(route) = routes().iter().find(|route| route.operation == operation) else {
        panic!("no route leads to {operation}");
    };
    let mut path = String::new();
    let mut names = target.into_iter();
    for part in parts(route.pattern) {
        match part {
            Part::Literal(text) => path += text,
            // Of two parameters the second is no target.
            Part::Parameter(name) => path += names.next().unwrap_or(name),
        }
    }
    let is_it = find(route.method, &path).is_some_and(|(found, on)| {
        found.operation == operation && (on == target || operation == Operation::Options)
    });
    assert!(is_it, "{} {path} is no {operation} on {target:?}", route.method);
    (route.method, path)
}

/// The target of a path, if it has one, where the route matches it.
#[allow(clippy::option_option, reason = "two questions: does it match, and does it name something")]
fn matched<'a>(route: &Route, path: &'a str) -> Option<Option<&'a str>> {
    let Some((before, rest)) = route.pattern.split_once('{') else {
        return (path == route.pattern).then_some(None);
    };
    let (parameter, after) = rest.split_once('}')?;
    let path = path.strip_prefix(before)?;
    let one = |name: &str| !name.is_empty() && !name.contains('/');
    let name = match (after.split_once('{'), parameter.split_once(':')) {
        (Some((between, _)), _) => {
            let (name, second) = path.split_once(between)?;
            (one(name) && one(second)).then_some(name)?
        }
        (None, None) => path.strip_suffix(after).filter(|name| one(name))?,
        (None, Some((_, ".+"))) => path.strip_suffix(after).filter(|name| !name.is_empty())?,
        (None, Some(_)) => path.strip_suffix(after)?,
    };
    // What `OPTIONS` on any path matches is no target.
    let is_target = !name.is_empty() && route.operation != Operation::Options;
    Some(is_target.then_some(name))
}

enum Part<'a> {
    Literal(&'a str),
    Parameter(&'a str),
}

fn parts(pattern: &str) -> impl Iterator<Item = Part<'_>> {
    pattern.split('{').flat_map(|text| match text.split_once('}') {
        None => vec![Part::Literal(text)],
        Some((parameter, after)) => {
            let name = parameter.split(':').next().unwrap_or_default();
            vec![Part::Parameter(name), Part::Literal(after)]
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(method: &str, path: &'a str) -> Option<(Operation, Option<&'a str>)> {
        find(method, path).map(|(route, target)| (route.operation, target))
    }

    #[test]
    fn the_first_route_that_matches_counts() {
        use Operation as Op;
        for (method, path, expected) in [
            ("GET", "/containers/json", Some((Op::ContainerList, None))),
            ("GET", "/containers/web/json", Some((Op::ContainerInspect, Some("web")))),
            ("GET", "/containers/a/b/json", Some((Op::ContainerInspect, Some("a/b")))),
            ("DELETE", "/containers/json", Some((Op::ContainerDelete, Some("json")))),
            ("GET", "/containers//json", Some((Op::ContainerInspect, None))),
            ("POST", "/exec/3f/start", Some((Op::ExecStart, Some("3f")))),
            ("GET", "/images/a/b:c/json", Some((Op::ImageInspect, Some("a/b:c")))),
            ("GET", "/networks/", Some((Op::NetworkList, None))),
            ("GET", "/networks/a", Some((Op::NetworkInspect, Some("a")))),
            ("GET", "/services/a/b", None),
            ("GET", "/services/a/logs", Some((Op::ServiceLogs, Some("a")))),
            (
                "DELETE",
                "/containers/web/checkpoints/c",
                Some((Op::ContainerCheckpointDelete, Some("web"))),
            ),
            ("OPTIONS", "/anything/at/all", Some((Op::Options, None))),
            ("PUT", "/containers/web", None),
            ("GET", "/nowhere", None),
        ] {
            assert_eq!(read(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn every_operation_has_a_path_that_leads_to_it() {
        for route in routes() {
            let target = route.pattern.contains('{') && route.operation != Operation::Options;
            let (method, path) = to(route.operation, target.then_some("web"));
            assert_eq!(read(method, &path).map(|(found, _)| found), Some(route.operation));
        }
    }

    #[test]
    #[should_panic(expected = "is no container-inspect")]
    fn a_name_that_is_a_route_can_not_be_a_target() {
        to(Operation::ImageInspect, Some("a"));
        to(Operation::ContainerInspect, Some(""));
    }
}
