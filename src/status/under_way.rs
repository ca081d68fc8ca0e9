//! What of a life is under way: its steps, what they wait for, and what is owed to it.

use super::steps::steps;
use super::{ChildName, Moment, OwedStanding, StepStanding, Wait};
use crate::definition::{
    Attempted, Budget, Compensation, Definition, Nature, Sleep, Step, StepId, Waiting,
};
use crate::engine::{Inside, Life, Locked, Phase, Progress, Request, Stage, StepState, Stuck};
use crate::message::{Coordinate, Part, Span, Timestamp};

/// What of a life is under way.
pub(super) struct UnderWay<'l> {
    definition: Option<&'l Definition>,
    stuck: &'l [Stuck],
    /// Which branch of every fan-out around it the step is in that is looked at.
    branch: Vec<u32>,
    pub steps: Vec<StepStanding>,
    pub owed: Vec<OwedStanding>,
    pub children: Vec<ChildName>,
    /// When the first of its compensations began.
    pub first_undo: Option<Timestamp>,
    /// When the next timer of a step strikes.
    pub due: Option<Timestamp>,
}

impl<'l> UnderWay<'l> {
    pub fn of(definition: Option<&'l Definition>, life: &'l Life) -> Self {
        let mut found = Self {
            definition,
            stuck: &life.stuck,
            branch: Vec::new(),
            steps: Vec::new(),
            owed: Vec::new(),
            children: Vec::new(),
            first_undo: None,
            due: None,
        };
        for (branch, state) in steps(&life.frame) {
            found.branch = branch;
            found.step(state);
        }
        found
    }

    /// The coordinate of a step, or its place in the file if its definition is not known here.
    pub fn name(definition: Option<&Definition>, step: StepId, branch: &[u32]) -> String {
        match step_of(definition, step) {
            Some(known) => {
                let branch = branch.to_vec();
                Coordinate { step: known.name.clone(), branch }.to_string()
            }
            None => format!("#{}", step.0 + 1),
        }
    }

    fn step(&mut self, state: &StepState) {
        let step = step_of(self.definition, state.step);
        let name = Self::name(self.definition, state.step, &self.branch);
        let requests = state.requests().filter_map(|(_, request)| due(request));
        let reminder = state.reminder().map(|reminder| reminder.at);
        let timers = requests.chain(state.until).chain(reminder).chain(self.due);
        self.due = timers.min();
        if let Inside::Child(child) = &state.inside
            && let Some(Nature::Waiting(Waiting::Child(said))) = step.map(Step::nature)
        {
            let (saga, key) = (said.saga.to_string(), child.key.to_string());
            self.children.push(ChildName { step: name.clone(), saga, key });
        }
        if let Some(waits) = self.waits(step, state) {
            self.steps.push(own(name.clone(), step, state, waits));
        }
        if let Some(waits) = self.waits_late(state) {
            let standing = own(name.clone(), step, state, waits);
            self.steps.push(StepStanding { undoing: true, ..standing });
        }
        for (number, undo) in state.undos.iter().enumerate() {
            self.first_undo = Some(self.first_undo.map_or(undo.since, |at| at.min(undo.since)));
            if undo.lacks_answer() {
                self.undo(&name, step, state, (Part::undoing(number + 1), undo));
            }
        }
    }

    /// What a step itself waits for; nothing if it is over, or if what is in it is under way.
    fn waits(&self, step: Option<&Step>, state: &StepState) -> Option<Wait> {
        if let Some(probe) = state.probe().filter(|probe| probe.is_under_way()) {
            let of = step.and_then(|step| asked(step, Part::Probe)).unwrap_or_default();
            return Some(if probe.attempts == 0 {
                Wait::Attempt { of }
            } else {
                Wait::Probe { of }
            });
        }
        if self.stuck.iter().any(|stuck| self.is_at(stuck, state)) {
            return Some(Wait::Person);
        }
        if state.phase != Phase::Running {
            return None;
        }
        match &state.inside {
            Inside::Branched(_) => None,
            Inside::Locked(locked) => {
                (locked.hold.stage == Stage::Taking).then(|| lock_wait(locked))
            }
            Inside::Nothing
            | Inside::Reminder(_)
            | Inside::Fact(_)
            | Inside::Requested(_)
            | Inside::Child(_) => Some(step.map_or(Wait::Unknown, |step| simple(step, state))),
        }
    }

