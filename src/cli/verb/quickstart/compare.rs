//! Compares a restored folder with its source, byte for byte. On purpose it shares nothing with
//! the code that backed up and restored.

use std::ffi::OsString;
use std::fs::File;
use std::fs::FileType;
use std::fs::Metadata;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use crate::run::Run;
use crate::run::Stopped;
use crate::units::Timestamp;

/// Bytes read at once from either side.
const BLOCK_BYTES: usize = 128 * 1024;
/// Most differences that are kept by name; all are counted.
const NAMED_MAX: usize = 20;

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Compared {
    pub entries_count: u64,
    pub files_count: u64,
    pub bytes: u64,
    pub differences_count: u64,
    /// The first few, as path and what differs.
    pub named: Vec<(PathBuf, &'static str)>,
    /// Entries of the source that were changed after the backup began, so that a difference proves
    /// nothing.
    pub changed_since_count: u64,
}

/// Compares everything beneath `source` with `restored`.
///
/// # Errors
/// When the run was told to stop. What cannot be read is a difference.
pub fn compare(
    run: &Run,
    source: &Path,
    restored: &Path,
    backup_began: Timestamp,
) -> Result<Compared, Stopped> {
    let mut comparer =
        Comparer { compared: Compared::default(), backup_began, blocks: Blocks::default() };
    let mut pending = vec![(source.to_owned(), restored.to_owned())];
    while let Some((source, restored)) = pending.pop() {
        run.check()?;
        let found = comparer.entry(&source, &restored);
        comparer.note(&source, found);
        comparer.children(&source, &restored, &mut pending);
    }
    Ok(comparer.compared)
}

struct Comparer {
    compared: Compared,
    backup_began: Timestamp,
    blocks: Blocks,
}

impl Comparer {
    /// What differs between two paths, not what lies beneath them.
    fn entry(&mut self, source: &Path, restored: &Path) -> Option<&'static str> {
        let Ok(before) = source.symlink_metadata() else { return Some("unreadable at the source") };
        self.compared.entries_count += 1;
        let Ok(after) = restored.symlink_metadata() else { return Some("missing") };
        let kind = before.file_type();
        if kind != after.file_type() {
            return Some("another kind of thing");
        }
        if kind.is_symlink() {
            return link_difference(source, restored);
        }
        if kind.is_file() {
            self.compared.files_count += 1;
            self.compared.bytes += before.len();
            if before.len() != after.len() {
                return Some("another size");
            }
            match self.blocks.are_equal(source, restored) {
                Ok(true) => {}
                Ok(false) => return Some("other bytes"),
                Err(_) => return Some("unreadable"),
            }
        }
        attribute_difference(kind, &before, &after)
    }

    fn note(&mut self, source: &Path, found: Option<&'static str>) {
        let Some(what) = found else { return };
        if changed_since(source, self.backup_began) {
            self.compared.changed_since_count += 1;
            return;
        }
        self.compared.differences_count += 1;
        if self.compared.named.len() < NAMED_MAX {
            self.compared.named.push((source.to_owned(), what));
        }
    }

    fn children(&mut self, source: &Path, restored: &Path, pending: &mut Vec<(PathBuf, PathBuf)>) {
        if !source.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
            return;
        }
        match (names(source), names(restored)) {
            (Ok(before), Ok(after)) => {
                for name in after.iter().filter(|name| before.binary_search(name).is_err()) {
                    self.note(&source.join(name), Some("only in the restored folder"));
                }
                pending.extend(before.iter().map(|n| (source.join(n), restored.join(n))));
            }
            (Err(_), _) => self.note(source, Some("unreadable at the source")),
            // That the restored folder is missing was noted with the folder itself.
            (Ok(before), Err(_)) => {
                pending.extend(before.iter().map(|n| (source.join(n), restored.join(n))));
            }
        }
    }
}

fn names(folder: &Path) -> std::io::Result<Vec<OsString>> {
    let mut names = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<std::io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}

fn link_difference(source: &Path, restored: &Path) -> Option<&'static str> {
    match (source.read_link(), restored.read_link()) {
        (Ok(before), Ok(after)) if before == after => None,
        _ => Some("another link target"),
    }
}

