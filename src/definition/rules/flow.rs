use std::collections::{BTreeMap, BTreeSet};

use super::known::{Field, Known, Premise};
use super::outcome::{self, Fields};
use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::parse::Place;
use crate::definition::places::Read;
use crate::definition::{
    Assignment, BlockId, ChooseStep, Composite, Join, ParallelStep, Step, StepId, StepKind,
};
use crate::expression::{Expression, Name, Reference};

/// Follows every way forward and finds what is read but may not be set, and what nothing reaches.
pub(super) fn check(whole: &mut Whole<'_>) {
    let mut flow = Flow { whole, at: BTreeMap::new(), collected: BTreeMap::new() };
    let data = flow.whole.definition.data.iter().map(|a| a.field.clone());
    let start = Known::of(data);
    let end = flow.block(BlockId::MAIN, start);
    let (at, collected) = (flow.at, flow.collected);
    failure_when_done(whole);
    let early = first_rest(whole, &at);
    for read in &whole.places.reads {
        let known = match (read.step, read.place) {
            (None, Place::Completed) => end.as_ref(),
            (None, Place::Ended | Place::Cancel) => early.as_ref(),
            (None, _) => None,
            (Some(step), Place::Collect) => collected.get(&step),
            (Some(step), _) => at.get(&step),
        };
        if let Some(known) = known {
            check_read(whole, read, known);
        }
    }
}

/// A child that has completed has no failure.
fn failure_when_done(whole: &mut Whole<'_>) {
    for step in whole.steps().filter(|step| matches!(step.kind, StepKind::Saga(_))) {
        for Assignment { field, value } in &step.set {
            let read = |read: &Reference| {
                let is_failure = read.fields.first().is_some_and(|first| first == "failure");
                read.name == Name::Child && is_failure && read.needs_first()
            };
            if value.references().iter().any(read) {
                let message = "`child.failure` is not there when the child has completed";
                let help = "read it where the child has failed: `failed: { then: go-on, set: … }`";
                let span = whole.keys(step.id).value(&format!("set.{field}"));
                whole.error(Code::Unset, span, message, help);
            }
        }
    }
}

/// What is set when the saga first waits for something: it may go back or end from there.
fn first_rest(whole: &Whole<'_>, at: &BTreeMap<StepId, Known>) -> Option<Known> {
    let passes =
        |step: &Step| step.when.is_none() && matches!(step.kind, StepKind::Set | StepKind::Emit(_));
    let main = whole.definition.main();
    let first = main.iter().find(|id| !passes(whole.definition.step(**id)));
    first.or(main.last()).and_then(|id| at.get(id)).cloned()
}

fn check_read(whole: &mut Whole<'_>, read: &Read, known: &Known) {
    let Some((scope, field)) = read.field().filter(|_| !read.asked) else { return };
    let field = (scope, field.to_owned());
    let back = matches!(read.place, Place::Back | Place::Undone | Place::UndoneHttp);
    let told = read.step.filter(|_| back).map(|step| whole.definition.step(step));
    let told = told.filter(|step| matches!(step.kind, StepKind::Emit(_)));
    // A fact is told for sure: what it sets is there when it is corrected.
    let own = told.is_some_and(|step| outcome::fills(step).contains(&field.1));
    if known.fields.contains(&field) || own {
        return;
    }
    let setters = setters(whole, &field);
    if read.step.is_some_and(|step| is_decided(whole, step, &setters)) && !back {
        return;
    }
    let path = format!("{}.{}", read.name.text(), field.1);
    let (code, message) = match read.place {
        Place::Back | Place::Undone | Place::UndoneHttp => {
            (Code::UnsetOnWayBack, format!("`{path}` may not be set when this is undone"))
        }
        Place::Ended | Place::Cancel => {
            (Code::UnsetAtEnd, format!("`{path}` may not be set by then"))
        }
        Place::Before
        | Place::Data
        | Place::Guard
        | Place::Alone
        | Place::Reply
        | Place::Http
        | Place::Answer
        | Place::Child
        | Place::Collect
        | Place::Completed => (Code::Unset, format!("`{path}` may not be set here")),
    };
    let help = why(read, &setters, &path);
    whole.error(code, read.span.clone(), message, help);
}

