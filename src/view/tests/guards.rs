//! An index that cannot be trusted is made anew; a batch is all or nothing.

use std::collections::BTreeMap;
use std::fs;

use super::{AGE_MAX, Folder, NOW, Shelf, id, running};
use crate::broker::Places;
use crate::message::{Offset, Span, Timestamp, Topic, TopicId};
use crate::view::index::{File, Index};
use crate::view::{Error, Filter, Sort};

/// An index of a cluster with one instance.
fn filled(folder: &Folder) -> Shelf {
    let mut shelf = Shelf::open(folder);
    assert!(shelf.index.is_of("cluster-1").expect("an answer"));
    shelf.put(&id("order", "o-1"), &running(10));
    shelf
}

fn rows(shelf: &Shelf) -> usize {
    shelf.page(&Filter::default(), Sort::Newest, None, 10).instances.len()
}

#[test]
fn an_index_is_found_again() {
    let folder = Folder::new();
    drop(filled(&folder));
    let shelf = Shelf::open(&folder);
    assert_eq!(rows(&shelf), 1);
    assert!(shelf.index.is_of("cluster-1").expect("an answer"));
}

#[test]
fn an_index_of_another_cluster_says_so() {
    let folder = Folder::new();
    let shelf = filled(&folder);
    assert!(!shelf.index.is_of("cluster-2").expect("an answer"));
}

#[test]
fn an_index_of_another_application_is_made_anew() {
    let folder = Folder::new();
    drop(filled(&folder));
    let file = File::take(&folder.0).expect("the folder");
    let index = Index::open(&file, "other", AGE_MAX, NOW).expect("an index");
    assert_eq!(index.positions().expect("an answer"), Places::new());
    assert!(index.is_of("cluster-2").expect("an answer"), "it is nobody's yet");
}

#[test]
fn an_index_that_was_not_written_for_long_is_made_anew() {
    let folder = Folder::new();
    drop(filled(&folder));
    let later = NOW.after(AGE_MAX);
    let file = File::take(&folder.0).expect("the folder");
    let index = Index::open(&file, "shop", AGE_MAX, later).expect("an index");
    assert!(index.is_of("cluster-1").expect("it is the same"));
    drop(index);
    let index = Index::open(&file, "shop", AGE_MAX, later.after(Span(1)));
    assert!(index.expect("an index").is_of("cluster-2").expect("it is nobody's yet"));
}

#[test]
fn a_file_that_is_no_index_is_made_anew() {
    for content in ["", "no database at all, but a text of some length", "SQLite format 3\0"] {
        let folder = Folder::new();
        fs::create_dir_all(&folder.0).expect("a folder");
        fs::write(folder.0.join("view.db"), content).expect("a file");
        let shelf = Shelf::open(&folder);
        assert_eq!(rows(&shelf), 0, "{content}");
    }
}

#[test]
fn a_damaged_index_is_made_anew() {
    let folder = Folder::new();
    let mut shelf = filled(&folder);
    for number in 0..500 {
        shelf.put(&id("order", &format!("o-{number}")), &running(number));
    }
    drop(shelf);
    let path = folder.0.join("view.db");
    let mut bytes = fs::read(&path).expect("the file");
    let length = bytes.len();
    bytes[4_096..length].fill(0xff);
    fs::write(&path, bytes).expect("written");
    let shelf = Shelf::open(&folder);
    assert_eq!(rows(&shelf), 0);
    assert!(shelf.index.is_of("cluster-2").expect("it is nobody's yet"));
}

#[test]
fn a_folder_has_one_view() {
    let folder = Folder::new();
    let shelf = Shelf::open(&folder);
    assert!(matches!(File::take(&folder.0), Err(Error::Taken(_))));
    drop(shelf);
    assert!(File::take(&folder.0).is_ok());
}

