use std::fmt;

use super::model::{How, Stand};
use crate::engine::{FailureKind, Status};

/// Half of a report's width, in characters: two columns and a rule make at most 100.
const COLUMN_CHARS: usize = 47;

/// What came of running a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What the scenario shows.
    pub scenario: String,
    /// The file that it stands in.
    pub file: String,
    /// Where it went another way; none if it passed.
    pub failure: Option<Mismatch>,
    /// How the instance stood after the last step; none if it was forgotten.
    pub end: Option<End>,
}

/// How an instance stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// What it is.
    pub status: Status,
    /// The step where it went back or is stuck, by its coordinate; empty for the whole saga.
    pub at: String,
    /// What kind of thing made it go back.
    pub kind: Option<FailureKind>,
    /// Whether it is stuck on the undoing of that step.
    pub undoing: bool,
    /// Whether something must still be undone.
    pub owes: bool,
}

impl End {
    /// As much of it as a scenario has said.
    pub(super) fn stand(&self, said: &Stand) -> Stand {
        let how = match said.how {
            How::Ended if matches!(self.status, Status::Completed | Status::Compensated) => {
                How::Ended
            }
            How::Ended | How::Is(_) | How::Forgotten => How::Is(self.status),
        };
        Stand {
            how,
            at: said.at.as_ref().map(|_| self.at.clone()).filter(|at| !at.is_empty()),
            because: said.because.and(self.kind).map(FailureKind::text),
            undoing: said.undoing.map(|_| self.undoing),
        }
    }
}

/// Where a scenario went another way than it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The step of `run`, from 1; 0 is `given`.
    pub step: usize,
    /// Its line in the file, from 1.
    pub line: u32,
    /// What is wrong, in words.
    pub message: String,
    /// What the scenario expects, a line each.
    pub expected: Vec<String>,
    /// What was seen, a line each.
    pub seen: Vec<String>,
}

impl Report {
    /// Whether everything went as the scenario says.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(failure) = &self.failure else {
            return write!(f, "passed  {}", self.scenario);
        };
        writeln!(f, "FAILED  {}", self.scenario)?;
        let place = match failure.step {
            0 => "given".to_owned(),
            step => format!("step {step}"),
        };
        let head = format!("{}:{}: {place}: {}", self.file, failure.line, failure.message);
        let mut lines = wrapped(&head, 96).into_iter();
        write!(f, "  {}", lines.next().unwrap_or_default())?;
        for line in lines {
            write!(f, "\n    {line}")?;
        }
        if failure.expected.is_empty() && failure.seen.is_empty() {
            return Ok(());
        }
        side_by_side(f, &failure.expected, &failure.seen)
    }
}

fn side_by_side(f: &mut fmt::Formatter<'_>, left: &[String], right: &[String]) -> fmt::Result {
    let column = |title: &str, lines: &[String]| {
        let mut all = vec![title.to_owned(), "-".repeat(COLUMN_CHARS)];
        let nothing = ["(nothing)".to_owned()];
        let lines = if lines.is_empty() { &nothing[..] } else { lines };
        all.extend(lines.iter().flat_map(|line| wrapped(line, COLUMN_CHARS)));
        all
    };
    let (left, right) = (column("expected", left), column("seen", right));
    for place in 0..left.len().max(right.len()) {
        let cell = |column: &[String]| column.get(place).cloned().unwrap_or_default();
        let line = format!("  {:COLUMN_CHARS$} | {}", cell(&left), cell(&right));
        write!(f, "\n{}", line.trim_end())?;
    }
    Ok(())
}

/// A line cut into pieces of a width; what is cut off goes on indented.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut chars = 0;
    for c in line.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if chars == width {
            pieces.push(std::mem::take(&mut piece));
            piece.push_str("      ");
            chars = 6;
        }
        piece.push(c);
        chars += 1;
    }
    pieces.push(piece);
    pieces
}
