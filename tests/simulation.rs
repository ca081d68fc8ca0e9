//! The production runtime in a simulated world: crashes, doubts, zombies, jumps, by seed.
//!
//! A failing seed prints the command that runs it again: `SEED=17 cargo test --test simulation`.

use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;

use segue::books::Delivery;
use segue::definition::{Catalog, Definition, Starts, parse};
use segue::engine::Status;
use segue::message::{Address, Headers, Offset, Outgoing, header};
use segue::participants::Script;
use segue::simulation::{
    AnswerOdds, CrashPoint, Fault, FaultTally, Moment, Odds, Options, Outcome, PortCall,
    Simulation, Weakness,
};

mod shipped;

use shipped::{SAGAS, text};

/// An order that goes through three participants, with every kind of time limit.
const TIMED: &str = include_str!("simulation/order/timed.yaml");
/// The same without any: what is lost once is lost for ever.
const UNTIMED: &str = include_str!("simulation/order/untimed.yaml");
const SERVICES: &str = include_str!("simulation/order/participants.yaml");

/// A trip with every kind of step, and its children.
const TRIP: &str = include_str!("simulation/trip/saga.yaml");
const STAY: &str = include_str!("simulation/trip/stay.yaml");
const GUIDE: &str = include_str!("simulation/trip/guide.yaml");
const GUIDES: &str = include_str!("simulation/trip/participants.yaml");

const SEEDS: u64 = 160;
const TRIP_SEEDS: u64 = 25;

fn catalog(texts: &[&str]) -> Arc<Catalog> {
    let mut catalog = Catalog::default();
    for text in texts {
        let definition = match parse("saga.yaml", text) {
            Ok(definition) => definition,
            Err(diagnostics) => panic!("{}", diagnostics.render(false)),
        };
        catalog.add(definition).expect("the definitions clash with none");
    }
    Arc::new(catalog)
}

fn script(text: &str) -> Script {
    Script::parse("participants.yaml", text).unwrap_or_else(|e| panic!("{e}"))
}

fn order_event(kind: &str, id: String, key: &str, body: String) -> Outgoing {
    event(&format!("shop.orders/{kind}"), id, key, body)
}

fn event(to: &str, id: String, key: &str, body: String) -> Outgoing {
    let to: Address = to.parse().expect("an address");
    let mut headers = Headers::default();
    headers.push(header::SPEC_VERSION, "1.0");
    headers.push(header::ID, id);
    headers.push(header::TYPE, to.event_type.to_string());
    headers.push(header::SOURCE, "world");
    headers.push(header::CONTENT_TYPE, "application/json");
    Outgoing { topic: to.topic, key: key.to_owned(), headers, body: body.into() }
}

