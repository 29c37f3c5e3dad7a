//! What a restore gives against what was recorded.

pub mod mail;
pub mod mariadb;
pub mod postgresql_files;
pub mod sqlite_copy;
mod three;

use crate::capsule::Between;
use crate::capsule::compare::three::permille;
use crate::capsule::folder::FolderTruth;
use crate::capsule::postgresql::Database;
use crate::capsule::postgresql::PostgresqlTruth;
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
    let (before, after) = (&expected.before, &expected.after);
    permille(before.files, after.files).max(permille(before.bytes, after.bytes))
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

/// What is counted as objects, in the order in which it is written.
const OBJECTS: [&str; 8] = [
    "indexes",
    "views",
    "matviews",
    "functions",
    "triggers",
    "policies",
    "partitioned",
    "large_objects",
];
const CONSTRAINTS: [&str; 5] =
    ["constraints_p", "constraints_u", "constraints_f", "constraints_c", "constraints_x"];

/// Restored databases of a server against what was recorded. Numbers are of all of them together;
/// they agree if those of each do.
#[must_use]
pub fn postgresql(expected: &PostgresqlTruth, found: &PostgresqlTruth) -> Vec<Compared> {
    let none = Database::default();
    let pairs: Vec<(&Database, &Database)> = expected
        .databases
        .iter()
        .map(|(name, database)| (database, found.databases.get(name).unwrap_or(&none)))
        .collect();
    let each = |what, of: &dyn Fn(&Database) -> Vec<u64>| {
        let told = |all: Vec<Vec<u64>>| {
            let width = all.iter().map(Vec::len).max().unwrap_or(0);
            let sum = |at| all.iter().filter_map(|one| one.get(at)).sum::<u64>().to_string();
            (0..width).map(sum).collect::<Vec<_>>().join("/")
        };
        let of_expected = told(pairs.iter().map(|pair| of(pair.0)).collect());
        let of_found = told(pairs.iter().map(|pair| of(pair.1)).collect());
        let mut compared = Compared::equal(what, of_expected, of_found);
        compared.agrees &= pairs.iter().all(|pair| of(pair.0) == of(pair.1));
        compared
    };
    let counts = |database: &Database, kinds: &[&str]| -> Vec<u64> {
        kinds.iter().map(|kind| database.counts.get(*kind).copied().unwrap_or(0)).collect()
    };
    let differing = |of: &dyn Fn(&Database, &Database) -> usize| -> usize {
        pairs.iter().map(|pair| of(pair.0, pair.1)).sum()
    };
    let rows = each("rows", &|one| vec![one.tables.values().map(|table| table.rows).sum()]);
    let other_rows = differing(&|one, other| {
        let rows = |of: &Database, name: &str| of.tables.get(name).map(|table| table.rows);
        one.tables.keys().filter(|name| rows(one, name) != rows(other, name)).count()
    });
    vec![
        Compared::equal("databases", expected.databases.len(), found.databases.len()),
        each("tables", &|one| vec![one.counts.get("tables").copied().unwrap_or(0)]),
        each("constraints", &|one| counts(one, &CONSTRAINTS)),
        each("objects", &|one| counts(one, &OBJECTS)),
        each("extensions", &|one| vec![one.about.extensions.len() as u64]),
        Compared { agrees: rows.agrees && other_rows == 0, ..rows },
        Compared::equal("digest", 0, differing(&other_digests)),
        Compared::equal("sequences", 0, differing(&other_sequences)),
        Compared::equal(
            "encoding",
            0,
            differing(&|one, other| usize::from(one.about.encoding != other.about.encoding)),
        ),
    ]
}

/// Tables whose digest was recorded and is another one.
fn other_digests(expected: &Database, found: &Database) -> usize {
    let differs = |(name, table): &(&String, &crate::capsule::postgresql::Table)| {
        let found = found.tables.get(*name).and_then(|found| found.digest.as_ref());
        table.digest.is_some() && table.digest.as_ref() != found
    };
    expected.tables.iter().filter(differs).count()
}

/// Sequences that stand where they never stood.
fn other_sequences(expected: &Database, found: &Database) -> usize {
    let differs = |(name, sequence): &(&String, &crate::capsule::postgresql::Sequence)| {
        found.sequences.get(*name).is_none_or(|found| !sequence.holds(found.before))
    };
    expected.sequences.iter().filter(differs).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capsule::postgresql::Position;
    use crate::capsule::postgresql::Sequence;
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

    fn server_of(change: impl FnOnce(&mut Database)) -> PostgresqlTruth {
        use crate::capsule::postgresql::Table;
        let table = |rows, digest: Option<&str>| Table { rows, digest: digest.map(str::to_owned) };
        let mut one = Database::default();
        one.tables.insert("public.t".to_owned(), table(5, Some("1/2")));
        one.tables.insert("public.big".to_owned(), table(7, None));
        one.counts = ["tables", "indexes", "constraints_p"].map(|it| (it.to_owned(), 2)).into();
        let moved = Sequence { before: Position(3, true), after: Position(9, true) };
        one.sequences.insert("public.s".to_owned(), moved);
        let other = one.clone();
        change(&mut one);
        PostgresqlTruth { databases: [("a".to_owned(), one), ("b".to_owned(), other)].into() }
    }

    #[test]
    fn databases_of_a_server_are_compared_one_by_one() {
        let expected = server_of(|_| ());
        let compared =
            |change: &dyn Fn(&mut Database)| failing(&postgresql(&expected, &server_of(change)));
        assert_eq!(compared(&|_| ()), [""; 0]);
        assert_eq!(compared(&|it| it.tables.get_mut("public.big").unwrap().rows = 6), ["rows"]);
        assert_eq!(
            compared(&|it| {
                it.tables.get_mut("public.big").unwrap().rows = 5;
                it.tables.get_mut("public.t").unwrap().rows = 7;
            }),
            ["rows"]
        );
        assert_eq!(
            compared(&|it| it.tables.get_mut("public.t").unwrap().digest = None),
            ["digest"]
        );
        assert_eq!(
            compared(&|it| {
                it.tables.remove("public.t");
                it.counts.insert("tables".to_owned(), 1);
            }),
            ["tables", "rows", "digest"]
        );
        assert_eq!(compared(&|it| it.sequences.clear()), ["sequences"]);
        assert_eq!(
            compared(&|it| it.sequences.get_mut("public.s").unwrap().before = Position(10, true)),
            ["sequences"]
        );
        assert_eq!(compared(&|it| it.about.encoding = "LATIN1".to_owned()), ["encoding"]);
        assert_eq!(compared(&|it| it.counts.clear()), ["tables", "constraints", "objects"]);
        let mut one_less = server_of(|_| ());
        one_less.databases.remove("b");
        let all = ["databases", "tables", "constraints", "objects", "rows", "digest", "sequences"];
        assert_eq!(failing(&postgresql(&expected, &one_less)), all);
    }
}
