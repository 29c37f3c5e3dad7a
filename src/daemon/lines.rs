//! What a job's process says, as an end of its run.

use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;

use serde::Deserialize;

use crate::catalogue::record::Outcome;
use crate::catalogue::record::ProblemRow;
use crate::catalogue::record::RunEnd;

const LINE_BYTES_MAX: u64 = 1024 * 1024;
/// Problems that are kept one by one; all are counted.
const PROBLEMS_MAX: usize = 1000;
const TEXT_CHARS_MAX: usize = 2000;

/// What was said so far, over all commands of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    pub problems_count: u64,
    pub files_count: Option<u64>,
    pub content_bytes: Option<u64>,
    pub stored_bytes: Option<u64>,
    pub snapshot: Option<String>,
    pub message: Option<String>,
    pub problems: Vec<ProblemRow>,
    /// Whether the backup itself says that more is gone than may be.
    pub has_shrunk: bool,
    /// What the storage that each command wrote into holds after it, as far as it says so.
    pub written: Vec<Option<u64>>,
    repository_bytes: Option<u64>,
    /// Of the summary that came last.
    summed_up: Option<u8>,
    /// The worst so far.
    exit_code: u8,
}

#[derive(Deserialize)]
struct Line {
    message_type: String,
    item: Option<String>,
    severity: Option<String>,
    subject: Option<String>,
    message: Option<String>,
    exit_code: Option<u8>,
    problems_count: Option<u64>,
    files_count: Option<u64>,
    content_bytes: Option<u64>,
    stored_bytes: Option<u64>,
    snapshot_id: Option<String>,
    has_shrunk: Option<bool>,
    repository_bytes: Option<u64>,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Exited(u8),
    Killed { signal: i32 },
}

impl Tally {
    /// Reads to the end; what is no line of ours is passed over.
    ///
    /// # Errors
    /// When the pipe fails.
    pub fn read(&mut self, pipe: impl Read) -> io::Result<()> {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        loop {
            line.clear();
            if (&mut pipe).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            if line.last() != Some(&b'\n') {
                // Too long, or cut off: no JSON either way.
                continue;
            }
            if let Ok(line) = serde_json::from_slice(&line) {
                self.take(line);
            }
        }
    }

    fn take(&mut self, line: Line) {
        let cut = |text: Option<String>| -> String {
            text.unwrap_or_default().chars().take(TEXT_CHARS_MAX).collect()
        };
        match line.message_type.as_str() {
            "problem" if self.problems.len() < PROBLEMS_MAX => {
                let severity = match line.severity.as_deref() {
                    Some("damage") => "damage",
                    Some("healable") => "healable",
                    _ => "problem",
                };
                let (subject, message) = (cut(line.subject), cut(line.message));
                self.problems.push(ProblemRow { severity, subject, message });
            }
            "error" => self.message = Some(cut(line.message)),
            "summary" => {
                self.summed_up = line.exit_code;
                self.problems_count += line.problems_count.unwrap_or(0);
            }
            "result" if matches!(line.item.as_deref(), Some("copy" | "prune")) => {
                self.repository_bytes = line.repository_bytes;
            }
            "result" if line.item.as_deref() == Some("backup") => {
                self.repository_bytes = line.repository_bytes;
                self.has_shrunk = line.has_shrunk == Some(true);
                self.files_count = line.files_count;
                self.content_bytes = line.content_bytes;
                self.stored_bytes = line.stored_bytes;
                self.snapshot = line.snapshot_id;
            }
            _ => {}
        }
    }

