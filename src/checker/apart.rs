//! Branches that cannot get into each other's way: on the way back one of them at a time is
//! looked at, and the others stand still meanwhile.
//!
//! On the way back nothing strikes all branches at once: there is no deadline and no cancel any
//! more. Whatever happens in one branch then means nothing to the others before all of them are
//! over. So of all orders in which two branches can be undone one is enough: a persistent set, the
//! moves of the first branch that is not over. As soon as no more than one is left, everything is
//! looked at, for what a late answer comes before is the end of that one. After the end there is
//! nothing to wait for, and the branches are looked at one after the other.

use std::collections::BTreeSet;

use super::model::State;
use super::moves::Move;
use super::spots::{Branch, Spot, spots};
use crate::definition::{
    BlockId, Composite, Correlation, Definition, PlacedExpression, Step, StepId, StepKind,
};
use crate::engine::{Direction, Frame, Instance, Life};
use crate::expression::Name;
use crate::message::Address;

/// The composite steps whose branches share nothing.
#[derive(Debug, Default)]
pub(super) struct Apart {
    composites: BTreeSet<StepId>,
}

impl Apart {
    pub fn of(definition: &Definition) -> Self {
        let is_apart = |step: &&Step| are_apart(definition, step);
        Self { composites: definition.steps.iter().filter(is_apart).map(|s| s.id).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.composites.is_empty()
    }

    /// Which of the moves that can be made are looked at: all of them, or those of one branch.
    pub fn chosen(&self, definition: &Definition, state: &State, moves: Vec<Move>) -> Vec<Move> {
        let life = state.instance.as_ref().and_then(Instance::newest);
        let goes_back = |life: &&Life| life.ended.is_some() || life.direction == Direction::Back;
        let Some(life) = life.filter(goes_back).filter(|_| !self.is_empty()) else {
            return moves;
        };
        let all = spots(definition, life);
        let places: Option<Vec<&Spot>> = moves.iter().map(|next| place(next, &all)).collect();
        // What has no place might be for any branch.
        let Some(places) = places else { return moves };
        // What comes again comes for ever.
        let is_new = |next: &Move| !matches!(next, Move::Again { .. });
        let new = moves.iter().zip(&places).filter(|(next, _)| is_new(next));
        let new: Vec<&Spot> = new.map(|(_, spot)| *spot).collect();
        let branch = if life.ended.is_some() {
            self.first(&life.frame, &Branch::default(), &new)
        } else {
            self.busy(&life.frame, &Branch::default())
        };
        let Some(branch) = branch else { return moves };
        let is_inside: Vec<bool> = places.iter().map(|spot| spot.is_inside(&branch)).collect();
        if !is_inside.contains(&true) {
            return moves;
        }
        let inside = moves.into_iter().zip(is_inside).filter(|(_, is_inside)| *is_inside);
        inside.map(|(next, _)| next).collect()
    }

    /// The first branch, and the innermost one, that anything can happen in.
    fn first(&self, frame: &Frame, around: &Branch, places: &[&Spot]) -> Option<Branch> {
        for (branch, inner, step) in around.branches(frame) {
            if !places.iter().any(|spot| spot.is_inside(&branch)) {
                continue;
            }
            let own = self.composites.contains(&step).then(|| branch.clone());
            return self.first(inner, &branch, places).or(own);
        }
        None
    }

    /// The first of several branches that are being undone; of those in it the first of several.
    fn busy(&self, frame: &Frame, around: &Branch) -> Option<Branch> {
        let is_busy = |frame: &Frame| frame.direction == Direction::Back && !frame.over;
        for state in frame.steps.iter().filter(|state| self.composites.contains(&state.step)) {
            let all = around.branches(frame).filter(|(_, _, step)| *step == state.step);
            let busy: Vec<_> = all.filter(|(_, inner, _)| is_busy(inner)).collect();
            let Some((branch, inner, _)) = busy.first() else { continue };
            let own = (busy.len() > 1).then(|| branch.clone());
            return self.busy(inner, branch).or(own);
        }
        None
    }
}

/// The step that a move is about, if it is about one.
fn place<'s>(next: &'s Move, spots: &'s [Spot]) -> Option<&'s Spot> {
    match next {
        Move::Reply { asked, .. }
        | Move::Again { asked, .. }
        | Move::Called { asked, .. }
        | Move::Exhausted(asked)
        | Move::Unsent(asked) => Some(&asked.spot),
        Move::Due(spot) | Move::Remind(spot) => Some(spot),
        Move::Act { step, .. } => spots.iter().find(|spot| Some(&spot.name) == step.as_ref()),
        Move::Start(_)
        | Move::StartChild
        | Move::Deadline
        | Move::Fact(_)
        | Move::Cancel(_)
        | Move::Letter { .. } => None,
    }
}

/// Whether nothing that happens in one branch of a step can be noticed in another.
fn are_apart(definition: &Definition, step: &Step) -> bool {
    let is_lock = |step: &Step| matches!(step.kind, StepKind::Lock(_));
    if definition.around(step.id).any(is_lock) {
        return false;
    }
    let blocks = match step.composite() {
        Some(Composite::Parallel(parallel)) => &parallel.branches[..],
        Some(Composite::Each(each)) => &[each.block],
        Some(Composite::Choose(_) | Composite::Lock(_)) | None => return false,
    };
    let branches: Vec<Contents> = blocks.iter().map(|b| Contents::of(definition, *b)).collect();
    let mean_nothing = |one: usize| {
        let own = &branches[one];
        own.is_alone(definition)
            && own.undoing_is_its_own(definition)
            && (0..branches.len())
                .all(|other| one == other || own.writes_nothing_of(&branches[other]))
    };
    (0..branches.len()).all(mean_nothing)
}

/// What is in a branch.
struct Contents<'d> {
    steps: Vec<&'d Step>,
    writes: BTreeSet<String>,
    /// What its undoing writes.
    undoing_writes: BTreeSet<String>,
    reads: Reads,
}

