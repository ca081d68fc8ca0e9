//! Folds the history of an instance into the stories of its lives.

use std::collections::BTreeMap;

use super::account::{Noted, Turn};
use super::fold::Fold;
use super::names::Names;
use super::plan::Plan;
use super::story::Story;
use super::{Delivery, Rule};
use crate::engine::NoteKind;
use crate::message::LifeId;

/// The stories of an instance's lives.
pub(super) fn stories(
    plan: &Plan,
    names: &Names,
    turns: &[Turn],
    delivery: Delivery,
) -> BTreeMap<LifeId, Story> {
    let mut stories: BTreeMap<LifeId, Story> = BTreeMap::new();
    let mut seen: BTreeMap<(LifeId, u64), &[Noted]> = BTreeMap::new();
    // Numbers begin again when all lives are forgotten: the latest life of each.
    let mut latest: BTreeMap<u32, LifeId> = BTreeMap::new();
    // What is kept for a start to come is nobody's life.
    for turn in turns.iter().filter(|turn| turn.life.number > 0) {
        let number = (turn.life, turn.transition);
        if turn.transition > 0 {
            match seen.get(&number) {
                Some(notes) if delivery == Delivery::AtLeastOnce && *notes == turn.notes => {
                    continue;
                }
                Some(_) => {
                    let words = format!("transition {} stands in the history twice", number.1);
                    let story = stories.entry(turn.life).or_default();
                    story.broken.push((Rule::Once, turn.place, words));
                }
                None => {
                    seen.insert(number, &turn.notes);
                }
            }
        }
        // A start that waited begins in the transition that ended the life before it.
        let begins = turn.notes.iter().position(|n| n.kind == NoteKind::Started);
        let ended = latest.get(&(turn.life.number.saturating_sub(1))).copied();
        latest.insert(turn.life.number, turn.life);
        for (place, note) in turn.notes.iter().enumerate() {
            let before = begins.filter(|begins| place < *begins).and(ended);
            let story = stories.entry(before.unwrap_or(turn.life)).or_default();
            Fold { plan, names, story, turn }.take(note);
            if note.kind != NoteKind::Forgotten {
                story.is_stuck = turn.is_stuck && before.is_none();
            }
        }
    }
    stories
}
