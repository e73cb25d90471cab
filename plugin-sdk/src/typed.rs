//! Types from JSON: settings above all.
//!
//! `serde_json` could do it as well, in three times the code of a small plugin: its errors can show
//! any value, floating-point numbers included. These name the place instead, by its pointer.

use std::fmt;

use serde::{
    Deserialize,
    de::{
        self, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess,
        SeqAccess, Unexpected, VariantAccess, Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};

use crate::Json;

/// Why a value is not of a type, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The place, as a JSON pointer: `/allowed/0`.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl Json {
    /// Reads it as a type. Names of fields must be written as the type has them: this is for
    /// settings, and for what the daemon writes.
    ///
    /// # Errors
    /// Where it doesn't fit.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Misfit> {
        T::deserialize(self)
    }
}

impl Misfit {
    /// The same in a field or item of a larger value.
    fn within(mut self, step: &str) -> Self {
        let step = step.replace('~', "~0").replace('/', "~1");
        self.pointer.insert_str(0, &step);
        self.pointer.insert(0, '/');
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pointer.is_empty() {
            write!(f, "{}: ", self.pointer)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { pointer: String::new(), message: message.to_string() }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("this is {}, and not {expected}", kind(found)))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("this is not {expected}"))
    }
}

fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "true or false",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
        Unexpected::Float(_) => "a fraction",
        Unexpected::Str(_) => "a string",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq => "a list",
        Unexpected::Map => "an object",
        _ => "something else",
    }
}

impl<'de> Deserializer<'de> for &'de Json {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => visitor.visit_u64(value),
                (None, Some(value)) => visitor.visit_i64(value),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => visitor.visit_borrowed_str(text),
            Json::List(items) => visitor.visit_seq(Items { items, at: 0 }),
            Json::Object(fields) => visitor.visit_map(Fields { fields, at: 0 }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self {
            Json::String(name) => visitor.visit_enum(Variant { name, value: &Json::Null }),
            Json::Object(fields) if fields.len() == 1 => {
                visitor.visit_enum(Variant { name: &fields[0].0, value: &fields[0].1 })
            }
            _ => Err(de::Error::custom("this is neither a word nor an object with one field")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items<'de> {
    items: &'de [Json],
    at: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let Some(item) = self.items.get(self.at) else { return Ok(None) };
        self.at += 1;
        seed.deserialize(item).map(Some).map_err(|misfit| misfit.within(&(self.at - 1).to_string()))
    }
}

struct Fields<'de> {
    fields: &'de [(String, Json)],
    at: usize,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        let Some((name, _)) = self.fields.get(self.at) else { return Ok(None) };
        let name: StrDeserializer<'_, Misfit> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let (name, value) = &self.fields[self.at];
        self.at += 1;
        seed.deserialize(value).map_err(|misfit| misfit.within(name))
    }
}

struct Variant<'de> {
    name: &'de str,
    value: &'de Json,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Misfit> {
        let name: StrDeserializer<'_, Misfit> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        self.newtype_variant()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        seed.deserialize(self.value).map_err(|misfit| misfit.within(self.name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.value.deserialize_any(visitor).map_err(|misfit| misfit.within(self.name))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.value.deserialize_any(visitor).map_err(|misfit| misfit.within(self.name))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct Settings {
        allowed: Vec<String>,
        #[serde(default)]
        at_most: Option<u8>,
        #[serde(default)]
        ratio: f64,
        #[serde(default)]
        mode: Mode,
        #[serde(default)]
        hours: BTreeMap<String, (u8, i8)>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Mode {
        #[default]
        Off,
        Only(Vec<String>),
        Between {
            low: u8,
            high: u8,
        },
    }

    fn read(json: serde_json::Value) -> Result<Settings, String> {
        Json::from(json).read().map_err(|misfit: Misfit| misfit.to_string())
    }

    #[test]
    fn what_fits_is_read() {
        let settings = read(json!({
            "allowed": ["a", "b"],
            "at-most": 7,
            "ratio": 1.5,
            "mode": { "only": ["x"] },
            "hours": { "mon": [9, -3] },
        }));
        assert_eq!(
            settings,
            Ok(Settings {
                allowed: vec!["a".to_owned(), "b".to_owned()],
                at_most: Some(7),
                ratio: 1.5,
                mode: Mode::Only(vec!["x".to_owned()]),
                hours: BTreeMap::from([("mon".to_owned(), (9, -3))]),
            })
        );
        let mode = |mode| read(json!({ "allowed": [], "mode": mode })).map(|read| read.mode);
        assert_eq!(mode(json!("off")), Ok(Mode::Off));
        let between = json!({ "between": { "low": 1, "high": 2 } });
        assert_eq!(mode(between), Ok(Mode::Between { low: 1, high: 2 }));
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_place() {
        for (settings, words) in [
            (json!([]), "invalid length 0, expected struct Settings with 5 elements"),
            (json!({}), "missing field `allowed`"),
            (json!({ "allowed": "a" }), "/allowed: this is a string, and not a sequence"),
            (json!({ "allowed": ["a", 1.5] }), "/allowed/1: this is a fraction, and not a string"),
            (json!({ "allowed": [], "at-most": 256 }), "/at-most: this is not u8"),
            (
                json!({ "allowed": [], "hours": { "a/b": [1] } }),
                "/hours/a~1b: invalid length 1, expected a tuple of size 2",
            ),
            (
                json!({ "allowed": [], "mode": { "between": { "low": "1" } } }),
                "/mode/between/low: this is a string, and not u8",
            ),
            (
                json!({ "allowed": [], "mode": "on" }),
                "/mode: unknown variant `on`, expected one of `off`, `only`, `between`",
            ),
            (
                json!({ "allowed": [], "mode": 1 }),
                "/mode: this is neither a word nor an object with one field",
            ),
            (
                json!({ "alowed": [] }),
                "unknown field `alowed`, expected one of `allowed`, `at-most`, `ratio`, `mode`, `hours`",
            ),
        ] {
            assert_eq!(read(settings), Err(words.to_owned()));
        }
    }
}
