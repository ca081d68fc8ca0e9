use super::instance::{failure_in, failure_out};
use super::note_parts::{
    address_in, address_out, awaited_in, awaited_out, change_in, change_out, claimant_in,
    claimant_out, proof_in, proof_out,
};
use super::{Error, wire};
use crate::engine::{Note, NoteKind, Sending, What};
use crate::message::{Coordinate, Span};

impl wire::Note {
    /// Takes a note.
    #[must_use]
    pub fn new(note: &Note) -> Self {
        Self { step: Coordinate::text(note.step.as_ref()), ..Self::of(&note.what) }
    }

    /// Takes what happened, without the step.
    #[must_use]
    pub fn of(what: &What) -> Self {
        Self { kind: what.kind().text().to_owned(), ..what_out(what) }
    }

    /// What kind of thing happened; none if a newer segue wrote it.
    #[must_use]
    pub fn kind(&self) -> Option<NoteKind> {
        NoteKind::ALL.into_iter().find(|kind| kind.text() == self.kind)
    }

    /// What happened.
    ///
    /// # Errors
    /// When a field is missing: it was written before there were fields, or by a newer segue.
    pub fn read(&self) -> Result<What, Error> {
        let kind = self.kind().ok_or(Error::Field("kind of note"))?;
        if !self.words.is_empty() {
            return Err(Error::Field("note in words"));
        }
        what_in(self, kind)
    }

    /// It in a person's words.
    #[must_use]
    pub fn text(&self) -> String {
        self.read().map_or_else(|_| self.words.clone(), |what| what.to_string())
    }
}

fn what_out(what: &What) -> wire::Note {
    let none = wire::Note::default();
    match what {
        What::Started { title: name } | What::Asked { who: name } => {
            wire::Note { name: name.clone(), ..none }
        }
        What::Queued { event } => wire::Note { id: event.clone(), ..none },
        What::Claimed(claimant) | What::Returned(claimant) | What::Withdrawn(claimant) => {
            claimant_out(claimant)
        }
        What::Granted { to, token } => wire::Note { token: *token, ..claimant_out(to) },
        What::Sent(sending) | What::Probed(sending) | What::Undoing(sending) => {
            wire::Note { to: sending.to.clone(), attempt: sending.attempt, ..none }
        }
        What::Told { fact } | What::Reminded { fact } => address_out(fact),
        What::Kept { event, id } => wire::Note { id: id.clone(), ..address_out(event) },
        What::Undone { by } => by.as_ref().map_or(none, address_out),
        What::Succeeded(proof) => proof_out(proof),
        What::Rejected { reason }
        | What::Skipped { reason }
        | What::TimedOut { reason }
        | What::Cancelled { reason }
        | What::Refused { reason }
        | What::Stuck { reason }
        | What::Compensated { reason } => wire::Note { reason: reason.clone(), ..none },
        What::Extended { attempt, within } => {
            let within_ms = i64::try_from(within.0).unwrap_or(i64::MAX);
            wire::Note { attempt: *attempt, within_ms, ..none }
        }
        What::GivenUp { may_have_happened: happened } => wire::Note { happened: *happened, ..none },
        What::WentBack(failure) => wire::Note { failure: Some(failure_out(failure)), ..none },
        What::Late { has_happened, by_probe } => {
            wire::Note { happened: *has_happened, by_probe: *by_probe, ..none }
        }
        What::Acted { id, verb, by, why: reason } | What::NotObeyed { id, verb, by, reason } => {
            let (id, verb, by) = (id.clone(), verb.clone(), by.clone());
            wire::Note { id, verb, by, reason: reason.clone(), ..none }
        }
        What::DataSet { id, changes } => {
            let changes = changes.iter().map(change_out).collect();
            wire::Note { id: id.clone(), changes, ..none }
        }
        What::Paused { id, by, why } => {
            wire::Note { id: id.clone(), by: by.clone(), reason: why.clone(), ..none }
        }
        What::Held { what } => wire::Note { name: what.clone(), ..none },
        What::Resumed { id, by, why, length } => {
            let within_ms = i64::try_from(length.0).unwrap_or(i64::MAX);
            wire::Note { id: id.clone(), by: by.clone(), reason: why.clone(), within_ms, ..none }
        }
        What::Completed | What::Forgotten | What::Released => none,
        What::Waiting(awaited) => awaited_out(awaited),
        What::Dropped { branch, reason } => {
            wire::Note { name: branch.clone(), reason: reason.clone(), ..none }
        }
        What::Locked { token } => wire::Note { token: *token, ..none },
    }
}

