use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::acceptance::Acceptance;
use super::ports::SourceRecord;
use crate::engine::Act;
use crate::format::wire;
use crate::message::{
    BulkRecord, Coordinate, Headers, InstanceId, Offset, Origin, Timestamp, Topic, read_json,
};

/// The largest act, in bytes.
pub const ACT_BYTES_MAX: usize = 256 * 1024;
/// The longest id or name, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// What a person does.
#[derive(Debug, PartialEq)]
pub(super) enum Deed {
    /// Something about an instance.
    Instance(wire::Target, wire::Act),
    /// Something about a users' topic.
    Topic(Acceptance),
    /// Tells of an act on many instances; each of them stands beside it.
    Bulk,
}

impl Deed {
    /// The same, signed at that time. Whoever reads the topic could write it there again, so it
    /// must have an id of its own: by that it is obeyed once.
    ///
    /// # Errors
    /// When it has none, in words.
    pub fn signed(self, at: Timestamp, record: &SourceRecord) -> Result<Self, String> {
        let (id, signed) = match self {
            Self::Instance(target, act) => {
                (act.id.clone(), Self::Instance(target, wire::Act { signed_ms: Some(at.0), ..act }))
            }
            Self::Topic(act) => {
                (act.id.clone(), Self::Topic(Acceptance { signed: Some(at), ..act }))
            }
            // It says nothing that is obeyed.
            Self::Bulk => return Ok(Self::Bulk),
        };
        if id == place(record) {
            return Err(
                "`id` is missing; an act that is signed is obeyed once by its id".to_owned()
            );
        }
        Ok(signed)
    }
}

/// The verb of an act that is about a topic.
const ACCEPT: &str = "accept-topic";

/// A record of `<app>.operator` that is about a users' topic.
///
/// ```json
/// { "verb": "accept-topic", "topic": "shop.orders", "from": "earliest",
///   "by": "ana", "why": "it was restored from the backup" }
/// ```
///
/// `from` is `earliest`, `latest` or a moment such as `2026-11-01T00:00:00Z`; it may be left out
/// for a topic that was made anew, which is then read from its beginning.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TopicNotation {
    id: Option<String>,
    #[serde(rename = "verb")]
    _verb: String,
    topic: String,
    from: Option<String>,
    by: String,
    #[serde(default)]
    why: String,
}

/// A record of `<app>.operator` that is about an instance.
///
/// ```json
/// { "saga": "order-fulfilment", "key": "o-1", "verb": "retry", "step": "ship",
///   "by": "ana", "why": "the carrier is back" }
/// ```
///
/// `verb` is `retry`, `skip`, `resolve-done` (with `data`), `resolve-not-done`, `go-back`,
/// `answer` (with `choice`, `note`, `data`), or `cancel`, `pause`, `resume` and `set-data` (with
/// `data`), which are about the whole saga. `id` makes an act its own: the same id is obeyed once;
/// without it the record's place is its id. `step` may be left out where one step waits for a
/// person.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Notation {
    id: Option<String>,
    saga: String,
    key: String,
    verb: Word,
    #[serde(default)]
    step: String,
    by: String,
    #[serde(default)]
    why: String,
    choice: Option<String>,
    #[serde(default)]
    note: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Retry,
    Skip,
    ResolveDone,
    ResolveNotDone,
    GoBack,
    Cancel,
    Pause,
    Resume,
    SetData,
    Answer,
}

/// The act that the engine would read from this record of `<app>.operator`, and the instance that
/// it is about.
///
/// # Errors
/// When the engine would put it aside, in words; also when it is about a topic.
pub fn act_of(topic: &Topic, body: Bytes) -> Result<(InstanceId, Act), String> {
    let record = SourceRecord {
        origin: Origin { topic: topic.clone(), partition: 0, offset: Offset(0) },
        incarnation: None,
        key: None,
        headers: Headers::default(),
        body: Some(body),
        timestamp: Timestamp(0),
    };
    match read(&record)? {
        Deed::Instance(target, act) => {
            let id = target.read().map_err(|e| e.to_string())?;
            Ok((id, act.read().map_err(|e| format!("this act cannot be obeyed: {e}"))?))
        }
        Deed::Topic(_) => Err(format!("`{ACCEPT}` is about a topic, not about an instance")),
        Deed::Bulk => Err("`bulk` is about many instances; ask for it at /api/v1/bulk".to_owned()),
    }
}

