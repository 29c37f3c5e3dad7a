//! A source that is suddenly empty: the disk is not mounted, or somebody deletes.

use crate::units::Bytes;
use crate::units::lost_percent;

/// How much smaller than the snapshot before it a new one may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shrink {
    /// As much as it likes.
    Any,
    /// By so many hundredths of its files and of its bytes; a hundred says that something is left.
    AtMost { percent: u8 },
}

/// Whether more is gone than may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shrinking {
    Usual,
    TooMuch,
}

/// How much a snapshot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub files_count: u64,
    pub content_bytes: u64,
}

/// What to tell if too much is gone.
pub(super) fn alarm(before: Size, now: Size, shrink: Shrink) -> Option<String> {
    let Shrink::AtMost { percent } = shrink else { return None };
    let files = lost_percent(before.files_count, now.files_count);
    let bytes = lost_percent(before.content_bytes, now.content_bytes);
    let is_too_much = |lost: u8| lost >= 100 || lost > percent;
    (is_too_much(files) || is_too_much(bytes)).then(|| {
        format!(
            "the snapshot before it had {} files with {}, now there are {} with {}: {} % is gone",
            before.files_count,
            Bytes(before.content_bytes),
            now.files_count,
            Bytes(now.content_bytes),
            files.max(bytes)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much() {
        let size = |files_count, content_bytes| Size { files_count, content_bytes };
        let at_most = |percent| Shrink::AtMost { percent };
        let told = |before, now, shrink| alarm(before, now, shrink).is_some();
        assert!(told(size(3, 30), size(0, 0), at_most(100)));
        assert!(!told(size(3000, 30), size(1, 1), at_most(100)));
        assert!(told(size(3, 30), size(3, 0), at_most(100)), "all files are empty now");
        assert!(!told(size(0, 0), size(0, 0), at_most(0)));
        assert!(!told(size(10, 10), size(20, 20), at_most(0)));
        assert!(told(size(1000, 10), size(799, 10), at_most(20)));
        assert!(!told(size(1000, 10), size(800, 10), at_most(20)));
        assert!(!told(size(1000, 10), size(0, 0), Shrink::Any));
    }
}
