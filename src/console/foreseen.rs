//! What an act would do, in words, before it is done.

use askama::Template;
use axum::response::Response;

use super::act::body;
use super::drawing;
use super::frame::{Frame, Section, page};
use super::icons::StateShown;
use super::query::{Query, instance_link};
use super::sentence::{Sentence, Titles, sentence};
use super::times::now;
use crate::api::{self, Asked, At, Body, Problem, Service, Who};
use crate::definition::Catalog;
use crate::message::Timestamp;
use crate::view::Foreseen;

/// What is said to be the reason when only a look is asked for, and no reason is given yet.
const LOOK: &str = "a look at what it would do";

/// What an act would do to one instance, and the form that does it.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "foreseen.html")]
pub(super) struct ForeseenPage {
    pub frame: Frame,
    pub key: String,
    pub link: String,
    pub verb: String,
    pub foreseen: ForeseenTold,
    /// What the form sends again as it was said.
    pub kept: Vec<(String, String)>,
    /// The reason as it was said; none where an act needs none.
    pub why: Option<String>,
    pub is_grave: bool,
}

/// What an act would do, in words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ForeseenTold {
    /// Why it would not be obeyed; empty if it would be.
    pub refused: String,
    /// What would be sent, each with to whom.
    pub sent: Vec<String>,
    /// What the history would tell.
    pub notes: Vec<String>,
    /// Where it would stand; none if that is not known.
    pub after: Option<(StateShown, Sentence)>,
}

impl ForeseenTold {
    pub fn of(foreseen: &Foreseen, catalog: &Catalog, now: Timestamp) -> Self {
        let Foreseen { refused, sent, notes, after } = foreseen;
        let after = after.as_ref().and_then(|after| {
            let life = after.lives.first()?;
            let titles = Titles::of(drawing::definition(catalog, &after.saga, life.version));
            Some((StateShown::from(after.state), sentence(life, &titles, now)))
        });
        Self {
            refused: refused.clone().unwrap_or_default(),
            sent: sent.iter().map(|sent| format!("{} to {}", sent.what, sent.to)).collect(),
            notes: notes.iter().map(|note| note.words.clone()).collect(),
            after,
        }
    }
}

/// Answers what an act of a form would do; nothing is written.
pub(super) async fn look(
    service: Service,
    (saga, key): (String, String),
    who: Who,
    said: &Query,
) -> Result<Response, Problem> {
    let takes_why = said.get("verb") != Some("answer");
    let why = takes_why.then(|| said.get("why").unwrap_or_default().to_owned());
    let asked = match why.as_deref() {
        Some("") => said.with("why", LOOK),
        Some(_) | None => said.clone(),
    };
    // A look takes nothing back, so nobody has to be sure of it.
    let act = body(&asked.without("grave"))?;
    let at = At((saga.clone(), key.clone()));
    let waiting = serde_json::from_value(serde_json::json!({ "dry-run": "true" }));
    let waiting = Asked(waiting.map_err(|e| Problem::defect(e.to_string()))?);
    let state = axum::extract::State(service.clone());
    let headers = axum::http::HeaderMap::new();
    let looked = api::act(state, at, waiting, who.clone(), headers, Body(act)).await?;
    let (_, axum::Json(api::Answer { found, .. })) = looked;
    let foreseen = found.foreseen.ok_or_else(|| Problem::defect("a look has seen nothing"))?;
    let catalog = service.look(|view| Ok(view.catalog())).await?;
    let foreseen = ForeseenTold::of(&foreseen, &catalog, now());
    let frame = Frame::of(&service, &who, Section::Instances, format!("{saga}/{key}")).await?;
    page(&ForeseenPage {
        frame,
        link: instance_link(&saga, &key),
        key,
        verb: said.get("verb").unwrap_or_default().to_owned(),
        foreseen,
        kept: kept(said),
        why,
        is_grave: said.get("grave").is_some(),
    })
}

/// What the form sends again.
fn kept(said: &Query) -> Vec<(String, String)> {
    let asked_again = ["look", "why", "grave", "sure"];
    let kept = said.pairs().filter(|(name, _)| !asked_again.contains(name));
    kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
