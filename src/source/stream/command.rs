//! A command whose output is read.

use std::ffi::OsString;
use std::io::Read;
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

/// Most bytes and lines kept of what the command says on standard error.
const WORDS_BYTES_MAX: usize = 8 * 1024;
const WORDS_LINES_MAX: usize = 10;
/// Between two looks whether the command has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long something else may hold standard error open after the command's end.
const LAST_WORDS_WAIT: Duration = Duration::from_secs(1);

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
    /// Starts `argv` with nothing to read, and gives its output.
    pub(super) fn start(
        argv: &[OsString],
        hidden: &[OsString],
    ) -> Result<(Self, Box<dyn Read + Send>), String> {
        let (program, arguments) = argv.split_first().ok_or("no program is named")?;
        let mut command = std::process::Command::new(program);
        for name in hidden {
            command.env_remove(name);
        }
        let mut child = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start: {error}"))?;
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
fn last_lines(words: &[u8]) -> String {
    let lines = words.split(|&b| b == b'\n' || b == b'\r').map(<[u8]>::trim_ascii);
    let mut lines: Vec<_> =
        lines.filter(|line| !line.is_empty()).map(crate::path::escape).collect();
    let surplus = lines.len().saturating_sub(WORDS_LINES_MAX);
    lines.drain(..surplus);
    lines.join("; ")
}
