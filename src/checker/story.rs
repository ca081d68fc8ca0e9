//! Tells a run as the messages between customer, engine and participants.

use super::canon::REASON;
use super::edge::Stride;
use super::explore::nothing;
use super::moves::Move;
use super::named::named;
use super::world::World;
use crate::engine::{Effect, NoteKind, Say, Verb};
use crate::message::Coordinate;
use crate::scenario::ToParent;

/// The widest line, in characters.
const COLUMNS_MAX: usize = 100;
const WHO: usize = 12;
/// The kinds of notes that are told beside the messages.
const REMARKS: [(NoteKind, &str); 7] = [
    (NoteKind::GivenUp, "is given up"),
    (NoteKind::WentBack, "goes back"),
    (NoteKind::Stuck, "is stuck"),
    (NoteKind::Late, "is late"),
    (NoteKind::Completed, "is completed"),
    (NoteKind::Compensated, "is compensated"),
    (NoteKind::Dropped, "drops out"),
];

/// The run, a line for each thing that happens.
pub(super) fn tell(world: &World, run: &[Stride]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut state = nothing();
    for (next, script) in run {
        lines.push(happening(next));
        let step = world.once(&state, next, script.clone());
        for choice in &step.choices {
            lines.push(line("", &format!("where {}", choice.words)));
        }
        match step.outcome {
            Ok(taken) => {
                lines.extend(taken.effects.iter().map(effect));
                for note in &taken.notes {
                    if let Some(words) = remark(note.kind()) {
                        let step = note
                            .step
                            .as_ref()
                            .map_or_else(|| "the saga".to_owned(), Coordinate::to_string);
                        let why = why(&note.what.to_string());
                        lines.push(line("", &format!("{step} {words}{why}")));
                    }
                }
                state = taken.state;
            }
            Err(rejection) => lines.push(line("engine", &format!("refuses: {rejection}"))),
        }
    }
    lines
}

/// Why something happened, as far as the model knows it: the reasons that participants give are
/// left out of the states.
fn why(words: &str) -> String {
    let words = words.strip_suffix(REASON).map_or(words, |kind| kind.trim_end_matches(": "));
    if words.is_empty() { String::new() } else { format!(": {words}") }
}

fn line(who: &str, what: &str) -> String {
    let text = format!("  {who:>WHO$}  {}", what.trim_end());
    if text.chars().count() <= COLUMNS_MAX {
        return text;
    }
    let cut: String = text.chars().take(COLUMNS_MAX - 1).collect();
    format!("{cut}…")
}

fn happening(next: &Move) -> String {
    match next {
        Move::Start(address) | Move::Fact(address) => line("customer", &format!("──▶ {address}")),
        Move::StartChild => line("parent", "──▶ start"),
        Move::Reply { asked, address } => {
            line("participant", &format!("──▶ {address}   (answers {})", asked.spot.name))
        }
        Move::Again { asked, address } => {
            line("participant", &format!("──▶ {address}   (answers {} again)", asked.spot.name))
        }
        Move::Called { asked, status } => {
            line("service", &format!("──▶ {status}   (answers {})", asked.spot.name))
        }
        Move::Exhausted(asked) => {
            let part = match asked.part {
                crate::message::Part::Action => "",
                crate::message::Part::Undo(_) => "the undoing of ",
                crate::message::Part::Probe => "the probe of ",
            };
            line(
                "time",
                &format!("passes: {part}{} has no answer, attempts spent", asked.spot.name),
            )
        }
        Move::Unsent(asked) => {
            line("service", &format!("cannot be reached by any attempt   (of {})", asked.spot.name))
        }
        Move::Due(spot) => line("time", &format!("passes: {} has run out of time", spot.name)),
        Move::Remind(spot) => line("time", &format!("passes: a reminder of {} is due", spot.name)),
        Move::Deadline => line("time", "passes: the whole saga has run out of time"),
        Move::Cancel(address) => line("customer", &format!("──▶ {address}   (cancels)")),
        Move::Act { step, verb } => {
            let step = step.as_ref().map_or_else(|| "the saga".to_owned(), Coordinate::to_string);
            line("person", &format!("──▶ {} {step}", word(verb)))
        }
        Move::Letter { from, say, .. } => {
            let who = if from.saga.is_lock() { "lock" } else { from.saga.as_str() };
            line(who, &format!("──▶ {}: {}", named(from), said(say)))
        }
    }
}

fn word(verb: &Verb) -> String {
    match verb {
        Verb::Retry => "retries".to_owned(),
        Verb::Skip => "skips".to_owned(),
        Verb::ResolveDone(_) => "resolves as done:".to_owned(),
        Verb::ResolveNotDone => "resolves as not done:".to_owned(),
        Verb::GoBack => "sends back".to_owned(),
        Verb::Cancel => "cancels".to_owned(),
        Verb::Pause => "pauses".to_owned(),
        Verb::Resume => "resumes".to_owned(),
        Verb::SetData(_) => "sets the data of".to_owned(),
        Verb::Answer { choice, .. } => format!("answers `{choice}` to"),
    }
}

fn said(say: &Say) -> &'static str {
    ToParent::of(say).map_or_else(|| say.text(), ToParent::text)
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Command(message) => {
            let undo = if message.undoes.is_some() { "   (undoes)" } else { "" };
            line("engine", &format!("──▶ {}{undo}", message.to))
        }
        Effect::Fact(message) => line("engine", &format!("──▶ {}   (tells)", message.to)),
        Effect::Complaint(reason) => line("engine", &format!("complains: {reason}")),
        Effect::Letter { to, letter } => {
            line("engine", &format!("──▶ {}: {}", named(to), letter.say.text()))
        }
        Effect::Call(call) => line("engine", &format!("──▶ {} {}", call.method.text(), call.url)),
        Effect::Question(question) => line("engine", &format!("──▶ asks {}", question.who)),
    }
}

/// What is worth telling beside the messages.
fn remark(kind: NoteKind) -> Option<&'static str> {
    REMARKS.iter().find(|(told, _)| *told == kind).map(|(_, words)| *words)
}
