//! The truth of PostgreSQL databases: rows, digests, sequences, structure. Values and queries; who
//! asks them is given.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::capsule::CapsuleError;

/// Least version that is asked: `server_version_num`.
pub const VERSION_MIN: u32 = 100_000;
/// Most tables of a database that are recorded.
const TABLES_MAX: usize = 10_000;
/// Tables and large objects above this are counted, and their values left out.
const DIGEST_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Tables or sequences of one statement.
const BATCH: usize = 200;
/// Key of large objects among tables: no table's, for each of those has a dot.
const LARGE_OBJECTS: &str = "large objects";

/// What the databases of one server hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresqlTruth {
    pub databases: BTreeMap<String, Database>,
}

impl PostgresqlTruth {
    /// Version of the server, as people call it.
    #[must_use]
    pub fn version(&self) -> Option<u32> {
        self.databases.values().map(|database| database.about.version_num / 10_000).max()
    }
}

/// What one database holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub about: About,
    /// By kind; constraints as `constraints_` and their letter.
    pub counts: BTreeMap<String, u64>,
    pub tables: BTreeMap<String, Table>,
    pub sequences: BTreeMap<String, Sequence>,
}

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// `server_version_num`.
    pub version_num: u32,
    pub encoding: String,
    pub collate: String,
    pub ctype: String,
    pub extensions: Vec<String>,
    /// Whether policies on rows do not concern the user who read it. Where they would have hidden
    /// a row there is no truth.
    pub bypasses_row_security: bool,
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub rows: u64,
    /// Sums of both halves of the digests of all rows; absent for a large table.
    pub digest: Option<String>,
}

/// Where a sequence stands before and after the dump: it takes part in no transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    pub before: Position,
    pub after: Position,
}

/// Last value, and whether it was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position(pub i64, pub bool);

impl Sequence {
    /// Whether a position lies between the two.
    #[must_use]
    pub fn holds(&self, found: Position) -> bool {
        let (low, high) = (self.before.0.min(self.after.0), self.before.0.max(self.after.0));
        let has_moved = self.before != self.after;
        let is_between = has_moved && found.1 && (low..=high).contains(&found.0);
        found == self.before || found == self.after || is_between
    }
}

/// Whoever answers a query with the one line of JSON that it gives.
pub trait Answers {
    /// Statements without an answer.
    ///
    /// # Errors
    /// When it cannot be said.
    fn tell(&mut self, statements: &str) -> Result<(), CapsuleError>;

    /// One query with one value.
    ///
    /// # Errors
    /// When there is no answer.
    fn ask(&mut self, query: &str) -> Result<String, CapsuleError>;
}

/// A table as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Relation {
    /// As statements have it.
    name: String,
    bytes: u64,
    /// In the order of their names: a restore may give them another one.
    columns: Vec<String>,
}

/// What is to be read within an open transaction.
#[derive(Debug)]
pub struct Reading {
    tables: Vec<Relation>,
    sequences: Vec<String>,
    before: BTreeMap<String, Position>,
}

/// Everything that a row's text depends on; nobody's policies, and no limit of time.
const OPEN: &str = "begin transaction isolation level repeatable read, read only;
set local search_path = '';
set local row_security = off;
set local datestyle = 'ISO, MDY';
set local intervalstyle = 'postgres';
set local extra_float_digits = 3;
set local bytea_output = 'hex';
set local timezone = 'UTC';
set local lc_monetary = 'C';
set local xmloption = 'content';
set local lock_timeout = 600000;";

/// Limits that not every version has, off; a server that looks whether its client is still there.
const LIMITS: &str = "select jsonb_agg(set_config(name, case name when \
'client_connection_check_interval' then '5000' else '0' end, true)) from pg_catalog.pg_settings \
where name in ('statement_timeout', 'idle_in_transaction_session_timeout', \
'idle_session_timeout', 'transaction_timeout', 'client_connection_check_interval')";

