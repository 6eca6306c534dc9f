//! Every state that can be reached, breadth first, so that the first violation found is the shortest way to one.
//!
//! What happens if nothing goes wrong is one of a state's successors. So whether the world comes to rest, and where,
//! is read off the graph: from every state the plain ways lead somewhere, and where they turn in a circle nothing may
//! be written, and all must be as declared. No state needs a run of its own.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Instant;

use crate::model::{Next, State};
use crate::scenario::Setup;

/// A state that was met: how it was reached first, and where the plain way leads.
struct Node {
    parent: u32,
    /// Which of the parent's successors it is.
    nth: u16,
    plain: u32,
    plain_ms: u32,
    plain_writes: bool,
}

const NOWHERE: u32 = u32::MAX;

/// The world rests within this of the last thing that went wrong.
pub const REST_MS: u64 = 1_500_000;

/// What was found.
pub struct Found {
    pub states: usize,
    pub steps: usize,
    /// Where worlds came to rest, and how many states lead there.
    pub ends: BTreeMap<&'static str, usize>,
    /// The longest virtual time from any state to rest.
    pub longest_ms: u64,
    pub took_ms: u128,
    /// The shortest trace to what must not be.
    pub broken: Option<String>,
}

/// A fingerprint is its own hash.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut eight = [0; 8];
            eight[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(eight);
        }
    }

    fn write_u128(&mut self, n: u128) {
        self.0 = (n as u64) ^ ((n >> 64) as u64);
    }
}

type Known = HashMap<u128, u32, BuildHasherDefault<AsIs>>;

struct Search<'a> {
    setup: &'a Setup,
    nodes: Vec<Node>,
    known: Known,
    open: VecDeque<State>,
    start: State,
    steps: usize,
    began: Instant,
}

/// Goes through every state that the start leads to, up to so many.
pub fn search(setup: &Setup, start: State, most: usize) -> Found {
    let mut search = Search {
        setup,
        nodes: Vec::new(),
        known: Known::default(),
        open: VecDeque::new(),
        start: start.clone(),
        steps: 0,
        began: Instant::now(),
    };
    search.enter(start, NOWHERE, 0);
    let mut at = 0;
    while let Some(state) = search.open.pop_front() {
        if let Err(broken) = search.expand(at, &state) {
            return search.found(Some(broken));
        }
        assert!(search.nodes.len() <= most, "{}: more than {most} states", setup.name);
        at += 1;
    }
    search.judge_rest()
}

