use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Assignment, Block, BlockId, Fact, State, Step, StepId};
use crate::expression::Expression;
use crate::message::{Address, EventType, Hash, SagaName, Span, Topic, Version};

/// A saga as its author wrote it, checked: every name in it exists and every expression parses.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The saga's name.
    pub saga: SagaName,
    /// The author's number for this text.
    pub version: Version,
    /// The identity of this text.
    pub hash: Hash,
    /// What it does, for people.
    pub title: String,
    /// What becomes of events that start it, as its file says.
    pub state: State,
    /// The name of its file.
    pub file: Arc<str>,
    /// The YAML itself, as `<app>.definitions` keeps it.
    pub source: Arc<str>,
    /// What starts an instance.
    pub starts: Vec<Start>,
    /// Whether another saga may start it as a child: `start: { by: parent }`.
    pub by_parent: bool,
    /// How events find their instance.
    pub events: Vec<EventRule>,
    /// What the start event puts into the data, in the author's order.
    pub data: Vec<Assignment>,
    /// Data fields (the path behind `data.`) whose values are secrets: a rule refuses each of them
    /// in keys, headers, locks, addresses, questions and facts (`SG0901`), and `status` masks them
    /// in what people are shown of a life or a dead letter. Where a value is stored or sent to a
    /// participant, nothing masks it.
    pub sensitive: Vec<Vec<String>>,
    /// Data fields (the path behind `data.`) by which people search and sort instances; what is
    /// sensitive is none of them (`SG0902`).
    pub search: Vec<Vec<String>>,
    /// The deadline of the whole saga, from its start.
    pub within: Option<Span>,
    /// How long an ended instance is remembered.
    pub late: Span,
    /// How long an event is kept whose instance has not started yet.
    pub early: Span,
    /// Facts that ask for the way back.
    pub cancel: Vec<Cancel>,
    /// Every step of the file, in its order; a [`StepId`] is a place in it.
    pub steps: Vec<Step>,
    /// The lists of steps: the main line, then the branches of composite steps.
    pub blocks: Vec<Block>,
    /// What its author takes for granted, told with every proof.
    pub assume: Vec<Assumption>,
    /// Facts told at the end.
    pub ends: Ends,
}

impl Definition {
    /// A step by its id.
    ///
    /// # Panics
    /// When the id is another definition's.
    #[must_use]
    pub fn step(&self, id: StepId) -> &Step {
        &self.steps[id.0 as usize]
    }

    /// A list of steps by its id.
    ///
    /// # Panics
    /// When the id is another definition's.
    #[must_use]
    pub fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id.0 as usize]
    }

    /// The steps of the main line.
    #[must_use]
    pub fn main(&self) -> &[StepId] {
        &self.block(BlockId::MAIN).steps
    }

    /// The topics that it writes to.
    #[must_use]
    pub fn topics_written(&self) -> BTreeSet<Topic> {
        let ends = [&self.ends.completed, &self.ends.compensated, &self.ends.stuck];
        let facts = ends.into_iter().flatten().map(|fact| &fact.to);
        let sent = self.steps.iter().flat_map(Step::sends);
        facts.chain(sent).map(|address| address.topic.clone()).collect()
    }

    /// How an event of this address finds its instance.
    #[must_use]
    pub fn rule(&self, address: &Address) -> Option<&EventRule> {
        let exact = self.events.iter().find(|r| {
            r.on.topic == address.topic && r.on.event_type.as_ref() == Some(&address.event_type)
        });
        exact.or_else(|| {
            self.events.iter().find(|r| r.on.topic == address.topic && r.on.event_type.is_none())
        })
    }
}

/// What starts an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// The event.
    pub on: Address,
    /// Which of them: CEL over `event`.
    pub condition: Option<Expression>,
    /// The instance's key: CEL over `event`; without it the record's key.
    pub key: Option<Expression>,
    /// What a start means while an instance with its key lives.
    pub again: Again,
    /// What a start means after it ended, while it is remembered.
    pub after: After,
}

/// Something that the author takes for granted about a participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumption {
    /// The command.
    pub command: Address,
    /// What never happens.
    pub never: Never,
}

/// What is taken for granted never to happen to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Never {
    /// A success after it was given up.
    Late,
    /// An attempt without an answer.
    Unknown,
    /// A rejection.
    Rejected,
}

impl Never {
    /// How it is written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Unknown => "unknown",
            Self::Rejected => "rejected",
        }
    }
}

/// What a second start for a live key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Nothing.
    Ignore,
    /// A dead letter that says why.
    Reject,
    /// It waits for the end, in a bounded queue.
    Queue,
}

/// What a start for a remembered key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Nothing.
    Ignore,
    /// A new life.
    New,
}

/// How events of a kind find their instance.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRule {
    /// Which events.
    pub on: EventPattern,
    /// The instance's key: CEL over `event`; without it the record's key.
    pub key: Option<Expression>,
    /// Whether the key may be used at all.
    pub by: Correlation,
}

/// A topic and one event type of it, or all (`shipping.events/*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPattern {
    /// The topic.
    pub topic: Topic,
    /// The type; none means every type.
    pub event_type: Option<EventType>,
}

/// How a reply may be matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correlation {
    /// By command id if it names one, else by type and key.
    Any,
    /// By command id only: this participant always echoes it.
    CommandId,
}

/// A fact that asks for the way back.
#[derive(Debug, Clone, PartialEq)]
pub struct Cancel {
    /// The event.
    pub on: Address,
    /// Which of them: CEL over `event` (and `data`).
    pub condition: Option<Expression>,
    /// The instance's key; without it as the `events` rule says, else the record's key.
    pub key: Option<Expression>,
}

/// The facts told in the same transaction as the end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ends {
    /// All steps done.
    pub completed: Option<Fact>,
    /// All that may have happened undone.
    pub compensated: Option<Fact>,
    /// A person must act.
    pub stuck: Option<Fact>,
}
