use super::{
    Assignment, CallRequest, CallStep, Choice, ChooseStep, CommandStep, Compensation, Definition,
    Done, Ends, Fact, Failed, Late, LockStep, Remind, Request, SagaStep, Sleep, Step, StepKind,
    Verdict, WaitStep,
};
use crate::expression::{Expression, Template};

/// What an expression of a definition is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Finds the key of an instance.
    Key,
    /// Holds or does not hold.
    Condition,
    /// The list that a fan-out is over, at most so long.
    Items(u32),
    /// The moment that a sleep waits for.
    Moment,
    /// A value that goes into a message or a question, and is not kept.
    Message,
    /// Any other value.
    Value,
}

impl Definition {
    /// The same definition with other expressions in the places of its own.
    #[must_use]
    pub fn mapped(&self, with: &dyn Fn(&Expression, Role) -> Expression) -> Self {
        let map = Map { with };
        let mut mapped = self.clone();
        for start in &mut mapped.starts {
            map.condition(&mut start.condition);
            map.key(&mut start.key);
        }
        for rule in &mut mapped.events {
            map.key(&mut rule.key);
        }
        for cancel in &mut mapped.cancel {
            map.condition(&mut cancel.condition);
            map.key(&mut cancel.key);
        }
        map.assignments(&mut mapped.data);
        mapped.steps.iter_mut().for_each(|step| map.step(step));
        let Ends { completed, compensated, stuck } = &mut mapped.ends;
        [completed, compensated, stuck].into_iter().flatten().for_each(|fact| map.fact(fact));
        mapped
    }
}

struct Map<'w> {
    with: &'w dyn Fn(&Expression, Role) -> Expression,
}

