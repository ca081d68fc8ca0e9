//! Finds the one request or wait that an event answers.

use crate::definition::{Answer, Catalog, Correlation, Definition, StepKind};
use crate::engine::state::place::{Line, Place, walk};
use crate::engine::work::scope::holds;
use crate::engine::{Instance, Life, Phase, Progress, Rejection, Request, StepState};
use crate::message::{CommandId, Event, InstanceId, Part, Timestamp};

/// The request or wait that an event answers, and which of its answers the event is.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Found {
    pub life: usize,
    pub place: Place,
    pub part: Part,
    pub answer: Answer,
}

/// Why an event is no answer.
#[derive(Debug)]
pub(in crate::engine) enum Miss {
    /// Nothing waits for it now, though it may be something else; if it is not, this is why it is
    /// declined.
    Unasked(Whose, Rejection),
    /// It is an answer that cannot be taken.
    Refused(Rejection),
}

/// Of whose requests an event speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Whose {
    /// Of nobody's here, as far as it says.
    Nobody,
    /// Of those of this life.
    Life(usize),
    /// Of those of a life that is over and done with.
    Gone,
}

/// Looks for the one request or wait that an event answers.
///
/// # Errors
/// When there is none.
pub(in crate::engine) fn find(
    catalog: &Catalog,
    id: &InstanceId,
    instance: &Instance,
    event: &Event,
    now: Timestamp,
) -> Result<Found, Miss> {
    let search = Search { catalog, id, instance, event, now };
    let named = event.command.as_deref().and_then(|text| text.parse::<CommandId>().ok());
    match named {
        // Whoever waits in that life takes what is no answer, or another event than the answer was.
        Some(command) if command.instance == *id => match search.named(&command) {
            Err(Miss::Unasked(whose, reason)) => {
                let found = match whose {
                    Whose::Nobody => search.unnamed(Among::Waits),
                    Whose::Life(life) => search.unnamed(Among::WaitsOf(life)),
                    Whose::Gone => return Err(Miss::Unasked(whose, reason)),
                };
                found.map_err(|_| Miss::Unasked(whose, reason))
            }
            found => found,
        },
        // A fact that a step waits for may name the command that caused it, whoever sent that.
        Some(command) => search.unnamed(Among::Waits).map_err(|miss| match miss {
            Miss::Unasked(..) => {
                let words = format!("it answers command {command}, which is not one of {id}");
                Miss::Unasked(Whose::Nobody, Rejection::Unmatched(words))
            }
            Miss::Refused(_) => miss,
        }),
        None => search.unnamed(Among::All),
    }
}

/// Among what an event is looked for that does not say what it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Among {
    /// Every request and wait.
    All,
    /// The steps that wait for facts.
    Waits,
    /// The same, of one life.
    WaitsOf(usize),
}

struct Search<'a> {
    catalog: &'a Catalog,
    id: &'a InstanceId,
    instance: &'a Instance,
    event: &'a Event,
    now: Timestamp,
}

/// What an unnamed event may be, in the order in which it is taken.
#[derive(Default)]
struct Candidates {
    running: Option<Found>,
    given_up: Option<Found>,
    repeated: Option<(usize, Rejection)>,
    unclear: Option<Rejection>,
}

impl<'a> Search<'a> {
    /// By the command id that the event names.
    fn named(&self, command: &CommandId) -> Result<Found, Miss> {
        let lives = &self.instance.lives;
        if self.instance.is_gone(command.life) {
            return Err(Miss::Unasked(Whose::Gone, self.of_a_life_gone(command)));
        }
        let life = lives.iter().position(|g| g.id == command.life);
        let whose = life.map_or(Whose::Nobody, Whose::Life);
        let unasked = |words| Miss::Unasked(whose, Rejection::Unmatched(words));
        let unknown = || unasked(format!("command {command} was never sent"));
        let life = life.ok_or_else(unknown)?;
        let run = &lives[life];
        let definition = self.definition(run)?;
        let named = command.subject.step().ok_or_else(unknown)?;
        let place = Place::named(definition, &run.frame, named).ok_or_else(unknown)?;
        let state = place.state(&run.frame);
        let part = command.part;
        let sent = |r: &&Request| (1..=r.attempts).contains(&command.attempt);
        let request = state.request(part).filter(sent).ok_or_else(unknown)?;
        let answer = self.answer(definition, run, &place.line, state, part);
        let answer = answer.map_err(Miss::Refused)?.ok_or_else(|| {
            let address = &self.event.address;
            unasked(format!("{address} is no answer to command {command}"))
        })?;
        // A probe that was given up says nothing about what was sent since.
        if request.lacks_answer() && (part != Part::Probe || request.is_under_way()) {
            return Ok(Found { life, place, part, answer });
        }
        Err(Miss::Unasked(whose, self.repeated(state, part, answer)))
    }

    /// By type, `where` and key: the oldest life that lacks the answer, in it a running
    /// request or wait first, else the oldest request that was given up.
    fn unnamed(&self, among: Among) -> Result<Found, Miss> {
        let mut left = Candidates::default();
        for (life, run) in self.instance.lives.iter().enumerate() {
            if matches!(among, Among::WaitsOf(one) if one != life) {
                continue;
            }
            let definition = self.definition(run)?;
            let mut found = Candidates::default();
            walk(&run.frame, |line, at, state| {
                self.look(life, definition, (line, at), state, among, &mut found)
            });
            left.unclear = left.unclear.or(found.unclear);
            left.repeated = found.repeated.or(left.repeated);
            if let Some(found) = found.running.or(found.given_up) {
                self.may_be_unnamed(definition, &found)?;
                return Ok(found);
            }
        }
        Err(match (left.unclear, left.repeated) {
            (Some(unclear), _) => Miss::Refused(unclear),
            (None, Some((life, repeated))) => Miss::Unasked(Whose::Life(life), repeated),
            (None, None) => Miss::Unasked(Whose::Nobody, self.unmatched()),
        })
    }

