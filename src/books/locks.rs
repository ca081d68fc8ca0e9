//! Locks: what each of them has done, against those who held it and what they sent.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{Claimed, LockTurn, Place};
use super::names::Name;
use super::story::{Stories, Story};
use super::{Books, Delivery, Report, Rule};
use crate::engine::NoteKind;
use crate::message::{InstanceId, Key, Offset, SagaName};

/// A step of an instance that takes locks.
type Claimant = (InstanceId, Name);

/// Which token each lock gave to a claimant, in their order.
type Grants = BTreeMap<Claimant, BTreeMap<Key, Vec<u64>>>;

/// What a claimant and a lock have done with each other.
enum Did {
    Claimed,
    Granted,
    Returned,
    Withdrawn,
}

/// The only notes that the history of a lock has.
const TOLD: [(NoteKind, Did); 4] = [
    (NoteKind::Queued, Did::Claimed),
    (NoteKind::Locked, Did::Granted),
    (NoteKind::Released, Did::Returned),
    (NoteKind::Withdrawn, Did::Withdrawn),
];

/// Checks every lock. Answers who waits behind one that needs a person.
pub(super) fn audit(books: &Books, stories: &Stories, report: &mut Report) -> BTreeSet<InstanceId> {
    let (mut grants, mut behind) = (Grants::new(), BTreeSet::new());
    for (key, turns) in &books.locks {
        let instance = InstanceId { saga: SagaName::lock(), key: key.clone() };
        let mut queue =
            Queue { books, instance, report, holder: None, waiting: Vec::new(), last: 0 };
        for turn in obeyed(&mut queue, turns) {
            for note in &turn.notes {
                queue.take(note, turn.place);
                if note.kind == NoteKind::Locked {
                    let claimant = (note.instance.clone(), note.step);
                    let given = grants.entry(claimant).or_default();
                    given.entry(key.clone()).or_default().push(note.token);
                }
            }
        }
        let last = turns.last().map(|turn| turn.place);
        behind.extend(queue.close(stories, last));
    }
    for (id, lives) in stories {
        for story in lives.values() {
            given(books, id, story, &grants, report);
        }
    }
    tokens_in_order(books, stories, &grants, report);
    behind
}

/// Each letter once: at least once may tell of one again.
fn obeyed<'d>(queue: &mut Queue<'_>, turns: &'d [LockTurn]) -> Vec<&'d LockTurn> {
    let mut seen: BTreeMap<i64, &LockTurn> = BTreeMap::new();
    let mut once = Vec::with_capacity(turns.len());
    for turn in turns {
        match seen.insert(turn.inbox, turn) {
            None => once.push(turn),
            Some(first)
                if queue.books.options.delivery == Delivery::AtLeastOnce
                    && first.notes == turn.notes => {}
            Some(_) => {
                let words = format!("letter {} stands in its history twice", turn.inbox);
                queue.broken(Rule::Once, turn.place, words);
            }
        }
    }
    once
}

/// A lock, folded from its history.
struct Queue<'a> {
    books: &'a Books,
    instance: InstanceId,
    report: &'a mut Report,
    holder: Option<Claimant>,
    waiting: Vec<Claimant>,
    /// The last token.
    last: u64,
}

