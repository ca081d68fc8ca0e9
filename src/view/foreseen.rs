//! What an act would do, as people read it.

use serde::{Deserialize, Serialize};

use super::{NoteTold, history};
use crate::definition::Catalog;
use crate::engine::{Act, Call, DryRun, Effect, Instance, Rejection, dry_run, refusal};
use crate::format::wire;
use crate::message::{InstanceId, Timestamp};
use crate::status::{Masks, Overview, overview};

/// What an act would do to an instance as it is stored; nothing is sent or changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Foreseen {
    /// Why it would not be obeyed, in the words of the history; none if it would be.
    pub refused: Option<String>,
    /// What would be sent, in this order.
    pub sent: Vec<SentTold>,
    /// What the history would tell.
    pub notes: Vec<NoteTold>,
    /// Where the instance would stand; none if it would be forgotten, or nothing would be done.
    pub after: Option<Overview>,
}

/// Something that would be sent: to whom, not what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct SentTold {
    /// `command`, `fact`, `call`, `letter`, `question` or `dead-letter`.
    pub what: String,
    /// To whom: an address, a method with its host, an instance, a role; of a dead letter why.
    pub to: String,
    /// Its id; none of a dead letter.
    pub id: Option<String>,
}

/// Finds out what an act would do, by the engine itself; answers it with what is sensitive masked.
pub(super) fn foreseen(
    catalog: &Catalog,
    id: &InstanceId,
    before: &Instance,
    act: &Act,
    now: Timestamp,
) -> Foreseen {
    match dry_run(catalog, id, Some(before), act, now) {
        DryRun::Refused(rejection) => Foreseen {
            refused: Some(refused(before, act, &rejection)),
            sent: Vec::new(),
            notes: Vec::new(),
            after: None,
        },
        DryRun::Obeyed { transition, .. } => {
            let notes = transition.notes.iter().map(wire::Note::new);
            let after = transition.after.as_ref();
            Foreseen {
                refused: None,
                sent: transition.effects.iter().map(sent).collect(),
                notes: notes.map(|note| history::note(&note)).collect(),
                after: after.and_then(|after| overview(catalog, id, after, Masks::On)),
            }
        }
    }
}

/// The words of the history where it tells a refusal; of what was obeyed before it tells nothing.
fn refused(before: &Instance, act: &Act, rejection: &Rejection) -> String {
    let told = refusal(Some(before), act, rejection);
    let told = told.map(|note| history::note(&wire::Note::new(&note)).words);
    told.unwrap_or_else(|| rejection.to_string())
}

fn sent(effect: &Effect) -> SentTold {
    let told =
        |what: &str, to: String, id: Option<String>| SentTold { what: what.to_owned(), to, id };
    match effect {
        Effect::Command(message) => {
            told("command", message.to.to_string(), Some(message.id.to_string()))
        }
        Effect::Fact(message) => told("fact", message.to.to_string(), Some(message.id.to_string())),
        Effect::Call(call) => told("call", host(call), Some(call.id.to_string())),
        Effect::Letter { to, letter } => told("letter", to.to_string(), Some(letter.id.clone())),
        Effect::Question(question) => {
            told("question", question.who.clone(), Some(question.id.clone()))
        }
        Effect::Complaint(reason) => told("dead-letter", reason.clone(), None),
    }
}

/// A method with its host: what stands behind the host may hold what is sensitive.
fn host(call: &Call) -> String {
    let (_, rest) = call.url.split_once("://").unwrap_or(("", &call.url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{} {host}", call.method.text())
}
