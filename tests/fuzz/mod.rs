//! Every decoder against its corpus and against inputs made from it (H9). The same bodies run under
//! libFuzzer; see `fuzz/`.

mod corpus;
pub mod mutate;
mod seeds;
mod targets;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use self::mutate::Mutator;
use self::targets::Seen;
use self::targets::Target;
use crate::support::profile::Profile;
use crate::support::tally::Tally;
use crate::support::tally::Watch;

/// Longest input that is made.
const INPUT_BYTES_MAX: usize = 64 * 1024;
/// Inputs kept besides the corpus, because the decoder took them.
const KEPT_MAX: usize = 512;

/// Runs a body and says what is wrong: a panic, or too much memory.
fn attempt(target: &Target, input: &[u8]) -> Result<Seen, String> {
    let mut seen = Ok(Seen::Refused);
    let memory = allocation_counter::measure(|| {
        seen = std::panic::catch_unwind(AssertUnwindSafe(|| (target.body)(input)));
    });
    let seen = seen.map_err(|_payload| "it panicked".to_owned())?;
    let (fixed, each) = target.memory;
    let max = fixed + each * input.len() as u64;
    if memory.bytes_max > max {
        return Err(format!("{} bytes allocated, at most {max} are allowed", memory.bytes_max));
    }
    Ok(seen)
}

/// A failure as something that can be put into the corpus.
fn show(target: &Target, input: &[u8], what: &str) -> String {
    let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}: {what} on {} bytes\n  {hex}", target.name, input.len())
}

#[test]
fn the_corpus_breaks_no_promise() {
    let mut tally = Tally::start("h9-corpus", 0);
    let mut found = Vec::new();
    for target in targets::ALL {
        let inputs = corpus::read(target.name);
        assert!(!inputs.is_empty(), "no corpus for {}", target.name);
        let mut accepted = 0;
        for (name, input) in &inputs {
            tally.trials += 1;
            match attempt(target, input) {
                Ok(Seen::Accepted) => accepted += 1,
                Ok(Seen::Refused) => {}
                Err(what) => found.push(format!("{name}: {}", show(target, input, &what))),
            }
        }
        assert!(accepted > 0, "{}: the decoder takes nothing of its corpus", target.name);
        tally.count("accepted", accepted);
    }
    tally.failures = found.len() as u64;
    tally.finish();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What one target went through.
struct Explored {
    trials: u64,
    accepted: u64,
    failures: Vec<String>,
}

/// Mutated inputs until the time is over; what the decoder takes is mutated further.
fn explore(target: &Target, seed: u64, time: Duration) -> Explored {
    let watch = Watch::start();
    let mut pool: Vec<Vec<u8>> =
        corpus::read(target.name).into_iter().map(|(_, input)| input).collect();
    let committed = pool.len();
    let mut mutator = Mutator::new(seed);
    let mut done = Explored { trials: 0, accepted: 0, failures: Vec::new() };
    while watch.elapsed() < time && done.failures.len() < 5 {
        for _ in 0..32 {
            let input = mutator.next(&pool, INPUT_BYTES_MAX);
            done.trials += 1;
            match attempt(target, &input) {
                Ok(Seen::Accepted) => {
                    done.accepted += 1;
                    if pool.len() < committed + KEPT_MAX {
                        pool.push(input);
                    } else if done.accepted.is_multiple_of(8) {
                        let at = committed + mutator.below(KEPT_MAX);
                        pool[at] = input;
                    }
                }
                Ok(Seen::Refused) => {}
                Err(what) => done.failures.push(show(target, &input, &what)),
            }
        }
    }
    done
}

#[test]
fn decoders_keep_their_promises_on_made_up_input() {
    let seed = 20_261_125;
    let [quick, gate, long] = [1500, 15_000, 3_600_000].map(Duration::from_millis);
    let time = Profile::of_process().pick(quick, gate, long);
    let mut tally = Tally::start("h9-fuzz", seed);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let explored = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(target) = targets::ALL.get(at) else { return };
                    let done = explore(target, seed, time);
                    explored.lock().unwrap().push((target.name, done));
                }
            });
        }
    });
    let mut found = Vec::new();
    for (name, done) in explored.into_inner().unwrap() {
        println!("{name}: {} inputs, {} accepted", done.trials, done.accepted);
        tally.trials += done.trials;
        tally.count("accepted", done.accepted);
        tally.count(name, done.trials);
        assert!(done.trials > 0 && done.accepted < done.trials, "{name}: nothing is refused");
        found.extend(done.failures);
    }
    tally.failures = found.len() as u64;
    tally.finish();
    assert!(found.is_empty(), "seed {seed}:\n{}", found.join("\n"));
}

/// The harness notices what it is there for.
#[test]
fn a_panic_and_a_glutton_are_noticed() {
    let panics = |input: &[u8]| match input {
        [1, 2, ..] => panic!("planted"),
        [] => Seen::Refused,
        _ => Seen::Accepted,
    };
    let target = Target { name: "planted", body: panics, memory: (1024, 1) };
    assert_eq!(attempt(&target, &[1]), Ok(Seen::Accepted));
    assert_eq!(attempt(&target, &[1, 2]), Err("it panicked".to_owned()));
    let eats = |input: &[u8]| {
        let len = input.iter().fold(0_usize, |sum, byte| sum * 256 + usize::from(*byte));
        assert!(Vec::<u8>::with_capacity(len).is_empty());
        Seen::Accepted
    };
    let target = Target { name: "planted", body: eats, memory: (1024, 1) };
    assert_eq!(attempt(&target, &[1, 0]), Ok(Seen::Accepted));
    assert!(attempt(&target, &[1, 0, 0]).is_err_and(|what| what.starts_with("65536 bytes")));
}

/// The list of targets, the folders of the corpus and the fuzz crate name the same.
#[test]
fn targets_corpus_and_fuzz_crate_agree() {
    let names: Vec<String> = targets::ALL.iter().map(|target| target.name.to_owned()).collect();
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(corpus::folders(), sorted);
    let manifest = crate::house::text("fuzz/Cargo.toml");
    let bins = manifest.split("[[bin]]").skip(1);
    let listed: Vec<String> =
        bins.map(|bin| bin.split('"').nth(1).expect("a name").to_owned()).collect();
    assert_eq!(listed, names);
    assert!(names.iter().all(|name| targets::named(name).name == name));
}
