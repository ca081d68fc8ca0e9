use crate::definition::{BlockId, Code, Composite, Definition, Diagnostic, Nature, Severity, Step};

/// How far an exploration came that has reached its bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// How many states were looked at.
    pub states: usize,
    /// All runs of up to so many moves were looked at.
    pub moves: u32,
    /// The step whose branches multiply the states; none if no branches stand beside each other.
    pub step: Option<String>,
    /// The line of that step, from 1; else the file's first.
    pub line: u32,
    /// That line.
    pub line_text: String,
}

impl Bound {
    pub(super) fn new(definition: &Definition, states: usize, moves: u32) -> Self {
        let step = widest(definition);
        let line = step.map_or(1, |step| step.line);
        let text = definition.source.lines().nth(line.saturating_sub(1) as usize);
        let line_text = text.unwrap_or_default().to_owned();
        Self { states, moves, step: step.map(|step| step.name.to_string()), line, line_text }
    }

    /// What was looked at, in words.
    #[must_use]
    pub fn words(&self) -> String {
        format!(
            "not all that can happen was looked at: {} states, which are all runs of up to {} \
             moves",
            self.states, self.moves
        )
    }

    fn mend(&self) -> String {
        let more = "look at more by `--states`";
        match &self.step {
            Some(step) => format!(
                "the branches of {step} multiply each other: give each a saga of its own by \
                 `saga:`, which is looked at apart, or {more}"
            ),
            None => format!("give some of the steps a saga of their own by `saga:`, or {more}"),
        }
    }

    /// The same as the mistakes in the shape are told, in the file of this name.
    #[must_use]
    pub fn diagnostic(&self, file: &str) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            message: self.words(),
            help: Some(self.mend()),
            ..Diagnostic::of_line(Code::TooLarge, file, self.line, &self.line_text)
        }
    }
}

/// The outermost step with the most requests and waits in branches beside each other.
fn widest(definition: &Definition) -> Option<&Step> {
    let width = |step: &Step| match step.composite() {
        Some(Composite::Parallel(_) | Composite::Each(_)) => within(definition, step),
        Some(Composite::Choose(_) | Composite::Lock(_)) | None => 0,
    };
    let mut widest = None;
    for step in definition.steps.iter().filter(|step| width(step) > 0) {
        if widest.is_none_or(|other| width(other) < width(step)) {
            widest = Some(step);
        }
    }
    widest
}

/// How many requests and waits a step can have under way; a fan-out is looked at with two branches.
fn within(definition: &Definition, step: &Step) -> usize {
    let sum = |blocks: &[BlockId]| -> usize {
        let inside = blocks.iter().flat_map(|block| &definition.block(*block).steps);
        inside.map(|inner| within(definition, definition.step(*inner))).sum()
    };
    match step.nature() {
        Nature::Instant(_) => 0,
        Nature::Attempted(_) | Nature::Waiting(_) => 1,
        Nature::Composite(Composite::Each(_)) => 2 * sum(&step.blocks()),
        Nature::Composite(Composite::Parallel(_) | Composite::Choose(_) | Composite::Lock(_)) => {
            sum(&step.blocks())
        }
    }
}