impl Search<'_> {
    fn enter(&mut self, state: State, parent: u32, nth: u16) -> u32 {
        let number = u32::try_from(self.nodes.len()).unwrap();
        match self.known.entry(state.fingerprint(self.setup)) {
            Entry::Occupied(known) => return *known.get(),
            Entry::Vacant(free) => free.insert(number),
        };
        self.nodes.push(Node { parent, nth, plain: NOWHERE, plain_ms: 0, plain_writes: false });
        self.open.push_back(state);
        number
    }

    fn expand(&mut self, at: u32, state: &State) -> Result<(), String> {
        for (nth, next) in state.successors(self.setup, false).into_iter().enumerate() {
            self.steps += 1;
            let nth = u16::try_from(nth).unwrap();
            if let Some(broken) = next.broken {
                return Err(self.trace(at, Some(nth), &broken));
            }
            let passed = next.state.world.now_ms() - state.world.now_ms();
            let (plain, wrote) = (next.plain, next.wrote);
            let to = self.enter(next.state, at, nth);
            if plain {
                let node = &mut self.nodes[at as usize];
                (node.plain, node.plain_writes) = (to, wrote);
                node.plain_ms = u32::try_from(passed).unwrap();
            }
        }
        Ok(())
    }

    /// Follows the plain way from every state to where it turns in a circle.
    fn judge_rest(self) -> Found {
        // How long from each state to rest, once known, and where that is.
        let mut rest: Vec<Option<(u64, &'static str)>> = vec![None; self.nodes.len()];
        for from in 0..self.nodes.len() {
            let mut way = Vec::new();
            let mut at = from;
            let mut on_way: HashMap<usize, usize> = HashMap::new();
            while rest[at].is_none() {
                if let Some(turned) = on_way.insert(at, way.len()) {
                    match self.circle(&way[turned..]) {
                        Ok(end) => way[turned..].iter().for_each(|node| rest[*node] = Some((0, end))),
                        Err(why) => return self.never_rests(from, &why),
                    }
                    break;
                }
                way.push(at);
                match self.nodes[at].plain {
                    NOWHERE => match self.circle(&[at]) {
                        Ok(end) => rest[at] = Some((0, end)),
                        Err(why) => return self.never_rests(from, &why),
                    },
                    next => at = next as usize,
                }
            }
            for node in way.into_iter().rev().filter(|node| *node != at) {
                if rest[node].is_some() {
                    continue;
                }
                let (left_ms, end) = rest[self.nodes[node].plain as usize].expect("it was just found");
                let all_ms = left_ms + u64::from(self.nodes[node].plain_ms);
                if all_ms > REST_MS {
                    return self.never_rests(node, &format!("it takes {} s to come to rest", all_ms / 1000));
                }
                rest[node] = Some((all_ms, end));
            }
        }
        let mut ends = BTreeMap::new();
        let mut longest_ms = 0;
        for (ms, end) in rest.into_iter().flatten() {
            *ends.entry(end).or_default() += 1;
            longest_ms = longest_ms.max(ms);
        }
        Found { ends, longest_ms, ..self.found(None) }
    }

    /// A circle of the plain way: nothing is written in it, and it is where the world may rest.
    fn circle(&self, nodes: &[usize]) -> Result<&'static str, String> {
        let state = self.replay(u32::try_from(nodes[0]).unwrap(), &mut |_, _| {});
        let end = state.at_rest(self.setup)?;
        if nodes.iter().any(|node| self.nodes[*node].plain != NOWHERE && self.nodes[*node].plain_writes) {
            return Err("it never stops writing".to_owned());
        }
        Ok(end)
    }

    fn never_rests(self, from: usize, why: &str) -> Found {
        let trace = self.trace(u32::try_from(from).unwrap(), None, why);
        self.found(Some(trace))
    }

    fn found(self, broken: Option<String>) -> Found {
        Found {
            states: self.nodes.len(),
            steps: self.steps,
            ends: BTreeMap::new(),
            longest_ms: 0,
            took_ms: self.began.elapsed().as_millis(),
            broken,
        }
    }

    /// The state of this number, come to as it was first found.
    fn replay(&self, to: u32, each: &mut dyn FnMut(&State, Next)) -> State {
        let mut way = Vec::new();
        let mut at = to;
        while self.nodes[at as usize].parent != NOWHERE {
            way.push(self.nodes[at as usize].nth);
            at = self.nodes[at as usize].parent;
        }
        let mut state = self.start.clone();
        for nth in way.into_iter().rev() {
            let next = state.successors(self.setup, true).into_iter().nth(nth.into()).unwrap();
            let after = next.state.clone();
            each(&state, next);
            state = after;
        }
        state
    }

    /// The way to this state, step by step, and what is wrong there: the next step, or that no rest follows.
    fn trace(&self, to: u32, step: Option<u16>, why: &str) -> String {
        let mut lines = vec![format!("{}: {why}", self.setup.name)];
        let began_ms = self.start.world.now_ms();
        let line = |state: &State, next: &Next| {
            let at_ms = state.world.now_ms() - began_ms;
            format!("{:>8} ms  {}{}", at_ms, if next.plain { "" } else { "! " }, next.tale.join("; "))
        };
        let mut state = self.replay(to, &mut |state, next| lines.push(line(state, &next)));
        match step {
            Some(nth) => {
                let next = state.successors(self.setup, true).into_iter().nth(nth.into()).unwrap();
                lines.push(line(&state, &next));
                state = next.state;
            }
            None => {
                lines.push("from here nothing goes wrong any more:".to_owned());
                for _ in 0..400 {
                    let Some(next) = state.plain_successor(self.setup, true) else { break };
                    lines.push(line(&state, &next));
                    state = next.state;
                }
            }
        }
        lines.push(state.says(self.setup));
        lines.join("\n")
    }
}
