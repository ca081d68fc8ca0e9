//! Which of the moves that can be made are looked at, where their order means nothing.
//!
//! On the way back nothing strikes all branches at once: there is no deadline and no cancel any
//! more. Whatever happens in one branch then means nothing to the others before all of them are
//! over. So of all orders in which two branches can be undone one is enough: a persistent set, the
//! moves of the first branch that is not over. As soon as no more than one is left, everything is
//! looked at, for what a late answer comes before is the end of that one. After the end there is
//! nothing to wait for, and the branches are looked at one after the other.
//!
//! On the way forward a deadline, a cancel, a person and the failure of a branch strike all
//! branches at once, and each of them is struck as if it were alone. So it is enough that each is
//! struck at every place where it can stand, and not at every combination: while one is on its
//! way, the others have not done anything yet, are over, or wait for what may never come. What was
//! given up can be answered as long as one likes, so a late answer on the way forward can as well
//! come behind it.

use super::apart::Apart;
use super::model::{Around, Partner, Stands, State};
use super::moves::Move;
use super::spots::{Branch, Spot, coordinate, spots, waits};
use crate::definition::{Definition, Nature};
use crate::engine::{Direction, Frame, Instance, Life, Phase, Progress, Request, StepState};
use crate::message::{Coordinate, Part};

/// One life, and what may be looked at one after the other in it.
struct Turns<'s> {
    apart: &'s Apart,
    definition: &'s Definition,
    life: &'s Life,
    around: &'s Around,
    spots: Vec<Spot>,
}

/// Which of the moves that can be made in a state are looked at: all of them, or those of one
/// branch.
pub(super) fn chosen(
    apart: &Apart,
    definition: &Definition,
    state: &State,
    moves: Vec<Move>,
) -> Vec<Move> {
    let life = state.instance.as_ref().and_then(Instance::newest);
    let Some(life) = life.filter(|_| !apart.is_empty()) else { return moves };
    let around = &state.around;
    let turns = Turns { apart, definition, life, around, spots: spots(definition, life) };
    let goes_back = life.ended.is_some() || life.direction == Direction::Back;
    let is_looked_at = if goes_back { turns.back(&moves) } else { Some(turns.forward(&moves)) };
    match is_looked_at {
        Some(is_looked_at) => {
            let chosen = moves.into_iter().zip(is_looked_at).filter(|(_, is_one)| *is_one);
            chosen.map(|(next, _)| next).collect()
        }
        None => moves,
    }
}

