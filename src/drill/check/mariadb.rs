//! L5 of MariaDB: a throw-away server takes every restored dump in, and is asked what it holds.

pub mod files;

use std::fs::File;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::capsule::Between;
use crate::capsule::mariadb as truth;
use crate::capsule::mariadb::Digests;
use crate::capsule::mariadb::MariadbTruth;
use crate::capsule::mariadb::Rows;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::check::broken;
use crate::drill::check::custom;
use crate::drill::check::is_full;
use crate::drill::check::queried;
use crate::drill::server::Means;
use crate::drill::server::mariadb::Asked;
use crate::drill::server::mariadb::Instance;
use crate::drill::server::process::ProcessError;
use crate::drill::server::running::ServerError;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::run::Run;
use crate::run::Stopped;
use crate::source::database::mariadb;
use crate::source::database::path_of;

/// A dump says that it is complete within so many bytes of its end.
const TAIL_BYTES: u64 = 1024;
/// How such a line begins.
const COMPLETE: &[u8] = b"-- Dump completed";

/// A dataset that a server holds.
pub struct Restored<'a> {
    server: Instance<'a>,
    limit: Duration,
    dumps: Vec<Dump>,
}

/// One file of statements.
pub struct Dump {
    path: PathBuf,
    /// The database that it is of; none if it names its databases itself.
    database: Option<String>,
    is_there: bool,
}

/// Takes in what lies in `folder`, and compares it. Nothing if there is no server; else also how
/// far apart the readings of the source lie, in thousandths.
///
/// # Errors
/// When the run is stopped.
pub fn check<'a>(
    checks: &mut Checks<'_>,
    means: &Means<'a>,
    (folder, expected): (&Path, Option<&Between<MariadbTruth>>),
) -> Result<Option<(Restored<'a>, u64)>, Stopped> {
    let dumps = dumps(folder, expected.map(|between| &between.before));
    load(checks, means, (dumps, expected))
}

/// Takes these dumps in, and compares what the server holds then, as [`check`] does.
///
/// # Errors
/// When the run is stopped.
pub fn load<'a>(
    checks: &mut Checks<'_>,
    means: &Means<'a>,
    (dumps, expected): (Vec<Dump>, Option<&Between<MariadbTruth>>),
) -> Result<Option<(Restored<'a>, u64)>, Stopped> {
    checks.start();
    // Before anything of them is carried out.
    let whole = dumps.iter().filter(|dump| is_complete(&dump.path)).count();
    let found = Found::equal(FailureCode::F2, dumps.len().max(1), whole);
    checks.note((Level::L5, "mariadb.trailer"), Weight::Mandatory, found);
    let server = match Instance::start(means) {
        Ok(server) => server,
        Err(ServerError::Process(ProcessError::Stopped(stopped))) => return Err(stopped),
        // It is the same server for every snapshot: nothing is said of this one.
        Err(error) => {
            let found = Found::skipped(FailureCode::F8, error.to_string());
            checks.note((Level::L5, "mariadb.start"), Weight::Mandatory, found);
            return Ok(None);
        }
    };
    let version = server.version();
    let found = Found::equal(FailureCode::F3, version, version);
    checks.note((Level::L5, "mariadb.start"), Weight::Mandatory, found);
    let mut restored = Restored { server, limit: means.limit, dumps };
    restored.load(checks, means.run, expected.map(|between| &between.before))?;
    let width = restored.compared(checks, (means.run, expected))?;
    Ok(Some((restored, width)))
}

/// A dump by itself, of the only database that is expected.
#[must_use]
pub fn one(path: &Path, expected: Option<&MariadbTruth>) -> Vec<Dump> {
    let database = expected.and_then(|truth| truth.databases.keys().next()).cloned();
    let database = database.or_else(|| Some("dump".to_owned()));
    vec![Dump { path: path.to_owned(), database, is_there: false }]
}

