//! A failure as the user sees it: what is wrong, what it means for the data, one next step.

mod evidence;
mod rooms;

use std::fmt;

use crate::cli::exit::Exit;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::said::Tell;
use crate::cli::language::table::common;
use crate::run::Stopped;

/// Why a command ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    /// What is wrong: lower case, no full stop, never a secret.
    pub message: Said,
    /// What it means for the data; none if the message says it.
    pub meaning: Option<Said>,
    /// One next step.
    pub next: Said,
}

impl Failure {
    #[must_use]
    pub fn new(exit: Exit, message: impl Tell, next: impl Tell) -> Self {
        Self { exit, message: message.said(), meaning: None, next: next.said() }
    }

    /// Options, variables or the like are wrong; nothing started.
    #[must_use]
    pub fn usage(message: impl Tell, next: impl Tell) -> Self {
        Self::new(Exit::Usage, message, next)
    }

    #[must_use]
    pub fn meaning(mut self, text: impl Tell) -> Self {
        self.meaning = Some(text.said());
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

    /// As printed on standard error, without a newline at the end.
    #[must_use]
    pub fn told_in(&self, language: Language) -> String {
        let label = common::ERROR.words(language);
        // What goes on in a second line stands below the first.
        let indented = format!("\n{}", " ".repeat(label.chars().count() + 1));
        let below = |said: &Said| said.told_in(language).replace('\n', &indented);
        let mut text = format!("{label} {}", below(&self.message));
        if let Some(meaning) = &self.meaning {
            text.push_str(&indented);
            text.push_str(&below(meaning));
        }
        let next = self.next.told_in(language);
        if !next.is_empty() {
            text.push_str(&format!("\n{}  {next}", common::NEXT.words(language)));
        }
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told_in(Language::En))
    }
}

impl From<Stopped> for Failure {
    fn from(why: Stopped) -> Self {
        let exit = match why {
            Stopped::Interrupted => Exit::Interrupted,
            Stopped::Terminated => Exit::Terminated,
        };
        let message = common::STOPPED.with("why", why.to_string());
        Self::new(exit, message, common::RUN_SAME_AGAIN).meaning(common::SENT_IS_KEPT)
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
            common::STDOUT.with("detail", Said::heard(error)),
            common::SEND_ELSEWHERE,
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
    fn in_vietnamese_with_the_same_three_parts() {
        let failure = Failure::from(Stopped::Interrupted);
        let text = failure.told_in(Language::Vi);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("lỗi: lượt chạy bị dừng"), "{text}");
        assert!(lines[1].starts_with("     phần đã gửi được giữ lại"), "{text}");
        assert!(lines[2].starts_with("việc cần làm:  chạy lại đúng lệnh đó"), "{text}");
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
