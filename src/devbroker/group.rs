//! A consumer group of the classic protocol.
//!
//! ```text
//!            join                 all joined              leader's sync
//!  Empty ──────────▶ Preparing ──────────────▶ Completing ─────────────▶ Stable
//!    ▲                   ▲  ▲                      │ join, leave, late      │
//!    │ nobody left       │  └──────────────────────┘                        │
//!    └───────────────────┴────────────── join, leave, late ◀────────────────┘
//! ```

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::ResponseError;

use super::answer::{Answer, Joined, Status, Ticket};
use super::member::{Join, Member};

/// Members of one group at most.
const MEMBERS_MAX: usize = 1_000;

/// One consumer group.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) status: Status,
    pub(super) generation: i32,
    pub(super) protocol_type: String,
    pub(super) protocol: String,
    pub(super) leader: String,
    pub(super) members: BTreeMap<String, Member>,
    /// Which member stands for a static instance.
    pub(super) instances: BTreeMap<String, String>,
    /// Ids that were given out and have not joined yet, with when they lapse.
    promised: BTreeMap<String, i64>,
    ids: u64,
}

impl Group {
    /// Takes a member in, or tells it why not. The answer comes when the generation is complete.
    pub fn join(
        &mut self,
        join: &Join,
        ticket: Ticket,
        now_ms: i64,
        out: &mut Vec<(Ticket, Answer)>,
    ) {
        match self.try_join(join, ticket, now_ms, out) {
            Ok(Some(joined)) => out.push((ticket, Answer::Joined(joined))),
            Ok(None) => self.complete_join_if_all(now_ms, out),
            Err((error, member)) => out.push((ticket, Answer::Refused { error, member })),
        }
    }

    fn try_join(
        &mut self,
        join: &Join,
        ticket: Ticket,
        now_ms: i64,
        out: &mut Vec<(Ticket, Answer)>,
    ) -> Result<Option<Joined>, (ResponseError, String)> {
        let refuse = |error| Err((error, join.member.clone()));
        if let Err(error) = self.check_protocols(join) {
            return refuse(error);
        }
        if join.member.is_empty() {
            if let Some(old) = join.instance.as_ref().and_then(|i| self.instances.get(i)).cloned() {
                return Ok(self.replace_static(&old, join, ticket, now_ms, out));
            }
            let id = self.next_member_id(join, now_ms);
            if join.id_first && join.instance.is_none() {
                self.promised.insert(id.clone(), now_ms + join.session_ms);
                return Err((ResponseError::MemberIdRequired, id));
            }
            if self.members.len() >= MEMBERS_MAX {
                return refuse(ResponseError::GroupMaxSizeReached);
            }
            self.admit(id, join, ticket, now_ms, out);
            return Ok(None);
        }
        if self.promised.remove(&join.member).is_some() {
            self.admit(join.member.clone(), join, ticket, now_ms, out);
            return Ok(None);
        }
        if let Err(error) = self.check_member(&join.member, join.instance.as_deref()) {
            return refuse(error);
        }
        Ok(self.join_again(join, ticket, now_ms, out))
    }

