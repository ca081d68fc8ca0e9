use std::ops::RangeInclusive;

use serde_json::Value;

use super::picture::Detail;
use crate::definition::{
    AskStep, Budget, CallRequest, CallStep, CommandStep, Compensation, Done, Failed, Late, Request,
    Retry, SagaStep, Sleep, Then, Unknown, WaitStep,
};
use crate::expression::{Expression, Piece, Template};
use crate::message::{Address, Span, Topic};

/// How the particulars of steps are worded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    /// Whether messages are named with their topic.
    pub topics: bool,
}

impl Words {
    /// A message's name.
    pub fn address(self, address: &Address) -> String {
        if self.topics { address.to_string() } else { address.event_type.to_string() }
    }

    /// A message's name, and which of them.
    pub fn which(self, address: &Address, condition: Option<&Expression>) -> String {
        match condition {
            Some(condition) => format!("{} if {condition}", self.address(address)),
            None => self.address(address),
        }
    }

    /// What a command does, and what its answers mean.
    pub fn command(self, step: &CommandStep) -> Vec<Detail> {
        let mut details = vec![detail("sends", self.address(&step.request.command))];
        details.extend(self.done("done", &step.request.done));
        details.extend(self.failed(&step.failed));
        let then = match (step.unknown, &step.probe) {
            (Unknown::Probe, Some(probe)) => {
                format!("ask {}", self.address(&probe.request.command))
            }
            (unknown, _) => outcome(unknown).to_owned(),
        };
        details.push(detail("time", patience(step.request.within, &step.request.retry, &then)));
        details.extend(undone(&step.compensate));
        details
    }

    /// What is waited for.
    pub fn wait(self, step: &WaitStep) -> Vec<Detail> {
        let mut details = self.done("for", &step.on);
        details.extend(self.failed(&step.failed));
        details.extend(step.within.map(|within| late(within, &step.late)));
        details.extend(step.remind.as_ref().map(|r| self.remind(r.after, r.every, &r.fact.to)));
        details
    }

    /// What is asked.
    pub fn ask(self, step: &AskStep) -> Vec<Detail> {
        let mut details = vec![detail("asks", shown(&step.question))];
        for choice in &step.choices {
            match &choice.failed {
                None => details.push(detail("yes", choice.name.clone())),
                Some(no) => {
                    details.push(detail("no", format!("{}: {}", choice.name, verdict(no.then))));
                }
            }
        }
        details.extend(step.within.map(|within| late(within, &step.late)));
        details.extend(step.remind.as_ref().map(|r| self.remind(r.after, r.every, &r.fact.to)));
        details
    }

    /// What a request that undoes a step does.
    pub fn undo(self, request: &Request) -> Vec<Detail> {
        // Its heading says what is sent, but not where to.
        let mut details = Vec::new();
        if self.topics {
            details.push(detail("sends", self.address(&request.command)));
        }
        details.extend(self.done("done", &request.done));
        details.push(detail("time", patience(request.within, &request.retry, "stuck")));
        details
    }

    fn done(self, word: &'static str, done: &[Done]) -> Vec<Detail> {
        let which = |d: &Done| detail(word, self.which(&d.on, d.condition.as_ref()));
        done.iter().map(which).collect()
    }

    fn failed(self, failed: &[Failed]) -> Vec<Detail> {
        let which = |f: &Failed| {
            let event = self.which(&f.on, f.condition.as_ref());
            detail("no", format!("{event}: {}", verdict(f.then)))
        };
        failed.iter().map(which).collect()
    }

    fn remind(self, after: Span, every: Option<Span>, fact: &Address) -> Detail {
        let again = every.map(|every| format!(", every {every}")).unwrap_or_default();
        detail("reminds", format!("{} after {after}{again}", self.address(fact)))
    }
}

/// What a call does, and what its answers mean.
pub(super) fn calling(step: &CallStep) -> Vec<Detail> {
    let request = &step.request;
    let mut details = vec![detail("calls", call(request))];
    let done = request.done.iter().map(|d| statuses(&d.status, d.condition.as_ref()));
    details.push(detail("done", done.collect::<Vec<_>>().join(" or ")));
    for no in &step.failed {
        let status = statuses(&no.status, no.condition.as_ref());
        details.push(detail("no", format!("{status}: {}", verdict(no.then))));
    }
    let then = outcome(step.unknown);
    details.push(detail("time", patience(request.within, &request.retry, then)));
    details.extend(undone(&step.compensate));
    details
}

