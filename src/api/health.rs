use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::owners::Who;
use super::problem::{Code, Problem};
use super::service::Service;
use crate::view::Freshness;

/// Answers as long as the process can, whatever Kafka does.
#[utoipa::path(
    get, path = "/livez", tag = "health",
    responses((status = 200, body = String, description = "It is alive")),
)]
pub(super) async fn live() -> &'static str {
    "alive\n"
}

/// Answers well once the view has read everything that stood on the topics when it began: before,
/// lists are not whole.
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    responses(
        (status = 200, body = Freshness, description = "Lists are whole"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn ready(State(service): State<Service>) -> Result<Json<Freshness>, Problem> {
    let freshness = service.look(|view| Ok(view.freshness())).await?;
    if freshness.is_whole {
        return Ok(Json(freshness));
    }
    let why = freshness.trouble.unwrap_or_else(|| "the topics are being read".to_owned());
    let detail = format!("{why}; {} records are left", freshness.behind_records);
    Err(Problem::new(Code::Unavailable, detail, "ask again in a second"))
}

/// This description of the API.
#[utoipa::path(
    get, path = "/openapi.json", tag = "health",
    responses((status = 200, body = Object, description = "OpenAPI 3.1")),
)]
pub(super) async fn document(Extension(document): Extension<Arc<Value>>) -> Json<Value> {
    Json(Value::clone(&document))
}

/// Whoever asks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Caller {
    /// The name that their acts carry.
    name: String,
    /// What they may do: `viewer`, `operator` or `admin`.
    role: String,
}

/// Says who asks and what they may do.
#[utoipa::path(
    get, path = "/api/v1/whoami", tag = "health",
    responses(
        (status = 200, body = Caller),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn whoami(who: Who) -> Json<Caller> {
    Json(Caller { name: who.name, role: who.role.to_string() })
}
