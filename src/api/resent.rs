//! What a dead letter is written as when it is replayed: pure.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::problem::{Code, Problem};
use crate::message::{Headers, Offset, Origin, RawRecord, Topic, header, read_json};

/// What stands in a dead letter in the place of what is not shown.
const MASK: &str = "***";
/// Headers that a dead letter got when it was put aside, or when it was replayed before.
const TRANSPORT: [&str; 14] = [
    header::REASON,
    header::ORIGIN,
    header::INSTANCE,
    header::CUT,
    header::DISPOSES,
    header::DISPOSED,
    header::DISPOSED_BY,
    header::DISPOSED_WHY,
    header::DISPOSED_ID,
    header::REPLAY_OF,
    header::REPLAY_ORIGIN,
    header::REPLAY_BY,
    header::REPLAY_WHY,
    header::REPLAY_EDITED,
];

/// What is changed before it is written; what is not named stays byte for byte.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    /// Another key, which then decides the partition.
    pub key: Option<String>,
    /// Headers that are set, or taken out by `null`.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
    /// Another body: any JSON value.
    #[serde(skip)]
    pub body: Option<Value>,
    /// A change of the body (JSON Merge Patch, RFC 7396): fields that are set, or taken out by
    /// `null`; all others stay, also those that are masked.
    #[serde(skip)]
    pub patch: Option<Value>,
}

impl Edit {
    /// Reads what is to be changed; its numbers keep their digits.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(value: Value) -> Result<Self, Problem> {
        let Value::Object(mut fields) = value else {
            return Err(Problem::wrong("`edit` is a JSON object"));
        };
        let (body, patch) = (fields.remove("body"), fields.remove("patch"));
        let edit = serde_json::from_value(Value::Object(fields));
        let edit: Self = edit.map_err(|e| Problem::wrong(format!("`edit`: {e}")))?;
        if body.is_some() && patch.is_some() {
            return Err(Problem::wrong("`body` and `patch` exclude each other; say one"));
        }
        let transport = edit.headers.keys().find(|name| TRANSPORT.contains(&name.as_str()));
        if let Some(name) = transport {
            return Err(Problem::wrong(format!("`{name}` is written by segue alone")));
        }
        Ok(Self { body, patch, ..edit })
    }

    /// What it changes, as the audit names it.
    pub fn changes(&self) -> Vec<String> {
        let parts =
            [("key", self.key.is_some()), ("body", self.body.is_some() || self.patch.is_some())];
        let parts = parts.iter().filter(|(_, is_changed)| *is_changed);
        let headers = self.headers.keys().map(|name| format!("header {name}"));
        parts.map(|(name, _)| (*name).to_owned()).chain(headers).collect()
    }

    /// Whether it would write the mask where a value is masked.
    pub fn holds_masks(&self) -> bool {
        [&self.body, &self.patch].into_iter().flatten().any(is_masked)
    }

    /// The body after it.
    fn body(&self, before: &Bytes) -> Result<Bytes, Problem> {
        match (&self.body, &self.patch) {
            (None, None) => Ok(before.clone()),
            (Some(body), _) => Ok(body.to_string().into()),
            (None, Some(patch)) => {
                let Ok(mut body) = read_json(before) else {
                    return Err(Problem::wrong("the body is no JSON; replace it by `body`"));
                };
                merge(&mut body, patch);
                Ok(body.to_string().into())
            }
        }
    }
}

fn is_masked(value: &Value) -> bool {
    match value {
        Value::String(text) => text == MASK,
        Value::Array(elements) => elements.iter().any(is_masked),
        Value::Object(fields) => fields.values().any(is_masked),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// JSON Merge Patch (RFC 7396).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let fields = target.as_object_mut().expect("it was made one");
    for (name, change) in changes {
        if change.is_null() {
            fields.shift_remove(name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), change);
        }
    }
}

/// A dead letter that is replayed.
#[derive(Debug)]
pub(super) struct Replay<'r> {
    /// Where the dead letter stands.
    pub letter: &'r Origin,
    /// Where it had been read.
    pub origin: &'r Origin,
    /// Who replays it.
    pub by: &'r str,
    /// Why.
    pub why: &'r str,
}

