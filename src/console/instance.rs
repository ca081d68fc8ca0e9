use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::data::{DataField, fields};
use super::drawing;
use super::frame::{Frame, Section, grouped, page};
use super::icons::StateShown;
use super::lifeline::{Lifeline, lifeline};
use super::offers::{Offer, offers, quoted};
use super::query::{Query, instance_link};
use super::sentence::{Sentence, Titles, sentence};
use super::story::{StoryEntry, story};
use super::times::{Shown, now, rough, took};
use crate::api::{self, At, Problem, Role, Service, Showing, Who};
use crate::definition::Catalog;
use crate::message::Timestamp;
use crate::status::{Moment, OwedStanding, Standing, StepStanding};
use crate::view::{Detail, Entry};

/// So many entries of the history are read at first, and at most.
const ENTRIES: usize = 200;
const ENTRIES_MAX: usize = 1_000;

/// One instance.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "instance.html")]
pub(super) struct InstancePage {
    pub frame: Frame,
    pub told: InstanceTold,
    /// What came of the act that led here.
    pub acted: Option<Acted>,
    /// Tells this showing of the forms from all others, so that an act that is sent twice counts
    /// once.
    pub form_id: String,
}

/// What came of an act, as the page says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Acted {
    pub is_known: bool,
    pub words: String,
}

/// What is told of an instance, without what stands around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InstanceTold {
    pub saga: String,
    pub key: String,
    pub link: String,
    pub saga_link: String,
    pub title: String,
    pub state: StateShown,
    pub sentence: Sentence,
    pub facts: Vec<Fact>,
    pub steps: Vec<StepTold>,
    pub owed: Vec<OwedTold>,
    pub offers: Vec<Offer>,
    /// The drawing, as SVG.
    pub drawing: String,
    pub line: Option<Lifeline>,
    pub story: Vec<StoryEntry>,
    /// How many entries of the history are not shown.
    pub earlier: String,
    /// The page with more of them.
    pub more: Option<String>,
    pub data: Vec<DataField>,
    pub is_masked: bool,
    /// The page without masks, for those who may see it.
    pub unmasked: Option<String>,
    pub relatives: Vec<Relative>,
    pub waiting: Vec<String>,
    /// The same on the command line.
    pub command: String,
}

/// A particular of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub name: &'static str,
    pub value: String,
    /// What stands there exactly, of a moment.
    pub exact: String,
}

/// A step under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StepTold {
    pub name: String,
    pub step: String,
    pub kind: String,
    pub undoing: bool,
    pub attempts: String,
    pub since: Option<Shown>,
    pub due: Option<Shown>,
}

/// A compensation that is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwedTold {
    pub name: String,
    pub to: String,
    pub since: Shown,
    pub attempts: u32,
    pub parked: bool,
}

/// A parent or a child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relative {
    pub role: &'static str,
    pub name: String,
    pub step: String,
    pub link: String,
}

/// What a page is made of, beside the time and who looks.
pub(super) struct Known<'a> {
    pub detail: &'a Detail,
    pub entries: &'a [Entry],
    pub catalog: &'a Catalog,
}

/// Answers the page of an instance.
pub(super) async fn show(
    State(service): State<Service>,
    At((saga, key)): At<(String, String)>,
    query: Query,
    who: Who,
) -> Result<Response, Problem> {
    let id = api::instance(&saga, &key)?;
    let showing: Showing = query.without("acted").without("entries").to()?;
    let masks = api::masks(showing.masks.as_deref(), &who)?;
    let entries = if query.get("entries").is_some() { ENTRIES_MAX } else { ENTRIES };
    let asked = id.clone();
    let looked = service.look(move |view| {
        let detail = view.instance(&asked, masks)?.found;
        let entries = view.history(&asked, entries)?.found;
        Ok((detail, entries.unwrap_or_default(), view.catalog()))
    });
    let (detail, entries, catalog): (_, Vec<Entry>, Arc<Catalog>) = looked.await?;
    let Some(detail) = detail else { return Err(service.unknown(&id).await) };
    let frame = Frame::of(&service, &who, Section::Instances, id.to_string()).await?;
    let known = Known { detail: &detail, entries: &entries, catalog: &catalog };
    let told = InstanceTold::of(&known, &query, who.role, now());
    let acted = query.get("acted").map(|at| Acted::of(at, &entries));
    let form_id = api::draw().map_err(|e| Problem::defect(format!("no randomness: {e}")))?;
    page(&InstancePage { frame, told, acted, form_id })
}

impl Acted {
    /// What the history says of an act; nothing of it stands in the address but the place.
    pub fn of(place: &str, entries: &[Entry]) -> Self {
        let is_there = |entry: &&Entry| entry.stored.offset.to_string() == place;
        let Some(entry) = entries.iter().find(is_there) else {
            let words = "The act is written; the history tells what comes of it.".to_owned();
            return Self { is_known: false, words };
        };
        let notes: Vec<&str> = entry.notes.iter().map(|note| note.words.as_str()).collect();
        Self { is_known: true, words: notes.join("; ") }
    }
}

