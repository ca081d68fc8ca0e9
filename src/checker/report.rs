use std::fmt;

use super::bound::Bound;
use super::explore::Explored;
use super::model::Ending;
use super::moves::EARLY_MAX;
use super::promise::{Broken, Promise};
use super::story;
use super::world::World;
use crate::definition::{Code, Compensation, Definition, Diagnostic, Severity, StepKind};
use crate::message::SagaName;

/// What an exploration came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The saga.
    pub saga: SagaName,
    /// How many different states were looked at.
    pub states: usize,
    /// How many moves lead from one to another.
    pub moves: usize,
    /// How many moves the farthest state is away.
    pub deepest: u32,
    /// Every way in which it can end, or stop until a person acts.
    pub endings: Vec<Ending>,
    /// What goes wrong: each with its shortest run.
    pub findings: Vec<Finding>,
    /// What the author takes for granted.
    pub assumed: Vec<String>,
    /// How far it came, if the bound was reached.
    pub bound: Option<Bound>,
}

/// Something that goes wrong, and the shortest way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The broken promise.
    pub broken: Broken,
    /// The line of the file to mend, from 1.
    pub line: u32,
    /// That line.
    pub line_text: String,
    /// The run, a line for each thing that happens.
    pub story: Vec<String>,
}

impl Finding {
    fn new(definition: &Definition, broken: &Broken, story: Vec<String>) -> Self {
        let line = line_of(definition, broken);
        let text = definition.source.lines().nth(line.saturating_sub(1) as usize);
        let line_text = text.unwrap_or_default().to_owned();
        Self { broken: broken.clone(), line, line_text, story }
    }

    /// How to mend it.
    fn mend(&self) -> String {
        let element = self.broken.path.as_ref().and_then(|path| path.strip_suffix(']'));
        match element.and_then(|path| path.rsplit_once('[')) {
            Some((list, place)) => format!("ask first by `size({list}) > {place}`"),
            None => self.broken.promise.mend().to_owned(),
        }
    }

    /// The same as the mistakes in the shape are told, in the file of this name.
    #[must_use]
    pub fn diagnostic(&self, file: &str) -> Diagnostic {
        let promise = self.broken.promise;
        let severity = if promise.is_engines() { Severity::Warning } else { Severity::Error };
        Diagnostic {
            severity,
            message: self.broken.words.clone(),
            help: Some(self.mend()),
            ..Diagnostic::of_line(promise.code(), file, self.line, &self.line_text)
        }
    }
}

impl Report {
    pub(super) fn new(definition: &Definition, world: &World, explored: &Explored) -> Self {
        let finding = |(broken, at, last): &(Broken, usize, Option<_>)| {
            let mut run = explored.run(*at);
            run.extend(last.clone());
            Finding::new(definition, broken, story::tell(world, &run))
        };
        Self {
            saga: definition.saga.clone(),
            states: explored.states(),
            moves: explored.moves,
            deepest: explored.deepest(),
            endings: explored.endings.keys().cloned().collect(),
            findings: explored.broken.iter().map(finding).collect(),
            assumed: assumed(definition),
            bound: explored.bound.map(|moves| Bound::new(definition, explored.states(), moves)),
        }
    }

    /// What is said of a definition that cannot run: the engine promises nothing for those.
    #[must_use]
    pub fn of_definition(mut self) -> Self {
        self.findings.retain(|finding| !finding.broken.promise.is_engines());
        self
    }

    /// Whether the definition itself is to be mended.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.findings.iter().any(|f| !f.broken.promise.is_engines())
    }

    /// Whether the engine breaks a promise that it keeps for every definition.
    #[must_use]
    pub fn shows_own_mistake(&self) -> bool {
        self.findings.iter().any(|finding| finding.broken.promise.is_engines())
    }

    /// Whether every promise is kept on every run.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.findings.is_empty() && self.bound.is_none()
    }
}

/// The line to mend: of the step, or where it reads what is missing; else the file's beginning.
fn line_of(definition: &Definition, broken: &Broken) -> u32 {
    let name = broken.step.split('[').next().unwrap_or_default();
    let step = definition.steps.iter().find(|s| s.name.as_str() == name);
    let first = step.map_or(1, |step| step.line);
    let last = definition.steps.iter().map(|s| s.line).find(|line| step.is_some() && *line > first);
    let Some(path) = &broken.path else { return first };
    let lines = (1..).zip(definition.source.lines());
    let own = lines.filter(|(line, _)| (first..last.unwrap_or(u32::MAX)).contains(line));
    let mut reads = own.filter(|(_, text)| text.contains(path.as_str())).map(|(line, _)| line);
    // Of two places that read one event the second is in the way.
    let found = if broken.promise == Promise::Once { reads.last() } else { reads.next() };
    found.unwrap_or(first)
}

fn assumed(definition: &Definition) -> Vec<String> {
    let mut told: Vec<String> = definition
        .assume
        .iter()
        .map(|a| format!("{} is never {}", a.command, a.never.text()))
        .collect();
    let kinds = |is_one: fn(&StepKind) -> bool| definition.steps.iter().any(|s| is_one(&s.kind));
    if kinds(|kind| matches!(kind, StepKind::Each(_))) {
        told.push(
            "what holds for fan-outs of 0, 1 and 2 branches side by side holds for all".to_owned(),
        );
    }
    if kinds(|kind| matches!(kind, StepKind::Wait(_))) {
        told.push(format!(
            "at most {EARLY_MAX} facts of one wait come before the first step is done"
        ));
    }
    for step in &definition.steps {
        let name = &step.name;
        let sent = matches!(
            step.kind,
            StepKind::Command(_) | StepKind::Call(_) | StepKind::Emit(_) | StepKind::Saga(_)
        );
        if *step.compensation() == Compensation::Nothing && sent && !step.after_pivot {
            told.push(format!("{name} leaves nothing to undo (`compensate: none`)"));
        }
        if step.pivot && *step.compensation() == Compensation::Unsaid && sent {
            told.push(format!("{name} does not happen after it was said not to have happened"));
        }
        if let StepKind::Choose(choose) = &step.kind
            && choose.total
        {
            told.push(format!("the guards of {name} leave no gap (`total: true`)"));
        }
    }
    told
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { saga, states, moves, deepest, .. } = self;
        writeln!(f, "{saga}: {states} states, {moves} moves, the farthest {deepest} moves away")?;
        if let Some(bound) = &self.bound {
            writeln!(f, "  {} ({})", bound.words(), Code::TooLarge)?;
        }
        for promise in Promise::ALL {
            let broken = self.findings.iter().any(|finding| finding.broken.promise == promise);
            let mark = match (broken, &self.bound) {
                (true, _) => "broken ",
                (false, None) => "proved ",
                (false, Some(_)) => "so far ",
            };
            writeln!(f, "  {mark} {}", promise.text())?;
        }
        for assumed in &self.assumed {
            writeln!(f, "  assumed {assumed}")?;
        }
        for ending in &self.endings {
            writeln!(f, "  can be  {ending}")?;
        }
        for finding in &self.findings {
            let code = finding.broken.promise.code();
            writeln!(f, "\nline {}: {} ({code})", finding.line, finding.broken.words)?;
            for line in &finding.story {
                writeln!(f, "{line}")?;
            }
        }
        Ok(())
    }
}
