//! Cutting.
//!
//! What it is: where a large file is cut into chunks, by its content.
//! Never: reads files, seals, knows a key but the gear table made from one.
//! Invariants: the same bytes under the same table and sizes give the same cuts, for ever (golden
//! lists in the tests); sizes are checked before a cutter exists.
//! Start reading at: [`Cutter`].

pub mod assemble;
pub mod digest;

use fastcdc::v2020::Normalization;
use fastcdc::v2020::cut_gear;
use fastcdc::v2020::select_masks;

/// Names this chunker in manifests: fastcdc v2020, normalisation 1, keyed gear table.
pub const CHUNKER_ID: u8 = 1;

/// Smallest and largest chunk, and the aim between, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkSizes {
    pub min_bytes: u32,
    pub avg_bytes: u32,
    pub max_bytes: u32,
}

/// Sizes that the chunker cannot work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "chunk sizes {} / {} / {} bytes: expected even numbers, 64 <= min <= avg <= max <= 16777216, \
     avg a power of two from 256 to 4194304, min at most 1048576",
    .0.min_bytes, .0.avg_bytes, .0.max_bytes
)]
pub struct ChunkSizesError(ChunkSizes);

impl ChunkSizes {
    /// The chunker's own checks are debug assertions, so they stand here.
    pub fn check(self) -> Result<Self, ChunkSizesError> {
        let Self { min_bytes, avg_bytes, max_bytes } = self;
        let fits = (64..=1_048_576).contains(&min_bytes)
            && (256..=4_194_304).contains(&avg_bytes)
            && (1024..=16_777_216).contains(&max_bytes)
            && min_bytes <= avg_bytes
            && avg_bytes <= max_bytes
            && min_bytes % 2 == 0
            && max_bytes % 2 == 0
            && avg_bytes.is_power_of_two();
        if fits { Ok(self) } else { Err(ChunkSizesError(self)) }
    }
}

/// Finds cuts with a gear table made from the domain's secret. The table makes cuts differ between
/// domains; it is no protection of its own (`doc/format.md`, "Threat model").
pub struct Cutter {
    sizes: ChunkSizes,
    masks: (u64, u64),
    gear: Box<[u64; 256]>,
    gear_shifted: Box<[u64; 256]>,
}

impl Cutter {
    pub fn new(sizes: ChunkSizes, gear: Box<[u64; 256]>) -> Result<Self, ChunkSizesError> {
        let sizes = sizes.check()?;
        let mut gear_shifted = gear.clone();
        for word in gear_shifted.iter_mut() {
            *word <<= 1;
        }
        let masks = select_masks(sizes.avg_bytes as usize, Normalization::Level1);
        Ok(Self { sizes, masks, gear, gear_shifted })
    }

    #[must_use]
    pub const fn sizes(&self) -> ChunkSizes {
        self.sizes
    }

    /// Length of the first chunk of `bytes`. `bytes` holds at least `max_bytes`, or everything up
    /// to the end of the file.
    #[must_use]
    pub fn cut(&self, bytes: &[u8]) -> usize {
        let ChunkSizes { min_bytes, avg_bytes, max_bytes } = self.sizes;
        let (_, len) = cut_gear(
            bytes,
            min_bytes as usize,
            avg_bytes as usize,
            max_bytes as usize,
            self.masks.0,
            self.masks.1,
            self.masks.0 << 1,
            self.masks.1 << 1,
            &*self.gear,
            &*self.gear_shifted,
        );
        len
    }
}

impl std::fmt::Debug for Cutter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cutter({:?})", self.sizes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: ChunkSizes = ChunkSizes { min_bytes: 64, avg_bytes: 256, max_bytes: 1024 };

    fn cutter() -> Cutter {
        let mut gear = Box::new([0_u64; 256]);
        for (n, word) in (0_u32..).zip(gear.iter_mut()) {
            let hash = blake3::hash(&n.to_le_bytes());
            *word = u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap());
        }
        Cutter::new(SIZES, gear).unwrap()
    }

    fn sample(len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        blake3::Hasher::new().update(b"sample").finalize_xof().fill(&mut bytes);
        bytes
    }

    fn cuts(bytes: &[u8]) -> Vec<usize> {
        let cutter = cutter();
        let mut at = 0;
        let mut lengths = Vec::new();
        while at < bytes.len() {
            let len = cutter.cut(&bytes[at..]);
            lengths.push(len);
            at += len;
        }
        lengths
    }

    /// If this list changes, stored repositories no longer deduplicate: find out why instead.
    #[test]
    fn golden_cut_list() {
        assert_eq!(cuts(&sample(4000)), GOLDEN);
    }

    const GOLDEN: [usize; 13] = [268, 351, 434, 229, 128, 439, 301, 426, 266, 70, 446, 295, 347];

    #[test]
    fn an_insertion_moves_only_the_cuts_near_it() {
        let before = sample(100_000);
        let mut after = before.clone();
        after.insert(50_000, 7);
        let pieces = |bytes: &[u8]| -> std::collections::BTreeSet<Vec<u8>> {
            let mut at = 0;
            let cut = cuts(bytes).into_iter().map(|len| {
                at += len;
                bytes[at - len..at].to_vec()
            });
            cut.collect()
        };
        let (before, after) = (pieces(&before), pieces(&after));
        assert!(after.difference(&before).count() <= 3);
    }

    #[test]
    fn zeros_make_chunks_of_the_largest_size() {
        assert_eq!(cuts(&vec![0; 3000]), [1024, 1024, 952]);
    }

    #[test]
    fn absurd_sizes_are_refused() {
        let sizes =
            |min_bytes, avg_bytes, max_bytes| ChunkSizes { min_bytes, avg_bytes, max_bytes };
        for bad in [
            sizes(0, 256, 1024),
            sizes(63, 256, 1024),
            sizes(64, 255, 1024),
            sizes(64, 256, 1023),
            sizes(512, 256, 1024),
            sizes(64, 2048, 1024),
            sizes(u32::MAX, u32::MAX, u32::MAX),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
