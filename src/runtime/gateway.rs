use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::acceptance::Accepted;
use super::operator::{self, Deed};
use super::ports::{Append, DeadLetter, Forward, Lost, Source, SourceRecord};
use super::settings::{Settings, Unmatched, UnmatchedRules};
use crate::correlation::{self, Heading, Index, decode, heading};
use crate::definition::Catalog;
use crate::format::wire;
use crate::message::{
    Event, Incarnation, InstanceId, Origin, Shard, Timestamp, Topic, header, shard_of,
};

/// The most records that one turn of a gateway takes.
const RECORDS_MAX: usize = 5_000;
/// The largest header, key or body of an event that is too large that goes to the dead letters.
const KEPT_BYTES_MAX: usize = 1_024;
/// The most headers of it that do.
const KEPT_HEADERS_MAX: usize = 100;

/// Reads users' topics and appends what concerns a saga to the inbox.
///
/// It keeps nothing: what it appends twice, a shard drops by the watermark of the origin.
pub struct Gateway<S> {
    source: S,
    index: Index,
    event_bytes_max: usize,
    operator: Topic,
    shards: u32,
    unmatched: UnmatchedRules,
    verify: Option<Verify>,
    passed: Passed,
    /// What starts, for each shard, until it was said.
    untold: Option<Bytes>,
}

/// Whether a record of `<app>.operator` is signed by somebody who may act, and when; why it is not,
/// in words. It reads keys and a clock, so the gateway is given it.
#[allow(clippy::type_complexity, reason = "it is named by this very struct")]
struct Verify(Box<dyn Fn(&SourceRecord) -> Result<Timestamp, String> + Send>);

/// What a gateway has done since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passed {
    /// Records read.
    pub records: u64,
    /// Inbox records appended.
    pub appends: u64,
    /// Events that no definition reads.
    pub unread: u64,
    /// Events that were for no instance: a start whose `where` is false, for example.
    pub untargeted: u64,
    /// Tombstones and records without a type, on topics whose `unmatched` rule is to count.
    pub empty: u64,
    /// Dead letters sent.
    pub dead_letters: u64,
}

impl<S: Source> Gateway<S> {
    /// A gateway over a source.
    #[must_use]
    pub fn new(settings: &Settings, catalog: &Catalog, source: S) -> Self {
        let index = Index::new(catalog);
        let (operator, shards) = (settings.topics.operator.clone(), settings.shards);
        let event_bytes_max = catalog.limits.event_bytes_max;
        let (unmatched, passed) = (settings.unmatched.clone(), Passed::default());
        let untold = catalog.starts().map(|starts| wire::Inbox::of_starts(starts).stored());
        let verify = None;
        Self { source, index, event_bytes_max, operator, shards, unmatched, verify, passed, untold }
    }

    /// The same, obeying only acts that `verify` takes for signed.
    #[must_use]
    pub fn verifying(
        self,
        verify: impl Fn(&SourceRecord) -> Result<Timestamp, String> + Send + 'static,
    ) -> Self {
        Self { verify: Some(Verify(Box::new(verify))), ..self }
    }

    /// What it has done so far.
    #[must_use]
    pub fn passed(&self) -> Passed {
        self.passed
    }

    /// Takes what there is, waiting at most `wait` for the first record.
    ///
    /// # Errors
    /// When the connection is lost; a new gateway goes on where the last acknowledged append was.
    pub fn turn(&mut self, wait: Duration) -> Result<(), Lost> {
        self.tell_starts()?;
        let records = self.source.poll(wait, RECORDS_MAX)?;
        if records.is_empty() {
            return Ok(());
        }
        let mut forward = Forward::default();
        for record in records {
            self.passed.records += 1;
            let place = (record.origin.topic.clone(), record.origin.partition);
            forward.positions.insert(place, record.origin.offset.next());
            self.pass(record, &mut forward)?;
        }
        self.passed.appends += forward.appends.len() as u64;
        self.passed.dead_letters += forward.dead_letters.len() as u64;
        self.source.forward(forward)
    }

