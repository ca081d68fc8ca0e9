use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// Reads JSON so that every number keeps its own text, to the last digit and sign.
///
/// `serde_json` keeps digits too, but writes `1e400` and `1E400` as `1e+400`. So where a number has
/// an exponent the text is gone through once more; without one this costs a look at the numbers.
///
/// # Errors
/// When it is not JSON, or nested too deeply.
pub fn read_json(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let value: Value = serde_json::from_slice(bytes)?;
    if has_exponent(&value) { exact(serde_json::from_slice(bytes)?) } else { Ok(value) }
}

fn has_exponent(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_str().contains('e'),
        Value::Array(items) => items.iter().any(has_exponent),
        Value::Object(fields) => fields.values().any(has_exponent),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// The value of a text that has been read before, and is therefore JSON of a bearable depth.
fn exact(raw: &RawValue) -> Result<Value, serde_json::Error> {
    let text = raw.get();
    if !text.contains(['e', 'E']) {
        return serde_json::from_str(text);
    }
    match text.as_bytes().first() {
        Some(b'{') => {
            let Fields(fields) = serde_json::from_str(text)?;
            let fields = fields.into_iter().map(|(name, raw)| Ok((name, exact(raw)?)));
            Ok(Value::Object(fields.collect::<Result<Map<_, _>, _>>()?))
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            Ok(Value::Array(items.into_iter().map(exact).collect::<Result<_, _>>()?))
        }
        Some(b'-' | b'0'..=b'9') => {
            // The one way to a number with a text of its own; the crate does not document it, and
            // the tests below would tell if a new version took it away.
            Ok(Value::Number(Number::from_string_unchecked(text.to_owned())))
        }
        _ => serde_json::from_str(text),
    }
}

/// The fields of an object, unread, in their order.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is read and written again is the same text, and the same value but for exponents.
    fn check(text: &str) {
        let value = read_json(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(value.to_string(), text);
        let again = value.to_string().parse::<Value>().expect("JSON");
        assert_eq!(again, text.parse::<Value>().expect("JSON"));
    }

    #[test]
    fn a_number_keeps_its_text() {
        for number in ["1e400", "1E400", "1e+400", "-1E-7", "0e0", "-0", "0.10", "1.50e3"] {
            check(number);
            check(&format!(r#"{{"a":[{{"b":{number},"1e5":"1e5 \" {{"}},null],"c":{number}}}"#));
        }
        check("123456789012345678901234567890.1234567890123456789");
    }

    #[test]
    fn the_last_of_two_fields_of_one_name_counts() {
        let read = |text: &str| read_json(text.as_bytes()).expect("JSON").to_string();
        assert_eq!(read(r#"{"a":1e5,"b":2,"a":3E5}"#), r#"{"a":3E5,"b":2}"#);
        assert_eq!(read(r#"{"a":{"x":1e5},"a":3}"#), r#"{"a":3}"#);
        assert_eq!(read(" { \"a\" : [ 1e5 , 2 ] } "), r#"{"a":[1e5,2]}"#);
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in ["", "1e", "1e+", "{\"a\":1e5", "[1e5]]", "1e5 x", "\u{feff}1"] {
            assert!(read_json(text.as_bytes()).is_err(), "{text}");
        }
        let deep = "[".repeat(100_000) + "1e5" + &"]".repeat(100_000);
        assert!(read_json(deep.as_bytes()).is_err(), "nested too deeply");
    }

    fn texts() -> impl Strategy<Value = String> {
        let number = "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?";
        let leaf = prop_oneof![
            number.prop_map(|n| n),
            "\"[ a-zE0-9{}\\[\\],:]{0,8}\"".prop_map(|s| s),
            Just("true".to_owned()),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let list = proptest::collection::vec(inner.clone(), 0..4);
            let list = list.prop_map(|items| format!("[{}]", items.join(",")));
            let fields = proptest::collection::vec(inner, 0..4).prop_map(|items| {
                let fields = items.iter().enumerate().map(|(n, item)| format!("\"f{n}e\":{item}"));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
            });
            prop_oneof![list, fields]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn any_json_is_written_as_it_was_read(text in texts()) {
            check(&text);
        }
    }
}
