//! What was answered in a world in which data is not known, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::value::Written;
use crate::expression::{Demand, Measured, Name, Reference, Relation, Test};

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
#[derive(Debug)]
pub(super) struct Oracle {
    asked: Mutex<Asked>,
    pub written: Written,
}

#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The answers to give, in order; what is asked beyond them is answered by the first.
    script: Vec<u8>,
    given: Vec<Choice>,
    memory: Arc<Memory>,
    /// Answers that hold only while one event is at hand.
    fleeting: Memory,
    /// Paths that were read and cannot be there.
    pub missing: Vec<String>,
    /// Fields of the event that were asked about.
    fields: BTreeSet<String>,
    /// Whether the event at hand starts the saga: what was asked of it stays so.
    is_start: bool,
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
    pub fn new(written: Written) -> Self {
        Self { asked: Mutex::default(), written }
    }

    /// Begins a step of the engine: what is remembered, the answers to give, and whether it is the
    /// first of a life.
    pub fn open(&self, memory: &Arc<Memory>, script: Vec<u8>, is_start: bool) {
        let memory = Arc::clone(memory);
        *self.asked() = Asked { script, memory, is_start, ..Asked::default() };
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

    pub fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    /// The answer to a question that has two: whether it holds. A question and its contrary are
    /// answered once.
    pub fn holds(
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

    /// Whether a value answers a demand: as it must by what is known of the value, else as the
    /// script says.
    pub fn demanded(
        &mut self,
        demand: &Demanded<'_>,
        written: &Written,
        reads: &Reads,
        words: impl Fn(u8) -> String,
    ) -> bool {
        let Demanded { of, value, test } = demand;
        if let Some(answer) = self.sure(of, value, test, written) {
            return answer;
        }
        let holds = self.choose(reads, 2, words) == 0;
        let number = written.number(test).expect("every test that is asked is written");
        self.remember(format!("{value}{BEHIND}{number}"), reads, u8::from(holds));
        holds
    }

    /// The only answer that a value can give to a test, by what is known of it.
    pub fn sure(&self, of: &Measured, value: &str, test: &Test, written: &Written) -> Option<bool> {
        let facts = self.facts(value, written);
        let can_be = |holds: bool| {
            let facts = facts.iter().map(|(test, holds)| (test, *holds));
            Demand::can_be(of, &facts.chain([(test, holds)]).collect::<Vec<_>>())
        };
        match (can_be(true), can_be(false)) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            (true, true) | (false, false) => None,
        }
    }

    /// Those of some lengths that a list can have, by what is known of its length.
    pub fn lengths(
        &self,
        value: &str,
        lengths: impl Iterator<Item = u32>,
        written: &Written,
    ) -> Vec<u32> {
        let facts = self.facts(value, written);
        let can_be = |length: &u32| {
            let is_it = Test::Compared(Relation::Equal, Value::from(*length));
            let facts = facts.iter().map(|(test, holds)| (test, *holds));
            Demand::can_be_size(&facts.chain([(&is_it, true)]).collect::<Vec<_>>())
        };
        lengths.filter(can_be).collect()
    }

    /// Takes it that a field of the event at hand is there, unless it was said that it is not: the
    /// question that asks for it.
    pub fn assume_there(&mut self, asked: String) -> bool {
        if let Some(answer) = self.known(&asked) {
            return answer == 0;
        }
        self.fleeting.insert(asked, 0);
        true
    }

    /// What is known of a value.
    pub fn facts(&self, value: &str, written: &Written) -> Vec<(Test, bool)> {
        let from = format!("{value}{BEHIND}");
        let mut facts = Vec::new();
        for memory in [self.memory.as_ref(), &self.fleeting] {
            let known = memory.range(from.clone()..);
            for (fact, answer) in known.take_while(|(fact, _)| fact.starts_with(&from)) {
                let which = &fact[from.len()..];
                let test = match which.strip_prefix('=') {
                    Some(length) => length
                        .parse()
                        .ok()
                        .map(|length: u64| Test::Compared(Relation::Equal, Value::from(length))),
                    None => which.parse().ok().and_then(|number| written.test(number).cloned()),
                };
                facts.extend(test.map(|test| (test, *answer == 1)));
            }
        }
        facts
    }

    fn known(&self, question: &str) -> Option<u8> {
        self.memory.get(question).or_else(|| self.fleeting.get(question)).copied()
    }

    /// Takes the answer that the script asks for.
    pub fn choose(&mut self, reads: &Reads, of: u8, words: impl Fn(u8) -> String) -> u8 {
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

    pub fn remember(&mut self, question: String, reads: &Reads, taken: u8) {
        let lasts = !reads.is_fleeting || (self.is_start && reads.is_of_event);
        let memory = if lasts { Arc::make_mut(&mut self.memory) } else { &mut self.fleeting };
        memory.insert(question, taken);
    }
}

/// What stands between a value and the number of a test in what is remembered.
const BEHIND: char = '\u{1}';

/// How it is remembered that a list has so many elements.
pub(super) fn length_of(value: &str, length: u32) -> String {
    format!("{value}{BEHIND}={length}")
}

/// A test of a value that nobody knows.
pub(super) struct Demanded<'q> {
    pub of: &'q Measured,
    /// What the value is called.
    pub value: String,
    pub test: &'q Test,
}

/// What a question is about.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// Whether it changes from input to input.
    is_fleeting: bool,
    /// Whether it is about nothing but the event at hand.
    is_of_event: bool,
    /// The fields of the event.
    fields: Vec<String>,
}

impl Reads {
    pub fn of(references: &[Reference]) -> Self {
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
