use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::instances::{ROWS_MAX, limit, masks};
use super::owners::Who;
use super::problem::{Code, Problem};
use super::request::{Asked, At};
use super::service::{Answer, Service};
use crate::view::{DeadLetterDetail, DeadLetterPage};

const ROWS_DEFAULT: usize = 50;

/// Which dead letters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Leafing {
    /// What the page before says is next.
    after: Option<String>,
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
    let page = service.look(move |view| view.dead_letters(leafing.after.as_deref(), limit));
    Ok(Json(page.await?.into()))
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
        None => Err(Problem::new(
            Code::NotFound,
            format!("there is no dead letter at {partition}/{offset}"),
            "look for it in the list; they are kept for `topics.dead-letter-retention`",
        )),
    }
}
