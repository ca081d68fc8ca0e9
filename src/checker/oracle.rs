use std::sync::Arc;

use serde_json::Value;

use super::answers::{Demanded, Oracle, Reads, length_of};
use super::element::tag;
use super::model::KEY;
use super::value::{constant, identity, passed, token};
use crate::definition::Role;
use crate::expression::{
    Condition, Demand, Element, Error, Expression, Judge, Measured, Name, Question, Reference,
    Relation, Scope, Test,
};

/// The judge of one expression of a definition.
#[derive(Debug)]
pub(super) struct Seat {
    oracle: Arc<Oracle>,
    role: Role,
    /// What the expression reads.
    references: Vec<Reference>,
    /// What each of its questions is about, if it is a condition.
    reads: Vec<Reads>,
    /// The number of the list that it is, if its elements are alike.
    list: Option<usize>,
    /// Its value, if it reads nothing.
    constant: Option<Value>,
}

impl Judge for Seat {
    fn holds(&self, condition: &Expression, scope: &Scope<'_>) -> Result<bool, Error> {
        let whole = condition.condition();
        let mut answer = |question: &Question| {
            let is_whole = matches!(whole, Condition::Question(_));
            let written = if is_whole { condition.source() } else { &question.text };
            self.ask(question, written, scope)
        };
        whole.decide(&mut answer).map_err(|unanswered| match unanswered {
            Unanswered::Missing(path) => self.missing(path),
            Unanswered::Absent(path) => Error::Missing(path),
        })
    }

    fn value(&self, of: &Expression, scope: &Scope<'_>) -> Result<Value, Error> {
        present(&self.references, scope).map_err(|missing| self.missing(missing))?;
        self.long_enough(of.elements(), scope).map_err(|missing| self.missing(missing))?;
        let references = &self.references;
        match self.role {
            Role::Key => Ok(Value::from(KEY)),
            Role::Moment => Ok(self.moment(of, scope)),
            Role::Items(most) => Ok(self.items(of, scope, most)),
            Role::Condition | Role::Message | Role::Value => {
                let known = self.constant.clone().or_else(|| passed(of, scope));
                Ok(known.unwrap_or_else(|| Value::from(token(of.source(), references, scope))))
            }
        }
    }
}

/// How far away a moment lies that a sleep waits for.
const MOMENT: crate::message::Span = crate::message::Span::hours(1);

impl Seat {
    pub fn new(
        oracle: Arc<Oracle>,
        role: Role,
        expression: &Expression,
        list: Option<usize>,
    ) -> Self {
        let questions = expression.condition().questions();
        let reads = questions.iter().map(|question| Reads::of(&question.references)).collect();
        let constant = constant(expression);
        Self { oracle, role, reads, references: expression.references(), list, constant }
    }

    /// Whether a part of a condition holds.
    ///
    /// # Errors
    /// When it reads something that cannot be there, or that an event was said not to have.
    fn ask(
        &self,
        question: &Question,
        written: &str,
        scope: &Scope<'_>,
    ) -> Result<bool, Unanswered> {
        present(&question.references, scope).map_err(Unanswered::Missing)?;
        self.long_enough(&question.elements, scope).map_err(Unanswered::Missing)?;
        for asked in asked_of_event(&question.references) {
            let text = format!("has({})", path(&asked));
            let fact = token(&text, std::slice::from_ref(&asked), scope);
            if !self.oracle.asked().assume_there(fact) {
                return Err(Unanswered::Absent(path(&asked)));
            }
        }
        if let Some(answer) = self.sure(question, scope) {
            return Ok(answer);
        }
        if let Some(Demand { of, test }) = &question.demand {
            let value = identity(of, &question.references, scope);
            let words = |answer| match answer {
                0 => format!("{written} holds"),
                _ => format!("{written} does not hold"),
            };
            let reads = &self.reads[question.number];
            let demanded = Demanded { of, value, test };
            let mut asked = self.oracle.asked();
            return Ok(asked.demanded(&demanded, &self.oracle.written, reads, words));
        }
        let subject = token(&question.subject, &question.references, scope);
        let words = |answer| match answer {
            0 => format!("{written} holds"),
            _ => format!("{written} does not hold"),
        };
        let reads = &self.reads[question.number];
        Ok(self.oracle.asked().holds(subject, question.is_contrary, reads, words))
    }

    /// The answer to a part of a condition, if what is known leaves only one.
    fn sure(&self, question: &Question, scope: &Scope<'_>) -> Option<bool> {
        if let Some((name @ (Name::Data | Name::Branch), field)) = question.asks_for() {
            return Some(scope.value(name).is_some_and(|value| value.get(field).is_some()));
        }
        let Demand { of, test } = question.demand.as_ref()?;
        let written = &self.oracle.written;
        let known = match of {
            Measured::Value(path) => written.known(path, scope).cloned(),
            Measured::Size(path) => self.length(path, scope).map(Value::from),
            Measured::Computed(_) => None,
        };
        if let Some(value) = known {
            let (holds, fails) = (test.is(&value, true), test.is(&value, false));
            return (holds != fails).then_some(holds);
        }
        let value = identity(of, &question.references, scope);
        self.oracle.asked().sure(of, &value, test, written)
    }

    /// How many elements a list has that is no token.
    fn length(&self, path: &Reference, scope: &Scope<'_>) -> Option<u64> {
        let list = self.oracle.written.known(path, scope)?.as_array()?;
        u64::try_from(list.len()).ok()
    }