/// What some expressions read of the data.
#[derive(Default)]
struct Reads {
    fields: BTreeSet<String>,
    /// Whether all of the data is read at once.
    all: bool,
}

impl Reads {
    /// What the expressions of these steps read.
    fn of(definition: &Definition, is_one: impl Fn(&Step) -> bool) -> Self {
        let mut reads = Self::default();
        for PlacedExpression { expression, step, .. } in definition.expressions() {
            if !step.is_some_and(&is_one) {
                continue;
            }
            for read in expression.references() {
                match read.name {
                    Name::Data | Name::Branch => {}
                    Name::Event
                    | Name::Key
                    | Name::Now
                    | Name::Failure
                    | Name::Item
                    | Name::Index
                    | Name::Fence
                    | Name::Answer
                    | Name::Child => continue,
                }
                match read.fields.first() {
                    Some(field) => {
                        reads.fields.insert(field.clone());
                    }
                    None => reads.all = true,
                }
            }
        }
        reads
    }

    fn has_none_of(&self, fields: &BTreeSet<String>) -> bool {
        fields.is_empty() || (!self.all && self.fields.is_disjoint(fields))
    }
}

impl<'d> Contents<'d> {
    fn of(definition: &'d Definition, block: BlockId) -> Self {
        let is_inside = |step: &Step| {
            step.block == block || definition.around(step.id).any(|owner| owner.block == block)
        };
        let steps: Vec<&Step> = definition.steps.iter().filter(|step| is_inside(step)).collect();
        let undone = steps.iter().flat_map(|step| step.undo_sets()).flatten();
        let undoing_writes: BTreeSet<String> = undone.map(|set| set.field.clone()).collect();
        let mut writes = undoing_writes.clone();
        for outcome in steps.iter().flat_map(|step| step.outcomes()) {
            writes.extend(outcome.fields().map(str::to_owned));
        }
        Self { steps, writes, undoing_writes, reads: Reads::of(definition, is_inside) }
    }

    /// Whether what it writes is neither written nor read by another branch.
    fn writes_nothing_of(&self, other: &Self) -> bool {
        other.reads.has_none_of(&self.writes) && self.writes.is_disjoint(&other.writes)
    }

    /// Whether what its undoing writes is read nowhere else: whoever is undone late might read it
    /// before or after.
    fn undoing_is_its_own(&self, definition: &Definition) -> bool {
        let is_outside = |step: &Step| self.steps.iter().all(|own| own.id != step.id);
        self.undoing_writes.is_empty()
            || Reads::of(definition, is_outside).has_none_of(&self.undoing_writes)
    }

    /// Whether no lock, child or event of it can be another's, neither outside of it nor in the
    /// same branch of another element.
    fn is_alone(&self, definition: &Definition) -> bool {
        let is_shared = |step: &&Step| matches!(step.kind, StepKind::Lock(_) | StepKind::Saga(_));
        !self.steps.iter().any(is_shared)
            && self.steps.iter().all(|step| hears_alone(definition, step))
    }
}

/// Whether no event that answers a step, or is waited for by it, can be taken by another one.
fn hears_alone(definition: &Definition, step: &Step) -> bool {
    let in_fan_out = definition.fan_out_around(step.id).is_some();
    let replies = step.all_replies().map(|(_, reply)| reply);
    replies.chain(step.awaited().iter()).all(|reply| {
        let rule = definition.rule(reply.on);
        if rule.is_some_and(|rule| rule.by == Correlation::CommandId) {
            return true;
        }
        let of_element = reply.condition.is_some_and(|condition| {
            condition.references().iter().any(|read| read.name == Name::Item)
        });
        (of_element || !in_fan_out) && readers(definition, reply.on) == 1
    })
}

/// How many steps, starts and cancels read an event.
fn readers(definition: &Definition, on: &Address) -> usize {
    let by_step = |step: &&Step| {
        let replies = step.all_replies().map(|(_, reply)| reply);
        replies.chain(step.awaited().iter()).any(|reply| reply.on == on)
    };
    let starts = definition.starts.iter().filter(|start| start.on == *on).count();
    let cancels = definition.cancel.iter().filter(|cancel| cancel.on == *on).count();
    definition.steps.iter().filter(by_step).count() + starts + cancels
}
