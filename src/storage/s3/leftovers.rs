//! What lies in a bucket beside the blobs: uploads that nobody finished, names that are no blobs.

use ureq::http::Method;

use crate::storage::BlobName;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::leftovers::LEFTOVER_AGE_MS_MIN;
use crate::storage::leftovers::Leftovers;
use crate::storage::leftovers::Strangers;
use crate::storage::s3::PROBE;
use crate::storage::s3::S3Storage;
use crate::storage::s3::client::Ask;
use crate::storage::s3::fault;
use crate::storage::s3::fault::Fault;
use crate::storage::s3::listing::PAGES_MAX;
use crate::storage::s3::versions::time_of;
use crate::units::Timestamp;

/// An upload in parts that is not finished.
struct Upload {
    key: String,
    id: String,
    begun: Timestamp,
}

impl S3Storage {
    /// Takes back uploads that were begun more than a day ago, by the server's own clock.
    ///
    /// # Errors
    /// Those of asking the server.
    pub fn remove_leftovers(&self) -> Result<Leftovers, StorageError> {
        const OPERATION: &str = "clean";
        let failed = |fault| self.failed(OPERATION, "", fault);
        let (uploads, now) = self.uploads().map_err(failed)?;
        let mut removed = Leftovers::default();
        for upload in uploads {
            if now.ms_since(upload.begun) <= LEFTOVER_AGE_MS_MIN {
                continue;
            }
            let bytes = self.sent_bytes(&upload).map_err(failed)?;
            match self.take_back(&upload.key, &upload.id) {
                // Another process cleans up as well.
                Err(fault) if fault.is_missing() => continue,
                taken => taken.map_err(failed)?,
            }
            removed.count += 1;
            removed.bytes += bytes;
        }
        Ok(removed)
    }

    /// Counts unfinished uploads, and names what is no blob.
    ///
    /// # Errors
    /// Those of asking the server.
    pub fn strangers(&self) -> Result<Strangers, StorageError> {
        let failed = |fault| self.failed("list", "", fault);
        let mut found = Strangers::default();
        for (name, _) in self.list_rows("").map_err(failed)? {
            let is_blob = std::str::from_utf8(&name).is_ok_and(|name| BlobName::new(name).is_ok());
            if !is_blob && name != PROBE.as_bytes() {
                found.unknown.push(crate::path::escape(&name));
            }
        }
        found.unknown.sort_unstable();
        let (uploads, _) = self.uploads().map_err(failed)?;
        for upload in &uploads {
            found.temporaries_count += 1;
            found.temporaries_bytes += self.sent_bytes(upload).map_err(failed)?;
        }
        Ok(found)
    }

    /// The unfinished uploads of this storage, and the server's time.
    fn uploads(&self) -> Result<(Vec<Upload>, Timestamp), Fault> {
        let wrong = |detail: &str| Fault::new(StorageErrorKind::Other, detail);
        let (mut found, mut key, mut id) = (Vec::new(), String::new(), String::new());
        for _ in 0..PAGES_MAX {
            let mut ask = Ask::new(Method::GET, None)
                .query("uploads", "")
                .query("prefix", self.client.place().prefix());
            if !key.is_empty() {
                ask = ask.query("key-marker", &key).query("upload-id-marker", &id);
            }
            let answer = self.client.ask(ask)?;
            let now = fault::time_of(answer.headers(), "date");
            let now = now.ok_or_else(|| wrong("the server does not tell its time"))?;
            let page = answer.xml("ListMultipartUploadsResult")?;
            for row in page.all("Upload") {
                let text = |name: &str| row.text(name).map(str::to_owned);
                let begun = row.text("Initiated").and_then(time_of);
                let (Some(key), Some(id), Some(begun)) = (text("Key"), text("UploadId"), begun)
                else {
                    return Err(wrong("a row of the uploads has no name or no time"));
                };
                // Others may share the bucket.
                let own = key.strip_prefix(self.client.place().prefix());
                if own.is_some_and(|name| BlobName::new(name).is_ok()) {
                    found.push(Upload { key, id, begun });
                }
            }
            if !page.is_true("IsTruncated") {
                return Ok((found, now));
            }
            let next = |name: &str| page.text(name).unwrap_or_default().to_owned();
            let (next_key, next_id) = (next("NextKeyMarker"), next("NextUploadIdMarker"));
            if next_key.is_empty() || (next_key == key && next_id == id) {
                break;
            }
            (key, id) = (next_key, next_id);
        }
        Err(wrong("the list of uploads does not end"))
    }

    /// How much of an upload has arrived; one that is gone meanwhile has nothing.
    fn sent_bytes(&self, upload: &Upload) -> Result<u64, Fault> {
        let ask = Ask::new(Method::GET, Some(upload.key.clone())).query("uploadId", &upload.id);
        match self.client.ask(ask).and_then(|answer| answer.xml("ListPartsResult")) {
            Ok(parts) => Ok(parts.all("Part").filter_map(|part| part.number::<u64>("Size")).sum()),
            Err(fault) if fault.is_missing() => Ok(0),
            Err(fault) => Err(fault),
        }
    }
}
