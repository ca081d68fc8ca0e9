//! Lets the production engine take one move, once for each answer of the conditions on the way.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::canon::canonical;
use super::model::{Ending, KEY, LATER, NOW, Partner, Stands, State};
use super::moves::Move;
use super::oracle::{Choice, Consulted, Memory, Oracle, Seat, body};
use super::spots::{Asked, Spot, step};
use crate::definition::{Budget, Catalog, Compensation, Definition, StepKind};
use crate::engine::{
    self, Act, CallOutcome, Called, Direction, Effect, Generation, Input, Instance, Letter, Note,
    Progress, Rejection, Say, Transition, Verb,
};
use crate::message::{Address, Event, InstanceId, Key, Life, Part, SagaName, Span};

/// Further back than any budget reaches.
const LONG_AGO: Span = Span::hours(24 * 3_650);
/// The most combinations of answers of one step of the engine.
const ANSWERS_MAX: usize = 4_096;

/// One definition among those that it works with, its conditions undecided.
pub(super) struct World {
    catalog: Catalog,
    pub definition: Arc<Definition>,
    oracle: Arc<Oracle>,
    pub id: InstanceId,
}

/// What one move came to, for one combination of answers.
pub(super) struct Step {
    /// The answers that were given.
    pub script: Vec<u8>,
    pub choices: Vec<Choice>,
    /// Paths that were read and cannot be there.
    pub missing: Vec<String>,
    pub outcome: Result<Taken, Rejection>,
}

/// What the engine made of a move.
pub(super) struct Taken {
    pub state: State,
    /// Why it goes back from here, if it does.
    pub went_back: Option<Ending>,
    pub effects: Vec<Effect>,
    pub notes: Vec<Note>,
}

impl World {
    pub fn new(definition: &Definition, others: &[&Definition]) -> Self {
        let oracle = Arc::new(Oracle::default());
        let judged = |definition: &Definition| {
            definition.mapped(&|expression, role| {
                let oracle = Arc::clone(&oracle);
                expression.judged(Arc::new(Seat { oracle, role }))
            })
        };
        let judged = |definition: &Definition| one_by_one(judged(definition));
        let mut catalog = Catalog::default();
        for other in others.iter().filter(|other| other.saga != definition.saga) {
            catalog.add(judged(other)).expect("each saga is there once");
        }
        let judged = judged(definition);
        catalog.add(judged.clone()).expect("each saga is there once");
        let key = Key::new(KEY).expect("it is a key");
        let id = InstanceId { saga: definition.saga.clone(), key };
        Self { catalog, definition: Arc::new(judged), oracle, id }
    }

    /// Every outcome of a move, and whether there are more than are looked at.
    pub fn take(&self, state: &State, next: &Move) -> (Vec<Step>, bool) {
        let mut found = Vec::new();
        let mut scripts = vec![Vec::new()];
        while let Some(script) = scripts.pop() {
            let step = self.once(state, next, script.clone());
            for place in script.len()..step.choices.len() {
                for other in 1..step.choices[place].of {
                    let taken = step.choices[..place].iter().map(|choice| choice.taken);
                    scripts.push(taken.chain([other]).collect());
                }
            }
            found.push(step);
            if found.len() >= ANSWERS_MAX {
                break;
            }
        }
        (found, !scripts.is_empty())
    }

    /// One outcome: that of these answers.
    pub fn once(&self, state: &State, next: &Move, script: Vec<u8>) -> Step {
        self.told(state, next, &self.input(state, next), script)
    }

    /// Lets the engine take an input, and looks round after it.
    fn told(&self, state: &State, next: &Move, input: &Input, script: Vec<u8>) -> Step {
        let before = prepared(&self.definition, state, next);
        self.oracle.open(&state.around.memory, script);
        let outcome = engine::step(&self.catalog, &self.id, before.as_ref(), input, NOW);
        let Consulted { choices, memory, missing } = self.oracle.close();
        let outcome = outcome.map(|transition| Self::taken(state, next, memory, transition));
        let script = choices.iter().map(|choice| choice.taken).collect();
        Step { script, choices, missing, outcome }
    }