    /// Looks whether a step takes the event; answers once one is found that surely does.
    fn look(
        &self,
        life: usize,
        definition: &Definition,
        (line, at): (&Line, usize),
        state: &StepState,
        among: Among,
        found: &mut Candidates,
    ) -> Option<()> {
        let run = &self.instance.lives[life];
        let step = definition.step(state.step);
        if !step.answers(Part::Action).mention(&self.event.address)
            && !step.answers(Part::Probe).mention(&self.event.address)
            && !step.answers(Part::Undo(1)).mention(&self.event.address)
        {
            return None;
        }
        let waits = matches!(step.kind, StepKind::Wait(_)) && state.phase == Phase::Running;
        let waiting = waits.then_some((Part::Action, Progress::Open)).into_iter();
        let sent = state.requests().filter(|(_, r)| r.attempts > 0 && among == Among::All);
        let asked = sent.map(|(part, r)| match part {
            Part::Probe if !r.is_under_way() => (part, Progress::Answered),
            Part::Probe | Part::Action | Part::Undo(_) => (part, r.progress),
        });
        for (part, progress) in waiting.chain(asked) {
            let answer = match self.answer(definition, run, line, state, part) {
                Ok(Some(answer)) => answer,
                Ok(None) => continue,
                Err(rejection) => {
                    found.unclear = Some(rejection);
                    continue;
                }
            };
            let place = Place { line: line.clone(), at };
            let this = Found { life, place, part, answer };
            match progress {
                Progress::Waiting(_) | Progress::Pausing(_) | Progress::Parked | Progress::Open => {
                    found.running = Some(this);
                    return Some(());
                }
                Progress::GivenUp => found.given_up = found.given_up.take().or(Some(this)),
                Progress::Answered => {
                    found.repeated = Some((life, self.repeated(state, part, answer)));
                }
            }
        }
        None
    }

    fn definition(&self, run: &Life) -> Result<&'a Definition, Miss> {
        self.catalog.by_hash(run.definition).map(|d| &**d).ok_or_else(|| {
            let words = format!("{} runs on a definition that is not known here", self.id);
            Miss::Refused(Rejection::Refused(words))
        })
    }

    /// Refuses a reply without a command id where its participant always echoes it.
    fn may_be_unnamed(&self, definition: &Definition, found: &Found) -> Result<(), Miss> {
        let run = &self.instance.lives[found.life];
        let step = definition.step(found.place.state(&run.frame).step);
        if let StepKind::Wait(_) = step.kind {
            return Ok(());
        }
        match definition.rule(&self.event.address).map(|rule| rule.by) {
            Some(Correlation::CommandId) => {
                let address = &self.event.address;
                let words =
                    format!("{address} names no command, and `by: command-id` asks for one");
                Err(Miss::Unasked(Whose::Nobody, Rejection::Unmatched(words)))
            }
            Some(Correlation::Any) | None => Ok(()),
        }
    }

    /// What names a command of a life that is over and done with: what may answer it has answered
    /// it before.
    fn of_a_life_gone(&self, command: &CommandId) -> Rejection {
        let address = &self.event.address;
        let named = command.subject.step();
        let is_asked = |definition: &Definition| {
            let step =
                definition.steps.iter().find(|step| named.is_some_and(|n| n.step == step.name));
            step.is_some_and(|step| step.answers(command.part).mention(address))
        };
        if self.catalog.newest(&self.id.saga).is_some_and(|newest| is_asked(newest)) {
            return Rejection::Duplicate(format!("what {address} answers was answered before"));
        }
        Rejection::Unmatched(format!("{address} is no answer to command {command}"))
    }

    fn unmatched(&self) -> Rejection {
        let state = self.instance.newest().map_or("waiting", |newest| newest.status().text());
        Rejection::Unmatched(format!(
            "{} is {state} and has no step that takes {}",
            self.id, self.event.address
        ))
    }

    /// A second answer to one request: a repetition, or a contradiction that people should see.
    fn repeated(&self, state: &StepState, part: Part, answer: Answer) -> Rejection {
        let contradicts = match (part, state.phase, answer) {
            (Part::Action, Phase::Rejected | Phase::Skipped, Answer::Done(_))
            | (Part::Action, Phase::Succeeded | Phase::Unknown, Answer::Failed(_)) => true,
            (
                Part::Action | Part::Probe | Part::Undo(_),
                Phase::Running
                | Phase::Succeeded
                | Phase::Rejected
                | Phase::Unknown
                | Phase::Skipped,
                Answer::Done(_) | Answer::Failed(_) | Answer::Absent(_),
            ) => false,
        };
        let address = &self.event.address;
        if contradicts {
            return Rejection::Refused(format!(
                "{address} contradicts an earlier answer; \
                 all answers to one idempotency key must agree"
            ));
        }
        Rejection::Duplicate(format!("what {address} answers was answered before"))
    }

    /// Which of a request's answers the event is, if it is one.
    fn answer(
        &self,
        definition: &Definition,
        run: &Life,
        line: &Line,
        state: &StepState,
        part: Part,
    ) -> Result<Option<Answer>, Rejection> {
        let answers = definition.step(state.step).answers(part);
        answers.find(&self.event.address, |condition| {
            let place = (line, state.late.as_deref());
            holds(condition, self.id, run, place, self.event, self.now)
        })
    }
}
