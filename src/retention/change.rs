//! Signs that much changed at once, as when somebody encrypts or deletes what is backed up.

/// What one backup found, against the snapshot before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub files: u64,
    pub files_changed: u64,
    pub files_unchanged: u64,
}

/// From so many files on; a folder of a few changes as a whole every day.
const FILES_MIN: u64 = 50;
/// Share of the files before of which there must be as many changed and vanished ones together.
const TOUCHED_PERCENT: u64 = 50;

/// How much of the snapshot before was changed or is gone, in hundredths, if that is a sign of
/// mass change.
#[must_use]
pub fn mass_change(before: Counts, now: Counts) -> Option<u64> {
    if before.files < FILES_MIN {
        return None;
    }
    let still_there = now.files_changed.saturating_add(now.files_unchanged);
    let vanished = before.files.saturating_sub(still_there);
    let touched = vanished.saturating_add(now.files_changed).min(before.files);
    let percent = u128::from(touched) * 100 / u128::from(before.files);
    let percent = u64::try_from(percent).unwrap_or(100);
    (percent >= TOUCHED_PERCENT).then_some(percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_an_attack() {
        let before = Counts { files: 1000, ..Counts::default() };
        let now = |files, files_changed, files_unchanged| Counts {
            files,
            files_changed,
            files_unchanged,
        };
        // Encrypted in place; encrypted under new names; deleted.
        assert_eq!(mass_change(before, now(1000, 990, 10)), Some(99));
        assert_eq!(mass_change(before, now(1000, 0, 20)), Some(98));
        assert_eq!(mass_change(before, now(400, 0, 400)), Some(60));
        assert_eq!(mass_change(before, now(0, 0, 0)), Some(100));
        // An ordinary day, a great import, a small folder.
        assert_eq!(mass_change(before, now(1010, 300, 690)), None);
        assert_eq!(mass_change(before, now(9000, 10, 985)), None);
        assert_eq!(mass_change(Counts { files: 49, ..before }, now(0, 0, 0)), None);
    }
}
