use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::thread;

use super::edge::{Edge, Expanded, Known, Led, Reached, Stride, edges, is_begun};
use super::mark::Mark;
use super::model::{Around, Ending, State};
use super::promise::{Broken, Promise};
use super::promises::subject;
use super::world::World;

/// The most states that one exploration looks at.
pub const STATES_MAX: usize = 400_000;
/// The most different broken promises that one exploration tells.
const BROKEN_MAX: usize = 20;
/// How many states are looked at before what they lead to is: enough for each worker to be busy,
/// few enough for the memory.
const BATCH: usize = 256;

/// The most ways to one end that are kept.
const WAYS_MAX: usize = 60;

/// A state that was reached, and how it was reached first: the shortest way.
#[derive(Debug)]
struct Node {
    /// Where it was reached from; the first one is its own.
    parent: usize,
    depth: u32,
    next: Option<Stride>,
    /// Where one gets from here without anybody doing more than they must.
    leads_to: Vec<usize>,
    settled: bool,
}

/// Everything that was reached.
pub(super) struct Explored {
    nodes: Vec<Node>,
    pub moves: usize,
    /// Each with the ways to it: the state where it was reached, or the one before the move that
    /// turned it round. The shortest comes first; the others rest on other conditions, or had other
    /// answers before, for not every order of timers can be had.
    pub endings: BTreeMap<Ending, Vec<Way>>,
    /// For which ends there is a way, by what it rests on.
    conditions: BTreeSet<(Ending, Mark)>,
    /// Each with the state where it happened, and the move that did it.
    pub broken: Vec<(Broken, usize, Option<Stride>)>,
    /// How many moves the nearest state is away from which not all was looked at, if the bound was
    /// reached.
    pub bound: Option<u32>,
}

/// A state, and a move from there if it is not where the way ends.
pub(super) type Way = (usize, Option<Stride>);

impl Explored {
    /// Notes a way to an end, if it is the first or another than those before.
    fn note(&mut self, end: Ending, mark: Mark, way: impl FnOnce() -> Way) {
        let ways = self.endings.entry(end.clone()).or_default();
        if ways.len() < WAYS_MAX && self.conditions.insert((end, mark)) {
            ways.push(way());
        }
    }

    /// Notes that not all was looked at that a state leads to.
    fn stop_at(&mut self, at: usize) {
        let depth = self.nodes[at].depth;
        self.bound = Some(self.bound.map_or(depth, |nearest| nearest.min(depth)));
    }

    pub fn states(&self) -> usize {
        self.nodes.len()
    }

    pub fn deepest(&self) -> u32 {
        self.nodes.iter().map(|node| node.depth).max().unwrap_or(0)
    }

    /// The shortest run to a state.
    pub fn run(&self, to: usize) -> Vec<Stride> {
        let mut run = Vec::new();
        let mut at = to;
        while let Some((next, script)) = &self.nodes[at].next {
            run.push((next.clone(), script.clone()));
            at = self.nodes[at].parent;
        }
        run.reverse();
        run
    }
}

/// The state before anything has happened.
pub(super) fn nothing() -> State {
    State { instance: None, around: Around::default() }
}

/// Looks at every state that can be reached, the nearest first; each world is one worker's.
pub(super) fn explore(worlds: &[World], states_max: usize) -> Explored {
    let mut search = Search {
        worlds,
        known: BTreeMap::new(),
        queue: VecDeque::new(),
        seen: BTreeSet::new(),
        explored: Explored {
            nodes: Vec::new(),
            moves: 0,
            endings: BTreeMap::new(),
            conditions: BTreeSet::new(),
            broken: Vec::new(),
            bound: None,
        },
        states_max,
    };
    search.begin();
    while !search.queue.is_empty() {
        let batch = search.queue.len().min(BATCH);
        let batch: Vec<_> = search.queue.drain(..batch).collect();
        search.expand(&batch);
    }
    search.stranded();
    search.explored
}

struct Search<'w> {
    worlds: &'w [World],
    known: Known,
    queue: VecDeque<(usize, State)>,
    seen: BTreeSet<(Promise, String, String)>,
    explored: Explored,
    states_max: usize,
}

