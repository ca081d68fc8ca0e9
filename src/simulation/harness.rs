use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::audit::{audit, fingerprint, story};
use super::broker::SimulatedBroker;
use super::clock::SimulatedClock;
use super::deployment::Deployments;
use super::dice::Dice;
use super::fault::{Fault, Odds};
use super::fold::Fold;
use super::load::Load;
use super::node::Node;
use super::options::{Options, Outcome};
use super::services::Services;
use super::setup::Setup;
use super::source::SimulatedSource;
use super::store::SimulatedStore;
use super::world::World;
use crate::definition::Catalog;
use crate::message::Topic;
use crate::participants::{Callees, Script};
use crate::runtime::{Gateway, Pipeline, Settings};

const APP: &str = "sim";
const NAMES: [&str; 3] = ["ada", "bob", "cy"];
/// How long a gateway waits for a record.
const PATIENCE: Duration = Duration::from_millis(5);
/// So many turns without a new record say that only time can bring one.
const IDLE_TURNS: u32 = 12;
/// The longest leap of the clock when nothing happens.
const LEAP_MAX: Duration = Duration::from_secs(600);
/// What a wall clock may be wrong by.
const SKEW_MS: u64 = 40 * 60 * 1000;

/// How much likelier a node is to die when its pipeline is lost than beside a call.
const DYING: u32 = 100;

type Loop = Pipeline<SimulatedBroker, SimulatedStore, SimulatedClock>;

/// One node, as long as its process lives.
struct Running {
    node: Node,
    pipeline: Loop,
    gateway: Gateway<SimulatedSource>,
}

/// A world with nodes, participants and load in it.
pub struct Simulation {
    options: Options,
    world: World,
    dice: Dice,
    settings: Settings,
    running: BTreeMap<&'static str, Running>,
    /// Crashed nodes, and the turn at which they come back.
    down: BTreeMap<&'static str, u64>,
    services: Services,
    fold: Fold,
    load: Load,
    turns: u64,
    idle: u32,
    leap: Duration,
    fatal: Vec<String>,
    deployments: Deployments,
}

impl Simulation {
    /// Runs one seed until everything has ended, or the bound is reached, and audits what is left.
    #[must_use]
    pub fn run(seed: u64, options: Options) -> Outcome {
        let mut simulation = Self::new(seed, options);
        let bound = simulation.options.turns_max;
        while simulation.turns < bound && simulation.fold.violations.is_empty() {
            simulation.turn();
            if simulation.is_over() {
                break;
            }
        }
        simulation.outcome(seed)
    }

    fn new(seed: u64, options: Options) -> Self {
        let sources = sources(&options.catalog);
        let answer_odds = options.answer_odds;
        let scripts: Vec<Script> = options.scripts.iter().map(|s| answer_odds.over(s)).collect();
        let world = World::new(
            seed,
            Setup {
                app: APP.to_owned(),
                shards: options.shards,
                sources,
                partitions: 2,
                odds: options.odds,
                crashes: options.crashes.clone(),
                weaknesses: options.weaknesses.clone(),
                delivery: options.delivery,
                callees: Callees::new(&scripts, seed),
            },
        );
        let mut settings = Settings::new(APP, options.shards);
        settings.held_bytes_max = 4 * 1024;
        settings.checkpoint_every = Duration::from_secs(1);
        let mut simulation = Self {
            dice: Dice::new(seed ^ 0x5eed),
            services: Services::new(seed ^ 0xac7, APP, &options.catalog, &scripts, answer_odds),
            load: Load::new(seed, &options.events, &scripts, options.starts),
            fold: Fold::new(Arc::clone(&options.catalog), options.shards, options.delivery),
            world,
            settings,
            running: BTreeMap::new(),
            down: BTreeMap::new(),
            turns: 0,
            idle: 0,
            leap: Duration::ZERO,
            fatal: Vec::new(),
            deployments: Deployments::new(&options.catalog, options.deployments.clone()),
            options,
        };
        simulation.deployments.come(0, std::iter::empty());
        for name in NAMES.into_iter().take(simulation.options.nodes.max(1)) {
            simulation.start(name);
        }
        simulation
    }

    fn start(&mut self, name: &'static str) {
        self.deployments.seen(name);
        let node = self.world.node(name);
        let pipeline = self.pipeline(&node);
        let gateway = self.gateway(&node);
        self.running.insert(name, Running { node, pipeline, gateway });
    }

