use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::frame::{Frame, Section, grouped, page};
use super::times::{Shown, now, rough};
use crate::api::{Problem, Service, Who};
use crate::message::{Span, Timestamp};
use crate::view::Freshness;

/// How far what is shown is behind the topics.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "flow.html")]
pub(super) struct FlowPage {
    pub frame: Frame,
    pub told: FlowTold,
}

/// The way of the records to these pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FlowTold {
    pub behind_records: String,
    pub behind: String,
    pub heard: Option<Shown>,
    pub is_whole: bool,
    pub trouble: String,
    pub app: String,
    pub version: &'static str,
}

/// Answers the page.
pub(super) async fn show(State(service): State<Service>, who: Who) -> Result<Response, Problem> {
    let freshness = service.look(|view| Ok(view.freshness())).await?;
    let frame = Frame::of(&service, &who, Section::Flow, "Flow").await?;
    page(&FlowPage { frame, told: FlowTold::of(&freshness, service.app.clone(), now()) })
}

impl FlowTold {
    pub fn of(freshness: &Freshness, app: String, now: Timestamp) -> Self {
        let behind = freshness.behind_ms.map(|millis| rough(Span(millis)));
        Self {
            behind_records: grouped(freshness.behind_records),
            behind: behind.unwrap_or_else(|| "not known".to_owned()),
            heard: Shown::maybe(freshness.heard, now),
            is_whole: freshness.is_whole,
            trouble: freshness.trouble.clone().unwrap_or_default(),
            app,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}