    /// Tells every shard what starts, in front of all that is read by it: so no start is taken by
    /// what started before.
    fn tell_starts(&mut self) -> Result<(), Lost> {
        let Some(value) = self.untold.take() else { return Ok(()) };
        let append = |shard| Append { shard: Shard(shard), value: value.clone() };
        let appends = (0..self.shards).map(append).collect();
        self.source.forward(Forward { appends, ..Forward::default() })
    }

    fn pass(&mut self, record: SourceRecord, forward: &mut Forward) -> Result<(), Lost> {
        if record.origin.topic != self.operator {
            self.take(record, forward);
            return Ok(());
        }
        match self.obey(&record)? {
            Ok(append) => forward.appends.extend(append),
            Err(reason) => forward.dead_letters.push(self.dead_letter(record, reason)),
        }
        Ok(())
    }

    /// Does what a person says about a topic, or appends what the person says about an instance;
    /// or says why neither can be done.
    fn obey(&mut self, record: &SourceRecord) -> Result<Result<Option<Append>, String>, Lost> {
        let acceptance = match self.read_act(record) {
            Ok(Deed::Instance(target, act)) => {
                return Ok(act_on(target, act, self.shards).map(Some));
            }
            Ok(Deed::Topic(acceptance)) => acceptance,
            Ok(Deed::Bulk) => return Ok(Ok(None)),
            Err(reason) => return Ok(Err(reason)),
        };
        Ok(match self.source.accept(&acceptance)? {
            Accepted::Done => Ok(None),
            Accepted::Refused(reason) => Err(reason),
        })
    }

    /// Reads an act, if it is signed where acts must be.
    fn read_act(&self, record: &SourceRecord) -> Result<Deed, String> {
        let Some(Verify(verify)) = &self.verify else { return operator::read(record) };
        let at = verify(record)?;
        operator::read(record)?.signed(at, record)
    }

    fn take(&mut self, record: SourceRecord, forward: &mut Forward) {
        let body = record.body.as_deref();
        let key = record.key.as_deref();
        let head = match heading(&record.origin, key, &record.headers, body, self.event_bytes_max) {
            Ok(head) => told_apart(head, &record.origin, record.incarnation),
            Err(reason) => return self.decline(record, &reason, forward),
        };
        if !self.index.reads(&head.address) {
            self.passed.unread += 1;
            return;
        }
        if let Some(instance) = self.index.direct(&head)
            && head.data.is_none()
        {
            // Its body is read where it is needed.
            let value = wire_event(&head, &record);
            forward.appends.extend(appends(vec![instance], &value, self.shards));
            return;
        }
        match decode(&head, body.unwrap_or_default(), record.timestamp) {
            Ok(event) => self.route(&head, &event, record, forward),
            Err(reason) => forward.dead_letters.push(self.dead_letter(record, reason.to_string())),
        }
    }

    fn route(
        &mut self,
        head: &Heading,
        event: &Event,
        record: SourceRecord,
        forward: &mut Forward,
    ) {
        let route = self.index.route(head, event, record.timestamp);
        if route.targets.is_empty() && route.complaints.is_empty() {
            self.passed.untargeted += 1;
        }
        if !route.targets.is_empty() {
            let mut value = wire_event(head, &record);
            if head.data.is_some() {
                value.body = event.body.to_string().into();
            }
            forward.appends.extend(appends(route.targets, &value, self.shards));
        }
        if !route.complaints.is_empty() {
            let reason = format!("{}: {}", head.address, route.complaints.join("; "));
            forward.dead_letters.push(self.dead_letter(record, reason));
        }
    }

