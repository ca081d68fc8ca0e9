use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::model::{Around, Ending, State};
use super::moves::{Move, moves};
use super::oracle::Memory;
use super::promises::Promise;
use super::promises::{Broken, ending, forever, is_voluntary, judge};
use super::spots::requests;
use super::world::World;
use crate::definition::Definition;
use crate::engine::{Instance, Progress};

/// The most states that one exploration looks at.
pub const STATES_MAX: usize = 400_000;
/// The most different broken promises that one exploration tells.
const BROKEN_MAX: usize = 20;

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
    conditions: BTreeSet<(Ending, [u8; 16])>,
    /// Each with the state where it happened, and the move that did it.
    pub broken: Vec<(Broken, usize, Option<Stride>)>,
    /// Whether the bound was reached: what lies behind it was not looked at.
    pub is_bounded: bool,
}

/// One move of a run: the state before it, the move, and the answers of its conditions.
pub(super) type Stride = (Move, Vec<u8>);

/// A state, and a move from there if it is not where the way ends.
pub(super) type Way = (usize, Option<Stride>);

impl Explored {
    /// Notes a way to an end, if it is the first or another than those before.
    fn note(&mut self, end: Ending, mark: [u8; 16], way: impl FnOnce() -> Way) {
        let ways = self.endings.entry(end.clone()).or_default();
        if ways.len() < WAYS_MAX && self.conditions.insert((end, mark)) {
            ways.push(way());
        }
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

/// Looks at every state that can be reached, the nearest first.
pub(super) fn explore(world: &World, states_max: usize) -> Explored {
    let mut search = Search {
        world,
        definition: &world.definition,
        known: BTreeMap::new(),
        queue: VecDeque::new(),
        seen: BTreeSet::new(),
        explored: Explored {
            nodes: Vec::new(),
            moves: 0,
            endings: BTreeMap::new(),
            conditions: BTreeSet::new(),
            broken: Vec::new(),
            is_bounded: false,
        },
        states_max,
    };
    search.reach(nothing(), 0, 0, None);
    while let Some((at, state)) = search.queue.pop_front() {
        search.expand(at, &state);
    }
    search.stranded();
    search.explored
}

struct Search<'w> {
    world: &'w World,
    definition: &'w Definition,
    known: BTreeMap<[u8; 16], usize>,
    queue: VecDeque<(usize, State)>,
    seen: BTreeSet<(Promise, String, String)>,
    explored: Explored,
    states_max: usize,
}

impl Search<'_> {
    /// The place of a state, which is new or known.
    fn reach(&mut self, state: State, from: usize, depth: u32, by: Option<Stride>) -> usize {
        let mark = mark(&state);
        if let Some(known) = self.known.get(&mark) {
            return *known;
        }
        let place = self.explored.nodes.len();
        let end = ending(self.definition, &state);
        let node =
            Node { parent: from, depth, next: by, leads_to: Vec::new(), settled: end.is_some() };
        self.explored.nodes.push(node);
        self.known.insert(mark, place);
        // Why it is compensated was noted when it went back.
        if let Some(end) = end.filter(|end| !matches!(end, Ending::Compensated { .. })) {
            let mark = rests_on(self.definition, &state, &state.around.memory);
            self.explored.note(end, mark, || (place, None));
        }
        if let Some(broken) = forever(self.definition, &state) {
            self.tell(broken, place, None);
        }
        if place < self.states_max {
            self.queue.push_back((place, state));
        } else {
            self.explored.is_bounded = true;
        }
        place
    }

    fn expand(&mut self, at: usize, state: &State) {
        let next = if state.instance.is_none() { self.starts() } else { self.moves(state) };
        let depth = self.explored.nodes[at].depth + 1;
        for next in next {
            let (outcomes, more) = self.world.take(state, &next);
            self.explored.is_bounded |= more;
            for step in outcomes {
                let mut broken = Vec::new();
                judge(self.definition, state, &next, &step, &mut broken);
                if broken.is_empty() {
                    broken.extend(self.unnamed(state, &next, &step));
                }
                for broken in broken {
                    self.tell(broken, at, Some((next.clone(), step.script.clone())));
                }
                let Ok(taken) = step.outcome else { continue };
                self.explored.moves += 1;
                if taken.state == *state {
                    continue;
                }
                let by = Some((next.clone(), step.script));
                if let Some(end) = taken.went_back {
                    let memory = &taken.state.around.memory;
                    let mark = rests_on(self.definition, state, memory);
                    self.explored.note(end, mark, || (at, by.clone()));
                }
                let to = self.reach(taken.state, at, depth, by);
                if !is_voluntary(&next) {
                    self.explored.nodes[at].leads_to.push(to);
                }
            }
        }
    }

