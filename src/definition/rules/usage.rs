use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::apart;
use super::kinds::{self, Fields};
use super::whole::{Relation, Whole};
use crate::definition::diagnostic::Code;
use crate::definition::facets::{EventKind, PlacedExpression};
use crate::definition::places::owned;
use crate::definition::{Definition, Role, Step, StepId, StepKind};
use crate::expression::{Expression, Kinds, Name, Reference, Usage};
use crate::message::Address;

/// Finds values that one place can compute only if they are of one kind, and another place only if
/// they are of another: whatever an event brings, one of the two has no value.
pub(super) fn check(whole: &mut Whole<'_>) {
    let origins = Origins::of(whole.definition);
    let mut told = BTreeSet::new();
    for needs in origins.needs(whole).values() {
        for (one, other) in contrary(whole, needs) {
            if told.insert((one.span.start, one.path.clone())) {
                tell(whole, one, other);
            }
        }
    }
}

fn tell(whole: &mut Whole<'_>, one: &Need<'_>, other: &Need<'_>) {
    let named =
        if is_same(&one.path, &other.path) { String::new() } else { format!("`{}` ", other.path) };
    let line = whole.line(other.span.start);
    let elsewhere = format!("{named}{} on line {line}", other.kinds);
    let message = format!("`{}` must be {} here, and {elsewhere}", one.path, one.kinds);
    let help = "one of the two can never be computed: write both for the kind that it is of, or \
                make one of the other by `string(…)` or `double(…)`";
    whole.warn(Code::KindsDiffer, one.span.clone(), message, help);
}

/// What an expression needs of a value: that it is of one of these kinds.
#[derive(Debug)]
struct Need<'d> {
    placed: PlacedExpression<'d>,
    path: Reference,
    kinds: Kinds,
    span: Range<usize>,
}

/// Needs of one value that cannot both be met: first the one that has more of the others against
/// it, or stands later.
fn contrary<'n, 'd>(whole: &Whole<'d>, needs: &'n [Need<'d>]) -> Vec<(&'n Need<'d>, &'n Need<'d>)> {
    let is_against = |one: &Need<'_>, other: &Need<'_>| {
        !one.kinds.meets(other.kinds) && may_meet(whole, one, other)
    };
    let against = |one: &Need<'_>| needs.iter().filter(|other| is_against(one, other)).count();
    let counts: Vec<usize> = needs.iter().map(against).collect();
    let mut found = Vec::new();
    for (place, one) in needs.iter().enumerate() {
        for (other_place, other) in needs.iter().enumerate().skip(place + 1) {
            if !is_against(one, other) {
                continue;
            }
            let is_odd = (counts[place], one.span.start) > (counts[other_place], other.span.start);
            found.push(if is_odd { (one, other) } else { (other, one) });
        }
    }
    found
}

/// Whether both expressions may be asked in one life; guards may tell which kind it is of.
fn may_meet(whole: &Whole<'_>, one: &Need<'_>, other: &Need<'_>) -> bool {
    if let (Some(first), Some(second)) = (one.placed.step, other.placed.step) {
        let (first, second) = (first.id.min(second.id), first.id.max(second.id));
        if whole.relation(first, second) == Relation::Apart {
            return false;
        }
    }
    let paths = [&one.path, &other.path];
    let others = asked_first(whole, &other.placed);
    let is_apart =
        |guard: &&Expression| others.iter().any(|other| apart::by_another(paths, guard, other));
    !asked_first(whole, &one.placed).iter().any(is_apart)
}

/// The conditions that hold where the value of an expression counts, itself among them.
fn asked_first<'d>(whole: &Whole<'d>, placed: &PlacedExpression<'d>) -> Vec<&'d Expression> {
    let mut found = Vec::new();
    let Some(mut inner) = placed.step else { return found };
    if placed.role == Role::Condition {
        found.push(placed.expression);
    } else {
        found.extend(inner.when.as_ref());
    }
    for owner in whole.around(inner.id) {
        if let StepKind::Choose(choose) = &owner.kind {
            let own = choose.arms.iter().find(|arm| arm.block == inner.block);
            found.extend(own.and_then(|arm| arm.when.as_ref()));
        }
        found.extend(owner.when.as_ref());
        inner = owner;
    }
    found
}

/// Where a value comes from, and the fields that lead to it there.
type Origin<'d> = (Source<'d>, Vec<String>);

/// What brings values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source<'d> {
    /// The fields that the saga, or the branch of a fan-out, remembers.
    Fields(Option<StepId>),
    /// An event.
    Event(&'d Address),
    /// What a parent starts its child with.
    Parent,
    /// The elements that a fan-out goes over.
    Item(StepId),
}

/// The most fields from which a value is followed to where it comes from.
const STEPS_MAX: usize = 8;

/// Where the values of a definition's fields come from.
struct Origins<'d> {
    all: Vec<PlacedExpression<'d>>,
    fields: Fields<'d>,
    /// What fills each field.
    fillers: BTreeMap<(Option<StepId>, &'d str), Vec<PlacedExpression<'d>>>,
}

impl<'d> Origins<'d> {
    fn of(definition: &'d Definition) -> Self {
        let (all, mut fillers) = (definition.expressions(), BTreeMap::<_, Vec<_>>::new());
        for placed in &all {
            let Some(field) = placed.fills else { continue };
            let around = placed.step.and_then(|step| definition.fan_out_around(step.id));
            fillers.entry((around.map(|each| each.id), field)).or_default().push(*placed);
        }
        Self { all, fields: Fields::of(definition, None), fillers }
    }

