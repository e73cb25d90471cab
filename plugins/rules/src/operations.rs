//! Which operations a pattern names.

use std::collections::BTreeSet;

use dockgate_plugin::Operation;

/// The operations that a pattern names: `container-list`, `container-*`, `{image,volume}-list`.
///
/// # Errors
/// Words on a pattern that names none, with the name that was probably meant.
pub(crate) fn named(pattern: &str) -> Result<BTreeSet<Operation>, String> {
    let found: BTreeSet<_> = Operation::all()
        .filter(|operation| fast_glob::glob_match(pattern, operation.name()))
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let likeness = |operation: &Operation| strsim::jaro_winkler(operation.name(), pattern);
    let nearest = Operation::all().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    Err(match nearest.filter(|operation| likeness(operation) > 0.8) {
        Some(nearest) => format!("no operation is called {pattern:?}: did you mean {nearest}?"),
        None => format!("no operation is called {pattern:?} (`dockgate operations` lists them)"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(pattern: &str) -> Vec<&'static str> {
        named(pattern).map(|all| all.into_iter().map(Operation::name).collect()).unwrap_or_default()
    }

    #[test]
    fn a_pattern_names_operations() {
        assert_eq!(names("system-ping"), ["system-ping"]);
        assert_eq!(names("{image,volume}-list"), ["image-list", "volume-list"]);
        assert_eq!(names("exec-*"), ["exec-inspect", "exec-start", "exec-resize"]);
        let everything = names("*");
        assert_eq!(everything.len(), Operation::all().count());
        assert_eq!(everything.last(), Some(&"unknown"));
    }

    #[test]
    fn one_that_names_none_is_no_pattern() {
        let words = |pattern| named(pattern).unwrap_err();
        assert!(words("container-lst").ends_with("did you mean container-list?"));
        assert!(words("zzz").ends_with("(`dockgate operations` lists them)"));
        for broken in ["", "{image", "[", "container-list ", "Container-List"] {
            named(broken).unwrap_err();
        }
    }
}