    fn pipeline(&self, node: &Node) -> Loop {
        Pipeline::new(
            self.settings.clone(),
            Arc::clone(&self.deployments.published),
            node.broker(),
            node.store(),
            node.clock(),
            Box::new(node.calls()),
            Box::new(|_| {}),
        )
    }

    fn gateway(&self, node: &Node) -> Gateway<SimulatedSource> {
        Gateway::new(&self.settings, &self.deployments.published, node.source())
    }

    fn turn(&mut self) {
        self.turns += 1;
        let before = self.world.records();
        if self.turns == self.options.rough_turns {
            self.options.odds = Odds::CALM;
            self.world.set_odds(Odds::CALM);
        }
        self.deployments.come(self.turns, self.running.keys().copied());
        self.disturb();
        self.revive();
        self.act();
        self.fold.follow(&self.world);
        if self.world.records() == before {
            self.idle += 1;
        } else {
            self.idle = 0;
            self.leap = Duration::from_millis(10);
        }
        if self.idle > IDLE_TURNS {
            self.idle = 0;
            self.see_to_the_stuck();
            self.leap_ahead();
        }
    }

    /// One of the actors gets a turn.
    fn act(&mut self) {
        let names: Vec<&'static str> = self.running.keys().copied().collect();
        match self.dice.below(10) {
            0..=3 => {
                if let Some(name) = names.get(self.dice.place(names.len())).copied() {
                    self.turn_pipeline(name);
                }
            }
            4..=6 => {
                if let Some(name) = names.get(self.dice.place(names.len())).copied() {
                    self.turn_gateway(name);
                }
            }
            7 | 8 => self.services.turn(&self.world),
            _ => {
                if let Some((at, follow)) = self.load.post(&self.world) {
                    self.services.schedule(at, follow, &self.world);
                }
            }
        }
    }

    fn turn_pipeline(&mut self, name: &'static str) {
        let Some(mut running) = self.running.remove(name) else { return };
        match running.pipeline.turn() {
            Ok(()) => {}
            Err(_) if !self.world.is_alive(name) => return self.crashed(name),
            Err(lost) if lost.fatal => {
                self.fatal.push(format!("{name} ended: {}", lost.reason));
                self.world.kill(name);
                return self.crashed(name);
            }
            // Some die of it.
            Err(_) if self.dice.chance(self.options.odds.crash * DYING) => {
                self.world.kill(name);
                return self.crashed(name);
            }
            // R7: everything in memory goes, and a new pipeline restores itself.
            Err(_) => running.pipeline = self.pipeline(&running.node),
        }
        self.running.insert(name, running);
    }

    fn turn_gateway(&mut self, name: &'static str) {
        let Some(mut running) = self.running.remove(name) else { return };
        if self.deployments.is_outdated(name) && self.dice.chance(300) {
            running.gateway = self.gateway(&running.node);
            self.deployments.seen(name);
        }
        match running.gateway.turn(PATIENCE) {
            Ok(()) => {}
            Err(_) if !self.world.is_alive(name) => return self.crashed(name),
            Err(_) => {
                running.gateway = self.gateway(&running.node);
                self.deployments.seen(name);
            }
        }
        self.running.insert(name, running);
    }

    fn crashed(&mut self, name: &'static str) {
        self.deployments.seen(name);
        let back = self.turns + 1 + self.dice.below(40);
        self.down.insert(name, back);
        if self.dice.chance(400) {
            // Its session runs out before it is back.
            self.world.evict(name);
        }
    }

    /// What is done to the nodes from outside.
    fn disturb(&mut self) {
        let odds = self.options.odds;
        if self.dice.chance(odds.member) {
            self.change_members();
        }
        let names: Vec<&'static str> = self.running.keys().copied().collect();
        let Some(name) = names.get(self.dice.place(names.len())).copied() else { return };
        if self.dice.chance(odds.evict) {
            self.world.evict(name);
        }
        if self.dice.chance(odds.jump) {
            let skew = i64::try_from(self.dice.below(2 * SKEW_MS)).unwrap_or(0);
            self.world.jump(name, skew - SKEW_MS.cast_signed());
        }
        if self.dice.chance(odds.anew) {
            self.world.make_anew();
        }
        if self.dice.chance(odds.person) {
            self.steer();
        }
        if self.dice.chance(5) {
            self.world.compact();
        }
    }

