//! Goes through the accounts, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{Account, Begun, Place, Sent};
use super::answers::Answers;
use super::carried::changed;
use super::names::Name;
use super::plan::{Plan, Undoing};
use super::promises;
use super::story::{End, Story, stories};
use super::{Books, Delivery, Report, Rule, Violation};
use crate::message::{self, InstanceId, Part};

/// Checks every account.
pub(super) fn close(mut books: Books) -> Report {
    let mut report = std::mem::take(&mut books.report);
    for (instance, account) in &books.accounts {
        let plan = &books.plans[&instance.saga];
        let answers = Answers::new(plan, &books.names, account);
        let turns = &account.turns;
        let stories = stories(plan, &books.names, turns, books.options.delivery);
        let mut case =
            Case { books: &books, plan, instance, account, answers, report: &mut report };
        case.audit(&stories);
    }
    report
}

/// One instance's account under audit.
pub(super) struct Case<'a> {
    pub books: &'a Books,
    pub plan: &'a Plan,
    pub instance: &'a InstanceId,
    pub account: &'a Account,
    pub answers: Answers,
    pub report: &'a mut Report,
}

/// One life of an instance: its story, and what the topics hold of it, each id once.
pub(super) struct Life<'a> {
    pub number: message::Life,
    pub story: &'a Story,
    pub sent: Vec<&'a Sent>,
}

impl Life<'_> {
    /// Whether a step's message stands on a topic.
    pub fn first(&self, step: Name, undo: bool) -> Option<&Sent> {
        self.sent.iter().find(|s| s.step == step && s.is_undo() == undo).copied()
    }
}

impl<'a> Case<'a> {
    pub fn broken(&mut self, rule: Rule, place: Option<Place>, words: String) {
        let place = place.map(|place| self.books.place(place)).unwrap_or_default();
        let instance = self.instance.to_string();
        self.report.add(Violation { rule, instance, place, words });
    }

