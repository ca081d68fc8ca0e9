use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::diff::{DiffRow, side_by_side};
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
    /// The version that it is compared with.
    pub against: Option<u32>,
    /// Both texts side by side, if it is compared.
    pub diff: Vec<DiffRow>,
}

/// A version that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VersionLink {
    pub version: u32,
    pub link: String,
    /// The version that is shown beside this one.
    pub diff_link: String,
    pub is_shown: bool,
    /// Whether it is the one that the shown one is compared with.
    pub is_beside: bool,
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
    let number = |word: &str| {
        let number = query.get(word).map(str::parse::<u32>).transpose();
        number.map_err(|_| Problem::wrong(format!("`{word}` is no number")))
    };
    let version = number("version")?.unwrap_or(row.version);
    let against = number("against")?;
    let find = |version: u32| {
        let found = drawing::definition(&catalog, name.as_str(), Some(version));
        found.ok_or_else(|| unknown(&format!("{name} version {version}")))
    };
    let definition = find(version)?;
    let diff = match against {
        Some(against) => side_by_side(&find(against)?.source, &definition.source),
        None => Vec::new(),
    };
    let saga = line(row);
    let shown = Query::default().with("version", &version.to_string());
    let link = |other: &u32| VersionLink {
        version: *other,
        link: Query::default().with("version", &other.to_string()).link(&saga.link),
        diff_link: shown.with("against", &other.to_string()).link(&saga.link),
        is_shown: *other == version,
        is_beside: against == Some(*other),
    };
    let told = SagaTold {
        version,
        versions: row.versions.iter().rev().map(link).collect(),
        drawing: drawing::of_saga(&catalog, definition),
        source: definition.source.lines().map(str::to_owned).collect(),
        against,
        diff,
        saga,
    };
    let frame = Frame::of(&service, &who, Section::Sagas, name.to_string()).await?;
    page(&SagaPage { frame, told })
}
