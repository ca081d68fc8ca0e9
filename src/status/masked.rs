//! Masks what a definition calls sensitive.

use serde_json::{Map, Value};

use super::Masks;
use crate::definition::Definition;

/// What stands in the place of a value that is not shown.
const MASK: &str = "***";

/// The data of a life as it is shown, and whether something in it was masked. Of a definition that
/// is not known everything may be sensitive.
pub(super) fn shown(definition: Option<&Definition>, data: &Value, masks: Masks) -> (Value, bool) {
    if masks == Masks::Off {
        return (data.clone(), false);
    }
    let mut shown = data.clone();
    let Some(definition) = definition else {
        let masked = each_field(&mut shown);
        return (shown, masked);
    };
    let mut masked = false;
    for path in &definition.sensitive {
        masked |= mask(&mut shown, path);
    }
    (shown, masked)
}

/// Masks what a path leads to, in each element of a list on its way; whether there was something.
/// What stands on the way and is no object cannot be looked into, so it is masked as a whole.
fn mask(value: &mut Value, path: &[String]) -> bool {
    match (value, path.split_first()) {
        (Value::Null, _) => false,
        (Value::Array(elements), Some(_)) => {
            elements.iter_mut().fold(false, |masked, element| mask(element, path) | masked)
        }
        (Value::Object(fields), Some((field, rest))) => {
            fields.get_mut(field).is_some_and(|value| mask(value, rest))
        }
        (value, _) => {
            *value = Value::from(MASK);
            true
        }
    }
}

/// Masks every field; whether there was one.
fn each_field(data: &mut Value) -> bool {
    let none = &mut Map::new();
    let fields = data.as_object_mut().unwrap_or(none);
    for value in fields.values_mut() {
        *value = Value::from(MASK);
    }
    !fields.is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn masked(data: Value, path: &[&str]) -> (Value, bool) {
        let path: Vec<String> = path.iter().map(|field| (*field).to_owned()).collect();
        let mut data = data;
        let masked = mask(&mut data, &path);
        (data, masked)
    }

    #[test]
    fn a_path_is_masked_with_all_that_is_under_it() {
        let data = json!({ "card": { "number": "4111", "name": "ann" }, "total": 3 });
        let whole = json!({ "card": "***", "total": 3 });
        assert_eq!(masked(data.clone(), &["card"]), (whole, true));
        let part = json!({ "card": { "number": "***", "name": "ann" }, "total": 3 });
        assert_eq!(masked(data, &["card", "number"]), (part, true));
    }

    #[test]
    fn a_path_leads_through_each_element_of_a_list() {
        let data = json!({ "cards": [{ "number": 1 }, { "other": 2 }, [{ "number": 3 }]] });
        let hidden =
            json!({ "cards": [{ "number": "***" }, { "other": 2 }, [{ "number": "***" }]] });
        assert_eq!(masked(data, &["cards", "number"]), (hidden, true));
    }

    #[test]
    fn what_stands_in_the_way_of_a_path_is_masked_with_it() {
        let data = json!({ "card": "4111 as text" });
        assert_eq!(masked(data, &["card", "number"]), (json!({ "card": "***" }), true));
    }

    #[test]
    fn where_there_is_nothing_nothing_is_masked() {
        for data in [json!({}), json!({ "card": null }), json!({ "total": 1 })] {
            assert_eq!(masked(data.clone(), &["card", "number"]), (data, false));
        }
    }

    #[test]
    fn of_an_unknown_definition_everything_is_masked() {
        let data = json!({ "a": 1, "b": { "c": 2 } });
        let hidden = json!({ "a": "***", "b": "***" });
        assert_eq!(shown(None, &data, Masks::On), (hidden, true));
        assert_eq!(shown(None, &data, Masks::Off), (data, false));
    }
}