impl InstanceTold {
    pub fn of(known: &Known<'_>, query: &Query, role: Role, now: Timestamp) -> Self {
        let Known { detail, entries, catalog } = known;
        let overview = &detail.overview;
        let life = overview.lives.first();
        let definition =
            life.and_then(|life| drawing::definition(catalog, &overview.saga, life.version));
        let titles = Titles::of(definition);
        let link = instance_link(&overview.saga, &overview.key);
        let shown = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        let earlier = detail.entries.saturating_sub(shown);
        let is_masked = life.is_some_and(|life| life.is_masked);
        let unmasked = query.without("acted").with("masks", "off").link(&link);
        let more = query.without("acted").with("entries", "all").link(&link);
        let end = life.and_then(|life| life.ended).map_or(now, |Moment(at)| at);
        let drawn = definition.zip(life);
        Self {
            saga: overview.saga.clone(),
            key: overview.key.clone(),
            saga_link: format!("/sagas/{}", api::escaped(&overview.saga)),
            title: life.map(|life| life.title.clone()).unwrap_or_default(),
            state: overview.state.into(),
            sentence: match life {
                Some(life) => sentence(life, &titles, now),
                None => lifeless(overview.early.len(), overview.queued.len()),
            },
            facts: life.map(|life| facts(life, detail, now)).unwrap_or_default(),
            steps: steps(life, &titles, now),
            owed: owed(life, &titles, now),
            offers: offers(overview, role, &titles),
            drawing: drawn.map_or_else(String::new, |(definition, life)| {
                drawing::of_life(catalog, definition, life)
            }),
            line: life.and_then(|life| lifeline(entries, &life.life, &titles, end)),
            story: story(entries, &titles),
            earlier: if earlier == 0 { String::new() } else { grouped(earlier) },
            more: (earlier > 0 && query.get("entries").is_none()).then_some(more),
            data: life.map(|life| fields(&life.data)).unwrap_or_default(),
            is_masked,
            unmasked: (is_masked && role >= Role::Admin).then_some(unmasked),
            relatives: life.map(relatives).unwrap_or_default(),
            waiting: waiting(detail, now),
            command: format!("segue show {} {}", quoted(&overview.saga), quoted(&overview.key)),
            link,
        }
    }
}

fn lifeless(early: usize, queued: usize) -> Sentence {
    let now = if queued > 0 {
        "Its start waits for the end of a pause of its saga.".to_owned()
    } else if early > 0 {
        "An event came that waits for the start which it belongs to.".to_owned()
    } else {
        "It has no life at present.".to_owned()
    };
    Sentence { now, next: String::new() }
}

fn facts(life: &Standing, detail: &Detail, now: Timestamp) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut moment = |name, at: Option<Moment>| {
        if let Some(shown) = Shown::maybe(at, now) {
            facts.push(Fact { name, value: shown.words, exact: shown.exact });
        }
    };
    moment("Started", Some(life.started));
    moment("Ended", life.ended);
    moment("Deadline", life.deadline.filter(|_| life.ended.is_none()));
    moment("Next timer", life.next_due.filter(|_| life.ended.is_none()));
    moment("Forgotten", life.forgotten_at);
    moment("Last change", Some(detail.changed));
    let mut text = |name, value: String| facts.push(Fact { name, value, exact: String::new() });
    let end = life.ended.map_or(now, |Moment(at)| at);
    let span = end.since(life.started.0);
    text("Took", if life.ended.is_some() { took(span) } else { format!("{} so far", rough(span)) });
    text("Version", life.version.map_or_else(|| "unknown".to_owned(), |v| v.to_string()));
    text("Transitions", grouped(life.transitions));
    text("Life", life.life.clone());
    text("Trace", life.trace.clone());
    let place = &detail.stored;
    text("Stored at", format!("{}[{}]@{}", place.topic, place.partition, place.offset));
    facts
}

fn steps(life: Option<&Standing>, titles: &Titles, now: Timestamp) -> Vec<StepTold> {
    let all = life.map(|life| life.steps.as_slice()).unwrap_or_default();
    let told = |step: &StepStanding| StepTold {
        name: titles.name(&step.step),
        step: step.step.clone(),
        kind: step.kind.clone(),
        undoing: step.undoing,
        attempts: match (step.attempt, step.attempts_max) {
            (Some(attempt), Some(most)) => format!("{attempt} of {most}"),
            (Some(attempt), None) => attempt.to_string(),
            (None, _) => String::new(),
        },
        since: Shown::maybe(step.since, now),
        due: Shown::maybe(step.due.or(step.until), now),
    };
    all.iter().map(told).collect()
}

fn owed(life: Option<&Standing>, titles: &Titles, now: Timestamp) -> Vec<OwedTold> {
    let all = life.map(|life| life.owed.as_slice()).unwrap_or_default();
    let told = |owed: &OwedStanding| OwedTold {
        name: titles.name(&owed.step),
        to: owed.to.clone(),
        since: Shown::new(owed.since, now),
        attempts: owed.attempts,
        parked: owed.parked,
    };
    all.iter().map(told).collect()
}

fn relatives(life: &Standing) -> Vec<Relative> {
    let parent = life.parent.iter().map(|parent| Relative {
        role: "Child of",
        name: format!("{}/{}", parent.saga, parent.key),
        step: parent.step.clone(),
        link: instance_link(&parent.saga, &parent.key),
    });
    let children = life.children.iter().map(|child| Relative {
        role: "Parent of",
        name: format!("{}/{}", child.saga, child.key),
        step: child.step.clone(),
        link: instance_link(&child.saga, &child.key),
    });
    parent.chain(children).collect()
}

/// What waits for an instance, and who waits for it if it is a lock.
fn waiting(detail: &Detail, now: Timestamp) -> Vec<String> {
    let overview = &detail.overview;
    let mut lines = Vec::new();
    for start in &overview.queued {
        let at = Shown::new(start.at, now).words;
        lines.push(format!("{} of {at} starts the next life", start.event));
    }
    for event in &overview.early {
        lines.push(format!("{} came early, {}", event.event, Shown::new(event.at, now).words));
    }
    if let Some(lock) = &overview.lock {
        if let Some(holder) = &lock.holder {
            lines.push(format!("held by {}/{} at {}", holder.saga, holder.key, holder.step));
        }
        let claims = lock.waiting.iter();
        lines.extend(claims.map(|c| format!("{}/{} waits at {}", c.saga, c.key, c.step)));
    }
    lines
}
