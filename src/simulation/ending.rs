use super::state::State;

/// How a commit ends, for the world and for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Done,
    /// It is told as done, and its end is lost: whoever looks back takes it back.
    Forgotten,
    /// It took effect; the answer was lost.
    Happened,
    /// Its end never arrives.
    Vanished,
    /// Its end arrives later.
    Late,
    /// Its changelog records and its offsets are there; all else and its end arrive later.
    RecordsLate,
}

/// Throws the dice for it.
pub(super) fn ending(state: &mut State) -> Ending {
    if !state.dice.chance(state.setup.odds.doubt) {
        let forgets = state.dice.chance(state.setup.odds.forget);
        return if forgets { Ending::Forgotten } else { Ending::Done };
    }
    if state.dice.chance(state.setup.odds.straggle) {
        return Ending::RecordsLate;
    }
    let endings = [Ending::Happened, Ending::Vanished, Ending::Late];
    endings[state.dice.place(endings.len())]
}
