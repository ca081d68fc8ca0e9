//! Goes through the accounts, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{Account, Begun, Sent};
use super::answers::Answers;
use super::carried::changed;
use super::case::{Case, LifeCase};
use super::lives::stories;
use super::names::Name;
use super::spot::Spot;
use super::story::{End, Stories, Story};
use super::{Books, Delivery, Report, Rule};
use super::{family, locks, messages, promises, whole};
use crate::message::{self, InstanceId, Part, PartKind};

impl Books {
    /// Checks every promise.
    #[must_use]
    pub fn close(mut self) -> Report {
        let mut report = std::mem::take(&mut self.report);
        let books = &self;
        let told = |(instance, account): (&InstanceId, &Account)| {
            let plan = &books.plans[&instance.saga];
            let stories = stories(plan, &books.names, &account.turns, books.options.delivery);
            (instance.clone(), stories)
        };
        let all: Stories = books.accounts.iter().map(told).collect();
        let families = family::audit(books, &all, &mut report);
        let behind = locks::audit(books, &all, &mut report);
        for (instance, account) in &books.accounts {
            let plan = &books.plans[&instance.saga];
            let lives = &all[instance];
            let answers = Answers::new(plan, &books.names, account, lives);
            let waits_for_lock = behind.contains(instance);
            let (families, report) = (&families, &mut report);
            Case { books, plan, instance, account, answers, families, waits_for_lock, report }
                .audit(lives);
        }
        report
    }
}

impl<'a> Case<'a> {
    fn audit(mut self, stories: &BTreeMap<message::LifeId, Story>) {
        let sent = self.each_once();
        self.attempts(&sent);
        let mut numbers: BTreeSet<message::LifeId> = stories.keys().copied().collect();
        numbers.extend(sent.iter().map(|s| s.life));
        self.starts(&numbers);
        let untold = Story::default();
        for number in numbers {
            let story = stories.get(&number).unwrap_or(&untold);
            let sent = sent.iter().filter(|s| s.life == number).copied().collect();
            self.life(&LifeCase { number, story, sent });
        }
    }

