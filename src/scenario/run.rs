use super::model::{Declined, Does, Expected, How, Scenario, Stand, Times};
use super::world::World;
use super::{End, Mismatch, Report, compare, words};
use crate::definition::Definition;
use crate::engine::{Effect, Rejection, Status};

/// Runs a scenario against a definition, in virtual time.
#[must_use]
pub fn run(definition: &Definition, scenario: &Scenario) -> Report {
    let mut end = None;
    let failure = failure(definition, scenario, &mut end);
    Report { scenario: scenario.name.clone(), file: scenario.file.clone(), failure, end }
}

/// Why a step fails; whoever runs it adds where.
pub(super) struct Wrong {
    message: String,
    expected: Vec<String>,
    seen: Vec<String>,
}

impl Wrong {
    /// A reason in words.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), expected: Vec::new(), seen: Vec::new() }
    }

    /// The reason in words, without what was expected and seen.
    pub fn words(self) -> String {
        self.message
    }

    /// A reason that shows in two columns.
    fn beside(message: impl Into<String>, expected: Vec<String>, seen: Vec<String>) -> Self {
        Self { message: message.into(), expected, seen }
    }
}

fn failure(
    definition: &Definition,
    scenario: &Scenario,
    stands: &mut Option<End>,
) -> Option<Mismatch> {
    let failed = |step: usize, line: u32, wrong: Wrong| {
        let Wrong { message, expected, seen } = wrong;
        Some(Mismatch { step, line, message, expected, seen })
    };
    let mut world = match World::begin(definition, &scenario.given) {
        Ok(world) => world,
        Err(wrong) => return failed(0, scenario.given.line, wrong),
    };
    let mut line = scenario.given.line;
    for (place, step) in scenario.run.iter().enumerate() {
        line = step.line;
        let declined = world.declined.take();
        let done = match (&step.does, declined) {
            (Does::Rejected(expected), declined) => rejected(*expected, declined),
            (_, Some(declined)) => Err(undeclared(&declined)),
            (does, None) => obey(&mut world, does),
        };
        *stands = world.stands();
        if let Err(wrong) = done {
            return failed(place + 1, line, wrong);
        }
    }
    let end = match &world.declined {
        Some(declined) => Err(undeclared(declined)),
        None => all_seen(&world),
    };
    end.err().and_then(|wrong| failed(scenario.run.len(), line, wrong))
}

/// Does what a step says, or looks at what it expects.
pub(super) fn obey(world: &mut World, does: &Does) -> Result<(), Wrong> {
    match does {
        Does::Expect(expected) => {
            let seen = std::mem::take(&mut world.unseen);
            expect(expected, &seen)
        }
        Does::Event(told) => {
            all_seen(world)?;
            world.tell(told)
        }
        Does::Called(returned) => {
            all_seen(world)?;
            world.called(returned)
        }
        Does::Child(says) => {
            all_seen(world)?;
            world.child_says(says)
        }
        Does::Parent(says) => {
            all_seen(world)?;
            world.parent_says(*says)
        }
        Does::Held(key) => {
            all_seen(world)?;
            world.hold(key)
        }
        Does::Freed(key) => {
            all_seen(world)?;
            world.free(key)
        }
        Does::Pass(span) => {
            all_seen(world)?;
            world.pass(*span)
        }
        Does::Down(span) => {
            all_seen(world)?;
            world.down(*span)
        }
        Does::Act(acted) => {
            all_seen(world)?;
            world.act(acted)
        }
        Does::Rejected(expected) => rejected(*expected, None),
        Does::End(stand) => {
            all_seen(world)?;
            stands(world, stand)
        }
        Does::Data(expected) => {
            let data = world.newest().map(|life| life.data.clone());
            let data = data.ok_or_else(|| Wrong::new("the instance is forgotten"))?;
            if compare::holds(expected, &data) {
                return Ok(());
            }
            let lines = |value| words::fields(value).collect();
            Err(Wrong::beside("the saga remembers other data", lines(expected), lines(&data)))
        }
    }
}

/// Every message must have been expected before anything else happens.
fn all_seen(world: &World) -> Result<(), Wrong> {
    if world.unseen.is_empty() {
        return Ok(());
    }
    let seen = words::effects(&world.unseen);
    Err(Wrong::beside("messages that no `expect` names", Vec::new(), seen))
}

fn expect(expected: &[Expected], seen: &[Effect]) -> Result<(), Wrong> {
    let mut rest = seen;
    let met = expected.iter().all(|expected| {
        let same = rest.iter().take_while(|e| compare::is_expected(expected, e)).count();
        let taken = match expected.times {
            Times::Exactly(times) => usize::try_from(times).unwrap_or(usize::MAX),
            Times::Any => same.max(1),
        };
        rest = rest.get(taken..).unwrap_or_default();
        taken <= same
    });
    if met && rest.is_empty() {
        return Ok(());
    }
    Err(Wrong::beside(
        "other messages than expected",
        expected.iter().flat_map(words::expected).collect(),
        words::effects(seen),
    ))
}

fn rejected(expected: Declined, seen: Option<Rejection>) -> Result<(), Wrong> {
    let Some(seen) = seen else {
        return Err(Wrong::new("nothing was declined before this step"));
    };
    if expected == remarked(&seen) {
        return Ok(());
    }
    let expected = vec![expected.text().to_owned()];
    let seen = vec![remarked(&seen).text().to_owned(), format!("  {seen}")];
    Err(Wrong::beside("it was declined another way", expected, seen))
}

/// How an input was declined, as a scenario says it.
pub(super) fn remarked(rejection: &Rejection) -> Declined {
    match rejection {
        Rejection::Duplicate(_) => Declined::Duplicate,
        Rejection::Ignored(_) => Declined::Ignored,
        Rejection::Unmatched(_) => Declined::Unmatched,
        Rejection::Refused(_) => Declined::Refused,
    }
}

fn undeclared(seen: &Rejection) -> Wrong {
    let word = remarked(seen).text();
    Wrong::new(format!(
        "the step before it was declined ({word}): {seen}; \
         if that is right, write `- rejected: {word}` behind it"
    ))
}

fn stands(world: &World, expected: &Stand) -> Result<(), Wrong> {
    let seen = world.stands();
    if is_so(expected, seen.as_ref()) {
        return Ok(());
    }
    let mut why = seen.as_ref().map_or_else(
        || vec![How::Forgotten.text().to_owned()],
        |end| words::stand(&end.stand(expected)),
    );
    if let Some(life) = world.newest() {
        why.extend(life.stuck.iter().map(|stuck| format!("  {}", stuck.reason)));
        let failure = life.failure.iter();
        why.extend(failure.map(|f| format!("  {}: {}", f.kind.text(), f.reason)));
    }
    Err(Wrong::beside("it stands another way", words::stand(expected), why))
}

fn is_so(expected: &Stand, seen: Option<&End>) -> bool {
    let Some(seen) = seen else {
        return matches!(expected.how, How::Forgotten | How::Ended);
    };
    let how = match expected.how {
        How::Is(status) => status == seen.status,
        How::Ended => matches!(seen.status, Status::Completed | Status::Compensated),
        How::Forgotten => false,
    };
    how && expected.at.as_ref().is_none_or(|at| *at == seen.at)
        && expected.because.is_none_or(|kind| seen.kind.is_some_and(|k| k.text() == kind))
        && expected.undoing.is_none_or(|undoing| undoing == seen.undoing)
}
