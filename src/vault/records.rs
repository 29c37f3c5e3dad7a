//! Small records, kept several times over a storage: config, slots, keyring, recipients, machines.

use std::sync::Arc;

use crate::format::record;
use crate::format::record::Record;
use crate::format::record::RecordError;
use crate::format::record::Signed;
use crate::format::record::SignedRecord;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::BlobName;
use crate::storage::BlobNameError;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;

/// How often a copy is read until two reads give the same.
const READS_MAX: usize = 4;

/// A record that cannot be kept or had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RecordsError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Name(#[from] BlobNameError),
    #[error("`{name}` and all its copies are missing")]
    Missing { name: BlobName },
    #[error("a record without names was asked for")]
    NoNames,
    #[error("`{name}`: {error}")]
    Unreadable { name: BlobName, error: RecordError },
}

/// What was found under one name.
#[derive(Debug)]
pub enum Copy<T> {
    Good(T),
    Missing,
    Unreadable(RecordError),
    Failed(StorageError),
}

/// Names of `count` copies of a record whose first is called `name`: `name`, `name.1`, …
pub fn twin_names(name: &str, count: u8) -> Result<Vec<BlobName>, BlobNameError> {
    (0..count)
        .map(|copy| match copy {
            0 => BlobName::new(name),
            _ => BlobName::new(&format!("{name}.{copy}")),
        })
        .collect()
}

/// Names of `count` copies numbered from zero: `name.0`, `name.1`, …
pub fn numbered_names(name: &str, count: u8) -> Result<Vec<BlobName>, BlobNameError> {
    (0..count).map(|copy| BlobName::new(&format!("{name}.{copy}"))).collect()
}

/// Reads a plain record; to be handed to [`Records::load`].
pub fn plain<R: Record>(bytes: &[u8]) -> Result<R, RecordError> {
    record::decode(bytes)
}

/// Reads a signed record; whether the signature holds is for the caller to find out.
pub fn signed<R: SignedRecord>(bytes: &[u8]) -> Result<(R, Signed), RecordError> {
    record::decode_signed(bytes)
}

/// Small records of one storage.
#[derive(Debug, Clone)]
pub struct Records {
    storage: Arc<dyn Storage>,
}

