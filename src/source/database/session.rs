//! A client of a server that stays: asked line by line, and killed when it is dropped.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::process::Child;
use std::process::ChildStdin;
use std::process::Stdio;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::RecvTimeoutError;
use crossbeam_channel::Sender;

use crate::capsule::CapsuleError;
use crate::capsule::postgresql::Answers;
use crate::run::Run;
use crate::source::stream::command::Program;
use crate::source::stream::command::last_lines;

/// Arguments of `psql` by which it answers line by line, and ends at the first error.
pub const PSQL: [&str; 6] = [
    "--no-psqlrc",
    "--quiet",
    "--no-align",
    "--tuples-only",
    "--no-password",
    "--set=ON_ERROR_STOP=1",
];
/// Most bytes of one answer.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Most lines that are told of what it says on standard error.
const WORDS_LINES_MAX: usize = 100;
/// How often the run's switch is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long what was said of an error may take to come.
const WORDS_WAIT: Duration = Duration::from_secs(1);
/// An answer that no query gives: what was asked has none.
const NO_ANSWER: &str = ".";

/// What an error ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errors {
    EndIt,
    /// The transaction stays: its state is somebody else's too.
    EndTheQuery,
}

/// A started client.
pub struct Session {
    run: Run,
    client: &'static str,
    child: Child,
    input: ChildStdin,
    lines: Receiver<Vec<u8>>,
    /// What it says on standard error.
    words: Receiver<Vec<u8>>,
    errors: Errors,
    /// How long one answer may take.
    limit: Duration,
}

fn failed(detail: impl Into<String>) -> CapsuleError {
    CapsuleError::Read { what: "the database".to_owned(), detail: detail.into() }
}

impl Session {
    /// Starts it; `limit` is how long one answer may take.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        run: &Run,
        (client, program): (&'static str, &Program),
        limit: Duration,
    ) -> Result<Self, CapsuleError> {
        let cannot =
            |error: std::io::Error| failed(format!("`{client}` cannot be started: {error}"));
        let mut command = program.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(cannot)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(errors)) = pipes else {
            return Err(failed(format!("`{client}` has no pipes")));
        };
        let (sender, lines) = crossbeam_channel::unbounded();
        std::thread::spawn(move || listen(output, &sender));
        let (sender, words) = crossbeam_channel::unbounded();
        std::thread::spawn(move || listen(errors, &sender));
        let errors = Errors::EndIt;
        Ok(Self { run: run.clone(), client, child, input, lines, words, errors, limit })
    }

    /// From here on an error ends neither the client nor its transaction.
    ///
    /// # Errors
    /// When it has ended.
    pub(super) fn outlive_errors(&mut self) -> Result<(), CapsuleError> {
        self.errors = Errors::EndTheQuery;
        self.write("\\unset ON_ERROR_STOP\n")
    }

    /// From here on it is stopped by this run's switch.
    pub(super) fn led_by(&mut self, run: &Run) {
        self.run = run.clone();
    }

    fn write(&mut self, text: &str) -> Result<(), CapsuleError> {
        let written = self.input.write_all(text.as_bytes()).and_then(|()| self.input.flush());
        written.map_err(|_| self.ended())
    }

    fn answer(&mut self) -> Result<String, CapsuleError> {
        let since = self.run.clock.elapsed();
        loop {
            match self.lines.recv_timeout(LOOK_EVERY) {
                Ok(line) => {
                    return String::from_utf8(line)
                        .map_err(|_| failed("it answered with text that is not UTF-8"));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
                Err(RecvTimeoutError::Timeout) => {
                    self.run.check().map_err(|stopped| failed(stopped.to_string()))?;
                    if self.run.clock.elapsed().saturating_sub(since) > self.limit {
                        let limit = self.limit.as_secs();
                        return Err(failed(format!("no answer within {limit} seconds")));
                    }
                }
            }
        }
    }

    /// Why it answers no more.
    fn ended(&mut self) -> CapsuleError {
        self.stop();
        self.said()
    }

    /// What it said last.
    fn said(&self) -> CapsuleError {
        let mut words = self.words.recv_timeout(WORDS_WAIT).unwrap_or_default();
        for line in self.words.try_iter().take(WORDS_LINES_MAX) {
            words.push(b'\n');
            words.extend(line);
        }
        let words = last_lines(&words);
        failed(if words.is_empty() { format!("`{}` ended", self.client) } else { words })
    }

    fn stop(&mut self) {
        // It may have ended by itself, and then there is nothing to kill.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Answers for Session {
    fn tell(&mut self, statements: &str) -> Result<(), CapsuleError> {
        self.write(&format!("{statements}\nselect 1;\n"))?;
        self.answer().map(|_| ())
    }

    fn ask(&mut self, query: &str) -> Result<String, CapsuleError> {
        if self.errors == Errors::EndIt {
            self.write(&format!("{query};\n"))?;
            return self.answer();
        }
        self.write(&format!(
            "savepoint asked;\n{query};\nrollback to savepoint asked;\nselect '{NO_ANSWER}';\n"
        ))?;
        let answer = self.answer()?;
        if answer == NO_ANSWER {
            return Err(self.said());
        }
        match self.answer()?.as_str() {
            NO_ANSWER => Ok(answer),
            _ => Err(failed("it gave several answers to one query")),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Passes lines on until there is none, or one that is too long.
fn listen(output: impl Read, lines: &Sender<Vec<u8>>) {
    let mut output = BufReader::new(output);
    loop {
        let mut line = Vec::new();
        let read = output.by_ref().take(ANSWER_BYTES_MAX).read_until(b'\n', &mut line);
        let is_whole = read.is_ok() && line.pop() == Some(b'\n');
        if !is_whole || lines.send(line).is_err() {
            return;
        }
    }
}
