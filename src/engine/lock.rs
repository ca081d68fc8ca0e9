//! Locks: instances of the built-in saga `segue-lock`, first come, first served.
//!
//! A lock's token grows with every holder, also over the time in which the lock was forgotten: it
//! starts from the clock of its input, and from the greatest token that its claimants have seen.

use super::{
    Claim, Claimant, Effect, Input, Instance, Letter, Lock, Note, Rejection, Say, Transition, What,
};
use crate::definition::Limits;
use crate::message::{InstanceId, LifeId, Timestamp};

/// What an input does to a lock.
///
/// # Errors
/// When it changes nothing, and why.
pub(super) fn step(
    limits: &Limits,
    id: &InstanceId,
    before: Option<&Instance>,
    input: &Input,
    now: Timestamp,
) -> Result<Transition, Rejection> {
    let instance = before.cloned().unwrap_or_default();
    let lock = instance.lock.clone().unwrap_or_default();
    let mut turn = LockTurn { limits, id, lock, now, effects: Vec::new(), notes: Vec::new() };
    match input {
        Input::Letter(letter) => turn.read(letter)?,
        Input::Wake(wake) if turn.lock.forget.is_some_and(|at| at <= now.min(wake.until)) => {
            return Ok(Transition { after: None, effects: Vec::new(), notes: Vec::new() });
        }
        Input::Wake(_) => return Err(Rejection::Ignored("no timer is due".to_owned())),
        Input::Event(_) | Input::Act(_) | Input::Called(_) => {
            return Err(Rejection::Unmatched(format!("{id} is a lock and takes letters only")));
        }
    }
    let LockTurn { lock, effects, notes, .. } = turn;
    assert!(
        lock.forget.is_none() == lock.holder.is_some(),
        "a lock is forgotten when nobody holds it, and only then"
    );
    let after = Some(Instance { lock: Some(lock), ..instance });
    Ok(Transition { after, effects, notes })
}

/// A lock while a letter is read.
struct LockTurn<'a> {
    limits: &'a Limits,
    id: &'a InstanceId,
    lock: Lock,
    now: Timestamp,
    effects: Vec<Effect>,
    notes: Vec<Note>,
}

impl LockTurn<'_> {
    fn read(&mut self, letter: &Letter) -> Result<(), Rejection> {
        let claim = Claim::of(letter);
        match &letter.say {
            Say::Acquire { above } => self.acquire(claim, *above),
            Say::Release { fence } => {
                let held = |(holder, token): &(Claim, u64)| *holder == claim && token <= fence;
                if !self.lock.holder.as_ref().is_some_and(held) {
                    return Err(self.no_news(letter));
                }
                self.lock.fence = self.lock.fence.max(*fence);
                self.free();
                Ok(())
            }
            Say::Withdraw => {
                if self.lock.holder.as_ref().is_some_and(|(holder, _)| *holder == claim) {
                    self.free();
                    return Ok(());
                }
                let place = self.lock.waiting.iter().position(|waiting| *waiting == claim);
                let place = place.ok_or_else(|| self.no_news(letter))?;
                self.lock.waiting.remove(place);
                self.note(What::Withdrawn(Claimant::from(&claim)));
                Ok(())
            }
            Say::Start { .. }
            | Say::TakeBack { .. }
            | Say::ParentGone
            | Say::Ended { .. }
            | Say::Taken
            | Say::TakenBack
            | Say::Kept
            | Say::Granted { .. }
            | Say::Full => Err(Rejection::Unmatched(format!(
                "{} is a lock and does not take letters that say {}",
                self.id,
                letter.say.text()
            ))),
        }
    }

    fn no_news(&self, letter: &Letter) -> Rejection {
        Rejection::Duplicate(format!("{} is no news to {}", letter.id, self.id))
    }

    fn acquire(&mut self, claim: Claim, above: u64) -> Result<(), Rejection> {
        let held = self.lock.holder.as_ref().map(|(holder, _)| holder);
        let known = held.into_iter().chain(&self.lock.waiting).find(|other| other.is_of(&claim));
        if known.is_some() {
            return Err(Rejection::Duplicate(format!(
                "{} of {} has or awaits {} already",
                claim.step, claim.instance, self.id
            )));
        }
        self.lock.fence = self.lock.fence.max(above);
        if self.lock.holder.is_none() {
            self.grant(claim);
        } else if self.lock.waiting.len() < self.limits.lock_waiting_max {
            self.note(What::Claimed(Claimant::from(&claim)));
            self.lock.waiting.push(claim);
        } else {
            self.say(&claim, Say::Full);
        }
        Ok(())
    }

    fn grant(&mut self, claim: Claim) {
        let clock = u64::try_from(self.now.0).unwrap_or_default();
        let fence = (self.lock.fence + 1).max(if self.lock.fence == 0 { clock } else { 0 });
        self.lock.fence = fence;
        self.lock.forget = None;
        self.note(What::Granted { to: Claimant::from(&claim), token: fence });
        self.say(&claim, Say::Granted { fence });
        self.lock.holder = Some((claim, fence));
    }

    /// Nobody holds it: the next one does.
    fn free(&mut self) {
        if let Some((holder, _)) = self.lock.holder.take() {
            self.note(What::Returned(Claimant::from(&holder)));
        }
        if self.lock.waiting.is_empty() {
            self.lock.forget = Some(self.now.after(self.limits.lock_kept));
        } else {
            let next = self.lock.waiting.remove(0);
            self.grant(next);
        }
    }

    fn note(&mut self, what: What) {
        self.notes.push(Note { life: LifeId::default(), step: None, what });
    }

    fn say(&mut self, claim: &Claim, say: Say) {
        let Claim { instance, life, step, round } = claim.clone();
        let letter = Letter {
            id: format!("{}/{}/{instance}/{life}/{step}/{round}", self.id, say.text()),
            from: self.id.clone(),
            life,
            step,
            round,
            say,
        };
        self.effects.push(Effect::Letter { to: instance, letter });
    }
}
