//! Reads a table of mutations and makes the definitions that it speaks of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

/// One definition that is another by one change.
#[derive(Debug, Clone)]
pub struct Case {
    /// Whose definition it changes.
    pub saga: String,
    /// The line of the table, from 1.
    pub line: usize,
    /// The mistake, or the variation, in words.
    pub what: String,
    pub verdict: Verdict,
    /// Changes, each of a saga's definition.
    edits: Vec<(String, Edit)>,
    /// Where else the line to mend is: a saga, and text on a line of it.
    mend: Vec<(String, String)>,
}

/// What must be said of it.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// One of these codes or promises, at the changed step.
    Found(Vec<String>),
    /// Nothing, because it is no mistake.
    Right(String),
}

/// Something that was said.
#[derive(Debug, Clone)]
pub struct Said {
    pub saga: String,
    pub line: usize,
    pub code: String,
    pub words: String,
}

/// A changed definition.
#[derive(Debug, Clone)]
pub struct Changed {
    pub text: String,
    /// The lines that were changed, from 0.
    lines: Vec<usize>,
}

#[derive(Debug, Clone)]
enum Edit {
    /// What follows is done behind the first line with this text.
    At(String),
    /// A line goes.
    Remove(String),
    /// A line goes with all that is indented under it.
    RemoveBlock(String),
    /// A line comes, where the last one went or behind the one that was looked for.
    Add(String),
    /// Text becomes another.
    Replace(String, String),
}

/// Reads a table.
pub fn read(saga: &str, text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("{saga}.txt:{}", at + 1);
        let what = line.strip_prefix("what: ").unwrap_or_else(|| panic!("{place}: no `what: `"));
        let mut of = saga.to_owned();
        let mut case = Case {
            saga: saga.to_owned(),
            line: at + 1,
            what: what.to_owned(),
            verdict: Verdict::Right(String::new()),
            edits: Vec::new(),
            mend: Vec::new(),
        };
        while let Some((at, line)) = lines.next_if(|(_, line)| !line.is_empty()) {
            assert!(case.read(line, &mut of), "{saga}.txt:{}: what is `{line}`?", at + 1);
        }
        let is_said = !matches!(&case.verdict, Verdict::Right(why) if why.is_empty());
        assert!(is_said, "{place}: neither `found: ` nor `right: `");
        cases.push(case);
    }
    cases
}

impl Case {
    fn read(&mut self, line: &str, of: &mut String) -> bool {
        let mut edit = |edit: Edit| self.edits.push((of.clone(), edit));
        if let Some(saga) = line.strip_prefix("in: ") {
            saga.clone_into(of);
        } else if let Some(codes) = line.strip_prefix("found: ") {
            let codes = codes.split_whitespace().map(str::to_owned).collect();
            self.verdict = Verdict::Found(codes);
        } else if let Some(why) = line.strip_prefix("right: ") {
            self.verdict = Verdict::Right(why.to_owned());
        } else if let Some(text) = line.strip_prefix("mend: ") {
            let (saga, text) = text.split_once(" | ").unwrap_or((&self.saga, text));
            self.mend.push((saga.to_owned(), text.to_owned()));
        } else if let Some(text) = line.strip_prefix("at: ") {
            edit(Edit::At(text.to_owned()));
        } else if let Some(text) = line.strip_prefix("--") {
            edit(Edit::RemoveBlock(text.trim().to_owned()));
        } else if let Some(text) = line.strip_prefix('-') {
            edit(Edit::Remove(text.trim().to_owned()));
        } else if let Some(text) = line.strip_prefix('+') {
            edit(Edit::Add(text.to_owned()));
        } else if let Some((from, to)) = line.strip_prefix("~ ").and_then(|l| l.split_once(" => "))
        {
            edit(Edit::Replace(from.to_owned(), to.to_owned()));
        } else {
            return false;
        }
        true
    }

    /// The other sagas that are changed as well.
    pub fn others(&self) -> BTreeSet<&str> {
        let others = self.edits.iter().map(|(saga, _)| saga.as_str());
        others.filter(|saga| *saga != self.saga).collect()
    }