/// Reads an act and what it is about.
///
/// # Errors
/// When it is none, in words.
pub(super) fn read(record: &SourceRecord) -> Result<Deed, String> {
    let body = record.body.as_deref().unwrap_or_default();
    if body.len() > ACT_BYTES_MAX {
        return Err(format!("an act of {} bytes; the limit is {ACT_BYTES_MAX}", body.len()));
    }
    let wrong = |e: serde_json::Error| format!("this is no act of a person: {e}");
    let mut whole = read_json(body).map_err(wrong)?;
    if BulkRecord::is(&whole) {
        return Ok(Deed::Bulk);
    }
    if whole.get("verb").and_then(Value::as_str) == Some(ACCEPT) {
        let act: TopicNotation = serde_json::from_value(whole).map_err(wrong)?;
        return accept(act, record).map(Deed::Topic);
    }
    // Taken out as it was read: the derived reader would write its numbers in another way.
    let data = match whole.as_object_mut().and_then(|fields| fields.remove("data")) {
        None => None,
        Some(Value::Object(fields)) => Some(fields),
        Some(_) => return Err("`data` is no JSON object".to_owned()),
    };
    let act: Notation = serde_json::from_value(whole).map_err(wrong)?;
    check_names(act.id.as_deref(), &act.by)?;
    Coordinate::read(&act.step).map_err(|e| e.to_string())?;
    let verb = verb(&act, data)?;
    let id = act.id.unwrap_or_else(|| place(record));
    let target = wire::Target { saga: act.saga, key: act.key };
    let (by, why, step) = (act.by, act.why, act.step);
    let act = wire::Act { id, by, why, step, verb: Some(verb), signed_ms: None };
    Ok(Deed::Instance(target, act))
}

fn accept(act: TopicNotation, record: &SourceRecord) -> Result<Acceptance, String> {
    check_names(act.id.as_deref(), &act.by)?;
    if act.why.trim().is_empty() {
        return Err("`why` is missing; say the reason".to_owned());
    }
    let topic = Topic::new(&act.topic).map_err(|e| e.to_string())?;
    let from = act.from.as_deref().map(str::parse).transpose()?;
    let id = act.id.unwrap_or_else(|| place(record));
    Ok(Acceptance { id, topic, from, by: act.by, why: act.why, signed: None })
}

fn check_names(id: Option<&str>, by: &str) -> Result<(), String> {
    if by.trim().is_empty() {
        return Err("`by` is empty; say who acts".to_owned());
    }
    let names = [("id", id.unwrap_or_default()), ("by", by)];
    match names.iter().find(|(_, name)| name.len() > NAME_BYTES_MAX) {
        Some((field, _)) => Err(format!("`{field}` is longer than {NAME_BYTES_MAX} bytes")),
        None => Ok(()),
    }
}

/// An act's place, which is the id of one that has none of its own.
fn place(record: &SourceRecord) -> String {
    let origin = &record.origin;
    format!("{}/{}/{}", origin.topic, origin.partition, origin.offset)
}

