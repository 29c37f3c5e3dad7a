//! Config: what this repository is. Signed by the root key it names; kept three times.

use minicbor::Decode;
use minicbor::Encode;

use crate::format::object::FORMAT_VERSION;
use crate::format::object::FRAME_RAW_BYTES_MAX;
use crate::format::object::SUITE;
use crate::format::record::Record;
use crate::format::record::SignedRecord;
use crate::ids::RepositoryId;
use crate::units::Timestamp;

/// Names of the copies.
pub const CONFIG_NAMES: [&str; 3] = ["config", "config.1", "config.2"];

/// Most bytes of a pack.
pub const PACK_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Fewest bytes of a pack.
pub const PACK_BYTES_MIN: u64 = 64 * 1024;
/// Between which sizes the chunker works: fewest and most bytes of a chunk's minimum, average and
/// maximum.
pub const CHUNK_BYTES_MIN: u32 = 64;
pub const CHUNK_MIN_BYTES_MAX: u32 = 1024 * 1024;
pub const CHUNK_AVG_BYTES_MIN: u32 = 256;
pub const CHUNK_AVG_BYTES_MAX: u32 = 4 * 1024 * 1024;
pub const CHUNK_MAX_BYTES_MIN: u32 = 1024;

/// How content is cut and packed; fixed for the life of the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Parameters {
    /// Files below this many bytes go into bundles.
    #[n(0)]
    pub small_file_bytes: u32,
    /// Raw bytes at which a bundle is closed.
    #[n(1)]
    pub bundle_bytes: u32,
    #[n(2)]
    pub chunk_bytes_min: u32,
    /// A power of two.
    #[n(3)]
    pub chunk_bytes_avg: u32,
    #[n(4)]
    pub chunk_bytes_max: u32,
    /// Encoded bytes of a node below which it is not cut, at which it should be, and must be.
    #[n(5)]
    pub node_bytes_min: u32,
    #[n(6)]
    pub node_bytes_avg: u32,
    #[n(7)]
    pub node_bytes_max: u32,
    /// Bytes at which a pack is closed.
    #[n(8)]
    pub pack_bytes: u64,
}

impl Parameters {
    /// For new repositories; measured on source trees, documents and databases.
    pub const DEFAULT: Self = Self {
        small_file_bytes: 64 * 1024,
        bundle_bytes: 1024 * 1024,
        chunk_bytes_min: 256 * 1024,
        chunk_bytes_avg: 1024 * 1024,
        chunk_bytes_max: 4 * 1024 * 1024,
        node_bytes_min: 64 * 1024,
        node_bytes_avg: 96 * 1024,
        node_bytes_max: 256 * 1024,
        pack_bytes: 16 * 1024 * 1024,
    };

    fn check(&self) -> Result<(), &'static str> {
        let frame_max = u32::try_from(FRAME_RAW_BYTES_MAX).unwrap_or(u32::MAX);
        let rising = |min, avg, max| 0 < min && min <= avg && avg <= max && max <= frame_max;
        let even = |size: u32| size.is_multiple_of(2);
        let chunk = [self.chunk_bytes_min, self.chunk_bytes_avg, self.chunk_bytes_max];
        if !rising(chunk[0], chunk[1], chunk[2])
            || !(CHUNK_BYTES_MIN..=CHUNK_MIN_BYTES_MAX).contains(&chunk[0])
            || !(CHUNK_AVG_BYTES_MIN..=CHUNK_AVG_BYTES_MAX).contains(&chunk[1])
            || chunk[2] < CHUNK_MAX_BYTES_MIN
            || !chunk[1].is_power_of_two()
            || !chunk.into_iter().all(even)
        {
            return Err("chunk size");
        }
        if !rising(self.node_bytes_min, self.node_bytes_avg, self.node_bytes_max) {
            return Err("node size");
        }
        if !rising(1, self.bundle_bytes, frame_max) || self.small_file_bytes > self.bundle_bytes {
            return Err("bundle size");
        }
        if !(PACK_BYTES_MIN..=PACK_BYTES_MAX).contains(&self.pack_bytes) {
            return Err("pack size");
        }
        Ok(())
    }
}

/// What this repository is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConfigRecord {
    #[n(0)]
    pub repository: RepositoryId,
    /// Version of the format of objects, packs and manifests.
    #[n(1)]
    pub format_version: u8,
    /// Cipher suite of objects.
    #[n(2)]
    pub suite: u8,
    #[n(3)]
    pub created: Timestamp,
    /// The root key for signatures (Ed25519); a reader compares it with the one it holds.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub root: [u8; 32],
    #[n(5)]
    pub parameters: Parameters,
}

impl Record for ConfigRecord {
    const KIND: u8 = 1;
    const NOUN: &'static str = "config";

    fn newer(&self) -> Option<u8> {
        let newest = self.format_version.max(self.suite);
        (newest > FORMAT_VERSION.max(SUITE)).then_some(newest)
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.format_version != FORMAT_VERSION {
            return Err("format version");
        }
        if self.suite != SUITE {
            return Err("cipher suite");
        }
        self.parameters.check()
    }
}

impl SignedRecord for ConfigRecord {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::ChunkSizes;

    /// A config that passes is one that the chunker works with, or init and backup disagree.
    #[test]
    fn sizes_pass_here_if_and_only_if_the_chunker_takes_them() {
        let sizes = [2, 64, 66, 255, 256, 512, 1024, 1 << 20, 1 << 21, 1 << 22, 1 << 23, 1 << 24];
        let mut passed = 0;
        for min_bytes in sizes {
            for avg_bytes in sizes {
                for max_bytes in sizes.into_iter().chain([1 << 25, u32::MAX - 1]) {
                    let parameters = Parameters {
                        chunk_bytes_min: min_bytes,
                        chunk_bytes_avg: avg_bytes,
                        chunk_bytes_max: max_bytes,
                        ..Parameters::DEFAULT
                    };
                    let cut = ChunkSizes { min_bytes, avg_bytes, max_bytes };
                    assert_eq!(parameters.check().is_ok(), cut.check().is_ok(), "{cut:?}");
                    passed += u32::from(cut.check().is_ok());
                }
            }
        }
        assert!(passed > 20, "{passed}");
    }
}
