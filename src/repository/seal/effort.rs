//! How hard an object is compressed.

use std::ops::Range;

use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

use crate::format::object::ObjectKind;
use crate::repository::seal::SealError;

/// A frame this small is stored as it is if compressing does not shrink it, without a sample.
const SAMPLE_FROM_BYTES: usize = 64 * 1024;
const SAMPLE_BYTES: usize = 4 * 1024;

/// The level that sealing works at when nobody asks for another one.
pub const LEVEL_DEFAULT: i32 = 3;
/// Nothing is compressed.
pub const LEVEL_NONE: i32 = 0;
/// What samples are compressed with, and the base of [`quick`].
const LEVEL_FAST: i32 = 1;
/// Samples of a chunk that shrink to less than this many hundredths are worth the default level.
/// Above, [`quick`] takes two thirds of its time and makes two hundredths more: programs, pictures
/// and documents that are compressed inside (measured in `benches/`).
const WELL_SHRINKING_PERCENT: usize = 45;
/// Samples of a chunk that shrink to a part in this range are worth a longer search: pages of
/// databases, where it saves a fourteenth of the second snapshot's bytes for a tenth of the time.
/// What shrinks better has little left to save, and what shrinks worse costs more (measured in
/// `benches/` on a PostgreSQL data folder before and after work, on programs and on documents).
const SEARCH_LONGER_PERCENT: Range<usize> = 25..30;
/// The level of the longer search, with tables that stay in the cache of a core.
const LEVEL_LONGER: i32 = 6;
/// Samples that stay above this many hundredths are not compressed at all.
const SHRINKING_PERCENT: usize = 97;

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effort {
    None,
    Quick,
    Full,
    Longer,
}

/// The compressors of one thread, with their buffers.
pub(super) struct Packer {
    level: i32,
    usual: Compressor<'static>,
    /// For samples only: what they shrink to is compared with the constants above.
    fast: Compressor<'static>,
    quick: Compressor<'static>,
    longer: Compressor<'static>,
    sample: Vec<u8>,
    /// What the compressor writes to: its capacity is used, so nothing is zeroed first.
    packed: Vec<u8>,
}

impl Packer {
    /// # Errors
    /// The compressor could not be made.
    pub(super) fn new(level: i32) -> Result<Self, SealError> {
        Ok(Self {
            level,
            usual: usual(level).map_err(failed)?,
            fast: Compressor::new(LEVEL_FAST).map_err(failed)?,
            quick: quick().map_err(failed)?,
            longer: longer().map_err(failed)?,
            sample: Vec::new(),
            packed: Vec::new(),
        })
    }

    /// `raw` compressed, if that makes it smaller. The answer is a function of kind, bytes and
    /// level alone: what is the same must seal to the same object.
    ///
    /// # Errors
    /// The compressor failed.
    pub(super) fn pack(
        &mut self,
        kind: ObjectKind,
        raw: &[u8],
    ) -> Result<Option<&[u8]>, SealError> {
        let compressor = match self.effort(kind, raw) {
            Effort::None => return Ok(None),
            Effort::Quick => &mut self.quick,
            Effort::Full => &mut self.usual,
            Effort::Longer => &mut self.longer,
        };
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(raw.len()));
        compressor.compress_to_buffer(raw, &mut self.packed).map_err(failed)?;
        Ok((self.packed.len() < raw.len()).then_some(self.packed.as_slice()))
    }

    /// A cheap test: four samples are compressed fast, and tell how hard to try.
    fn effort(&mut self, kind: ObjectKind, raw: &[u8]) -> Effort {
        if self.level == LEVEL_NONE {
            return Effort::None;
        }
        if raw.len() < SAMPLE_FROM_BYTES {
            return if raw.is_empty() { Effort::None } else { Effort::Full };
        }
        let adapts = kind == ObjectKind::Chunk && self.level == LEVEL_DEFAULT;
        let step = raw.len() / 4;
        let mut sampled = 0;
        let mut packed = 0;
        self.sample.resize(zstd::zstd_safe::compress_bound(SAMPLE_BYTES), 0);
        for part in raw.chunks_exact(step) {
            let part = &part[..SAMPLE_BYTES.min(part.len())];
            let Ok(len) = self.fast.compress_to_buffer(part, &mut self.sample[..]) else {
                return Effort::Full;
            };
            sampled += part.len();
            packed += len;
            // Whatever the other samples say, the whole shrinks enough.
            if !adapts && len * 2 < part.len() {
                return Effort::Full;
            }
        }
        match packed * 100 / sampled.max(1) {
            SHRINKING_PERCENT.. => Effort::None,
            WELL_SHRINKING_PERCENT.. if adapts => Effort::Quick,
            percent if adapts && SEARCH_LONGER_PERCENT.contains(&percent) => Effort::Longer,
            _ => Effort::Full,
        }
    }
}

