//! Elements of a list that are alike: a state, and the same with two of them exchanged, are one.
//!
//! Nothing that decides, and nothing that is kept, may tell them apart. Their tokens differ by a
//! tag (`element.rs`), so a state's twin is had by exchanging the branches and the tags: whatever
//! can happen to the one can happen to the other, with the tags exchanged.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::element::{exchanged, is_plain, other, pair, tag};
use super::model::{Around, Ending, State};
use super::moves::addresses;
use super::spots::Spot;
use crate::definition::{
    Composite, Correlation, Definition, EachStep, Role, Step, StepId, StepKind,
};
use crate::engine::{Frame, Inside, Life, StepState, Stuck};
use crate::expression::{Expression, Name};
use crate::message::{InstanceId, Key, Part};

/// The lists of a definition whose elements are alike, each by its number.
#[derive(Debug, Default)]
pub(super) struct Symmetry {
    /// By the expression that a fan-out reads them from.
    lists: BTreeMap<String, usize>,
    /// The list of each fan-out, by its step.
    over: BTreeMap<StepId, usize>,
    /// The list of the outermost fan-out around a step.
    around: BTreeMap<StepId, usize>,
}

impl Symmetry {
    pub fn of(definition: &Definition) -> Self {
        if !is_plain(&definition.source) || minds_index(definition) {
            return Self::default();
        }
        let (mut alike, mut others) = (BTreeSet::new(), BTreeSet::new());
        for (step, each) in fan_outs(definition) {
            let side = if is_alike(definition, step) { &mut alike } else { &mut others };
            side.insert(each.items.source().to_owned());
        }
        let lists: BTreeMap<_, _> = alike.difference(&others).cloned().zip(0..).collect();
        let list = |each: &EachStep| lists.get(each.items.source()).copied();
        let over = |(step, each): (&Step, _)| Some((step.id, list(each)?));
        let over: BTreeMap<_, _> = fan_outs(definition).filter_map(over).collect();
        let outermost = |step: &Step| {
            let each = owners(definition, step).filter(|owner| is_each(owner)).last()?;
            Some((step.id, *over.get(&each.id)?))
        };
        let around = definition.steps.iter().filter_map(outermost).collect();
        Self { lists, over, around }
    }

    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// The number of the list that a fan-out reads.
    pub fn list(&self, items: &Expression) -> Option<usize> {
        self.lists.get(items.source()).copied()
    }

    /// A step's name, with a tag in place of the coordinate that can be exchanged.
    pub fn told(&self, life: &Life, spot: &Spot) -> String {
        let list = self.around.get(&spot.state(life).step);
        let Some((list, (element, rest))) = list.zip(spot.name.branch.split_first()) else {
            return spot.name.to_string();
        };
        let tagged = format!("{}{}", spot.name.step, tag(*list, *element));
        rest.iter().fold(tagged, |text, index| text + "[" + &index.to_string() + "]")
    }

    /// The same end for the other element.
    pub fn twin(&self, definition: &Definition, end: &Ending) -> Ending {
        let mut end = end.clone();
        let (Ending::Compensated { step: Some(step), .. } | Ending::Stuck { step, .. }) = &mut end
        else {
            return end;
        };
        let known = definition.steps.iter().find(|known| known.name == step.step);
        if let Some(element) = step.branch.first_mut()
            && known.is_some_and(|known| self.around.contains_key(&known.id))
        {
            *element = other(*element);
        }
        end
    }

    /// The twins of a state: one for each choice of lists whose two elements change places.
    pub fn twins(&self, state: &State) -> Vec<State> {
        let Some(instance) = state.instance.as_ref().filter(|_| !self.is_empty()) else {
            return Vec::new();
        };
        let mut pairs = BTreeMap::new();
        for life in &instance.lives {
            self.pairs(&life.frame, &mut pairs);
        }
        let mut choices = vec![BTreeSet::new()];
        for (list, _) in pairs.into_iter().filter(|(_, is_pair)| *is_pair) {
            let with = choices.iter().cloned().map(|mut lists: BTreeSet<usize>| {
                lists.insert(list);
                lists
            });
            choices.extend(with.collect::<Vec<_>>());
        }
        let chosen = choices.into_iter().filter(|lists| !lists.is_empty());
        chosen.map(|lists| Exchange { symmetry: self, lists }.state(state)).collect()
    }

    /// The lists whose branches have begun, and whether all of their fan-outs have two.
    fn pairs(&self, frame: &Frame, found: &mut BTreeMap<usize, bool>) {
        for state in frame.steps.iter().filter(|state| !state.frames().is_empty()) {
            if let Some(list) = self.over.get(&state.step) {
                *found.entry(*list).or_insert(true) &= state.frames().len() == 2;
            } else {
                state.frames().iter().for_each(|frame| self.pairs(frame, found));
            }
        }
    }
}

/// Whether an element's place decides something or is kept, anywhere.
fn minds_index(definition: &Definition) -> bool {
    let minds = Cell::new(false);
    let _ = definition.mapped(&|expression, role| {
        let reads = || expression.references().iter().any(|read| read.name == Name::Index);
        if role != Role::Message && reads() {
            minds.set(true);
        }
        expression.clone()
    });
    minds.get()
}

