//! The sealed part of a manifest: what only recipients may know of a snapshot. CBOR with numbered
//! fields.

use minicbor::Decode;
use minicbor::Encode;
use minicbor::bytes::ByteVec;

use crate::format::object::Ref;
use crate::ids::Sid;
use crate::secret::ObjectKey;
use crate::secret::Secret32;
use crate::units::Timestamp;

/// Kind of the box that holds it.
pub const SNAPSHOT_KIND: &str = "snapshot";

/// What a snapshot is of, and what became of the run that made it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SnapshotInfo {
    #[n(0)]
    root_sid: Sid,
    #[n(1)]
    root_key: Secret32,
    #[n(2)]
    root_len: u32,
    #[n(3)]
    pub host: String,
    /// Absolute paths as the user meant them; bytes, because names need not be UTF-8.
    #[n(4)]
    pub paths: Vec<ByteVec>,
    #[n(5)]
    pub tags: Vec<String>,
    /// Such as `linux-x86_64`.
    #[n(6)]
    pub platform: String,
    /// Program and version that wrote it.
    #[n(7)]
    pub program: String,
    #[n(8)]
    pub started: Timestamp,
    #[n(9)]
    pub finished: Timestamp,
    #[n(10)]
    pub counts: SnapshotCounts,
    /// Rules that left something out.
    #[n(11)]
    pub excludes: Vec<String>,
    /// How to open what was recorded at the source, in the order of the manifest's sids.
    #[n(12)]
    capsules: Option<Vec<CapsuleKey>>,
}

/// Opens one capsule.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct CapsuleKey {
    #[n(0)]
    key: Secret32,
    #[n(1)]
    len: u32,
}

/// Numbers of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct SnapshotCounts {
    #[n(0)]
    pub entries: u64,
    #[n(1)]
    pub files: u64,
    /// Bytes of all files' content.
    #[n(2)]
    pub content_bytes: u64,
    #[n(3)]
    pub files_new: u64,
    #[n(4)]
    pub files_changed: u64,
    #[n(5)]
    pub files_unchanged: u64,
    /// Problems of the run.
    #[n(6)]
    pub problems: u64,
    /// Entries of which something is missing.
    #[n(7)]
    pub flagged: u64,
    /// Sealed bytes that the vault did not have before.
    #[n(8)]
    pub stored_bytes: u64,
}

impl SnapshotInfo {
    /// The tree's root.
    #[must_use]
    pub fn root(&self) -> Ref {
        Ref {
            sid: self.root_sid,
            key: ObjectKey::new(*self.root_key.expose()),
            raw_len: self.root_len,
        }
    }

    /// An empty description of the tree at `root`, to be filled in.
    #[must_use]
    pub fn new(root: &Ref) -> Self {
        Self {
            root_sid: root.sid,
            root_key: Secret32::new(*root.key.expose()),
            root_len: root.raw_len,
            host: String::new(),
            paths: Vec::new(),
            tags: Vec::new(),
            platform: String::new(),
            program: String::new(),
            started: Timestamp::default(),
            finished: Timestamp::default(),
            counts: SnapshotCounts::default(),
            excludes: Vec::new(),
            capsules: None,
        }
    }

    /// Takes in what was recorded at the source; the manifest names the same objects.
    pub fn attach(&mut self, capsules: &[Ref]) {
        let key = |it: &Ref| CapsuleKey { key: Secret32::new(*it.key.expose()), len: it.raw_len };
        self.capsules = (!capsules.is_empty()).then(|| capsules.iter().map(key).collect());
    }

    /// What was recorded at the source, as the manifest names it; `None` if the two do not fit.
    #[must_use]
    pub fn capsules(&self, sids: &[Sid]) -> Option<Vec<Ref>> {
        let reference = |(sid, it): (&Sid, &CapsuleKey)| Ref {
            sid: *sid,
            key: ObjectKey::new(*it.key.expose()),
            raw_len: it.len,
        };
        let own = self.capsules.as_deref().unwrap_or_default();
        let all = sids.iter().zip(own).map(reference).collect();
        (sids.len() == own.len()).then_some(all)
    }
}
