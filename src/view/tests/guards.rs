//! An index that cannot be trusted is made anew; a batch is all or nothing.

use std::fs;

use super::{AGE_MAX, Folder, NOW, Shelf, id, running};
use crate::broker::Places;
use crate::message::{Offset, Topic};
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
    let index = Index::open(&file, "shop", AGE_MAX, later.after(crate::message::Span(1)));
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
