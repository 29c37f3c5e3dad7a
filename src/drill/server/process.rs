//! Programs that a drill starts: limited in time, and ended with the drill.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;

use crate::run::Run;
use crate::run::Stopped;

/// How often the run's switch is looked at.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a program may take that only says something of itself.
pub const SHORT: Duration = Duration::from_secs(30);
/// Most bytes kept of what a program prints, and of what it says beside that.
const PRINTED_BYTES_MAX: u64 = 32 * 1024 * 1024;
const SAID_BYTES_MAX: u64 = 1024 * 1024;

/// Why a program gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error("cannot start: {0}")]
    Start(std::io::Error),
    #[error("it took more than {} seconds", .0.as_secs())]
    TimedOut(Duration),
    #[error("the sandbox is full")]
    Full,
}

/// What a program that ended left.
#[derive(Debug)]
pub struct Ended {
    /// Absent if a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    /// Whether it printed more than was kept.
    pub is_cut: bool,
    pub stderr: Vec<u8>,
}

/// Ready to start, with nothing to read.
#[must_use]
pub fn command(argv: &[OsString]) -> Command {
    let mut command = Command::new(argv.first().cloned().unwrap_or_default());
    command.args(argv.get(1..).unwrap_or_default()).stdin(Stdio::null());
    command
}

/// Kills a program that is dropped while it runs.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to kill.
        let _killed = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// What a program prints, when it has ended.
///
/// # Errors
/// When it cannot be started, takes longer than `limit`, or the run is stopped; then it is killed.
pub fn output(run: &Run, mut command: Command, limit: Duration) -> Result<Ended, ProcessError> {
    let began = run.clock.elapsed();
    run.check()?;
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut started = Started(child.map_err(ProcessError::Start)?);
    let (stdout, stderr) = (started.0.stdout.take(), started.0.stderr.take());
    let (open, closed) = crossbeam_channel::bounded::<()>(0);
    let other = open.clone();
    let stdout = std::thread::spawn(move || kept(stdout, PRINTED_BYTES_MAX, open));
    let stderr = std::thread::spawn(move || kept(stderr, SAID_BYTES_MAX, other));
    // Nothing is ever sent: both ends close with what they read.
    while closed.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
        run.check()?;
        if run.clock.elapsed().saturating_sub(began) > limit {
            return Err(ProcessError::TimedOut(limit));
        }
    }
    let code = started.0.wait().map_err(ProcessError::Start)?.code();
    let (stdout, is_cut) = stdout.join().unwrap_or_default();
    let (stderr, _) = stderr.join().unwrap_or_default();
    Ok(Ended { code, stdout, is_cut, stderr })
}

/// Ends programs that are still being kept apart in this place. Where whoever started one was
/// killed in that very moment, it waits for that one forever.
#[cfg(target_os = "linux")]
pub fn end_orphans(place: &Path) {
    let place = place.as_os_str().as_encoded_bytes();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        // Those that end meanwhile, and everything that is no process, have none.
        let said = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let mut words = said.split(|byte| *byte == 0);
        let is_ours = words.next() == Some(b"bwrap")
            && words.any(|word| word.starts_with(place) && !place.is_empty());
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw).filter(|_| is_ours) {
            let _killed = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub fn end_orphans(_place: &Path) {}

/// Reads to the end and keeps the first part; whether there was more.
fn kept<T>(pipe: Option<impl Read>, bytes_max: u64, _open: T) -> (Vec<u8>, bool) {
    let (mut kept, mut more) = (Vec::new(), 0);
    if let Some(mut pipe) = pipe {
        // What cannot be read says nothing.
        let _read = pipe.by_ref().take(bytes_max).read_to_end(&mut kept);
        more = std::io::copy(&mut pipe, &mut std::io::sink()).unwrap_or(1);
    }
    (kept, more > 0)
}
