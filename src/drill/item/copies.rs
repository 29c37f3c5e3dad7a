//! Datasets that are a command's copy of something else: a database as a file or as statements,
//! mail, or what only a program of the office understands.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use flate2::read::MultiGzDecoder;

use crate::capsule::Between;
use crate::capsule::Truth;
use crate::capsule::compare::sqlite_copy::Form;
use crate::capsule::sqlite::SqliteTruth;
use crate::capsule::told;
use crate::drill::check::Found;
use crate::drill::check::capsule;
use crate::drill::check::custom;
use crate::drill::check::mail;
use crate::drill::check::mariadb;
use crate::drill::check::postgresql;
use crate::drill::check::sqlite;
use crate::drill::item::Work;
use crate::drill::plan::Copied;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::run::Run;
use crate::run::Stopped;
use crate::source::census;

/// How a file of `gzip` begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Why a file cannot be unpacked.
enum UnpackError {
    Stopped(Stopped),
    /// The file is not whole.
    Broken,
    Medium(io::Error),
}

impl Work<'_> {
    pub(super) fn copies(&mut self, copied: Copied) -> Result<(), Stopped> {
        let Some(path) = self.only_file() else {
            let why = "expected one file in the snapshot of a command's output";
            self.note(Level::L4, "file", Found::failed(FailureCode::F2, why));
            return Ok(());
        };
        let path = match unpacked(self.bench.run, (&path, self.folder)) {
            Ok(path) => path,
            Err(UnpackError::Stopped(stopped)) => return Err(stopped),
            Err(UnpackError::Broken) => {
                let why = "it begins as a file of gzip and cannot be unpacked to its end";
                self.note(Level::L4, "open", Found::failed(FailureCode::F1, why));
                return Ok(());
            }
            Err(UnpackError::Medium(error)) => {
                self.note(Level::L4, "open", Found::skipped(FailureCode::F8, error.to_string()));
                return Ok(());
            }
        };
        match copied {
            Copied::Sqlite => self.sqlite_copy(path),
            Copied::Postgresql => self.postgresql_dump(&path),
            Copied::Mariadb => self.mariadb_dump(&path),
            Copied::Mail => self.mailbox(&path),
            Copied::Told => self.told(),
        }
    }

    /// The one file of the snapshot.
    fn only_file(&self) -> Option<PathBuf> {
        let mut files = std::fs::read_dir(self.folder).into_iter().flatten().flatten();
        match (files.next(), files.next()) {
            (Some(file), None) => Some(file.path()),
            _ => None,
        }
    }

    fn sqlite_copy(&mut self, path: PathBuf) -> Result<(), Stopped> {
        let expected = match self.truth() {
            Some(Truth::SqliteCopy(expected)) => Some(expected),
            other => self.none(other),
        };
        let is_empty = |it: &SqliteTruth| it.tables.is_empty() && it.views == 0;
        let nothing = expected.as_ref().is_some_and(|it| is_empty(&it.before));
        let pages = nothing.then_some(0);
        let (path, form) = if sqlite::is_database(&path) {
            sqlite::wal_pair(&mut self.checks, &path);
            (path, Form::File)
        } else {
            let into = beside(self.folder, "made");
            sqlite::dump::load(&mut self.checks, self.bench.run, (&path, &into))?;
            (into, Form::Statements)
        };
        let found = sqlite::check(&mut self.checks, &path, pages);
        self.database = Some(Box::new(custom::SqliteFile(path)));
        if let (Some(expected), Some(found)) = (expected, found) {
            let found = (&found, form);
            self.width_permille = capsule::sqlite_copy(&mut self.checks, &expected, found);
        }
        Ok(())
    }

    fn postgresql_dump(&mut self, path: &Path) -> Result<(), Stopped> {
        let expected = match self.truth() {
            Some(Truth::PostgresqlFiles(expected)) => Some(expected),
            other => self.none(other),
        };
        let expected = expected.as_deref();
        let version = expected.and_then(|between| between.before.version());
        let told = version.map(|version| version.to_string());
        let Some(means) = self.means(version, told, |servers| &servers.postgresql) else {
            return Ok(());
        };
        let asked = (path, expected);
        if let Some((restored, width)) = postgresql::dump::check(&mut self.checks, &means, asked)? {
            self.served(restored, width);
        }
        Ok(())
    }

    fn mariadb_dump(&mut self, path: &Path) -> Result<(), Stopped> {
        let expected = match self.truth() {
            Some(Truth::Mariadb(expected)) => Some(expected),
            other => self.none(other),
        };
        let expected = expected.as_deref();
        let version = expected.and_then(|between| between.before.version());
        let told = expected.map(|between| between.before.version.clone());
        let Some(means) = self.means(version, told, |servers| &servers.mariadb) else {
            return Ok(());
        };
        let dumps = mariadb::one(path, expected.map(|between| &between.before));
        if let Some((restored, width)) = mariadb::load(&mut self.checks, &means, (dumps, expected))?
        {
            self.served(restored, width);
        }
        Ok(())
    }

    fn mailbox(&mut self, path: &Path) -> Result<(), Stopped> {
        let found = match census::mailbox(self.bench.run, path) {
            Ok(found) => found,
            Err(error) => {
                self.note(Level::L4, "open", Found::failed(FailureCode::F1, error.to_string()));
                return Ok(());
            }
        };
        self.newest_mail(&found);
        let expected = match self.truth() {
            Some(Truth::Mail(expected)) => Some(expected),
            other => self.none(other),
        };
        match expected {
            Some(expected) => {
                self.width_permille = mail::check(&mut self.checks, &expected, &found);
            }
            None => mail::alone(&mut self.checks, &found),
        }
        Ok(())
    }

    /// The office's own program knows what there is.
    fn told(&mut self) -> Result<(), Stopped> {
        let expected: Option<Box<Between<_>>> = match self.truth() {
            Some(Truth::Told(expected)) => Some(expected),
            other => self.none(other),
        };
        let (run, servers) = (self.bench.run, self.bench.servers);
        let tools = custom::Tools { run, servers, database: None };
        let printed = custom::printed(self.folder, &self.planned.more.told, &tools);
        run.check()?;
        let found = printed.and_then(|printed| {
            told::parse(&printed).map_err(|error| Found::failed(FailureCode::F2, error.to_string()))
        });
        match (expected, found) {
            (Some(expected), Ok(found)) => capsule::told(&mut self.checks, &expected, &found),
            (_, Err(found)) => self.note(Level::L6, "told", found),
            (None, Ok(_)) => {}
        }
        Ok(())
    }
}

