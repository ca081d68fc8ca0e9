use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;

use super::held::Held;
use super::perform::{bury, history, perform, unmatched_by, unreadable};
use super::ports::{Append, DeadLetter, HistoryRecord, InboxRecord, Lost, Store, StoreFault};
use super::position::Position;
use super::schedule::Schedule;
use super::settings::{Counts, Observed, Settings};
use crate::definition::{Catalog, Starting, Starts};
use crate::engine::{self, Call, Input, Instance, Life, Rejection, Transition};
use crate::format::changelog::instance_key;
use crate::format::wire;
use crate::message::{InstanceId, LifeId, Offset, Outgoing, Shard, Timestamp, Traced};

/// What a batch has come to so far.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub records: usize,
    pub bytes: usize,
    pub shards: BTreeSet<Shard>,
    pub messages: Vec<Outgoing>,
    pub dead_letters: Vec<DeadLetter>,
    pub letters: Vec<Append>,
    /// Calls and the trace header that each carries; made once all of this is committed.
    pub calls: Vec<(Call, Traced)>,
    pub history: BTreeMap<Shard, Vec<HistoryRecord>>,
    pub observed: Vec<Observed>,
}

/// What a shard may use while it takes a record.
pub(super) struct Tools<'a, S> {
    pub settings: &'a Settings,
    pub catalog: &'a Arc<Catalog>,
    pub store: &'a S,
    pub counts: &'a mut Counts,
    pub pending: &'a mut Pending,
}

/// One shard in memory: a pure fold over its inbox.
#[derive(Debug)]
pub(super) struct ShardState {
    pub shard: Shard,
    pub position: Position,
    /// The definitions, of which those start that the position says.
    pub catalog: Arc<Catalog>,
    pub held: Held,
    pub schedule: Schedule,
    /// From where on the starts are looked for that a pause has kept, if they are.
    pub kept_from: Option<Timestamp>,
    /// The position as it went into the last batch.
    pub sealed: Bytes,
    /// The changelog offset behind the last committed record.
    pub changelog: Offset,
    /// Since when the shard is served without an absence or a backlog. The time of an attempt that
    /// ran out before was not all its own.
    pub current_since: Timestamp,
}

/// The record at hand, as far as every target needs it.
pub(super) struct Case<'a> {
    pub record: &'a InboxRecord,
    pub input: Input,
    /// The event as it came, for a dead letter.
    pub event: Option<&'a wire::Event>,
    shared: bool,
}

/// What became of one target of a record.
enum Taken {
    Done,
    Unmatched(String),
}

impl ShardState {
    /// Takes one inbox record: every target steps, and the position moves.
    ///
    /// # Errors
    /// When the store fails or a definition is missing: nothing in memory counts any more.
    pub fn take<S: Store>(
        &mut self,
        record: &InboxRecord,
        tools: &mut Tools<'_, S>,
    ) -> Result<(), Fault> {
        if record.offset < self.position.inbox {
            tools.counts.repeated += 1;
            return Ok(());
        }
        self.position.inbox = record.offset.next();
        tools.counts.records += 1;
        tools.pending.records += 1;
        tools.pending.shards.insert(self.shard);
        let inbox = match wire::Inbox::decode(record.value.clone()) {
            Ok(inbox) => inbox,
            Err(e) => {
                let reason = format!("this inbox record does not decode: {e}");
                unreadable(record, None, &reason, tools);
                return Ok(());
            }
        };
        if let Some(starts) = inbox.starts() {
            return self.start_as(starts, record, tools);
        }
        if let Some(wire::inbox::Input::Event(event)) = &inbox.input
            && !self.position.advance(
                &event.topic,
                event.partition,
                event.offset,
                event.incarnation(),
            )
        {
            tools.counts.repeated += 1;
            return Ok(());
        }
        let event = inbox.event();
        let input = match inbox.read() {
            Ok(input) => input,
            Err(reason) => {
                unreadable(record, event, &reason, tools);
                return Ok(());
            }
        };
        let case = Case { record, input, event, shared: inbox.shared };
        self.each_target(&inbox.targets, &case, tools)
    }

