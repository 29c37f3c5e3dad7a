//! A database that a command wrote, as a file or as statements, against the readings round it.

use crate::capsule::Between;
use crate::capsule::compare::Compared;
use crate::capsule::compare::three::Three;
use crate::capsule::compare::three::named;
use crate::capsule::compare::three::permille;
use crate::capsule::sqlite::SqliteTruth;
use crate::capsule::sqlite::Table;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    File,
    /// Statements hold neither the version nor the application of the file.
    Statements,
}

/// A number of a database.
type Count<'a> = &'a dyn Fn(&SqliteTruth) -> u64;

fn rows(truth: &SqliteTruth) -> u64 {
    truth.tables.values().map(|table| table.rows).sum()
}

/// Compares what was found with both readings.
#[must_use]
pub fn compare(expected: &Between<SqliteTruth>, found: &SqliteTruth, form: Form) -> Vec<Compared> {
    let Between { before, after } = expected;
    let tables: Vec<Three<'_, Table>> =
        named([before, after, found].map(|side| Some(&side.tables)));
    let both = |of: Count<'_>| (of(before), of(after));
    let counts: [(&'static str, Count<'_>); 6] = [
        ("tables", &|it| it.tables.len() as u64),
        ("indexes", &|it| it.indexes),
        ("triggers", &|it| it.triggers),
        ("views", &|it| it.views),
        ("references", &|it| it.fk_violations),
        ("rows", &rows),
    ];
    let mut all: Vec<Compared> =
        counts.iter().map(|(what, of)| Compared::between(what, both(of), of(found))).collect();
    if let Some(compared) = all.last_mut() {
        compared.agrees &= tables.iter().all(|table| table.holds(|it| it.rows));
    }
    let others = tables.iter().filter(|table| !table.agrees(|it| it.digest.clone())).count();
    all.push(Compared::equal("digest", 0, others));
    let versions = |it: &SqliteTruth| (it.user_version, it.application_id);
    if form == Form::File && versions(before) == versions(after) {
        let told = |it: &SqliteTruth| format!("{}/{}", it.user_version, it.application_id);
        all.push(Compared::equal("version", told(before), told(found)));
    }
    all
}

/// The widest difference of two readings, in thousandths of the larger one.
#[must_use]
pub fn width_permille(expected: &Between<SqliteTruth>) -> u64 {
    permille(rows(&expected.before), rows(&expected.after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(rows: u64, digest: &str, user_version: i64) -> SqliteTruth {
        let table = Table { rows, digest: digest.to_owned() };
        let tables = [("t".to_owned(), table)].into();
        SqliteTruth { tables, user_version, ..SqliteTruth::default() }
    }

    fn failing(expected: &Between<SqliteTruth>, found: &SqliteTruth) -> Vec<&'static str> {
        let all = compare(expected, found, Form::File);
        all.into_iter().filter(|it| !it.agrees).map(|it| it.what).collect()
    }

    #[test]
    fn a_copy_is_what_both_readings_say() {
        let still = Between { before: truth(5, "a", 1), after: truth(5, "a", 1) };
        assert_eq!(failing(&still, &truth(5, "a", 1)), [""; 0]);
        assert_eq!(failing(&still, &truth(5, "b", 1)), ["digest"]);
        assert_eq!(failing(&still, &truth(5, "a", 2)), ["version"]);
        let none = SqliteTruth { user_version: 1, ..SqliteTruth::default() };
        assert_eq!(failing(&still, &none), ["tables", "rows", "digest"]);
        let statements = compare(&still, &truth(5, "a", 0), Form::Statements);
        assert!(statements.iter().all(|it| it.agrees), "{statements:?}");
    }

    #[test]
    fn a_table_that_grew_meanwhile_is_between() {
        let moving = Between { before: truth(5, "a", 1), after: truth(9, "c", 1) };
        assert_eq!(failing(&moving, &truth(7, "b", 1)), [""; 0]);
        assert_eq!(failing(&moving, &truth(4, "b", 1)), ["rows"]);
        assert_eq!(width_permille(&moving), 444);
    }
}
