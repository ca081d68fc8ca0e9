use serde_json::{Map, Value};

use super::{Error, wire};
use crate::engine::{Act, Verb};
use crate::message::read_json;

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
            None => return Err(Error::Field("verb")),
        };
        let Self { id, by, why, step, .. } = self.clone();
        Ok(Act { id, by, why, step, verb })
    }
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, Error> {
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    match read_json(bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Error::Field("resolve_done")),
        Err(e) => Err(Error::Message(e.to_string())),
    }
}
