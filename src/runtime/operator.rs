use serde::Deserialize;
use serde_json::{Map, Value};

use super::ports::SourceRecord;
use crate::format::wire;
use crate::message::read_json;

/// The largest act, in bytes.
const ACT_BYTES_MAX: usize = 256 * 1024;
/// The longest id or name, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// A record of `<app>.operator`: what a person does about an instance.
///
/// ```json
/// { "saga": "order-fulfilment", "key": "o-1", "verb": "retry", "step": "ship",
///   "by": "ana", "why": "the carrier is back" }
/// ```
///
/// `verb` is `retry`, `skip`, `resolve-done` (with `data`), `resolve-not-done`, `go-back` or
/// `answer` (with `choice`, `note`, `data`). `id` makes an act its own: the same id is obeyed
/// once; without it the record's place is its id. `step` may be left out where one step waits
/// for a person.
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
    Answer,
}

/// Reads an act and whom it is for.
///
/// # Errors
/// When it is none, in words.
pub(super) fn read(record: &SourceRecord) -> Result<(wire::Target, wire::Act), String> {
    let body = record.body.as_deref().unwrap_or_default();
    if body.len() > ACT_BYTES_MAX {
        return Err(format!("an act of {} bytes; the limit is {ACT_BYTES_MAX}", body.len()));
    }
    let wrong = |e: serde_json::Error| format!("this is no act of a person: {e}");
    let mut whole = read_json(body).map_err(wrong)?;
    // Taken out as it was read: the derived reader would write its numbers in another way.
    let data = match whole.as_object_mut().and_then(|fields| fields.remove("data")) {
        None => None,
        Some(Value::Object(fields)) => Some(fields),
        Some(_) => return Err("`data` is no JSON object".to_owned()),
    };
    let act: Notation = serde_json::from_value(whole).map_err(wrong)?;
    if act.by.trim().is_empty() {
        return Err("`by` is empty; say who acts".to_owned());
    }
    let names = [("id", act.id.as_deref().unwrap_or_default()), ("by", &act.by)];
    if let Some((field, _)) = names.iter().find(|(_, name)| name.len() > NAME_BYTES_MAX) {
        return Err(format!("`{field}` is longer than {NAME_BYTES_MAX} bytes"));
    }
    let verb = verb(&act, data)?;
    let origin = &record.origin;
    let place = || format!("{}/{}/{}", origin.topic, origin.partition, origin.offset);
    let id = act.id.unwrap_or_else(place);
    let target = wire::Target { saga: act.saga, key: act.key };
    let (by, why, step) = (act.by, act.why, act.step);
    Ok((target, wire::Act { id, by, why, step, verb: Some(verb) }))
}

fn verb(act: &Notation, data: Option<Map<String, Value>>) -> Result<wire::act::Verb, String> {
    use wire::act::Verb;
    let has_data = matches!(act.verb, Word::ResolveDone | Word::Answer);
    if data.is_some() && !has_data {
        return Err("`data` has a meaning only for `resolve-done` and `answer`".to_owned());
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Headers, Offset, Origin, Timestamp, Topic};

    fn act(body: &str) -> Result<(wire::Target, wire::Act), String> {
        read(&SourceRecord {
            origin: Origin {
                topic: Topic::new("shop.operator").expect("a topic"),
                partition: 0,
                offset: Offset(7),
            },
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
        let verb = refused(r#"{"saga":"a","key":"k","verb":"jump","by":"ana","why":"w"}"#);
        assert!(verb.contains("unknown variant `jump`, expected one of `retry`"), "{verb}");
        let data = r#"{"saga":"a","key":"k","verb":"skip","by":"ana","why":"w","data":{}}"#;
        assert!(refused(data).starts_with("`data` has a meaning only for"));
        let choice = r#"{"saga":"a","key":"k","verb":"skip","by":"ana","why":"w","choice":"x"}"#;
        assert!(refused(choice).starts_with("`choice` has a meaning only for"));
    }
}
