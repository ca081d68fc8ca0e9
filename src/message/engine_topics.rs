use super::{Error, Topic};

/// The engine's own topics, and the names that it has in the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineTopics {
    /// The one ordered log of each shard.
    pub inbox: Topic,
    /// The state of each shard, compacted.
    pub changelog: Topic,
    /// Every transition in a person's words.
    pub history: Topic,
    /// What could not be taken.
    pub dead_letters: Topic,
    /// Every version of a definition that ever ran, compacted.
    pub definitions: Topic,
    /// Which users' topics are read, each from where on, compacted.
    pub sources: Topic,
    /// What people are asked.
    pub questions: Topic,
    /// What people do.
    pub operator: Topic,
}

impl EngineTopics {
    /// The topics of an application.
    ///
    /// # Errors
    /// When the application's name cannot stand in a topic's name.
    pub fn new(app: &str) -> Result<Self, Error> {
        let topic = |what: &str| Topic::new(&format!("{app}.{what}"));
        Ok(Self {
            inbox: topic("inbox")?,
            changelog: topic("changelog")?,
            history: topic("history")?,
            dead_letters: topic("dead-letters")?,
            definitions: topic("definitions")?,
            sources: topic("sources")?,
            questions: topic("questions")?,
            operator: topic("operator")?,
        })
    }
}
