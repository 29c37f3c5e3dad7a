//! Large blobs go up in parts.
//!
//! A part that fails ends the whole; it is taken back, so that nobody pays for it. Not so once the
//! server was told to join the parts: it may be at it, and a taking-back beside that has cost
//! blobs on some servers. What then stays is removed after a day, see [`super::leftovers`].

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use ureq::http::Method;
use ureq::http::StatusCode;

use crate::storage::StorageErrorKind;
use crate::storage::s3::Guard;
use crate::storage::s3::S3Storage;
use crate::storage::s3::client::Answer;
use crate::storage::s3::client::Ask;
use crate::storage::s3::client::Content;
use crate::storage::s3::fault::Fault;
use crate::storage::s3::kept;
use crate::storage::s3::xml::Element;
use crate::units::MIB;

/// What is not larger goes up whole.
pub(super) const WHOLE_BYTES_MAX: u64 = 64 * MIB;
/// A server takes parts from 5 MiB on, and at most 10 000 of them.
const PART_BYTES: usize = 16 << 20;
const IN_FLIGHT_MAX: usize = 3;
/// Most bytes of the answer to the joining.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

const _: () = assert!(crate::storage::BLOB_BYTES_MAX.div_ceil(PART_BYTES as u64) <= 10_000);

/// What the server says of a part.
struct Part {
    tag: String,
    checksum: Option<String>,
}

struct Parts<'a> {
    rest: Content<'a>,
    taken_count: u32,
    done: BTreeMap<u32, Part>,
    failed: Option<Fault>,
}

impl<'a> Parts<'a> {
    fn next(&mut self) -> Option<(u32, Content<'a>)> {
        if self.rest.len_bytes() == 0 || self.failed.is_some() {
            return None;
        }
        self.taken_count += 1;
        Some((self.taken_count, self.rest.split(PART_BYTES)))
    }
}

impl S3Storage {
    pub(super) fn upload(
        &self,
        name: &str,
        content: Content<'_>,
        guard: Guard,
    ) -> Result<(), Fault> {
        let len_bytes = content.len_bytes();
        let key = self.client.place().key(name);
        let begin = Ask::new(Method::POST, Some(key.clone()))
            .query("uploads", "")
            .header("x-amz-checksum-algorithm", "SHA256");
        let begun = self.client.ask(self.classed(begin))?.xml("InitiateMultipartUploadResult")?;
        let Some(id) = begun.text("UploadId").filter(|id| !id.is_empty()) else {
            return Err(Fault::new(StorageErrorKind::Other, "the server gives the upload no name"));
        };
        let parts = match self.send_parts(&key, id, content) {
            Ok(parts) => parts,
            Err(fault) => {
                // The first fault is the one to tell.
                let _leftover = self.take_back(&key, id);
                return Err(unfinished(fault));
            }
        };
        if let Err(fault) = self.join(&key, id, &parts, guard) {
            // Said no in so many words: then it is not at it.
            if !fault.code.is_empty() && fault.kind != StorageErrorKind::Transient {
                let _leftover = self.take_back(&key, id);
            }
            return Err(unfinished(fault));
        }
        let found = self.head(name)?.len_bytes();
        if found != Some(len_bytes) {
            let found = found.unwrap_or_default();
            let detail = format!("sent {len_bytes} bytes in parts, found {found}");
            return Err(Fault::new(StorageErrorKind::Other, detail));
        }
        Ok(())
    }

    pub(super) fn take_back(&self, key: &str, id: &str) -> Result<(), Fault> {
        let ask = Ask::new(Method::DELETE, Some(key.to_owned())).query("uploadId", id);
        self.client.ask(ask).map(|_| ())
    }

    fn send_parts(
        &self,
        key: &str,
        id: &str,
        content: Content<'_>,
    ) -> Result<BTreeMap<u32, Part>, Fault> {
        let parts = Parts { rest: content, taken_count: 0, done: BTreeMap::new(), failed: None };
        let parts = Mutex::new(parts);
        let work = || {
            loop {
                let Some((number, part)) = lock(&parts).next() else { return };
                let sent = self.send_part(key, id, number, part);
                let mut parts = lock(&parts);
                match sent {
                    Ok(part) => drop(parts.done.insert(number, part)),
                    Err(fault) => {
                        parts.failed.get_or_insert(fault);
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..IN_FLIGHT_MAX {
                scope.spawn(work);
            }
            work();
        });
        let parts = parts.into_inner().unwrap_or_else(PoisonError::into_inner);
        match parts.failed {
            Some(fault) => Err(fault),
            None => Ok(parts.done),
        }
    }

    fn send_part(
        &self,
        key: &str,
        id: &str,
        number: u32,
        content: Content<'_>,
    ) -> Result<Part, Fault> {
        let ask = Ask::new(Method::PUT, Some(key.to_owned()))
            .query("partNumber", number.to_string())
            .query("uploadId", id)
            .content(content);
        let answer = self.client.ask(ask)?;
        kept(&answer)?;
        let header = |answer: &Answer, name: &str| answer.header(name).map(str::to_owned);
        let checksum = header(&answer, "x-amz-checksum-sha256");
        Ok(Part { tag: header(&answer, "etag").unwrap_or_default(), checksum })
    }

    fn join(
        &self,
        key: &str,
        id: &str,
        parts: &BTreeMap<u32, Part>,
        guard: Guard,
    ) -> Result<(), Fault> {
        let body = joined(parts);
        let mut ask = Ask::new(Method::POST, Some(key.to_owned()))
            .query("uploadId", id)
            .header("content-type", "application/xml")
            .content(Content::of(&[body.as_bytes()]));
        if guard != Guard::Ignored {
            ask = ask.header("if-none-match", "*");
        }
        let answer = self.client.ask(ask)?;
        let headers = answer.headers().clone();
        let body = answer.read(ANSWER_BYTES_MAX)?;
        match Element::parse(&body) {
            Some(found) if found.name() == "CompleteMultipartUploadResult" => Ok(()),
            // It begins to answer before it knows.
            Some(found) if found.name() == "Error" => {
                Err(self.client.answered(StatusCode::INTERNAL_SERVER_ERROR, &headers, &body))
            }
            _ => Err(Fault::new(StorageErrorKind::Transient, "the parts were perhaps not joined")),
        }
    }
}

/// An upload that somebody took away meanwhile is no blob that is missing.
fn unfinished(fault: Fault) -> Fault {
    if !fault.is_missing() {
        return fault;
    }
    let detail = "the upload in parts was ended by somebody else";
    Fault { kind: StorageErrorKind::Transient, detail: detail.to_owned(), ..fault }
}

fn lock<'m, 'a>(parts: &'m Mutex<Parts<'a>>) -> MutexGuard<'m, Parts<'a>> {
    parts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The list of parts, in their order.
fn joined(parts: &BTreeMap<u32, Part>) -> String {
    let plain = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let mut body = String::from("<CompleteMultipartUpload>");
    for (number, part) in parts {
        let tag = plain(&part.tag);
        // A text takes any letters.
        let _always = write!(body, "<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag>");
        if let Some(checksum) = &part.checksum {
            let _always = write!(body, "<ChecksumSHA256>{}</ChecksumSHA256>", plain(checksum));
        }
        body.push_str("</Part>");
    }
    body.push_str("</CompleteMultipartUpload>");
    body
}
