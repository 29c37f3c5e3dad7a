//! The digest of a long content whose pieces come in any order.
//!
//! BLAKE3 is a tree over blocks of 1 KiB. Each piece is hashed to the largest subtrees that lie in
//! it, and what is left of it at both ends, less than a block each, is kept until the neighbour
//! comes. So a piece costs about 3 KiB, and neighbours melt together.

use std::collections::BTreeMap;

use blake3::CHUNK_LEN;
use blake3::Hasher;
use blake3::hazmat::ChainingValue;
use blake3::hazmat::HasherExt;
use blake3::hazmat::Mode;
use blake3::hazmat::merge_subtrees_non_root;
use blake3::hazmat::merge_subtrees_root;

use crate::ids::Digest;

const BLOCK_BYTES: u64 = CHUNK_LEN as u64;

/// A whole subtree: `2^level` blocks.
#[derive(Debug, Clone, Copy)]
struct Subtree {
    level: u32,
    value: ChainingValue,
}

/// What is known of one piece; made without looking at the others.
#[derive(Debug, Default)]
pub struct Piece {
    /// By the number of the first block.
    subtrees: Vec<(u64, Subtree)>,
    /// Parts of blocks: place in the content, bytes.
    ends: Vec<(u64, Vec<u8>)>,
    len_bytes: u64,
}

/// Hashes the bytes at `offset` of a content of `total_bytes`.
#[must_use]
pub fn piece(total_bytes: u64, offset: u64, bytes: &[u8]) -> Piece {
    let len_bytes = bytes.len() as u64;
    let end = offset.saturating_add(len_bytes);
    let mut found = Piece { len_bytes, ..Piece::default() };
    // The last block may be short; it is whole when its last byte is here.
    let first = offset.div_ceil(BLOCK_BYTES);
    let last = if end == total_bytes { end.div_ceil(BLOCK_BYTES) } else { end / BLOCK_BYTES };
    // Of a single block the root itself is wanted.
    if first >= last || total_bytes <= BLOCK_BYTES {
        found.ends.push((offset, bytes.to_vec()));
        return found;
    }
    let at = |place: u64| usize::try_from(place.saturating_sub(offset)).unwrap_or(usize::MAX);
    let part = |from: u64, to: u64| bytes.get(at(from)..at(to.min(end))).unwrap_or_default();
    let blocks_count = total_bytes.div_ceil(BLOCK_BYTES);
    let (start, stop) = (first * BLOCK_BYTES, (last * BLOCK_BYTES).min(end));
    found.ends.push((offset, part(offset, start).to_vec()));
    found.ends.push((stop, part(stop, end).to_vec()));
    found.ends.retain(|(_, bytes)| !bytes.is_empty());
    let mut block = first;
    while block < last {
        let aligned = if block == 0 { 63 } else { block.trailing_zeros() };
        let fits = |level: &u32| {
            let len = 1_u64 << level;
            block + len <= last && len < blocks_count.max(2)
        };
        let level = (0..=aligned.min(40)).rev().find(fits).unwrap_or(0);
        let next = block + (1 << level);
        let value = value_of(block, part(block * BLOCK_BYTES, next * BLOCK_BYTES));
        found.subtrees.push((block, Subtree { level, value }));
        block = next;
    }
    found
}

fn value_of(block: u64, bytes: &[u8]) -> ChainingValue {
    Hasher::new().set_input_offset(block * BLOCK_BYTES).update(bytes).finalize_non_root()
}

/// The pieces so far.
#[derive(Debug)]
pub struct Assembly {
    total_bytes: u64,
    found_bytes: u64,
    subtrees: BTreeMap<u64, Subtree>,
    /// Blocks that are not whole yet: their bytes, and how many of them have come.
    ends: BTreeMap<u64, (Vec<u8>, usize)>,
}

impl Assembly {
    #[must_use]
    pub fn new(total_bytes: u64) -> Self {
        let (subtrees, ends) = (BTreeMap::new(), BTreeMap::new());
        Self { total_bytes, found_bytes: 0, subtrees, ends }
    }

    fn blocks_count(&self) -> u64 {
        self.total_bytes.div_ceil(BLOCK_BYTES).max(1)
    }

    /// Adds a piece. The same bytes must not come twice.
    pub fn join(&mut self, piece: Piece) {
        self.found_bytes = self.found_bytes.saturating_add(piece.len_bytes);
        for (block, subtree) in piece.subtrees {
            self.add(block, subtree);
        }
        for (offset, bytes) in piece.ends {
            self.add_end(offset, &bytes);
        }
    }

