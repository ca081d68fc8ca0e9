//! What the index keeps and answers, on a file of its own.

mod bulks;
mod canary;
mod faults;
mod following;
mod foresight;
mod guards;
mod lists;
mod places;
mod searched;
mod sql;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::fold::Folded;
use super::index::{Batch, File, Index, Put};
use super::{Error, Filter, Page, Sort, query};
use crate::message::{InstanceId, Key, Offset, SagaName, Span, Timestamp};
use crate::status::{Fingerprint, LifeState};

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const AGE_MAX: Span = Span::hours(12);

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("segue-view-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// An index in a folder.
struct Shelf {
    file: File,
    index: Index,
    places: i64,
}

impl Shelf {
    fn open(folder: &Folder) -> Self {
        let file = File::take(&folder.0).expect("a folder of the test");
        let index = Index::open(&file, "shop", AGE_MAX, NOW).expect("an index");
        Self { file, index, places: 0 }
    }

    fn write(&mut self, fill: impl FnOnce(&mut Batch<'_>) -> Result<(), Error>) {
        self.index.write(NOW, fill).expect("written");
    }

    /// An instance stands like that now.
    fn put(&mut self, id: &InstanceId, folded: &Folded) {
        self.places += 1;
        let place = Offset(self.places);
        self.write(|batch| batch.put(&Put { id, folded, partition: 0, place, changed: NOW }));
    }

    fn page(&self, filter: &Filter, sort: Sort, after: Option<&str>, limit: usize) -> Page {
        let reader = self.file.reader().expect("a reader");
        query::page(&reader, filter, sort, after, limit).expect("a page")
    }

    /// The keys of all pages of so many rows, in their order.
    fn keys(&self, filter: &Filter, sort: &Sort, limit: usize) -> Vec<String> {
        let (mut keys, mut after) = (Vec::new(), None);
        loop {
            let page = self.page(filter, sort.clone(), after.as_deref(), limit);
            assert!(page.instances.len() <= limit, "no page is longer than was asked");
            keys.extend(page.instances.into_iter().map(|row| row.key));
            after = page.next;
            if after.is_none() {
                return keys;
            }
        }
    }
}

fn id(saga: &str, key: &str) -> InstanceId {
    let saga = SagaName::new(saga).expect("a name");
    InstanceId { saga, key: Key::new(key).expect("a key") }
}

/// An instance that runs since then.
fn running(started: i64) -> Folded {
    Folded {
        state: LifeState::Running,
        version: Some(1),
        step: Some("charge".to_owned()),
        error: None,
        started: Timestamp(started),
        ended: None,
        due: None,
        owed: Vec::new(),
        questions: Vec::new(),
        searched: Vec::new(),
    }
}

fn failed(started: i64, reason: &str) -> Folded {
    let error = Fingerprint::of("order", "charge", reason);
    Folded { state: LifeState::Stuck, error: Some((error, reason.to_owned())), ..running(started) }
}

fn completed(started: i64, took: i64) -> Folded {
    Folded {
        state: LifeState::Completed,
        step: None,
        ended: Some(Timestamp(started + took)),
        ..running(started)
    }
}
