use serde_json::{Value, json};

/// The verb of a record of `<app>.operator` that tells of an act on many instances.
const VERB: &str = "bulk";

/// An act on many instances, as `<app>.operator` tells it: the engine passes over these records and
/// obeys each member, which is an act of its own behind the first of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkRecord {
    /// It begins.
    Begun(Bulk),
    /// Nothing more of it is written.
    Ended(BulkEnd),
}

/// An act on many instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulk {
    /// Its own id; those of its members begin with it.
    pub id: String,
    /// Who acts.
    pub by: String,
    /// Why.
    pub why: String,
    /// What is done about each of them.
    pub act: String,
    /// Which instances were asked for.
    pub filter: String,
    /// Which these were, as `saga/key`, in the order in which they are acted on.
    pub instances: Vec<String>,
}

/// The end of an act on many instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkEnd {
    /// Its id.
    pub id: String,
    /// How it ended.
    pub how: BulkEnded,
    /// So many members were written, from the first on.
    pub written: u32,
    /// Who has stopped it, or what went wrong; empty if all was written.
    pub reason: String,
}

/// How an act on many instances ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkEnded {
    /// All of it was written.
    Done,
    /// It was stopped.
    Stopped,
    /// Kafka did not take it.
    Failed,
}

impl BulkEnded {
    /// Every one of them with its word.
    pub const WORDS: [(&'static str, Self); 3] =
        [("done", Self::Done), ("stopped", Self::Stopped), ("failed", Self::Failed)];

    /// The word for it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

impl BulkRecord {
    /// Whether a record of `<app>.operator` is one, whatever it says.
    #[must_use]
    pub fn is(body: &Value) -> bool {
        body.get("verb").and_then(Value::as_str) == Some(VERB)
    }

    /// It as the body of a record.
    #[must_use]
    pub fn body(&self) -> Value {
        match self {
            Self::Begun(Bulk { id, by, why, act, filter, instances }) => json!({
                "verb": VERB, "id": id, "by": by, "why": why, "act": act, "filter": filter,
                "instances": instances,
            }),
            Self::Ended(BulkEnd { id, how, written, reason }) => json!({
                "verb": VERB, "id": id, "ended": how.text(), "written": written, "why": reason,
            }),
        }
    }

    /// What the body of a record tells; nothing if it is none.
    #[must_use]
    pub fn read(body: &Value) -> Option<Self> {
        if !Self::is(body) {
            return None;
        }
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        if let Some(word) = text("ended") {
            let (_, how) = BulkEnded::WORDS.iter().find(|(own, _)| *own == word)?;
            let written = body.get("written").and_then(Value::as_u64)?;
            return Some(Self::Ended(BulkEnd {
                id: text("id")?,
                how: *how,
                written: u32::try_from(written).ok()?,
                reason: text("why")?,
            }));
        }
        let instances = body.get("instances").and_then(Value::as_array)?.iter();
        let instances = instances.map(|name| name.as_str().map(str::to_owned));
        Some(Self::Begun(Bulk {
            id: text("id")?,
            by: text("by")?,
            why: text("why")?,
            act: text("act")?,
            filter: text("filter")?,
            instances: instances.collect::<Option<_>>()?,
        }))
    }

    /// The id of a member, the first of which is 0.
    #[must_use]
    pub fn member(bulk: &str, number: usize) -> String {
        format!("{bulk}/{number}")
    }

    /// Whose member, and which, an act with that id is, if it is one.
    #[must_use]
    pub fn of_member(id: &str) -> Option<(&str, u32)> {
        let (bulk, number) = id.rsplit_once('/')?;
        Some((bulk, number.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_reads_back() {
        let begun = BulkRecord::Begun(Bulk {
            id: "b-1".to_owned(),
            by: "ana".to_owned(),
            why: "the carrier is back".to_owned(),
            act: "retry".to_owned(),
            filter: "state=stuck".to_owned(),
            instances: vec!["order/o-1".to_owned(), "order/o/2".to_owned()],
        });
        assert_eq!(BulkRecord::read(&begun.body()), Some(begun));
        for (_, how) in BulkEnded::WORDS {
            let (id, reason) = ("b-1".to_owned(), "ben".to_owned());
            let ended = BulkRecord::Ended(BulkEnd { id, how, written: 3, reason });
            assert_eq!(BulkRecord::read(&ended.body()), Some(ended));
        }
        for body in [
            json!({ "verb": "retry", "id": "b-1" }),
            json!({ "verb": "bulk" }),
            json!({ "verb": "bulk", "id": "b", "ended": "lost", "written": 1, "why": "" }),
            json!([]),
        ] {
            assert_eq!(BulkRecord::read(&body), None, "{body}");
        }
    }

    #[test]
    fn a_member_is_known_by_its_id() {
        assert_eq!(BulkRecord::of_member(&BulkRecord::member("a/b", 7)), Some(("a/b", 7)));
        assert_eq!(BulkRecord::of_member("b-1"), None);
        assert_eq!(BulkRecord::of_member("b-1/x"), None);
    }
}