impl Records {
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage }
    }

    /// Creates every copy, the first one first. A taken name is an error, and then what follows is
    /// not written. Durable only after [`Records::sync`].
    pub fn create_all(&self, names: &[BlobName], bytes: &[u8]) -> Result<(), RecordsError> {
        names.iter().try_for_each(|name| self.storage.create(name, &[bytes]))?;
        Ok(())
    }

    pub fn sync(&self) -> Result<(), RecordsError> {
        Ok(self.storage.sync()?)
    }

    /// One copy, whatever its state.
    pub fn read_copy<T>(
        &self,
        name: &BlobName,
        decode: impl Fn(&[u8]) -> Result<T, RecordError>,
    ) -> Copy<T> {
        match self.storage.read(name, record::RECORD_BYTES_MAX as u64) {
            Ok(bytes) => decode(&bytes).map_or_else(Copy::Unreadable, Copy::Good),
            Err(error) if error.kind == StorageErrorKind::NotFound => Copy::Missing,
            Err(error) => Copy::Failed(error),
        }
    }

    /// One copy, whatever its state, with its bytes, which are to be written elsewhere: what one
    /// read got wrong is not made to last.
    pub fn read_bytes<T>(
        &self,
        name: &BlobName,
        decode: impl Fn(&[u8]) -> Result<T, RecordError>,
    ) -> Copy<(T, Vec<u8>)> {
        let decode = |bytes: &[u8]| Ok((decode(bytes)?, bytes.to_vec()));
        let mut first = self.read_copy(name, decode);
        for _ in 0..READS_MAX {
            let second = self.read_copy(name, decode);
            match (&first, &second) {
                (Copy::Good((_, one)), Copy::Good((_, other))) if one != other => {}
                (Copy::Good(_), Copy::Unreadable(_)) | (Copy::Unreadable(_), Copy::Good(_)) => {}
                _ => return second,
            }
            first = second;
        }
        first
    }

    /// The first copy that can be read. Those before it are reported as healable. If none can, the
    /// error is the one that says most: a newer version, a failing storage, damage, absence.
    pub fn load<T>(
        &self,
        run: &Run,
        names: &[BlobName],
        decode: impl Fn(&[u8]) -> Result<T, RecordError>,
    ) -> Result<T, RecordsError> {
        let mut problems = Vec::new();
        let mut worst: Option<RecordsError> = None;
        for name in names {
            let error = match self.read_copy(name, &decode) {
                Copy::Good(value) => {
                    problems.iter().for_each(|problem| run.problem(problem));
                    return Ok(value);
                }
                Copy::Missing => RecordsError::Missing { name: name.clone() },
                Copy::Unreadable(error) => RecordsError::Unreadable { name: name.clone(), error },
                Copy::Failed(error) => RecordsError::Storage(error),
            };
            problems.push(problem_of(name, &error));
            if worst.as_ref().is_none_or(|worst| weight(&error) > weight(worst)) {
                worst = Some(error);
            }
        }
        Err(worst.unwrap_or(RecordsError::NoNames))
    }

    /// Looks at every copy and tells what is wrong with it; nothing if all can be read.
    pub fn inspect<T>(
        &self,
        names: &[BlobName],
        decode: impl Fn(&[u8]) -> Result<T, RecordError>,
    ) -> Vec<Problem> {
        let found = |name: &BlobName| match self.read_copy(name, &decode) {
            Copy::Good(_) => None,
            Copy::Missing => Some(problem_of(name, &RecordsError::Missing { name: name.clone() })),
            Copy::Unreadable(error) => {
                Some(problem_of(name, &RecordsError::Unreadable { name: name.clone(), error }))
            }
            Copy::Failed(error) => Some(problem_of(name, &RecordsError::Storage(error))),
        };
        names.iter().filter_map(found).collect()
    }

    /// Whether a blob of this name exists.
    pub fn exists(&self, name: &BlobName) -> Result<bool, RecordsError> {
        match self.storage.stat(name) {
            Ok(_) => Ok(true),
            Err(error) if error.kind == StorageErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Names below a folder without their copy's number, sorted, each once: `slots/<id>` for
    /// `slots/<id>` and `slots/<id>.1`. `folder` ends in `/`.
    pub fn list(&self, folder: &str) -> Result<Vec<String>, RecordsError> {
        let mut names: Vec<String> = self
            .storage
            .list(folder)?
            .iter()
            .map(|listed| without_copy(listed.name.as_str()).to_owned())
            .collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// Removes every copy that is there, the last first, so that a cut leaves the first name.
    pub fn delete_all(&self, names: &[BlobName]) -> Result<(), RecordsError> {
        for name in names.iter().rev() {
            match self.storage.delete(name) {
                Err(error) if error.kind != StorageErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A name without its copy's number.
#[must_use]
pub fn without_copy(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, copy)) if copy.len() == 1 && copy.bytes().all(|c| c.is_ascii_digit()) => stem,
        _ => name,
    }
}

const fn weight(error: &RecordsError) -> u8 {
    match error {
        RecordsError::Unreadable { error: RecordError::Newer { .. }, .. } => 4,
        RecordsError::Storage(_) => 3,
        RecordsError::Unreadable { .. } => 2,
        RecordsError::Missing { .. } => 1,
        RecordsError::Name(_) | RecordsError::NoNames => 0,
    }
}

fn problem_of(name: &BlobName, error: &RecordsError) -> Problem {
    let message = match error {
        RecordsError::Missing { .. } => "this copy is missing".to_owned(),
        RecordsError::Unreadable { error, .. } => error.to_string(),
        other => other.to_string(),
    };
    Problem::healable(name.as_str(), message)
}
