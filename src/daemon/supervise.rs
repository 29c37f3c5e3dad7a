//! One run: its processes one after the other, and how they are stopped.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd as _;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use crossbeam_channel::Sender;
use rustix::process::Pid;
use rustix::process::PidfdFlags;
use rustix::process::Signal;
use rustix::process::WaitId;
use rustix::process::WaitIdOptions;
use rustix::process::kill_process_group;
use rustix::process::pidfd_open;
use rustix::process::pidfd_send_signal;
use rustix::process::waitid;

use crate::config::job::limits::Io;
use crate::config::job::limits::JobLimits;
use crate::daemon::PARENT;
use crate::daemon::job::Job;
use crate::daemon::job::Scheduled;
use crate::daemon::lines::Status;
use crate::daemon::lines::Tally;
use crate::daemon::restraint::group;
use crate::daemon::serve::Event;
use crate::units::Timestamp;

/// How long a process has to stop at a consistent point before it is killed.
pub(super) const GRACE: Duration = Duration::from_secs(25);

/// What every step begins with.
#[derive(Debug, Clone)]
pub struct Program {
    pub path: PathBuf,
    /// Global options.
    pub options: Vec<OsString>,
}

/// Why a run is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Cancelled,
    Deadline,
    /// The daemon goes: the slot is caught up when it is back.
    Leaving,
}

/// How a run began.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    pub(super) key: String,
    pub(super) slot: Option<Timestamp>,
    pub(super) started: Timestamp,
}

/// A run at work.
pub(super) struct Work {
    pub(super) job: Job,
    pub(super) begun: Begun,
    /// Whether its schedule started it, and nobody asked.
    pub(super) is_scheduled: bool,
    /// By the clock that never jumps.
    pub(super) deadline: Option<Duration>,
    pub(super) stop: Option<(Why, Duration)>,
    limits: JobLimits,
    /// What holds its memory and its share of the processor.
    group: Option<PathBuf>,
    steps: VecDeque<Vec<String>>,
    process: Option<Process>,
}

struct Process {
    child: Child,
    handle: OwnedFd,
    group: Pid,
}

impl Work {
    pub(super) fn new(scheduled: &Scheduled, begun: Begun, now: Duration) -> Self {
        let (job, limits) = (scheduled.job.clone(), scheduled.limits);
        let deadline = scheduled.plan.deadline.map(|limit| now.saturating_add(limit));
        let steps = job.steps().into();
        let is_scheduled = false;
        let (stop, group, process) = (None, None, None);
        Self { job, begun, is_scheduled, deadline, stop, limits, group, steps, process }
    }

    /// Its processes go into this control group.
    pub(super) fn confine(&mut self, group: PathBuf) {
        self.group = Some(group);
    }

    /// Starts the next process; false if there is none. To be called on the thread that lives as
    /// long as the daemon: the process ends with it.
    ///
    /// # Errors
    /// When the system does not start it.
    pub(super) fn next(
        &mut self,
        (run, mut tally): (i64, Tally),
        program: &Program,
        events: &Sender<Event>,
    ) -> io::Result<bool> {
        let Some(step) = self.steps.pop_front() else { return Ok(false) };
        let (process, pipe) = start(&step, program, &self.limits)?;
        if let Some(group) = &self.group
            && let Err(error) = group::enter(group, process.child.id())
        {
            tracing::warn!(job = self.begun.key, %error, "it runs without its limits");
        }
        let handle = self.process.insert(process).handle.try_clone()?;
        let events = events.clone();
        let read = move || {
            // A pipe that fails has no summary at its end.
            let _cut_off = tally.read(pipe);
            // It stays a zombie, so that its number is nobody else's until it is reaped.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) = waitid(WaitId::PidFd(handle.as_fd()), options)
            {
            }
            let _nobody_listens = events.send(Event::Ended { run, tally });
        };
        std::thread::Builder::new().name("job".to_owned()).spawn(read)?;
        Ok(true)
    }

    /// The process has ended: reaps it.
    pub(super) fn reap(&mut self) -> Status {
        let ended = self.process.take().map(|mut process| process.child.wait());
        match ended {
            Some(Ok(status)) => match (status.code(), status.signal()) {
                (Some(code), _) => Status::Exited(u8::try_from(code).unwrap_or(1)),
                (None, signal) => Status::Killed { signal: signal.unwrap_or(0) },
            },
            _ => Status::Exited(1),
        }
    }

    /// Asks it to stop; it is killed at `now` plus the grace. The first reason stands.
    pub(super) fn stop(&mut self, why: Why, now: Duration) {
        if self.stop.is_some() {
            return;
        }
        self.stop = Some((why, now.saturating_add(GRACE)));
        self.steps.clear();
        if let Some(process) = &self.process {
            // Gone already is as good.
            let _gone = pidfd_send_signal(&process.handle, Signal::INT);
        }
    }

    /// Ends it and what it has started, at once.
    pub(super) fn kill(&mut self) {
        if let Some(process) = &self.process {
            let _gone = kill_process_group(process.group, Signal::KILL);
        }
    }

    /// After a kill it is looked at again only if that did not help.
    pub(super) fn killed(&mut self, now: Duration) {
        if let Some((_, kill_at)) = &mut self.stop {
            *kill_at = now.saturating_add(GRACE);
        }
    }

    /// When something has to be done about it: its deadline, or the end of its grace.
    pub(super) fn next_look(&self) -> Option<Duration> {
        self.stop.map_or(self.deadline, |(_, kill_at)| Some(kill_at))
    }
}

/// Starts a process that is no run; `take` reads what it prints, on a thread of its own. To be
/// called on the thread that lives as long as the daemon.
///
/// # Errors
/// When the system does not start it.
pub(super) fn ask(
    step: &[String],
    program: &Program,
    take: impl FnOnce(ChildStdout) + Send + 'static,
) -> io::Result<()> {
    let (mut process, pipe) = start(step, program, &JobLimits::default())?;
    let read = move || {
        take(pipe);
        let _told_by_itself = process.child.wait();
    };
    std::thread::Builder::new().name("question".to_owned()).spawn(read)?;
    Ok(())
}

/// Tools of the system that lower themselves and become the program. They go on where they may not.
fn words(program: &Program, limits: &JobLimits) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    if let Some(nice) = limits.nice {
        words.extend(["nice".into(), "-n".into(), nice.to_string().into()]);
    }
    match limits.io {
        Some(Io::Idle) => words.extend(["ionice", "-t", "-c", "3"].map(Into::into)),
        Some(Io::Low) => words.extend(["ionice", "-t", "-c", "2", "-n", "7"].map(Into::into)),
        None => {}
    }
    words.push(program.path.clone().into());
    words
}

fn start(
    step: &[String],
    program: &Program,
    limits: &JobLimits,
) -> io::Result<(Process, ChildStdout)> {
    let words = words(program, limits);
    let (first, rest) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(first);
    command.args(rest).args(&program.options).args(step);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    // Keys of a terminal are the daemon's.
    command.process_group(0);
    command.env(PARENT, std::process::id().to_string());
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
        command.env_remove(name);
    }
    let mut child = command.spawn()?;
    let looked = || {
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let group = group.ok_or(io::ErrorKind::InvalidData)?;
        let handle = pidfd_open(group, PidfdFlags::empty())?;
        io::Result::Ok((group, handle))
    };
    match (looked(), child.stdout.take()) {
        (Ok((group, handle)), Some(pipe)) => Ok((Process { child, handle, group }, pipe)),
        (looked, _) => {
            // What cannot be watched does not run.
            child.kill()?;
            child.wait()?;
            Err(looked.err().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into()))
        }
    }
}
