//! When each step of a life ran: the way forward above, its undoing mirrored below.

use std::collections::BTreeMap;

use super::sentence::Titles;
use super::story::kind;
use super::times::{of_day, took};
use crate::engine::NoteKind;
use crate::message::Timestamp;
use crate::status::Moment;
use crate::view::Entry;

/// The most lines of either half.
const LINES_MAX: usize = 30;
/// Places are told in hundredths of a percent of the whole width.
const WHOLE: u64 = 10_000;
/// The narrowest bar.
const WIDTH_MIN: u64 = 60;

/// When each step of a life ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lifeline {
    pub forward: Vec<Bar>,
    pub back: Vec<Bar>,
    /// How many lines are left out.
    pub more: usize,
    pub from: String,
    pub to: String,
    pub took: String,
}

/// When one step ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bar {
    pub name: String,
    /// Where it begins: `12.50%`.
    pub x: String,
    pub width: String,
    /// How it ended: `is-done`, `is-failed`, `is-open`, `is-waiting`.
    pub class: &'static str,
    /// It was sent again there.
    pub ticks: Vec<String>,
    /// All of it in words.
    pub words: String,
}

#[derive(Debug)]
struct Run {
    from: Timestamp,
    to: Option<Timestamp>,
    class: &'static str,
    again: Vec<Timestamp>,
    order: usize,
}

/// The lifeline of a life; none of one that has no history yet, or took no time.
pub(super) fn lifeline(
    entries: &[Entry],
    life: &str,
    titles: &Titles,
    end: Timestamp,
) -> Option<Lifeline> {
    let of_life: Vec<&Entry> = entries.iter().filter(|entry| entry.life == life).collect();
    let begun = of_life.first()?.at.0;
    let (mut forward, mut back) = (BTreeMap::new(), BTreeMap::new());
    for entry in &of_life {
        for note in &entry.notes {
            let (Some(kind), Some(step)) = (kind(note), note.step.as_deref()) else { continue };
            follow(&mut forward, &mut back, kind, step, entry.at.0);
        }
    }
    let whole = end.since(begun).0.max(1);
    let axis = Axis { begun, end, whole };
    let more = forward.len().saturating_sub(LINES_MAX) + back.len().saturating_sub(LINES_MAX);
    Some(Lifeline {
        forward: axis.bars(forward, titles),
        back: axis.bars(back, titles),
        more,
        from: of_day(Moment(begun)),
        to: of_day(Moment(end)),
        took: took(end.since(begun)),
    })
    .filter(|line| !line.forward.is_empty() || !line.back.is_empty())
}

/// Takes what happened to a step into the runs that are known.
fn follow(
    forward: &mut BTreeMap<String, Run>,
    back: &mut BTreeMap<String, Run>,
    kind: NoteKind,
    step: &str,
    at: Timestamp,
) {
    match kind {
        NoteKind::Sent => begin(forward, step, at, "is-open"),
        NoteKind::Waiting | NoteKind::Asked => begin(forward, step, at, "is-waiting"),
        NoteKind::Undoing => begin(back, step, at, "is-open"),
        NoteKind::Succeeded | NoteKind::Told => end(forward, step, at, "is-done"),
        NoteKind::Rejected | NoteKind::GivenUp => end(forward, step, at, "is-failed"),
        NoteKind::Undone => end(back, step, at, "is-done"),
        NoteKind::Skipped
        | NoteKind::Started
        | NoteKind::Queued
        | NoteKind::TimedOut
        | NoteKind::Extended
        | NoteKind::WentBack
        | NoteKind::Probed
        | NoteKind::Late
        | NoteKind::Cancelled
        | NoteKind::Refused
        | NoteKind::Stuck
        | NoteKind::Acted
        | NoteKind::DataSet
        | NoteKind::Paused
        | NoteKind::Held
        | NoteKind::Resumed
        | NoteKind::Completed
        | NoteKind::Compensated
        | NoteKind::Forgotten
        | NoteKind::Reminded
        | NoteKind::Kept
        | NoteKind::Dropped
        | NoteKind::Locked
        | NoteKind::Released
        | NoteKind::Withdrawn => {}
    }
}

fn begin(runs: &mut BTreeMap<String, Run>, step: &str, at: Timestamp, class: &'static str) {
    let order = runs.len();
    let fresh = Run { from: at, to: None, class, again: Vec::new(), order };
    runs.entry(step.to_owned()).and_modify(|run| run.again.push(at)).or_insert(fresh);
}

fn end(runs: &mut BTreeMap<String, Run>, step: &str, at: Timestamp, class: &'static str) {
    let order = runs.len();
    let fresh = Run { from: at, to: None, class, again: Vec::new(), order };
    let run = runs.entry(step.to_owned()).or_insert(fresh);
    (run.to, run.class) = (Some(at), class);
}

struct Axis {
    begun: Timestamp,
    end: Timestamp,
    whole: u64,
}

impl Axis {
    fn bars(&self, runs: BTreeMap<String, Run>, titles: &Titles) -> Vec<Bar> {
        let mut runs: Vec<(String, Run)> = runs.into_iter().collect();
        runs.sort_by_key(|(_, run)| run.order);
        runs.truncate(LINES_MAX);
        runs.iter().map(|(step, run)| self.bar(&titles.name(step), run)).collect()
    }

    fn bar(&self, name: &str, run: &Run) -> Bar {
        let to = run.to.unwrap_or(self.end);
        let (from, until) = (self.place(run.from), self.place(to));
        let from = from.min(WHOLE - WIDTH_MIN);
        let width = until.saturating_sub(from).max(WIDTH_MIN);
        let state = match (run.to, run.class) {
            (None, _) => "not over yet",
            (Some(_), "is-failed") => "failed",
            (Some(_), _) => "done",
        };
        let again = match run.again.len() {
            0 => String::new(),
            1 => ", sent again once".to_owned(),
            many => format!(", sent again {many} times"),
        };
        Bar {
            name: name.to_owned(),
            x: percent(from),
            width: percent(width.min(WHOLE - from)),
            class: run.class,
            ticks: run.again.iter().map(|at| percent(self.place(*at))).collect(),
            words: format!("{name}: {}, {state}{again}", took(to.since(run.from))),
        }
    }

    fn place(&self, at: Timestamp) -> u64 {
        let part = u128::from(at.since(self.begun).0) * u128::from(WHOLE) / u128::from(self.whole);
        u64::try_from(part).unwrap_or(WHOLE).min(WHOLE)
    }
}

fn percent(hundredths: u64) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}
