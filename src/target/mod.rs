//! Where data is restored.
//!
//! What it is: a folder as the root of a restore, reached by handles only.
//! Never: joins path strings; follows a link beneath the root; writes outside it; replaces a file
//! unless told to. Platform code stands in `unix` only.
//! Invariants: a final name holds whole content that its caller has verified, or does not exist, or
//! carries [`UNFINISHED_MODE`]; a file whose bytes a power cut may take carries [`UNSETTLED_TIME`];
//! a file is replaced in one step or not at all; what could not be set is told, never dropped.
//! Start reading at: [`Target`], then `unix`.

#[cfg(any(test, feature = "testing"))]
pub mod fault;
#[cfg(unix)]
pub mod unix;

use std::fmt;

use crate::meta::Kind;
use crate::meta::Meta;
use crate::meta::Xattr;
use crate::path::SnapshotPath;
use crate::units::FileTime;

/// What went wrong with a target, by what the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetErrorKind {
    NotFound,
    /// The name is taken, and replacing it was not asked for or is not possible.
    Taken,
    /// A link or something that is no folder stands where a folder is needed.
    NotFolder,
    /// The system takes no such name: too long or with characters that it refuses.
    Name,
    Denied,
    /// No space, no inodes, or a quota is used up: the restore stops.
    Full,
    /// The file system has no such thing, such as devices or links.
    Unsupported,
    Other,
}

/// An operation beneath the root failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} `{path}`: {detail}")]
pub struct TargetError {
    pub kind: TargetErrorKind,
    pub operation: &'static str,
    /// For people: escaped, beneath the root.
    pub path: String,
    pub detail: String,
}

/// Rights of a file that stands under its name and is not whole yet: a killed restore leaves at
/// most
/// one a thread, nobody can read it, and the next restore replaces it in every mode. The sticky bit
/// means nothing on a file, so no user's file has these rights.
pub const UNFINISHED_MODE: u32 = 0o1000;

/// Modification time of a file that has its name and its bytes, and whose bytes may not be durable
/// yet: the next restore compares its content, in every mode. An even second after 1980 without a
/// fraction, which every file system can hold; in March 1980, where no program puts files.
pub const UNSETTLED_TIME: FileTime = FileTime { secs: 322_118_798, nanos: 0 };

/// Modification time of a file that a failed barrier covered: it may read well and be lost on the
/// medium, so the next restore writes it anew.
pub const DOUBTFUL_TIME: FileTime = FileTime { secs: 322_118_796, nanos: 0 };

/// Whether a file got its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Done,
    /// What stands there was changed or replaced since it got its name; it is left alone.
    Other,
}

/// When a new file gets its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// When it is whole: for what is written in many steps, or where something may stand.
    WhenWhole,
    /// At once, with [`UNFINISHED_MODE`]: for a small file in a fresh target, where a file without
    /// a
    /// name would cost a third more of the system's time.
    AtOnce,
}

/// What to do with extended attributes and ACLs that the system gave a new file by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strays {
    /// The folder is fresh, so nothing is inherited.
    Leave,
    Remove,
}

/// What an entry is to look like.
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a> {
    /// User and group by number; `None` leaves what the system gave.
    pub owner: Option<(u32, u32)>,
    pub mode: u32,
    pub mtime: FileTime,
    pub xattrs: &'a [Xattr],
    pub strays: Strays,
}

/// An attribute that could not be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// `owner`, `mode`, `times` or the name of an extended attribute, as raw bytes.
    pub what: Vec<u8>,
    pub detail: String,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot set {}: {}", crate::path::escape(&self.what), self.detail)
    }
}

/// How a finished file takes its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placing {
    /// The name must be free.
    New,
    /// What stands there, unless it is a folder, is replaced in one step.
    Replace,
    /// As `Replace`, and the old one is kept as `NAME.replaced`.
    KeepReplaced,
}

/// Something that is not a file with content, a folder or a hard link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special<'a> {
    Symlink { link: &'a [u8] },
    Fifo,
    Socket,
    CharDevice { major: u32, minor: u32 },
    BlockDevice { major: u32, minor: u32 },
}

