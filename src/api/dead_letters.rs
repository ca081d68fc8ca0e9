use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::instances::{ROWS_MAX, limit, masks};
use super::owners::Who;
use super::problem::{Code, Problem};
use super::request::{Asked, At};
use super::service::{Answer, Service};
use crate::message::{Disposed, Timestamp, Topic};
use crate::view::{DeadLetterDetail, DeadLetterPage, LetterFilter, LetterState};

const ROWS_DEFAULT: usize = 50;

/// Which dead letters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Leafing {
    /// `open` (the default), `replayed`, `discarded` or `any`: what was done with them last.
    state: Option<String>,
    /// The topic that they were read from.
    topic: Option<String>,
    /// The type of their event.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    event_type: Option<String>,
    /// Words that stand in their reason.
    reason: Option<String>,
    /// They were put aside before that moment (RFC 3339).
    before: Option<String>,
    /// What the page before says is next.
    pub(crate) after: Option<String>,
    /// How many, 50 by default, 500 at most.
    limit: Option<usize>,
}

/// Lists the records that were put aside, the newest first.
#[utoipa::path(
    get, path = "/api/v1/dead-letters", tag = "dead-letters", params(Leafing),
    responses(
        (status = 200, body = Answer<DeadLetterPage>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(service): State<Service>,
    Asked(leafing): Asked<Leafing>,
) -> Result<Json<Answer<DeadLetterPage>>, Problem> {
    let limit = limit(leafing.limit, ROWS_DEFAULT, ROWS_MAX)?;
    let (filter, after) = (leafing.filter()?, leafing.after);
    let page = service.look(move |view| view.dead_letters(filter, after.as_deref(), limit));
    Ok(Json(page.await?.into()))
}

impl Leafing {
    pub fn filter(&self) -> Result<LetterFilter, Problem> {
        let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let topic = some(&self.topic).map(|topic| Topic::new(&topic)).transpose();
        let moment = |text: &String| {
            let wrong = || Problem::wrong(format!("`before`: `{text}` is no RFC 3339 moment"));
            Timestamp::parse(text).ok_or_else(wrong)
        };
        Ok(LetterFilter {
            state: state(self.state.as_deref())?,
            topic: topic.map_err(|e| Problem::wrong(format!("`topic`: {e}")))?,
            event_type: some(&self.event_type),
            reason: some(&self.reason),
            before: self.before.as_ref().map(moment).transpose()?,
        })
    }

    /// All open letters that it would list, page for page; it must name a condition.
    ///
    /// # Errors
    /// When it names none, or a page.
    pub fn whole(&self) -> Result<LetterFilter, Problem> {
        let pages = [("after", self.after.is_some()), ("limit", self.limit.is_some())];
        if let Some((name, _)) = pages.iter().find(|(_, is_set)| *is_set) {
            return Err(Problem::wrong(format!("`{name}` has no meaning for all dead letters")));
        }
        let filter = self.filter()?;
        if filter.state != LetterState::Open {
            return Err(Problem::wrong("only open dead letters are replayed or discarded at once"));
        }
        if filter == LetterFilter::default() {
            let detail = "say which dead letters: `topic`, `type`, `reason` or `before`";
            return Err(Problem::wrong(detail));
        }
        Ok(filter)
    }
}

fn state(word: Option<&str>) -> Result<LetterState, Problem> {
    let word = word.unwrap_or("open");
    if let Some(how) = Disposed::named(word) {
        return Ok(LetterState::Disposed(how));
    }
    match word {
        "open" => Ok(LetterState::Open),
        "any" => Ok(LetterState::Any),
        _ => {
            let detail = format!("`state`: `{word}` is not open, replayed, discarded or any");
            Err(Problem::wrong(detail))
        }
    }
}

/// How a dead letter is shown.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Opening {
    /// `on` (the default) masks what a definition calls sensitive; `off` is for admins.
    masks: Option<String>,
}

/// One record that was put aside, with its headers and its body.
#[utoipa::path(
    get, path = "/api/v1/dead-letters/{partition}/{offset}", tag = "dead-letters",
    params(
        ("partition" = i32, Path, description = "The partition of `<app>.dead-letters`"),
        ("offset" = i64, Path, description = "The offset there"),
        Opening,
    ),
    responses(
        (status = 200, body = Answer<DeadLetterDetail>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(service): State<Service>,
    At((partition, offset)): At<(i32, i64)>,
    Asked(opening): Asked<Opening>,
    who: Who,
) -> Result<Json<Answer<DeadLetterDetail>>, Problem> {
    let masks = masks(opening.masks.as_deref(), &who)?;
    let read = service.look(move |view| view.dead_letter_as(partition, offset, masks)).await?;
    match read.found {
        Some(found) => Ok(Json(Answer { found, freshness: read.freshness })),
        None => Err(unknown((partition, offset))),
    }
}

/// Why there is no such dead letter.
pub(super) fn unknown((partition, offset): (i32, i64)) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("there is no dead letter at {partition}/{offset}"),
        "look for it in the list; they are kept for `topics.dead-letter-retention`",
    )
}