    /// Follows what starts from here on; what every gateway says again is no news.
    fn start_as<S>(
        &mut self,
        starts: &wire::Starts,
        record: &InboxRecord,
        tools: &mut Tools<'_, S>,
    ) -> Result<(), Fault> {
        let starts = match starts.read() {
            Ok(starts) => starts,
            Err(reason) => {
                unreadable(record, None, &reason.to_string(), tools);
                return Ok(());
            }
        };
        if !self.position.follow(starts) {
            tools.counts.repeated += 1;
            return Ok(());
        }
        self.catalog = started_as(tools.catalog, self.position.starts.as_ref())?;
        self.kept_from = Some(engine::WHEN_ACTIVE);
        Ok(())
    }

    fn each_target<S: Store>(
        &mut self,
        targets: &[wire::Target],
        case: &Case<'_>,
        tools: &mut Tools<'_, S>,
    ) -> Result<(), Fault> {
        let mut unmatched = Vec::new();
        for target in targets {
            let id = match target.read() {
                Ok(id) => id,
                Err(reason) => {
                    unreadable(case.record, None, &reason.to_string(), tools);
                    continue;
                }
            };
            match self.step(&id, case, tools)? {
                Taken::Done => {}
                Taken::Unmatched(reason) => unmatched.push((id, reason)),
            }
        }
        tools.counts.unmatched += unmatched.len() as u64;
        // An event that several sagas might take is somebody's if one of them took it.
        if unmatched.len() == targets.len() && !case.shared {
            for (id, reason) in unmatched {
                unmatched_by(&id, reason, case, tools);
            }
        }
        Ok(())
    }

    fn step<S: Store>(
        &mut self,
        id: &InstanceId,
        case: &Case<'_>,
        tools: &mut Tools<'_, S>,
    ) -> Result<Taken, Fault> {
        let key = instance_key(id);
        let before = self.held.instance(&key, self.shard, tools.store)?;
        if before.is_some_and(|b| case.record.offset <= b.inbox) {
            tools.counts.repeated += 1;
            return Ok(Taken::Done);
        }
        let runs_on = before.iter().flat_map(|b| &b.lives).map(|g| g.definition);
        for hash in runs_on {
            if tools.catalog.by_hash(hash).is_none() {
                return Err(Fault::Definition(format!("{id} runs on definition {hash}")));
            }
        }
        let due = before.and_then(engine::next_due);
        match engine::step(tools.catalog, id, before, &case.input, case.record.timestamp) {
            Ok(transition) => {
                self.accept(id, &key, due, transition, case, tools);
                Ok(Taken::Done)
            }
            Err(rejection) => {
                if let Some(observed) = refusal(id, before, &rejection, self.shard, case) {
                    tell(observed, tools);
                }
                Ok(reject(id, rejection, case, tools))
            }
        }
    }

    fn accept<S>(
        &mut self,
        id: &InstanceId,
        key: &Bytes,
        due: Option<Timestamp>,
        transition: Transition,
        case: &Case<'_>,
        tools: &mut Tools<'_, S>,
    ) {
        tools.counts.transitions += 1;
        let Transition { after, effects, notes } = transition;
        let of = notes.last().map_or(LifeId::default(), |note| note.life);
        let life = after.as_ref().and_then(|a| a.lives.iter().find(|life| life.id == of));
        let sent = perform(id, effects, life, case, tools);
        let observed = Observed {
            id: id.clone(),
            life: of,
            transition: life.map_or(0, |life| life.transitions),
            started: life.map_or(case.record.timestamp, |life| life.started),
            trace_parent: life.map_or(String::new(), |life| life.trace_parent.clone()),
            status: life.map(Life::status),
            standing: standing(after.as_ref(), life),
            owed: owed(tools.catalog, life),
            notes,
            sent,
            at: case.record.timestamp,
            shard: self.shard,
            offset: case.record.offset,
        };
        if !observed.notes.is_empty() {
            tell(observed, tools);
        }
        let after = after.map(|instance| Instance { inbox: case.record.offset, ..instance });
        self.schedule.replace(key, due, after.as_ref().and_then(engine::next_due));
        self.held.put(key, after);
    }
}

/// Tells the history.
fn tell<S>(observed: Observed, tools: &mut Tools<'_, S>) {
    let record = history(&observed);
    tools.pending.bytes += record.value.len();
    tools.pending.history.entry(observed.shard).or_default().push(record);
    tools.pending.observed.push(observed);
}

