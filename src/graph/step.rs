use super::picture::{About, Detail, RegionKind, Shape};
use super::words::{self, Words, detail, shown, verdict};
use crate::definition::{
    CommandStep, Compensation, EachStep, Failed, Join, Late, LockStep, OnFailed, ParallelStep,
    Release, SagaStep, Step, StepKind, Then, Unknown, Verdict,
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
        goes_back: !step.after_pivot && goes_back(step),
        ..About::default()
    }
}

/// What a composite step is drawn as; none for all others.
pub(super) fn region(kind: &StepKind) -> Option<RegionKind> {
    match kind {
        StepKind::Parallel(_) => Some(RegionKind::Parallel),
        StepKind::Each(_) => Some(RegionKind::Each),
        StepKind::Choose(_) => Some(RegionKind::Choose),
        StepKind::Lock(_) => Some(RegionKind::Lock),
        StepKind::Command(_)
        | StepKind::Emit(_)
        | StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Wait(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Call(_)
        | StepKind::Saga(_) => None,
    }
}

/// How a step that has no lines in it looks.
pub(super) fn shape(kind: &StepKind) -> Shape {
    match kind {
        StepKind::Command(_) => Shape::Command,
        StepKind::Emit(_) => Shape::Emit,
        StepKind::Set => Shape::Set,
        StepKind::Fail(_) => Shape::Fail,
        StepKind::Wait(_) => Shape::Wait,
        StepKind::Sleep(_) => Shape::Sleep,
        StepKind::Ask(_) => Shape::Ask,
        StepKind::Call(_) => Shape::Call,
        StepKind::Saga(_)
        | StepKind::Parallel(_)
        | StepKind::Each(_)
        | StepKind::Choose(_)
        | StepKind::Lock(_) => Shape::Child,
    }
}

/// Who does a step; none is the saga itself.
pub(super) fn participant(kind: &StepKind) -> Option<String> {
    match kind {
        StepKind::Command(step) => Some(words::participant(&step.request.command.topic)),
        StepKind::Emit(step) => Some(words::participant(&step.fact.to.topic)),
        StepKind::Wait(step) => step.on.first().map(|done| words::participant(&done.on.topic)),
        StepKind::Ask(step) => Some(step.who.clone()),
        StepKind::Call(step) => Some(step.request.authority.clone()),
        StepKind::Saga(step) => Some(step.saga.to_string()),
        StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Sleep(_)
        | StepKind::Parallel(_)
        | StepKind::Each(_)
        | StepKind::Choose(_)
        | StepKind::Lock(_) => None,
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
            let saga = participant(&step.kind).unwrap_or_default();
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
    match &step.kind {
        StepKind::Parallel(_) => Some(name.to_owned()),
        StepKind::Choose(choose) => {
            let guard = choose.arms.get(index).and_then(|arm| arm.when.as_ref());
            Some(guard.map_or_else(|| "otherwise".to_owned(), |guard| format!("if {guard}")))
        }
        StepKind::Command(_)
        | StepKind::Emit(_)
        | StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Wait(_)
        | StepKind::Sleep(_)
        | StepKind::Ask(_)
        | StepKind::Call(_)
        | StepKind::Saga(_)
        | StepKind::Each(_)
        | StepKind::Lock(_) => None,
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
    match participant(&step.kind) {
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

/// Whether the way back can begin at a step before the pivot, or at the pivot itself.
fn goes_back(step: &Step) -> bool {
    let back = |verdict: &Verdict| verdict.then == Then::GoBack;
    let no = |failed: &[Failed]| failed.iter().any(|f| f.then == Then::GoBack);
    let late = |late: &Late| matches!(late, Late::Fail(verdict) if back(verdict));
    match &step.kind {
        StepKind::Command(command) => no(&command.failed) || gives_up(command),
        StepKind::Call(call) => {
            call.failed.iter().any(|f| f.then == Then::GoBack)
                || call.unknown == Unknown::Compensate
        }
        StepKind::Wait(wait) => no(&wait.failed) || (wait.within.is_some() && late(&wait.late)),
        StepKind::Ask(ask) => {
            ask.choices.iter().any(|c| c.failed.as_ref().is_some_and(back))
                || (ask.within.is_some() && late(&ask.late))
        }
        StepKind::Fail(_) => true,
        StepKind::Saga(child) => back(&child.failed),
        StepKind::Parallel(p) => back(&p.failed) && (p.within.is_some() || p.join == Join::First),
        StepKind::Each(each) => back(&each.failed),
        StepKind::Choose(choose) => back(&choose.failed) && choose.within.is_some(),
        StepKind::Lock(lock) => back(&lock.failed) && lock.within.is_some(),
        StepKind::Emit(_) | StepKind::Set | StepKind::Sleep(_) => false,
    }
}

/// Whether the saga goes back when the attempts of a command are spent.
fn gives_up(command: &CommandStep) -> bool {
    match command.unknown {
        Unknown::Compensate | Unknown::Probe => true,
        Unknown::Retry | Unknown::Park => false,
    }
}
