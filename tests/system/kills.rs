use std::fs;
use std::path::Path;

use crate::world::{AT_LEAST_ONCE, EXACTLY_ONCE, World, check};

/// What happens between a kill and the restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    /// The local checkpoint is deleted.
    Deleted,
    /// The local checkpoint is damaged.
    Damaged,
}

/// What a saga without trouble leaves on users' topics, at least: a start, three commands, three
/// answers and two facts.
const RECORDS_PER_SAGA: u64 = 7;

/// Kills and restarts the engine while sagas run, and checks the books.
fn kills(mut world: World, sagas: u32, rate: f64, kills: &[Meanwhile]) {
    let mut draws = Draws(world.seed);
    let mut pulse = world.pulse();
    world.serve();
    world.order(sagas.into(), rate);
    let share = u64::from(sagas) * RECORDS_PER_SAGA / (kills.len() as u64 + 1);
    let mut engine = world.engine("a");
    for (place, meanwhile) in (1..).zip(kills) {
        // Somewhere in its own share of all records, so that none comes too late.
        pulse.until_seen(share * place + draws.below(share));
        engine.kill();
        match meanwhile {
            Meanwhile::Nothing => {}
            Meanwhile::Deleted => fs::remove_dir_all(world.data("a")).expect("it was there"),
            Meanwhile::Damaged => damage(&world.data("a"), &mut draws),
        }
        engine = world.engine("a");
    }
    world.settle(sagas.into());
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    let report = world.close();
    check(&report, sagas.into(), &world.log("a"));
    assert_eq!(report.tally.dead_letters, 0, "{report}");
    println!("seed {}\n{report}", world.seed);
}

/// Writes nonsense into every file of the checkpoint.
fn damage(folder: &Path, draws: &mut Draws) {
    let mut damaged = 0;
    let mut folders = vec![folder.join("sled")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the checkpoint") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut bytes = fs::read(&path).expect("a file");
            let used = bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
            for _ in 0..16 {
                if let Some(byte) = bytes.get_mut(draws.place(used)) {
                    *byte ^= 0x5a;
                    damaged += 1;
                }
            }
            fs::write(&path, bytes).expect("a file");
        }
    }
    assert!(damaged > 0, "there was nothing to damage");
}

/// The same seed draws the same numbers (`SplitMix64`).
struct Draws(u64);

impl Draws {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end.max(1)
    }

    fn place(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).expect("it is below a usize")
    }
}

/// A deleted one last: it may not be there again before the next kill.
const FEW: [Meanwhile; 3] = [Meanwhile::Nothing, Meanwhile::Damaged, Meanwhile::Deleted];

fn many() -> Vec<Meanwhile> {
    let mut many = vec![Meanwhile::Nothing; 20];
    many.extend([Meanwhile::Damaged, Meanwhile::Deleted]);
    many
}

#[test]
fn killing_the_engine_breaks_nothing() {
    kills(World::hermetic(EXACTLY_ONCE, 11), 200, 100.0, &FEW);
}

#[test]
fn killing_the_engine_repeats_at_most_at_least_once() {
    kills(World::hermetic(AT_LEAST_ONCE, 12), 200, 100.0, &FEW);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn killing_the_engine_breaks_nothing_on_kafka() {
    kills(World::real("kills", EXACTLY_ONCE, 13), 2_000, 100.0, &many());
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn killing_the_engine_repeats_at_most_at_least_once_on_kafka() {
    kills(World::real("kills-alo", AT_LEAST_ONCE, 14), 2_000, 100.0, &many());
}

#[test]
fn a_stop_is_clean_and_a_restart_goes_on() {
    let mut world = World::hermetic(EXACTLY_ONCE, 15);
    let sagas = 60;
    let mut watch = world.watch();
    world.serve();
    world.order(sagas, 40.0);
    let engine = world.engine("a");
    watch.until_seen(sagas * RECORDS_PER_SAGA / 3);
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    assert!((watch.ended.len() as u64) < sagas, "it was stopped in the middle");
    let stamp = fs::read_to_string(world.data("a").join("stamp")).expect("a store's stamp");
    assert!(stamp.contains("state: clean"), "{stamp}");
    let engine = world.engine("a");
    world.settle(sagas);
    assert!(engine.terminate().success(), "SIGTERM is a clean end");
    let report = world.close();
    check(&report, sagas, &world.log("a"));
    let log = fs::read_to_string(world.log("a")).expect("a log");
    assert!(!log.contains("store.discarded"), "{log}");
}
