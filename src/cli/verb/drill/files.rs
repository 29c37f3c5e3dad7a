//! A bundle as a folder.

use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::drill as texts;
use crate::cli::secrets;
use crate::evidence::bundle::FILE_BYTES_MAX;
use crate::evidence::bundle::FILES_COUNT_MAX;
use crate::path::escape;

fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}

/// Makes the folder and writes the files. One that is there already is left alone.
pub(super) fn write(
    folder: &Path,
    files: impl IntoIterator<Item = (String, Vec<u8>)>,
) -> Result<(), Failure> {
    let failed = |error: &io::Error| {
        let message = texts::NOT_WRITTEN.with("path", shown(folder));
        Failure::new(
            Exit::Failed,
            message.with("detail", Said::heard(error)),
            texts::NAME_A_NEW_FOLDER,
        )
    };
    create_folder(folder).map_err(|error| failed(&error))?;
    let written = files.into_iter().try_for_each(|(name, bytes)| {
        let path = folder.join(&name);
        if let Some(parent) = path.parent().filter(|parent| *parent != folder)
            && let Err(error) = create_folder(parent)
            && error.kind() != io::ErrorKind::AlreadyExists
        {
            return Err(error);
        }
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
        file.write_all(&bytes)?;
        file.sync_all()
    });
    written.map_err(|error| {
        // It was made here and holds nothing else.
        let _half_written = std::fs::remove_dir_all(folder);
        failed(&error)
    })
}

/// Documents are in clear: nobody else needs to read them.
#[cfg(unix)]
fn create_folder(folder: &Path) -> io::Result<()> {
    std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o700).create(folder)
}

#[cfg(not(unix))]
fn create_folder(folder: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().create(folder)
}

/// Reads the files of a bundle, two levels deep. What is too long, no regular file or deeper is
/// given with no content, and so told as what it is.
pub(super) fn read(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let failed = |path: &Path, error: &io::Error| {
        let message = texts::NOT_READ.with("path", shown(path));
        Failure::usage(message.with("detail", Said::heard(error)), texts::NAME_A_BUNDLE)
    };
    let mut files = Vec::new();
    for (name, path, kind) in names(folder).map_err(|error| failed(folder, &error))? {
        if !kind.is_dir() {
            let content = content(&path, kind).map_err(|error| failed(&path, &error))?;
            files.push((name, content));
            continue;
        }
        for (inner, path, kind) in names(&path).map_err(|error| failed(&path, &error))? {
            let content = content(&path, kind).map_err(|error| failed(&path, &error))?;
            files.push((format!("{name}/{inner}"), content));
            if files.len() > FILES_COUNT_MAX {
                return Err(Failure::usage(texts::MANY_FILES, texts::NAME_A_BUNDLE));
            }
        }
    }
    Ok(files)
}

type Named = (String, std::path::PathBuf, std::fs::FileType);

fn names(folder: &Path) -> io::Result<Vec<Named>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = escape(entry.file_name().as_encoded_bytes());
        found.push((name, entry.path(), entry.file_type()?));
    }
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

fn content(path: &Path, kind: std::fs::FileType) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if kind.is_file() {
        let file = std::fs::File::open(path)?;
        file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Reads a file that was named, such as a checkpoint or a personal key.
pub fn read_one(path: &Path) -> Result<Vec<u8>, Failure> {
    secrets::read_bounded(path, FILE_BYTES_MAX).map(|bytes| bytes.to_vec()).map_err(|error| {
        let message = texts::NOT_READ.with("path", shown(path));
        Failure::usage(message.with("detail", Said::heard(error)), texts::NAME_A_FILE)
    })
}

/// Writes a file that is for one person; one that is there already is left alone.
pub(super) fn write_one(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| {
        let message = texts::NOT_WRITTEN.with("path", shown(path));
        let message = message.with("detail", Said::heard(error));
        Failure::new(Exit::Failed, message, texts::NAME_A_NEW_FILE)
    })
}
