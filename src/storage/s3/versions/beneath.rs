//! A bucket as it was: what newer versions and marks of deletion hide, in the place of what they
//! show. Nothing is written or removed.
//!
//! A name is written once. Where it shows something else than was written there first, or nothing,
//! somebody has replaced or removed it, and what was written lies beneath, at least as long as its
//! lock lasts. So a name stands here for what it names, if it is the hash of that, in whatever
//! version; else for what it shows; and if it shows nothing for the oldest version.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;

use ureq::http::Method;

use crate::storage::BLOB_BYTES_MAX;
use crate::storage::BlobName;
use crate::storage::BlobStat;
use crate::storage::Listed;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::refuse::Refuse as _;
use crate::storage::s3::S3Storage;
use crate::storage::s3::client::Ask;
use crate::storage::s3::fault::Fault;
use crate::storage::s3::listing::PAGES_MAX;
use crate::storage::s3::versions::HiddenVersion;
use crate::storage::s3::versions::hidden_version;

/// Whether bytes are those that a name tells by their hash; none if it tells of no hash.
pub type IsGenuine = fn(&BlobName, &[u8]) -> Option<bool>;

/// All versions of one name.
#[derive(Debug, Clone, Default)]
struct Name {
    /// Its length and date, if it shows anything.
    shown: Option<BlobStat>,
    /// The newest first.
    hidden: Vec<HiddenVersion>,
}

/// What a name stands for.
#[derive(Debug, Clone)]
enum Stands {
    Shown(BlobStat),
    Hidden(HiddenVersion),
}

/// A bucket with versions, read as it was.
pub struct Beneath {
    bucket: S3Storage,
    is_genuine: IsGenuine,
    names: BTreeMap<BlobName, Name>,
    /// Of names with more than one version, once it was found out.
    stands: Mutex<BTreeMap<BlobName, Stands>>,
}

impl fmt::Debug for Beneath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Beneath({:?})", self.bucket)
    }
}

impl Beneath {
    /// Lists all versions.
    ///
    /// # Errors
    /// Those of asking the server; `Denied` if the keys may not list versions.
    pub fn of(bucket: S3Storage, is_genuine: IsGenuine) -> Result<Self, StorageError> {
        let names = all_versions(&bucket);
        let names = names.map_err(|fault| bucket.failed("list the versions of", "", fault))?;
        Ok(Self { bucket, is_genuine, names, stands: Mutex::default() })
    }

    fn missing(&self, operation: &'static str, name: &BlobName) -> StorageError {
        let kind = StorageErrorKind::NotFound;
        self.refused(operation, name.as_str(), kind, "no such blob in any version")
    }

    fn stands(&self, operation: &'static str, name: &BlobName) -> Result<Stands, StorageError> {
        let known = self.names.get(name).ok_or_else(|| self.missing(operation, name))?;
        if let (Some(shown), true) = (known.shown, known.hidden.is_empty()) {
            return Ok(Stands::Shown(shown));
        }
        let found = self.stands.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(found) = found {
            return Ok(found);
        }
        let found = self.find(name, known)?;
        let found = found.ok_or_else(|| self.missing(operation, name))?;
        let mut stands = self.stands.lock().unwrap_or_else(PoisonError::into_inner);
        stands.insert(name.clone(), found.clone());
        Ok(found)
    }

    fn find(&self, name: &BlobName, known: &Name) -> Result<Option<Stands>, StorageError> {
        let oldest = || known.hidden.last().cloned().map(Stands::Hidden);
        if (self.is_genuine)(name, &[]).is_none() {
            return Ok(known.shown.map(Stands::Shown).or_else(oldest));
        }
        let is_it = |bytes: Result<Vec<u8>, StorageError>| match bytes {
            Ok(bytes) => Ok((self.is_genuine)(name, &bytes) == Some(true)),
            Err(error) if error.is_retryable() => Err(error),
            Err(_) => Ok(false),
        };
        if let Some(shown) = known.shown
            && is_it(self.bucket.read(name, BLOB_BYTES_MAX))?
        {
            return Ok(Some(Stands::Shown(shown)));
        }
        for version in &known.hidden {
            if is_it(self.bucket.read_hidden(name, version, BLOB_BYTES_MAX))? {
                return Ok(Some(Stands::Hidden(version.clone())));
            }
        }
        // None is what it should be: what is there is told as what it is.
        Ok(known.shown.map(Stands::Shown).or_else(oldest))
    }

