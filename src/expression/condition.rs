use std::cmp::Ordering;

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};
use serde_json::Value;

use super::logic::{Logic, call};
use super::number::Number;
use super::path::Path;
use super::{Demand, Element, Name, Reference, element, print, walk};

/// What a condition says: how its parts decide, down to the questions that only data can answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// `true` or `false`.
    Literal(bool),
    /// A question about the data.
    Question(Box<Question>),
    /// It holds where this does not.
    Not(Box<Condition>),
    /// Both must hold.
    And(Box<[Condition; 2]>),
    /// One of them must hold.
    Or(Box<[Condition; 2]>),
    /// The first says which of the others counts.
    Choice(Box<[Condition; 3]>),
}

/// A part of a condition that logic does not take apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Its place among the questions of its condition, from 0.
    pub number: usize,
    /// How it is written, whatever the author's spaces and quotes.
    pub text: String,
    /// The question that it is, or whose contrary it is: `a != b` is `a == b` the other way round.
    pub subject: String,
    /// Whether it holds where its subject does not.
    pub is_contrary: bool,
    /// What it reads.
    pub references: Vec<Reference>,
    /// What it compares, if it compares a path with a literal.
    pub comparison: Option<Comparison>,
    /// What it demands of one value, if it compares that one with literals.
    pub demand: Option<Demand>,
    /// What stands on either side, if it says that two values are the same, or are not.
    pub sides: Option<[Vec<Reference>; 2]>,
    /// The elements of lists that it reads by their place.
    pub elements: Vec<Element>,
    /// Whether it is nothing but `has(…)`.
    pub is_only_asked: bool,
}

/// A path that is compared with a literal.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What is compared.
    pub path: Reference,
    /// How.
    pub relation: Relation,
    /// With what.
    pub literal: Value,
}

/// How a value must stand to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Condition {
    pub(super) fn of(tree: &IdedExpr) -> Self {
        Self::numbered(tree, &mut 0)
    }

    /// The condition that a field is true.
    pub(super) fn of_path(text: &str, reference: &Reference) -> Self {
        Self::Question(Box::new(Question {
            number: 0,
            text: text.to_owned(),
            subject: text.to_owned(),
            is_contrary: false,
            references: vec![reference.clone()],
            comparison: None,
            demand: Some(Demand::of_path(reference)),
            sides: None,
            elements: Vec::new(),
            is_only_asked: false,
        }))
    }

    fn numbered(tree: &IdedExpr, next: &mut usize) -> Self {
        let mut part = |tree| Self::numbered(tree, next);
        match Logic::of(tree) {
            Logic::Literal(value) => Self::Literal(value),
            Logic::Same(inner) => part(inner),
            Logic::Not(inner) => Self::Not(Box::new(part(inner))),
            Logic::And(left, right) => Self::And(Box::new([part(left), part(right)])),
            Logic::Or(left, right) => Self::Or(Box::new([part(left), part(right)])),
            Logic::Choice(asked, yes, no) => {
                Self::Choice(Box::new([part(asked), part(yes), part(no)]))
            }
            Logic::Value => {
                let question = Box::new(Question::of(tree, *next));
                *next += 1;
                Self::Question(question)
            }
        }
    }

    /// Whether it holds, by answers to its questions. As in CEL, `&&` and `||` do not mind an error
    /// on one side when the other decides; so do they not mind an answer that nobody knows.
    ///
    /// # Errors
    /// When a question that decides has no answer.
    pub fn decide<E>(
        &self,
        answer: &mut dyn FnMut(&Question) -> Result<bool, E>,
    ) -> Result<bool, E> {
        match self {
            Self::Literal(value) => Ok(*value),
            Self::Question(question) => answer(question),
            Self::Not(inner) => Ok(!inner.decide(answer)?),
            Self::And(sides) => Self::absorbing(sides, false, answer),
            Self::Or(sides) => Self::absorbing(sides, true, answer),
            Self::Choice(parts) => {
                let [asked, yes, no] = parts.as_ref();
                if asked.decide(answer)? { yes.decide(answer) } else { no.decide(answer) }
            }
        }
    }

    /// Two sides, one of which decides alone if it is `deciding`.
    fn absorbing<E>(
        [left, right]: &[Self; 2],
        deciding: bool,
        answer: &mut dyn FnMut(&Question) -> Result<bool, E>,
    ) -> Result<bool, E> {
        match left.decide(answer) {
            Ok(value) if value == deciding => Ok(deciding),
            Ok(_) => right.decide(answer),
            Err(error) => match right.decide(answer) {
                Ok(value) if value == deciding => Ok(deciding),
                Ok(_) | Err(_) => Err(error),
            },
        }
    }

    /// Its questions, in the order in which they are written.
    #[must_use]
    pub fn questions(&self) -> Vec<&Question> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Question(question) => vec![question.as_ref()],
            Self::Not(inner) => inner.questions(),
            Self::And(sides) | Self::Or(sides) => sides.iter().flat_map(Self::questions).collect(),
            Self::Choice(parts) => parts.iter().flat_map(Self::questions).collect(),
        }
    }

    /// What it compares, if it is nothing but a comparison of a path with a literal.
    #[must_use]
    pub fn comparison(&self) -> Option<&Comparison> {
        match self {
            Self::Question(question) => question.comparison.as_ref(),
            Self::Literal(_) | Self::Not(_) | Self::And(_) | Self::Or(_) | Self::Choice(_) => None,
        }
    }
}

