use super::picture::{About, Detail, RegionKind, Shape};
use super::words::{self, Words, detail, shown, verdict};
use crate::definition::{
    Attempted, Compensation, Composite, EachStep, Instant, Join, LockStep, Nature, OnFailed,
    ParallelStep, Release, SagaStep, Step, StepKind, Waiting,
};

/// What a step is, without what undoes it.
pub(super) fn about(step: &Step, words: Words) -> About {
    About {
        name: step.name.to_string(),
        heading: step.title.clone().unwrap_or_else(|| step.name.to_string()),
        caption: caption(step),
        details: details(step, words),
        when: step.when.as_ref().map(ToString::to_string),
        pivot: step.pivot,
        goes_back: !step.after_pivot && step.goes_back(),
        ..About::default()
    }
}

/// What a composite step is drawn as; none for all others.
pub(super) fn region(step: &Step) -> Option<RegionKind> {
    step.composite().map(|composite| match composite {
        Composite::Parallel(_) => RegionKind::Parallel,
        Composite::Each(_) => RegionKind::Each,
        Composite::Choose(_) => RegionKind::Choose,
        Composite::Lock(_) => RegionKind::Lock,
    })
}

/// How a step that has no lines in it looks.
pub(super) fn shape(step: &Step) -> Shape {
    match step.nature() {
        Nature::Instant(Instant::Emit(_)) => Shape::Emit,
        Nature::Instant(Instant::Set) => Shape::Set,
        Nature::Instant(Instant::Fail(_)) => Shape::Fail,
        Nature::Attempted(Attempted::Command(_)) => Shape::Command,
        Nature::Attempted(Attempted::Call(_)) => Shape::Call,
        Nature::Waiting(Waiting::Fact(_)) => Shape::Wait,
        Nature::Waiting(Waiting::Time(_)) => Shape::Sleep,
        Nature::Waiting(Waiting::Person(_)) => Shape::Ask,
        Nature::Waiting(Waiting::Child(_)) | Nature::Composite(_) => Shape::Child,
    }
}

/// Who does a step; none is the saga itself.
pub(super) fn participant(step: &Step) -> Option<String> {
    match step.nature() {
        Nature::Instant(instant) => {
            instant.emitted().map(|emit| words::participant(&emit.fact.to.topic))
        }
        Nature::Attempted(Attempted::Command(step)) => {
            Some(words::participant(&step.request.command.topic))
        }
        Nature::Attempted(Attempted::Call(step)) => Some(step.request.authority.clone()),
        Nature::Waiting(Waiting::Fact(step)) => {
            step.on.first().map(|done| words::participant(&done.on.topic))
        }
        Nature::Waiting(Waiting::Person(step)) => Some(step.who.clone()),
        Nature::Waiting(Waiting::Child(step)) => Some(step.saga.to_string()),
        Nature::Waiting(Waiting::Time(_)) | Nature::Composite(_) => None,
    }
}

/// What undoes a step, and who does it; none if nothing does.
pub(super) fn undo(step: &Step, words: Words) -> Option<(About, Option<String>)> {
    let (heading, details, participant) = match step.compensation() {
        Compensation::Unsaid | Compensation::Nothing => return None,
        Compensation::Command { request, .. } => {
            let participant = words::participant(&request.command.topic);
            (request.command.event_type.to_string(), words.undo(request), participant)
        }
        Compensation::Emit(fact) => {
            let tells = vec![detail("tells", words.address(&fact.to))];
            (fact.to.event_type.to_string(), tells, words::participant(&fact.to.topic))
        }
        Compensation::Call { request, .. } => {
            let heading = format!("{} {}", request.method.text(), request.authority);
            (heading, words::undoing_call(request), request.authority.clone())
        }
        Compensation::Child => {
            let saga = participant(step).unwrap_or_default();
            ("the child takes itself back".to_owned(), Vec::new(), saga)
        }
    };
    let caption = format!("undo · {participant}");
    Some((About { heading, caption, details, ..About::default() }, Some(participant)))
}

/// Whether a child is undone along its own line, if by anything: it is drawn inside its parent
/// then, and the way back runs through it.
pub(super) fn takes_itself_back(child: &SagaStep) -> bool {
    match child.compensate {
        Compensation::Unsaid | Compensation::Nothing | Compensation::Child => true,
        Compensation::Command { .. } | Compensation::Call { .. } | Compensation::Emit(_) => false,
    }
}

