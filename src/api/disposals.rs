use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::Role;
use super::dead_letters::unknown;
use super::owners::Who;
use super::problem::{Code, Problem};
use super::request::{Asked, At, Body, idempotency_key, is_set, wait};
use super::resent::{Edit, Replay, destination};
use super::service::{Answer, Service};
use crate::correlation::Index;
use crate::definition::Catalog;
use crate::message::{Disposal, Disposed, EngineTopics, Offset, Outgoing, RawRecord, Topic};
use crate::runtime::SourceRecord;
use crate::status::Masks;
use crate::view::DisposalTold;

/// The longest reason, in bytes.
const WHY_BYTES_MAX: usize = 10_000;

/// How something is done with a dead letter.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Handling {
    /// Waits so long until the list says so, such as `10s`; a minute at most.
    wait: Option<String>,
    /// Only says what would be written; what would be refused is refused as ever.
    #[serde(rename = "dry-run")]
    #[param(rename = "dry-run")]
    dry_run: Option<String>,
}

/// Why a dead letter is given up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Discarding {
    /// Why; everybody who looks at it reads it.
    why: String,
}

/// How a dead letter is replayed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Replaying {
    /// Why; it is written beside the record.
    why: String,
    /// Also if it was replayed or discarded before.
    #[serde(default)]
    again: bool,
    /// What is changed in it; without it, nothing is.
    #[serde(skip)]
    edit: Option<Edit>,
}

/// What was done with a dead letter.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Handled {
    /// The act's id: the same id is obeyed once.
    id: String,
    /// The dead letter, as `partition/offset`.
    letter: String,
    /// `replayed` or `discarded`.
    how: String,
    /// Who asked.
    by: String,
    /// Where it was written to, if it was replayed.
    topic: Option<String>,
    /// What was changed in it.
    edited: Vec<String>,
    /// Whether it was written; not if it was only asked what would be.
    is_written: bool,
    /// What the list says of it; none if that was not waited for, or not long enough.
    disposal: Option<DisposalTold>,
}

/// What a handler answers.
type Done = Result<(StatusCode, Json<Answer<Handled>>), Problem>;

