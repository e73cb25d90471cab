//! Values with a unit, and values that are text however they are written.

use std::{borrow::Cow, fmt, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time: `500ms`, `10s`, `5m`, `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A number of bytes: `64KiB`, `4MiB`, `1GiB`, or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

/// Text, which may be written as a number, or as true or false, too: `CONTAINERS: 1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub String);

/// Text, or null where there is to be none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextOrGone(pub Option<String>);

/// How schemas know [`TextOrGone`], in which null means something.
pub(super) const TEXT_OR_GONE: &str = "text-or-gone";

impl Span {
    /// How it is written.
    pub const EXAMPLES: &str = "write 500ms, 10s, 5m or 1h";
}

impl Size {
    /// How it is written.
    pub const EXAMPLES: &str = "write 64KiB, 4MiB or 1GiB";
}

const TIMES: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
const SIZES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no time: {}", Self::EXAMPLES);
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let (_, factor) = TIMES.into_iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let number: f64 = text[..text.len() - unit.len()].parse().map_err(|_| wrong())?;
        let factor = Duration::from_millis(factor);
        Duration::try_from_secs_f64(factor.as_secs_f64() * number).map(Self).map_err(|_| wrong())
    }
}

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no size: {}", Self::EXAMPLES);
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let factor = SIZES.into_iter().find(|(name, _)| *name == unit);
        let factor = factor.map(|(_, factor)| factor).or(unit.is_empty().then_some(1));
        let number: u64 = text[..text.len() - unit.len()].parse().map_err(|_| wrong())?;
        number.checked_mul(factor.ok_or_else(wrong)?).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let fits = |(_, factor): &&(&str, u64)| millis.is_multiple_of(u128::from(*factor));
        let largest = TIMES.iter().rev().filter(|_| millis > 0).find(fits);
        let (unit, factor) = largest.unwrap_or(&TIMES[0]);
        write!(f, "{}{unit}", millis / u128::from(*factor))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, factor): &&(&str, u64)| self.0.is_multiple_of(*factor);
        let (unit, factor) = SIZES.iter().find(fits).unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        String::deserialize(source)?.parse().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        Text::deserialize(source)?.0.parse().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(source)? {
            serde_json::Value::String(text) => Ok(Self(text)),
            value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => {
                Ok(Self(value.to_string()))
            }
            _ => Err(de::Error::custom("text is wanted here")),
        }
    }
}

impl<'de> Deserialize<'de> for TextOrGone {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        Ok(Self(Option::<Text>::deserialize(source)?.map(|text| text.0)))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time: 500ms, 10s, 5m, 1h",
            "type": "string",
            "format": "span",
            "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h)$"
        })
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of bytes: 64KiB, 4MiB, 1GiB, or a number",
            "type": ["string", "integer"],
            "format": "size",
            "pattern": "^[0-9]+(B|KiB|MiB|GiB)?$",
            "minimum": 0
        })
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

impl JsonSchema for TextOrGone {
    fn schema_name() -> Cow<'static, str> {
        "TextOrGone".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Text, or null where there is to be none",
            "type": ["string", "number", "boolean", "null"],
            "format": TEXT_OR_GONE
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_written_as_they_are_read() {
        for text in ["500ms", "10s", "90s", "5m", "1h", "0ms"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("0.5s".parse::<Span>().unwrap().to_string(), "500ms");
        for text in ["64KiB", "4MiB", "1GiB", "1000B"] {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), text);
        }
        assert_eq!("65536".parse::<Size>().unwrap().to_string(), "64KiB");
        for text in ["", "10", "s", "-1s", "1d", "1 s", "1e400h"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
        for text in
            ["", "KiB", "-1", "4MB", "4 MiB", "99999999999999999999", "18446744073709551615GiB"]
        {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
