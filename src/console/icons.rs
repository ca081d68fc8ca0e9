//! Signs, so that no state is told by its colour alone.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::status::LifeState;

/// A state as a page shows it: its sign and its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(config = "src/console/askama.toml", path = "part/state.html")]
pub(super) struct StateShown {
    pub word: &'static str,
    /// Its sign: the inside of an SVG of 16 by 16.
    pub sign: &'static str,
    pub meaning: &'static str,
}

/// Its template escapes what has to be.
impl HtmlSafe for StateShown {}

impl From<LifeState> for StateShown {
    fn from(state: LifeState) -> Self {
        Self { word: state.text(), sign: sign(state), meaning: meaning(state) }
    }
}

fn sign(state: LifeState) -> &'static str {
    match state {
        LifeState::Running => {
            r#"<circle cx="8" cy="8" r="6"/><path class="fill" d="M8 4.5a3.5 3.5 0 0 1 0 7z"/>"#
        }
        LifeState::Retrying => {
            r#"<path d="M13.5 8a5.5 5.5 0 1 1-1.8-4.1"/><path d="M12.2 1.2v3.1H9.1"/>"#
        }
        LifeState::Waiting => r#"<circle cx="8" cy="8" r="6"/><path d="M8 4.6V8l2.2 1.6"/>"#,
        LifeState::Compensating => {
            concat!(
                r#"<circle cx="8" cy="8" r="6" stroke-dasharray="2.4 2.3"/>"#,
                r#"<path d="M10.8 8H5.4m2-2.2L5.2 8l2.2 2.2"/>"#
            )
        }
        LifeState::Stuck => {
            concat!(
                r#"<path class="fill" d="M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3z"/>"#,
                r#"<path class="on" d="M8 4.6v4.2M8 11.1v.3"/>"#
            )
        }
        LifeState::Completed => {
            concat!(
                r#"<circle class="fill" cx="8" cy="8" r="6.5"/>"#,
                r#"<path class="on" d="M5 8.3l2.1 2.1L11.1 6"/>"#
            )
        }
        LifeState::Compensated => {
            r#"<circle cx="8" cy="8" r="6"/><path d="M10.8 8H5.4m2-2.2L5.2 8l2.2 2.2"/>"#
        }
        LifeState::Paused => r#"<circle cx="8" cy="8" r="6"/><path d="M6.4 5.8v4.4M9.6 5.8v4.4"/>"#,
        LifeState::Early => r#"<circle cx="8" cy="8" r="6" stroke-dasharray="1.2 2.57"/>"#,
        LifeState::Held => {
            concat!(
                r#"<rect class="fill" x="3" y="7" width="10" height="7" rx="1.5"/>"#,
                r#"<path d="M5.2 7V5a2.8 2.8 0 0 1 5.6 0v2"/>"#
            )
        }
        LifeState::Free => {
            concat!(
                r#"<rect x="3" y="7" width="10" height="7" rx="1.5"/>"#,
                r#"<path d="M5.2 7V5a2.8 2.8 0 0 1 5.4-1"/>"#
            )
        }
    }
}

fn meaning(state: LifeState) -> &'static str {
    match state {
        LifeState::Running => "On its way forward; an answer should come soon",
        LifeState::Retrying => "On its way forward; a request had to be sent again",
        LifeState::Waiting => "Waits for an event, a person, a time, a child or a lock",
        LifeState::Compensating => "On its way back: what was done is being undone",
        LifeState::Stuck => "Nothing goes on until a person acts",
        LifeState::Completed => "Ended; all steps done",
        LifeState::Compensated => "Ended; all that may have happened is undone",
        LifeState::Paused => "Stands still until a person resumes it",
        LifeState::Early => "An event came before the start that it belongs to",
        LifeState::Held => "A lock that somebody holds",
        LifeState::Free => "A lock that nobody holds",
    }
}
