//! Blobs as objects in a bucket.
//!
//! A blob's key is its name after the prefix of the options. A PUT is whole or absent by the rules
//! of S3, and an answer of success is durable; so `sync` has nothing to do. What is sent carries
//! its SHA-256, signed; a server keeps the same bytes or refuses them. Large blobs go up in parts,
//! see [`upload`]. Nothing is repeated here: the layer above does that.
//!
//! A name is taken by asking for the PUT only if there is nothing (`If-None-Match: *`). Many
//! servers honour that; some ignore it, all or for some buckets, and then one of two writers of a
//! name at the same moment silently replaces the other's blob. So it is tried once, before the
//! first `create`, on a key that no blob can have. Where it is ignored, `create` looks first,
//! which costs one more request each time and leaves the moment between; [`S3Storage::lacks`]
//! tells it. The vault does not depend on who wins: its names are random or hashes of what lies
//! there. The few that are counted, entries of the ledger, are read back by who wrote them: that
//! tells most such cases, not all.

pub mod client;
pub mod keys;
pub mod leftovers;
pub mod place;
pub mod versions;

mod fault;
mod guards;
mod listing;
mod upload;
mod xml;

use std::fmt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use ureq::http::Method;

use crate::run::Run;
use crate::storage::BlobName;
use crate::storage::BlobStat;
use crate::storage::Listed;
use crate::storage::Safeguard;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::refuse::Refuse as _;
use crate::storage::s3::client::Answer;
use crate::storage::s3::client::Ask;
use crate::storage::s3::client::Client;
use crate::storage::s3::client::Content;
use crate::storage::s3::client::Patience;
use crate::storage::s3::fault::BEYOND_END;
use crate::storage::s3::fault::Fault;
use crate::storage::s3::fault::NO_BUCKET;
use crate::storage::s3::keys::Keys;
use crate::storage::s3::place::Addressing;
use crate::storage::s3::place::REGION_DEFAULT;

/// Where no blob can be: a component with a leading dot.
const PROBE: &str = ".lifeboat-probe";
/// A server that knows no conditions.
const NO_CONDITIONS: [&str; 4] =
    ["NotImplemented", "NotSupported", "InvalidRequest", "InvalidArgument"];
const PROBE_TEXT: &[u8] = b"Here a backup program tries whether the server keeps a taken name.\n";
/// Which bucket, and how to get there.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Options {
    /// `https://host[:port]`; none is Amazon's, by region.
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub bucket: String,
    pub prefix: String,
    pub addressing: Addressing,
    pub keys: Keys,
    /// Certificates in PEM that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// By the words of the server, such as `STANDARD_IA`; none is the bucket's own.
    pub storage_class: Option<String>,
}

/// Where it is and no more; an address with an `@` may have a password in it.
impl fmt::Debug for S3Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.endpoint.as_deref().filter(|endpoint| !endpoint.contains('@'));
        write!(f, "S3Options({} {}/{})", endpoint.unwrap_or(".."), self.bucket, self.prefix)
    }
}

/// What a bucket does not give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weakness {
    /// A taken name is replaced.
    Replaces,
    /// Whether a taken name is replaced could not be tried.
    Untried,
    /// It keeps versions: what was deleted still needs room.
    KeepsDeleted,
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Replaces => {
                "the server ignores `If-None-Match`: of two writers of one name at the same moment \
                 one replaces the other's; each new blob costs one more request"
            }
            Self::Untried => {
                "the keys may not write, so whether the server keeps a taken name was not tried"
            }
            Self::KeepsDeleted => {
                "the bucket keeps versions: what prune removes needs room until a rule of the \
                 bucket removes old versions"
            }
        })
    }
}

/// Whether a server keeps a taken name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    Honoured,
    Ignored,
    Untried,
}

/// A storage in a bucket.
pub struct S3Storage {
    client: Client,
    options: S3Options,
    /// Known once it was tried.
    guard: Mutex<Option<Guard>>,
}

impl fmt::Debug for S3Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Storage({})", self.location())
    }
}