    /// Judges messages that stand there more often; answers each once, the first of its id.
    fn each_once(&mut self) -> Vec<&'a Sent> {
        let mut found: BTreeMap<(message::LifeId, Name, Part, u32), &Sent> = BTreeMap::new();
        for sent in &self.account.sent {
            let id = (sent.life, sent.step, sent.part, sent.attempt);
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
        let mut last: BTreeMap<(message::LifeId, Name, Part), u32> = BTreeMap::new();
        for command in sent.iter().filter(|s| s.is_command) {
            self.report.tally.commands += 1;
            self.report.tally.again += u64::from(command.attempt > 1);
            let before = last.entry((command.life, command.step, command.part)).or_default();
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
    fn starts(&mut self, numbers: &BTreeSet<message::LifeId>) {
        let events: BTreeSet<u64> = self.account.starts.iter().map(|s| s.marks[0]).collect();
        let children = numbers.iter().filter(|life| self.is_child(**life)).count();
        let lives = numbers.len() - children;
        self.report.tally.children += children as u64;
        self.report.tally.started += lives as u64;
        self.report.tally.ignored += (events.len() as u64).saturating_sub(lives as u64);
        let place = self.account.sent.first().map(|s| s.place);
        let orphan = numbers.iter().any(|life| {
            let known = self.account.starts.iter().any(|s| s.marks.contains(&life.mark));
            life.mark != 0 && !known && !self.is_child(*life)
        });
        if lives > events.len() {
            let words = format!("it lived {lives} times by {} start events", events.len());
            self.broken(Rule::Started, place, words);
        } else if orphan {
            let words = "it lived by a start event that is on no topic".to_owned();
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

    /// Whether a parent began a life; without any history that is taken for granted.
    fn is_child(&self, life: message::LifeId) -> bool {
        let by_event = self.account.starts.iter().any(|s| s.marks.contains(&life.mark));
        let begun = self.families.children.contains(&(self.instance.clone(), life));
        begun || (self.plan.definition.by_parent && !self.books.has_history && !by_event)
    }

    fn life(&mut self, life: &LifeCase<'_>) {
        for (rule, place, words) in &life.story.broken {
            self.broken(*rule, Some(*place), words.clone());
        }
        if self.books.has_history {
            messages::as_the_topics(self, life);
        }
        let end = self.ended(life);
        match end {
            Some(End::Completed) => {
                promises::completed(self, life);
                self.whole(life);
            }
            Some(End::Compensated) => promises::compensated(self, life),
            None => {}
        }
        promises::answered(self, life, end);
        promises::reverse(self, life);
        self.late(life);
        self.unchanged(life);
        self.count(life, end);
    }

    /// Every step that had to be done was done.
    fn whole(&mut self, life: &LifeCase<'_>) {
        if !self.books.has_history || life.story.is_acted {
            return;
        }
        if let Some(step) = whole::missing(self.plan, life.story) {
            self.broken(Rule::Completed, None, format!("it completed and never did {step}"));
        }
    }

    /// What succeeded late is undone, once more if it was undone before; that may still be under
    /// way.
    fn late(&mut self, life: &LifeCase<'_>) {
        let story = life.story;
        if story.is_acted || story.is_stuck || story.ended.is_none() {
            return;
        }
        for (step, told) in story.steps.iter().filter(|(_, told)| told.is_undone_too_little()) {
            let again = if told.undoings == 0 { "" } else { " again" };
            let words = format!("{} succeeded late and was not undone{again}", self.text(*step));
            self.broken(Rule::LeftBehind, None, words);
        }
    }

    /// How it ended, by the history and by the facts that tell of it.
    fn ended(&mut self, life: &LifeCase<'_>) -> Option<End> {
        let mut told = None;
        for (end, name) in
            [(End::Completed, "ends.completed"), (End::Compensated, "ends.compensated")]
        {
            let fact = life.sent.iter().find(|s| self.text(s.step) == name);
            let place = fact.map(|s| s.place);
            if fact.is_some() && told.is_some() && !life.story.was_completed {
                self.broken(Rule::Ended, place, "it completed and was compensated".to_owned());
            }
            if fact.is_some() {
                told = Some(end);
            }
            let before = end == End::Completed && life.story.was_completed;
            let ended = life.story.ended == Some(end) || before;
            if self.books.has_history && fact.is_some() && !ended {
                let words = format!("the fact {name} is on a topic, but not in the history");
                self.broken(Rule::Ended, place, words);
            }
            // What a person left out may be what the fact tells of; then it is a dead letter.
            let owed = self.plan.message(name, PartKind::Action).is_some() && !life.story.is_acted;
            if ended && fact.is_none() && owed {
                let words = format!("its end is in the history, but no fact {name} tells of it");
                self.broken(Rule::Ended, None, words);
            }
        }
        let end = life.story.ended.or(told);
        let waits = self.families.waiting.contains(&(self.instance.clone(), life.number));
        let excused = life.story.awaits_person() || waits || self.waits_for_lock;
        let told_stuck = life.sent.iter().any(|s| self.text(s.step).starts_with("ends.stuck."));
        let unseen = !self.books.has_history && (told_stuck || self.plan.tells_no_end());
        if end.is_none() && !excused && !unseen && self.books.options.ended {
            let place = life.sent.last().map(|s| s.place);
            self.broken(Rule::Ended, place, "it has neither ended nor is it stuck".to_owned());
        }
        end
    }

    /// Values of the start event reach the messages as they were.
    fn unchanged(&mut self, life: &LifeCase<'_>) {
        if life.story.is_data_set {
            return;
        }
        let starts = self.starters(life);
        for sent in &life.sent {
            let name = self.text(sent.step);
            let Some(expected) = self.plan.message(name, sent.part.kind()) else {
                continue;
            };
            let spot = self.plan.spot(name);
            let branch = spot.as_ref().map_or(&[][..], Spot::branch);
            let mut changes =
                starts.iter().map(|s| changed(&expected.carried, branch, &s.given, &sent.received));
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
    fn starters(&self, life: &LifeCase<'_>) -> Vec<&'a Begun> {
        let starts = &self.account.starts;
        let own: Vec<&Begun> = starts
            .iter()
            .filter(|s| life.number.mark != 0 && s.marks.contains(&life.number.mark))
            .collect();
        if !own.is_empty() {
            return own;
        }
        let causes: BTreeSet<u128> = life.sent.iter().filter_map(|s| s.cause).collect();
        let named: Vec<&Begun> = starts.iter().filter(|s| causes.contains(&s.id)).collect();
        if named.is_empty() { starts.iter().collect() } else { named }
    }

    fn count(&mut self, life: &LifeCase<'_>, end: Option<End>) {
        let undone: u64 = if self.books.has_history {
            life.story.steps.values().map(|told| u64::from(told.undone)).sum()
        } else {
            let undos: BTreeSet<Name> = life
                .sent
                .iter()
                .filter(|s| s.part.kind() == PartKind::Undo)
                .map(|s| s.step)
                .collect();
            undos.len() as u64
        };
        let tally = &mut self.report.tally;
        tally.undone += undone;
        tally.late += life.story.late;
        if self.families.children.contains(&(self.instance.clone(), life.number)) {
            return;
        }
        if life.story.is_stuck {
            tally.stuck += 1;
            return;
        }
        match end {
            Some(End::Completed) => tally.completed += 1,
            Some(End::Compensated) => {
                tally.compensate(life.story.failure.as_deref().unwrap_or("reason not known"));
            }
            None => tally.open += 1,
        }
    }
}
