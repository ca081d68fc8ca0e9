//! What stands around every page: where one can go, who looks, how fresh it is.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};

use super::times::rough;
use crate::api::{Problem, Service, Who};
use crate::message::{SagaName, Span};
use crate::status::LifeState;
use crate::view::{Count, Freshness};

/// The parts of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Overview,
    Attention,
    Instances,
    Questions,
    Owed,
    Sagas,
    Acts,
    DeadLetters,
    Flow,
    /// A page that stands in no part, such as that of a problem.
    None,
}

/// A part of the console as it stands in the list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub section: Section,
    pub path: &'static str,
    pub name: &'static str,
    /// The key that leads there, behind `g`.
    pub key: &'static str,
}

/// The parts, in the order of the list.
pub(super) const PARTS: [Part; 9] = [
    Part { section: Section::Overview, path: "/", name: "Overview", key: "o" },
    Part { section: Section::Attention, path: "/attention", name: "Attention", key: "a" },
    Part { section: Section::Instances, path: "/instances", name: "Instances", key: "i" },
    Part { section: Section::Questions, path: "/questions", name: "Questions", key: "q" },
    Part { section: Section::Owed, path: "/owed", name: "Owed", key: "w" },
    Part { section: Section::Sagas, path: "/sagas", name: "Sagas", key: "s" },
    Part { section: Section::DeadLetters, path: "/dead-letters", name: "Dead letters", key: "d" },
    Part { section: Section::Acts, path: "/acts", name: "Acts on many", key: "c" },
    Part { section: Section::Flow, path: "/flow", name: "Flow", key: "f" },
];

/// What stands around a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub title: String,
    pub section: Section,
    /// Who looks; empty if nobody has to say it.
    pub who: String,
    /// What they may do.
    pub role: String,
    /// Whether there is a session to end.
    pub can_log_out: bool,
    pub fresh: Fresh,
    /// How many instances are stuck.
    pub stuck: u64,
}

/// How fresh what is shown is, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fresh {
    /// `is-well`, `is-behind` or `is-wrong`.
    pub class: &'static str,
    pub words: String,
}

impl Fresh {
    pub fn new(freshness: &Freshness) -> Self {
        let told = |class, words: String| Self { class, words };
        if let Some(trouble) = &freshness.trouble {
            return told("is-wrong", format!("does not get on: {trouble}"));
        }
        let records = freshness.behind_records;
        match freshness.behind_ms {
            None => told("is-wrong", "Kafka was not heard of yet".to_owned()),
            Some(_) if !freshness.is_whole => {
                told("is-behind", format!("not whole yet: {} records to read", grouped(records)))
            }
            Some(millis) if millis >= 5_000 => {
                let words = format!("{} behind, {} records", rough(Span(millis)), grouped(records));
                told("is-behind", words)
            }
            Some(_) => told("is-well", "up to date".to_owned()),
        }
    }
}

impl Frame {
    /// What stands around a page with that title.
    pub async fn of(
        service: &Service,
        who: &Who,
        section: Section,
        title: impl Into<String>,
    ) -> Result<Self, Problem> {
        let counts = service.look(|view| view.counts(None)).await?;
        let is_stuck = |count: &&Count| count.state == LifeState::Stuck;
        Ok(Self {
            title: title.into(),
            section,
            who: who.name.clone(),
            role: who.role.to_string(),
            can_log_out: who.has_token,
            fresh: Fresh::new(&counts.freshness),
            stuck: counts.found.iter().filter(is_stuck).map(|count| count.instances).sum(),
        })
    }

    /// What stands around a page that is shown to whoever asks.
    pub fn of_nobody(title: String) -> Self {
        Self {
            title,
            section: Section::None,
            who: String::new(),
            role: String::new(),
            can_log_out: false,
            fresh: Fresh { class: "is-well", words: String::new() },
            stuck: 0,
        }
    }

    #[allow(clippy::unused_self)] // A template asks the frame.
    pub fn parts(&self) -> &'static [Part] {
        &PARTS
    }
}

/// A page as an answer.
pub(super) fn page(template: &impl Template) -> Result<Response, Problem> {
    let text = template.render().map_err(|e| Problem::defect(format!("a page fails: {e}")))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Html(text)).into_response())
}

/// Leads to another page.
pub(super) fn lead(to: &str) -> Response {
    let place = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The sagas that a page lets people choose from.
pub(super) fn saga_names(counts: &[Count]) -> Vec<String> {
    let names = counts.iter().map(|count| count.saga.clone());
    let lock = SagaName::lock();
    let mut names: Vec<String> = names.filter(|name| *name != lock.as_str()).collect();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, words) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), words);
        }
    }

    #[test]
    fn what_is_behind_says_so() {
        let fresh = Freshness {
            unread_records: 0,
            behind_records: 0,
            behind_ms: Some(120),
            heard: None,
            is_whole: true,
            trouble: None,
        };
        let told = |freshness: &Freshness| {
            let Fresh { class, words } = Fresh::new(freshness);
            format!("{class} {words}")
        };
        assert_eq!(told(&fresh), "is-well up to date");
        let late = Freshness { behind_ms: Some(9_000), behind_records: 1_200, ..fresh.clone() };
        assert_eq!(told(&late), "is-behind 9 s behind, 1,200 records");
        let partial = Freshness { is_whole: false, behind_records: 7, ..fresh.clone() };
        assert_eq!(told(&partial), "is-behind not whole yet: 7 records to read");
        let unheard = Freshness { behind_ms: None, ..fresh.clone() };
        assert_eq!(told(&unheard), "is-wrong Kafka was not heard of yet");
        let broken = Freshness { trouble: Some("no disk".to_owned()), ..fresh };
        assert_eq!(told(&broken), "is-wrong does not get on: no disk");
    }
}