    /// Refuses to read an element that its list surely does not have.
    ///
    /// # Errors
    /// When one cannot be there: its path.
    fn long_enough(&self, elements: &[Element], scope: &Scope<'_>) -> Result<(), String> {
        for Element { list, place, asked } in elements {
            let mut sure = |question: &Question| self.sure(question, scope).ok_or(());
            let is_read = asked.iter().all(|(guard, holds)| guard.decide(&mut sure) == Ok(*holds));
            let of = Measured::Size(list.clone());
            let longer = Test::Compared(Relation::Greater, Value::from(*place));
            let is_short = if let Some(length) = self.length(list, scope) {
                length <= *place
            } else {
                let (value, written) = (identity(&of, &[], scope), &self.oracle.written);
                self.oracle.asked().sure(&of, &value, &longer, written) == Some(false)
            };
            if is_read && is_short {
                return Err(format!("{}[{place}]", path(list)));
            }
        }
        Ok(())
    }

    /// How many elements a list has: as many as is known, else as the script says.
    fn count(&self, of: &Expression, scope: &Scope<'_>, most: u32) -> u32 {
        let few = |length: u64| match u32::try_from(length) {
            Ok(length) if length <= most => length.min(2),
            _ => most.saturating_add(1),
        };
        let written = of.written_elements().and_then(|length| u64::try_from(length).ok());
        let known = written.or_else(|| self.length(of.path()?, scope));
        if let Some(length) = known {
            return few(length);
        }
        let value = match of.path() {
            Some(path) => identity(&Measured::Size(path.clone()), &[], scope),
            None => format!("size of {}", token(of.source(), &self.references, scope)),
        };
        let mut asked = self.oracle.asked();
        let lengths = [1, 2, 0, most.saturating_add(1)];
        let lengths = lengths.into_iter().filter(|l| *l <= 2.min(most) || *l > most);
        let lengths = asked.lengths(&value, lengths, &self.oracle.written);
        let many = u8::try_from(lengths.len()).expect("there are few answers");
        let taken = match &lengths[..] {
            // What is known of it leaves none of these: it is longer than two, and not too long.
            [] => return 2.min(most),
            [_] => 0,
            several => {
                asked.choose(&Reads::default(), many, |answer| match several[usize::from(answer)] {
                    1 => format!("{of} has 1 element"),
                    length => format!("{of} has {length} elements"),
                })
            }
        };
        let length = lengths[usize::from(taken)];
        asked.remember(length_of(&value, length), &Reads::default(), 1);
        length
    }

    fn items(&self, of: &Expression, scope: &Scope<'_>, most: u32) -> Value {
        let question = token(of.source(), &self.references, scope);
        let length = self.count(of, scope, most);
        let which = |index: u32| match self.list {
            Some(list) => tag(list, index),
            None => format!("[{index}]"),
        };
        let item = |index: u32| Value::from(format!("{question}{}", which(index)));
        Value::Array((0..length).map(item).collect())
    }

    /// A moment; what is only passed on may be none.
    fn moment(&self, of: &Expression, scope: &Scope<'_>) -> Value {
        let moment = || Value::from(scope.now().after(MOMENT).to_string());
        if of.path().is_none() {
            return moment();
        }
        let question = token(of.source(), &self.references, scope);
        let words = |answer| match answer {
            0 => format!("{of} is a moment"),
            _ => format!("{of} is no moment"),
        };
        if self.oracle.asked().holds(question, false, &Reads::default(), words) {
            moment()
        } else {
            Value::Null
        }
    }

    /// Notes a path that was read and cannot be there.
    fn missing(&self, path: String) -> Error {
        self.oracle.asked().missing.push(path.clone());
        Error::Missing(path)
    }
}

/// Why a part of a condition has no answer.
enum Unanswered {
    /// It reads what nothing has set.
    Missing(String),
    /// It reads what the event at hand does not have, by an answer that was given before.
    Absent(String),
}

/// The fields of an event that must be there for a question to have an answer, as far as
/// conditions ask for fields by `has(…)`.
fn asked_of_event(references: &[Reference]) -> Vec<Reference> {
    let mut asked = Vec::new();
    for read in references.iter().filter(|read| read.name == Name::Event && !read.guarded) {
        let deepest = read.fields.len() - usize::from(read.tested);
        for length in 1..=deepest {
            let fields = read.fields[..length].to_vec();
            asked.push(Reference { fields, tested: true, ..read.clone() });
        }
    }
    asked
}

fn path(reference: &Reference) -> String {
    [&[reference.name.text().to_owned()], &reference.fields[..]].concat().join(".")
}

/// Refuses what cannot be there.
///
/// # Errors
/// When one of the references leads nowhere: its path.
fn present(references: &[Reference], scope: &Scope<'_>) -> Result<(), String> {
    for reference in references.iter().filter(|r| r.needs_first()) {
        let is_there = match (reference.name, reference.fields.first()) {
            (Name::Now, _) => true,
            (Name::Data | Name::Branch | Name::Failure, Some(field)) => {
                scope.value(reference.name).is_some_and(|value| value.get(field).is_some())
            }
            (name, _) => scope.value(name).is_some(),
        };
        if !is_there {
            return Err(path(reference));
        }
    }
    Ok(())
}
