//! Acts on many: those that there were, and how far one is.

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use serde_json::json;

use super::act;
use super::frame::{Frame, Section, grouped, lead, page};
use super::many::Kind;
use super::times::{Shown, now};
use crate::api::{self, Answer, At, Body, BulkShown, BulkWhole, Problem, Role, Service, Who};
use crate::message::Timestamp;
use crate::view::BulkRow;

/// So many of its members are named.
const MEMBERS_SHOWN: usize = 200;

/// The acts on many.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "bulks.html")]
pub(super) struct BulksPage {
    pub frame: Frame,
    pub bulks: Vec<BulkTold>,
}

/// One act on many.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "bulk.html")]
pub(super) struct BulkPage {
    pub frame: Frame,
    pub bulk: BulkTold,
    /// Its members as far as they are named, each with its page.
    pub members: Vec<(String, String)>,
    /// How many more there are.
    pub more: usize,
    /// Whether it runs here, and whoever looks may stop it.
    pub can_stop: bool,
}

/// What is told of an act on many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BulkTold {
    pub id: String,
    pub link: String,
    pub verb: String,
    /// How it stands, in words.
    pub state: String,
    /// `is-busy`, `is-well` or `is-wrong`.
    pub class: &'static str,
    pub by: String,
    pub why: String,
    pub at: Shown,
    pub ended: Option<Shown>,
    /// Why it ended before all of them were written; empty else.
    pub reason: String,
    /// The list that it was about, as it is now.
    pub list: String,
    pub filter: String,
    pub members: u64,
    pub written: u64,
    /// How far it is: `4 of 1,000 written`.
    pub progress: String,
}

/// Answers the list.
pub(super) async fn list(State(service): State<Service>, who: Who) -> Result<Response, Problem> {
    let Json(Answer { found, .. }) = api::bulks(State(service.clone())).await?;
    let now = now();
    let told = found.iter().map(|BulkShown { state, bulk }| BulkTold::of(bulk, state, now));
    let bulks = told.collect();
    let frame = Frame::of(&service, &who, Section::Acts, "Acts on many").await?;
    page(&BulksPage { frame, bulks })
}

/// Answers the page of one.
pub(super) async fn show(
    State(service): State<Service>,
    at: At<String>,
    who: Who,
) -> Result<Response, Problem> {
    let Json(Answer { found, .. }) = api::bulk(State(service.clone()), at).await?;
    let BulkWhole { state, bulk, instances } = found;
    let title = format!("{} of {}", bulk.verb, grouped(bulk.members));
    let frame = Frame::of(&service, &who, Section::Acts, title).await?;
    let kind = Kind::of_verb(&bulk.verb);
    let named = instances.iter().take(MEMBERS_SHOWN);
    page(&BulkPage {
        frame,
        members: named.map(|name| (name.clone(), kind.page_of(name))).collect(),
        more: instances.len().saturating_sub(MEMBERS_SHOWN),
        can_stop: state == "running" && who.role >= Role::Operator,
        bulk: BulkTold::of(&bulk, &state, now()),
    })
}

/// Stops one, and leads back to its page.
pub(super) async fn stop(
    State(service): State<Service>,
    At(id): At<String>,
    who: Who,
    headers: HeaderMap,
    form: Bytes,
) -> Result<Response, Problem> {
    act::read(&headers, &form)?;
    let place = link(&id);
    let _stopping = api::stop_bulk(State(service), At(id), who, Body(json!({}))).await?;
    Ok(lead(&place))
}

impl BulkTold {
    pub fn of(row: &BulkRow, state: &str, now: Timestamp) -> Self {
        let (words, class) = match state {
            "running" => ("it is being written", "is-busy"),
            "done" => ("all of it is written", "is-well"),
            "stopped" => ("it was stopped", "is-wrong"),
            "failed" => ("it failed", "is-wrong"),
            // Its server ended in the middle, or it is another one that writes it.
            _ => ("nothing tells of its end", "is-wrong"),
        };
        let kind = Kind::of_verb(&row.verb);
        Self {
            id: row.id.clone(),
            link: link(&row.id),
            verb: row.verb.clone(),
            state: words.to_owned(),
            class,
            by: row.by.clone(),
            why: row.why.clone(),
            at: Shown::new(row.at, now),
            ended: row.ended.as_ref().map(|ended| Shown::new(ended.at, now)),
            reason: row.ended.as_ref().map(|ended| ended.reason.clone()).unwrap_or_default(),
            list: format!("{}?{}", kind.list(), row.filter),
            filter: row.filter.clone(),
            members: row.members,
            written: row.written,
            progress: format!("{} of {} written", grouped(row.written), grouped(row.members)),
        }
    }
}

/// The page of one.
pub(super) fn link(id: &str) -> String {
    format!("/acts/{}", api::escaped(id))
}
