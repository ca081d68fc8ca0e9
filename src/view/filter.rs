use std::str::FromStr;

use super::Error;
use crate::expression::Relation;
use crate::message::{Disposed, SagaName, Timestamp, Topic, Version};
use crate::status::{Fingerprint, LifeState};

/// Which instances are listed: those of which everything that is said here is true.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// They are at one of these; none means at any.
    pub states: Vec<LifeState>,
    /// Their saga. Without it no locks are listed, which are instances of a built-in saga.
    pub saga: Option<SagaName>,
    /// The version that their newest life runs on.
    pub version: Option<Version>,
    /// The step that is stuck, else under way, else failed: its name, without brackets.
    pub step: Option<String>,
    /// The group of their error.
    pub error: Option<Fingerprint>,
    /// What their key begins with.
    pub key_prefix: Option<String>,
    /// They have started at that moment or later.
    pub started_from: Option<Timestamp>,
    /// They have started before that moment.
    pub started_before: Option<Timestamp>,
    /// What fields are that their definitions name under `search`.
    pub fields: Vec<FieldTest>,
}

/// What a field is that instances are searched by; an instance without the field is not found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldTest {
    /// The field, as `data.customer`.
    pub field: String,
    /// How it stands to the value.
    pub relation: Relation,
    /// The value as a person writes it. If it spells a number, numbers of that value are equal
    /// to it, and only numbers are less or greater; else texts are, by their signs.
    pub value: String,
}

/// The relations as they are written; what begins as another one does stands before that.
const SIGNS: [(&str, Relation); 6] = [
    ("!=", Relation::Unequal),
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("=", Relation::Equal),
    ("<", Relation::Less),
    (">", Relation::Greater),
];

impl FromStr for FieldTest {
    type Err = Error;

    /// Reads such as `data.total>=100`: all behind the sign is the value.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::Test(text.to_owned());
        let at = text.find(['!', '<', '>', '=']).ok_or_else(wrong)?;
        let (field, rest) = text.split_at(at);
        let sign = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign));
        let (sign, relation) = sign.filter(|_| is_path(field)).ok_or_else(wrong)?;
        let value = rest[sign.len()..].to_owned();
        Ok(Self { field: field.to_owned(), relation: *relation, value })
    }
}

/// Whether a text names a field of the data.
pub(super) fn is_path(text: &str) -> bool {
    let is_name = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    text.strip_prefix("data.").is_some_and(|path| path.split('.').all(is_name))
}

/// In which order instances are listed. The first two are by what does not change while a life
/// lasts, so that no page repeats or leaves out what was there all the time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Sort {
    /// What started last comes first.
    #[default]
    Newest,
    /// What started first comes first.
    Oldest,
    /// What has the least value in a field comes first; what does not have the field is left out.
    /// Numbers stand behind all else.
    Least(String),
    /// What has the greatest value comes first.
    Greatest(String),
}

impl FromStr for Sort {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "newest" => Ok(Self::Newest),
            "oldest" => Ok(Self::Oldest),
            _ => match text.strip_prefix('-') {
                Some(field) if is_path(field) => Ok(Self::Greatest(field.to_owned())),
                None if is_path(text) => Ok(Self::Least(text.to_owned())),
                Some(_) | None => Err(Error::Sort(text.to_owned())),
            },
        }
    }
}

/// Which dead letters are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LetterState {
    /// Those with which nobody has done anything.
    #[default]
    Open,
    /// Those with which that was done last.
    Disposed(Disposed),
    /// All of them.
    Any,
}

/// Which dead letters are listed: those of which everything that is said here is true.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LetterFilter {
    /// What was done with them last.
    pub state: LetterState,
    /// The topic that they were read from.
    pub topic: Option<Topic>,
    /// The type of their event.
    pub event_type: Option<String>,
    /// Words that stand in their reason.
    pub reason: Option<String>,
    /// They were put aside before that moment.
    pub before: Option<Timestamp>,
}

impl From<LetterState> for LetterFilter {
    fn from(state: LetterState) -> Self {
        Self { state, ..Self::default() }
    }
}

/// The most rows of one page.
pub const PAGE_ROWS_MAX: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_of_a_field_is_its_path_a_sign_and_all_behind_it() {
        for (text, field, relation, value) in [
            ("data.customer=anna", "data.customer", Relation::Equal, "anna"),
            ("data.a_1.b=", "data.a_1.b", Relation::Equal, ""),
            ("data.total>=100", "data.total", Relation::AtLeast, "100"),
            ("data.total<=-1.5", "data.total", Relation::AtMost, "-1.5"),
            ("data.total>1", "data.total", Relation::Greater, "1"),
            ("data.total<1", "data.total", Relation::Less, "1"),
            ("data.who!=a=b", "data.who", Relation::Unequal, "a=b"),
            ("data.who== a", "data.who", Relation::Equal, "= a"),
        ] {
            let read: FieldTest = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            let (field, value) = (field.to_owned(), value.to_owned());
            assert_eq!(read, FieldTest { field, relation, value }, "{text}");
        }
        for text in ["", "data.a", "a=1", "data.=1", "data=1", "data.a.=1", "data. a=1", "data.a!1"]
        {
            let read = text.parse::<FieldTest>();
            assert!(matches!(read, Err(Error::Test(shown)) if shown == text), "{text}");
        }
    }

    #[test]
    fn an_order_is_by_the_start_or_by_a_field() {
        let sort = |text: &str| text.parse::<Sort>().ok();
        assert_eq!(sort("newest"), Some(Sort::Newest));
        assert_eq!(sort("oldest"), Some(Sort::Oldest));
        assert_eq!(sort("data.total"), Some(Sort::Least("data.total".to_owned())));
        assert_eq!(sort("-data.total"), Some(Sort::Greatest("data.total".to_owned())));
        for text in ["", "-", "-newest", "total", "data.", "--data.a"] {
            assert_eq!(sort(text), None, "{text}");
        }
    }
}
