//! What keeps a bucket from whoever has its keys, or listens on the way.

use ureq::http::Method;

use crate::storage::Against;
use crate::storage::BlobName;
use crate::storage::Guarded;
use crate::storage::Safeguard;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::s3::S3Storage;
use crate::storage::s3::client::Ask;
use crate::storage::s3::fault::Fault;
use crate::storage::s3::versions::BucketLock;
use crate::storage::s3::versions::DefaultLock;
use crate::storage::s3::versions::LockMode;

impl S3Storage {
    pub(super) fn guards(&self, name: &BlobName) -> Result<Vec<Safeguard>, StorageError> {
        let removal = Safeguard { against: Against::Removal, state: self.against_removal(name)? };
        let listeners = Safeguard { against: Against::Listeners, state: self.against_listeners() };
        Ok(vec![removal, listeners])
    }

    fn against_listeners(&self) -> Guarded {
        let place = self.client.place();
        if place.is_encrypted() {
            return Guarded::Holds("https".to_owned());
        }
        if place.is_here() {
            return Guarded::Holds("http, to a server on this machine".to_owned());
        }
        let text = "the endpoint is `http://`: names and tokens of sessions go there in the clear, \
                    and anybody on the way can say that a blob is not there";
        Guarded::Absent(text.to_owned())
    }

    /// The lock that the bucket says it puts on what is new, tried on a blob that is new.
    fn against_removal(&self, name: &BlobName) -> Result<Guarded, StorageError> {
        let told = match self.bucket_lock() {
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => {
                let text = format!("whether the bucket locks what is new was not told: {error}");
                return Ok(Guarded::Unknown(text));
            }
            Ok(told) => told,
        };
        let DefaultLock { mode, days } = match told {
            BucketLock::Default(told) => told,
            BucketLock::None => return Ok(Guarded::Absent("the bucket has no lock".to_owned())),
            BucketLock::OnDemand => {
                let text = "the bucket can lock, and locks nothing by itself";
                return Ok(Guarded::Absent(text.to_owned()));
            }
        };
        if self.lock_of(name)?.is_none() {
            let text = "the bucket says that it locks what is new, and a new blob has no lock";
            return Ok(Guarded::Broken(text.to_owned()));
        }
        if self.gives_up_version(name)? {
            let text = "the version of a new blob that is locked could be removed";
            return Ok(Guarded::Broken(text.to_owned()));
        }
        let lifted = match mode {
            LockMode::Compliance => "nobody lifts it",
            LockMode::Governance => "who has the right to may lift it",
        };
        Ok(Guarded::Holds(format!("{days} days; {lifted}")))
    }

    /// Whether the server takes away the version that a name shows. Only for a blob that nobody
    /// needs.
    fn gives_up_version(&self, name: &BlobName) -> Result<bool, StorageError> {
        let failed = |fault: Fault| self.failed("try the lock of", name.as_str(), fault);
        let shown = self.head(name.as_str()).map_err(failed)?;
        let Some(id) = shown.header("x-amz-version-id").map(str::to_owned) else {
            let detail = "a bucket with a lock shows no versions";
            return Err(failed(Fault::new(StorageErrorKind::Other, detail)));
        };
        let key = self.client.place().key(name.as_str());
        match self.client.ask(Ask::new(Method::DELETE, Some(key)).query("versionId", id)) {
            Ok(_) => Ok(true),
            Err(fault) if fault.kind == StorageErrorKind::Transient => Err(failed(fault)),
            Err(_) => Ok(false),
        }
    }
}
