//! What of the data people search and sort by.

use serde_json::Value;

use crate::definition::Definition;
use crate::expression::Number;
use crate::message::read_json;

/// So much of a value is kept, in bytes; what stands behind it does not count.
pub const SEARCHED_BYTES_MAX: usize = 256;

/// A value by which instances are found and sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SearchedValue {
    /// Among numbers, where it stands: texts in the order of the numbers that they are of. Empty
    /// if it is no number; so numbers stand behind all else.
    pub rank: String,
    /// The value as text; a number in its one form, so that `12.50` is `12.5`.
    pub text: String,
}

impl SearchedValue {
    /// A value of the data; none of what cannot be searched by: null, a list or an object.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null | Value::Array(_) | Value::Object(_) => None,
            Value::Bool(is_so) => Some(Self::text(if *is_so { "true" } else { "false" })),
            Value::String(text) => Some(Self::text(text)),
            Value::Number(number) => {
                let number = Number::of(number);
                Some(Self { rank: rank(&number), ..Self::text(&number.to_string()) })
            }
        }
    }

    /// A text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self { rank: String::new(), text: cut(text).to_owned() }
    }

    /// What a person may mean who writes this: a text, and if it spells one, a number.
    #[must_use]
    pub fn meant(written: &str) -> (Self, Option<Self>) {
        let number = read_json(written.as_bytes()).ok().filter(Value::is_number);
        let number = number.filter(|_| !written.contains(char::is_whitespace));
        (Self::text(written), number.as_ref().and_then(Self::of))
    }
}

/// The fields of a life's data that its definition searches by, as `data.customer`, with what
/// they are; those that are not there, or cannot be searched by, are left out.
#[must_use]
pub fn searched(definition: &Definition, data: &Value) -> Vec<(String, SearchedValue)> {
    let value = |path: &Vec<String>| {
        let value = path.iter().try_fold(data, |value, field| value.get(field))?;
        Some((format!("data.{}", path.join(".")), SearchedValue::of(value)?))
    };
    definition.search.iter().filter_map(value).collect()
}

fn cut(text: &str) -> &str {
    let is_end = |at: &usize| text.is_char_boundary(*at);
    let end = (0..=SEARCHED_BYTES_MAX.min(text.len())).rev().find(is_end);
    &text[..end.unwrap_or_default()]
}

/// A text for each number, in the order of the numbers: its sign, how far its first digit is in
/// front of the point, and its digits. Below zero all of it is turned round.
fn rank(number: &Number) -> String {
    let (is_negative, written, exponent) = number.parts();
    let digits = written.trim_end_matches('0');
    if digits.is_empty() {
        return "1".to_owned();
    }
    let size = exponent.saturating_add(i64::try_from(written.len()).unwrap_or(i64::MAX));
    // Most sizes are small, and take few signs; the others stand before and behind them.
    let size = match size {
        -499..=499 => format!("1{:03}", size + 500),
        ..-499 => format!("0{:016x}", ordered(size)),
        500.. => format!("2{:016x}", ordered(size)),
    };
    let text = format!("{size}{}", cut(digits));
    if is_negative {
        let turned: String = text.chars().map(turned).collect();
        // A longer text of a number below zero stands before a shorter one that it begins with.
        format!("0{turned}~")
    } else {
        format!("2{text}")
    }
}

/// A number of the same order without a sign.
fn ordered(size: i64) -> u64 {
    size.cast_unsigned() ^ (1 << 63)
}

