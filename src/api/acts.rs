use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::Role;
use super::owners::Who;
use super::problem::{Code, Problem};
use super::request::{Asked, At, Body, idempotency_key, instance, is_set, wait};
use super::service::{Answer, Service};
use crate::engine::{self, NoteKind};
use crate::message::{EngineTopics, Headers, InstanceId, Outgoing, Topic, header};
use crate::runtime::act_of;
use crate::view::{Entry, Foreseen, Fresh, NoteTold};

/// So many of the newest entries of a history are looked at for what came of an act.
const ENTRIES_MAX: usize = 50;
/// The verb that only admins may use.
const SET_DATA: &str = "set-data";
/// The mend of an act that is refused.
const LOOK_AT_IT: &str = "look at the instance: its state says what is possible";

/// What a person does about an instance.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Act {
    /// What to do: `retry`, `skip`, `resolve-done`, `resolve-not-done`, `go-back`, `cancel`,
    /// `pause`, `resume`, `set-data`, `answer`.
    pub verb: String,
    /// The step that it is about; may be left out where one step waits for a person.
    step: Option<String>,
    /// Why; everybody who looks at the instance reads it. Only an `answer` needs none.
    pub why: Option<String>,
    /// The choice, for `answer`.
    choice: Option<String>,
    /// A note beside the choice, for `answer`.
    note: Option<String>,
    /// What became known, for `resolve-done`, `set-data` and `answer`: a JSON object.
    #[schema(value_type = Option<Object>)]
    data: Option<Value>,
}

/// An act that was written to Kafka, and what came of it; or what would come of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Written {
    /// The act's id: the same id is obeyed once.
    id: String,
    /// The instance, as `saga/key`.
    instance: String,
    /// What was asked for.
    verb: String,
    /// Who asked.
    by: String,
    /// What came of it; none if it was not waited for, or not long enough.
    pub(crate) outcome: Option<Entry>,
    /// What it would do to the instance as it is, if that is all that was asked: nothing is
    /// written then.
    pub(crate) foreseen: Option<Foreseen>,
}

/// How an act is waited for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Waiting {
    /// Waits so long for what comes of it, such as `10s`; a minute at most.
    wait: Option<String>,
    /// Only says what would be sent and where the instance would stand, by the engine itself on
    /// the instance as it is now; one that would be refused is refused as ever.
    #[serde(rename = "dry-run")]
    #[param(rename = "dry-run")]
    dry_run: Option<String>,
}