/// What belongs to nobody's extension, in a schema of the users.
macro_rules! own {
    ($class:literal, $oid:literal, $schema:literal) => {
        concat!(
            $schema,
            " in (select oid from pg_namespace where nspname !~ '^pg_' and nspname <> \
             'information_schema') and not exists (select from pg_depend d where d.classid = '",
            $class,
            "'::regclass and d.objid = ",
            $oid,
            " and d.deptype = 'e')"
        )
    };
}

const ABOUT: &str = "select jsonb_build_object('version_num', \
current_setting('server_version_num')::int, 'encoding', pg_encoding_to_char(encoding), 'collate', \
coalesce(datcollate::text, ''), 'ctype', coalesce(datctype::text, ''), 'extensions', (select \
coalesce(jsonb_agg(extname order by extname), '[]') from pg_extension), 'bypasses_row_security', \
(select rolsuper or rolbypassrls from pg_roles where rolname = current_user)) from pg_database \
where datname = current_database()";

const TABLES: &str = concat!(
    "select coalesce(jsonb_agg(jsonb_build_object('name', format('%I.%I', n.nspname, c.relname), \
     'bytes', pg_table_size(c.oid), 'columns', (select coalesce(jsonb_agg(format('%I', a.attname) \
     order by a.attname collate \"C\"), '[]') from pg_attribute a where a.attrelid = c.oid and \
     a.attnum > 0 and not a.attisdropped)) order by c.oid), '[]') from pg_class c join \
     pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and c.relpersistence <> 't' \
     and ",
    own!("pg_class", "c.oid", "c.relnamespace")
);

const SEQUENCES: &str = concat!(
    "select coalesce(jsonb_agg(format('%I.%I', n.nspname, c.relname) order by c.oid), '[]') from \
     pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'S' and \
     c.relpersistence <> 't' and ",
    own!("pg_class", "c.oid", "c.relnamespace")
);

/// What a dump leaves out is not counted: what belongs to an extension, indexes that are not
/// valid, and what a partition has from its parent.
const COUNTS: &str = concat!(
    "with own as (select c.oid, c.relkind, c.relispartition from pg_class c where \
     c.relpersistence <> 't' and ",
    own!("pg_class", "c.oid", "c.relnamespace"),
    "), counted as (select case relkind when 'r' then 'tables' when 'p' then 'partitioned' when \
     'v' then 'views' when 'm' then 'matviews' when 'S' then 'sequences' when 'f' then 'foreign' \
     end as what, 1 as n from own where relkind in ('r', 'p', 'v', 'm', 'S', 'f') union all \
     select 'indexes', 1 from pg_index i join own o on o.oid = i.indrelid where i.indisvalid or \
     o.relkind = 'p' union all select 'constraints_' || k.contype::text, 1 from pg_constraint k \
     join own o on o.oid = k.conrelid where k.conislocal and k.contype in ('p', 'u', 'f', 'c', \
     'x') union all select 'triggers', 1 from pg_trigger g join own o on o.oid = g.tgrelid where \
     not g.tgisinternal and not o.relispartition union all select 'policies', 1 from pg_policy p \
     join own o on o.oid = p.polrelid union all select 'functions', 1 from pg_proc f where ",
    own!("pg_proc", "f.oid", "f.pronamespace"),
    " union all select 'large_objects', 1 from pg_largeobject_metadata) select \
     coalesce(jsonb_object_agg(what, n), '{}') from (select what, count(*) as n from counted \
     group by what) q"
);

/// Whether the values of large objects may be read and are few.
const LARGE_READ: &str = "select to_jsonb(case when \
has_table_privilege('pg_catalog.pg_largeobject', 'select') then pg_table_size('pg_largeobject') \
else -1 end)";
const LARGE_PAGES: &str = "select to_jsonb(coalesce(max(pageno), 0)) from pg_largeobject";
/// Bytes of a page of a large object.
const LARGE_PAGE_BYTES: u64 = 2048;

/// Digest of the rows of `from`, whose text is `text`.
fn summed(text: &str, from: &str) -> String {
    let half =
        |side: &str| format!("coalesce(sum(('x' || {side}(m, 16))::bit(64)::bigint), 0)::text");
    let (left, right) = (half("left"), half("right"));
    format!(
        "select jsonb_build_array(count(*), {left}, {right}) from (select md5({text}) as m from \
         {from}) q"
    )
}