/// The hexadecimal digit that stands as far from the end as this one from the beginning.
fn turned(digit: char) -> char {
    let value = digit.to_digit(16).unwrap_or_default();
    char::from_digit(15 - value, 16).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::definition::parse;
    use crate::engine::tests::drive::Dice;

    fn value(text: &str) -> SearchedValue {
        let value = read_json(text.as_bytes()).expect("JSON");
        SearchedValue::of(&value).expect("it can be searched by")
    }

    #[test]
    fn numbers_stand_in_their_order_however_they_are_written() {
        let ordered = [
            "-1e99999",
            "-1e600",
            "-1e500",
            "-12345678901234567890123456789012345",
            "-100.5",
            "-100.25",
            "-100",
            "-99",
            "-10",
            "-2",
            "-1.23",
            "-1.2",
            "-0.001",
            "-1e-499",
            "-1e-501",
            "-1e-99999",
            "0",
            "1e-99999",
            "1e-501",
            "1e-499",
            "0.001",
            "1.2",
            "1.23",
            "2",
            "9",
            "10",
            "99",
            "100",
            "100.25",
            "100.5",
            "9223372036854775807",
            "9223372036854775808",
            "12345678901234567890123456789012345",
            "12345678901234567890123456789012346",
            "1e499",
            "1e500",
            "1e600",
            "1e99999",
        ];
        for pair in ordered.windows(2) {
            let (less, more) = (value(pair[0]).rank, value(pair[1]).rank);
            assert!(less < more, "{} {less} {} {more}", pair[0], pair[1]);
        }
        assert!(value("\"text\"").rank < value(ordered[0]).rank);
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for same in ["100", "100.0", "1e2", "1E+2", "0.1e3", "100.000"] {
            assert_eq!(value(same), value("100"), "{same}");
        }
        for same in ["0", "-0", "0.00", "0e9"] {
            assert_eq!(value(same), value("0"), "{same}");
        }
        assert_eq!(value("12.50").text, "12.5");
    }

    #[test]
    fn ranks_have_the_order_that_numbers_have() {
        let mut dice = Dice::of(7);
        let mut draw = || {
            let digits: String = (0..=dice.roll(18)).map(|_| dice.roll(10).to_string()).collect();
            let sign = if dice.roll(2) == 0 { "-" } else { "" };
            let exponent = i64::try_from(dice.roll(1_200)).expect("small") - 600;
            let digits = digits.trim_start_matches('0');
            let digits = if digits.is_empty() { "0" } else { digits };
            read_json(format!("{sign}{digits}e{exponent}").as_bytes()).expect("JSON")
        };
        for _ in 0..20_000 {
            let (one, other) = (draw(), draw());
            let (Value::Number(a), Value::Number(b)) = (&one, &other) else { panic!("numbers") };
            let order = Number::of(a).cmp(&Number::of(b));
            let ranks = [&one, &other].map(|v| SearchedValue::of(v).expect("a number").rank);
            assert_eq!(ranks[0].cmp(&ranks[1]), order, "{one} {other}");
        }
    }

    #[test]
    fn a_value_is_bounded_at_the_end_of_a_sign() {
        let long = "é".repeat(SEARCHED_BYTES_MAX);
        assert_eq!(SearchedValue::text(&long).text, "é".repeat(SEARCHED_BYTES_MAX / 2));
        let odd = format!("a{long}");
        assert_eq!(SearchedValue::text(&odd).text.len(), SEARCHED_BYTES_MAX - 1);
        let number = value(&format!("1.{}", "1".repeat(9_000)));
        assert_eq!(number.text.len(), SEARCHED_BYTES_MAX);
        assert!(number.rank.len() <= SEARCHED_BYTES_MAX + 20);
    }

    #[test]
    fn what_a_person_writes_may_be_a_text_or_a_number() {
        let (text, number) = SearchedValue::meant("12.50");
        assert_eq!((text.text.as_str(), number), ("12.50", Some(value("12.5"))));
        for text in ["anna", "", "007", " 12", "12 ", "true", "null", "1e", "[1]", "\"1\""] {
            assert_eq!(SearchedValue::meant(text), (SearchedValue::text(text), None), "{text}");
        }
    }

    #[test]
    fn of_the_data_is_searched_what_the_definition_names_and_is_there() {
        let text = "saga: s\nversion: 1\nstart: { on: t/Placed, key: event.id }\n\
                    data: { who: event.who, total: event.total, paid: event.paid }\n\
                    search: [data.who.name, data.total, data.paid, data.who.id]\n\
                    steps: [ { step: a, emit: t/A, compensate: none } ]\n";
        let definition = parse("s.yaml", text).unwrap_or_else(|e| panic!("\n{e}"));
        let found = |data: Value| {
            let found = searched(&definition, &data).into_iter();
            found.map(|(field, value)| format!("{field}={}", value.text)).collect::<Vec<_>>()
        };
        let data = json!({ "who": { "name": "anna", "id": null }, "total": 3, "paid": false });
        assert_eq!(found(data), ["data.who.name=anna", "data.total=3", "data.paid=false"]);
        assert_eq!(found(json!({ "who": "anna", "total": [1] })), Vec::<String>::new());
    }
}
