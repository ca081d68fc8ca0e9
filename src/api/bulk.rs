use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::acts::{self, Act};
use super::instances::Listing;
use super::owners::Who;
use super::problem::{Code, Problem};
use super::request::{At, Body, Tested, idempotency_key};
use super::runs::{Member, Run, record};
use super::service::{Answer, Service};
use crate::message::{Bulk, BulkRecord, EngineTopics, InstanceId, Key, Outgoing, SagaName};
use crate::runtime::{ACT_BYTES_MAX, act_of};
use crate::view::{BulkRow, Filter, Foreseen, Fresh, Row, Sort, View};

/// The most instances of one act.
pub(super) const MEMBERS_MAX: usize = 1_000;
/// So many of them are foreseen.
const SAMPLE: usize = 5;
/// Members a second: by default, and at the most.
const RATES: (u32, u32) = (10, 100);
/// The longest id, in bytes: those of the members are longer.
const ID_BYTES_MAX: usize = 190;
const ROWS: usize = 100;
/// The mend where there are too many.
pub(super) const NARROW: &str = "narrow it, at last by their time";

/// How an act on many instances is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pace {
    /// How many instances it may be about, as the answer without it has said.
    expect: Option<usize>,
    /// Members a second.
    rate: Option<u32>,
}

/// An act on many instances that begins, or what it would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Begun {
    /// Its id; the same id begins once.
    pub id: String,
    /// How many instances it is about.
    pub members: usize,
    /// Whether it is being written; not if only the count and the sample were asked.
    pub is_written: bool,
    /// What it would do to the first of them; empty once it is being written.
    pub sample: Vec<Sampled>,
}

/// What an act would do to one of many instances.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sampled {
    /// The instance, as `saga/key`.
    pub instance: String,
    /// What it would do to it.
    pub foreseen: Foreseen,
}

/// An act on many instances, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BulkShown {
    /// `running` on this server, `done`, `stopped`, `failed`, or `unended`: nothing tells of its
    /// end, for its server ended in the middle, or is another one.
    pub state: String,
    /// What Kafka tells of it.
    pub bulk: BulkRow,
}

/// An act on many instances with its members.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BulkWhole {
    /// As the list says it.
    pub state: String,
    /// What Kafka tells of it.
    pub bulk: BulkRow,
    /// Its members, as `saga/key`, in the order in which they are written; empty if the record that
    /// names them is not kept any more.
    pub instances: Vec<String>,
}

/// An act on many instances that stops.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stopping {
    /// Its id.
    id: String,
    /// Who asked.
    by: String,
}

