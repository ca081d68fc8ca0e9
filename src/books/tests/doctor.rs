//! Takes right books and makes one thing wrong in them.

use super::*;
use crate::format::{seal, wire};
use crate::message::header;

/// Doctors the records of one instance.
#[derive(Clone)]
pub struct Doctor {
    pub log: Vec<Rec>,
    pub saga: &'static str,
    pub key: String,
    definitions: Vec<Definition>,
}

pub const HISTORY: &str = "shop.history";

impl Doctor {
    /// Takes the first order whose history holds all of some notes, written `kind step`, and
    /// none of some others.
    pub fn of(with: &[&str], without: &[&str]) -> Self {
        Self::among(&LOG, vec![order()], "order-fulfilment", with, without)
    }

    /// The same of another saga in another log.
    pub fn among(
        log: &[Rec],
        definitions: Vec<Definition>,
        saga: &'static str,
        with: &[&str],
        without: &[&str],
    ) -> Self {
        let whole = format!("{saga}/");
        let mut told: Vec<(&str, Vec<String>)> = Vec::new();
        for rec in log.iter().filter(|r| r.topic.as_str() == HISTORY) {
            let Some(key) = rec.key.strip_prefix(&whole) else { continue };
            let at = told.iter().position(|(other, _)| *other == key).unwrap_or(told.len());
            if at == told.len() {
                told.push((key, Vec::new()));
            }
            let notes = rec.entry().notes.into_iter();
            told[at].1.extend(notes.map(|n| format!("{} {}", n.kind, n.step)));
        }
        let holds = |notes: &[String]| {
            let has = |n: &&str| notes.iter().any(|note| note == n);
            with.iter().all(has) && !without.iter().any(has)
        };
        let found = told.iter().find(|(_, notes)| holds(notes)).expect("an instance like that");
        Self { key: found.0.to_owned(), log: log.to_vec(), saga, definitions }
    }

    pub fn name(&self) -> String {
        format!("{}/{}", self.saga, self.key)
    }

    /// The places in the log of the instance's records of a type.
    pub fn all(&self, word: &str) -> Vec<usize> {
        let here = |rec: &Rec| rec.key == self.key && rec.header(header::TYPE) == word;
        (0..self.log.len()).filter(|at| here(&self.log[*at])).collect()
    }

    /// The first of them.
    #[track_caller]
    pub fn one(&self, word: &str) -> usize {
        *self.all(word).first().unwrap_or_else(|| panic!("no {word} of {}", self.key))
    }

    pub fn remove(&mut self, word: &str) -> Rec {
        let place = self.one(word);
        self.log.remove(place)
    }

    pub fn remove_all(&mut self, word: &str) {
        while let Some(place) = self.all(word).first() {
            self.log.remove(*place);
        }
    }

    /// Takes away what stands under the ids of a step, whatever it is, and what answers it.
    pub fn remove_step(&mut self, step: &str) {
        let name = self.name();
        let (saga, key) = name.split_once('/').expect("a name");
        let begin = format!("{saga}/{}/", key.replace('/', "%2F"));
        let is_it = |text: &str| {
            let rest = text.strip_prefix(&begin).and_then(|rest| rest.split('/').nth(1));
            rest == Some(step)
        };
        self.log
            .retain(|rec| !is_it(rec.header(header::ID)) && !is_it(rec.header(header::COMMAND)));
    }

    /// Appends a record to its partition.
    pub fn append(&mut self, mut rec: Rec) -> String {
        let same = |r: &&Rec| (&r.topic, r.partition) == (&rec.topic, rec.partition);
        rec.offset = self.log.iter().filter(same).map(|r| r.offset + 1).max().unwrap_or(0);
        let place = rec.place();
        self.log.push(rec);
        place
    }

    /// Rewrites the instance's history entries; those without notes vanish.
    pub fn rewrite(&mut self, change: impl FnMut(&mut wire::Entry)) {
        self.rewrite_of(&self.name(), change);
    }

    /// Rewrites another instance's history entries.
    pub fn rewrite_of(&mut self, key: &str, mut change: impl FnMut(&mut wire::Entry)) {
        self.log.retain_mut(|rec| {
            if rec.topic.as_str() != HISTORY || rec.key != key {
                return true;
            }
            let mut entry = rec.entry();
            change(&mut entry);
            rec.body = seal(&entry).into();
            !entry.notes.is_empty()
        });
    }

    pub fn report(&self) -> Report {
        audited_by(&self.definitions, &self.log, Delivery::ExactlyOnce)
    }

    /// Asserts that a promise of this instance is broken, at a place, and no other instance's.
    #[track_caller]
    pub fn fails(&self, rule: Rule, words: &str, place: &str) {
        let report = self.breaks(&self.name(), rule, words, place);
        let others = report.violations.iter().find(|v| v.instance != self.name());
        assert_eq!(others, None);
    }

    /// Asserts that a promise of an instance is broken, at a place.
    #[track_caller]
    pub fn breaks(&self, instance: &str, rule: Rule, words: &str, place: &str) -> Report {
        let report = self.report();
        let found = report.violations.iter().any(|v| {
            v.rule == rule
                && v.instance == instance
                && v.words.contains(words)
                && v.place.contains(place)
        });
        assert!(found, "{instance}: {rule:?} {words} at {place}\n{report}");
        report
    }
}
