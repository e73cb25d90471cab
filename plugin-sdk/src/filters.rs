//! The query parameter `filters` of lists, prunes and events.

use std::{collections::BTreeMap, fmt};

/// The filters of a request: names, each with values of which one must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<String, Vec<String>>);

/// A parameter `filters` that the daemon would not take either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFilters;

impl Filters {
    /// No filters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads both forms that the daemon takes: `{"label":["a=b"]}`, and what its own client sends,
    /// `{"label":{"a=b":true}}`. The daemon does not look at the booleans, so neither does this.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn parse(text: &str) -> Result<Self, BadFilters> {
        if text.is_empty() {
            return Ok(Self::new());
        }
        let sets: Result<Named<BTreeMap<String, Option<bool>>>, _> = serde_json::from_str(text);
        if let Ok(sets) = sets {
            return Ok(Self::collect(sets, |set| set.into_keys().collect()));
        }
        let lists: Named<Vec<Option<String>>> =
            serde_json::from_str(text).map_err(|_| BadFilters)?;
        let texts = |list: Vec<Option<String>>| list.into_iter().map(Option::unwrap_or_default);
        Ok(Self::collect(lists, |list| texts(list).collect()))
    }

    fn collect<T>(named: Named<T>, values: impl Fn(T) -> Vec<String>) -> Self {
        let mut filters = Self::new();
        for (name, of) in named.unwrap_or_default() {
            for value in of.map(&values).unwrap_or_default() {
                filters.add(&name, value);
            }
        }
        filters
    }

    /// The values of a filter; none where it is not there.
    pub fn get(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a filter has this value.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.get(name).iter().any(|known| known == value)
    }

    /// Adds a value to a filter, unless it has it.
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        if !self.has(name, &value) {
            self.0.entry(name.to_owned()).or_default().push(value);
        }
    }

    /// Takes a filter away.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Whether nothing is filtered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, and the values of each.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }
}

/// Names with something for each. The daemon takes `null` anywhere for nothing.
type Named<T> = Option<BTreeMap<String, Option<T>>>;

/// As the daemon takes it, in the form with lists.
impl fmt::Display for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Display for BadFilters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the filters can't be read")
    }
}

impl std::error::Error for BadFilters {}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    #[test]
    fn both_forms_mean_the_same() {
        let lists = Filters::parse(r#"{"label":["a=b","c"],"name":["web"]}"#).unwrap();
        let sets = Filters::parse(r#"{"label":{"a=b":true,"c":false},"name":{"web":null}}"#);
        assert_eq!(sets, Ok(lists.clone()));
        assert_eq!(lists.get("label"), ["a=b", "c"]);
        assert!(lists.has("name", "web"));
    }

    #[test]
    fn nothing_is_no_filter() {
        for nothing in ["", "null", "{}", r#"{"label":null}"#, r#"{"label":[]}"#] {
            assert_eq!(Filters::parse(nothing), Ok(Filters::new()), "{nothing}");
        }
        assert!(Filters::new().get("label").is_empty());
    }

    #[test]
    fn what_the_daemon_refuses_is_refused() {
        for bad in [
            "label=a",
            "[]",
            r#"{"label":"a"}"#,
            r#"{"label":[1]}"#,
            r#"{"label":{"a":1}}"#,
            r#"{"label":["a"],"name":{"b":true}}"#,
            r#"{"label":["a"]} {}"#,
        ] {
            assert_eq!(Filters::parse(bad), Err(BadFilters), "{bad}");
        }
    }

    #[test]
    fn they_are_written_with_lists() {
        let mut filters =
            Filters::parse(r#"{"label":{"b":true},"dangling":{"true":true}}"#).unwrap();
        filters.add("label", "a");
        filters.add("label", "b");
        filters.remove("dangling");
        assert_eq!(filters.to_string(), r#"{"label":["b","a"]}"#);
        assert_eq!(Filters::parse(&filters.to_string()), Ok(filters));
    }
}
