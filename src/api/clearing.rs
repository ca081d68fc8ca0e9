//! What is done with many dead letters at once.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bulk::{self, MEMBERS_MAX, NARROW};
use super::dead_letters::Leafing;
use super::disposals::{check_why, raw, told};
use super::owners::Who;
use super::problem::{Code, Problem};
use super::request::{Asked, Body};
use super::resent::Edit;
use super::runs::Member;
use super::service::{Answer, Service, found};
use crate::message::{Bulk, BulkRecord, Disposal, Disposed, EngineTopics, Offset};
use crate::view::{DeadLetterRow, Fresh, LetterFilter, View};

/// The most that is held of them at once, in bytes.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// What is done with each, and how fast.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Clearing {
    /// `replay` or `discard`.
    how: String,
    /// Why; everybody who looks at one of them reads it.
    why: String,
    /// How many it may be, as the answer without it has said.
    expect: Option<usize>,
    /// So many a second, 10 by default, 100 at most.
    rate: Option<u32>,
}

/// Something that is done with many dead letters, or what would be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClearingBegun {
    /// Its id; the same id begins once. It is looked at under `/api/v1/bulk`.
    pub id: String,
    /// How many letters it is about.
    pub members: usize,
    /// Whether it is being written; not if only the count was asked.
    pub is_written: bool,
    /// Those that cannot be replayed and stay open.
    pub left_out: Vec<LeftOut>,
}

/// A dead letter that cannot be replayed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LeftOut {
    /// The letter, as `partition/offset`.
    pub letter: String,
    /// Why.
    pub why: String,
}

/// Does the same with every open dead letter that a list with these parameters would show, at most
/// 1000, the oldest first. Without `expect` it only counts them; with the count as `expect` it is
/// written, one after the other, and told under `/api/v1/bulk` as an act on many instances is.
#[utoipa::path(
    post, path = "/api/v1/dead-letters/bulk", tag = "dead-letters", request_body = Clearing,
    params(
        Leafing,
        ("idempotency-key" = Option<String>, Header, description = "Its own id"),
    ),
    responses(
        (
            status = 200, body = Answer<ClearingBegun>,
            description = "How many it would be, or it began before"
        ),
        (status = 202, body = Answer<ClearingBegun>, description = "It is being written"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn clear(
    State(service): State<Service>,
    Asked(leafing): Asked<Leafing>,
    RawQuery(query): RawQuery,
    who: Who,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<(StatusCode, Json<Answer<ClearingBegun>>), Problem> {
    let clearing = serde_json::from_value(body);
    let Clearing { how, why, expect, rate } =
        clearing.map_err(|e| Problem::wrong(e.to_string()))?;
    let (word, how) = (how.clone(), verb(&how)?);
    check_why(&why)?;
    let (id, pause) = (bulk::own_id(&headers)?, bulk::pause(rate)?);
    let filter = leafing.whole()?;
    if let Some(Answer { found, freshness }) = bulk::before(&service, &id).await? {
        let (id, members) = (found.id, found.members);
        let found = ClearingBegun { id, members, is_written: true, left_out: Vec::new() };
        return Ok((StatusCode::OK, Json(Answer { found, freshness })));
    }
    let Fresh { found: rows, freshness } = chosen(&service, filter).await?;
    let meant = Meant { id: id.clone(), how, by: who.name.clone(), why: why.clone() };
    let app = service.app.clone();
    let look = move |view: &View| Ok(meant.members(view, &app, &rows));
    let Members { members, left_out } = service.look(look).await??;
    let count = members.len();
    let mut begun = ClearingBegun { id, members: count, is_written: false, left_out };
    let Some(expected) = expect else {
        return Ok((StatusCode::OK, Json(Answer { found: begun, freshness })));
    };
    if count == 0 {
        let mend = "look without `expect`: it says why, one by one";
        return Err(Problem::new(Code::Refused, "none of them can be replayed", mend));
    }
    if count > expected {
        let detail = format!("{count} dead letters are like that now, not {expected}");
        return Err(Problem::new(Code::Refused, detail, "look again without `expect`"));
    }
    let (names, members) = members.into_iter().unzip();
    let bulk = Bulk {
        id: begun.id.clone(),
        by: who.name,
        why,
        act: word,
        filter: query.unwrap_or_default(),
        instances: names,
    };
    bulk::start(&service, &bulk, members, pause).await?;
    begun.is_written = true;
    Ok((StatusCode::ACCEPTED, Json(Answer { found: begun, freshness })))
}

fn verb(word: &str) -> Result<Disposed, Problem> {
    match word {
        "replay" => Ok(Disposed::Replayed),
        "discard" => Ok(Disposed::Discarded),
        _ => Err(Problem::wrong(format!("`how`: `{word}` is not replay or discard"))),
    }
}

/// The letters that it is about, the oldest first.
async fn chosen(
    service: &Service,
    filter: LetterFilter,
) -> Result<Fresh<Vec<DeadLetterRow>>, Problem> {
    let page = service.look(move |view| view.dead_letters(filter, None, MEMBERS_MAX));
    let Fresh { found: page, freshness } = page.await?;
    if page.next.is_some() {
        let detail = format!("more than {MEMBERS_MAX} dead letters are like that");
        return Err(Problem::new(Code::Wrong, detail, NARROW));
    }
    if page.letters.is_empty() {
        let mend = "look at the list with the same parameters";
        return Err(Problem::new(Code::NotFound, "no dead letter is like that", mend));
    }
    let mut found = page.letters;
    found.reverse();
    Ok(Fresh { found, freshness })
}

/// What is meant with each of them.
struct Meant {
    id: String,
    how: Disposed,
    by: String,
    why: String,
}

/// Its members, each with its name, and those that are left out.
#[derive(Default)]
struct Members {
    members: Vec<(String, Member)>,
    left_out: Vec<LeftOut>,
}

impl Meant {
    /// What is written of each letter; read back one after the other.
    fn members(&self, view: &View, app: &str, rows: &[DeadLetterRow]) -> Result<Members, Problem> {
        let topics = EngineTopics::new(app).map_err(|e| Problem::defect(e.to_string()))?;
        let catalog = view.catalog();
        let (mut all, mut bytes) = (Members::default(), 0);
        for DeadLetterRow { partition, offset, .. } in rows {
            let letter = format!("{partition}/{offset}");
            let disposal = Disposal {
                partition: *partition,
                offset: Offset(*offset),
                how: self.how,
                by: self.by.clone(),
                why: self.why.clone(),
                id: BulkRecord::member(&self.id, all.members.len()),
            };
            let first = match self.how {
                Disposed::Discarded => None,
                Disposed::Replayed => {
                    // One that is not kept any more is nobody's any more.
                    let Some((_, record)) = found(view.letter(*partition, *offset))? else {
                        continue;
                    };
                    match raw(&catalog, &topics.operator, &record, &disposal, &Edit::default()) {
                        Ok(raw) => Some(raw),
                        Err(problem) => {
                            let why = problem.detail().to_owned();
                            all.left_out.push(LeftOut { letter, why });
                            continue;
                        }
                    }
                }
            };
            let message = told(topics.dead_letters.clone(), &disposal);
            bytes += first.as_ref().map_or(0, |raw| raw.body.len());
            if bytes > BYTES_MAX {
                let detail = format!("they have more than {BYTES_MAX} bytes together");
                return Err(Problem::new(Code::Wrong, detail, NARROW));
            }
            all.members.push((format!("dead-letters/{letter}"), Member { first, message }));
        }
        Ok(all)
    }
}