/// A branch's name or guard, as it stands at the edge that leads into it.
pub(super) fn branch(step: &Step, index: usize, name: &str) -> Option<String> {
    match step.composite()? {
        Composite::Parallel(_) => Some(name.to_owned()),
        Composite::Choose(choose) => {
            let guard = choose.arms.get(index).and_then(|arm| arm.when.as_ref());
            Some(guard.map_or_else(|| "otherwise".to_owned(), |guard| format!("if {guard}")))
        }
        Composite::Each(_) | Composite::Lock(_) => None,
    }
}

fn caption(step: &Step) -> String {
    let kind = match &step.kind {
        StepKind::Command(_) => "command",
        StepKind::Emit(_) => "tell",
        StepKind::Set => "set",
        StepKind::Fail(_) => "fail",
        StepKind::Wait(_) => "wait",
        StepKind::Sleep(_) => "sleep",
        StepKind::Ask(_) => "ask",
        StepKind::Call(_) => "call",
        StepKind::Saga(_) => "child saga",
        StepKind::Parallel(_) => "side by side",
        StepKind::Each(_) => "for each",
        StepKind::Choose(_) => "one of",
        StepKind::Lock(_) => "locked",
    };
    match participant(step) {
        Some(who) => format!("{kind} · {who}"),
        None => kind.to_owned(),
    }
}

fn details(step: &Step, words: Words) -> Vec<Detail> {
    match &step.kind {
        StepKind::Command(command) => words.command(command),
        StepKind::Emit(emit) => {
            let mut details = vec![detail("tells", words.address(&emit.fact.to))];
            details.extend(words::undone(&emit.compensate));
            details
        }
        StepKind::Set => {
            let set = step.set.iter().map(|s| format!("{} = {}", s.field, s.value));
            set.map(|text| detail("set", text)).collect()
        }
        StepKind::Fail(reason) => vec![detail("because", shown(reason))],
        StepKind::Wait(wait) => words.wait(wait),
        StepKind::Sleep(sleep) => vec![words::sleep(sleep)],
        StepKind::Ask(ask) => words.ask(ask),
        StepKind::Call(call) => words::calling(call),
        StepKind::Saga(child) => words::child(child),
        StepKind::Parallel(parallel) => of_parallel(parallel),
        StepKind::Each(each) => of_each(each),
        StepKind::Choose(choose) => {
            let time = choose.within.map(|w| format!("{w}, then {}", verdict(choose.failed.then)));
            time.map(|text| detail("time", text)).into_iter().collect()
        }
        StepKind::Lock(lock) => of_lock(lock),
    }
}

fn of_parallel(parallel: &ParallelStep) -> Vec<Detail> {
    let verdict = verdict(parallel.failed.then);
    let mut details = vec![match parallel.join {
        Join::All => detail("until", "all are done".to_owned()),
        Join::First => {
            let rest = "the others are given up and undone";
            detail("until", format!("the first is done, {rest}; if none: {verdict}"))
        }
    }];
    details.extend(parallel.within.map(|w| detail("time", format!("{w}, then {verdict}"))));
    details
}

fn of_each(each: &EachStep) -> Vec<Detail> {
    let verdict = verdict(each.failed.then);
    let mut details = vec![
        detail("of", each.items.to_string()),
        detail("most", format!("{} items, {} at once", each.at_most, each.at_once)),
    ];
    if each.on_failed == OnFailed::Drop {
        details.push(detail("no", "undoes itself, the others go on".to_owned()));
    }
    details.extend(each.within.map(|w| detail("time", format!("{w}, then {verdict}"))));
    details
}

fn of_lock(lock: &LockStep) -> Vec<Detail> {
    let keys = lock.keys.iter().map(shown).collect::<Vec<_>>().join(", ");
    let mut details = vec![detail("keys", keys)];
    let verdict = verdict(lock.failed.then);
    details.extend(lock.within.map(|w| detail("time", format!("{w} to get them, then {verdict}"))));
    let free = match lock.release {
        Release::Block => return details,
        Release::Pivot => "when nothing in it can be undone any more",
        Release::End => "when the saga ends",
    };
    details.push(detail("free", free.to_owned()));
    details
}
