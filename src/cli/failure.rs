//! A failure as the user sees it: what is wrong, what it means for the data, one next step.

mod rooms;

use std::fmt;

use crate::cli::exit::Exit;
use crate::run::Stopped;

/// Why a command ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    /// What is wrong: lower case, no full stop, never a secret.
    pub message: String,
    /// What it means for the data; empty if the message says it.
    pub meaning: String,
    /// One next step.
    pub next: String,
}

impl Failure {
    #[must_use]
    pub fn new(exit: Exit, message: impl fmt::Display, next: impl Into<String>) -> Self {
        Self { exit, message: message.to_string(), meaning: String::new(), next: next.into() }
    }

    /// Options, variables or the like are wrong; nothing started.
    #[must_use]
    pub fn usage(message: impl fmt::Display, next: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message, next)
    }

    #[must_use]
    pub fn meaning(mut self, text: impl Into<String>) -> Self {
        self.meaning = text.into();
        self
    }

    /// Standard output was closed by its reader, such as `head`: there is nobody to tell.
    #[must_use]
    pub fn nobody_reads() -> Self {
        Self::new(Exit::Done, "", "")
    }

    /// Whether this is [`Failure::nobody_reads`].
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.message.is_empty()
    }
}

impl fmt::Display for Failure {
    /// As printed on standard error, without a newline at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message.replace('\n', "\n       "))?;
        if !self.meaning.is_empty() {
            write!(f, "\n       {}", self.meaning.replace('\n', "\n       "))?;
        }
        if !self.next.is_empty() {
            write!(f, "\nnext:  {}", self.next)?;
        }
        Ok(())
    }
}

impl From<Stopped> for Failure {
    fn from(why: Stopped) -> Self {
        let exit = match why {
            Stopped::Interrupted => Exit::Interrupted,
            Stopped::Terminated => Exit::Terminated,
        };
        Self::new(exit, why, "run the same command again; it goes on from there")
            .meaning("what was sent before is kept and reused; earlier snapshots are untouched")
    }
}

impl From<std::io::Error> for Failure {
    /// Writing to standard output failed.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::nobody_reads();
        }
        Self::new(
            Exit::Failed,
            format_args!("standard output: {error}"),
            "send the output elsewhere and run the command again",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_parts_in_order() {
        let failure = Failure::usage("no repository is named", "give `-r FOLDER`").meaning("a\nb");
        let text = "error: no repository is named\n       a\n       b\nnext:  give `-r FOLDER`";
        assert_eq!(failure.to_string(), text);
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let closed = Failure::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert!(closed.is_silent());
        assert_eq!(closed.exit, Exit::Done);
        let full = Failure::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert_eq!(full.exit, Exit::Failed);
    }
}
