//! The loop: something happens, something is decided, something is started.

mod answers;
mod prove;
mod recall;
mod record;
mod reload;
mod restraint;
mod tell;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::RecvTimeoutError;
use crossbeam_channel::Sender;
use sd_notify::NotifyState;

use crate::catalogue::Catalogue;
use crate::catalogue::CatalogueError;
use crate::catalogue::Opened;
use crate::catalogue::record::Outcome;
use crate::catalogue::record::RunEnd;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::job::limits::OnBattery;
use crate::daemon::control;
use crate::daemon::control::Answer;
use crate::daemon::control::Question;
use crate::daemon::engine::Entry;
use crate::daemon::engine::Pausing;
use crate::daemon::engine::Queue;
use crate::daemon::engine::Start;
use crate::daemon::engine::View;
use crate::daemon::hold;
use crate::daemon::hold::HoldError;
use crate::daemon::lines::Status;
use crate::daemon::lines::Tally;
use crate::daemon::restraint::power;
use crate::daemon::serve::prove::Failed;
use crate::daemon::serve::prove::Proof;
use crate::daemon::serve::recall::Found;
use crate::daemon::serve::record::Record;
use crate::daemon::serve::restraint::Restraint;
use crate::daemon::serve::tell::Teller;
use crate::daemon::shrink;
use crate::daemon::shrink::Told;
use crate::daemon::supervise::Begun;
use crate::daemon::supervise::Program;
use crate::daemon::supervise::Why;
use crate::daemon::supervise::Work;
use crate::daemon::wake;
use crate::daemon::wake::Alarm;
use crate::disk::Disk;
use crate::notify::Occasion;
use crate::notify::send::Way;
use crate::units::Timestamp;

/// Something happened.
pub enum Event {
    /// The alarm rang, or the clock was set.
    Clock,
    Reload,
    Stop,
    /// A process of this run has ended; it is to be reaped.
    Ended {
        run: i64,
        tally: Tally,
    },
    Asked {
        question: Question,
        reply: Sender<Answer>,
    },
    /// What a storage has.
    Recalled {
        storage: String,
        found: Vec<Found>,
    },
    /// What the ledger of a storage says.
    Proven {
        storage: String,
        said: Option<Vec<Proof>>,
    },
}

/// What the daemon works with.
pub struct World<'w> {
    pub clock: &'w dyn Clock,
    pub disk: &'w dyn Disk,
    pub program: Program,
    pub machine: Vec<u8>,
    /// Where the kernel tells of power: [`power::SUPPLIES`].
    pub supplies: PathBuf,
    /// For tests: see [`World::reached`].
    #[cfg(feature = "testing")]
    pub stands_at: Option<String>,
    /// How messages go out.
    pub way: Way,
    /// Reads the configuration again; the text says what is wrong with it.
    pub load: &'w dyn Fn() -> Result<Config, String>,
}

/// Why it could not start, or not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Hold(#[from] HoldError),
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

struct Daemon<'w> {
    world: &'w World<'w>,
    state_dir: PathBuf,
    record: Record,
    jobs: BTreeMap<String, Entry>,
    /// Names of the storages of the configuration.
    storages: BTreeSet<String>,
    queue: Queue,
    at_work: BTreeMap<i64, Work>,
    pausing: Pausing,
    restraint: Restraint,
    is_leaving: bool,
    asked: Vec<(String, Sender<Answer>)>,
    /// Storages whose ledgers tell of drills.
    drilled: Vec<String>,
    failed: Vec<Failed>,
    /// Backups that failed drills asked for, with the drill that comes again.
    again: BTreeMap<String, String>,
    told: BTreeMap<String, Option<Timestamp>>,
    events: Sender<Event>,
    teller: Teller,
}

/// Serves until it is told to stop.
///
/// # Errors
/// When it cannot start; a second daemon is told who the first is.
pub fn serve(world: &World<'_>, config: &Config) -> Result<(), ServeError> {
    let state_dir = config.state_dir.clone();
    let _hold = hold::take(&state_dir)?;
    let now = world.clock.now();
    let (catalogue, opened) = open(&state_dir, world, now)?;
    let (events, happened) = crossbeam_channel::bounded(256);
    wake::signals(&events)?;
    let alarm = Alarm::start(&events)?;
    let teller = Teller::new(world, config, &events);
    let mut daemon = Daemon {
        world,
        record: Record::new(catalogue),
        state_dir,
        jobs: BTreeMap::new(),
        storages: BTreeSet::new(),
        queue: Queue::default(),
        at_work: BTreeMap::new(),
        pausing: Pausing::Goes,
        restraint: Restraint::default(),
        is_leaving: false,
        asked: Vec::new(),
        drilled: Vec::new(),
        failed: Vec::new(),
        again: BTreeMap::new(),
        told: BTreeMap::new(),
        events,
        teller,
    };
    let cut_off = daemon.record.catalogue.cut_off(now)?;
    if cut_off > 0 {
        tracing::warn!(cut_off, "runs were cut off when the daemon or the machine went away");
    }
    daemon.take(config)?;
    for row in daemon.record.rows() {
        // What somebody asked for is owed, however the daemon went away.
        if let Some(wanted_ms) = row.wanted_ms.filter(|_| daemon.jobs.contains_key(&row.key)) {
            daemon.queue.want(&row.key, Timestamp::from_unix_ms(wanted_ms));
        }
    }
    let socket = hold::socket(&daemon.state_dir);
    control::listen(&socket, &daemon.events)?;
    notify(&[NotifyState::Ready]);
    tracing::info!(jobs = daemon.jobs.len(), "ready");
    if opened != Opened::Kept {
        daemon.ask_storages();
    }
    daemon.ask_ledgers();
    daemon.work(&happened, &alarm)?;
    // Whoever asks from now on finds nobody.
    let _gone = std::fs::remove_file(&socket);
    tracing::info!("stopped");
    Ok(())
}

