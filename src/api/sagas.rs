use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::problem::{Code, Problem};
use super::request::{Asked, At, saga_name};
use super::service::{Answer, Service};
use crate::definition::{Catalog, Definition};
use crate::graph::{self, Format, Options, Orientation};
use crate::message::{SagaName, Version};
use crate::view::{SagaRow, View};

/// The sagas that run or have run, with their counts and durations.
#[utoipa::path(
    get, path = "/api/v1/sagas", tag = "sagas",
    responses(
        (status = 200, body = Answer<Vec<SagaRow>>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(service): State<Service>,
) -> Result<Json<Answer<Vec<SagaRow>>>, Problem> {
    Ok(Json(service.look(View::sagas).await?.into()))
}

/// Which text of a saga.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Reading {
    /// The version; without it, the one that new instances run on.
    version: Option<u32>,
}

/// The text of a definition, as it was published.
#[utoipa::path(
    get, path = "/api/v1/sagas/{saga}/definition", tag = "sagas",
    params(("saga" = String, Path, description = "The saga"), Reading),
    responses(
        (status = 200, body = String, content_type = "application/yaml"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn definition(
    State(service): State<Service>,
    At(saga): At<String>,
    Asked(reading): Asked<Reading>,
) -> Result<Response, Problem> {
    let catalog = service.look(|view| Ok(view.catalog())).await?;
    let definition = find(&catalog, &saga_name(&saga)?, reading.version)?;
    let kind = [(header::CONTENT_TYPE, "application/yaml")];
    Ok((kind, definition.source.to_string()).into_response())
}

/// How a saga is drawn.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Drawing {
    /// The version; without it, the one that new instances run on.
    version: Option<u32>,
    /// `svg` (the default), `mermaid`, `dot` or `text`.
    format: Option<String>,
    /// Whether each participant has a lane of its own.
    #[serde(default)]
    lanes: bool,
}

/// The picture of a saga: the way forward, the way back, the pivot.
#[utoipa::path(
    get, path = "/api/v1/sagas/{saga}/drawing", tag = "sagas",
    params(("saga" = String, Path, description = "The saga"), Drawing),
    responses(
        (status = 200, body = String, content_type = "image/svg+xml"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn drawing(
    State(service): State<Service>,
    At(saga): At<String>,
    Asked(drawing): Asked<Drawing>,
) -> Result<Response, Problem> {
    let (format, kind) = format(drawing.format.as_deref())?;
    let catalog = service.look(|view| Ok(view.catalog())).await?;
    let definition = find(&catalog, &saga_name(&saga)?, drawing.version)?;
    let known: Vec<&Definition> = catalog.sagas().map(Arc::as_ref).collect();
    let options = Options { format, lanes: drawing.lanes, direction: Orientation::Down };
    let picture = graph::draw(definition, &known, &options);
    Ok(picture_answer(picture, kind))
}

/// A picture as it is answered. What an author wrote stands in it; nothing of it may run in a
/// browser.
pub(super) fn picture_answer(picture: String, kind: &'static str) -> Response {
    let inert = "default-src 'none'; style-src 'unsafe-inline'";
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, inert)];
    (headers, picture).into_response()
}

/// In what to draw, and what kind of answer that is.
pub(super) fn format(word: Option<&str>) -> Result<(Format, &'static str), Problem> {
    match word {
        None | Some("svg") => Ok((Format::Svg, "image/svg+xml")),
        Some("mermaid") => Ok((Format::Mermaid, "text/plain; charset=utf-8")),
        Some("dot") => Ok((Format::Dot, "text/plain; charset=utf-8")),
        Some("text") => Ok((Format::Text, "text/plain; charset=utf-8")),
        Some(word) => {
            Err(Problem::wrong(format!("`format`: `{word}` is not svg, mermaid, dot or text")))
        }
    }
}

/// The definition of a saga; without a version, the one that new instances run on.
pub(super) fn find<'c>(
    catalog: &'c Catalog,
    saga: &SagaName,
    version: Option<u32>,
) -> Result<&'c Definition, Problem> {
    let found = match version {
        Some(version) => catalog.version(saga, Version(version)),
        None => catalog.newest(saga),
    };
    found.map(Arc::as_ref).ok_or_else(|| {
        let version = version.map_or_else(String::new, |version| format!(" version {version}"));
        let near = catalog.definitions().map(|known| known.saga.to_string()).collect();
        let detail = format!("there is no {saga}{version}");
        Problem::new(Code::NotFound, detail, "ask for one of those under `near`").near(near)
    })
}
