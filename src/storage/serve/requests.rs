//! One request after the other.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use russh_sftp::extensions;
use russh_sftp::protocol::Attrs;
use russh_sftp::protocol::Data;
use russh_sftp::protocol::ExtendedReply;
use russh_sftp::protocol::File;
use russh_sftp::protocol::FileAttributes;
use russh_sftp::protocol::Handle;
use russh_sftp::protocol::Name as Names;
use russh_sftp::protocol::OpenFlags;
use russh_sftp::protocol::Packet;
use russh_sftp::protocol::Status;
use russh_sftp::protocol::StatusCode;
use russh_sftp::protocol::Version;
use russh_sftp::server::Handler;
use russh_sftp::server::StatusReply;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::disk::Disk;
use crate::storage::BLOB_BYTES_MAX;
use crate::storage::leftovers::LEFTOVER_AGE_MS_MIN;

use super::HANDLES_MAX;
use super::LISTINGS_MAX;
use super::Open;
use super::names::Name;

/// Names in one answer.
const NAMES_MAX: usize = 100;
/// Most bytes of a read or a write.
const DATA_BYTES_MAX: u64 = 255 * 1024;
const FILE_MODE: u32 = 0o600;

/// A client's requests, and what it has open.
pub(super) struct Requests {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    root: PathBuf,
    open: BTreeMap<String, Open>,
    opened_count: u64,
    /// Temporaries of this connection.
    own: BTreeSet<String>,
    /// Told by being dropped.
    _ended: oneshot::Sender<()>,
}

/// What is answered in the place of a result.
pub(super) struct Refused(StatusReply);

impl From<Refused> for StatusReply {
    fn from(refused: Refused) -> Self {
        refused.0
    }
}

impl From<StatusCode> for Refused {
    fn from(code: StatusCode) -> Self {
        Self(code.into())
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => StatusCode::NoSuchFile,
            io::ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
            io::ErrorKind::UnexpectedEof => StatusCode::Eof,
            _ => StatusCode::Failure,
        };
        // The system's words, and no path of this machine.
        let text = error.raw_os_error().map(|code| io::Error::from_raw_os_error(code).to_string());
        Self(text.map_or_else(|| code.into(), |text| code.with_message(text)))
    }
}

fn denied(what: &str) -> Refused {
    Refused(StatusCode::PermissionDenied.with_message(what))
}

type Answer<T> = Result<T, Refused>;

impl Requests {
    pub(super) fn new(
        (disk, clock): (Arc<dyn Disk>, Arc<dyn Clock>),
        root: PathBuf,
        ended: oneshot::Sender<()>,
    ) -> Self {
        Self {
            disk,
            clock,
            root,
            open: BTreeMap::new(),
            opened_count: 0,
            own: BTreeSet::new(),
            _ended: ended,
        }
    }

    fn path(&self, name: &Name) -> PathBuf {
        self.root.join(name.relative())
    }

    fn keep(&mut self, id: u32, open: Open) -> Answer<Handle> {
        if self.open.len() >= HANDLES_MAX {
            return Err(Refused(StatusCode::Failure.with_message("too many open files")));
        }
        self.opened_count += 1;
        let handle = self.opened_count.to_string();
        self.open.insert(handle.clone(), open);
        Ok(Handle { id, handle })
    }

    fn opened(&mut self, handle: &str) -> Answer<&mut Open> {
        self.open.get_mut(handle).ok_or(Refused::from(StatusCode::BadMessage))
    }

