//! Files of several chunks: whether the chunks are together what the file was.

use std::collections::BTreeSet;
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::chunk::assemble;
use crate::chunk::assemble::Assembly;
use crate::format::entry::Extent;
use crate::ids::Digest;
use crate::ids::Sid;

/// Bytes that a content's digest takes for each hole, and for their number.
const HOLE_BYTES: u64 = 16;
const HOLES_BYTES: u64 = 8;

/// Tells a file's content and the way it is cut; equal for the same file in many snapshots.
pub(super) type FileKey = [u8; 16];

/// One content.
#[derive(Debug)]
struct File {
    key: FileKey,
    digest: Digest,
    total_bytes: u64,
    pieces_left: u64,
    assembly: Option<Box<Assembly>>,
}

/// All contents of several chunks.
#[derive(Debug, Default)]
pub(super) struct Files {
    known: HashSet<FileKey>,
    files: Vec<Mutex<File>>,
    bad: Mutex<BTreeSet<FileKey>>,
}

/// A chunk of a file and its place in the file's data; holes take no place there.
pub(super) struct Use {
    pub(super) number: u32,
    pub(super) place: u64,
    pub(super) sid: Sid,
}

/// What is to be hashed of a file: its data, then its holes.
struct Shape {
    holes: Vec<u8>,
    data_bytes: u64,
    pieces_count: u64,
}

/// Key of a content: of its digest and of all its extents.
pub(super) fn key_of(digest: &Digest, extents: &[Extent]) -> FileKey {
    let mut text = digest.as_bytes().to_vec();
    for extent in extents {
        text.extend_from_slice(&extent.len_bytes().to_le_bytes());
        if let Extent::Chunk { chunk, .. } = extent {
            text.extend_from_slice(chunk.sid.as_bytes());
        }
    }
    let mut key = [0; 16];
    let hash = crate::chunk::digest::digest(&text);
    key.iter_mut().zip(hash.as_bytes()).for_each(|(slot, byte)| *slot = *byte);
    key
}

fn shape(extents: &[Extent]) -> Shape {
    let mut shape = Shape { holes: Vec::new(), data_bytes: 0, pieces_count: 0 };
    let (mut at, mut holes): (u64, Vec<(u64, u64)>) = (0, Vec::new());
    for extent in extents {
        let len_bytes = extent.len_bytes();
        match extent {
            Extent::Hole { .. } => match holes.last_mut() {
                Some((start, len)) if *start + *len == at => *len += len_bytes,
                _ => holes.push((at, len_bytes)),
            },
            Extent::Chunk { .. } => {
                shape.data_bytes += len_bytes;
                shape.pieces_count += 1;
            }
        }
        at += len_bytes;
    }
    if !holes.is_empty() {
        for (start, len) in &holes {
            shape.holes.extend_from_slice(&start.to_le_bytes());
            shape.holes.extend_from_slice(&len.to_le_bytes());
        }
        shape.holes.extend_from_slice(&(holes.len() as u64).to_le_bytes());
        debug_assert_eq!(shape.holes.len() as u64, holes.len() as u64 * HOLE_BYTES + HOLES_BYTES);
    }
    shape
}

impl Files {
    /// Adds a content unless it is known, and gives the places of its chunks.
    pub(super) fn add(&mut self, content: &Digest, extents: &[Extent]) -> Vec<Use> {
        let key = key_of(content, extents);
        // One chunk and no hole: the digest of the chunk says it all.
        if let [Extent::Chunk { digest, .. }] = extents {
            if digest != content {
                self.note_bad(key);
            }
            return Vec::new();
        }
        let Ok(number) = u32::try_from(self.files.len()) else { return Vec::new() };
        if !self.known.insert(key) {
            return Vec::new();
        }
        let Shape { holes, data_bytes, pieces_count } = shape(extents);
        let total_bytes = data_bytes + holes.len() as u64;
        let mut assembly = Assembly::new(total_bytes);
        if !holes.is_empty() {
            assembly.join(assemble::piece(total_bytes, data_bytes, &holes));
        }
        if pieces_count == 0 && assembly.digest() != Some(*content) {
            self.note_bad(key);
        }
        // Without holes there is nothing to keep before the first piece comes.
        let assembly = (pieces_count > 0 && !holes.is_empty()).then(|| Box::new(assembly));
        let (digest, pieces_left) = (*content, pieces_count);
        self.files.push(Mutex::new(File { key, digest, total_bytes, pieces_left, assembly }));
        let mut place = 0;
        let mut uses = Vec::new();
        for extent in extents {
            if let Extent::Chunk { chunk, .. } = extent {
                uses.push(Use { number, place, sid: chunk.sid });
                place += u64::from(chunk.raw_len);
            }
        }
        uses
    }

    fn with(&self, number: u32, change: impl FnOnce(&mut File)) {
        let file = usize::try_from(number).ok().and_then(|number| self.files.get(number));
        if let Some(file) = file {
            change(&mut file.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn note_bad(&self, key: FileKey) {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    }

    /// Takes the bytes of a chunk at its place. The hashing is done before anybody waits.
    pub(super) fn take(&self, (number, place): (u32, u64), bytes: &[u8]) {
        let mut total_bytes = 0;
        self.with(number, |file| total_bytes = file.total_bytes);
        let piece = assemble::piece(total_bytes, place, bytes);
        self.with(number, |file| {
            let assembly =
                file.assembly.get_or_insert_with(|| Box::new(Assembly::new(total_bytes)));
            assembly.join(piece);
            file.pieces_left = file.pieces_left.saturating_sub(1);
            if file.pieces_left > 0 {
                return;
            }
            if assembly.digest() != Some(file.digest) {
                self.note_bad(file.key);
            }
            file.assembly = None;
        });
    }

    /// Whether all chunks of the content are good, and it is another one all the same.
    pub(super) fn is_bad(&self, key: &FileKey) -> bool {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    pub(super) fn any_bad(&self) -> bool {
        !self.bad.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Contents of which every chunk has come.
    pub(super) fn compared_count(&self) -> u64 {
        let is_done = |file: &&Mutex<File>| {
            file.lock().unwrap_or_else(PoisonError::into_inner).pieces_left == 0
        };
        self.files.iter().filter(is_done).count() as u64
    }
}
