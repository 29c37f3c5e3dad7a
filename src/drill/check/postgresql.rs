//! L5 of PostgreSQL: a throw-away server reads every restored archive, and is asked what it holds.

pub mod dump;
pub mod files;
mod load;

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::capsule::CapsuleError;
use crate::capsule::postgresql as truth;
use crate::capsule::postgresql::Answers;
use crate::capsule::postgresql::Database;
use crate::capsule::postgresql::PostgresqlTruth;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::check::broken;
use crate::drill::check::custom::Asked;
use crate::drill::check::queried;
use crate::drill::server::Means;
use crate::drill::server::postgresql::Cluster;
use crate::drill::server::process::ProcessError;
use crate::drill::server::running::ServerError;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::run::Run;
use crate::run::Stopped;
use crate::source::database::path_of;
use crate::source::database::postgresql;
use crate::source::database::postgresql::conninfo;

/// Databases that every server has: a query of the office is not about them.
const EVERYWHERE: [&str; 2] = ["postgres", "template1"];
/// A dataset that a server holds.
pub struct Restored<'a> {
    cluster: Cluster<'a>,
    limit: Duration,
    archives: Vec<Archive>,
}

/// One database.
struct Archive {
    /// At the source; the file's name if that is not known.
    name: String,
    path: PathBuf,
    /// In the throw-away server.
    database: String,
    form: Form,
    is_there: bool,
}

/// How a database was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Archive,
    /// Beside which no file says what roles its server had.
    LoneArchive,
    Statements,
}

/// What the server said of the tables and indexes of one database.
enum Amchecked {
    Good,
    Bad,
    Absent,
    Broken(ProcessError),
}

/// Restores what lies in `folder`, and compares it. Nothing if there is no server.
///
/// # Errors
/// When the run is stopped.
pub fn check<'a>(
    checks: &mut Checks<'_>,
    means: &Means<'a>,
    (folder, expected): (&Path, Option<&PostgresqlTruth>),
) -> Result<Option<Restored<'a>>, Stopped> {
    checks.start();
    let archives = archives(folder, expected);
    let Some(cluster) = started(checks, means)? else { return Ok(None) };
    let mut restored = Restored { cluster, limit: means.limit, archives };
    restored.load(checks, means.run, (load::shared_roles(folder), expected))?;
    let (found, amchecked) = restored.read(checks, (means.run, expected))?;
    if let (Some(expected), Some(found)) = (expected, found) {
        super::capsule::postgresql(checks, expected, &found);
    }
    restored.amcheck(checks, means.run, amchecked)?;
    Ok(Some(restored))
}

/// A server without a database of ours; nothing if there is none.
fn started<'a>(checks: &mut Checks<'_>, means: &Means<'a>) -> Result<Option<Cluster<'a>>, Stopped> {
    let id = (Level::L5, "postgresql.start");
    match Cluster::start(means) {
        Ok(cluster) => {
            let version = cluster.version();
            checks.note(id, Weight::Mandatory, Found::equal(FailureCode::F3, version, version));
            Ok(Some(cluster))
        }
        Err(ServerError::Process(ProcessError::Stopped(stopped))) => Err(stopped),
        // It is the same server for every snapshot: nothing is said of this one.
        Err(error) => {
            checks.note(id, Weight::Mandatory, Found::skipped(FailureCode::F8, error.to_string()));
            Ok(None)
        }
    }
}

/// Restored archives with the names of their databases.
fn archives(folder: &Path, expected: Option<&PostgresqlTruth>) -> Vec<Archive> {
    let named = |path: &Path| {
        let names = expected.into_iter().flat_map(|truth| truth.databases.keys());
        let is_of = |name: &&String| {
            path_of(postgresql::FOLDER, name, postgresql::EXTENSION)
                .is_ok_and(|of| of.name() == path.file_name().map(|it| it.as_encoded_bytes()))
        };
        let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        { names }.find(is_of).cloned().unwrap_or_else(stem)
    };
    let entries = std::fs::read_dir(folder.join(postgresql::FOLDER)).into_iter().flatten();
    let is_archive = |path: &PathBuf| {
        path.extension().is_some_and(|it| it == postgresql::EXTENSION)
            && path.symlink_metadata().is_ok_and(|found| found.is_file())
    };
    let mut paths: Vec<_> =
        entries.flatten().map(|entry| entry.path()).filter(is_archive).collect();
    paths.sort_unstable();
    let numbered = paths.into_iter().enumerate();
    numbered
        .map(|(at, path)| Archive {
            name: named(&path),
            path,
            database: format!("restored{at}"),
            form: Form::Archive,
            is_there: false,
        })
        .collect()
}

