//! What a restore gives against what was recorded.

use crate::capsule::Between;
use crate::capsule::folder::FolderTruth;
use crate::capsule::sqlite::SqliteTruth;

/// One thing compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Last part of a check's id.
    pub what: &'static str,
    pub expected: String,
    pub found: String,
    pub agrees: bool,
}

impl Compared {
    fn equal(what: &'static str, expected: impl ToString, found: impl ToString) -> Self {
        let (expected, found) = (expected.to_string(), found.to_string());
        Self { what, agrees: expected == found, expected, found }
    }

    /// Whether a number lies between two readings.
    fn between(what: &'static str, (before, after): (u64, u64), found: u64) -> Self {
        let (low, high) = (before.min(after), before.max(after));
        let expected = if low == high { low.to_string() } else { format!("{low}..{high}") };
        Self { what, expected, found: found.to_string(), agrees: (low..=high).contains(&found) }
    }
}

/// A restored folder against the readings round its backup.
#[must_use]
pub fn folder(expected: &Between<FolderTruth>, found: &FolderTruth) -> Vec<Compared> {
    let (before, after) = (&expected.before, &expected.after);
    let mut all = Vec::new();
    for (what, ends, found) in [
        ("files", (before.files, after.files), found.files),
        ("dirs", (before.dirs, after.dirs), found.dirs),
        ("links", (before.links, after.links), found.links),
        ("others", (before.others, after.others), found.others),
        ("bytes", (before.bytes, after.bytes), found.bytes),
    ] {
        all.push(Compared::between(what, ends, found));
    }
    // Where nothing moved meanwhile, the very names and sizes are known.
    if before.names_digest == after.names_digest && before.unreadable + after.unreadable == 0 {
        all.push(Compared::equal("names", &before.names_digest, &found.names_digest));
    }
    all
}

/// The widest difference of two readings, in thousandths of the larger one.
#[must_use]
pub fn width_permille(expected: &Between<FolderTruth>) -> u64 {
    let of = |one: u64, other: u64| {
        let (low, high) = (one.min(other), one.max(other));
        (high - low).saturating_mul(1000).checked_div(high).unwrap_or(0)
    };
    let (before, after) = (&expected.before, &expected.after);
    of(before.files, after.files).max(of(before.bytes, after.bytes))
}

/// A restored database against what was recorded.
#[must_use]
pub fn sqlite(expected: &SqliteTruth, found: &SqliteTruth) -> Vec<Compared> {
    let mut all = vec![
        Compared::equal("tables", expected.tables.len(), found.tables.len()),
        Compared::equal(
            "objects",
            format!("{}/{}/{}", expected.indexes, expected.triggers, expected.views),
            format!("{}/{}/{}", found.indexes, found.triggers, found.views),
        ),
        Compared::equal(
            "version",
            format!("{}/{}", expected.user_version, expected.application_id),
            format!("{}/{}", found.user_version, found.application_id),
        ),
        Compared::equal("references", expected.fk_violations, found.fk_violations),
    ];
    let rows = |truth: &SqliteTruth| truth.tables.values().map(|table| table.rows).sum::<u64>();
    let same_rows = expected
        .tables
        .iter()
        .all(|(name, table)| found.tables.get(name).is_some_and(|found| found.rows == table.rows));
    let mut compared = Compared::equal("rows", rows(expected), rows(found));
    compared.agrees &= same_rows;
    all.push(compared);
    let differing = expected.tables.iter().filter(|(name, table)| {
        found.tables.get(*name).is_none_or(|found| found.digest != table.digest)
    });
    all.push(Compared::equal("digest", 0, differing.count()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capsule::sqlite::Table;

    fn folder_of(files: u64, digest: &str) -> FolderTruth {
        FolderTruth { files, names_digest: digest.to_owned(), ..FolderTruth::default() }
    }

    fn failing(compared: &[Compared]) -> Vec<&'static str> {
        compared.iter().filter(|it| !it.agrees).map(|it| it.what).collect()
    }

    #[test]
    fn a_folder_that_grew_meanwhile_is_between_two_readings() {
        let moving = Between { before: folder_of(10, "a"), after: folder_of(12, "b") };
        assert_eq!(failing(&folder(&moving, &folder_of(11, "c"))), [""; 0]);
        assert_eq!(failing(&folder(&moving, &folder_of(13, "c"))), ["files"]);
        assert_eq!(width_permille(&moving), 166);
        let still = Between { before: folder_of(10, "a"), after: folder_of(10, "a") };
        assert_eq!(failing(&folder(&still, &folder_of(10, "c"))), ["names"]);
        assert_eq!(failing(&folder(&still, &folder_of(10, "a"))), [""; 0]);
        assert_eq!(width_permille(&still), 0);
    }

    #[test]
    fn a_database_is_compared_table_by_table() {
        let of = |rows: [u64; 2], digest: &str| {
            let table = |rows| Table { rows, digest: digest.to_owned() };
            let tables = [("t".to_owned(), table(rows[0])), ("u".to_owned(), table(rows[1]))];
            SqliteTruth { tables: tables.into(), ..SqliteTruth::default() }
        };
        let expected = of([5, 7], "d");
        assert_eq!(failing(&sqlite(&expected, &expected)), [""; 0]);
        // The same sum of rows in other tables.
        assert_eq!(failing(&sqlite(&expected, &of([7, 5], "d"))), ["rows"]);
        assert_eq!(failing(&sqlite(&expected, &of([5, 7], "e"))), ["digest"]);
        let none = SqliteTruth::default();
        assert_eq!(failing(&sqlite(&expected, &none)), ["tables", "rows", "digest"]);
        let empty = of([0, 0], "0");
        assert_eq!(failing(&sqlite(&empty, &empty)), [""; 0]);
    }
}
