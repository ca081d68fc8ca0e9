use super::instance::{coordinate_or_none, object};
use super::{Error, wire};
use crate::engine::{Act, Verb};

impl wire::Act {
    /// The act itself.
    ///
    /// # Errors
    /// When it says nothing that can be done.
    pub fn read(&self) -> Result<Act, Error> {
        let verb = match &self.verb {
            Some(wire::act::Verb::Retry(_)) => Verb::Retry,
            Some(wire::act::Verb::Skip(_)) => Verb::Skip,
            Some(wire::act::Verb::ResolveDone(fields)) => Verb::ResolveDone(object(fields)?),
            Some(wire::act::Verb::ResolveNotDone(_)) => Verb::ResolveNotDone,
            Some(wire::act::Verb::GoBack(_)) => Verb::GoBack,
            Some(wire::act::Verb::Cancel(_)) => Verb::Cancel,
            Some(wire::act::Verb::Answer(answer)) => Verb::Answer {
                choice: answer.choice.clone(),
                note: answer.note.clone(),
                data: object(&answer.data)?,
            },
            None => return Err(Error::Field("verb")),
        };
        let step = coordinate_or_none(&self.step)?;
        let Self { id, by, why, .. } = self.clone();
        Ok(Act { id, by, why, step, verb })
    }
}