/// Orders with numbers that no binary fraction holds, some placed twice, some cancelled, and a
/// cancel for an order that nobody placed.
fn orders(count: u64) -> Vec<Outgoing> {
    let numbers = ["12.10", "1e2", "12345678901234567890.125", "0.1", "7", "3.000"];
    let mut events = Vec::new();
    for order in 0..count {
        let key = format!("o/{order}");
        let total = numbers[usize::try_from(order).expect("few orders") % numbers.len()];
        let body = format!(r#"{{"order_id":"{key}","total":{total},"lines":[{{"n":1.50}}]}}"#);
        events.push(order_event("OrderPlaced", format!("placed:{key}"), &key, body.clone()));
        if order % 4 == 1 {
            events.push(order_event("OrderPlaced", format!("again:{key}"), &key, body));
        }
        if order % 5 == 2 {
            let body = format!(r#"{{"order_id":"{key}","by":"customer"}}"#);
            events.push(order_event("OrderCancelled", format!("cancelled:{key}"), &key, body));
        }
    }
    let body = r#"{"order_id":"nobody","by":"customer"}"#.to_owned();
    events.push(order_event("OrderCancelled", "cancelled:nobody".to_owned(), "nobody", body));
    events
}

fn options(text: &str, odds: Odds) -> Options {
    let answer_odds = if text == TIMED { AnswerOdds::USUAL } else { AnswerOdds::PROMPT };
    Options {
        catalog: catalog(&[text]),
        scripts: vec![script(SERVICES)],
        events: orders(6),
        starts: 0,
        deployments: Vec::new(),
        shards: 3,
        nodes: 2,
        odds,
        crashes: Vec::new(),
        weaknesses: Vec::new(),
        answer_odds,
        delivery: Delivery::ExactlyOnce,
        rough_turns: 1_500,
        turns_max: 30_000,
    }
}

fn refuse(outcome: &Outcome, test: &str) {
    assert!(
        outcome.violations.is_empty(),
        "\n{story}\nseed {seed} after {turns} turns:\n  {found}\nrun it again: \
         SEED={seed} cargo test --test simulation {test}\n",
        story = outcome.story.join("\n"),
        seed = outcome.seed,
        turns = outcome.turns,
        found = outcome.violations.join("\n  "),
    );
}

/// The seed of the environment alone, or so many.
fn seeds(count: u64) -> Vec<u64> {
    match env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => (0..count).collect(),
    }
}

fn run_seeds(text: &str, test: &str) -> FaultTally {
    // An answer that names no command cannot be told from one for the life before, nor one
    // undoing's from another's: where starts are queued, or nothing is ever sent again, the
    // participants echo the command's id.
    let queued = options(text, Odds::ROUGH);
    let single =
        text.replace("again: queue", "again: ignore").replace("after: new", "after: ignore");
    let mut single = Options { catalog: catalog(&[&single]), ..queued.clone() };
    single.answer_odds.anonymous = if text == TIMED { 500 } else { 0 };
    let mut tally = FaultTally::default();
    for seed in seeds(SEEDS) {
        let options = if seed % 2 == 0 { &queued } else { &single };
        let outcome = Simulation::run(seed, options.clone());
        refuse(&outcome, test);
        tally.add(&outcome.tally);
    }
    tally
}

#[test]
fn no_seed_breaks_an_order_with_timers() {
    let tally = run_seeds(TIMED, "no_seed_breaks_an_order_with_timers");
    println!("{tally}");
    if env::var("SEED").is_err() {
        let mut never = tally.never();
        never.retain(|fault| may_befall_an_order(*fault));
        assert_eq!(never, Vec::<Fault>::new(), "these faults never fired");
    }
}

/// Orders call nobody and ask nobody, and are committed in transactions.
fn may_befall_an_order(fault: Fault) -> bool {
    !matches!(
        fault,
        Fault::Crash(PortCall::Request, _)
            | Fault::CallUnsent
            | Fault::CallUnanswered
            | Fault::Unasked
            | Fault::DecidedTwice
            | Fault::CommitTorn
    )
}

#[test]
fn no_seed_breaks_an_order_without_timers() {
    let tally = run_seeds(UNTIMED, "no_seed_breaks_an_order_without_timers");
    if env::var("SEED").is_err() {
        // Prompt participants are never late and never silent, and no timer is ever due.
        assert_eq!(tally.of(Fault::Silent) + tally.of(Fault::AnsweredLate), 0);
        let mut never = tally.never();
        let timed = |fault: &Fault| {
            matches!(fault, Fault::Silent | Fault::AnsweredLate | Fault::Crash(PortCall::Append, _))
        };
        never.retain(|fault| !timed(fault) && may_befall_an_order(*fault));
        assert_eq!(never, Vec::<Fault>::new(), "these faults never fired");
    }
}

#[test]
fn the_same_seed_is_the_same_world() {
    let options = options(TIMED, Odds::ROUGH);
    let once = Simulation::run(7, options.clone());
    let twice = Simulation::run(7, options.clone());
    assert_eq!((once.fingerprint, once.calls), (twice.fingerprint, twice.calls));
    assert_ne!(once.fingerprint, Simulation::run(8, options).fingerprint);
}

/// Trips, with the facts that they wait for before or after their start, and cancels.
fn trips(count: u64) -> Vec<Outgoing> {
    let mut events = Vec::new();
    for trip in 0..count {
        let key = format!("t/{trip}");
        let body = format!(
            r#"{{"trip":"{key}","bus":"b{}","cities":["rome","oslo"],"price":12.50}}"#,
            trip % 2
        );
        let fact = |kind: &str, id: &str| {
            let body = format!(r#"{{"trip":"{key}","by":"customer"}}"#);
            event(&format!("travel.{kind}"), format!("{id}:{key}"), &key, body)
        };
        let ordered = event("travel.trips/TripOrdered", format!("placed:{key}"), &key, body);
        let shown = fact("facts/PassportShown", "shown");
        let cancelled = fact("cancels/TripCancelled", "cancelled");
        match trip % 5 {
            // Before its start.
            0 => events.extend([shown, ordered]),
            1 => events.extend([ordered, shown.clone(), shown]),
            2 => events.extend([fact("facts/PassportLost", "lost"), ordered]),
            3 => events.extend([ordered, shown, cancelled]),
            _ => events.extend([cancelled, ordered, shown]),
        }
    }
    // They overlap.
    let (even, odd): (Vec<_>, Vec<_>) =
        events.into_iter().enumerate().partition(|(at, _)| at % 3 != 2);
    even.into_iter().chain(odd).map(|(_, event)| event).collect()
}

fn trip_options(odds: Odds, delivery: Delivery) -> Options {
    Options {
        catalog: catalog(&[TRIP, STAY, GUIDE]),
        scripts: vec![script(GUIDES)],
        events: trips(6),
        delivery,
        turns_max: 60_000,
        ..options(TIMED, odds)
    }
}

/// What the histories of many trips must tell of, in one line each: a child that is taken back, a
/// loser, a cancel and a fact before their start.
const TOLD: [&[&str]; 4] = [
    &["stay/", "cancelled", "its parent goes back"],
    &["dropped way-home"],
    &["started", "cancelled", "compensated"],
    &["kept", "PassportShown"],
];

fn run_trips(delivery: Delivery, test: &str) -> FaultTally {
    let mut tally = FaultTally::default();
    let mut untold = TOLD.to_vec();
    for seed in seeds(TRIP_SEEDS) {
        let outcome = Simulation::run(seed, trip_options(Odds::ROUGH, delivery));
        refuse(&outcome, test);
        tally.add(&outcome.tally);
        let is_in = |line: &String, words: &[&str]| words.iter().all(|word| line.contains(word));
        untold.retain(|words| !outcome.story.iter().any(|line| is_in(line, words)));
    }
    if env::var("SEED").is_err() {
        assert_eq!(untold, Vec::<&[&str]>::new(), "no trip told of this");
    }
    println!("{tally}");
    tally
}

#[test]
fn no_seed_breaks_the_whole_language() {
    let tally = run_trips(Delivery::ExactlyOnce, "no_seed_breaks_the_whole_language");
    if env::var("SEED").is_err() {
        let mut never = tally.never();
        never.retain(|fault| *fault != Fault::CommitTorn);
        assert_eq!(never, Vec::<Fault>::new(), "these faults never fired");
    }
}

#[test]
fn no_seed_breaks_the_whole_language_at_least_once() {
    let tally = run_trips(Delivery::AtLeastOnce, "no_seed_breaks_the_whole_language_at_least_once");
    assert!(tally.of(Fault::CommitTorn) + tally.of(Fault::CommitHappened) > 0, "no batch was torn");
}

/// How many worlds of each saga that ships, and how many of its instances in each.
const SHIPPED_SEEDS: u64 = 12;
const SHIPPED_STARTS: u64 = 6;
/// Many of their steps can be refused, and every one of them at the end.
const WILLING: AnswerOdds = AnswerOdds { declined: 80, silent: 30, late: 40, ..AnswerOdds::USUAL };

/// One saga that ships, its children and the scripts beside them; of three starts one is followed
/// by its cancel.
fn shipped_options(folder: &str, delivery: Delivery) -> Options {
    let folders = SAGAS.iter().filter(|other| other.starts_with(folder));
    let texts: Vec<String> = folders.clone().map(|f| text(f, "saga.yaml")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut scripts: Vec<Script> =
        folders.map(|folder| script(&text(folder, "participants.yaml"))).collect();
    for start in scripts.iter_mut().flat_map(|script| &mut script.starts) {
        start.weight = if start.then.is_empty() { 2 } else { 1 };
    }
    Options {
        catalog: catalog(&texts),
        scripts,
        events: Vec::new(),
        starts: SHIPPED_STARTS,
        answer_odds: WILLING,
        delivery,
        turns_max: 100_000,
        ..options(TIMED, Odds::ROUGH)
    }
}

/// Runs all of them; what went wrong around them, and what ends they came to.
fn run_shipped(delivery: Delivery, test: &str) -> FaultTally {
    let mut tally = FaultTally::default();
    let mut ends: BTreeMap<(String, &str), u64> = BTreeMap::new();
    // A child's folder is in its parent's.
    for folder in SAGAS.iter().filter(|folder| !folder.contains('/')) {
        let options = shipped_options(folder, delivery);
        for seed in seeds(SHIPPED_SEEDS) {
            let outcome = Simulation::run(seed, options.clone());
            refuse(&outcome, test);
            tally.add(&outcome.tally);
            for (saga, status) in outcome.ends {
                *ends.entry((saga.to_string(), status.text())).or_default() += 1;
            }
        }
    }
    println!("{ends:#?}\n{tally}");
    if env::var("SEED").is_err() {
        let names = SAGAS.iter().map(|folder| folder.rsplit('/').next().unwrap_or(folder));
        let wanted = names.flat_map(|saga| {
            [Status::Completed, Status::Compensated].map(|end| (saga.to_owned(), end.text()))
        });
        let unreached: Vec<_> = wanted.filter(|end| !ends.contains_key(end)).collect();
        assert_eq!(unreached, Vec::new(), "no seed reached these ends");
    }
    tally
}

/// Only a transaction can come to this.
fn is_transactional(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::CommitVanished
            | Fault::EndForgotten
            | Fault::EndLate
            | Fault::EndFenced
            | Fault::RecordsLate
            | Fault::OffsetUnstable
            | Fault::TransactionExpired
    )
}

#[test]
fn no_seed_breaks_a_saga_that_ships() {
    let tally = run_shipped(Delivery::ExactlyOnce, "no_seed_breaks_a_saga_that_ships");
    if env::var("SEED").is_err() {
        let mut never = tally.never();
        never.retain(|fault| *fault != Fault::CommitTorn);
        assert_eq!(never, Vec::<Fault>::new(), "these faults never fired");
    }
}

#[test]
fn no_seed_breaks_a_saga_that_ships_at_least_once() {
    let test = "no_seed_breaks_a_saga_that_ships_at_least_once";
    let tally = run_shipped(Delivery::AtLeastOnce, test);
    if env::var("SEED").is_err() {
        let mut never = tally.never();
        never.retain(|fault| !is_transactional(*fault));
        assert_eq!(never, Vec::<Fault>::new(), "these faults never fired");
    }
}

/// One order and one node, nothing left to chance but the place of the crash.
fn small(crashes: Vec<CrashPoint>) -> Options {
    Options {
        events: orders(1),
        shards: 1,
        nodes: 1,
        answer_odds: AnswerOdds::OBEDIENT,
        crashes,
        ..options(UNTIMED, Odds::CALM)
    }
}

fn points(calls: u64) -> impl Iterator<Item = CrashPoint> {
    (1..=calls)
        .flat_map(|call| [Moment::Before, Moment::After].map(|moment| CrashPoint { call, moment }))
}

#[test]
fn no_single_crash_breaks_one_order() {
    let calm = Simulation::run(1, small(Vec::new()));
    refuse(&calm, "no_single_crash_breaks_one_order");
    assert!(calm.calls > 50, "only {} calls: hardly a run", calm.calls);
    let mut fired = 0;
    for point in points(calm.calls) {
        let outcome = Simulation::run(1, small(vec![point]));
        assert!(outcome.violations.is_empty(), "{point:?}: {:?}", outcome.violations);
        fired += u64::from(outcome.fingerprint != calm.fingerprint || outcome.calls != calm.calls);
    }
    assert!(fired > calm.calls, "only {fired} of {} crashes changed anything", 2 * calm.calls);
}

/// Every second crash within so many calls of a first one, which is every pair that can meet in
/// one recovery; further apart, the second meets what no crash had touched.
const PAIR_CALLS: u64 = 40;

#[test]
#[ignore = "takes minutes; run it with --ignored"]
fn no_pair_of_crashes_breaks_one_order() {
    let calm = Simulation::run(1, small(Vec::new()));
    for first in points(calm.calls) {
        let near = |second: &CrashPoint| second.call <= first.call + PAIR_CALLS;
        for second in points(calm.calls + PAIR_CALLS).filter(|s| *s > first).filter(near) {
            let outcome = Simulation::run(1, small(vec![first, second]));
            assert!(
                outcome.violations.is_empty(),
                "{first:?}, {second:?}: {:?}",
                outcome.violations
            );
        }
    }
}

/// A sample of the pairs, spread over all of them.
#[test]
fn no_sampled_pair_of_crashes_breaks_one_order() {
    let calm = Simulation::run(1, small(Vec::new()));
    for (place, first) in points(calm.calls).enumerate() {
        let distance = 1 + (place as u64 * 7) % PAIR_CALLS;
        let second = CrashPoint { call: first.call + distance, moment: Moment::Before };
        let outcome = Simulation::run(1, small(vec![first, second]));
        assert!(outcome.violations.is_empty(), "{first:?}, {second:?}: {:?}", outcome.violations);
    }
}

/// Odds under which every rule is needed soon.
const STORMY: Odds = Odds { crash: 6, doubt: 250, evict: 25, member: 15, ..Odds::ROUGH };
/// A late end that meets a producer of the same name again: crashes and doubt, nobody else in between.
const STRAGGLING: Odds =
    Odds { crash: 10, doubt: 400, straggle: 500, evict: 0, member: 0, ..STORMY };
/// What was confirmed is often lost.
const FORGETFUL: Odds = Odds { forget: 200, doubt: 0, ..STORMY };
/// A rule that nobody misses in so many worlds is not needed, or not looked at.
const STORMS: u64 = 400;
/// So many good worlds say that a rule is not needed.
const QUIET_STORMS: u64 = 20;

/// The first world in a storm that goes wrong without these rules, and what is noticed.
fn noticed(weaknesses: &[Weakness], odds: Odds, storms: u64) -> Option<(u64, String)> {
    let weak = Options { weaknesses: weaknesses.to_vec(), ..options(TIMED, odds) };
    let mut runs = (0..storms).map(|seed| Simulation::run(seed, weak.clone()));
    let broken = runs.find(|outcome| !outcome.violations.is_empty())?;
    Some((broken.seed, broken.violations.into_iter().next().unwrap_or_default()))
}

#[test]
fn every_rule_is_missed_when_it_is_off() {
    let mut unmissed = Vec::new();
    for weakness in Weakness::ALL {
        let odds = match weakness {
            Weakness::EpochKept => STRAGGLING,
            Weakness::LossUnnoticed => FORGETFUL,
            // Moments of clocks that jump cannot be compared.
            Weakness::AnswersOvertaken => Odds { jump: 0, ..STORMY },
            _ => STORMY,
        };
        match noticed(&[weakness], odds, STORMS) {
            Some((seed, what)) => println!("{weakness:?}: seed {seed}: {what}"),
            None => unmissed.push(weakness),
        }
    }
    assert_eq!(unmissed, Vec::<Weakness>::new(), "nobody misses these rules");
}

/// The high watermark guards a restore against a transaction that is still open, as long as no
/// changelog record comes behind the positions of its own transaction.
#[test]
fn positions_may_be_added_first_only_where_no_record_comes_late() {
    let in_order = Odds { straggle: 0, ..STORMY };
    assert_eq!(noticed(&[Weakness::PositionsFirst], in_order, QUIET_STORMS), None);
}

#[test]
fn no_storm_breaks_an_order() {
    for seed in seeds(60) {
        refuse(&Simulation::run(seed, options(TIMED, STORMY)), "no_storm_breaks_an_order");
        refuse(&Simulation::run(seed, options(TIMED, FORGETFUL)), "no_storm_breaks_an_order");
    }
}

/// Orders of one saga while it is deployed, paused, mended, rolled back: each after so many turns.
fn deployments(second: &str) -> Vec<(u64, Arc<Catalog>)> {
    let (one, both) = (catalog(&[TIMED]), catalog(&[TIMED, second]));
    let read = |text: &str| parse("saga.yaml", text).unwrap_or_else(|e| panic!("\n{e}"));
    let paused = TIMED.replace("version: 1", "version: 1\nstate: paused");
    let said = |from: &Catalog, offset: i64, text: &str| {
        let starts = from.said_by("n", &[read(text)]);
        let starts = Starts { offset: Offset(offset), ..starts };
        Arc::new(from.starting_as(Some(Arc::new(starts))))
    };
    vec![
        (0, said(&one, 0, TIMED)),
        (60, said(&one, 1, &paused)),
        (180, said(&both, 2, second)),
        // Two nodes come up at once with different files: the one that is published last counts.
        (300, said(&both, 3, &paused)),
        (303, said(&both, 4, TIMED)),
    ]
}

#[test]
fn no_seed_breaks_a_pause_a_new_version_and_a_rollback() {
    let second = TIMED.replace("version: 1", "version: 2").replace("late: 7d", "late: 8d");
    let second = second.replace("within: 30m", "within: 29m");
    let mut begun: BTreeMap<u32, usize> = BTreeMap::new();
    for seed in seeds(SEEDS / 2) {
        let options = Options {
            catalog: catalog(&[TIMED, &second]),
            deployments: deployments(&second),
            events: orders(12),
            ..options(TIMED, Odds::ROUGH)
        };
        let outcome = Simulation::run(seed, options);
        refuse(&outcome, "no_seed_breaks_a_pause_a_new_version_and_a_rollback");
        for ((_, version), lives) in outcome.versions {
            *begun.entry(version.0).or_default() += lives;
        }
    }
    println!("{begun:?}");
    if env::var("SEED").is_err() {
        assert!(begun[&1] > 50 && begun[&2] > 50, "{begun:?}");
    }
}

/// A second saga that the same orders start.
const NOTE: &str = "saga: note\nversion: 1\nstart: { on: shop.orders/OrderPlaced, key: \
                    event.order_id, after: new, again: queue }\nsteps:\n  - { step: note, emit: \
                    shop.notes/Noted, compensate: none }\n";

#[test]
fn no_seed_starts_a_saga_whose_file_is_gone() {
    let both = catalog(&[TIMED, NOTE]);
    let read = |text: &str| parse("saga.yaml", text).unwrap_or_else(|e| panic!("\n{e}"));
    let said = |offset: i64, texts: &[&str]| {
        let local: Vec<Definition> = texts.iter().map(|text| read(text)).collect();
        let starts = Starts { offset: Offset(offset), ..both.said_by("n", &local) };
        Arc::new(both.starting_as(Some(Arc::new(starts))))
    };
    let deployments = vec![(0, said(0, &[TIMED, NOTE])), (60, said(1, &[TIMED]))];
    let (mut orders_begun, mut notes_begun) = (0, 0);
    for seed in seeds(SEEDS / 2) {
        let options = Options {
            catalog: Arc::clone(&both),
            deployments: deployments.clone(),
            events: orders(12),
            ..options(TIMED, Odds::ROUGH)
        };
        let mut outcome = Simulation::run(seed, options);
        // That is what is asked for here: an order starts two sagas, and later only one.
        let asked = |violation: &String| {
            let no_note = violation.contains("its start event led to nothing");
            violation.ends_with("began 2 lives")
                || (violation.starts_with("books: note/") && no_note)
        };
        outcome.violations.retain(|violation| !asked(violation));
        refuse(&outcome, "no_seed_starts_a_saga_whose_file_is_gone");
        for ((saga, _), lives) in outcome.versions {
            let count = if saga.as_str() == "note" { &mut notes_begun } else { &mut orders_begun };
            *count += lives;
        }
    }
    println!("{orders_begun} orders, {notes_begun} notes");
    if env::var("SEED").is_err() {
        assert!(notes_begun > 0 && notes_begun * 3 < orders_begun * 2, "{notes_begun}");
    }
}