impl S3Storage {
    /// Opens an existing bucket.
    ///
    /// # Errors
    /// [`StorageErrorKind::NotFound`] if there is no such bucket; `Denied` if the server does not
    /// take the keys, or they may not list; `Other` if the options or the two clocks are wrong, or
    /// the server's certificate is not trusted.
    pub fn open(run: &Run, options: S3Options) -> Result<Self, StorageError> {
        Self::open_with(run, options, Patience::USUAL)
    }

    /// The same as [`Self::open`]: a bucket, its rights and its lock are made by an administrator.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn create(run: &Run, options: S3Options) -> Result<Self, StorageError> {
        Self::open(run, options)
    }

    /// [`Self::open`], with a patience of one's own.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_with(
        run: &Run,
        mut options: S3Options,
        patience: Patience,
    ) -> Result<Self, StorageError> {
        let unplaced = format!("s3:{}", crate::path::escape(options.bucket.as_bytes()));
        let mut region = options.region.clone().unwrap_or_else(|| REGION_DEFAULT.to_owned());
        let mut has_moved = false;
        loop {
            let client = Client::new(&options, &region, run.clock.clone(), patience)
                .map_err(|fault| error(unplaced.clone(), "open", "", fault))?;
            let storage = Self { client, options, guard: Mutex::default() };
            let Err(fault) = storage.list_page("", "", 1) else { return Ok(storage) };
            // A server that knows regions tells the right one; who named one meant it.
            let moved = fault.region.clone().filter(|found| {
                let is_free = storage.options.region.is_none() && !has_moved;
                is_free && *found != region && !found.is_empty()
            });
            match moved {
                Some(found) => (region, has_moved) = (found, true),
                None => return Err(storage.not_opened(fault)),
            }
            options = storage.options;
        }
    }

    fn not_opened(&self, fault: Fault) -> StorageError {
        if fault.code == NO_BUCKET {
            let detail = "there is no such bucket; an administrator makes one";
            return self.refused("open", "", StorageErrorKind::NotFound, detail);
        }
        self.failed("open", "", fault)
    }

    /// What the bucket does not give. Writes a small object that is no blob, unless it is there.
    ///
    /// # Errors
    /// Those of asking the server.
    pub fn lacks(&self) -> Result<Vec<Weakness>, StorageError> {
        const OPERATION: &str = "try";
        let mut found = Vec::new();
        match self.guard().map_err(|fault| self.failed(OPERATION, PROBE, fault))? {
            Guard::Honoured => {}
            Guard::Ignored => found.push(Weakness::Replaces),
            Guard::Untried => found.push(Weakness::Untried),
        }
        let ask = Ask::new(Method::GET, None).query("versioning", "");
        match self.client.ask(ask).and_then(|answer| answer.xml("VersioningConfiguration")) {
            Ok(state) if state.text("Status").is_some() => found.push(Weakness::KeepsDeleted),
            // Who may not see it, or a server without versions: nothing to tell.
            Ok(_) => {}
            Err(fault) if fault.kind != StorageErrorKind::Transient => {}
            Err(fault) => return Err(self.failed(OPERATION, "", fault)),
        }
        Ok(found)
    }

    /// Whether the server keeps a taken name, tried once.
    fn guard(&self) -> Result<Guard, Fault> {
        let mut known = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guard) = *known {
            return Ok(guard);
        }
        // The first one takes the name, unless an earlier run has; the second one must not get it.
        let first = self.try_probe()?;
        let guard = if first == Guard::Ignored { self.try_probe()? } else { first };
        // What could not be tried now may be tried later.
        *known = Some(guard).filter(|guard| *guard != Guard::Untried);
        Ok(guard)
    }

    fn try_probe(&self) -> Result<Guard, Fault> {
        let content = Content::of(&[PROBE_TEXT]);
        match self.client.ask(self.put_of(PROBE, content).header("if-none-match", "*")) {
            Ok(_) => Ok(Guard::Ignored),
            Err(fault) => match fault.kind {
                StorageErrorKind::AlreadyExists => Ok(Guard::Honoured),
                StorageErrorKind::Denied | StorageErrorKind::Full => Ok(Guard::Untried),
                _ if NO_CONDITIONS.contains(&fault.code.as_str()) => Ok(Guard::Ignored),
                _ => Err(fault),
            },
        }
    }

    fn put_of<'a>(&self, name: &str, content: Content<'a>) -> Ask<'a> {
        let ask = Ask::new(Method::PUT, Some(self.client.place().key(name)));
        self.classed(ask).content(content)
    }

    fn classed<'a>(&self, ask: Ask<'a>) -> Ask<'a> {
        match &self.options.storage_class {
            Some(class) => ask.header("x-amz-storage-class", class),
            None => ask,
        }
    }

    fn head(&self, name: &str) -> Result<Answer, Fault> {
        self.client.ask(Ask::new(Method::HEAD, Some(self.client.place().key(name))))
    }

    /// Asks for a blob without its content. A bare "not found" may mean the bucket, so that is
    /// looked at too: nobody may conclude from a bucket that is gone that a blob is.
    fn look(&self, name: &str) -> Result<Answer, Fault> {
        match self.head(name) {
            Err(fault) if fault.is_missing() => {
                self.list_page("", "", 1)?;
                Err(Fault::new(StorageErrorKind::NotFound, "no such blob"))
            }
            answer => answer,
        }
    }

    fn is_taken(&self, name: &str) -> Result<bool, Fault> {
        match self.head(name) {
            Ok(_) => Ok(true),
            Err(fault) if fault.is_missing() => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    fn put(&self, name: &str, content: Content<'_>) -> Result<(), Fault> {
        let guard = self.guard()?;
        let is_large = content.len_bytes() > upload::WHOLE_BYTES_MAX;
        if (guard != Guard::Honoured || is_large) && self.is_taken(name)? {
            return Err(Fault::new(StorageErrorKind::AlreadyExists, "the name is taken"));
        }
        if is_large {
            return self.upload(name, content, guard);
        }
        let mut ask = self.put_of(name, content);
        if guard != Guard::Ignored {
            ask = ask.header("if-none-match", "*");
        }
        kept(&self.client.ask(ask)?)
    }

    fn get(&self, name: &str, bytes_max: u64) -> Result<Vec<u8>, Fault> {
        let ask = Ask::new(Method::GET, Some(self.client.place().key(name)));
        self.read_whole(ask, bytes_max)
    }

    fn read_whole(&self, ask: Ask<'_>, bytes_max: u64) -> Result<Vec<u8>, Fault> {
        let answer = self.client.ask(ask).map_err(Fault::of_blob)?;
        let expected = answer.len_bytes();
        let more = || {
            let detail = format!("expected at most {bytes_max} bytes, found more");
            Fault::new(StorageErrorKind::Length, detail)
        };
        if expected.is_some_and(|len_bytes| len_bytes > bytes_max) {
            return Err(more());
        }
        let bytes = answer.read(bytes_max)?;
        if bytes.len() as u64 > bytes_max {
            return Err(more());
        }
        match expected {
            Some(expected) if expected != bytes.len() as u64 => {
                Err(Fault::new(StorageErrorKind::Transient, "the connection ended too early"))
            }
            _ => Ok(bytes),
        }
    }

    /// Of what the name shows, or of a version of it.
    fn get_range(
        &self,
        (name, version): (&str, Option<&str>),
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), Fault> {
        let len_bytes = into.len() as u64;
        let ended = || {
            let detail = format!("expected {len_bytes} bytes at {offset}, found its end");
            Fault::new(StorageErrorKind::Length, detail)
        };
        if into.is_empty() {
            let found = self.look(name)?.len_bytes();
            return found.is_some_and(|found| offset <= found).then_some(()).ok_or_else(ended);
        }
        let last = offset.checked_add(len_bytes - 1).ok_or_else(ended)?;
        let mut ask = Ask::new(Method::GET, Some(self.client.place().key(name)))
            .header("range", format!("bytes={offset}-{last}"));
        if let Some(version) = version {
            ask = ask.query("versionId", version);
        }
        let answer = match self.client.ask(ask) {
            Err(fault) if fault.code == BEYOND_END => return Err(ended()),
            answer => answer.map_err(Fault::of_blob)?,
        };
        let found = answer.header("content-range").and_then(range_of);
        match (answer.status(), found) {
            (206, Some(found)) if found == (offset, last) => answer.read_exact(into),
            (206, Some((start, end))) if start == offset && end < last => Err(ended()),
            // The whole, because the range made no sense to the server.
            (200, _) if answer.len_bytes().is_some_and(|found| found <= last) => Err(ended()),
            _ => {
                let detail = "the server does not read parts as asked";
                Err(Fault::new(StorageErrorKind::Other, detail))
            }
        }
    }

    fn failed(&self, operation: &'static str, name: &str, fault: Fault) -> StorageError {
        error(self.location(), operation, name, fault)
    }
}

fn error(location: String, operation: &'static str, name: &str, fault: Fault) -> StorageError {
    let kind = match fault.kind {
        // Not the blob is missing, but all.
        StorageErrorKind::NotFound if !fault.is_missing() => StorageErrorKind::Other,
        kind => kind,
    };
    let (name, detail) = (name.to_owned(), fault.detail);
    StorageError { kind, after_s: fault.after_s, location, operation, name, detail }
}

/// A success must look like one of S3: anything on the way can answer 200.
fn kept(answer: &Answer) -> Result<(), Fault> {
    match answer.header("etag") {
        Some(tag) if !tag.trim_matches('"').is_empty() => Ok(()),
        _ => Err(Fault::new(
            StorageErrorKind::Other,
            "the server says that it kept the blob, and gives no ETag: is it an S3 server?",
        )),
    }
}

/// First and last byte of `bytes 0-9/100`.
fn range_of(header: &str) -> Option<(u64, u64)> {
    let (range, _) = header.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
    let (start, end) = range.split_once('-')?;
    Some((start.parse().ok()?, end.parse().ok()?))
}

impl Storage for S3Storage {
    fn location(&self) -> String {
        self.client.place().location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        self.len_bytes_of(name, parts)?;
        let put = self.put(name.as_str(), Content::of(parts));
        put.map_err(|fault| self.failed("create", name.as_str(), fault))
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        let got = self.get(name.as_str(), bytes_max);
        got.map_err(|fault| self.failed("read", name.as_str(), fault))
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        let got = self.get_range((name.as_str(), None), offset, into);
        got.map_err(|fault| self.failed("read", name.as_str(), fault))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        self.folder_of(prefix)?;
        let rows = self.list_rows(prefix).map_err(|fault| self.failed("list", prefix, fault))?;
        let blob = |(name, len_bytes): (Vec<u8>, u64)| {
            let name = BlobName::new(std::str::from_utf8(&name).ok()?).ok()?;
            Some(Listed { name, len_bytes })
        };
        Ok(rows.into_iter().filter_map(blob).collect())
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        let failed = |fault| self.failed("stat", name.as_str(), fault);
        let answer = self.look(name.as_str()).map_err(failed)?;
        let created = fault::time_of(answer.headers(), "last-modified");
        match (answer.len_bytes(), created) {
            (Some(len_bytes), Some(created)) => Ok(BlobStat { len_bytes, created }),
            _ => {
                let detail = "the server tells no length or no time";
                Err(failed(Fault::new(StorageErrorKind::Other, detail)))
            }
        }
    }

    /// The server says the same whether there was a blob or not, so it is looked for first.
    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        let failed = |fault| self.failed("delete", name.as_str(), fault);
        self.look(name.as_str()).map_err(failed)?;
        let key = self.client.place().key(name.as_str());
        self.client.ask(Ask::new(Method::DELETE, Some(key))).map(|_| ()).map_err(failed)
    }

    fn is_far(&self) -> bool {
        true
    }

    fn weaknesses(&self) -> Vec<String> {
        match self.lacks() {
            Ok(lacks) => lacks.iter().map(ToString::to_string).collect(),
            Err(error) => vec![format!("what the bucket lacks could not be asked: {error}")],
        }
    }

    fn safeguards(&self, name: &BlobName) -> Result<Vec<Safeguard>, StorageError> {
        self.guards(name)
    }

    /// An answer of success is durable.
    fn sync(&self) -> Result<(), StorageError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
