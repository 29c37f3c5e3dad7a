//! A second reading of a folder: what it holds, without what is in its files.

use crate::capsule::folder::Counter;
use crate::capsule::folder::FolderTruth;
use crate::capsule::format::HEAD_BYTES;
use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::run::Run;
use crate::source::Found;
use crate::source::Reader;
use crate::source::Source;
use crate::source::SourceError;

/// Walks everything that `source` gives, and looks into a sample of its files. Its problems are
/// not told: whoever backs up meets the same ones.
///
/// # Errors
/// When the source as a whole cannot be read, or the run is stopped.
pub fn folder(
    run: &Run,
    source: &dyn Source,
    base: &SnapshotPath,
) -> Result<FolderTruth, SourceError> {
    let run = &run.unwatched();
    let mut counter = Counter::new(base.clone());
    for found in source.walk(run)? {
        run.check()?;
        let found = found?;
        // Kept only while it is in the sample.
        let kept = (found.meta.kind == Kind::File).then(|| found.clone());
        counter.add(&found.path, &found.meta, kept);
    }
    let (mut truth, chosen) = counter.finish();
    let mut reader = source.reader();
    let mut head = vec![0; HEAD_BYTES];
    for one in &chosen {
        run.check()?;
        let Some(found) = &one.found else { continue };
        let len = read_head(run, &mut *reader, found, &mut head);
        truth.look(one, head.get(..len).unwrap_or_default());
    }
    Ok(truth)
}

/// The first bytes of a file; none if it cannot be read.
fn read_head(run: &Run, reader: &mut dyn Reader, found: &Found, head: &mut [u8]) -> usize {
    let Ok(mut content) = reader.open(run, found) else { return 0 };
    let mut filled = 0;
    while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match content.read(rest) {
            Ok(len @ 1..) => filled += len,
            Ok(0) | Err(_) => break,
        }
    }
    filled
}