    /// A command came to its end. Whether the next one may follow: a failure of one is no reason
    /// against the others, a signal is.
    pub fn ended(&mut self, status: Status) -> bool {
        let said = self.summed_up.take();
        self.written.push(self.repository_bytes.take());
        let code = match status {
            // What does not sum up has not done what it was to do.
            Status::Exited(0) if said != Some(0) => {
                self.message = Some("it ended without a summary".to_owned());
                1
            }
            Status::Exited(code) => code,
            Status::Killed { signal } => {
                self.message = Some(format!("signal {signal} ended it"));
                1
            }
        };
        // As a shell has it, 3 is done; every other is worse.
        let rank = |code: u8| match code {
            0 => 0,
            3 => 1,
            _ => 2,
        };
        if rank(code) > rank(self.exit_code) {
            self.exit_code = code;
        }
        matches!(status, Status::Exited(code) if code < 128)
    }

    /// The end of the run.
    #[must_use]
    pub fn end(self) -> RunEnd {
        let outcome = match self.exit_code {
            0 => Outcome::Done,
            3 => Outcome::Problems,
            130 | 143 => Outcome::Stopped,
            _ => Outcome::Failed,
        };
        RunEnd {
            problems_count: self.problems_count,
            files_count: self.files_count,
            content_bytes: self.content_bytes,
            stored_bytes: self.stored_bytes,
            snapshot: self.snapshot,
            message: self.message,
            problems: self.problems,
            ..RunEnd::new(outcome, self.exit_code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, status: Status) -> RunEnd {
        let mut tally = Tally::default();
        tally.read(text.as_bytes()).unwrap();
        tally.ended(status);
        tally.end()
    }

    #[test]
    fn a_backup_with_a_problem() {
        let end = told(
            concat!(
                "{\"message_type\":\"problem\",\"v\":1,\"severity\":\"problem\",",
                "\"subject\":\"/a\",\"message\":\"denied\"}\n",
                "noise\n",
                "{\"message_type\":\"result\",\"v\":1,\"item\":\"backup\",\"snapshot_id\":\"ab\",",
                "\"files_count\":2,\"content_bytes\":3,\"stored_bytes\":4}\n",
                "{\"message_type\":\"summary\",\"v\":1,\"exit_code\":3,\"problems_count\":1}\n",
            ),
            Status::Exited(3),
        );
        assert_eq!((end.outcome, end.exit_code, end.problems_count), (Outcome::Problems, 3, 1));
        assert_eq!(
            (end.files_count, end.content_bytes, end.stored_bytes),
            (Some(2), Some(3), Some(4))
        );
        assert_eq!(end.snapshot.as_deref(), Some("ab"));
        assert_eq!(end.problems[0].message, "denied");
    }

    #[test]
    fn silence_is_no_success() {
        assert_eq!(told("", Status::Exited(0)).outcome, Outcome::Failed);
        let cut = "{\"message_type\":\"summary\",\"v\":1,\"exit_code\":0}";
        assert_eq!(told(cut, Status::Exited(0)).outcome, Outcome::Failed);
        assert_eq!(told("", Status::Killed { signal: 9 }).outcome, Outcome::Failed);
        assert_eq!(told("", Status::Exited(143)).outcome, Outcome::Stopped);
    }

    #[test]
    fn a_line_that_never_ends_takes_no_memory_and_hides_nothing() {
        let long = "x".repeat(3 * 1024 * 1024);
        let text = format!("{long}\n{{\"message_type\":\"summary\",\"v\":1,\"exit_code\":0}}\n");
        assert_eq!(told(&text, Status::Exited(0)).outcome, Outcome::Done);
    }

    #[test]
    fn the_worst_of_several_commands_stands() {
        let mut tally = Tally::default();
        let mut goes_on = Vec::new();
        for code in [3, 15, 0] {
            let line = format!("{{\"message_type\":\"summary\",\"v\":1,\"exit_code\":{code}}}\n");
            tally.read(line.as_bytes()).unwrap();
            goes_on.push(tally.ended(Status::Exited(code)));
        }
        assert_eq!(goes_on, [true; 3]);
        assert_eq!((tally.clone().end().outcome, tally.end().exit_code), (Outcome::Failed, 15));
    }
}
