//! Frames to objects and back.

pub mod effort;

use crate::crypto::aead::Fast;
use crate::crypto::aead::OneTimeAead;
use crate::crypto::aead::TAG_BYTES;
use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::crypto::blind::StoreKeys;
use crate::crypto::sealed::content::DomainKeys;
use crate::format::frame::Codec;
use crate::format::frame::FRAME_HEAD_BYTES;
use crate::format::frame::FrameHead;
use crate::format::frame::padme;
use crate::format::leaf::NodeBody;
use crate::format::object::FORMAT_VERSION;
use crate::format::object::FRAME_RAW_BYTES_MAX;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::format::object::SUITE;
use crate::format::object::SealedObject;
use crate::format::wire::FormatError;
use crate::ids::RepositoryId;
use crate::ids::Sid;
use crate::repository::seal::effort::Packer;
use crate::secret::ObjectKey;

/// Kind of the box that holds a node's children.
pub const NODE_REFS: &str = "node refs";
/// Bytes before a node's sealed refs: store key generation and their length.
const NODE_HEAD_BYTES: usize = 8;
/// An object cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("a frame of {found_bytes} bytes is above the limit of {FRAME_RAW_BYTES_MAX}")]
    TooLong { found_bytes: usize },
    #[error("compressor: {0}")]
    Compressor(String),
    #[error("object `{sid}` opened to something else than was sealed: faulty memory or processor")]
    Miscompared { sid: Sid },
}

/// An object cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    #[error("hash differs: expected `{expected}`, found `{found}`")]
    Hash { expected: Sid, found: Sid },
    #[error("authentication tag differs")]
    Tag,
    #[error("kind differs: expected {expected:?}, found {found:?}")]
    Kind { expected: ObjectKind, found: ObjectKind },
    #[error("length differs: expected {expected_bytes}, found {found_bytes}")]
    Length { expected_bytes: u64, found_bytes: u64 },
    #[error("decompressor: {0}")]
    Decompressor(String),
    #[error("padding is not zero")]
    Padding,
    #[error("children do not open: {0}")]
    Children(String),
    #[error(transparent)]
    Format(#[from] FormatError),
}

/// Keys and level that objects are sealed with.
#[derive(Debug, Clone)]
pub struct SealKeys {
    pub domain: DomainKeys,
    pub store: StoreKeys,
    /// zstd level, 1 to 19, or [`LEVEL_NONE`]. At [`LEVEL_DEFAULT`], chunks that shrink little are
    /// compressed quickly, and chunks that look like pages of a database are searched longer.
    pub level: i32,
}

/// Seals frames; one per worker thread, for its buffers.
pub struct Sealer {
    keys: SealKeys,
    packer: Packer,
    buffer: Vec<u8>,
    opener: Opener,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer(level {})", self.keys.level)
    }
}

impl Sealer {
    pub fn new(keys: &SealKeys) -> Result<Self, SealError> {
        Ok(Self {
            keys: keys.clone(),
            packer: Packer::new(keys.level)?,
            buffer: Vec::new(),
            opener: Opener::new(keys.store.repository())?,
        })
    }

    #[must_use]
    pub const fn domain(&self) -> &DomainKeys {
        &self.keys.domain
    }

    /// Seals a chunk, a bundle or a capsule, opens it again and compares.
    pub fn seal_data(
        &mut self,
        kind: ObjectKind,
        raw: &[u8],
    ) -> Result<(Ref, SealedObject), SealError> {
        self.buffer.clear();
        self.seal(kind, raw, &[])
    }

    /// Seals a node with the list of its children, opens it again and compares.
    pub fn seal_node(
        &mut self,
        kind: ObjectKind,
        body: &NodeBody,
    ) -> Result<(Ref, SealedObject), SealError> {
        let sids: Vec<u8> = body.children.iter().flat_map(|sid| *sid.as_bytes()).collect();
        let (generation, store_key) = self.keys.store.newest();
        let place = node_refs_place(self.keys.store.repository());
        let refs = blind::seal_box_deterministic(store_key, place, &sids);
        let refs_len = u32::try_from(refs.len())
            .map_err(|_| SealError::TooLong { found_bytes: refs.len() })?;
        self.buffer.clear();
        self.buffer.extend_from_slice(&generation.to_le_bytes());
        self.buffer.extend_from_slice(&refs_len.to_le_bytes());
        self.buffer.extend_from_slice(&refs);
        let kids = blind::hash(&sids);
        self.seal(kind, &body.raw, &kids)
    }