    /// What a lock waits for that is over, and is taken again for what is undone late under it.
    fn waits_late(&self, state: &StepState) -> Option<Wait> {
        let Inside::Locked(locked) = &state.inside else { return None };
        if self.stuck.iter().any(|stuck| stuck.undoing && self.is_of(stuck, state)) {
            return Some(Wait::Person);
        }
        let takes = locked.hold.late && locked.hold.stage == Stage::Taking;
        (takes && state.phase != Phase::Running).then(|| lock_wait(locked))
    }

    fn is_at(&self, stuck: &Stuck, state: &StepState) -> bool {
        !stuck.undoing && self.is_of(stuck, state)
    }

    fn is_of(&self, stuck: &Stuck, state: &StepState) -> bool {
        stuck.step == state.step && stuck.branch == self.branch
    }

    fn undo(
        &mut self,
        name: &str,
        step: Option<&Step>,
        state: &StepState,
        (part, undo): (Part, &Request),
    ) {
        let to = match &state.inside {
            Inside::Child(_) => self.children.last().map(|c| format!("{}/{}", c.saga, c.key)),
            Inside::Nothing
            | Inside::Reminder(_)
            | Inside::Fact(_)
            | Inside::Requested(_)
            | Inside::Branched(_)
            | Inside::Locked(_) => step.and_then(|step| asked(step, part)),
        };
        let to = to.unwrap_or_else(|| UNSAID.to_owned());
        let parked = undo.progress == Progress::Parked;
        self.owed.push(OwedStanding {
            step: name.to_owned(),
            to: to.clone(),
            since: Moment(undo.since),
            attempts: undo.attempts,
            due: due(undo).map(Moment),
            parked,
        });
        let waits = match undo.progress {
            Progress::Parked | Progress::GivenUp => Wait::Person,
            Progress::Pausing(_) => Wait::Attempt { of: to },
            Progress::Open if undo.awaits_lock() => {
                Wait::Lock { keys: Vec::new(), held: 0, behind: None }
            }
            Progress::Waiting(_) | Progress::Open | Progress::Answered => Wait::Reply { from: to },
        };
        let is_child = matches!(state.inside, Inside::Child(_));
        let blank = StepStanding {
            undoing: true,
            since: Some(Moment(undo.since)),
            ..blank(name.to_owned(), step, waits)
        };
        let standing = if is_child { blank } else { tried(blank, step, part, undo) };
        self.steps.push(standing);
    }
}

/// Who undoes a step of which the definition does not say it.
const UNSAID: &str = "a person";

fn step_of(definition: Option<&Definition>, step: StepId) -> Option<&Step> {
    definition.and_then(|definition| definition.steps.get(step.0 as usize))
}

/// What is told of a step under way itself.
fn own(name: String, step: Option<&Step>, state: &StepState, waits: Wait) -> StepStanding {
    let standing = StepStanding {
        since: step.and_then(|step| entered(step, state)).map(Moment),
        due: state
            .reminder()
            .map(|reminder| reminder.at)
            .into_iter()
            .chain(state.until)
            .min()
            .map(Moment),
        until: state.until.map(Moment),
        ..blank(name, step, waits)
    };
    match &state.inside {
        Inside::Requested(requested) => {
            let probe = requested.probe.as_deref().filter(|probe| probe.is_under_way());
            match probe {
                Some(probe) => tried(standing, step, Part::Probe, probe),
                None => tried(standing, step, Part::Action, &requested.action),
            }
        }
        Inside::Child(child) => {
            StepStanding { since: Some(Moment(child.action.since)), ..standing }
        }
        Inside::Nothing
        | Inside::Reminder(_)
        | Inside::Fact(_)
        | Inside::Branched(_)
        | Inside::Locked(_) => standing,
    }
}

fn blank(name: String, step: Option<&Step>, waits: Wait) -> StepStanding {
    StepStanding {
        step: name,
        kind: step.map(|step| step.kind.word().to_owned()).unwrap_or_default(),
        title: step.and_then(|step| step.title.clone()).unwrap_or_default(),
        undoing: false,
        waits,
        attempt: None,
        attempts_max: None,
        attempts: None,
        since: None,
        due: None,
        until: None,
    }
}

