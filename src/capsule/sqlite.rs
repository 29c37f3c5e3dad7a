//! The truth of an SQLite database: rows, digests, structure.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde::Deserialize;
use serde::Serialize;

use crate::capsule::CapsuleError;

/// Most tables that are recorded.
const TABLES_MAX: usize = 10_000;

/// What a database holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqliteTruth {
    pub page_size: u64,
    pub page_count: u64,
    pub user_version: i64,
    pub application_id: i64,
    pub indexes: u64,
    pub triggers: u64,
    pub views: u64,
    pub fk_violations: u64,
    pub tables: BTreeMap<String, Table>,
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub rows: u64,
    /// Sum modulo 2^128 of the hashes of all rows; 32 hex digits.
    pub digest: String,
}

fn failed(error: rusqlite::Error) -> CapsuleError {
    CapsuleError::Read { what: "the database".to_owned(), detail: error.to_string() }
}

fn number(connection: &Connection, query: &str) -> Result<i64, CapsuleError> {
    connection.query_row(query, [], |row| row.get(0)).map_err(failed)
}

fn count(connection: &Connection, query: &str) -> Result<u64, CapsuleError> {
    Ok(u64::try_from(number(connection, query)?).unwrap_or(0))
}

/// Reads everything, within the transaction that `connection` is in.
///
/// # Errors
/// When something cannot be read.
pub fn read(connection: &Connection) -> Result<SqliteTruth, CapsuleError> {
    let of_type = |kind: &str| format!("select count(*) from sqlite_schema where type = '{kind}'");
    let mut truth = SqliteTruth {
        page_size: count(connection, "pragma page_size")?,
        page_count: count(connection, "pragma page_count")?,
        user_version: number(connection, "pragma user_version")?,
        application_id: number(connection, "pragma application_id")?,
        indexes: count(connection, &of_type("index"))?,
        triggers: count(connection, &of_type("trigger"))?,
        views: count(connection, &of_type("view"))?,
        fk_violations: count(connection, "select count(*) from pragma_foreign_key_check")?,
        tables: BTreeMap::new(),
    };
    // Shadow tables of virtual ones hold their content; these are read in their place.
    let query = "select name from pragma_table_list where schema = 'main' and type in \
                 ('table', 'shadow') and name not like 'sqlite\\_%' escape '\\' order by name";
    let mut statement = connection.prepare(query).map_err(failed)?;
    let names = statement.query_map([], |row| row.get::<_, String>(0)).map_err(failed)?;
    for name in names {
        let name = name.map_err(failed)?;
        if truth.tables.len() >= TABLES_MAX {
            let detail = format!("it has more than {TABLES_MAX} tables");
            return Err(CapsuleError::Read { what: "the database".to_owned(), detail });
        }
        let table = table(connection, &name)?;
        truth.tables.insert(name, table);
    }
    Ok(truth)
}

fn table(connection: &Connection, name: &str) -> Result<Table, CapsuleError> {
    let query = format!("select * from \"{}\"", name.replace('"', "\"\""));
    let mut statement = connection.prepare(&query).map_err(failed)?;
    let columns = statement.column_count();
    let mut rows = statement.query([]).map_err(failed)?;
    let (mut count, mut sum) = (0, 0_u128);
    let mut record = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        record.clear();
        for at in 0..columns {
            add(&mut record, row.get_ref(at).map_err(failed)?);
        }
        let mut half = [0; 16];
        half.copy_from_slice(blake3::hash(&record).as_bytes().split_at(16).0);
        sum = sum.wrapping_add(u128::from_le_bytes(half));
        count += 1;
    }
    Ok(Table { rows: count, digest: format!("{sum:032x}") })
}

/// A value as its type, its length and its bytes, so that no two rows are written alike.
fn add(record: &mut Vec<u8>, value: ValueRef<'_>) {
    let mut part = |kind: u8, bytes: &[u8]| {
        record.push(kind);
        record.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        record.extend_from_slice(bytes);
    };
    match value {
        ValueRef::Null => part(b'n', &[]),
        ValueRef::Integer(number) => part(b'i', &number.to_le_bytes()),
        ValueRef::Real(number) => part(b'r', &number.to_bits().to_le_bytes()),
        ValueRef::Text(text) => part(b't', text),
        ValueRef::Blob(bytes) => part(b'b', bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(statements: &str) -> SqliteTruth {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(statements).unwrap();
        read(&connection).unwrap()
    }

    #[test]
    fn rows_in_any_order_are_the_same_truth() {
        let head = "create table t(a, b); create index i on t(a); create view v as select 1;";
        let one = database(&format!("{head} insert into t values (1, 'x'), (2, null)"));
        let other = database(&format!("{head} insert into t values (2, null), (1, 'x')"));
        assert_eq!(one, other);
        assert_eq!((one.indexes, one.views, one.tables["t"].rows), (1, 1, 2));
    }

    #[test]
    fn any_other_value_is_another_truth() {
        let digest = |values: &str| {
            let made = format!("create table t(a, b); insert into t values {values}");
            database(&made).tables["t"].digest.clone()
        };
        let all = ["(1, 'x')", "('1', 'x')", "(1.0, 'x')", "(1, x'78')", "('1x', '')", "(1, null)"];
        for (at, one) in all.iter().enumerate() {
            for other in all.iter().skip(at + 1) {
                assert_ne!(digest(one), digest(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn broken_references_are_counted() {
        let truth = database(
            "pragma foreign_keys = off; create table p(id integer primary key); \
             create table c(p references p(id)); insert into c values (7)",
        );
        assert_eq!(truth.fk_violations, 1);
    }
}