/// Restored dumps with the names of their databases.
fn dumps(folder: &Path, expected: Option<&MariadbTruth>) -> Vec<Dump> {
    let named = |path: &Path| {
        let names = expected.into_iter().flat_map(|truth| truth.databases.keys());
        let is_of = |name: &&String| {
            path_of(mariadb::FOLDER, name, mariadb::EXTENSION)
                .is_ok_and(|of| of.name() == path.file_name().map(|it| it.as_encoded_bytes()))
        };
        let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        { names }.find(is_of).cloned().unwrap_or_else(stem)
    };
    let entries = std::fs::read_dir(folder.join(mariadb::FOLDER)).into_iter().flatten();
    let is_dump = |path: &PathBuf| {
        path.extension().is_some_and(|it| it == mariadb::EXTENSION)
            && path.symlink_metadata().is_ok_and(|found| found.is_file())
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(is_dump).collect();
    paths.sort_unstable();
    let of = |path: PathBuf| {
        let is_all = path.file_name().is_some_and(|name| name == mariadb::ALL);
        let database = (!is_all).then(|| named(&path));
        Dump { path, database, is_there: false }
    };
    paths.into_iter().map(of).collect()
}

/// Whether a line near its end says so.
fn is_complete(path: &Path) -> bool {
    let tail = File::open(path).and_then(|mut file| {
        let len = file.metadata()?.len();
        file.seek(SeekFrom::Start(len.saturating_sub(TAIL_BYTES)))?;
        let mut tail = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut tail)?;
        Ok(tail)
    });
    tail.is_ok_and(|tail| tail.split(|byte| *byte == b'\n').any(|it| it.starts_with(COMPLETE)))
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A word of a statement, as the server names character sets; nothing else of a snapshot is said.
fn word(text: &str) -> Option<&str> {
    let is_word =
        !text.is_empty() && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    is_word.then_some(text)
}

impl Restored<'_> {
    /// Every dump into the database that it is of.
    fn load(
        &mut self,
        checks: &mut Checks<'_>,
        run: &Run,
        expected: Option<&MariadbTruth>,
    ) -> Result<(), Stopped> {
        let id = (Level::L5, "mariadb.restore");
        let mut made = "set names utf8mb4;".to_owned();
        for name in self.dumps.iter().filter_map(|dump| dump.database.as_ref()) {
            let about = expected.and_then(|truth| truth.databases.get(name));
            made.push_str(&format!("create database {}", quoted(name)));
            if let Some(about) = about
                && let (Some(charset), Some(collation)) =
                    (word(&about.charset), word(&about.collation))
            {
                made.push_str(&format!(" character set {charset} collate {collation}"));
            }
            made.push(';');
        }
        let told = Asked(&self.server, self.limit).rows(&made);
        run.check()?;
        if let Err(error) = told {
            let found = Found::skipped(FailureCode::F8, error.to_string());
            checks.note(id, Weight::Mandatory, found);
            return Ok(());
        }
        let (mut good, mut failed) = (0, None);
        for at in 0..self.dumps.len() {
            match self.restore(at) {
                Ok(None) => good += 1,
                Ok(Some(why)) => failed = Some(why),
                Err(ProcessError::Stopped(stopped)) => return Err(stopped),
                Err(error) => {
                    checks.note(id, Weight::Mandatory, broken(&error));
                    return Ok(());
                }
            }
        }
        // None at all is what an empty folder would give.
        let mut found = Found::equal(FailureCode::F1, self.dumps.len().max(1), good);
        found.detail = failed;
        checks.note(id, Weight::Mandatory, found);
        Ok(())
    }

    /// What went wrong, if anything did.
    fn restore(&mut self, at: usize) -> Result<Option<String>, ProcessError> {
        let Some(dump) = self.dumps.get_mut(at) else { return Ok(None) };
        let input = File::open(&dump.path).map_err(ProcessError::Start)?;
        // Words of the client's own, which can start programs, are none in a dump.
        let mut words =
            vec!["--batch", "--binary-mode", "--default-character-set=utf8mb4", "--database"];
        words.push(dump.database.as_deref().unwrap_or("mysql"));
        dump.is_there = true;
        let ended = self.server.tool("mariadb", &words, (Some(input), self.limit))?;
        if ended.code == Some(0) {
            return Ok(None);
        }
        if is_full(&String::from_utf8_lossy(&ended.stderr)) {
            return Err(ProcessError::Full);
        }
        let code =
            ended.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        // Its own words may be of what is in the database.
        Ok(Some(format!("mariadb of one dump: {code}")))
    }

    /// Looks through what the server holds, and compares it; how far apart the readings of the
    /// source lie, in thousandths.
    fn compared(
        &self,
        checks: &mut Checks<'_>,
        (run, expected): (&Run, Option<&Between<MariadbTruth>>),
    ) -> Result<u64, Stopped> {
        self.examine(checks)?;
        let found = self.read(checks, (run, expected.map(|between| &between.before)))?;
        Ok(match (expected, found) {
            (Some(expected), Some(found)) => super::capsule::mariadb(checks, expected, &found),
            _ => 0,
        })
    }

    /// The server's own check of every table.
    fn examine(&self, checks: &mut Checks<'_>) -> Result<(), Stopped> {
        let id = (Level::L5, "mariadb.check");
        let charset = "--default-character-set=utf8mb4";
        let words = ["--all-databases", "--extended", "--silent", charset];
        let found = match self.server.tool("mariadb-check", &words, (None, self.limit)) {
            // Every line of a quiet check is of a table that is not good.
            Ok(ended) if ended.code == Some(0) => {
                let said = String::from_utf8_lossy(&ended.stdout).into_owned();
                let is_bad = |line: &&str| line.starts_with("error") || line.starts_with("Corrupt");
                Found::equal(FailureCode::F1, 0, said.lines().map(str::trim).filter(is_bad).count())
            }
            Ok(_) => Found::failed(FailureCode::F1, "the server's own check did not end well"),
            Err(ProcessError::Stopped(stopped)) => return Err(stopped),
            Err(error) => broken(&error),
        };
        checks.note(id, Weight::Mandatory, found);
        Ok(())
    }

    /// What the server holds now, asked as the source was.
    fn read(
        &self,
        checks: &mut Checks<'_>,
        (run, expected): (&Run, Option<&MariadbTruth>),
    ) -> Result<Option<MariadbTruth>, Stopped> {
        let id = (Level::L5, "mariadb.read");
        let digests = expected.map_or(Digests::OfSmall, Digests::As);
        let found = truth::read(&mut Asked(&self.server, self.limit), &[], digests);
        run.check()?;
        let Ok(found) = found else {
            // The engine's own words might be of a row.
            let found = Found::failed(FailureCode::F1, "a database cannot be read whole");
            checks.note(id, Weight::Mandatory, found);
            return Ok(None);
        };
        let count = found.databases.len();
        let one = Found::equal(FailureCode::F1, count, count);
        let one = one.with(format!("{} rows were read", found.rows()));
        checks.note(id, Weight::Mandatory, one);
        Ok(Some(found))
    }
}

