//! Locks and older versions: what a bucket still has where a name shows something else or nothing.
//!
//! A bucket with an object lock keeps every version. A delete puts a marker on top, another PUT a
//! new version; what was there lies beneath, and while its lock lasts nobody can take it away. The
//! verbs of a storage see the top only. Whoever finds a blob missing or damaged looks here.
//! Nothing here deletes a version or shortens a lock.

pub mod beneath;

use ureq::http::Method;

use crate::run::Run;
use crate::storage::BlobName;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::s3::S3Storage;
use crate::storage::s3::client::Ask;
use crate::storage::s3::client::Content;
use crate::storage::s3::fault::Fault;
use crate::storage::s3::listing::PAGES_MAX;
use crate::storage::s3::xml::Element;
use crate::storage::together;
use crate::units::Timestamp;

/// A lock is not made longer than this from now: nobody could take it back.
pub const LOCK_DAYS_MAX: i64 = 400;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Who may lift a lock before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockMode {
    /// Users with a right of their own.
    Governance,
    /// Nobody.
    Compliance,
}

impl LockMode {
    const fn word(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }

    fn of(text: &str) -> Option<Self> {
        [Self::Governance, Self::Compliance].into_iter().find(|mode| mode.word() == text.trim())
    }
}

/// What a bucket puts on each new blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultLock {
    pub mode: LockMode,
    pub days: u32,
}

/// Whether and how a bucket locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketLock {
    /// It cannot.
    None,
    /// It can, and does so only where a lock is asked for.
    OnDemand,
    Default(DefaultLock),
}

/// The lock of one blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    pub mode: LockMode,
    pub until: Timestamp,
}

/// What became of locks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Renewed {
    pub count: u64,
    /// Why the first that could not be renewed was not.
    pub refused: Option<String>,
}

/// A version that another one, or a mark of deletion, hides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenVersion {
    /// The server's name of it.
    pub id: String,
    pub len_bytes: u64,
    pub created: Timestamp,
}

impl S3Storage {
    /// Whether and how the bucket locks what is new.
    ///
    /// # Errors
    /// Those of asking the server; `Denied` if the keys may not see it.
    pub fn bucket_lock(&self) -> Result<BucketLock, StorageError> {
        let ask = Ask::new(Method::GET, None).query("object-lock", "");
        let found = match self.client.ask(ask) {
            Err(fault) if fault.code == "ObjectLockConfigurationNotFoundError" => {
                return Ok(BucketLock::None);
            }
            answer => answer.and_then(|answer| answer.xml("ObjectLockConfiguration")),
        };
        let found = found.map_err(|fault| self.failed("see the lock of", "", fault))?;
        let rule = found.all("Rule").flat_map(|rule| rule.all("DefaultRetention")).next();
        Ok(rule.and_then(default_lock).map_or(BucketLock::OnDemand, BucketLock::Default))
    }

    /// The lock of a blob as its name shows it; none if it has none, or the bucket has not.
    ///
    /// # Errors
    /// [`StorageErrorKind::NotFound`] if there is no such blob.
    pub fn lock_of(&self, name: &BlobName) -> Result<Option<Lock>, StorageError> {
        let failed = |fault| self.failed("see the lock of", name.as_str(), fault);
        let key = self.client.place().key(name.as_str());
        let ask = Ask::new(Method::GET, Some(key)).query("retention", "");
        let found = match self.client.ask(ask) {
            Err(fault) if is_unlocked(&fault) => return Ok(None),
            answer => answer.and_then(|answer| answer.xml("Retention")).map_err(failed)?,
        };
        let mode = found.text("Mode").and_then(LockMode::of);
        let until = found.text("RetainUntilDate").and_then(time_of);
        match (mode, until) {
            (Some(mode), Some(until)) => Ok(Some(Lock { mode, until })),
            _ => {
                let detail = "the server tells a lock without mode or end";
                Err(failed(Fault::new(StorageErrorKind::Other, detail)))
            }
        }
    }

    /// Makes the lock of a blob last until `until`, at least: for what is still needed when its
    /// lock comes to its end. A lock that lasts longer stays.
    ///
    /// # Errors
    /// [`StorageErrorKind::NotFound`] if there is no such blob; `Denied` if the keys have not the
    /// right; `Other` if the bucket has no lock, or the time is further off than [`LOCK_DAYS_MAX`].
    pub fn renew(&self, name: &BlobName, lock: Lock) -> Result<(), StorageError> {
        let failed = |fault| self.failed("renew the lock of", name.as_str(), fault);
        let most = self.client.now().unix_ms.saturating_add(LOCK_DAYS_MAX * DAY_MS);
        if lock.until.unix_ms > most {
            let detail = format!("a lock of more than {LOCK_DAYS_MAX} days is not made");
            return Err(failed(Fault::new(StorageErrorKind::Other, detail)));
        }
        let mode = match self.lock_of(name)? {
            Some(found) if found.until >= lock.until => return Ok(()),
            // Never a weaker one than there is.
            Some(Lock { mode: LockMode::Compliance, .. }) => LockMode::Compliance,
            _ => lock.mode,
        };
        let Ok(until) = jiff::Timestamp::from_second(lock.until.unix_ms.div_euclid(1000) + 1)
        else {
            return Err(failed(Fault::new(StorageErrorKind::Other, "this is no time")));
        };
        let body = format!(
            "<Retention><Mode>{}</Mode><RetainUntilDate>{until:.0}</RetainUntilDate></Retention>",
            mode.word()
        );
        let key = self.client.place().key(name.as_str());
        let ask = Ask::new(Method::PUT, Some(key))
            .query("retention", "")
            .header("content-type", "application/xml")
            .content(Content::of(&[body.as_bytes()]));
        self.client.ask(ask).map(|_| ()).map_err(failed)
    }

