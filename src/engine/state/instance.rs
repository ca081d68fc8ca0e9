use super::{Life, Lock, Paused, Remnant};
use crate::message::LifeId;
use crate::message::{Event, Offset, Timestamp};

/// Everything that is remembered of one saga and key.
#[derive(Debug, Clone, PartialEq, Hash, Default)]
pub struct Instance {
    /// Oldest first; the last may live, the others have ended and wait for late answers.
    pub lives: Vec<Life>,
    /// Starts that wait for the end of the life before.
    pub queued: Vec<Event>,
    /// The last inbox record that was applied; the loop's business, the engine passes it on.
    pub inbox: Offset,
    /// Events that came before what waits for them.
    pub early: Vec<Early>,
    /// Older lives of which nothing new can be heard, oldest first.
    pub remnants: Vec<Remnant>,
    /// Its starts wait for the end of a pause of the saga, or for its file to be back.
    pub paused: bool,
    /// Who holds a lock and who waits for it; only of the built-in saga `segue-lock`.
    pub lock: Option<Lock>,
}

/// An event that came before what waits for it.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Early {
    /// The event.
    pub event: Event,
    /// How long it is kept; none means as long as a wait may come for it.
    pub until: Option<Timestamp>,
}

impl Instance {
    /// The life that has not ended, if there is one.
    #[must_use]
    pub fn living(&self) -> Option<&Life> {
        self.lives.last().filter(|g| g.ended.is_none())
    }

    /// The life that stands still, and its pause.
    #[must_use]
    pub fn paused_life(&self) -> Option<(&Life, &Paused)> {
        let life = self.newest()?;
        life.paused.as_deref().map(|paused| (life, paused))
    }

    /// Whether a life that is over and done with has this id.
    #[must_use]
    pub fn is_gone(&self, life: LifeId) -> bool {
        self.remnants.iter().any(|remnant| remnant.life == life)
    }

    /// The number of the life that begins next.
    pub(in crate::engine) fn next_number(&self) -> u32 {
        let lives = self.lives.iter().map(|life| life.id);
        let all = lives.chain(self.remnants.iter().map(|remnant| remnant.life));
        all.map(|id| id.number).max().unwrap_or(0) + 1
    }

    /// Keeps of lives before the newest no more than is needed; one that has ended now is still
    /// told of in this transition.
    pub(in crate::engine) fn shrink(&mut self, now: Timestamp) {
        let older = self.lives.len().saturating_sub(1);
        let mut at = 0;
        for _ in 0..older {
            let life = &self.lives[at];
            match Remnant::of(life).filter(|_| life.ended != Some(now)) {
                Some(remnant) => {
                    self.lives.remove(at);
                    self.remnants.push(remnant);
                }
                None => at += 1,
            }
        }
    }

    /// The newest life.
    #[must_use]
    pub fn newest(&self) -> Option<&Life> {
        self.lives.last()
    }
}
