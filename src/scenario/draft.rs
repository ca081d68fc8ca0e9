use super::model::{Expected, Times, ToChild, ToParent, What};
use super::words;
use crate::engine::{Effect, Letter, Say};
use crate::message::InstanceId;

/// Expectations that exactly these effects meet, their bodies left out; none if one of them is
/// what a scenario does not show.
pub(super) fn expectations(effects: &[Effect]) -> Option<Vec<Expected>> {
    let mut drafts: Vec<Expected> = Vec::new();
    for effect in effects {
        let what = what(effect)?;
        match drafts.last_mut() {
            Some(Expected { what: last, times: Times::Exactly(times), .. }) if *last == what => {
                *times += 1;
            }
            Some(_) | None => drafts.push(bare(what)),
        }
    }
    Some(drafts)
}

fn bare(what: What) -> Expected {
    let (with, key, attempt) = (None, None, None);
    Expected { what, with, key, headers: Vec::new(), attempt, times: Times::Exactly(1) }
}

fn what(effect: &Effect) -> Option<What> {
    match effect {
        Effect::Command(message) => Some(What::Command(message.to.clone())),
        Effect::Fact(message) => Some(What::Fact(message.to.clone())),
        Effect::Call(call) => Some(What::Call(words::request(call))),
        Effect::Question(question) => {
            Some(What::Question { who: question.who.clone(), text: None, choices: None })
        }
        Effect::Letter { to, letter } => said(to, letter),
        Effect::Complaint(words) => Some(What::Complaint(words.clone())),
    }
}

fn said(to: &InstanceId, letter: &Letter) -> Option<What> {
    let child = |says| Some(What::Child { saga: to.saga.to_string(), says });
    match &letter.say {
        Say::Start { .. } => child(ToChild::Start),
        Say::TakeBack { .. } => child(ToChild::TakeBack),
        Say::Ended { completed: true, .. } => Some(What::Parent(ToParent::Completed)),
        Say::Ended { completed: false, .. } => Some(What::Parent(ToParent::Compensated)),
        Say::Taken => Some(What::Parent(ToParent::Taken)),
        Say::TakenBack => Some(What::Parent(ToParent::TakenBack)),
        Say::Kept => Some(What::Parent(ToParent::Kept)),
        Say::ParentGone
        | Say::Acquire { .. }
        | Say::Release { .. }
        | Say::Withdraw
        | Say::Granted { .. }
        | Say::Full => None,
    }
}
