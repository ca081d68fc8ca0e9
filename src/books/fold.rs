//! Folds the history into a story, and looks at each note whether it may come now.

use super::Rule;
use super::account::{Noted, Turn};
use super::names::{Name, Names};
use super::pause;
use super::plan::{Plan, Undoing};
use super::spot::{Point, Spot};
use super::story::{End, Hold, Story, Told};
use crate::definition::StepKind;
use crate::engine::NoteKind;
use crate::message::PartKind;

/// A story while a transition is added to it.
pub(super) struct Fold<'a> {
    pub plan: &'a Plan,
    pub names: &'a Names,
    pub story: &'a mut Story,
    pub turn: &'a Turn,
}

impl Fold<'_> {
    pub fn take(&mut self, note: &Noted) {
        pause::look(self.story, self.turn.place, note.kind);
        match note.kind {
            NoteKind::Started => {
                if self.story.is_started {
                    self.broken(Rule::Started, "it started twice".to_owned());
                }
                self.story.is_started = true;
            }
            NoteKind::Sent => {
                self.forward(note, "commanded");
                self.sent(note, PartKind::Action);
            }
            NoteKind::Probed => {
                self.forward(note, "probed");
                self.sent(note, PartKind::Probe);
            }
            NoteKind::Told => self.announced(note),
            NoteKind::Asked => {
                self.forward(note, "asked");
                self.story.asked.insert((note.step, self.turn.transition));
                self.told(note.step).entered = true;
            }
            NoteKind::Reminded => {
                self.forward(note, "reminded of");
                self.story.reminded.insert((note.step, self.turn.transition));
            }
            NoteKind::Waiting => {
                self.forward(note, "entered");
                self.told(note.step).entered = true;
            }
            NoteKind::Undoing => self.undoing(note),
            NoteKind::Undone => self.undone(note),
            NoteKind::Succeeded => self.succeeded(note),
            NoteKind::Rejected => {
                let told = self.told(note.step);
                told.rejected = true;
                told.happened = false;
            }
            NoteKind::Skipped => self.told(note.step).skipped = true,
            NoteKind::TimedOut => self.timed_out(note),
            NoteKind::GivenUp => self.given_up(note),
            NoteKind::Refused => {
                // The pivot in it was sent, so it goes on although its time is up.
                if let Some(point) = self.leaves(note) {
                    self.story.left.remove(&point);
                }
            }
            NoteKind::Late => self.late(note),
            NoteKind::Dropped => self.dropped(note),
            NoteKind::WentBack => self.went_back(note),
            NoteKind::Locked | NoteKind::Released => self.lock(note),
            NoteKind::Stuck => *self.story.stuck.entry(note.step).or_default() += 1,
            NoteKind::Acted => self.story.is_acted |= !self.name(note.step).is_empty(),
            NoteKind::Completed => self.end(End::Completed),
            NoteKind::Compensated => self.end(End::Compensated),
            NoteKind::Queued
            | NoteKind::Cancelled
            | NoteKind::Forgotten
            | NoteKind::Kept
            | NoteKind::DataSet
            | NoteKind::Paused
            | NoteKind::Held
            | NoteKind::Resumed
            | NoteKind::Extended
            | NoteKind::Withdrawn => {}
        }
    }

    fn broken(&mut self, rule: Rule, words: String) {
        self.story.broken.push((rule, self.turn.place, words));
    }

    fn name(&self, step: Name) -> &str {
        self.names.text(step)
    }

    fn told(&mut self, step: Name) -> &mut Told {
        let (plan, names) = (self.plan, self.names);
        self.story.steps.entry(step).or_insert_with(|| {
            let name = names.text(step);
            Told { spot: plan.spot(name), undoing: plan.undoing(name), ..Told::default() }
        })
    }

    fn spot(&mut self, step: Name) -> Option<Spot> {
        self.told(step).spot.clone()
    }

    /// Something that is done on the way forward only, and never after the end.
    fn forward(&mut self, note: &Noted, what: &str) {
        let spot = self.spot(note.step);
        if self.story.ended.is_some() {
            let words = format!("{} was {what} after the end", self.name(note.step));
            self.broken(Rule::AfterEnd, words);
        } else if note.kind != NoteKind::Probed && !self.story.is_acted {
            let left = spot.as_ref().and_then(|s| self.story.left_behind(self.plan, s));
            if self.story.is_back || left.is_some() {
                let words = format!("{} was {what} on the way back", self.name(note.step));
                self.broken(Rule::Forward, words);
            }
        }
    }

    /// A fact was told.
    fn announced(&mut self, note: &Noted) {
        self.forward(note, "told");
        let spot = self.spot(note.step);
        self.under_lock(note, PartKind::Action, spot.as_ref(), false);
        let told = self.told(note.step);
        told.announced = true;
        told.happened = true;
        told.allowed = told.allowed.max(1);
        self.passed(note.step);
    }

    /// A request was sent; over Kafka it must stand on its topic, to a child and over HTTP not.
    fn sent(&mut self, note: &Noted, part: PartKind) {
        let name = self.names.text(note.step);
        let is_child = matches!(
            self.plan.find(name).map(|step| &step.kind),
            Some(StepKind::Saga(_)) if part == PartKind::Action
        );
        if is_child {
            self.story.children.push((note.step, note.whom));
        } else if self.plan.command(name, part).is_some() {
            *self.story.sent.entry((note.step, part, note.attempt)).or_default() += 1;
        }
        self.told(note.step).entered = true;
        let spot = self.spot(note.step);
        self.under_lock(note, part, spot.as_ref(), false);
    }

    /// What is sent under a lock is sent while it is held.
    fn under_lock(&mut self, note: &Noted, part: PartKind, spot: Option<&Spot>, is_late: bool) {
        let Some(lock) = spot.and_then(|spot| spot.lock(&self.plan.definition)) else {
            return;
        };
        let hold = self.story.holds.get(&lock).copied();
        if let Some(hold) = hold.filter(|hold| hold.is_held) {
            let attempt = (note.step, part, note.attempt);
            self.story.under.entry(attempt).or_default().push((lock, hold.token));
        } else if !is_late && !self.story.is_acted {
            let words = format!("{} was sent without the lock around it", self.name(note.step));
            self.broken(Rule::Exclusive, words);
        }
    }

    fn passed(&mut self, step: Name) {
        let found = self.plan.find(self.names.text(step));
        self.story.has_pivoted |= found.is_some_and(|step| step.pivot);
    }

    fn succeeded(&mut self, note: &Noted) {
        let told = self.told(note.step);
        told.succeeded = true;
        told.happened = true;
        told.allowed = told.allowed.max(1);
        self.passed(note.step);
    }

    fn given_up(&mut self, note: &Noted) {
        let told = self.told(note.step);
        told.given_up = true;
        // Of a call of which no attempt has left there is nothing to undo.
        if note.happened {
            told.happened = true;
            told.allowed = told.allowed.max(1);
        }
    }

    fn timed_out(&mut self, note: &Noted) {
        let leaves = self.leaves(note);
        let told = self.told(note.step);
        told.timed_out = true;
        if leaves.is_some() {
            // A child takes itself back before its step is rejected.
            told.allowed = told.allowed.max(1);
            self.story.left.extend(leaves);
        }
    }

    /// Where a step stands, if it leaves behind what is in it when its time is up.
    fn leaves(&mut self, note: &Noted) -> Option<Point> {
        let point = self.spot(note.step)?.point();
        self.plan.leaves_behind(&point).then_some(point)
    }

    fn late(&mut self, note: &Noted) {
        self.story.late += 1;
        let (happened, by_probe) = (note.happened, note.by_probe);
        let told = self.told(note.step);
        told.late_answer |= !by_probe;
        if happened {
            told.happened = true;
            told.late |= !by_probe;
            told.allowed = if told.undoings == 0 || by_probe { told.allowed.max(1) } else { 2 };
        } else if told.undoings == 0 {
            told.happened = false;
        }
    }

    fn dropped(&mut self, note: &Noted) {
        let which = note.text.as_deref().unwrap_or_default();
        let line = self.spot(note.step).and_then(|owner| self.plan.branch(&owner, which));
        if let Some(line) = line {
            self.story.dropped.insert(line);
        } else {
            let words = format!("{} has no branch {which} to leave behind", self.name(note.step));
            self.broken(Rule::Form, words);
        }
    }

    fn went_back(&mut self, note: &Noted) {
        self.story.failure.clone_from(&note.text);
        if self.story.has_pivoted {
            self.broken(Rule::Forward, "it went back behind its pivot".to_owned());
        }
        match self.story.ended {
            None => {}
            // A child that has completed takes itself back for its parent.
            Some(End::Completed) if self.plan.definition.by_parent => {
                self.story.ended = None;
                self.story.was_completed = true;
            }
            Some(_) => self.broken(Rule::AfterEnd, "it went back after the end".to_owned()),
        }
        self.story.is_back = true;
    }

    fn lock(&mut self, note: &Noted) {
        let Some(point) = self.spot(note.step).map(|spot| spot.point()) else {
            return;
        };
        let before = self.story.holds.get(&point).copied();
        let held = before.is_some_and(|hold| hold.is_held);
        let name = self.names.text(note.step);
        if note.kind == NoteKind::Released {
            if !held {
                self.broken(Rule::Exclusive, format!("{name} let go what it did not hold"));
            }
            if let Some(hold) = self.story.holds.get_mut(&point) {
                hold.is_held = false;
            }
            return;
        }
        if held {
            self.broken(Rule::Exclusive, format!("{name} took what it held already"));
        }
        let token = note.token;
        if before.is_some_and(|hold| hold.token >= token) {
            let words = format!("{name} got token {token} after a greater one");
            self.broken(Rule::Exclusive, words);
        }
        let taken = before.map_or(0, |hold| hold.taken) + 1;
        self.story.holds.insert(point, Hold { is_held: true, token, taken });
        self.told(note.step).entered = true;
    }

    /// An undoing is sent. That of a child whose step is undone in its own way is a question only.
    fn undoing(&mut self, note: &Noted) {
        let name = self.names.text(note.step);
        let to = self.names.text(note.whom);
        let expected = self.plan.command(name, PartKind::Undo);
        let is_sent = expected.is_some_and(|expected| expected.to.to_string() == to);
        if is_sent {
            *self.story.sent.entry((note.step, PartKind::Undo, note.attempt)).or_default() += 1;
        }
        let step = self.plan.find(name);
        let is_child = step.is_some_and(|step| matches!(step.kind, StepKind::Saga(_)));
        let spot = self.spot(note.step);
        let told = self.told(note.step);
        if is_child && !is_sent && !matches!(told.undoing, Undoing::Child | Undoing::Call) {
            told.asked_back = true;
            return;
        }
        let is_late = told.late;
        if note.attempt == 1 {
            self.begin_undoing(note.step, spot.as_ref());
        }
        self.under_lock(note, PartKind::Undo, spot.as_ref(), is_late);
    }

    fn undone(&mut self, note: &Noted) {
        let told = self.told(note.step);
        if told.undoing == Undoing::Fact {
            let (is_late, spot) = (told.late, told.spot.clone());
            self.begin_undoing(note.step, spot.as_ref());
            self.under_lock(note, PartKind::Undo, spot.as_ref(), is_late);
        }
        self.told(note.step).undone += 1;
    }

    /// An undoing begins: once, of what may have happened, after what was done later in its list.
    fn begin_undoing(&mut self, step: Name, spot: Option<&Spot>) {
        let name = self.names.text(step);
        let told = self.story.step(step);
        self.told(step).undoings += 1;
        let left = spot.and_then(|spot| self.story.left_behind(self.plan, spot));
        let own = spot.is_some_and(|spot| self.story.left.contains(&spot.point()));
        if self.story.is_acted {
            return;
        }
        if self.story.ended.is_some() && !told.late {
            let words = format!("{name} is undone after the end, not being late");
            return self.broken(Rule::AfterEnd, words);
        }
        if !told.happened && !own {
            let words = format!("{name} is undone although it surely did not happen");
            return self.broken(Rule::Compensated, words);
        }
        if told.undoings >= told.allowed {
            return self.broken(Rule::Compensated, format!("{name} is undone once too often"));
        }
        if told.late {
            return;
        }
        if !self.story.is_back && left.is_none() && !own {
            let words = format!("{name} is undone, and the saga goes forward");
            return self.broken(Rule::Completed, words);
        }
        if let Some(later) = spot.and_then(|spot| self.owed_before(spot, left.unwrap_or(0))) {
            let words = format!("{name} is undone before {later}, which was done later");
            self.broken(Rule::Reverse, words);
        }
    }

    /// What was done behind a step, in a list from this depth inwards, and is not undone.
    fn owed_before(&self, spot: &Spot, from: usize) -> Option<&str> {
        let later = |told: &Told| {
            let depth = told.spot.as_ref().and_then(|other| other.follows(spot));
            told.is_owed() && !told.late && depth.is_some_and(|depth| depth >= from)
        };
        let found = self.story.steps.iter().find(|(_, told)| later(told));
        found.map(|(name, _)| self.names.text(*name))
    }

    fn end(&mut self, end: End) {
        if self.story.ended.is_some() {
            self.broken(Rule::Ended, "it ended twice".to_owned());
        }
        if end == End::Completed && self.story.is_back {
            self.broken(Rule::Ended, "it completed on the way back".to_owned());
        }
        if end == End::Compensated && !self.story.is_back {
            self.broken(Rule::Ended, "it is compensated and never went back".to_owned());
        }
        self.story.ended = Some(end);
        let held = self.story.holds.iter().filter(|(_, hold)| hold.is_held);
        let held: Vec<_> = held.map(|((step, _), _)| *step).collect();
        for step in held {
            let name = &self.plan.definition.step(step).name;
            self.broken(Rule::Exclusive, format!("it ended and did not let go {name}"));
        }
        if self.story.is_acted {
            return;
        }
        let mut owed = Vec::new();
        for (step, told) in self.story.steps.iter().filter(|(_, told)| told.is_owed()) {
            let left = told.spot.as_ref().and_then(|spot| self.story.left_behind(self.plan, spot));
            let name = self.names.text(*step);
            match end {
                End::Compensated => owed.push((
                    Rule::Compensated,
                    format!("{name} may have happened and was not undone"),
                )),
                End::Completed if left.is_some() => owed.push((
                    Rule::LeftBehind,
                    format!("{name} was left behind, may have happened and was not undone"),
                )),
                End::Completed => {}
            }
        }
        for (rule, words) in owed {
            self.broken(rule, words);
        }
    }
}