impl Turns<'_> {
    /// Which moves are looked at on the way back, or behind the end; none if all are.
    fn back(&self, moves: &[Move]) -> Option<Vec<bool>> {
        // What has no place might be for any branch.
        let places: Vec<&Spot> =
            moves.iter().map(|next| self.place(next)).collect::<Option<_>>()?;
        // What comes again comes for ever.
        let is_new = |next: &Move| !matches!(next, Move::Again { .. });
        let new = moves.iter().zip(&places).filter(|(next, _)| is_new(next));
        let new: Vec<&Spot> = new.map(|(_, spot)| *spot).collect();
        let branch = if self.life.ended.is_some() {
            self.first(&self.life.frame, &Branch::default(), &new)
        } else {
            self.busy(&self.life.frame, &Branch::default())
        }?;
        let is_inside: Vec<bool> = places.iter().map(|spot| spot.is_inside(&branch)).collect();
        is_inside.contains(&true).then_some(is_inside)
    }

    /// The first branch, and the innermost one, that anything can happen in.
    fn first(&self, frame: &Frame, around: &Branch, places: &[&Spot]) -> Option<Branch> {
        for (branch, inner, step) in around.branches(frame) {
            if !places.iter().any(|spot| spot.is_inside(&branch)) {
                continue;
            }
            let own = self.apart.has_apart(step).then(|| branch.clone());
            return self.first(inner, &branch, places).or(own);
        }
        None
    }

    /// The first of several branches that are being undone; of those in it the first of several.
    fn busy(&self, frame: &Frame, around: &Branch) -> Option<Branch> {
        let is_busy = |frame: &Frame| frame.direction == Direction::Back && !frame.over;
        for state in frame.steps.iter().filter(|state| self.apart.has_apart(state.step)) {
            let all = around.branches(frame).filter(|(_, _, step)| *step == state.step);
            let busy: Vec<_> = all.filter(|(_, inner, _)| is_busy(inner)).collect();
            let Some((branch, inner, _)) = busy.first() else { continue };
            let own = (busy.len() > 1).then(|| branch.clone());
            return self.busy(inner, branch).or(own);
        }
        None
    }

    /// Which moves are looked at on the way forward.
    fn forward(&self, moves: &[Move]) -> Vec<bool> {
        let mut still = Vec::new();
        self.stand_still(&self.life.frame, &Branch::default(), &mut still);
        let is_held = |next: &Move| {
            let place = self.place(next);
            place.is_some_and(|spot| still.iter().any(|branch| spot.is_inside(branch)))
                || self.is_late(next)
        };
        let is_looked_at: Vec<bool> = moves.iter().map(|next| !is_held(next)).collect();
        let mut left = moves.iter().zip(&is_looked_at).filter(|(_, is_one)| **is_one);
        if left.all(|(next, _)| next.is_voluntary()) {
            // Nobody else may ever come.
            return vec![true; moves.len()];
        }
        is_looked_at
    }

    /// Finds the branches that stand still because one beside them is on its way.
    fn stand_still(&self, frame: &Frame, around: &Branch, still: &mut Vec<Branch>) {
        let all: Vec<_> = around.branches(frame).collect();
        for state in frame.steps.iter().filter(|s| self.apart.is_all_or_nothing(s.step)) {
            let owner = state.step;
            let own = || all.iter().filter(move |(_, _, step)| *step == owner);
            let is_on_its_way =
                |(branch, inner, _): &&(Branch, &Frame, _)| !self.is_quiet(branch, inner);
            let Some((first, ..)) = own().find(is_on_its_way) else { continue };
            still.extend(own().filter(|(b, ..)| b != first).map(|(branch, ..)| branch.clone()));
        }
        for (branch, inner, _) in &all {
            self.stand_still(inner, branch, still);
        }
    }

    /// Whether a branch is over, has not done anything yet, or waits for what may never come.
    fn is_quiet(&self, branch: &Branch, frame: &Frame) -> bool {
        let rests = || !waits(frame) && !self.has_child(branch);
        frame.over || (!self.is_stuck(branch) && (self.is_fresh(frame) || rests()))
    }

    /// Whether a child of a branch is under way.
    fn has_child(&self, branch: &Branch) -> bool {
        let runs = |child: &&Partner| matches!(child.stands, Stands::Running | Stands::Asked);
        let mut children = self.around.partners.values().filter(runs);
        children
            .any(|child| self.named(&child.letter.step).is_some_and(|spot| spot.is_inside(branch)))
    }

    fn named(&self, name: &Coordinate) -> Option<&Spot> {
        self.spots.iter().find(|spot| spot.name == *name)
    }

    /// Whether a person must see to something in a branch.
    fn is_stuck(&self, branch: &Branch) -> bool {
        self.life.stuck.iter().any(|stuck| {
            let name = coordinate(self.definition, stuck);
            self.named(&name).is_some_and(|spot| spot.is_inside(branch))
        })
    }

    /// Whether a branch stands as it was begun.
    fn is_fresh(&self, frame: &Frame) -> bool {
        let is_begun =
            |request: &Request| matches!(request.progress, Progress::Waiting(_) | Progress::Open);
        let stands = |state: &StepState| {
            state.phase == Phase::Running
                && state.undos.is_empty()
                && state.probe().is_none()
                && state.action().is_none_or(is_begun)
                && state.frames().iter().all(|inner| self.is_fresh(inner))
        };
        let is_passed = |state: &StepState| {
            let step = self.definition.step(state.step);
            matches!(step.nature(), Nature::Instant(_)) || state.phase == Phase::Skipped
        };
        let Some((last, before)) = frame.steps.split_last() else { return true };
        frame.direction == Direction::Forward && before.iter().all(is_passed) && stands(last)
    }

    /// Whether a move is a late answer for what the way forward has left behind.
    fn is_late(&self, next: &Move) -> bool {
        let asked = match next {
            Move::Reply { asked, .. } | Move::Called { asked, .. } => asked,
            Move::Start(_)
            | Move::StartChild
            | Move::Again { .. }
            | Move::Exhausted(_)
            | Move::Unsent(_)
            | Move::Due(_)
            | Move::Remind(_)
            | Move::Deadline
            | Move::Fact(_)
            | Move::Cancel(_)
            | Move::Act { .. }
            | Move::Letter { .. } => return false,
        };
        let state = asked.spot.state(self.life);
        asked.part == Part::Action
            && asked.progress == Progress::GivenUp
            && self.apart.may_be_late(state.step)
            && state.phase != Phase::Running
            && asked.spot.is_behind(self.life)
    }

    /// The step that a move is about, if it is about one.
    fn place<'m>(&'m self, next: &'m Move) -> Option<&'m Spot> {
        match next {
            Move::Reply { asked, .. }
            | Move::Again { asked, .. }
            | Move::Called { asked, .. }
            | Move::Exhausted(asked)
            | Move::Unsent(asked) => Some(&asked.spot),
            Move::Due(spot) | Move::Remind(spot) => Some(spot),
            Move::Act { step, .. } => self.named(step.as_ref()?),
            Move::Letter { from, .. } => self.named(&self.around.partners.get(from)?.letter.step),
            Move::Fact(on) => {
                let awaits = |spot: &&Spot| {
                    let state = spot.state(self.life);
                    let step = self.definition.step(state.step);
                    state.phase == Phase::Running && step.awaited().mention(on)
                };
                let mut awaiting = self.spots.iter().filter(awaits);
                // Which of several takes it is not known before.
                awaiting.next().filter(|_| awaiting.next().is_none())
            }
            Move::Start(_) | Move::StartChild | Move::Deadline | Move::Cancel(_) => None,
        }
    }
}
