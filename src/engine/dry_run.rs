//! What an act would do, and what the history tells of one that is not obeyed.

use super::{Act, Input, Instance, Note, Rejection, Status, Transition, What, step};
use crate::definition::Catalog;
use crate::message::{InstanceId, Timestamp};

/// What an act would do to an instance as it is; nothing is sent or changed.
#[derive(Debug, Clone, PartialEq)]
pub enum DryRun {
    /// It would be obeyed.
    Obeyed {
        /// What would be sent, in this order, what the history would tell, and the instance after
        /// it.
        transition: Box<Transition>,
        /// How the life that it is about would stand; none if it would be forgotten.
        status: Option<Status>,
    },
    /// It would not be obeyed, for the reason that the history would tell.
    Refused(Rejection),
}

/// Finds out what an act would do at `now`, by the door through which it would go.
#[must_use]
pub fn dry_run(
    catalog: &Catalog,
    id: &InstanceId,
    before: Option<&Instance>,
    act: &Act,
    now: Timestamp,
) -> DryRun {
    match step(catalog, id, before, &Input::Act(act.clone()), now) {
        Ok(transition) => {
            let about = transition.notes.first().map(|note| note.life);
            let lives = transition.after.iter().flat_map(|after| &after.lives);
            let status = lives.rev().find(|life| about == Some(life.id)).map(super::Life::status);
            DryRun::Obeyed { transition: Box::new(transition), status }
        }
        Err(rejection) => DryRun::Refused(rejection),
    }
}

/// What the history tells of an act that is not obeyed: nothing of one that was obeyed before, nor
/// where no life is remembered that it could be told of.
#[must_use]
pub fn refusal(before: Option<&Instance>, act: &Act, rejection: &Rejection) -> Option<Note> {
    let life = before?.newest()?.id;
    let reason = match rejection {
        Rejection::Duplicate(_) => return None,
        Rejection::Ignored(reason) | Rejection::Unmatched(reason) | Rejection::Refused(reason) => {
            reason.clone()
        }
    };
    let (id, verb, by) = (act.id.clone(), act.verb.text().to_owned(), act.by.clone());
    Some(Note { life, step: None, what: What::NotObeyed { id, verb, by, reason } })
}
