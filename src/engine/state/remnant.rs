use super::place::walk;
use super::request::Request;
use super::{Life, Stage};
use crate::message::{Event, InputId, LifeId, Timestamp};

/// A life of which nothing new can be heard: it has ended, owes nothing, and every answer to it
/// came. Only what tells a repetition is remembered of it, for a key may live very often.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Remnant {
    /// Which life it was.
    pub life: LifeId,
    /// When it is forgotten.
    pub forget: Timestamp,
    /// Digests of the ids of everything that it took.
    pub taken: Vec<u64>,
}

impl Remnant {
    /// What is left of a life; none if something may still be heard of it, or somebody may still
    /// speak to it.
    #[must_use]
    pub fn of(life: &Life) -> Option<Self> {
        let forget = life.forget.filter(|_| life.ended.is_some() && !life.owes())?;
        if life.parent.as_ref().is_some_and(|parent| !parent.gone) {
            return None;
        }
        let mut taken = vec![digest(&life.started_by)];
        taken.extend(life.seen.iter().map(digest));
        let open = walk(&life.frame, |_, _, state| {
            let lacks = state.action().is_some_and(Request::lacks_answer)
                || state.undos.iter().any(Request::lacks_answer)
                || state.hold().is_some_and(|hold| hold.stage != Stage::Freed);
            let answers = state.requests().map(|(_, request)| &request.answer);
            taken.extend(answers.filter(|id| !id.text.is_empty()).map(digest));
            lacks.then_some(())
        });
        open.is_none().then_some(Self { life: life.id, forget, taken })
    }

    /// Whether it took what these are the digests of.
    #[must_use]
    pub fn has_taken(&self, digests: &[u64]) -> bool {
        digests.iter().any(|digest| self.taken.contains(digest))
    }
}

/// The digests by which an event is known: that of its id, and of what a build kept of it that did
/// not read sources.
pub(in crate::engine) fn digests(event: &Event) -> [u64; 2] {
    [digest(&InputId::of(event)), digest(&InputId::named(&event.id))]
}

/// An id in 64 bits: one in ten thousand million million others is taken for it.
pub(in crate::engine) fn digest(id: &InputId) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key("segue 2026 id of a remnant");
    hasher.update(&id.namespace.to_be_bytes()).update(id.text.as_bytes());
    let mut short = [0; 8];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_be_bytes(short)
}
