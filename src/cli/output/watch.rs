//! Progress: what a run tells, counted without locks and drawn by a thread of its own.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
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

use crate::cli::language::said::Said;
use crate::cli::language::table::common;
use crate::cli::language::text::Text;
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
/// Before this the rate says nothing about the time that is left.
const LEFT_FROM_MS: u64 = 2000;
const COUNTS: usize = Count::WalksDone as usize + 1;

/// The monitor of the command line.
pub struct Watch {
    output: Arc<Output>,
    counts: [AtomicU64; COUNTS],
    phase: AtomicU8,
    problems_count: AtomicU64,
    damage_count: AtomicU64,
    /// Bad copies that were told: records are read by several steps of one command.
    healable: Mutex<HashSet<Problem>>,
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
            healable: Mutex::default(),
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

    /// As a problem of a run, but of a thing that has a name in each language.
    pub fn tell(&self, severity: Severity, subject: &Said, message: &Said) {
        self.note(severity);
        self.output.problem_of(severity, subject, message);
    }

    fn note(&self, severity: Severity) {
        self.problems_count.fetch_add(1, Ordering::Relaxed);
        if severity == Severity::Damage {
            self.damage_count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// For programs and for people.
    fn phase_name(&self) -> (&'static str, Text) {
        const NAMES: [(Phase, &str, Text); 10] = [
            (Phase::Opening, "opening", common::OPENING),
            (Phase::Scanning, "scanning", common::SCANNING),
            (Phase::BackingUp, "backing up", common::BACKING_UP),
            (Phase::Committing, "committing", common::COMMITTING),
            (Phase::Restoring, "restoring", common::RESTORING),
            (Phase::Verifying, "verifying", common::VERIFYING),
            (Phase::Checking, "checking", common::CHECKING),
            (Phase::Planning, "planning", common::PLANNING),
            (Phase::Copying, "copying", common::COPYING),
            // What is still to be printed or removed.
            (Phase::Finished, "finished", common::FINISHING),
        ];
        let code = self.phase.load(Ordering::Relaxed);
        let row = NAMES.iter().find(|(phase, ..)| *phase as u8 == code);
        row.map_or(("working", common::OPENING), |(_, name, text)| (*name, *text))
    }

    /// How many bytes there are to do; `None` while nobody knows.
    fn whole_bytes(&self) -> Option<u64> {
        let expected = self.get(Count::BytesExpected);
        let is_known = expected > 0 || self.get(Count::WalksDone) > 0;
        Some(self.get(Count::BytesFound).max(expected)).filter(|&whole| is_known && whole > 0)
    }
}

impl Monitor for Watch {
    fn count(&self, what: Count, n: u64) {
        self.counts[what as usize].fetch_add(n, Ordering::Relaxed);
    }

    fn problem(&self, problem: &Problem) {
        if problem.severity == Severity::Healable {
            let mut told = self.healable.lock().unwrap_or_else(PoisonError::into_inner);
            if !told.insert(problem.clone()) {
                return;
            }
        }
        self.note(problem.severity);
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
    entries_found_count: u64,
    done_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    whole_bytes: Option<u64>,
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
        let now = self.look();
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

    /// Takes note of whether anything changed; answers what time it is.
    fn look(&mut self) -> Duration {
        let now = self.clock.elapsed();
        let sum = self.watch.counts.iter().map(|n| n.load(Ordering::Relaxed)).sum();
        if sum != self.seen {
            self.seen = sum;
            self.changed_at = now;
        }
        now
    }

    fn status(&self, now: Duration) -> Status {
        let watch = &self.watch;
        let elapsed_ms = as_ms(now.saturating_sub(self.started_at));
        let done = watch.get(Count::BytesDone);
        let whole_bytes = watch.whole_bytes();
        // Never 100 before the end: the last step is what makes it durable.
        let percent = whole_bytes
            .map(|whole| (u128::from(done) * 100 / u128::from(whole)).min(99))
            .and_then(|percent| u64::try_from(percent).ok());
        let left_ms = match whole_bytes {
            Some(whole) if done > 0 && elapsed_ms > LEFT_FROM_MS => {
                let left = u128::from(whole.saturating_sub(done)) * u128::from(elapsed_ms);
                u64::try_from(left / u128::from(done)).ok()
            }
            _ => None,
        };
        Status {
            phase: watch.phase_name().0,
            entries_done_count: watch.get(Count::EntriesDone),
            entries_found_count: watch.get(Count::EntriesFound),
            done_bytes: done,
            whole_bytes,
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
        let language = self.watch.output.language();
        let phase = self.watch.phase_name().1;
        let line = match status.whole_bytes {
            Some(whole) => common::PROGRESS_FILES
                .with("found", status.entries_found_count)
                .with("whole", Bytes(whole)),
            None => common::PROGRESS.into(),
        };
        let line = line
            .with("phase", phase)
            .with("entries", status.entries_done_count)
            .with("bytes", Bytes(work_bytes))
            .with("rate", Bytes(work_bytes / seconds.max(1)))
            .with("clock", clock_text(seconds));
        let mut parts = vec![line];
        if let Some(percent) = status.percent {
            parts.push(common::PROGRESS_PERCENT.with("percent", percent));
        }
        if let Some(left_ms) = status.left_ms {
            parts.push(common::PROGRESS_LEFT.with("clock", clock_text(left_ms / 1000)));
        }
        if status.problems_count > 0 {
            parts.push(common::PROGRESS_PROBLEMS.with("count", status.problems_count));
        }
        let still = now.saturating_sub(self.changed_at);
        if still >= STALLED {
            let stalled = common::PROGRESS_STALLED.with("phase", phase);
            parts.push(stalled.with("seconds", still.as_secs()));
        }
        parts.iter().map(|part| part.told_in(language)).collect()
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
    use crate::cli::language::Language;
    use crate::cli::output::Format;
    use crate::cli::output::Level;
    use crate::clock::ManualClock;
    use crate::units::Timestamp;

    /// An artist of a run that backs up, and its clock.
    fn artist(language: Language) -> (Artist, Arc<ManualClock>) {
        let output = Output::new(Format::Human, Level::Normal).speaking(Some(language));
        let watch = Arc::new(Watch::new(Arc::new(output)));
        watch.phase(Phase::BackingUp);
        let manual = Arc::new(ManualClock::new(Timestamp::default()));
        let artist = Artist {
            watch,
            clock: Arc::<ManualClock>::clone(&manual),
            bar: None,
            seen: 0,
            changed_at: Duration::ZERO,
            started_at: Duration::ZERO,
        };
        (artist, manual)
    }

    fn line(artist: &mut Artist) -> String {
        let now = artist.look();
        artist.text(&artist.status(now), now)
    }

    #[test]
    fn no_share_is_told_before_the_whole_is_known() {
        let (mut artist, clock) = artist(Language::En);
        let watch = Arc::clone(&artist.watch);
        watch.count(Count::BytesFound, 2048);
        watch.count(Count::BytesDone, 1024);
        clock.jump(4_000);
        assert_eq!(line(&mut artist), "backing up  0 entries  1.0 KiB  256 B/s  0:04");
        watch.count(Count::BytesFound, 2048);
        watch.count(Count::EntriesFound, 2);
        watch.count(Count::EntriesDone, 1);
        watch.count(Count::WalksDone, 1);
        let whole =
            "backing up  1 of 2 entries  1.0 KiB of 4.0 KiB  256 B/s  0:04  25 %  0:12 left";
        assert_eq!(line(&mut artist), whole);
        watch.count(Count::BytesExpected, 8192);
        assert!(line(&mut artist).contains("  12 %  0:28 left"), "{}", line(&mut artist));
    }

    #[test]
    fn never_a_hundred_percent_before_it_is_durable() {
        let (mut artist, clock) = artist(Language::En);
        let watch = Arc::clone(&artist.watch);
        for what in [Count::BytesFound, Count::BytesDone] {
            watch.count(what, 2048);
        }
        watch.count(Count::WalksDone, 1);
        clock.jump(3_000);
        for phase in [Phase::BackingUp, Phase::Committing, Phase::Finished] {
            watch.phase(phase);
            let text = line(&mut artist);
            assert!(text.contains("  99 %") && !text.contains("100"), "{text}");
        }
        // A file that grew while it was read.
        watch.count(Count::BytesDone, 4096);
        assert!(line(&mut artist).contains("  99 %  0:00 left"));
    }

    #[test]
    fn a_run_that_stands_still_says_so_until_it_goes_on() {
        let (mut artist, clock) = artist(Language::En);
        let watch = Arc::clone(&artist.watch);
        watch.count(Count::BytesDone, 1);
        line(&mut artist);
        clock.jump(9_000);
        assert!(!line(&mut artist).contains("stalled"));
        clock.jump(2_000);
        let text = line(&mut artist);
        assert!(text.ends_with("  stalled on backing up for 11 s"), "{text}");
        watch.phase(Phase::Committing);
        assert!(line(&mut artist).contains("stalled on committing"));
        watch.count(Count::BytesDone, 1);
        assert!(!line(&mut artist).contains("stalled"));
    }

    #[test]
    fn in_vietnamese() {
        let (mut artist, clock) = artist(Language::Vi);
        let watch = Arc::clone(&artist.watch);
        watch.count(Count::BytesFound, 3 << 20);
        watch.count(Count::BytesDone, 3 << 19);
        watch.count(Count::EntriesFound, 20_000);
        watch.count(Count::EntriesDone, 1234);
        watch.count(Count::WalksDone, 1);
        line(&mut artist);
        clock.jump(12_000);
        let whole = "đang sao lưu  1.234/20.000 mục  1,5 MiB/3,0 MiB  128,0 KiB/giây  0:12  50%  \
                     còn 0:12  đứng yên 12 giây khi đang sao lưu";
        assert_eq!(line(&mut artist), whole);
    }

    #[test]
    fn every_count_has_its_place() {
        let watch = Watch::new(Arc::new(Output::new(Format::Human, Level::Quiet)));
        watch.count(Count::WalksDone, 3);
        watch.count(Count::EntriesFound, 4);
        assert_eq!((watch.get(Count::WalksDone), watch.get(Count::EntriesFound)), (3, 4));
    }
}
