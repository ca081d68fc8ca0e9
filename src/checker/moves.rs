//! What can happen to an instance next.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::model::{Around, Stands, State};
use super::spots::{Asked, Spot, coordinate, requests, spots, step};
use super::value::body;
use crate::definition::{
    Attempted, Composite, Definition, Meaning, Never, Outcome, Reply, Step, StepKind,
};
use crate::engine::{Direction, Failure, FailureKind, Life, Phase, Progress, Say, Verb};
use crate::message::{Address, Coordinate, InstanceId, Part};

/// One thing that can happen.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Move {
    /// The customer begins.
    Start(Address),
    /// A parent begins.
    StartChild,
    /// A participant answers a request.
    Reply { asked: Asked, address: Address },
    /// A participant answers once more what it has answered, by another event.
    Again { asked: Asked, address: Address },
    /// A service answers a call.
    Called { asked: Asked, status: u16 },
    /// All attempts of a request are spent.
    Exhausted(Asked),
    /// All attempts of a call are spent, and none of them has left.
    Unsent(Asked),
    /// The time of a step is up.
    Due(Spot),
    /// A reminder is due.
    Remind(Spot),
    /// The time of the whole saga is up.
    Deadline,
    /// A fact comes.
    Fact(Address),
    /// Somebody asks for the way back by a fact.
    Cancel(Address),
    /// A person acts on a step.
    Act { step: Option<Coordinate>, verb: Verb },
    /// A child or a lock answers.
    Letter { from: InstanceId, say: Say, then: Stands },
}

impl Move {
    /// The event by which a customer begins; none for other moves.
    pub fn start(&self) -> Option<&Address> {
        if let Self::Start(address) = self { Some(address) } else { None }
    }

    /// Whether it is one that people make and that nobody may wait for.
    pub fn is_voluntary(&self) -> bool {
        match self {
            Self::Cancel(_) | Self::Remind(_) | Self::Again { .. } => true,
            Self::Act { verb, .. } => !matches!(verb, Verb::Answer { .. }),
            Self::Start(_)
            | Self::StartChild
            | Self::Reply { .. }
            | Self::Called { .. }
            | Self::Exhausted(_)
            | Self::Unsent(_)
            | Self::Due(_)
            | Self::Deadline
            | Self::Fact(_)
            | Self::Letter { .. } => false,
        }
    }
}

/// Everything that can happen before anything has.
pub(super) fn starts(definition: &Definition) -> Vec<Move> {
    let mut on: Vec<_> = definition.starts.iter().map(|s| s.on.clone()).collect();
    on.sort();
    on.dedup();
    let events = on.into_iter().map(Move::Start);
    events.chain(definition.by_parent.then_some(Move::StartChild)).collect()
}

