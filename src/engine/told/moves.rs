use crate::engine::Status;

/// What an input is to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Kind {
    /// An answer to one of its requests.
    Answer,
    /// A fact that asks for the way back.
    Cancel,
    /// A fact that starts an instance.
    Start,
    /// A timer.
    Wake,
    /// A person's act about something stuck.
    Act,
    /// A person asks for the way back.
    Return,
    /// A person cancels, stuck or not.
    CancelByPerson,
    /// A person lets a life stand still or go on, or sets its data.
    Steer,
    /// A person answers a question.
    Decide,
    /// What another instance or a lock says.
    Letter,
    /// An event that came before what waits for it.
    Early,
}

/// What may be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Move {
    /// The first life begins.
    Begin,
    /// A start while one is remembered: as `again` and `after` say.
    BeginLater,
    /// The answer is taken: on time, or late.
    Answer,
    /// The way back is taken, or is asked for once the pivot has its outcome.
    GoBack,
    /// The timers that are due are obeyed.
    Wake,
    /// The person is obeyed.
    Act,
    /// The person is obeyed: the way back is taken, as by a cancel.
    Return,
    /// The person is obeyed: the life stands still, goes on, or has other data.
    Steer,
    /// The question is answered.
    Decide,
    /// The letter is read.
    Read,
    /// The event is kept.
    Keep,
    /// Nothing changes, as one would expect.
    Ignore(&'static str),
    /// It cannot be obeyed, and whoever asked should know.
    Refuse(&'static str),
    /// There is nothing that it could be for.
    Unmatched,
}

/// The table of legal moves: what an input of this kind may do to a life of this status.
pub(in crate::engine) fn legal(status: Option<Status>, kind: Kind) -> Move {
    use Status::{Compensated, Compensating, Completed, Running, Stuck};
    match (status, kind) {
        (None, Kind::Start) => Move::Begin,
        (
            None,
            Kind::Answer
            | Kind::Cancel
            | Kind::Act
            | Kind::Return
            | Kind::CancelByPerson
            | Kind::Steer
            | Kind::Decide,
        ) => Move::Unmatched,
        // Letters are about a life that they name themselves.
        (None | Some(Running | Compensating | Stuck | Completed | Compensated), Kind::Letter) => {
            Move::Read
        }
        (None | Some(Running | Compensating | Stuck | Completed | Compensated), Kind::Early) => {
            Move::Keep
        }
        (Some(Running | Compensating | Stuck | Completed | Compensated), Kind::Start) => {
            Move::BeginLater
        }
        (Some(Running | Compensating | Stuck | Completed | Compensated), Kind::Answer) => {
            Move::Answer
        }
        // What is kept early has a timer before the first life.
        (None | Some(Running | Compensating | Stuck | Completed | Compensated), Kind::Wake) => {
            Move::Wake
        }
        (Some(Running | Stuck), Kind::Cancel) => Move::GoBack,
        (Some(Compensating | Compensated), Kind::Cancel) => {
            Move::Ignore("the way back was taken already")
        }
        (
            Some(Completed),
            Kind::Cancel
            | Kind::Act
            | Kind::Return
            | Kind::CancelByPerson
            | Kind::Steer
            | Kind::Decide,
        ) => Move::Refuse("it has completed"),
        (Some(Stuck), Kind::Act | Kind::Return) => Move::Act,
        (Some(Running), Kind::Return) | (Some(Running | Stuck), Kind::CancelByPerson) => {
            Move::Return
        }
        (Some(Compensating), Kind::Return | Kind::CancelByPerson) => {
            Move::Refuse("it is compensating already")
        }
        (Some(Running | Stuck), Kind::Decide) => Move::Decide,
        (Some(Compensating), Kind::Decide) => Move::Refuse("it is compensating and asks nobody"),
        (Some(Running), Kind::Act) => {
            Move::Refuse("it is running, not stuck; to take it back, cancel it")
        }
        (Some(Compensating), Kind::Act) => Move::Refuse("it is compensating, not stuck"),
        (
            Some(Compensated),
            Kind::Act | Kind::Return | Kind::CancelByPerson | Kind::Steer | Kind::Decide,
        ) => Move::Refuse("it is compensated"),
        (Some(Running | Compensating | Stuck), Kind::Steer) => Move::Steer,
    }
}
