//! A new file that is there whole or not at all.

use std::ffi::OsString;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::restore as texts;
use crate::disk::Disk;
use crate::disk::unix::RealDisk;
use crate::run::Run;

use super::BUFFER_BYTES;

/// A file under a temporary name in the folder where it will stand; gone unless it is finished.
#[derive(Debug)]
pub(super) struct NewFile {
    out: BufWriter<File>,
    folder: PathBuf,
    temporary: PathBuf,
    path: PathBuf,
}

impl NewFile {
    pub(super) fn create(path: &Path, run: &Run) -> Result<Self, Failure> {
        if path.file_name().is_none() {
            let message = texts::NO_NAME.with("path", shown(path));
            return Err(Failure::usage(message, texts::NAME_FILE));
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
            _ => PathBuf::from("."),
        };
        // The name is not repeated: with more letters it might be too long.
        let temporary = folder.join(OsString::from(format!(".lifeboat-dump-{}", run.id)));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            // Who may read the snapshot is not everybody.
            options.mode(0o600);
        }
        let file = options.open(&temporary).map_err(|error| failed(path, &error))?;
        let out = BufWriter::with_capacity(BUFFER_BYTES, file);
        Ok(Self { out, folder, temporary, path: path.to_path_buf() })
    }

    pub(super) fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Makes it durable and gives it its name.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let named = self.out.flush().and_then(|()| {
            self.out.get_ref().sync_all()?;
            RealDisk.rename_new(&self.temporary, &self.path)?;
            RealDisk.sync_folder(&self.folder)
        });
        named.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => taken(&self.path),
            _ => failed(&self.path, &error),
        })
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // After `finish` nothing has this name; else the first failure is what the user must hear.
        let _gone = std::fs::remove_file(&self.temporary);
    }
}

/// Told before anything is read.
pub(super) fn refuse_taken(path: &Path) -> Result<(), Failure> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Err(taken(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(path, &error)),
    }
}

fn taken(path: &Path) -> Failure {
    Failure::new(Exit::Failed, texts::TAKEN.with("path", shown(path)), texts::OTHER_FILE)
}

pub(super) fn failed(path: &Path, error: &io::Error) -> Failure {
    let next = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => texts::FILE_ROOM,
        _ => texts::FILE_WRITABLE,
    };
    let message = texts::FILE_FAILED.with("path", shown(path)).with("detail", Said::heard(error));
    Failure::new(Exit::Failed, message, next).meaning(texts::NO_SUCH_FILE)
}

fn shown(path: &Path) -> String {
    crate::path::escape(path.as_os_str().as_encoded_bytes())
}
