//! A small reader of packs, index files and trees, written from the format's pages alone. What it
//! finds is what the harness holds the program to, so it uses nothing of the program.

use std::collections::BTreeMap;
use std::ops::Range;

use aes_gcm::AeadInOut;
use aes_gcm::Aes256Gcm;
use aes_gcm::KeyInit;

pub type Hash = [u8; 32];

pub const LEAF: u8 = 3;
pub const MAP: u8 = 5;
pub const MAP_BRANCH: u8 = 6;
const PACK_ENDS: &[u8; 8] = b"LBPACK\0\x01";
const INDEX_HEAD: &[u8; 8] = b"LBINDX\0\x01";
const TRAILER_BYTES: usize = 16;

pub fn hash(bytes: &[u8]) -> Hash {
    *blake3::hash(bytes).as_bytes()
}

/// One object as a table or an index places it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub kind: u8,
    pub sid: Hash,
    pub range: Range<usize>,
}

/// What a parent keeps of a child.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Child {
    pub sid: Hash,
    pub key: Hash,
    pub raw_len: usize,
}

/// A piece of a file.
#[derive(Debug, Clone)]
pub enum Piece {
    Hole(u64),
    /// Bytes of an object's raw content, from an offset on.
    Data {
        object: Child,
        offset: usize,
        len: usize,
    },
}

/// Where a file's bytes are.
#[derive(Debug, Clone)]
pub enum Holding {
    Nothing,
    Pieces(Vec<Piece>),
    Map(Child),
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub path: Vec<u8>,
    pub kind: u8,
    pub size: u64,
    pub holding: Holding,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub enum Node {
    Leaf(Vec<Entry>),
    Map(Vec<Piece>),
    Branch(Vec<Child>),
}

/// Keys of the vault.
#[derive(Debug, Clone)]
pub struct Keys {
    pub repository: [u8; 16],
    pub store: BTreeMap<u32, Hash>,
}

fn decrypt(key: &Hash, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (body, tag) = sealed.split_last_chunk::<16>()?;
    let mut body = body.to_vec();
    let cipher = Aes256Gcm::new(key.into());
    let opened = cipher.decrypt_inout_detached(
        &[0_u8; 12].into(),
        aad,
        body.as_mut_slice().into(),
        tag.into(),
    );
    opened.ok().map(|()| body)
}

impl Keys {
    fn open_box(&self, generation: u32, kind: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let key = self.store.get(&generation)?;
        let (salt, rest) = sealed.split_first_chunk::<32>()?;
        let (commitment, body) = rest.split_first_chunk::<32>()?;
        let mut material = key.to_vec();
        material.extend(salt);
        material.extend(self.repository);
        material.extend((kind.len() as u64).to_le_bytes());
        material.extend(kind.as_bytes());
        material.extend(0_u64.to_le_bytes());
        let expected = blake3::derive_key("lifeboat 1 long-lived key to box commitment", &material);
        if expected != *commitment {
            return None;
        }
        let key = blake3::derive_key("lifeboat 1 long-lived key to box key", &material);
        decrypt(&key, kind.as_bytes(), body)
    }

    /// The rows of a pack's own table, and where the sealed table lies.
    pub fn table(&self, pack: &[u8]) -> Option<(Vec<Row>, Range<usize>)> {
        let end = pack.len().checked_sub(TRAILER_BYTES)?;
        let mut trailer = Bytes(&pack[end..]);
        let (len, generation) = (trailer.u32()? as usize, trailer.u32()?);
        if trailer.take(8)? != PACK_ENDS {
            return None;
        }
        let start = end.checked_sub(len)?;
        let opened = self.open_box(generation, "pack table", &pack[start..end])?;
        let rows = rows(&mut Bytes(&opened), None)?;
        let fits = rows.last()?.range.end == start;
        fits.then_some((rows, start..end))
    }

    /// The rows of every pack that an index file names, with the pack's whole length.
    pub fn index(&self, file: &[u8]) -> Option<BTreeMap<Hash, (Vec<Row>, usize)>> {
        let mut bytes = Bytes(file);
        if bytes.take(8)? != INDEX_HEAD {
            return None;
        }
        let generation = bytes.u32()?;
        let opened = self.open_box(generation, "index", bytes.0)?;
        let mut bytes = Bytes(&opened);
        let mut packs = BTreeMap::new();
        while !bytes.0.is_empty() {
            let pack = bytes.array::<32>()?;
            let table_len = bytes.u32()? as usize;
            let count = bytes.u32()? as usize;
            let rows = rows(&mut bytes, Some(count))?;
            let len = rows.last()?.range.end + table_len + TRAILER_BYTES;
            packs.insert(pack, (rows, len));
        }
        Some(packs)
    }

    /// Children and raw content of a node.
    fn open_node(&self, object: &[u8], child: &Child, kind: u8) -> Option<(Vec<Hash>, Vec<u8>)> {
        let mut bytes = Bytes(object);
        let generation = bytes.u32()?;
        let len = bytes.u32()? as usize;
        let refs = self.open_box(generation, "node refs", bytes.take(len)?)?;
        let kids = hash(&refs);
        let aad = [&[1, 1, kind, 32][..], &kids].concat();
        let raw = raw(&decrypt(&child.key, &aad, bytes.0)?, kind, child.raw_len)?;
        Some((refs.chunks_exact(32).map(|sid| sid.try_into().unwrap()).collect(), raw))
    }

