//! What people do with dead letters: replay them, edited or as they are, and discard them.

use segue::broker::{Connection, Isolation, Reader, Writer};
use segue::message::{Headers, RawRecord, Topic, header};
use segue::runtime::SourceRecord;
use serde_json::Value;
use std::time::{Duration, Instant};

use super::dev::Dev;

const FLUSH_MAX: Duration = Duration::from_secs(30);
const READ_MAX: Duration = Duration::from_secs(60);

/// An order that nobody can place: it does not say which order it is, or is no JSON.
fn order(id: &str, body: &'static [u8]) -> RawRecord {
    let mut headers = Headers::default();
    headers.push(header::ID, id.to_owned());
    headers.push(header::TYPE, "OrderPlaced");
    headers.push("x-raw", &b"\xff\x00"[..]);
    let topic = Topic::new("shop.orders").expect("a topic");
    RawRecord {
        topic,
        partition: Some(1),
        key: Some((&b"\xfe"[..]).into()),
        headers,
        body: body.into(),
    }
}

fn write(dev: &Dev, records: &[RawRecord]) {
    let writer = Writer::open(&Connection::plain(&dev.broker), "test").expect("a client");
    for record in records {
        writer.send_raw(record).expect("it is queued");
    }
    writer.flush(FLUSH_MAX).expect("it is written");
}

/// Writes orders that nobody can place, and waits until they are listed; their places.
pub fn put_aside_two(dev: &Dev) -> Vec<String> {
    write(dev, &[order("bad-1", b"{ no JSON"), order("bad-2", b"{ no JSON")]);
    open(dev, 2)
}

/// The places of the dead letters that are listed, the oldest first.
fn listed(dev: &Dev, state: &str) -> Vec<String> {
    let lines = dev.said(&["dead-letters", "--state", state, "-o", "jsonl"]);
    let mut places: Vec<String> = Vec::new();
    for line in lines.lines() {
        let row: Value = serde_json::from_str(line).expect("a line is a value");
        places.push(format!("{}/{}", row["partition"], row["offset"]));
    }
    places.reverse();
    places
}

/// The places of those that are open, once there are so many: the view follows the topics.
#[allow(clippy::disallowed_methods, reason = "it is given up by the clock of the test")]
fn open(dev: &Dev, count: usize) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let places = listed(dev, "open");
        if places.len() == count {
            return places;
        }
        assert!(begun.elapsed() < READ_MAX, "{count} are expected: {places:?}");
    }
}

/// The record of the orders that was replayed of a dead letter.
#[allow(clippy::disallowed_methods, reason = "it is given up by the clock of the test")]
fn replayed(dev: &Dev, letter: &str) -> SourceRecord {
    let (topic, begun) = (Topic::new("shop.orders").expect("a topic"), Instant::now());
    let connection = Connection::plain(&dev.broker);
    let (topics, isolation) = (std::slice::from_ref(&topic), Isolation::Committed);
    let mut reader = Reader::all(&connection, "test", topics, isolation).expect("a reader");
    while begun.elapsed() < READ_MAX {
        for record in reader.poll(Duration::from_millis(50), 100).expect("records") {
            if record.headers.text(header::REPLAY_OF) == Some(letter) {
                return record;
            }
        }
    }
    panic!("nothing was replayed of {letter}");
}

