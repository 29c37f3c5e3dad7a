//! What lies beside the blobs.

use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::folder::reserve::is_reserve;
use crate::storage::leftovers::LEFTOVER_AGE_MS_MIN;
use crate::storage::leftovers::Leftovers;
use crate::storage::leftovers::Strangers;

use super::SftpStorage;
use super::file;
use super::list;
use super::list::Item;

impl SftpStorage {
    /// Counts temporaries, and names what is no blob.
    ///
    /// # Errors
    /// Those of listing folders.
    pub fn strangers(&self) -> Result<Strangers, StorageError> {
        let items = self.tree("").map_err(|trouble| self.failed("list", "", trouble))?;
        let mut found = Strangers::default();
        for item in items.iter().filter(|item| !item.is_blob()) {
            if item.is_temporary() {
                found.temporaries_count += 1;
                found.temporaries_bytes += item.len_bytes;
            } else if item.is_strange() && !is_reserve(&item.path) {
                found.unknown.push(crate::path::escape(item.path.as_bytes()));
            }
        }
        found.unknown.sort_unstable();
        Ok(found)
    }

    /// Removes temporaries older than a day by the server's own clock, asked by making a file if
    /// there is any temporary.
    ///
    /// # Errors
    /// Those of listing, making and removing files.
    pub fn remove_leftovers(&self) -> Result<Leftovers, StorageError> {
        let failed = |trouble| self.failed("clean", "", trouble);
        let mut items = self.tree("").map_err(failed)?;
        items.retain(Item::is_temporary);
        let mut removed = Leftovers::default();
        if items.is_empty() {
            return Ok(removed);
        }
        let probe = self.temp_in("");
        self.wait(async |link| {
            file::write_new(link, &probe, &[]).await?;
            let now = list::stat(link, &probe).await?.map(|item| item.modified);
            link.remove(&probe).await?;
            for item in items {
                let age_ms = now.map_or(0, |now| now.ms_since(item.modified));
                if age_ms <= LEFTOVER_AGE_MS_MIN {
                    continue;
                }
                match link.remove(&self.path(&item.path)).await {
                    // Another process cleans up as well.
                    Err(trouble) if trouble.kind() == StorageErrorKind::NotFound => continue,
                    done => done?,
                }
                removed.count += 1;
                removed.bytes += item.len_bytes;
            }
            Ok(removed)
        })
        .map_err(failed)
    }
}
