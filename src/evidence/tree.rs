//! The tree over the entries: RFC 6962, section 2.1, with SHA-256.
//!
//! A leaf is an entry's bytes. The root of the first `n` leaves says all of them and their order.
//! Sizes and proofs come from strangers, so nothing here panics on any of them: that is why it
//! stands here. A crate that asserts instead is the second opinion in the tests.

use std::io;
use std::io::Read;

use sha2::Digest;
use sha2::Sha256;

use crate::ids::LedgerHash;

/// Longest proof of a tree of 2^63 leaves.
pub const PROOF_HASHES_MAX: usize = 64;
/// What is hashed at a time.
const READ_BYTES: usize = 64 * 1024;

/// SHA-256 of bytes: what entries and documents are called.
#[must_use]
pub fn sha256(bytes: &[u8]) -> LedgerHash {
    LedgerHash::new(Sha256::digest(bytes).into())
}

/// The same of what a reader has, whatever its length.
///
/// # Errors
/// When it cannot be read.
pub fn sha256_of(mut reader: impl Read) -> io::Result<LedgerHash> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(LedgerHash::new(hasher.finalize().into())),
            Ok(count) => hasher.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Hash of a leaf.
#[must_use]
pub fn leaf(bytes: &[u8]) -> LedgerHash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(bytes);
    LedgerHash::new(hasher.finalize().into())
}

fn node(left: &LedgerHash, right: &LedgerHash) -> LedgerHash {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left.as_bytes());
    hasher.update(right.as_bytes());
    LedgerHash::new(hasher.finalize().into())
}

/// All leaves so far, and the roots of all whole subtrees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// At `[k][i]` the root of leaves `i * 2^k` to `(i + 1) * 2^k`.
    levels: Vec<Vec<LedgerHash>>,
}

impl Tree {
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Adds the hash of a leaf.
    pub fn push(&mut self, leaf: LedgerHash) {
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let Some(row) = self.levels.get_mut(level) else { return };
            row.push(hash);
            match row.as_slice() {
                [.., left, right] if row.len().is_multiple_of(2) => hash = node(left, right),
                _ => return,
            }
        }
    }

    /// Root of the first `size` leaves; none if there are fewer.
    #[must_use]
    pub fn root(&self, size: u64) -> Option<LedgerHash> {
        if size == 0 {
            return Some(sha256(b""));
        }
        (size <= self.size()).then(|| self.range(0, size)).flatten()
    }

    /// Root of leaves `from` to `to`; `from` is a multiple of the power of two that is at least
    /// their count.
    fn range(&self, from: u64, to: u64) -> Option<LedgerHash> {
        let count = to.checked_sub(from).filter(|count| *count > 0)?;
        if count.is_power_of_two() {
            let row = self.levels.get(usize::try_from(count.trailing_zeros()).ok()?)?;
            return row.get(usize::try_from(from >> count.trailing_zeros()).ok()?).copied();
        }
        let middle = from + split(count);
        Some(node(&self.range(from, middle)?, &self.range(middle, to)?))
    }

    /// That leaf `index` is among the first `size`: what is hashed with it on its way to the root.
    #[must_use]
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<LedgerHash>> {
        if index >= size || size > self.size() {
            return None;
        }
        let (mut from, mut to) = (0, size);
        let mut path = Vec::new();
        while to - from > 1 {
            let middle = from + split(to - from);
            if index < middle {
                path.push(self.range(middle, to)?);
                to = middle;
            } else {
                path.push(self.range(from, middle)?);
                from = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    /// That the first `old` leaves are the beginning of the first `new`.
    #[must_use]
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<LedgerHash>> {
        if old == 0 || old > new || new > self.size() {
            return None;
        }
        let (mut from, mut to) = (0, new);
        let mut path = Vec::new();
        // Whether the old root itself is what is left of the way.
        let mut is_whole = true;
        while to != old {
            let middle = from + split(to - from);
            if old <= middle {
                path.push(self.range(middle, to)?);
                to = middle;
            } else {
                path.push(self.range(from, middle)?);
                from = middle;
                is_whole = false;
            }
        }
        if !is_whole {
            path.push(self.range(from, to)?);
        }
        path.reverse();
        Some(path)
    }
}

/// The largest power of two below `count`, which is at least 2.
const fn split(count: u64) -> u64 {
    1 << (63 - (count - 1).leading_zeros())
}

/// Whether `path` leads from a leaf to the root (RFC 9162, section 2.1.3.2).
#[must_use]
pub fn is_included(
    (leaf, index): (LedgerHash, u64),
    (root, size): (LedgerHash, u64),
    path: &[LedgerHash],
) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for step in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(step, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, step);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root
}

/// Whether `path` shows that the old tree is the beginning of the new one (RFC 9162, section
/// 2.1.4.2).
#[must_use]
pub fn is_consistent(
    (old_root, old): (LedgerHash, u64),
    (new_root, new): (LedgerHash, u64),
    path: &[LedgerHash],
) -> bool {
    if old == 0 || old > new {
        return false;
    }
    if old == new {
        return path.is_empty() && old_root == new_root;
    }
    let whole = old.is_power_of_two().then_some(old_root);
    let mut steps = whole.iter().chain(path);
    let Some(first) = steps.next() else { return false };
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut before, mut after) = (*first, *first);
    for step in steps {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            before = node(step, &before);
            after = node(step, &after);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            after = node(&after, step);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && before == old_root && after == new_root
}

#[cfg(test)]
mod tests;