    fn add_end(&mut self, offset: u64, mut bytes: &[u8]) {
        let mut offset = offset;
        while !bytes.is_empty() {
            let block = offset / BLOCK_BYTES;
            let within = usize::try_from(offset % BLOCK_BYTES).unwrap_or(0);
            let whole = self.total_bytes.saturating_sub(block * BLOCK_BYTES).min(BLOCK_BYTES);
            let whole = usize::try_from(whole).unwrap_or(CHUNK_LEN);
            let (now, later) = bytes.split_at(bytes.len().min(whole.saturating_sub(within).max(1)));
            let (content, count) = self.ends.entry(block).or_insert_with(|| (vec![0; whole], 0));
            if let Some(slot) = content.get_mut(within..within + now.len()) {
                slot.copy_from_slice(now);
            }
            *count += now.len();
            if *count >= whole
                && self.blocks_count() > 1
                && let Some((content, _)) = self.ends.remove(&block)
            {
                self.add(block, Subtree { level: 0, value: value_of(block, &content) });
            }
            offset += now.len() as u64;
            bytes = later;
        }
    }

    /// Adds a subtree and joins it with its sibling, but never to the root.
    fn add(&mut self, block: u64, subtree: Subtree) {
        let (mut block, mut subtree) = (block, subtree);
        loop {
            let len = 1_u64 << subtree.level;
            let is_left = (block / len).is_multiple_of(2);
            let sibling = if is_left { block + len } else { block - len };
            let joined_ends = sibling.max(block) + len;
            let is_whole = self.subtrees.get(&sibling).is_some_and(|s| s.level == subtree.level);
            if !is_whole || joined_ends > self.blocks_count() || len * 2 >= self.blocks_count() {
                break;
            }
            let Some(other) = self.subtrees.remove(&sibling) else { break };
            let (left, right) = match is_left {
                true => (subtree.value, other.value),
                false => (other.value, subtree.value),
            };
            let value = merge_subtrees_non_root(&left, &right, Mode::Hash);
            (block, subtree) = (block.min(sibling), Subtree { level: subtree.level + 1, value });
        }
        self.subtrees.insert(block, subtree);
    }

    /// The digest once every piece has come.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        if self.found_bytes != self.total_bytes {
            return None;
        }
        if self.blocks_count() == 1 {
            let content = self.ends.get(&0).map_or(&[][..], |(bytes, _)| bytes);
            return Some(Digest::new(*blake3::hash(content).as_bytes()));
        }
        let mut values: Vec<ChainingValue> =
            self.subtrees.values().map(|subtree| subtree.value).collect();
        let mut right = values.pop()?;
        while values.len() > 1 {
            right = merge_subtrees_non_root(&values.pop()?, &right, Mode::Hash);
        }
        let root = merge_subtrees_root(&values.pop()?, &right, Mode::Hash);
        Some(Digest::new(*root.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that follow from a seed.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, n: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from((self.0 >> 33) % (n as u64)).unwrap()
        }
    }

    fn assembled(content: &[u8], cuts: &[usize], numbers: &mut Numbers) -> Option<Digest> {
        let total = content.len() as u64;
        let mut ends = cuts.to_vec();
        ends.extend([0, content.len()]);
        ends.sort_unstable();
        let mut pieces: Vec<_> = ends
            .windows(2)
            .map(|pair| piece(total, pair[0] as u64, &content[pair[0]..pair[1]]))
            .collect();
        let mut assembly = Assembly::new(total);
        while !pieces.is_empty() {
            assert!(assembly.digest().is_none() || assembly.found_bytes == total);
            assembly.join(pieces.swap_remove(numbers.below(pieces.len())));
        }
        assembly.digest()
    }

    #[test]
    fn any_cutting_and_order_gives_the_plain_digest() {
        let mut numbers = Numbers(1);
        let content: Vec<u8> =
            (0..300_000).map(|_| u8::try_from(numbers.below(256)).unwrap()).collect();
        let mut lens: Vec<usize> = (0..=40).map(|n| n * 512).collect();
        lens.extend([1, 1023, 1025, 65_535, 65_536, 65_537, 131_072, 262_144, 299_999]);
        for len in lens {
            let content = &content[..len];
            let expected = Digest::new(*blake3::hash(content).as_bytes());
            for count in [0, 1, 2, 5, 40] {
                let cuts: Vec<_> = (0..count).map(|_| numbers.below(len + 1)).collect();
                let found = assembled(content, &cuts, &mut numbers);
                assert_eq!(found, Some(expected), "{len} bytes cut at {cuts:?}");
            }
        }
    }

    #[test]
    fn nothing_is_said_before_all_has_come() {
        let content = vec![7; 10_000];
        let mut assembly = Assembly::new(10_000);
        assembly.join(piece(10_000, 0, &content[..9_999]));
        assert_eq!(assembly.digest(), None);
        assembly.join(piece(10_000, 9_999, b"x"));
        assert_ne!(assembly.digest(), Some(Digest::new(*blake3::hash(&content).as_bytes())));
    }
}