fn decoded<T: for<'de> Deserialize<'de>>(answer: &str) -> Result<T, CapsuleError> {
    serde_json::from_str(answer).map_err(|error| CapsuleError::Read {
        what: "the database".to_owned(),
        detail: format!("an answer that was not expected: {error}"),
    })
}

/// Opens the transaction and keeps every table as it is until its end.
///
/// # Errors
/// When something cannot be asked.
pub fn begin(session: &mut dyn Answers) -> Result<Reading, CapsuleError> {
    session.tell(OPEN)?;
    session.ask(LIMITS)?;
    let tables: Vec<Relation> = decoded(&session.ask(TABLES)?)?;
    if tables.len() > TABLES_MAX {
        let detail = format!("it has more than {TABLES_MAX} tables");
        return Err(CapsuleError::Read { what: "the database".to_owned(), detail });
    }
    for some in tables.chunks(BATCH) {
        let names: Vec<_> = some.iter().map(|table| format!("only {}", table.name)).collect();
        session.tell(&format!("lock table {} in access share mode;", names.join(", ")))?;
    }
    let sequences: Vec<String> = decoded(&session.ask(SEQUENCES)?)?;
    let before = positions(session, &sequences)?;
    Ok(Reading { tables, sequences, before })
}

impl Reading {
    /// Values are read of the tables whose values were: what a restore takes on the medium is
    /// another size.
    pub fn digests_as(&mut self, expected: &Database) {
        for relation in &mut self.tables {
            let table = expected.tables.get(&relation.name);
            let has_digest = table.is_some_and(|table| table.digest.is_some());
            relation.bytes = if has_digest { 0 } else { u64::MAX };
        }
    }
}

/// Name of the state that the transaction sees, for others.
///
/// # Errors
/// When the server gives none.
pub fn exported(session: &mut dyn Answers) -> Result<String, CapsuleError> {
    decoded(&session.ask("select to_jsonb(pg_export_snapshot())")?)
}

fn positions(
    session: &mut dyn Answers,
    names: &[String],
) -> Result<BTreeMap<String, Position>, CapsuleError> {
    let mut all = BTreeMap::new();
    for some in names.chunks(BATCH) {
        let each = some.iter().enumerate().map(|(at, name)| {
            format!("(select {at} as at, last_value as v, is_called as c from {name})")
        });
        let query = format!(
            "select jsonb_agg(jsonb_build_array(v, c) order by at) from ({}) q",
            each.collect::<Vec<_>>().join(" union all ")
        );
        let found: Vec<Position> = decoded(&session.ask(&query)?)?;
        all.extend(some.iter().cloned().zip(found));
    }
    Ok(all)
}

/// Reads all but where sequences stand at last.
///
/// # Errors
/// When something cannot be read.
pub fn read(session: &mut dyn Answers, reading: &Reading) -> Result<Database, CapsuleError> {
    let about = decoded(&session.ask(ABOUT)?)?;
    let counts = decoded(&session.ask(COUNTS)?)?;
    let mut tables = BTreeMap::new();
    for relation in &reading.tables {
        let name = &relation.name;
        let table = if relation.bytes > DIGEST_BYTES_MAX {
            let query = format!("select to_jsonb(count(*)) from only {name}");
            Table { rows: decoded(&session.ask(&query)?)?, digest: None }
        } else {
            let columns: Vec<_> = relation.columns.iter().map(|it| format!("t.{it}")).collect();
            let text = format!("row({})::text", columns.join(", "));
            table(&session.ask(&summed(&text, &format!("only {name} t")))?)?
        };
        tables.insert(name.clone(), table);
    }
    let large_bytes: i64 = decoded(&session.ask(LARGE_READ)?)?;
    if u64::try_from(large_bytes).is_ok_and(|bytes| bytes <= DIGEST_BYTES_MAX) {
        let pages: u64 = decoded(&session.ask(LARGE_PAGES)?)?;
        if pages < DIGEST_BYTES_MAX / LARGE_PAGE_BYTES {
            let text = "oid::text || ':' || md5(lo_get(oid))";
            let query = summed(text, "pg_largeobject_metadata");
            tables.insert(LARGE_OBJECTS.to_owned(), table(&session.ask(&query)?)?);
        }
    }
    let standing =
        |(name, &at): (&String, &Position)| (name.clone(), Sequence { before: at, after: at });
    let sequences = reading.before.iter().map(standing).collect();
    Ok(Database { about, counts, tables, sequences })
}