    /// Appends the sealed frame to the buffer, which already holds a node's head.
    fn seal(
        &mut self,
        kind: ObjectKind,
        raw: &[u8],
        kids: &[u8],
    ) -> Result<(Ref, SealedObject), SealError> {
        let too_long = SealError::TooLong { found_bytes: raw.len() };
        let Some(raw_len) =
            u32::try_from(raw.len()).ok().filter(|_| raw.len() <= FRAME_RAW_BYTES_MAX)
        else {
            return Err(too_long);
        };
        let start = self.buffer.len();
        self.frame(kind, raw, raw_len)?;
        let frame = &self.buffer[start..];
        let key = self.keys.domain.object_key(SUITE, kind as u8, kids, frame);
        let aad = associated_data(kind, kids);
        Fast::seal(key.expose(), &aad, &mut self.buffer, start);
        let bytes = std::mem::take(&mut self.buffer);
        let sid = blind::sid_of(&bytes);
        let object = SealedObject { sid, kind, bytes };
        let reference = Ref { sid, key, raw_len };
        let same = self.opener.open_body(&object.bytes[start..], &reference, kind, kids);
        if !same.is_ok_and(|opened| opened == raw) {
            return Err(SealError::Miscompared { sid });
        }
        Ok((reference, object))
    }

    fn frame(&mut self, kind: ObjectKind, raw: &[u8], raw_len: u32) -> Result<(), SealError> {
        let start = self.buffer.len();
        let (codec, payload) = match self.packer.pack(kind, raw)? {
            Some(packed) => (Codec::Zstd, packed),
            None => (Codec::None, raw),
        };
        let padded = start + padme(FRAME_HEAD_BYTES + payload.len());
        self.buffer.reserve(padded - start + TAG_BYTES);
        self.buffer.extend_from_slice(&FrameHead { kind, codec, raw_len }.encode());
        self.buffer.extend_from_slice(payload);
        self.buffer.resize(padded, 0);
        Ok(())
    }
}

fn node_refs_place(repository: RepositoryId) -> Place<'static> {
    Place { kind: NODE_REFS, repository, name: b"" }
}

/// format | suite | kind | length of kids | kids
fn associated_data(kind: ObjectKind, kids: &[u8]) -> Vec<u8> {
    let mut aad = Vec::with_capacity(4 + kids.len());
    let kids_len = u8::try_from(kids.len()).unwrap_or(u8::MAX);
    aad.extend_from_slice(&[FORMAT_VERSION, SUITE, kind as u8, kids_len]);
    aad.extend_from_slice(kids);
    aad
}

/// Opens objects; one per thread, for its buffers.
pub struct Opener {
    repository: RepositoryId,
    decompressor: zstd::bulk::Decompressor<'static>,
    frame: Vec<u8>,
    raw: Vec<u8>,
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opener({})", self.repository)
    }
}

impl Opener {
    pub fn new(repository: RepositoryId) -> Result<Self, SealError> {
        let failed = |error: std::io::Error| SealError::Compressor(error.to_string());
        Ok(Self {
            repository,
            decompressor: zstd::bulk::Decompressor::new().map_err(failed)?,
            frame: Vec::new(),
            raw: Vec::new(),
        })
    }

    /// Opens a chunk, bundle or capsule. In order: hash, tag, version and kind, limit, length. The
    /// answer stays valid until the next call.
    pub fn open_data(
        &mut self,
        object: &[u8],
        reference: &Ref,
        kind: ObjectKind,
    ) -> Result<&[u8], UnsealError> {
        check_hash(object, reference)?;
        self.open_body(object, reference, kind, &[])
    }

    /// Opens a node and the list of its children.
    pub fn open_node(
        &mut self,
        object: &[u8],
        reference: &Ref,
        expected: (ObjectKind, &StoreKeys),
    ) -> Result<(&[u8], Vec<Sid>), UnsealError> {
        let (kind, store) = expected;
        check_hash(object, reference)?;
        let (sids, body) = open_children(object, store)?;
        let bytes: Vec<u8> = sids.iter().flat_map(|sid| *sid.as_bytes()).collect();
        let raw = self.open_body(body, reference, kind, &blind::hash(&bytes))?;
        Ok((raw, sids))
    }