impl Question {
    fn of(tree: &IdedExpr, number: usize) -> Self {
        let text = print::text(tree);
        let subject = contrary(tree).map(|contrary| print::text(&contrary));
        Self {
            number,
            is_contrary: subject.is_some(),
            subject: subject.unwrap_or_else(|| text.clone()),
            text,
            references: walk::references(tree),
            comparison: Comparison::of(tree),
            demand: Demand::of(tree),
            sides: sides(tree),
            elements: element::of(tree),
            is_only_asked: matches!(&tree.expr, Expr::Select(select) if select.test),
        }
    }

    /// The field of a name that it asks for by `has(…)`, if it asks for no more than that.
    #[must_use]
    pub fn asks_for(&self) -> Option<(Name, &str)> {
        match &self.references[..] {
            [Reference { name, fields, tested: true, .. }] => match &fields[..] {
                [field] => Some((*name, field)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// What stands on either side of `==` or `!=`.
fn sides(tree: &IdedExpr) -> Option<[Vec<Reference>; 2]> {
    match call(tree)? {
        (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => {
            Some([walk::references(left), walk::references(right)])
        }
        _ => None,
    }
}

/// The comparison that holds where this one does not, if that is the one to ask for.
fn contrary(tree: &IdedExpr) -> Option<IdedExpr> {
    let Expr::Call(call) = &tree.expr else { return None };
    let contrary = match call.func_name.as_str() {
        operators::NOT_EQUALS => operators::EQUALS,
        operators::GREATER_EQUALS => operators::LESS,
        operators::LESS_EQUALS => operators::GREATER,
        _ => return None,
    };
    let mut call = call.clone();
    contrary.clone_into(&mut call.func_name);
    Some(IdedExpr { id: tree.id, expr: Expr::Call(call) })
}

impl Comparison {
    fn of(tree: &IdedExpr) -> Option<Self> {
        let (function, [left, right]) = call(tree)? else { return None };
        let relation = Relation::of(function)?;
        match (field(left), literal(right), literal(left), field(right)) {
            (Some(path), Some(literal), ..) => Some(Self { path, relation, literal }),
            (_, _, Some(literal), Some(path)) => {
                Some(Self { path, relation: relation.turned(), literal })
            }
            _ => None,
        }
    }
}

impl Relation {
    pub(super) fn of(function: &str) -> Option<Self> {
        Some(match function {
            operators::EQUALS => Self::Equal,
            operators::NOT_EQUALS => Self::Unequal,
            operators::LESS => Self::Less,
            operators::LESS_EQUALS => Self::AtMost,
            operators::GREATER => Self::Greater,
            operators::GREATER_EQUALS => Self::AtLeast,
            _ => return None,
        })
    }

    /// How authors write it.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }

    /// The relation seen from the other side.
    pub(super) fn turned(self) -> Self {
        match self {
            Self::Equal | Self::Unequal => self,
            Self::Less => Self::Greater,
            Self::AtMost => Self::AtLeast,
            Self::Greater => Self::Less,
            Self::AtLeast => Self::AtMost,
        }
    }

    /// The relation of two values that do not stand so to each other, and can be compared.
    pub(super) fn contrary(self) -> Self {
        match self {
            Self::Equal => Self::Unequal,
            Self::Unequal => Self::Equal,
            Self::Less => Self::AtLeast,
            Self::AtMost => Self::Greater,
            Self::Greater => Self::AtMost,
            Self::AtLeast => Self::Less,
        }
    }

    /// Whether two values in this order stand so to each other.
    pub(super) fn is_so(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

/// The path that a tree spells, if it leads through fields alone.
pub(super) fn field(tree: &IdedExpr) -> Option<Reference> {
    Path::of(tree)?.reference()
}

/// A literal as JSON.
pub(super) fn literal(tree: &IdedExpr) -> Option<Value> {
    if let Some((operators::NEGATE, [inner])) = call(tree) {
        return match literal(inner)? {
            Value::Number(number) => {
                Some(Value::Number(Number::of(&number).negated().ok()?.json()))
            }
            Value::Null
            | Value::Bool(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        };
    }
    let Expr::Literal(literal) = &tree.expr else { return None };
    Some(match literal {
        LiteralValue::Boolean(value) => Value::Bool(*value.inner()),
        LiteralValue::Bytes(_) => return None,
        LiteralValue::Double(_) | LiteralValue::Int(_) | LiteralValue::UInt(_) => {
            Value::Number(super::literal::number(literal)?.json())
        }
        LiteralValue::Null => Value::Null,
        LiteralValue::String(value) => Value::from(value.inner().to_owned()),
    })
}