/// Whether a folder was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    New,
    /// A folder stood there; nothing was changed.
    Stood,
}

/// Who runs the restore, and into what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// May give files to other owners and make devices.
    pub privileged: bool,
    /// The root was made or empty when it was opened.
    pub fresh: bool,
}

/// A place to restore to. Paths are beneath its root.
pub trait Target: Send + Sync {
    fn standing(&self) -> Standing;

    /// A writer for one worker thread.
    fn writer(&self) -> Box<dyn Writer + '_>;

    /// The numbers of a user and a group on this system, if it knows the names.
    fn owner_ids(&self, user: &[u8], group: &[u8]) -> (Option<u32>, Option<u32>);

    /// Everything written before survives a power cut once this has returned without an error.
    fn sync(&self) -> Result<(), TargetError>;
}

/// Works beneath the root; keeps its place between calls.
pub trait Writer {
    /// What stands under `path`, never following a link; without extended attributes.
    fn look(&mut self, path: &SnapshotPath) -> Result<Option<Meta>, TargetError>;

    /// The names in a folder, in no particular order.
    fn list(&mut self, folder: &SnapshotPath) -> Result<Vec<Vec<u8>>, TargetError>;

    /// Makes a folder with rights for its owner only; its attributes come last.
    fn create_folder(&mut self, path: &SnapshotPath) -> Result<Made, TargetError>;

    /// Starts a file in the folder of `path`. With [`Naming::AtOnce`] the name must be free, and
    /// the
    /// only placing is [`Placing::New`].
    fn create_file(
        &mut self,
        path: &SnapshotPath,
        naming: Naming,
    ) -> Result<Box<dyn NewFile>, TargetError>;

    /// Opens a regular file for reading, never following a link.
    fn open_file(&mut self, path: &SnapshotPath) -> Result<Box<dyn OldFile>, TargetError>;

    fn create_special(
        &mut self,
        path: &SnapshotPath,
        special: Special<'_>,
        attributes: &Attributes<'_>,
        placing: Placing,
    ) -> Result<Vec<Lack>, TargetError>;

    /// Gives the file under `existing` a second name.
    fn create_link(
        &mut self,
        path: &SnapshotPath,
        existing: &SnapshotPath,
        placing: Placing,
    ) -> Result<(), TargetError>;

    /// Sets the attributes of a folder or regular file that stands there. A file with several
    /// names, of which one may lie outside of the root, is left alone: if it does not look as
    /// wanted already, the answer is [`TargetErrorKind::Taken`].
    fn set_attributes(
        &mut self,
        path: &SnapshotPath,
        kind: Kind,
        attributes: &Attributes<'_>,
    ) -> Result<Vec<Lack>, TargetError>;

    /// Gives a file that has [`UNSETTLED_TIME`] another time.
    fn settle(&mut self, path: &SnapshotPath, mtime: FileTime) -> Result<Settled, TargetError>;

    /// Removes one thing: a folder only if it is empty, never what a link points to.
    fn remove(&mut self, path: &SnapshotPath, kind: Kind) -> Result<(), TargetError>;
}

/// A file that is being written. Dropped, it is gone.
pub trait NewFile: Send {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), TargetError>;

    /// Sets the length; what was not written reads as zero and takes no space.
    fn set_len(&mut self, len_bytes: u64) -> Result<(), TargetError>;

    /// Changes the name that the file will get, in the same folder.
    fn set_name(&mut self, name: &[u8]) -> Result<(), TargetError>;

    /// Sets the attributes and then gives the file its name.
    fn publish(
        self: Box<Self>,
        placing: Placing,
        attributes: &Attributes<'_>,
    ) -> Result<Vec<Lack>, TargetError>;
}

/// An open regular file.
pub trait OldFile: Send {
    /// As of opening.
    fn meta(&self) -> &Meta;

    /// Fills `into` as far as the file goes; fewer bytes mean its end.
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, TargetError>;
}
