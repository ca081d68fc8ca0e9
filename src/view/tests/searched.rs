//! Instances are found and sorted by fields of their data.

use super::{Folded, Folder, NOW, Shelf, completed, id, running};
use crate::message::read_json;
use crate::status::{LifeState, SearchedValue};
use crate::view::{Error, FieldTest, Filter, Sort, query};

/// An instance of which that is searched, each value as JSON.
fn with(started: i64, fields: &[(&str, &str)]) -> Folded {
    let value = |json: &str| {
        SearchedValue::of(&read_json(json.as_bytes()).expect("JSON")).expect("it can be")
    };
    let searched = fields.iter().map(|(field, json)| ((*field).to_owned(), value(json)));
    Folded { searched: searched.collect(), ..running(started) }
}

fn tests(all: &[&str]) -> Filter {
    let fields = all.iter().map(|test| test.parse::<FieldTest>().expect("a test"));
    Filter { fields: fields.collect(), ..Filter::default() }
}

/// Seven orders and a refund.
fn filled(folder: &Folder) -> Shelf {
    let mut shelf = Shelf::open(folder);
    let (who, total) = ("data.customer", "data.total");
    for (number, (customer, sum)) in [
        ("\"anna\"", "12.50"),
        ("\"anna\"", "100"),
        ("\"bert\"", "9"),
        ("\"Anna\"", "-3"),
        ("\"anna-lena\"", "\"12.50\""),
        ("true", "1e2"),
    ]
    .into_iter()
    .enumerate()
    {
        let started = i64::try_from(number).expect("small");
        shelf.put(
            &id("order", &format!("o-{number}")),
            &with(started, &[(who, customer), (total, sum)]),
        );
    }
    shelf.put(&id("order", "o-6"), &running(6));
    shelf.put(&id("refund", "r-7"), &with(7, &[(who, "\"anna\"")]));
    shelf
}

#[test]
fn an_instance_is_found_by_what_a_field_of_it_is() {
    let folder = Folder::new();
    let shelf = filled(&folder);
    for (all, keys) in [
        (&["data.customer=anna"][..], &["o-0", "o-1", "r-7"][..]),
        (&["data.customer=Anna"], &["o-3"]),
        (&["data.customer=true"], &["o-5"]),
        (&["data.customer=ann"], &[]),
        (&["data.customer!=anna"], &["o-2", "o-3", "o-4", "o-5"]),
        (&["data.customer>anna"], &["o-2", "o-4", "o-5"]),
        (&["data.customer<=anna"], &["o-0", "o-1", "o-3", "r-7"]),
        (&["data.total=12.5"], &["o-0"]),
        (&["data.total=12.50"], &["o-0", "o-4"]),
        (&["data.total=100.0"], &["o-1", "o-5"]),
        (&["data.total!=100"], &["o-0", "o-2", "o-3", "o-4"]),
        (&["data.total!=many"], &["o-0", "o-1", "o-2", "o-3", "o-4", "o-5"]),
        (&["data.total>=12.5"], &["o-0", "o-1", "o-5"]),
        (&["data.total>12.5"], &["o-1", "o-5"]),
        (&["data.total<9"], &["o-3"]),
        (&["data.total<=9"], &["o-2", "o-3"]),
        (&["data.total>=9", "data.total<100"], &["o-0", "o-2"]),
        (&["data.customer=anna", "data.total=100"], &["o-1"]),
        (&["data.nothing=1"], &[]),
    ] {
        for limit in [1, 2, 100] {
            assert_eq!(shelf.keys(&tests(all), &Sort::Oldest, limit), keys, "{all:?}");
        }
    }
    let of_refund = Filter { saga: Some(id("refund", "r").saga), ..tests(&["data.customer=anna"]) };
    assert_eq!(shelf.keys(&of_refund, &Sort::Newest, 10), ["r-7"]);
}

#[test]
fn a_list_is_in_the_order_of_a_field_of_those_who_have_it() {
    let folder = Folder::new();
    let shelf = filled(&folder);
    let total = || "data.total".to_owned();
    let rising = ["o-4", "o-3", "o-2", "o-0", "o-1", "o-5"];
    let falling: Vec<_> = rising.into_iter().rev().collect();
    for limit in 1..=7 {
        let all = Filter::default();
        assert_eq!(shelf.keys(&all, &Sort::Least(total()), limit), rising, "{limit}");
        assert_eq!(shelf.keys(&all, &Sort::Greatest(total()), limit), falling, "{limit}");
        let anna = tests(&["data.customer=anna"]);
        assert_eq!(shelf.keys(&anna, &Sort::Greatest(total()), limit), ["o-1", "o-0"]);
        let running = Filter { states: vec![LifeState::Running], ..Filter::default() };
        assert_eq!(shelf.keys(&running, &Sort::Least(total()), limit), rising, "{limit}");
        let done = Filter { states: vec![LifeState::Completed], ..Filter::default() };
        assert_eq!(shelf.keys(&done, &Sort::Least(total()), limit), Vec::<String>::new());
        let saga = Some(id("refund", "r").saga);
        let refunds = Filter { saga, ..Filter::default() };
        let customer = Sort::Least("data.customer".to_owned());
        assert_eq!(shelf.keys(&refunds, &customer, limit), ["r-7"]);
    }
    let nobody = Sort::Least("data.nothing".to_owned());
    assert_eq!(shelf.keys(&Filter::default(), &nobody, 10), Vec::<String>::new());
}