    /// What is needed of each value, in the order of the file.
    fn needs(&self, whole: &Whole<'d>) -> BTreeMap<Origin<'d>, Vec<Need<'d>>> {
        let (mut found, mut told_by_type) = (BTreeMap::<_, Vec<_>>::new(), BTreeSet::new());
        for placed in &self.all {
            told_by_type.extend(self.asked_for_type(placed));
            if !kinds::misfits(&self.fields, placed).is_empty() {
                continue;
            }
            let step = placed.step.map(|step| step.id);
            let span = kinds::span(whole, step, placed.expression.source());
            for path in paths(placed.expression) {
                let Some(kinds) = self.needed(placed, &path) else { continue };
                for origin in self.origins(placed, &path, 0) {
                    let (path, span, placed) = (path.clone(), span.clone(), *placed);
                    let need = Need { placed, path, kinds, span };
                    found.entry(origin).or_default().push(need);
                }
            }
        }
        found.retain(|origin, _| !told_by_type.contains(origin));
        found
    }

    /// The values whose kind the definition itself asks for.
    fn asked_for_type(&self, placed: &PlacedExpression<'d>) -> Vec<Origin<'d>> {
        let uses = placed.expression.uses().iter();
        let asks = uses.filter(|used| used.usage == Usage::Argument("type".to_owned()));
        asks.flat_map(|used| self.origins(placed, &used.path, 0)).collect()
    }

    /// The kinds of which a value must be so that an expression that reads it can be computed; none
    /// if all will do, or none at all.
    fn needed(&self, placed: &PlacedExpression<'d>, path: &Reference) -> Option<Kinds> {
        let known = |read: &Reference| self.fields.kinds(read, placed.event, placed.each);
        let own = known(path);
        let tried: Vec<Kinds> = TRIED.into_iter().filter(|kind| own.meets(*kind)).collect();
        let fits = |kind: &Kinds| {
            let of = |read: &Reference| if is_same(read, path) { *kind } else { known(read) };
            kinds::misfits_by(placed, &of).iter().all(|misfit| misfit.is_computed)
        };
        let fitting: Vec<Kinds> = tried.iter().copied().filter(fits).collect();
        let is_need = !fitting.is_empty() && fitting.len() < tried.len();
        is_need.then(|| fitting.into_iter().fold(Kinds::NONE, Kinds::or))
    }

    /// Where the value comes from that a path leads to; nowhere, if it may come from several steps.
    fn origins(
        &self,
        placed: &PlacedExpression<'d>,
        path: &Reference,
        steps: usize,
    ) -> Vec<Origin<'d>> {
        let each = placed.each.map(|each| each.id);
        let (source, fields) = match path.name {
            Name::Event => match placed.event {
                Some(EventKind::Event(on)) => (Source::Event(on), &path.fields),
                Some(EventKind::Parent) => (Source::Parent, &path.fields),
                Some(EventKind::Call) | None => return Vec::new(),
            },
            Name::Item => match each {
                Some(each) => (Source::Item(each), &path.fields),
                None => return Vec::new(),
            },
            Name::Data | Name::Branch => return self.origins_of_field(each, path, steps),
            Name::Key
            | Name::Now
            | Name::Failure
            | Name::Index
            | Name::Fence
            | Name::Answer
            | Name::Child => return Vec::new(),
        };
        vec![(source, fields.clone())]
    }

    fn origins_of_field(
        &self,
        each: Option<StepId>,
        path: &Reference,
        steps: usize,
    ) -> Vec<Origin<'d>> {
        let field = path.fields.first().and_then(|field| owned(path.name, each, field));
        let Some((owner, field)) = field else { return Vec::new() };
        let fillers = self.fillers.get(&(owner, field)).map_or(&[][..], Vec::as_slice);
        let Some(first) = fillers.first() else { return Vec::new() };
        let step = |filler: &PlacedExpression<'_>| filler.step.map(|step| step.id);
        if steps == STEPS_MAX || fillers.iter().any(|filler| step(filler) != step(first)) {
            return Vec::new();
        }
        let is_one = fillers.iter().all(|filler| filler.expression == first.expression);
        let copied = first.expression.path().filter(|_| is_one && !is_collected(first));
        let Some(copied) = copied else {
            return vec![(Source::Fields(owner), path.fields.clone())];
        };
        let fields = [&copied.fields[..], &path.fields[1..]].concat();
        let copied = Reference { fields, ..copied.clone() };
        fillers.iter().flat_map(|filler| self.origins(filler, &copied, steps + 1)).collect()
    }
}

/// The kinds that JSON has, but null.
const TRIED: [Kinds; 5] = [Kinds::TEXT, Kinds::NUMBER, Kinds::BOOL, Kinds::LIST, Kinds::OBJECT];

/// Whether a field is filled with what the branches of a fan-out have left.
fn is_collected(placed: &PlacedExpression<'_>) -> bool {
    let id = |step: Option<&Step>| step.map(|step| step.id);
    placed.each.is_some() && id(placed.step) == id(placed.each)
}

/// The paths that an expression reads, and those that lead to them.
fn paths(expression: &Expression) -> Vec<Reference> {
    let mut found: Vec<Reference> = Vec::new();
    for read in expression.references() {
        for length in 0..=read.fields.len() {
            let path = Reference { fields: read.fields[..length].to_vec(), ..read.clone() };
            if !found.iter().any(|known| is_same(known, &path)) {
                found.push(path);
            }
        }
    }
    found
}

fn is_same(one: &Reference, other: &Reference) -> bool {
    (one.name, &one.fields) == (other.name, &other.fields)
}
