//! Lets the production engine take one move, once for each answer of the conditions on the way.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::answers::{Choice, Consulted, Memory, Oracle};
use super::apart::Apart;
use super::canon::{canonical, told};
use super::input::input;
use super::mark::{Mark, brief, least};
use super::model::{Around, Ending, KEY, NOW, Partner, Stands, State};
use super::moves::{EARLY_MAX, Move, is_young, moves, shared};
use super::oracle::Seat;
use super::settled::Settled;
use super::spots::{Asked, coordinate};
use super::symmetry::Symmetry;
use super::timers::prepared;
use super::turns::chosen;
use super::value::Written;
use crate::definition::{Catalog, Compensation, Definition, Done, Role};
use crate::engine::{Direction, Effect, Input, Instance, Life, Note, Rejection, Transition, Verb};
use crate::message::{Address, Event, InstanceId, Key, Timestamp};

/// The most combinations of answers of one step of the engine.
const ANSWERS_MAX: usize = 4_096;

/// The engine's one door, or in tests one behind which the engine breaks its promises.
#[derive(Clone, Copy)]
pub(super) struct Door(pub Engine);

type Engine = fn(
    &Catalog,
    &InstanceId,
    Option<&Instance>,
    &Input,
    Timestamp,
) -> Result<Transition, Rejection>;

/// One definition among those that it works with, its conditions undecided.
pub(super) struct World {
    door: Door,
    catalog: Catalog,
    pub definition: Arc<Definition>,
    /// The kinds of event that more than one thing reads.
    pub shared: BTreeSet<Address>,
    oracle: Arc<Oracle>,
    pub id: InstanceId,
    pub symmetry: Symmetry,
    /// Whether states that are each other's twins count as one.
    pub is_reduced: bool,
    pub settled: Settled,
    apart: Option<Apart>,
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
    /// What the same input did when it came a second time, if it did anything.
    pub again: Option<String>,
}

impl World {
    pub fn new(door: Door, definition: &Definition, others: &[&Definition]) -> Self {
        let all = others.iter().copied().chain([definition]);
        let oracle = Arc::new(Oracle::new(Written::of(all)));
        let symmetry = Symmetry::of(definition);
        let judged = |definition: &Definition| {
            definition.mapped(&|expression, role| {
                let oracle = Arc::clone(&oracle);
                let list = matches!(role, Role::Items(_)).then(|| symmetry.list(expression));
                let seat = Seat::new(oracle, role, expression, list.flatten());
                expression.judged(Arc::new(seat))
            })
        };
        let mut catalog = Catalog::default();
        for other in others.iter().filter(|other| other.saga != definition.saga) {
            catalog.add(judged(other)).expect("each saga is there once");
        }
        let judged = judged(definition);
        catalog.add(judged.clone()).expect("each saga is there once");
        let key = Key::new(KEY).expect("it is a key");
        let id = InstanceId { saga: definition.saga.clone(), key };
        let shared = shared(definition);
        let definition = Arc::new(judged);
        let settled = Settled::of(&definition, &shared);
        Self {
            door,
            catalog,
            definition,
            shared,
            oracle,
            id,
            symmetry,
            is_reduced: true,
            settled,
            apart: None,
        }
    }

    /// The same, but a state and its twin are two.
    pub fn unreduced(self) -> Self {
        Self { is_reduced: false, ..self }
    }

    /// The same, but branches that share nothing are undone one after the other.
    pub fn in_turns(self) -> Self {
        let apart = Some(Apart::of(&self.definition));
        Self { apart, ..self }
    }

    /// Every move that is looked at in a state.
    pub fn moves(&self, state: &State) -> Vec<Move> {
        let moves = moves(&self.definition, &self.shared, state);
        match &self.apart {
            Some(apart) => chosen(apart, &self.definition, state, moves),
            None => moves,
        }
    }

    /// The same, but a state is told from another also by steps that decide nothing any more.
    #[cfg(test)]
    pub fn with_settled(self) -> Self {
        Self { settled: Settled::default(), ..self }
    }

    /// What tells a state from all others that are not its twins.
    pub fn mark(&self, state: &State) -> Mark {
        if self.is_reduced {
            least(&self.symmetry, &self.settled, state)
        } else {
            brief(&self.settled, state)
        }
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
        self.told(state, next, &input(&self.id, &self.symmetry, state, next), script)
    }

    /// Lets the engine take an input, and looks round after it.
    fn told(&self, state: &State, next: &Move, input: &Input, script: Vec<u8>) -> Step {
        let before = prepared(&self.definition, state, next);
        let is_start = matches!(next, Move::Start(_));
        self.oracle.open(&state.around.memory, script, is_start);
        let outcome = self.step(before.as_deref(), input);
        let Consulted { choices, memory, missing } = self.oracle.pause();
        let outcome = outcome.map(|transition| {
            let again = self.again(next, &transition, input);
            let taken = self.taken(state, next, memory, transition);
            Taken { again, ..taken }
        });
        let script = choices.iter().map(|choice| choice.taken).collect();
        Step { script, choices, missing, outcome }
    }

    fn step(&self, before: Option<&Instance>, input: &Input) -> Result<Transition, Rejection> {
        (self.door.0)(&self.catalog, &self.id, before, input, NOW)
    }

