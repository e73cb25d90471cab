//! The name that was probably meant by one that there is not.

/// The likest of all, if any is like it.
pub fn nearest<'n>(name: &str, all: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    all.map(|one| (strsim::jaro_winkler(one, name), one))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, one)| one)
}
