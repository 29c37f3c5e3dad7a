//! A command whose output is read.

use std::ffi::OsString;
use std::io::Read;
use std::io::Write;
use std::process::Child;
use std::process::ChildStderr;
use std::process::ExitStatus;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use crossbeam_channel::Receiver;

use crate::run::Run;
use crate::run::Stopped;
use crate::secret::SecretBytes;

/// Most bytes and lines kept of what the command says on standard error.
const WORDS_BYTES_MAX: usize = 8 * 1024;
const WORDS_LINES_MAX: usize = 10;
/// Between two looks whether the command has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long something else may hold standard error open after the command's end.
const LAST_WORDS_WAIT: Duration = Duration::from_secs(1);

/// Most bytes that a program is given to read: what a pipe holds before anybody reads.
const INPUT_BYTES_MAX: usize = 4096;

/// What is started, without a shell.
#[derive(Clone, Default)]
pub struct Program {
    /// Program and arguments.
    pub argv: Vec<OsString>,
    /// Variables that it does not get.
    pub hidden: Vec<OsString>,
    /// Variables that it gets beside the others; they may be secret.
    pub set: Vec<(&'static str, OsString)>,
    /// What it may read from standard input; it may be secret.
    pub input: Option<SecretBytes>,
}

impl Program {
    /// With its arguments and variables.
    #[must_use]
    pub fn command(&self) -> std::process::Command {
        let mut words = self.argv.iter();
        let mut command = std::process::Command::new(words.next().cloned().unwrap_or_default());
        for name in &self.hidden {
            command.env_remove(name);
        }
        command.args(words).envs(self.set.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Program({:?})", self.argv.first())
    }
}

/// A started command. It is killed if it is dropped while it runs.
#[derive(Debug)]
pub(super) struct Command {
    child: Child,
    status: Option<ExitStatus>,
    words: Arc<Mutex<Vec<u8>>>,
    /// Closes at the end of standard error.
    words_end: Receiver<()>,
}

impl Command {
    /// Starts a program and gives its output.
    pub(super) fn start(program: &Program) -> Result<(Self, Box<dyn Read + Send>), String> {
        if program.argv.is_empty() {
            return Err("no program is named".to_owned());
        }
        let input = program.input.as_ref().map(SecretBytes::expose);
        if input.is_some_and(|input| input.len() > INPUT_BYTES_MAX) {
            return Err(format!("cannot start: it may be given {INPUT_BYTES_MAX} bytes to read"));
        }
        let mut child = program
            .command()
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start: {error}"))?;
        if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
            // One that ends without reading says why by its exit code.
            let _read = pipe.write_all(input);
        }
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let words = Arc::new(Mutex::new(Vec::new()));
        let (open, words_end) = crossbeam_channel::bounded(0);
        let command = Self { child, status: None, words: Arc::clone(&words), words_end };
        let (Some(output), Some(errors)) = (output, errors) else {
            return Err("cannot start: it has no output".to_owned());
        };
        let builder = std::thread::Builder::new().name("stream-errors".to_owned());
        let thread = builder.spawn(move || {
            listen(errors, &words);
            drop(open);
        });
        thread.map_err(|error| format!("cannot read: {error}"))?;
        Ok((command, Box::new(output)))
    }

    /// Whether the command has ended.
    pub(super) fn is_dead(&mut self) -> bool {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status.is_some()
    }

    /// Whether the command has ended badly.
    pub(super) fn has_failed(&mut self) -> bool {
        self.is_dead() && self.status.is_some_and(|status| !status.success())
    }

    /// Waits for the end: what went wrong, if anything did.
    pub(super) fn wait(&mut self, run: &Run) -> Result<Option<String>, Stopped> {
        while !self.is_dead() {
            run.check()?;
            run.clock.wait(LOOK_EVERY);
        }
        let Some(status) = self.status.filter(|status| !status.success()) else {
            return Ok(None);
        };
        let how = match status.code() {
            Some(code) => format!("exit code {code}"),
            None => format!("ended by {status}"),
        };
        // Only a wait for the end: nothing is ever sent.
        let _closed = self.words_end.recv_timeout(LAST_WORDS_WAIT);
        let words = last_lines(&self.words.lock().unwrap_or_else(PoisonError::into_inner));
        let said = if words.is_empty() { String::new() } else { format!(": {words}") };
        Ok(Some(format!("{how}{said}")))
    }
}

impl Drop for Command {
    fn drop(&mut self) {
        if !self.is_dead() {
            // It may end by itself meanwhile, and then there is nothing to kill.
            let _killed = self.child.kill();
            let _reaped = self.child.wait();
        }
    }
}

/// Keeps the last bytes of `errors`.
fn listen(mut errors: ChildStderr, words: &Mutex<Vec<u8>>) {
    let mut bytes = [0; 1024];
    loop {
        match errors.read(&mut bytes) {
            Ok(0) => return,
            Ok(len) => {
                let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
                words.extend_from_slice(bytes.get(..len).unwrap_or_default());
                let surplus = words.len().saturating_sub(WORDS_BYTES_MAX);
                words.drain(..surplus);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// The last lines that say something, escaped, in one line.
#[must_use]
pub fn last_lines(words: &[u8]) -> String {
    let lines = words.split(|&b| b == b'\n' || b == b'\r').map(<[u8]>::trim_ascii);
    let mut lines: Vec<_> =
        lines.filter(|line| !line.is_empty()).map(crate::path::escape).collect();
    let surplus = lines.len().saturating_sub(WORDS_LINES_MAX);
    lines.drain(..surplus);
    lines.join("; ")
}
