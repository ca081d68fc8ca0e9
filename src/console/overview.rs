use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::attention::{ConcernTold, concerns};
use super::frame::{Frame, Section, grouped, page};
use super::icons::StateShown;
use super::query::Query;
use super::times::{now, rough};
use crate::api::{Problem, Service, Who, escaped};
use crate::message::Span;
use crate::status::LifeState;
use crate::view::{AttentionGroup, Concern, Freshness, SagaRow, View};

/// The first page: whether all is well.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "overview.html")]
pub(super) struct OverviewPage {
    pub frame: Frame,
    pub verdict: Verdict,
    pub totals: Vec<Total>,
    pub concerns: Vec<ConcernTold>,
    pub sagas: Vec<SagaLine>,
}

/// Whether all is well, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    /// `is-well`, `is-busy` or `is-wrong`.
    pub class: &'static str,
    pub words: String,
    /// What else is to be known.
    pub more: String,
}

/// How many instances are at something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Total {
    pub state: StateShown,
    pub instances: String,
    pub is_none: bool,
    pub link: String,
}

/// A saga in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SagaLine {
    pub name: String,
    pub title: String,
    pub link: String,
    pub version: u32,
    pub starts: String,
    pub cells: Vec<Total>,
    pub p50: String,
    pub p99: String,
}

/// The states that have a column.
const COLUMNS: [LifeState; 7] = [
    LifeState::Running,
    LifeState::Retrying,
    LifeState::Waiting,
    LifeState::Compensating,
    LifeState::Stuck,
    LifeState::Completed,
    LifeState::Compensated,
];

/// Answers the first page.
pub(super) async fn show(State(service): State<Service>, who: Who) -> Result<Response, Problem> {
    let groups = service.look(View::attention).await?.found;
    let sagas = service.look(View::sagas).await?;
    let frame = Frame::of(&service, &who, Section::Overview, "Overview").await?;
    page(&OverviewPage {
        frame,
        verdict: verdict(&groups, &sagas.found, &sagas.freshness),
        totals: totals(&sagas.found),
        concerns: concerns(&groups, who.role, now()),
        sagas: lines(&sagas.found),
    })
}

/// Whether all is well.
pub(super) fn verdict(
    groups: &[AttentionGroup],
    sagas: &[SagaRow],
    freshness: &Freshness,
) -> Verdict {
    let of = |concern: Concern| -> u64 {
        let own = groups.iter().filter(|group| group.concern == concern);
        own.map(|group| group.instances).sum()
    };
    let told = |class, words: String| Verdict { class, words, more: more(sagas) };
    let (stuck, overdue) = (of(Concern::Stuck), of(Concern::Overdue));
    let (retrying, unanswered) = (of(Concern::Retrying), of(Concern::Unanswered));
    if let Some(trouble) = &freshness.trouble {
        return told(
            "is-wrong",
            format!("What is shown may be old: the view does not get on, {trouble}."),
        );
    }
    if stuck > 0 {
        let verb = if stuck == 1 { "saga is stuck and waits" } else { "sagas are stuck and wait" };
        return told("is-wrong", format!("{} {verb} for a person.", grouped(stuck)));
    }
    if overdue > 0 {
        let words = format!("{} timers are overdue: does an engine run?", grouped(overdue));
        return told("is-wrong", words);
    }
    if unanswered > 0 {
        let verb = if unanswered == 1 { "question waits" } else { "questions wait" };
        return told(
            "is-busy",
            format!("{} {verb} for an answer; nothing is stuck.", grouped(unanswered)),
        );
    }
    if retrying > 0 {
        let verb = if retrying == 1 { "saga has" } else { "sagas have" };
        let words = format!("{} {verb} to ask again; nothing is stuck.", grouped(retrying));
        return told("is-busy", words);
    }
    if sagas.is_empty() {
        return told("is-busy", "No saga is known yet.".to_owned());
    }
    told("is-well", "All is well: nothing is stuck, and nobody has to be asked twice.".to_owned())
}

/// What is under way, in a sentence.
fn more(sagas: &[SagaRow]) -> String {
    let count = |of: &[LifeState]| -> u64 {
        let counts = sagas.iter().flat_map(|saga| &saga.counts);
        counts.filter(|count| of.contains(&count.state)).map(|count| count.instances).sum()
    };
    let under_way = count(&[LifeState::Running, LifeState::Retrying, LifeState::Waiting]);
    let back = count(&[LifeState::Compensating]);
    let ended = count(&[LifeState::Completed, LifeState::Compensated]);
    format!(
        "{} on their way, {} on their way back, {} ended and remembered.",
        grouped(under_way),
        grouped(back),
        grouped(ended)
    )
}

fn at(saga: &SagaRow, state: LifeState) -> u64 {
    let own = saga.counts.iter().filter(|count| count.state == state);
    own.map(|count| count.instances).sum()
}

fn totals(sagas: &[SagaRow]) -> Vec<Total> {
    let total = |state: LifeState| {
        let all = sagas.iter().map(|saga| at(saga, state)).sum();
        Total::new(state, all, &Query::default())
    };
    COLUMNS.into_iter().map(total).collect()
}

impl Total {
    pub fn new(state: LifeState, instances: u64, query: &Query) -> Self {
        Self {
            state: state.into(),
            instances: grouped(instances),
            is_none: instances == 0,
            link: query.with("state", state.text()).link("/instances"),
        }
    }
}

/// The sagas with what their instances are at.
pub(super) fn lines(sagas: &[SagaRow]) -> Vec<SagaLine> {
    sagas.iter().map(line).collect()
}

/// A saga with what its instances are at.
pub(super) fn line(saga: &SagaRow) -> SagaLine {
    let query = Query::default().with("saga", &saga.saga);
    let long = |millis: Option<u64>| millis.map_or_else(String::new, |ms| rough(Span(ms)));
    SagaLine {
        name: saga.saga.clone(),
        title: saga.title.clone(),
        link: format!("/sagas/{}", escaped(&saga.saga)),
        version: saga.version,
        starts: saga.starts.clone(),
        cells: COLUMNS
            .into_iter()
            .map(|state| Total::new(state, at(saga, state), &query))
            .collect(),
        p50: long(saga.p50_ms),
        p99: long(saga.p99_ms),
    }
}
