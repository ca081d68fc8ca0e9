//! Every act of a person, over the API, on an instance that waits for one: what it would do, what
//! came of it, what the history tells of it, and that it is obeyed once.

use segue::api::Endpoint;
use serde_json::{Value, json};

use super::asking::Asking;
use super::dev::Dev;

const OLD_CARD: &str = "the-old-card";
const NEW_CARD: &str = "the-new-card";

/// What a person does about an instance, and where it stands then.
struct Deed {
    saga: &'static str,
    /// What it waits at before.
    before: &'static str,
    verb: &'static str,
    /// What the act says beside its verb and its reason.
    more: Value,
    after: &'static str,
    /// What the history says of it.
    words: &'static str,
}

fn deeds() -> Vec<Deed> {
    let of_a_stuck = |verb, more, after, words| Deed {
        saga: "parcel",
        before: "stuck",
        verb,
        more,
        after,
        words,
    };
    vec![
        // The carrier is silent again, so that it is stuck once more.
        of_a_stuck("retry", json!({"step": "book"}), "stuck", "sent again"),
        of_a_stuck("skip", json!({}), "completed", "skipped"),
        of_a_stuck(
            "resolve-done",
            json!({"data": {"booking": "b-7"}}),
            "completed",
            "resolved as done",
        ),
        of_a_stuck("resolve-not-done", json!({}), "compensated", "resolved as not done"),
        of_a_stuck("go-back", json!({}), "compensated", "sent back"),
        of_a_stuck("cancel", json!({}), "compensated", "cancelled"),
        of_a_stuck("pause", json!({}), "paused", "paused"),
        of_a_stuck("set-data", json!({"data": {"card": NEW_CARD}}), "stuck", "card"),
        Deed {
            saga: "refund",
            before: "waiting",
            verb: "answer",
            more: json!({"choice": "yes", "note": "she is right"}),
            after: "completed",
            words: "yes",
        },
    ]
}

/// The entries of the history of an instance.
fn history(api: &Asking, deed: &Deed, key: &str) -> Vec<Value> {
    let found = api.found(&Endpoint::at(&["instances", deed.saga, key, "history"]));
    found.as_array().expect("a list").clone()
}

/// Whether an entry tells that the act was obeyed: by its id, else by who acts.
fn tells(entry: &Value, id: &str) -> bool {
    let notes = entry["notes"].as_array().expect("a list");
    notes.iter().map(|note| &note["data"]).any(|data| match &data["id"] {
        Value::Null => data["by"] == "local/ana",
        own => own == id,
    })
}

/// What is sensitive is shown to nobody.
fn is_hidden(shown: &Value) {
    let text = shown.to_string();
    assert!(!text.contains(OLD_CARD) && !text.contains(NEW_CARD), "it is masked: {text}");
}

fn check(api: &Asking, deed: &Deed) {
    let Deed { saga, before, verb, more, after, words } = deed;
    let (key, why) = (format!("for-{verb}"), format!("tried by {verb}"));
    let started = json!({"order": key, "card": OLD_CARD, "total": 1});
    api.done(&Endpoint::at(&["sagas", saga, "start"]), &started, &key);
    api.at_last(saga, &key, before);
    let told = history(api, deed, &key);

    let mut act = more.clone();
    act["verb"] = (*verb).into();
    act["why"] = why.as_str().into();
    let acts = Endpoint::at(&["instances", saga, &key, "acts"]);
    let id = format!("act-{verb}");
    let foreseen = api.done(&acts.clone().with("dry-run", Some(true)), &act, &id);
    assert_eq!(foreseen["foreseen"]["refused"], Value::Null, "{verb}: {foreseen}");
    assert_eq!(foreseen["outcome"], Value::Null, "{verb}: {foreseen}");
    let notes = foreseen["foreseen"]["notes"].to_string();
    assert_eq!(history(api, deed, &key), told, "{verb} is only foreseen");

    let done = api.done(&acts.clone().with("wait", Some("60s")), &act, &id);
    let outcome = &done["outcome"];
    assert_eq!((&done["id"], &done["by"]), (&json!(id), &json!("local/ana")), "{verb}: {done}");
    assert!(outcome.to_string().contains(words), "{verb}: {done}");
    assert!(notes.contains(words), "{verb} was foreseen: {notes}");
    let reached = api.at_last(saga, &key, after);
    is_hidden(&reached);

    // The same id is obeyed once, whoever sends it again.
    api.done(&acts.clone().with("wait", Some("100ms")), &act, &id);
    let last = json!({"verb": "skip", "why": "it comes behind it", "step": "nobody"});
    api.refused(&acts.with("wait", Some("60s")), &last, &format!("{id}-behind"));
    let entries = history(api, deed, &key);
    let audits: Vec<_> = entries.iter().filter(|entry| tells(entry, &id)).collect();
    assert_eq!(audits, [outcome], "{verb} is told once");
    is_hidden(&json!(entries));
    let refusal = entries.last().expect("an entry").to_string();
    assert!(refusal.contains("refused") && refusal.contains("local/ana"), "{verb}: {refusal}");
}

#[test]
fn every_act_is_foreseen_obeyed_once_and_told_with_who_and_why() {
    let dev = Dev::start();
    let api = Asking::at(&dev.server);
    let deeds = deeds();
    for saga in ["parcel", "refund"] {
        api.until_known(saga);
    }
    for deed in &deeds {
        check(&api, deed);
    }
    let resume = json!({"verb": "resume", "why": "they have moved"});
    let acts = Endpoint::at(&["instances", "parcel", "for-pause", "acts"]);
    let resumed = api.done(&acts.with("wait", Some("60s")), &resume, "act-resume");
    assert!(resumed["outcome"].to_string().contains("local/ana: they have moved"), "{resumed}");
    api.at_last("parcel", "for-pause", "stuck");
    let tried: Vec<&str> = deeds.iter().map(|deed| deed.verb).chain(["resume"]).collect();
    let wrong = json!({"verb": "dance", "why": "w"});
    let acts = Endpoint::at(&["instances", "parcel", "for-pause", "acts"]);
    let told = api.refused(&acts, &wrong, "act-none").detail;
    let known = told.split_once("expected one of ").expect("it names all verbs").1;
    let known = known.split('`').skip(1).step_by(2);
    for verb in known {
        assert!(tried.contains(&verb), "`{verb}` is tried here");
    }
}