/// Everything that can happen in a state.
pub(super) fn moves(
    definition: &Definition,
    shared: &BTreeSet<Address>,
    state: &State,
) -> Vec<Move> {
    let Some(life) = state.instance.as_ref().and_then(|i| i.newest()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for asked in requests(definition, life) {
        answers(definition, life, &asked, &mut found);
        repeated(definition, life, &asked, shared, &mut found);
    }
    letters(&state.around, &mut found);
    if life.ended.is_none() {
        timers(definition, life, &mut found);
        facts(definition, life, &state.around, &mut found);
        people(definition, life, &state.around, &mut found);
    }
    stuck(definition, life, &mut found);
    found
}

fn answers(definition: &Definition, life: &Life, asked: &Asked, found: &mut Vec<Move>) {
    if matches!(asked.progress, Progress::Answered | Progress::Open) {
        return;
    }
    let step = step(definition, life, &asked.spot);
    let never = |what: Never| is_assumed(definition, step, asked.part, what);
    let late = asked.progress == Progress::GivenUp && never(Never::Late);
    let (done, failed) = addresses(step, asked.part);
    let failed = if never(Never::Rejected) { Vec::new() } else { failed };
    let done = if late { Vec::new() } else { done };
    let mut all: Vec<Address> = done.into_iter().chain(failed).collect();
    all.sort();
    all.dedup();
    for address in all {
        found.push(Move::Reply { asked: asked.clone(), address });
    }
    for status in statuses(step, asked.part) {
        found.push(Move::Called { asked: asked.clone(), status });
    }
    let waits = matches!(asked.progress, Progress::Waiting(_) | Progress::Pausing(_));
    if waits && !never(Never::Unknown) {
        found.push(Move::Exhausted(asked.clone()));
        // One that was answered before has left.
        let first = matches!(asked.progress, Progress::Waiting(_)) && asked.attempts <= 1;
        if first && asked.part == Part::Action && matches!(step.kind, StepKind::Call(_)) {
            found.push(Move::Unsent(asked.clone()));
        }
    }
}

/// Answers that were given before and may come again, whenever they like: those that something
/// else might take. What else comes again is looked at where it came first, for it is judged by the
/// state of its own request alone.
fn repeated(
    definition: &Definition,
    life: &Life,
    asked: &Asked,
    shared: &BTreeSet<Address>,
    found: &mut Vec<Move>,
) {
    if asked.progress != Progress::Answered {
        return;
    }
    let (done, failed) = addresses(step(definition, life, &asked.spot), asked.part);
    let mut given = match (asked.part, asked.spot.state(life).phase) {
        (Part::Action, Phase::Rejected) => failed,
        (Part::Action | Part::Undo(_), _) => done,
        (Part::Probe, _) => done.into_iter().chain(failed).collect(),
    };
    given.sort();
    given.dedup();
    let again = |address| Move::Again { asked: asked.clone(), address };
    found.extend(given.into_iter().filter(|on| shared.contains(on)).map(again));
}

/// The kinds of event that more than one step, start or cancel reads.
pub(super) fn shared(definition: &Definition) -> BTreeSet<Address> {
    let (mut seen, mut shared) = (BTreeSet::new(), BTreeSet::new());
    let by_step = |step: &Step| -> BTreeSet<Address> {
        let replies = step.all_replies().map(|(_, reply)| reply.on);
        replies.chain(awaits(step)).cloned().collect()
    };
    let steps = definition.steps.iter().map(by_step);
    let starts = definition.starts.iter().map(|start| BTreeSet::from([start.on.clone()]));
    let cancels = definition.cancel.iter().map(|cancel| BTreeSet::from([cancel.on.clone()]));
    for address in steps.chain(starts).chain(cancels).flatten() {
        if !seen.insert(address.clone()) {
            shared.insert(address);
        }
    }
    shared
}

/// Whether the author takes it for granted that this never happens to a step's action.
fn is_assumed(definition: &Definition, step: &Step, part: Part, what: Never) -> bool {
    let StepKind::Command(command) = &step.kind else {
        return false;
    };
    let assumed =
        |a: &crate::definition::Assumption| a.never == what && a.command == command.request.command;
    part == Part::Action && definition.assume.iter().any(assumed)
}

/// The kinds of event that say yes and no to a request over Kafka.
pub(super) fn addresses(step: &Step, part: Part) -> (Vec<Address>, Vec<Address>) {
    let (done, failed): (Vec<Reply<'_>>, Vec<Reply<'_>>) =
        step.replies(part).iter().partition(|reply| reply.says.is_done());
    let on = |replies: Vec<Reply<'_>>| replies.iter().map(|reply| reply.on.clone()).collect();
    (on(done), on(failed))
}

/// One status of each kind of answer to a call.
pub(super) fn statuses(step: &Step, part: Part) -> Vec<u16> {
    let Some(call) = step.call(part) else { return Vec::new() };
    let failed = match (part, step.attempted()) {
        (Part::Action, Some(Attempted::Call(call))) => &call.failed[..],
        (Part::Action | Part::Probe | Part::Undo(_), _) => &[],
    };
    let done = call.done.iter().map(|done| &done.status);
    let statuses = done.chain(failed.iter().map(|failed| &failed.status));
    let first = statuses.filter_map(|status| status.first().map(|range| *range.start()));
    let mut all: Vec<u16> = first.collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn timers(definition: &Definition, life: &Life, found: &mut Vec<Move>) {
    if life.deadline.is_some() {
        found.push(Move::Deadline);
    }
    for spot in spots(definition, life) {
        let state = spot.state(life);
        if state.reminder().is_some() {
            found.push(Move::Remind(spot.clone()));
        }
        if state.until.is_some() {
            found.push(Move::Due(spot));
        }
    }
}

/// The most facts of one wait that come before the first step is done.
pub(super) const EARLY_MAX: usize = 2;

/// Whether no step of an instance is done: facts that come now are early ones. They may come at
/// the very beginning only, for being kept disturbs nothing in between.
pub(super) fn is_young(life: &Life) -> bool {
    life.direction == Direction::Forward && life.completions == 0 && life.frame.position == 0
}

/// Facts that a step waits for, or will wait for.
fn facts(definition: &Definition, life: &Life, around: &Around, found: &mut Vec<Move>) {
    let awaited: Vec<_> = spots(definition, life)
        .iter()
        .filter(|spot| spot.state(life).phase == Phase::Running)
        .map(|spot| spot.state(life).step)
        .collect();
    let early = is_young(life) && around.early.len() < EARLY_MAX;
    for step in &definition.steps {
        for address in awaits(step) {
            let early = early && around.early.iter().all(|e| meet(definition, e, address));
            let comes = awaited.contains(&step.id) || early;
            let told = Move::Fact(address.clone());
            if comes && !found.contains(&told) {
                found.push(told);
            }
        }
    }
}

/// What a step waits for.
fn awaits(step: &Step) -> impl Iterator<Item = &Address> {
    step.awaited().iter().map(|reply| reply.on)
}

/// Facts that no wait takes both mean nothing to each other: one of them at a time is enough.
fn meet(definition: &Definition, first: &Address, second: &Address) -> bool {
    let takes_both = |step: &Step| {
        let awaited = step.awaited();
        awaited.mention(first) && awaited.mention(second)
    };
    first != second && definition.steps.iter().any(takes_both)
}

/// What people do without being told that something is stuck.
fn people(definition: &Definition, life: &Life, around: &Around, found: &mut Vec<Move>) {
    if !around.cancelled && life.direction == Direction::Forward {
        let go_back = Move::Act { step: None, verb: Verb::GoBack };
        let cancels = definition.cancel.iter().map(|cancel| Move::Cancel(cancel.on.clone()));
        found.extend(cancels);
        found.push(go_back);
    }
    for spot in spots(definition, life) {
        let StepKind::Ask(ask) = &step(definition, life, &spot).kind else { continue };
        if spot.state(life).phase != Phase::Running {
            continue;
        }
        for choice in &ask.choices {
            let (choice, note) = (choice.name.clone(), "a note".to_owned());
            let verb = Verb::Answer { choice, note, data: Map::new() };
            found.push(Move::Act { step: Some(spot.name.clone()), verb });
        }
    }
}

/// What a person can do about what is stuck.
fn stuck(definition: &Definition, life: &Life, found: &mut Vec<Move>) {
    for stuck in &life.stuck {
        let owner = definition.step(stuck.step);
        let name = coordinate(definition, stuck);
        let verbs = [
            Verb::Retry,
            Verb::Skip,
            Verb::ResolveDone(resolved(definition, owner)),
            Verb::ResolveNotDone,
            Verb::GoBack,
        ];
        for verb in verbs {
            found.push(Move::Act { step: Some(name.clone()), verb });
        }
    }
}

/// What a person who resolves a step as done has to know: all that it would have set.
fn resolved(definition: &Definition, step: &Step) -> Map<String, Value> {
    let mut fields = BTreeSet::new();
    filled(definition, step, &mut fields);
    fields
        .into_iter()
        .map(|field| (field.to_owned(), json!(format!("{field} by a person"))))
        .collect()
}

/// The fields that a step, or what is in it, fills where it goes on; the branches of a fan-out fill
/// their own.
fn filled<'d>(definition: &'d Definition, step: &'d Step, fields: &mut BTreeSet<&'d str>) {
    let outcomes = step.outcomes();
    let goes_on = outcomes.iter().filter(|outcome| outcome.meaning == Meaning::Succeeded);
    fields.extend(goes_on.flat_map(Outcome::fields));
    let inside = match step.composite() {
        Some(Composite::Each(_)) | None => Vec::new(),
        Some(Composite::Parallel(_) | Composite::Choose(_) | Composite::Lock(_)) => step.blocks(),
    };
    for block in inside {
        for inner in &definition.block(block).steps {
            filled(definition, definition.step(*inner), fields);
        }
    }
}

/// What children and locks can say.
fn letters(around: &Around, found: &mut Vec<Move>) {
    for (from, partner) in &around.partners {
        let mut says = |say: Say, then: Stands| {
            found.push(Move::Letter { from: from.clone(), say, then });
        };
        let completed =
            || Say::Ended { completed: true, data: body(&from.to_string()), failure: None };
        match partner.stands {
            Stands::Running => {
                says(completed(), Stands::Completed);
                says(undone(), Stands::Over);
                says(Say::Taken, Stands::Over);
            }
            Stands::Asked => {
                says(Say::TakenBack, Stands::Over);
                if let Say::TakeBack { reopen: false, .. } = partner.letter.say {
                    says(completed(), Stands::Completed);
                }
            }
            Stands::Waiting => {
                says(Say::Granted { fence: 1 }, Stands::Held);
            }
            Stands::Completed | Stands::Over | Stands::Held => {}
        }
    }
}

fn undone() -> Say {
    let failure =
        Failure { step: None, kind: FailureKind::Rejected, reason: "the child said no".to_owned() };
    Say::Ended { completed: false, data: body("child"), failure: Some(failure) }
}
