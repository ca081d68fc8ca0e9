use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::super::Field;

const DECIMALS_MAX: u32 = 9;
const BOUND_MAX: i64 = 1_000_000_000;

/// The fields in the author's order.
#[derive(Default)]
pub(super) struct Fields(Vec<(String, Field)>);

impl Fields {
    /// The fields, of which none may have a name that is taken.
    pub fn without(self, taken: &str, by: &str) -> Result<Vec<(String, Field)>, String> {
        if self.0.iter().any(|(name, _)| name == taken) {
            return Err(format!("`{taken}` is {by} already; rename it"));
        }
        Ok(self.0)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("fields and how they are drawn")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    fields.push((name, map.next_value()?));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldNotation {
    choice: Option<Vec<Value>>,
    from: Option<i64>,
    to: Option<i64>,
    decimals: Option<u32>,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let n = FieldNotation::deserialize(deserializer)?;
        match (n.choice, n.from, n.to) {
            (Some(choice), None, None) if !choice.is_empty() => Ok(Self::Choice(choice)),
            (None, Some(from), Some(to)) => {
                let decimals = n.decimals.unwrap_or(0);
                let sound = from <= to && from >= -BOUND_MAX && to <= BOUND_MAX;
                if !sound || decimals > DECIMALS_MAX {
                    return Err(de::Error::custom(format!(
                        "write `from` before `to`, both within {BOUND_MAX}, and at most \
                         {DECIMALS_MAX} decimals"
                    )));
                }
                Ok(Self::Number { from, to, decimals })
            }
            _ => Err(de::Error::custom(
                "a field is drawn by `choice: [ … ]` or by `from`, `to` and `decimals`",
            )),
        }
    }
}
