use bytes::Bytes;
use prost::Message as _;

use super::instance::instance_id;
use super::{Error, wire};
use crate::definition::Starts;
use crate::engine::{Called, Input, Letter, Wake};
use crate::message::{InstanceId, Timestamp};

impl wire::Target {
    /// Names an instance.
    #[must_use]
    pub fn new(id: &InstanceId) -> Self {
        Self { saga: id.saga.to_string(), key: id.key.to_string() }
    }

    /// The instance that is named.
    ///
    /// # Errors
    /// When no instance can have that name.
    pub fn read(&self) -> Result<InstanceId, Error> {
        instance_id(&self.saga, &self.key)
    }
}

/// Every record of an inbox is made here and read here.
impl wire::Inbox {
    /// An event for instances of one shard; `shared` says that other shards get it too.
    #[must_use]
    pub fn of_event(targets: Vec<wire::Target>, shared: bool, event: wire::Event) -> Self {
        let input = Some(wire::inbox::Input::Event(event));
        Self { targets, shared, input, ..Self::default() }
    }

    /// A wake-up of instances.
    #[must_use]
    pub fn of_wake(targets: Vec<wire::Target>, wake: Wake) -> Self {
        Self {
            targets,
            input: Some(wire::inbox::Input::WakeMs(wake.until.0)),
            away_until_ms: Some(wake.away_until.0),
            ..Self::default()
        }
    }

    /// What a person did about an instance.
    #[must_use]
    pub fn of_act(target: wire::Target, act: wire::Act) -> Self {
        Self::to(target, wire::inbox::Input::Act(act))
    }

    /// A letter from another instance.
    #[must_use]
    pub fn of_letter(to: &InstanceId, letter: &Letter) -> Self {
        Self::to(wire::Target::new(to), wire::inbox::Input::Letter(wire::Letter::new(letter)))
    }

    /// What came of a call, for whoever made it.
    #[must_use]
    pub fn of_called(to: &InstanceId, called: &Called) -> Self {
        Self::to(wire::Target::new(to), wire::inbox::Input::Called(wire::Called::new(called)))
    }

    /// What starts from here on, for a whole shard.
    #[must_use]
    pub fn of_starts(starts: &Starts) -> Self {
        let input = Some(wire::inbox::Input::Starts(wire::Starts::of(starts)));
        Self { input, ..Self::default() }
    }

    fn to(target: wire::Target, input: wire::inbox::Input) -> Self {
        Self { targets: vec![target], input: Some(input), ..Self::default() }
    }

    /// The record as it is stored.
    #[must_use]
    pub fn stored(&self) -> Bytes {
        self.encode_to_vec().into()
    }

    /// The event in the record, if it holds one.
    #[must_use]
    pub fn event(&self) -> Option<&wire::Event> {
        match &self.input {
            Some(wire::inbox::Input::Event(event)) => Some(event),
            Some(
                wire::inbox::Input::WakeMs(_)
                | wire::inbox::Input::Act(_)
                | wire::inbox::Input::Letter(_)
                | wire::inbox::Input::Called(_)
                | wire::inbox::Input::Starts(_),
            )
            | None => None,
        }
    }

    /// What starts from here on, if the record says that.
    #[must_use]
    pub fn starts(&self) -> Option<&wire::Starts> {
        match &self.input {
            Some(wire::inbox::Input::Starts(starts)) => Some(starts),
            Some(
                wire::inbox::Input::Event(_)
                | wire::inbox::Input::WakeMs(_)
                | wire::inbox::Input::Act(_)
                | wire::inbox::Input::Letter(_)
                | wire::inbox::Input::Called(_),
            )
            | None => None,
        }
    }

    /// The input in the record.
    ///
    /// # Errors
    /// In words for a dead letter, when it cannot be understood.
    pub fn read(&self) -> Result<Input, String> {
        match &self.input {
            Some(wire::inbox::Input::Event(event)) => {
                event.read().map(Input::Event).map_err(|e| e.to_string())
            }
            Some(wire::inbox::Input::WakeMs(until)) => Ok(Input::Wake(self.wake(*until))),
            Some(wire::inbox::Input::Act(act)) => {
                let act = act.read().map_err(|e| format!("this act cannot be obeyed: {e}"))?;
                Ok(Input::Act(act))
            }
            Some(wire::inbox::Input::Letter(letter)) => {
                let letter =
                    letter.read().map_err(|e| format!("this letter cannot be read: {e}"))?;
                Ok(Input::Letter(letter))
            }
            Some(wire::inbox::Input::Called(called)) => {
                let called = called
                    .read()
                    .map_err(|e| format!("what came of this call cannot be read: {e}"))?;
                Ok(Input::Called(called))
            }
            Some(wire::inbox::Input::Starts(_)) => {
                Err("what starts is for a shard, not for an instance".to_owned())
            }
            None => Err("this inbox record holds no input; a newer segue wrote it".to_owned()),
        }
    }

    /// What a wake-up says. One that was written before there were absences tells none.
    fn wake(&self, until_ms: i64) -> Wake {
        let away_until = self.away_until_ms.map_or(Wake::DUE.away_until, Timestamp);
        Wake { until: Timestamp(until_ms), away_until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{CallOutcome, Say};
    use crate::message::{Key, LifeId, SagaName};

    fn instance() -> InstanceId {
        let saga = SagaName::new("order").expect("a name");
        InstanceId { saga, key: Key::new("o/1").expect("a key") }
    }

    #[test]
    fn a_wake_is_read_as_it_was_written_and_an_old_one_without_absence() {
        let wake = Wake { until: Timestamp(7), away_until: Timestamp(5) };
        let written = wire::Inbox::of_wake(Vec::new(), wake);
        assert_eq!(written.read(), Ok(Input::Wake(wake)));
        let old = wire::Inbox { away_until_ms: None, ..written };
        let old_wake = Wake { away_until: Timestamp(i64::MIN), ..wake };
        assert_eq!(old.read(), Ok(Input::Wake(old_wake)));
    }

    #[test]
    fn what_is_for_one_instance_names_it() {
        let outcome = CallOutcome::Failed { reason: "refused".to_owned(), unsent: true };
        let called = Called { command: "order/o%2F1/1/pay/1".to_owned(), outcome };
        let record = wire::Inbox::of_called(&instance(), &called);
        assert_eq!(
            record.targets.iter().map(wire::Target::read).collect::<Vec<_>>(),
            [Ok(instance())]
        );
        assert_eq!(record.read(), Ok(Input::Called(called)));
        assert_eq!(record.event(), None);
        let letter = Letter {
            id: "order/o/1/1#1".to_owned(),
            from: instance(),
            life: LifeId::unmarked(1),
            step: "ship".parse().expect("a step"),
            round: 1,
            say: Say::ParentGone,
        };
        let record = wire::Inbox::of_letter(&instance(), &letter);
        assert_eq!(record.read(), Ok(Input::Letter(letter)));
    }

    #[test]
    fn what_cannot_be_read_says_what_it_was() {
        let act = wire::Inbox::of_act(wire::Target::new(&instance()), wire::Act::default());
        let said = act.read().expect_err("an act without a verb");
        assert!(said.starts_with("this act cannot be obeyed"), "{said}");
        let said = wire::Inbox::default().read().expect_err("no input");
        assert!(said.contains("a newer segue wrote it"), "{said}");
        let nobody = wire::Target { saga: "no name".to_owned(), key: String::new() };
        assert!(nobody.read().is_err());
    }
}
