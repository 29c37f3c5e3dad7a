//! What the office asks for beyond the checks of a kind.

use std::ffi::OsString;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use rusqlite::Connection;
use rusqlite::OpenFlags;

use crate::drill::check::Found;
use crate::drill::check::broken;
use crate::drill::check::queried;
use crate::drill::plan::Custom;
use crate::drill::server::Servers;
use crate::drill::server::process::Ended;
use crate::drill::server::process::command;
use crate::drill::server::process::output;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;
use crate::run::Run;
use crate::source::stream::command::last_lines;

/// A restored database that a query can be asked of.
pub trait Asked {
    /// The number that the query gives.
    ///
    /// # Errors
    /// What is found instead.
    fn number(&self, query: &str) -> Result<i64, Found>;
}

/// A file of SQLite.
#[derive(Debug)]
pub struct SqliteFile(pub PathBuf);

impl Asked for SqliteFile {
    fn number(&self, query: &str) -> Result<i64, Found> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(&self.0, flags)
            .and_then(|connection| connection.query_row(query, [], |row| row.get::<_, i64>(0)))
            .map_err(|error| Found::failed(FailureCode::F2, error.to_string()))
    }
}

/// Which rung such a check stands on.
#[must_use]
pub const fn level(asked: &Custom) -> Level {
    match asked {
        Custom::File { .. } => Level::L3,
        Custom::Sql { .. } | Custom::Command { .. } => Level::L6,
    }
}

/// How the place tells that it could not start a program; one that is started has other words.
const PLACE_SAYS: &[u8] = b"bwrap: ";

/// What such checks are made with.
pub struct Tools<'a> {
    pub run: &'a Run,
    /// Where programs are started, where they may be.
    pub servers: Option<&'a Servers>,
    /// What queries are asked of.
    pub database: Option<&'a dyn Asked>,
}

/// Looks at what was restored into `folder`.
#[must_use]
pub fn check(asked: &Custom, folder: &Path, tools: &Tools<'_>) -> Found {
    match asked {
        Custom::File { path, bytes_min, .. } => file(folder, path, *bytes_min),
        Custom::Sql { query, min, max, .. } => sql(tools.database, query, (*min, *max)),
        Custom::Command { argv, .. } => program(folder, argv, tools),
    }
}

/// A program of the office, which ends with 0 if what it sees is good. What it prints may be of
/// people, and is written nowhere.
fn program(folder: &Path, argv: &[OsString], tools: &Tools<'_>) -> Found {
    let Some(servers) = tools.servers else {
        return Found::skipped(FailureCode::F8, "isolation I0 starts no program");
    };
    let confinement = match &servers.confinement {
        Ok(confinement) => confinement,
        Err(why) => return Found::skipped(FailureCode::F8, why.as_str()),
    };
    let command = command(&confinement.reading(folder, argv));
    match output(tools.run, command, queried(servers.limit)) {
        Ok(Ended { code, stderr, .. }) if code != Some(0) && stderr.starts_with(PLACE_SAYS) => {
            let why = format!("it cannot be started: {}", last_lines(&stderr));
            Found::skipped(FailureCode::F8, why)
        }
        Ok(Ended { code: Some(code), .. }) => {
            Found::equal(FailureCode::F2, "exit code 0", format!("exit code {code}"))
        }
        Ok(_) => Found::equal(FailureCode::F2, "exit code 0", "a signal"),
        Err(error) => broken(&error),
    }
}

fn file(folder: &Path, path: &str, bytes_min: u64) -> Found {
    // Absolute as at the source, or relative: beneath the folder in any case.
    let own: PathBuf =
        Path::new(path).components().filter(|it| matches!(it, Component::Normal(_))).collect();
    let found = folder.join(own).symlink_metadata();
    let expected = format!("a file of {bytes_min} bytes or more");
    match found {
        Ok(found) if found.is_file() && found.len() >= bytes_min => Found {
            expected: Some(expected),
            actual: Some(format!("{} bytes", found.len())),
            result: Outcome::Pass,
            ..Found::failed(FailureCode::F2, "")
        }
        .with("it is there"),
        Ok(found) if found.is_file() => {
            Found::equal(FailureCode::F2, expected, format!("{} bytes", found.len()))
        }
        Ok(_) => Found::equal(FailureCode::F2, expected, "no file"),
        Err(_) => Found::equal(FailureCode::F2, expected, "nothing"),
    }
}

/// One number of a restored database.
fn sql(database: Option<&dyn Asked>, query: &str, (min, max): (Option<i64>, Option<i64>)) -> Found {
    let Some(database) = database else {
        return Found::skipped(FailureCode::F8, "no database was there to be asked");
    };
    let told = |end: Option<i64>| end.map_or_else(String::new, |end| end.to_string());
    let expected = format!("{}..{}", told(min), told(max));
    match database.number(query) {
        Ok(found) => {
            let is_good = min.is_none_or(|min| found >= min) && max.is_none_or(|max| found <= max);
            let mut one = Found::equal(FailureCode::F2, expected, found);
            one.result = if is_good { Outcome::Pass } else { Outcome::Fail };
            one
        }
        Err(found) => found,
    }
}