/// How a child is started, and what its end means.
pub(super) fn child(step: &SagaStep) -> Vec<Detail> {
    let mut details = vec![detail("starts", step.saga.to_string())];
    details.extend(step.key.as_ref().map(|key| detail("key", key.to_string())));
    details.push(detail("no", format!("if it goes back: {}", verdict(step.failed.then))));
    details.extend(step.within.map(|w| detail("time", format!("{w} at most"))));
    details.extend(undone(&step.compensate));
    details
}

/// What a call that undoes a step does.
pub(super) fn undoing_call(request: &CallRequest) -> Vec<Detail> {
    vec![
        detail("calls", call(request)),
        detail("time", patience(request.within, &request.retry, "stuck")),
    ]
}

/// A particular.
pub(super) fn detail(word: &'static str, text: String) -> Detail {
    Detail { word, text }
}

/// What a business "no" means for the saga.
pub(super) fn verdict(then: Then) -> &'static str {
    match then {
        Then::GoBack => "go back",
        Then::GoOn => "go on",
        Then::Park => "stuck",
    }
}

/// How long a sleep lasts.
pub(super) fn sleep(sleep: &Sleep) -> Detail {
    match sleep {
        Sleep::For(span) => detail("for", span.to_string()),
        Sleep::Until(moment) => detail("until", moment.to_string()),
    }
}

/// A service's short name: what stands before the first dot of its topic.
pub(super) fn participant(topic: &Topic) -> String {
    let name = topic.as_str();
    name.split('.').next().filter(|first| !first.is_empty()).unwrap_or(name).to_owned()
}

/// A template as its author wrote it.
pub(super) fn shown(template: &Template) -> String {
    match template {
        Template::Literal(Value::String(text)) => text.clone(),
        Template::Literal(value) => value.to_string(),
        Template::Whole(expression) => format!("${{{expression}}}"),
        Template::Text(pieces) => pieces.iter().map(piece).collect(),
        Template::List(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Template::Object(fields) => {
            let field = |(name, value): &(String, Template)| format!("{name}: {}", shown(value));
            fields.iter().map(field).collect::<Vec<_>>().join(", ")
        }
    }
}

fn piece(piece: &Piece) -> String {
    match piece {
        Piece::Literal(text) => text.clone(),
        Piece::Hole(expression) => format!("${{{expression}}}"),
    }
}

fn call(request: &CallRequest) -> String {
    format!("{} {}{}", request.method.text(), request.authority, shown(&request.path))
}

fn statuses(ranges: &[RangeInclusive<u16>], condition: Option<&Expression>) -> String {
    let text = ranges.iter().map(status).collect::<Vec<_>>().join(", ");
    match condition {
        Some(condition) => format!("{text} if {condition}"),
        None => text,
    }
}

fn status(range: &RangeInclusive<u16>) -> String {
    let (first, last) = (*range.start(), *range.end());
    if first == last {
        first.to_string()
    } else if first % 100 == 0 && last == first + 99 {
        format!("{}xx", first / 100)
    } else {
        format!("{first} to {last}")
    }
}

fn outcome(unknown: Unknown) -> &'static str {
    match unknown {
        Unknown::Compensate => "go back",
        Unknown::Probe => "ask",
        Unknown::Retry => "24h more, then stuck",
        Unknown::Park => "stuck",
    }
}

fn patience(within: Span, retry: &Retry, then: &str) -> String {
    match retry.budget {
        Budget::Attempts(attempts) => format!("{attempts} × {within}, then {then}"),
        Budget::For(span) => format!("{within} each for {span}, then {then}"),
    }
}

fn late(within: Span, late: &Late) -> Detail {
    let then = match late {
        Late::Fail(no) => verdict(no.then),
        Late::GoOn => "go on",
    };
    detail("time", format!("{within}, then {then}"))
}

/// Says so if there is nothing to undo.
pub(super) fn undone(compensation: &Compensation) -> Option<Detail> {
    (*compensation == Compensation::Nothing).then(|| detail("undo", "nothing to undo".to_owned()))
}