/// What is told of a person's act that is not obeyed. It is no transition, so it has no number.
fn refusal(
    id: &InstanceId,
    before: Option<&Instance>,
    rejection: &Rejection,
    shard: Shard,
    case: &Case<'_>,
) -> Option<Observed> {
    let Input::Act(act) = &case.input else { return None };
    let note = engine::refusal(before, act, rejection)?;
    let life = before?.lives.iter().find(|life| life.id == note.life)?;
    Some(Observed {
        id: id.clone(),
        life: life.id,
        transition: 0,
        started: life.started,
        trace_parent: life.trace_parent.clone(),
        status: Some(life.status()),
        standing: standing(before, Some(life)),
        owed: String::new(),
        notes: vec![note],
        sent: Vec::new(),
        at: case.record.timestamp,
        shard,
        offset: case.record.offset,
    })
}

/// What a stuck life owes, in words: the outcome of a step, or its undoing, since when.
fn owed(catalog: &Catalog, life: Option<&Life>) -> String {
    let mut owed = Vec::new();
    if let Some(life) = life.filter(|life| !life.stuck.is_empty()) {
        let Some(definition) = catalog.by_hash(life.definition) else {
            return String::new();
        };
        for stuck in &life.stuck {
            let what = if stuck.undoing { "undoing" } else { "outcome" };
            let step = &definition.step(stuck.step).name;
            owed.push(format!("the {what} of {step} since {}", stuck.since));
        }
    }
    owed.join(", ")
}

/// The word for how things stand after a transition.
fn standing(after: Option<&Instance>, life: Option<&Life>) -> &'static str {
    match (after, life) {
        (Some(_), Some(life)) => life.status().text(),
        (Some(Instance { lock: Some(lock), .. }), None) => {
            if lock.holder.is_some() {
                "held"
            } else {
                "free"
            }
        }
        (Some(instance), None) if instance.lives.is_empty() => "awaited",
        (Some(_) | None, None) | (None, Some(_)) => "forgotten",
    }
}

/// The definitions, of which those start that a shard was told.
pub(super) fn started_as(
    catalog: &Catalog,
    starts: Option<&Arc<Starts>>,
) -> Result<Arc<Catalog>, Fault> {
    for (saga, starting) in starts.iter().flat_map(|starts| &starts.sagas) {
        if catalog.by_hash(starting.definition).is_none() {
            let Starting { version, definition, .. } = starting;
            let what = format!("{saga} starts on version {version}, {definition}");
            return Err(Fault::Definition(what));
        }
    }
    Ok(Arc::new(catalog.starting_as(starts.cloned())))
}

/// Why a shard cannot go on.
#[derive(Debug)]
pub(super) enum Fault {
    Store(StoreFault),
    /// An instance runs on a definition that is not in the catalog.
    Definition(String),
}

impl From<StoreFault> for Fault {
    fn from(fault: StoreFault) -> Self {
        Self::Store(fault)
    }
}

impl From<Fault> for Lost {
    fn from(fault: Fault) -> Self {
        let reason = match fault {
            Fault::Store(fault) => fault.to_string(),
            Fault::Definition(what) => {
                format!("{what}, which is not known here yet; the definitions are read again")
            }
        };
        Self { reason, fatal: false }
    }
}

fn reject<S>(
    id: &InstanceId,
    rejection: Rejection,
    case: &Case<'_>,
    tools: &mut Tools<'_, S>,
) -> Taken {
    match rejection {
        Rejection::Duplicate(_) => tools.counts.duplicates += 1,
        Rejection::Ignored(_) => tools.counts.ignored += 1,
        Rejection::Unmatched(reason) => return Taken::Unmatched(reason),
        Rejection::Refused(reason) => {
            tools.counts.refused += 1;
            bury(Some(id), reason, case, tools);
        }
    }
    Taken::Done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Claim, Lock};
    use crate::message::{Key, SagaName};

    #[test]
    fn a_lock_and_what_waits_for_its_start_are_not_forgotten() {
        let id = InstanceId {
            saga: SagaName::new("transfer").expect("a name"),
            key: Key::new("t-1").expect("a key"),
        };
        let step = "book".parse().expect("a step");
        let claim = Claim { instance: id, life: LifeId::unmarked(1), step, round: 1 };
        let free = Instance { lock: Some(Lock::default()), ..Instance::default() };
        let held = Lock { holder: Some((claim, 7)), ..Lock::default() };
        let held = Instance { lock: Some(held), ..Instance::default() };
        assert_eq!(standing(Some(&held), None), "held");
        assert_eq!(standing(Some(&free), None), "free");
        assert_eq!(standing(Some(&Instance::default()), None), "awaited");
        assert_eq!(standing(None, None), "forgotten");
    }
}
