//! What `completed` means: every step that had to be done has an outcome with which it goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::plan::Plan;
use super::spot::{Line, Point, Spot};
use super::story::{Story, Told};
use crate::definition::{BlockId, Composite, Instant, Join, Nature, Step, Waiting};

/// The first step that a completed saga has passed without having done it.
pub(super) fn missing(plan: &Plan, story: &Story) -> Option<String> {
    let points = story.steps.values().filter_map(|told| Some((told.spot.as_ref()?.point(), told)));
    let lines = story.steps.values().filter_map(|told| told.spot.as_ref());
    let whole = Whole {
        plan,
        story,
        told: points.collect(),
        lines: lines.flat_map(Spot::lines).cloned().collect(),
    };
    whole.line(BlockId::MAIN, &[])
}

struct Whole<'a> {
    plan: &'a Plan,
    story: &'a Story,
    told: BTreeMap<Point, &'a Told>,
    /// Every list in which something was told.
    lines: BTreeSet<Line>,
}

impl Whole<'_> {
    fn line(&self, block: BlockId, branch: &[u32]) -> Option<String> {
        let steps = &self.plan.definition.block(block).steps;
        steps.iter().find_map(|step| self.step(self.plan.definition.step(*step), branch))
    }

    /// Whether a list was begun and not left behind.
    fn counts(&self, block: BlockId, branch: &[u32]) -> bool {
        let line = Line { block, branch: branch.to_vec() };
        self.lines.contains(&line) && !self.story.dropped.contains(&line)
    }

    /// Whether nothing in a list is ever told of, so that it may have been passed unseen.
    fn is_silent(&self, block: BlockId) -> bool {
        let steps = &self.plan.definition.block(block).steps;
        steps.iter().all(|step| {
            let step = self.plan.definition.step(*step);
            let inner = step.blocks();
            match step.nature() {
                Nature::Instant(Instant::Set) | Nature::Waiting(Waiting::Time(_)) => {
                    step.when.is_none()
                }
                Nature::Composite(Composite::Each(_)) => true,
                Nature::Composite(_) => inner.iter().any(|block| self.is_silent(*block)),
                Nature::Instant(_) | Nature::Attempted(_) | Nature::Waiting(_) => false,
            }
        })
    }

    fn step(&self, step: &Step, branch: &[u32]) -> Option<String> {
        let told = self.told.get(&(step.id, branch.to_vec())).copied();
        let fine = told.is_some_and(|told| told.skipped || (told.rejected && step.may_be_passed()));
        if fine {
            return None;
        }
        let lacks = || Some(named(step, branch));
        let every = |blocks: &[BlockId]| blocks.iter().find_map(|block| self.line(*block, branch));
        let composite = match step.nature() {
            // Nothing is told of them; one that is conditional says when it is left out.
            Nature::Waiting(Waiting::Time(_)) => return None,
            Nature::Instant(instant) if instant.emitted().is_none() => return None,
            Nature::Instant(_) | Nature::Attempted(_) | Nature::Waiting(_) => {
                let done = told.is_some_and(|told| told.succeeded || told.announced);
                return if done { None } else { lacks() };
            }
            Nature::Composite(composite) => composite,
        };
        match composite {
            Composite::Lock(lock) => {
                let held = self.story.holds.contains_key(&(step.id, branch.to_vec()));
                if held { self.line(lock.block, branch) } else { lacks() }
            }
            Composite::Parallel(parallel) if parallel.join == Join::All => {
                every(&parallel.branches)
            }
            Composite::Parallel(parallel) => {
                let won = |block: &&BlockId| {
                    let line = Line { block: **block, branch: branch.to_vec() };
                    !self.story.dropped.contains(&line) && self.line(**block, branch).is_none()
                };
                if parallel.branches.iter().any(|block| won(&block)) { None } else { lacks() }
            }
            Composite::Choose(choose) => {
                let arms = choose.arms.iter().map(|arm| arm.block);
                let taken: Vec<_> = arms.clone().filter(|b| self.counts(*b, branch)).collect();
                match &taken[..] {
                    [one] => self.line(*one, branch),
                    [] if arms.clone().any(|block| self.is_silent(block)) => None,
                    _ => lacks(),
                }
            }
            Composite::Each(each) => self.branches(each.block, branch),
        }
    }

    /// Every branch of a fan-out that was not left behind.
    fn branches(&self, block: BlockId, branch: &[u32]) -> Option<String> {
        let inner = |line: &&Line| {
            line.block == block
                && line.branch.len() == branch.len() + 1
                && line.branch.starts_with(branch)
                && !self.story.dropped.contains(*line)
        };
        self.lines.iter().filter(inner).find_map(|line| self.line(block, &line.branch))
    }
}

fn named(step: &Step, branch: &[u32]) -> String {
    let mut name = step.name.to_string();
    for place in branch {
        write!(name, "[{place}]").expect("writing to a string never fails");
    }
    name
}
