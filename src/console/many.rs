//! Acts on many instances or dead letters: chosen, counted and looked at, then done, then watched.

use askama::Template;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::act;
use super::bulks;
use super::columns::COLUMN;
use super::foreseen::ForeseenTold;
use super::frame::{Frame, Section, grouped, lead, page};
use super::query::{Query, instance_link};
use super::times::now;
use crate::api::{self, Answer, Asked, Body, Problem, Role, Service, Tested, Who};

/// The form of an act on many, and what it would do.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "many.html")]
pub(super) struct ManyPage {
    pub frame: Frame,
    /// What it is about: `instances` or `dead letters`.
    pub of: &'static str,
    /// Which of them, as they were chosen.
    pub filters: Vec<(String, String)>,
    /// The list of them.
    pub list: String,
    /// Where the form is sent.
    pub action: String,
    pub verbs: Vec<Choice>,
    pub why: String,
    pub rate: String,
    /// What was found, if it was looked at.
    pub looked: Option<Looked>,
}

/// Something that can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub verb: &'static str,
    pub label: &'static str,
    /// What it does, in a sentence.
    pub effect: &'static str,
    pub is_chosen: bool,
}

/// What an act on many would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Looked {
    pub verb: &'static str,
    pub label: &'static str,
    pub effect: &'static str,
    pub is_grave: bool,
    /// How many it is about, as the form sends it and as people read it.
    pub members: usize,
    pub shown: String,
    /// What would become of the first of them.
    pub sample: Vec<Sample>,
    /// Those that it would leave out, with the reason.
    pub left_out: Vec<(String, String)>,
    /// Tells this showing of the form from all others: sent twice, it begins once.
    pub form_id: String,
}

/// What would become of one of many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    pub name: String,
    pub link: String,
    pub foreseen: ForeseenTold,
}

/// What can be done about many, with its words and whether it cannot be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ManyVerb {
    pub verb: &'static str,
    label: &'static str,
    effect: &'static str,
    is_grave: bool,
}

const fn verb(
    verb: &'static str,
    label: &'static str,
    effect: &'static str,
    is_grave: bool,
) -> ManyVerb {
    ManyVerb { verb, label, effect, is_grave }
}

/// What can be done about many instances, the likeliest first.
pub(super) const OF_INSTANCES: [ManyVerb; 8] = [
    verb("retry", "Retry", "What is stuck is sent again, with a new budget of attempts.", false),
    verb("pause", "Pause", "Nothing new is sent until they are resumed.", false),
    verb("resume", "Resume", "Those that are paused go on where they stood.", false),
    verb("skip", "Skip", "They go on as if the step that is stuck were not needed.", true),
    verb("resolve-done", "It has happened", "The step that is stuck counts as done.", true),
    verb(
        "resolve-not-done",
        "It has not happened",
        "The step that is stuck counts as failed.",
        true,
    ),
    verb("go-back", "Go back", "What is stuck takes the way back: what was done is undone.", true),
    verb("cancel", "Cancel", "They take the way back now: what was done is undone.", true),
];

/// What can be done about many dead letters.
pub(super) const OF_LETTERS: [ManyVerb; 2] = [
    verb("replay", "Replay", "Each goes back to where it was read from, and is read again.", false),
    verb("discard", "Discard", "Each is put away: nobody has to look at it any more.", true),
];

/// What an act on many is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Instances,
    Letters,
}