    fn open_body(
        &mut self,
        body: &[u8],
        reference: &Ref,
        kind: ObjectKind,
        kids: &[u8],
    ) -> Result<&[u8], UnsealError> {
        self.frame.clear();
        self.frame.extend_from_slice(body);
        let aad = associated_data(kind, kids);
        open_frame(&reference.key, &aad, &mut self.frame)?;
        let (head, payload) = FrameHead::decode(&self.frame)?;
        if head.kind != kind {
            return Err(UnsealError::Kind { expected: kind, found: head.kind });
        }
        if head.raw_len != reference.raw_len {
            let expected_bytes = u64::from(reference.raw_len);
            return Err(UnsealError::Length { expected_bytes, found_bytes: head.raw_len.into() });
        }
        let raw_len = head.raw_len as usize;
        match head.codec {
            Codec::None => stored(payload, raw_len),
            Codec::Zstd => {
                let wrong = |code| {
                    UnsealError::Decompressor(zstd::zstd_safe::get_error_name(code).to_owned())
                };
                let len = zstd::zstd_safe::find_frame_compressed_size(payload).map_err(wrong)?;
                check_padding(payload.get(len..).unwrap_or_default())?;
                if self.raw.len() < raw_len {
                    self.raw.resize(raw_len, 0);
                }
                let found = self
                    .decompressor
                    .decompress_to_buffer(&payload[..len], &mut self.raw[..raw_len])
                    .map_err(|error| UnsealError::Decompressor(error.to_string()))?;
                if found != raw_len {
                    let expected_bytes = raw_len as u64;
                    let found_bytes = found as u64;
                    return Err(UnsealError::Length { expected_bytes, found_bytes });
                }
                Ok(&self.raw[..raw_len])
            }
        }
    }
}

fn stored(payload: &[u8], raw_len: usize) -> Result<&[u8], UnsealError> {
    let (expected_bytes, found_bytes) = (raw_len as u64, payload.len() as u64);
    let split = payload.split_at_checked(raw_len);
    let (raw, rest) = split.ok_or(UnsealError::Length { expected_bytes, found_bytes })?;
    check_padding(rest)?;
    Ok(raw)
}

fn open_frame(key: &ObjectKey, aad: &[u8], frame: &mut Vec<u8>) -> Result<(), UnsealError> {
    Fast::open(key.expose(), aad, frame, 0).map_err(|_tag| UnsealError::Tag)
}

fn check_hash(object: &[u8], reference: &Ref) -> Result<(), UnsealError> {
    let found = blind::sid_of(object);
    if found == reference.sid {
        Ok(())
    } else {
        Err(UnsealError::Hash { expected: reference.sid, found })
    }
}

fn check_padding(padding: &[u8]) -> Result<(), UnsealError> {
    if padding.iter().all(|&byte| byte == 0) { Ok(()) } else { Err(UnsealError::Padding) }
}