    /// Counts a record that is no event where its topic's rule says so: compacted topics have
    /// tombstones, and what has no type is for no definition. All else people must see.
    fn decline(
        &mut self,
        record: SourceRecord,
        reason: &correlation::Error,
        forward: &mut Forward,
    ) {
        let rule = self.unmatched.of(&record.origin.topic);
        match reason {
            correlation::Error::Tombstone(Some(address)) if !self.index.reads(address) => {
                self.passed.unread += 1;
            }
            correlation::Error::Tombstone(_) | correlation::Error::Untyped(_)
                if rule == Unmatched::Count =>
            {
                self.passed.empty += 1;
            }
            correlation::Error::Tombstone(_)
            | correlation::Error::Untyped(_)
            | correlation::Error::Large { .. }
            | correlation::Error::Body(_)
            | correlation::Error::Command(_) => {
                forward.dead_letters.push(self.dead_letter(record, reason.to_string()));
            }
        }
    }

    /// The record with the reason; of one that is too large to be taken, what is small is kept.
    fn dead_letter(&self, record: SourceRecord, reason: String) -> DeadLetter {
        let SourceRecord { origin, mut key, mut headers, mut body, .. } = record;
        let size = |part: &Option<Bytes>| part.as_ref().map_or(0, Bytes::len);
        if size(&key) + headers.bytes() + size(&body) > self.event_bytes_max {
            let is_small = |bytes: usize| bytes <= KEPT_BYTES_MAX;
            key = key.filter(|key| is_small(key.len()));
            body = body.filter(|body| is_small(body.len()));
            headers.0.retain(|(name, value)| is_small(name.len() + value.len()));
            headers.0.truncate(KEPT_HEADERS_MAX);
            headers.push(header::CUT, "true");
        }
        let body = body.unwrap_or_default();
        DeadLetter { reason, origin: Some(origin), instance: None, key, headers, body }
    }
}

/// What a person did, for the inbox of the instance that it is about.
fn act_on(target: wire::Target, act: wire::Act, shards: u32) -> Result<Append, String> {
    let id = target.read().map_err(|e| e.to_string())?;
    let shard = shard_of(&id, shards);
    Ok(Append { shard, value: wire::Inbox::of_act(target, act).stored() })
}

/// An event that says no id has one made of its place. In a topic that was accepted in the stead of
/// another every place was used before, so there the id tells the topic too.
fn told_apart(head: Heading, origin: &Origin, incarnation: Option<Incarnation>) -> Heading {
    let Some(Incarnation { id, accepted: true }) = incarnation else { return head };
    if head.id != format!("{}/{}/{}", origin.topic, origin.partition, origin.offset) {
        return head;
    }
    Heading { id: format!("{}@{id}", head.id), ..head }
}

fn wire_event(head: &Heading, record: &SourceRecord) -> wire::Event {
    wire::Event {
        topic: head.address.topic.to_string(),
        partition: record.origin.partition,
        offset: record.origin.offset.0,
        event_type: head.address.event_type.to_string(),
        source: wire::Event::stored(&head.source),
        id: head.id.clone(),
        key: head.key.text().map(str::to_owned),
        binary_key: head.key.binary().map(<[u8]>::to_vec),
        body: record.body.as_deref().unwrap_or_default().to_vec(),
        command: head.command.as_ref().map(ToString::to_string),
        trace_parent: head.trace_parent.clone(),
        timestamp_ms: record.timestamp.0,
        topic_id: record.incarnation.map_or_else(Vec::new, |i| i.id.as_bytes().to_vec()),
        accepted: record.incarnation.is_some_and(|i| i.accepted),
    }
}

/// One inbox record for each shard that the event concerns.
fn appends(targets: Vec<InstanceId>, event: &wire::Event, shards: u32) -> Vec<Append> {
    let mut by_shard: BTreeMap<Shard, Vec<wire::Target>> = BTreeMap::new();
    for id in targets {
        by_shard.entry(shard_of(&id, shards)).or_default().push(wire::Target::new(&id));
    }
    let shared = by_shard.len() > 1;
    let append = |(shard, targets)| {
        let inbox = wire::Inbox::of_event(targets, shared, event.clone());
        Append { shard, value: inbox.stored() }
    };
    by_shard.into_iter().map(append).collect()
}

#[cfg(test)]
mod tests;
