//! What a machine remembers of its newest snapshot: its head, and the nodes of its tree.
//!
//! The file lies on the protected machine, beside the data that it describes. Its head is sealed
//! under a key of the domain; the nodes are objects as the vault has them and are checked like
//! those. Losing it costs reading everything once.
//!
//! ```text
//! magic 8 | nodes back to back | box(head) | length of the box u32 | magic 8
//! ```

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufWriter;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::disk::private;
use crate::format::object::OBJECT_BYTES_MAX;
use crate::format::object::Ref;
use crate::format::wire::FormatError;
use crate::format::wire::Reader;
use crate::format::wire::push_varint;
use crate::ids::MachineId;
use crate::ids::PackId;
use crate::ids::RepositoryId;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::secret::ObjectKey;
use crate::secret::Secret32;
use crate::units::Timestamp;

const MAGIC: &[u8; 8] = b"LBCACH\0\x01";
const HEAD_KIND: &str = "local cache";
const HEAD_VERSION: u8 = 3;
const HEAD_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Which chain of snapshots, and the key that seals what is remembered of it.
#[derive(Debug, Clone)]
pub struct CacheKey {
    pub repository: RepositoryId,
    pub machine: MachineId,
    pub source: SourceId,
    pub key: Secret32,
}

impl CacheKey {
    fn name(&self) -> Vec<u8> {
        [self.machine.as_bytes().as_slice(), self.source.as_bytes().as_slice()].concat()
    }

    fn path(&self, folder: &Path) -> PathBuf {
        folder.join(self.repository.to_string()).join(format!("{}-{}", self.machine, self.source))
    }
}

/// The newest snapshot of a chain, as its writer remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub snapshot: SnapshotId,
    pub seq: u64,
    pub root: Ref,
    /// When the scan began, by the machine's clock.
    pub started: Timestamp,
    /// Bundles whose files the next backup gathers anew.
    pub decayed: BTreeSet<Sid>,
    pub files_count: u64,
    pub content_bytes: u64,
    /// Packs that were in the repository, and their lengths; sorted.
    pub packs: Vec<(PackId, u64)>,
}

/// An opened cache.
#[derive(Debug)]
pub struct Cache {
    pub head: Head,
    file: Mutex<File>,
    nodes: BTreeMap<Sid, (u64, u32)>,
    nodes_end: u64,
}

