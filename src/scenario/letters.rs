//! Letters of everybody who is not the instance that a scenario is about.

use super::model::{ChildSays, Given, ToChild, ToParent};
use super::run::Wrong;
use super::world::World;
use crate::definition::Definition;
use crate::engine::{Failure, FailureKind, Input, Letter, Say};
use crate::message::{InstanceId, Key, LifeId, SagaName};

/// The step of the parent, in its own words.
const STEP: &str = "child";
/// The step of whoever else wants a lock.
const ELSEWHERE: &str = "elsewhere";

/// The instance that a parent starts, and its letter.
pub(super) fn start(definition: &Definition, given: &Given) -> Result<(InstanceId, Input), Wrong> {
    if !definition.by_parent {
        let saga = &definition.saga;
        return Err(Wrong::new(format!(
            "{saga} is no child; write `on:` in place of `by: parent`"
        )));
    }
    let key = given.key.as_deref().unwrap_or("parent/child");
    let key = Key::new(key).map_err(|e| Wrong::new(e.to_string()))?;
    let say = Say::Start { body: given.body.clone(), trace_parent: String::new() };
    let id = InstanceId { saga: definition.saga.clone(), key };
    Ok((id, Input::Letter(letter("given".to_owned(), parent()?, STEP, say))))
}

/// Whether a letter is nothing that a scenario shows: it is for whoever else wants a lock, or
/// tells a child that it may forget.
pub(super) fn is_unseen(letter: &Letter) -> bool {
    letter.step.step.as_str() == ELSEWHERE || letter.say == Say::ParentGone
}

impl World {
    /// A child says something to the step that it belongs to.
    pub fn child_says(&mut self, says: &ChildSays) -> Result<(), Wrong> {
        let step = &says.step;
        let Some((child, asked)) = self.children.get(step).cloned() else {
            let known: Vec<_> = self.children.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none" } else { &known.join(", ") };
            let wrong = format!("step `{step}` has no child; children were told by: {known}");
            return Err(Wrong::new(wrong));
        };
        let (data, reason) = (says.data.clone(), says.reason.clone());
        let say = match says.says {
            ToParent::Completed => Say::Ended { completed: true, data, failure: None },
            ToParent::Compensated => {
                let failure = Failure { step: None, kind: FailureKind::Rejected, reason };
                Say::Ended { completed: false, data, failure: Some(failure) }
            }
            ToParent::Taken => Say::Taken,
            ToParent::TakenBack => Say::TakenBack,
            ToParent::Kept => Say::Kept,
        };
        let id = self.fresh("letter");
        self.input(Input::Letter(Letter { id, from: child, say, ..asked }));
        Ok(())
    }

    /// The parent says something.
    pub fn parent_says(&mut self, says: ToChild) -> Result<(), Wrong> {
        let say = match says {
            ToChild::TakeBack => {
                Say::TakeBack { reason: "the parent goes back".to_owned(), reopen: true }
            }
            ToChild::LetGo | ToChild::Start => Say::ParentGone,
        };
        let id = self.fresh("letter");
        self.input(Input::Letter(letter(id, parent()?, STEP, say)));
        Ok(())
    }

    /// Somebody else takes a lock.
    pub fn hold(&mut self, key: &str) -> Result<(), Wrong> {
        self.tell_lock(key, Say::Acquire { above: 0 })
    }

    /// They let it go.
    pub fn free(&mut self, key: &str) -> Result<(), Wrong> {
        self.tell_lock(key, Say::Withdraw)
    }

    fn tell_lock(&mut self, key: &str, say: Say) -> Result<(), Wrong> {
        let key = Key::new(key).map_err(|e| Wrong::new(e.to_string()))?;
        let id = self.fresh("letter");
        let letter = letter(id, parent()?, ELSEWHERE, say);
        self.input_to(InstanceId { saga: SagaName::lock(), key }, Input::Letter(letter));
        Ok(())
    }
}

/// Somebody with a name of their own.
fn parent() -> Result<InstanceId, Wrong> {
    let wrong = |e: crate::message::Error| Wrong::new(e.to_string());
    let saga = SagaName::new("somebody-else").map_err(wrong)?;
    Ok(InstanceId { saga, key: Key::new("1").map_err(wrong)? })
}

fn letter(id: String, from: InstanceId, step: &str, say: Say) -> Letter {
    let step = step.parse().expect("the names above are names of steps");
    Letter { id, from, life: LifeId::unmarked(1), step, round: 1, say }
}
