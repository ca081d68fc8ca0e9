use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::definition::Role;
use crate::expression::{Condition, Error, Expression, Judge, Name, Question, Reference, Scope};

use super::element::{apart, tag, together};
use super::model::KEY;

/// What was answered to conditions whose data has not changed since: by what was asked.
pub(super) type Memory = BTreeMap<String, u8>;

/// One question that had more than one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// Which answer was given.
    pub taken: u8,
    /// How many there are.
    pub of: u8,
    /// The question and its answer, for people.
    pub words: String,
    /// Whether nothing but the event at hand decides: the same event gets the same answer.
    pub is_of_event: bool,
}

/// Answers in the place of data that nobody knows: conditions hold or do not, lists have no, one or
/// two elements, and every other value is a token that tells where it comes from.
#[derive(Debug, Default)]
pub(super) struct Oracle(Mutex<Asked>);

#[derive(Debug, Default)]
struct Asked {
    /// The answers to give, in order; what is asked beyond them is answered by the first.
    script: Vec<u8>,
    given: Vec<Choice>,
    memory: Arc<Memory>,
    /// Answers that hold only while one event is at hand.
    fleeting: Memory,
    missing: Vec<String>,
    /// Fields of the event that were asked about.
    fields: BTreeSet<String>,
    /// Whether what is asked is about an event that came before.
    is_again: bool,
    is_unclear: bool,
}

/// What one consultation came to.
#[derive(Debug, Clone, Default)]
pub(super) struct Consulted {
    pub choices: Vec<Choice>,
    pub memory: Arc<Memory>,
    /// Paths that were read and cannot be there.
    pub missing: Vec<String>,
}

impl Oracle {
    /// Begins a step of the engine: what is remembered, and the answers to give.
    pub fn open(&self, memory: &Arc<Memory>, script: Vec<u8>) {
        *self.asked() = Asked { script, memory: Arc::clone(memory), ..Asked::default() };
    }

    /// What was asked since; what is asked further on is answered alike, and not told.
    pub fn pause(&self) -> Consulted {
        let mut asked = self.asked();
        asked.script.clear();
        asked.is_again = true;
        Consulted {
            choices: std::mem::take(&mut asked.given),
            memory: Arc::clone(&asked.memory),
            missing: std::mem::take(&mut asked.missing),
        }
    }

    /// Whether an event that came again was asked something new about fields that were asked about
    /// before: the author may have told two things apart by them.
    pub fn is_unclear(&self) -> bool {
        self.asked().is_unclear
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    /// The answer to a question with so many answers, the same for the same question.
    fn answer(
        &mut self,
        question: String,
        reads: &Reads,
        of: u8,
        words: impl Fn(u8) -> String,
    ) -> u8 {
        if let Some(answer) = self.known(&question) {
            return answer;
        }
        let taken = self.choose(reads, of, words);
        self.remember(question, reads, taken);
        taken
    }

    /// The answer to a question that has two: whether it holds. A question and its contrary are
    /// answered once.
    fn holds(
        &mut self,
        subject: String,
        is_contrary: bool,
        reads: &Reads,
        words: impl Fn(u8) -> String,
    ) -> bool {
        if let Some(answer) = self.known(&subject) {
            return (answer == 0) != is_contrary;
        }
        let holds = self.choose(reads, 2, words) == 0;
        self.remember(subject, reads, u8::from(holds == is_contrary));
        holds
    }

    fn known(&self, question: &str) -> Option<u8> {
        self.memory.get(question).or_else(|| self.fleeting.get(question)).copied()
    }

    /// Takes the answer that the script asks for.
    fn choose(&mut self, reads: &Reads, of: u8, words: impl Fn(u8) -> String) -> u8 {
        let taken = self.script.get(self.given.len()).copied().unwrap_or(0).min(of - 1);
        let words = words(taken);
        self.given.push(Choice { taken, of, words, is_of_event: reads.is_of_event });
        if self.is_again {
            self.is_unclear |= reads.fields.iter().any(|field| self.fields.contains(field));
        } else {
            self.fields.extend(reads.fields.iter().cloned());
        }
        taken
    }

    fn remember(&mut self, question: String, reads: &Reads, taken: u8) {
        let memory =
            if reads.is_fleeting { &mut self.fleeting } else { Arc::make_mut(&mut self.memory) };
        memory.insert(question, taken);
    }
}

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
}

/// What a question is about.
#[derive(Debug, Default)]
struct Reads {
    /// Whether it changes from input to input.
    is_fleeting: bool,
    /// Whether it is about nothing but the event at hand.
    is_of_event: bool,
    /// The fields of the event.
    fields: Vec<String>,
}

impl Judge for Seat {
    fn holds(&self, condition: &Expression, scope: &Scope<'_>) -> Result<bool, Error> {
        let whole = condition.condition();
        let mut answer = |question: &Question| {
            let is_whole = matches!(whole, Condition::Question(_));
            let written = if is_whole { condition.source() } else { &question.text };
            self.ask(question, written, scope)
        };
        whole.decide(&mut answer).map_err(|missing| self.missing(missing))
    }

