use crate::engine::{Request, StepState};
use crate::message::Part;

/// Which request of a step: its action, its probe, or one of its undoings, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Slot {
    Action,
    Probe,
    Undo(usize),
}

impl Slot {
    pub fn part(self) -> Part {
        match self {
            Self::Action => Part::Action,
            Self::Probe => Part::Probe,
            Self::Undo(place) => Part::Undo(u32::try_from(place + 1).unwrap_or(u32::MAX)),
        }
    }

    pub fn of(part: Part) -> Self {
        match part {
            Part::Action => Self::Action,
            Part::Probe => Self::Probe,
            Part::Undo(run) => Self::Undo((run as usize).wrapping_sub(1)),
        }
    }

    pub fn request(self, state: &StepState) -> Option<&Request> {
        match self {
            Self::Action => state.action.as_ref(),
            Self::Probe => state.probe.as_deref(),
            Self::Undo(run) => state.undos.get(run),
        }
    }

    pub fn request_mut(self, state: &mut StepState) -> Option<&mut Request> {
        match self {
            Self::Action => state.action.as_mut(),
            Self::Probe => state.probe.as_deref_mut(),
            Self::Undo(run) => state.undos.get_mut(run),
        }
    }
}

/// The requests of a step, each with its slot.
pub(in crate::engine) fn requests(state: &StepState) -> impl Iterator<Item = (Slot, &Request)> {
    let action = state.action.iter().map(|request| (Slot::Action, request));
    let probe = state.probe.as_deref().into_iter().map(|request| (Slot::Probe, request));
    let undos = state.undos.iter().enumerate().map(|(run, r)| (Slot::Undo(run), r));
    action.chain(probe).chain(undos)
}
