//! Named blobs on a medium.
//!
//! What it is: the contract that a folder, memory, SFTP and a bucket of S3 keep alike, and the
//! layers that go round any of them.
//! Never: knows what a blob means; overwrites; opens a key.
//! Invariants: the promises stated on [`Storage`]; each is a test of that name in `conformance`.
//! Start reading at: [`Storage`].

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod folder;
pub mod layer;
pub mod leftovers;
pub mod memory;
pub mod open;
pub mod probe;
mod refuse;
pub mod s3;
#[cfg(unix)]
pub mod serve;
pub mod sftp;
pub mod stack;
pub mod together;
pub mod wire;

use std::fmt;
use std::num::NonZeroU32;

use crate::disk::Held;
use crate::units::Timestamp;

/// Most bytes of a blob's name.
pub const NAME_BYTES_MAX: usize = 200;
/// What the name of every temporary starts with: no blob may be called so.
const TEMP_PREFIX: &str = ".tmp-";
/// Most bytes of a blob: a pack at its largest.
pub const BLOB_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// The name of a blob: `[a-z0-9/.-]`, components without a leading dot, no empty component.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobName(Box<str>);

/// The folder of a name; "" for the root.
fn parent_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A text that cannot name a blob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a blob name: expected 1 to {NAME_BYTES_MAX} of a-z 0-9 / . -")]
pub struct BlobNameError(String);

impl BlobName {
    pub fn new(name: &str) -> Result<Self, BlobNameError> {
        let wrong = || BlobNameError(crate::path::escape(name.as_bytes()));
        let allowed = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-');
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(allowed) {
            return Err(wrong());
        }
        if name.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
            return Err(wrong());
        }
        Ok(Self(name.into()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What went wrong with a storage, by what the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StorageErrorKind {
    NotFound,
    /// `create` found the name taken.
    AlreadyExists,
    /// A folder or the like has the name that a new blob is to have; to be read it is
    /// [`Self::NotFound`].
    Blocked,
    /// No right to do this: read-only folder, wrong credentials.
    Denied,
    /// No space, or a quota is used up.
    Full,
    /// This process, or its machine, may open no more files: that tells nothing of the medium.
    Handles,
    /// The blob is shorter than asked for, or longer than allowed.
    Length,
    /// A passing fault: connection, busy server, input or output error.
    Transient,
    /// Anything else.
    Other,
}

/// A storage operation failed. Text: place, name, what was found.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{operation} {}: {detail}", place(.name, .location))]
pub struct StorageError {
    pub kind: StorageErrorKind,
    /// The server asks to be left alone for so many seconds.
    pub after_s: Option<NonZeroU32>,
    /// Which medium, such as a folder's path. Never with a secret.
    pub location: String,
    /// `create`, `read`, `list`, …
    pub operation: &'static str,
    /// Blob or prefix; empty for the storage itself.
    pub name: String,
    pub detail: String,
}

fn place(name: &str, location: &str) -> String {
    if name.is_empty() { location.to_owned() } else { format!("`{name}` in {location}") }
}

impl StorageError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.kind == StorageErrorKind::Transient
    }
}

/// What is known of a blob without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobStat {
    pub len_bytes: u64,
    /// When it was created, by the storage's own clock.
    pub created: Timestamp,
}

/// One row of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: BlobName,
    pub len_bytes: u64,
}

/// A medium that keeps named blobs.
///
/// Promises, each a conformance test:
/// * `create_is_whole_or_absent`: a reader sees all of a blob or nothing, after any crash too.
/// * `create_never_replaces`: a taken name is [`StorageErrorKind::AlreadyExists`]; the old blob
///   stays.
/// * `durable_after_sync`: what was created or deleted before `sync` was called survives a power
///   cut
///   once `sync` has returned without an error. Before that it may be lost, never half there.
/// * `read_after_create`: a blob can be read and is listed as soon as `create` has returned.
/// * `list_is_complete_or_an_error`: a listing that could not be finished is an error, never short.
/// * `list_ignores_strangers`: names that are no [`BlobName`]s, and unfinished temporaries, are not
///   listed. A folder or the like under a blob's name is no blob: it is not listed, not found when
///   it is read, and keeps its name.
///
/// After an error from `sync` nothing created since the last good `sync` may be trusted; the caller
/// gives up and starts anew under new names.
pub trait Storage: Send + Sync + fmt::Debug {
    /// Where this is, for people. Never with a secret.
    fn location(&self) -> String;
    /// Keeps the concatenation of `parts` under a new name.
    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError>;
    /// The whole blob; [`StorageErrorKind::Length`] if it has more than `bytes_max`.
    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError>;
    /// Fills `into` from `offset`; [`StorageErrorKind::Length`] if the blob ends before.
    fn read_range(&self, name: &BlobName, offset: u64, into: &mut [u8])
    -> Result<(), StorageError>;
    /// Every blob whose name starts with `prefix` (a whole folder: it ends in `/`, or is empty),
    /// in no particular order. A folder that does not exist has no blobs.
    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError>;
    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError>;
    /// Removes a blob; [`StorageErrorKind::NotFound`] if there is none.
    fn delete(&self, name: &BlobName) -> Result<(), StorageError>;
    /// The barrier: see `durable_after_sync`.
    fn sync(&self) -> Result<(), StorageError>;
    /// Whether every call costs a way there and back: then what does not depend on each other is
    /// asked [`together`].
    fn is_far(&self) -> bool {
        false
    }
    /// As `create`; answers when the blob was created, as `stat` would.
    fn create_dated(&self, name: &BlobName, parts: &[&[u8]]) -> Result<Timestamp, StorageError> {
        self.create(name, parts)?;
        Ok(self.stat(name)?.created)
    }
    /// As `create`, but the blob is there only after `may` has agreed, which is asked once. What
    /// can be done before that is done meanwhile. Answers what `may` did.
    fn create_if(
        &self,
        name: &BlobName,
        parts: &[&[u8]],
        may: &mut dyn FnMut() -> bool,
    ) -> Result<bool, StorageError> {
        if !may() {
            return Ok(false);
        }
        self.create(name, parts).map(|()| true)
    }
    /// What this medium cannot promise, each with what that costs; as far as it was asked to do it.
    fn weaknesses(&self) -> Vec<String> {
        Vec::new()
    }
    /// What stands between the blobs and whoever has the keys or the way there, beyond the
    /// promises; tried on a blob that was just created. Nothing where a medium of this kind has no
    /// such thing.
    fn safeguards(&self, _name: &BlobName) -> Result<Vec<Safeguard>, StorageError> {
        Ok(Vec::new())
    }
    /// Asks to be alone in a short step, among processes that ask too. Nothing else depends on it:
    /// whoever does not ask is not kept out.
    fn try_alone(&self) -> Result<Alone, StorageError> {
        Ok(Alone::Unknown)
    }
}

/// Something that a storage may have beyond its promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Safeguard {
    pub against: Against,
    pub state: Guarded,
}

/// What a safeguard is against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Against {
    /// Who has the keys removes or replaces: a lock on what is new.
    Removal,
    /// Who listens on the way reads names and tokens: an encrypted way.
    Listeners,
}

/// How a safeguard stands; in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guarded {
    Holds(String),
    /// There is none, by somebody's choice.
    Absent(String),
    /// It was not asked for, or the answer was refused.
    Unknown(String),
    /// It is promised, and does not hold.
    Broken(String),
}

/// Whether a process is alone in a step.
pub enum Alone {
    /// Until this is dropped, or the process dies.
    Yes(Held),
    /// Another process is in it.
    No,
    /// This medium cannot tell.
    Unknown,
}
