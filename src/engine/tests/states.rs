//! Sagas that are paused, retired, or whose file is gone; and versions that are put back.

use std::sync::Arc;

use super::{Input, PAIR, World, part, saga};
use crate::definition::{Starting, State};
use crate::engine::{Effect, Rejection, WHEN_ACTIVE, Wake, next_due};
use crate::message::{SagaName, Version};

impl World {
    /// From now on new instances run on this version, or none begin.
    fn deploy(&mut self, saga: &str, version: u32, state: State) {
        let name = SagaName::new(saga).expect("a name");
        let known = self.catalog.version(&name, Version(version)).expect("it is known");
        let starting = Starting { version: known.version, definition: known.hash, state };
        let mut starts = self.catalog.said_by("n1", &[]);
        for other in starts.sagas.values_mut() {
            other.state = State::Active;
        }
        starts.sagas.insert(name, starting);
        self.catalog = self.catalog.starting_as(Some(Arc::new(starts)));
    }

    fn on_versions(&self) -> Vec<u32> {
        let lives = self.instance.iter().flat_map(|instance| &instance.lives);
        let known = lives.filter_map(|life| self.catalog.by_hash(life.definition));
        known.map(|definition| definition.version.0).collect()
    }

    fn wake(&mut self) -> Result<Vec<Effect>, Rejection> {
        self.tell(&Input::Wake(Wake::DUE))
    }
}

/// Two versions of a saga that starts again and again, the second of which asks for `C` first.
fn versions() -> World {
    let one = PAIR.replace("key: event.id }", "key: event.id, again: queue, after: new }");
    let two = one.replace("version: 1", "version: 2").replace("command: t/A\n", "command: t/C\n");
    World::family(&one, &[&two])
}

#[test]
fn a_version_that_is_put_back_is_what_starts_and_what_runs_ends_on_its_own() {
    let mut world = versions();
    assert_eq!(world.told("start"), "> C a/1");
    world.deploy("pair", 1, State::Active);
    assert_eq!(world.told("start"), "> nothing", "it waits for the end of the first");
    assert_eq!(world.told("ANo"), "> A 2/a/1");
    assert_eq!(world.on_versions(), [2, 1]);
}

#[test]
fn a_pause_keeps_starts_in_their_order_until_it_is_over() {
    let mut world = versions();
    world.deploy("pair", 2, State::Paused);
    assert_eq!(world.told("start id=one"), "> nothing");
    assert_eq!(world.told("start id=one"), "! duplicate");
    assert_eq!(world.told("start id=two"), "> nothing");
    assert_eq!(world.on_versions(), [0; 0]);
    let due = world.instance.as_ref().and_then(next_due).expect("it waits");
    assert!(due >= WHEN_ACTIVE, "no clock ends a pause");
    assert!(world.wake().is_err(), "it is paused");
    // The version that mends what the pause was for takes what was kept.
    world.deploy("pair", 1, State::Active);
    world.wake().expect("the first one begins");
    assert_eq!(world.on_versions(), [1]);
    assert_eq!(world.told("ANo"), "> A 2/a/1");
    assert_eq!(world.on_versions(), [1, 1]);
    assert!(world.instance.as_ref().and_then(next_due).expect("an attempt") < WHEN_ACTIVE);
}

#[test]
fn what_came_early_and_what_is_remembered_wait_for_a_start_that_is_kept() {
    let early = "\nevents: { t/*: { key: event.id } }\ncancel: { on: t/Cancelled, key: event.id }";
    let text = PAIR.replace("key: event.id }", &format!("key: event.id, after: new }}{early}"));
    let mut world = World::of(&text);
    assert_eq!(world.told("start"), "> A a/1");
    assert_eq!(world.told("ANo"), "> nothing");
    world.deploy("pair", 1, State::Paused);
    assert_eq!(world.told("start"), "> nothing");
    let due = |world: &World| world.instance.as_ref().and_then(next_due).expect("it waits");
    assert!(due(&world) >= WHEN_ACTIVE, "the first life is remembered meanwhile");
    let mut fresh = World::of(&text);
    fresh.deploy("pair", 1, State::Paused);
    assert_eq!(fresh.told("start"), "> nothing");
    assert_eq!(fresh.told("Cancelled"), "> nothing");
    assert!(due(&fresh) >= WHEN_ACTIVE, "the cancel waits as long");
    fresh.now = fresh.now.after(crate::message::Span::hours(24));
    fresh.deploy("pair", 1, State::Active);
    assert_eq!(fresh.wake(), Ok(Vec::new()), "it begins, and goes back at once");
    assert_eq!(fresh.on_versions(), [1]);
}

#[test]
fn a_pause_leaves_alone_what_runs() {
    let mut world = versions();
    assert_eq!(world.told("start"), "> C a/1");
    world.deploy("pair", 2, State::Paused);
    assert_eq!(world.told("start"), "> nothing");
    assert_eq!(world.told("ADone"), "> B b/1");
    assert_eq!(world.told("BDone"), "> nothing");
    assert_eq!(world.on_versions(), [2], "the next one is kept");
    world.deploy("pair", 2, State::Active);
    assert_eq!(world.wake().expect("it begins").len(), 1);
    assert_eq!(world.on_versions(), [2, 2]);
}

#[test]
fn while_a_start_is_kept_another_is_a_second_one() {
    for (again, said) in [("ignore", "! ignored"), ("reject", "! refused")] {
        let text = PAIR.replace("key: event.id }", &format!("key: event.id, again: {again} }}"));
        let mut world = World::of(&text);
        world.deploy("pair", 1, State::Paused);
        assert_eq!(world.told("start"), "> nothing");
        assert_eq!(world.told("start"), said);
    }
}

#[test]
fn a_retired_saga_sends_its_starts_to_the_dead_letters() {
    let mut world = versions();
    world.deploy("pair", 2, State::Paused);
    assert_eq!(world.told("start id=kept"), "> nothing");
    world.deploy("pair", 2, State::Retired);
    let effects = world.wake().expect("what was kept is let go");
    let [Effect::Complaint(words)] = &effects[..] else { panic!("{effects:?}") };
    let why = "pair/k: t/Placed kept: pair/k does not start: pair is retired (`state: retired`)";
    assert_eq!(words, why);
    assert_eq!(world.instance, None);
    assert_eq!(world.told("start"), "! refused");
}

#[test]
fn a_saga_whose_file_is_gone_starts_nothing_and_ends_what_runs() {
    let mut world = versions();
    assert_eq!(world.told("start"), "> C a/1");
    world.deploy("pair", 2, State::Removed);
    assert_eq!(world.told("ADone"), "> B b/1");
    assert_eq!(world.told("start"), "! unmatched");
    assert_eq!(world.told("BDone"), "> nothing");
    assert_eq!(world.on_versions(), [2]);
}

#[test]
fn parents_that_run_begin_a_child_whose_file_is_gone() {
    let child = saga("", &[&part("c", "")])
        .replace("saga: s", "saga: child")
        .replace("start: { on: t/Placed, key: event.id }", "start: { by: parent }")
        .replace("cancel: { on: t/Cancelled, key: event.id }\n", "");
    let settle = "{ step: settle, saga: child, with: { id: '${data.id}' }, within: 1h, \
                  compensate: child }";
    let mut world = World::family(&saga("", &[&part("a", ""), settle]), &[&child]);
    assert_eq!(world.told("start"), "> A a/1");
    world.deploy("child", 1, State::Removed);
    assert_eq!(world.told("ADone"), "> start to child/k/settle; C c/1");
}
