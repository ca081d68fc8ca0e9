use super::instance::{bytes, coordinate_or_none, object};
use super::{Error, wire};
use crate::engine::{Act, Verb};
use crate::message::{Coordinate, Timestamp};

impl wire::Act {
    /// Takes an act.
    #[must_use]
    pub fn new(act: &Act) -> Self {
        let verb = match &act.verb {
            Verb::Retry => wire::act::Verb::Retry(true),
            Verb::Skip => wire::act::Verb::Skip(true),
            Verb::ResolveDone(fields) => wire::act::Verb::ResolveDone(bytes(fields)),
            Verb::ResolveNotDone => wire::act::Verb::ResolveNotDone(true),
            Verb::GoBack => wire::act::Verb::GoBack(true),
            Verb::Cancel => wire::act::Verb::Cancel(true),
            Verb::Pause => wire::act::Verb::Pause(true),
            Verb::Resume => wire::act::Verb::Resume(true),
            Verb::SetData(fields) => wire::act::Verb::SetData(bytes(fields)),
            Verb::Answer { choice, note, data } => {
                let (choice, note) = (choice.clone(), note.clone());
                wire::act::Verb::Answer(wire::Answer { choice, note, data: bytes(data) })
            }
        };
        let Act { id, by, why, .. } = act.clone();
        let (step, signed_ms) = (Coordinate::text(act.step.as_ref()), act.signed.map(|at| at.0));
        Self { id, by, why, step, verb: Some(verb), signed_ms }
    }

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
            Some(wire::act::Verb::Pause(_)) => Verb::Pause,
            Some(wire::act::Verb::Resume(_)) => Verb::Resume,
            Some(wire::act::Verb::SetData(fields)) => Verb::SetData(object(fields)?),
            Some(wire::act::Verb::Answer(answer)) => Verb::Answer {
                choice: answer.choice.clone(),
                note: answer.note.clone(),
                data: object(&answer.data)?,
            },
            None => return Err(Error::Field("verb")),
        };
        let step = coordinate_or_none(&self.step)?;
        let Self { id, by, why, .. } = self.clone();
        Ok(Act { id, by, why, step, verb, signed: self.signed_ms.map(Timestamp) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn an_act_reads_back_as_it_was_written() {
        let fields: Map<_, _> = [("fee".to_owned(), json!(12.50))].into_iter().collect();
        let answer = Verb::Answer {
            choice: "yes".to_owned(),
            note: "well".to_owned(),
            data: fields.clone(),
        };
        let verbs = [
            Verb::Retry,
            Verb::Skip,
            Verb::ResolveDone(fields.clone()),
            Verb::SetData(fields),
            Verb::ResolveNotDone,
            Verb::GoBack,
            Verb::Cancel,
            Verb::Pause,
            Verb::Resume,
            answer,
        ];
        for verb in verbs {
            let (id, by, why) = ("a-1".to_owned(), "ann".to_owned(), "so".to_owned());
            let step = "ship[2]".parse().ok();
            let act = Act { id, by, why, step, verb, signed: None };
            assert_eq!(wire::Act::new(&act).read(), Ok(act.clone()));
            let signed = Act { signed: Some(Timestamp(7)), ..act };
            assert_eq!(wire::Act::new(&signed).read(), Ok(signed));
        }
    }
}