fn attribute_difference(
    kind: FileType,
    before: &Metadata,
    after: &Metadata,
) -> Option<&'static str> {
    if before.permissions() != after.permissions() {
        return Some("other permissions");
    }
    let times = (before.modified().ok(), after.modified().ok());
    if (kind.is_file() || kind.is_dir()) && times.0 != times.1 {
        return Some("another modification time");
    }
    None
}

/// Whether the entry itself or the folder that lists it has changed since.
fn changed_since(path: &Path, began: Timestamp) -> bool {
    let is_newer = |path: &Path| {
        let modified = path.symlink_metadata().and_then(|meta| meta.modified()).ok();
        let since_1970 = modified.and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
        let modified_ms = since_1970.and_then(|age| i64::try_from(age.as_millis()).ok());
        modified_ms.is_some_and(|ms| ms >= began.unix_ms)
    };
    is_newer(path) || path.parent().is_some_and(is_newer)
}

/// Two buffers, used again for each file.
struct Blocks {
    one: Vec<u8>,
    other: Vec<u8>,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { one: vec![0; BLOCK_BYTES], other: vec![0; BLOCK_BYTES] }
    }
}

impl Blocks {
    fn are_equal(&mut self, one: &Path, other: &Path) -> std::io::Result<bool> {
        let (mut one, mut other) = (File::open(one)?, File::open(other)?);
        loop {
            let filled = fill(&mut one, &mut self.one)?;
            if filled != fill(&mut other, &mut self.other)? {
                return Ok(false);
            }
            if self.one.get(..filled) != self.other.get(..filled) {
                return Ok(false);
            }
            if filled == 0 {
                return Ok(true);
            }
        }
    }
}

fn fill(from: &mut impl Read, into: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::ids::RunId;
    use crate::run::monitor::Silent;

    fn write(path: &Path, content: &[u8]) {
        let mut file = File::options().write(true).create(true).truncate(true).open(path).unwrap();
        file.write_all(content).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    }

    fn compared(change: impl FnOnce(&Path)) -> Compared {
        let dir = tempfile::tempdir().unwrap();
        for side in ["source", "restored"] {
            let side = dir.path().join(side);
            std::fs::create_dir_all(side.join("sub")).unwrap();
            write(&side.join("sub/a"), &[7; 300_000]);
            write(&side.join("b"), b"same");
        }
        change(&dir.path().join("restored"));
        for folder in ["source/sub", "restored/sub", "source", "restored"] {
            let folder = File::open(dir.path().join(folder)).unwrap();
            folder.set_modified(std::time::UNIX_EPOCH).unwrap();
        }
        let run = Run::new(RunId::new([0; 16]), Arc::new(Silent), Arc::new(SystemClock::new()), 0);
        let began = Timestamp::from_unix_ms(1000);
        compare(&run, &dir.path().join("source"), &dir.path().join("restored"), began).unwrap()
    }

    #[test]
    fn equal_folders_are_equal() {
        let found = compared(|_| ());
        assert_eq!((found.entries_count, found.files_count, found.bytes), (4, 2, 300_004));
        assert_eq!((found.differences_count, found.changed_since_count), (0, 0));
    }

    #[test]
    fn every_kind_of_difference_is_seen() {
        let flip = |dir: &Path| {
            let mut content = vec![7; 300_000];
            content[299_999] = 8;
            write(&dir.join("sub/a"), &content);
        };
        let swap_kind = |dir: &Path| {
            std::fs::remove_file(dir.join("b")).unwrap();
            std::fs::create_dir(dir.join("b")).unwrap();
        };
        let remove = |dir: &Path| std::fs::remove_file(dir.join("sub/a")).unwrap();
        let set_time = |dir: &Path| {
            let file = File::options().write(true).open(dir.join("b")).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::new(0, 1))
                .unwrap();
        };
        assert_eq!(compared(flip).named[0].1, "other bytes");
        assert_eq!(compared(|dir| write(&dir.join("b"), b"samE")).named[0].1, "other bytes");
        assert_eq!(compared(|dir| write(&dir.join("b"), b"")).named[0].1, "another size");
        assert_eq!(compared(swap_kind).named[0].1, "another kind of thing");
        assert_eq!(compared(remove).named[0].1, "missing");
        assert_eq!(compared(set_time).named[0].1, "another modification time");
        let found = compared(|dir| write(&dir.join("new"), b""));
        assert_eq!(found.named[0].1, "only in the restored folder");
    }
}