impl Queue<'_> {
    fn broken(&mut self, rule: Rule, place: impl Into<Option<Place>>, words: String) {
        self.report.add(self.books.violation(rule, &self.instance, place.into(), words));
    }

    fn name(&self, (instance, step): &Claimant) -> String {
        format!("{} of {instance}", self.books.names.text(*step))
    }

    fn take(&mut self, note: &Claimed, place: Place) {
        let claimant = (note.instance.clone(), note.step);
        let name = self.name(&claimant);
        let Some((_, did)) = TOLD.iter().find(|(kind, _)| *kind == note.kind) else {
            let words = format!("a lock does not tell that {name} is {}", note.kind.text());
            return self.broken(Rule::Form, place, words);
        };
        match did {
            Did::Claimed => self.waiting.push(claimant),
            Did::Granted => self.grant(claimant, note.token, place),
            Did::Returned => {
                if self.holder.take() != Some(claimant) {
                    let words = format!("{name} let it go without holding it");
                    self.broken(Rule::Exclusive, place, words);
                }
            }
            Did::Withdrawn => {
                let found = self.waiting.iter().position(|waiting| *waiting == claimant);
                if found.map(|at| self.waiting.remove(at)).is_none() {
                    let words = format!("{name} withdrew without waiting");
                    self.broken(Rule::InTurn, place, words);
                }
            }
        }
    }

    fn grant(&mut self, claimant: Claimant, token: u64, place: Place) {
        self.report.tally.locks += 1;
        let name = self.name(&claimant);
        if let Some(holder) = &self.holder {
            let words = format!("{name} got it while {} held it", self.name(holder));
            self.broken(Rule::Exclusive, place, words);
        }
        if token <= self.last {
            let words = format!("{name} got token {token} after {}", self.last);
            self.broken(Rule::Exclusive, place, words);
        }
        match self.waiting.iter().position(|waiting| *waiting == claimant) {
            Some(0) => {
                self.waiting.remove(0);
            }
            found => {
                if let Some(first) = self.waiting.first() {
                    let words = format!("{name} overtook {}", self.name(first));
                    self.broken(Rule::InTurn, place, words);
                }
                if let Some(at) = found {
                    self.waiting.remove(at);
                }
            }
        }
        self.last = token;
        self.holder = Some(claimant);
    }

    /// In the end nobody holds it but those who wait for a person or are under way; answers who
    /// waits behind them.
    fn close(mut self, stories: &Stories, place: Option<Place>) -> Vec<InstanceId> {
        // Of a saga whose books are not open nothing is known.
        let is_known = |id: &InstanceId| self.books.plans.contains_key(&id.saga);
        let ended = |id: &InstanceId| {
            let lives = stories.get(id);
            lives.is_none_or(|lives| lives.values().all(|s| s.ended.is_some() && !s.is_stuck))
        };
        let mut behind = Vec::new();
        let holder = self.holder.take();
        match &holder {
            Some(holder) if is_known(&holder.0) && ended(&holder.0) => {
                let words = format!("{} has ended and holds it", self.name(holder));
                self.broken(Rule::Exclusive, place, words);
            }
            Some(_) => behind.extend(self.waiting.iter().map(|(instance, _)| instance.clone())),
            None if self.books.options.ended && !self.waiting.is_empty() => {
                let words = format!("nobody holds it and {} waits", self.name(&self.waiting[0]));
                self.broken(Rule::InTurn, place, words);
            }
            None => {}
        }
        behind
    }
}

/// Whoever says that they hold a lock got that token from one.
fn given(books: &Books, id: &InstanceId, story: &Story, grants: &Grants, report: &mut Report) {
    for (point, hold) in &story.holds {
        let Some(step) = name_of(story, point) else { continue };
        let given = grants.get(&(id.clone(), step));
        let mut tokens = given.into_iter().flat_map(BTreeMap::values).flatten();
        if !tokens.any(|token| *token == hold.token) {
            let name = books.names.text(step);
            let words = format!("{name} held token {}, which no lock gave to it", hold.token);
            report.add(books.violation(Rule::Exclusive, id, None, words));
        }
    }
}

fn name_of(story: &Story, point: &super::spot::Point) -> Option<Name> {
    let is_it = |told: &super::story::Told| told.spot.as_ref().is_some_and(|s| s.point() == *point);
    story.steps.iter().find(|(_, told)| is_it(told)).map(|(name, _)| *name)
}

/// What was sent under one lock on one partition: the offset, the lock's token, whose it is.
type Lane<'s> = Vec<(Offset, u64, &'s InstanceId, Place)>;

/// Within one partition, what the holders of a lock sent stands in the order of their tokens.
fn tokens_in_order(books: &Books, stories: &Stories, grants: &Grants, report: &mut Report) {
    let mut lanes: BTreeMap<(&Key, Name, i32), Lane<'_>> = BTreeMap::new();
    for (id, account) in &books.accounts {
        let Some(lives) = stories.get(id) else { continue };
        for sent in account.sent.iter().filter(|sent| !sent.is_again()) {
            let under = lives.get(&sent.life).and_then(|story| {
                let under = story.under.get(&(sent.step, sent.part.kind(), sent.attempt))?;
                let [(point, token)] = &under[..] else { return None };
                Some((name_of(story, point)?, *token))
            });
            let Some((step, token)) = under else { continue };
            for (key, tokens) in grants.get(&(id.clone(), step)).into_iter().flatten() {
                let own = tokens.iter().filter(|own| **own <= token).max();
                let lane = lanes.entry((key, sent.place.topic, sent.place.partition)).or_default();
                lane.extend(own.map(|own| (sent.place.offset, *own, id, sent.place)));
            }
        }
    }
    for ((key, ..), mut lane) in lanes {
        lane.sort_by_key(|(offset, ..)| *offset);
        for pair in lane.windows(2) {
            let [(_, before, other, _), (_, token, id, place)] = pair else { continue };
            if token < before {
                let behind = format!("what stands behind token {before} of {other}");
                let words = format!("it sent under token {token} of {key} {behind}");
                report.add(books.violation(Rule::Exclusive, id, Some(*place), words));
            }
        }
    }
}