    fn write_new(&mut self, id: u32, name: &Name) -> Answer<Handle> {
        if !matches!(name, Name::Temporary(_)) {
            return Err(denied("only temporaries are written, and get their name when whole"));
        }
        let path = self.path(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
        self.own.insert(name.relative().to_owned());
        self.keep(id, Open::Writing { file, name: name.relative().to_owned() })
    }

    fn read(&mut self, id: u32, name: &Name) -> Answer<Handle> {
        let path = self.path(name);
        // A link or a device of somebody else's is not opened.
        let found = path.symlink_metadata()?;
        if found.is_dir() {
            return self.keep(id, Open::Folder(path));
        }
        if !found.is_file() {
            return Err(StatusCode::NoSuchFile.into());
        }
        let file = OpenOptions::new().read(true).open(path)?;
        self.keep(id, Open::Reading(file))
    }

    fn list(&mut self, id: u32, name: &Name) -> Answer<Handle> {
        let is_listing = |open: &&Open| matches!(open, Open::Listing(_));
        if self.open.values().filter(is_listing).count() >= LISTINGS_MAX {
            return Err(Refused(StatusCode::Failure.with_message("too many folders at once")));
        }
        let entries = std::fs::read_dir(self.path(name))?;
        self.keep(id, Open::Listing(entries))
    }

    fn remove(&mut self, name: &Name) -> Answer<()> {
        let Name::Temporary(relative) = name else {
            return Err(denied("nothing is removed here but temporaries: this way is append-only"));
        };
        let path = self.path(name);
        if !self.own.contains(relative) {
            let modified = self.disk.stat(&path)?.modified;
            if self.clock.now().ms_since(modified) <= LEFTOVER_AGE_MS_MIN {
                return Err(denied("it may be at work for somebody else"));
            }
        }
        self.disk.remove(&path)?;
        self.own.remove(relative);
        Ok(())
    }

    fn rename(&mut self, from: &Name, to: &Name) -> Answer<()> {
        match (from, to) {
            (Name::Temporary(relative), Name::Blob(_)) if self.own.contains(relative) => {
                self.disk.rename_new(&self.path(from), &self.path(to))?;
                self.own.remove(relative);
                // It is a blob now, and nobody writes to a blob.
                self.open.retain(
                    |_, open| !matches!(open, Open::Writing { name, .. } if name == relative),
                );
                Ok(())
            }
            _ => Err(denied("only an own temporary gets a name, and only a blob's")),
        }
    }

    fn sync(&mut self, handle: &str) -> Answer<()> {
        let disk = Arc::clone(&self.disk);
        match self.opened(handle)? {
            Open::Writing { file, .. } => Ok(file.sync_all()?),
            Open::Folder(path) => Ok(disk.sync_folder(path)?),
            Open::Reading(_) | Open::Listing(_) => Ok(()),
        }
    }

    fn free(&self) -> Answer<extensions::Statvfs> {
        let found = rustix::fs::statvfs(&self.root).map_err(io::Error::from)?;
        Ok(extensions::Statvfs {
            block_size: found.f_bsize,
            fragment_size: found.f_frsize,
            blocks: found.f_blocks,
            blocks_free: found.f_bfree,
            blocks_avail: found.f_bavail,
            inodes: found.f_files,
            inodes_free: found.f_ffree,
            inodes_avail: found.f_favail,
            fs_id: 0,
            flags: 0,
            name_max: found.f_namemax,
        })
    }

    fn extension(&mut self, id: u32, request: &str, data: Vec<u8>) -> Answer<Packet> {
        let reply = |data| Packet::ExtendedReply(ExtendedReply { id, data });
        match request {
            extensions::FSYNC => {
                let asked: extensions::FsyncExtension = decoded(data)?;
                self.sync(&asked.handle).map(|()| Packet::Status(done(id)))
            }
            extensions::LIMITS => {
                let limits = extensions::LimitsExtension {
                    max_packet_len: u64::from(super::PACKET_BYTES_MAX),
                    max_read_len: DATA_BYTES_MAX,
                    max_write_len: DATA_BYTES_MAX,
                    max_open_handles: HANDLES_MAX as u64,
                };
                encoded(&limits).map(reply)
            }
            extensions::STATVFS => encoded(&self.free()?).map(reply),
            _ => Err(StatusCode::OpUnsupported.into()),
        }
    }
}

fn named(path: &str) -> Answer<Name> {
    Name::of(path).ok_or_else(|| denied("no name of a storage"))
}

fn shown(metadata: &std::fs::Metadata) -> FileAttributes {
    // Owners of this machine are nobody's business.
    FileAttributes { uid: None, user: None, gid: None, group: None, ..metadata.into() }
}

fn done(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: String::new(),
        language_tag: String::new(),
    }
}

fn decoded<T: for<'de> serde::Deserialize<'de>>(data: Vec<u8>) -> Answer<T> {
    russh_sftp::de::from_bytes(&mut data.into()).map_err(|_| StatusCode::BadMessage.into())
}

fn encoded<T: serde::Serialize>(value: &T) -> Answer<Vec<u8>> {
    let bytes = russh_sftp::ser::to_bytes(value).map_err(|_| Refused::from(StatusCode::Failure))?;
    Ok(bytes.to_vec())
}

impl Handler for Requests {
    type Error = Refused;

    fn unimplemented(&self) -> Refused {
        StatusCode::OpUnsupported.into()
    }

    async fn init(&mut self, _: u32, _: HashMap<String, String>) -> Answer<Version> {
        let mut version = Version::new();
        for (name, revision) in
            [(extensions::FSYNC, "1"), (extensions::LIMITS, "1"), (extensions::STATVFS, "2")]
        {
            version.extensions.insert(name.to_owned(), revision.to_owned());
        }
        Ok(version)
    }