/// Why a field may not be set, and what to do.
fn why(read: &Read, setters: &[&Step], path: &str) -> String {
    let ask = format!("ask first: `has({path}) ? {path} : …`");
    let Some(setter) = setters.first() else {
        return format!("no step sets it on the way forward; {ask}");
    };
    let (name, line) = (&setter.name, setter.line);
    let all = named(setters);
    let back = matches!(read.place, Place::Back | Place::Undone | Place::UndoneHttp);
    match read.step {
        Some(step) if back && step == setter.id => format!(
            "the answer that sets it may never have come; use what `data` knew before the step, \
             or {ask}"
        ),
        Some(step) if setter.id >= step => {
            format!("`{name}` on line {line} sets it, but only later; move it, or {ask}")
        }
        Some(_) if setters.len() > 1 => format!(
            "{all} set it, but not whichever way it goes; set it on the ways that are left, give \
             it a first value under `data`, or {ask}"
        ),
        Some(_) => format!(
            "{all} sets it, but not whichever way it goes; set it there in every case, give it a \
             first value under `data`, or {ask}"
        ),
        None if setters.len() > 1 => {
            format!("{all} set it, and the saga may go back before; {ask}")
        }
        None => format!("{all} sets it, and the saga may go back before; {ask}"),
    }
}

/// The most steps that a message names.
const NAMED_MAX: usize = 5;

/// Steps by their names and lines.
fn named(steps: &[&Step]) -> String {
    let name = |step: &&Step| format!("`{}` on line {}", step.name, step.line);
    let mut names: Vec<String> = steps.iter().take(NAMED_MAX).map(name).collect();
    if steps.len() > NAMED_MAX {
        names.push(format!("{} more", steps.len() - NAMED_MAX));
    }
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) }
}

/// The steps that may set a field on the way forward.
fn setters<'d>(whole: &Whole<'d>, field: &Field) -> Vec<&'d Step> {
    let sets =
        |step: &&Step| whole.each(step.id) == field.0 && whole.fills(step.id).contains(&field.1);
    whole.steps().filter(sets).collect()
}

/// Whether a guard around a step reads what decides whether one of the setters has set: then the
/// author tells the cases apart.
fn is_decided(whole: &Whole<'_>, step: StepId, setters: &[&Step]) -> bool {
    let mut deciding: BTreeSet<String> = BTreeSet::new();
    let read = |guard: &Expression, into: &mut BTreeSet<String>| {
        let data = guard.references().into_iter().filter(|r| r.name != Name::Now);
        into.extend(data.map(|r| r.fields.first().cloned().unwrap_or_default()));
    };
    for setter in setters {
        deciding.extend(outcome::fills(setter));
        for guard in whole.guards(setter.id) {
            read(guard, &mut deciding);
        }
        for owner in whole.around(setter.id) {
            let inside =
                whole.steps().filter(|s| whole.around(s.id).iter().any(|o| o.id == owner.id));
            deciding.extend(inside.flat_map(outcome::fills));
            deciding.extend(outcome::fills(owner));
        }
    }
    let mut asked = BTreeSet::new();
    for guard in whole.guards(step) {
        read(guard, &mut asked);
    }
    !asked.is_disjoint(&deciding)
}

struct Flow<'w, 'd> {
    whole: &'w mut Whole<'d>,
    /// What is set when a step begins.
    at: BTreeMap<StepId, Known>,
    /// What is set at the end of the branches of an `each`.
    collected: BTreeMap<StepId, Known>,
}

impl Flow<'_, '_> {
    /// What is set behind a list of steps; none if nothing comes out of it.
    fn block(&mut self, block: BlockId, known: Known) -> Option<Known> {
        let mut known = known;
        for id in &self.whole.definition.block(block).steps {
            let step = self.whole.definition.step(*id);
            let Some(next) = self.step(step, known) else {
                let rest = &self.whole.definition.block(block).steps;
                if let Some(lost) = rest.iter().find(|lost| **lost > *id) {
                    self.unreachable(*lost, step);
                }
                return None;
            };
            known = next;
        }
        Some(known)
    }

    fn unreachable(&mut self, lost: StepId, from: &Step) {
        let span = self.whole.keys(lost).key("step");
        let message = "this step can never be reached";
        let help = format!(
            "`{}` on line {} never lets the saga go on; remove what stands behind it, or give it \
             a `when`",
            from.name, from.line
        );
        self.whole.error(Code::Unreachable, span, message, help);
    }

    fn step(&mut self, step: &Step, known: Known) -> Option<Known> {
        let scope = self.whole.each(step.id);
        let Some(when) = &step.when else {
            self.at.insert(step.id, known.clone());
            return self.through(step, &known);
        };
        let mut entered = known.clone();
        let may_enter = entered.assume(when, true, scope);
        self.at.insert(step.id, entered.clone());
        let mut skipped = known;
        let may_skip = skipped.assume(when, false, scope);
        let out = self.through(step, &entered);
        let Some(out) = out.filter(|_| may_enter || !may_skip) else {
            return Some(skipped);
        };
        if !may_skip {
            return Some(out);
        }
        let filled = self.filled(step);
        let mut behind = skipped.clone().meet(&out);
        for (holds, way) in [(true, &out), (false, &skipped)] {
            let premise = Premise::Guards(vec![(when.clone(), holds)], scope);
            behind.imply(premise, &filled, &way.fields);
        }
        Some(behind)
    }

