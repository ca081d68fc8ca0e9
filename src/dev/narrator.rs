use std::collections::BTreeMap;

use crate::engine::{Note, NoteKind};
use crate::message::{Coordinate, SagaName, StepName};
use crate::runtime::Observed;

/// How wide the column is that says who.
const WHO_CHARS: usize = 26;
const KEY_CHARS: usize = 8;

/// What is told of each kind of note; of others nothing is.
const TOLD: [(NoteKind, &str); 26] = [
    (NoteKind::Started, "started: {why}"),
    (NoteKind::Rejected, "no: {step} was refused: {why}"),
    (NoteKind::TimedOut, "waiting: {step}: {why}"),
    (NoteKind::Extended, "waiting on: {step}: {why}"),
    (NoteKind::GivenUp, "given up: {step}: {why}"),
    (NoteKind::WentBack, "going back: {why}"),
    (NoteKind::Undone, "undone: {step}"),
    (NoteKind::Late, "late: {step}: {why}"),
    (NoteKind::Cancelled, "cancelled: {why}"),
    (NoteKind::Refused, "refused: {why}"),
    (NoteKind::Stuck, "needs help: {step}: {why}"),
    (NoteKind::Completed, "completed"),
    (NoteKind::Compensated, "ended, all undone: {why}"),
    (NoteKind::Succeeded, "done: {step}"),
    (NoteKind::Waiting, "waits: {step}: {why}"),
    (NoteKind::Asked, "asks {why}: {step}"),
    (NoteKind::Acted, "a person: {step}: {why}"),
    (NoteKind::DataSet, "data set: {why}"),
    (NoteKind::Paused, "paused {why}"),
    (NoteKind::Resumed, "goes on {why}"),
    (NoteKind::Reminded, "reminds: {step}"),
    (NoteKind::Kept, "came early, kept: {why}"),
    (NoteKind::Dropped, "left out: {step}: {why}"),
    (NoteKind::Locked, "its turn: {step}"),
    (NoteKind::Released, "free for others: {step}"),
    (NoteKind::Probed, "looks whether it happened: {step}"),
];

/// Says in a shop owner's words what happens to each saga, a line for each thing that matters.
#[derive(Debug)]
pub(super) struct Narrator {
    titles: BTreeMap<(SagaName, StepName), String>,
    many: bool,
}

impl Narrator {
    /// `titles` are the definitions' own words for their steps.
    pub fn new(titles: BTreeMap<(SagaName, StepName), String>) -> Self {
        let mut sagas: Vec<_> = titles.keys().map(|(saga, _)| saga).collect();
        sagas.dedup();
        let many = sagas.len() > 1;
        Self { titles, many }
    }

    pub fn lines(&self, seen: &Observed) -> Vec<String> {
        if seen.id.saga.is_lock() {
            // Who holds it says so.
            return Vec::new();
        }
        let lines = seen.notes.iter().filter_map(|note| self.words(&seen.id.saga, note));
        let time = seen.at.to_string();
        let time = time.split('T').nth(1).unwrap_or(&time).trim_end_matches('Z').to_owned();
        let (who, width) = if self.many {
            (seen.id.to_string(), WHO_CHARS)
        } else {
            (seen.id.key.to_string(), KEY_CHARS)
        };
        lines.map(|words| format!("{time}  {who:<width$}  {words}")).collect()
    }

    fn words(&self, saga: &SagaName, note: &Note) -> Option<String> {
        let step = note.step.as_ref().map(|step| self.title(saga, step)).unwrap_or_default();
        let (_, words) = TOLD.iter().find(|(kind, _)| *kind == note.kind())?;
        Some(words.replace("{step}", &step).replace("{why}", &note.what.to_string()))
    }

    /// The title of a step; one of a fan-out says which it is, counted from 1.
    fn title(&self, saga: &SagaName, step: &Coordinate) -> String {
        let known = self.titles.get(&(saga.clone(), step.step.clone()));
        let title = known.cloned().unwrap_or_else(|| step.step.to_string());
        let places: Vec<String> =
            step.branch.iter().map(|index| (u64::from(*index) + 1).to_string()).collect();
        if places.is_empty() { title } else { format!("{title} ({})", places.join(".")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Proof, What};
    use crate::message::{InstanceId, Key, LifeId, Offset, Shard, Timestamp};

    /// The lines about one note of a step.
    fn told(saga: &str, step: &str, what: What) -> Vec<String> {
        let name = |text: &str| StepName::new(text).expect("a name");
        let shop = SagaName::new("shop").expect("a name");
        let titles = BTreeMap::from([((shop, name("pick")), "Pick one line".to_owned())]);
        let note = Note { life: LifeId::unmarked(1), step: step.parse().ok(), what };
        let seen = Observed {
            id: InstanceId {
                saga: SagaName::new(saga).expect("a name"),
                key: Key::new("o-1").expect("a key"),
            },
            life: LifeId::unmarked(1),
            transition: 1,
            started: Timestamp(0),
            trace_parent: String::new(),
            status: None,
            standing: "forgotten",
            owed: String::new(),
            notes: vec![note],
            sent: Vec::new(),
            at: Timestamp(0),
            shard: Shard(0),
            offset: Offset(0),
        };
        Narrator::new(titles).lines(&seen)
    }

    #[test]
    fn a_step_of_a_fan_out_says_which_it_is() {
        for (step, title) in [
            ("pick", "Pick one line"),
            ("pick[2]", "Pick one line (3)"),
            ("pick[2][0]", "Pick one line (3.1)"),
            ("other[0]", "other (1)"),
        ] {
            let line = format!("00:00:00.000  o-1       done: {title}");
            assert_eq!(told("shop", step, What::Succeeded(Proof::Call)), [line]);
        }
    }

    #[test]
    fn a_question_says_who_is_asked_and_a_lock_says_nothing() {
        let asked = told("shop", "pick", What::Asked { who: "boss".to_owned() });
        assert_eq!(asked, ["00:00:00.000  o-1       asks boss: Pick one line"]);
        assert!(told("segue-lock", "pick", What::Locked { token: 7 }).is_empty());
    }
}