fn fan_outs(definition: &Definition) -> impl Iterator<Item = (&Step, &EachStep)> {
    definition.steps.iter().filter_map(|step| match step.composite()? {
        Composite::Each(each) => Some((step, each)),
        Composite::Parallel(_) | Composite::Choose(_) | Composite::Lock(_) => None,
    })
}

fn is_each(step: &Step) -> bool {
    matches!(step.kind, StepKind::Each(_))
}

/// The composite steps around a step, from the inside out.
fn owners<'d>(definition: &'d Definition, step: &Step) -> impl Iterator<Item = &'d Step> {
    let owner = |block| definition.block(block).owner.map(|owner| definition.step(owner));
    std::iter::successors(owner(step.block), move |step| owner(step.block))
}

/// Whether the branches of a fan-out cannot get into each other's way: what comes for one of them
/// can be taken by no other.
fn is_alike(definition: &Definition, each: &Step) -> bool {
    let is_inside = |step: &&Step| owners(definition, step).any(|owner| owner.id == each.id);
    let mut inside = definition.steps.iter().filter(is_inside);
    !owners(definition, each).any(is_each) && inside.all(|step| is_of_one(definition, step))
}

/// Whether what a step waits for says which branch it is for.
fn is_of_one(definition: &Definition, step: &Step) -> bool {
    // Facts, locks and children may be another branch's as well.
    if matches!(step.kind, StepKind::Wait(_) | StepKind::Lock(_) | StepKind::Saga(_)) {
        return false;
    }
    let parts = [Part::Action, Part::Probe, Part::Undo(1)].into_iter();
    let mut answers = parts.map(|part| addresses(step, part));
    answers.all(|(done, failed)| {
        done.iter().chain(&failed).all(|address| {
            let rule = definition.rule(address);
            rule.is_some_and(|rule| rule.by == Correlation::CommandId)
        })
    })
}

/// Some lists, the two elements of which change places.
struct Exchange<'s> {
    symmetry: &'s Symmetry,
    lists: BTreeSet<usize>,
}

impl Exchange<'_> {
    fn state(&self, state: &State) -> State {
        let mut twin = state.clone();
        for life in twin.instance.iter_mut().flat_map(|instance| &mut instance.lives) {
            self.value(&mut life.data);
            self.frame(&mut life.frame);
            life.stuck.iter_mut().for_each(|stuck| self.stuck(stuck));
        }
        let Around { memory, partners, .. } = &mut twin.around;
        if !memory.keys().all(|asked| is_plain(asked)) {
            let told = memory.iter().map(|(asked, answer)| (self.text(asked), *answer));
            *memory = Arc::new(told.collect());
        }
        if !partners.keys().all(|id| is_plain(id.key.as_str())) {
            let told = std::mem::take(partners).into_iter().map(|(id, p)| (self.id(&id), p));
            *partners = told.collect();
        }
        twin
    }

    fn frame(&self, frame: &mut Frame) {
        frame.item.iter_mut().for_each(|item| self.value(item));
        frame.fields.values_mut().for_each(|field| self.value(field));
        let late = frame.steps.iter_mut().filter_map(|state| state.late.as_deref_mut());
        late.flat_map(|set| set.values_mut()).for_each(|field| self.value(field));
        frame.steps.iter_mut().for_each(|state| self.step(state));
    }

    fn step(&self, state: &mut StepState) {
        match &mut state.inside {
            Inside::Child(child) => child.key = self.key(&child.key),
            Inside::Locked(locked) => {
                locked.keys.iter_mut().for_each(|key| *key = self.key(key));
            }
            Inside::Nothing
            | Inside::Reminder(_)
            | Inside::Fact(_)
            | Inside::Requested(_)
            | Inside::Branched(_) => {}
        }
        state.frames_mut().iter_mut().for_each(|frame| self.frame(frame));
        if self.symmetry.over.get(&state.step).is_some_and(|list| self.lists.contains(list)) {
            state.frames_mut().reverse();
            for (frame, index) in state.frames_mut().iter_mut().zip(0..) {
                frame.index = index;
            }
        }
    }

    fn stuck(&self, stuck: &mut Stuck) {
        let list = self.symmetry.around.get(&stuck.step);
        if let Some(element) = stuck.branch.first_mut()
            && list.is_some_and(|list| self.lists.contains(list))
        {
            *element = other(*element);
        }
    }

    fn id(&self, id: &InstanceId) -> InstanceId {
        InstanceId { saga: id.saga.clone(), key: self.key(&id.key) }
    }

    fn key(&self, key: &Key) -> Key {
        Key::new(&self.text(key.as_str())).expect("tags are as long as each other")
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) if !is_plain(text) => *text = self.text(text),
            Value::Array(items) => {
                // What is collected lies in the order of the elements.
                let is_turned = pair(items).is_some_and(|list| self.lists.contains(&list));
                for item in &mut *items {
                    self.value(item);
                }
                if is_turned {
                    items.reverse();
                }
            }
            Value::Object(fields) => fields.values_mut().for_each(|field| self.value(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn text(&self, text: &str) -> String {
        exchanged(text, &self.lists).into_owned()
    }
}
