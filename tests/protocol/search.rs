//! Every interleaving, breadth first.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hash::BuildHasherDefault;
use std::hash::DefaultHasher;

use super::state::Back;
use super::state::COLLECTORS;
use super::state::Medium;
use super::state::Setting;
use super::state::State;
use super::state::WRITERS;
use super::state::small;
use crate::support::Random;

/// What was done between two states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Start,
    Writer(u8),
    Collector(u8),
    CrashWriter(u8),
    CrashCollector(u8),
    Expire(u8),
    Forget,
    Undo,
    Mender,
    CrashMender,
    EmptyQuarantine,
    Later,
}

/// What a search came to.
#[derive(Debug, Default)]
pub struct Outcome {
    pub states: usize,
    pub depth: usize,
    pub settled: usize,
    /// Whether every state was looked at.
    pub is_whole: bool,
    /// States that could go on only with more names than the model has.
    pub out_of_names: usize,
    pub violation: Option<String>,
}

struct Node {
    state: State,
    from: u32,
    by: Action,
    depth: u32,
}

/// Looks at every state that can be reached, up to `states_max` of them.
pub fn search(setting: &Setting, states_max: usize) -> Outcome {
    let mut start = State::start(setting);
    start.crashes = setting.crashes;
    start.failures = setting.failures;
    let mut seen: HashMap<u64, u32> = HashMap::new();
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    seen.insert(hasher.hash_one(start), 0);
    let mut nodes = vec![Node { state: start, from: 0, by: Action::Start, depth: 0 }];
    let mut outcome = Outcome { is_whole: true, ..Outcome::default() };
    let mut at = 0;
    let mut after = Vec::new();
    while at < nodes.len() {
        let state = nodes[at].state;
        outcome.depth = nodes[at].depth as usize;
        let wrong = match state.violation(setting) {
            Some(violation) => Some(violation.to_owned()),
            None if state.is_quiet() => {
                outcome.settled += 1;
                state.settle(setting)
            }
            None => None,
        };
        if let Some(wrong) = wrong {
            outcome.violation = Some(trace(&nodes, at, &wrong));
            break;
        }
        if nodes.len() >= states_max {
            outcome.is_whole = false;
            break;
        }
        after.clear();
        successors(setting, &state, &mut after);
        let busy = !state.is_quiet();
        let stuck = after.iter().all(|(by, _)| {
            use Action::{Collector, Mender, Undo, Writer};
            !matches!(by, Writer(_) | Collector(_) | Undo | Mender)
        });
        outcome.out_of_names += usize::from(busy && stuck);
        for (by, next) in after.drain(..) {
            let number = u32::try_from(nodes.len()).expect("far fewer states");
            let known = *seen.entry(hasher.hash_one(next)).or_insert(number);
            if known == number {
                let depth = nodes[at].depth + 1;
                nodes.push(Node {
                    state: next,
                    from: u32::try_from(at).expect("far fewer states"),
                    by,
                    depth,
                });
            } else {
                assert!(nodes[known as usize].state == next, "two states have one hash");
            }
        }
        at += 1;
    }
    outcome.states = nodes.len();
    outcome
}

/// Goes `count` ways by chance, each to its end: deeper than a search that is cut. Gives the number
/// of steps.
///
/// # Errors
/// What is violated, and the way there.
pub fn walk(setting: &Setting, seed: u64, count: usize) -> Result<u64, String> {
    let mut random = Random::new(seed);
    let mut steps = 0;
    let mut after = Vec::new();
    for _ in 0..count {
        let mut state = State::start(setting);
        state.crashes = setting.crashes;
        state.failures = setting.failures;
        let mut way = Vec::new();
        loop {
            let wrong = match state.violation(setting) {
                Some(violation) => Some(violation.to_owned()),
                None if state.is_quiet() => state.settle(setting),
                None => None,
            };
            if let Some(wrong) = wrong {
                return Err(format!("{wrong}\n  {way:?}\n  {state}"));
            }
            after.clear();
            successors(setting, &state, &mut after);
            if after.is_empty() {
                break;
            }
            let (by, next) = after[random.below(after.len())];
            way.push(by);
            state = next;
            steps += 1;
        }
    }
    Ok(steps)
}

fn successors(setting: &Setting, state: &State, after: &mut Vec<(Action, State)>) {
    for n in (0..WRITERS).filter(|n| setting.writers & (1 << n) != 0) {
        let by = small(n);
        after.extend(state.write(setting, n).into_iter().map(|it| (Action::Writer(by), it)));
        after.extend(state.crash_writer(n).map(|it| (Action::CrashWriter(by), it)));
        if state.open & (1 << n) != 0 {
            let mut next = *state;
            next.open &= !(1 << n);
            after.push((Action::Expire(by), next));
        }
    }
    for n in 0..setting.collectors.min(COLLECTORS) {
        let by = small(n);
        after.extend(state.collect(setting, n).into_iter().map(|it| (Action::Collector(by), it)));
        after.extend(state.crash_collector(n).map(|it| (Action::CrashCollector(by), it)));
    }
    if !state.is_forgotten && state.undo == super::state::UndoAt::Idle {
        let mut next = *state;
        next.is_forgotten = true;
        after.push((Action::Forget, next));
    }
    after.extend(state.take_back(setting).into_iter().map(|it| (Action::Undo, it)));
    after.extend(state.mend(setting).into_iter().map(|it| (Action::Mender, it)));
    after.extend(state.crash_mender().map(|it| (Action::CrashMender, it)));
    let emptied = state.empty_quarantine().filter(|_| setting.back == Back::Tried);
    after.extend(emptied.map(|it| (Action::EmptyQuarantine, it)));
    let any_new = (state.new_manifests, state.new_records) != (0, 0);
    if setting.medium == Medium::Late && any_new {
        let mut next = *state;
        next.new_manifests = 0;
        next.new_records = 0;
        after.push((Action::Later, next));
    }
}

fn trace(nodes: &[Node], at: usize, wrong: &str) -> String {
    let mut lines = vec![wrong.to_owned()];
    let mut at = at;
    loop {
        let node = &nodes[at];
        let what = match node.by {
            Action::Writer(n) | Action::CrashWriter(n) => {
                format!("{:?}", node.state.writers[usize::from(n)])
            }
            Action::Collector(n) | Action::CrashCollector(n) => {
                format!("{:?}", node.state.collectors[usize::from(n)])
            }
            Action::Undo => format!("{:?}", node.state.undo),
            Action::Mender | Action::CrashMender => format!("{:?}", node.state.mender),
            _ => String::new(),
        };
        lines.push(format!("{:?} {what}\n      {}", node.by, node.state));
        if node.by == Action::Start {
            break;
        }
        at = node.from as usize;
    }
    lines[1..].reverse();
    lines.join("\n  ")
}