impl Kind {
    fn verbs(self) -> &'static [ManyVerb] {
        match self {
            Self::Instances => &OF_INSTANCES,
            Self::Letters => &OF_LETTERS,
        }
    }

    /// What an act on many was about, by its verb.
    pub fn of_verb(verb: &str) -> Self {
        let is_of_letters = OF_LETTERS.iter().any(|known| known.verb == verb);
        if is_of_letters { Self::Letters } else { Self::Instances }
    }

    /// The page of one of them: of an instance as `saga/key`, of a letter as `partition/offset`.
    pub fn page_of(self, name: &str) -> String {
        match (self, name.split_once('/')) {
            (Self::Instances, Some((saga, key))) => instance_link(saga, key),
            (Self::Letters, Some((partition, offset))) => {
                format!("/dead-letters/{}/{}", api::escaped(partition), api::escaped(offset))
            }
            (Self::Instances | Self::Letters, None) => self.list().to_owned(),
        }
    }

    /// The page of the list of them.
    pub fn list(self) -> &'static str {
        match self {
            Self::Instances => "/instances",
            Self::Letters => "/dead-letters",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Instances => "instances",
            Self::Letters => "dead letters",
        }
    }

    fn section(self) -> Section {
        match self {
            Self::Instances => Section::Instances,
            Self::Letters => Section::DeadLetters,
        }
    }
}

/// Answers the form for the instances of a list.
pub(super) async fn choose_instances(
    State(service): State<Service>,
    query: Query,
    who: Who,
) -> Result<Response, Problem> {
    choose(&service, &who, Kind::Instances, &query).await
}

/// Answers the form for the dead letters of a list.
pub(super) async fn choose_letters(
    State(service): State<Service>,
    query: Query,
    who: Who,
) -> Result<Response, Problem> {
    choose(&service, &who, Kind::Letters, &query).await
}

async fn choose(
    service: &Service,
    who: &Who,
    kind: Kind,
    query: &Query,
) -> Result<Response, Problem> {
    let said = Query::default().with("verb", query.get("verb").unwrap_or_default());
    let form = Form { kind, filter: filter(query), said };
    page(&form.page(service, who, None).await?)
}

/// Looks what an act on the instances of a list would do, or begins it.
pub(super) async fn act_on_instances(
    State(service): State<Service>,
    query: Query,
    who: Who,
    headers: HeaderMap,
    sent: Bytes,
) -> Result<Response, Problem> {
    let form = Form::read(Kind::Instances, &query, &headers, &sent)?;
    let chosen = form.chosen()?;
    let about = Tested { asked: form.filter.to()?, tests: Vec::new() };
    let (id, body) = (act::id(&form.said)?, Body(form.body("verb", chosen)?));
    let begun =
        api::act_on_many(State(service.clone()), about, form.raw(), who.clone(), id, body).await?;
    let (_, Json(Answer { found, .. })) = begun;
    if found.is_written {
        return Ok(lead(&bulks::link(&found.id)));
    }
    let catalog = service.look(|view| Ok(view.catalog())).await?;
    let now = now();
    let sample = found.sample.iter().map(|sampled| Sample {
        name: sampled.instance.clone(),
        link: form.kind.page_of(&sampled.instance),
        foreseen: ForeseenTold::of(&sampled.foreseen, &catalog, now),
    });
    let looked = chosen.looked(found.members, sample.collect(), Vec::new())?;
    page(&form.page(&service, &who, Some(looked)).await?)
}

/// Looks what would be done with the dead letters of a list, or begins it.
pub(super) async fn act_on_letters(
    State(service): State<Service>,
    query: Query,
    who: Who,
    headers: HeaderMap,
    sent: Bytes,
) -> Result<Response, Problem> {
    let form = Form::read(Kind::Letters, &query, &headers, &sent)?;
    let chosen = form.chosen()?;
    let about = Asked(form.filter.to()?);
    let (id, body) = (act::id(&form.said)?, Body(form.body("how", chosen)?));
    let begun =
        api::clear_many(State(service.clone()), about, form.raw(), who.clone(), id, body).await?;
    let (_, Json(Answer { found, .. })) = begun;
    if found.is_written {
        return Ok(lead(&bulks::link(&found.id)));
    }
    let left_out = found.left_out.into_iter().map(|left| (left.letter, left.why)).collect();
    let looked = chosen.looked(found.members, Vec::new(), left_out)?;
    page(&form.page(&service, &who, Some(looked)).await?)
}

