use super::computed::{Computed, Kind};
use super::condition::Relation;
use super::moment;
use super::number::Arithmetic;

/// An operator between two values, but for those of logic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Arithmetic(Arithmetic),
    Compare(Relation),
    In,
}

impl Operator {
    /// What it makes of two values.
    ///
    /// # Errors
    /// When it can make nothing of them: why.
    pub fn of<'v>(self, left: &Computed<'v>, right: &Computed<'v>) -> Result<Computed<'v>, String> {
        match self {
            Self::Arithmetic(how) => computed(how, left, right),
            Self::Compare(relation) => compared(relation, left, right).map(Computed::Bool),
            Self::In => is_in(left, right).map(Computed::Bool),
        }
    }
}

fn computed<'v>(
    how: Arithmetic,
    left: &Computed<'v>,
    right: &Computed<'v>,
) -> Result<Computed<'v>, String> {
    if let (Some(left), Some(right)) = (left.number(), right.number()) {
        return left.computed(how, &right).map(Computed::Number);
    }
    let made = match how {
        Arithmetic::Add => joined(left, right).or_else(|| moved(left, right)),
        Arithmetic::Subtract => between(left, right),
        Arithmetic::Multiply | Arithmetic::Divide | Arithmetic::Remainder => None,
    };
    made.unwrap_or_else(|| Err(mixed(how.sign(), left, right)))
}

/// Two texts, lists or bytes as one.
fn joined<'v>(left: &Computed<'v>, right: &Computed<'v>) -> Option<Result<Computed<'v>, String>> {
    if let (Some(left), Some(right)) = (left.str(), right.str()) {
        return Some(Ok(Computed::text(format!("{left}{right}"))));
    }
    if let (Computed::Bytes(left), Computed::Bytes(right)) = (left, right) {
        return Some(Ok(Computed::Bytes([&left[..], &right[..]].concat().into())));
    }
    let (left, right) = (left.items()?, right.items()?);
    Some(Ok(Computed::List(left.iter().chain(right.iter()).collect())))
}

/// A time later by a length of time, or two lengths after each other.
fn moved<'v>(left: &Computed<'v>, right: &Computed<'v>) -> Option<Result<Computed<'v>, String>> {
    let sum = match (left, right) {
        (Computed::Moment(moment), Computed::Duration(by))
        | (Computed::Duration(by), Computed::Moment(moment)) => {
            moment.checked_add_signed(*by).and_then(moment::held).map(Computed::Moment)
        }
        (Computed::Duration(one), Computed::Duration(other)) => {
            one.checked_add(other).and_then(moment::held_duration).map(Computed::Duration)
        }
        (_, _) => return None,
    };
    Some(sum.ok_or_else(|| too_far("+")))
}

fn between<'v>(left: &Computed<'v>, right: &Computed<'v>) -> Option<Result<Computed<'v>, String>> {
    let rest = match (left, right) {
        (Computed::Moment(moment), Computed::Duration(by)) => {
            moment.checked_sub_signed(*by).and_then(moment::held).map(Computed::Moment)
        }
        (Computed::Moment(end), Computed::Moment(start)) => {
            moment::held_duration(end.signed_duration_since(start)).map(Computed::Duration)
        }
        (Computed::Duration(one), Computed::Duration(other)) => {
            one.checked_sub(other).and_then(moment::held_duration).map(Computed::Duration)
        }
        (_, _) => return None,
    };
    Some(rest.ok_or_else(|| too_far("-")))
}

fn compared(relation: Relation, left: &Computed<'_>, right: &Computed<'_>) -> Result<bool, String> {
    let order = || left.compared(right).ok_or_else(|| mixed(relation.sign(), left, right));
    Ok(match relation {
        Relation::Equal => left.equals(right),
        Relation::Unequal => !left.equals(right),
        Relation::Less => order()?.is_lt(),
        Relation::AtMost => order()?.is_le(),
        Relation::Greater => order()?.is_gt(),
        Relation::AtLeast => order()?.is_ge(),
    })
}

fn is_in(left: &Computed<'_>, right: &Computed<'_>) -> Result<bool, String> {
    if let Some(items) = right.items() {
        return Ok(items.iter().any(|item| item.equals(left)));
    }
    match (right.entries(), left.as_entry()) {
        (Some(_), Some(name)) => Ok(right.entry(&name).is_some()),
        (Some(_), None) | (None, _) => Err(mixed("in", left, right)),
    }
}

fn too_far(sign: &str) -> String {
    format!("`{sign}` leads farther away than a time can be")
}

/// That an operator has no meaning between two kinds of values.
pub(super) fn mixed(sign: &str, left: &Computed<'_>, right: &Computed<'_>) -> String {
    let (one, other) = (left.kind(), right.kind());
    let has = |kind: Kind| one == kind || other == kind;
    let has_number = has(Kind::Whole) || has(Kind::Decimal);
    let help = match () {
        () if has(Kind::Text) && has_number => {
            "; `string(…)` makes text of a number, `double(…)` a number of text"
        }
        () if has(Kind::Moment) && has(Kind::Text) => "; `timestamp(…)` makes a time of text",
        () if has(Kind::Moment) && has_number => "; write a length of time: `duration('90s')`",
        () => "",
    };
    format!("`{sign}` cannot be applied to {} and {}{help}", one.words(), other.words())
}
