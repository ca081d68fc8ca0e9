use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::Bytes;

use super::edges::Edges;
use super::folder::ASIDE_MAX;
use super::{Error, Fingerprint, Options, SledStore, Start};
use crate::message::{Offset, Shard, Span, Timestamp};
use crate::runtime::{Change, Checkpoint, Store};

const SHARD: Shard = Shard(0);
const NOON: Timestamp = Timestamp(1_700_000_000_000);
const FOLDER: &str = "SEGUE_TEST_STORE_FOLDER";

fn noon() -> Timestamp {
    NOON
}

fn options(folder: &Path) -> Options {
    Options {
        folder: folder.to_owned(),
        fingerprint: Fingerprint { cluster: "c1".to_owned(), app: "segue".to_owned(), shards: 4 },
        cache_bytes_max: 1024 * 1024,
        age_max: Span::hours(12),
    }
}

fn open(folder: &Path) -> SledStore {
    SledStore::open_at(&options(folder), at(noon)).expect("the folder is ours")
}

fn at(clock: fn() -> Timestamp) -> Edges {
    Edges { clock, ..Edges::default() }
}

fn put(key: &str, value: &str, due: Option<i64>) -> Change {
    let value = Some(Bytes::copy_from_slice(value.as_bytes()));
    Change { key: Bytes::copy_from_slice(key.as_bytes()), value, due: due.map(Timestamp) }
}

fn remove(key: &str) -> Change {
    Change { key: Bytes::copy_from_slice(key.as_bytes()), value: None, due: None }
}

fn load(store: &SledStore, key: &str) -> Option<String> {
    let value = store.load(SHARD, key.as_bytes()).expect("a whole value");
    value.map(|v| String::from_utf8(v.to_vec()).expect("text"))
}

fn due(store: &SledStore, until: i64, max: usize) -> Vec<(i64, String)> {
    let found =
        store.due(SHARD, Timestamp(i64::MIN)..=Timestamp(until), max).expect("a whole index");
    let read = |(t, k): (Timestamp, Bytes)| (t.0, String::from_utf8(k.to_vec()).expect("text"));
    found.into_iter().map(read).collect()
}

fn reached(offset: i64) -> Checkpoint {
    Checkpoint { changelog: Offset(offset) }
}

#[test]
fn a_checkpoint_is_there_after_a_clean_stop() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    assert_eq!(store.start(), &Start::New);
    assert_eq!(Store::open(&mut store, SHARD), Ok(None));
    let changes =
        vec![put("i/a/1", "one", Some(5)), put("i/a/2", "two", None), put("p/0", "p", None)];
    store.checkpoint(SHARD, changes, Offset(7)).expect("a checkpoint");
    store.checkpoint(SHARD, vec![remove("i/a/2")], Offset(9)).expect("a checkpoint");
    store.stop().expect("a clean stop");
    assert!(store.checkpoint(SHARD, vec![], Offset(10)).is_err(), "it was stopped");
    drop(store);

    let mut store = open(folder.path());
    assert_eq!(store.start(), &Start::Kept);
    assert_eq!(Store::open(&mut store, SHARD), Ok(Some(reached(9))));
    assert_eq!(load(&store, "i/a/1").as_deref(), Some("one"));
    assert_eq!(load(&store, "i/a/2"), None);
    assert_eq!(load(&store, "p/0").as_deref(), Some("p"));
    assert_eq!(due(&store, 5, 9), [(5, "i/a/1".to_owned())]);
    assert_eq!(Store::open(&mut store, Shard(1)), Ok(None), "another shard is untouched");
}

#[test]
fn timers_come_in_order_and_go_with_what_set_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    Store::open(&mut store, SHARD).expect("a shard");
    let changes = vec![put("b", "", Some(300)), put("a", "", Some(20)), put("c", "", Some(-1))];
    store.checkpoint(SHARD, changes, Offset(1)).expect("a checkpoint");
    let (a, b, c) = ("a".to_owned(), "b".to_owned(), "c".to_owned());
    assert_eq!(due(&store, 300, 9), [(-1, c.clone()), (20, a.clone()), (300, b.clone())]);
    assert_eq!(due(&store, 299, 9), [(-1, c.clone()), (20, a.clone())]);
    assert_eq!(due(&store, i64::MAX, 1), [(-1, c.clone())]);
    let changes = vec![put("c", "", Some(400)), put("a", "", None), remove("b")];
    store.checkpoint(SHARD, changes, Offset(2)).expect("a checkpoint");
    assert_eq!(due(&store, i64::MAX, 9), [(400, c.clone())]);
    let changes = vec![put("c", "", Some(1)), put("c", "x", Some(400)), put("d", "", None)];
    store.checkpoint(SHARD, changes, Offset(3)).expect("a checkpoint");
    assert_eq!(due(&store, i64::MAX, 9), [(400, c)], "the last change of a key counts");
    assert_eq!(load(&store, "c").as_deref(), Some("x"));
}