    /// A person cancels a saga, lets it stand still, or sets the data that it has anyhow.
    fn steer(&mut self) {
        let living = self.fold.living();
        let Some((id, data)) = living.get(self.dice.place(living.len())) else { return };
        match self.dice.below(4) {
            0 => self.services.steer(id, "cancel", None, &self.world),
            1 => self.services.steer(id, "set-data", Some(data), &self.world),
            _ => self.services.steer(id, "pause", None, &self.world),
        }
    }

    /// A node comes, or goes in good order.
    fn change_members(&mut self) {
        let is_absent =
            |name: &&str| !self.running.contains_key(name) && !self.down.contains_key(name);
        let absent = NAMES.iter().copied().find(is_absent);
        if let Some(name) = absent.filter(|_| self.dice.chance(500)) {
            self.start(name);
            self.world.count(Fault::Joined);
        } else if self.running.len() > 1
            && let Some((name, running)) = self.running.pop_last()
        {
            // Whether or not its last checkpoint succeeds, it is gone.
            let _ = running.pipeline.stop();
            self.world.kill(name);
            self.world.evict(name);
            self.deployments.seen(name);
            self.world.count(Fault::Left);
        }
    }

    /// Those whose time has come are started again, with what their disk still holds.
    fn revive(&mut self) {
        let turns = self.turns;
        let names: Vec<&'static str> =
            self.down.iter().filter(|(_, at)| **at <= turns).map(|(name, _)| *name).collect();
        for name in names {
            self.down.remove(name);
            if self.dice.chance(self.options.odds.store_lost) {
                self.world.lose_store(name);
            }
            if self.dice.chance(self.options.odds.store_damaged) {
                self.world.damage_store(name);
            }
            self.start(name);
        }
    }

    /// People look at what is stuck or stopped once nothing else happens; what they have paused
    /// goes on sooner or later.
    fn see_to_the_stuck(&mut self) {
        for id in self.fold.paused() {
            if self.dice.chance(300) {
                self.services.steer(&id, "resume", None, &self.world);
            }
        }
        for (topic, times) in self.world.stopped() {
            self.services.accept(&topic, times, &self.world);
        }
        for (id, step, undoing) in self.fold.stuck() {
            self.services.see_to(&id, &step, undoing, &self.world);
        }
    }

    /// Nothing happens by itself now: on to the next answer, or a bit further each time until it
    /// is clear that only a timer can be next.
    fn leap_ahead(&mut self) {
        self.leap = (self.leap * 2).min(LEAP_MAX);
        let now = self.world.elapsed();
        let answer = self.services.next_due().into_iter().chain(self.world.called_out());
        let answer = answer.min().map_or(Duration::MAX, |at| at.saturating_sub(now));
        let timer = self.fold.next_due().map(|at| at.since(self.world.now()).0);
        let timer = timer.map_or(Duration::MAX, Duration::from_millis);
        let far = if answer < timer {
            answer
        } else if self.leap == LEAP_MAX && timer < Duration::MAX {
            timer
        } else {
            Duration::ZERO
        };
        self.world.pass(self.leap.max(far).min(answer));
    }

    fn is_over(&self) -> bool {
        self.idle > 0
            && self.load.is_over()
            && self.deployments.is_over()
            && self.services.next_due().is_none()
            && self.world.is_settled()
            && self.world.is_drained()
            && self.fold.is_level(&self.world)
            && self.world.called_out().is_none()
            && self.fold.is_at_rest()
            && self.fold.messages.iter().all(|message| self.services.has_read(message))
    }

    fn outcome(self, seed: u64) -> Outcome {
        let mut violations = self.fatal;
        if self.turns >= self.options.turns_max {
            let turns = self.turns;
            violations.push(format!("it had not ended after {turns} turns"));
        }
        violations.extend(audit(
            &self.world,
            APP,
            &self.options.catalog,
            &self.fold,
            &self.load.posted,
            self.options.delivery,
        ));
        Outcome {
            seed,
            violations,
            tally: self.world.tally(),
            calls: self.world.calls(),
            turns: self.turns,
            ends: self.fold.ends(),
            versions: self.fold.versions(),
            story: story(&self.world, APP),
            fingerprint: fingerprint(&self.world),
        }
    }
}

/// The topics that the definitions read.
fn sources(catalog: &Catalog) -> Vec<Topic> {
    let operator = Topic::new(&format!("{APP}.operator")).expect("the app is a topic's prefix");
    crate::correlation::Index::new(catalog).topics().into_iter().chain([operator]).collect()
}