    /// A saga's definition with the change in it.
    pub fn apply(&self, saga: &str, text: &str) -> Changed {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut changed: Vec<usize> = Vec::new();
        // Where edits look, and where the next line comes.
        let (mut from, mut place) = (0, 0);
        let find = |lines: &[String], from: usize, is_it: &dyn Fn(&str) -> bool, edit: &Edit| {
            let found = lines.iter().skip(from).position(|line| is_it(line));
            let missing = || panic!("{}.txt:{}: {edit:?} finds nothing", self.saga, self.line);
            from + found.unwrap_or_else(missing)
        };
        for (_, edit) in self.edits.iter().filter(|(of, _)| of == saga) {
            match edit {
                Edit::At(text) => {
                    from = find(&lines, 0, &|line| line.contains(text), edit);
                    place = from + 1;
                }
                Edit::Remove(text) => {
                    place = find(&lines, from, &|line| is_line(line, text), edit);
                    removed(&mut lines, place..place + 1, &mut changed);
                    changed.push(place.saturating_sub(1));
                }
                Edit::RemoveBlock(text) => {
                    place = find(&lines, from, &|line| is_line(line, text), edit);
                    let block = block(&lines, place);
                    removed(&mut lines, block, &mut changed);
                    changed.push(place.saturating_sub(1));
                }
                Edit::Add(text) => {
                    lines.insert(place, text.clone());
                    changed.iter_mut().filter(|at| **at >= place).for_each(|at| *at += 1);
                    changed.push(place);
                    place += 1;
                }
                Edit::Replace(text, to) => {
                    place = find(&lines, from, &|line| line.contains(text), edit);
                    lines[place] = lines[place].replacen(text, to, 1);
                    changed.push(place);
                    place += 1;
                }
            }
        }
        Changed { text: lines.join("\n") + "\n", lines: changed }
    }

    /// Whether something that was said is what had to be said: one of these codes, at a step that
    /// was changed or at the line to mend.
    pub fn is_it(
        &self,
        codes: &[String],
        said: &Said,
        changed: &BTreeMap<String, Changed>,
    ) -> bool {
        let at = said.line - 1;
        let Changed { text, lines: places } = &changed[&said.saga];
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let at_change = places.iter().any(|line| around(&lines, *line).contains(&at));
        let at_mend = self.mend.iter().filter(|(saga, _)| *saga == said.saga).any(|(_, text)| {
            let line = lines.iter().position(|line| line.contains(text));
            let missing = || panic!("{}.txt:{}: no line `{text}`", self.saga, self.line);
            around(&lines, line.unwrap_or_else(missing)).contains(&at)
        });
        codes.contains(&said.code) && (at_change || at_mend)
    }
}

fn removed(lines: &mut Vec<String>, gone: Range<usize>, changed: &mut [usize]) {
    changed.iter_mut().filter(|at| **at >= gone.end).for_each(|at| *at -= gone.len());
    lines.drain(gone);
}

/// Whether a line says this, whatever its indentation and its comment.
fn is_line(line: &str, text: &str) -> bool {
    let rest = line.trim_start().strip_prefix(text);
    rest.is_some_and(|rest| rest.is_empty() || rest.trim_start().starts_with('#'))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// A line and those that are indented under it.
fn block(lines: &[String], at: usize) -> Range<usize> {
    let own = indent(&lines[at]);
    let inner = |line: &&String| line.trim().is_empty() || indent(line) > own;
    let under = lines[at + 1..].iter().take_while(inner).count();
    let last = (at..=at + under).rfind(|line| !lines[*line].trim().is_empty());
    at..last.unwrap_or(at) + 1
}

/// The lines of the step, or of the part of the file, that a line belongs to.
fn around(lines: &[String], at: usize) -> Range<usize> {
    let begins = |line: &str| {
        let text = line.trim_start();
        let is_step = text.starts_with("- step:") || text.starts_with("- set:");
        is_step || (indent(line) == 0 && !text.is_empty())
    };
    let mut first = at;
    let mut own = if begins(&lines[at]) { 0 } else { indent(&lines[at]).max(1) };
    while own > 0 && first > 0 {
        first -= 1;
        let line = &lines[first];
        // A step that ends before this line is none of its steps.
        if begins(line) && (indent(line) < own || lines[at].trim().is_empty()) {
            own = 0;
        }
    }
    first..block(lines, first).end.max(at + 1)
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(codes) => write!(f, "expected {}", codes.join(" or ")),
            Self::Right(why) => write!(f, "right: {why}"),
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}:{}: {}", self.code, self.saga, self.line, self.words)
    }
}
