use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::instances::{ROWS_MAX, limit};
use super::problem::Problem;
use super::request::Asked;
use super::service::{Answer, Service};
use crate::view::{AttentionGroup, OpenQuestions, OwedRows, View};

const ROWS_DEFAULT: usize = 100;

/// What needs attention, grouped by why, saga, step and error; the largest groups first.
#[utoipa::path(
    get, path = "/api/v1/attention", tag = "attention",
    responses(
        (status = 200, body = Answer<Vec<AttentionGroup>>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn attention(
    State(service): State<Service>,
) -> Result<Json<Answer<Vec<AttentionGroup>>>, Problem> {
    Ok(Json(service.look(View::attention).await?.into()))
}

/// What is owed by whom.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Owing {
    /// Who owes it; without it, everybody.
    to: Option<String>,
    /// What the page before says is next.
    after: Option<String>,
    /// How many, 100 by default, 500 at most.
    limit: Option<usize>,
}

/// The compensations that are not answered yet, a page at a time, the oldest first.
#[utoipa::path(
    get, path = "/api/v1/owed", tag = "attention", params(Owing),
    responses(
        (status = 200, body = Answer<OwedRows>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn owed(
    State(service): State<Service>,
    Asked(owing): Asked<Owing>,
) -> Result<Json<Answer<OwedRows>>, Problem> {
    let limit = limit(owing.limit, ROWS_DEFAULT, ROWS_MAX)?;
    let Owing { to, after, .. } = owing;
    let owed = service.look(move |view| view.owed(to.as_deref(), after.as_deref(), limit));
    Ok(Json(owed.await?.into()))
}

/// Which questions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Questioning {
    /// The role that is asked; without it, every role.
    who: Option<String>,
    /// What the page before says is next.
    after: Option<String>,
    /// How many, 100 by default, 500 at most.
    limit: Option<usize>,
}

/// The questions that nobody has answered, a page at a time, the oldest first.
#[utoipa::path(
    get, path = "/api/v1/questions", tag = "attention", params(Questioning),
    responses(
        (status = 200, body = Answer<OpenQuestions>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn questions(
    State(service): State<Service>,
    Asked(asked): Asked<Questioning>,
) -> Result<Json<Answer<OpenQuestions>>, Problem> {
    let limit = limit(asked.limit, ROWS_DEFAULT, ROWS_MAX)?;
    let Questioning { who, after, .. } = asked;
    let open = service.look(move |view| view.questions(who.as_deref(), after.as_deref(), limit));
    Ok(Json(open.await?.into()))
}
