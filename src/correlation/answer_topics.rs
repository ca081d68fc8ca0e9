use std::collections::{BTreeMap, BTreeSet};

use super::index::{facts, replies};
use crate::definition::{Catalog, Definition, StepKind};
use crate::message::{SagaName, Topic};

/// The topics that bring what each saga waits for: answers, facts, cancels, people's decisions.
///
/// A saga's deadlines may not be decided before these topics were read up to them. What a saga
/// takes from its children comes on the children's topics, so those count as its own.
#[derive(Debug, Clone, Default)]
pub struct AnswerTopics {
    by_saga: BTreeMap<SagaName, BTreeSet<Topic>>,
}

impl AnswerTopics {
    /// Reads all versions in a catalog; decisions of people come on the topic `operator`.
    #[must_use]
    pub fn new(catalog: &Catalog, operator: &Topic) -> Self {
        let mut own: BTreeMap<SagaName, BTreeSet<Topic>> = BTreeMap::new();
        let mut children: BTreeMap<SagaName, BTreeSet<SagaName>> = BTreeMap::new();
        for definition in catalog.definitions() {
            let topics = own.entry(definition.saga.clone()).or_default();
            topics.extend(answers(definition));
            if asks(definition) {
                topics.insert(operator.clone());
            }
            let below = children.entry(definition.saga.clone()).or_default();
            below.extend(begun_by(definition));
        }
        let mut by_saga = BTreeMap::new();
        for saga in own.keys() {
            let mut topics = BTreeSet::new();
            for member in family(saga, &children) {
                topics.extend(own.get(&member).into_iter().flatten().cloned());
            }
            by_saga.insert(saga.clone(), topics);
        }
        Self { by_saga }
    }

    /// The topics of one saga; none for a saga that is not in the catalog, such as a lock's.
    #[must_use]
    pub fn of(&self, saga: &str) -> Option<&BTreeSet<Topic>> {
        let found = self.by_saga.iter().find(|(name, _)| name.as_str() == saga);
        found.map(|(_, topics)| topics)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> BTreeSet<Topic> {
        self.by_saga.values().flatten().cloned().collect()
    }
}

fn answers(definition: &Definition) -> BTreeSet<Topic> {
    let mut topics = BTreeSet::new();
    for step in &definition.steps {
        topics.extend(replies(step).map(|address| address.topic.clone()));
        topics.extend(facts(step).map(|address| address.topic.clone()));
    }
    topics.extend(definition.cancel.iter().map(|cancel| cancel.on.topic.clone()));
    topics
}

fn asks(definition: &Definition) -> bool {
    definition.steps.iter().any(|step| matches!(step.kind, StepKind::Ask(_)))
}

fn begun_by(definition: &Definition) -> BTreeSet<SagaName> {
    let mut sagas = BTreeSet::new();
    for step in &definition.steps {
        if let StepKind::Saga(child) = &step.kind {
            sagas.insert(child.saga.clone());
        }
    }
    sagas
}

/// A saga, its children, and theirs.
fn family(
    saga: &SagaName,
    children: &BTreeMap<SagaName, BTreeSet<SagaName>>,
) -> BTreeSet<SagaName> {
    let mut family = BTreeSet::new();
    let mut open = vec![saga.clone()];
    while let Some(member) = open.pop() {
        if family.insert(member.clone()) {
            open.extend(children.get(&member).into_iter().flatten().cloned());
        }
    }
    family
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::parse;

    const PARENT: &str = "
saga: parent
version: 1
start: { on: a.starts/Asked }
within: 3d
cancel: { on: a.cancels/Cancelled }
steps:
  - { step: book, command: a.commands/Book, done: a.answers/Booked, compensate: none }
  - { step: sub, saga: child, compensate: none }
  - { step: hope, wait: a.facts/Came, within: 1d }
";
    const CHILD: &str = "
saga: child
version: 1
start: { by: parent }
steps:
  - { step: pay, command: b.commands/Pay, done: b.answers/Paid, compensate: none }
  - { step: look, ask: office, question: q, choices: { yes: done, no: failed }, within: 1d }
";

    #[test]
    fn a_saga_waits_for_its_own_topics_and_those_of_its_children() {
        let mut catalog = Catalog::default();
        for text in [PARENT, CHILD] {
            let definition = parse("saga.yaml", text).unwrap_or_else(|e| panic!("\n{e}"));
            catalog.add(definition).expect("each name once");
        }
        let operator = Topic::new("x.operator").expect("a topic");
        let topics = AnswerTopics::new(&catalog, &operator);
        let of = |saga| {
            let found = topics.of(saga).into_iter().flatten();
            found.map(Topic::as_str).collect::<Vec<_>>()
        };
        let own = ["a.answers", "a.cancels", "a.facts", "b.answers", "x.operator"];
        assert_eq!(of("parent"), own);
        assert_eq!(of("child"), ["b.answers", "x.operator"]);
        assert_eq!(of("segue-lock"), [""; 0]);
        assert_eq!(topics.all().len(), own.len());
    }
}
