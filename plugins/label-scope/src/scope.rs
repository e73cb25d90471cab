//! Which labels are in scope, and putting them on.

use std::fmt;

use dockgate_plugin::{Denial, Json, labels::Selector};

use crate::settings::Match;

/// The labels that make the scope.
pub(crate) struct Scope {
    selectors: Vec<Selector>,
    match_: Match,
}

impl Scope {
    pub(crate) fn new(selectors: Vec<Selector>, match_: Match) -> Self {
        // Of one both are the same, and the daemon can filter by all of them.
        let match_ = if selectors.len() == 1 { Match::All } else { match_ };
        Self { selectors, match_ }
    }

    /// Whether something with these labels is in scope. Without labels nothing is.
    pub(crate) fn includes(&self, labels: Option<&Json>) -> bool {
        let Some(labels) = labels else { return false };
        let mut selectors = self.selectors.iter();
        match self.match_ {
            // A scope of no labels, which is refused at the start, would include everything.
            Match::All => {
                !self.selectors.is_empty() && selectors.all(|selector| selector.matches(labels))
            }
            Match::Any => selectors.any(|selector| selector.matches(labels)),
        }
    }

    /// The values of the daemon's filter `label`, which wants all of them. None where one is enough:
    /// the daemon can't filter by that.
    pub(crate) fn filter(&self) -> Option<impl Iterator<Item = String>> {
        (self.match_ == Match::All).then(|| self.selectors.iter().map(ToString::to_string))
    }

    /// The labels with those of the scope added, for something that is made. None where they are in
    /// scope as they are.
    ///
    /// # Errors
    /// Where they say something else, or where only the client can say what is missing.
    pub(crate) fn stamp(&self, labels: Option<&Json>) -> Result<Option<Json>, Denial> {
        let mut labels = match labels {
            None | Some(Json::Null) => Json::Object(Vec::new()),
            Some(labels @ Json::Object(_)) => labels.clone(),
            Some(_) => return Err(Denial::new("labels are an object of strings").with_status(400)),
        };
        self.keeps(&labels)?;
        if self.includes(Some(&labels)) {
            return Ok(None);
        }
        if self.match_ == Match::Any {
            return Err(missing(&self.to_string()));
        }
        for selector in &self.selectors {
            match selector.value() {
                Some(value) => put(&mut labels, selector.key(), value),
                None if labels.exact(selector.key()).is_none() => {
                    return Err(missing(selector.key()));
                }
                None => {}
            }
        }
        Ok(Some(labels))
    }

    /// That no label has another value than the scope wants for its key.
    ///
    /// # Errors
    /// Where one has.
    pub(crate) fn keeps(&self, labels: &Json) -> Result<(), Denial> {
        for (key, value) in labels.entries() {
            let mut of_key =
                self.selectors.iter().filter(|selector| selector.key() == key).peekable();
            let is_wanted = match self.match_ {
                Match::All => of_key.all(|selector| selector.matches(labels)),
                Match::Any => of_key.peek().is_none() || of_key.any(|s| s.matches(labels)),
            };
            if !is_wanted {
                let value = value.as_str().unwrap_or_default();
                let message = format!("the label {key}={value} is out of this client's scope");
                return Err(Denial::new(message)
                    .with_code("other-label")
                    .with_hint(format!("leave {key} out, the scope is {self}")));
            }
        }
        Ok(())
    }
}

/// As words: `team=blue and app`, `team=blue or team=green`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let between = match self.match_ {
            Match::All => " and ",
            Match::Any => " or ",
        };
        for (at, selector) in self.selectors.iter().enumerate() {
            let between = if at == 0 { "" } else { between };
            write!(f, "{between}{selector}")?;
        }
        Ok(())
    }
}

fn missing(label: &str) -> Denial {
    Denial::new(format!("what this client makes carries the label {label}"))
        .with_code("label-missing")
        .with_hint("put it among the labels (--label)")
}

/// Sets a label by its very key; `Team` is another one than `team`.
fn put(labels: &mut Json, key: &str, value: &str) {
    if labels.exact(key).is_none()
        && let Json::Object(fields) = labels
    {
        fields.push((key.to_owned(), value.into()));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use dockgate_plugin::json;

    use super::*;

    fn scope(selectors: &[&str], match_: Match) -> Scope {
        let selector = |text: &&str| {
            let Ok(selector) = text.parse();
            selector
        };
        Scope::new(selectors.iter().map(selector).collect(), match_)
    }

    fn stamped(scope: &Scope, labels: impl Into<Json>) -> Result<Option<Json>, String> {
        scope.stamp(Some(&labels.into())).map_err(|denial| denial.words())
    }

    #[test]
    fn all_or_one_of_the_labels_is_wanted() {
        let both: Json = json!({ "team": "blue", "app": "" }).into();
        let one: Json = json!({ "team": "blue" }).into();
        let all = scope(&["team=blue", "app"], Match::All);
        assert!(all.includes(Some(&both)));
        assert!(!all.includes(Some(&one)));
        let any = scope(&["team=blue", "app"], Match::Any);
        assert!(any.includes(Some(&one)));
        assert!(!any.includes(Some(&json!({ "team": "red" }).into())));
    }

    #[test]
    fn without_labels_nothing_is_in_scope() {
        for scope in [scope(&["team"], Match::All), scope(&[], Match::All), scope(&[], Match::Any)]
        {
            assert!(!scope.includes(None));
            assert!(!scope.includes(Some(&Json::Null)));
            assert!(!scope.includes(Some(&json!({}).into())));
        }
    }

    #[test]
    fn labels_with_a_value_are_put_on_once() {
        let scope = scope(&["team=blue"], Match::All);
        let labels = stamped(&scope, json!({ "Team": "red" })).unwrap().unwrap();
        assert_eq!(labels, Json::from(json!({ "Team": "red", "team": "blue" })));
        assert_eq!(stamped(&scope, labels), Ok(None));
        let null = stamped(&scope, Json::Null).unwrap().unwrap();
        assert_eq!(null, Json::from(json!({ "team": "blue" })));
    }

    #[test]
    fn another_value_is_refused_and_not_overwritten() {
        let scope = scope(&["team=blue"], Match::All);
        let words = stamped(&scope, json!({ "team": "red" })).unwrap_err();
        assert!(words.contains("team=red is out of this client's scope"), "{words}");
        let twice = Json::parse(r#"{"team":"blue","team":"red"}"#).unwrap();
        assert!(stamped(&scope, twice).is_err());
        assert!(stamped(&scope, json!(["team=blue"])).is_err());
    }

    #[test]
    fn a_key_alone_the_client_has_to_give() {
        let scope = scope(&["team=blue", "app"], Match::All);
        assert!(stamped(&scope, json!({})).unwrap_err().contains("the label app"));
        let labels = stamped(&scope, json!({ "app": "shop" })).unwrap().unwrap();
        assert_eq!(labels, Json::from(json!({ "app": "shop", "team": "blue" })));
    }

    #[test]
    fn where_one_is_enough_the_client_chooses() {
        let scope = scope(&["team=blue", "team=green"], Match::Any);
        assert_eq!(stamped(&scope, json!({ "team": "green" })), Ok(None));
        assert!(stamped(&scope, json!({})).unwrap_err().contains("team=blue or team=green"));
        assert!(stamped(&scope, json!({ "team": "red" })).is_err());
    }
}