#[test]
fn a_row_says_by_which_fields_it_is_searched() {
    let folder = Folder::new();
    let shelf = filled(&folder);
    let fields = |sort| {
        let page = shelf.page(&tests(&["data.total=12.5"]), sort, None, 10);
        let row = page.instances.into_iter().next().expect("a row");
        row.fields.into_iter().map(|(field, text)| format!("{field}={text}")).collect::<Vec<_>>()
    };
    let expected = ["data.customer=anna", "data.total=12.5"];
    assert_eq!(fields(Sort::Newest), expected);
    assert_eq!(fields(Sort::Least("data.total".to_owned())), expected);
}

#[test]
fn what_a_field_was_before_is_not_found() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    let one = id("order", "o-1");
    let keys = |shelf: &Shelf, test: &str| shelf.keys(&tests(&[test]), &Sort::Newest, 10);
    shelf.put(&one, &with(1, &[("data.a", "1"), ("data.b", "\"x\"")]));
    shelf.put(&one, &with(1, &[("data.a", "2")]));
    assert_eq!(keys(&shelf, "data.a=1"), Vec::<String>::new());
    assert_eq!(keys(&shelf, "data.b=x"), Vec::<String>::new());
    assert_eq!(keys(&shelf, "data.a=2"), ["o-1"]);
    // Nothing of the row has changed but what is searched, and then nothing at all.
    shelf.put(&one, &with(1, &[("data.a", "2")]));
    assert_eq!(keys(&shelf, "data.a=2"), ["o-1"]);
    shelf.put(&one, &running(1));
    assert_eq!(keys(&shelf, "data.a=2"), Vec::<String>::new());
    let ended = Folded { searched: with(1, &[("data.a", "3")]).searched, ..completed(1, 5) };
    shelf.put(&one, &ended);
    shelf.write(|batch| batch.gone(&one, NOW, None));
    let reader = shelf.file.reader().expect("a reader");
    let left: i64 =
        reader.query_row("SELECT count(*) FROM searched", [], |row| row.get(0)).expect("a number");
    assert_eq!(left, 0, "what is gone leaves nothing");
}

#[test]
fn a_value_that_very_many_have_finds_them_too() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    shelf.write(|batch| {
        for number in 0..5_200_i64 {
            let id = id("order", &format!("o-{number:05}"));
            let land = if number % 1_000 == 7 { "\"DE\"" } else { "\"NL\"" };
            let folded = with(number, &[("data.land", land), ("data.n", &number.to_string())]);
            let (partition, place) = (0, crate::message::Offset(number));
            let (id, folded) = (&id, &folded);
            batch.put(&crate::view::index::Put { id, folded, partition, place, changed: NOW })?;
        }
        Ok(())
    });
    let keys = |filter: &Filter, sort: Sort| {
        let page = shelf.page(filter, sort, None, 2);
        page.instances.into_iter().map(|row| row.key).collect::<Vec<_>>()
    };
    let by_number = || Sort::Greatest("data.n".to_owned());
    assert_eq!(keys(&tests(&["data.land=NL"]), Sort::Newest), ["o-05199", "o-05198"]);
    assert_eq!(keys(&tests(&["data.land!=DE"]), by_number()), ["o-05199", "o-05198"]);
    assert_eq!(keys(&tests(&["data.land=DE"]), by_number()), ["o-05007", "o-04007"]);
    let both = tests(&["data.land=NL", "data.n<10"]);
    assert_eq!(keys(&both, Sort::Newest), ["o-00009", "o-00008"]);
}

#[test]
fn a_cursor_of_another_order_is_refused() {
    let folder = Folder::new();
    let shelf = filled(&folder);
    let reader = shelf.file.reader().expect("a reader");
    let by_total = || Sort::Least("data.total".to_owned());
    let first = query::page(&reader, &Filter::default(), by_total(), None, 1).expect("a page");
    let next = first.next.expect("there are more");
    let started = query::page(&reader, &Filter::default(), Sort::Newest, Some(&next), 1);
    assert!(matches!(started, Err(Error::Cursor(shown)) if shown == next));
    for text in ["", "1-1", "..", "..x", "zz..1", "0..1", "..+1", "..1.", "31.31.1.1"] {
        let page = query::page(&reader, &Filter::default(), by_total(), Some(text), 5);
        assert!(matches!(page, Err(Error::Cursor(shown)) if shown == text), "{text}");
    }
}