    fn check_protocols(&self, join: &Join) -> Result<(), ResponseError> {
        if join.protocols.is_empty() || join.protocol_type.is_empty() {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        let others = || self.members.iter().filter(|(id, _)| **id != join.member);
        if others().next().is_none() {
            return Ok(());
        }
        let shared = join
            .protocols
            .iter()
            .any(|p| others().all(|(_, m)| m.protocols.iter().any(|q| q.name == p.name)));
        if self.protocol_type == join.protocol_type && shared {
            Ok(())
        } else {
            Err(ResponseError::InconsistentGroupProtocol)
        }
    }

    /// Refuses a member that is unknown, or whose static place another one has taken.
    pub fn check_member(&self, member: &str, instance: Option<&str>) -> Result<(), ResponseError> {
        if let Some(instance) = instance {
            match self.instances.get(instance) {
                None => return Err(ResponseError::UnknownMemberId),
                Some(holder) if holder != member => return Err(ResponseError::FencedInstanceId),
                Some(_) => {}
            }
        }
        let known = self.members.contains_key(member);
        if known { Ok(()) } else { Err(ResponseError::UnknownMemberId) }
    }

    /// Groups forget their members when the broker restarts; the time keeps ids apart.
    fn next_member_id(&mut self, join: &Join, now_ms: i64) -> String {
        self.ids += 1;
        let prefix = join.instance.as_ref().unwrap_or(&join.client);
        format!("{prefix}-{now_ms}-{}", self.ids)
    }

    fn admit(
        &mut self,
        id: String,
        join: &Join,
        ticket: Ticket,
        now_ms: i64,
        out: &mut Vec<(Ticket, Answer)>,
    ) {
        let mut member = Member::new(join, now_ms);
        member.joining = Some(ticket);
        if let Some(instance) = &join.instance {
            self.instances.insert(instance.clone(), id.clone());
        }
        if self.members.is_empty() {
            self.protocol_type.clone_from(&join.protocol_type);
        }
        self.members.insert(id, member);
        self.prepare(now_ms, out);
    }

    /// A static member that comes back keeps its share without a rebalance, under a new id.
    fn replace_static(
        &mut self,
        old: &str,
        join: &Join,
        ticket: Ticket,
        now_ms: i64,
        out: &mut Vec<(Ticket, Answer)>,
    ) -> Option<Joined> {
        let id = self.next_member_id(join, now_ms);
        let mut member = self.members.remove(old)?;
        for waiting in [member.joining.take(), member.syncing.take()].into_iter().flatten() {
            let error = ResponseError::FencedInstanceId;
            out.push((waiting, Answer::Refused { error, member: old.to_owned() }));
        }
        let unchanged = member.protocols == join.protocols;
        member.update(join, now_ms);
        let was_leader = self.leader == old;
        if was_leader {
            self.leader.clone_from(&id);
        }
        if let Some(instance) = &join.instance {
            self.instances.insert(instance.clone(), id.clone());
        }
        if self.status == Status::Stable && unchanged {
            self.members.insert(id.clone(), member);
            let mut joined = self.joined(&id);
            joined.skip_assignment = was_leader && join.may_skip;
            if was_leader && !join.may_skip {
                // A follower only syncs, and so gets the share that it had.
                old.clone_into(&mut joined.leader);
                joined.members.clear();
            }
            return Some(joined);
        }
        member.joining = Some(ticket);
        self.members.insert(id, member);
        self.prepare(now_ms, out);
        None
    }

    fn join_again(
        &mut self,
        join: &Join,
        ticket: Ticket,
        now_ms: i64,
        out: &mut Vec<(Ticket, Answer)>,
    ) -> Option<Joined> {
        let is_leader = self.leader == join.member;
        let member = self.members.get_mut(&join.member)?;
        let unchanged = member.protocols == join.protocols;
        member.update(join, now_ms);
        let same = match self.status {
            Status::Completing => unchanged,
            Status::Stable => unchanged && !is_leader,
            Status::Empty | Status::Preparing { .. } => false,
        };
        if same {
            return Some(self.joined(&join.member));
        }
        if let Some(stale) = member.joining.replace(ticket) {
            let error = ResponseError::UnknownMemberId;
            out.push((stale, Answer::Refused { error, member: join.member.clone() }));
        }
        self.prepare(now_ms, out);
        None
    }

    /// Begins a rebalance: whoever waits for a share must join again.
    fn prepare(&mut self, now_ms: i64, out: &mut Vec<(Ticket, Answer)>) {
        if matches!(self.status, Status::Preparing { .. }) {
            return;
        }
        self.status = Status::Preparing { since_ms: now_ms };
        for (id, member) in &mut self.members {
            if let Some(ticket) = member.syncing.take() {
                member.seen_ms = now_ms;
                let error = ResponseError::RebalanceInProgress;
                out.push((ticket, Answer::Refused { error, member: id.clone() }));
            }
        }
    }

    fn complete_join_if_all(&mut self, now_ms: i64, out: &mut Vec<(Ticket, Answer)>) {
        let preparing = matches!(self.status, Status::Preparing { .. });
        if preparing && self.members.values().all(|m| m.joining.is_some()) {
            self.complete_join(now_ms, out);
        }
    }

    /// Opens the next generation with those who have joined; the others are out.
    fn complete_join(&mut self, now_ms: i64, out: &mut Vec<(Ticket, Answer)>) {
        let static_ids: Vec<&String> = self.instances.values().collect();
        let absent = |id: &String, m: &Member| m.joining.is_none() && !static_ids.contains(&id);
        let gone: Vec<String> =
            self.members.iter().filter(|(id, m)| absent(id, m)).map(|(id, _)| id.clone()).collect();
        for id in &gone {
            self.members.remove(id);
        }
        self.generation += 1;
        if self.members.is_empty() {
            self.status = Status::Empty;
            self.leader.clear();
            self.protocol.clear();
            return;
        }
        self.protocol = self.elect_protocol();
        let joined = |m: &Member| m.joining.is_some();
        if !self.members.get(&self.leader).is_some_and(joined) {
            let first = self.members.iter().find(|(_, m)| joined(m)).map(|(id, _)| id.clone());
            self.leader = first.unwrap_or_default();
        }
        self.status = Status::Completing;
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let answer = self.joined(&id);
            let Some(member) = self.members.get_mut(&id) else { continue };
            member.assignment = Bytes::new();
            if let Some(ticket) = member.joining.take() {
                member.seen_ms = now_ms;
                out.push((ticket, Answer::Joined(answer)));
            }
        }
    }

