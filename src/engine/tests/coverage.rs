//! What random runs have come to: every construct of the language and every rule of what happens
//! (LANGUAGE, 2 and 3), counted.

use std::collections::BTreeMap;

use super::super::{
    Direction, Effect, FailureKind, Frame, Input, Instance, Life, NoteKind, Proof, Rejection, Say,
    StepState, Transition, Verb, What,
};
use super::random::has_happened;
use crate::definition::{
    After, Again, Budget, Compensation, Correlation, Definition, Done, Fact, Failed, Join, Late,
    OnFailed, Release, Request, Sleep, Step, StepKind, Then, Unknown,
};
use crate::engine::state::place::walk;
use crate::message::{CommandId, Event, Part};

const CONSTRUCTS: &[&str] = &[
    "start list",
    "start where",
    "start key",
    "start by parent",
    "again ignore",
    "again queue",
    "again reject",
    "after ignore",
    "after new",
    "events by any",
    "events by command-id",
    "data",
    "sensitive",
    "within",
    "late",
    "early",
    "cancel",
    "cancel where",
    "assume",
    "ends completed",
    "ends compensated",
    "ends stuck",
    "when",
    "set",
    "pivot",
    "two pivots",
    "command",
    "emit",
    "set step",
    "fail",
    "wait",
    "sleep",
    "until",
    "ask",
    "call",
    "saga",
    "parallel",
    "each",
    "choose",
    "lock",
    "key",
    "with",
    "headers",
    "done list",
    "done where",
    "done set",
    "failed list",
    "failed where",
    "failed reason",
    "then go-back",
    "then go-on",
    "then park",
    "retry attempts",
    "retry for",
    "unknown compensate",
    "unknown probe",
    "unknown retry",
    "unknown park",
    "probe",
    "probe set",
    "compensate command",
    "compensate emit",
    "compensate call",
    "compensate child",
    "compensate none",
    "compensate set",
    "pivot compensate",
    "wait list",
    "wait failed",
    "late go-on",
    "late fail",
    "remind",
    "call body",
    "call headers",
    "child key",
    "join all",
    "join first",
    "block within",
    "at-once",
    "on-failed go-back",
    "on-failed drop",
    "collect",
    "choose otherwise",
    "choose total",
    "release block",
    "release pivot",
    "release end",
    "nested",
];

const RULES: &[&str] = &[
    "1 succeeded",
    "1 rejected",
    "1 unknown",
    "1 an answer speaks for all attempts",
    "2 back: rejected",
    "2 back: exhausted",
    "2 back: deadline",
    "2 back: cancelled",
    "2 back: failed",
    "2 the running ones are given up",
    "2 they are probed",
    "2 undone",
    "2 branches side by side",
    "2 a child takes itself back",
    "2 a released lock is taken again",
    "3 an undoing says what it undoes",
    "3 a late success is undone again",
    "4 a pivot is passed",
    "4 no way back",
    "4 a cancel waits for the pivot",
    "5 stuck",
    "5 retry",
    "5 skip",
    "5 resolved as done",
    "5 resolved as not done",
    "5 go back",
    "5 cancel",
    "5 pause",
    "5 resume",
    "5 set data",
    "5 held until the resume",
    "6 late success",
    "6 late rejection",
    "6 late after the end",
    "6 a late success brings its data",
    "6 late in an older life",
    "7 duplicate",
    "7 what started a life comes again",
    "7 a second answer is waited for",
    "7 kept for a wait",
    "7 kept for a start",
    "7 kept for a queued start",
    "7 unmatched",
    "7 by id",
    "7 by type and key",
    "8 completed",
    "8 compensated",
    "8 an end is told",
    "8 a start waits for the end",
    "8 a new life",
    "8 an older life is over and done with",
    "8 forgotten",
    "9 a branch sets its own fields",
    "10 a timer is an input",
];

