use std::collections::{BTreeMap, BTreeSet};

use super::setup::Place;
use crate::message::Offset;

/// A consumer group as its coordinator sees it: cooperative, with static members.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    places: BTreeSet<Place>,
    members: BTreeMap<u64, Member>,
    /// Who reads what now; a place changes hands only by way of nobody.
    owners: BTreeMap<Place, u64>,
    /// Who shall read what.
    wanted: BTreeMap<Place, u64>,
    offsets: BTreeMap<Place, Offset>,
    /// Offsets in open transactions.
    pending: BTreeMap<u64, BTreeMap<Place, Offset>>,
}

#[derive(Debug, Clone)]
struct Member {
    name: String,
    held: BTreeSet<Place>,
}

/// What changed for a member.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rebalance {
    pub revoked: Vec<Place>,
    pub assigned: Vec<Place>,
}

impl Group {
    pub fn watch(&mut self, place: Place) {
        if self.places.insert(place) {
            self.assign();
        }
    }

    /// Lets a member in; one of the same name is replaced, and its places are the new one's.
    pub fn join(&mut self, member: u64, name: &str) {
        let old = self.members.iter().find(|(_, m)| m.name == name).map(|(id, _)| *id);
        if let Some(old) = old {
            self.members.remove(&old);
            self.owners.retain(|_, owner| *owner != old);
            for wanted in self.wanted.values_mut().filter(|w| **w == old) {
                *wanted = member;
            }
        }
        let held = BTreeSet::new();
        self.members.insert(member, Member { name: name.to_owned(), held });
        self.assign();
    }

    /// Puts a member out, whether or not it knows. Answers whether it was in.
    pub fn leave(&mut self, member: u64) -> bool {
        let was_in = self.members.remove(&member).is_some();
        if was_in {
            self.owners.retain(|_, owner| *owner != member);
            self.assign();
        }
        was_in
    }

    pub fn is_member(&self, member: u64) -> bool {
        self.members.contains_key(&member)
    }

    /// The member of that name.
    pub fn named(&self, name: &str) -> Option<u64> {
        self.members.iter().find(|(_, m)| m.name == name).map(|(id, _)| *id)
    }

    /// Tells a member what it lost and what it got.
    pub fn rebalance(&mut self, id: u64) -> Rebalance {
        let Some(member) = self.members.get_mut(&id) else { return Rebalance::default() };
        let wanted = |place: &Place| self.wanted.get(place) == Some(&id);
        let revoked: Vec<Place> = member.held.iter().filter(|p| !wanted(p)).cloned().collect();
        for place in &revoked {
            member.held.remove(place);
            self.owners.remove(place);
        }
        let is_free = |place: &&Place| wanted(place) && !self.owners.contains_key(*place);
        let assigned: Vec<Place> = self.places.iter().filter(is_free).cloned().collect();
        for place in &assigned {
            member.held.insert(place.clone());
            self.owners.insert(place.clone(), id);
        }
        Rebalance { revoked, assigned }
    }

    /// The offset that a new owner starts from.
    pub fn offset(&self, place: &Place) -> Offset {
        self.offsets.get(place).copied().unwrap_or_default()
    }

    /// Commits offsets outside any transaction, unless the member is out.
    pub fn commit(&mut self, member: u64, offsets: &BTreeMap<Place, Offset>) -> bool {
        let known = self.members.contains_key(&member);
        if known {
            self.offsets.extend(offsets.iter().map(|(p, o)| (p.clone(), *o)));
        }
        known
    }

    /// Keeps offsets until their transaction ends.
    pub fn stage(&mut self, transaction: u64, offsets: BTreeMap<Place, Offset>) {
        self.pending.entry(transaction).or_default().extend(offsets);
    }

    pub fn settle(&mut self, transaction: u64, committed: bool) {
        let staged = self.pending.remove(&transaction).unwrap_or_default();
        if committed {
            self.offsets.extend(staged);
        }
    }

    /// As even as can be, and as it was where it can be.
    fn assign(&mut self) {
        self.wanted.retain(|_, member| self.members.contains_key(member));
        if self.members.is_empty() {
            return;
        }
        let share = self.places.len().div_ceil(self.members.len());
        let mut loads: BTreeMap<u64, usize> = self.members.keys().map(|m| (*m, 0)).collect();
        self.wanted.retain(|_, member| {
            let load = loads.entry(*member).or_default();
            *load += 1;
            *load <= share
        });
        for (member, load) in &mut loads {
            *load = self.wanted.values().filter(|w| *w == member).count();
        }
        for place in &self.places {
            if self.wanted.contains_key(place) {
                continue;
            }
            let least = loads.iter().min_by_key(|(_, load)| **load).map(|(member, _)| *member);
            if let Some(member) = least {
                *loads.entry(member).or_default() += 1;
                self.wanted.insert(place.clone(), member);
            }
        }
    }
}
