use std::collections::BTreeMap;
use std::sync::Arc;

use crate::message::{Hash, Offset, SagaName, Timestamp, Version};

/// What starts now, as a whole: which definition the new instances of each saga run on.
///
/// Every shard is told through its inbox and keeps it in its position, so what a start runs on is
/// part of the fold of the inbox and the same wherever that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starts {
    /// Where it stands in `<app>.definitions`: greater is newer.
    pub offset: Offset,
    /// Which node has said so.
    pub node: Arc<str>,
    /// Every saga of which a definition is known to have started.
    pub sagas: BTreeMap<SagaName, Starting>,
}

/// What the new instances of one saga run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Starting {
    /// The version, for people.
    pub version: Version,
    /// The definition.
    pub definition: Hash,
    /// Whether events start it.
    pub state: State,
}

/// What becomes of an event that starts a saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It starts an instance.
    Active,
    /// It is kept, in order, until the saga is active again.
    Paused,
    /// It is a dead letter.
    Retired,
    /// Nobody reads it: the saga's file is gone. What parents that run begin is not its business.
    Removed,
}

/// A person's word that the starts of a saga are kept, or that they begin again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartsWord {
    /// Whether they are kept.
    pub is_paused: bool,
    /// The word's own id: the same one is said once.
    pub id: String,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
    /// Where it stands in `<app>.definitions`.
    pub offset: Offset,
}

impl Starts {
    /// What starts when people's words count as well, the last one of each saga. A pause holds
    /// whatever files say, until a person ends it; its end changes nothing of what a file says.
    /// What is retired or removed is so in any case.
    #[must_use]
    pub fn with_words(mut self, words: &BTreeMap<SagaName, StartsWord>) -> Self {
        for (saga, word) in words {
            self.offset = self.offset.max(word.offset);
            let Some(starting) = self.sagas.get_mut(saga) else { continue };
            starting.state = match starting.state {
                State::Active if word.is_paused => State::Paused,
                state @ (State::Active | State::Paused | State::Retired | State::Removed) => state,
            };
        }
        self
    }
}

impl State {
    /// What a definition may say.
    pub const WORDS: [(&str, Self); 3] =
        [("active", Self::Active), ("paused", Self::Paused), ("retired", Self::Retired)];

    /// The word for it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Retired => "retired",
            Self::Removed => "removed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_pause_holds_whatever_files_say_and_its_end_lifts_no_other() {
        let saga = |name: &str| SagaName::new(name).expect("a name");
        let files = [State::Active, State::Paused, State::Retired, State::Removed];
        let said = |is_paused| {
            let sagas = files.map(|state| {
                let starting = Starting { version: Version(1), definition: Hash([7; 16]), state };
                (saga(state.text()), starting)
            });
            let starts = Starts { offset: Offset(5), node: "n1".into(), sagas: sagas.into() };
            let word = StartsWord {
                is_paused,
                id: "w-1".to_owned(),
                by: "ana".to_owned(),
                why: "the bank is down".to_owned(),
                at: Timestamp(7),
                offset: Offset(9),
            };
            let words = files.map(|state| (saga(state.text()), word.clone()));
            let starts = starts.with_words(&words.into());
            assert_eq!(starts.offset, Offset(9), "so that every shard follows");
            files.map(|state| starts.sagas[&saga(state.text())].state)
        };
        assert_eq!(said(true), [State::Paused, State::Paused, State::Retired, State::Removed]);
        assert_eq!(said(false), files);
    }

    #[test]
    fn what_files_say_later_stands_behind_the_word() {
        let saga = SagaName::new("order").expect("a name");
        let state = State::Active;
        let starting = Starting { version: Version(2), definition: Hash([7; 16]), state };
        let sagas = BTreeMap::from([(saga.clone(), starting)]);
        let starts = Starts { offset: Offset(12), node: "n1".into(), sagas };
        let word = StartsWord {
            is_paused: true,
            id: String::new(),
            by: String::new(),
            why: String::new(),
            at: Timestamp(7),
            offset: Offset(9),
        };
        let other = SagaName::new("other").expect("a name");
        let words = BTreeMap::from([(saga.clone(), word.clone()), (other.clone(), word)]);
        let starts = starts.with_words(&words);
        assert_eq!((starts.offset, starts.sagas[&saga].state), (Offset(12), State::Paused));
        assert!(!starts.sagas.contains_key(&other), "a saga that nobody knows starts nothing");
    }
}