fn failed(error: std::io::Error) -> SealError {
    SealError::Compressor(error.to_string())
}

/// At the default level, tables of half the usual size: they stay in the cache of a core, which
/// saves a fifteenth of the time for half a hundredth of the size (measured on source trees).
fn usual(level: i32) -> std::io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(level)?;
    if level == LEVEL_DEFAULT {
        compressor.set_parameter(CParameter::HashLog(16))?;
        compressor.set_parameter(CParameter::ChainLog(15))?;
    }
    Ok(compressor)
}

/// Level 1 that looks for shorter matches, with a table of twice the size: on programs 6 hundredths
/// less than level 1 for a quarter more of its time (259 MiB of Firefox and LibreOffice).
fn quick() -> std::io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(LEVEL_FAST)?;
    compressor.set_parameter(CParameter::HashLog(15))?;
    compressor.set_parameter(CParameter::MinMatch(5))?;
    compressor.set_parameter(CParameter::WindowLog(20))?;
    Ok(compressor)
}

fn longer() -> std::io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(LEVEL_LONGER)?;
    compressor.set_parameter(CParameter::HashLog(17))?;
    compressor.set_parameter(CParameter::ChainLog(17))?;
    compressor.set_parameter(CParameter::SearchLog(2))?;
    Ok(compressor)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of which about `parts` in 256 are by chance, in runs of eight.
    fn mixed(parts: u8) -> Vec<u8> {
        let mut noise = vec![0; 256 * 1024];
        blake3::Hasher::new().update(b"mixed").finalize_xof().fill(&mut noise);
        for run in noise.chunks_exact_mut(8) {
            if run[0] >= parts {
                run.fill(b' ');
            }
        }
        noise
    }

    #[test]
    fn a_chunk_is_compressed_as_hard_as_its_samples_promise() {
        let mut packer = Packer::new(LEVEL_DEFAULT).unwrap();
        let mut seen = Vec::new();
        for parts in [0, 53, 140, 255] {
            seen.push(packer.effort(ObjectKind::Chunk, &mixed(parts)));
        }
        assert_eq!(seen, [Effort::Full, Effort::Longer, Effort::Quick, Effort::None]);
        assert_eq!(packer.effort(ObjectKind::Bundle, &mixed(53)), Effort::Full);
        let mut other = Packer::new(9).unwrap();
        assert_eq!(other.effort(ObjectKind::Chunk, &mixed(53)), Effort::Full);
    }

    #[test]
    fn quick_finds_more_than_level_1() {
        // Short matches, as between the instructions of a program.
        let mut raw = Vec::new();
        let mut state = 1_u32;
        for _ in 0..100_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            raw.extend_from_slice(&(state >> 21).wrapping_mul(0x9e37_79b1).to_le_bytes());
            raw.push((state >> 24) as u8 & 7);
            raw.push(0x48);
        }
        let packed = |mut compressor: Compressor<'static>| {
            let mut to = Vec::with_capacity(raw.len() * 2);
            compressor.compress_to_buffer(&raw, &mut to).unwrap();
            to.len()
        };
        let (ours, level_1) = (quick().unwrap(), Compressor::new(LEVEL_FAST).unwrap());
        let (ours, level_1) = (packed(ours), packed(level_1));
        assert!(ours * 100 < level_1 * 98, "{ours} {level_1}");
    }

    #[test]
    fn the_longer_search_finds_more() {
        let raw: Vec<u8> = (0..40_000_u32)
            .flat_map(|n| {
                format!("{:08x}|{:06}|{}|", n.wrapping_mul(2_654_435_761) % 9973, n, n % 7)
                    .into_bytes()
            })
            .collect();
        let packed = |mut compressor: Compressor<'static>| {
            let mut to = Vec::with_capacity(raw.len() * 2);
            compressor.compress_to_buffer(&raw, &mut to).unwrap();
            to.len()
        };
        assert!(packed(longer().unwrap()) < packed(usual(LEVEL_DEFAULT).unwrap()));
    }
}
