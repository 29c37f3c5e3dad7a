//! Exit codes: the numbers are promises (see the man page `lifeboat(1)`).

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, nothing to report.
    Done = 0,
    /// Failed; nothing new was kept.
    Failed = 1,
    /// Options or configuration wrong; nothing started.
    Usage = 2,
    /// Done, with problems.
    Problems = 3,
    /// No repository there.
    NoRepository = 10,
    /// Busy for longer than `--wait`.
    Busy = 11,
    /// Wrong passphrase or key.
    WrongKey = 12,
    /// Refused.
    Refused = 13,
    /// The repository is newer than this program.
    Newer = 14,
    /// Storage or channel unreachable or answering wrongly after all retries.
    Storage = 15,
    /// Damage found: something is lost, or gone without a reason.
    Damage = 20,
    /// A drill: data is not proven.
    NotProven = 21,
    /// A drill: something mandatory could not be carried out.
    Inconclusive = 22,
    /// Evidence or the ledger does not verify.
    Evidence = 23,
    /// Interrupted; what was sent is reused.
    Interrupted = 130,
    /// Terminated; what was sent is reused.
    Terminated = 143,
}

/// Every code with its meaning, for the man page.
pub const TABLE: &[(Exit, &str)] = &[
    (Exit::Done, "done, nothing to report"),
    (Exit::Failed, "failed, nothing new was kept"),
    (Exit::Usage, "options or configuration wrong, nothing started"),
    (Exit::Problems, "done with problems: something unread or not restored, or a copy is bad"),
    (Exit::NoRepository, "no repository there"),
    (Exit::Busy, "busy for longer than --wait"),
    (Exit::WrongKey, "wrong passphrase or key"),
    (Exit::Refused, "refused"),
    (Exit::Newer, "repository newer than this program"),
    (Exit::Storage, "storage or channel unreachable or answering wrongly after all retries"),
    (Exit::Damage, "damage found: something is lost, or gone without a reason"),
    (Exit::NotProven, "drill: data not proven, wrong or lost"),
    (Exit::Inconclusive, "drill: no conclusion, something mandatory could not be carried out"),
    (Exit::Evidence, "evidence or the ledger does not verify"),
    (Exit::Interrupted, "interrupted, what was sent is reused"),
    (Exit::Terminated, "terminated, what was sent is reused"),
];

impl Exit {
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The worse of two ends: a failure stands before damage, damage before problems.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        if self.rank() >= other.rank() { self } else { other }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Problems => 1,
            Self::Damage => 2,
            _ => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_end_stands() {
        assert_eq!(Exit::Done.or(Exit::Problems), Exit::Problems);
        assert_eq!(Exit::Damage.or(Exit::Problems), Exit::Damage);
        assert_eq!(Exit::Damage.or(Exit::Failed), Exit::Failed);
    }

    #[test]
    fn codes_stand_once_in_the_table() {
        let codes: std::collections::BTreeSet<u8> = TABLE.iter().map(|row| row.0.code()).collect();
        assert_eq!(codes.len(), TABLE.len());
    }
}