#[test]
fn a_dead_letter_is_replayed_once_or_discarded() {
    let dev = Dev::start();
    let broken = order("bad-2", b"{ no JSON");
    write(&dev, &[order("bad-1", br#"{"card":"4111","total":1.50}"#), broken.clone()]);
    let places = open(&dev, 2);
    let [first, second] = &places[..] else { panic!("{places:?}") };
    let shown = dev.said(&["dead-letters", first]);
    assert!(!shown.contains("4111"), "what is sensitive is masked: {shown}");

    let edit = ["--why", "the shop forgot it", "--patch", r#"{"order":"mended"}"#];
    let replay = [&["replay", first], &edit[..]].concat();
    let foreseen = dev.said(&[&replay[..], &["--dry-run"]].concat());
    assert!(foreseen.contains("would be replayed to shop.orders"), "{foreseen}");
    assert_eq!(listed(&dev, "open"), places, "a dry run writes nothing");
    let done = dev.said(&[&replay[..], &["--wait", "60s", "--id", "r-1"]].concat());
    assert!(done.starts_with(&format!("{first}  replayed to shop.orders\n")), "{done}");
    assert!(done.contains("edited  body"), "{done}");
    dev.said_in_time(&["list", "--key", "mended"], "parcel/mended ");
    let letter = format!("segue-dev.dead-letters[0]@{}", first.trim_start_matches("0/"));
    let record = replayed(&dev, &letter);
    let body = br#"{"card":"4111","total":1.50,"order":"mended"}"#;
    assert_eq!(record.body.as_deref(), Some(&body[..]), "what is masked is kept");
    assert_eq!(record.key.as_deref(), Some(&b"\xfe"[..]));
    assert_eq!(record.origin.partition, 1, "it goes back to its partition");
    let text = |name: &str| record.headers.text(name).unwrap_or_default().to_owned();
    assert_eq!(text(header::ID), "bad-1");
    assert!(text(header::REPLAY_ORIGIN).starts_with("shop.orders[1]@"));
    assert_eq!((text(header::REASON), text(header::ORIGIN)), (String::new(), String::new()));
    assert_eq!(text(header::REPLAY_BY), "local/ana");

    assert_eq!(
        dev.said(&[&replay[..], &["--wait", "60s", "--id", "r-1"]].concat()).lines().next(),
        Some(&*format!("{first}  replayed")),
        "the same id does it once"
    );
    let again = dev.segue(&replay);
    let told = String::from_utf8_lossy(&again.stderr);
    assert_eq!(again.status.code(), Some(7), "{told}");
    assert!(told.contains("it was replayed by local/ana at "), "{told}");
    assert_eq!(listed(&dev, "replayed"), [first.as_str()]);

    let raw = dev.said(&["replay", second, "--why", "byte for byte", "--wait", "60s"]);
    assert_eq!(raw, format!("{second}  replayed to shop.orders\n"));
    let letter = format!("segue-dev.dead-letters[0]@{}", second.trim_start_matches("0/"));
    let record = replayed(&dev, &letter);
    assert_eq!(record.body.as_deref(), Some(&broken.body[..]));
    assert!(record.headers.0.starts_with(&broken.headers.0), "its headers are as they came");
    let third = &open(&dev, 1)[0];
    let discarded = dev.said(&["discard", third, "--why", "it is broken", "--wait", "60s"]);
    assert_eq!(discarded, format!("{third}  discarded\n"));
    open(&dev, 0);
    assert!(dev.said(&["dead-letters", third]).contains("it is broken"));
}

#[test]
fn many_dead_letters_are_replayed_or_discarded_at_once() {
    let dev = Dev::start();
    put_aside_two(&dev);
    let which = ["--topic", "shop.orders", "--type", "OrderPlaced"];
    let replay =
        [&["bulk", "letters", "replay", "--why", "the shop is mended"], &which[..]].concat();
    let counted = dev.said(&replay);
    assert_eq!(counted, "2 dead letters\n");
    assert_eq!(dev.said(&["bulk", "list"]), "", "nothing is written");
    let yes = ["--yes", "--id", "again", "--rate", "100"];
    let replayed = dev.said(&[&replay[..], &yes].concat());
    assert!(replayed.starts_with("again  done\n  2 of 2 are written: replay\n"), "{replayed}");
    assert_eq!(listed(&dev, "replayed").len(), 2);
    // They are as broken as before, so that they are put aside once more.
    let places = open(&dev, 2);
    assert!(dev.said(&["dead-letters", &places[0]]).contains("local/ana"), "it says by whom");

    let nobody =
        dev.segue(&["bulk", "letters", "discard", "--why", "w", "--reason", "no such word"]);
    assert_eq!(nobody.status.code(), Some(3), "{}", String::from_utf8_lossy(&nobody.stderr));
    let discard =
        [&["bulk", "letters", "discard", "--why", "they are broken"], &which[..]].concat();
    let discarded = dev.said(&[&discard[..], &["--yes", "--id", "gone"]].concat());
    assert!(discarded.starts_with("gone  done\n  2 of 2 are written: discard\n"), "{discarded}");
    open(&dev, 0);
    let mut given_up = listed(&dev, "discarded");
    given_up.sort_unstable();
    let mut expected = places;
    expected.sort_unstable();
    assert_eq!(given_up, expected);
    assert!(dev.said(&["dead-letters", &expected[0]]).contains("they are broken"));
}
