//! Progress: what a run tells, counted without locks and drawn by a thread of its own.

use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::RecvTimeoutError;
use crossbeam_channel::Sender;
use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;
use serde::Serialize;

use crate::cli::output::Output;
use crate::cli::settings::Progress;
use crate::clock::Clock;
use crate::run::monitor::Count;
use crate::run::monitor::Monitor;
use crate::run::monitor::Phase;
use crate::run::monitor::Problem;
use crate::run::monitor::Severity;
use crate::units::Bytes;

/// After this long without any change the line says that the run is stalled.
const STALLED: Duration = Duration::from_secs(10);
const COUNTS: usize = Count::EntriesRemoved as usize + 1;

/// The monitor of the command line.
pub struct Watch {
    output: Arc<Output>,
    counts: [AtomicU64; COUNTS],
    phase: AtomicU8,
    problems_count: AtomicU64,
    damage_count: AtomicU64,
}

impl Watch {
    #[must_use]
    pub fn new(output: Arc<Output>) -> Self {
        Self {
            output,
            counts: [const { AtomicU64::new(0) }; COUNTS],
            phase: AtomicU8::new(Phase::Opening as u8),
            problems_count: AtomicU64::new(0),
            damage_count: AtomicU64::new(0),
        }
    }

    #[must_use]
    pub fn get(&self, what: Count) -> u64 {
        self.counts[what as usize].load(Ordering::Relaxed)
    }

    /// Problems of every severity so far.
    #[must_use]
    pub fn problems_count(&self) -> u64 {
        self.problems_count.load(Ordering::Relaxed)
    }

    #[must_use]
    pub fn damage_count(&self) -> u64 {
        self.damage_count.load(Ordering::Relaxed)
    }

    fn phase_name(&self) -> &'static str {
        const NAMES: [(Phase, &str); 9] = [
            (Phase::Opening, "opening"),
            (Phase::Scanning, "scanning"),
            (Phase::BackingUp, "backing up"),
            (Phase::Committing, "committing"),
            (Phase::Restoring, "restoring"),
            (Phase::Verifying, "verifying"),
            (Phase::Checking, "checking"),
            (Phase::Planning, "planning"),
            (Phase::Finished, "finished"),
        ];
        let code = self.phase.load(Ordering::Relaxed);
        NAMES.iter().find(|(phase, _)| *phase as u8 == code).map_or("working", |(_, name)| name)
    }
}

impl Monitor for Watch {
    fn count(&self, what: Count, n: u64) {
        self.counts[what as usize].fetch_add(n, Ordering::Relaxed);
    }

    fn problem(&self, problem: &Problem) {
        self.problems_count.fetch_add(1, Ordering::Relaxed);
        if problem.severity == Severity::Damage {
            self.damage_count.fetch_add(1, Ordering::Relaxed);
        }
        self.output.problem(problem);
    }

    fn phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }
}

/// A moment of a run, as a JSON line of type `status`.
#[derive(Debug, Clone, Serialize)]
struct Status {
    phase: &'static str,
    entries_done_count: u64,
    done_bytes: u64,
    stored_bytes: u64,
    read_bytes: u64,
    problems_count: u64,
    elapsed_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_ms: Option<u64>,
}

/// Draws until it is dropped.
pub struct Drawing {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drawing {
    /// Starts to draw what `watch` hears, as `progress` says.
    #[must_use]
    pub fn start(watch: &Arc<Watch>, clock: &Arc<dyn Clock>, progress: Progress) -> Self {
        let (stop, stopped) = crossbeam_channel::bounded(0);
        let mut artist = Artist {
            watch: Arc::clone(watch),
            clock: Arc::clone(clock),
            bar: None,
            seen: 0,
            changed_at: clock.elapsed(),
            started_at: clock.elapsed(),
        };
        let every = match progress {
            Progress::Silent => return Self { stop: None, thread: None },
            Progress::Line { every } | Progress::Lines { every } => every,
        };
        let spawn = std::thread::Builder::new().name("progress".to_owned()).spawn(move || {
            if matches!(progress, Progress::Line { .. }) {
                artist.open_line();
            }
            artist.work(&stopped, every);
        });
        // Without a thread there is no progress; the run itself does not depend on it.
        Self { stop: Some(stop), thread: spawn.ok() }
    }
}

impl Drop for Drawing {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

struct Artist {
    watch: Arc<Watch>,
    clock: Arc<dyn Clock>,
    bar: Option<ProgressBar>,
    /// Sum of all counts when something last changed, and when that was.
    seen: u64,
    changed_at: Duration,
    started_at: Duration,
}

impl Artist {
    fn open_line(&mut self) {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
            bar.set_style(style);
        }
        self.watch.output.set_bar(Some(bar.clone()));
        self.bar = Some(bar);
    }

