//! The buffer that small files are read into. It only grows, so nothing is zeroed twice.

use crate::source::Content;
use crate::source::ReadError;

/// Bytes gathered so far, and room behind them.
#[derive(Debug, Default)]
pub(super) struct BundleBuffer {
    bytes: Vec<u8>,
    len: usize,
}

/// How far a small file was read.
pub(super) enum ReadTo {
    End,
    Limit,
}

impl BundleBuffer {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    pub(super) fn filled(&self) -> &[u8] {
        self.from(0)
    }

    pub(super) fn from(&self, offset: usize) -> &[u8] {
        self.bytes.get(offset..self.len).unwrap_or_default()
    }

    fn spare(&mut self, room: usize) -> &mut [u8] {
        let end = self.len + room;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        &mut self.bytes[self.len..end]
    }

    /// Appends a file until its end, or until the buffer holds `limit` bytes.
    pub(super) fn read(
        &mut self,
        content: &mut dyn Content,
        limit: usize,
    ) -> Result<ReadTo, ReadError> {
        let start = self.len;
        let expected = usize::try_from(content.meta().size_bytes).unwrap_or(usize::MAX);
        let mut room = expected.saturating_add(1).min(limit - start).max(1);
        loop {
            let n = content.read(self.spare(room))?;
            self.len += n;
            // A read that stops where the file was said to end has found the end; if the file grew
            // since, it has changed and is noticed as such.
            if n == 0 || (n < room && self.len - start == expected) {
                return Ok(ReadTo::End);
            }
            if self.len >= limit {
                return Ok(ReadTo::Limit);
            }
            room = room.saturating_sub(n).max(4096).min(limit - self.len);
        }
    }
}
