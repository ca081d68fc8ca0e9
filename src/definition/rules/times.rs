use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::parse::Position;
use crate::definition::{Budget, Remind, Retry, Sleep, Step, StepId, StepKind, Unknown};
use crate::message::Span;

/// Finds times that contradict each other.
pub(super) fn check(whole: &mut Whole<'_>) {
    let mut longest = None;
    for step in whole.steps() {
        let limit = limit(whole, step.id);
        requests(whole, step, limit.as_ref(), &mut longest);
        waits(whole, step, limit.as_ref());
    }
    late(whole, longest);
}

/// The shortest deadline around a step, and whose it is.
struct Limit {
    span: Span,
    of: String,
}

fn limit(whole: &Whole<'_>, step: StepId) -> Option<Limit> {
    let around = whole.around(step).into_iter().filter_map(|outer| {
        let within = match &outer.kind {
            StepKind::Parallel(parallel) => parallel.within,
            StepKind::Each(each) => each.within,
            StepKind::Choose(choose) => choose.within,
            _ => None,
        };
        within.map(|span| Limit { span, of: format!("`{}` has", outer.name) })
    });
    let main = whole.places.stands[whole.outermost(step).id.0 as usize];
    let own = whole.places.stands[step.0 as usize];
    let counts = main == Position::Before && own == Position::Before;
    let saga = whole.definition.within.filter(|_| counts);
    let saga = saga.map(|span| Limit { span, of: "the saga has".to_owned() });
    around.chain(saga).min_by_key(|limit| limit.span)
}

/// How long a request may be repeated at most.
fn longest_try(within: Span, retry: &Retry) -> Span {
    let attempts = match retry.budget {
        Budget::For(span) => return span,
        Budget::Attempts(attempts) => attempts,
    };
    let mut all = within.0;
    let mut pause = retry.first.0;
    for _ in 1..attempts {
        all = all.saturating_add(pause).saturating_add(within.0);
        pause = longer(pause, retry.factor).min(retry.most.0);
    }
    Span(all)
}

/// The next pause, in whole milliseconds; one that no clock can count is the longest there is.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn longer(pause: u64, factor: f64) -> u64 {
    (pause as f64 * factor) as u64
}

fn requests(
    whole: &mut Whole<'_>,
    step: &Step,
    limit: Option<&Limit>,
    longest: &mut Option<(StepId, Span)>,
) {
    let (within, retry, unknown) = match &step.kind {
        StepKind::Command(c) => (c.request.within, c.request.retry, c.unknown),
        StepKind::Call(c) => (c.request.within, c.request.retry, c.unknown),
        _ => return,
    };
    let tries = longest_try(within, &retry);
    if longest.is_none_or(|(_, most)| tries > most) {
        *longest = Some((step.id, tries));
    }
    let keys = whole.keys(step.id);
    let says = keys.has("retry") || keys.has("within");
    let Some(limit) = limit.filter(|limit| limit.span < tries) else { return };
    if unknown == Unknown::Retry && !says {
        return;
    }
    let key = if keys.has("retry") { "retry" } else { "within" };
    let span = keys.key(if keys.has(key) { key } else { "step" });
    let message = format!(
        "this may be tried for {tries}, but {} only {}: its last attempts never come",
        limit.of, limit.span
    );
    let help = "shorten `within` or `retry`, or raise the deadline around it";
    whole.warn(Code::RetryTooLong, span, message, help);
}

fn waits(whole: &mut Whole<'_>, step: &Step, limit: Option<&Limit>) {
    let keys = whole.keys(step.id);
    let (within, key, remind) = match &step.kind {
        StepKind::Sleep(Sleep::For(span)) => (Some(*span), "sleep", None),
        StepKind::Wait(wait) => (wait.within, "within", wait.remind.as_ref()),
        StepKind::Ask(ask) => (ask.within, "within", ask.remind.as_ref()),
        StepKind::Saga(child) => (child.within, "within", None),
        StepKind::Parallel(parallel) => (parallel.within, "within", None),
        StepKind::Each(each) => (each.within, "within", None),
        StepKind::Choose(choose) => (choose.within, "within", None),
        StepKind::Lock(lock) => (lock.within, "within", None),
        StepKind::Sleep(Sleep::Until(_))
        | StepKind::Command(_)
        | StepKind::Emit(_)
        | StepKind::Set
        | StepKind::Fail(_)
        | StepKind::Call(_) => return,
    };
    if let (Some(span), Some(limit)) = (within, limit)
        && span >= limit.span
    {
        let message = format!("this may take {span}, but {} only {}", limit.of, limit.span);
        let help = "shorten it, or raise the deadline around it";
        if key == "sleep" {
            whole.error(Code::WaitTooLong, keys.key(key), message, help);
        } else {
            whole.warn(Code::WaitTooLong, keys.key(key), message, help);
        }
    }
    let endless = matches!(step.kind, StepKind::Wait(_) | StepKind::Ask(_) | StepKind::Lock(_));
    if endless && within.is_none() && limit.is_none() {
        let message = "this may wait for ever: neither it nor anything around it has a deadline";
        let help = match step.kind {
            StepKind::Lock(_) => "add `within: 30s`: how long it may take to get the keys",
            _ => "add `within: 3d`, and `late: go-on` if the saga goes on without an answer",
        };
        let span = keys.key(match step.kind {
            StepKind::Wait(_) => "wait",
            StepKind::Ask(_) => "ask",
            _ => "lock",
        });
        whole.error(Code::NoDeadline, span, message, help);
    }
    reminders(whole, step, within, remind);
}

fn reminders(whole: &mut Whole<'_>, step: &Step, within: Option<Span>, remind: Option<&Remind>) {
    let (Some(within), Some(remind)) = (within, remind) else { return };
    if remind.after >= within {
        let message =
            format!("the first reminder comes after {}, when the wait is over", remind.after);
        let help = format!("remind within {within}, such as `after: 1h`");
        let span = whole.keys(step.id).key("remind.after");
        whole.warn(Code::NoEffect, span, message, help);
    }
}

/// An ended instance must be remembered until its last answers can have come.
fn late(whole: &mut Whole<'_>, longest: Option<(StepId, Span)>) {
    let late = whole.definition.late;
    let Some((step, most)) = longest.filter(|(_, most)| *most > late) else { return };
    let step = whole.definition.step(step);
    let message = format!(
        "an ended instance is forgotten after {late}, but `{}` on line {} may be tried for {most}",
        step.name, step.line
    );
    let help = "raise `late`, so that a success that comes late is still undone";
    let span = whole.places.file.key(if whole.places.file.has("late") { "late" } else { "saga" });
    whole.warn(Code::LateTooShort, span, message, help);
}