#[test]
fn watched_timers_are_told_again_only_when_the_shard_is_opened_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |seconds| NOON.after(Span::seconds(seconds)).0;
    let mut store = open(folder.path());
    Store::open(&mut store, SHARD).expect("a shard");
    let all = [("near", 60), ("gone", 70), ("far", 6000)].map(|(k, s)| put(k, "", Some(at(s))));
    store.checkpoint(SHARD, all.to_vec(), Offset(1)).expect("a checkpoint");
    let timer = |key: &str, seconds| (at(seconds), key.to_owned());
    let (near, far) = (timer("near", 60), timer("far", 6000));
    assert_eq!(due(&store, i64::MAX, 9), [near.clone(), timer("gone", 70), far.clone()]);
    assert_eq!(due(&store, i64::MAX, 1), std::slice::from_ref(&near));
    store.watch(SHARD, Timestamp(at(65))).expect("an open shard");
    assert_eq!(due(&store, i64::MAX, 9), [timer("gone", 70), far.clone()]);
    let changes =
        vec![remove("gone"), put("next", "", Some(at(65))), put("last", "", Some(at(66)))];
    store.checkpoint(SHARD, changes, Offset(2)).expect("a checkpoint");
    assert_eq!(due(&store, i64::MAX, 9), [timer("last", 66), far.clone()]);
    store.close(SHARD).expect("a closed shard");
    assert_eq!(Store::open(&mut store, SHARD), Ok(Some(reached(2))));
    let everything = [near, timer("next", 65), timer("last", 66), far];
    assert_eq!(due(&store, i64::MAX, 9), everything);
}

#[test]
fn a_second_process_is_kept_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    let second = SledStore::open(&options(folder.path()));
    assert!(matches!(second, Err(Error::Locked(_))));
    drop(store);
    drop(open(folder.path()));
}

#[test]
fn a_discarded_or_closed_shard_takes_nothing_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let mut other = store.handle();
    Store::open(&mut store, SHARD).expect("a shard");
    Store::open(&mut other, Shard(1)).expect("a shard");
    store.checkpoint(SHARD, vec![put("a", "1", Some(1))], Offset(1)).expect("a checkpoint");
    other.checkpoint(Shard(1), vec![put("b", "2", None)], Offset(2)).expect("a checkpoint");
    store.discard(SHARD).expect("an empty shard");
    assert_eq!((load(&store, "a"), due(&store, 9, 9)), (None, vec![]));
    store.checkpoint(SHARD, vec![put("c", "3", None)], Offset(3)).expect("a checkpoint");
    store.close(SHARD).expect("a closed shard");
    assert!(store.load(SHARD, b"c").is_err(), "it is closed");
    assert_eq!(Store::open(&mut store, SHARD), Ok(Some(reached(3))));
    assert_eq!(load(&store, "a"), None);
    other.close(Shard(1)).expect("a closed shard");
    assert_eq!(Store::open(&mut other, Shard(1)), Ok(Some(reached(2))));
}

#[test]
fn an_old_checkpoint_is_refused() {
    let late = || NOON.after(Span::hours(12)).after(Span::millis(1));
    let early = || Timestamp(NOON.0 - 2 * 60 * 60 * 1000);
    let limit = || NOON.after(Span::hours(12));
    for (clock, kept) in
        [(late as fn() -> Timestamp, None), (early, None), (limit, Some(reached(1)))]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = open(folder.path());
        Store::open(&mut store, SHARD).expect("a shard");
        store.checkpoint(SHARD, vec![put("a", "1", None)], Offset(1)).expect("a checkpoint");
        store.stop().expect("a clean stop");
        drop(store);
        let mut store = SledStore::open_at(&options(folder.path()), at(clock)).expect("a store");
        assert_eq!(Store::open(&mut store, SHARD), Ok(kept));
        assert_eq!(load(&store, "a").is_some(), kept.is_some());
    }
}

#[test]
fn the_store_of_another_cluster_is_moved_aside_and_few_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    for run in 0..ASIDE_MAX + 3 {
        let mut options = options(folder.path());
        options.fingerprint.cluster = format!("c{run}");
        let mut store = SledStore::open(&options).expect("a store");
        assert_eq!(matches!(store.start(), Start::MovedAside { .. }), run > 0, "{run}");
        if let Start::MovedAside { to, reason } = store.start() {
            assert!(to.join("sled").is_dir(), "{run}");
            assert!(reason.contains("cluster"), "{reason}");
        }
        assert_eq!(Store::open(&mut store, SHARD), Ok(None));
        store.checkpoint(SHARD, vec![put("a", "1", None)], Offset(1)).expect("a checkpoint");
        store.stop().expect("a clean stop");
    }
    let names =
        fs::read_dir(folder.path()).expect("the folder").map(|e| e.expect("it").file_name());
    let aside = names.filter(|n| n.to_string_lossy().starts_with("bad-")).count();
    assert_eq!(aside, ASIDE_MAX);
}