fn verb(act: &Notation, data: Option<Map<String, Value>>) -> Result<wire::act::Verb, String> {
    use wire::act::Verb;
    let has_data = matches!(act.verb, Word::ResolveDone | Word::SetData | Word::Answer);
    if data.is_some() && !has_data {
        let words = "`data` has a meaning only for `resolve-done`, `set-data` and `answer`";
        return Err(words.to_owned());
    }
    if data.is_none() && act.verb == Word::SetData {
        return Err("`data` is missing; say which fields are set".to_owned());
    }
    let data = Value::Object(data.unwrap_or_default()).to_string().into_bytes();
    match (act.verb, &act.choice) {
        (Word::Answer, Some(choice)) => {
            let (choice, note) = (choice.clone(), act.note.clone());
            Ok(Verb::Answer(wire::Answer { choice, note, data }))
        }
        (Word::Answer, None) => Err("`choice` is missing; say which".to_owned()),
        (_, Some(_)) => Err("`choice` has a meaning only for `answer`".to_owned()),
        (_, None) if act.why.trim().is_empty() => {
            Err("`why` is missing; say the reason".to_owned())
        }
        (Word::Retry, None) => Ok(Verb::Retry(true)),
        (Word::Skip, None) => Ok(Verb::Skip(true)),
        (Word::ResolveDone, None) => Ok(Verb::ResolveDone(data)),
        (Word::ResolveNotDone, None) => Ok(Verb::ResolveNotDone(true)),
        (Word::GoBack, None) => Ok(Verb::GoBack(true)),
        (Word::Cancel, None) => Ok(Verb::Cancel(true)),
        (Word::Pause, None) => Ok(Verb::Pause(true)),
        (Word::Resume, None) => Ok(Verb::Resume(true)),
        (Word::SetData, None) => Ok(Verb::SetData(data)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::StartFrom;

    fn act(body: &str) -> Result<(wire::Target, wire::Act), String> {
        match deed(body)? {
            Deed::Instance(target, act) => Ok((target, act)),
            other => panic!("{other:?}"),
        }
    }

    fn deed(body: &str) -> Result<Deed, String> {
        read(&SourceRecord {
            origin: Origin {
                topic: Topic::new("shop.operator").expect("a topic"),
                partition: 0,
                offset: Offset(7),
            },
            incarnation: None,
            key: None,
            headers: Headers::default(),
            body: Some(body.to_owned().into()),
            timestamp: Timestamp(0),
        })
    }

    #[test]
    fn an_act_without_an_id_is_known_by_its_place() {
        let (target, act) = act(
            r#"{"saga":"order","key":"o-1","verb":"retry","step":"ship","by":"ana","why":"back"}"#,
        )
        .expect("an act");
        assert_eq!((target.saga.as_str(), target.key.as_str()), ("order", "o-1"));
        assert_eq!((act.id.as_str(), act.step.as_str()), ("shop.operator/0/7", "ship"));
        assert_eq!(act.verb, Some(wire::act::Verb::Retry(true)));
    }

    #[test]
    fn an_act_about_the_whole_saga_needs_a_reason_as_well() {
        let cancel = |more: &str| {
            act(&format!(r#"{{"saga":"a","key":"k","verb":"cancel","by":"ana"{more}}}"#))
        };
        let (_, said) = cancel(r#","why":"the customer wrote""#).expect("an act");
        assert_eq!(said.verb, Some(wire::act::Verb::Cancel(true)));
        assert_eq!(cancel(""), Err("`why` is missing; say the reason".to_owned()));
        let set = |more: &str| {
            act(&format!(r#"{{"saga":"a","key":"k","verb":"set-data","by":"a","why":"w"{more}}}"#))
        };
        let (_, said) = set(r#","data":{"fee":12.50}"#).expect("an act");
        assert_eq!(said.verb, Some(wire::act::Verb::SetData(br#"{"fee":12.50}"#.to_vec())));
        assert_eq!(set(""), Err("`data` is missing; say which fields are set".to_owned()));
    }

    #[test]
    fn what_tells_of_an_act_on_many_is_no_act() {
        assert_eq!(deed(r#"{"verb":"bulk","id":"b-1","instances":[]}"#), Ok(Deed::Bulk));
        assert_eq!(deed(r#"{"verb":"bulk"}"#), Ok(Deed::Bulk), "whatever it says");
    }

    #[test]
    fn a_topic_is_accepted_with_a_reason() {
        let text = |more: &str| {
            format!(r#"{{"verb":"accept-topic","topic":"shop.orders","by":"ana"{more}}}"#)
        };
        let acceptance = Acceptance {
            id: "shop.operator/0/7".to_owned(),
            topic: Topic::new("shop.orders").expect("a topic"),
            from: Some(StartFrom::Latest),
            by: "ana".to_owned(),
            why: "restored".to_owned(),
            signed: None,
        };
        let whole = text(r#","why":"restored","from":"latest""#);
        assert_eq!(deed(&whole), Ok(Deed::Topic(acceptance)));
        let refused = |more: &str| deed(&text(more)).expect_err("no act");
        assert_eq!(refused(""), "`why` is missing; say the reason");
        assert!(refused(r#","why":"w","from":"soon""#).starts_with("`soon` is not where"));
        assert!(refused(r#","why":"w","step":"a""#).contains("unknown field `step`"));
    }

    #[test]
    fn what_is_resolved_as_done_keeps_its_numbers() {
        let text = r#"{"saga":"a","key":"k","verb":"resolve-done","by":"a","why":"w","id":"1",
                       "data":{"fee":12.50,"far":1e400}}"#;
        let (_, act) = act(text).expect("an act");
        assert_eq!(act.id, "1");
        assert_eq!(
            act.verb,
            Some(wire::act::Verb::ResolveDone(br#"{"fee":12.50,"far":1e400}"#.to_vec()))
        );
    }

    #[test]
    fn an_answer_needs_a_choice_and_no_reason() {
        let answer = |more: &str| {
            act(&format!(r#"{{"saga":"a","key":"k","verb":"answer","by":"ana"{more}}}"#))
        };
        let (_, said) = answer(r#","choice":"approve""#).expect("an act");
        let choice = match said.verb {
            Some(wire::act::Verb::Answer(answer)) => answer.choice,
            other => panic!("{other:?}"),
        };
        assert_eq!(choice, "approve");
        assert_eq!(answer(""), Err("`choice` is missing; say which".to_owned()));
    }

    #[test]
    fn what_is_no_act_is_refused_in_words() {
        let refused = |text: &str| act(text).expect_err("no act");
        assert!(refused("no json").starts_with("this is no act of a person: "));
        let nobody = r#"{"saga":"a","key":"k","verb":"skip","by":" ","why":"w"}"#;
        assert_eq!(refused(nobody), "`by` is empty; say who acts");
        let why = r#"{"saga":"a","key":"k","verb":"skip","by":"ana"}"#;
        assert_eq!(refused(why), "`why` is missing; say the reason");
        let step = r#"{"saga":"a","key":"k","verb":"skip","by":"ana","why":"w","step":"ship[x]"}"#;
        assert!(refused(step).starts_with("`ship[x]` names no step: sign 5 is wrong"));
        let verb = refused(r#"{"saga":"a","key":"k","verb":"jump","by":"ana","why":"w"}"#);
        assert!(verb.contains("unknown variant `jump`, expected one of `retry`"), "{verb}");
        let data = r#"{"saga":"a","key":"k","verb":"skip","by":"ana","why":"w","data":{}}"#;
        assert!(refused(data).starts_with("`data` has a meaning only for"));
        let choice = r#"{"saga":"a","key":"k","verb":"skip","by":"ana","why":"w","choice":"x"}"#;
        assert!(refused(choice).starts_with("`choice` has a meaning only for"));
    }
}