    /// The protocol that everyone offers and most put first.
    fn elect_protocol(&self) -> String {
        let offered = |name: &str, m: &Member| m.protocols.iter().any(|p| p.name == name);
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let shared = member
                .protocols
                .iter()
                .find(|p| self.members.values().all(|m| offered(&p.name, m)));
            if let Some(protocol) = shared {
                *votes.entry(&protocol.name).or_default() += 1;
            }
        }
        votes.into_iter().max_by_key(|(_, n)| *n).map(|(p, _)| p.to_owned()).unwrap_or_default()
    }

    fn joined(&self, id: &str) -> Joined {
        let of = |(id, m): (&String, &Member)| {
            (id.clone(), m.instance.clone(), m.metadata(&self.protocol))
        };
        let is_leader = self.leader == id;
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            member: id.to_owned(),
            skip_assignment: false,
            members: if is_leader { self.members.iter().map(of).collect() } else { Vec::new() },
        }
    }

    /// Lets a member go.
    pub fn leave(&mut self, member: &str, now_ms: i64, out: &mut Vec<(Ticket, Answer)>) {
        self.promised.remove(member);
        let Some(gone) = self.members.remove(member) else { return };
        for ticket in [gone.joining, gone.syncing].into_iter().flatten() {
            let error = ResponseError::UnknownMemberId;
            out.push((ticket, Answer::Refused { error, member: member.to_owned() }));
        }
        self.instances.retain(|_, holder| holder != member);
        self.prepare(now_ms, out);
        self.complete_join_if_all(now_ms, out);
    }

    /// Drops members that were silent for too long and ends a rebalance that took too long.
    pub fn pass_time(&mut self, now_ms: i64, out: &mut Vec<(Ticket, Answer)>) {
        self.promised.retain(|_, lapses_ms| *lapses_ms > now_ms);
        let late: Vec<String> = self
            .members
            .iter()
            .filter(|(_, m)| m.is_late(now_ms))
            .map(|(id, _)| id.clone())
            .collect();
        for id in &late {
            self.leave(id, now_ms, out);
        }
        if let Status::Preparing { since_ms } = self.status {
            let patience_ms = self.members.values().map(|m| m.rebalance_ms).max().unwrap_or(0);
            if now_ms - since_ms >= patience_ms {
                self.complete_join(now_ms, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::member::Protocol;
    use super::*;

    fn join(member: &str, instance: Option<&str>, metadata: &'static str) -> Join {
        let metadata = Bytes::from_static(metadata.as_bytes());
        Join {
            member: member.to_owned(),
            instance: instance.map(str::to_owned),
            session_ms: 1_000,
            rebalance_ms: 3_000,
            protocol_type: "consumer".to_owned(),
            protocols: vec![Protocol { name: "range".to_owned(), metadata }],
            client: "c".to_owned(),
            host: "h".to_owned(),
            id_first: false,
            may_skip: true,
        }
    }

    #[derive(Default)]
    struct World {
        group: Group,
        out: Vec<(Ticket, Answer)>,
        tickets: u64,
    }

    impl World {
        fn join(&mut self, join: &Join, now_ms: i64) -> Ticket {
            self.tickets += 1;
            let ticket = Ticket(self.tickets);
            self.group.join(join, ticket, now_ms, &mut self.out);
            ticket
        }

        fn joined(&mut self, ticket: Ticket) -> Joined {
            let index = self.out.iter().position(|(t, _)| *t == ticket).expect("an answer");
            match self.out.remove(index).1 {
                Answer::Joined(joined) => joined,
                other => panic!("not joined: {other:?}"),
            }
        }

        /// One member alone in a stable group.
        fn settled(instance: Option<&str>) -> (Self, String) {
            let mut world = Self::default();
            let ticket = world.join(&join("", instance, "m"), 0);
            let member = world.joined(ticket).member;
            let shares = BTreeMap::from([(member.clone(), Bytes::from_static(b"all"))]);
            world.group.sync(&member, shares, Ticket(0), 0, &mut world.out);
            world.out.clear();
            assert_eq!(world.group.status, Status::Stable);
            (world, member)
        }
    }

    #[test]
    fn a_newcomer_waits_until_the_others_have_joined_again() {
        let (mut world, first) = World::settled(None);
        let newcomer = world.join(&join("", None, "m"), 10);
        assert!(world.out.is_empty());
        let refused = world.group.heartbeat(&first, 20);
        assert_eq!(refused, Err(ResponseError::RebalanceInProgress));
        let again = world.join(&join(&first, None, "m"), 30);
        let leader = world.joined(again);
        assert_eq!((leader.generation, leader.members.len()), (2, 2));
        let follower = world.joined(newcomer);
        assert_eq!((follower.generation, follower.members.len()), (2, 0));
    }

    #[test]
    fn a_silent_member_is_dropped_after_its_session() {
        let (mut world, first) = World::settled(None);
        world.group.pass_time(999, &mut world.out);
        assert!(world.group.check_member(&first, None).is_ok());
        world.group.pass_time(1_000, &mut world.out);
        let gone = world.group.check_member(&first, None);
        assert_eq!(gone, Err(ResponseError::UnknownMemberId));
        assert_eq!(world.group.status, Status::Empty);
    }

    #[test]
    fn a_rebalance_goes_on_without_the_one_who_does_not_join() {
        let (mut world, first) = World::settled(None);
        let newcomer = world.join(&join("", None, "m"), 500);
        for now_ms in [1_000, 1_900, 2_800] {
            let _ = world.group.heartbeat(&first, now_ms);
        }
        world.group.pass_time(3_499, &mut world.out);
        assert!(world.out.is_empty());
        world.group.pass_time(3_500, &mut world.out);
        let joined = world.joined(newcomer);
        assert_eq!((joined.generation, joined.members.len()), (2, 1));
    }

    #[test]
    fn a_static_member_keeps_generation_and_share_and_fences_its_double() {
        let (mut world, first) = World::settled(Some("one"));
        let ticket = world.join(&join("", Some("one"), "m"), 10);
        let back = world.joined(ticket);
        assert_eq!((back.generation, back.skip_assignment), (1, true));
        assert_ne!(back.member, first);
        let fenced = world.group.check_member(&first, Some("one"));
        assert_eq!(fenced, Err(ResponseError::FencedInstanceId));
        world.group.sync(&back.member, BTreeMap::new(), Ticket(99), 20, &mut world.out);
        let Some((_, Answer::Synced(synced))) = world.out.pop() else { panic!("no share") };
        assert_eq!(synced.assignment, "all");
    }

    #[test]
    fn a_member_of_another_generation_is_refused() {
        let (world, _) = World::settled(None);
        assert_eq!(world.group.check_generation(0), Err(ResponseError::IllegalGeneration));
        assert_eq!(world.group.check_generation(1), Ok(()));
    }
}
