use super::picture::About;
use super::words::{Words, detail};
use crate::definition::{Definition, Fact};

/// What holds for all of a saga: what sends it back at any time, and what is told when it is
/// stuck.
pub(super) fn notes(definition: &Definition, words: Words) -> Vec<String> {
    let mut notes = Vec::new();
    let cancels = definition.cancel.iter();
    let mut reasons: Vec<String> =
        cancels.map(|c| format!("on {}", words.which(&c.on, c.condition.as_ref()))).collect();
    reasons.extend(definition.within.map(|within| format!("{within} after its start")));
    if !reasons.is_empty() {
        notes.push(format!("Goes back {}", reasons.join(", or ")));
    }
    if let Some(fact) = &definition.ends.stuck {
        notes.push(format!("When a person must act, tells {}", words.address(&fact.to)));
    }
    notes
}

/// What starts it.
pub(super) fn start(definition: &Definition, words: Words) -> About {
    let starts = definition.starts.iter();
    let mut details: Vec<_> =
        starts.map(|s| detail("on", words.which(&s.on, s.condition.as_ref()))).collect();
    if definition.by_parent {
        details.push(detail("by", "its parent".to_owned()));
    }
    About { heading: "start".to_owned(), details, ..About::default() }
}

/// The end of the way forward.
pub(super) fn completed(definition: &Definition, words: Words) -> About {
    end("completed", definition.ends.completed.as_ref(), words)
}

/// The end of the way back.
pub(super) fn compensated(definition: &Definition, words: Words) -> About {
    end("all undone", definition.ends.compensated.as_ref(), words)
}

fn end(heading: &str, fact: Option<&Fact>, words: Words) -> About {
    let details = fact.map(|fact| detail("tells", words.address(&fact.to)));
    About {
        heading: heading.to_owned(),
        details: details.into_iter().collect(),
        ..About::default()
    }
}
