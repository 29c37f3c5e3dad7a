//! Restored databases of MariaDB against the readings round their dump.

use crate::capsule::Between;
use crate::capsule::compare::Compared;
use crate::capsule::compare::three::Three;
use crate::capsule::compare::three::counted;
use crate::capsule::compare::three::named;
use crate::capsule::compare::three::permille;
use crate::capsule::mariadb::Database;
use crate::capsule::mariadb::MariadbTruth;
use crate::capsule::mariadb::Table;

/// What is counted as objects, in the order in which it is written.
const OBJECTS: [&str; 7] =
    ["indexes", "views", "triggers", "procedures", "functions", "events", "sequences"];
const CONSTRAINTS: [&str; 4] = [
    "constraints_primary_key",
    "constraints_unique",
    "constraints_foreign_key",
    "constraints_check",
];

fn tables<'a>(databases: &[Three<'a, Database>]) -> Vec<Three<'a, Table>> {
    let of = |one: &Three<'a, Database>| {
        named([one.before, one.after, one.found].map(|side| side.map(|it| &it.tables)))
    };
    databases.iter().flat_map(of).collect()
}

/// Restored databases against what was recorded.
#[must_use]
pub fn compare(expected: &Between<MariadbTruth>, found: &MariadbTruth) -> Vec<Compared> {
    // A server that holds more than the dataset says nothing against it.
    let mut databases =
        named([&expected.before, &expected.after, found].map(|side| Some(&side.databases)));
    databases.retain(|one| one.before.is_some() || one.after.is_some());
    let tables = tables(&databases);
    let of_kinds = |kinds: &'static [&'static str]| {
        move |database: &Database| -> Vec<u64> {
            kinds.iter().map(|kind| database.counts.get(*kind).copied().unwrap_or(0)).collect()
        }
    };
    let count = |truth: &MariadbTruth| truth.databases.len() as u64;
    let rows =
        counted("rows", &databases, &|one| vec![one.tables.values().map(|table| table.rows).sum()]);
    let same_rows = tables.iter().all(|table| table.holds(|it| it.rows));
    let differing = |agrees: &dyn Fn(&Three<'_, Table>) -> bool| {
        tables.iter().filter(|table| !agrees(table)).count()
    };
    // A digest that was not recorded says nothing.
    let digests = differing(&|table| {
        table.before.is_none_or(|it| it.digest.is_none()) || table.agrees(|it| it.digest.clone())
    });
    let texts = counted("text", &databases, &|one| {
        vec![one.tables.values().filter_map(|table| table.non_ascii_rows).sum()]
    });
    let same_texts = tables.iter().all(|table| table.holds(|it| it.non_ascii_rows.unwrap_or(0)));
    let others = { databases.iter() }
        .filter(|one| !one.agrees(|it| (it.charset.clone(), it.collation.clone())))
        .count();
    vec![
        Compared::between(
            "databases",
            (count(&expected.before), count(&expected.after)),
            databases.iter().filter(|one| one.found.is_some()).count() as u64,
        ),
        counted("tables", &databases, &of_kinds(&["tables"])),
        counted("constraints", &databases, &of_kinds(&CONSTRAINTS)),
        counted("objects", &databases, &of_kinds(&OBJECTS)),
        Compared { agrees: rows.agrees && same_rows, ..rows },
        Compared::equal("digest", 0, digests),
        Compared { agrees: texts.agrees && same_texts, ..texts },
        Compared::equal("charset", 0, others),
    ]
}

/// The widest difference of two readings, in thousandths of the larger one.
#[must_use]
pub fn width_permille(expected: &Between<MariadbTruth>) -> u64 {
    permille(expected.before.rows(), expected.after.rows())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(change: impl FnOnce(&mut Database)) -> MariadbTruth {
        let table = |rows, digest: Option<&str>| Table {
            rows,
            digest: digest.map(str::to_owned),
            non_ascii_rows: digest.map(|_| rows),
        };
        let mut one = Database { charset: "utf8mb4".to_owned(), ..Database::default() };
        one.tables.insert("t".to_owned(), table(5, Some("1/2")));
        one.tables.insert("big".to_owned(), table(7, None));
        one.counts = ["tables", "events", "procedures"].map(|it| (it.to_owned(), 2)).into();
        let other = one.clone();
        change(&mut one);
        let databases = [("a".to_owned(), one), ("b".to_owned(), other)].into();
        MariadbTruth { version: "10.11".to_owned(), databases }
    }

    fn failing(expected: &Between<MariadbTruth>, found: &MariadbTruth) -> Vec<&'static str> {
        compare(expected, found).iter().filter(|it| !it.agrees).map(|it| it.what).collect()
    }

    #[test]
    fn databases_are_compared_one_by_one() {
        let still = Between { before: truth(|_| ()), after: truth(|_| ()) };
        let compared = |change: &dyn Fn(&mut Database)| failing(&still, &truth(change));
        assert_eq!(compared(&|_| ()), [""; 0]);
        assert_eq!(compared(&|it| it.tables.get_mut("big").unwrap().rows = 6), ["rows"]);
        assert_eq!(compared(&|it| it.tables.get_mut("t").unwrap().digest = None), ["digest"]);
        assert_eq!(
            compared(&|it| it.tables.get_mut("t").unwrap().non_ascii_rows = Some(0)),
            ["text"]
        );
        let without = |it: &mut Database| assert_eq!(it.counts.remove("events"), Some(2));
        assert_eq!(compared(&without), ["objects"]);
        assert_eq!(compared(&|it| it.charset = "latin1".to_owned()), ["charset"]);
        let mut one_less = truth(|_| ());
        one_less.databases.remove("b");
        let all = ["databases", "tables", "objects", "rows", "digest", "text", "charset"];
        assert_eq!(failing(&still, &one_less), all);
        // The same sum in other tables.
        let moved = truth(|it| {
            it.tables.get_mut("big").unwrap().rows = 5;
            it.tables.get_mut("t").unwrap().rows = 7;
        });
        assert_eq!(failing(&still, &moved), ["rows"]);
    }

    #[test]
    fn what_grew_meanwhile_is_between_two_readings() {
        let grown = |rows| {
            truth(move |it| {
                let table = it.tables.get_mut("t").unwrap();
                (table.rows, table.digest, table.non_ascii_rows) =
                    (rows, Some(format!("{rows}/0")), Some(rows));
            })
        };
        let moving = Between { before: grown(100), after: grown(104) };
        assert_eq!(failing(&moving, &grown(102)), [""; 0]);
        assert_eq!(failing(&moving, &grown(99)), ["rows", "text"]);
        assert_eq!(width_permille(&moving), 4 * 1000 / 123);
        let made = Between { before: truth(|it| drop(it.tables.remove("t"))), after: grown(3) };
        assert_eq!(failing(&made, &grown(3)), [""; 0]);
    }
}
