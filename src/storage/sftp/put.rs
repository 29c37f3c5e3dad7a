//! A blob on its way: a temporary first, then its name.

use std::sync::Arc;

use futures_util::future::join;
use futures_util::future::join3;

use crate::storage::BlobName;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::parent_of;
use crate::storage::refuse::Refuse as _;
use crate::units::Timestamp;

use super::SftpStorage;
use super::file;
use super::link::Link;
use super::trouble::Trouble;

const CREATE: &str = "create";

/// What is to be kept.
#[derive(Clone, Copy)]
pub(super) struct Blob<'a> {
    pub(super) name: &'a BlobName,
    pub(super) parts: &'a [&'a [u8]],
}

impl SftpStorage {
    /// Writes a durable temporary, making the folder if need be.
    async fn write(&self, link: &Arc<Link>, temp: &str, blob: Blob<'_>) -> Result<(), Trouble> {
        let Blob { name, parts } = blob;
        let written = match file::write_new(link, temp, parts).await {
            Err(trouble) if trouble.kind() == StorageErrorKind::NotFound => {
                let folder = parent_of(name.as_str());
                // But never the root: that would fill an empty mount point.
                let (has_root, made, written) = join3(
                    self.has_root(link),
                    file::make_folders(link, &self.options.root, folder),
                    file::write_new(link, temp, parts),
                )
                .await;
                has_root?;
                made?;
                match written {
                    // A server may do things out of turn.
                    Err(trouble) if trouble.kind() == StorageErrorKind::NotFound => {
                        file::write_new(link, temp, parts).await
                    }
                    written => written,
                }
            }
            written => written,
        };
        self.or_remove(link, temp, written).await
    }

    /// A temporary for which something went wrong is removed.
    async fn or_remove<T>(
        &self,
        link: &Arc<Link>,
        temp: &str,
        done: Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        if done.as_ref().is_err_and(|trouble| !trouble.is_lost()) {
            // The first error is the one to tell; a leftover is collected later.
            let _leftover = link.remove(temp).await;
        }
        done
    }

    /// Gives a temporary its name. Its content went over the connection of that generation.
    pub(super) fn name(
        &self,
        (temp, generation): (&str, u64),
        blob: Blob<'_>,
    ) -> Result<Timestamp, StorageError> {
        let Blob { name, parts } = blob;
        // Before the name is given: an answer that is lost leaves a name that nobody else marks.
        self.unsynced().touch(name.as_str());
        let folders = self.unsynced().unsure(name.as_str());
        let folders: Vec<_> = folders.iter().map(|folder| self.folder_path(folder)).collect();
        let path = self.path(name.as_str());
        let named = self.wait(async |link| {
            let naming = file::name_new(link, temp, &path);
            let (named, ()) = join(naming, link.keep_folders(&folders)).await;
            let item = self.or_remove(link, temp, named).await?;
            self.unsynced().add(name.as_str(), parts, generation);
            Ok(item.modified)
        });
        let created = named.map_err(|trouble| self.failed(CREATE, name.as_str(), trouble))?;
        // A barrier that failed meanwhile may have covered the content of this blob.
        self.refuse_if_broken(CREATE, name.as_str())?;
        Ok(created)
    }

    pub(super) fn write_alone(&self, temp: &str, blob: Blob<'_>) -> Result<u64, StorageError> {
        self.refuse_if_broken(CREATE, blob.name.as_str())?;
        self.len_bytes_of(blob.name, blob.parts)?;
        let written = self.wait(async |link| {
            self.write(link, temp, blob).await?;
            Ok(link.generation)
        });
        written.map_err(|trouble| self.failed(CREATE, blob.name.as_str(), trouble))
    }
}
