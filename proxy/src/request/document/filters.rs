//! The parameter `filters` of lists, prunes and events.
//!
//! The daemon takes two forms: `{"label":{"a=b":true}}`, which its own client sends, and
//! `{"label":["a=b"]}`, which its documentation has. The second is the one form: every daemon since
//! API 1.24 takes it. Of a `false` some daemons ignore what it says, and some do not.

use std::{collections::HashSet, mem};

use compact_str::CompactString;

use super::{
    Json,
    shape::{self, Fault, Misread},
};

/// Brings filters to the form with lists, each value once.
pub(super) fn shape(entries: &mut [(CompactString, Json)]) -> Result<(), Misread> {
    shape::check_twice(entries.iter().map(|(name, _)| name))?;
    let sets = entries.iter().filter(|(_, values)| matches!(values, Json::Object(_))).count();
    let lists = entries.iter().filter(|(_, values)| matches!(values, Json::List(_))).count();
    if sets > 0 && lists > 0 {
        return Err(Fault::TwoForms.into());
    }
    entries.iter_mut().try_for_each(|(name, values)| {
        let given = mem::replace(values, Json::Null);
        *values = list(given).map(Json::List).map_err(|misread| misread.below(name))?;
        Ok(())
    })
}

fn list(values: Json) -> Result<Vec<Json>, Misread> {
    match values {
        Json::Null => Ok(Vec::new()),
        Json::List(values) => {
            let mut seen = HashSet::new();
            let mut list = Vec::new();
            for value in values {
                let Json::String(text) = value else {
                    return Err(Fault::Kind { expected: "a string", found: value.called() }.into());
                };
                if seen.insert(text.clone()) {
                    list.push(Json::String(text));
                }
            }
            Ok(list)
        }
        Json::Object(values) => {
            shape::check_twice(values.iter().map(|(value, _)| value))?;
            let list = values.into_iter().map(|(value, holds)| match holds {
                Json::Bool(true) => Ok(Json::String(value)),
                other => Err(Fault::Kind { expected: "true", found: other.called() }.into()),
            });
            list.collect()
        }
        other => Err(Fault::Kind { expected: "a list", found: other.called() }.into()),
    }
}
