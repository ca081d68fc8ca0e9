//! Where a life stands and what happens next, in the words of whoever runs the shop.

use std::collections::BTreeMap;

use super::times::{from_now, rough, took};
use crate::definition::Definition;
use crate::message::Timestamp;
use crate::status::{LifeState, Moment, Standing, StepStanding, Wait};

/// Where a life stands, and what happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sentence {
    pub now: String,
    /// Empty if nothing does.
    pub next: String,
}

/// What the author of a definition calls its steps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Titles(BTreeMap<String, String>);

impl Titles {
    pub fn of(definition: Option<&Definition>) -> Self {
        let steps = definition.map(|definition| definition.steps.as_slice()).unwrap_or_default();
        let title = |step: &crate::definition::Step| {
            step.title.clone().map(|title| (step.name.to_string(), title))
        };
        Self(steps.iter().filter_map(title).collect())
    }

    /// A step in its author's words, with its coordinate's brackets: `Take the money [2]`.
    pub fn name(&self, step: &str) -> String {
        let (name, branch) = match step.find('[') {
            Some(place) => step.split_at(place),
            None => (step, ""),
        };
        match self.0.get(name) {
            Some(title) if branch.is_empty() => format!("“{title}”"),
            Some(title) => format!("“{title}” {branch}"),
            None => step.to_owned(),
        }
    }
}

/// Where a life stands now, and what happens next.
pub(super) fn sentence(life: &Standing, titles: &Titles, now: Timestamp) -> Sentence {
    match life.state {
        LifeState::Completed => ended(life, "All steps are done", now),
        LifeState::Compensated => {
            let why = why(life, titles);
            ended(life, &format!("It went back{why}; all that may have happened is undone"), now)
        }
        LifeState::Stuck => stuck(life, titles, now),
        LifeState::Paused => paused(life, now),
        LifeState::Compensating => {
            let told = format!("It goes back{}.", why(life, titles));
            match life.steps.iter().find(|step| step.undoing) {
                Some(step) => under_way(step, &told, titles, now),
                None => Sentence { now: told, next: String::new() },
            }
        }
        LifeState::Running
        | LifeState::Retrying
        | LifeState::Waiting
        | LifeState::Early
        | LifeState::Held
        | LifeState::Free => forward(life, titles, now),
    }
}

/// What is told of an end, with how long it took.
fn ended(life: &Standing, told: &str, now: Timestamp) -> Sentence {
    let Some(Moment(at)) = life.ended else {
        return Sentence { now: format!("{told}."), next: String::new() };
    };
    let forgotten = life.forgotten_at.map(|Moment(at)| from_now(at, now));
    Sentence {
        now: format!("{told}, {} after its start.", took(at.since(life.started.0))),
        next: forgotten.map_or_else(String::new, |at| format!("It is forgotten {at}.")),
    }
}

fn why(life: &Standing, titles: &Titles) -> String {
    let Some(failure) = life.failure.as_ref().or(life.pending.as_ref()) else {
        return String::new();
    };
    let reason = failure.reason.trim_end_matches('.');
    match &failure.step {
        Some(step) => format!(" because of {}: {reason}", titles.name(step)),
        None => format!(": {reason}"),
    }
}

fn stuck(life: &Standing, titles: &Titles, now: Timestamp) -> Sentence {
    let Some(first) = life.stuck.first() else {
        let next = "Nothing goes on until a person acts.".to_owned();
        return Sentence { now: "It is stuck.".to_owned(), next };
    };
    let undoing = if first.undoing { "the undoing of " } else { "" };
    let others = match life.stuck.len() - 1 {
        0 => String::new(),
        1 => " One more step is stuck.".to_owned(),
        more => format!(" {more} more steps are stuck."),
    };
    Sentence {
        now: format!(
            "It is stuck at {undoing}{} for {}: {}.{others}",
            titles.name(&first.step),
            rough(now.since(first.since.0)),
            first.reason.trim_end_matches('.'),
        ),
        next: "Nothing goes on until a person acts.".to_owned(),
    }
}