    /// Makes the locks of these blobs last as long as that of a new one, where the bucket locks
    /// what is new and less than half of that is left. One that is gone meanwhile needs none.
    ///
    /// # Errors
    /// When the run is stopped, and those of asking the server.
    pub fn renew_all(&self, run: &Run, names: &[BlobName]) -> Result<Renewed, StorageError> {
        let told = match self.bucket_lock() {
            Ok(BucketLock::Default(told)) => told,
            Ok(BucketLock::None | BucketLock::OnDemand) => return Ok(Renewed::default()),
            Err(error) if error.is_retryable() => return Err(error),
            // Whoever may not see it may not renew it; `storage test` tells.
            Err(_) => return Ok(Renewed::default()),
        };
        let now = self.client.now().unix_ms;
        let whole_ms = i64::from(told.days).saturating_mul(DAY_MS);
        let until = Timestamp::from_unix_ms(now.saturating_add(whole_ms));
        let enough = Timestamp::from_unix_ms(now.saturating_add(whole_ms / 2));
        let renewed = together::each(self, names, |name| {
            if run.check().is_err() {
                return Ok(Ok(false));
            }
            let found = match self.lock_of(name) {
                Err(error) if error.kind == StorageErrorKind::NotFound => return Ok(Ok(false)),
                found => found?,
            };
            if found.is_some_and(|lock| lock.until >= enough) {
                return Ok(Ok(false));
            }
            match self.renew(name, Lock { mode: told.mode, until }) {
                Ok(()) => Ok(Ok(true)),
                Err(error) if error.is_retryable() => Err(error),
                Err(error) => Ok(Err(error.to_string())),
            }
        })?;
        let count = renewed.iter().filter(|one| matches!(one, Ok(true))).count() as u64;
        Ok(Renewed { count, refused: renewed.into_iter().find_map(Result::err) })
    }

    /// The versions of a name that are hidden, the newest first: all but what the name shows. A
    /// name that never was has none.
    ///
    /// # Errors
    /// Those of asking the server; `Denied` if the keys may not list versions.
    pub fn hidden(&self, name: &BlobName) -> Result<Vec<HiddenVersion>, StorageError> {
        let found = self.hidden_of(name.as_str());
        found.map_err(|fault| self.failed("list the versions of", name.as_str(), fault))
    }

    fn hidden_of(&self, name: &str) -> Result<Vec<HiddenVersion>, Fault> {
        let wrong = |detail: &str| Fault::new(StorageErrorKind::Other, detail);
        let key = self.client.place().key(name);
        let (mut found, mut next_key, mut next_id) = (Vec::new(), String::new(), String::new());
        for _ in 0..PAGES_MAX {
            let mut ask =
                Ask::new(Method::GET, None).query("versions", "").query("prefix", key.as_str());
            if !next_key.is_empty() {
                ask = ask.query("key-marker", &next_key).query("version-id-marker", &next_id);
            }
            let page = self.client.ask(ask)?.xml("ListVersionsResult")?;
            for row in page.all("Version").filter(|row| row.text("Key") == Some(key.as_str())) {
                let version = hidden_version(row);
                let version = version.ok_or_else(|| wrong("a version has no name or no time"))?;
                if !row.is_true("IsLatest") {
                    found.push(version);
                }
            }
            // Names come in their order; others that begin like this one come after it.
            let text = |name: &str| page.text(name).unwrap_or_default().to_owned();
            let (after_key, after_id) = (text("NextKeyMarker"), text("NextVersionIdMarker"));
            if !page.is_true("IsTruncated") || (!after_key.is_empty() && after_key != key) {
                found.sort_by_key(|version| std::cmp::Reverse(version.created));
                return Ok(found);
            }
            if after_key.is_empty() || (after_key == next_key && after_id == next_id) {
                break;
            }
            (next_key, next_id) = (after_key, after_id);
        }
        Err(wrong("the list of versions does not end"))
    }

    /// The whole of a hidden version; [`StorageErrorKind::Length`] if it has more than `bytes_max`.
    ///
    /// # Errors
    /// Those of reading a blob.
    pub fn read_hidden(
        &self,
        name: &BlobName,
        version: &HiddenVersion,
        bytes_max: u64,
    ) -> Result<Vec<u8>, StorageError> {
        let ask = Ask::new(Method::GET, Some(self.client.place().key(name.as_str())));
        let read = self.read_whole(ask.query("versionId", version.id.as_str()), bytes_max);
        read.map_err(|fault| self.failed("read a version of", name.as_str(), fault))
    }
}

/// A bucket without locks, or a blob without one.
fn is_unlocked(fault: &Fault) -> bool {
    matches!(
        fault.code.as_str(),
        "NoSuchObjectLockConfiguration"
            | "ObjectLockConfigurationNotFoundError"
            | "InvalidRequest"
            | "InvalidBucketState"
    )
}

fn default_lock(rule: &Element) -> Option<DefaultLock> {
    let mode = LockMode::of(rule.text("Mode")?)?;
    let years = |years: u32| years.saturating_mul(365);
    let days = rule.number("Days").or_else(|| rule.number("Years").map(years))?;
    Some(DefaultLock { mode, days })
}

fn hidden_version(row: &Element) -> Option<HiddenVersion> {
    Some(HiddenVersion {
        id: row.text("VersionId")?.to_owned(),
        len_bytes: row.number("Size")?,
        created: time_of(row.text("LastModified")?)?,
    })
}

/// A time in an answer.
pub(super) fn time_of(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.trim().parse().ok()?;
    Some(Timestamp::from_unix_ms(time.as_millisecond()))
}