    /// What an input does that comes a second time; whatever has an id may, and an answer may
    /// come by another event that names the same command.
    fn again(&self, next: &Move, first: &Transition, input: &Input) -> Option<String> {
        let is_answered = |asked: &Asked| {
            let newest = first.after.as_ref().and_then(Instance::newest);
            newest.is_some_and(|life| asked.is_answered(life))
        };
        match (input, next) {
            (Input::Wake(_), _) => None,
            (Input::Event(event), Move::Reply { asked, .. }) if is_answered(asked) => {
                let other = Event { id: format!("{}:again", event.id), ..event.clone() };
                let same = self.once_more(first, input);
                same.or_else(|| self.once_more(first, &Input::Event(other)))
            }
            (Input::Event(_) | Input::Act(_) | Input::Letter(_) | Input::Called(_), _) => {
                self.once_more(first, input)
            }
        }
    }

    fn once_more(&self, first: &Transition, input: &Input) -> Option<String> {
        let told = self.step(first.after.as_ref(), input).ok();
        let told = told.filter(|_| !self.oracle.is_unclear())?;
        let is_same = || {
            let canonical = |of: &Transition| of.after.clone().map(canonical);
            canonical(&told) == canonical(first)
        };
        match told.effects.iter().find_map(sent) {
            Some(sent) => Some(format!("{sent} is sent once more")),
            None if is_same() => None,
            None => Some("it is taken once more".to_owned()),
        }
    }

    fn taken(&self, state: &State, next: &Move, memory: Arc<Memory>, of: Transition) -> Taken {
        let mut around = Around { memory, ..state.around.clone() };
        around.skipped |= leaves_gap(&self.definition, state, next);
        let went_back = went_back(state, of.after.as_ref());
        let mut state = State { instance: of.after.map(canonical), around };
        Self::look_round(&mut state, next, &of.effects);
        Taken { state, went_back, effects: of.effects, notes: of.notes, again: None }
    }

    /// What the world around knows after a move.
    fn look_round(state: &mut State, next: &Move, effects: &[Effect]) {
        if matches!(next, Move::Cancel(_) | Move::Act { verb: Verb::GoBack, .. }) {
            state.around.cancelled = true;
        }
        // One that is awaited comes as often as it likes.
        if let Move::Fact(address) = next
            && state.around.early.len() < EARLY_MAX
        {
            state.around.early.push(address.clone());
        }
        if let Move::Letter { from, then, .. } = next
            && let Some(partner) = state.around.partners.get_mut(from)
        {
            partner.stands = *then;
        }
        let newest = state.instance.as_ref().and_then(Instance::newest);
        if !newest.is_some_and(is_young) {
            // None of them is called early any more.
            state.around.early.clear();
        }
        let back = |g: &Life| g.direction == Direction::Back || g.pivoted;
        if newest.is_some_and(back) {
            // Nobody can ask for the way back any more.
            state.around.cancelled = true;
        }
        for effect in effects {
            let Effect::Letter { to, letter } = effect else { continue };
            if let Some(stands) = Stands::told(&letter.say) {
                let partner = Partner { letter: told(letter.clone()), stands };
                state.around.partners.insert(to.clone(), partner);
            } else {
                state.around.partners.remove(to);
            }
        }
    }

    /// A reply that does not name the command that it answers; none for other moves.
    pub fn unnamed(&self, state: &State, next: &Move, script: Vec<u8>) -> Option<Step> {
        if !matches!(next, Move::Reply { .. }) {
            return None;
        }
        let Input::Event(named) = input(&self.id, &self.symmetry, state, next) else { return None };
        let unnamed = Input::Event(Event { command: None, ..named });
        Some(self.told(state, next, &unnamed, script))
    }
}

/// What people and participants would notice.
pub(super) fn sent(effect: &Effect) -> Option<String> {
    match effect {
        Effect::Command(message) | Effect::Fact(message) => Some(message.to.to_string()),
        Effect::Call(call) => Some(format!("{} {}", call.method.text(), call.url)),
        Effect::Question(question) => Some(format!("a question to {}", question.who)),
        Effect::Letter { .. } | Effect::Complaint(_) => None,
    }
}

/// Whether a person skips something that would have set a field: a step, or an undoing that does.
fn leaves_gap(definition: &Definition, before: &State, next: &Move) -> bool {
    let Move::Act { step, verb: Verb::Skip } = next else {
        return false;
    };
    let stuck = before.instance.as_ref().and_then(Instance::newest).map(|g| &g.stuck);
    let meant =
        stuck.into_iter().flatten().filter(|stuck| *step == Some(coordinate(definition, stuck)));
    meant.into_iter().any(|stuck| {
        let of_done = |done: &[Done]| done.iter().any(|done| done.set.is_some());
        let sets = match definition.step(stuck.step).compensation() {
            Compensation::Command { request, set } => !set.is_empty() || of_done(&request.done),
            Compensation::Call { set, request } => {
                !set.is_empty() || request.done.iter().any(|done| done.set.is_some())
            }
            Compensation::Unsaid
            | Compensation::Nothing
            | Compensation::Emit(_)
            | Compensation::Child => false,
        };
        sets || !stuck.undoing
    })
}

/// How a run will end that has just turned round.
fn went_back(before: &State, after: Option<&Instance>) -> Option<Ending> {
    let forward = |g: &Life| g.direction == Direction::Forward;
    let was = before.instance.as_ref().and_then(Instance::newest).is_none_or(forward);
    let now = after.and_then(Instance::newest).filter(|g| was && !forward(g))?;
    let failure = now.failure.as_ref()?;
    Some(Ending::Compensated { step: failure.step.clone(), kind: failure.kind.text() })
}
