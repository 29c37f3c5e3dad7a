//! L3: files that were placed where the office works are in what comes back, young enough; and
//! those that were removed there are not.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::capsule::canary;
use crate::capsule::canary::Canaries;
use crate::capsule::canary::Sighted;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;

/// Most files of a folder of canaries, and most bytes of one, that are looked at.
const FILES_MAX: usize = 1000;
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// What the three say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// When the newest that came back was placed, in seconds since 1970.
    pub newest_s: Option<i64>,
    /// Whether the one that never changes has changed.
    pub is_altered: bool,
}

/// How old the newest may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// When the loss is taken to have happened, in seconds since 1970.
    pub loss_s: i64,
    pub age_max_s: Option<u64>,
}

/// Looks at the restored folder of canaries.
pub fn check(
    checks: &mut Checks<'_>,
    (canaries, folder): (&Canaries, &Path),
    allowed: Allowed,
) -> Said {
    let found = digests(folder);
    let sighted = canaries.sighted(&found);
    let is_named = folder.join(canary::FIXED).symlink_metadata().is_ok();
    let is_altered = is_named && !sighted.has_fixed;
    let fixed = match (sighted.has_fixed, is_altered) {
        (true, _) => Found::equal(FailureCode::F2, "as placed", "as placed"),
        (_, true) => Found::equal(FailureCode::F1, "as placed", "changed"),
        _ => Found::equal(FailureCode::F2, "as placed", "missing"),
    };
    let mut note = |what: &str, weight, found| {
        checks.note((Level::L3, &format!("canary.{what}")), weight, found);
    };
    note("static", Weight::Mandatory, fixed);
    note("rolling", Weight::Mandatory, rolling(sighted, allowed));
    if sighted.removed_count == 0 {
        let none = Found::skipped(FailureCode::F5, "none was removed at the source yet");
        let found = Found { result: Outcome::NotApplicable, ..none };
        note("tombstone", Weight::Minor, found);
    } else {
        let found = Found::equal(FailureCode::F5, 0, sighted.undead_count);
        let detail = format!("{} were removed at the source before", sighted.removed_count);
        note("tombstone", Weight::Mandatory, found.with(detail));
    }
    Said { newest_s: sighted.newest_s, is_altered }
}

/// The newest token, against what may be lost; where nothing is said of that, against the newest
/// that was placed.
fn rolling(sighted: Sighted, allowed: Allowed) -> Found {
    let age = |placed_s: i64| u64::try_from(allowed.loss_s.saturating_sub(placed_s)).unwrap_or(0);
    let Some(newest_s) = sighted.newest_s else {
        return Found::equal(FailureCode::F2, "a token", "none");
    };
    let limit = allowed.age_max_s.or(sighted.expected_s.map(age));
    let (found, limit) = (age(newest_s), limit.unwrap_or(u64::MAX));
    Found {
        result: if found <= limit { Outcome::Pass } else { Outcome::Fail },
        expected: Some(format!("at most {limit} s old")),
        actual: Some(format!("{found} s old")),
        code: FailureCode::F5,
        detail: None,
    }
}

/// Of everything that may be one.
fn digests(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(FILES_MAX);
    let digest = |path: &Path| {
        let meta = path.symlink_metadata().ok()?;
        if !meta.is_file() || meta.len() > FILE_BYTES_MAX {
            return None;
        }
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        Some(canary::digest(&bytes))
    };
    entries.filter_map(|entry| digest(&entry.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_the_newest_is_judged_by_what_may_be_lost() {
        let sighted = Sighted {
            has_fixed: true,
            newest_s: Some(1000),
            expected_s: Some(1500),
            undead_count: 0,
            removed_count: 0,
        };
        let judged = |age_max_s, newest_s| {
            let found =
                rolling(Sighted { newest_s, ..sighted }, Allowed { loss_s: 2000, age_max_s });
            (found.result, found.code)
        };
        assert_eq!(judged(Some(1000), Some(1000)).0, Outcome::Pass);
        assert_eq!(judged(Some(999), Some(1000)), (Outcome::Fail, FailureCode::F5));
        // Nothing is said of what may be lost: the newest has to be there.
        assert_eq!(judged(None, Some(1500)).0, Outcome::Pass);
        assert_eq!(judged(None, Some(1000)), (Outcome::Fail, FailureCode::F5));
        assert_eq!(judged(Some(1000), None), (Outcome::Fail, FailureCode::F2));
    }
}