    pub fn text(&self, name: Name) -> &'a str {
        self.books.names.text(name)
    }

    fn audit(&mut self, stories: &BTreeMap<message::Life, Story>) {
        let sent = self.once();
        self.attempts(&sent);
        let mut numbers: BTreeSet<message::Life> = stories.keys().copied().collect();
        numbers.extend(sent.iter().map(|s| s.generation));
        self.starts(&numbers);
        let untold = Story::default();
        for number in numbers {
            let story = stories.get(&number).unwrap_or(&untold);
            let sent = sent.iter().filter(|s| s.generation == number).copied().collect();
            self.life(&Life { number, story, sent });
        }
    }

    /// Every message once, the first of those that stand there more often.
    fn once(&mut self) -> Vec<&'a Sent> {
        let mut found: BTreeMap<(message::Life, Name, Part, u32), &Sent> = BTreeMap::new();
        for sent in &self.account.sent {
            let id = (sent.generation, sent.step, sent.part, sent.attempt);
            let Some(first) = found.get(&id).copied() else {
                found.insert(id, sent);
                continue;
            };
            self.report.tally.repeated += 1;
            let name = self.text(sent.step);
            if first.content != sent.content {
                let words = format!("a message of {name} is repeated with another content");
                self.broken(Rule::Once, Some(sent.place), words);
            } else if self.books.options.delivery == Delivery::ExactlyOnce {
                let first = self.books.place(first.place);
                let attempt = sent.attempt;
                let words = format!("attempt {attempt} of {name} was sent already at {first}");
                self.broken(Rule::Once, Some(sent.place), words);
            }
        }
        found.into_values().collect()
    }

    /// Attempts are numbered 1, 2, 3.
    fn attempts(&mut self, sent: &[&Sent]) {
        let mut last: BTreeMap<(message::Life, Name, Part), u32> = BTreeMap::new();
        for command in sent.iter().filter(|s| s.is_command) {
            self.report.tally.commands += 1;
            self.report.tally.again += u64::from(command.attempt > 1);
            let before = last.entry((command.generation, command.step, command.part)).or_default();
            let expected = *before + 1;
            *before = command.attempt;
            if command.attempt != expected {
                let (name, seen) = (self.text(command.step), command.attempt);
                let words = format!("attempt {expected} of {name} is missing before {seen}");
                self.broken(Rule::Attempts, Some(command.place), words);
            }
        }
    }

    /// Nothing vanishes, and nothing comes from nowhere.
    fn starts(&mut self, numbers: &BTreeSet<message::Life>) {
        let ids: BTreeSet<u128> = self.account.starts.iter().map(|s| s.id).collect();
        let lives = numbers.len() as u64;
        self.report.tally.started += lives;
        self.report.tally.ignored += (ids.len() as u64).saturating_sub(lives);
        if lives > ids.len() as u64 {
            let place = self.account.sent.first().map(|s| s.place);
            let words = format!("it lived {lives} times by {} start events", ids.len());
            self.broken(Rule::Started, place, words);
        }
        if !numbers.is_empty() {
            return;
        }
        let lost = self.account.starts.iter().find(|s| !self.books.aside.contains(&s.id));
        if let Some(lost) = lost {
            let words = "its start event led to nothing".to_owned();
            self.broken(Rule::Started, Some(lost.place), words);
        }
    }

    fn life(&mut self, life: &Life<'_>) {
        for (rule, place, words) in &life.story.broken {
            self.broken(*rule, Some(*place), words.clone());
        }
        if self.books.has_history {
            self.as_the_topics(life);
        }
        let end = self.ended(life);
        match end {
            Some(End::Completed) => promises::completed(self, life),
            Some(End::Compensated) => promises::compensated(self, life),
            None => {}
        }
        promises::answered(self, life, end);
        promises::reverse(self, life);
        self.unchanged(life);
        self.count(life, end);
    }

    /// What the history says was sent stands on the topics, and the other way round.
    fn as_the_topics(&mut self, life: &Life<'_>) {
        let mut seen: BTreeMap<(Name, bool, u32), (u32, Place)> = BTreeMap::new();
        for sent in life.sent.iter().filter(|s| s.is_command) {
            let key = (sent.step, sent.is_undo(), sent.attempt);
            seen.entry(key).or_insert((0, sent.place)).0 += 1;
        }
        for (key, told) in &life.story.sent {
            let count = seen.get(key).map_or(0, |(count, _)| *count);
            if count < *told {
                let words = format!("{} is in the history, but on no topic", self.request(key));
                self.broken(Rule::History, None, words);
            }
        }
        for (key, (count, place)) in &seen {
            if *count > life.story.sent.get(key).copied().unwrap_or(0) {
                let words = format!("{} is on a topic, but not in the history", self.request(key));
                self.broken(Rule::History, Some(*place), words);
            }
        }
        self.facts(life);
    }

    fn request(&self, (step, undo, attempt): &(Name, bool, u32)) -> String {
        let what = if *undo { "the undoing" } else { "the command" };
        format!("{what} of {}, attempt {attempt},", self.text(*step))
    }

    fn facts(&mut self, life: &Life<'_>) {
        for (step, told) in &life.story.steps {
            let name = self.text(*step);
            if told.announced && life.first(*step, false).is_none() {
                let words = format!("the fact of {name} is in the history, but on no topic");
                self.broken(Rule::History, None, words);
            }
            let corrected = told.undone > 0 && self.plan.undoing(name) == Undoing::Fact;
            if corrected && life.first(*step, true).is_none() {
                let words = format!("{name} is undone by a fact that is on no topic");
                self.broken(Rule::History, None, words);
            }
        }
        for sent in life.sent.iter().filter(|s| !s.is_command) {
            let name = self.text(sent.step);
            let told = life.story.step(sent.step);
            let parked = name.strip_prefix("ends.stuck.");
            let known = match name {
                "ends.completed" | "ends.compensated" => true,
                _ if parked.is_some() => {
                    life.story.stuck.keys().any(|step| Some(self.text(*step)) == parked)
                }
                _ if sent.is_undo() => told.undone > 0,
                _ => told.announced,
            };
            if !known {
                let words = format!("the fact of {name} is on a topic, but not in the history");
                self.broken(Rule::History, Some(sent.place), words);
            }
        }
        if self.plan.message("ends.stuck", false).is_some() {
            for step in life.story.stuck.keys() {
                let name = format!("ends.stuck.{}", self.text(*step));
                if !life.sent.iter().any(|s| self.text(s.step) == name) {
                    let words = format!("nobody was told that it is stuck at {}", &name[11..]);
                    self.broken(Rule::Ended, None, words);
                }
            }
        }
    }

    /// How it ended, by the history and by the facts that tell of it.
    fn ended(&mut self, life: &Life<'_>) -> Option<End> {
        let mut told = None;
        for (end, name) in
            [(End::Completed, "ends.completed"), (End::Compensated, "ends.compensated")]
        {
            let fact = life.sent.iter().find(|s| self.text(s.step) == name);
            let place = fact.map(|s| s.place);
            if fact.is_some() && told.is_some() {
                self.broken(Rule::Ended, place, "it completed and was compensated".to_owned());
            }
            if fact.is_some() {
                told = Some(end);
            }
            let ended = life.story.ended == Some(end);
            if self.books.has_history && fact.is_some() && !ended {
                let words = format!("the fact {name} is on a topic, but not in the history");
                self.broken(Rule::Ended, place, words);
            }
            if ended && fact.is_none() && self.plan.message(name, false).is_some() {
                let words = format!("its end is in the history, but no fact {name} tells of it");
                self.broken(Rule::Ended, None, words);
            }
        }
        let end = life.story.ended.or(told);
        if end.is_none() && !life.story.is_stuck && self.books.options.ended {
            let place = life.sent.last().map(|s| s.place);
            self.broken(Rule::Ended, place, "it has neither ended nor is it stuck".to_owned());
        }
        end
    }

    /// Values of the start event reach the messages as they were.
    fn unchanged(&mut self, life: &Life<'_>) {
        let starts = self.starters(life);
        for sent in &life.sent {
            let name = self.text(sent.step);
            let Some(expected) = self.plan.message(name, sent.is_undo()) else {
                continue;
            };
            let mut changes =
                starts.iter().map(|s| changed(&expected.carried, &s.given, &sent.received));
            let Some(Some((path, wanted, seen))) = changes.next() else {
                continue;
            };
            if changes.all(|other| other.is_some()) {
                let words = format!("{name}: `{path}` is {seen}, the start event said {wanted}");
                self.broken(Rule::Unchanged, Some(sent.place), words);
            }
        }
    }

    /// The start events that this life may have begun with.
    fn starters(&self, life: &Life<'_>) -> Vec<&'a Begun> {
        let starts = &self.account.starts;
        let causes: BTreeSet<u128> = life.sent.iter().filter_map(|s| s.cause).collect();
        let named: Vec<&Begun> = starts.iter().filter(|s| causes.contains(&s.id)).collect();
        if named.is_empty() { starts.iter().collect() } else { named }
    }

    fn count(&mut self, life: &Life<'_>, end: Option<End>) {
        let undone: u64 = if self.books.has_history {
            life.story.steps.values().map(|told| u64::from(told.undone)).sum()
        } else {
            let undos: BTreeSet<Name> =
                life.sent.iter().filter(|s| s.is_undo()).map(|s| s.step).collect();
            undos.len() as u64
        };
        let tally = &mut self.report.tally;
        tally.undone += undone;
        tally.late += life.story.late;
        match end {
            _ if life.story.is_stuck => tally.stuck += 1,
            Some(End::Completed) => tally.completed += 1,
            Some(End::Compensated) => {
                tally.compensate(life.story.failure.as_deref().unwrap_or("reason not known"));
            }
            None => tally.open += 1,
        }
    }
}
