use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::frame::{Frame, Section, page};
use super::query::instance_link;
use super::times::{Shown, now};
use crate::api::{Problem, Service, Who};
use crate::message::Timestamp;
use crate::view::OwedRow;

/// So many lines of the ledger are shown, the oldest.
const LINES_MAX: usize = 500;

/// The ledger of compensations that are not answered.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "owed.html")]
pub(super) struct OwedPage {
    pub frame: Frame,
    pub debtors: Vec<Debtor>,
}

/// Who owes answers, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Debtor {
    pub to: String,
    pub lines: Vec<OwedLine>,
}

/// A compensation that is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwedLine {
    pub link: String,
    pub saga: String,
    pub key: String,
    pub step: String,
    pub since: Shown,
    pub attempts: u32,
    pub due: Option<Shown>,
    pub parked: bool,
}

/// Answers the ledger.
pub(super) async fn show(State(service): State<Service>, who: Who) -> Result<Response, Problem> {
    let owed = service.look(|view| view.owed(None, None, LINES_MAX)).await?.found.owed;
    let frame = Frame::of(&service, &who, Section::Owed, "Owed").await?;
    page(&OwedPage { frame, debtors: debtors(&owed, now()) })
}

/// The ledger by whoever owes the answer; the longest list first.
pub(super) fn debtors(owed: &[OwedRow], now: Timestamp) -> Vec<Debtor> {
    let mut by_debtor: BTreeMap<&str, Vec<OwedLine>> = BTreeMap::new();
    for row in owed {
        by_debtor.entry(&row.to).or_default().push(OwedLine {
            link: instance_link(&row.saga, &row.key),
            saga: row.saga.clone(),
            key: row.key.clone(),
            step: row.step.clone(),
            since: Shown::new(row.since, now),
            attempts: row.attempts,
            due: Shown::maybe(row.due, now),
            parked: row.parked,
        });
    }
    let told = |(to, lines): (&str, _)| Debtor { to: to.to_owned(), lines };
    let mut debtors: Vec<Debtor> = by_debtor.into_iter().map(told).collect();
    debtors.sort_by_key(|debtor| std::cmp::Reverse(debtor.lines.len()));
    debtors
}
