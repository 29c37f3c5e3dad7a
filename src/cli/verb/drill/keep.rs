//! Drills of this machine: those that are open, and the records of those that ended.
//!
//! Each has a folder: `open.json` says where its sandbox is and by which mark, and is there until
//! the sandbox is gone; `lock` is held by the process at work; `record.json` and `closing.json` are
//! what came of it.

use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::drill as texts;
use crate::cli::local;
use crate::cli::local::Local;
use crate::cli::secrets::read_bounded;
use crate::drill::follow::Followed;
use crate::drill::record::Closing;
use crate::drill::record::Record;
use crate::drill::sandbox::Mark;
use crate::path::escape;

/// Folder of local state.
pub const DRILLS: &str = "drills";
const OPEN: &str = "open.json";
const LOCK: &str = "lock";
const RECORD: &str = "record.json";
const CLOSING: &str = "closing.json";
/// Corrective actions, with what was done at once.
const FOLLOWED: &str = "followed.json";
/// Code of the ledger when the drill was over.
const CODE: &str = "ledger-code.txt";
const CODE_BYTES_MAX: usize = 64;
/// Most bytes of a record.
const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a drill in progress leaves for whoever comes after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    pub mark: Mark,
    /// The sandbox itself.
    pub sandbox: PathBuf,
    pub code: String,
    pub class: String,
    pub datasets: Vec<String>,
    pub storage: String,
    pub started_at: String,
}

/// The folder of drills.
#[derive(Debug)]
pub struct Drills {
    folder: PathBuf,
}

/// A drill that this process works on.
#[derive(Debug)]
pub struct Held {
    folder: PathBuf,
    _lock: File,
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Failure + '_ {
    move |error| {
        let path = escape(path.as_os_str().as_encoded_bytes());
        let message = texts::STATE.with("path", path).with("detail", Said::heard(error));
        Failure::new(Exit::Failed, message, texts::SEE_STATE)
    }
}

fn lock_file(path: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(path)
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> io::Result<Option<T>> {
    match read_bounded(path, RECORD_BYTES_MAX) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(io::Error::other)?;
    bytes.push(b'\n');
    local::write_private(path, &[&bytes])
}

impl Drills {
    /// # Errors
    /// When there is no folder for local state.
    pub fn new(context: &Context) -> Result<Self, Failure> {
        let dir = context.settings.cache_dir.as_deref();
        let local = Local::new(dir, &context.environment)?;
        Ok(Self { folder: local.root().join(DRILLS) })
    }

    fn of(&self, record_id: &str) -> PathBuf {
        self.folder.join(record_id)
    }

    /// Notes that a drill begins, before its sandbox is made.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(&self, open: &Open) -> Result<Held, Failure> {
        let folder = self.of(&open.mark.record_id);
        local::make_private_folder(&folder).map_err(failed(&folder))?;
        let lock = lock_file(&folder.join(LOCK)).map_err(failed(&folder))?;
        lock.lock().map_err(failed(&folder))?;
        let path = folder.join(OPEN);
        write(&path, open).map_err(failed(&path))?;
        Ok(Held { folder, _lock: lock })
    }

    /// Ids of all drills, the oldest first.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn ids(&self) -> Result<Vec<String>, Failure> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&self.folder)(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed(&self.folder))?;
            ids.extend(entry.file_name().into_string().ok());
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// Drills whose process is gone and whose sandbox may be left.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn orphans(&self) -> Result<Vec<(Held, Open)>, Failure> {
        let mut orphans = Vec::new();
        for id in self.ids()? {
            let folder = self.of(&id);
            let open = folder.join(OPEN);
            if !open.exists() {
                continue;
            }
            let lock = lock_file(&folder.join(LOCK)).map_err(failed(&folder))?;
            if lock.try_lock().is_err() {
                continue;
            }
            // It may have ended between the two looks.
            if let Some(found) = read(&open).map_err(failed(&open))? {
                orphans.push((Held { folder, _lock: lock }, found));
            }
        }
        Ok(orphans)
    }

    /// The record of a drill, if it has one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn record(&self, id: &str) -> Result<Option<Record>, Failure> {
        let path = self.record_path(id);
        read(&path).map_err(failed(&path))
    }

    /// A record that is there, with the bytes of its file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn whole_record(&self, id: &str) -> Result<(Record, Vec<u8>), Failure> {
        let path = self.record_path(id);
        let bytes = read_bounded(&path, RECORD_BYTES_MAX).map_err(failed(&path))?;
        let record = serde_json::from_slice(&bytes).map_err(io::Error::other);
        Ok((record.map_err(failed(&path))?, bytes.to_vec()))
    }

    /// Where a record lies.
    #[must_use]
    pub fn record_path(&self, id: &str) -> PathBuf {
        self.of(id).join(RECORD)
    }

    /// Keeps a document beside the record, in place of an older one of this name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_document(&self, id: &str, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
        let path = self.of(id).join(name);
        local::write_private(&path, &[bytes]).map_err(failed(&path))?;
        Ok(path)
    }

    /// Keeps what was done after a drill, if there was anything to do.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_followed(&self, id: &str, followed: &[Followed]) -> Result<(), Failure> {
        if followed.is_empty() {
            return Ok(());
        }
        let path = self.of(id).join(FOLLOWED);
        write(&path, &followed).map_err(failed(&path))
    }

    /// What was done after a drill.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn followed(&self, id: &str) -> Result<Vec<Followed>, Failure> {
        let path = self.of(id).join(FOLLOWED);
        Ok(read(&path).map_err(failed(&path))?.unwrap_or_default())
    }

    /// Keeps the ledger's code as it stands after more was added, if there is one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_code(&self, id: &str, code: &str) -> Result<(), Failure> {
        if code.is_empty() {
            return Ok(());
        }
        let path = self.of(id).join(CODE);
        local::write_private(&path, &[code.as_bytes(), b"\n"]).map_err(failed(&path))
    }

    /// The ledger's code when it was over, if it was kept.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn code(&self, id: &str) -> Result<Option<String>, Failure> {
        let path = self.of(id).join(CODE);
        match read_bounded(&path, CODE_BYTES_MAX) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path)(error)),
        }
    }

    /// What became of its sandbox, if that is known.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn closing(&self, id: &str) -> Result<Option<Closing>, Failure> {
        let path = self.of(id).join(CLOSING);
        read(&path).map_err(failed(&path))
    }
}

impl Held {
    #[must_use]
    pub fn has_record(&self) -> bool {
        self.folder.join(RECORD).exists()
    }

    /// Keeps the record. It comes before the sandbox goes.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, record: &Record) -> Result<PathBuf, Failure> {
        let path = self.folder.join(RECORD);
        write(&path, record).map_err(failed(&path))?;
        Ok(path)
    }

    /// Keeps what became of the sandbox.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn close(&self, closing: &Closing) -> Result<(), Failure> {
        let path = self.folder.join(CLOSING);
        write(&path, closing).map_err(failed(&path))
    }

    /// Nothing is open any more, if nothing of the sandbox is left. It comes after everything that
    /// the ledger has to know: until then another process would do it.
    ///
    /// # Errors
    /// When the mark of what is open cannot be removed.
    pub fn done(&self, closing: &Closing) -> Result<(), Failure> {
        let open = self.folder.join(OPEN);
        if closing.leftovers.is_empty() {
            std::fs::remove_file(&open).map_err(failed(&open))?;
        }
        Ok(())
    }
}
