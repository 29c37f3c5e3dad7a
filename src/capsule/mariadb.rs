//! The truth of MariaDB databases: rows, digests, texts, structure. Values and queries; who asks
//! them is given.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::capsule::CapsuleError;

/// Databases of the server itself.
const OWN: &str = "('mysql', 'sys', 'information_schema', 'performance_schema')";
/// Most tables that are recorded.
const TABLES_MAX: usize = 10_000;
/// Tables above this are counted, and their values left out.
const DIGEST_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Most bytes of statements that are said at once: an argument of a program has a limit.
const SAID_BYTES_MAX: usize = 96 * 1024;

/// What the databases of one server hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MariadbTruth {
    /// As the server says it: `10.11.6-MariaDB`.
    pub version: String,
    pub databases: BTreeMap<String, Database>,
}

/// What one database holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub charset: String,
    pub collation: String,
    /// By kind; constraints as `constraints_` and their type.
    pub counts: BTreeMap<String, u64>,
    pub tables: BTreeMap<String, Table>,
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub rows: u64,
    /// Sums of both halves of the digests of all rows; absent for a large table.
    pub digest: Option<String>,
    /// Rows with a letter beyond ASCII in a text; absent with the digest.
    pub non_ascii_rows: Option<u64>,
}

/// Whose values are read, and not only counted.
#[derive(Debug, Clone, Copy)]
pub enum Digests<'t> {
    /// Those of tables that are not large.
    OfSmall,
    /// Those that this has: what a restore takes on the medium is another size.
    As(&'t MariadbTruth),
}

impl Digests<'_> {
    fn has(self, Relation(database, table, bytes): &Relation) -> bool {
        match self {
            Self::OfSmall => *bytes <= DIGEST_BYTES_MAX,
            Self::As(truth) => { truth.databases.get(database) }
                .and_then(|database| database.tables.get(table))
                .is_some_and(|table| table.digest.is_some()),
        }
    }
}

/// 10.11 is 10 011.
#[must_use]
pub fn version_of(text: &str) -> Option<u32> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    let (major, minor) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    major.checked_mul(1000)?.checked_add(minor)
}

impl MariadbTruth {
    /// The server's, as a number.
    #[must_use]
    pub fn version(&self) -> Option<u32> {
        version_of(&self.version)
    }

    /// Rows of all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        let tables = self.databases.values().flat_map(|database| database.tables.values());
        tables.map(|table| table.rows).sum()
    }
}

/// Whoever answers queries with a line for each row.
pub trait Rows {
    /// Statements in one session, each but those without rows answered by its rows.
    ///
    /// # Errors
    /// When there is no answer.
    fn rows(&mut self, statements: &str) -> Result<Vec<String>, CapsuleError>;
}

/// Everything that a row's text depends on; one state of tables whose engine has transactions.
const OPEN: &str = "set time_zone = '+00:00', sql_mode = '', names utf8mb4; \
                    start transaction with consistent snapshot;";

/// A table as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Relation(String, String, u64);

/// A column: database, table, name, type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Column(String, String, String, String);

/// What was read of a table: database, name, rows, both sums, rows with other letters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Reading(String, String, u64, Option<[String; 2]>, Option<u64>);

