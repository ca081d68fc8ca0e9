use std::collections::{BTreeMap, BTreeSet};

use super::outcome::{self, Fields};
use super::whole::Whole;
use crate::definition::diagnostic::Code;
use crate::definition::parse::Place;
use crate::definition::places::Read;
use crate::definition::{BlockId, Join, Step, StepId, StepKind};
use crate::expression::{Expression, Name};

/// A field of the data (none) or of the branches of an `each`.
type Field = (Option<StepId>, String);

/// What surely is set at a point of the way forward.
#[derive(Debug, Clone, Default)]
struct Known {
    fields: BTreeSet<Field>,
    /// What is set besides if a guard holds that was asked before.
    conditional: Vec<(Expression, BTreeSet<Field>)>,
}

/// Follows every way forward and finds what is read but may not be set, and what nothing reaches.
pub(super) fn check(whole: &mut Whole<'_>) {
    let mut flow = Flow { whole, at: BTreeMap::new(), collected: BTreeMap::new() };
    let data = flow.whole.definition.data.iter().map(|a| (None, a.field.clone()));
    let start = Known { fields: data.collect(), conditional: Vec::new() };
    let end = flow.block(BlockId::MAIN, start);
    let (at, collected) = (flow.at, flow.collected);
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

/// What is set when the saga first waits for something: it may go back or end from there.
fn first_rest(whole: &Whole<'_>, at: &BTreeMap<StepId, Known>) -> Option<Known> {
    let passes =
        |step: &Step| step.when.is_none() && matches!(step.kind, StepKind::Set | StepKind::Emit(_));
    let main = whole.definition.main();
    let first = main.iter().find(|id| !passes(whole.definition.step(**id)));
    first.or(main.last()).and_then(|id| at.get(id)).cloned()
}

fn check_read(whole: &mut Whole<'_>, read: &Read, known: &Known) {
    let (of, scope) = match read.name {
        Name::Data => ("data", None),
        Name::Branch => ("branch", read.each),
        _ => return,
    };
    let Some(field) = read.fields.first().filter(|_| !read.asked) else { return };
    let field = (scope, field.clone());
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
    let path = format!("{of}.{}", field.1);
    let (code, message) = match read.place {
        Place::Back | Place::Undone | Place::UndoneHttp => {
            (Code::UnsetOnWayBack, format!("`{path}` may not be set when this is undone"))
        }
        Place::Ended | Place::Cancel => {
            (Code::UnsetAtEnd, format!("`{path}` may not be set by then"))
        }
        _ => (Code::Unset, format!("`{path}` may not be set here")),
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
    let back = matches!(read.place, Place::Back | Place::Undone | Place::UndoneHttp);
    match read.step {
        Some(step) if back && step == setter.id => format!(
            "the answer that sets it may never have come; use what `data` knew before the step, \
             or {ask}"
        ),
        Some(step) if setter.id >= step => {
            format!("`{name}` on line {line} sets it, but only later; move it, or {ask}")
        }
        Some(_) => format!(
            "`{name}` on line {line} sets it, but not whichever way it goes; set it there in every \
             case, give it a first value under `data`, or {ask}"
        ),
        None => format!("`{name}` on line {line} sets it, and the saga may go back before; {ask}"),
    }
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

    fn step(&mut self, step: &Step, mut known: Known) -> Option<Known> {
        let before = known.clone();
        if let Some(when) = &step.when {
            known.assume(when, self.whole.each(step.id));
        }
        self.at.insert(step.id, known.clone());
        let out = self.through(step, &known);
        let out = out.map(|mut out| {
            out.forget(step);
            out
        });
        let Some(when) = &step.when else {
            return out;
        };
        let mut skipped = before;
        if let Some(out) = out {
            let more = out.fields.difference(&skipped.fields).cloned().collect();
            skipped = skipped.meet(&out);
            skipped.conditional.push((when.clone(), more));
        }
        Some(skipped)
    }

    /// What is set behind a step that is entered.
    fn through(&mut self, step: &Step, known: &Known) -> Option<Known> {
        let scope = self.whole.each(step.id);
        let plus = |known: &Known, fields: &Fields| known.plus(scope, fields);
        let own: Fields = step.set.iter().map(|a| a.field.clone()).collect();
        let (out, verdict) = match &step.kind {
            StepKind::Parallel(parallel) => {
                let outs: Vec<Option<Known>> =
                    parallel.branches.iter().map(|b| self.block(*b, known.clone())).collect();
                let out = match parallel.join {
                    Join::All => outs.into_iter().collect::<Option<Vec<_>>>().map(Known::join),
                    Join::First => Known::meet_all(outs.into_iter().flatten()),
                };
                (out, &parallel.failed)
            }
            StepKind::Each(each) => {
                if let Some(end) = self.block(each.block, known.clone()) {
                    self.collected.insert(step.id, end);
                }
                let fields = each.collect.iter().map(|a| a.field.clone()).collect();
                (Some(plus(known, &fields)), &each.failed)
            }
            StepKind::Choose(choose) => {
                let mut outs = Vec::new();
                let mut conditional = Vec::new();
                for arm in &choose.arms {
                    let mut inside = known.clone();
                    if let Some(when) = &arm.when {
                        inside.assume(when, scope);
                    }
                    let out = self.block(arm.block, inside);
                    if let (Some(when), Some(out)) = (&arm.when, &out) {
                        let more = out.fields.difference(&known.fields).cloned().collect();
                        conditional.push((when.clone(), more));
                    }
                    outs.extend(out);
                }
                let out = Known::meet_all(outs.into_iter()).map(|mut out| {
                    out.conditional.extend(conditional);
                    out
                });
                (out, &choose.failed)
            }
            StepKind::Lock(lock) => (self.block(lock.block, known.clone()), &lock.failed),
            _ => {
                let ways = outcome::ways(step);
                return Known::meet_all(ways.iter().map(|way| plus(known, way)));
            }
        };
        let out = out.map(|out| plus(&out, &own));
        let passed = outcome::passed(verdict).map(|fields| plus(known, &fields));
        Known::meet_all(out.into_iter().chain(passed))
    }
}

impl Known {
    fn plus(&self, scope: Option<StepId>, fields: &Fields) -> Self {
        let mut more = self.clone();
        more.fields.extend(fields.iter().map(|field| (scope, field.clone())));
        more
    }

    /// What is set whichever of two ways was taken.
    fn meet(&self, other: &Self) -> Self {
        let fields = self.fields.intersection(&other.fields).cloned().collect();
        let kept = self.conditional.iter().filter(|c| other.conditional.contains(c));
        Self { fields, conditional: kept.cloned().collect() }
    }

    fn meet_all(ways: impl Iterator<Item = Self>) -> Option<Self> {
        ways.reduce(|a, b| a.meet(&b))
    }

    /// What is set behind branches that all came to their ends.
    fn join(all: Vec<Self>) -> Self {
        let mut joined = Self::default();
        for known in all {
            joined.fields.extend(known.fields);
            joined.conditional.extend(known.conditional);
        }
        joined
    }

    /// What is set if a guard holds: what it asks for by `has(…)`, and what was set under it.
    fn assume(&mut self, guard: &Expression, scope: Option<StepId>) {
        let under = self.conditional.iter().filter(|(other, _)| other == guard);
        let more: Vec<Field> = under.flat_map(|(_, fields)| fields.iter().cloned()).collect();
        self.fields.extend(more);
        if guard.source().contains("!has(") || guard.source().contains("||") {
            return;
        }
        for asked in guard.references().into_iter().filter(|r| r.tested && r.fields.len() == 1) {
            let field = asked.fields[0].clone();
            match asked.name {
                Name::Data => drop(self.fields.insert((None, field))),
                Name::Branch => drop(self.fields.insert((scope, field))),
                _ => {}
            }
        }
    }

    /// Guards that read what a step fills may have another answer behind it.
    fn forget(&mut self, step: &Step) {
        let filled = outcome::fills(step);
        self.conditional.retain(|(guard, _)| {
            let read = guard.references();
            !read.iter().any(|r| r.fields.first().is_some_and(|f| filled.contains(f)))
        });
    }
}
