use super::Letter;
use crate::message::{Coordinate, InstanceId, LifeId, Timestamp};

/// Who holds a lock and who waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Lock {
    /// The last token that was handed out, or a greater one that was used elsewhere.
    pub fence: u64,
    /// Who holds it, and the token they were given.
    pub holder: Option<(Claim, u64)>,
    /// Who waits, in their order.
    pub waiting: Vec<Claim>,
    /// When it is forgotten; set while nobody holds it.
    pub forget: Option<Timestamp>,
}

/// Who wants a lock: a step of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The instance.
    pub instance: InstanceId,
    /// Its life.
    pub life: LifeId,
    /// The step.
    pub step: Coordinate,
    /// How often that step has asked.
    pub round: u32,
}

impl Claim {
    pub(in crate::engine) fn of(letter: &Letter) -> Self {
        Self {
            instance: letter.from.clone(),
            life: letter.life,
            step: letter.step.clone(),
            round: letter.round,
        }
    }

    /// Whether it is the same step's, of whatever round.
    pub(in crate::engine) fn is_of(&self, other: &Self) -> bool {
        (&self.instance, self.life, &self.step) == (&other.instance, other.life, &other.step)
    }
}
