use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::drawing;
use super::frame::{Frame, Section, page};
use super::overview::{SagaLine, line};
use super::query::Query;
use crate::api::{self, At, Code, Problem, Service, Who};
use crate::view::View;

/// One saga.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "saga.html")]
pub(super) struct SagaPage {
    pub frame: Frame,
    pub told: SagaTold,
}

/// What is told of a saga, without what stands around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SagaTold {
    pub saga: SagaLine,
    /// The version that is shown.
    pub version: u32,
    pub versions: Vec<VersionLink>,
    /// The drawing, as SVG.
    pub drawing: String,
    /// The text of the definition, line by line.
    pub source: Vec<String>,
}

/// A version that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VersionLink {
    pub version: u32,
    pub link: String,
    pub is_shown: bool,
}

/// Answers the page of a saga.
pub(super) async fn show(
    State(service): State<Service>,
    At(name): At<String>,
    query: Query,
    who: Who,
) -> Result<Response, Problem> {
    let name = api::saga_name(&name)?;
    let sagas = service.look(View::sagas).await?.found;
    let catalog = service.look(|view| Ok(view.catalog())).await?;
    let unknown = |what: &str| {
        Problem::new(Code::NotFound, format!("there is no {what}"), "look for it in the list")
    };
    let row = sagas.iter().find(|row| row.saga == name.as_str());
    let row = row.ok_or_else(|| unknown(name.as_str()))?;
    let version = query.get("version").map(str::parse::<u32>).transpose();
    let version = version.map_err(|_| Problem::wrong("`version` is no number"))?;
    let version = version.unwrap_or(row.version);
    let definition = drawing::definition(&catalog, name.as_str(), Some(version));
    let definition = definition.ok_or_else(|| unknown(&format!("{name} version {version}")))?;
    let saga = line(row);
    let link = |version: &u32| VersionLink {
        version: *version,
        link: Query::default().with("version", &version.to_string()).link(&saga.link),
        is_shown: *version == definition.version.0,
    };
    let told = SagaTold {
        version,
        versions: row.versions.iter().rev().map(link).collect(),
        drawing: drawing::of_saga(&catalog, definition),
        source: definition.source.lines().map(str::to_owned).collect(),
        saga,
    };
    let frame = Frame::of(&service, &who, Section::Sagas, name.to_string()).await?;
    page(&SagaPage { frame, told })
}
