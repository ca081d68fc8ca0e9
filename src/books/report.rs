use std::fmt;

use super::Tally;

/// The most violations that a report spells out; more are counted.
pub const VIOLATIONS_MAX: usize = 1_000;

/// What the books say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What does not balance; empty if all does.
    pub violations: Vec<Violation>,
    /// How many more there are than are spelled out.
    pub more: u64,
    /// What happened, in numbers.
    pub tally: Tally,
}

impl Report {
    /// Whether every promise was kept.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.violations.is_empty()
    }

    pub(super) fn add(&mut self, violation: Violation) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(violation);
        } else {
            self.more += 1;
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.tally)?;
        if self.balances() {
            return write!(f, "the books balance");
        }
        let all = self.violations.len() as u64 + self.more;
        writeln!(f, "the books do not balance: {all} violations")?;
        for violation in &self.violations {
            writeln!(f, "  {violation}")?;
        }
        if self.more > 0 { write!(f, "  and {} more", self.more) } else { Ok(()) }
    }
}

/// One promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The promise.
    pub rule: Rule,
    /// Whose: saga and key.
    pub instance: String,
    /// Where it shows: topic, partition and offset; empty if something is missing everywhere.
    pub place: String,
    /// What is wrong, in words.
    pub words: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.instance, self.words, self.rule.text())?;
        if self.place.is_empty() { Ok(()) } else { write!(f, " at {}", self.place) }
    }
}

/// A promise that the books check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Every command and fact is sent once.
    Once,
    /// Attempts are numbered without a gap.
    Attempts,
    /// Every start has an instance and every instance a start.
    Started,
    /// Every instance ends once, or is told to be stuck.
    Ended,
    /// Completed: all steps done, nothing undone.
    Completed,
    /// Compensated: exactly what may have happened is undone.
    Compensated,
    /// Undone in reverse order of completion.
    Reverse,
    /// On the way back nothing new is done, and behind the pivot there is no way back.
    Forward,
    /// What is left behind, or succeeds late, is undone while the saga goes on.
    LeftBehind,
    /// A lock is held by one at a time, let go, and what is sent under it carries its token.
    Exclusive,
    /// Whoever waits for a lock is served in turn.
    InTurn,
    /// Parents and children agree on how the children ended.
    Family,
    /// Nothing happens while a person lets a saga stand still.
    Paused,
    /// Nothing is sent after the end but undoings of late successes.
    AfterEnd,
    /// Values pass through unchanged, numbers digit by digit.
    Unchanged,
    /// What the history says was sent stands on the topics, and the other way round.
    History,
    /// Answers are obeyed, and all answers to one request agree.
    Answers,
    /// Messages have the form and the address that the definition says.
    Form,
}

impl Rule {
    /// The promise in a few words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Once => "sent once",
            Self::Attempts => "attempts without a gap",
            Self::Started => "started once",
            Self::Ended => "ended once",
            Self::Completed => "completed means all done",
            Self::Compensated => "compensated means all undone",
            Self::Reverse => "undone in reverse order",
            Self::Forward => "no step forward on the way back",
            Self::LeftBehind => "undone what is left behind",
            Self::Exclusive => "a lock has one holder",
            Self::InTurn => "locks in turn",
            Self::Family => "children as their parents say",
            Self::Paused => "nothing during a pause",
            Self::AfterEnd => "nothing after the end",
            Self::Unchanged => "values unchanged",
            Self::History => "history as the topics",
            Self::Answers => "answers obeyed",
            Self::Form => "as the definition says",
        }
    }
}
