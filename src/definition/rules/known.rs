use std::collections::{BTreeMap, BTreeSet};

use super::outcome::Fields;
use crate::definition::StepId;
use crate::definition::places::owned;
use crate::expression::{Condition, Demand, Expression, Name, Question, Reference, Test};

/// A field of the data (none) or of the branches of an `each`.
pub(super) type Field = (Option<StepId>, String);

/// What is known of the data at a point of the way forward.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// What surely is set.
    pub fields: BTreeSet<Field>,
    /// What may be set; all else surely is not.
    maybe: BTreeSet<Field>,
    /// What a condition has said is not set.
    absent: BTreeSet<Field>,
    /// The questions that were asked on the way here, by their subjects, and whether those hold.
    answers: BTreeMap<String, (Question, bool)>,
    implied: Vec<Implied>,
}

/// Fields that are set if something else is so.
#[derive(Debug, Clone, PartialEq)]
struct Implied {
    premise: Premise,
    fields: BTreeSet<Field>,
}

/// What fields can depend on.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Premise {
    /// Guards that were asked, in the `each` that they stand in, with the answers that they had.
    Guards(Vec<(Expression, bool)>, Option<StepId>),
    /// Whether another field is set.
    Set(Field, bool),
}

/// Nobody knows the answer.
struct Unknown;

impl Known {
    /// At the start: what the start event fills.
    pub fn of(fields: impl Iterator<Item = String>) -> Self {
        let fields: BTreeSet<Field> = fields.map(|field| (None, field)).collect();
        Self { maybe: fields.clone(), fields, ..Self::default() }
    }

    /// Fills fields.
    pub fn fill(&mut self, scope: Option<StepId>, fields: &Fields) {
        for field in fields {
            let field = (scope, field.clone());
            self.absent.remove(&field);
            self.maybe.insert(field.clone());
            self.fields.insert(field);
        }
    }

    /// Fields that may have been filled: what was answered about them may have another answer now.
    pub fn may_fill(&mut self, scope: Option<StepId>, filled: &Fields) {
        self.answers.retain(|_, (question, _)| !reads(&question.references, filled));
        self.implied.retain(|implied| !implied.premise.reads(filled));
        self.absent.retain(|(_, field)| !filled.contains(field));
        self.maybe.extend(filled.iter().map(|field| (scope, field.clone())));
    }

    /// Forgets what was said of the names that mean something else in a branch.
    pub fn enter_branch(&mut self) {
        let own = |references: &[Reference]| {
            references.iter().any(|r| matches!(r.name, Name::Item | Name::Index | Name::Branch))
        };
        self.answers.retain(|_, (question, _)| !own(&question.references));
        self.implied.retain(|implied| match &implied.premise {
            Premise::Guards(guards, _) => !guards.iter().any(|(g, _)| own(&g.references())),
            Premise::Set(..) => true,
        });
    }

    /// What is known whichever of two ways was taken.
    #[must_use]
    pub fn meet(self, other: &Self) -> Self {
        let maybe: BTreeSet<Field> = &self.maybe | &other.maybe;
        let absent = maybe.iter().filter(|f| self.is_absent(f) && other.is_absent(f)).cloned();
        let absent = absent.collect();
        let same = |subject: &String, holds: bool| {
            other.answers.get(subject).is_some_and(|(_, other)| *other == holds)
        };
        let answers = self.answers.iter().filter(|(subject, (_, holds))| same(subject, *holds));
        let answers = answers.map(|(subject, answer)| (subject.clone(), answer.clone())).collect();
        let mut implied: Vec<Implied> = Vec::new();
        for (known, beside) in [(&self, other), (other, &self)] {
            for one in known.implied.iter().filter(|one| beside.has(one)) {
                if !implied.contains(one) {
                    implied.push(one.clone());
                }
            }
        }
        let fields = &self.fields & &other.fields;
        Self { fields, maybe, absent, answers, implied }
    }

