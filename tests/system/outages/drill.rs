use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::cluster::{Broker, Cluster, End};
use super::outcome::Outcome;
use super::pulse::Pulse;
use super::services;
use crate::cast::Cast;
use crate::engine::{Engine, last_words};
use crate::world::World;

/// How long engines may take to be at work again before a test stops asking for more.
const BACK_MAX: Duration = Duration::from_secs(90);
/// How long no saga may end before those that are open count as left open.
const ENDS_MAX: Duration = Duration::from_secs(60);
/// How long an engine's log rests before everything is said.
const QUIET: Duration = Duration::from_secs(10);
const QUIET_MAX: Duration = Duration::from_secs(60);
/// How often an engine is looked after while the test waits for something else.
const LOOK: Duration = Duration::from_millis(100);
/// How many records of the history stand between two outages, so that each meets work.
const WORK_RECORDS: usize = 200;

/// A cluster, its services, orders and engines, and what was seen of them while things broke.
/// Engines that end by themselves are counted and started again, as a supervisor does.
pub struct Drill {
    pub cluster: Cluster,
    pub world: World,
    pub outcome: Outcome,
    engines: BTreeMap<&'static str, Engine>,
    pulse: Option<Pulse>,
    orders: Option<JoinHandle<u64>>,
    enough: Arc<AtomicBool>,
}

impl Drill {
    /// Services and sagas on a cluster; no engine yet.
    pub fn on(
        cluster: Cluster,
        name: &str,
        cast: impl FnOnce(&str, u64) -> Cast,
        seed: u64,
    ) -> Self {
        let app = name.replace([' ', ','], "-");
        let copies = cluster.replication();
        let mut world = World::outside(cluster.connection(), copies, &app, cast, seed);
        world.serve_by(services::run);
        Self {
            cluster,
            world,
            outcome: Outcome::new(name),
            engines: BTreeMap::new(),
            pulse: None,
            orders: None,
            enough: Arc::default(),
        }
    }