impl custom::Asked for Restored<'_> {
    /// Of the dataset's only database.
    fn number(&self, query: &str) -> Result<i64, Found> {
        let failed =
            |error: crate::capsule::CapsuleError| Found::failed(FailureCode::F2, error.to_string());
        let mut asked = Asked(&self.server, queried(self.limit));
        let held = truth::read_names(&mut asked).map_err(failed)?;
        let [database] = held.as_slice() else {
            let why = "the dataset has several databases: it is not told which one is asked";
            return Err(Found::skipped(FailureCode::F8, why));
        };
        let query = query.trim_end().trim_end_matches(';');
        let query =
            format!("use {}; select ifnull(cast(({query}\n) as char), 'null');", quoted(database));
        let answer = asked.rows(&query).map_err(failed)?;
        let number = answer.first().and_then(|text| text.parse().ok());
        number.ok_or_else(|| Found::failed(FailureCode::F2, "the answer is no number"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_dump_is_complete_if_it_says_so() {
        let said = |text: &str| {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            is_complete(file.path())
        };
        assert!(said("insert;\n\n-- Dump completed\n"));
        assert!(said("insert;\n-- Dump completed on 2026-11-26\n\n"));
        assert!(!said("insert into t values ('-- Dump completed');\n"));
        assert!(!said("") && !said(&format!("-- Dump completed\n{}", "x".repeat(2000))));
        assert!(!is_complete(Path::new("/")));
    }

    #[test]
    fn dumps_have_the_names_of_their_databases() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join(mariadb::FOLDER);
        std::fs::create_dir(&folder).unwrap();
        for name in ["a%2Fb.sql", "all.sql", "hồ sơ.sql", "x.txt"] {
            File::create_new(folder.join(name)).unwrap();
        }
        let mut expected = MariadbTruth::default();
        expected.databases.insert("a/b".to_owned(), truth::Database::default());
        let found = dumps(dir.path(), Some(&expected)).into_iter().map(|dump| dump.database);
        let wanted = [Some("a/b".to_owned()), None, Some("hồ sơ".to_owned())];
        assert_eq!(found.collect::<Vec<_>>(), wanted);
        assert_eq!(
            (quoted("a`b"), word("utf8mb4"), word("x; drop")),
            ("`a``b`".to_owned(), Some("utf8mb4"), None)
        );
    }
}
