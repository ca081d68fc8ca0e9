use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::columns::{COLUMN, Columns};
use super::frame::{Frame, Section, grouped, page, saga_names};
use super::icons::StateShown;
use super::many::{self, Kind};
use super::query::{Query, instance_link};
use super::times::{Shown, now, rough, took};
use crate::api::{self, Listing, Problem, Role, Service, Who};
use crate::message::{SagaName, Timestamp};
use crate::status::LifeState;
use crate::view::{Count, Page, Row};

const PATH: &str = "/instances";
const ROWS: usize = 50;
/// The states that a list of instances offers even when nothing is at them.
const STATES: [LifeState; 8] = [
    LifeState::Running,
    LifeState::Retrying,
    LifeState::Waiting,
    LifeState::Compensating,
    LifeState::Stuck,
    LifeState::Paused,
    LifeState::Completed,
    LifeState::Compensated,
];

/// The list of instances.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "instances.html")]
pub(super) struct InstancesPage {
    pub frame: Frame,
    pub list: InstanceList,
}

/// What the list shows, without what stands around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InstanceList {
    /// What the key begins with that is looked for.
    pub key: String,
    /// The saga that is chosen.
    pub saga: String,
    pub sagas: Vec<String>,
    /// What a search keeps of the address.
    pub kept: Vec<(String, String)>,
    pub states: Vec<StateChip>,
    pub chips: Vec<Chip>,
    pub columns: Columns,
    /// What the choice of columns keeps of the address.
    pub without_columns: Vec<(String, String)>,
    pub rows: Vec<InstanceRow>,
    /// The page behind this one.
    pub next: Option<String>,
    /// The first page, if this is another.
    pub first: Option<String>,
    /// The same list the other way around.
    pub turned: String,
    pub is_oldest_first: bool,
    /// The list without filters.
    pub all: String,
    /// The form that acts on all of these, for those who may, where a filter says which.
    pub acts: Option<String>,
}

/// A state, how many are at it, and the list of those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StateChip {
    /// None stands for all of them.
    pub state: Option<StateShown>,
    pub instances: String,
    pub link: String,
    pub is_on: bool,
}

/// A filter that is set, and the list without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chip {
    pub name: String,
    pub value: String,
    pub without: String,
}

/// An instance in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InstanceRow {
    pub link: String,
    pub saga: String,
    pub key: String,
    pub state: StateShown,
    pub step: String,
    pub reason: String,
    pub started: Shown,
    /// How long it took, or has taken until now.
    pub took: String,
    pub has_ended: bool,
    pub due: Option<Shown>,
    pub version: String,
    pub changed: Shown,
    /// What of its data instances are searched by.
    pub fields: BTreeMap<String, String>,
}

/// Answers the list.
pub(super) async fn list(
    State(service): State<Service>,
    query: Query,
    who: Who,
) -> Result<Response, Problem> {
    let listing: Listing = query.without(COLUMN).to()?;
    let (filter, sort) = (api::filter(&listing)?, api::sort(listing.sort.as_deref())?);
    let limit = api::limit(listing.limit, ROWS, 500)?;
    let after = listing.after;
    let found = service.look(move |view| view.instances(&filter, sort, after.as_deref(), limit));
    let found = found.await?.found;
    let counts = service.look(|view| view.counts(None)).await?.found;
    let frame = Frame::of(&service, &who, Section::Instances, "Instances").await?;
    page(&InstancesPage { frame, list: InstanceList::of(&query, &found, &counts, who.role, now()) })
}

impl InstanceList {
    pub fn of(query: &Query, found: &Page, counts: &[Count], role: Role, now: Timestamp) -> Self {
        let said = |name: &str| query.get(name).unwrap_or_default().to_owned();
        let is_oldest_first = query.get("sort") == Some("oldest");
        let fresh = query.without("after");
        let turned =
            if is_oldest_first { fresh.without("sort") } else { fresh.with("sort", "oldest") };
        let kept = fresh.pairs().filter(|(name, _)| !["key", "saga"].contains(name));
        let link = |query: &Query| query.link(PATH);
        Self {
            key: said("key"),
            saga: said("saga"),
            sagas: saga_names(counts),
            kept: kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            states: states(&fresh, counts),
            chips: chips(&fresh),
            columns: Columns::of(query, &found.instances),
            without_columns: pairs(&fresh.without(COLUMN)),
            rows: found.instances.iter().map(|row| InstanceRow::of(row, now)).collect(),
            next: found.next.as_ref().map(|next| link(&query.with("after", next))),
            first: query.get("after").map(|_| link(&fresh)),
            turned: link(&turned),
            is_oldest_first,
            all: PATH.to_owned(),
            acts: many::link(Kind::Instances, &fresh, found.instances.len(), role),
        }
    }
}

/// How many of the chosen saga are at what.
fn states(query: &Query, counts: &[Count]) -> Vec<StateChip> {
    let saga = query.get("saga");
    let lock = SagaName::lock();
    let mut at: BTreeMap<LifeState, u64> = STATES.into_iter().map(|state| (state, 0)).collect();
    for count in counts {
        let is_listed = saga.map_or(count.saga != lock.as_str(), |saga| saga == count.saga);
        if is_listed {
            *at.entry(count.state).or_default() += count.instances;
        }
    }
    let chosen: Vec<&str> = query.get("state").map(|s| s.split(',').collect()).unwrap_or_default();
    let all = StateChip {
        state: None,
        instances: grouped(at.values().sum()),
        link: query.without("state").link(PATH),
        is_on: chosen.is_empty(),
    };
    let others = at.keys().copied().filter(|state| !STATES.contains(state));
    let order = STATES.into_iter().chain(others);
    let chip = |state: LifeState| StateChip {
        state: Some(state.into()),
        instances: grouped(at.get(&state).copied().unwrap_or_default()),
        link: query.with("state", state.text()).link(PATH),
        is_on: chosen.contains(&state.text()),
    };
    std::iter::once(all).chain(order.map(chip)).collect()
}

/// The filters that have no place of their own on the page.
fn chips(query: &Query) -> Vec<Chip> {
    let elsewhere = ["state", "sort", "limit", "after", COLUMN];
    let said = query.pairs().filter(|(name, _)| !elsewhere.contains(name));
    let chip = |(name, value): (&str, &str)| Chip {
        name: match name {
            "key" => "key begins with".to_owned(),
            "error" => "error group".to_owned(),
            "started_from" => "started from".to_owned(),
            "started_before" => "started before".to_owned(),
            name => name.to_owned(),
        },
        value: value.to_owned(),
        without: query.without(name).link(PATH),
    };
    said.map(chip).collect()
}

impl InstanceRow {
    /// What stands in the column of a field; nothing if it has none.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    pub fn of(row: &Row, now: Timestamp) -> Self {
        let end = row.ended.map_or(now, |ended| ended.0);
        let span = end.since(row.started.0);
        Self {
            link: instance_link(&row.saga, &row.key),
            saga: row.saga.clone(),
            key: row.key.clone(),
            state: row.state.into(),
            step: row.step.clone().unwrap_or_default(),
            reason: row.reason.clone().unwrap_or_default(),
            started: Shown::new(row.started, now),
            took: if row.ended.is_some() { took(span) } else { rough(span) },
            has_ended: row.ended.is_some(),
            due: Shown::maybe(row.due.filter(|_| row.ended.is_none()), now),
            version: row.version.map_or_else(String::new, |version| format!("v{version}")),
            changed: Shown::new(row.changed, now),
            fields: row.fields.clone(),
        }
    }
}

fn pairs(query: &Query) -> Vec<(String, String)> {
    query.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
