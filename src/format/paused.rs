use super::{Error, wire};
use crate::engine::{Input, Paused};
use crate::message::Timestamp;

pub(super) fn out(paused: &Paused) -> wire::Paused {
    wire::Paused {
        since_ms: paused.since.0,
        by: paused.by.clone(),
        why: paused.why.clone(),
        held: paused.held.iter().map(held_out).collect(),
    }
}

pub(super) fn read(stored: &wire::Paused) -> Result<Paused, Error> {
    let held = stored.held.iter().map(|held| held.read().map_err(Error::Message));
    Ok(Paused {
        since: Timestamp(stored.since_ms),
        by: stored.by.clone(),
        why: stored.why.clone(),
        held: held.collect::<Result<_, _>>()?,
    })
}

fn held_out(input: &Input) -> wire::Inbox {
    let input = match input {
        Input::Event(event) => wire::inbox::Input::Event(wire::Event::kept(event)),
        Input::Wake(wake) => return wire::Inbox::of_wake(Vec::new(), *wake),
        Input::Act(act) => wire::inbox::Input::Act(wire::Act::new(act)),
        Input::Letter(letter) => wire::inbox::Input::Letter(wire::Letter::new(letter)),
        Input::Called(called) => wire::inbox::Input::Called(wire::Called::new(called)),
    };
    wire::Inbox { input: Some(input), ..wire::Inbox::default() }
}