/// Does something about an instance. The act carries the name of whoever asks, never one of the
/// body; the same `Idempotency-Key` is obeyed once.
#[utoipa::path(
    post, path = "/api/v1/instances/{saga}/{key}/acts", tag = "acts", request_body = Act,
    params(
        ("saga" = String, Path, description = "The saga"),
        ("key" = String, Path, description = "The instance's key"),
        ("idempotency-key" = Option<String>, Header, description = "The act's own id"),
        Waiting,
    ),
    responses(
        (status = 200, body = Answer<Written>, description = "What came of it, or would"),
        (status = 202, body = Answer<Written>, description = "It is written; the history tells"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn act(
    State(service): State<Service>,
    At((saga, key)): At<(String, String)>,
    Asked(waiting): Asked<Waiting>,
    who: Who,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<(StatusCode, Json<Answer<Written>>), Problem> {
    let id = instance(&saga, &key)?;
    let wait = wait(waiting.wait.as_deref())?;
    let is_dry = is_set("dry-run", waiting.dry_run.as_deref())?;
    let act = read(body)?;
    check_role(&act, &who)?;
    let topics = EngineTopics::new(&service.app).map_err(|e| Problem::defect(e.to_string()))?;
    let mut written = Written {
        id: idempotency_key(&headers)?,
        instance: id.to_string(),
        verb: act.verb.clone(),
        by: who.name,
        outcome: None,
        foreseen: None,
    };
    let why = act.why.clone().unwrap_or_default();
    let message = message(&topics.operator, &id, &act, &written.id, &written.by);
    let (_, meant) = act_of(&message.topic, message.body.clone()).map_err(Problem::wrong)?;
    if is_dry {
        return foreseen(&service, id, meant, written).await;
    }
    let Fresh { found: before, mut freshness } = entries(&service, &id).await?;
    let Some(before) = before else {
        return Err(service.unknown(&id).await);
    };
    service.write(message).await?;
    let Written { id: act_id, verb, by, .. } = &written;
    tracing::info!(instance = %id, verb, by, id = act_id, "act.written");
    let sought = Sought {
        act: act_id.clone(),
        by: by.clone(),
        why,
        behind: before.last().map(|entry| entry.stored.offset),
    };
    if let Some(wait) = wait {
        let come = || async {
            let Fresh { found, freshness } = entries(&service, &id).await?;
            let entry = found.unwrap_or_default().into_iter().find(|entry| sought.is_in(entry));
            Ok::<_, Problem>(entry.map(|entry| (entry, freshness)))
        };
        if let Some((entry, as_of)) = service.until(wait, come).await? {
            if let Some(refused) = sought.refusal(&entry) {
                return Err(Problem::new(Code::Refused, refused, LOOK_AT_IT));
            }
            (written.outcome, freshness) = (Some(entry), as_of);
        }
    }
    let has_come = written.outcome.is_some();
    let status = if has_come { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(Answer { found: written, freshness })))
}

/// What the act would do to the instance as it is.
async fn foreseen(
    service: &Service,
    id: InstanceId,
    act: engine::Act,
    written: Written,
) -> Result<(StatusCode, Json<Answer<Written>>), Problem> {
    let about = id.clone();
    let looked = service.look(move |view| view.foresee(&about, &act)).await?;
    let Fresh { found: Some(foreseen), freshness } = looked else {
        return Err(service.unknown(&id).await);
    };
    if let Some(refused) = foreseen.refused {
        return Err(Problem::new(Code::Refused, refused, LOOK_AT_IT));
    }
    let found = Written { foreseen: Some(foreseen), ..written };
    Ok((StatusCode::OK, Json(Answer { found, freshness })))
}

/// Whether whoever asks may do that.
pub(super) fn check_role(act: &Act, who: &Who) -> Result<(), Problem> {
    if act.verb == SET_DATA && who.role < Role::Admin {
        let detail = format!("{} is {}; `{SET_DATA}` is for admins", who.name, who.role);
        return Err(Problem::new(Code::Forbidden, detail, "ask an admin"));
    }
    Ok(())
}

/// Reads an act; its numbers keep their digits.
pub(super) fn read(body: Value) -> Result<Act, Problem> {
    let Value::Object(mut fields) = body else {
        return Err(Problem::wrong("an act is a JSON object with a `verb`"));
    };
    if fields.contains_key("by") {
        let detail = "`by` stands in the body; an act carries the name of whoever asks";
        return Err(Problem::wrong(detail));
    }
    let data = fields.remove("data");
    let act = serde_json::from_value(Value::Object(fields));
    let act: Act = act.map_err(|e| Problem::wrong(format!("this is no act: {e}")))?;
    Ok(Act { data, ..act })
}

/// The record of `<app>.operator` that the engine obeys.
pub(super) fn message(
    operator: &Topic,
    id: &InstanceId,
    act: &Act,
    act_id: &str,
    by: &str,
) -> Outgoing {
    let mut body = Map::new();
    let texts = [
        ("verb", Some(act.verb.as_str())),
        ("id", Some(act_id)),
        ("saga", Some(id.saga.as_str())),
        ("key", Some(id.key.as_str())),
        ("by", Some(by)),
        ("step", act.step.as_deref()),
        ("why", act.why.as_deref()),
        ("choice", act.choice.as_deref()),
        ("note", act.note.as_deref()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            body.insert(name.to_owned(), text.into());
        }
    }
    if let Some(data) = &act.data {
        body.insert("data".to_owned(), data.clone());
    }
    let mut headers = Headers::default();
    headers.push(header::CONTENT_TYPE, "application/json");
    let body = Value::Object(body).to_string().into();
    Outgoing { topic: operator.clone(), key: id.to_string(), headers, body }
}

async fn entries(service: &Service, id: &InstanceId) -> Result<Fresh<Option<Vec<Entry>>>, Problem> {
    let id = id.clone();
    service.look(move |view| view.history(&id, ENTRIES_MAX)).await
}

/// An act whose outcome is looked for.
struct Sought {
    act: String,
    by: String,
    why: String,
    /// The last entry that stood there before the act was written.
    behind: Option<i64>,
}

impl Sought {
    /// Whether an entry tells what came of the act.
    fn is_in(&self, entry: &Entry) -> bool {
        entry.notes.iter().any(|note| self.is_told(entry, note))
    }

    /// Why the act was refused, if it was.
    fn refusal(&self, entry: &Entry) -> Option<String> {
        let told = entry.notes.iter().find(|note| self.is_told(entry, note))?;
        (told.kind == NoteKind::Refused.text()).then(|| told.words.clone())
    }

    /// A note names the act by its id. Where it does not, what the same person has said since then,
    /// as an answer, or for the same reason, as on the way back, is the act.
    fn is_told(&self, entry: &Entry, note: &NoteTold) -> bool {
        let text = |field: &str| note.data.get(field).and_then(Value::as_str).unwrap_or_default();
        if !text("id").is_empty() {
            return text("id") == self.act && text("by") == self.by;
        }
        let is_same = text("by") == self.by
            || !self.why.is_empty() && note.words.contains(&format!("{}: {}", self.by, self.why));
        is_same && self.behind.is_none_or(|offset| entry.stored.offset > offset)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(offset: i64, kind: &str, words: &str, data: &Value) -> Entry {
        let place = json!({"topic": "t", "partition": 0, "offset": offset});
        let note = json!({"kind": kind, "step": null, "words": words, "data": data});
        serde_json::from_value(json!({
            "saga": "order", "key": "o-1", "life": "1", "transition": 2, "status": "running",
            "at": "2026-11-01T00:00:00Z", "stored": place, "input": place, "notes": [note],
        }))
        .expect("an entry")
    }

    #[test]
    fn what_came_of_an_act_is_known_by_its_id_or_by_who_said_it_since_then() {
        let text = |text: &str| text.to_owned();
        let sought = |why: &str| Sought {
            act: text("7"),
            by: text("ana"),
            why: text(why),
            behind: Some(10),
        };
        let told = |why: &str, offset, words: &str, data: Value| {
            sought(why).is_in(&entry(offset, "acted", words, &data))
        };
        assert!(told("w", 11, "sent again by ana: w", json!({"id": "7", "by": "ana"})));
        assert!(told("w", 9, "", json!({"id": "7", "by": "ana"})), "it was obeyed before");
        assert!(!told("w", 11, "sent again by ana: w", json!({"id": "8", "by": "ana"})));
        assert!(!told("w", 11, "", json!({"id": "7", "by": "ben"})), "an event may have that id");
        assert!(told("w", 11, "cancelled: ana: w", json!({})), "the way back names its reason");
        assert!(!told("w", 10, "cancelled: ana: w", json!({})), "it stood there before");
        assert!(!told("w", 11, "cancelled: ben: w", json!({})));
        assert!(told("", 11, "approve, by ana", json!({"by": "ana", "name": "approve"})));
        assert!(told("w", 11, "approve, by ana", json!({"by": "ana", "name": "approve"})));
        assert!(!told("", 11, "reject, by ben", json!({"by": "ben", "name": "reject"})));
        assert!(!told("", 11, "Parcel", json!({})));
    }

    #[test]
    fn a_refused_act_says_why() {
        let sought =
            Sought { act: "7".to_owned(), by: "ana".to_owned(), why: "w".to_owned(), behind: None };
        let data = json!({"id": "7", "by": "ana"});
        let words = "retry by ana: it is not stuck";
        assert_eq!(sought.refusal(&entry(3, "refused", words, &data)).as_deref(), Some(words));
        assert_eq!(sought.refusal(&entry(3, "acted", words, &data)), None);
    }
}
