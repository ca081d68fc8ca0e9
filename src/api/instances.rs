use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Role;
use super::owners::Who;
use super::problem::{Code, Problem};
use super::request::{Asked, At, Tested, instance, saga_name, wait};
use super::service::{Answer, Service};
use crate::definition::Catalog;
use crate::message::{InstanceId, Key, Timestamp, Version};
use crate::status::{Fingerprint, LifeState, Masks};
use crate::view::{self, Count, Detail, Entry, FieldTest, Filter, Fresh, MessageTold, Page, Sort};

const ROWS_DEFAULT: usize = 50;
/// The most rows of one page.
pub(super) const ROWS_MAX: usize = 500;
const ENTRIES_DEFAULT: usize = 200;
/// The most entries of a history that are read back at once.
const ENTRIES_MAX: usize = 1_000;
const MESSAGES_DEFAULT: usize = 50;
/// The most entries of a history whose messages are read back at once: each lies elsewhere.
const MESSAGES_MAX: usize = 200;

/// Which instances are listed: those of which all that is said is true.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Listing {
    /// What they are at: one or more of the states, with commas between.
    #[param(example = "stuck,retrying")]
    pub(crate) state: Option<String>,
    /// Their saga.
    pub(crate) saga: Option<String>,
    /// The version of it.
    pub(crate) version: Option<u32>,
    /// The step that is stuck, else under way, else failed.
    pub(crate) step: Option<String>,
    /// The group of their error, as a list says it.
    pub(crate) error: Option<String>,
    /// What their key begins with.
    pub(crate) key: Option<String>,
    /// They have started at that moment or later (RFC 3339).
    pub(crate) started_from: Option<String>,
    /// They have started before that moment (RFC 3339).
    pub(crate) started_before: Option<String>,
    /// What comes first: `newest`, `oldest`, or the field that has the least value, such as
    /// `data.total`; `-data.total` for the greatest. Who does not have the field is left out.
    pub(crate) sort: Option<String>,
    /// What the page before says is next.
    pub(crate) after: Option<String>,
    /// How many, 50 by default, 500 at most.
    pub(crate) limit: Option<usize>,
}

/// Lists instances, a page at a time.
#[utoipa::path(
    get, path = "/api/v1/instances", tag = "instances",
    params(
        Listing,
        (
            "where" = Option<Vec<String>>, Query, example = json!(["data.total>=100"]),
            description = "What a field is that a definition names under `search`: its path, one \
                           of `=`, `!=`, `<`, `<=`, `>`, `>=`, and a value. All of several hold."
        ),
    ),
    responses(
        (status = 200, body = Answer<Page>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(service): State<Service>,
    Tested { asked: listing, tests }: Tested<Listing>,
) -> Result<Json<Answer<Page>>, Problem> {
    let (mut filter, sort) = (filter(&listing)?, sort(listing.sort.as_deref())?);
    filter.fields = tests;
    searched(&service.view.catalog(), &filter, &sort)?;
    let limit = limit(listing.limit, ROWS_DEFAULT, ROWS_MAX)?;
    let after = listing.after;
    let page = service.look(move |view| view.instances(&filter, sort, after.as_deref(), limit));
    Ok(Json(page.await?.into()))
}

/// Of which saga.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Counting {
    /// The saga; without it, all of them.
    saga: Option<String>,
}