    fn taken(state: &State, next: &Move, memory: Memory, of: Transition) -> Taken {
        let mut around = state.around.clone();
        around.memory = memory;
        let went_back = went_back(state, of.after.as_ref());
        let mut state = State { instance: of.after.map(canonical), around };
        Self::look_round(&mut state, next, &of.effects);
        Taken { state, went_back, effects: of.effects, notes: of.notes }
    }

    /// What the world around knows after a move.
    fn look_round(state: &mut State, next: &Move, effects: &[Effect]) {
        match next {
            Move::Cancel(_) | Move::Act { verb: Verb::GoBack, .. } => state.around.cancelled = true,
            Move::Act { verb: Verb::Skip, .. } => state.around.skipped = true,
            Move::Fact(address) => {
                state.around.early.insert(address.clone());
            }
            Move::Letter { from, then, .. } => {
                if let Some(partner) = state.around.partners.get_mut(from) {
                    partner.stands = *then;
                }
            }
            _ => {}
        }
        let back = |g: &Generation| g.direction == Direction::Back || g.pivoted;
        if state.instance.as_ref().and_then(Instance::newest).is_some_and(back) {
            // Nobody can ask for the way back any more.
            state.around.cancelled = true;
        }
        for effect in effects {
            let Effect::Letter { to, letter } = effect else { continue };
            let stands = match &letter.say {
                Say::Start { .. } => Stands::Running,
                Say::TakeBack { .. } => Stands::Asked,
                Say::Acquire { .. } => Stands::Waiting,
                _ => {
                    state.around.partners.remove(to);
                    continue;
                }
            };
            let partner = Partner { letter: letter.clone(), stands };
            state.around.partners.insert(to.clone(), partner);
        }
    }

    fn input(&self, state: &State, next: &Move) -> Input {
        let generation = state.instance.as_ref().and_then(Instance::newest);
        match next {
            Move::Start(address) => Input::Event(event(address, "start", None)),
            Move::StartChild => Input::Letter(Self::start()),
            Move::Reply { asked, address } => {
                let generation = generation.expect("only an instance asks");
                let command = asked.id(&self.id, generation).to_string();
                let id = format!("{command}:{}", address.event_type);
                Input::Event(event(address, &id, Some(command)))
            }
            Move::Called { asked, status } => {
                let generation = generation.expect("only an instance calls");
                let command = asked.id(&self.id, generation).to_string();
                let body = body(&format!("{} {status}", asked.spot.name));
                let outcome = CallOutcome::Answered { status: *status, headers: Vec::new(), body };
                Input::Called(Called { command, outcome })
            }
            Move::Unsent(asked) => {
                let generation = generation.expect("only an instance calls");
                let command = asked.id(&self.id, generation).to_string();
                let reason = "nobody listens".to_owned();
                let outcome = CallOutcome::Failed { reason, unsent: true };
                Input::Called(Called { command, outcome })
            }
            Move::Fact(address) => Input::Event(event(address, &format!("fact:{address}"), None)),
            Move::Cancel(address) => Input::Event(event(address, "cancel", None)),
            Move::Act { step, verb } => Input::Act(Act {
                id: format!("act:{step}"),
                by: "somebody".to_owned(),
                why: "they say so".to_owned(),
                step: step.clone(),
                verb: verb.clone(),
            }),
            Move::Letter { from, say, .. } => {
                let asked = &state.around.partners[from].letter;
                Input::Letter(Letter {
                    id: format!("{}/{}", asked.id, say.text()),
                    from: from.clone(),
                    life: asked.life,
                    step: asked.step.clone(),
                    round: asked.round,
                    say: say.clone(),
                })
            }
            Move::Exhausted(_) | Move::Due(_) | Move::Remind(_) | Move::Deadline => Input::Wake,
        }
    }

    /// A reply that does not name the command that it answers; none for other moves.
    pub fn unnamed(&self, state: &State, next: &Move, script: Vec<u8>) -> Option<Step> {
        match (next, self.input(state, next)) {
            (Move::Reply { .. }, Input::Event(named)) => {
                let unnamed = Input::Event(Event { command: None, ..named });
                Some(self.told(state, next, &unnamed, script))
            }
            _ => None,
        }
    }