/// Writes a dead letter to the topic that it had been read from: byte for byte, or edited, without
/// the headers that it got when it was put aside. The headers of the new record say where it has
/// been, who has replayed it and why. An event that was taken already is not taken twice.
#[utoipa::path(
    post, path = "/api/v1/dead-letters/{partition}/{offset}/replay", tag = "dead-letters",
    request_body = Replaying,
    params(
        ("partition" = i32, Path, description = "The partition of `<app>.dead-letters`"),
        ("offset" = i64, Path, description = "The offset there"),
        ("idempotency-key" = Option<String>, Header, description = "The act's own id"),
        Handling,
    ),
    responses(
        (status = 200, body = Answer<Handled>, description = "The list says so, or what would be"),
        (status = 202, body = Answer<Handled>, description = "It is written"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn replay(
    State(service): State<Service>,
    At(place): At<(i32, i64)>,
    Asked(handling): Asked<Handling>,
    who: Who,
    headers: HeaderMap,
    Body(body): Body,
) -> Done {
    let Replaying { why, again, edit } = replaying(body)?;
    let edit = edit.unwrap_or_default();
    let meant = Meant::of(&service, place, Disposed::Replayed, who, &headers, why)?;
    let Some((row, record)) = service.look(move |view| view.letter(place.0, place.1)).await? else {
        return Err(unknown(place));
    };
    if let Some(told) = row.disposal.filter(|_| !again) {
        return meant.once(&service, told).await;
    }
    check_masks(&service, place, &meant.who, &edit).await?;
    let catalog = service.look(|view| Ok(view.catalog())).await?;
    let raw = raw(&catalog, &meant.topics.operator, &record, &meant.disposal, &edit)?;
    meant.done(&service, &handling, Some(raw), edit.changes()).await
}

/// Gives a dead letter up: it is listed no more among those that are open.
#[utoipa::path(
    post, path = "/api/v1/dead-letters/{partition}/{offset}/discard", tag = "dead-letters",
    request_body = Discarding,
    params(
        ("partition" = i32, Path, description = "The partition of `<app>.dead-letters`"),
        ("offset" = i64, Path, description = "The offset there"),
        ("idempotency-key" = Option<String>, Header, description = "The act's own id"),
        Handling,
    ),
    responses(
        (status = 200, body = Answer<Handled>, description = "The list says so, or what would be"),
        (status = 202, body = Answer<Handled>, description = "It is written"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn discard(
    State(service): State<Service>,
    At(place): At<(i32, i64)>,
    Asked(handling): Asked<Handling>,
    who: Who,
    headers: HeaderMap,
    Body(body): Body,
) -> Done {
    let discarding = serde_json::from_value(body);
    let Discarding { why } = discarding.map_err(|e| Problem::wrong(e.to_string()))?;
    let meant = Meant::of(&service, place, Disposed::Discarded, who, &headers, why)?;
    let Some((row, _)) = service.look(move |view| view.letter(place.0, place.1)).await? else {
        return Err(unknown(place));
    };
    if let Some(told) = row.disposal {
        return meant.once(&service, told).await;
    }
    meant.done(&service, &handling, None, Vec::new()).await
}

/// The record that a dead letter is replayed as.
///
/// # Errors
/// When it cannot be, and what can be done instead.
pub(super) fn raw(
    catalog: &Catalog,
    operator: &Topic,
    record: &SourceRecord,
    Disposal { by, why, .. }: &Disposal,
    edit: &Edit,
) -> Result<RawRecord, Problem> {
    let read = Index::new(catalog).topics();
    let origin = &destination(&record.headers, |topic| read.contains(topic), operator)?;
    let replay = Replay { letter: &record.origin, origin, by, why };
    let body = record.body.clone().unwrap_or_default();
    replay.record(record.key.clone(), &record.headers, &body, edit)
}

/// The record that tells what was done with a dead letter.
pub(super) fn told(topic: Topic, disposal: &Disposal) -> Outgoing {
    let (key, headers) = disposal.record();
    Outgoing { topic, key, headers, body: Bytes::new() }
}

/// Whether something is a reason that can stand beside a dead letter.
pub(super) fn check_why(why: &str) -> Result<(), Problem> {
    if why.trim().is_empty() {
        return Err(Problem::wrong("`why` is missing; say the reason"));
    }
    if why.len() > WHY_BYTES_MAX {
        let detail = format!("`why` has {} bytes; {WHY_BYTES_MAX} at most", why.len());
        return Err(Problem::wrong(detail));
    }
    Ok(())
}

/// Reads how it is replayed.
fn replaying(body: Value) -> Result<Replaying, Problem> {
    let Value::Object(mut fields) = body else {
        return Err(Problem::wrong("a replay is a JSON object with its `why`"));
    };
    let edit = fields.remove("edit").map(Edit::read).transpose()?;
    let replaying = serde_json::from_value(Value::Object(fields));
    let replaying: Replaying = replaying.map_err(|e| Problem::wrong(e.to_string()))?;
    Ok(Replaying { edit, ..replaying })
}

/// Who does not see what is masked must not write it over by accident.
async fn check_masks(
    service: &Service,
    (partition, offset): (i32, i64),
    who: &Who,
    edit: &Edit,
) -> Result<(), Problem> {
    if edit.body.is_none() && edit.patch.is_none() {
        return Ok(());
    }
    let shown = service.look(move |view| view.dead_letter_as(partition, offset, Masks::On)).await?;
    if !shown.found.is_some_and(|letter| letter.is_masked) {
        return Ok(());
    }
    if edit.holds_masks() {
        return Err(Problem::wrong("`***` stands for what is masked; leave these fields out"));
    }
    if edit.body.is_some() && who.role < Role::Admin {
        let detail = format!("{} is {} and does not see all of the body", who.name, who.role);
        return Err(Problem::new(Code::Forbidden, detail, "change it by `patch`, or ask an admin"));
    }
    Ok(())
}

/// What is to be done with a dead letter.
struct Meant {
    who: Who,
    topics: EngineTopics,
    disposal: Disposal,
}

impl Meant {
    fn of(
        service: &Service,
        (partition, offset): (i32, i64),
        how: Disposed,
        who: Who,
        headers: &HeaderMap,
        why: String,
    ) -> Result<Self, Problem> {
        check_why(&why)?;
        let topics = EngineTopics::new(&service.app).map_err(|e| Problem::defect(e.to_string()))?;
        let (by, id) = (who.name.clone(), idempotency_key(headers)?);
        let disposal = Disposal { partition, offset: Offset(offset), how, by, why, id };
        Ok(Self { who, topics, disposal })
    }

    /// Something was done with it before: the same that is asked, or something else.
    async fn once(self, service: &Service, told: DisposalTold) -> Done {
        let is_same = told.id == self.disposal.id && told.by == self.disposal.by;
        if is_same && told.how == self.disposal.how.text() {
            let freshness = service.look(|view| Ok(view.freshness())).await?;
            let mut found = self.handled(None, Vec::new(), true);
            found.disposal = Some(told);
            return Ok((StatusCode::OK, Json(Answer { found, freshness })));
        }
        let DisposalTold { how, at, by, why, .. } = told;
        let detail = format!("it was {how} by {by} at {at}: {why}");
        let mend = match self.disposal.how {
            Disposed::Replayed => "replay it with `again` if that is meant",
            Disposed::Discarded => "leave it: it is not open",
        };
        Err(Problem::new(Code::Refused, detail, mend))
    }

    fn handled(&self, topic: Option<String>, edited: Vec<String>, is_written: bool) -> Handled {
        let Disposal { partition, offset, how, by, id, .. } = &self.disposal;
        Handled {
            id: id.clone(),
            letter: format!("{partition}/{offset}"),
            how: how.text().to_owned(),
            by: by.clone(),
            topic,
            edited,
            is_written,
            disposal: None,
        }
    }

    /// Writes the record first, then that it is done: an end between the two leaves the letter
    /// open, and an event that comes again is taken once.
    async fn done(
        self,
        service: &Service,
        handling: &Handling,
        raw: Option<RawRecord>,
        edited: Vec<String>,
    ) -> Done {
        let wait = wait(handling.wait.as_deref())?;
        let is_dry = is_set("dry-run", handling.dry_run.as_deref())?;
        let topic = raw.as_ref().map(|raw| raw.topic.to_string());
        let mut found = self.handled(topic, edited, !is_dry);
        let mut status = if is_dry { StatusCode::OK } else { StatusCode::ACCEPTED };
        if !is_dry {
            if let Some(raw) = raw {
                service.write_raw(raw).await?;
            }
            service.write(self::told(self.topics.dead_letters.clone(), &self.disposal)).await?;
            let Handled { letter, how, by, id, .. } = &found;
            tracing::info!(letter, how, by, id, "dead_letter.disposed");
        }
        if let Some(wait) = wait.filter(|_| !is_dry) {
            let Disposal { partition, offset, id, .. } = &self.disposal;
            let (partition, offset) = (*partition, offset.0);
            let come = || async {
                let told = service.look(move |view| view.disposal(partition, offset)).await?;
                Ok::<_, Problem>(told.filter(|told| told.id == *id))
            };
            found.disposal = service.until(wait, come).await?;
            if found.disposal.is_some() {
                status = StatusCode::OK;
            }
        }
        let freshness = service.look(|view| Ok(view.freshness())).await?;
        Ok((status, Json(Answer { found, freshness })))
    }
}
