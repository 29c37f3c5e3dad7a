//! L4 and L5 of an SQLite database: its header, and its own engine on all of it.

pub mod dump;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::OpenFlags;

use crate::capsule::sqlite::SqliteTruth;
use crate::capsule::sqlite::read;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;

/// What a database begins with (its format's section 1.3).
const HEAD: &[u8] = b"SQLite format 3\0";
/// Problems that the engine names at most.
const PROBLEMS_MAX: u32 = 5;

/// Checks a restored database. What it holds, if it can be read; a hostile schema is not trusted:
/// no function of it runs that could do harm.
pub fn check(checks: &mut Checks<'_>, path: &Path, pages: Option<u64>) -> Option<SqliteTruth> {
    checks.start();
    checks.note((Level::L4, "sqlite.header"), Weight::Mandatory, header(path, pages));
    let opened = open(path);
    let connection = match opened {
        Ok(connection) => connection,
        Err(error) => {
            let found = Found::failed(FailureCode::F3, error.to_string());
            checks.note((Level::L5, "sqlite.open"), Weight::Mandatory, found);
            return None;
        }
    };
    let integrity = rows(&connection, &format!("pragma integrity_check({PROBLEMS_MAX})"));
    let found = match integrity {
        Ok(said) if said == ["ok"] => Found::equal(FailureCode::F1, "ok", "ok"),
        // The engine names tables and indexes, which are no personal data.
        Ok(said) => Found::equal(FailureCode::F1, "ok", format!("{} problems", said.len())),
        Err(error) => Found::failed(FailureCode::F1, error.to_string()),
    };
    checks.note((Level::L5, "sqlite.integrity"), Weight::Mandatory, found);
    match read(&connection) {
        Ok(truth) => Some(truth),
        Err(error) => {
            let found = Found::failed(FailureCode::F1, error.to_string());
            checks.note((Level::L5, "sqlite.read"), Weight::Mandatory, found);
            None
        }
    }
}

/// Whether a file is a database, and not statements that make one.
#[must_use]
pub fn is_database(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(16).read_to_end(&mut head));
    read.is_ok() && (head.is_empty() || head.starts_with(HEAD))
}

/// A header that says that changes stand in a log beside it: one that was closed has none, so it
/// is only told.
pub fn wal_pair(checks: &mut Checks<'_>, path: &Path) {
    const WAL: [u8; 2] = [2, 2];
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(20).read_to_end(&mut head));
    if read.is_ok() && head.get(18..20) == Some(&WAL) {
        let why = "its header tells of a log of changes, and none was captured";
        let found = Found::skipped(FailureCode::F2, why);
        checks.note((Level::L4, "sqlite.wal_pair"), Weight::Minor, found);
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch("pragma trusted_schema = off; pragma cell_size_check = on")?;
    Ok(connection)
}

fn rows(connection: &Connection, query: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(query)?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// The file begins as a database and has as many pages as were recorded.
fn header(path: &Path, pages: Option<u64>) -> Found {
    let mut head = [0; 100];
    let read = File::open(path).and_then(|mut file| {
        let mut filled = 0;
        while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read(rest)? {
                0 => break,
                len => filled += len,
            }
        }
        Ok((filled, file.metadata()?.len()))
    });
    let (filled, len_bytes) = match read {
        Ok(read) => read,
        Err(error) => return Found::failed(FailureCode::F2, error.to_string()),
    };
    if len_bytes == 0 && pages == Some(0) {
        return Found::equal(FailureCode::F2, "0 pages", "0 pages");
    }
    if filled < head.len() || !head.starts_with(HEAD) {
        let expected = pages.map_or_else(|| "a database".to_owned(), |n| format!("{n} pages"));
        return Found::equal(FailureCode::F2, expected, format!("{len_bytes} bytes, no header"));
    }
    let size = match u16::from_be_bytes([head[16], head[17]]) {
        1 => 65536,
        size => u64::from(size),
    };
    let found = len_bytes.checked_div(size).unwrap_or(0);
    // The copy of a database without a page has its first one.
    let expected = pages.map_or(found, |pages| pages.max(1));
    Found::equal(FailureCode::F2, format!("{expected} pages"), format!("{found} pages"))
}
