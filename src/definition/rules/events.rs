use super::apart::{self, tells_branch};
use super::whole::{Relation, Whole};
use crate::definition::diagnostic::Code;
use crate::definition::finding::Finding;
use crate::definition::{Answer, Correlation, Reply, Start, Step, Then};
use crate::expression::Expression;
use crate::message::{Address, Part};

/// Finds events that two steps could take, or that nothing reads.
pub(super) fn check(whole: &mut Whole<'_>) {
    let taken: Vec<Taken<'_>> = whole.steps().flat_map(taken).collect();
    for (place, first) in taken.iter().enumerate() {
        for second in &taken[place + 1..] {
            same_reply(whole, &taken, first, second);
            undone_by_action(whole, &taken, first, second);
            yes_and_no(whole, first, second);
        }
        same_reply_of_branches(whole, first);
        wait_by_command(whole, first);
    }
    starts_too(whole, &taken);
    cancels_too(whole, &taken);
    unread(whole, &taken);
}

/// What an event answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Action,
    Probe,
    Undo,
    Wait,
}

/// An event that a step may take.
pub(super) struct Taken<'d> {
    pub step: &'d Step,
    slot: Slot,
    pub on: &'d Address,
    condition: Option<&'d Expression>,
    says: Answer,
    /// Where it is written, among the step's keys.
    pub path: String,
}

/// Every event that a step may take.
pub(super) fn taken(step: &Step) -> Vec<Taken<'_>> {
    let replies = step.all_replies().map(|(part, reply)| match part {
        Part::Action => Taken::of(step, Slot::Action, ["done", "failed", ""], reply),
        Part::Probe => Taken::of(step, Slot::Probe, ["probe.done", "", "probe.absent"], reply),
        Part::Undo(_) => Taken::of(step, Slot::Undo, ["compensate.done", "", ""], reply),
    });
    let facts = step.awaited().iter();
    replies
        .chain(facts.map(|reply| Taken::of(step, Slot::Wait, ["wait", "failed", ""], reply)))
        .collect()
}

impl<'d> Taken<'d> {
    /// A reply, by the keys under which such that say yes, no, and that nothing happened stand.
    fn of(step: &'d Step, slot: Slot, keys: [&str; 3], reply: Reply<'d>) -> Self {
        let [done, failed, absent] = keys;
        let (key, place) = match reply.says {
            Answer::Done(place) => (done, place),
            Answer::Failed(place) => (failed, place),
            Answer::Absent(place) => (absent, place),
        };
        let path = format!("{key}.{place}");
        let Reply { on, condition, says } = reply;
        Self { step, slot, on, condition, says, path }
    }

    /// Whether its `where` is about a value that belongs to the branch of a fan-out.
    fn tells_branch(&self) -> bool {
        self.condition.is_some_and(tells_branch)
    }
}

fn by_command(whole: &Whole<'_>, on: &Address) -> bool {
    whole.definition.rule(on).is_some_and(|rule| rule.by == Correlation::CommandId)
}

const APART: &str = "tell them apart by two `where`s that cannot both hold, such as \
                     `event.side == \"a\"` and `event.side == \"b\"`";
const BY_COMMAND: &str = ", or say `events: { topic/*: { by: command-id } }` if the participant \
                          echoes the id";

/// An event that comes without a command's id could be taken by either.
fn same_reply(whole: &mut Whole<'_>, taken: &[Taken<'_>], first: &Taken<'_>, second: &Taken<'_>) {
    if first.on != second.on || by_command(whole, first.on) {
        return;
    }
    if is_next_part(whole, taken, first, second) {
        return;
    }
    if apart::at_any_time(whole, first.condition, second.condition) {
        return;
    }
    let same = first.step.id == second.step.id;
    // Within one step, only what undoes it must be told from what does it.
    if same && (first.slot == Slot::Undo) == (second.slot == Slot::Undo) {
        return;
    }
    if !same && whole.relation(first.step.id, second.step.id) == Relation::Apart {
        let each = whole.each(first.step.id);
        let is_beside = each.is_some() && each == whole.each(second.step.id);
        // Another branch of the fan-out may have taken the other way.
        if !is_beside || (first.tells_branch() && second.tells_branch()) {
            return;
        }
    }
    let (of, other) = (what(second), what(first));
    let message =
        format!("`{}` could answer {other} on line {} as well", second.on, first.step.line);
    let span = whole.keys(second.step.id).value(&second.path);
    let help = if same {
        "the reply to the undoing must be another event".to_owned()
    } else {
        // What is waited for answers no command, so it names none.
        let waits = first.slot == Slot::Wait || second.slot == Slot::Wait;
        format!("{of} and {other}: {APART}{}", if waits { "" } else { BY_COMMAND })
    };
    whole.error(Code::SameReply, span, message, help);
}