fn what_in(note: &wire::Note, kind: NoteKind) -> Result<What, Error> {
    let reason = || note.reason.clone();
    let sending = || Sending { to: note.to.clone(), attempt: note.attempt };
    let of_lock = note.instance.is_some();
    Ok(match kind {
        NoteKind::Started => What::Started { title: note.name.clone() },
        NoteKind::Queued if of_lock => What::Claimed(claimant_in(note)?),
        NoteKind::Queued => What::Queued { event: note.id.clone() },
        NoteKind::Sent => What::Sent(sending()),
        NoteKind::Probed => What::Probed(sending()),
        NoteKind::Undoing => What::Undoing(sending()),
        NoteKind::Told => What::Told { fact: address_in(note)? },
        NoteKind::Succeeded => What::Succeeded(proof_in(note)?),
        NoteKind::Rejected => What::Rejected { reason: reason() },
        NoteKind::Skipped => What::Skipped { reason: reason() },
        NoteKind::TimedOut => What::TimedOut { reason: reason() },
        NoteKind::Extended => {
            let within = Span(u64::try_from(note.within_ms).unwrap_or_default());
            What::Extended { attempt: note.attempt, within }
        }
        NoteKind::GivenUp => What::GivenUp { may_have_happened: note.happened },
        NoteKind::WentBack => {
            let failure = note.failure.clone().ok_or(Error::Field("failure"))?;
            What::WentBack(failure_in(failure)?)
        }
        NoteKind::Undone if note.topic.is_empty() => What::Undone { by: None },
        NoteKind::Undone => What::Undone { by: Some(address_in(note)?) },
        NoteKind::Late => What::Late { has_happened: note.happened, by_probe: note.by_probe },
        NoteKind::Cancelled => What::Cancelled { reason: reason() },
        NoteKind::Refused if !note.by.is_empty() => {
            let (id, verb, by) = (note.id.clone(), note.verb.clone(), note.by.clone());
            What::NotObeyed { id, verb, by, reason: reason() }
        }
        NoteKind::Refused => What::Refused { reason: reason() },
        NoteKind::Stuck => What::Stuck { reason: reason() },
        NoteKind::Acted => {
            let (id, verb, by) = (note.id.clone(), note.verb.clone(), note.by.clone());
            What::Acted { id, verb, by, why: reason() }
        }
        NoteKind::DataSet => What::DataSet {
            id: note.id.clone(),
            changes: note.changes.iter().map(change_in).collect(),
        },
        NoteKind::Paused => {
            What::Paused { id: note.id.clone(), by: note.by.clone(), why: reason() }
        }
        NoteKind::Held => What::Held { what: note.name.clone() },
        NoteKind::Resumed => {
            let length = Span(u64::try_from(note.within_ms).unwrap_or_default());
            let (id, by) = (note.id.clone(), note.by.clone());
            What::Resumed { id, by, why: reason(), length }
        }
        NoteKind::Completed => What::Completed,
        NoteKind::Compensated => What::Compensated { reason: reason() },
        NoteKind::Forgotten => What::Forgotten,
        NoteKind::Waiting => What::Waiting(awaited_in(note)),
        NoteKind::Asked => What::Asked { who: note.name.clone() },
        NoteKind::Reminded => What::Reminded { fact: address_in(note)? },
        NoteKind::Kept => What::Kept { event: address_in(note)?, id: note.id.clone() },
        NoteKind::Dropped => What::Dropped { branch: note.name.clone(), reason: reason() },
        NoteKind::Locked if of_lock => What::Granted { to: claimant_in(note)?, token: note.token },
        NoteKind::Locked => What::Locked { token: note.token },
        NoteKind::Released if of_lock => What::Returned(claimant_in(note)?),
        NoteKind::Released => What::Released,
        NoteKind::Withdrawn => What::Withdrawn(claimant_in(note)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Awaited, Claimant, DataChange, Failure, FailureKind, Proof};
    use crate::message::{Address, EventType, InstanceId, Key, LifeId, SagaName, Timestamp};

    fn instance() -> InstanceId {
        let saga = SagaName::new("order").expect("a name");
        InstanceId { saga, key: Key::new("o/1").expect("a key") }
    }

    /// What happens, each with the words for it.
    fn all() -> Vec<(What, &'static str)> {
        let text = |text: &str| text.to_owned();
        let fact: Address = "shop.facts/Told".parse().expect("an address");
        let claimant = || Claimant { instance: instance(), step: "book".parse().expect("a step") };
        let sending = |attempt| Sending { to: text("p.commands/Pay"), attempt };
        let reason = || text("no goods");
        let kind = FailureKind::Rejected;
        let failure = Failure { step: "pay".parse().ok(), kind, reason: reason() };
        let moment = Timestamp(1_700_000_000_000);
        vec![
            (What::Started { title: text("An order") }, "An order"),
            (What::Queued { event: text("e-7") }, "e-7 waits for the end"),
            (What::Claimed(claimant()), "book of order/o/1"),
            (What::Sent(sending(1)), "p.commands/Pay"),
            (What::Probed(sending(2)), "p.commands/Pay, attempt 2"),
            (What::Undoing(sending(3)), "p.commands/Pay, attempt 3"),
            (What::Told { fact: fact.clone() }, "shop.facts/Told"),
            (What::Succeeded(Proof::Event(EventType::new("Paid"))), "Paid"),
            (What::Succeeded(Proof::Call), "the call was answered"),
            (What::Succeeded(Proof::Probe), "it has happened, says the probe"),
            (What::Succeeded(Proof::Child(instance())), "order/o/1"),
            (What::Succeeded(Proof::Time), "its time has come"),
            (
                What::Succeeded(Proof::Answer { choice: text("yes"), by: text("ann") }),
                "yes, says ann",
            ),
            (What::Succeeded(Proof::Person), "said by a person"),
            (What::Rejected { reason: reason() }, "no goods"),
            (What::Skipped { reason: reason() }, "no goods"),
            (What::TimedOut { reason: reason() }, "no goods"),
            (
                What::Extended { attempt: 2, within: Span(10_000) },
                "attempt 2 has 10s more, for the engine was away",
            ),
            (What::GivenUp { may_have_happened: true }, "no answer; it may have happened"),
            (
                What::GivenUp { may_have_happened: false },
                "no attempt has left; it has not happened",
            ),
            (What::WentBack(failure), "rejected: no goods"),
            (What::Undone { by: None }, ""),
            (What::Undone { by: Some(fact.clone()) }, "shop.facts/Told"),
            (What::Late { has_happened: true, by_probe: false }, "it has happened after all"),
            (
                What::Late { has_happened: false, by_probe: true },
                "it has not happened, says the probe",
            ),
            (What::Cancelled { reason: reason() }, "no goods"),
            (What::Refused { reason: reason() }, "no goods"),
            (What::Stuck { reason: reason() }, "no goods"),
            (What::Completed, ""),
            (What::Compensated { reason: reason() }, "no goods"),
            (What::Forgotten, ""),
            (
                What::Waiting(Awaited::Facts(vec![EventType::new("A"), EventType::new("B")])),
                "A or B",
            ),
            (What::Waiting(Awaited::Moment(moment)), "until 2023-11-14T22:13:20.000Z"),
            (What::Waiting(Awaited::Lock), "for its lock"),
            (What::Asked { who: text("boss") }, "boss"),
            (What::Reminded { fact: fact.clone() }, "shop.facts/Told"),
            (What::Kept { event: fact, id: text("e-7") }, "shop.facts/Told e-7"),
            (What::Dropped { branch: text("train"), reason: reason() }, "train: no goods"),
            (What::Locked { token: 7 }, "token 7"),
            (What::Granted { to: claimant(), token: 7 }, "book of order/o/1, token 7"),
            (What::Released, ""),
            (What::Returned(claimant()), "book of order/o/1"),
            (What::Withdrawn(claimant()), "book of order/o/1"),
        ]
    }

    /// What people do, each with the words for it.
    fn of_people() -> Vec<(What, &'static str)> {
        let text = |text: &str| text.to_owned();
        vec![
            (
                What::NotObeyed {
                    id: text("a-1"),
                    verb: text("skip"),
                    by: text("ann"),
                    reason: text("no goods"),
                },
                "skip by ann: no goods",
            ),
            (
                What::Acted {
                    id: text("a-1"),
                    verb: text("skipped"),
                    by: text("ann"),
                    why: text("late"),
                },
                "skipped by ann: late",
            ),
            (
                What::DataSet {
                    id: text("a-1"),
                    changes: vec![
                        DataChange {
                            field: text("total"),
                            before: None,
                            after: Some(text("12.50")),
                            is_hidden: false,
                        },
                        DataChange {
                            field: text("card"),
                            before: None,
                            after: None,
                            is_hidden: true,
                        },
                    ],
                },
                "`total` was nothing and is 12.50, `card` is set; it is sensitive",
            ),
            (
                What::Paused { id: text("a-1"), by: text("ann"), why: text("an audit") },
                "by ann: an audit",
            ),
            (What::Held { what: text("shop.facts/Told e-7") }, "shop.facts/Told e-7"),
            (
                What::Resumed {
                    id: text("a-2"),
                    by: text("ann"),
                    why: text("it is over"),
                    length: Span(10_000),
                },
                "after 10s by ann: it is over",
            ),
        ]
    }

    #[test]
    fn a_note_reads_back_as_it_was_written_and_says_the_same() {
        for (what, words) in all().into_iter().chain(of_people()) {
            let step = "pay".parse().ok();
            let stored =
                wire::Note::new(&Note { life: LifeId::unmarked(1), step, what: what.clone() });
            assert_eq!(stored.step, "pay");
            assert_eq!(stored.words, "", "programs read fields");
            assert_eq!(stored.text(), words);
            assert_eq!(stored.read(), Ok(what));
        }
    }

    #[test]
    fn every_kind_of_note_was_tried() {
        let tried = [all(), of_people()].concat();
        for kind in NoteKind::ALL {
            assert!(tried.iter().any(|(what, _)| what.kind() == kind), "{kind:?}");
        }
    }

    #[test]
    fn a_note_from_before_there_were_fields_keeps_its_words() {
        let old = wire::Note {
            kind: "sent".to_owned(),
            words: "p.commands/Pay, attempt 2".to_owned(),
            ..wire::Note::default()
        };
        assert_eq!(old.text(), "p.commands/Pay, attempt 2");
        assert!(old.read().is_err());
        let newer = wire::Note { kind: "beamed".to_owned(), ..wire::Note::default() };
        assert_eq!(newer.kind(), None);
    }
}