#[test]
fn rows_and_positions_are_written_together_or_not_at_all() {
    let folder = Folder::new();
    let mut shelf = filled(&folder);
    let topic = Topic::new("shop.changelog").expect("a topic");
    let places = |offset| Places::from([((topic.clone(), 0), Offset(offset))]);
    shelf.write(|batch| batch.positions(&places(5)));
    let (other, folded) = (id("order", "o-2"), running(11));
    let failed = shelf.index.write(NOW, |batch| {
        let (partition, place) = (0, Offset(9));
        let put =
            crate::view::index::Put { id: &other, folded: &folded, partition, place, changed: NOW };
        batch.put(&put)?;
        batch.positions(&places(10))?;
        Err(Error::Cursor("anything".to_owned()))
    });
    assert!(failed.is_err());
    assert_eq!((rows(&shelf), shelf.index.positions().expect("an answer")), (1, places(5)));
    // The words that the lost batch had numbered are numbered again.
    shelf.put(&id("later", "o-3"), &running(12));
    let row = &shelf.page(&Filter::default(), Sort::Newest, None, 1).instances[0];
    assert_eq!(row.saga, "later");
}

#[test]
fn an_index_that_was_written_in_the_future_is_made_anew() {
    let folder = Folder::new();
    drop(filled(&folder));
    let file = File::take(&folder.0).expect("the folder");
    let earlier = |span: Span| Timestamp(NOW.0 - i64::try_from(span.0).expect("small"));
    let index = Index::open(&file, "shop", AGE_MAX, earlier(Span::hours(1))).expect("an index");
    assert!(!index.is_of("cluster-2").expect("an answer"), "clocks differ a little");
    drop(index);
    let before = earlier(Span(3_600_001));
    let index = Index::open(&file, "shop", AGE_MAX, before).expect("an index");
    assert!(index.is_of("cluster-2").expect("it is nobody's yet"));
}

#[test]
fn an_index_knows_the_topics_that_it_was_read_from() {
    let folder = Folder::new();
    let shelf = filled(&folder);
    let topic = |name: &str| Topic::new(name).expect("a topic");
    let one = TopicId::derived(&["one"]);
    let ids = BTreeMap::from([(topic("shop.changelog"), one)]);
    assert!(shelf.index.is_from(&ids).expect("an answer"));
    drop(shelf);
    let shelf = Shelf::open(&folder);
    let more = BTreeMap::from([(topic("shop.changelog"), one), (topic("shop.history"), one)]);
    assert!(shelf.index.is_from(&more).expect("an answer"));
    assert!(shelf.index.is_from(&BTreeMap::new()).expect("the cluster tells no ids"));
    let other = BTreeMap::from([(topic("shop.changelog"), TopicId::derived(&["two"]))]);
    assert!(!shelf.index.is_from(&other).expect("an answer"));
}

#[test]
fn a_disk_that_is_full_loses_a_batch_and_nothing_else() {
    let folder = Folder::new();
    let mut shelf = filled(&folder);
    let topic = Topic::new("shop.changelog").expect("a topic");
    let places = |offset| Places::from([((topic.clone(), 0), Offset(offset))]);
    shelf.write(|batch| batch.positions(&places(1)));
    shelf.index.bound(1);
    let mut next = 2;
    let failed = loop {
        let id = id("order", &format!("o-{next}"));
        let folded = running(next);
        let (partition, place) = (0, Offset(next));
        let (id, folded) = (&id, &folded);
        let put = crate::view::index::Put { id, folded, partition, place, changed: NOW };
        let written = shelf.index.write(NOW, |batch| {
            batch.put(&put)?;
            batch.positions(&places(next))
        });
        if let Err(error) = written {
            break error;
        }
        next += 1;
        assert!(next < 10_000, "the file is bounded");
    };
    assert!(matches!(&failed, Error::Index(why) if why.contains("full")), "{failed}");
    let known = usize::try_from(next - 1).expect("small");
    let all = |shelf: &Shelf| shelf.keys(&Filter::default(), &Sort::Oldest, 1_000).len();
    assert_eq!(all(&shelf), known, "who asks is answered");
    assert_eq!(shelf.index.positions().expect("an answer"), places(next - 1));
    let counted = |shelf: &Shelf| {
        let reader = shelf.file.reader().expect("a reader");
        let counts = crate::view::query::counts(&reader, None).expect("counts");
        counts.iter().map(|count| count.instances).sum::<u64>()
    };
    assert_eq!(counted(&shelf), u64::try_from(known).expect("small"));
    shelf.index.bound(1_000_000);
    shelf.put(&id("order", "later"), &running(next));
    assert_eq!(
        (all(&shelf), counted(&shelf)),
        (known + 1, u64::try_from(known + 1).expect("small"))
    );
}