    /// Opens and reads a node.
    pub fn node(&self, object: &[u8], child: &Child, kind: u8) -> Option<Node> {
        let (sids, raw) = self.open_node(object, child, kind)?;
        let mut bytes = Bytes(&raw);
        if bytes.u8()? != 1 {
            return None;
        }
        match kind {
            LEAF => leaf(&mut bytes, &sids).map(Node::Leaf),
            MAP => {
                let children = children(&mut bytes, &sids)?;
                let count = bytes.varint()?;
                (0..count)
                    .map(|_| piece(&mut bytes, &children))
                    .collect::<Option<_>>()
                    .map(Node::Map)
            }
            _ => {
                bytes.u8()?;
                children(&mut bytes, &sids).map(Node::Branch)
            }
        }
    }
}

/// Raw content of a chunk or bundle.
pub fn data(object: &[u8], child: &Child, kind: u8) -> Option<Vec<u8>> {
    raw(&decrypt(&child.key, &[1, 1, kind, 0], object)?, kind, child.raw_len)
}

fn raw(frame: &[u8], kind: u8, raw_len: usize) -> Option<Vec<u8>> {
    let mut bytes = Bytes(frame);
    let head = bytes.take(4)?;
    let len = bytes.u32()? as usize;
    if head[0] != 1 || head[1] != kind || head[3] != 0 || len != raw_len {
        return None;
    }
    if head[2] == 0 {
        return Some(bytes.take(len)?.to_vec());
    }
    let payload = zstd::zstd_safe::find_frame_compressed_size(bytes.0).ok()?;
    zstd::bulk::decompress(&bytes.0[..payload], len).ok().filter(|raw| raw.len() == len)
}

/// Rows back to back: `count` of them, or to the end.
fn rows(bytes: &mut Bytes<'_>, count: Option<usize>) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    let mut at = 8;
    while count.map_or(!bytes.0.is_empty(), |count| rows.len() < count) {
        let (kind, sid) = (bytes.u8()?, bytes.array()?);
        let len = bytes.u32()? as usize;
        rows.push(Row { kind, sid, range: at..at + len });
        at += len;
    }
    Some(rows)
}

fn children(bytes: &mut Bytes<'_>, sids: &[Hash]) -> Option<Vec<Child>> {
    if usize::try_from(bytes.varint()?).ok()? != sids.len() {
        return None;
    }
    let keys: Vec<Hash> = sids.iter().map(|_| bytes.array()).collect::<Option<_>>()?;
    let child = |(sid, key): (&Hash, Hash)| {
        let raw_len = usize::try_from(bytes.varint()?).ok()?;
        Some(Child { sid: *sid, key, raw_len })
    };
    sids.iter().zip(keys).map(child).collect()
}

fn piece(bytes: &mut Bytes<'_>, children: &[Child]) -> Option<Piece> {
    let number = usize::try_from(bytes.varint()?).ok()?;
    if number == 0 {
        return Some(Piece::Hole(bytes.varint()?));
    }
    bytes.take(32)?;
    let object = children.get(number - 1)?.clone();
    Some(Piece::Data { offset: 0, len: object.raw_len, object })
}

/// Entries with what the harness needs of them; other columns are passed over.
fn leaf(bytes: &mut Bytes<'_>, sids: &[Hash]) -> Option<Vec<Entry>> {
    let count = bytes.varint()?;
    let children = children(bytes, sids)?;
    let mut heads = Vec::new();
    loop {
        match bytes.u8()? {
            0 => break,
            number => heads.push((number, usize::try_from(bytes.varint()?).ok()?)),
        }
    }
    let mut columns: BTreeMap<u8, Bytes<'_>> = (1..18).map(|n| (n, Bytes(&[]))).collect();
    for (number, len) in heads {
        columns.insert(number, Bytes(bytes.take(len)?));
    }
    let mut column = |number: u8| std::mem::take(columns.get_mut(&number).unwrap());
    let (mut shapes, mut shared, mut rests) = (column(1), column(2), column(3));
    let (mut texts, mut sizes, mut places) = (column(4), column(7), column(13));
    let (mut offsets, mut extents) = (column(14), column(15));
    let (mut path, mut at, mut next) = (Vec::new(), 0_i64, 0_i64);
    let mut entries = Vec::new();
    for _ in 0..count {
        let shape = shapes.u8()?;
        path.truncate(usize::try_from(shared.varint()?).ok()?);
        path.extend(texts.take(usize::try_from(rests.varint()?).ok()?)?);
        let kind = shape & 15;
        let size = if kind == 0 || kind == 3 { sizes.varint()? } else { 0 };
        let holding = match (shape >> 4) & 7 {
            0 => Holding::Nothing,
            1 => {
                let step = places.signed()?;
                at += step;
                let start = if step == 0 { next } else { 0 } + offsets.signed()?;
                next = start + i64::try_from(size).ok()?;
                let object = children.get(usize::try_from(at).ok()?)?.clone();
                let (offset, len) = (usize::try_from(start).ok()?, usize::try_from(size).ok()?);
                Holding::Pieces(vec![Piece::Data { object, offset, len }])
            }
            2 => {
                let count = extents.varint()?;
                let pieces = (0..count).map(|_| piece(&mut extents, &children));
                Holding::Pieces(pieces.collect::<Option<_>>()?)
            }
            _ => {
                at += places.signed()?;
                Holding::Map(children.get(usize::try_from(at).ok()?)?.clone())
            }
        };
        entries.push(Entry { path: path.clone(), kind, size, holding });
    }
    Some(entries)
}

#[derive(Debug, Clone, Copy, Default)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        Some(self.array::<1>()?[0])
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let raw = self.varint()?;
        Some((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }
}
