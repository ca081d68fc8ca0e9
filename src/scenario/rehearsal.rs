use super::draft::expectations;
use super::model::{Does, Given, Scenario, Step};
use super::run::{Wrong, obey};
use super::world::World;
use crate::definition::Definition;
use crate::engine::{Life, Say};
use crate::message::{Address, InstanceId, Part, Subject, Timestamp};

/// A scenario that is being made: every input is played at once, and what it caused is expected.
#[derive(Debug, Clone)]
pub(crate) struct Rehearsal {
    world: World,
    given: Given,
    run: Vec<Does>,
}

impl Rehearsal {
    /// Starts an instance.
    ///
    /// # Errors
    /// When nothing starts so, in words.
    pub fn begin(definition: &Definition, given: Given) -> Result<Self, String> {
        let world = World::begin(definition, &given).map_err(Wrong::words)?;
        let mut rehearsal = Self { world, given, run: Vec::new() };
        rehearsal.look()?;
        Ok(rehearsal)
    }

    /// The same one step later.
    ///
    /// # Errors
    /// When the step cannot be taken or is declined, in words.
    pub fn with(&self, does: Does) -> Result<Self, String> {
        let mut next = self.clone();
        obey(&mut next.world, &does).map_err(Wrong::words)?;
        if let Some(declined) = next.world.declined.take() {
            return Err(declined.to_string());
        }
        next.push(does);
        next.look()?;
        Ok(next)
    }

    fn push(&mut self, does: Does) {
        match (self.run.last_mut(), does) {
            // What nobody noticed is one time.
            (Some(Does::Pass(before)), Does::Pass(more)) => before.0 += more.0,
            (_, does) => self.run.push(does),
        }
    }

    /// Expects what was just sent.
    fn look(&mut self) -> Result<(), String> {
        let seen = std::mem::take(&mut self.world.unseen);
        if seen.is_empty() {
            return Ok(());
        }
        let drafts = expectations(&seen).ok_or("it says what no scenario shows")?;
        self.run.push(Does::Expect(drafts));
        Ok(())
    }

    /// Its newest life.
    pub fn newest(&self) -> Option<&Life> {
        self.world.newest()
    }

    /// The key of the instance.
    pub fn id(&self) -> &InstanceId {
        &self.world.id
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.world.now()
    }

    /// When the next timer fires.
    pub fn due(&self) -> Option<Timestamp> {
        self.world.due().map(|(at, _)| at)
    }

    /// The step and part that an answer goes to which names none: an event of this kind, or what
    /// came of a call.
    pub fn latest(&self, on: Option<&Address>) -> Option<(Subject, Part)> {
        let id = match on {
            Some(on) => self.world.latest(|world, id| world.takes(id, on)),
            None => self.world.latest(World::is_call),
        };
        id.map(|id| (id.subject, id.part))
    }

    /// The steps whose child is asked to take itself back.
    pub fn taken_back(&self) -> Vec<String> {
        let asked = self.world.children.iter();
        let asked = asked.filter(|(_, (_, letter))| matches!(letter.say, Say::TakeBack { .. }));
        asked.map(|(step, _)| step.clone()).collect()
    }

    /// The same once something is so, at most so many timers later.
    ///
    /// # Errors
    /// When that does not come, in words.
    pub fn pass_until(
        &self,
        wakes_max: usize,
        is_so: impl Fn(&Life) -> bool,
    ) -> Result<Self, String> {
        let mut next = self.clone();
        let begin = next.now();
        for _ in 0..wakes_max {
            let due = next.due().ok_or("nothing is waited for")?;
            next.world.pass(due.since(next.now())).map_err(Wrong::words)?;
            if is_so(next.newest().ok_or("it is forgotten")?) {
                return next.passed(begin);
            }
        }
        Err(format!("it has not come after {wakes_max} timers"))
    }

    fn passed(mut self, begin: Timestamp) -> Result<Self, String> {
        self.push(Does::Pass(self.now().since(begin)));
        self.look()?;
        Ok(self)
    }

    /// The last step.
    pub fn last(&self) -> Option<&Does> {
        self.run.last()
    }

    /// The scenario, with more steps at its end that are not played.
    pub fn scenario(self, name: String, file: String, last: Vec<Does>) -> Scenario {
        let step = |does| Step { line: 0, span: 0..0, does };
        let run = self.run.into_iter().chain(last).map(step).collect();
        Scenario { name, file, given: self.given, run }
    }
}
