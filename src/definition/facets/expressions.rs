use super::{Attempted, Composite, Nature, Sent, Waiting};
use crate::definition::{
    Assignment, CallRequest, Compensation, Definition, Done, Fact, Failed, Late, Request, Role,
    Sleep, Step, Verdict,
};
use crate::expression::{Expression, Piece, Template};
use crate::message::Address;

/// An expression of a definition at one of its places.
#[derive(Debug, Clone, Copy)]
pub struct PlacedExpression<'d> {
    /// The expression.
    pub expression: &'d Expression,
    /// What it is for.
    pub role: Role,
    /// The step that it belongs to; none outside the steps.
    pub step: Option<&'d Step>,
    /// The fan-out whose `item`, `index` and `branch` it means.
    pub each: Option<&'d Step>,
    /// What `event` means in it.
    pub event: Option<EventKind<'d>>,
    /// The field that it fills, of the data or of the branch of the fan-out around its step.
    pub fills: Option<&'d str>,
    /// Whether its value must be written as text: as a key, or among other text.
    pub is_text: bool,
}

/// Where an event at hand comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind<'d> {
    /// It is an event of this address.
    Event(&'d Address),
    /// It is what a parent starts its child with.
    Parent,
    /// It is the answer to the step's call.
    Call,
}

impl Definition {
    /// Every expression, in the order of the file; one that may read several kinds of event is
    /// there once for each.
    #[must_use]
    pub fn expressions(&self) -> Vec<PlacedExpression<'_>> {
        let mut walk = Walk { definition: self, step: None, each: None, found: Vec::new() };
        walk.head();
        for step in &self.steps {
            walk.step = Some(step);
            walk.each = self.fan_out_around(step.id);
            walk.step(step);
        }
        walk.found
    }
}

struct Walk<'d> {
    definition: &'d Definition,
    step: Option<&'d Step>,
    each: Option<&'d Step>,
    found: Vec<PlacedExpression<'d>>,
}

type At<'d> = Option<EventKind<'d>>;

impl<'d> Walk<'d> {
    fn head(&mut self) {
        let definition = self.definition;
        for start in &definition.starts {
            let event = Some(EventKind::Event(&start.on));
            self.maybe(start.condition.as_ref(), Role::Condition, event);
            self.maybe(start.key.as_ref(), Role::Key, event);
        }
        let starts = definition.starts.iter().map(|start| EventKind::Event(&start.on));
        let parent = definition.by_parent.then_some(EventKind::Parent);
        for source in starts.chain(parent) {
            self.assignments(&definition.data, Some(source));
        }
        for rule in &definition.events {
            // What a rule reads is an event of many kinds, or of none that is known.
            self.maybe(rule.key.as_ref(), Role::Key, None);
        }
        for cancel in &definition.cancel {
            let event = Some(EventKind::Event(&cancel.on));
            self.maybe(cancel.condition.as_ref(), Role::Condition, event);
            self.maybe(cancel.key.as_ref(), Role::Key, event);
        }
        let ends = &definition.ends;
        let facts = [&ends.completed, &ends.compensated, &ends.stuck];
        facts.into_iter().flatten().for_each(|fact| self.fact(fact));
    }

    fn step(&mut self, step: &'d Step) {
        self.maybe(step.when.as_ref(), Role::Condition, None);
        match step.nature() {
            Nature::Instant(instant) => {
                self.assignments(&step.set, None);
                if let Some(emit) = instant.emitted() {
                    self.fact(&emit.fact);
                }
                self.template(instant.reason(), Role::Value, None);
            }
            Nature::Attempted(attempted) => self.attempted(step, attempted),
            Nature::Waiting(waiting) => self.waiting(step, waiting),
            Nature::Composite(composite) => {
                self.assignments(&step.set, None);
                self.composite(step, composite);
                self.verdict(composite.failed());
            }
        }
        self.compensation(step);
    }

    fn attempted(&mut self, step: &'d Step, attempted: Attempted<'d>) {
        match attempted {
            Attempted::Command(command) => {
                self.request(&command.request, &step.set);
                command.failed.iter().for_each(|failed| self.failed(failed));
                if let Some(probe) = &command.probe {
                    self.request(&probe.request, &step.set);
                    self.dones(&probe.absent, &[]);
                }
            }
            Attempted::Call(call) => {
                self.call(&call.request, &step.set);
                let event = Some(EventKind::Call);
                for failed in &call.failed {
                    self.maybe(failed.condition.as_ref(), Role::Condition, event);
                    self.maybe(failed.reason.as_ref(), Role::Value, event);
                    self.assignments(&failed.set, event);
                }
            }
        }
    }

    fn waiting(&mut self, step: &'d Step, waiting: Waiting<'d>) {
        match waiting {
            Waiting::Fact(wait) => {
                self.dones(&wait.on, &step.set);
                wait.failed.iter().for_each(|failed| self.failed(failed));
                self.late(&wait.late);
            }
            Waiting::Time(sleep) => {
                self.assignments(&step.set, None);
                if let Sleep::Until(moment) = sleep {
                    self.expression(moment, Role::Moment, None, None);
                }
            }
            Waiting::Person(ask) => {
                self.assignments(&step.set, None);
                self.template(Some(&ask.question), Role::Message, None);
                let verdicts = ask.choices.iter().filter_map(|choice| choice.failed.as_ref());
                verdicts.for_each(|verdict| self.verdict(verdict));
                self.late(&ask.late);
            }
            Waiting::Child(child) => {
                self.maybe(child.key.as_ref(), Role::Value, None);
                self.template(child.with.as_ref(), Role::Value, None);
                self.assignments(&step.set, None);
                self.verdict(&child.failed);
            }
        }
        if let Some(remind) = step.remind() {
            self.fact(&remind.fact);
        }
    }