/// What [`filled`] wrote.
fn truth() -> BTreeMap<String, (String, i64)> {
    // The last is so large that sled keeps it in a file of its own.
    let length = |n: i64| if n == 199 { 200_000 } else { 40 };
    let entry = |n: i64| (format!("i/order/{n}"), (format!("{n}-").repeat(length(n)), n * 10));
    (0..200).map(entry).collect()
}

fn filled(folder: &Path) {
    let mut store = open(folder);
    Store::open(&mut store, SHARD).expect("a shard");
    for (number, (key, (value, due))) in truth().into_iter().enumerate() {
        let offset = Offset(i64::try_from(number).expect("small"));
        store.checkpoint(SHARD, vec![put(&key, &value, Some(due))], offset).expect("a checkpoint");
    }
    store.stop().expect("a clean stop");
    drop(store);
    // Opening writes a snapshot.
    let store = open(folder);
    store.stop().expect("a clean stop");
}

/// Opens what may be damaged: it holds the truth up to its checkpoint, or nothing.
fn check_damaged(folder: &Path, what: &str) -> bool {
    let mut store = SledStore::open_at(&options(folder), at(noon)).expect(what);
    let checkpoint = Store::open(&mut store, SHARD).expect(what);
    let last = checkpoint.map_or(-1, |c| c.changelog.0);
    for (number, (key, (value, _))) in truth().into_iter().enumerate() {
        let written = i64::try_from(number).expect("small") <= last;
        assert_eq!(load(&store, &key), written.then_some(value), "{what}: {key}");
    }
    let timers = due(&store, i64::MAX, 1000).len();
    assert_eq!(i64::try_from(timers).expect("small"), last + 1, "{what}");
    store.checkpoint(SHARD, vec![put("new", "1", None)], Offset(500)).expect(what);
    store.stop().expect(what);
    checkpoint.is_some()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn copy(from: &Path, to: &Path) {
    let mut all = Vec::new();
    files(from, &mut all);
    for file in all {
        let target = to.join(file.strip_prefix(from).expect("inside"));
        fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
        fs::copy(file, target).expect("a copy");
    }
}

/// Damages every file of a store in turn, in every way, and reads what is left.
#[test]
fn a_damaged_store_is_empty_or_true() {
    let whole = tempfile::tempdir().expect("a folder");
    filled(whole.path());
    let mut all = Vec::new();
    files(whole.path(), &mut all);
    all.retain(|f| !f.ends_with("lock"));
    assert!(all.len() >= 5, "stamp, conf, db, a snapshot and a blob: {all:?}");
    let mut kept = 0;
    let mut seen = 0;
    for file in &all {
        let inside = file.strip_prefix(whole.path()).expect("inside").to_owned();
        let bytes = fs::read(file).expect("a file");
        for (way, damaged) in damages(&bytes) {
            let folder = tempfile::tempdir().expect("a folder");
            copy(whole.path(), folder.path());
            fs::write(folder.path().join(&inside), damaged).expect("damage");
            let what = format!("{}: {way}", inside.display());
            kept += usize::from(check_damaged(folder.path(), &what));
            seen += 1;
        }
        let folder = tempfile::tempdir().expect("a folder");
        copy(whole.path(), folder.path());
        fs::remove_file(folder.path().join(&inside)).expect("damage");
        check_damaged(folder.path(), &format!("{}: gone", inside.display()));
    }
    assert!(kept < seen, "no damage was noticed");
}

/// sled cannot drop a tree whose blob is missing.
#[test]
fn a_shard_that_cannot_be_emptied_is_left_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path());
    fs::remove_dir_all(folder.path().join("sled/blobs")).expect("blobs");
    assert!(!check_damaged(folder.path(), "no blobs"));
    let mut store = open(folder.path());
    let Start::MovedAside { reason, .. } = store.start() else { panic!("it was believed") };
    assert_eq!(reason, "a damaged shard could not be emptied");
    assert_eq!(Store::open(&mut store, SHARD), Ok(None));
}

