//! A dataset that has suddenly become small, against what it usually holds.

use crate::catalogue::query::Size;
use crate::catalogue::query::Usual;
use crate::catalogue::record::Outcome;
use crate::catalogue::record::ProblemRow;
use crate::catalogue::record::RunEnd;
use crate::units::Bytes;
use crate::units::lost_percent;

/// Exit code of a run with problems.
const PROBLEMS: u8 = 3;

/// Whether the backup itself has told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    ByBackup,
    NotYet,
}

/// Compares a good run with what is usual, and notes on it what is wrong. What stays small is a
/// problem once; that it has become small stands on record until it is what is usual.
pub(super) fn look(end: &mut RunEnd, usual: Usual, max_percent: u8, told: Told) {
    let lost = |before: Option<i64>, now: Option<u64>| {
        let before = before.and_then(|before| u64::try_from(before).ok());
        before.zip(now).map_or(0, |(before, now)| lost_percent(before, now))
    };
    let files = lost(usual.size.files_count, end.files_count);
    let bytes = lost(usual.size.content_bytes, end.content_bytes);
    let percent = files.max(bytes);
    if !end.outcome.is_good() || (percent < 100 && percent <= max_percent) {
        return;
    }
    end.shrunk_from = Some(usual.size);
    if told == Told::ByBackup || usual.has_shrunk {
        return;
    }
    let now = size(end.files_count, end.content_bytes);
    let before = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
    let Size { files_count, content_bytes } = usual.size;
    let usual = size(before(files_count), before(content_bytes));
    let message = format!(
        "there usually are {usual}, now there are {now}: {percent} % is gone, and at most \
         {max_percent} % may be (expect.shrink_max)"
    );
    let row = ProblemRow { severity: "problem", subject: "source".to_owned(), message };
    end.problems.push(row);
    end.problems_count += 1;
    if end.outcome == Outcome::Done {
        end.outcome = Outcome::Problems;
        end.exit_code = PROBLEMS;
    }
}

fn size(files_count: Option<u64>, content_bytes: Option<u64>) -> String {
    let files = files_count.map(|count| format!("{count} files with "));
    let bytes = content_bytes.map(|bytes| Bytes(bytes).to_string());
    format!("{}{}", files.unwrap_or_default(), bytes.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(files: u64, bytes: u64) -> RunEnd {
        let mut end = RunEnd::new(Outcome::Done, 0);
        (end.files_count, end.content_bytes) = (Some(files), Some(bytes));
        end
    }

    fn usual(files: Option<i64>, bytes: i64) -> Usual {
        let size = Size { files_count: files, content_bytes: Some(bytes) };
        Usual { size, has_shrunk: false }
    }

    #[test]
    fn what_is_too_much_is_a_problem_once_and_stays_on_record() {
        let mut end = run(1000, 490);
        look(&mut end, usual(Some(1000), 1000), 50, Told::NotYet);
        assert_eq!((end.outcome, end.exit_code, end.problems_count), (Outcome::Problems, 3, 1));
        let message = &end.problems[0].message;
        for part in ["1000 files with 1000 B", "51 % is gone", "at most 50 %", "expect.shrink_max"]
        {
            assert!(message.contains(part), "{part}: {message}");
        }
        let mut again = run(1000, 490);
        look(&mut again, Usual { has_shrunk: true, ..usual(Some(1000), 1000) }, 50, Told::NotYet);
        assert_eq!((again.outcome, again.problems_count), (Outcome::Done, 0));
        assert!(again.shrunk_from.is_some());
        let mut told = run(1000, 490);
        look(&mut told, usual(Some(1000), 1000), 50, Told::ByBackup);
        assert_eq!((told.problems_count, told.shrunk_from.is_some()), (0, true));
    }

    #[test]
    fn an_ordinary_deletion_is_silent() {
        for (files, bytes, usual, max) in [
            (500, 500, usual(Some(1000), 1000), 50),
            (1, 1, usual(Some(1000), 1000), 100),
            (5, 5, usual(Some(1), 1), 0),
            (0, 0, usual(Some(0), 0), 0),
            (0, 700, usual(None, 1000), 50),
            (0, 0, Usual::default(), 0),
        ] {
            let mut end = run(files, bytes);
            let before = end.clone();
            look(&mut end, usual, max, Told::NotYet);
            assert_eq!(end, before, "{files} {bytes} {usual:?} {max}");
        }
        let mut gone = run(0, 0);
        look(&mut gone, usual(Some(3), 3), 100, Told::NotYet);
        assert!(gone.shrunk_from.is_some(), "all of it");
    }
}
