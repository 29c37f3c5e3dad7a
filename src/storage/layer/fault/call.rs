//! What each fault does to a call.

use crate::storage::BLOB_BYTES_MAX;
use crate::storage::BlobName;
use crate::storage::Listed;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::layer::Verb;
use crate::storage::layer::fault::FaultLayer;
use crate::storage::layer::fault::plan::Fault;

impl FaultLayer {
    pub(super) fn create_with(
        &self,
        name: &BlobName,
        parts: &[&[u8]],
        fault: Option<Fault>,
    ) -> Result<(), StorageError> {
        self.take_space(name, parts.iter().map(|part| part.len() as u64).sum())?;
        let mut content = parts.concat();
        match fault {
            Some(Fault::DoneNotStored) => return Ok(()),
            Some(Fault::CutLeftVisible { len_bytes }) => {
                content.truncate(len_bytes);
                self.inner.create(name, &[&content])?;
                return Err(self.passing(Verb::Create, name.as_str(), "connection reset"));
            }
            Some(Fault::Torn { len_bytes }) => {
                content.iter_mut().skip(len_bytes).for_each(|byte| *byte = 0);
            }
            Some(Fault::CorruptWrite { bit }) => flip(&mut content, bit),
            _ => return self.inner.create(name, parts),
        }
        self.inner.create(name, &[&content])
    }

    fn take_space(&self, name: &BlobName, len_bytes: u64) -> Result<(), StorageError> {
        let mut state = self.lock();
        let Some(space_bytes) = state.space_bytes else { return Ok(()) };
        let Some(left_bytes) = space_bytes.checked_sub(len_bytes) else {
            let detail = "no space left";
            return Err(self.error(Verb::Create, name.as_str(), StorageErrorKind::Full, detail));
        };
        state.space_bytes = Some(left_bytes);
        Ok(())
    }

    pub(super) fn read_with(
        &self,
        name: &BlobName,
        bytes_max: u64,
        fault: Option<Fault>,
    ) -> Result<Vec<u8>, StorageError> {
        match fault {
            Some(Fault::CorruptRead { bit }) => {
                let mut content = self.inner.read(name, bytes_max)?;
                flip(&mut content, bit);
                Ok(content)
            }
            Some(Fault::ShortRead { len_bytes }) => {
                let mut content = self.inner.read(name, bytes_max)?;
                content.truncate(len_bytes);
                Ok(content)
            }
            Some(Fault::WrongObject) => self.inner.read(&self.neighbour(name)?, bytes_max),
            Some(Fault::OlderVersion) => self.lock().past.get(name).cloned().ok_or_else(|| {
                let detail = "no such blob";
                self.error(Verb::Read, name.as_str(), StorageErrorKind::NotFound, detail)
            }),
            _ => self.inner.read(name, bytes_max),
        }
    }

    pub(super) fn read_range_with(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
        fault: Option<Fault>,
    ) -> Result<(), StorageError> {
        match fault {
            Some(Fault::CorruptRead { bit }) => {
                self.inner.read_range(name, offset, into)?;
                flip(into, bit);
                Ok(())
            }
            Some(Fault::ShortRead { len_bytes }) if len_bytes < into.len() => {
                let detail = format!("expected {} bytes, found {len_bytes}", into.len());
                let kind = StorageErrorKind::Length;
                Err(self.error(Verb::ReadRange, name.as_str(), kind, &detail))
            }
            _ => self.inner.read_range(name, offset, into),
        }
    }

    pub(super) fn list_with(
        &self,
        prefix: &str,
        fault: Option<Fault>,
    ) -> Result<Vec<Listed>, StorageError> {
        let mut listed = self.inner.list(prefix)?;
        let earlier = self.lock().listings.insert(prefix.to_owned(), listed.clone());
        match fault {
            Some(Fault::ListEmpty) => listed.clear(),
            Some(Fault::ListCut { rows_count }) => listed.truncate(rows_count),
            Some(Fault::ListRepeats) => {
                let half = listed.len().div_ceil(2);
                let repeated: Vec<Listed> = listed.iter().take(half).cloned().collect();
                listed.extend(repeated);
            }
            Some(Fault::ListStale) => listed = earlier.unwrap_or_default(),
            _ => {}
        }
        Ok(listed)
    }

    /// Keeps what a name holds, for [`Fault::OlderVersion`], before it goes.
    pub(super) fn remember(&self, name: &BlobName) {
        if let Ok(content) = self.inner.read(name, BLOB_BYTES_MAX) {
            self.lock().past.insert(name.clone(), content);
        }
    }

    fn neighbour(&self, name: &BlobName) -> Result<BlobName, StorageError> {
        let folder = name.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut names: Vec<BlobName> =
            self.inner.list(&prefix)?.into_iter().map(|listed| listed.name).collect();
        names.sort();
        Ok(names.into_iter().find(|other| other != name).unwrap_or_else(|| name.clone()))
    }
}

fn flip(content: &mut [u8], bit: usize) {
    let len = content.len();
    if len > 0
        && let Some(byte) = content.get_mut(bit / 8 % len)
    {
        *byte ^= 1 << (bit % 8);
    }
}
