use std::fmt;

use super::explore::Explored;
use super::model::Ending;
use super::promises::{Broken, Promise};
use super::story;
use super::world::World;
use crate::definition::{Compensation, Definition, StepKind};
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
    /// How many states were looked at before the bound was reached, if it was.
    pub bound: Option<usize>,
}

/// Something that goes wrong, and the shortest way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The broken promise.
    pub broken: Broken,
    /// The line of the file that it is about, from 1.
    pub line: u32,
    /// The run, a line for each thing that happens.
    pub story: Vec<String>,
}

impl Report {
    pub(super) fn new(definition: &Definition, world: &World, explored: &Explored) -> Self {
        let finding = |(broken, at, last): &(Broken, usize, Option<_>)| {
            let mut run = explored.run(*at);
            run.extend(last.clone());
            let line = line_of(definition, &broken.step);
            Finding { broken: broken.clone(), line, story: story::tell(world, &run) }
        };
        Self {
            saga: definition.saga.clone(),
            states: explored.states(),
            moves: explored.moves,
            deepest: explored.deepest(),
            endings: explored.endings.keys().cloned().collect(),
            findings: explored.broken.iter().map(finding).collect(),
            assumed: assumed(definition),
            bound: explored.is_bounded.then_some(explored.states()),
        }
    }

    /// Whether every promise is kept on every run.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.findings.is_empty() && self.bound.is_none()
    }
}

/// The line of a step, or of the file's beginning.
fn line_of(definition: &Definition, step: &str) -> u32 {
    let name = step.split('[').next().unwrap_or_default();
    let found = definition.steps.iter().find(|s| s.name.as_str() == name);
    found.map_or(1, |step| step.line)
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
            "what holds for fan-out branches one after the other, of 0, 1 and 2, holds for all"
                .to_owned(),
        );
    }
    if kinds(|kind| matches!(kind, StepKind::Wait(_))) {
        told.push("at most one fact comes before the first step is done".to_owned());
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
        if let Some(bound) = self.bound {
            writeln!(f, "  not all was looked at: the bound of {bound} states was reached")?;
        }
        for promise in Promise::ALL {
            let broken = self.findings.iter().any(|finding| finding.broken.promise == promise);
            let mark = match (broken, self.bound) {
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
            writeln!(f, "\nline {}: {}", finding.line, finding.broken.words)?;
            for line in &finding.story {
                writeln!(f, "{line}")?;
            }
        }
        Ok(())
    }
}
