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
use crate::drill::plan::Probe;
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
        Custom::Sql { .. } | Custom::Command { .. } | Custom::Newest { .. } => Level::L6,
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
        // Its age is judged by whoever knows when the loss happened.
        Custom::Newest { .. } => Found::skipped(FailureCode::F8, "it is judged by its age"),
    }
}

/// A program of the office, which ends with 0 if what it sees is good. What it prints may be of
/// people, and is written nowhere.
fn program(folder: &Path, argv: &[OsString], tools: &Tools<'_>) -> Found {
    match printed(folder, argv, tools) {
        Ok(_) => Found::equal(FailureCode::F2, "exit code 0", "exit code 0"),
        Err(found) => found,
    }
}

/// What a program of the office prints that ends with 0.
///
/// # Errors
/// What is found instead.
pub fn printed(folder: &Path, argv: &[OsString], tools: &Tools<'_>) -> Result<Vec<u8>, Found> {
    let skipped = |why: &str| Found::skipped(FailureCode::F8, why);
    let servers = tools.servers.ok_or_else(|| skipped("isolation I0 starts no program"))?;
    let confinement = servers.confinement.as_ref().map_err(|why| skipped(why))?;
    let command = command(&confinement.reading(folder, argv));
    let code = match output(tools.run, command, queried(servers.limit)) {
        Ok(Ended { code: Some(0), stdout, .. }) => return Ok(stdout),
        Ok(Ended { stderr, .. }) if stderr.starts_with(PLACE_SAYS) => {
            let why = format!("it cannot be started: {}", last_lines(&stderr));
            return Err(skipped(&why));
        }
        Ok(Ended { code: Some(code), .. }) => format!("exit code {code}"),
        Ok(_) => "a signal".to_owned(),
        Err(error) => return Err(broken(&error)),
    };
    Err(Found::equal(FailureCode::F2, "exit code 0", code))
}

/// When the newest content is of, in seconds since 1970; `inside` is what is known of it without
/// asking.
///
/// # Errors
/// What is found instead.
pub fn newest(
    probe: &Probe,
    (folder, inside): (&Path, Option<i64>),
    tools: &Tools<'_>,
) -> Result<i64, Found> {
    match probe {
        Probe::Inside => inside
            .ok_or_else(|| Found::failed(FailureCode::F5, "nothing inside tells of when it is")),
        Probe::Sql(query) => match tools.database {
            Some(database) => database.number(query),
            None => Err(Found::skipped(FailureCode::F8, "no database was there to be asked")),
        },
        Probe::Command(argv) => {
            let said = printed(folder, argv, tools)?;
            time(&String::from_utf8_lossy(&said)).ok_or_else(|| {
                let why = "the program prints no time, such as 2026-11-26T08:00:00+07:00";
                Found::failed(FailureCode::F2, why)
            })
        }
    }
}

/// `2026-11-26`.
const DAY_CHARS: usize = 10;

/// Seconds since 1970, a time with its zone, or a day, which ends in UTC.
fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    let seconds = || text.parse::<i64>().ok();
    let told = || text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
    let day = || {
        // A time without its zone would be read as its day.
        let day: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == DAY_CHARS)?;
        let end = day.tomorrow().ok()?.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?;
        Some(end.timestamp().as_second() - 1)
    };
    seconds().or_else(told).or_else(day)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(time("1795662003\n"), Some(1_795_662_003));
        assert_eq!(time("2026-11-26T10:00:03+07:00"), Some(1_795_662_003));
        assert_eq!(time("2026-11-26"), Some(1_795_737_599));
        for none in ["", "yesterday", "2026-11-26T10:00:03", "2026-13-01"] {
            assert_eq!(time(none), None, "{none}");
        }
    }
}