/// Whether a wait is for the next part of what answered a step before it. All answers to one
/// request agree, so none of another attempt ends the wait if those that lead to it are told from
/// what it waits for: a no leads elsewhere, and of several yeses the wait's `when` may look for
/// one.
fn is_next_part(
    whole: &Whole<'_>,
    taken: &[Taken<'_>],
    first: &Taken<'_>,
    second: &Taken<'_>,
) -> bool {
    let follows = whole.relation(first.step.id, second.step.id) == Relation::Before;
    if (first.slot, second.slot) != (Slot::Action, Slot::Wait) || !follows {
        return false;
    }
    match first.says {
        Answer::Failed(place) => {
            let answers = first.step.answers(Part::Action);
            answers.failed.get(place).is_some_and(|failed| failed.then != Then::GoOn)
        }
        Answer::Done(_) => {
            let is_yes = |other: &&Taken<'_>| {
                (other.step.id, other.slot) == (first.step.id, Slot::Action) && other.says.is_done()
            };
            let is_told = |other: &Taken<'_>| {
                other.on == second.on
                    && apart::at_any_time(whole, other.condition, second.condition)
            };
            second.step.when.is_some() && taken.iter().filter(is_yes).any(is_told)
        }
        Answer::Absent(_) => false,
    }
}

/// A reply that names its command, and means the action and its undoing all the same: by the same
/// `where`, or because the undoing has none and takes whatever the action does. What answers other
/// steps too is a mere receipt.
fn undone_by_action(
    whole: &mut Whole<'_>,
    taken: &[Taken<'_>],
    first: &Taken<'_>,
    second: &Taken<'_>,
) {
    let is_same =
        first.condition.map(Expression::condition) == second.condition.map(Expression::condition);
    let told_apart = second.condition.is_some() && !is_same;
    let same = first.on == second.on && first.step.id == second.step.id;
    let undoes = (first.slot, second.slot) == (Slot::Action, Slot::Undo);
    if !same || !undoes || told_apart || !by_command(whole, first.on) {
        return;
    }
    if taken.iter().any(|other| other.on == first.on && other.step.id != first.step.id) {
        return;
    }
    let name = &first.step.name;
    let message = format!("`{}` answers `{name}` itself, not its undoing", first.on);
    let help = "name the event that says that it was undone";
    let span = whole.keys(second.step.id).value(&second.path);
    // An action may be done, or refused, by several `where`s on one event.
    let is_told = |found: &Finding| (found.code, &found.span) == (Code::UndoneByAction, &span);
    if !whole.found.iter().any(is_told) {
        whole.warn(Code::UndoneByAction, span, message, help);
    }
}

/// An event that starts the saga, and also cancels it or answers a command.
fn starts_too(whole: &mut Whole<'_>, taken: &[Taken<'_>]) {
    let definition = whole.definition;
    let starts = |on: &Address, condition: Option<&Expression>| {
        let same = |start: &&Start| start.on == *on;
        let is_apart = |start: &Start| apart::at_once(start.condition.as_ref(), condition);
        definition.starts.iter().filter(same).any(|start| !is_apart(start))
    };
    let cancels = definition.cancel.iter().enumerate();
    let cancels = cancels.filter(|(_, c)| starts(&c.on, c.condition.as_ref()));
    let mut found: Vec<_> = cancels
        .map(|(at, c)| (whole.places.file.value(&format!("cancel.{at}.on")), &c.on))
        .collect();
    let replies = taken.iter().filter(|t| t.slot != Slot::Wait && starts(t.on, t.condition));
    found.extend(replies.map(|t| (whole.keys(t.step.id).value(&t.path), t.on)));
    for (span, on) in found {
        let message = format!("`{on}` starts this saga, so it cannot mean this as well");
        let help = "name another event, or tell them apart by two `where`s that cannot both hold";
        whole.warn(Code::Contradiction, span, message, help);
    }
}