/// What a form says about which.
struct Form {
    kind: Kind,
    filter: Query,
    said: Query,
}

impl Form {
    fn read(kind: Kind, query: &Query, headers: &HeaderMap, sent: &Bytes) -> Result<Self, Problem> {
        Ok(Self { kind, filter: filter(query), said: act::read(headers, sent)? })
    }

    /// What is to be done.
    fn chosen(&self) -> Result<ManyVerb, Problem> {
        let said = self.said.get("verb").unwrap_or_default();
        let found = self.kind.verbs().iter().find(|verb| verb.verb == said).copied();
        let verb = found.ok_or_else(|| Problem::wrong("nothing was chosen that can be done"))?;
        if verb.is_grave && self.said.get("expect").is_some() {
            act::check_sure(&self.said)?;
        }
        Ok(verb)
    }

    /// The filter as the record of the act tells it.
    fn raw(&self) -> RawQuery {
        RawQuery(Some(self.filter.link("").trim_start_matches('?').to_owned()))
    }

    /// The act as the API takes it.
    fn body(&self, name: &str, chosen: ManyVerb) -> Result<Value, Problem> {
        let mut body = Map::new();
        body.insert(name.to_owned(), chosen.verb.into());
        body.insert("why".to_owned(), self.said.get("why").unwrap_or_default().into());
        for name in ["expect", "rate"] {
            let Some(said) = self.said.get(name) else { continue };
            let number = said.parse::<u32>();
            let number = number.map_err(|_| Problem::wrong(format!("`{name}` is no number")))?;
            body.insert(name.to_owned(), json!(number));
        }
        Ok(Value::Object(body))
    }

    async fn page(
        &self,
        service: &Service,
        who: &Who,
        looked: Option<Looked>,
    ) -> Result<ManyPage, Problem> {
        let of = self.kind.words();
        let title = format!("Act on many {of}");
        let frame = Frame::of(service, who, self.kind.section(), title).await?;
        let said = |name: &str| self.said.get(name).unwrap_or_default().to_owned();
        let verb = said("verb");
        let list = self.kind.list();
        Ok(ManyPage {
            frame,
            of,
            filters: pairs(&self.filter),
            list: self.filter.link(list),
            action: self.filter.link(&format!("{list}/acts")),
            verbs: self.kind.verbs().iter().map(|known| known.choice(&verb)).collect(),
            why: said("why"),
            rate: said("rate"),
            looked,
        })
    }
}

impl ManyVerb {
    fn choice(self, chosen: &str) -> Choice {
        let Self { verb, label, effect, .. } = self;
        Choice { verb, label, effect, is_chosen: verb == chosen }
    }

    fn looked(
        self,
        members: usize,
        sample: Vec<Sample>,
        left_out: Vec<(String, String)>,
    ) -> Result<Looked, Problem> {
        let form_id = api::draw().map_err(|e| Problem::defect(format!("no randomness: {e}")))?;
        let Self { verb, label, effect, is_grave } = self;
        let shown = grouped(u64::try_from(members).unwrap_or(u64::MAX));
        Ok(Looked { verb, label, effect, is_grave, members, shown, sample, left_out, form_id })
    }
}

/// Which of them: what stands in the address, but for what is about one page of a list.
fn filter(query: &Query) -> Query {
    let others = ["sort", "limit", "after", "verb", COLUMN];
    others.into_iter().fold(query.clone(), |query, name| query.without(name))
}

fn pairs(query: &Query) -> Vec<(String, String)> {
    query.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The form that acts on all of a list, for those who may, where a filter says which.
pub(super) fn link(kind: Kind, query: &Query, shown: usize, role: Role) -> Option<String> {
    let filter = filter(query);
    let is_offered = shown > 0 && role >= Role::Operator && filter != Query::default();
    is_offered.then(|| filter.link(&format!("{}/acts", kind.list())))
}
