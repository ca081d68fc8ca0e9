use std::cmp::Ordering;

use cel::common::ast::{Expr, IdedExpr, operators};
use serde_json::{Number, Value};

use super::condition::{field, literal};
use super::logic::call;
use super::{Reference, Relation, print};

/// What a question demands of one value, such as that `event.total` is more than 5.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// The value that it is about.
    pub of: Measured,
    /// What must be so.
    pub test: Test,
}

/// A value that a question measures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measured {
    /// What a path leads to.
    Value(Reference),
    /// How many elements there are where a path leads to.
    Size(Reference),
    /// What an expression of this text is worth.
    Computed(String),
}

/// What must be so of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// It stands so to a literal.
    Compared(Relation, Value),
    /// It is one of these.
    OneOf(Vec<Value>),
}

/// The most whole numbers that are tried one by one.
const TRIED_MAX: i128 = 64;

impl Demand {
    /// What a question that logic does not take apart demands; none if it compares nothing with
    /// literals.
    pub(super) fn of(tree: &IdedExpr) -> Option<Self> {
        if let Some(path) = field(tree) {
            return Some(Self::of_path(&path));
        }
        let (function, [left, right]) = call(tree)? else { return None };
        if function == operators::IN {
            let Expr::List(list) = &right.expr else { return None };
            let all = list.elements.iter().map(literal).collect::<Option<_>>()?;
            return Some(Self { of: Measured::by(left), test: Test::OneOf(all) });
        }
        let relation = Relation::of(function)?;
        let (of, test) = match (literal(left), literal(right)) {
            (None, Some(literal)) => (left, Test::Compared(relation, literal)),
            (Some(literal), None) => (right, Test::Compared(relation.turned(), literal)),
            (None, None) | (Some(_), Some(_)) => return None,
        };
        Some(Self { of: Measured::by(of), test })
    }

    /// What the condition demands that a field is true.
    pub(super) fn of_path(path: &Reference) -> Self {
        let test = Test::Compared(Relation::Equal, Value::Bool(true));
        Self { of: Measured::Value(path.clone()), test }
    }

    /// Whether some value answers all of these demands, which are about one value, in these ways.
    #[must_use]
    pub fn can_be(of: &Measured, answers: &[(&Test, bool)]) -> bool {
        can_be(matches!(of, Measured::Size(_)), answers)
    }

    /// The same of the number of a list's elements.
    #[must_use]
    pub fn can_be_size(answers: &[(&Test, bool)]) -> bool {
        can_be(true, answers)
    }
}

fn can_be(is_size: bool, answers: &[(&Test, bool)]) -> bool {
    let passes = |value: &Value| answers.iter().all(|(test, holds)| test.is(value, *holds));
    let sure = answers.iter().find_map(|(test, holds)| test.values(*holds));
    if let Some(values) = sure {
        return values.into_iter().any(passes);
    }
    let mut range = Range::default();
    if is_size {
        range.narrow(Relation::AtLeast, &Value::from(0));
    }
    for (test, holds) in answers {
        if let Test::Compared(relation, literal) = test {
            let relation = if *holds { *relation } else { relation.contrary() };
            range.narrow(relation, literal);
        }
    }
    match range.few_whole().filter(|_| is_size) {
        Some(mut few) => few.any(|number| i64::try_from(number).is_ok_and(|n| passes(&n.into()))),
        None => range.has_room(passes),
    }
}

impl Measured {
    fn by(tree: &IdedExpr) -> Self {
        if let Some(path) = field(tree) {
            return Self::Value(path);
        }
        let counted = match &tree.expr {
            Expr::Call(call) if call.func_name == "size" => match (&call.target, &call.args[..]) {
                (None, [of]) => field(of),
                (Some(of), []) => field(of),
                (Some(_) | None, _) => None,
            },
            _ => None,
        };
        counted.map_or_else(|| Self::Computed(print::text(tree)), Self::Size)
    }
}

impl Test {
    /// Whether a value passes, or does not pass, whatever is asked for; one of another kind does
    /// neither.
    #[must_use]
    pub fn is(&self, value: &Value, holds: bool) -> bool {
        match self {
            Self::OneOf(all) => all.iter().any(|one| is_same(value, one)) == holds,
            Self::Compared(Relation::Equal, literal) => is_same(value, literal) == holds,
            Self::Compared(Relation::Unequal, literal) => is_same(value, literal) != holds,
            Self::Compared(relation, literal) => {
                order(value, literal).is_some_and(|order| relation.is_so(order) == holds)
            }
        }
    }

    /// All values of which it holds, or does not, if these are few.
    fn values(&self, holds: bool) -> Option<Vec<&Value>> {
        match (self, holds) {
            (Self::Compared(Relation::Equal, literal), true)
            | (Self::Compared(Relation::Unequal, literal), false) => Some(vec![literal]),
            (Self::OneOf(all), true) => Some(all.iter().collect()),
            (Self::Compared(..), _) | (Self::OneOf(_), false) => None,
        }
    }
}

/// The values between two limits; the limits count or do not.
#[derive(Debug, Default)]
struct Range {
    lowest: Option<(Value, bool)>,
    highest: Option<(Value, bool)>,
    /// Whether two limits are of kinds that are not compared.
    is_mixed: bool,
}

impl Range {
    fn narrow(&mut self, relation: Relation, literal: &Value) {
        let (limit, closer, counts) = match relation {
            Relation::Equal | Relation::Unequal => return,
            Relation::Less => (&mut self.highest, Ordering::Less, false),
            Relation::AtMost => (&mut self.highest, Ordering::Less, true),
            Relation::Greater => (&mut self.lowest, Ordering::Greater, false),
            Relation::AtLeast => (&mut self.lowest, Ordering::Greater, true),
        };
        let is_closer = match limit {
            None => true,
            Some((known, known_counts)) => match order(literal, known) {
                None => {
                    self.is_mixed = true;
                    false
                }
                Some(Ordering::Equal) => *known_counts && !counts,
                Some(order) => order == closer,
            },
        };
        if is_closer {
            *limit = Some((literal.clone(), counts));
        }
    }

    /// The whole numbers in it, if these are few.
    fn few_whole(&self) -> Option<std::ops::RangeInclusive<i128>> {
        let (lowest, highest) = (self.lowest.as_ref()?, self.highest.as_ref()?);
        let whole = |(value, counts): &(Value, bool), inwards: i128| {
            let number = value.as_i64().map(i128::from)?;
            Some(if *counts { number } else { number + inwards })
        };
        let (from, to) = (whole(lowest, 1)?, whole(highest, -1)?);
        (to - from <= TRIED_MAX).then_some(from..=to)
    }

    /// Whether there is a value in it; of a single one it is asked whether it passes.
    fn has_room(&self, passes: impl Fn(&Value) -> bool) -> bool {
        if self.is_mixed {
            return false;
        }
        let (Some((lowest, low)), Some((highest, high))) = (&self.lowest, &self.highest) else {
            return true;
        };
        match order(lowest, highest) {
            Some(Ordering::Less) => true,
            Some(Ordering::Equal) => *low && *high && passes(lowest),
            Some(Ordering::Greater) | None => false,
        }
    }
}

fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(_), Value::Number(_)) => order(one, other) == Some(Ordering::Equal),
        (one, other) => one == other,
    }
}

/// How two values stand to each other; none if CEL does not compare them.
fn order(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => numbers(one, other),
        (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

fn numbers(one: &Number, other: &Number) -> Option<Ordering> {
    let whole = |number: &Number| {
        number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
    };
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        (Some(_) | None, _) => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}