fn open(
    state_dir: &Path,
    world: &World<'_>,
    now: Timestamp,
) -> Result<(Catalogue, Opened), ServeError> {
    let (catalogue, opened) = Catalogue::open(&hold::catalogue(state_dir), world.disk, now)?;
    match &opened {
        Opened::Kept => {}
        Opened::New => tracing::info!("the catalogue is new"),
        Opened::SetAside(path) => {
            tracing::error!(path = %path.display(), "the catalogue was damaged and is set aside");
        }
    }
    Ok((catalogue, opened))
}

/// Tells the service manager, if there is one.
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}

impl World<'_> {
    /// A place where a test has it stand still, until it is killed.
    #[cfg(feature = "testing")]
    fn reached(&self, place: &str) {
        if self.stands_at.as_deref() == Some(place) {
            tracing::warn!(place, "stands still");
            loop {
                std::thread::park();
            }
        }
    }

    #[cfg(not(feature = "testing"))]
    fn reached(&self, _place: &str) {}
}

impl Daemon<'_> {
    fn work(&mut self, happened: &Receiver<Event>, alarm: &Alarm) -> Result<(), ServeError> {
        let watchdog = sd_notify::watchdog_enabled().map(|every| every / 2);
        loop {
            let (now, elapsed) = (self.world.clock.now(), self.world.clock.elapsed());
            self.record.save(now, elapsed);
            let wake = if self.is_leaving { None } else { self.start_due(now) };
            self.enforce(elapsed);
            let told = self.tell_all(now);
            if self.is_leaving && self.at_work.is_empty() {
                self.teller.finish(&mut self.record.catalogue, now);
                return Ok(());
            }
            self.tell_next(now);
            alarm.set([wake, told].into_iter().flatten().min(), now)?;
            let looks =
                self.at_work.values().filter_map(Work::next_look).chain(self.record.again_at());
            let until = looks.min().map(|at| at.saturating_sub(elapsed));
            let timeout = [until, watchdog].into_iter().flatten().min();
            if watchdog.is_some() {
                notify(&[NotifyState::Watchdog]);
            }
            let event = match timeout {
                Some(timeout) => happened.recv_timeout(timeout),
                None => happened.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            if let Ok(event) = event {
                self.handle(event);
            }
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Clock => {}
            Event::Reload => self.reload(),
            Event::Stop => self.leave(),
            Event::Ended { run, tally } => self.process_ended(run, tally),
            Event::Asked { question, reply } => self.answer(question, reply),
            Event::Recalled { storage, found } => self.recalled(&storage, &found),
            Event::Proven { storage, said } => self.proven(&storage, said),
        }
    }

    fn leave(&mut self) {
        if self.is_leaving {
            return;
        }
        self.is_leaving = true;
        notify(&[NotifyState::Stopping]);
        tracing::info!(at_work = self.at_work.len(), "stopping");
        let now = self.world.clock.elapsed();
        for work in self.at_work.values_mut() {
            work.stop(Why::Leaving, now);
        }
        self.world.reached("leaving");
    }

    /// Starts what is due; when the next is.
    fn start_due(&mut self, now: Timestamp) -> Option<Timestamp> {
        let at_work: Vec<_> = self.at_work.values().map(|work| work.job.clone()).collect();
        let is_draining = self.is_on_battery();
        let pausing = if is_draining { Pausing::Paused } else { self.pausing };
        let view = View { jobs: &self.jobs, at_work: &at_work, pausing };
        let decision = self.queue.decide(view, now);
        for start in decision.start {
            self.start(start, now);
        }
        let look = is_draining.then(|| {
            let every = i64::try_from(power::LOOK_EVERY.as_millis()).unwrap_or(i64::MAX);
            Timestamp::from_unix_ms(now.unix_ms.saturating_add(every))
        });
        [decision.wake, look].into_iter().flatten().min()
    }

    /// Whether jobs wait for power.
    fn is_on_battery(&self) -> bool {
        self.restraint.on_battery == OnBattery::Wait && power::is_on_battery(&self.world.supplies)
    }

    fn start(&mut self, start: Start, now: Timestamp) {
        let Some(entry) = self.jobs.get(&start.key) else { return };
        let begun = Begun { key: start.key.clone(), slot: start.slot, started: now };
        let run = self.record.begin(begun.clone(), self.world.clock.elapsed());
        self.world.reached("begun");
        tracing::info!(job = start.key, run, "begins");
        let mut work = Work::new(&entry.scheduled, begun, self.world.clock.elapsed());
        work.is_scheduled = start.slot.is_some();
        if let Some(group) = self.restraint.group(run, &entry.scheduled) {
            work.confine(group);
        }
        self.at_work.insert(run, work);
        self.teller.happened(Occasion::Started);
        self.refresh();
        self.step(run, Tally::default());
        self.world.reached("started");
    }

    /// The next process of a run, or its end.
    fn step(&mut self, run: i64, tally: Tally) {
        let Some(work) = self.at_work.get_mut(&run) else { return };
        let mut so_far = tally.clone();
        match work.next((run, tally), &self.world.program, &self.events) {
            Ok(true) => {}
            Ok(false) => self.ended(run, so_far),
            Err(error) => {
                work.kill();
                let _reaped = work.reap();
                so_far.message = Some(format!("the program cannot be started: {error}"));
                let _is_last = so_far.ended(Status::Exited(1));
                self.ended(run, so_far);
            }
        }
    }

    fn process_ended(&mut self, run: i64, mut tally: Tally) {
        let Some(work) = self.at_work.get_mut(&run) else { return };
        let goes_on = tally.ended(work.reap());
        if goes_on { self.step(run, tally) } else { self.ended(run, tally) }
    }

    fn ended(&mut self, run: i64, mut tally: Tally) {
        let Some(work) = self.at_work.remove(&run) else { return };
        let told = if tally.has_shrunk { Told::ByBackup } else { Told::NotYet };
        let written = std::mem::take(&mut tally.written);
        let mut end = tally.end();
        let written = work.job.written().into_iter().zip(written);
        end.storages_bytes =
            written.filter_map(|(name, bytes)| Some((name.to_owned(), bytes?))).collect();
        self.compare(&work.begun.key, told, &mut end);
        match work.stop.map(|(why, _)| why) {
            // What came to its end all the same has done so.
            _ if matches!(end.outcome, Outcome::Done | Outcome::Problems) => {}
            Some(Why::Leaving) => end.outcome = Outcome::Cut,
            Some(Why::Cancelled) => end.outcome = Outcome::Stopped,
            Some(Why::Deadline) => {
                end.outcome = Outcome::Failed;
                end.message = Some("it was stopped at its deadline".to_owned());
            }
            None => {}
        }
        let now = self.world.clock.now();
        let took_s = now.ms_since(work.begun.started) / 1000;
        let (outcome, code) = (end.outcome.word(), end.exit_code);
        if end.outcome == Outcome::Failed {
            tracing::error!(job = work.begun.key, run, outcome, code, took_s, "ended");
        } else {
            tracing::info!(job = work.begun.key, run, outcome, code, took_s, "ended");
        }
        self.drill_ended(&work, code);
        self.backed_up(&work.begun.key, end.outcome);
        self.restraint.clear();
        self.world.reached("ending");
        self.record.end((run, work.begun.clone()), end, now);
        self.record.save(now, self.world.clock.elapsed());
        self.world.reached("recorded");
        self.teller.happened(Occasion::Ended);
        if self.record.trim(now) {
            // Drills by hand, and those of other machines.
            self.ask_ledgers();
        }
        self.refresh();
        self.answer_end(&work.begun.key, run);
    }

    /// Notes on a run that its dataset has become much smaller.
    fn compare(&self, key: &str, told: Told, end: &mut RunEnd) {
        let entry = self.jobs.get(key).filter(|_| end.outcome.is_good());
        let Some(max) = entry.and_then(|entry| entry.scheduled.shrink_max_percent) else { return };
        match self.record.catalogue.usual(key) {
            Ok(usual) => shrink::look(end, usual, max, told),
            Err(error) => tracing::error!(job = key, %error, "its past runs cannot be read"),
        }
    }

    /// Deadlines, and those that do not stop when they are asked to.
    fn enforce(&mut self, elapsed: Duration) {
        for work in self.at_work.values_mut() {
            match work.stop {
                Some((_, kill_at)) if elapsed >= kill_at => {
                    tracing::warn!(job = work.begun.key, "does not stop and is killed");
                    work.kill();
                    work.killed(elapsed);
                }
                None if work.deadline.is_some_and(|deadline| elapsed >= deadline) => {
                    tracing::warn!(job = work.begun.key, "has reached its deadline");
                    work.stop(Why::Deadline, elapsed);
                }
                _ => {}
            }
        }
    }
}