    /// What is known whichever of several ways was taken; none if there is none.
    pub fn meet_all(ways: impl IntoIterator<Item = Self>) -> Option<Self> {
        ways.into_iter().reduce(|all, way| all.meet(&way))
    }

    /// Adds what is known at the end of a branch beside others.
    pub fn join(&mut self, branch: Self) {
        self.fields.extend(branch.fields);
        self.maybe.extend(branch.maybe);
        for implied in branch.implied {
            if !self.implied.contains(&implied) {
                self.implied.push(implied);
            }
        }
    }

    /// Says that fields are set if something was so before others were filled, unless the filling
    /// may have changed it; what is set anyway does not matter.
    pub fn imply(&mut self, premise: Premise, filled: &Fields, fields: &BTreeSet<Field>) {
        let fields: BTreeSet<Field> = fields - &self.fields;
        if !fields.is_empty() && premise.is_lasting() && !premise.reads(filled) {
            self.implied.push(Implied { premise, fields });
        }
    }

    /// Whether a field surely is not set.
    pub fn is_absent(&self, field: &Field) -> bool {
        self.absent.contains(field) || !self.maybe.contains(field)
    }

    /// Learns that a guard holds or does not; false if that cannot be.
    pub fn assume(&mut self, guard: &Expression, holds: bool, scope: Option<StepId>) -> bool {
        let is_possible = self.learn(guard.condition(), holds, scope);
        self.follow();
        is_possible
    }

    fn learn(&mut self, condition: &Condition, holds: bool, scope: Option<StepId>) -> bool {
        match condition {
            Condition::Literal(value) => *value == holds,
            Condition::Question(question) => self.learn_answer(question, holds, scope),
            Condition::Not(inner) => self.learn(inner, !holds, scope),
            Condition::And(sides) => self.learn_sides(sides, false, holds, scope),
            Condition::Or(sides) => self.learn_sides(sides, true, holds, scope),
            Condition::Choice(parts) => {
                let [asked, yes, no] = parts.as_ref();
                let ways = [[(asked, true), (yes, holds)], [(asked, false), (no, holds)]];
                self.learn_either(&ways, scope)
            }
        }
    }

    /// Learns from two sides, one of which decides alone if it is `deciding`.
    fn learn_sides(
        &mut self,
        [left, right]: &[Condition; 2],
        deciding: bool,
        holds: bool,
        scope: Option<StepId>,
    ) -> bool {
        if holds == deciding {
            let ways =
                [[(left, deciding), (left, deciding)], [(left, !deciding), (right, deciding)]];
            return self.learn_either(&ways, scope);
        }
        let left = self.learn(left, holds, scope);
        self.learn(right, holds, scope) && left
    }

    /// Learns what is so whichever of two ways it came by.
    fn learn_either(&mut self, ways: &[[(&Condition, bool); 2]; 2], scope: Option<StepId>) -> bool {
        let mut known = Vec::new();
        for way in ways {
            let mut after = self.clone();
            let mut is_possible = true;
            for (condition, holds) in way {
                is_possible &= after.learn(condition, *holds, scope);
            }
            after.follow();
            known.extend(is_possible.then_some(after));
        }
        match Self::meet_all(known) {
            Some(known) => {
                *self = known;
                true
            }
            None => false,
        }
    }

    fn learn_answer(&mut self, question: &Question, holds: bool, scope: Option<StepId>) -> bool {
        let is_possible = self.answer(question, scope).is_none_or(|answer| answer == holds);
        if let Some(field) = asked_field(question, scope) {
            if holds {
                self.absent.remove(&field);
                self.maybe.insert(field.clone());
                self.fields.insert(field);
            } else {
                self.absent.insert(field);
            }
        } else if question.references.iter().all(|r| is_lasting(r.name)) {
            let answer = (question.clone(), holds != question.is_contrary);
            self.answers.insert(question.subject.clone(), answer);
        }
        is_possible
    }

