//! The digest of a file's content, holes included.

use crate::ids::Digest;

/// Hashes content as it is read. Without holes the digest is the plain BLAKE3 of the bytes, as
/// `b3sum` prints it. With holes it is BLAKE3 of the data bytes alone, then offset and length of
/// each hole, then their number (little-endian, 8 bytes each), so that terabytes of nothing cost
/// nothing.
#[derive(Debug, Clone, Default)]
pub struct ContentHasher {
    hasher: blake3::Hasher,
    at: u64,
    holes: Vec<(u64, u64)>,
}

impl ContentHasher {
    pub fn update(&mut self, data: &[u8]) {
        self.hasher.update(data);
        self.at = self.at.saturating_add(data.len() as u64);
    }

    /// Takes all there is of content without holes, and tells its digest, which [`Self::finish`]
    /// will
    /// give too. Nothing may come before or after it.
    pub fn only(&mut self, data: &[u8]) -> Digest {
        self.update(data);
        Digest::new(*self.hasher.finalize().as_bytes())
    }

    /// Passes over a hole; adjacent holes count as one.
    pub fn hole(&mut self, len_bytes: u64) {
        match self.holes.last_mut() {
            Some((offset, len)) if offset.saturating_add(*len) == self.at => *len += len_bytes,
            _ => self.holes.push((self.at, len_bytes)),
        }
        self.at = self.at.saturating_add(len_bytes);
    }

    /// Bytes so far, holes included.
    #[must_use]
    pub const fn len_bytes(&self) -> u64 {
        self.at
    }

    #[must_use]
    pub fn finish(mut self) -> Digest {
        if !self.holes.is_empty() {
            for (offset, len) in &self.holes {
                self.hasher.update(&offset.to_le_bytes());
                self.hasher.update(&len.to_le_bytes());
            }
            self.hasher.update(&(self.holes.len() as u64).to_le_bytes());
        }
        Digest::new(*self.hasher.finalize().as_bytes())
    }
}

/// Digest of content without holes.
#[must_use]
pub fn digest(bytes: &[u8]) -> Digest {
    Digest::new(*blake3::hash(bytes).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_content_is_plain_blake3_and_holes_count() {
        let mut plain = ContentHasher::default();
        plain.update(b"ab");
        plain.update(b"c");
        assert_eq!(plain.finish(), digest(b"abc"));
        let sparse = |parts: &[(&[u8], u64)]| {
            let mut hasher = ContentHasher::default();
            for (data, hole) in parts {
                hasher.update(data);
                if *hole > 0 {
                    hasher.hole(*hole);
                }
            }
            hasher.finish()
        };
        assert_eq!(sparse(&[(b"a", 1), (b"", 2)]), sparse(&[(b"a", 3)]));
        assert_ne!(sparse(&[(b"a", 3)]), sparse(&[(b"a", 4)]));
        assert_ne!(sparse(&[(b"a", 3)]), sparse(&[(b"", 1), (b"a", 2)]));
    }
}