impl Replay<'_> {
    /// The record that is written: what came, without what was added when it was put aside, as it
    /// is edited, and with where it has been. It goes back to its partition, behind what its key
    /// has said since; with another key to the partition of that.
    ///
    /// # Errors
    /// When the edit does not fit the record.
    pub fn record(
        &self,
        key: Option<Bytes>,
        headers: &Headers,
        body: &Bytes,
        edit: &Edit,
    ) -> Result<RawRecord, Problem> {
        let is_kept =
            |name: &String| !TRANSPORT.contains(&name.as_str()) && !edit.headers.contains_key(name);
        let kept = headers.0.iter().filter(|(name, _)| is_kept(name));
        let mut headers = Headers(kept.cloned().collect());
        for (name, value) in &edit.headers {
            if let Some(value) = value {
                headers.push(name, value.clone());
            }
        }
        headers.push(header::REPLAY_OF, place(self.letter));
        headers.push(header::REPLAY_ORIGIN, place(self.origin));
        headers.push(header::REPLAY_BY, self.by.to_owned());
        headers.push(header::REPLAY_WHY, self.why.to_owned());
        let changes = edit.changes();
        if !changes.is_empty() {
            headers.push(header::REPLAY_EDITED, changes.join(", "));
        }
        let partition = edit.key.is_none().then_some(self.origin.partition);
        let key = edit.key.clone().map(Bytes::from).or(key);
        let body = edit.body(body)?;
        Ok(RawRecord { topic: self.origin.topic.clone(), partition, key, headers, body })
    }
}

/// A place as it is told: `topic[partition]@offset`.
fn place(origin: &Origin) -> String {
    format!("{}[{}]@{}", origin.topic, origin.partition, origin.offset)
}

/// The place that a text tells; none if it is none.
pub(super) fn origin(text: &str) -> Option<Origin> {
    let (rest, offset) = text.rsplit_once('@')?;
    let (topic, partition) = rest.strip_suffix(']')?.rsplit_once('[')?;
    Some(Origin {
        topic: Topic::new(topic).ok()?,
        partition: partition.parse().ok()?,
        offset: Offset(offset.parse().ok()?),
    })
}

