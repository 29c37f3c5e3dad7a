//! What jobs have done: a file of SQLite.
//!
//! What it is: jobs, their runs and problems, when each last went well and when it is due next;
//! `doc/catalogue.md` has its tables.
//! Never: holds a secret, or anything that a backup needs: if it is lost, only history is.
//! Invariants: one writer at a time, readers wait for nobody; a configuration is taken whole or
//! not at all; a run counts only when its end is on record; a damaged file is set aside, never
//! repaired; a newer one is refused; a file that cannot be read for other reasons is left alone.
//! Start reading at: [`Catalogue::open`], then `record`.

pub mod proof;
pub mod query;
pub mod record;
mod schema;
pub mod told;

use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::ErrorCode;
use rusqlite::OpenFlags;

use crate::disk::Disk;
use crate::units::Timestamp;

/// A file of at most this length is looked through when it is opened; a longer one by
/// [`Catalogue::check`].
const LOOK_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How long a writer waits for another one.
const BUSY: Duration = Duration::from_secs(5);
/// Says that a file is ours: `LBct`.
const APPLICATION: i32 = 0x4c42_6374;

/// An open catalogue.
#[derive(Debug)]
pub struct Catalogue {
    connection: Connection,
}

/// What was found when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// As it was left.
    Kept,
    /// There was none.
    New,
    /// It was damaged and lies there now; this one is new.
    SetAside(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("the catalogue `{path}` has version {found}, this program knows {known}")]
    Newer { path: String, found: u32, known: u32 },
    #[error("the catalogue `{path}` is damaged: {detail}")]
    Damaged { path: String, detail: String },
    #[error("`{path}` is a database of another program, where the catalogue is to be")]
    Foreign { path: String },
    #[error("the catalogue `{path}`: {source}")]
    Database { path: String, source: rusqlite::Error },
    #[error("the catalogue `{path}` is damaged and cannot be set aside: {source}")]
    Stuck { path: String, source: std::io::Error },
    #[error("the catalogue has no job `{0}`")]
    NoJob(String),
    #[error("run {0} has not begun, or has ended already")]
    NoRun(i64),
}

impl Catalogue {
    /// Opens it for writing, and makes it if it is missing or damaged.
    ///
    /// # Errors
    /// When it is newer, or the medium does not do what is asked; then it is left as it is.
    pub fn open(
        path: &Path,
        disk: &dyn Disk,
        now: Timestamp,
    ) -> Result<(Self, Opened), CatalogueError> {
        let is_there = path.symlink_metadata().is_ok();
        match Self::open_whole(path) {
            Ok(catalogue) if is_there => Ok((catalogue, Opened::Kept)),
            Ok(catalogue) => Ok((catalogue, Opened::New)),
            Err(CatalogueError::Damaged { .. }) => {
                let aside = set_aside(path, disk, now)?;
                Ok((Self::open_whole(path)?, Opened::SetAside(aside)))
            }
            Err(error) => Err(error),
        }
    }

    fn open_whole(path: &Path) -> Result<Self, CatalogueError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let told = |error| told(path, error);
        let connection = Connection::open_with_flags(path, flags).map_err(told)?;
        connection.busy_timeout(BUSY).map_err(told)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                 PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;",
            )
            .map_err(told)?;
        let mut catalogue = Self { connection };
        catalogue.claim(path)?;
        schema::migrate(&mut catalogue.connection, path)?;
        if path.metadata().is_ok_and(|metadata| metadata.len() <= LOOK_BYTES_MAX) {
            catalogue.check(path)?;
        }
        Ok(catalogue)
    }

    /// A database of another program is nothing to write into.
    fn claim(&self, path: &Path) -> Result<(), CatalogueError> {
        let told = |error| told(path, error);
        let read = |pragma: &str| {
            self.connection.query_row(pragma, [], |row| row.get::<_, i32>(0)).map_err(told)
        };
        let application = read("PRAGMA application_id")?;
        let tables = read("SELECT count(*) FROM sqlite_schema")?;
        if application == APPLICATION {
            return Ok(());
        }
        if application != 0 || tables != 0 {
            return Err(CatalogueError::Foreign { path: shown(path) });
        }
        self.connection.pragma_update(None, "application_id", APPLICATION).map_err(told)
    }

    /// Looks through every page; of a large file that takes seconds.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn check(&self, path: &Path) -> Result<(), CatalogueError> {
        let found: String = self
            .connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(|error| told(path, error))?;
        if found == "ok" {
            return Ok(());
        }
        Err(CatalogueError::Damaged { path: shown(path), detail: found })
    }
}

/// Moves the file and what belongs to it out of the way, under a name that was free.
fn set_aside(path: &Path, disk: &dyn Disk, now: Timestamp) -> Result<PathBuf, CatalogueError> {
    let stuck = |source| CatalogueError::Stuck { path: shown(path), source };
    let with = |end: &str| {
        let mut name = OsString::from(path);
        name.push(end);
        PathBuf::from(name)
    };
    let aside = with(&format!(".damaged-{}", now.unix_ms));
    disk.rename_new(path, &aside).map_err(stuck)?;
    for end in ["-wal", "-shm"] {
        let mut to = OsString::from(&aside);
        to.push(end);
        match disk.rename_new(&with(end), Path::new(&to)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(stuck(error)),
            _ => {}
        }
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    disk.sync_folder(folder.unwrap_or(Path::new("."))).map_err(stuck)?;
    Ok(aside)
}

fn told(path: &Path, error: rusqlite::Error) -> CatalogueError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            CatalogueError::Damaged { path: shown(path), detail: error.to_string() }
        }
        _ => CatalogueError::Database { path: shown(path), source: error },
    }
}

fn shown(path: &Path) -> String {
    crate::path::escape(path.as_os_str().as_encoded_bytes())
}
