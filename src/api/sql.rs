use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::owners::Who;
use super::problem::{Code, Problem};
use super::request::Body;
use super::service::{Answer, Service};
use crate::view::SqlRows;

/// Questions in SQL at once; each may keep a thread and a disk busy for seconds.
const AT_ONCE_MAX: usize = 2;

/// Room for questions in SQL.
#[derive(Clone)]
pub(super) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE_MAX)))
    }
}

/// A question in SQL.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// One `SELECT`, in the words of `SQLite`.
    sql: String,
}

/// Answers a question in SQL over the view: `SELECT * FROM tables` lists the tables that may be
/// read and their columns. It takes five seconds, 10,000 rows and 8 MiB at most; what is behind
/// that is cut off, and the answer says so.
#[utoipa::path(
    post, path = "/api/v1/sql", tag = "instances", request_body = Question,
    responses(
        (status = 200, body = Answer<SqlRows>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn ask(
    State(service): State<Service>,
    Extension(Room(room)): Extension<Room>,
    who: Who,
    Body(body): Body,
) -> Result<Json<Answer<SqlRows>>, Problem> {
    let question: Result<Question, _> = serde_json::from_value(body);
    let question = question.map_err(|e| Problem::wrong(format!("this is no question: {e}")))?;
    let Ok(_place) = room.try_acquire() else {
        let detail = format!("{AT_ONCE_MAX} questions in SQL are being answered");
        return Err(Problem::new(Code::TooMany, detail, "ask again in some seconds").after(1));
    };
    tracing::info!(by = who.name, sql = question.sql, "api.sql_asked");
    let asked = service.look(move |view| view.sql(&question.sql)).await?;
    let found = asked.found.map_err(Problem::wrong)?;
    Ok(Json(Answer { found, freshness: asked.freshness }))
}
