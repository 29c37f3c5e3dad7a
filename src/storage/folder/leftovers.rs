//! Temporaries that an interrupted `create` left behind.

use std::ffi::OsStr;
use std::path::Path;

use crate::disk::DiskItem;
use crate::disk::FileKind;
use crate::storage::BlobName;
use crate::storage::StorageError;
use crate::storage::TEMP_PREFIX;
use crate::storage::folder::FolderStorage;
use crate::storage::folder::reserve::is_reserve;
use crate::storage::leftovers::LEFTOVER_AGE_MS_MIN;
use crate::storage::leftovers::Leftovers;
use crate::storage::leftovers::Strangers;

impl FolderStorage {
    /// Calls `look` with every file that is no blob: its path below the root, its item.
    fn for_each_stranger(
        &self,
        look: &mut dyn FnMut(&Path, &DiskItem) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            for item in self.disk.list(&self.path(&folder))? {
                let base = std::str::from_utf8(&item.name).unwrap_or_default();
                let joined =
                    if folder.is_empty() { base.to_owned() } else { format!("{folder}/{base}") };
                match (item.stat.kind, BlobName::new(&joined).is_ok()) {
                    (FileKind::Folder, true) => folders.push(joined),
                    (FileKind::File, true) => {}
                    _ => look(&Path::new(&folder).join(os_name(&item.name)), &item)?,
                }
            }
        }
        Ok(())
    }

    /// Counts temporaries, and names what is no blob.
    ///
    /// # Errors
    /// Those of listing folders.
    pub fn strangers(&self) -> Result<Strangers, StorageError> {
        let mut found = Strangers::default();
        let looked = self.for_each_stranger(&mut |path, item| {
            if path.to_str().is_some_and(is_reserve) {
                return Ok(());
            }
            if is_temporary(item) {
                found.temporaries_count += 1;
                found.temporaries_bytes += item.stat.len_bytes;
            } else {
                found.unknown.push(crate::path::escape(path.as_os_str().as_encoded_bytes()));
            }
            Ok(())
        });
        looked.map_err(|error| self.failed("list", "", &error))?;
        found.unknown.sort_unstable();
        Ok(found)
    }

    /// Removes temporaries older than a day by the file system's own clock, asked by making
    /// a file if there is any temporary: its stored times say nothing about a clock elsewhere.
    ///
    /// # Errors
    /// Those of listing, making and removing files.
    pub fn remove_leftovers(&self) -> Result<Leftovers, StorageError> {
        const OPERATION: &str = "clean";
        let failed = |error: std::io::Error| self.failed(OPERATION, "", &error);
        let mut temporaries = Vec::new();
        let looked = self.for_each_stranger(&mut |path, item| {
            if is_temporary(item) {
                temporaries.push((path.to_owned(), item.stat));
            }
            Ok(())
        });
        looked.map_err(failed)?;
        let mut removed = Leftovers::default();
        if temporaries.is_empty() {
            return Ok(removed);
        }
        let probe = self.write_temp("", &[]).map_err(failed)?;
        let now = self.disk.stat(&probe).map_err(failed)?.modified;
        self.disk.remove(&probe).map_err(failed)?;
        for (path, stat) in temporaries {
            if now.ms_since(stat.modified) > LEFTOVER_AGE_MS_MIN {
                match self.disk.remove(&self.root.join(path)) {
                    // Another process cleans up as well.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                    done => done.map_err(failed)?,
                }
                removed.count += 1;
                removed.bytes += stat.len_bytes;
            }
        }
        Ok(removed)
    }
}

fn is_temporary(item: &DiskItem) -> bool {
    item.stat.kind == FileKind::File && item.name.starts_with(TEMP_PREFIX.as_bytes())
}

#[cfg(unix)]
fn os_name(name: &[u8]) -> &OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(name)
}

#[cfg(not(unix))]
fn os_name(name: &[u8]) -> &OsStr {
    OsStr::new(std::str::from_utf8(name).unwrap_or_default())
}
