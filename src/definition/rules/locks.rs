use super::undo::{can_fail, may_be_undone_by};
use super::whole::{Relation, Whole};
use crate::definition::diagnostic::Code;
use crate::definition::parse::Position;
use crate::definition::{Compensation, LockStep, Release, Step, StepKind};
use crate::expression::Name;

/// Finds locks that are released too early, and children that would be one.
pub(super) fn check(whole: &mut Whole<'_>) {
    for step in whole.steps() {
        if let StepKind::Lock(lock) = &step.kind {
            released_early(whole, step, lock);
            held_on(whole, step, lock);
            same_key(whole, step, lock);
        }
        same_child(whole, step);
    }
}

/// What was done under a lock can be undone after its release.
fn released_early(whole: &mut Whole<'_>, step: &Step, lock: &LockStep) {
    if lock.release != Release::Block {
        return;
    }
    let inside = |other: &&Step| whole.around(other.id).iter().any(|s| s.id == step.id);
    let undone = |other: &&Step| {
        !matches!(other.compensation(), Compensation::Nothing | Compensation::Unsaid)
    };
    let Some(undone) = whole.steps().filter(inside).find(undone) else { return };
    let behind = whole.steps().find(|other| may_be_undone_by(whole, step, other));
    // A pivot in the block closes the way back before its release.
    let Some(behind) = behind.filter(|behind| can_fail(whole, behind)) else { return };
    let message = format!(
        "`{}` under this lock can still be undone after its release, when `{}` on line {} fails",
        undone.name, behind.name, behind.line
    );
    let help = "say `release: pivot`: free when nothing done under it can be undone any more";
    let keys = whole.keys(step.id);
    let span = keys.key(if keys.has("release") { "release" } else { "lock" });
    whole.warn(Code::ReleasedEarly, span, message, help);
}

/// A key that stands twice in one lock: another one was meant.
fn same_key(whole: &mut Whole<'_>, step: &Step, lock: &LockStep) {
    let twice = |at: &usize| lock.keys[..*at].contains(&lock.keys[*at]);
    if !(1..lock.keys.len()).any(|at| twice(&at)) {
        return;
    }
    let message = "the same key stands twice in this lock";
    let span = whole.keys(step.id).key("lock");
    whole.warn(Code::NoEffect, span, message, "name the other thing that is locked, or remove it");
}

/// A lock that is held on while a later one is taken.
fn held_on(whole: &mut Whole<'_>, step: &Step, lock: &LockStep) {
    if lock.release == Release::Block {
        return;
    }
    let later = whole.steps().filter(|s| matches!(s.kind, StepKind::Lock(_))).find(|other| {
        let open = lock.release == Release::End
            || whole.places.stands[other.id.0 as usize] != Position::After;
        let (first, second) = (step.id.min(other.id), step.id.max(other.id));
        let follows = match whole.relation(first, second) {
            Relation::Before => step.id < other.id,
            Relation::Beside(_) => true,
            Relation::Apart | Relation::Within => false,
        };
        open && follows
    });
    let Some(later) = later else { return };
    let message = format!(
        "`{}` on line {} is still held when this lock is taken: two sagas could wait for each \
         other",
        step.name, step.line
    );
    let help = "take all keys at once in the first one, or release that one behind its block";
    whole.error(Code::LockInLock, whole.keys(later.id).key("lock"), message, help);
}

/// Two children of one saga under one key: the second finds its key taken.
fn same_child(whole: &mut Whole<'_>, step: &Step) {
    let StepKind::Saga(child) = &step.kind else { return };
    let Some(key) = &child.key else { return };
    let own = |name| matches!(name, Name::Item | Name::Index | Name::Branch);
    let span = whole.keys(step.id).key("key");
    if whole.each(step.id).is_some() && !key.references().iter().any(|r| own(r.name)) {
        let message = "every branch of this `each` would start the same child";
        let help = "put `index` or something of `item` into the key, or leave `key` out";
        whole.error(Code::SameChild, span, message, help);
        return;
    }
    let is_twin = |other: &&Step| {
        let StepKind::Saga(first) = &other.kind else { return false };
        first.saga == child.saga
            && first.key.as_ref() == Some(key)
            && whole.relation(other.id, step.id) != Relation::Apart
    };
    let twin = whole.steps().filter(|other| other.id < step.id).find(is_twin);
    if let Some(twin) = twin {
        let message = format!(
            "`{}` on line {} starts a `{}` with the same key",
            twin.name, twin.line, child.saga
        );
        let help = "give each child a key of its own, such as `key + \"/second\"`, or leave `key` \
                    out";
        whole.error(Code::SameChild, span, message, help);
    }
}