    fn work(&mut self, stopped: &Receiver<()>, every: Duration) {
        while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            self.draw();
        }
        if let Some(bar) = self.bar.take() {
            self.watch.output.set_bar(None);
            bar.finish_and_clear();
        }
    }

    fn draw(&mut self) {
        let now = self.clock.elapsed();
        let sum = self.watch.counts.iter().map(|n| n.load(Ordering::Relaxed)).sum();
        if sum != self.seen {
            self.seen = sum;
            self.changed_at = now;
        }
        let status = self.status(now);
        match &self.bar {
            Some(bar) => bar.set_message(self.text(&status, now)),
            None if self.watch.output.is_json() => {
                let printed = self.watch.output.json("status", None, &status);
                let _unread = printed.and_then(|()| self.watch.output.flush());
            }
            None => self.watch.output.stderr(format!("{}\n", self.text(&status, now)).as_bytes()),
        }
    }

    fn status(&self, now: Duration) -> Status {
        let watch = &self.watch;
        let elapsed_ms = as_ms(now.saturating_sub(self.started_at));
        let (found, done) = (watch.get(Count::BytesFound), watch.get(Count::BytesDone));
        // Never 100 before the end: the last step is what makes it durable.
        let percent = (found > 0 && watch.phase_name() != "scanning")
            .then(|| (u128::from(done) * 100 / u128::from(found)).min(99))
            .and_then(|percent| u64::try_from(percent).ok());
        let left_ms = match percent {
            Some(_) if done > 0 && elapsed_ms > 2000 => {
                let left = u128::from(found.saturating_sub(done)) * u128::from(elapsed_ms);
                u64::try_from(left / u128::from(done)).ok()
            }
            _ => None,
        };
        Status {
            phase: watch.phase_name(),
            entries_done_count: watch.get(Count::EntriesDone),
            done_bytes: done,
            stored_bytes: watch.get(Count::BytesStored),
            read_bytes: watch.get(Count::BytesRead),
            problems_count: watch.problems_count(),
            elapsed_ms,
            percent,
            left_ms,
        }
    }

    fn text(&self, status: &Status, now: Duration) -> String {
        let seconds = status.elapsed_ms / 1000;
        let work_bytes = if status.done_bytes > 0 { status.done_bytes } else { status.read_bytes };
        let rate = Bytes(work_bytes / seconds.max(1));
        let mut text = format!(
            "{}  {} entries  {}  {rate}/s  {}",
            status.phase,
            status.entries_done_count,
            Bytes(work_bytes),
            clock_text(seconds),
        );
        if let Some(percent) = status.percent {
            text.push_str(&format!("  {percent} %"));
        }
        if let Some(left_ms) = status.left_ms {
            text.push_str(&format!("  {} left", clock_text(left_ms / 1000)));
        }
        if status.problems_count > 0 {
            text.push_str(&format!("  {} problems", status.problems_count));
        }
        let still = now.saturating_sub(self.changed_at);
        if still >= STALLED {
            text.push_str(&format!("  stalled on {} for {} s", status.phase, still.as_secs()));
        }
        text
    }
}

fn as_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// `m:ss` or `h:mm:ss`.
fn clock_text(seconds: u64) -> String {
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match hours {
        0 => format!("{minutes}:{:02}", seconds % 60),
        _ => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::Format;
    use crate::cli::output::Level;
    use crate::clock::ManualClock;
    use crate::units::Timestamp;

    #[test]
    fn never_a_hundred_percent_and_stalled_is_said() {
        let output = Arc::new(Output::new(Format::Human, Level::Normal));
        let watch = Arc::new(Watch::new(output));
        let manual = Arc::new(ManualClock::new(Timestamp::default()));
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&manual);
        let artist = Artist {
            watch: Arc::clone(&watch),
            clock,
            bar: None,
            seen: 0,
            changed_at: Duration::ZERO,
            started_at: Duration::ZERO,
        };
        watch.phase(Phase::BackingUp);
        watch.count(Count::BytesFound, 2048);
        watch.count(Count::BytesDone, 2048);
        manual.jump(11_000);
        let now = artist.clock.elapsed();
        let status = artist.status(now);
        assert_eq!(status.percent, Some(99));
        let text = artist.text(&status, now);
        assert!(text.contains("stalled on backing up for 11 s"), "{text}");
        assert!(text.starts_with("backing up  0 entries  2.0 KiB  186 B/s  0:11  99 %"), "{text}");
    }

    #[test]
    fn every_count_has_its_place() {
        let watch = Watch::new(Arc::new(Output::new(Format::Human, Level::Quiet)));
        watch.count(Count::EntriesRemoved, 3);
        watch.count(Count::EntriesFound, 4);
        assert_eq!((watch.get(Count::EntriesRemoved), watch.get(Count::EntriesFound)), (3, 4));
    }
}
