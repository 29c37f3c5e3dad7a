//! Programs that a drill starts on restored data: without rights, without a network, limited in
//! time, and ended with the drill.

use std::ffi::OsString;
use std::io::Read;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;

use crate::run::Run;
use crate::run::Stopped;

/// Who such programs are where the drill itself may do everything: a user who owns nothing.
pub const NOBODY: u32 = 65_534;
/// Where programs find others.
const PATH: &str = "PATH=/usr/local/bin:/usr/bin:/bin";
/// How often the run's switch is looked at.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a program may take that only says something of itself.
pub const SHORT: Duration = Duration::from_secs(30);
/// Most bytes kept of what a program prints.
const KEPT_BYTES_MAX: u64 = 1024 * 1024;

/// It is killed when whoever started it is, and has none of its rights beyond those of its user.
/// Rights that are needed to get apart are given up behind it.
const ENDS_WITH_US: [&str; 5] =
    ["setpriv", "--inh-caps=-all", "--ambient-caps=-all", "--pdeathsig", "KILL"];
/// The same for the user above; changing the user forgets whose end is waited for.
const AS_NOBODY: [&str; 9] = [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--inh-caps=-all",
    "--ambient-caps=-all",
    "--no-new-privs",
    "--pdeathsig",
    "KILL",
];
/// A network with nobody in it, and processes that all die with the first of them.
const APART: [&str; 6] = ["unshare", "--net", "--pid", "--ipc", "--fork", "--kill-child"];
/// Why none is started by anybody else.
const HOLDS_KEYS: &str =
    "a server would run as the user who holds the keys: hold this drill as root";

/// Why a program gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error("cannot start: {0}")]
    Start(std::io::Error),
    #[error("it took more than {} seconds", .0.as_secs())]
    TimedOut(Duration),
}

/// What a program that ended left.
#[derive(Debug)]
pub struct Ended {
    /// Absent if a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// Who a drill may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whoever it wants.
    Anybody,
    Itself,
}

/// How programs are started here: as somebody who owns nothing, without a network.
#[derive(Debug, Clone)]
pub struct Confinement {
    prefix: Vec<OsString>,
}

fn words(all: &[&str]) -> Vec<OsString> {
    all.iter().map(OsString::from).collect()
}

impl Confinement {
    /// Tries it. What is restored may be hostile, so there is no lesser one: a program that could
    /// reach the keys, a repository or a network is not started.
    ///
    /// # Errors
    /// Why no program is started here.
    pub fn find(run: &Run, who: Who) -> Result<Self, String> {
        if who == Who::Itself {
            return Err(HOLDS_KEYS.to_owned());
        }
        let prefix = [words(&ENDS_WITH_US), words(&APART), words(&AS_NOBODY)].concat();
        let why = match interfaces(run, &prefix) {
            Ok(found) if found == ["lo"] => return Ok(Self { prefix }),
            Ok(found) => format!("{} interfaces are seen from inside", found.len()),
            Err(why) => why,
        };
        Err(format!("a server would have a network: {why}"))
    }

    /// A program with its arguments, and nothing of our environment but these variables.
    #[must_use]
    pub fn argv(&self, variables: &[OsString], argv: Vec<OsString>) -> Vec<OsString> {
        let mut all = self.prefix.clone();
        all.extend(words(&["env", "-i", PATH, "LC_ALL=C"]));
        all.extend(variables.iter().cloned());
        all.extend(argv);
        all
    }
}

/// Names of the network interfaces that a program started so sees.
fn interfaces(run: &Run, prefix: &[OsString]) -> Result<Vec<String>, String> {
    let mut argv = prefix.to_vec();
    argv.extend(words(&["cat", "/proc/self/net/dev"]));
    let ended = output(run, command(&argv), SHORT).map_err(|error| error.to_string())?;
    if ended.code != Some(0) {
        return Err(crate::source::stream::command::last_lines(&ended.stderr));
    }
    let text = String::from_utf8_lossy(&ended.stdout).into_owned();
    let names = text.lines().filter_map(|line| line.split_once(':'));
    Ok(names.map(|(name, _)| name.trim().to_owned()).collect())
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
    let stdout = std::thread::spawn(move || kept(stdout, open));
    let stderr = std::thread::spawn(move || kept(stderr, other));
    // Nothing is ever sent: both ends close with what they read.
    while closed.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
        run.check()?;
        if run.clock.elapsed().saturating_sub(began) > limit {
            return Err(ProcessError::TimedOut(limit));
        }
    }
    let code = started.0.wait().map_err(ProcessError::Start)?.code();
    let text = |thread: std::thread::JoinHandle<Vec<u8>>| thread.join().unwrap_or_default();
    Ok(Ended { code, stdout: text(stdout), stderr: text(stderr) })
}

/// Reads to the end and keeps the first part.
fn kept<T>(pipe: Option<impl Read>, _open: T) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(mut pipe) = pipe {
        // What cannot be read says nothing.
        let _read = pipe.by_ref().take(KEPT_BYTES_MAX).read_to_end(&mut kept);
        let _rest = std::io::copy(&mut pipe, &mut std::io::sink());
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::ids::RunId;
    use crate::run::monitor::Silent;

    #[test]
    fn whoever_holds_the_keys_starts_nothing() {
        let run = Run::new(RunId::new([0; 16]), Arc::new(Silent), Arc::new(SystemClock::new()), 0);
        let refused = Confinement::find(&run, Who::Itself);
        assert_eq!(refused.unwrap_err(), HOLDS_KEYS);
    }
}
