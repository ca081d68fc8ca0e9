//! Walks over a definition and tells [`Slots`] every expression, and what its names mean there.

use super::slots::{Names, Slots, Source};
use crate::definition::{
    Assignment, CallRequest, Compensation, Definition, Done, Fact, Failed, Late, Remind, Request,
    Role, Sleep, Step, StepKind, Verdict,
};
use crate::expression::{Expression, Piece, Template};

/// What a definition says about its values.
pub(super) fn learn(definition: &Definition) -> Slots {
    let mut learner = Learner { definition, slots: Slots::default() };
    learner.whole();
    for step in &definition.steps {
        learner.step(step);
    }
    learner.slots.settle();
    learner.slots
}

/// The fan-out around a step, by its name.
pub(super) fn each_around(definition: &Definition, step: &Step) -> Option<String> {
    let owner = definition.step(definition.block(step.block).owner?);
    match owner.kind {
        StepKind::Each(_) => Some(owner.name.to_string()),
        _ => each_around(definition, owner),
    }
}

struct Learner<'d> {
    definition: &'d Definition,
    slots: Slots,
}

impl Learner<'_> {
    fn whole(&mut self) {
        let definition = self.definition;
        let mut starts: Vec<Source> = Vec::new();
        for start in &definition.starts {
            let source = Source::Event(start.on.to_string());
            let names = Names { event: Some(source.clone()), ..Names::default() };
            self.condition(&names, start.condition.as_ref());
            self.value(&names, start.key.as_ref());
            starts.push(source);
        }
        if definition.by_parent {
            starts.push(Source::Event(PARENT.to_owned()));
        }
        for source in starts {
            let names = Names { event: Some(source), ..Names::default() };
            self.assignments(&names, &Source::Data, &definition.data);
        }
        for cancel in &definition.cancel {
            let names =
                Names { event: Some(Source::Event(cancel.on.to_string())), ..Names::default() };
            self.condition(&names, cancel.condition.as_ref());
            self.value(&names, cancel.key.as_ref());
        }
        let names = Names::default();
        let ends = &definition.ends;
        let facts = [&ends.completed, &ends.compensated, &ends.stuck];
        facts.into_iter().flatten().for_each(|fact| self.fact(&names, fact));
    }

    fn step(&mut self, step: &Step) {
        let each = each_around(self.definition, step);
        let into = each.clone().map_or(Source::Data, Source::Branch);
        let names = Names { each, ..Names::default() };
        self.condition(&names, step.when.as_ref());
        let name = step.name.to_string();
        let with = |names: &Names, event| Names { event: Some(event), ..names.clone() };
        match &step.kind {
            StepKind::Command(command) => {
                self.request(&names, &into, &command.request, &step.set);
                command.failed.iter().for_each(|failed| self.failed(&names, &into, failed));
                if let Some(probe) = &command.probe {
                    self.request(&names, &into, &probe.request, &step.set);
                    self.dones(&names, &into, &probe.absent, &[]);
                }
            }
            StepKind::Wait(wait) => {
                self.dones(&names, &into, &wait.on, &step.set);
                wait.failed.iter().for_each(|failed| self.failed(&names, &into, failed));
                self.late(&names, &into, &wait.late);
                self.remind(&names, wait.remind.as_ref());
            }
            StepKind::Ask(ask) => {
                let names = Names { answer: Some(Source::Answer(name)), ..names.clone() };
                self.assignments(&names, &into, &step.set);
                self.template(&names, Some(&ask.question));
                let verdicts = ask.choices.iter().filter_map(|choice| choice.failed.as_ref());
                verdicts.for_each(|verdict| self.verdict(&names, &into, verdict));
                self.late(&names, &into, &ask.late);
                self.remind(&names, ask.remind.as_ref());
            }
            StepKind::Call(call) => {
                let names = with(&names, Source::Call(name));
                self.call(&names, &into, &call.request, &step.set);
                for failed in &call.failed {
                    self.condition(&names, failed.condition.as_ref());
                    self.value(&names, failed.reason.as_ref());
                    self.assignments(&names, &into, &failed.set);
                }
            }
            StepKind::Saga(child) => {
                let names = Names { child: Some(Source::Child(name)), ..names.clone() };
                self.value(&names, child.key.as_ref());
                self.template(&names, child.with.as_ref());
                self.assignments(&names, &into, &step.set);
                self.verdict(&names, &into, &child.failed);
            }
            _ => self.other(&names, &into, step),
        }
        self.compensation(&names, &into, step);
    }

    fn other(&mut self, names: &Names, into: &Source, step: &Step) {
        self.assignments(names, into, &step.set);
        match &step.kind {
            StepKind::Emit(emit) => self.fact(names, &emit.fact),
            StepKind::Fail(reason) => self.template(names, Some(reason)),
            StepKind::Sleep(Sleep::Until(moment)) => self.slots.read(names, moment, Role::Moment),
            StepKind::Parallel(parallel) => self.verdict(names, into, &parallel.failed),
            StepKind::Each(each) => {
                self.slots.read(names, &each.items, Role::Items(each.at_most));
                let elements = Source::Item(step.name.to_string());
                self.slots.elements(names, &each.items, elements);
                let inner = Names { each: Some(step.name.to_string()), ..names.clone() };
                self.assignments(&inner, into, &each.collect);
                self.verdict(names, into, &each.failed);
            }
            StepKind::Choose(choose) => {
                choose.arms.iter().for_each(|arm| self.condition(names, arm.when.as_ref()));
                self.verdict(names, into, &choose.failed);
            }
            StepKind::Lock(lock) => {
                lock.keys.iter().for_each(|key| self.template(names, Some(key)));
                self.verdict(names, into, &lock.failed);
            }
            StepKind::Set
            | StepKind::Sleep(Sleep::For(_))
            | StepKind::Command(_)
            | StepKind::Wait(_)
            | StepKind::Ask(_)
            | StepKind::Call(_)
            | StepKind::Saga(_) => {}
        }
    }

    fn compensation(&mut self, names: &Names, into: &Source, step: &Step) {
        match step.compensation() {
            Compensation::Unsaid | Compensation::Nothing | Compensation::Child => {}
            Compensation::Command { request, set } => self.request(names, into, request, set),
            Compensation::Emit(fact) => self.fact(names, fact),
            Compensation::Call { request, set } => {
                let event = Some(Source::Call(step.name.to_string()));
                self.call(&Names { event, ..names.clone() }, into, request, set);
            }
        }
    }

    fn request(&mut self, names: &Names, into: &Source, request: &Request, set: &[Assignment]) {
        self.value(names, request.key.as_ref());
        self.template(names, request.with.as_ref());
        request.headers.iter().for_each(|(_, header)| self.template(names, Some(header)));
        self.dones(names, into, &request.done, set);
    }

    fn call(&mut self, names: &Names, into: &Source, request: &CallRequest, set: &[Assignment]) {
        self.template(names, Some(&request.path));
        self.template(names, request.body.as_ref());
        request.headers.iter().for_each(|(_, header)| self.template(names, Some(header)));
        for done in &request.done {
            self.condition(names, done.condition.as_ref());
            self.assignments(names, into, done.set.as_deref().unwrap_or(set));
        }
    }

    fn dones(&mut self, names: &Names, into: &Source, dones: &[Done], set: &[Assignment]) {
        for done in dones {
            let event = Some(Source::Event(done.on.to_string()));
            let names = Names { event, ..names.clone() };
            self.condition(&names, done.condition.as_ref());
            self.assignments(&names, into, done.set.as_deref().unwrap_or(set));
        }
    }

    fn failed(&mut self, names: &Names, into: &Source, failed: &Failed) {
        let event = Some(Source::Event(failed.on.to_string()));
        let names = Names { event, ..names.clone() };
        self.condition(&names, failed.condition.as_ref());
        self.value(&names, failed.reason.as_ref());
        self.assignments(&names, into, &failed.set);
    }

    fn late(&mut self, names: &Names, into: &Source, late: &Late) {
        if let Late::Fail(verdict) = late {
            self.verdict(names, into, verdict);
        }
    }

    fn verdict(&mut self, names: &Names, into: &Source, verdict: &Verdict) {
        self.assignments(names, into, &verdict.set);
    }

    fn remind(&mut self, names: &Names, remind: Option<&Remind>) {
        if let Some(remind) = remind {
            self.fact(names, &remind.fact);
        }
    }

    fn fact(&mut self, names: &Names, fact: &Fact) {
        self.value(names, fact.key.as_ref());
        self.template(names, fact.with.as_ref());
        fact.headers.iter().for_each(|(_, header)| self.template(names, Some(header)));
    }

    fn assignments(&mut self, names: &Names, into: &Source, all: &[Assignment]) {
        for assignment in all {
            let field = (into.clone(), vec![assignment.field.clone()]);
            self.slots.fill(names, field, &assignment.value);
        }
    }

    fn condition(&mut self, names: &Names, condition: Option<&Expression>) {
        if let Some(condition) = condition {
            self.slots.read(names, condition, Role::Condition);
        }
    }

    fn value(&mut self, names: &Names, value: Option<&Expression>) {
        if let Some(value) = value {
            self.slots.read(names, value, Role::Value);
        }
    }

    fn template(&mut self, names: &Names, template: Option<&Template>) {
        match template {
            None | Some(Template::Literal(_)) => {}
            Some(Template::Whole(expression)) => self.value(names, Some(expression)),
            Some(Template::Text(pieces)) => {
                for piece in pieces {
                    if let Piece::Hole(expression) = piece {
                        self.value(names, Some(expression));
                    }
                }
            }
            Some(Template::List(items)) => {
                items.iter().for_each(|item| self.template(names, Some(item)));
            }
            Some(Template::Object(fields)) => {
                fields.iter().for_each(|(_, field)| self.template(names, Some(field)));
            }
        }
    }
}

/// What the event is called that a parent starts its child with.
pub(super) const PARENT: &str = "parent";