fn damages(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut made = Vec::new();
    let used = bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
    for part in 0..=12 {
        let at = used.saturating_sub(1) * part / 12;
        let mut flipped = bytes.to_vec();
        if let Some(byte) = flipped.get_mut(at) {
            *byte ^= 0x10;
        }
        made.push((format!("byte {at} flipped"), flipped));
        made.push((format!("cut at {at}"), bytes[..at].to_vec()));
        let mut zeroed = bytes.to_vec();
        let end = bytes.len().min(at + 64);
        zeroed[at..end].fill(0);
        made.push((format!("zeroes at {at}"), zeroed));
        let mut garbage = bytes.to_vec();
        garbage[at..end].fill(0xa5);
        made.push((format!("garbage at {at}"), garbage));
    }
    made
}

#[test]
#[ignore = "the child of killing_the_process_tears_nothing, which runs it"]
fn child_that_checkpoints() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("the parent names a folder"));
    let mut store = SledStore::open(&options(&folder)).expect("a store");
    let found = Store::open(&mut store, SHARD).expect("a shard");
    for round in found.map_or(0, |c| c.changelog.0) + 1.. {
        let text = round.to_string();
        let mut changes: Vec<_> =
            (0..50).map(|n| put(&format!("k{n}"), &text.repeat(20), Some(round))).collect();
        changes.push(put(&format!("r{round}"), &text, None));
        if round > 20 {
            changes.push(remove(&format!("r{}", round - 20)));
        }
        store.checkpoint(SHARD, changes, Offset(round)).expect("a checkpoint");
        println!("round {round}");
    }
}

/// A child checkpoints as fast as it can and is killed, again and again on the same folder.
#[test]
fn killing_the_process_tears_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut best = 0;
    for kill in 1..=6 {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "store::tests::child_that_checkpoints", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        let rounds = out.lines().map_while(Result::ok).filter(|l| l.contains("round "));
        assert_eq!(rounds.take(97 * kill).count(), 97 * kill, "the child went on until its end");
        child.kill().expect("it runs");
        child.wait().expect("it ends");

        let mut store = SledStore::open(&options(folder.path())).expect("a store");
        let Some(found) = Store::open(&mut store, SHARD).expect("a shard") else {
            assert_eq!(store.start(), &Start::Kept, "kill {kill}");
            assert_eq!(best, 0, "kill {kill}: what was on the disk is gone");
            continue;
        };
        let round = found.changelog.0;
        assert!(round >= best, "kill {kill}: {round} after {best}");
        best = round;
        for n in 0..50 {
            assert_eq!(load(&store, &format!("k{n}")), Some(round.to_string().repeat(20)));
        }
        assert_eq!(due(&store, i64::MAX, 99).len(), 50);
        let kept = (1..=round + 1).filter(|r| load(&store, &format!("r{r}")).is_some()).count();
        assert_eq!(i64::try_from(kept).expect("few"), round.min(20));
    }
    assert!(best > 0, "nothing was ever on the disk");
}

#[test]
fn a_store_whose_flush_hangs_is_left_behind_and_holds_up_nobody() {
    let hang: fn(&sled::Db) -> Result<(), String> = |_| {
        loop {
            std::thread::park();
        }
    };
    let folder = tempfile::tempdir().expect("a folder");
    let patience = Duration::from_millis(50);
    let edges = Edges { clock: noon, flush: hang, patience };
    let mut store = SledStore::open_at(&options(folder.path()), edges).expect("a store");
    let mut other = store.handle();
    assert_eq!(Store::open(&mut store, SHARD), Ok(None));
    assert_eq!(Store::open(&mut other, Shard(1)), Ok(None));
    let fault = loop {
        let changes = vec![put("i/a/1", "one", None)];
        if let Err(fault) = store.checkpoint(SHARD, changes, Offset(7)) {
            break fault;
        }
    };
    assert!(fault.reason.contains("a flush has not ended"), "{fault:?}");

    // The shard finds an empty store, which takes its checkpoints.
    assert_eq!(Store::open(&mut store, SHARD), Ok(None));
    let changes = vec![put("i/a/1", "two", None)];
    store.checkpoint(SHARD, changes, Offset(8)).expect("another store");
    assert_eq!(load(&store, "i/a/1").as_deref(), Some("two"));

    // The other pipeline's shard does not go on in the store that was left behind.
    let fault = other.checkpoint(Shard(1), vec![], Offset(1)).expect_err("it is of another store");
    assert!(fault.reason.contains("another store"), "{fault:?}");
    assert_eq!(Store::open(&mut other, Shard(1)), Ok(None));

    let reason = store.stop().expect_err("the flush hangs here too").to_string();
    assert!(reason.contains("the last flush has not ended"), "{reason}");
    drop((store, other));
    let again = SledStore::open_at(&options(folder.path()), at(noon)).expect("a store");
    assert!(matches!(again.start(), Start::MovedAside { .. }), "{:?}", again.start());
}