/// A cache that cannot be used or written. A backup goes on without it.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    #[error("local cache: {0}")]
    Io(#[from] std::io::Error),
    #[error("local cache: {0}")]
    Format(#[from] FormatError),
    #[error("local cache: {0}")]
    Sealed(#[from] blind::BoxError),
    #[error("local cache: no random numbers")]
    Random,
}

impl Cache {
    /// Opens what is remembered; `None` if there is nothing.
    pub fn open(folder: &Path, key: &CacheKey) -> Result<Option<Self>, CacheError> {
        let mut file = match File::open(key.path(folder)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let len = file.seek(SeekFrom::End(0))?;
        let invalid = |why| FormatError::Invalid { what: "local cache", why };
        let tail_at = len.checked_sub(12).filter(|&at| at >= 8).ok_or(invalid("too short"))?;
        file.seek(SeekFrom::Start(tail_at))?;
        let mut tail = [0; 12];
        file.read_exact(&mut tail)?;
        let mut reader = Reader::new("local cache", &tail);
        let sealed_len = u64::from(reader.u32()?);
        if &reader.array::<8>()? != MAGIC || sealed_len > HEAD_BYTES_MAX {
            return Err(invalid("not a cache of version 1").into());
        }
        let nodes_end = tail_at.checked_sub(sealed_len).ok_or(invalid("too short"))?;
        file.seek(SeekFrom::Start(nodes_end))?;
        let mut sealed = vec![0; usize::try_from(sealed_len).unwrap_or(0)];
        file.read_exact(&mut sealed)?;
        let name = key.name();
        let place = Place { kind: HEAD_KIND, repository: key.repository, name: &name };
        let (head, nodes) = decode_head(&blind::open_box(&key.key, place, &sealed)?, nodes_end)?;
        Ok(Some(Self { head, file: Mutex::new(file), nodes, nodes_end }))
    }

    #[must_use]
    pub fn has(&self, sid: &Sid) -> bool {
        self.nodes.contains_key(sid)
    }

    /// The sealed bytes of a node, unchecked.
    #[must_use]
    pub fn node(&self, sid: &Sid) -> Option<Vec<u8>> {
        let (offset, len) = *self.nodes.get(sid)?;
        let mut bytes = vec![0; len as usize];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset)).ok()?;
        file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}

fn encode_head(head: &Head, nodes: &[(Sid, u32)]) -> Vec<u8> {
    let mut out = vec![HEAD_VERSION];
    out.extend_from_slice(head.snapshot.as_bytes());
    push_varint(&mut out, head.seq);
    out.extend_from_slice(head.root.sid.as_bytes());
    out.extend_from_slice(head.root.key.expose());
    push_varint(&mut out, u64::from(head.root.raw_len));
    out.extend_from_slice(&head.started.unix_ms.to_le_bytes());
    push_varint(&mut out, head.decayed.len() as u64);
    for sid in &head.decayed {
        out.extend_from_slice(sid.as_bytes());
    }
    push_varint(&mut out, head.files_count);
    push_varint(&mut out, head.content_bytes);
    push_varint(&mut out, head.packs.len() as u64);
    for (pack, len_bytes) in &head.packs {
        out.extend_from_slice(pack.as_bytes());
        push_varint(&mut out, *len_bytes);
    }
    push_varint(&mut out, nodes.len() as u64);
    for (sid, len) in nodes {
        out.extend_from_slice(sid.as_bytes());
        push_varint(&mut out, u64::from(*len));
    }
    out
}

type Nodes = BTreeMap<Sid, (u64, u32)>;

fn decode_head(bytes: &[u8], nodes_end: u64) -> Result<(Head, Nodes), FormatError> {
    let mut reader = Reader::new("local cache", bytes);
    let version = reader.u8()?;
    if version != HEAD_VERSION {
        return Err(FormatError::Version { what: "local cache", found: version });
    }
    let snapshot = SnapshotId::new(reader.array()?);
    let seq = reader.varint()?;
    let sid = Sid::new(reader.array()?);
    let key = ObjectKey::new(reader.array()?);
    let root = Ref { sid, key, raw_len: reader.varint_u32()? };
    let started = Timestamp { unix_ms: i64::from_le_bytes(reader.array()?) };
    let mut decayed = BTreeSet::new();
    for _ in 0..reader.count(reader.left())? {
        decayed.insert(Sid::new(reader.array()?));
    }
    let (files_count, content_bytes) = (reader.varint()?, reader.varint()?);
    let mut packs = Vec::new();
    for _ in 0..reader.count(reader.left())? {
        packs.push((PackId::new(reader.array()?), reader.varint()?));
    }
    let mut nodes = BTreeMap::new();
    let mut offset = MAGIC.len() as u64;
    for _ in 0..reader.count(reader.left())? {
        let sid = Sid::new(reader.array()?);
        let len = reader.varint_u32()?;
        if len as usize > OBJECT_BYTES_MAX {
            return Err(reader.invalid("a node is longer than allowed"));
        }
        nodes.insert(sid, (offset, len));
        offset += u64::from(len);
    }
    reader.finish()?;
    if offset != nodes_end {
        return Err(FormatError::Invalid { what: "local cache", why: "lengths" });
    }
    let head = Head { snapshot, seq, root, started, decayed, files_count, content_bytes, packs };
    Ok((head, nodes))
}

/// Writes what is to be remembered of a new snapshot, node by node.
#[derive(Debug)]
pub struct CacheWriter {
    path: PathBuf,
    temporary: PathBuf,
    key: CacheKey,
    file: BufWriter<File>,
    nodes: Vec<(Sid, u32)>,
}

impl CacheWriter {
    /// Begins beside the old file, which stands until [`Self::finish`].
    pub fn begin(folder: &Path, key: &CacheKey) -> Result<Self, CacheError> {
        let path = key.path(folder);
        if let Some(parent) = path.parent() {
            private::create_folders(parent)?;
        }
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        // A killed process of this number may have left one. What somebody puts there now is
        // refused, and the backup goes on without.
        let _mostly_absent = std::fs::remove_file(&temporary);
        let file = private::create_file(&temporary)?;
        let mut file = BufWriter::with_capacity(256 * 1024, file);
        file.write_all(MAGIC)?;
        Ok(Self { path, temporary, key: key.clone(), file, nodes: Vec::new() })
    }

    /// Adds a node's sealed bytes.
    pub fn push(&mut self, sid: Sid, bytes: &[u8]) -> Result<(), CacheError> {
        let len = u32::try_from(bytes.len());
        let too_long = FormatError::Invalid { what: "local cache", why: "a node is too long" };
        self.file.write_all(bytes)?;
        self.nodes.push((sid, len.map_err(|_| too_long)?));
        Ok(())
    }

    /// Takes all nodes of `cache` as they are: the tree did not change.
    pub fn push_all(&mut self, cache: &Cache) -> Result<(), CacheError> {
        let mut rows: Vec<_> = cache.nodes.iter().map(|(sid, at)| (at.0, *sid, at.1)).collect();
        rows.sort_unstable_by_key(|row| row.0);
        let mut file = cache.file.lock().unwrap_or_else(PoisonError::into_inner);
        let start = MAGIC.len() as u64;
        file.seek(SeekFrom::Start(start))?;
        let nodes_bytes = cache.nodes_end.saturating_sub(start);
        std::io::copy(&mut Read::by_ref(&mut *file).take(nodes_bytes), &mut self.file)?;
        self.nodes.extend(rows.into_iter().map(|(_, sid, len)| (sid, len)));
        Ok(())
    }

    /// Seals the head and replaces the old file.
    #[expect(clippy::disallowed_methods, reason = "a cache file is replaced as a whole")]
    pub fn finish(mut self, head: &Head) -> Result<(), CacheError> {
        let name = self.key.name();
        let place = Place { kind: HEAD_KIND, repository: self.key.repository, name: &name };
        let sealed = blind::seal_box(&self.key.key, place, &encode_head(head, &self.nodes))
            .map_err(|_| CacheError::Random)?;
        self.file.write_all(&sealed)?;
        let too_long = FormatError::Invalid { what: "local cache", why: "the head is too long" };
        let len = u32::try_from(sealed.len()).map_err(|_| too_long)?;
        self.file.write_all(&len.to_le_bytes())?;
        self.file.write_all(MAGIC)?;
        self.file.flush()?;
        std::fs::rename(&self.temporary, &self.path)?;
        Ok(())
    }

    /// Gives up; the old file stands.
    pub fn abandon(self) {
        // What is left behind is overwritten by the next run.
        let _best_effort = std::fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> CacheKey {
        CacheKey {
            repository: RepositoryId::new([1; 16]),
            machine: MachineId::new([2; 16]),
            source: SourceId::new([3; 16]),
            key: Secret32::new([4; 32]),
        }
    }

    fn head(seq: u64) -> Head {
        Head {
            snapshot: SnapshotId::new([5; 32]),
            seq,
            root: Ref { sid: Sid::new([6; 32]), key: ObjectKey::new([7; 32]), raw_len: 8 },
            started: Timestamp { unix_ms: -9 },
            decayed: BTreeSet::from([Sid::new([10; 32])]),
            files_count: 11,
            content_bytes: 1 << 40,
            packs: vec![(PackId::new([12; 32]), 13), (PackId::new([14; 32]), 1 << 25)],
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_waits_under_the_name_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        CacheWriter::begin(folder.path(), &key()).unwrap().finish(&head(1)).unwrap();
        let victim = folder.path().join("victim");
        let name = key().path(folder.path()).with_extension(format!("{}.tmp", std::process::id()));
        std::os::unix::fs::symlink(&victim, &name).unwrap();
        let writer = CacheWriter::begin(folder.path(), &key()).unwrap();
        assert!(!victim.exists() && name.symlink_metadata().unwrap().is_file());
        writer.finish(&head(2)).unwrap();
        assert_eq!(Cache::open(folder.path(), &key()).unwrap().unwrap().head, head(2));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test damages the file in place")]
    fn what_was_written_is_remembered_and_damage_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Cache::open(folder.path(), &key()).unwrap().is_none());
        let mut writer = CacheWriter::begin(folder.path(), &key()).unwrap();
        writer.push(Sid::new([1; 32]), b"node one").unwrap();
        writer.push(Sid::new([0; 32]), b"two").unwrap();
        writer.finish(&head(1)).unwrap();
        let cache = Cache::open(folder.path(), &key()).unwrap().unwrap();
        assert_eq!(cache.head, head(1));
        assert_eq!(cache.node(&Sid::new([0; 32])).unwrap(), b"two");
        assert_eq!(cache.node(&Sid::new([2; 32])), None);
        let mut writer = CacheWriter::begin(folder.path(), &key()).unwrap();
        writer.push_all(&cache).unwrap();
        writer.finish(&head(2)).unwrap();
        let cache = Cache::open(folder.path(), &key()).unwrap().unwrap();
        assert_eq!(cache.head, head(2));
        assert_eq!(cache.node(&Sid::new([1; 32])).unwrap(), b"node one");
        let path = key().path(folder.path());
        let bytes = std::fs::read(&path).unwrap();
        for cut in 0..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            assert!(Cache::open(folder.path(), &key()).is_err());
        }
        let other = CacheKey { key: Secret32::new([0; 32]), ..key() };
        std::fs::write(&path, &bytes).unwrap();
        assert!(Cache::open(folder.path(), &other).is_err());
    }
}
