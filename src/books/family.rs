//! Parents and children: what a step says of its child against the child's own story.

use std::collections::BTreeSet;

use super::names::Name;
use super::plan::Undoing;
use super::story::{End, Stories, Story, Told};
use super::{Books, Report, Rule};
use crate::message::{CommandId, InstanceId, Key, LifeId, Part, SagaName};

/// A life of an instance.
type Member = (InstanceId, LifeId);

/// What is known of families, once all stories are told.
#[derive(Debug, Default)]
pub(super) struct Families {
    /// Lives that a parent began.
    pub children: BTreeSet<Member>,
    /// Lives that wait for a child that needs a person, or waits for one that does.
    pub waiting: BTreeSet<Member>,
}

/// Checks every parent against its children.
pub(super) fn audit(books: &Books, stories: &Stories, report: &mut Report) -> Families {
    let mut families = Families::default();
    // Each child with its parent, both by their lives.
    let mut pairs = Vec::new();
    for (id, lives) in stories {
        for (life, story) in lives {
            for (round, step, child) in asked(story) {
                let child = find(books, stories, (id, *life), (step, round), child);
                let own = child.as_ref().map(|(_, _, story)| *story);
                let acted = story.is_acted || own.is_some_and(|child| child.is_acted);
                if let Some(wrong) = judge(story, &story.step(step), own).filter(|_| !acted) {
                    let words = format!("{} {wrong}", books.names.text(step));
                    report.add(books.violation(Rule::Family, id, None, words));
                }
                if let Some((child, number, story)) = child {
                    let (parent, child) = ((id.clone(), *life), (child, number));
                    families.children.insert(child.clone());
                    if story.awaits_person() {
                        families.waiting.insert(parent.clone());
                    }
                    pairs.push((parent, child));
                }
            }
        }
    }
    families.wait_for(&pairs);
    families
}

impl Families {
    /// Whoever waits for one that waits for a person waits as well.
    fn wait_for(&mut self, pairs: &[(Member, Member)]) {
        loop {
            let waits = |(_, child): &&(Member, Member)| self.waiting.contains(child);
            let more: Vec<Member> =
                pairs.iter().filter(waits).map(|(parent, _)| parent.clone()).collect();
            let before = self.waiting.len();
            self.waiting.extend(more);
            if self.waiting.len() == before {
                return;
            }
        }
    }
}

/// The children of a story: how often their step has asked by then, the step, and who.
fn asked(story: &Story) -> Vec<(u32, Name, Name)> {
    let mut asked: Vec<(u32, Name, Name)> = Vec::new();
    for (step, child) in &story.children {
        let before = asked.iter().filter(|(_, other, _)| other == step).count();
        asked.push((u32::try_from(before).unwrap_or(u32::MAX - 1) + 1, *step, *child));
    }
    asked
}

/// The life that a parent's letter began.
fn find<'s>(
    books: &Books,
    stories: &'s Stories,
    (parent, life): (&InstanceId, LifeId),
    (step, round): (Name, u32),
    child: Name,
) -> Option<(InstanceId, LifeId, &'s Story)> {
    let (saga, key) = books.names.text(child).split_once('/')?;
    let child = InstanceId { saga: SagaName::new(saga).ok()?, key: Key::new(key).ok()? };
    let asked = CommandId {
        instance: parent.clone(),
        life,
        subject: books.names.text(step).parse().ok()?,
        part: Part::Action,
        attempt: round,
    };
    let mark = LifeId::begun(1, "", None, &format!("{asked}/start")).mark;
    let (number, story) = stories.get(&child)?.iter().find(|(life, _)| life.mark == mark)?;
    Some((child, *number, story))
}

/// What does not fit together, in words behind the step's name.
fn judge(parent: &Story, told: &Told, child: Option<&Story>) -> Option<&'static str> {
    let ended = child.and_then(|child| child.ended);
    let by_itself = told.undoing == Undoing::Child;
    match child {
        // Its key was taken, or it could not begin.
        None if !told.succeeded => None,
        None => Some("succeeded, and its child never lived"),
        Some(_) if told.undone > 0 && by_itself && ended != Some(End::Compensated) => {
            Some("is undone, and its child has not taken itself back")
        }
        Some(_) if told.succeeded && !(told.undone > 0 && by_itself) => match ended {
            Some(End::Completed) => None,
            // It takes itself back just now.
            Some(End::Compensated) | None if told.undoings > 0 && by_itself => None,
            Some(End::Compensated) => Some("succeeded, and its child is undone"),
            None => Some("succeeded, and its child has not ended"),
        },
        Some(_) if told.rejected && !told.timed_out && ended != Some(End::Compensated) => {
            Some("was rejected, and its child is not undone")
        }
        Some(child) if parent.ended.is_some() && ended.is_none() && !child.awaits_person() => {
            Some("is over, and its child runs on")
        }
        Some(_) if parent.ended == Some(End::Compensated) && by_itself => {
            (ended == Some(End::Completed)).then_some("has left its child done")
        }
        Some(_) => None,
    }
}
