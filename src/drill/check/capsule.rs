//! L6: what was recorded at the source.

use crate::capsule::Between;
use crate::capsule::compare;
use crate::capsule::compare::Compared;
use crate::capsule::folder::FolderTruth;
use crate::capsule::mariadb::MariadbTruth;
use crate::capsule::postgresql::PostgresqlTruth;
use crate::capsule::sqlite::SqliteTruth;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;

fn note(checks: &mut Checks<'_>, compared: Vec<Compared>) {
    for one in compared {
        let mut found = Found::equal(FailureCode::F2, &one.expected, &one.found);
        if one.agrees {
            // A number between two readings is as good as an equal one.
            found.result = crate::drill::verdict::Outcome::Pass;
        } else {
            found.result = crate::drill::verdict::Outcome::Fail;
        }
        checks.note((Level::L6, &format!("capsule.{}", one.what)), Weight::Mandatory, found);
    }
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
