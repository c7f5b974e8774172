//! JSON objects of sensors: one flat look at the keys that are known. Values stay as they are written until
//! somebody asks for them, so that a record costs no tree.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Raw values of the known keys of an object, empty where a key is missing or null. `place` says where the
/// value of a key goes; where a key comes twice, the last one counts.
///
/// # Errors
/// It is no JSON object.
pub(crate) fn object<const N: usize>(
    text: &[u8],
    place: fn(&str) -> Option<usize>,
) -> Result<[&[u8]; N], serde_json::Error> {
    let mut values: [&[u8]; N] = [&[]; N];
    let mut reader = serde_json::Deserializer::from_slice(text);
    reader.deserialize_map(Object { values: &mut values, place })?;
    reader.end()?;
    Ok(values)
}

/// The value as text: a string without its quotes and escapes; any other value as it is written.
pub(crate) fn text(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = raw.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return Cow::Borrowed(raw);
    };
    if memchr::memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    match serde_json::from_slice::<String>(raw) {
        Ok(text) => Cow::Owned(text.into_bytes()),
        // Half of a surrogate pair, say: shown as it stands.
        Err(_) => Cow::Borrowed(inner),
    }
}

/// Raw elements of an array; none for any other value.
pub(crate) fn elements(raw: &[u8]) -> Vec<&[u8]> {
    if raw.first() != Some(&b'[') {
        return Vec::new();
    }
    let values: Vec<&RawValue> = serde_json::from_slice(raw).unwrap_or_default();
    values.into_iter().map(|value| value.get().as_bytes()).collect()
}

struct Object<'v, 'a, const N: usize> {
    values: &'v mut [&'a [u8]; N],
    place: fn(&str) -> Option<usize>,
}

impl<'a, const N: usize> Visitor<'a> for Object<'_, 'a, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(place) = map.next_key_seed(Key(self.place))? {
            match place.and_then(|place| self.values.get_mut(place)) {
                Some(value) => {
                    let raw: &RawValue = map.next_value()?;
                    *value = if raw.get() == "null" { &[] } else { raw.get().as_bytes() };
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct Key(fn(&str) -> Option<usize>);

impl<'a> DeserializeSeed<'a> for Key {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'a>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok((self.0)(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(key: &str) -> Option<usize> {
        ["a", "b"].iter().position(|known| *known == key)
    }

    fn check(text: &str) -> String {
        match object::<2>(text.as_bytes(), place) {
            Ok(values) => values.map(|value| String::from_utf8_lossy(value).into_owned()).join("|"),
            Err(_) => "broken".to_owned(),
        }
    }

    #[test]
    fn known_keys_are_picked_and_the_rest_is_checked() {
        assert_eq!(check(r#"{"x":{"a":1},"b":"2","a":1.50}"#), r#"1.50|"2""#);
        assert_eq!(check(r#"{"a":null,"b":[1, {}]}"#), "|[1, {}]");
        assert_eq!(check(r#"{"a":1,"x":}"#), "broken");
        assert_eq!(check(r#"{"a":1} x"#), "broken");
        assert_eq!(check("[]"), "broken");
        assert_eq!(check(&format!("{{\"x\":{}", "[".repeat(100_000))), "broken");
    }

    #[test]
    fn strings_lose_quotes_and_escapes() {
        let shown = |raw: &str| String::from_utf8_lossy(&text(raw.as_bytes())).into_owned();
        assert_eq!(shown(r#""a\"\u00e9""#), "a\"é");
        assert_eq!(shown(r#""\ud800""#), r"\ud800");
        assert_eq!(shown("12"), "12");
        assert_eq!(elements(br#"[1,"b",[2]]"#), [&b"1"[..], b"\"b\"", b"[2]"]);
        assert!(elements(b"1").is_empty());
    }
}
