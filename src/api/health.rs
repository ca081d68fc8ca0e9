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

/// Why a process is ready.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ready {
    /// The shards of the engine in this process, all of them restored; none if it has no engine.
    shards: Option<Vec<u32>>,
    /// How fresh its lists are.
    view: Freshness,
}

/// Answers well when the shards that the group gave to the engine in this process are restored. A
/// process without an engine is ready once its view has read everything that stood on the topics
/// when it began: before, lists are not whole.
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    responses(
        (status = 200, body = Ready, description = "It is ready"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn ready(State(service): State<Service>) -> Result<Json<Ready>, Problem> {
    let unready =
        |detail: String| Problem::new(Code::Unavailable, detail, "ask again in a second").after(1);
    let freshness = service.look(|view| Ok(view.freshness())).await?;
    if let Some(health) = &service.health {
        let shards = health.restored().map_err(unready)?;
        let shards = Some(shards.into_iter().map(|shard| shard.0).collect());
        return Ok(Json(Ready { shards, view: freshness }));
    }
    if freshness.is_whole {
        return Ok(Json(Ready { shards: None, view: freshness }));
    }
    let why = freshness.trouble.unwrap_or_else(|| "the topics are being read".to_owned());
    let detail = format!("{why}; {} records are left", freshness.behind_records);
    Err(unready(detail))
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
