//! SQLite: one state of a file, copied while others write.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::backup::Backup;
use rusqlite::backup::StepResult;
use tempfile::TempDir;

use crate::capsule::CapsuleError;
use crate::capsule::sqlite as truth;
use crate::capsule::sqlite::SqliteTruth;
use crate::path::SnapshotPath;
use crate::run::Run;
use crate::source::SourceError;
use crate::source::stream::StreamSource;
use crate::source::stream::expect::Expected;

/// Pages copied between two looks at the run's switch.
const PAGES_PER_STEP: i32 = 1024;
/// How long others may keep the file locked.
const BUSY_WAIT: Duration = Duration::from_secs(60);
const LOCKED_WAIT: Duration = Duration::from_millis(50);
const LOCK: &str = "lock";
const HEAD: &[u8] = b"SQLite format 3\0";

/// What was recorded of the state that is copied; empty until it was.
pub type Recorded = Arc<Mutex<Option<SqliteTruth>>>;

/// The file under its own name. The copy is made when it is read, in a private folder beneath
/// `folder`, and removed with it.
///
/// # Errors
/// When there is no such file.
pub fn source(path: &Path, folder: &Path) -> Result<(StreamSource, Recorded), SourceError> {
    let shown = crate::path::escape(path.as_os_str().as_encoded_bytes());
    let missing = |detail: String| SourceError::Missing { path: shown.clone(), detail };
    let metadata = path.metadata().map_err(|error| missing(error.to_string()))?;
    if !metadata.is_file() {
        return Err(missing("expected a file".to_owned()));
    }
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let name = SnapshotPath::from_user(name).map_err(|error| missing(error.to_string()))?;
    let (from, folder) = (path.to_owned(), folder.to_owned());
    let recorded = Recorded::default();
    let record = Arc::clone(&recorded);
    let later = Box::new(move |run: &Run| copied(run, (&from, &folder), &record));
    let stream = StreamSource::later(name, &shown, later)?;
    // An empty file is an empty database, and its copy has a first page.
    Ok((stream.expecting(Expected { head: HEAD, ..Expected::default() }), recorded))
}

/// An open copy; its folder goes with it.
struct Copied {
    file: File,
    _folder: Private,
}

/// A folder for one copy. Its lock says that somebody uses it.
struct Private {
    folder: TempDir,
    _lock: File,
}

impl Private {
    /// Makes one, after those that nobody uses any more were removed: a process that is killed
    /// leaves its copy.
    fn new(beneath: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(beneath)?;
        let gate = lock_file(&beneath.join(LOCK))?;
        gate.lock()?;
        for entry in std::fs::read_dir(beneath)? {
            let path = entry?.path();
            let is_free = || lock_file(&path.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
            if path.is_dir() && is_free() {
                std::fs::remove_dir_all(&path)?;
            }
        }
        let folder = tempfile::Builder::new().prefix("sqlite-").tempdir_in(beneath)?;
        let lock = lock_file(&folder.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self { folder, _lock: lock })
    }
}

fn lock_file(path: &Path) -> std::io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(path)
}

impl Read for Copied {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.file.read(into)
    }
}

fn copied(
    run: &Run,
    (from, folder): (&Path, &Path),
    recorded: &Recorded,
) -> Result<Box<dyn Read + Send>, String> {
    let failed = |error: std::io::Error| format!("no place for a copy: {error}");
    let folder = Private::new(folder).map_err(failed)?;
    let to = folder.folder.path().join("copy");
    let truth = copy(run, from, &to)?;
    *recorded.lock().unwrap_or_else(PoisonError::into_inner) = Some(truth);
    let file = File::open(&to).map_err(|error| format!("cannot read the copy: {error}"))?;
    Ok(Box::new(Copied { file, _folder: folder }))
}

/// Copies one state, checks it, and reads at its source what it holds.
fn copy(run: &Run, from: &Path, to: &PathBuf) -> Result<SqliteTruth, String> {
    let failed = |error: rusqlite::Error| format!("cannot be copied: {error}");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags).map_err(failed)?;
    source.busy_timeout(BUSY_WAIT).map_err(failed)?;
    let mut target = Connection::open(to).map_err(failed)?;
    // All steps copy the state that this transaction sees, so that nothing begins anew when others
    // write.
    source.execute_batch("begin; select count(*) from sqlite_schema").map_err(failed)?;
    {
        let backup = Backup::new(&source, &mut target).map_err(failed)?;
        loop {
            run.check().map_err(|stopped| stopped.to_string())?;
            match backup.step(PAGES_PER_STEP).map_err(failed)? {
                StepResult::Done => break,
                StepResult::More => {}
                _ => run.clock.wait(LOCKED_WAIT),
            }
        }
    }
    // Of a damaged one its damage is told, and not that it cannot be read.
    check(&target)?;
    let truth = truth::read(&source).map_err(|error| error.to_string())?;
    source.execute_batch("commit").map_err(failed)?;
    Ok(truth)
}

/// What a database holds, in one transaction of its own.
///
/// # Errors
/// When it cannot be read.
pub fn look(from: &Path) -> Result<SqliteTruth, CapsuleError> {
    let failed = |error: rusqlite::Error| CapsuleError::Read {
        what: "the database".to_owned(),
        detail: error.to_string(),
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags).map_err(failed)?;
    source.busy_timeout(BUSY_WAIT).map_err(failed)?;
    source.execute_batch("begin; select count(*) from sqlite_schema").map_err(failed)?;
    let truth = truth::read(&source)?;
    source.execute_batch("commit").map_err(failed)?;
    Ok(truth)
}

fn check(copy: &Connection) -> Result<(), String> {
    let failed = |error: rusqlite::Error| format!("the copy cannot be checked: {error}");
    let mut statement = copy.prepare("pragma quick_check(5)").map_err(failed)?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).map_err(failed)?;
    let said = rows.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    if said == ["ok"] {
        return Ok(());
    }
    Err(format!("the database is damaged: {}", crate::path::escape(said.join("; ").as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_is_used_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let used = Private::new(dir.path()).unwrap();
        let Private { folder, _lock } = Private::new(dir.path()).unwrap();
        let left = folder.keep();
        drop(_lock);
        let other = Private::new(dir.path()).unwrap();
        assert!(used.folder.path().exists() && other.folder.path().exists() && !left.exists());
    }
}