    /// Starts engines.
    pub fn start(&mut self, nodes: &[&'static str]) {
        for node in nodes {
            self.engines.insert(node, self.world.engine(node));
        }
        if self.pulse.is_none() {
            let (log, app) = (self.log(nodes[0]), &self.world.app);
            self.pulse = Some(Pulse::of(&self.world.connection, app, log));
        }
    }

    /// Starts engines and orders, so many a second, and waits until all shards work.
    pub fn begin(&mut self, nodes: &[&'static str], rate: f64) {
        self.start(nodes);
        self.order(rate);
        self.mark();
        assert!(self.await_work(), "no work begins:\n{}", last_words(&self.log(nodes[0])));
        let made = format!("copies={}", self.cluster.replication());
        let is_made = nodes.iter().any(|node| self.said(node).iter().any(|l| l.contains(&made)));
        assert!(is_made, "the engine's topics have not {made}, so a broker takes them along");
        self.pulse().take_pause();
    }

    /// Places orders from now on, so many a second.
    pub fn order(&mut self, rate: f64) {
        self.orders = Some(self.world.orders(rate, &self.enough));
    }

    /// Ends a broker, starts it again after a while, and waits until all shards work; then lets
    /// some work be done.
    pub fn restart(&mut self, broker: &Broker, how: End, away: Duration) {
        broker.end(how);
        self.wait(away);
        broker.again();
        self.measure();
        self.work();
    }

    /// Waits until all shards have worked after now, and remembers how long that took.
    pub fn measure(&mut self) {
        self.mark();
        if self.await_work() {
            let back = self.pulse().back().expect("they were seen to work");
            self.outcome.back.push(back);
        } else {
            self.outcome.never_back += 1;
        }
        let pause = self.pulse().take_pause();
        self.outcome.pauses.push(pause);
    }

    fn mark(&mut self) {
        self.pulse().mark(services::now());
    }

    fn await_work(&mut self) -> bool {
        let begun = Instant::now();
        while self.pulse().back().is_none() {
            if begun.elapsed() > BACK_MAX {
                return false;
            }
            self.pulse().read();
            self.look_after();
        }
        true
    }

    /// Lets some work be done, if any is.
    pub fn work(&mut self) {
        let (mut records, begun) = (0, Instant::now());
        while self.outcome.never_back == 0 && records < WORK_RECORDS && begun.elapsed() < BACK_MAX {
            records += self.pulse().read();
            self.look_after();
        }
    }

    /// Lets time pass, and looks after the engines meanwhile.
    pub fn wait(&mut self, time: Duration) {
        let until = Instant::now() + time;
        let (_keep, never) = channel::<()>();
        while Instant::now() < until {
            let rest = until.saturating_duration_since(Instant::now());
            assert!(never.recv_timeout(rest.min(LOOK)).is_err(), "nobody sends");
            self.look_after();
        }
    }

    /// Lets time pass; answers whether every shard has worked meanwhile.
    pub fn works_for(&mut self, time: Duration) -> bool {
        self.mark();
        let begun = Instant::now();
        while begun.elapsed() < time {
            self.pulse().read();
            self.look_after();
        }
        self.pulse().back().is_some()
    }

    /// Counts an engine that has ended by itself, and starts it again.
    pub fn look_after(&mut self) {
        let ended =
            |(node, engine): (&&'static str, &mut Engine)| (!engine.lives()).then_some(*node);
        let ended: Vec<&'static str> = self.engines.iter_mut().filter_map(ended).collect();
        for node in ended {
            self.outcome.died.push(last_words(&self.log(node)));
            self.start(&[node]);
        }
    }

    /// How many lines an engine has written so far.
    pub fn lines(&self, node: &str) -> usize {
        self.said(node).len()
    }

    /// Waits until an engine writes nothing for a while, and remembers what it has written since
    /// it had written so many lines.
    pub fn keep_lines(&mut self, node: &str, since: usize) {
        let (begun, mut rests, mut lines) = (Instant::now(), Instant::now(), self.lines(node));
        while rests.elapsed() < QUIET && begun.elapsed() < QUIET_MAX {
            self.wait(LOOK);
            let now = self.lines(node);
            if now != lines {
                (rests, lines) = (Instant::now(), now);
            }
        }
        self.outcome.lines.push(self.said(node).split_off(since));
    }

    fn said(&self, node: &str) -> Vec<String> {
        let text = fs::read_to_string(self.log(node)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// An engine that runs.
    pub fn engine(&mut self, node: &str) -> &mut Engine {
        self.engines.get_mut(node).expect("it was started")
    }

    /// Takes an engine away, for whoever ends it.
    pub fn take(&mut self, node: &str) -> Engine {
        self.engines.remove(node).expect("it was started")
    }

    /// Where an engine's words are kept.
    pub fn log(&self, node: &str) -> PathBuf {
        self.world.log(node)
    }

    /// Ends the orders; answers how many were placed.
    pub fn stop_orders(&mut self) -> u64 {
        self.enough.store(true, Ordering::Relaxed);
        if let Some(orders) = self.orders.take() {
            self.outcome.placed += orders.join().expect("orders end well");
        }
        self.outcome.placed
    }

    /// Waits until so many sagas have ended, but not for ever.
    pub fn until_ended(&mut self, sagas: u64) {
        let ended = self.world.watch().ended_within(sagas, ENDS_MAX);
        assert_eq!(ended, sagas, "not all sagas end");
    }

    /// Waits until every saga has ended, ends the engines, and checks the books.
    pub fn close(self) -> Outcome {
        self.close_with(|_| ()).0
    }

    /// The same; at last something is asked of the world.
    pub fn close_with<T>(mut self, ask: impl FnOnce(&World) -> T) -> (Outcome, T) {
        let placed = self.stop_orders();
        self.outcome.ended = self.world.settle_within(placed, ENDS_MAX);
        self.look_after();
        for (node, engine) in std::mem::take(&mut self.engines) {
            let status = engine.terminate();
            if !status.success() {
                self.outcome.complaints.push(format!("{node} did not end well: {status}"));
            }
        }
        self.outcome.report = self.world.close();
        if !self.outcome.report.balances() {
            self.cluster.keep();
        }
        let answer = ask(&self.world);
        self.keep_logs();
        (self.outcome, answer)
    }

    /// Copies what the engines have said to the folder that `SEGUE_TEST_KEEP` names, if it does.
    fn keep_logs(&self) {
        let Some(folder) = std::env::var_os("SEGUE_TEST_KEEP").map(PathBuf::from) else { return };
        for node in ["a", "b"].iter().filter(|node| self.log(node).exists()) {
            let kept = folder.join(format!("{}.{node}.log", self.world.app));
            fs::copy(self.log(node), kept).expect("the folder is there");
        }
    }

    fn pulse(&mut self) -> &mut Pulse {
        self.pulse.as_mut().expect("an engine was started")
    }
}