/// Splits a node into the sids of its children and its body.
fn open_children<'a>(
    object: &'a [u8],
    store: &StoreKeys,
) -> Result<(Vec<Sid>, &'a [u8]), UnsealError> {
    let short = || UnsealError::Length {
        expected_bytes: NODE_HEAD_BYTES as u64,
        found_bytes: object.len() as u64,
    };
    let (generation, rest) = object.split_first_chunk::<4>().ok_or_else(short)?;
    let (refs_len, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
    let refs_len = u32::from_le_bytes(*refs_len) as usize;
    let (refs, body) = rest.split_at_checked(refs_len).ok_or_else(short)?;
    let key = store.get(u32::from_le_bytes(*generation));
    let key = key.map_err(|error| UnsealError::Children(error.to_string()))?;
    let sids = blind::open_box(key, node_refs_place(store.repository()), refs)
        .map_err(|error| UnsealError::Children(error.to_string()))?;
    let chunks = sids.chunks_exact(Sid::LEN);
    if !chunks.remainder().is_empty() {
        return Err(UnsealError::Children("a sid is cut".to_owned()));
    }
    Ok((chunks.filter_map(Sid::from_slice).collect(), body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DomainId;
    use crate::secret::Secret32;

    fn keys() -> SealKeys {
        let repository = RepositoryId::new([1; 16]);
        SealKeys {
            domain: DomainKeys::derive(DomainId::new([2; 16]), 1, &Secret32::new([3; 32])),
            store: StoreKeys::new(repository, vec![(1, Secret32::new([4; 32]))]).unwrap(),
            level: 3,
        }
    }

    fn noise(len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        blake3::Hasher::new().update(b"noise").finalize_xof().fill(&mut bytes);
        bytes
    }

    #[test]
    fn data_round_trips_at_every_kind_of_length() {
        let mut sealer = Sealer::new(&keys()).unwrap();
        let mut opener = Opener::new(keys().store.repository()).unwrap();
        for len in [0, 1, 7, 100, 65_535, 65_536, 65_537, 600_000] {
            for raw in [vec![0; len], noise(len), b"abc".repeat(len / 3)] {
                let (reference, object) = sealer.seal_data(ObjectKind::Chunk, &raw).unwrap();
                let opened = opener.open_data(&object.bytes, &reference, ObjectKind::Chunk);
                assert_eq!(opened.unwrap(), raw);
                assert_eq!(sealer.seal_data(ObjectKind::Chunk, &raw).unwrap().0, reference);
                let other = sealer.seal_data(ObjectKind::Bundle, &raw).unwrap().0;
                assert_ne!(other.key, reference.key);
                assert!(object.bytes.len() < raw.len() + raw.len() / 8 + 64);
            }
        }
    }

    /// The key comes from what the cipher is given: the same bytes packed otherwise have another
    /// key, so the zero nonce never meets one key twice.
    #[test]
    fn another_codec_or_level_is_another_key() {
        let raw: Vec<u8> = (0..4000_u32).flat_map(|n| (n * n).to_string().into_bytes()).collect();
        let at = |level| {
            let mut sealer = Sealer::new(&SealKeys { level, ..keys() }).unwrap();
            sealer.seal_data(ObjectKind::Bundle, &raw).unwrap()
        };
        let (low, high) = (at(1), at(19));
        assert_ne!(low.1.bytes.len(), high.1.bytes.len(), "the levels must make two frames");
        assert_ne!(low.0.key, high.0.key);
        let stored = {
            let head = FrameHead {
                kind: ObjectKind::Bundle,
                codec: Codec::None,
                raw_len: u32::try_from(raw.len()).unwrap(),
            };
            let frame = [&head.encode()[..], &raw].concat();
            keys().domain.object_key(SUITE, ObjectKind::Bundle as u8, &[], &frame)
        };
        assert!(stored != low.0.key && stored != high.0.key);
    }

    proptest::proptest! {
        #[test]
        fn two_frames_never_share_a_key(
            one in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
            two in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        ) {
            let mut sealer = Sealer::new(&keys()).unwrap();
            let first = sealer.seal_data(ObjectKind::Chunk, &one).unwrap();
            let second = sealer.seal_data(ObjectKind::Chunk, &two).unwrap();
            assert_eq!(one == two, first.0.key == second.0.key);
            assert_eq!(one == two, first.0.sid == second.0.sid);
            let other = sealer.seal_data(ObjectKind::Bundle, &one).unwrap();
            assert_ne!(other.0.key, first.0.key);
        }
    }

    #[test]
    fn nodes_round_trip_and_their_children_are_bound() {
        let mut sealer = Sealer::new(&keys()).unwrap();
        let mut opener = Opener::new(keys().store.repository()).unwrap();
        let children = vec![Sid::new([1; 32]), Sid::new([2; 32])];
        let body = NodeBody { raw: b"names".to_vec(), children: children.clone() };
        let (reference, object) = sealer.seal_node(ObjectKind::Leaf, &body).unwrap();
        let store = keys().store;
        let (raw, sids) =
            opener.open_node(&object.bytes, &reference, (ObjectKind::Leaf, &store)).unwrap();
        assert_eq!((raw, &sids), (&b"names"[..], &children));
        let other = NodeBody { raw: b"names".to_vec(), children: children[..1].to_vec() };
        assert_ne!(sealer.seal_node(ObjectKind::Leaf, &other).unwrap().0.key, reference.key);
        let wrong = opener.open_node(&object.bytes, &reference, (ObjectKind::Branch, &store));
        assert!(wrong.is_err());
    }

    #[test]
    fn every_flip_and_cut_is_refused() {
        let mut sealer = Sealer::new(&keys()).unwrap();
        let mut opener = Opener::new(keys().store.repository()).unwrap();
        let (reference, object) = sealer.seal_data(ObjectKind::Bundle, b"some text").unwrap();
        for bit in 0..object.bytes.len() * 8 {
            let mut bad = object.bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(opener.open_data(&bad, &reference, ObjectKind::Bundle).is_err());
            // Under the bad bytes' own name the tag refuses.
            let named = Ref { sid: blind::sid_of(&bad), ..reference.clone() };
            let opened = opener.open_data(&bad, &named, ObjectKind::Bundle);
            assert_eq!(opened, Err(UnsealError::Tag));
        }
        for len in 0..object.bytes.len() {
            let cut = &object.bytes[..len];
            let named = Ref { sid: blind::sid_of(cut), ..reference.clone() };
            assert!(opener.open_data(cut, &named, ObjectKind::Bundle).is_err());
        }
    }
}
