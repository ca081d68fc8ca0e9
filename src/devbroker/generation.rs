//! Life within a generation of a group: shares are handed out and members show that they live.

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::ResponseError;

use super::answer::{Answer, Status, Synced, Ticket};
use super::group::Group;

impl Group {
    /// Asks for a member's share; the leader brings everyone's.
    pub fn sync(
        &mut self,
        member: &str,
        shares: BTreeMap<String, Bytes>,
        ticket: Ticket,
        now_ms: i64,
        out: &mut Vec<(Ticket, Answer)>,
    ) {
        let Some(asking) = self.members.get_mut(member) else { return };
        asking.seen_ms = now_ms;
        match self.status {
            Status::Empty | Status::Preparing { .. } => {
                let error = ResponseError::RebalanceInProgress;
                out.push((ticket, Answer::Refused { error, member: member.to_owned() }));
            }
            Status::Stable => out.push((ticket, Answer::Synced(self.synced(member)))),
            Status::Completing => {
                asking.syncing = Some(ticket);
                if self.leader == member {
                    self.share_out(shares, now_ms, out);
                }
            }
        }
    }

    fn share_out(
        &mut self,
        mut shares: BTreeMap<String, Bytes>,
        now_ms: i64,
        out: &mut Vec<(Ticket, Answer)>,
    ) {
        self.status = Status::Stable;
        for (id, member) in &mut self.members {
            member.assignment = shares.remove(id).unwrap_or_default();
        }
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let answer = self.synced(&id);
            let Some(member) = self.members.get_mut(&id) else { continue };
            if let Some(ticket) = member.syncing.take() {
                member.seen_ms = now_ms;
                out.push((ticket, Answer::Synced(answer)));
            }
        }
    }

    fn synced(&self, id: &str) -> Synced {
        Synced {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment: self.members.get(id).map(|m| m.assignment.clone()).unwrap_or_default(),
        }
    }

    /// Notes that a member lives.
    pub fn heartbeat(&mut self, member: &str, now_ms: i64) -> Result<(), ResponseError> {
        if let Some(member) = self.members.get_mut(member) {
            member.seen_ms = now_ms;
        }
        match self.status {
            Status::Preparing { .. } => Err(ResponseError::RebalanceInProgress),
            Status::Empty => Err(ResponseError::UnknownMemberId),
            Status::Completing | Status::Stable => Ok(()),
        }
    }

    /// Refuses what a member says about another generation.
    pub fn check_generation(&self, generation: i32) -> Result<(), ResponseError> {
        let same = generation == self.generation;
        if same { Ok(()) } else { Err(ResponseError::IllegalGeneration) }
    }
}
