use std::collections::BTreeMap;

use super::picture::{Item, LineId, Picture, Port, RegionKind, Shape};

/// How far a step of one life is. Where a step runs in several branches, the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// It is left out.
    LeftOut,
    /// It is done.
    Done,
    /// It was done, or may have been, and is undone.
    Undone,
    /// It was given up, and nothing undoes it: it may have happened.
    GivenUp,
    /// It did not happen.
    Failed,
    /// It is under way.
    UnderWay,
    /// It is being undone: the answer is owed.
    Owed,
    /// Nothing goes on there until a person acts.
    Stuck,
}

impl Mark {
    /// Every mark with its word.
    pub const WORDS: [(&str, Self); 8] = [
        ("left-out", Self::LeftOut),
        ("done", Self::Done),
        ("undone", Self::Undone),
        ("given-up", Self::GivenUp),
        ("failed", Self::Failed),
        ("under-way", Self::UnderWay),
        ("owed", Self::Owed),
        ("stuck", Self::Stuck),
    ];

    /// The word for it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::LeftOut => "left-out",
            Self::Done => "done",
            Self::Undone => "undone",
            Self::GivenUp => "given-up",
            Self::Failed => "failed",
            Self::UnderWay => "under-way",
            Self::Owed => "owed",
            Self::Stuck => "stuck",
        }
    }

    /// The mark that a word names.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(text, _)| *text == word).map(|(_, mark)| *mark)
    }

    /// What stands on the box of a step, with a sign that tells it apart without colours.
    pub(super) fn badge(self) -> &'static str {
        match self {
            Self::LeftOut => "– left out",
            Self::Done => "✓ done",
            Self::Undone => "↩ undone",
            Self::GivenUp => "? given up",
            Self::Failed => "✕ failed",
            Self::UnderWay => "● under way",
            Self::Owed => "↩ being undone",
            Self::Stuck => "! stuck",
        }
    }

    /// How far that is which undoes a step.
    fn of_undoing(self) -> Option<Self> {
        match self {
            Self::Undone => Some(Self::Done),
            Self::Owed => Some(Self::Owed),
            Self::LeftOut
            | Self::Done
            | Self::GivenUp
            | Self::Failed
            | Self::UnderWay
            | Self::Stuck => None,
        }
    }
}

/// How far one life is on the picture of its definition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks {
    /// How far each step is that was reached, by its name.
    pub steps: BTreeMap<String, Mark>,
    /// Whether it has ended with all steps done.
    pub completed: bool,
    /// Whether it has ended with all undone.
    pub compensated: bool,
}

/// The marks of the boxes of a picture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marked {
    nodes: BTreeMap<usize, Mark>,
    regions: BTreeMap<usize, Mark>,
}

impl Marked {
    /// Marks the boxes of a picture. What is drawn of a child has a life of its own, and no mark.
    #[must_use]
    pub fn of(picture: &Picture, marks: &Marks) -> Self {
        let mut marked = Self::default();
        marked.line(picture, marks, LineId::MAIN);
        marked
    }

    /// How far the step of a node is, by the node's place in the picture.
    #[must_use]
    pub fn node(&self, index: usize) -> Option<Mark> {
        self.nodes.get(&index).copied()
    }

    /// How far the step of a region is, by the region's place in the picture.
    #[must_use]
    pub fn region(&self, index: usize) -> Option<Mark> {
        self.regions.get(&index).copied()
    }

    /// Whether the life has gone along an edge to where it leads.
    #[must_use]
    pub fn is_taken(&self, from: Port, to: Port) -> bool {
        self.is_reached(from) && self.is_reached(to)
    }

    fn is_reached(&self, port: Port) -> bool {
        let mark = match port {
            Port::Node(id) => self.node(id.0),
            Port::Open(id) | Port::Side(id) => self.region(id.0),
            Port::Close(id) => self.region(id.0).filter(|mark| *mark != Mark::UnderWay),
        };
        mark.is_some()
    }

    fn line(&mut self, picture: &Picture, marks: &Marks, line: LineId) {
        for item in &picture.line(line).items {
            let about = picture.about(*item);
            let mark = match item {
                Item::Node(id) => {
                    let ended = |is_so: bool| is_so.then_some(Mark::Done);
                    let mark = match picture.node(*id).shape {
                        Shape::Start => Some(Mark::Done),
                        Shape::Completed => ended(marks.completed),
                        Shape::Compensated => ended(marks.compensated),
                        Shape::Command
                        | Shape::Emit
                        | Shape::Set
                        | Shape::Fail
                        | Shape::Wait
                        | Shape::Sleep
                        | Shape::Ask
                        | Shape::Call
                        | Shape::Child
                        | Shape::Undo => marks.steps.get(&about.name).copied(),
                    };
                    self.nodes.extend(mark.map(|mark| (id.0, mark)));
                    mark
                }
                Item::Region(id) => {
                    let mark = marks.steps.get(&about.name).copied();
                    self.regions.extend(mark.map(|mark| (id.0, mark)));
                    let region = picture.region(*id);
                    if region.kind != RegionKind::Child {
                        for line in &region.lines {
                            self.line(picture, marks, *line);
                        }
                    }
                    mark
                }
            };
            let Some(undo) = about.undo else { continue };
            let undoing = if picture.node(undo).shape == Shape::Compensated {
                marks.compensated.then_some(Mark::Done)
            } else {
                mark.and_then(Mark::of_undoing)
            };
            self.nodes.extend(undoing.map(|mark| (undo.0, mark)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_from_its_word_and_the_greatest_is_the_most_pressing() {
        for (word, mark) in Mark::WORDS {
            assert_eq!((mark.text(), Mark::named(word)), (word, Some(mark)));
        }
        assert!(Mark::WORDS.is_sorted_by_key(|(_, mark)| *mark));
        assert_eq!(Mark::named("Done"), None);
    }
}
