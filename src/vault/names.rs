//! Names in storage.

use crate::ids::IndexId;
use crate::ids::MachineId;
use crate::ids::PackId;
use crate::ids::SessionId;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::storage::BlobName;
use crate::storage::BlobNameError;

/// The two prefixes under which each manifest stands.
pub const MANIFEST_PREFIXES: [&str; 2] = ["manifests", "manifests.2"];
pub const PACK_PREFIX: &str = "packs/";
pub const INDEX_PREFIX: &str = "index/";
pub const SESSION_PREFIX: &str = "sessions/";
pub const TOMBSTONE_PREFIX: &str = "tombstones/";

pub fn pack(id: PackId) -> Result<BlobName, BlobNameError> {
    let text = id.to_string();
    BlobName::new(&format!("{PACK_PREFIX}{}/{text}", &text[..2]))
}

/// The pack that a name stands for, if it is one.
#[must_use]
pub fn parse_pack(name: &BlobName) -> Option<PackId> {
    let (folder, text) = name.as_str().strip_prefix(PACK_PREFIX)?.split_once('/')?;
    text.starts_with(folder).then(|| text.parse().ok()).flatten()
}

pub fn index(id: IndexId) -> Result<BlobName, BlobNameError> {
    BlobName::new(&format!("{INDEX_PREFIX}{id}"))
}

#[must_use]
pub fn parse_index(name: &BlobName) -> Option<IndexId> {
    name.as_str().strip_prefix(INDEX_PREFIX)?.parse().ok()
}

/// The n-th record of a session: the first opens it, later ones renew its lease.
pub fn session(id: SessionId, renewal: u32) -> Result<BlobName, BlobNameError> {
    match renewal {
        0 => BlobName::new(&format!("{SESSION_PREFIX}{id}")),
        n => BlobName::new(&format!("{SESSION_PREFIX}{id}.{n}")),
    }
}

/// Where a manifest stands in its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ManifestName {
    pub machine: MachineId,
    pub source: SourceId,
    pub seq: u64,
    pub snapshot: SnapshotId,
}

impl ManifestName {
    /// The name under one of [`MANIFEST_PREFIXES`].
    pub fn under(&self, prefix: &str) -> Result<BlobName, BlobNameError> {
        let Self { machine, source, seq, snapshot } = self;
        BlobName::new(&format!("{prefix}/{machine}/{source}/{seq:010}-{snapshot}"))
    }

    #[must_use]
    pub fn parse(name: &BlobName, prefix: &str) -> Option<Self> {
        let rest = name.as_str().strip_prefix(prefix)?.strip_prefix('/')?;
        let mut parts = rest.split('/');
        let machine = parts.next()?.parse().ok()?;
        let source = parts.next()?.parse().ok()?;
        let (seq, snapshot) = parts.next()?.split_once('-')?;
        let name =
            Self { machine, source, seq: seq.parse().ok()?, snapshot: snapshot.parse().ok()? };
        (parts.next().is_none() && seq.len() == 10).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids_are_inverse() {
        let id = PackId::new([0xab; 32]);
        assert_eq!(parse_pack(&pack(id).unwrap()), Some(id));
        let name = ManifestName {
            machine: MachineId::new([1; 16]),
            source: SourceId::new([2; 16]),
            seq: 77,
            snapshot: SnapshotId::new([3; 32]),
        };
        let blob = name.under("manifests").unwrap();
        assert_eq!(ManifestName::parse(&blob, "manifests"), Some(name));
        assert_eq!(ManifestName::parse(&blob, "manifests.2"), None);
        assert_eq!(parse_pack(&BlobName::new("packs/00/ab").unwrap()), None);
    }
}