impl Search<'_> {
    fn begin(&mut self) {
        let nothing = nothing();
        self.known.insert(self.worlds[0].mark(&nothing), 0);
        let node = Node { parent: 0, depth: 0, next: None, leads_to: Vec::new(), settled: false };
        self.explored.nodes.push(node);
        self.queue.push_back((0, nothing));
    }

    /// The place of a state that was not known.
    fn reach(
        &mut self,
        mark: Mark,
        (reached, ending): (Reached, Option<(Ending, Mark)>),
        from: usize,
        by: Stride,
    ) -> usize {
        let place = self.explored.nodes.len();
        let Reached { state, forever } = reached;
        self.explored.nodes.push(Node {
            parent: from,
            depth: self.explored.nodes[from].depth + 1,
            next: Some(by),
            leads_to: Vec::new(),
            settled: ending.is_some() || !is_begun(&state),
        });
        self.known.insert(mark, place);
        self.end(ending, || (place, None));
        if let Some(broken) = forever {
            self.tell(broken, place, None);
        }
        self.queue.push_back((place, state));
        place
    }

    fn end(&mut self, ending: Option<(Ending, Mark)>, way: impl FnOnce() -> Way) {
        // Why it is compensated was noted when it went back.
        let is_open = |end: &Ending| !matches!(end, Ending::Compensated { .. });
        if let Some((end, mark)) = ending.filter(|(end, _)| is_open(end)) {
            self.explored.note(end, mark, way);
        }
    }

    /// Looks at a batch of states, on all workers, and then at what they lead to, in their order.
    fn expand(&mut self, batch: &[(usize, State)]) {
        let share = batch.len().div_ceil(self.worlds.len());
        let known = &self.known;
        let expand = |world, part: &[(usize, State)]| {
            part.iter().map(|(_, state)| edges(world, state, known)).collect::<Vec<_>>()
        };
        let expanded: Vec<Expanded> = thread::scope(|scope| {
            let worker = |(world, part)| scope.spawn(move || expand(world, part));
            let workers: Vec<_> = self.worlds.iter().zip(batch.chunks(share)).map(worker).collect();
            let all = workers.into_iter().flat_map(|worker| worker.join().expect("none panics"));
            all.collect()
        });
        for ((at, _), expanded) in batch.iter().zip(expanded) {
            if expanded.is_cut {
                self.explored.stop_at(*at);
            }
            for edge in expanded.edges {
                self.follow(*at, edge);
            }
        }
    }

    fn follow(&mut self, at: usize, edge: Edge) {
        for broken in edge.broken {
            self.tell(broken, at, Some(edge.by.clone()));
        }
        let Some(led) = edge.led else { return };
        self.explored.moves += 1;
        let is_voluntary = edge.by.0.is_voluntary();
        let Led::Elsewhere { mark, went_back, ending, reached } = led else { return };
        if let Some((end, mark)) = went_back {
            self.explored.note(end, mark, || (at, Some(edge.by.clone())));
        }
        let to = if let Some(known) = self.known.get(&mark).copied() {
            self.end(ending, || (at, Some(edge.by)));
            known
        } else if self.explored.nodes.len() >= self.states_max {
            self.explored.stop_at(at);
            return;
        } else {
            let reached = *reached.expect("what two of a batch reach is new to both");
            self.reach(mark, (reached, ending), at, edge.by)
        };
        if !is_voluntary {
            self.explored.nodes[at].leads_to.push(to);
        }
    }

    fn tell(&mut self, broken: Broken, at: usize, by: Option<Stride>) {
        let key = (broken.promise, broken.step.clone(), broken.words.clone());
        if self.explored.broken.len() < BROKEN_MAX && self.seen.insert(key) {
            self.explored.broken.push((broken, at, by));
        }
    }

    /// States from which nothing leads to an end.
    fn stranded(&mut self) {
        if self.explored.bound.is_some() {
            return;
        }
        let nodes = &self.explored.nodes;
        let mut backwards = vec![Vec::new(); nodes.len()];
        for (from, node) in nodes.iter().enumerate() {
            node.leads_to.iter().for_each(|to| backwards[*to].push(from));
        }
        let mut ends: Vec<bool> = nodes.iter().map(|node| node.settled).collect();
        let mut open: Vec<usize> = (0..nodes.len()).filter(|at| ends[*at]).collect();
        while let Some(at) = open.pop() {
            for from in &backwards[at] {
                if !ends[*from] {
                    ends[*from] = true;
                    open.push(*from);
                }
            }
        }
        let first = (1..nodes.len()).find(|at| !ends[*at]);
        if let Some(at) = first.filter(|_| self.explored.broken.is_empty()) {
            let words = "from here nothing leads to an end by itself".to_owned();
            let last = nodes[at].next.as_ref().map_or_else(String::new, |(next, _)| subject(next));
            self.tell(Broken::new(Promise::Ends, last, words), at, None);
        }
    }
}