/// How often each was seen.
#[derive(Debug, Default)]
pub(super) struct Coverage(BTreeMap<&'static str, u64>);

impl Coverage {
    fn saw(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    fn saw_if(&mut self, seen: bool, what: &'static str) {
        if seen {
            self.saw(what);
        }
    }

    pub fn add(&mut self, other: Self) {
        for (what, times) in other.0 {
            *self.0.entry(what).or_default() += times;
        }
    }

    /// Fails if anything was never seen, or was seen that is not listed.
    pub fn assert_whole(&self) {
        let all = || CONSTRUCTS.iter().chain(RULES);
        let missing: Vec<_> = all().filter(|what| !self.0.contains_key(**what)).collect();
        assert!(missing.is_empty(), "never seen: {missing:?}, of {:#?}", self.0);
        let other: Vec<_> = self.0.keys().filter(|seen| !all().any(|w| w == *seen)).collect();
        assert!(other.is_empty(), "not listed: {other:?}");
    }

    /// Counts what a definition is made of.
    pub fn definition(&mut self, of: &Definition) {
        self.saw_if(of.starts.len() > 1, "start list");
        self.saw_if(of.by_parent, "start by parent");
        for start in &of.starts {
            self.saw_if(start.condition.is_some(), "start where");
            self.saw_if(start.key.is_some(), "start key");
            self.saw(match start.again {
                Again::Ignore => "again ignore",
                Again::Queue => "again queue",
                Again::Reject => "again reject",
            });
            self.saw(match start.after {
                After::Ignore => "after ignore",
                After::New => "after new",
            });
        }
        for rule in &of.events {
            self.saw(match rule.by {
                Correlation::Any => "events by any",
                Correlation::CommandId => "events by command-id",
            });
        }
        self.saw_if(!of.data.is_empty(), "data");
        self.saw_if(!of.sensitive.is_empty(), "sensitive");
        self.saw_if(of.within.is_some(), "within");
        self.saw_if(of.source.contains("\nlate: "), "late");
        self.saw_if(of.source.contains("\nearly: "), "early");
        self.saw_if(!of.cancel.is_empty(), "cancel");
        self.saw_if(of.cancel.iter().any(|cancel| cancel.condition.is_some()), "cancel where");
        self.saw_if(!of.assume.is_empty(), "assume");
        self.saw_if(of.ends.completed.is_some(), "ends completed");
        self.saw_if(of.ends.compensated.is_some(), "ends compensated");
        self.saw_if(of.ends.stuck.is_some(), "ends stuck");
        self.saw_if(of.steps.iter().filter(|step| step.pivot).count() > 1, "two pivots");
        of.steps.iter().for_each(|step| self.step(of, step));
    }

    fn step(&mut self, of: &Definition, step: &Step) {
        self.saw_if(step.when.is_some(), "when");
        self.saw_if(!step.set.is_empty(), "set");
        self.saw_if(step.pivot, "pivot");
        let owner = of.block(step.block).owner;
        let nested = owner.is_some_and(|owner| of.block(of.step(owner).block).owner.is_some());
        self.saw_if(nested, "nested");
        let says = !matches!(step.compensation(), Compensation::Unsaid | Compensation::Nothing);
        self.saw_if(step.pivot && says, "pivot compensate");
        match &step.kind {
            StepKind::Command(command) => {
                self.saw("command");
                self.request(&command.request);
                self.failed(&command.failed);
                self.saw(match command.unknown {
                    Unknown::Compensate => "unknown compensate",
                    Unknown::Probe => "unknown probe",
                    Unknown::Retry => "unknown retry",
                    Unknown::Park => "unknown park",
                });
                if let Some(probe) = &command.probe {
                    self.saw("probe");
                    let sets = |done: &Done| done.set.is_some();
                    self.saw_if(probe.request.done.iter().any(sets), "probe set");
                }
                self.compensation(&command.compensate);
            }
            StepKind::Emit(emit) => {
                self.saw("emit");
                self.fact(&emit.fact);
                self.compensation(&emit.compensate);
            }
            StepKind::Set => self.saw("set step"),
            StepKind::Fail(_) => self.saw("fail"),
            StepKind::Wait(wait) => {
                self.saw("wait");
                self.saw_if(wait.on.len() > 1, "wait list");
                self.saw_if(!wait.failed.is_empty(), "wait failed");
                self.failed(&wait.failed);
                self.late(&wait.late);
                self.saw_if(wait.remind.is_some(), "remind");
            }
            StepKind::Sleep(Sleep::For(_)) => self.saw("sleep"),
            StepKind::Sleep(Sleep::Until(_)) => self.saw("until"),
            StepKind::Ask(ask) => {
                self.saw("ask");
                self.late(&ask.late);
                self.saw_if(ask.remind.is_some(), "remind");
            }
            StepKind::Call(call) => {
                self.saw("call");
                self.saw_if(call.request.body.is_some(), "call body");
                self.saw_if(!call.request.headers.is_empty(), "call headers");
                self.compensation(&call.compensate);
            }
            StepKind::Saga(child) => {
                self.saw("saga");
                self.saw_if(child.key.is_some(), "child key");
                self.compensation(&child.compensate);
            }
            StepKind::Parallel(_) | StepKind::Each(_) | StepKind::Choose(_) | StepKind::Lock(_) => {
                self.composite(&step.kind);
            }
        }
    }

    fn composite(&mut self, kind: &StepKind) {
        match kind {
            StepKind::Parallel(parallel) => {
                self.saw("parallel");
                self.saw(match parallel.join {
                    Join::All => "join all",
                    Join::First => "join first",
                });
                self.saw_if(parallel.within.is_some(), "block within");
            }
            StepKind::Each(each) => {
                self.saw("each");
                self.saw_if(each.at_once == 1, "at-once");
                self.saw(match each.on_failed {
                    OnFailed::GoBack => "on-failed go-back",
                    OnFailed::Drop => "on-failed drop",
                });
                self.saw_if(!each.collect.is_empty(), "collect");
                self.saw_if(each.within.is_some(), "block within");
            }
            StepKind::Choose(choose) => {
                self.saw("choose");
                self.saw(if choose.total { "choose total" } else { "choose otherwise" });
                self.saw_if(choose.within.is_some(), "block within");
            }
            StepKind::Lock(lock) => {
                self.saw("lock");
                self.saw(match lock.release {
                    Release::Block => "release block",
                    Release::Pivot => "release pivot",
                    Release::End => "release end",
                });
            }
            StepKind::Command(_)
            | StepKind::Emit(_)
            | StepKind::Set
            | StepKind::Fail(_)
            | StepKind::Wait(_)
            | StepKind::Sleep(_)
            | StepKind::Ask(_)
            | StepKind::Call(_)
            | StepKind::Saga(_) => {}
        }
    }

    fn request(&mut self, request: &Request) {
        self.saw_if(request.key.is_some(), "key");
        self.saw_if(request.with.is_some(), "with");
        self.saw_if(!request.headers.is_empty(), "headers");
        self.saw_if(request.done.len() > 1, "done list");
        self.saw_if(request.done.iter().any(|done| done.condition.is_some()), "done where");
        self.saw_if(request.done.iter().any(|done| done.set.is_some()), "done set");
        self.saw(match request.retry.budget {
            Budget::Attempts(_) => "retry attempts",
            Budget::For(_) => "retry for",
        });
    }

    fn fact(&mut self, fact: &Fact) {
        self.saw_if(fact.key.is_some(), "key");
        self.saw_if(fact.with.is_some(), "with");
        self.saw_if(!fact.headers.is_empty(), "headers");
    }

    fn failed(&mut self, failed: &[Failed]) {
        self.saw_if(failed.len() > 1, "failed list");
        for failed in failed {
            self.saw_if(failed.condition.is_some(), "failed where");
            self.saw_if(failed.reason.is_some(), "failed reason");
            self.saw(match failed.then {
                Then::GoBack => "then go-back",
                Then::GoOn => "then go-on",
                Then::Park => "then park",
            });
        }
    }

    fn late(&mut self, late: &Late) {
        self.saw(match late {
            Late::Fail(_) => "late fail",
            Late::GoOn => "late go-on",
        });
    }

    fn compensation(&mut self, compensation: &Compensation) {
        match compensation {
            Compensation::Unsaid => {}
            Compensation::Nothing => self.saw("compensate none"),
            Compensation::Command { request, set } => {
                self.saw("compensate command");
                self.saw_if(!set.is_empty(), "compensate set");
                self.request(request);
            }
            Compensation::Emit(fact) => {
                self.saw("compensate emit");
                self.fact(fact);
            }
            Compensation::Call { .. } => self.saw("compensate call"),
            Compensation::Child => self.saw("compensate child"),
        }
    }

    /// Counts the rules by which an input was declined.
    pub fn declined(&mut self, by: &Rejection) {
        match by {
            Rejection::Duplicate(why) => {
                self.saw("7 duplicate");
                self.saw_if(why.contains("has started"), "7 what started a life comes again");
            }
            Rejection::Unmatched(_) => self.saw("7 unmatched"),
            Rejection::Refused(why) => self.saw_if(why.contains("no way back"), "4 no way back"),
            Rejection::Ignored(_) => {}
        }
    }

    /// Counts the rules by which an input did what it did.
    pub fn taken(&mut self, before: Option<&Instance>, input: &Input, made: &Transition) {
        match input {
            Input::Wake(_) => self.saw("10 a timer is an input"),
            Input::Act(act) => match act.verb {
                Verb::Retry => self.saw("5 retry"),
                Verb::Skip => self.saw("5 skip"),
                Verb::ResolveDone(_) => self.saw("5 resolved as done"),
                Verb::ResolveNotDone => self.saw("5 resolved as not done"),
                Verb::GoBack => self.saw("5 go back"),
                Verb::Cancel => self.saw("5 cancel"),
                Verb::Pause => self.saw("5 pause"),
                Verb::Resume => self.saw("5 resume"),
                Verb::SetData(_) => self.saw("5 set data"),
                Verb::Answer { .. } => {}
            },
            Input::Event(_) | Input::Called(_) | Input::Letter(_) => {}
        }
        made.effects.iter().for_each(|effect| self.effect(effect));
        self.notes(before, input, made);
        let Some(after) = &made.after else { return };
        for life in &after.lives {
            let was = before.iter().flat_map(|b| &b.lives).find(|g| g.id == life.id);
            self.change(was, life);
        }
        self.saw_if(after.lives.iter().any(|g| g.id.number > 1), "8 a new life");
        self.saw_if(!after.remnants.is_empty(), "8 an older life is over and done with");
        let early = |i: &Instance| i.early.iter().filter(|early| early.until.is_some()).count();
        self.saw_if(early(after) > before.map_or(0, early), "7 kept for a start");
    }

    fn effect(&mut self, effect: &Effect) {
        match effect {
            Effect::Command(message) => {
                self.saw_if(message.undoes.is_some(), "3 an undoing says what it undoes");
                let again = matches!(message.id.part, Part::Undo(round) if round > 1);
                self.saw_if(again, "3 a late success is undone again");
            }
            Effect::Fact(message) => {
                self.saw_if(message.id.subject.step().is_none(), "8 an end is told");
            }
            Effect::Letter { letter, .. } => {
                let taken_back = matches!(letter.say, Say::TakeBack { .. });
                self.saw_if(taken_back, "2 a child takes itself back");
                let again = matches!(letter.say, Say::Acquire { .. }) && letter.round > 1;
                self.saw_if(again, "2 a released lock is taken again");
            }
            Effect::Call(_) | Effect::Question(_) | Effect::Complaint(_) => {}
        }
    }

    fn notes(&mut self, before: Option<&Instance>, input: &Input, made: &Transition) {
        let has = |kind: NoteKind| made.notes.iter().any(|note| note.kind() == kind);
        let lives = || before.iter().flat_map(|instance| &instance.lives);
        self.saw_if(has(NoteKind::Held), "5 held until the resume");
        self.saw_if(has(NoteKind::Rejected), "1 rejected");
        self.saw_if(has(NoteKind::GivenUp), "1 unknown");
        let both = has(NoteKind::GivenUp) && has(NoteKind::WentBack);
        self.saw_if(both, "2 the running ones are given up");
        self.saw_if(has(NoteKind::Probed), "2 they are probed");
        self.saw_if(has(NoteKind::Undone), "2 undone");
        self.saw_if(has(NoteKind::Stuck), "5 stuck");
        self.saw_if(has(NoteKind::Kept) && lives().count() > 0, "7 kept for a wait");
        let queued = before.is_some_and(|instance| !instance.queued.is_empty());
        self.saw_if(has(NoteKind::Kept) && queued, "7 kept for a queued start");
        self.saw_if(has(NoteKind::Queued) && lives().count() > 0, "8 a start waits for the end");
        self.saw_if(has(NoteKind::Completed), "8 completed");
        self.saw_if(has(NoteKind::Compensated), "8 compensated");
        self.saw_if(has(NoteKind::Forgotten), "8 forgotten");
        if has(NoteKind::Succeeded) {
            self.saw("1 succeeded");
            if let Input::Event(event) = input {
                let second = is_second_answer(event, made);
                self.saw_if(second, "7 a second answer is waited for");
                self.saw(if event.command.is_some() { "7 by id" } else { "7 by type and key" });
            }
        }
        for note in made.notes.iter().filter(|note| note.kind() == NoteKind::Late) {
            self.saw(if has_happened(note) { "6 late success" } else { "6 late rejection" });
            let ended = |g: &Life| g.id == note.life && g.ended.is_some();
            self.saw_if(lives().any(ended), "6 late after the end");
            let newest = lives().last().is_some_and(|newest| newest.id == note.life);
            self.saw_if(!newest, "6 late in an older life");
        }
    }

    fn change(&mut self, was: Option<&Life>, now: &Life) {
        let before = |holds: fn(&Life) -> bool| was.is_some_and(holds);
        self.saw_if(now.pivoted && !before(|g| g.pivoted), "4 a pivot is passed");
        let waits = now.pending.is_some() && !before(|g| g.pending.is_some());
        self.saw_if(waits, "4 a cancel waits for the pivot");
        if let Some(failure) = now.failure.as_ref().filter(|_| !before(|g| g.failure.is_some())) {
            self.saw(match failure.kind {
                FailureKind::Rejected => "2 back: rejected",
                FailureKind::Exhausted => "2 back: exhausted",
                FailureKind::Deadline => "2 back: deadline",
                FailureKind::Cancelled => "2 back: cancelled",
                FailureKind::Failed => "2 back: failed",
            });
        }
        walk(&now.frame, |_, _, state| {
            let undone = |f: &&Frame| f.direction == Direction::Back && !f.over;
            let side_by_side = state.frames().iter().filter(undone).count() > 1;
            self.saw_if(side_by_side, "2 branches side by side");
            let own = state.frames().iter().any(|frame| !frame.fields.is_empty());
            self.saw_if(own, "9 a branch sets its own fields");
            self.saw_if(state.late.is_some(), "6 a late success brings its data");
            let speaks = was.is_some_and(|was| is_answered_late(was, state));
            self.saw_if(speaks, "1 an answer speaks for all attempts");
            None::<()>
        });
    }
}

/// Whether an event that names a command of a step has ended the wait of another.
fn is_second_answer(event: &Event, made: &Transition) -> bool {
    let named = event.command.as_deref().and_then(|text| text.parse::<CommandId>().ok());
    let Some(step) = named.as_ref().and_then(|command| command.subject.step()) else {
        return false;
    };
    let mut by_event =
        made.notes.iter().filter(|n| matches!(n.what, What::Succeeded(Proof::Event(_))));
    by_event.next().is_some_and(|note| note.step.as_ref() != Some(step))
}

/// Whether a step has just been answered that had sent more than one attempt.
fn is_answered_late(was: &Life, now: &StepState) -> bool {
    let answered = |state: &StepState| state.action().is_some_and(|a| !a.answer.text.is_empty());
    let several = now.action().is_some_and(|action| action.attempts > 1);
    let waited =
        walk(&was.frame, |_, _, state| (state.step == now.step && !answered(state)).then_some(()));
    several && answered(now) && waited.is_some()
}
