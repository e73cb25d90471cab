//! The parameter `filters`: what is accepted is an object of lists of strings, which is its own
//! canonical form, and the older form with `true` behind each value comes to the same.
#![no_main]

use dockgate_fuzz::canonical;
use http::{Method, Uri};
use libfuzzer_sys::fuzz_target;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

/// The canonical form of filters. Nothing where they have none.
fn filters(text: &str) -> Option<String> {
    let target =
        format!("/containers/json?filters={}", utf8_percent_encode(text, NON_ALPHANUMERIC));
    // One that is too long is no target.
    let request = canonical(Method::GET, target.parse::<Uri>().ok()?)?;
    request.query().get("filters")
}

fuzz_target!(|text: &str| {
    let Some(one) = filters(text) else { return };
    if one.is_empty() {
        return;
    }
    assert_eq!(filters(&one).as_ref(), Some(&one), "{text}");
    // `null` is no filter.
    let Value::Object(lists) = serde_json::from_str(&one).expect("JSON") else { return };
    let mut older = Map::new();
    for (name, values) in lists {
        let values = values.as_array().expect("a list").iter();
        let values = values.map(|value| (value.as_str().expect("text").to_owned(), true.into()));
        older.insert(name, Value::Object(values.collect()));
    }
    let same = |text: &str| -> Value { serde_json::from_str(text).expect("JSON") };
    let sorted = |mut json: Value| {
        for values in json.as_object_mut().into_iter().flat_map(Map::values_mut) {
            if let Value::Array(values) = values {
                values.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            }
        }
        json
    };
    // One target may hold the shorter of the two alone.
    if let Some(again) = filters(&Value::Object(older).to_string()) {
        assert_eq!(sorted(same(&again)), sorted(same(&one)), "{text}");
    }
});
