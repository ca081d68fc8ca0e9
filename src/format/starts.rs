use super::{Error, open, seal, wire};
use crate::definition::{Starting, Starts, State};
use crate::message::{Hash, Offset, SagaName, Version};

impl wire::Starts {
    /// As it is stored.
    #[must_use]
    pub fn of(starts: &Starts) -> Self {
        let sagas = starts.sagas.iter().map(|(saga, starting)| wire::Starting {
            saga: saga.to_string(),
            version: starting.version.0,
            definition: starting.definition.0.to_vec(),
            state: state_out(starting.state).into(),
        });
        Self { offset: starts.offset.0, sagas: sagas.collect(), node: starts.node.to_string() }
    }

    /// What is stored.
    ///
    /// # Errors
    /// When a field holds what it may not.
    pub fn read(&self) -> Result<Starts, Error> {
        let mut sagas = std::collections::BTreeMap::new();
        for stored in &self.sagas {
            let saga = SagaName::new(&stored.saga).map_err(|_| Error::Field("saga"))?;
            let definition = stored.definition.as_slice().try_into();
            let starting = Starting {
                version: Version(stored.version),
                definition: Hash(definition.map_err(|_| Error::Field("definition"))?),
                state: state_in(stored.state())?,
            };
            sagas.insert(saga, starting);
        }
        Ok(Starts { offset: Offset(self.offset), node: self.node.as_str().into(), sagas })
    }

    /// The record of `<app>.definitions`, whose own offset says where it stands.
    #[must_use]
    pub fn sealed(starts: &Starts) -> Vec<u8> {
        seal(&Self { offset: 0, ..Self::of(starts) })
    }

    /// Reads the record that stands at `offset`.
    ///
    /// # Errors
    /// When it is damaged, or a newer segue wrote it.
    pub fn opened(bytes: &[u8], offset: Offset) -> Result<Starts, Error> {
        Ok(Starts { offset, ..open::<Self>(bytes)?.read()? })
    }
}

fn state_out(state: State) -> wire::StartState {
    match state {
        State::Active => wire::StartState::Active,
        State::Paused => wire::StartState::Paused,
        State::Retired => wire::StartState::Retired,
        State::Removed => wire::StartState::Removed,
    }
}

fn state_in(state: wire::StartState) -> Result<State, Error> {
    match state {
        wire::StartState::Unspecified => Err(Error::Field("state of a saga")),
        wire::StartState::Active => Ok(State::Active),
        wire::StartState::Paused => Ok(State::Paused),
        wire::StartState::Retired => Ok(State::Retired),
        wire::StartState::Removed => Ok(State::Removed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_starts_is_read_as_it_was_written_and_knows_its_place() {
        let states = [State::Active, State::Paused, State::Retired, State::Removed];
        let sagas = states.map(|state| {
            let saga = SagaName::new(state.text()).expect("a name");
            (saga, Starting { version: Version(3), definition: Hash([7; 16]), state })
        });
        let starts = Starts { offset: Offset(5), node: "n1".into(), sagas: sagas.into() };
        assert_eq!(wire::Starts::of(&starts).read(), Ok(starts.clone()));
        let placed = wire::Starts::opened(&wire::Starts::sealed(&starts), Offset(9));
        assert_eq!(placed, Ok(Starts { offset: Offset(9), ..starts }));
    }
}
