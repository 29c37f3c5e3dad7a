//! The walk of a folder beside a bare parallel `stat` walk.
//!
//! `cargo bench --bench walk -- PATH [ROUNDS]` prints the medians and their ratio. Rounds take
//! turns, after one of each that warms the caches.
#![expect(clippy::print_stdout, reason = "what a bench is for")]

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use anyhow::Context;
use anyhow::ensure;
use lifeboat::clock::Clock;
use lifeboat::clock::SystemClock;
use lifeboat::ids::RunId;
use lifeboat::run::Run;
use lifeboat::run::monitor::Silent;
use lifeboat::source::Source;
use lifeboat::source::exclude::Excludes;
use lifeboat::source::unix::FolderSource;

const THREADS: usize = 2;
const ROUNDS: usize = 7;

/// Folders to list, and how many threads are at one.
#[derive(Default)]
struct Queue {
    folders: Mutex<(Vec<PathBuf>, usize)>,
    changed: Condvar,
}

impl Queue {
    /// The next folder; `None` when all is done. The caller is busy until it asks again.
    fn next(&self, was_busy: usize) -> Option<PathBuf> {
        let mut state = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 -= was_busy;
        loop {
            if let Some(folder) = state.0.pop() {
                state.1 += 1;
                return Some(folder);
            }
            if state.1 == 0 {
                self.changed.notify_all();
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn push(&self, folder: PathBuf) {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).0.push(folder);
        self.changed.notify_one();
    }
}

/// Lists and stats all there is until no folder is left.
fn list(queue: &Queue) -> std::io::Result<usize> {
    let (mut count, mut was_busy) = (0, 0);
    while let Some(folder) = queue.next(was_busy) {
        was_busy = 1;
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            count += 1;
            if entry.metadata()?.is_dir() {
                queue.push(entry.path());
            }
        }
    }
    Ok(count)
}

fn bare(path: &Path) -> anyhow::Result<usize> {
    let queue = Queue::default();
    queue.push(path.to_path_buf());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| list(&queue))).collect();
        let mut count = 0;
        for thread in threads {
            count += thread.join().ok().context("a thread died")??;
        }
        Ok(count)
    })
}

fn ours(run: &Run, path: &Path) -> anyhow::Result<usize> {
    let source = FolderSource::new(&[path.to_path_buf()], Excludes::default())?;
    let mut count = 0;
    for found in source.walk(run)? {
        found?;
        count += 1;
    }
    // The named folder and those above it are no part of the bare walk.
    Ok(count - path.components().count() + 1)
}

fn timed<T>(run: &Run, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Duration)> {
    let start = run.clock.elapsed();
    let done = work()?;
    Ok((done, run.clock.elapsed().saturating_sub(start)))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn main() -> anyhow::Result<()> {
    // cargo puts `--bench` among the arguments.
    let mut arguments = std::env::args_os().skip(1).filter(|argument| argument != "--bench");
    let Some(path) = arguments.next() else {
        println!("skipped: name a folder, as in `cargo bench --bench walk -- PATH`");
        return Ok(());
    };
    let path = std::path::absolute(path)?;
    let rounds = match arguments.next() {
        Some(rounds) => rounds.to_string_lossy().parse().context("ROUNDS")?,
        None => ROUNDS,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let run = Run::new(RunId::new([0; 16]), Arc::new(Silent), clock, 0);
    ensure!(bare(&path)? == ours(&run, &path)?, "the walks do not find the same");
    let (mut bare_times, mut our_times, mut entries) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        bare_times.push(timed(&run, || bare(&path))?.1);
        let (count, time) = timed(&run, || ours(&run, &path))?;
        our_times.push(time);
        entries = count;
    }
    let (bare, ours) = (median(bare_times), median(our_times));
    println!("entries {entries}, medians of {rounds} rounds");
    println!("bare stat walk, {THREADS} threads: {:.1} ms", bare.as_secs_f64() * 1e3);
    println!("walk in path order:        {:.1} ms", ours.as_secs_f64() * 1e3);
    println!("ratio: {:.2}", ours.as_secs_f64() / bare.as_secs_f64());
    Ok(())
}