impl Restored<'_> {
    /// A statement in a session of its own.
    fn tell(&self, database: &str, statement: &str) -> Result<(), CapsuleError> {
        self.cluster.session(database, self.limit)?.tell(statement)
    }

    /// What the restored databases hold, asked as the source was. Meanwhile the server looks at
    /// its own files; what it says of that is noted by [`Self::amcheck`].
    fn read(
        &self,
        checks: &mut Checks<'_>,
        (run, expected): (&Run, Option<&PostgresqlTruth>),
    ) -> Result<(Option<PostgresqlTruth>, Vec<Amchecked>), Stopped> {
        let mut all = PostgresqlTruth::default();
        let mut amchecked = Vec::new();
        for archive in self.archives.iter().filter(|archive| archive.is_there) {
            // The reading sees the database as it was before the extension came.
            let begun = self.cluster.session(&archive.database, self.limit).and_then(|session| {
                let mut session = session;
                let mut reading = truth::begin(&mut session)?;
                if let Some(own) = expected.and_then(|it| it.databases.get(&archive.name)) {
                    reading.digests_as(own);
                }
                Ok((session, reading))
            });
            let found = std::thread::scope(|scope| {
                let beside = scope.spawn(|| self.amcheck_one(archive));
                let read =
                    begun.and_then(|(mut session, reading)| truth::read(&mut session, &reading));
                match beside.join() {
                    Ok(one) => amchecked.push(one),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
                read
            });
            run.check()?;
            match found {
                Ok(found) => drop(all.databases.insert(archive.name.clone(), found)),
                Err(_) => {
                    // The engine's own words might be of a row.
                    let found = Found::failed(FailureCode::F1, "a database cannot be read whole");
                    checks.note((Level::L5, "postgresql.read"), Weight::Mandatory, found);
                    return Ok((None, amchecked));
                }
            }
        }
        let rows = |one: &Database| one.tables.values().map(|table| table.rows).sum::<u64>();
        let rows: u64 = all.databases.values().map(rows).sum();
        let count = self.archives.iter().filter(|archive| archive.is_there).count();
        let found = Found::equal(FailureCode::F1, count, all.databases.len());
        let found = found.with(format!("{rows} rows were read"));
        checks.note((Level::L5, "postgresql.read"), Weight::Mandatory, found);
        Ok((Some(all), amchecked))
    }

    /// The server's own check of tables and indexes, where its package has it.
    fn amcheck_one(&self, archive: &Archive) -> Amchecked {
        let install = "create schema if not exists lifeboat_amcheck; create extension if not \
                       exists amcheck schema lifeboat_amcheck;";
        if self.tell(&archive.database, install).is_err() {
            return Amchecked::Absent;
        }
        let database = conninfo(&archive.database);
        let words = ["--heapallindexed", "--no-password", database.as_str()];
        match self.cluster.tool("pg_amcheck", &words, (None, self.limit)) {
            Ok(ended) if ended.code == Some(0) => Amchecked::Good,
            Ok(_) => Amchecked::Bad,
            Err(error) => Amchecked::Broken(error),
        }
    }

    /// What the server says of every database: of the first ones it has been asked already.
    fn amcheck(
        &self,
        checks: &mut Checks<'_>,
        run: &Run,
        amchecked: Vec<Amchecked>,
    ) -> Result<(), Stopped> {
        let id = (Level::L5, "postgresql.amcheck");
        let there = self.archives.iter().filter(|archive| archive.is_there);
        let left = there.skip(amchecked.len()).map(|archive| self.amcheck_one(archive));
        let mut bad = 0;
        for one in amchecked.into_iter().chain(left) {
            run.check()?;
            match one {
                Amchecked::Good => {}
                Amchecked::Bad => bad += 1,
                Amchecked::Absent => {
                    let found = Found::skipped(FailureCode::F8, "the extension is not installed");
                    checks.note(id, Weight::Minor, found);
                    return Ok(());
                }
                Amchecked::Broken(ProcessError::Stopped(stopped)) => return Err(stopped),
                Amchecked::Broken(error) => {
                    checks.note(id, Weight::Minor, broken(&error));
                    return Ok(());
                }
            }
        }
        checks.note(id, Weight::Mandatory, Found::equal(FailureCode::F1, 0, bad));
        Ok(())
    }
}

impl Asked for Restored<'_> {
    /// Of the dataset's only database beside those that every server has.
    fn number(&self, query: &str) -> Result<i64, Found> {
        let is_own = |one: &&Archive| one.is_there && !EVERYWHERE.contains(&one.name.as_str());
        let mut own: Vec<&Archive> = self.archives.iter().filter(is_own).collect();
        if own.is_empty() {
            own = self.archives.iter().collect();
        }
        let database = match own.as_slice() {
            [one] => &one.database,
            _ => {
                let why = "the dataset has several databases: it is not told which one is asked";
                return Err(Found::skipped(FailureCode::F8, why));
            }
        };
        let query = query.trim_end().trim_end_matches(';');
        let query = format!("select coalesce(({query}\n)::bigint::text, 'null')");
        let failed = |error: CapsuleError| Found::failed(FailureCode::F2, error.to_string());
        let limit = queried(self.limit);
        let mut session = self.cluster.session(database, limit).map_err(failed)?;
        let answer = session.ask(&query).map_err(failed)?;
        answer.parse().map_err(|_| Found::failed(FailureCode::F2, "the answer is no number"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn archives_have_the_names_of_their_databases() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join(postgresql::FOLDER);
        std::fs::create_dir(&folder).unwrap();
        for name in ["a%2Fb.dump", "hồ sơ.dump", "globals.sql"] {
            File::create_new(folder.join(name)).unwrap();
        }
        std::fs::create_dir(folder.join("x.dump")).unwrap();
        let mut expected = PostgresqlTruth::default();
        expected.databases.insert("a/b".to_owned(), Database::default());
        let names = |expected| {
            archives(dir.path(), expected).into_iter().map(|one| one.name).collect::<Vec<_>>()
        };
        assert_eq!(names(Some(&expected)), ["a/b", "hồ sơ"]);
        assert_eq!(names(None), ["a%2Fb", "hồ sơ"]);
    }
}
