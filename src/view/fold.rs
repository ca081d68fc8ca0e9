//! What a record of the changelog makes of a row: pure.

use crate::definition::Catalog;
use crate::engine::Instance;
use crate::format::changelog;
use crate::message::{Hash, InstanceId, Timestamp};
use crate::runtime::SourceRecord;
use crate::status::{
    Fingerprint, LifeState, Masks, Moment, Overview, OwedStanding, SearchedValue, Wait, overview,
    searched,
};

/// What the index keeps of an instance.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Folded {
    pub state: LifeState,
    pub version: Option<u32>,
    pub step: Option<String>,
    pub error: Option<(Fingerprint, String)>,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    pub due: Option<Timestamp>,
    pub owed: Vec<OwedStanding>,
    pub questions: Vec<Asked>,
    /// By which it is searched: what the data of its newest life is, as its definition names it.
    pub searched: Vec<(String, SearchedValue)>,
}

/// A question that nobody has answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub who: String,
    pub step: String,
    pub choices: Vec<String>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// The instance that a record of the changelog is about; none if it is about a shard's position.
pub(super) fn subject(record: &SourceRecord) -> Option<InstanceId> {
    let key = record.key.as_ref().filter(|key| changelog::is_instance(key))?;
    changelog::target_of(key).read().ok()
}

/// The definitions that the lives of an instance run on.
pub(super) fn definitions(instance: &Instance) -> impl Iterator<Item = Hash> + '_ {
    instance.lives.iter().map(|life| life.definition)
}

/// What is kept of an instance; none if nothing is told of it.
pub(super) fn folded(
    catalog: &Catalog,
    id: &InstanceId,
    instance: &Instance,
    at: Timestamp,
) -> Option<Folded> {
    let overview = overview(catalog, id, instance, Masks::Whole)?;
    let newest = overview.lives.first();
    let started = newest.map(|life| life.started).or_else(|| first_held(&overview));
    let has_ended = overview.state.has_ended();
    let due = newest.and_then(|life| life.next_due).filter(|_| !has_ended);
    Some(Folded {
        state: overview.state,
        version: newest.and_then(|life| life.version),
        step: step(&overview),
        error: error(&overview),
        started: started.map_or(at, |Moment(started)| started),
        ended: newest.and_then(|life| life.ended).map(|Moment(ended)| ended),
        due: due.map(|Moment(due)| due),
        questions: overview.lives.iter().flat_map(questions).collect(),
        owed: overview.lives.into_iter().flat_map(|life| life.owed).collect(),
        searched: values(catalog, instance),
    })
}

/// By which an instance is searched.
fn values(catalog: &Catalog, instance: &Instance) -> Vec<(String, SearchedValue)> {
    let Some(life) = instance.lives.last() else { return Vec::new() };
    let definition = catalog.by_hash(life.definition);
    let Some(definition) = definition.filter(|definition| !definition.search.is_empty()) else {
        return Vec::new();
    };
    // What a parent hands over may be secret without a word about it in the child.
    let secret = catalog.secret_fields(definition.hash);
    let is_open = |(field, _): &(String, SearchedValue)| {
        let path = field.trim_start_matches("data.");
        !secret.contains(path.split('.').next().unwrap_or_default())
    };
    searched(definition, &life.data).into_iter().filter(is_open).collect()
}

fn first_held(overview: &Overview) -> Option<Moment> {
    overview.queued.iter().chain(&overview.early).map(|held| held.at).min()
}

/// The step that is stuck, else the first one under way, else the one that failed; its name alone.
fn step(overview: &Overview) -> Option<String> {
    let life = overview.lives.first()?;
    let stuck = life.stuck.first().map(|stuck| &stuck.step);
    let under_way = life.steps.first().map(|step| &step.step);
    let failed = life.failure.as_ref().and_then(|failure| failure.step.as_ref());
    let step = stuck.or(under_way).or(failed)?;
    Some(step.split('[').next().unwrap_or_default().to_owned())
}

fn error(overview: &Overview) -> Option<(Fingerprint, String)> {
    let life = overview.lives.first()?;
    let stuck = life.stuck.first().map(|stuck| &stuck.reason);
    let failed = life.failure.as_ref().or(life.pending.as_ref()).map(|failure| &failure.reason);
    let reason = stuck.or(failed).cloned().unwrap_or_default();
    life.error.map(|error| (error, reason))
}

fn questions(life: &crate::status::Standing) -> impl Iterator<Item = Asked> + '_ {
    life.steps.iter().filter_map(|step| match &step.waits {
        Wait::Answer { who, choices } => Some(Asked {
            who: who.clone(),
            step: step.step.clone(),
            choices: choices.clone(),
            since: step.since.map(|Moment(since)| since),
            until: step.until.map(|Moment(until)| until),
        }),
        Wait::Reply { .. }
        | Wait::Attempt { .. }
        | Wait::Probe { .. }
        | Wait::Event { .. }
        | Wait::Time
        | Wait::Child { .. }
        | Wait::Lock { .. }
        | Wait::Person
        | Wait::Unknown => None,
    })
}