    fn composite(&mut self, step: &'d Step, composite: Composite<'d>) {
        match composite {
            Composite::Parallel(_) => {}
            Composite::Each(each) => {
                self.expression(&each.items, Role::Items(each.at_most), None, None);
                let outer = self.each.replace(step);
                self.assignments(&each.collect, None);
                self.each = outer;
            }
            Composite::Choose(choose) => {
                for arm in &choose.arms {
                    self.maybe(arm.when.as_ref(), Role::Condition, None);
                }
            }
            Composite::Lock(lock) => {
                lock.keys.iter().for_each(|key| self.template(Some(key), Role::Value, None));
            }
        }
    }

    fn compensation(&mut self, step: &'d Step) {
        match step.compensation() {
            Compensation::Unsaid | Compensation::Nothing | Compensation::Child => {}
            Compensation::Command { request, set } => self.request(request, set),
            Compensation::Emit(fact) => self.fact(fact),
            Compensation::Call { request, set } => self.call(request, set),
        }
    }

    fn request(&mut self, request: &'d Request, set: &'d [Assignment]) {
        self.message(Sent::Command(request));
        self.dones(&request.done, set);
    }

    fn fact(&mut self, fact: &'d Fact) {
        self.message(Sent::Fact(fact));
    }

    fn message(&mut self, sent: Sent<'d>) {
        self.maybe(sent.key(), Role::Message, None);
        if sent.key().is_some() {
            self.as_text();
        }
        self.template(sent.body(), Role::Message, None);
        self.headers(sent.headers());
    }

    fn headers(&mut self, headers: &'d [(String, Template)]) {
        for (_, header) in headers {
            self.template(Some(header), Role::Message, None);
        }
    }

    fn call(&mut self, request: &'d CallRequest, set: &'d [Assignment]) {
        self.template(Some(&request.path), Role::Message, None);
        self.template(request.body.as_ref(), Role::Message, None);
        self.headers(&request.headers);
        let event = Some(EventKind::Call);
        for done in &request.done {
            self.maybe(done.condition.as_ref(), Role::Condition, event);
            self.assignments(done.set.as_deref().unwrap_or(set), event);
        }
    }

    fn dones(&mut self, dones: &'d [Done], set: &'d [Assignment]) {
        for done in dones {
            let event = Some(EventKind::Event(&done.on));
            self.maybe(done.condition.as_ref(), Role::Condition, event);
            self.assignments(done.set.as_deref().unwrap_or(set), event);
        }
    }

    fn failed(&mut self, failed: &'d Failed) {
        let event = Some(EventKind::Event(&failed.on));
        self.maybe(failed.condition.as_ref(), Role::Condition, event);
        self.maybe(failed.reason.as_ref(), Role::Value, event);
        self.assignments(&failed.set, event);
    }

    fn late(&mut self, late: &'d Late) {
        match late {
            Late::GoOn => {}
            Late::Fail(verdict) => self.verdict(verdict),
        }
    }

    fn verdict(&mut self, verdict: &'d Verdict) {
        self.assignments(&verdict.set, None);
    }

    fn assignments(&mut self, all: &'d [Assignment], event: At<'d>) {
        for assignment in all {
            self.expression(&assignment.value, Role::Value, event, Some(&assignment.field));
        }
    }

    fn maybe(&mut self, expression: Option<&'d Expression>, role: Role, event: At<'d>) {
        if let Some(expression) = expression {
            self.expression(expression, role, event, None);
        }
    }

    fn template(&mut self, template: Option<&'d Template>, role: Role, event: At<'d>) {
        match template {
            None | Some(Template::Literal(_)) => {}
            Some(Template::Whole(expression)) => self.expression(expression, role, event, None),
            Some(Template::Text(pieces)) => {
                for piece in pieces {
                    match piece {
                        Piece::Literal(_) => {}
                        Piece::Hole(expression) => {
                            self.expression(expression, role, event, None);
                            self.as_text();
                        }
                    }
                }
            }
            Some(Template::List(items)) => {
                for item in items {
                    self.template(Some(item), role, event);
                }
            }
            Some(Template::Object(fields)) => {
                for (_, field) in fields {
                    self.template(Some(field), role, event);
                }
            }
        }
    }

    fn expression(
        &mut self,
        expression: &'d Expression,
        role: Role,
        event: At<'d>,
        fills: Option<&'d str>,
    ) {
        let (step, each) = (self.step, self.each);
        let is_text = false;
        self.found.push(PlacedExpression { expression, role, step, each, event, fills, is_text });
    }

    /// The last one must be written as text.
    fn as_text(&mut self) {
        if let Some(last) = self.found.last_mut() {
            last.is_text = true;
        }
    }
}