fn decoded<T: DeserializeOwned>(rows: Vec<String>) -> Result<Vec<T>, CapsuleError> {
    let one = |row: String| {
        serde_json::from_str(&row).map_err(|error| CapsuleError::Read {
            what: "the database".to_owned(),
            detail: format!("an answer that was not expected: {error}"),
        })
    };
    rows.into_iter().map(one).collect()
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// A statement that gives the counts of each database, by kind.
fn counts() -> String {
    let of = |what: &str, schema: &str, from: &str| {
        format!(
            "select {schema} as s, {what} as k, count(*) as n from information_schema.{from} \
             group by 1, 2"
        )
    };
    let all = [
        of(
            "case table_type when 'BASE TABLE' then 'tables' when 'SYSTEM VERSIONED' then \
             'tables' when 'VIEW' then 'views' else lower(table_type) end",
            "table_schema",
            "tables where table_type <> 'TEMPORARY'",
        ),
        of("'triggers'", "trigger_schema", "triggers"),
        of("concat(lower(routine_type), 's')", "routine_schema", "routines"),
        of("'events'", "event_schema", "events"),
        of(
            "concat('constraints_', lower(replace(constraint_type, ' ', '_')))",
            "constraint_schema",
            "table_constraints",
        ),
        "select table_schema as s, 'indexes' as k, count(distinct table_name, index_name) as n \
         from information_schema.statistics group by 1"
            .to_owned(),
    ];
    format!(
        "select json_array(s, k, n) from ({}) q where s not in {OWN} order by s, k;",
        all.join(" union all ")
    )
}

/// Text of a column's value by which values are told apart, whatever set of characters it is in.
fn text(name: &str, kind: &str) -> String {
    let name = quoted(name);
    let value = match kind {
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set"
        | "json" => format!("md5(convert({name} using utf8mb4))"),
        "bit" => format!("cast({name} + 0 as char)"),
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "float"
        | "double" | "date" | "time" | "datetime" | "timestamp" | "year" | "uuid" | "inet4"
        | "inet6" => format!("cast({name} as char)"),
        _ => format!("md5(cast({name} as binary))"),
    };
    format!("ifnull({value}, '-')")
}

fn is_text(kind: &str) -> bool {
    matches!(kind, "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "json")
}

/// A statement that reads a table, or counts its rows; the latter too where the statement would be
/// too long.
fn reading(relation: &Relation, columns: &[&Column], digests: Digests<'_>) -> String {
    let Relation(database, table, _) = relation;
    let (from, head) = (
        format!("{}.{}", quoted(database), quoted(table)),
        format!("{}, {}", literal(database), literal(table)),
    );
    let counted = format!("select json_array({head}, count(*), null, null) from {from};");
    if !digests.has(relation) || columns.is_empty() {
        return counted;
    }
    let texts: Vec<String> =
        columns.iter().map(|Column(_, _, name, kind)| text(name, kind)).collect();
    let others: Vec<String> = { columns.iter() }
        .filter(|column| is_text(&column.3))
        .map(|column| {
            let name = quoted(&column.2);
            format!("ifnull(length(convert({name} using utf8mb4)) <> char_length({name}), 0)")
        })
        .collect();
    let other = if others.is_empty() { "0".to_owned() } else { others.join(" or ") };
    let half = |side: &str| {
        format!("cast(ifnull(sum(cast(conv({side}(m, 16), 16, 10) as unsigned)), 0) as char)")
    };
    let read = format!(
        "select json_array({head}, count(*), json_array({}, {}), cast(ifnull(sum(w), 0) as \
         unsigned)) from (select md5(concat_ws(',', {})) as m, ({other}) as w from {from}) q;",
        half("left"),
        half("right"),
        texts.join(", ")
    );
    if read.len() > SAID_BYTES_MAX { counted } else { read }
}

/// Names of all databases but the server's own.
///
/// # Errors
/// When they cannot be asked.
pub fn read_names(asked: &mut dyn Rows) -> Result<Vec<String>, CapsuleError> {
    let query = format!(
        "select json_array(schema_name) from information_schema.schemata where schema_name not \
         in {OWN} order by 1;"
    );
    let names = decoded::<(String,)>(asked.rows(&query)?)?;
    Ok(names.into_iter().map(|(name,)| name).collect())
}

/// What these databases hold, or all but the server's own.
///
/// # Errors
/// When something cannot be asked, or there are too many tables.
pub fn read(
    asked: &mut dyn Rows,
    named: &[String],
    digests: Digests<'_>,
) -> Result<MariadbTruth, CapsuleError> {
    let is_asked = |name: &String| named.is_empty() || named.contains(name);
    let version = decoded::<(String,)>(asked.rows("select json_array(version());")?)?;
    let version = version.into_iter().next().map(|(version,)| version).unwrap_or_default();
    let mut truth = MariadbTruth { version, databases: BTreeMap::new() };
    let schemas = format!(
        "select json_array(schema_name, default_character_set_name, default_collation_name) from \
         information_schema.schemata where schema_name not in {OWN} order by 1;"
    );
    for (name, charset, collation) in decoded::<(String, String, String)>(asked.rows(&schemas)?)? {
        if is_asked(&name) {
            let database = Database { charset, collation, ..Database::default() };
            truth.databases.insert(name, database);
        }
    }
    for (database, kind, count) in decoded::<(String, String, u64)>(asked.rows(&counts())?)? {
        if let Some(database) = truth.databases.get_mut(&database) {
            database.counts.insert(kind, count);
        }
    }
    let relations = format!(
        "select json_array(table_schema, table_name, ifnull(data_length, 0)) from \
         information_schema.tables where table_type in ('BASE TABLE', 'SYSTEM VERSIONED') and \
         table_schema not in {OWN} order by table_schema, table_name;"
    );
    let mut relations = decoded::<Relation>(asked.rows(&relations)?)?;
    relations.retain(|relation| is_asked(&relation.0));
    if relations.len() > TABLES_MAX {
        let detail = format!("it has more than {TABLES_MAX} tables");
        return Err(CapsuleError::Read { what: "the database".to_owned(), detail });
    }
    let columns = format!(
        "select json_array(table_schema, table_name, column_name, lower(data_type)) from \
         information_schema.columns where table_schema not in {OWN} order by table_schema, \
         table_name, column_name;"
    );
    let columns = decoded::<Column>(asked.rows(&columns)?)?;
    let mut of_table: BTreeMap<(&str, &str), Vec<&Column>> = BTreeMap::new();
    for column in &columns {
        of_table.entry((&column.0, &column.1)).or_default().push(column);
    }
    let none = Vec::new();
    let mut said = OPEN.to_owned();
    for relation in &relations {
        let columns = of_table.get(&(relation.0.as_str(), relation.1.as_str())).unwrap_or(&none);
        let statement = reading(relation, columns, digests);
        if said.len() + statement.len() > SAID_BYTES_MAX {
            note(&mut truth, asked.rows(&said)?)?;
            said = OPEN.to_owned();
        }
        said.push('\n');
        said.push_str(&statement);
    }
    note(&mut truth, asked.rows(&said)?)?;
    Ok(truth)
}

fn note(truth: &mut MariadbTruth, rows: Vec<String>) -> Result<(), CapsuleError> {
    for Reading(database, name, rows, digest, non_ascii_rows) in decoded::<Reading>(rows)? {
        let digest = digest.map(|[left, right]| format!("{left}/{right}"));
        if let Some(database) = truth.databases.get_mut(&database) {
            database.tables.insert(name, Table { rows, digest, non_ascii_rows });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Scripted {
        said: Vec<String>,
    }

    impl Rows for Scripted {
        fn rows(&mut self, statements: &str) -> Result<Vec<String>, CapsuleError> {
            self.said.push(statements.to_owned());
            let all: &[&str] = if statements.contains("version()") {
                &[r#"["10.11.19-MariaDB-0+deb12u1"]"#]
            } else if statements.contains("information_schema.schemata") {
                &[r#"["hồ sơ","utf8mb4","utf8mb4_general_ci"]"#, r#"["other","latin1","x"]"#]
            } else if statements.contains("'triggers'") {
                &[r#"["hồ sơ","tables",2]"#, r#"["hồ sơ","procedures",1]"#]
            } else if statements.contains("data_length") {
                &[r#"["hồ sơ","t`x",100]"#, r#"["hồ sơ","big",999999999]"#, r#"["other","o",1]"#]
            } else if statements.contains("column_name") {
                &[
                    r#"["hồ sơ","t`x","id","int"]"#,
                    r#"["hồ sơ","t`x","tên","varchar"]"#,
                    r#"["hồ sơ","big","id","int"]"#,
                ]
            } else {
                &[r#"["hồ sơ","t`x",3,["1","2"],2]"#, r#"["hồ sơ","big",7,null,null]"#]
            };
            Ok(all.iter().map(|row| (*row).to_owned()).collect())
        }
    }

    #[test]
    fn databases_are_read_table_by_table() {
        let mut asked = Scripted::default();
        let named = ["hồ sơ".to_owned()];
        let truth = read(&mut asked, &named, Digests::OfSmall).unwrap();
        assert_eq!((truth.version(), truth.rows()), (Some(10_011), 10));
        assert_eq!(truth.databases.keys().collect::<Vec<_>>(), ["hồ sơ"]);
        let database = &truth.databases["hồ sơ"];
        assert_eq!((database.counts["tables"], database.counts["procedures"]), (2, 1));
        let wanted = Table { rows: 3, digest: Some("1/2".to_owned()), non_ascii_rows: Some(2) };
        assert_eq!(database.tables["t`x"], wanted);
        assert_eq!(database.tables["big"].digest, None);
        let last = asked.said.last().unwrap();
        assert!(last.contains("`hồ sơ`.`t``x`") && last.contains("cast(`id` as char)"), "{last}");
        assert!(last.contains("md5(convert(`tên` using utf8mb4))"), "{last}");
        assert!(
            last.contains("count(*), null, null) from `hồ sơ`.`big`") && !last.contains("other")
        );
        // However large it is where it was restored: what was recorded is what is read.
        let mut other = truth.clone();
        other.databases.get_mut("hồ sơ").unwrap().tables.get_mut("big").unwrap().digest =
            Some("3/4".to_owned());
        other.databases.get_mut("hồ sơ").unwrap().tables.get_mut("t`x").unwrap().digest = None;
        read(&mut asked, &named, Digests::As(&other)).unwrap();
        let last = asked.said.last().unwrap();
        assert!(last.contains("null, null) from `hồ sơ`.`t``x`"), "{last}");
        assert!(!last.contains("null, null) from `hồ sơ`.`big`"), "{last}");
        assert_eq!(version_of("10.6"), Some(10_006));
        assert_eq!(version_of("x"), None);
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for row in ["", "null", "[1]", "[\"a\",\"b\",-1,null,0]"] {
            assert!(decoded::<Reading>(vec![row.to_owned()]).is_err(), "{row}");
        }
    }
}
