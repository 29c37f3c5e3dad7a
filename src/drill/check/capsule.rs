//! L6: what was recorded at the source.

use std::collections::BTreeMap;

use crate::capsule::Between;
use crate::capsule::compare;
use crate::capsule::compare::Compared;
use crate::capsule::folder::FolderTruth;
use crate::capsule::mariadb::MariadbTruth;
use crate::capsule::postgresql::PostgresqlTruth;
use crate::capsule::sqlite::SqliteTruth;
use crate::capsule::told;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::plan::Shrink;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;
use crate::units::Bytes;
use crate::units::lost_percent;

/// Most names of values that are told.
const NAMED_MAX: usize = 20;

/// A number between two readings is as good as an equal one.
pub(super) fn judged(code: FailureCode, one: &Compared) -> Found {
    let found = Found::equal(code, &one.expected, &one.found);
    Found { result: if one.agrees { Outcome::Pass } else { Outcome::Fail }, ..found }
}

pub(super) fn note(checks: &mut Checks<'_>, compared: Vec<Compared>) {
    for one in compared {
        let found = judged(FailureCode::F2, &one);
        checks.note((Level::L6, &format!("capsule.{}", one.what)), Weight::Mandatory, found);
    }
}

/// A restored folder against the snapshot before it; nothing may have become so small.
pub fn shrink(checks: &mut Checks<'_>, usual: Shrink, found: &FolderTruth) {
    let files = lost_percent(usual.files_count, found.files);
    let bytes = lost_percent(usual.content_bytes, found.bytes);
    let lost = files.max(bytes);
    let is_good = lost < 100 && lost <= usual.percent_max;
    let detail = format!(
        "{} files with {} before, {} with {} now",
        usual.files_count,
        Bytes(usual.content_bytes),
        found.files,
        Bytes(found.bytes)
    );
    let found = Found {
        result: if is_good { Outcome::Pass } else { Outcome::Fail },
        expected: Some(format!("at most {} % less", usual.percent_max)),
        actual: Some(format!("{lost} % less")),
        ..Found::failed(FailureCode::F2, detail)
    };
    checks.note((Level::L6, "capsule.shrink"), Weight::Mandatory, found);
}

/// A database that a command wrote; how far apart the two readings of its source lie, in
/// thousandths.
pub fn sqlite_copy(
    checks: &mut Checks<'_>,
    expected: &Between<SqliteTruth>,
    (found, form): (&SqliteTruth, compare::sqlite_copy::Form),
) -> u64 {
    note(checks, compare::sqlite_copy::compare(expected, found, form));
    compare::sqlite_copy::width_permille(expected)
}

/// What a program of the office tells of restored data, against what it told of the source.
pub fn told(
    checks: &mut Checks<'_>,
    expected: &Between<BTreeMap<String, String>>,
    found: &BTreeMap<String, String>,
) {
    let differing = told::differing(expected, found);
    let mut found = Found::equal(FailureCode::F2, 0, differing.len());
    let named = differing.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    found.detail = Some(match differing.len() {
        0 => format!("{} values are as they were told at the source", expected.before.len()),
        _ => format!("other values of {named}"),
    });
    checks.note((Level::L6, "capsule.told"), Weight::Mandatory, found);
}

/// A restored folder; how far apart the two readings of its source lie, in thousandths.
pub fn folder(
    checks: &mut Checks<'_>,
    expected: &Between<FolderTruth>,
    found: &FolderTruth,
) -> u64 {
    note(checks, compare::folder(expected, found));
    compare::width_permille(expected)
}

/// A restored database.
pub fn sqlite(checks: &mut Checks<'_>, expected: &SqliteTruth, found: &SqliteTruth) {
    note(checks, compare::sqlite(expected, found));
}

/// Restored databases of a server.
pub fn postgresql(checks: &mut Checks<'_>, expected: &PostgresqlTruth, found: &PostgresqlTruth) {
    note(checks, compare::postgresql(expected, found));
}

/// Restored databases of MariaDB; how far apart the two readings of their source lie, in
/// thousandths.
pub fn mariadb(
    checks: &mut Checks<'_>,
    expected: &Between<MariadbTruth>,
    found: &MariadbTruth,
) -> u64 {
    note(checks, compare::mariadb::compare(expected, found));
    compare::mariadb::width_permille(expected)
}

/// Databases on a server's restored files; how far apart the two readings of their source lie, in
/// thousandths.
pub fn postgresql_files(
    checks: &mut Checks<'_>,
    expected: &Between<PostgresqlTruth>,
    found: &PostgresqlTruth,
) -> u64 {
    note(checks, compare::postgresql_files::compare(expected, found));
    compare::postgresql_files::width_permille(expected)
}