    /// What is known behind a step that is entered.
    fn through(&mut self, step: &Step, known: &Known) -> Option<Known> {
        let Some(composite) = step.composite() else {
            return self.leaf(step, known);
        };
        let scope = self.whole.each(step.id);
        let out = match composite {
            Composite::Parallel(parallel) => self.parallel(step, parallel, known),
            Composite::Each(each) => {
                let mut branch = known.clone();
                branch.enter_branch();
                if let Some(end) = self.block(each.block, branch) {
                    self.collected.insert(step.id, end);
                }
                let mut out = known.clone();
                out.may_fill(scope, &self.filled(step));
                out.fill(scope, &each.collect.iter().map(|a| a.field.clone()).collect());
                Some(out)
            }
            Composite::Choose(choose) => self.choose(step, choose, known),
            Composite::Lock(lock) => self.block(lock.block, known.clone()),
        };
        let own: Fields = step.set.iter().map(|a| a.field.clone()).collect();
        let out = out.map(|mut out| {
            out.may_fill(scope, &own);
            out.fill(scope, &own);
            out
        });
        let passed = outcome::passed(composite.failed()).map(|fields| {
            let mut passed = known.clone();
            passed.may_fill(scope, &self.filled(step));
            passed.fill(scope, &fields);
            passed
        });
        Known::meet_all(out.into_iter().chain(passed))
    }

    /// What is known behind a step without steps in it.
    fn leaf(&self, step: &Step, known: &Known) -> Option<Known> {
        let scope = self.whole.each(step.id);
        let ways = outcome::ways(step);
        let mut before = known.clone();
        before.may_fill(scope, self.whole.fills(step.id));
        let filled = ways.iter().map(|way| {
            let mut after = before.clone();
            after.fill(scope, way);
            after
        });
        let mut behind = Known::meet_all(filled)?;
        for name in ways.iter().flatten() {
            let field = (scope, name.clone());
            for is_set in [true, false] {
                // A field that was set before is no sign of the way that would have set it.
                if is_set && !known.is_absent(&field) {
                    continue;
                }
                let such = ways.iter().filter(|way| way.contains(name) == is_set).cloned();
                let sure = such.reduce(|all, way| &all & &way).unwrap_or_default();
                let sure = sure.into_iter().map(|name| (scope, name)).collect();
                let premise = Premise::Set(field.clone(), is_set);
                behind.imply(premise, &Fields::new(), &sure);
            }
        }
        Some(behind)
    }

    fn parallel(&mut self, step: &Step, parallel: &ParallelStep, known: &Known) -> Option<Known> {
        let branches = parallel.branches.iter();
        let outs: Vec<Option<Known>> = branches.map(|b| self.block(*b, known.clone())).collect();
        let filled = self.filled(step);
        match parallel.join {
            Join::All => {
                let outs: Vec<Known> = outs.into_iter().collect::<Option<_>>()?;
                let mut joined = known.clone();
                for out in outs {
                    joined.join(out);
                }
                joined.may_fill(self.whole.each(step.id), &filled);
                Some(joined)
            }
            Join::First => {
                let mut first = Known::meet_all(outs.into_iter().flatten())?;
                first.may_fill(self.whole.each(step.id), &filled);
                Some(first)
            }
        }
    }

    fn choose(&mut self, step: &Step, choose: &ChooseStep, known: &Known) -> Option<Known> {
        let scope = self.whole.each(step.id);
        let mut asked: Vec<(Expression, bool)> = Vec::new();
        let mut rest = known.clone();
        let mut may_rest = true;
        let mut outs = Vec::new();
        for arm in &choose.arms {
            let mut inside = rest.clone();
            let mut may_enter = may_rest;
            let mut guards = asked.clone();
            if let Some(when) = &arm.when {
                may_enter &= inside.assume(when, true, scope);
                may_rest &= rest.assume(when, false, scope);
                guards.push((when.clone(), true));
                asked.push((when.clone(), false));
            }
            if let Some(out) = self.block(arm.block, inside) {
                outs.push((may_enter, guards, out));
            }
        }
        // What nothing can enter is looked at all the same, but it is no way on beside another.
        let is_entered = outs.iter().any(|(may_enter, ..)| *may_enter);
        outs.retain(|(may_enter, ..)| *may_enter || !is_entered);
        let filled = self.filled(step);
        let mut behind = Known::meet_all(outs.iter().map(|(.., out)| out.clone()))?;
        for (_, guards, out) in outs {
            behind.imply(Premise::Guards(guards, scope), &filled, &out.fields);
        }
        Some(behind)
    }

    /// All that a step and those in it may fill.
    fn filled(&self, step: &Step) -> Fields {
        let mut filled = self.whole.fills(step.id).clone();
        for block in step.blocks() {
            for inner in &self.whole.definition.block(block).steps {
                filled.extend(self.filled(self.whole.definition.step(*inner)));
            }
        }
        filled
    }
}
