use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::parse::Position;
use crate::definition::{
    Budget, Composite, Nature, Remind, Retry, Sleep, Step, StepId, Unknown, Waiting,
};
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
    let around = whole.definition.around(step).filter_map(|outer| {
        outer
            .composite()?
            .limit_inside()
            .map(|span| Limit { span, of: format!("`{}` has", outer.name) })
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
    let Some(attempted) = step.attempted() else { return };
    let tries = longest_try(attempted.within(), attempted.retry());
    if longest.is_none_or(|(_, most)| tries > most) {
        *longest = Some((step.id, tries));
    }
    let keys = whole.keys(step.id);
    let says = keys.has("retry") || keys.has("within");
    let Some(limit) = limit.filter(|limit| limit.span < tries) else { return };
    if attempted.unknown() == Unknown::Retry && !says {
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
    let (within, key) = match step.nature() {
        Nature::Waiting(Waiting::Time(Sleep::For(span))) => (Some(*span), "sleep"),
        Nature::Waiting(Waiting::Time(Sleep::Until(_)))
        | Nature::Instant(_)
        | Nature::Attempted(_) => return,
        Nature::Waiting(_) | Nature::Composite(_) => (step.within(), "within"),
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
    if within.is_none() && limit.is_none() {
        endless(whole, step);
    }
    reminders(whole, step, within, step.remind());
}

/// A step that waits for somebody, without any limit.
fn endless(whole: &mut Whole<'_>, step: &Step) {
    let waits = "add `within: 3d`, and `late: go-on` if the saga goes on without an answer";
    let (key, help) = match step.nature() {
        Nature::Waiting(Waiting::Fact(_)) => ("wait", waits),
        Nature::Waiting(Waiting::Person(_)) => ("ask", waits),
        Nature::Composite(Composite::Lock(_)) => {
            ("lock", "add `within: 30s`: how long it may take to get the keys")
        }
        Nature::Instant(_) | Nature::Attempted(_) | Nature::Waiting(_) | Nature::Composite(_) => {
            return;
        }
    };
    let message = "this may wait for ever: neither it nor anything around it has a deadline";
    whole.error(Code::NoDeadline, whole.keys(step.id).key(key), message, help);
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
