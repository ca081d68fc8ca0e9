//! What cannot get into each other's way: branches that share nothing, and answers that come late.

use std::collections::BTreeSet;

use crate::definition::{
    BlockId, Composite, Correlation, Definition, Join, PlacedExpression, Step, StepId, StepKind,
    Then, Verdict,
};
use crate::expression::Name;
use crate::message::{Address, Span};

/// What may be looked at one after the other.
#[derive(Debug, Default)]
pub(super) struct Apart {
    /// The composite steps whose branches share nothing.
    composites: BTreeSet<StepId>,
    /// Those of them of which nothing is left in the data if not every branch comes through.
    all_or_nothing: BTreeSet<StepId>,
    /// The steps whose late success means nothing to others.
    late: BTreeSet<StepId>,
}

impl Apart {
    pub fn of(definition: &Definition) -> Self {
        let steps = || definition.steps.iter();
        let apart = steps().filter(|step| are_apart(definition, step));
        let composites: BTreeSet<StepId> = apart.map(|step| step.id).collect();
        let own = steps().filter(|step| composites.contains(&step.id));
        let all_or_nothing = own.filter(|step| is_all_or_nothing(definition, step));
        let late = steps().filter(|step| may_be_late(definition, step));
        Self {
            all_or_nothing: all_or_nothing.map(|step| step.id).collect(),
            late: late.map(|step| step.id).collect(),
            composites,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.composites.is_empty() && self.late.is_empty()
    }

    /// Whether nothing that happens in one branch of a step can be noticed in another.
    pub fn has_apart(&self, step: StepId) -> bool {
        self.composites.contains(&step)
    }

    /// The same, and what some branches have done decides nothing if others fail.
    pub fn is_all_or_nothing(&self, step: StepId) -> bool {
        self.all_or_nothing.contains(&step)
    }

    /// Whether a late success of a step is nobody else's business.
    pub fn may_be_late(&self, step: StepId) -> bool {
        self.late.contains(&step)
    }
}

/// Whether the saga never goes on with what only some of the branches of a step have done: one that
/// fails takes all that is around it back.
fn is_all_or_nothing(definition: &Definition, step: &Step) -> bool {
    let is_race = matches!(step.composite(), Some(Composite::Parallel(p)) if p.join == Join::First);
    let ends_early = |step: &Step| match limits(step) {
        Some((within, failed)) => within.is_some() && failed.then != Then::GoBack,
        None => false,
    };
    !is_race && !ends_early(step) && !definition.around(step.id).any(ends_early)
}

/// How long the branches of a step may take, and what it means if they take longer.
fn limits(step: &Step) -> Option<(Option<Span>, &Verdict)> {
    match step.composite()? {
        Composite::Parallel(parallel) => Some((parallel.within, &parallel.failed)),
        Composite::Each(each) => Some((each.within, &each.failed)),
        Composite::Choose(choose) => Some((choose.within, &choose.failed)),
        // Its time is up before anything in it has begun.
        Composite::Lock(_) => None,
    }
}

/// Whether a late success is taken by the step itself, and undone without a word to others.
fn may_be_late(definition: &Definition, step: &Step) -> bool {
    let is_request = matches!(step.kind, StepKind::Command(_) | StepKind::Call(_));
    let undone = step.undo_sets().into_iter().flatten();
    let undoing_writes: BTreeSet<String> = undone.map(|set| set.field.clone()).collect();
    let is_other = |other: &Step| other.id != step.id;
    is_request
        && !definition.around(step.id).any(is_lock)
        && hears_alone(definition, step)
        && Reads::of(definition, is_other).has_none_of(&undoing_writes)
}

fn is_lock(step: &Step) -> bool {
    matches!(step.kind, StepKind::Lock(_))
}

/// Whether nothing that happens in one branch of a step can be noticed in another.
fn are_apart(definition: &Definition, step: &Step) -> bool {
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
        let is_shared = |step: &&Step| match &step.kind {
            StepKind::Lock(_) => {
                let locks = definition.steps.iter().filter(|step| is_lock(step));
                locks.count() > 1 || definition.fan_out_around(step.id).is_some()
            }
            // Without a key of its own a child is named for the step and its branch.
            StepKind::Saga(child) => child.key.is_some(),
            StepKind::Command(_)
            | StepKind::Call(_)
            | StepKind::Emit(_)
            | StepKind::Set
            | StepKind::Wait(_)
            | StepKind::Sleep(_)
            | StepKind::Ask(_)
            | StepKind::Fail(_)
            | StepKind::Parallel(_)
            | StepKind::Each(_)
            | StepKind::Choose(_) => false,
        };
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
            condition.references().iter().any(|read| matches!(read.name, Name::Item | Name::Index))
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