    fn start() -> Letter {
        let saga = SagaName::new("the-parent").expect("it is a name");
        let key = Key::new("p").expect("it is a key");
        Letter {
            id: "the-parent/p/1/child/1/start".to_owned(),
            from: InstanceId { saga, key },
            life: Life::unmarked(1),
            step: "child".to_owned(),
            round: 1,
            say: Say::Start { body: body("the parent"), trace_parent: String::new() },
        }
    }
}

/// Branches of a fan-out are looked at one after the other: they are alike, and what one does means
/// nothing to the next.
fn one_by_one(mut definition: Definition) -> Definition {
    for step in &mut definition.steps {
        if let StepKind::Each(each) = &mut step.kind {
            each.at_once = 1;
        }
    }
    definition
}

/// How a run will end that has just turned round.
fn went_back(before: &State, after: Option<&Instance>) -> Option<Ending> {
    let forward = |g: &Generation| g.direction == Direction::Forward;
    let was = before.instance.as_ref().and_then(Instance::newest).is_none_or(forward);
    let now = after.and_then(Instance::newest).filter(|g| was && !forward(g))?;
    let failure = now.failure.as_ref()?;
    Some(Ending::Compensated { step: failure.step.clone(), kind: failure.kind.text() })
}

fn event(address: &Address, id: &str, command: Option<String>) -> Event {
    let mut fields = Map::new();
    if let Value::Object(from) = body(&format!("{address} {id}")) {
        fields.extend(from);
    }
    Event {
        address: address.clone(),
        id: id.to_owned(),
        key: Some(KEY.to_owned()),
        body: Value::Object(fields),
        command,
        trace_parent: None,
        timestamp: NOW,
    }
}

/// The instance with the timer that a move chooses set to now.
fn prepared(definition: &Definition, state: &State, next: &Move) -> Option<Instance> {
    let mut instance = state.instance.clone()?;
    let generation = instance.generations.last_mut()?;
    match next {
        Move::Exhausted(asked) | Move::Unsent(asked) => {
            exhaust(definition, generation, asked);
            if let (Move::Unsent(_), Some(request)) = (next, asked.request_mut(generation)) {
                request.unsent = request.attempts.saturating_sub(1);
            }
        }
        Move::Due(spot) => spot.state_mut(generation).until = Some(NOW),
        Move::Remind(spot) => remind(generation, spot),
        Move::Deadline => generation.deadline = Some(NOW),
        Move::Start(_)
        | Move::StartChild
        | Move::Reply { .. }
        | Move::Called { .. }
        | Move::Fact(_)
        | Move::Cancel(_)
        | Move::Act { .. }
        | Move::Letter { .. } => {}
    }
    Some(instance)
}

/// All attempts of a request but the last are behind it, and that one's time is up.
fn exhaust(definition: &Definition, generation: &mut Generation, asked: &Asked) {
    let spent = attempts(step(definition, generation, &asked.spot), asked.part);
    if let Some(request) = asked.request_mut(generation) {
        request.progress = Progress::Waiting(NOW);
        request.spent = spent;
        request.since = crate::message::Timestamp(NOW.0 - LONG_AGO.0.cast_signed());
    }
}

/// How many attempts a request has, where its budget says so.
fn attempts(step: &crate::definition::Step, part: Part) -> u32 {
    let retry = match (part, &step.kind) {
        (Part::Action, StepKind::Command(command)) => Some(command.request.retry),
        (Part::Action, StepKind::Call(call)) => Some(call.request.retry),
        (Part::Probe, StepKind::Command(command)) => {
            command.probe.as_ref().map(|probe| probe.request.retry)
        }
        (Part::Undo(_), _) => match step.compensation() {
            Compensation::Command { request, .. } => Some(request.retry),
            Compensation::Call { request, .. } => Some(request.retry),
            Compensation::Unsaid
            | Compensation::Nothing
            | Compensation::Emit(_)
            | Compensation::Child => None,
        },
        _ => None,
    };
    match retry.map(|retry| retry.budget) {
        Some(Budget::Attempts(most)) => most,
        Some(Budget::For(_)) | None => 1,
    }
}

fn remind(generation: &mut Generation, spot: &Spot) {
    if let Some(remind) = &mut spot.state_mut(generation).remind {
        remind.at = NOW;
    }
    debug_assert!(LATER > NOW, "the other timers lie in the future");
}