/// Where a dead letter can be replayed to.
///
/// # Errors
/// When it cannot be, and what can be done instead.
pub(super) fn destination(
    headers: &Headers,
    is_read: impl Fn(&Topic) -> bool,
    operator: &Topic,
) -> Result<Origin, Problem> {
    let refused = |detail: String, mend: &str| Err(Problem::new(Code::Refused, detail, mend));
    let Some(origin) = headers.text(header::ORIGIN).and_then(origin) else {
        let detail = "no record stands behind this dead letter".to_owned();
        return refused(detail, "mend what its reason says, then discard it");
    };
    if origin.topic == *operator {
        let detail = "this is an act, and acts carry the name of whoever sends them".to_owned();
        return refused(detail, "act anew under your own name, then discard it");
    }
    if !is_read(&origin.topic) {
        let detail = format!("no definition reads {} now", origin.topic);
        return refused(detail, "deploy a definition that reads it, or discard this");
    }
    if headers.text(header::CUT).is_some() {
        let detail = "it was too large to be kept whole, so it cannot be written again".to_owned();
        return refused(detail, "let its sender send it again, smaller, then discard it");
    }
    Ok(origin)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn topic(name: &str) -> Topic {
        Topic::new(name).expect("a topic")
    }

    fn at(name: &str, partition: i32, offset: i64) -> Origin {
        Origin { topic: topic(name), partition, offset: Offset(offset) }
    }

    fn put_aside() -> Headers {
        let mut headers = Headers::default();
        headers.push("ce_type", "OrderPlaced");
        headers.push("x-raw", &b"\xff\x00"[..]);
        headers.push(header::REPLAY_OF, "shop.dead-letters[0]@3");
        headers.push(header::REASON, "no key");
        headers.push(header::ORIGIN, "shop.orders[3]@17");
        headers
    }

    fn replayed(edit: &Edit, key: Option<&'static [u8]>, body: &'static [u8]) -> RawRecord {
        let (letter, origin) = (at("shop.dead-letters", 0, 9), at("shop.orders", 3, 17));
        let replay = Replay { letter: &letter, origin: &origin, by: "ana", why: "mended" };
        let key = key.map(Bytes::from_static);
        replay.record(key, &put_aside(), &Bytes::from_static(body), edit).expect("a record")
    }

    #[test]
    fn what_is_not_edited_goes_back_byte_for_byte_with_where_it_was() {
        let raw = replayed(&Edit::default(), Some(b"\xfe"), b"{ \"n\": 1.50 , broken");
        assert_eq!((raw.topic, raw.partition), (topic("shop.orders"), Some(3)));
        assert_eq!(raw.key.as_deref(), Some(&b"\xfe"[..]));
        assert_eq!(&raw.body[..], b"{ \"n\": 1.50 , broken");
        let expected = [
            ("ce_type", &b"OrderPlaced"[..]),
            ("x-raw", b"\xff\x00"),
            (header::REPLAY_OF, b"shop.dead-letters[0]@9"),
            (header::REPLAY_ORIGIN, b"shop.orders[3]@17"),
            (header::REPLAY_BY, b"ana"),
            (header::REPLAY_WHY, b"mended"),
        ];
        let headers = raw.headers.0.iter().map(|(name, value)| (name.as_str(), &value[..]));
        assert_eq!(headers.collect::<Vec<_>>(), expected);
        assert_eq!(replayed(&Edit::default(), None, b"").key, None);
    }

    #[test]
    fn an_edit_changes_what_it_names_and_is_audited() {
        let edit = Edit::read(json!({
            "key": "o-1",
            "headers": { "ce_type": "OrderMoved", "x-raw": null },
            "patch": { "order": "o-1", "old": null, "to": { "city": "Rome" } },
        }))
        .expect("an edit");
        let raw = replayed(&edit, None, b"{\"n\":1.50,\"old\":1,\"to\":{\"zip\":\"1\"}}");
        assert_eq!((raw.partition, raw.key.as_deref()), (None, Some(&b"o-1"[..])));
        let body = r#"{"n":1.50,"to":{"zip":"1","city":"Rome"},"order":"o-1"}"#;
        assert_eq!(String::from_utf8_lossy(&raw.body), body, "numbers keep their digits");
        assert_eq!(raw.headers.text("ce_type"), Some("OrderMoved"));
        assert_eq!(raw.headers.text("x-raw"), None);
        let edited = Some("key, body, header ce_type, header x-raw");
        assert_eq!(raw.headers.text(header::REPLAY_EDITED), edited);
        let whole = Edit::read(json!({ "body": [1] })).expect("an edit");
        assert_eq!(&replayed(&whole, None, b"not JSON").body[..], b"[1]");
    }

    #[test]
    fn an_edit_that_is_none_is_refused() {
        for (edit, detail) in [
            (json!([]), "`edit` is a JSON object"),
            (json!({ "boby": 1 }), "unknown field `boby`"),
            (json!({ "body": 1, "patch": {} }), "exclude each other"),
            (json!({ "headers": { "segue-replay-by": "ben" } }), "written by segue alone"),
            (json!({ "headers": { "segue-reason": null } }), "written by segue alone"),
        ] {
            let problem = Edit::read(edit.clone()).expect_err("no edit");
            assert!(problem.detail().contains(detail), "{edit}: {}", problem.detail());
        }
        assert!(Edit::read(json!({ "patch": { "a": [{ "b": "***" }] } })).expect("").holds_masks());
        assert!(!Edit::read(json!({ "patch": { "a": "**" } })).expect("").holds_masks());
    }

    #[test]
    fn a_dead_letter_goes_back_only_where_a_definition_reads_it() {
        let is_read = |topic: &Topic| topic.as_str() == "shop.orders";
        let operator = topic("shop.operator");
        let to = |headers: &Headers| destination(headers, is_read, &operator);
        assert_eq!(to(&put_aside()).expect("it is read"), at("shop.orders", 3, 17));
        let with = |name: &str, value: &'static str| {
            let mut headers = put_aside();
            headers.push(name, value);
            to(&headers).expect_err("refused").detail().to_owned()
        };
        assert_eq!(with(header::ORIGIN, "bank[0]@1"), "no definition reads bank now");
        assert!(with(header::ORIGIN, "shop.operator[0]@1").starts_with("this is an act"));
        assert!(with(header::ORIGIN, "shop.orders").starts_with("no record stands behind"));
        assert!(with(header::CUT, "true").starts_with("it was too large"));
        let nothing = destination(&Headers::default(), is_read, &operator);
        assert!(nothing.expect_err("refused").detail().starts_with("no record stands behind"));
    }
}