impl Map<'_> {
    fn to(&self, expression: &mut Expression, role: Role) {
        *expression = (self.with)(expression, role);
    }

    fn condition(&self, condition: &mut Option<Expression>) {
        if let Some(condition) = condition {
            self.to(condition, Role::Condition);
        }
    }

    fn key(&self, key: &mut Option<Expression>) {
        if let Some(key) = key {
            self.to(key, Role::Key);
        }
    }

    fn value(&self, value: &mut Option<Expression>, role: Role) {
        if let Some(value) = value {
            self.to(value, role);
        }
    }

    fn template(&self, template: &mut Template, role: Role) {
        *template = template.mapped(&|e| (self.with)(e, role));
    }

    fn body(&self, body: &mut Option<Template>, role: Role) {
        if let Some(body) = body {
            self.template(body, role);
        }
    }

    fn headers(&self, headers: &mut [(String, Template)]) {
        for (_, template) in headers {
            self.template(template, Role::Message);
        }
    }

    fn assignments(&self, assignments: &mut [Assignment]) {
        for assignment in assignments {
            self.to(&mut assignment.value, Role::Value);
        }
    }

    fn step(&self, step: &mut Step) {
        self.condition(&mut step.when);
        self.assignments(&mut step.set);
        match &mut step.kind {
            StepKind::Command(command) => self.command(command),
            StepKind::Emit(emit) => {
                self.fact(&mut emit.fact);
                self.compensation(&mut emit.compensate);
            }
            StepKind::Set | StepKind::Sleep(Sleep::For(_)) => {}
            StepKind::Fail(reason) => self.template(reason, Role::Value),
            StepKind::Wait(wait) => self.wait(wait),
            StepKind::Sleep(Sleep::Until(moment)) => self.to(moment, Role::Moment),
            StepKind::Ask(ask) => {
                self.template(&mut ask.question, Role::Message);
                ask.choices.iter_mut().for_each(|choice| self.choice(choice));
                self.late(&mut ask.late);
                self.remind(ask.remind.as_mut());
            }
            StepKind::Call(call) => self.call(call),
            StepKind::Saga(child) => self.child(child),
            StepKind::Parallel(parallel) => self.verdict(&mut parallel.failed),
            StepKind::Each(each) => {
                self.to(&mut each.items, Role::Items(each.at_most));
                self.assignments(&mut each.collect);
                self.verdict(&mut each.failed);
            }
            StepKind::Choose(choose) => self.choose(choose),
            StepKind::Lock(lock) => self.lock(lock),
        }
    }

    fn command(&self, command: &mut CommandStep) {
        self.request(&mut command.request);
        command.failed.iter_mut().for_each(|failed| self.failed(failed));
        if let Some(probe) = &mut command.probe {
            self.request(&mut probe.request);
            probe.absent.iter_mut().for_each(|done| self.done(done));
        }
        self.compensation(&mut command.compensate);
    }

    fn request(&self, request: &mut Request) {
        self.value(&mut request.key, Role::Message);
        self.body(&mut request.with, Role::Message);
        self.headers(&mut request.headers);
        request.done.iter_mut().for_each(|done| self.done(done));
    }

    fn done(&self, done: &mut Done) {
        self.condition(&mut done.condition);
        done.set.iter_mut().for_each(|set| self.assignments(set));
    }

    fn failed(&self, failed: &mut Failed) {
        self.condition(&mut failed.condition);
        self.value(&mut failed.reason, Role::Value);
        self.assignments(&mut failed.set);
    }

    fn compensation(&self, compensation: &mut Compensation) {
        match compensation {
            Compensation::Unsaid | Compensation::Nothing | Compensation::Child => {}
            Compensation::Command { request, set } => {
                self.request(request);
                self.assignments(set);
            }
            Compensation::Emit(fact) => self.fact(fact),
            Compensation::Call { request, set } => {
                self.call_request(request);
                self.assignments(set);
            }
        }
    }

    fn fact(&self, fact: &mut Fact) {
        self.value(&mut fact.key, Role::Message);
        self.body(&mut fact.with, Role::Message);
        self.headers(&mut fact.headers);
    }

    fn wait(&self, wait: &mut WaitStep) {
        wait.on.iter_mut().for_each(|done| self.done(done));
        wait.failed.iter_mut().for_each(|failed| self.failed(failed));
        self.late(&mut wait.late);
        self.remind(wait.remind.as_mut());
    }

    fn late(&self, late: &mut Late) {
        if let Late::Fail(verdict) = late {
            self.verdict(verdict);
        }
    }

    fn verdict(&self, verdict: &mut Verdict) {
        self.assignments(&mut verdict.set);
    }

    fn remind(&self, remind: Option<&mut Remind>) {
        if let Some(remind) = remind {
            self.fact(&mut remind.fact);
        }
    }

    fn choice(&self, choice: &mut Choice) {
        choice.failed.iter_mut().for_each(|verdict| self.verdict(verdict));
    }

    fn call(&self, call: &mut CallStep) {
        self.call_request(&mut call.request);
        for failed in &mut call.failed {
            self.condition(&mut failed.condition);
            self.value(&mut failed.reason, Role::Value);
            self.assignments(&mut failed.set);
        }
        self.compensation(&mut call.compensate);
    }

    fn call_request(&self, request: &mut CallRequest) {
        self.template(&mut request.path, Role::Message);
        self.headers(&mut request.headers);
        self.body(&mut request.body, Role::Message);
        for done in &mut request.done {
            self.condition(&mut done.condition);
            done.set.iter_mut().for_each(|set| self.assignments(set));
        }
    }

    fn child(&self, child: &mut SagaStep) {
        self.value(&mut child.key, Role::Value);
        self.body(&mut child.with, Role::Value);
        self.verdict(&mut child.failed);
        self.compensation(&mut child.compensate);
    }

    fn choose(&self, choose: &mut ChooseStep) {
        choose.arms.iter_mut().for_each(|arm| self.condition(&mut arm.when));
        self.verdict(&mut choose.failed);
    }

    fn lock(&self, lock: &mut LockStep) {
        lock.keys.iter_mut().for_each(|key| self.template(key, Role::Value));
        self.verdict(&mut lock.failed);
    }
}
