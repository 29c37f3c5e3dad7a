//! A server that runs on restored files against the readings round their backup.

use crate::capsule::Between;
use crate::capsule::compare::CONSTRAINTS;
use crate::capsule::compare::Compared;
use crate::capsule::compare::OBJECTS;
use crate::capsule::compare::three::Three;
use crate::capsule::compare::three::counted;
use crate::capsule::compare::three::named;
use crate::capsule::compare::three::permille;
use crate::capsule::postgresql::Database;
use crate::capsule::postgresql::PostgresqlTruth;
use crate::capsule::postgresql::Sequence;
use crate::capsule::postgresql::Table;

fn rows(truth: &PostgresqlTruth) -> u64 {
    let tables = truth.databases.values().flat_map(|database| database.tables.values());
    tables.map(|table| table.rows).sum()
}

/// Whether a sequence stands where it stood meanwhile.
fn is_between(one: &Three<'_, Sequence>) -> bool {
    match (one.before, one.after, one.found) {
        (Some(before), Some(after), Some(found)) => {
            Sequence { before: before.before, after: after.after }.holds(found.before)
        }
        // Made or dropped meanwhile.
        (None, Some(_), _) | (Some(_), None, _) => true,
        _ => false,
    }
}

/// Restored databases of a server against what was recorded.
#[must_use]
pub fn compare(expected: &Between<PostgresqlTruth>, found: &PostgresqlTruth) -> Vec<Compared> {
    let sides = [&expected.before, &expected.after, found];
    let databases = named(sides.map(|side| Some(&side.databases)));
    let mut tables: Vec<Three<'_, Table>> = Vec::new();
    let mut sequences: Vec<Three<'_, Sequence>> = Vec::new();
    for one in &databases {
        let parts = [one.before, one.after, one.found];
        tables.extend(named(parts.map(|part| part.map(|it| &it.tables))));
        sequences.extend(named(parts.map(|part| part.map(|it| &it.sequences))));
    }
    let of_kinds = |kinds: &'static [&'static str]| {
        move |database: &Database| -> Vec<u64> {
            kinds.iter().map(|kind| database.counts.get(*kind).copied().unwrap_or(0)).collect()
        }
    };
    let count = |truth: &PostgresqlTruth| truth.databases.len() as u64;
    let rows =
        counted("rows", &databases, &|one| vec![one.tables.values().map(|table| table.rows).sum()]);
    let same_rows = tables.iter().all(|table| table.holds(|it| it.rows));
    // A digest that was not recorded says nothing.
    let is_same = |table: &&Three<'_, Table>| {
        table.before.is_none_or(|it| it.digest.is_none()) || table.agrees(|it| it.digest.clone())
    };
    let others =
        { databases.iter() }.filter(|one| !one.agrees(|it| it.about.encoding.clone())).count();
    vec![
        Compared::between(
            "databases",
            (count(&expected.before), count(&expected.after)),
            count(found),
        ),
        counted("tables", &databases, &of_kinds(&["tables"])),
        counted("constraints", &databases, &of_kinds(&CONSTRAINTS)),
        counted("objects", &databases, &of_kinds(&OBJECTS)),
        counted("extensions", &databases, &|one| vec![one.about.extensions.len() as u64]),
        Compared { agrees: rows.agrees && same_rows, ..rows },
        Compared::equal("digest", 0, tables.iter().filter(|it| !is_same(it)).count()),
        Compared::equal("sequences", 0, sequences.iter().filter(|it| !is_between(it)).count()),
        Compared::equal("encoding", 0, others),
    ]
}

/// The widest difference of two readings, in thousandths of the larger one.
#[must_use]
pub fn width_permille(expected: &Between<PostgresqlTruth>) -> u64 {
    permille(rows(&expected.before), rows(&expected.after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capsule::postgresql::Position;

    fn truth(rows: u64, at: i64) -> PostgresqlTruth {
        let mut one = Database::default();
        let digest = Some(format!("{rows}/0"));
        one.tables.insert("public.t".to_owned(), Table { rows, digest });
        let position = Position(at, true);
        let sequence = Sequence { before: position, after: position };
        one.sequences.insert("public.s".to_owned(), sequence);
        one.counts = ["tables", "constraints_p"].map(|it| (it.to_owned(), 1)).into();
        PostgresqlTruth { databases: [("a".to_owned(), one)].into() }
    }

    fn failing(expected: &Between<PostgresqlTruth>, found: &PostgresqlTruth) -> Vec<&'static str> {
        compare(expected, found).iter().filter(|it| !it.agrees).map(|it| it.what).collect()
    }

    #[test]
    fn a_server_at_rest_is_compared_to_its_rows() {
        let still = Between { before: truth(100, 7), after: truth(100, 7) };
        assert_eq!(failing(&still, &truth(100, 7)), [""; 0]);
        // A table whose file was emptied.
        assert_eq!(failing(&still, &truth(0, 7)), ["rows", "digest"]);
        assert_eq!(failing(&still, &truth(100, 8)), ["sequences"]);
        let none = PostgresqlTruth::default();
        let all = ["databases", "tables", "constraints", "rows", "digest", "sequences"];
        assert_eq!(failing(&still, &none), all);
    }

    #[test]
    fn a_server_in_use_is_between_two_readings() {
        let moving = Between { before: truth(100, 7), after: truth(110, 17) };
        assert_eq!(failing(&moving, &truth(105, 12)), [""; 0]);
        assert_eq!(failing(&moving, &truth(99, 18)), ["rows", "sequences"]);
        assert_eq!(width_permille(&moving), 90);
    }
}
