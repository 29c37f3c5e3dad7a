//! What a look at a repository found, as a value that can be compared and printed.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use serde::Serialize;
use serde::Serializer;

use crate::ids::PackId;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::path::SnapshotPath;
use crate::vault::names::Chain;
use crate::vault::names::Place;

/// What a blob is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Config,
    Slot,
    Keyring,
    Recipients,
    Machine,
    Custody,
    Pack,
    Index,
    Manifest,
    Tombstone,
    Note,
    Session,
    Condemned,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Config => "config",
            Self::Slot => "slot",
            Self::Keyring => "keyring",
            Self::Recipients => "recipients list",
            Self::Machine => "machine record",
            Self::Custody => "custody record",
            Self::Pack => "pack",
            Self::Index => "index file",
            Self::Manifest => "manifest",
            Self::Tombstone => "tombstone",
            Self::Note => "note",
            Self::Session => "session record",
            Self::Condemned => "record of what goes",
        })
    }
}

/// Which part of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Part {
    /// All of it: it is missing, has another length, or is not told apart.
    Whole,
    /// The first bytes of a pack.
    Head,
    /// One copy of an object.
    Object { offset: u32, len_bytes: u32 },
    /// The sealed table of a pack.
    Table,
    /// The last bytes of a pack.
    Trailer,
}

/// What a bad location means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Another copy stands in for it, or nothing needs it: everything restores.
    Healable,
    /// Without the store key nobody can tell what stands in for it.
    Unclear,
    /// Nothing stands in for it.
    Lost,
}

/// Bytes that are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct BadLocation {
    /// Name of the blob.
    pub name: String,
    pub kind: Kind,
    #[serde(flatten)]
    pub part: Part,
    pub class: Class,
    pub why: String,
}

/// Something wrong with a chain of snapshots as such.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Trouble {
    pub subject: String,
    pub class: Class,
    pub message: String,
}

/// A file, or a part of a tree, that cannot be restored whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LostFile {
    pub snapshot: SnapshotId,
    pub what: LostPart,
    pub why: String,
}

/// What is lost of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LostPart {
    /// These bytes of this file.
    File { path: SnapshotPath, ranges: Vec<(u64, u64)> },
    /// Every entry from the first path on and before the second; `None`: up to the end.
    Entries { from: SnapshotPath, before: Option<SnapshotPath> },
    /// So many objects; without keys nobody knows which files are in them.
    Objects { count: u64 },
}

impl LostFile {
    /// Nothing of a snapshot can be had.
    #[must_use]
    pub fn all_of(snapshot: SnapshotId, why: &str) -> Self {
        let what = LostPart::Entries { from: SnapshotPath::root(), before: None };
        Self { snapshot, what, why: why.to_owned() }
    }
}

impl fmt::Display for LostFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "snapshot {} ", self.snapshot.short())?;
        match &self.what {
            LostPart::File { path, ranges } => {
                let bytes: u64 = ranges.iter().map(|(start, end)| end.saturating_sub(*start)).sum();
                write!(f, "{path}: {bytes} bytes")?;
            }
            LostPart::Entries { from, before: None } if from.is_root() => {
                f.write_str("all of it")?
            }
            LostPart::Entries { from, before: None } => write!(f, "from {from} to its end")?,
            LostPart::Entries { from, before: Some(before) } => {
                write!(f, "from {from} to before {before}")?;
            }
            LostPart::Objects { count } => write!(f, "{count} objects")?,
        }
        write!(f, ": {}", self.why)
    }
}

#[derive(Serialize)]
struct LostLine {
    snapshot_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_ranges: Option<Vec<Range<u64>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    objects_count: Option<u64>,
    why: String,
}