/// Does the same about every instance that a list with these parameters would show, at most 1000.
/// Without `expect` it only counts them and says what would become of the first; with the count as
/// `expect` it is written, one act after the other. Its members stand in one record of
/// `<app>.operator`, and the id of each act begins with that of the whole.
#[utoipa::path(
    post, path = "/api/v1/bulk", tag = "acts",
    request_body(
        content = Value,
        description = "An act as it is asked of one instance, with `expect`: how many it may be \
                       about, and `rate`: members a second, 10 by default, 100 at most",
    ),
    params(
        Listing,
        (
            "where" = Option<Vec<String>>, Query, example = json!(["data.total>=100"]),
            description = "What a field is that a definition names under `search`"
        ),
        ("idempotency-key" = Option<String>, Header, description = "Its own id"),
    ),
    responses(
        (status = 200, body = Answer<Begun>, description = "What it would do, or it began before"),
        (status = 202, body = Answer<Begun>, description = "It is being written"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn begin(
    State(service): State<Service>,
    Tested { asked: listing, tests }: Tested<Listing>,
    RawQuery(query): RawQuery,
    who: Who,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<(StatusCode, Json<Answer<Begun>>), Problem> {
    let (act, pace) = read(body)?;
    acts::check_role(&act, &who)?;
    let id = own_id(&headers)?;
    let pause = self::pause(pace.rate)?;
    let filter = listing.whole(tests, &service.view.catalog())?;
    if let Some(found) = before(&service, &id).await? {
        return Ok((StatusCode::OK, Json(found)));
    }
    let Fresh { found: rows, freshness } = chosen(&service, filter).await?;
    let topics = EngineTopics::new(&service.app).map_err(|e| Problem::defect(e.to_string()))?;
    let members = members(&topics, &rows, &act, (&id, &who.name))?;
    let bulk = Bulk {
        id,
        by: who.name,
        why: act.why.clone().unwrap_or_default(),
        act: act.verb.clone(),
        filter: query.unwrap_or_default(),
        instances: members.iter().map(|(id, _)| id.to_string()).collect(),
    };
    check_size(&topics, &bulk)?;
    let count = members.len();
    let (id, is_written) = (bulk.id.clone(), pace.expect.is_some());
    let mut begun = Begun { id, members: count, is_written, sample: Vec::new() };
    let Some(expected) = pace.expect else {
        begun.sample = sample(&service, &members).await?;
        return Ok((StatusCode::OK, Json(Answer { found: begun, freshness })));
    };
    // Fewer are fewer that still need it; more are some that nobody has seen.
    if count > expected {
        let detail = format!("{count} instances are like that now, not {expected}");
        return Err(Problem::new(Code::Refused, detail, "look again without `expect`"));
    }
    let messages = members.into_iter().map(|(_, message)| message.into()).collect();
    start(&service, &bulk, messages, pause).await?;
    Ok((StatusCode::ACCEPTED, Json(Answer { found: begun, freshness })))
}

/// Its own id, which those of its members begin with.
pub(super) fn own_id(headers: &HeaderMap) -> Result<String, Problem> {
    let id = idempotency_key(headers)?;
    if id.len() > ID_BYTES_MAX {
        let detail = format!("`Idempotency-Key` has {} bytes; {ID_BYTES_MAX} at most", id.len());
        return Err(Problem::wrong(detail));
    }
    Ok(id)
}

/// The instances that it is about, the oldest first.
async fn chosen(service: &Service, filter: Filter) -> Result<Fresh<Vec<Row>>, Problem> {
    let page = service.look(move |view| view.instances(&filter, Sort::Oldest, None, MEMBERS_MAX));
    let Fresh { found: page, freshness } = page.await?;
    if page.next.is_some() {
        let detail = format!("more than {MEMBERS_MAX} instances are like that");
        return Err(Problem::new(Code::Wrong, detail, NARROW));
    }
    if page.instances.is_empty() {
        let mend = "look at the list with the same parameters";
        return Err(Problem::new(Code::NotFound, "no instance is like that", mend));
    }
    Ok(Fresh { found: page.instances, freshness })
}

/// Whether the engine can pass over the record that tells of it.
fn check_size(topics: &EngineTopics, bulk: &Bulk) -> Result<Outgoing, Problem> {
    let told = record(&topics.operator, &BulkRecord::Begun(bulk.clone()));
    let bytes = told.body.len();
    if bytes > ACT_BYTES_MAX {
        let detail =
            format!("the record that names its members has {bytes} bytes; {ACT_BYTES_MAX} at most");
        return Err(Problem::new(Code::Wrong, detail, NARROW));
    }
    Ok(told)
}

/// Reads what is done, and how fast.
fn read(body: Value) -> Result<(Act, Pace), Problem> {
    let Value::Object(mut fields) = body else {
        return Err(Problem::wrong("an act is a JSON object with a `verb`"));
    };
    let mut pace = Map::new();
    for name in ["expect", "rate"] {
        if let Some(value) = fields.remove(name) {
            pace.insert(name.to_owned(), value);
        }
    }
    let pace = serde_json::from_value(Value::Object(pace));
    let pace = pace.map_err(|e| Problem::wrong(format!("`expect`, `rate`: {e}")))?;
    Ok((acts::read(Value::Object(fields))?, pace))
}

/// The pause between two members.
pub(super) fn pause(rate: Option<u32>) -> Result<Duration, Problem> {
    let (default, most) = RATES;
    match rate.unwrap_or(default) {
        rate if (1..=most).contains(&rate) => Ok(Duration::from_secs(1) / rate),
        rate => Err(Problem::wrong(format!("`rate` is {rate}; it is 1 to {most} a second"))),
    }
}

/// The same that was begun before.
pub(super) async fn before(service: &Service, id: &str) -> Result<Option<Answer<Begun>>, Problem> {
    // Asked first: what ends meanwhile was told before it was read.
    let is_here = service.runs.has(id);
    let asked = id.to_owned();
    let Fresh { found, freshness } = service.look(move |view| view.bulk(&asked)).await?;
    let Some(row) = found else {
        if is_here {
            let detail = format!("{id} has begun here, and the view has not read that yet");
            return Err(Problem::new(Code::TooMany, detail, "ask again in a second").after(1));
        }
        return Ok(None);
    };
    let members = usize::try_from(row.members).unwrap_or(usize::MAX);
    let found = Begun { id: row.id, members, is_written: true, sample: Vec::new() };
    Ok(Some(Answer { found, freshness }))
}

/// The instances with the act on each.
fn members(
    topics: &EngineTopics,
    rows: &[Row],
    act: &Act,
    (bulk, by): (&str, &str),
) -> Result<Vec<(InstanceId, Outgoing)>, Problem> {
    let mut members = Vec::with_capacity(rows.len());
    for (number, Row { saga, key, .. }) in rows.iter().enumerate() {
        let saga = SagaName::new(saga).map_err(|e| Problem::defect(e.to_string()))?;
        let key = Key::new(key).map_err(|e| Problem::defect(e.to_string()))?;
        let id = InstanceId { saga, key };
        let member = BulkRecord::member(bulk, number);
        let message = acts::message(&topics.operator, &id, act, &member, by);
        act_of(&message.topic, message.body.clone()).map_err(Problem::wrong)?;
        members.push((id, message));
    }
    Ok(members)
}

/// What would become of the first of them.
async fn sample(
    service: &Service,
    members: &[(InstanceId, Outgoing)],
) -> Result<Vec<Sampled>, Problem> {
    let mut sample = Vec::new();
    for (id, message) in members.iter().take(SAMPLE) {
        let (_, act) = act_of(&message.topic, message.body.clone()).map_err(Problem::wrong)?;
        let asked = id.clone();
        let foreseen = service.look(move |view| view.foresee(&asked, &act)).await?.found;
        // One that is not known any more is left out.
        let instance = id.to_string();
        sample.extend(foreseen.map(|foreseen| Sampled { instance, foreseen }));
    }
    Ok(sample)
}

/// Tells that it begins, then writes one member after the other on a thread.
pub(super) async fn start(
    service: &Service,
    bulk: &Bulk,
    members: Vec<Member>,
    pause: Duration,
) -> Result<(), Problem> {
    let topics = EngineTopics::new(&service.app).map_err(|e| Problem::defect(e.to_string()))?;
    let told = check_size(&topics, bulk)?;
    let Some(under_way) = service.runs.begin(&bulk.id) else {
        let detail = "this server writes too many of them already, or this one";
        return Err(Problem::new(Code::TooMany, detail, "wait for the end of one").after(1));
    };
    let Bulk { id, by, act, .. } = bulk;
    tracing::info!(id, by, verb = act, members = members.len(), "bulk.begun");
    service.write(told).await?;
    let (outbox, server) = (Arc::clone(&service.outbox), service.stopped.clone());
    let run = Run { under_way, outbox, operator: topics.operator, members, pause, server };
    let begun = thread::Builder::new().name("api-bulk".to_owned()).spawn(move || run.run());
    begun.map(|_| ()).map_err(|e| {
        let detail = format!("the system gives no thread: {e}");
        Problem::new(Code::Unavailable, detail, "try again in a minute, under another id")
    })
}

/// The acts on many instances, the newest first.
#[utoipa::path(
    get, path = "/api/v1/bulk", tag = "acts",
    responses(
        (status = 200, body = Answer<Vec<BulkShown>>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(service): State<Service>,
) -> Result<Json<Answer<Vec<BulkShown>>>, Problem> {
    let Fresh { found, freshness } = service.look(|view| view.bulks(ROWS)).await?;
    let found = found.into_iter().map(|bulk| shown(&service, bulk)).collect();
    Ok(Json(Answer { found, freshness }))
}

/// One act on many instances: its members, how many of them are written, and how it ended.
#[utoipa::path(
    get, path = "/api/v1/bulk/{id}", tag = "acts",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 200, body = Answer<BulkWhole>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show(
    State(service): State<Service>,
    At(id): At<String>,
) -> Result<Json<Answer<BulkWhole>>, Problem> {
    let asked = id.clone();
    let look = move |view: &View| Ok((view.bulk(&asked)?, view.bulk_members(&asked)?));
    let (Fresh { found, freshness }, members) = service.look(look).await?;
    let BulkShown { state, bulk } = shown(&service, found.ok_or_else(|| unknown(&id))?);
    let found = BulkWhole { state, bulk, instances: members.unwrap_or_default() };
    Ok(Json(Answer { found, freshness }))
}

/// Stops one that this server writes; what was written of it is obeyed.
#[utoipa::path(
    post, path = "/api/v1/bulk/{id}/stop", tag = "acts",
    request_body(content = Value, description = "An empty JSON object"),
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 202, body = Stopping, description = "It stops before its next member"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn stop(
    State(service): State<Service>,
    At(id): At<String>,
    who: Who,
    Body(_empty): Body,
) -> Result<(StatusCode, Json<Stopping>), Problem> {
    if service.runs.stop(&id, &who.name) {
        tracing::info!(id, by = who.name, "bulk.stopped");
        return Ok((StatusCode::ACCEPTED, Json(Stopping { id, by: who.name })));
    }
    let asked = id.clone();
    if service.look(move |view| view.bulk(&asked)).await?.found.is_none() {
        return Err(unknown(&id));
    }
    let detail = format!("{id} is not written by this server");
    Err(Problem::new(Code::Refused, detail, "look at it: it has ended, or ask its own server"))
}

fn shown(service: &Service, bulk: BulkRow) -> BulkShown {
    BulkShown { state: state(&bulk, service.runs.has(&bulk.id)).to_owned(), bulk }
}

/// How it stands; after a restart in the middle nothing tells of its end, and nobody runs it.
fn state(bulk: &BulkRow, is_running: bool) -> &str {
    match &bulk.ended {
        Some(ended) => &ended.how,
        None if is_running => "running",
        None => "unended",
    }
}

fn unknown(id: &str) -> Problem {
    let detail = format!("there is no act on many instances with the id {id}");
    Problem::new(Code::NotFound, detail, "look for it at /api/v1/bulk")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::message::Timestamp;
    use crate::status::Moment;
    use crate::view::BulkEndTold;

    #[test]
    fn after_a_restart_in_the_middle_it_is_told_that_nothing_tells_of_the_end() {
        let text = |text: &str| text.to_owned();
        let (at, why) = (Moment(Timestamp(0)), text("w"));
        let (id, by, verb, filter) = (text("b-1"), text("ana"), text("retry"), text("state=stuck"));
        let ended = None;
        let bulk = BulkRow { id, at, by, why, verb, filter, members: 9, written: 4, ended };
        assert_eq!(state(&bulk, true), "running");
        assert_eq!(state(&bulk, false), "unended");
        let ended = Some(BulkEndTold { how: text("stopped"), at, reason: text("by ben") });
        assert_eq!(state(&BulkRow { ended, ..bulk }, true), "stopped", "what Kafka tells counts");
    }

    #[test]
    fn what_is_done_is_read_beside_how_fast() {
        let body = json!({"verb": "retry", "why": "w", "expect": 3, "rate": 50});
        let (act, pace) = read(body).expect("an act");
        assert_eq!((act.verb.as_str(), pace.expect, pace.rate), ("retry", Some(3), Some(50)));
        for body in [json!([]), json!({"verb": "retry", "expect": "3"}), json!({"expect": 3})] {
            assert!(read(body.clone()).is_err(), "{body}");
        }
        assert_eq!(super::pause(None).map_err(|_| ()), Ok(Duration::from_millis(100)));
        for wrong in [0, 101] {
            assert!(super::pause(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
