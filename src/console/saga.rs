use std::cmp::Reverse;
use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::diff::{DiffRow, side_by_side};
use super::drawing;
use super::frame::{Frame, Section, page};
use super::overview::{SagaLine, Total, line};
use super::query::Query;
use super::sentence::Titles;
use crate::api::{self, At, Code, Problem, Service, Who};
use crate::definition::Definition;
use crate::message::Version;
use crate::status::LifeState;
use crate::view::{StepCount, View};

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
    /// Where the instances of this version are now.
    pub steps: Vec<StepLine>,
    /// The drawing, as SVG.
    pub drawing: String,
    /// The text of the definition, line by line.
    pub source: Vec<String>,
    /// The version that it is compared with.
    pub against: Option<u32>,
    /// Both texts side by side, if it is compared.
    pub diff: Vec<DiffRow>,
}

/// A step with the instances that are at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StepLine {
    pub name: String,
    pub title: String,
    /// All of them.
    pub link: String,
    /// Those of each state that there are some of, the most pressing first.
    pub cells: Vec<Total>,
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
    let counts = service.look({
        let name = name.clone();
        move |view| view.steps(&name, Version(version))
    });
    let counts = counts.await?.found;
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
        steps: steps(definition, &counts),
        drawing: drawing::of_saga(&catalog, definition, &counts),
        source: definition.source.lines().map(str::to_owned).collect(),
        against,
        diff,
        saga,
    };
    let frame = Frame::of(&service, &who, Section::Sagas, name.to_string()).await?;
    page(&SagaPage { frame, told })
}

/// Where the instances of a version are, the step with the most pressing of them first.
pub(super) fn steps(definition: &Definition, counts: &[StepCount]) -> Vec<StepLine> {
    let mut steps: BTreeMap<&str, BTreeMap<LifeState, u64>> = BTreeMap::new();
    for StepCount { step, state, instances } in counts {
        *steps.entry(step).or_default().entry(*state).or_default() += instances;
    }
    let mut steps: Vec<_> = steps.into_iter().collect();
    steps.sort_by_key(|(_, states)| {
        let at = |state| states.get(&state).copied().unwrap_or_default();
        let all: u64 = states.values().sum();
        Reverse((at(LifeState::Stuck), at(LifeState::Retrying), all))
    });
    let titles = Titles::of(Some(definition));
    let version = Query::default()
        .with("saga", definition.saga.as_str())
        .with("version", &definition.version.0.to_string());
    let line = |(step, states): (&str, BTreeMap<LifeState, u64>)| {
        let query = version.with("step", step);
        let mut cells: Vec<_> = states.into_iter().collect();
        cells.sort_by_key(|(state, _)| Reverse(pressing(*state)));
        let cells = cells.into_iter().map(|(state, all)| Total::new(state, all, &query));
        StepLine {
            name: step.to_owned(),
            title: titles.name(step),
            link: query.link("/instances"),
            cells: cells.collect(),
        }
    };
    steps.into_iter().map(line).collect()
}

/// How much a state asks for somebody: stuck first, then what is asked again.
fn pressing(state: LifeState) -> u8 {
    match state {
        LifeState::Stuck => 3,
        LifeState::Retrying => 2,
        LifeState::Compensating => 1,
        LifeState::Running
        | LifeState::Waiting
        | LifeState::Paused
        | LifeState::Completed
        | LifeState::Compensated
        | LifeState::Early
        | LifeState::Held
        | LifeState::Free => 0,
    }
}