    /// The answer to a question, if what is known tells.
    fn answer(&self, question: &Question, scope: Option<StepId>) -> Option<bool> {
        if let Some(field) = asked_field(question, scope) {
            let is_set = self.fields.contains(&field);
            return (is_set || self.is_absent(&field)).then_some(is_set);
        }
        if let Some((_, holds)) = self.answers.get(&question.subject) {
            return Some(*holds != question.is_contrary);
        }
        let demand = question.demand.as_ref()?;
        let answers = self.answers.values().filter_map(|(other, holds)| {
            let other_demand = other.demand.as_ref().filter(|other| other.of == demand.of)?;
            Some((&other_demand.test, *holds != other.is_contrary))
        });
        let answers: Vec<(&Test, bool)> = answers.collect();
        let can_be = |holds: bool| {
            Demand::can_be(&demand.of, &[&answers[..], &[(&demand.test, holds)]].concat())
        };
        match (can_be(true), can_be(false)) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            (true, true) | (false, false) => None,
        }
    }

    /// Adds the fields whose premises hold by now, and those that depend on them.
    fn follow(&mut self) {
        loop {
            let holding = self.implied.iter().filter(|implied| self.holds(&implied.premise));
            let more: BTreeSet<Field> = holding.flat_map(|i| i.fields.iter().cloned()).collect();
            if more.is_subset(&self.fields) {
                return;
            }
            self.maybe.extend(more.iter().cloned());
            self.fields.extend(more);
        }
    }

    fn holds(&self, premise: &Premise) -> bool {
        match premise {
            Premise::Guards(guards, scope) => {
                guards.iter().all(|(guard, holds)| self.decides(guard, *scope) == Some(*holds))
            }
            Premise::Set(field, true) => self.fields.contains(field),
            Premise::Set(field, false) => self.is_absent(field),
        }
    }

    fn is_refuted(&self, premise: &Premise) -> bool {
        match premise {
            Premise::Guards(guards, scope) => {
                guards.iter().any(|(guard, holds)| self.decides(guard, *scope) == Some(!holds))
            }
            Premise::Set(field, true) => self.is_absent(field),
            Premise::Set(field, false) => self.fields.contains(field),
        }
    }

    fn decides(&self, guard: &Expression, scope: Option<StepId>) -> Option<bool> {
        let mut answer = |question: &Question| self.answer(question, scope).ok_or(Unknown);
        guard.condition().decide(&mut answer).ok()
    }

    /// Whether fields are set here if something is so.
    fn has(&self, implied: &Implied) -> bool {
        implied.fields.is_subset(&self.fields)
            || self.is_refuted(&implied.premise)
            || self.implied.contains(implied)
    }
}

impl Premise {
    /// Whether it reads one of these fields.
    fn reads(&self, filled: &Fields) -> bool {
        match self {
            Self::Guards(guards, _) => guards.iter().any(|(g, _)| reads(&g.references(), filled)),
            Self::Set((_, field), _) => filled.contains(field),
        }
    }

    /// Whether it gives the same answer as long as nothing that it reads is filled.
    fn is_lasting(&self) -> bool {
        match self {
            Self::Guards(guards, _) => {
                guards.iter().all(|(g, _)| g.references().iter().all(|r| is_lasting(r.name)))
            }
            Self::Set(..) => true,
        }
    }
}

fn reads(references: &[Reference], filled: &Fields) -> bool {
    references.iter().any(|r| r.fields.first().is_some_and(|field| filled.contains(field)))
}

/// Whether what a name means stays as it is from input to input.
fn is_lasting(name: Name) -> bool {
    match name {
        Name::Data | Name::Key | Name::Item | Name::Index | Name::Branch => true,
        Name::Event | Name::Now | Name::Failure | Name::Fence | Name::Answer | Name::Child => false,
    }
}

/// The field that a question asks for by `has(…)`, if it asks for nothing else.
fn asked_field(question: &Question, scope: Option<StepId>) -> Option<Field> {
    let (name, field) = question.asks_for()?;
    let (owner, field) = owned(name, scope, field)?;
    Some((owner, field.to_owned()))
}
