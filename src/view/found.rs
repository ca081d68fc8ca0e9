//! What the view answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::status::{Fingerprint, LifeState, Moment, Overview};

/// An answer, and how fresh it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fresh<T> {
    /// What was found.
    pub found: T,
    /// How far behind the topics it is.
    pub freshness: Freshness,
}

/// How far the view is behind the topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Freshness {
    /// Records that stood on the topics when the ends were last looked at, and are not in the view.
    pub behind_records: u64,
    /// How old what is not in the view may be, in milliseconds: since the ends were last looked at,
    /// or since the newest record that is in it; none if the cluster was never heard of.
    pub behind_ms: Option<u64>,
    /// When the cluster was last heard of; none if never.
    pub heard: Option<Moment>,
    /// Records that this view has met and cannot read, most likely those of a newer segue: what
    /// they say is not in it. The log says where they stand.
    pub unread_records: u64,
    /// Whether everything that stood on the topics when the view began has been read: before, a
    /// list is not whole.
    pub is_whole: bool,
    /// Why it does not get on, in words; none if it does.
    pub trouble: Option<String>,
}

/// How much happens, as far as the view has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Flowing {
    /// Transitions of all instances that were written in the last minute.
    pub transitions_last_minute: u64,
    /// When instances move by themselves.
    pub timers: TimersTold,
}

/// The next timers of all instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct TimersTold {
    /// So many are over and have not struck; while nobody is behind it is for moments.
    pub overdue: u64,
    /// So many strike within a minute.
    pub within_a_minute: u64,
    /// When the next one strikes.
    pub next: Option<Moment>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Page {
    /// The instances.
    pub instances: Vec<Row>,
    /// Where the next page begins; none if this is the last.
    pub next: Option<String>,
}

/// An instance in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Row {
    /// The saga.
    pub saga: String,
    /// The key.
    pub key: String,
    /// What it is at.
    pub state: LifeState,
    /// The version that it runs on, where that is known.
    pub version: Option<u32>,
    /// The step that is stuck, else the first one under way, else the one that failed.
    pub step: Option<String>,
    /// The reason of its error, in the words of the first of its group.
    pub reason: Option<String>,
    /// The group of its error.
    pub error: Option<Fingerprint>,
    /// When its newest life started.
    pub started: Moment,
    /// When it last changed.
    pub changed: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
    /// When its next timer strikes.
    pub due: Option<Moment>,
    /// The fields of its data that its definition names under `search`, as text; numbers in their
    /// one form.
    pub fields: BTreeMap<String, String>,
}

/// How many instances of a saga are at something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Count {
    /// The saga.
    pub saga: String,
    /// What they are at.
    pub state: LifeState,
    /// How many.
    pub instances: u64,
}

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Coordinates {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

/// One instance with everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Detail {
    /// What is told of it.
    pub overview: Overview,
    /// The record of the changelog that it was read from.
    pub stored: Coordinates,
    /// When that was written.
    pub changed: Moment,
    /// How many entries its history has.
    pub entries: u64,
}

/// One transition of an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Entry {
    /// The saga.
    pub saga: String,
    /// The key.
    pub key: String,
    /// The life.
    pub life: String,
    /// Which transition of that life.
    pub transition: u64,
    /// When.
    pub at: Moment,
    /// What the instance was at behind it: the engine's word.
    pub status: String,
    /// Where the entry stands.
    pub stored: Coordinates,
    /// Where the input stood that it came of.
    pub input: Coordinates,
    /// What happened.
    pub notes: Vec<NoteTold>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct NoteTold {
    /// What kind of thing: `sent`, `went-back`.
    pub kind: String,
    /// The step, if it is about one.
    pub step: Option<String>,
    /// It in words.
    pub words: String,
    /// It as data: a JSON object with the fields that are set.
    pub data: Value,
}

/// Instances that need attention for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct AttentionGroup {
    /// Why they need it.
    pub concern: Concern,
    /// The saga.
    pub saga: String,
    /// The step.
    pub step: Option<String>,
    /// The reason, in the words of the first of them.
    pub reason: Option<String>,
    /// The group of the error, by which they are listed.
    pub error: Option<Fingerprint>,
    /// How many.
    pub instances: u64,
    /// Since when the oldest of them runs, or is asked.
    pub oldest: Moment,
    /// The key of the oldest.
    pub key: String,
}