impl Serialize for LostFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = LostLine {
            snapshot_id: self.snapshot.to_string(),
            path: None,
            lost_ranges: None,
            from_path: None,
            before_path: None,
            objects_count: None,
            why: self.why.clone(),
        };
        match &self.what {
            LostPart::File { path, ranges } => {
                line.path = Some(path.to_string());
                let ranges = ranges.iter().map(|(start, end)| *start..*end);
                line.lost_ranges = Some(ranges.collect());
            }
            LostPart::Entries { from, before } => {
                line.from_path = Some(from.to_string());
                line.before_path = before.as_ref().map(ToString::to_string);
            }
            LostPart::Objects { count } => line.objects_count = Some(*count),
        }
        line.serialize(serializer)
    }
}

/// How deep was looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Names, sizes, chains and the small records.
    #[default]
    Listed,
    /// The graph of nodes was walked, and every object looked for.
    Linked,
    /// Bytes were read and hashed; no key to content was used.
    Read,
    /// Bytes were read, opened, and compared with the digests of the files.
    Opened,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Listed => "listed",
            Self::Linked => "linked",
            Self::Read => "read",
            Self::Opened => "opened",
        })
    }
}

/// What it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All that was looked at is whole.
    Ok,
    /// Everything restores, but a second copy is bad or missing.
    Healable,
    /// Something is lost, or a snapshot is gone without a reason.
    Damaged,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    pub level: Level,
    /// Whether every pack was read.
    pub is_complete: bool,
    pub snapshots_count: u64,
    pub entries_count: u64,
    pub notes_count: u64,
    pub nodes_count: u64,
    pub objects_count: u64,
    pub packs_count: u64,
    pub packs_read_count: u64,
    pub read_bytes: u64,
    /// Files of several chunks whose digest was compared.
    pub files_compared_count: u64,
    pub bad: BTreeSet<BadLocation>,
    pub troubles: BTreeSet<Trouble>,
    /// Objects that some snapshot needs and of which no copy is good.
    #[serde(serialize_with = "texts")]
    pub lost_objects: BTreeSet<Sid>,
    pub lost_files: BTreeSet<LostFile>,
    /// Packs that no snapshot needs anything of: left by an interrupted backup.
    #[serde(serialize_with = "texts")]
    pub unreferenced_packs: BTreeSet<PackId>,
    /// Packs that an index file names, that are gone, and that nothing needs any more.
    #[serde(serialize_with = "texts")]
    pub gone_packs: BTreeSet<PackId>,
    /// Records of an `init` that did not finish.
    pub leftover_records: BTreeSet<String>,
    /// Notes of snapshots that are gone without a trace.
    pub leftover_notes: BTreeSet<String>,
    /// Sessions at work, or of backups that were killed.
    pub sessions_count: u64,
    /// Unfinished files of writers that work, or that were killed.
    pub temporaries_count: u64,
    pub temporaries_bytes: u64,
    /// What repairs took from its place, and is kept for `repair --undo`.
    pub quarantined_count: u64,
    pub quarantined_bytes: u64,
    /// Manifests that are lost, or that this machine remembers and that are gone.
    #[serde(skip)]
    pub lost_manifests: BTreeSet<Place>,
    /// Numbers of a chain, the first and the last, that nothing stands for.
    #[serde(skip)]
    pub gaps: BTreeSet<(Chain, u64, u64)>,
    /// Nodes of which a second copy is known nowhere.
    #[serde(skip)]
    pub alone_nodes: BTreeSet<Sid>,
    /// Names that belong to nothing that is known.
    pub unknown: BTreeSet<String>,
}

fn texts<T: fmt::Display, S: Serializer>(
    items: &BTreeSet<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(items.iter().map(ToString::to_string))
}

impl Report {
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let classes = self.bad.iter().map(|bad| bad.class);
        let classes = classes.chain(self.troubles.iter().map(|trouble| trouble.class));
        let worst = classes.max();
        if worst > Some(Class::Healable)
            || !self.lost_objects.is_empty()
            || !self.lost_files.is_empty()
        {
            return Verdict::Damaged;
        }
        if worst.is_some() { Verdict::Healable } else { Verdict::Ok }
    }
}