    fn read_only(&self, operation: &'static str, name: &str) -> StorageError {
        let detail = "what a bucket hides is only read";
        self.refused(operation, name, StorageErrorKind::Denied, detail)
    }
}

/// Names below the prefix with their versions.
fn all_versions(bucket: &S3Storage) -> Result<BTreeMap<BlobName, Name>, Fault> {
    let wrong = |detail: &str| Fault::new(StorageErrorKind::Other, detail);
    let prefix = bucket.client.place().key("");
    let mut names: BTreeMap<BlobName, Name> = BTreeMap::new();
    let (mut next_key, mut next_id) = (String::new(), String::new());
    for _ in 0..PAGES_MAX {
        let mut ask =
            Ask::new(Method::GET, None).query("versions", "").query("prefix", prefix.as_str());
        if !next_key.is_empty() {
            ask = ask.query("key-marker", &next_key).query("version-id-marker", &next_id);
        }
        let page = bucket.client.ask(ask)?.xml("ListVersionsResult")?;
        for row in page.all("Version") {
            let key = row.text("Key").and_then(|key| key.strip_prefix(prefix.as_str()));
            let Some(Ok(name)) = key.map(BlobName::new) else { continue };
            let version = hidden_version(row);
            let version = version.ok_or_else(|| wrong("a version has no name or no time"))?;
            let known = names.entry(name).or_default();
            if row.is_true("IsLatest") {
                let HiddenVersion { len_bytes, created, .. } = version;
                known.shown = Some(BlobStat { len_bytes, created });
            } else {
                known.hidden.push(version);
            }
        }
        let text = |name: &str| page.text(name).unwrap_or_default().to_owned();
        let (after_key, after_id) = (text("NextKeyMarker"), text("NextVersionIdMarker"));
        if !page.is_true("IsTruncated") {
            for known in names.values_mut() {
                known.hidden.sort_by_key(|version| std::cmp::Reverse(version.created));
            }
            return Ok(names);
        }
        if after_key.is_empty() || (after_key == next_key && after_id == next_id) {
            break;
        }
        (next_key, next_id) = (after_key, after_id);
    }
    Err(wrong("the list of versions does not end"))
}

impl Storage for Beneath {
    fn location(&self) -> String {
        format!("{} (beneath)", self.bucket.location())
    }

    fn create(&self, name: &BlobName, _parts: &[&[u8]]) -> Result<(), StorageError> {
        Err(self.read_only("create", name.as_str()))
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        match self.stands("read", name)? {
            Stands::Shown(_) => self.bucket.read(name, bytes_max),
            Stands::Hidden(version) => self.bucket.read_hidden(name, &version, bytes_max),
        }
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        match self.stands("read", name)? {
            Stands::Shown(_) => self.bucket.read_range(name, offset, into),
            Stands::Hidden(version) => {
                let read = self.bucket.get_range((name.as_str(), Some(&version.id)), offset, into);
                read.map_err(|fault| self.bucket.failed("read a version of", name.as_str(), fault))
            }
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        let below = self.names.iter().filter(|(name, _)| name.as_str().starts_with(prefix));
        let listed = |(name, known): (&BlobName, &Name)| {
            let len_bytes = match (known.shown, known.hidden.is_empty()) {
                (Some(shown), true) => shown.len_bytes,
                _ => self.stat(name)?.len_bytes,
            };
            Ok(Listed { name: name.clone(), len_bytes })
        };
        below.map(listed).collect()
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        Ok(match self.stands("stat", name)? {
            Stands::Shown(shown) => shown,
            Stands::Hidden(HiddenVersion { len_bytes, created, .. }) => {
                BlobStat { len_bytes, created }
            }
        })
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        Err(self.read_only("delete", name.as_str()))
    }

    fn is_far(&self) -> bool {
        true
    }

    fn sync(&self) -> Result<(), StorageError> {
        Ok(())
    }
}