    fn starts(&self) -> Vec<Move> {
        let mut on: Vec<_> = self.definition.starts.iter().map(|s| s.on.clone()).collect();
        on.sort();
        on.dedup();
        let events = on.into_iter().map(Move::Start);
        events.chain(self.definition.by_parent.then_some(Move::StartChild)).collect()
    }

    fn moves(&self, state: &State) -> Vec<Move> {
        moves(self.definition, state)
    }

    /// A reply that does not say which command it answers must mean the same.
    fn unnamed(&self, state: &State, next: &Move, named: &super::world::Step) -> Option<Broken> {
        use crate::definition::Correlation;
        let (Move::Reply { asked, address }, Ok(meant)) = (next, &named.outcome) else {
            return None;
        };
        let by = self.definition.rule(address).map(|rule| rule.by);
        if by == Some(Correlation::CommandId) || !named.choices.is_empty() {
            return None;
        }
        let step = self.world.unnamed(state, next, named.script.clone())?;
        let taken = step.outcome.ok()?;
        // Two undoings of one step are as good as each other.
        let whose = |after: &State| answered(self.definition, state, after);
        if whose(&taken.state) == whose(&meant.state) {
            return None;
        }
        let step = asked.spot.name.clone();
        let words = format!(
            "a {} that does not name its command is taken by another step than {step}",
            address.event_type
        );
        Some(Broken { promise: Promise::Answered, step, words })
    }

    fn tell(&mut self, broken: Broken, at: usize, by: Option<Stride>) {
        let key = (broken.promise, broken.step.clone(), broken.words.clone());
        if self.explored.broken.len() < BROKEN_MAX && self.seen.insert(key) {
            self.explored.broken.push((broken, at, by));
        }
    }

    /// States from which nothing leads to an end.
    fn stranded(&mut self) {
        if self.explored.is_bounded {
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
            self.tell(Broken { promise: Promise::Ends, step: String::new(), words }, at, None);
        }
    }
}

/// The steps that have one more answer.
fn answered(definition: &Definition, before: &State, after: &State) -> BTreeSet<String> {
    let answered = |state: &State| {
        let generation = state.instance.as_ref().and_then(Instance::newest);
        let all = generation.map(|g| requests(definition, g)).unwrap_or_default();
        let done = all.into_iter().filter(|asked| asked.progress == Progress::Answered);
        done.map(|asked| (asked.spot.name, asked.part)).collect::<BTreeSet<_>>()
    };
    let before = answered(before);
    answered(after).difference(&before).map(|(name, _)| name.clone()).collect()
}

/// What tells ways apart: the answers to conditions, and what still waits for an answer.
fn rests_on(definition: &Definition, state: &State, memory: &Memory) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for (question, answer) in memory {
        hasher.update(&(question.len() as u64).to_be_bytes());
        hasher.update(question.as_bytes()).update(&[*answer]);
    }
    if let Some(generation) = state.instance.as_ref().and_then(Instance::newest) {
        for asked in requests(definition, generation) {
            if matches!(asked.progress, Progress::Waiting(_) | Progress::Pausing(_)) {
                hasher.update(asked.spot.name.as_bytes()).update(&[0]);
            }
        }
    }
    let mut mark = [0; 16];
    hasher.finalize_xof().fill(&mut mark);
    mark
}

/// What tells states apart.
fn mark(state: &State) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &[u8]| {
        hasher.update(&(part.len() as u64).to_be_bytes()).update(part);
    };
    if let Some(instance) = &state.instance {
        add(&instance.encode());
    }
    let Around { memory, partners, early, cancelled, skipped } = &state.around;
    add(&[u8::from(*cancelled), u8::from(*skipped)]);
    for (question, answer) in memory {
        add(question.as_bytes());
        add(&[*answer]);
    }
    for (id, partner) in partners {
        add(id.to_string().as_bytes());
        add(partner.letter.step.as_bytes());
        add(&[partner.stands as u8, u8::try_from(partner.letter.round).unwrap_or(u8::MAX)]);
    }
    for address in early {
        add(address.to_string().as_bytes());
    }
    let mut mark = [0; 16];
    hasher.finalize_xof().fill(&mut mark);
    mark
}