fn table(answer: &str) -> Result<Table, CapsuleError> {
    let (rows, left, right): (u64, String, String) = decoded(answer)?;
    Ok(Table { rows, digest: Some(format!("{left}/{right}")) })
}

/// Looks at sequences once more, and ends the transaction.
///
/// # Errors
/// When they cannot be read.
pub fn end(
    session: &mut dyn Answers,
    reading: &Reading,
    database: &mut Database,
) -> Result<(), CapsuleError> {
    for (name, position) in positions(session, &reading.sequences)? {
        if let Some(sequence) = database.sequences.get_mut(&name) {
            sequence.after = position;
        }
    }
    session.tell("commit;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers as a server would that has one table and one sequence.
    #[derive(Default)]
    struct Scripted {
        said: Vec<String>,
        last_value: i64,
    }

    impl Answers for Scripted {
        fn tell(&mut self, statements: &str) -> Result<(), CapsuleError> {
            self.said.push(statements.to_owned());
            Ok(())
        }

        fn ask(&mut self, query: &str) -> Result<String, CapsuleError> {
            self.said.push(query.to_owned());
            let answer = match query {
                TABLES => {
                    r#"[{"name": "public.\"hồ sơ\"", "bytes": 8192, "columns": ["a", "\"B\""]},
                    {"name": "public.big", "bytes": 268435457, "columns": ["a"]}]"#
                }
                SEQUENCES => r#"["public.s"]"#,
                ABOUT => {
                    r#"{"version_num": 150018, "encoding": "UTF8", "collate": "C", "ctype": "C",
                        "extensions": [], "bypasses_row_security": true}"#
                }
                COUNTS => r#"{"tables": 2, "constraints_p": 1}"#,
                LIMITS => "[]",
                LARGE_READ => "-1",
                _ if query.contains("last_value") => {
                    self.last_value += 10;
                    return Ok(format!("[[{}, true]]", self.last_value));
                }
                _ if query.contains("public.big") => "7",
                _ => r#"[2, "-5", "9223372036854775808"]"#,
            };
            Ok(answer.to_owned())
        }
    }

    #[test]
    fn a_database_is_read_table_by_table() {
        let mut session = Scripted::default();
        let reading = begin(&mut session).unwrap();
        let mut database = read(&mut session, &reading).unwrap();
        end(&mut session, &reading, &mut database).unwrap();
        let table = &database.tables["public.\"hồ sơ\""];
        assert_eq!((table.rows, table.digest.as_deref()), (2, Some("-5/9223372036854775808")));
        assert_eq!(database.tables["public.big"], Table { rows: 7, digest: None });
        let sequence = &database.sequences["public.s"];
        assert_eq!((sequence.before, sequence.after), (Position(10, true), Position(20, true)));
        let asks = |what: &str| session.said.iter().any(|said| said.contains(what));
        assert!(asks("lock table only public.\"hồ sơ\", only public.big in access share mode;"));
        assert!(asks("md5(row(t.a, t.\"B\")::text)") && !asks("pg_largeobject_metadata) q"));
        assert_eq!(session.said.last().unwrap(), "commit;");
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for text in ["", "null", "[1]", "[1, 2, 3]", "[-1, \"1\", \"2\"]"] {
            assert!(table(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_sequence_is_where_it_was_meanwhile() {
        let sequence = Sequence { before: Position(5, true), after: Position(9, true) };
        let holds = |at, is_called| sequence.holds(Position(at, is_called));
        assert!(holds(5, true) && holds(7, true) && holds(9, true));
        assert!(!holds(4, true) && !holds(10, true) && !holds(5, false));
        let fresh = Sequence { before: Position(1, false), after: Position(1, false) };
        assert!(fresh.holds(Position(1, false)) && !fresh.holds(Position(1, true)));
    }
}