/// An event that asks for the way back, and also answers a step or is waited for.
fn cancels_too(whole: &mut Whole<'_>, taken: &[Taken<'_>]) {
    let definition = whole.definition;
    for read in taken {
        let cancels = definition.cancel.iter().filter(|cancel| cancel.on == *read.on);
        let mut meets =
            cancels.filter(|cancel| !apart::at_once(cancel.condition.as_ref(), read.condition));
        if meets.next().is_none() {
            continue;
        }
        let message =
            format!("`{}` asks for the way back, so it cannot mean this as well", read.on);
        let help = "name another event, or tell them apart by two `where`s that cannot both hold";
        let span = whole.keys(read.step.id).value(&read.path);
        whole.warn(Code::Contradiction, span, message, help);
    }
}

/// One event that says both yes and no to a step, as far as its two `where`s tell.
fn yes_and_no(whole: &mut Whole<'_>, yes: &Taken<'_>, no: &Taken<'_>) {
    let same = (yes.on, yes.step.id, yes.slot) == (no.on, no.step.id, no.slot);
    if !same || !yes.says.is_done() || no.says.is_done() {
        return;
    }
    // A `no` without a `where` is what is left over, for a yes is looked for first.
    let (Some(yes_if), Some(no_if)) = (yes.condition, no.condition) else { return };
    if apart::at_once(Some(yes_if), Some(no_if)) {
        return;
    }
    let span = whole.keys(no.step.id).value(&no.path);
    let help = "let the two `where`s exclude each other, such as `event.ok` and `!event.ok`";
    if yes_if.condition() == no_if.condition() {
        let message = format!("`{}` says yes wherever it says no", no.on);
        whole.error(Code::Contradiction, span, message, help);
    } else {
        let message = format!("`{}` may say yes and no at once, and then counts as a yes", no.on);
        whole.warn(Code::Contradiction, span, message, help);
    }
}

fn what(taken: &Taken<'_>) -> String {
    let name = &taken.step.name;
    match taken.slot {
        Slot::Action | Slot::Wait => format!("`{name}`"),
        Slot::Probe => format!("the probe of `{name}`"),
        Slot::Undo => format!("the undoing of `{name}`"),
    }
}

/// The branches of a fan-out send the same command; their replies must name it or the item.
fn same_reply_of_branches(whole: &mut Whole<'_>, taken: &Taken<'_>) {
    if whole.each(taken.step.id).is_none() || by_command(whole, taken.on) {
        return;
    }
    if taken.tells_branch() {
        return;
    }
    let message = format!("`{}` could answer every branch of this `each`", taken.on);
    let apart = "tell the branches apart by a `where`, such as `event.sku == item.sku`";
    let help =
        if taken.slot == Slot::Wait { apart.to_owned() } else { format!("{apart}{BY_COMMAND}") };
    let span = whole.keys(taken.step.id).value(&taken.path);
    whole.error(Code::SameReply, span, message, help);
}

/// A fact that is waited for answers no command.
fn wait_by_command(whole: &mut Whole<'_>, taken: &Taken<'_>) {
    if taken.slot != Slot::Wait || !by_command(whole, taken.on) {
        return;
    }
    let message = format!("`{}` is `by: command-id`, but it answers no command here", taken.on);
    let help = format!("give it a rule of its own: `events: {{ {}: {{ key: … }} }}`", taken.on);
    let span = whole.keys(taken.step.id).value(&taken.path);
    whole.error(Code::Contradiction, span, message, help);
}

/// Rules for events that nothing reads.
fn unread(whole: &mut Whole<'_>, taken: &[Taken<'_>]) {
    let definition = whole.definition;
    let read: Vec<&Address> = taken
        .iter()
        .map(|t| t.on)
        .chain(definition.starts.iter().map(|s| &s.on))
        .chain(definition.cancel.iter().map(|c| &c.on))
        .collect();
    for rule in &definition.events {
        let pattern = &rule.on;
        let matched = read.iter().any(|on| {
            on.topic == pattern.topic
                && pattern.event_type.as_ref().is_none_or(|event_type| *event_type == on.event_type)
        });
        if matched {
            continue;
        }
        let event_type = pattern.event_type.as_ref().map_or("*", |t| t.as_str());
        let text = format!("{}/{event_type}", pattern.topic);
        let span = whole.places.file.key(&format!("events.{text}"));
        let message = format!("nothing in this saga reads `{text}`");
        let known = read.iter().map(ToString::to_string).collect::<Vec<_>>();
        let near = crate::definition::parse::nearest(&text, known.iter().map(String::as_str));
        let help = match near {
            Some(known) => format!("did you mean `{known}`?"),
            None => "leave the rule out, or name the event as the steps do".to_owned(),
        };
        whole.warn(Code::UnreadEvent, span, message, help);
    }
}
