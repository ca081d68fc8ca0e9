use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::data::pretty;
use super::frame::{Frame, Section, page};
use super::many::{self, Kind};
use super::offers::quoted;
use super::query::{Query, instance_link};
use super::times::{Shown, now};
use crate::api::{self, At, Code, Leafing, Problem, Role, Service, Who};
use crate::message::Timestamp;
use crate::view::{DeadLetterDetail, DeadLetterPage, DeadLetterRow};

const PATH: &str = "/dead-letters";
const ROWS: usize = 50;

/// The records that were put aside.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "dead_letters.html")]
pub(super) struct DeadLettersPage {
    pub frame: Frame,
    pub letters: Vec<LetterLine>,
    pub next: Option<String>,
    pub first: Option<String>,
    /// The form that acts on all of these, for those who may, where a filter says which.
    pub acts: Option<String>,
    pub filters: Filters,
}

/// Which of them are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Filters {
    pub topic: String,
    pub event_type: String,
    pub reason: String,
}

/// A record that was put aside, in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LetterLine {
    pub link: String,
    pub place: String,
    pub at: Shown,
    pub reason: String,
    pub event_type: String,
    pub origin: String,
    pub instance: String,
    pub instance_link: Option<String>,
}

/// One record that was put aside.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "dead_letter.html")]
pub(super) struct LetterPage {
    pub frame: Frame,
    pub told: LetterTold,
}

/// What is told of one record, without what stands around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LetterTold {
    pub line: LetterLine,
    pub key: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub is_masked: bool,
    /// The page without masks, for those who may see it.
    pub unmasked: Option<String>,
    /// The same on the command line.
    pub command: String,
}

/// Answers the list.
pub(super) async fn list(
    State(service): State<Service>,
    query: Query,
    who: Who,
) -> Result<Response, Problem> {
    let leafing: Leafing = query.to()?;
    let (filter, after) = (leafing.filter()?, leafing.after);
    let found = service.look(move |view| view.dead_letters(filter, after.as_deref(), ROWS));
    let found = found.await?.found;
    let frame = Frame::of(&service, &who, Section::DeadLetters, "Dead letters").await?;
    let DeadLetterPage { letters, next } = found;
    let now = now();
    page(&DeadLettersPage {
        frame,
        letters: letters.iter().map(|row| LetterLine::of(row, now)).collect(),
        next: next.map(|next| query.with("after", &next).link(PATH)),
        first: query.get("after").map(|_| query.without("after").link(PATH)),
        acts: many::link(Kind::Letters, &query, letters.len(), who.role),
        filters: Filters::of(&query),
    })
}

/// Answers the page of one record.
pub(super) async fn show(
    State(service): State<Service>,
    At((partition, offset)): At<(i32, i64)>,
    query: Query,
    who: Who,
) -> Result<Response, Problem> {
    let masks = api::masks(query.get("masks"), &who)?;
    let read = service.look(move |view| view.dead_letter_as(partition, offset, masks)).await?;
    let Some(detail) = read.found else {
        let detail = format!("there is no dead letter at {partition}/{offset}");
        return Err(Problem::new(Code::NotFound, detail, "look for it in the list"));
    };
    let title = format!("Dead letter {partition}/{offset}");
    let frame = Frame::of(&service, &who, Section::DeadLetters, title).await?;
    page(&LetterPage { frame, told: LetterTold::of(&detail, who.role, now()) })
}

impl Filters {
    fn of(query: &Query) -> Self {
        let said = |name: &str| query.get(name).unwrap_or_default().to_owned();
        Self { topic: said("topic"), event_type: said("type"), reason: said("reason") }
    }
}

impl LetterLine {
    pub fn of(row: &DeadLetterRow, now: Timestamp) -> Self {
        let instance = row.instance.clone().unwrap_or_default();
        let link = instance.split_once('/').map(|(saga, key)| instance_link(saga, key));
        Self {
            link: format!("{PATH}/{}/{}", row.partition, row.offset),
            place: format!("{}/{}", row.partition, row.offset),
            at: Shown::new(row.at, now),
            reason: row.reason.clone(),
            event_type: row.event_type.clone().unwrap_or_default(),
            origin: row.origin.clone().unwrap_or_default(),
            instance,
            instance_link: link,
        }
    }
}

impl LetterTold {
    pub fn of(detail: &DeadLetterDetail, role: Role, now: Timestamp) -> Self {
        let line = LetterLine::of(&detail.row, now);
        let unmasked = format!("{}?masks=off", line.link);
        Self {
            key: detail.key.clone().unwrap_or_default(),
            headers: detail.headers.clone(),
            body: detail.body.as_str().map_or_else(|| pretty(&detail.body), str::to_owned),
            is_masked: detail.is_masked,
            unmasked: (detail.is_masked && role >= Role::Admin).then_some(unmasked),
            command: format!("segue dead-letters {}", quoted(&line.place)),
            line,
        }
    }
}