/// Why instances need attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Concern {
    /// A person must act.
    Stuck,
    /// A timer of it is overdue: no engine runs it.
    Overdue,
    /// A request had to be sent again.
    Retrying,
    /// A person was asked and has not answered.
    Unanswered,
}

/// A page of the ledger of compensations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct OwedRows {
    /// The oldest first.
    pub owed: Vec<OwedRow>,
    /// Where the next page begins; none if this is the last.
    pub next: Option<String>,
}

/// A compensation that is not answered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct OwedRow {
    /// Who owes the answer: an address, a method with its host, or a child.
    pub to: String,
    /// The saga.
    pub saga: String,
    /// The key.
    pub key: String,
    /// The step that is undone.
    pub step: String,
    /// Since when.
    pub since: Moment,
    /// How often it was tried.
    pub attempts: u32,
    /// When something happens next by itself.
    pub due: Option<Moment>,
    /// Whether it waits for a person.
    pub parked: bool,
}

/// A page of questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct OpenQuestions {
    /// The oldest first.
    pub questions: Vec<OpenQuestion>,
    /// Where the next page begins; none if this is the last.
    pub next: Option<String>,
}

/// A question that nobody has answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct OpenQuestion {
    /// The role that is asked.
    pub who: String,
    /// The saga.
    pub saga: String,
    /// The key.
    pub key: String,
    /// The step.
    pub step: String,
    /// What can be answered.
    pub choices: Vec<String>,
    /// Since when, where that is known.
    pub since: Option<Moment>,
    /// How long there is time.
    pub until: Option<Moment>,
}

/// A page of dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct DeadLetterPage {
    /// The newest first.
    pub letters: Vec<DeadLetterRow>,
    /// Where the next page begins; none if this is the last.
    pub next: Option<String>,
}

/// A dead letter in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct DeadLetterRow {
    /// The partition of `<app>.dead-letters`.
    pub partition: i32,
    /// The offset there.
    pub offset: i64,
    /// When it was put aside.
    pub at: Moment,
    /// Why, in words.
    pub reason: String,
    /// Where it was read: `topic[partition]@offset`.
    pub origin: Option<String>,
    /// The instance that it was for, as `saga/key`.
    pub instance: Option<String>,
    /// The type of its event.
    pub event_type: Option<String>,
    /// What a person has done with it; none if it is open.
    pub disposal: Option<DisposalTold>,
}

/// What a person has done with a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct DisposalTold {
    /// `replayed` or `discarded`.
    pub how: String,
    /// When.
    pub at: Moment,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// The act's own id.
    pub id: String,
}

/// A dead letter with everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct DeadLetterDetail {
    /// What the list says of it.
    pub row: DeadLetterRow,
    /// Its key, as text.
    pub key: Option<String>,
    /// Its headers, as text.
    pub headers: Vec<(String, String)>,
    /// Its body: JSON, else its text.
    pub body: Value,
    /// Whether something in it was masked.
    pub is_masked: bool,
}

/// A saga that runs or has run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct SagaRow {
    /// Its name.
    pub saga: String,
    /// The version that new instances run on.
    pub version: u32,
    /// Whether events start it: `active`, `paused`, `retired` or `removed`.
    pub starts: String,
    /// The last word of a person about that; none if nobody has said any.
    #[serde(default)]
    pub word: Option<StartsWordTold>,
    /// What it does, for people.
    pub title: String,
    /// Every version that is stored.
    pub versions: Vec<u32>,
    /// How many of its instances are at what.
    pub counts: Vec<Count>,
    /// How long half of the remembered lives took that have completed, in milliseconds.
    pub p50_ms: Option<u64>,
    /// The same of 99 in 100.
    pub p99_ms: Option<u64>,
}

/// A person's word that the starts of a saga are kept, or begin again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct StartsWordTold {
    /// Whether they are kept.
    pub is_paused: bool,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Moment,
    /// The word's own id.
    pub id: String,
}

/// What a question in SQL is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct SqlRows {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The values of each row, in the order of the columns.
    #[cfg_attr(feature = "server", schema(value_type = Vec<Vec<Value>>))]
    pub rows: Vec<Vec<Value>>,
    /// Whether there were more rows than an answer may have.
    pub is_cut: bool,
}
