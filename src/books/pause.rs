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
    let (is_wrong, when) = if story.is_paused {
        (!STILL.contains(&kind), "during a pause")
    } else {
        ([NoteKind::Held, NoteKind::Resumed].contains(&kind), "without a pause")
    };
    if is_wrong {
        let words = format!("the history tells of `{}` {when}", kind.text());
        story.broken.push((Rule::Paused, place, words));
    }
    story.is_data_set |= kind == NoteKind::DataSet;
    story.is_paused = kind == NoteKind::Paused || (story.is_paused && kind != NoteKind::Resumed);
}
