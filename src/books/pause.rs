//! Nothing happens while a person lets a saga stand still: it only keeps what it is told.

use super::Rule;
use super::account::Place;
use super::story::Story;
use crate::engine::NoteKind;

/// What the history may tell of during a pause.
const STILL: [NoteKind; 7] = [
    NoteKind::Held,
    NoteKind::Resumed,
    NoteKind::Kept,
    NoteKind::Queued,
    NoteKind::Refused,
    NoteKind::Acted,
    NoteKind::DataSet,
];

/// Looks whether something may have happened now, and what it says of the saga as a whole.
pub(super) fn look(story: &mut Story, place: Place, kind: NoteKind) {
    let ends = [NoteKind::Held, NoteKind::Resumed].contains(&kind);
    let when = match story.is_paused {
        true if !STILL.contains(&kind) => Some("during a pause"),
        false if ends => Some("without a pause"),
        true | false => None,
    };
    if let Some(when) = when {
        let words = format!("the history tells of `{}` {when}", kind.text());
        story.broken.push((Rule::Paused, place, words));
    }
    story.is_data_set |= kind == NoteKind::DataSet;
    story.is_paused = kind == NoteKind::Paused || (story.is_paused && kind != NoteKind::Resumed);
}
