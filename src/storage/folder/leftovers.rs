//! Temporaries that an interrupted `create` left behind.

use crate::disk::FileKind;
use crate::storage::BlobName;
use crate::storage::StorageError;
use crate::storage::folder::FolderStorage;
use crate::storage::folder::TEMP_PREFIX;

/// How old a temporary must be before it counts as left behind: no `create` takes so long.
pub const LEFTOVER_AGE_MS_MIN: i64 = 24 * 60 * 60 * 1000;

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leftovers {
    pub count: u64,
    pub bytes: u64,
}

impl FolderStorage {
    /// Removes temporaries older than a day by the file system's own clock, asked by making
    /// a file: its stored times say nothing about a clock elsewhere.
    ///
    /// # Errors
    /// Those of listing, making and removing files.
    pub fn remove_leftovers(&self) -> Result<Leftovers, StorageError> {
        const OPERATION: &str = "clean";
        let failed = |error: std::io::Error| self.failed(OPERATION, "", &error);
        let probe = self.write_temp("", &[]).map_err(failed)?;
        let now = self.disk.stat(&probe).map_err(failed)?.modified;
        self.disk.remove(&probe).map_err(failed)?;
        let mut removed = Leftovers::default();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            for item in self.disk.list(&self.path(&folder)).map_err(failed)? {
                let Ok(base) = std::str::from_utf8(&item.name) else { continue };
                let joined =
                    if folder.is_empty() { base.to_owned() } else { format!("{folder}/{base}") };
                match item.stat.kind {
                    FileKind::Folder if BlobName::new(&joined).is_ok() => folders.push(joined),
                    FileKind::File
                        if base.starts_with(TEMP_PREFIX)
                            && now.ms_since(item.stat.modified) > LEFTOVER_AGE_MS_MIN =>
                    {
                        self.disk.remove(&self.path(&joined)).map_err(failed)?;
                        removed.count += 1;
                        removed.bytes += item.stat.len_bytes;
                    }
                    _ => {}
                }
            }
        }
        Ok(removed)
    }
}