    fn value(&self, of: &Expression, scope: &Scope<'_>) -> Result<Value, Error> {
        present(&self.references, scope).map_err(|missing| self.missing(missing))?;
        let references = &self.references;
        match self.role {
            Role::Key => Ok(Value::from(KEY)),
            Role::Moment => Ok(Value::from(scope.now().after(MOMENT).to_string())),
            Role::Items(most) => Ok(self.items(of, scope, most)),
            Role::Condition | Role::Message | Role::Value => Ok(known(of, scope)
                .unwrap_or_else(|| Value::from(token(of.source(), references, scope)))),
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
        Self { oracle, role, reads, references: expression.references(), list }
    }

    /// Whether a part of a condition holds.
    ///
    /// # Errors
    /// When it reads something that cannot be there: the path.
    fn ask(&self, question: &Question, written: &str, scope: &Scope<'_>) -> Result<bool, String> {
        present(&question.references, scope)?;
        if let Some((name @ (Name::Data | Name::Branch), field)) = question.asks_for() {
            return Ok(scope.value(name).is_some_and(|value| value.get(field).is_some()));
        }
        let subject = token(&question.subject, &question.references, scope);
        let words = |answer| match answer {
            0 => format!("{written} holds"),
            _ => format!("{written} does not hold"),
        };
        let reads = &self.reads[question.number];
        Ok(self.oracle.asked().holds(subject, question.is_contrary, reads, words))
    }

    fn items(&self, of: &Expression, scope: &Scope<'_>, most: u32) -> Value {
        let question = token(of.source(), &self.references, scope);
        let lengths = [1, 2, 0, most.saturating_add(1)];
        let lengths: Vec<u32> =
            lengths.into_iter().filter(|l| *l <= 2.min(most) || *l > most).collect();
        let words = |answer: u8| match lengths[usize::from(answer)] {
            1 => format!("{of} has 1 element"),
            length => format!("{of} has {length} elements"),
        };
        let few = u8::try_from(lengths.len()).expect("there are few answers");
        let answer = self.oracle.asked().answer(question.clone(), &Reads::default(), few, words);
        let which = |index: u32| match self.list {
            Some(list) => tag(list, index),
            None => format!("[{index}]"),
        };
        let item = |index: u32| Value::from(format!("{question}{}", which(index)));
        Value::Array((0..lengths[usize::from(answer)]).map(item).collect())
    }

    /// Notes a path that was read and cannot be there.
    fn missing(&self, path: String) -> Error {
        self.oracle.asked().missing.push(path.clone());
        Error::Missing(path)
    }
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
            let path = [&[reference.name.text().to_owned()], &reference.fields[..]].concat();
            return Err(path.join("."));
        }
    }
    Ok(())
}

impl Reads {
    fn of(references: &[Reference]) -> Self {
        let of_event = references.iter().filter(|r| r.name == Name::Event);
        Self {
            is_fleeting: references.iter().any(|r| is_fleeting(r.name)),
            is_of_event: references.iter().all(|r| r.name == Name::Event),
            fields: of_event.map(|r| r.fields.join(".")).collect(),
        }
    }
}

/// Whether what a name means changes from input to input.
fn is_fleeting(name: Name) -> bool {
    match name {
        Name::Event | Name::Now | Name::Answer | Name::Child => true,
        Name::Data
        | Name::Key
        | Name::Failure
        | Name::Item
        | Name::Index
        | Name::Branch
        | Name::Fence => false,
    }
}

/// The value of a path that leads to one: it goes through as it is.
fn known(of: &Expression, scope: &Scope<'_>) -> Option<Value> {
    let reference = of.path()?;
    let value = scope.value(reference.name)?;
    match reference.name {
        Name::Data | Name::Branch | Name::Failure | Name::Answer => match &reference.fields[..] {
            [field] => value.get(field).cloned(),
            [] | [_, ..] => None,
        },
        Name::Key | Name::Item | Name::Index | Name::Fence => {
            reference.fields.is_empty().then(|| value.clone())
        }
        Name::Event | Name::Now | Name::Child => None,
    }
}

/// What an expression is called whose value nobody knows: its text, and what it reads.
fn token(of: &str, references: &[Reference], scope: &Scope<'_>) -> String {
    let mut text = of.to_owned();
    for reference in references {
        let value = scope.value(reference.name);
        let read = match (reference.name, reference.fields.first(), value) {
            (Name::Now, ..) | (_, _, None) => continue,
            (Name::Event | Name::Child, _, Some(value)) => value.get(ORIGIN).cloned(),
            (
                Name::Data | Name::Branch | Name::Failure | Name::Answer,
                Some(field),
                Some(value),
            ) => value.get(field).cloned(),
            (_, _, Some(value)) => Some(value.clone()),
        };
        let read = read.map_or_else(|| "nothing".to_owned(), |read| short(&read));
        text.push_str(" | ");
        text.push_str(&read);
    }
    text
}

/// A value in few words; a long one is told apart by its hash, and by the elements in it.
fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => together(values),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    if text.len() <= 60 {
        return text;
    }
    let (plain, tags) = apart(&text);
    let hash = blake3::hash(plain.as_bytes()).to_hex();
    format!("{}…{}{tags}", plain.chars().take(40).collect::<String>(), &hash[..8])
}

/// The field of an event's body that says where it comes from.
const ORIGIN: &str = "$from";

/// A body that nobody knows.
pub(super) fn body(from: &str) -> Value {
    json!({ ORIGIN: from })
}