/// What is told of the attempts of a request, added to what is told of its step.
fn tried(
    standing: StepStanding,
    step: Option<&Step>,
    part: Part,
    request: &Request,
) -> StepStanding {
    let budget = step.and_then(|step| step.retry(part)).map(|retry| retry.budget);
    let (attempts_max, until) = match budget {
        Some(Budget::Attempts(most)) => (Some(most), None),
        Some(Budget::For(span)) => (None, Some(Moment(request.since.after(span)))),
        None => (None, None),
    };
    StepStanding {
        attempt: Some(request.spent),
        attempts_max,
        attempts: Some(request.attempts),
        since: Some(Moment(request.since)),
        due: due(request).map(Moment).or(standing.due),
        until: until.or(standing.until),
        ..standing
    }
}

/// When a request goes on by itself.
fn due(request: &Request) -> Option<Timestamp> {
    match request.progress {
        Progress::Waiting(at) | Progress::Pausing(at) => Some(at),
        Progress::Answered | Progress::GivenUp | Progress::Parked | Progress::Open => None,
    }
}

/// What a step waits for that has no steps in it.
fn simple(step: &Step, state: &StepState) -> Wait {
    match step.nature() {
        Nature::Attempted(attempted) => request(step, attempted, state),
        Nature::Waiting(Waiting::Fact(wait)) => {
            let any_of = wait.on.iter().map(|done| done.on.to_string()).collect();
            Wait::Event { any_of }
        }
        Nature::Waiting(Waiting::Time(_)) => Wait::Time,
        Nature::Waiting(Waiting::Person(ask)) => Wait::Answer {
            who: ask.who.clone(),
            choices: ask.choices.iter().map(|choice| choice.name.clone()).collect(),
        },
        Nature::Waiting(Waiting::Child(said)) => match &state.inside {
            Inside::Child(child) => {
                Wait::Child { saga: said.saga.to_string(), key: child.key.to_string() }
            }
            Inside::Nothing
            | Inside::Reminder(_)
            | Inside::Fact(_)
            | Inside::Requested(_)
            | Inside::Branched(_)
            | Inside::Locked(_) => Wait::Unknown,
        },
        Nature::Instant(_) | Nature::Composite(_) => Wait::Unknown,
    }
}

fn request(step: &Step, attempted: Attempted<'_>, state: &StepState) -> Wait {
    let who = asked(step, Part::Action).unwrap_or_default();
    let progress = state.action().map(|action| action.progress);
    match (attempted, progress) {
        (_, Some(Progress::Pausing(_))) => Wait::Attempt { of: who },
        (_, Some(Progress::Parked)) => Wait::Person,
        (Attempted::Command(_) | Attempted::Call(_), _) => Wait::Reply { from: who },
    }
}

fn lock_wait(locked: &Locked) -> Wait {
    Wait::Lock {
        keys: locked.keys.iter().map(ToString::to_string).collect(),
        held: locked.hold.got,
        behind: None,
    }
}

/// Who is asked by one part of a step: an address, or a method with its host.
fn asked(step: &Step, part: Part) -> Option<String> {
    let command = step.request(part).map(|request| request.command.to_string());
    let call = step.call(part);
    let call = call.map(|call| format!("{} {}", call.method.text(), call.authority));
    let fact = match step.compensation() {
        Compensation::Emit(fact) if matches!(part, Part::Undo(_)) => Some(fact.to.to_string()),
        Compensation::Emit(_)
        | Compensation::Unsaid
        | Compensation::Nothing
        | Compensation::Command { .. }
        | Compensation::Call { .. }
        | Compensation::Child => None,
    };
    command.or(call).or(fact)
}

/// When a step that waits was entered, if that follows from when it is over.
fn entered(step: &Step, state: &StepState) -> Option<Timestamp> {
    let before = |at: Timestamp, span: Span| Timestamp(at.0.saturating_sub_unsigned(span.0));
    let length = match step.waiting() {
        Some(Waiting::Time(Sleep::For(span))) => Some(*span),
        Some(Waiting::Time(Sleep::Until(_))) => None,
        Some(Waiting::Fact(_) | Waiting::Person(_) | Waiting::Child(_)) | None => step.within(),
    };
    if let (Some(until), Some(length)) = (state.until, length) {
        return Some(before(until, length));
    }
    // A later reminder may have come late, so only the first says when the step was entered.
    let reminder = state.reminder().filter(|reminder| reminder.told == 0)?;
    Some(before(reminder.at, step.remind()?.after))
}