/// Counts instances by saga and by what they are at.
#[utoipa::path(
    get, path = "/api/v1/counts", tag = "instances", params(Counting),
    responses(
        (status = 200, body = Answer<Vec<Count>>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn counts(
    State(service): State<Service>,
    Asked(counting): Asked<Counting>,
) -> Result<Json<Answer<Vec<Count>>>, Problem> {
    let saga = counting.saga.as_deref().map(saga_name).transpose()?;
    let counts = service.look(move |view| view.counts(saga.as_ref())).await?;
    Ok(Json(counts.into()))
}

/// How one instance is shown.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Showing {
    /// `on` (the default) masks what the definition calls sensitive; `off` is for admins.
    pub(crate) masks: Option<String>,
    /// Waits so long for its end, such as `30s`; a minute at most.
    pub(crate) wait: Option<String>,
}

/// One instance with everything that is told of it.
#[utoipa::path(
    get, path = "/api/v1/instances/{saga}/{key}", tag = "instances",
    params(
        ("saga" = String, Path, description = "The saga"),
        ("key" = String, Path, description = "The instance's key"),
        Showing,
    ),
    responses(
        (status = 200, body = Answer<Detail>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(service): State<Service>,
    At((saga, key)): At<(String, String)>,
    Asked(showing): Asked<Showing>,
    who: Who,
) -> Result<Json<Answer<Detail>>, Problem> {
    let id = instance(&saga, &key)?;
    let masks = masks(showing.masks.as_deref(), &who)?;
    if let Some(wait) = wait(showing.wait.as_deref())? {
        let ended = || async {
            let detail = detail(&service, &id, masks).await?;
            let state = detail.found.as_ref().map(|detail| detail.overview.state);
            Ok::<_, Problem>(state.is_some_and(LifeState::has_ended).then_some(()))
        };
        service.until(wait, ended).await?;
    }
    let Fresh { found, freshness } = detail(&service, &id, masks).await?;
    match found {
        Some(found) => Ok(Json(Answer { found, freshness })),
        None => Err(service.unknown(&id).await),
    }
}

/// What the view says of one instance.
pub(crate) async fn detail(
    service: &Service,
    id: &InstanceId,
    masks: Masks,
) -> Result<Fresh<Option<Detail>>, Problem> {
    let id = id.clone();
    service.look(move |view| view.instance(&id, masks)).await
}

/// How much of a history is read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Reading {
    /// How many of the newest entries, 200 by default, 1000 at most.
    limit: Option<usize>,
}

/// What has happened to one instance, in words and as data, oldest first.
#[utoipa::path(
    get, path = "/api/v1/instances/{saga}/{key}/history", tag = "instances",
    params(
        ("saga" = String, Path, description = "The saga"),
        ("key" = String, Path, description = "The instance's key"),
        Reading,
    ),
    responses(
        (status = 200, body = Answer<Vec<Entry>>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn history(
    State(service): State<Service>,
    At((saga, key)): At<(String, String)>,
    Asked(reading): Asked<Reading>,
) -> Result<Json<Answer<Vec<Entry>>>, Problem> {
    let id = instance(&saga, &key)?;
    let limit = limit(reading.limit, ENTRIES_DEFAULT, ENTRIES_MAX)?;
    let asked = id.clone();
    let read = service.look(move |view| view.history(&asked, limit)).await?;
    match read.found {
        Some(found) => Ok(Json(Answer { found, freshness: read.freshness })),
        None => Err(service.unknown(&id).await),
    }
}

/// Which messages of an instance, and how they are shown.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Leafing {
    /// Those of so many of the newest entries of the history, 50 by default, 200 at most.
    limit: Option<usize>,
    /// `on` (the default) masks what the definition calls sensitive; `off` is for admins.
    masks: Option<String>,
}

/// What one instance was told: events, people's acts, letters of other instances and what came of
/// calls, with bodies, headers and places, oldest first. What Kafka does not keep any more is said.
#[utoipa::path(
    get, path = "/api/v1/instances/{saga}/{key}/messages", tag = "instances",
    params(
        ("saga" = String, Path, description = "The saga"),
        ("key" = String, Path, description = "The instance's key"),
        Leafing,
    ),
    responses(
        (status = 200, body = Answer<Vec<MessageTold>>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn messages(
    State(service): State<Service>,
    At((saga, key)): At<(String, String)>,
    Asked(leafing): Asked<Leafing>,
    who: Who,
) -> Result<Json<Answer<Vec<MessageTold>>>, Problem> {
    let id = instance(&saga, &key)?;
    let masks = masks(leafing.masks.as_deref(), &who)?;
    let limit = limit(leafing.limit, MESSAGES_DEFAULT, MESSAGES_MAX)?;
    let asked = id.clone();
    let read = service.look(move |view| view.messages(&asked, limit, masks)).await?;
    match read.found {
        Some(found) => Ok(Json(Answer { found, freshness: read.freshness })),
        None => Err(service.unknown(&id).await),
    }
}

impl Listing {
    /// All instances that it would list with these tests of fields, page for page; one of them
    /// must be a condition.
    pub fn whole(&self, tests: Vec<FieldTest>, catalog: &Catalog) -> Result<Filter, Problem> {
        let pages = [
            ("sort", self.sort.is_some()),
            ("after", self.after.is_some()),
            ("limit", self.limit.is_some()),
        ];
        if let Some((name, _)) = pages.iter().find(|(_, is_set)| *is_set) {
            return Err(Problem::wrong(format!("`{name}` has no meaning for all instances")));
        }
        let filter = Filter { fields: tests, ..filter(self)? };
        searched(catalog, &filter, &Sort::Oldest)?;
        if filter == Filter::default() {
            return Err(Problem::wrong("say which instances: `state`, `saga`, `step`, `error`, …"));
        }
        Ok(filter)
    }
}

/// What a listing asks for.
pub(crate) fn filter(listing: &Listing) -> Result<Filter, Problem> {
    let words = listing.state.as_deref().unwrap_or_default();
    let words = words.split(',').map(str::trim).filter(|word| !word.is_empty());
    let moment = |name: &str, text: &Option<String>| {
        let Some(text) = text else { return Ok(None) };
        let wrong = || Problem::wrong(format!("`{name}`: `{text}` is no RFC 3339 moment"));
        Timestamp::parse(text).map(Some).ok_or_else(wrong)
    };
    let error = listing.error.as_deref().map(str::parse::<Fingerprint>).transpose();
    if let Some(prefix) = listing.key.as_deref().filter(|key| key.len() > Key::BYTES_MAX) {
        return Err(Problem::wrong(format!("`key` has {} bytes; no key is so long", prefix.len())));
    }
    Ok(Filter {
        states: words.map(state).collect::<Result<_, _>>()?,
        saga: listing.saga.as_deref().map(saga_name).transpose()?,
        version: listing.version.map(Version),
        step: listing.step.clone(),
        error: error.map_err(Problem::wrong)?,
        key_prefix: listing.key.clone().filter(|key| !key.is_empty()),
        started_from: moment("started_from", &listing.started_from)?,
        started_before: moment("started_before", &listing.started_before)?,
        fields: Vec::new(),
    })
}

/// Refuses a field by which no definition searches: nothing would be found.
fn searched(catalog: &Catalog, filter: &Filter, sort: &Sort) -> Result<(), Problem> {
    let sorted = match sort {
        Sort::Least(field) | Sort::Greatest(field) => Some(field),
        Sort::Newest | Sort::Oldest => None,
    };
    let mut asked = filter.fields.iter().map(|test| &test.field).chain(sorted).peekable();
    if asked.peek().is_none() {
        return Ok(());
    }
    let all = catalog.definitions().flat_map(|definition| &definition.search);
    let known: BTreeSet<String> = all.map(|path| format!("data.{}", path.join("."))).collect();
    let Some(unknown) = asked.find(|field| !known.contains(*field)) else { return Ok(()) };
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let mend = if known.is_empty() {
        "name it under `search` in the saga's definition".to_owned()
    } else {
        format!("name it under `search` in the saga's definition; there are {}", known.join(", "))
    };
    Err(Problem::new(Code::Wrong, format!("no saga is searched by `{unknown}`"), mend))
}

fn state(word: &str) -> Result<LifeState, Problem> {
    LifeState::named(word).ok_or_else(|| {
        let words: Vec<_> = LifeState::WORDS.iter().map(|(word, _)| *word).collect();
        Problem::wrong(format!("`state`: `{word}` is not one of {}", words.join(", ")))
    })
}

/// The order that a word names.
pub(crate) fn sort(word: Option<&str>) -> Result<Sort, Problem> {
    let sort = word.map(str::parse).transpose();
    let sort = sort.map_err(|e: view::Error| Problem::wrong(format!("`sort`: {e}")))?;
    Ok(sort.unwrap_or_default())
}

/// How many are asked for.
pub(crate) fn limit(asked: Option<usize>, default: usize, most: usize) -> Result<usize, Problem> {
    match asked {
        None => Ok(default),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(limit) => Err(Problem::wrong(format!("`limit` is {limit}; it is 1 to {most}"))),
    }
}

/// Whether what is sensitive is masked for whoever asks.
pub(crate) fn masks(word: Option<&str>, who: &Who) -> Result<Masks, Problem> {
    match word {
        None | Some("on") => Ok(Masks::On),
        Some("off") if who.role >= Role::Admin => Ok(Masks::Off),
        Some("off") => {
            let detail = format!("{} is {}; data without masks is for admins", who.name, who.role);
            Err(Problem::new(Code::Forbidden, detail, "leave `masks` out"))
        }
        Some(word) => Err(Problem::wrong(format!("`masks`: `{word}` is not on or off"))),
    }
}