fn paused(life: &Standing, now: Timestamp) -> Sentence {
    let Some(paused) = &life.paused else {
        let told = "Its start waits for the end of a pause of its saga.".to_owned();
        return Sentence { now: told, next: String::new() };
    };
    let kept = match paused.held {
        0 => String::new(),
        1 => " It is told then the one thing that came meanwhile.".to_owned(),
        held => format!(" It is told then the {held} things that came meanwhile."),
    };
    Sentence {
        now: format!(
            "{} has paused it {}: {}.",
            paused.by,
            from_now(paused.since.0, now),
            paused.why.trim_end_matches('.'),
        ),
        next: format!("It goes on when a person resumes it.{kept}"),
    }
}

fn forward(life: &Standing, titles: &Titles, now: Timestamp) -> Sentence {
    let Some(first) = life.steps.first() else {
        return Sentence { now: "It is on its way.".to_owned(), next: String::new() };
    };
    let told = match life.steps.len() {
        1 => String::new(),
        many => format!("{many} steps are under way."),
    };
    under_way(first, &told, titles, now)
}

/// What a step under way waits for, behind what is told already.
fn under_way(step: &StepStanding, told: &str, titles: &Titles, now: Timestamp) -> Sentence {
    let name = titles.name(&step.step);
    let subject = if step.undoing { format!("The undoing of {name}") } else { name };
    let waits = match &step.waits {
        Wait::Reply { from } => {
            format!("{subject} was asked of {from}; there is no answer yet{}", attempts(step))
        }
        Wait::Attempt { of } => format!("{subject} is asked of {of} again soon{}", attempts(step)),
        Wait::Probe { of } => format!("{subject} may have happened; {of} is asked whether it has"),
        Wait::Event { any_of } => format!("{subject} waits for {}", any_of.join(" or ")),
        Wait::Answer { who, choices } => {
            format!("{subject} asks {who}: {}", choices.join(", "))
        }
        Wait::Time => format!("{subject} lets time pass"),
        Wait::Child { saga, key } => format!("{subject} waits for the end of {saga}/{key}"),
        Wait::Lock { behind: Some(behind), .. } => {
            format!("{subject} waits for a lock that {behind} holds")
        }
        Wait::Lock { .. } => format!("{subject} waits for a lock"),
        Wait::Person => format!("{subject} waits for a person"),
        Wait::Unknown => format!("{subject} is under way"),
    };
    let space = if told.is_empty() { "" } else { " " };
    let since = match step.since {
        Some(Moment(at)) if now.since(at).0 >= 1_000 => {
            format!(", for {}", rough(now.since(at)))
        }
        Some(_) | None => String::new(),
    };
    Sentence { now: format!("{told}{space}{waits}{since}."), next: next(step, now) }
}

fn attempts(step: &StepStanding) -> String {
    match (step.attempt, step.attempts_max) {
        (Some(attempt), Some(most)) => format!(" (attempt {attempt} of {most})"),
        (Some(attempt), None) if attempt > 1 => format!(" (attempt {attempt})"),
        (Some(_) | None, _) => String::new(),
    }
}

/// What a step does next by itself.
fn next(step: &StepStanding, now: Timestamp) -> String {
    let Some(Moment(at)) = step.due.or(step.until) else {
        return String::new();
    };
    if at <= now {
        return "What comes next is due now.".to_owned();
    }
    let when = from_now(at, now);
    match &step.waits {
        Wait::Attempt { .. } => format!("It is asked again {when}."),
        Wait::Time => format!("It goes on {when}."),
        Wait::Reply { .. } | Wait::Probe { .. } => {
            format!("Without an answer it is asked again, or given up, {when}.")
        }
        Wait::Event { .. }
        | Wait::Answer { .. }
        | Wait::Child { .. }
        | Wait::Lock { .. }
        | Wait::Person
        | Wait::Unknown => format!("Its time is up, or a reminder is sent, {when}."),
    }
}
