//! Obeys an input, once it is clear what it is to the instance.

use super::case::Case;
use super::meaning::Meaning;
use super::moves::{Move, legal};
use super::search::Found;
use super::start::Unborn;
use super::{act, cancel, early, letter, pause, set_data, start};
use crate::definition::State;
use crate::engine::course::follow::follow;
use crate::engine::course::timers;
use crate::engine::kind::ask;
use crate::engine::request::{called, reply};
use crate::engine::work::{self, turn::LifeTurn};
use crate::engine::{Act, Effect, Life, Rejection, Status, Verb, Wake};
use crate::message::{Coordinate, Event, InputId};

impl Case<'_> {
    /// Obeys, if the table of legal moves allows it.
    ///
    /// # Errors
    /// When it does not, or there is another reason why it changes nothing.
    pub fn obey(&mut self, told: Meaning<'_>) -> Result<(), Rejection> {
        if let Some(input) = pause::input(self, &told)? {
            return pause::hold(self, input);
        }
        let told_as = |word: &str| format!("{}: {word}", self.id);
        match (legal(self.status(&told), told.kind()), told) {
            (Move::Begin | Move::BeginLater, Meaning::Start(definition, entry, event)) => {
                start::take(self, &definition, &definition.starts[entry], event)
            }
            (Move::Answer, Meaning::Answer(found, event)) => {
                self.change(found.life, |turn| answer(turn, &found, event))
            }
            (Move::Answer, Meaning::Called(place, called)) => self.change(place, |turn| {
                let (place, outcome) = called::take(turn, called)?;
                follow(turn, &place, outcome);
                Ok(())
            }),
            (Move::GoBack, Meaning::Cancel(event)) => {
                let newest = self.instance.lives.len() - 1;
                self.change(newest, |turn| cancel::take(turn, event))?;
                self.remember(newest, InputId::of(event));
                Ok(())
            }
            (Move::Wake, Meaning::Wake(wake)) => self.wake(wake),
            (Move::Act, Meaning::Act(act)) => self.act(act),
            (Move::Return, Meaning::Act(act)) => {
                self.newest(act, |turn| cancel::by_a_person(turn, act))
            }
            (Move::Steer, Meaning::Act(act)) => self.steer(act),
            (Move::Decide, Meaning::Decide(act)) => self.decide(act),
            (Move::Read, Meaning::Letter(letter)) => letter::read(self, letter),
            (Move::Keep, Meaning::Early(event, kept)) => early::keep(self, event, kept),
            (Move::Ignore(reason), _) => Err(Rejection::Ignored(told_as(reason))),
            (Move::Refuse(reason), _) => Err(Rejection::Refused(told_as(reason))),
            (
                Move::Unmatched
                | Move::Begin
                | Move::BeginLater
                | Move::Answer
                | Move::GoBack
                | Move::Wake
                | Move::Act
                | Move::Return
                | Move::Steer
                | Move::Decide
                | Move::Read
                | Move::Keep,
                _,
            ) => Err(Rejection::Unmatched(format!("there is no {}", self.id))),
        }
    }

    /// The row of the table: how the life stands that the input is for.
    fn status(&self, told: &Meaning<'_>) -> Option<Status> {
        match told {
            Meaning::Answer(found, _) => Some(self.instance.lives[found.life].status()),
            Meaning::Called(place, _) => Some(self.instance.lives[*place].status()),
            // An older life may be stuck with a late undoing while a newer one lives.
            Meaning::Act(act)
                if !act.verb.is_about_the_saga()
                    && self.instance.lives.iter().any(|g| !g.stuck.is_empty()) =>
            {
                Some(Status::Stuck)
            }
            Meaning::Act(_)
            | Meaning::Decide(_)
            | Meaning::Cancel(_)
            | Meaning::Start(..)
            | Meaning::Early(..)
            | Meaning::Unclear(_)
            | Meaning::Letter(_)
            | Meaning::Wake(_) => self.instance.newest().map(Life::status),
        }
    }

    fn decide(&mut self, act: &Act) -> Result<(), Rejection> {
        let Verb::Answer { choice, note, data } = &act.verb else {
            return Err(Rejection::Refused(format!("{} was asked nothing", act.by)));
        };
        let answer = ask::Answer { choice, note, data };
        self.newest(act, |turn| {
            let place = ask::find(turn, act)?;
            let outcome = ask::take(turn, &place, &act.by, &answer)?;
            follow(turn, &place, outcome);
            Ok(())
        })
    }

    fn wake(&mut self, wake: Wake) -> Result<(), Rejection> {
        let wake = Wake { until: wake.until.min(self.now), ..wake };
        let mut woken = self.forget(wake.until) || self.next_start().is_some();
        if !self.instance.paused {
            woken |= early::expire(self.id, &mut self.instance, wake.until, &mut self.out);
        }
        for place in 0..self.instance.lives.len() {
            if timers::is_due(&self.instance.lives[place], wake.until) {
                self.change(place, |turn| {
                    timers::wake(turn, wake);
                    Ok(())
                })?;
                woken = true;
            }
        }
        if woken { Ok(()) } else { Err(Rejection::Ignored("no timer is due".to_owned())) }
    }

    /// Lets the newest life stand still or go on, or sets its data.
    fn steer(&mut self, act: &Act) -> Result<(), Rejection> {
        let newest = self.instance.newest();
        if newest.is_some_and(|life| life.ended.is_some()) {
            return Err(Rejection::Refused(format!("{}: it has ended", self.id)));
        }
        match &act.verb {
            Verb::Resume => pause::resume(self, act),
            Verb::SetData(fields) => self.newest(act, |turn| set_data::take(turn, act, fields)),
            Verb::Pause
            | Verb::Retry
            | Verb::Skip
            | Verb::ResolveDone(_)
            | Verb::ResolveNotDone
            | Verb::GoBack
            | Verb::Cancel
            | Verb::Answer { .. } => self.newest(act, |turn| pause::pause(turn, act)),
        }
    }

    /// The life in which something is stuck that an act is about.
    pub fn stuck_at(&self, act: &Act) -> Option<usize> {
        let meant = |g: &Life| {
            let definition = self.catalog.by_hash(g.definition);
            definition.is_some_and(|d| act::stuck(d, g, act).is_some())
        };
        self.instance.lives.iter().position(meant)
    }

    fn act(&mut self, act: &Act) -> Result<(), Rejection> {
        let place = self.stuck_at(act).ok_or_else(|| {
            let step = Coordinate::text(act.step.as_ref());
            Rejection::Refused(format!("{} is not stuck at `{step}`", self.id))
        })?;
        self.change(place, |turn| act::take(turn, act))?;
        self.remember(place, InputId::named(&act.id));
        Ok(())
    }

    /// Lets the starts that waited begin, one as soon as the one before it has ended. A saga that
    /// is paused, or whose file is gone, keeps them until it is back.
    pub fn begin_queued(&mut self) {
        early::settle(self);
        while let Some((definition, state)) = self.next_start() {
            let event = self.instance.queued.remove(0);
            if state == State::Retired {
                work::early::complain(self.id, &event, &start::retired(self.id), &mut self.out);
                continue;
            }
            match start::begin(self, &definition, start::Birth::by(&event)) {
                Ok(()) => {}
                Err(Unborn::NoRoom(_)) => {
                    // It keeps its place until there is room.
                    self.instance.queued.insert(0, event);
                    return;
                }
                Err(Unborn::Refused(refused)) => {
                    self.out.effects.push(Effect::Complaint(refused.to_string()));
                }
            }
            early::settle(self);
        }
    }
}

/// Takes an answer to the request or wait that was found for it.
fn answer(turn: &mut LifeTurn<'_>, found: &Found, event: &Event) -> Result<(), Rejection> {
    let outcome = reply::take(turn, &found.place, found.part, found.answer, event)
        .map_err(|reason| Rejection::Refused(format!("{}: {reason}", event.address)))?;
    follow(turn, &found.place, outcome);
    Ok(())
}