/// A file beside the restored folder.
fn beside(folder: &Path, what: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{what}"));
    folder.with_file_name(name)
}

/// The file itself, or what was packed into it by `gzip`.
fn unpacked(run: &Run, (path, folder): (&Path, &Path)) -> Result<PathBuf, UnpackError> {
    let mut head = Vec::new();
    let mut file = File::open(path).map_err(UnpackError::Medium)?;
    file.by_ref().take(GZIP.len() as u64).read_to_end(&mut head).map_err(UnpackError::Medium)?;
    if head != GZIP {
        return Ok(path.to_owned());
    }
    let into = beside(folder, "plain");
    let file = File::open(path).map_err(UnpackError::Medium)?;
    let mut unpacking = MultiGzDecoder::new(io::BufReader::new(file));
    let mut output = File::create_new(&into).map_err(UnpackError::Medium)?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        run.check().map_err(UnpackError::Stopped)?;
        let len = unpacking.read(&mut buffer).map_err(|_| UnpackError::Broken)?;
        if len == 0 {
            return Ok(into);
        }
        let part = buffer.get(..len).unwrap_or_default();
        io::Write::write_all(&mut output, part).map_err(UnpackError::Medium)?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::clock::SystemClock;
    use crate::ids::RunId;
    use crate::run::monitor::Silent;

    fn write(path: &Path, bytes: &[u8]) {
        let mut options = File::options();
        let mut file = options.write(true).create(true).truncate(true).open(path).unwrap();
        file.write_all(bytes).unwrap();
    }

    #[test]
    fn what_gzip_packed_is_unpacked_beside_the_folder() {
        let run = Run::new(RunId::new([0; 16]), Arc::new(Silent), Arc::new(SystemClock::new()), 0);
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("0");
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("x.sql.gz");
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(b"select 1;").unwrap();
        let packed = packed.finish().unwrap();
        write(&path, &packed);
        let found = unpacked(&run, (&path, &folder)).ok().unwrap();
        assert_eq!(
            (found.parent(), std::fs::read(&found).unwrap()),
            (Some(dir.path()), b"select 1;".to_vec())
        );
        std::fs::remove_file(found).unwrap();
        write(&path, &packed[..packed.len() - 4]);
        assert!(matches!(unpacked(&run, (&path, &folder)), Err(UnpackError::Broken)));
        write(&path, b"plain");
        assert_eq!(unpacked(&run, (&path, &folder)).ok(), Some(path));
    }
}
