//! Data as people read it.

use serde_json::Value;

/// A field of what a saga remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DataField {
    pub name: String,
    pub value: String,
    /// Whether it has lines of its own.
    pub is_long: bool,
}

/// The fields of a JSON object; of another value, one without a name.
pub(super) fn fields(data: &Value) -> Vec<DataField> {
    match data {
        Value::Object(fields) => fields.iter().map(|(name, value)| field(name, value)).collect(),
        Value::Null => Vec::new(),
        other => vec![field("", other)],
    }
}

fn field(name: &str, value: &Value) -> DataField {
    let text = match value {
        Value::String(text) => text.clone(),
        other => pretty(other),
    };
    let is_long = text.contains('\n') || text.chars().count() > 40;
    DataField { name: name.to_owned(), value: text, is_long }
}

/// A value on lines of its own.
pub(super) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}