    async fn open(
        &mut self,
        id: u32,
        path: String,
        flags: OpenFlags,
        _: FileAttributes,
    ) -> Answer<Handle> {
        let name = named(&path)?;
        let new = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUDE;
        if flags.bits() == new.bits() {
            return self.write_new(id, &name);
        }
        if flags.bits() == OpenFlags::READ.bits() {
            return self.read(id, &name);
        }
        Err(denied("a file is written new, or read"))
    }

    async fn close(&mut self, id: u32, handle: String) -> Answer<Status> {
        self.open.remove(&handle).ok_or(StatusCode::BadMessage)?;
        Ok(done(id))
    }

    async fn read(&mut self, id: u32, handle: String, offset: u64, len: u32) -> Answer<Data> {
        let Open::Reading(file) = self.opened(&handle)? else {
            return Err(StatusCode::BadMessage.into());
        };
        let asked = u64::from(len).min(DATA_BYTES_MAX);
        let mut data = vec![0; usize::try_from(asked).unwrap_or_default()];
        if i64::try_from(offset).is_err() {
            return Err(StatusCode::Eof.into());
        }
        let count = file.read_at(&mut data, offset)?;
        if count == 0 && asked > 0 {
            return Err(StatusCode::Eof.into());
        }
        data.truncate(count);
        Ok(Data { id, data })
    }

    async fn write(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        data: Vec<u8>,
    ) -> Answer<Status> {
        let Open::Writing { file, .. } = self.opened(&handle)? else {
            return Err(StatusCode::BadMessage.into());
        };
        if offset.saturating_add(data.len() as u64) > BLOB_BYTES_MAX {
            return Err(Refused(StatusCode::Failure.with_message("longer than a blob may be")));
        }
        file.write_all_at(&data, offset)?;
        Ok(done(id))
    }

    async fn lstat(&mut self, id: u32, path: String) -> Answer<Attrs> {
        let metadata = self.path(&named(&path)?).symlink_metadata()?;
        Ok(Attrs { id, attrs: shown(&metadata) })
    }

    async fn stat(&mut self, id: u32, path: String) -> Answer<Attrs> {
        self.lstat(id, path).await
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Answer<Attrs> {
        let metadata = match self.opened(&handle)? {
            Open::Writing { file, .. } | Open::Reading(file) => file.metadata()?,
            Open::Folder(path) => path.symlink_metadata()?,
            Open::Listing(_) => return Err(StatusCode::BadMessage.into()),
        };
        Ok(Attrs { id, attrs: shown(&metadata) })
    }

    async fn opendir(&mut self, id: u32, path: String) -> Answer<Handle> {
        let name = named(&path)?;
        self.list(id, &name)
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Answer<Names> {
        let Open::Listing(rest) = self.opened(&handle)? else {
            return Err(StatusCode::BadMessage.into());
        };
        let mut files = Vec::new();
        for entry in rest.by_ref() {
            let entry = entry?;
            // One that goes meanwhile is not there.
            let Ok(metadata) = entry.metadata() else { continue };
            let base = entry.file_name().to_string_lossy().into_owned();
            files.push(File::new(base, shown(&metadata)));
            if files.len() >= NAMES_MAX {
                break;
            }
        }
        if files.is_empty() {
            return Err(StatusCode::Eof.into());
        }
        Ok(Names { id, files })
    }

    async fn remove(&mut self, id: u32, path: String) -> Answer<Status> {
        let name = named(&path)?;
        Self::remove(self, &name).map(|()| done(id))
    }

    async fn mkdir(&mut self, id: u32, path: String, _: FileAttributes) -> Answer<Status> {
        let Name::Blob(folder) = named(&path)? else {
            return Err(denied("no folder of blobs"));
        };
        self.disk.make_folder(&self.root.join(folder))?;
        Ok(done(id))
    }

    async fn realpath(&mut self, id: u32, path: String) -> Answer<Names> {
        let shown = format!("/{}", named(&path)?.relative());
        Ok(Names { id, files: vec![File::dummy(shown)] })
    }

    async fn rename(&mut self, id: u32, from: String, to: String) -> Answer<Status> {
        let (from, to) = (named(&from)?, named(&to)?);
        Self::rename(self, &from, &to).map(|()| done(id))
    }

    async fn extended(&mut self, id: u32, request: String, data: Vec<u8>) -> Answer<Packet> {
        self.extension(id, &request, data)
    }
}
