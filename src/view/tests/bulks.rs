//! Acts on many instances, as their records tell them.

use super::{Folder, Shelf};
use crate::message::{
    Bulk, BulkEnd, BulkEnded, BulkRecord, Disposal, Disposed, Headers, Offset, Origin, Timestamp,
    Topic,
};
use crate::runtime::SourceRecord;
use crate::status::Moment;
use crate::view::{BulkEndTold, BulkRow, Signatures, bulk, query};

fn record(offset: i64, body: &str) -> SourceRecord {
    let topic = Topic::new("shop.operator").expect("a topic");
    SourceRecord {
        origin: Origin { topic, partition: 0, offset: Offset(offset) },
        incarnation: None,
        key: None,
        headers: Headers::default(),
        body: Some(body.to_owned().into()),
        timestamp: Timestamp(offset),
    }
}

/// Where acts need no signature.
fn open() -> Signatures {
    Signatures::default()
}

fn begun(id: &str) -> String {
    let text = |text: &str| text.to_owned();
    let bulk = Bulk {
        id: id.to_owned(),
        by: text("ana"),
        why: text("it is back"),
        act: text("retry"),
        filter: text("state=stuck"),
        instances: ["order/o-1", "order/o-2", "order/o-3"].map(text).to_vec(),
    };
    BulkRecord::Begun(bulk).body().to_string()
}

#[test]
fn it_is_told_how_many_members_are_written_and_how_it_ended() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    let records = [
        record(1, &begun("b-1")),
        record(2, r#"{"verb":"retry","id":"b-1/0","saga":"order","key":"o-1"}"#),
        record(3, r#"{"verb":"retry","id":"nobody/7","saga":"order","key":"o-9"}"#),
        record(4, r#"{"verb":"retry","id":"b-1/1","saga":"order","key":"o-2"}"#),
        record(5, r#"{"verb":"retry","id":"b-1/1","saga":"order","key":"o-2"}"#),
        record(6, "no JSON"),
        record(7, r#"{"verb":"bulk","id":"b-1"}"#),
        record(8, &begun("b-2")),
    ];
    shelf.write(|batch| records.iter().try_for_each(|record| bulk::take(batch, record, &open())));
    let expected = BulkRow {
        id: "b-1".to_owned(),
        at: Moment(Timestamp(1)),
        by: "ana".to_owned(),
        why: "it is back".to_owned(),
        verb: "retry".to_owned(),
        filter: "state=stuck".to_owned(),
        members: 3,
        written: 2,
        ended: None,
    };
    let reader = shelf.file.reader().expect("a reader");
    let found = |id: &str| query::bulk(&reader, id).expect("an answer");
    assert_eq!(found("b-1").as_ref(), Some(&expected));
    let (how, reason) = (BulkEnded::Stopped, "stopped by ben".to_owned());
    let end = BulkEnd { id: "b-1".to_owned(), how, written: 2, reason: reason.clone() };
    let end = BulkRecord::Ended(end).body().to_string();
    shelf.write(|batch| bulk::take(batch, &record(9, &end), &open()));
    let ended = Some(BulkEndTold { how: "stopped".to_owned(), at: Moment(Timestamp(9)), reason });
    assert_eq!(found("b-1"), Some(BulkRow { ended, ..expected }));
    let ids = || query::bulks(&reader, 9).expect("rows").into_iter().map(|row| row.id);
    assert_eq!(ids().collect::<Vec<_>>(), ["b-2", "b-1"]);
    shelf.write(|batch| batch.cut_bulks(0, Offset(2)));
    assert_eq!(ids().collect::<Vec<_>>(), ["b-2"]);
}

#[test]
fn what_the_gateways_refuse_is_no_act_on_many() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    // Odd places are those of forged records.
    let signatures = Signatures::verified(|record| match record.origin.offset.0 % 2 {
        0 => Ok(()),
        _ => Err("the act is not signed".to_owned()),
    });
    let member = |number| format!(r#"{{"verb":"retry","id":"b-1/{number}","saga":"s","key":"k"}}"#);
    let end =
        BulkEnd { id: "b-1".to_owned(), how: BulkEnded::Done, written: 3, reason: String::new() };
    let end = BulkRecord::Ended(end).body().to_string();
    let records = [
        record(1, &begun("b-1").replace("ana", "mallory")),
        record(2, &begun("b-1")),
        record(3, &begun("forged")),
        record(4, &member(0)),
        record(5, &member(1)),
        record(7, &end),
    ];
    shelf.write(|batch| records.iter().try_for_each(|one| bulk::take(batch, one, &signatures)));
    let reader = shelf.file.reader().expect("a reader");
    let rows = query::bulks(&reader, 9).expect("rows");
    let told: Vec<_> = rows.iter().map(|row| (row.id.as_str(), row.by.as_str())).collect();
    assert_eq!(told, [("b-1", "ana")]);
    assert_eq!((rows[0].written, &rows[0].ended), (1, &None), "nobody has ended it");
    shelf.write(|batch| bulk::take(batch, &record(8, &end), &signatures));
    let ended = query::bulk(&reader, "b-1").expect("an answer").and_then(|row| row.ended);
    assert_eq!(ended.map(|end| end.how).as_deref(), Some("done"));
}

#[test]
fn what_was_done_with_many_dead_letters_is_counted_whichever_is_read_first() {
    let folder = Folder::new();
    let mut shelf = Shelf::open(&folder);
    let disposal = |offset, id: &str| Disposal {
        partition: 0,
        offset: Offset(offset),
        how: Disposed::Discarded,
        by: "ana".to_owned(),
        why: "they are old".to_owned(),
        id: id.to_owned(),
    };
    let written = |shelf: &Shelf| {
        let reader = shelf.file.reader().expect("a reader");
        query::bulk(&reader, "b-1").expect("an answer").expect("it is known").written
    };
    shelf.write(|batch| batch.dispose(&disposal(7, "b-1/0"), Timestamp(1)));
    shelf.write(|batch| batch.dispose(&disposal(8, "b-10/0"), Timestamp(1)));
    shelf.write(|batch| bulk::take(batch, &record(1, &begun("b-1")), &open()));
    assert_eq!(written(&shelf), 1);
    shelf.write(|batch| batch.dispose(&disposal(9, "b-1/1"), Timestamp(2)));
    assert_eq!(written(&shelf), 2);
}
