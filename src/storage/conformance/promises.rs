//! The promises, one function each.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::thread;

use crate::storage::BlobName;
use crate::storage::Storage;
use crate::storage::StorageErrorKind;
use crate::storage::conformance::Make;

const CONTENT_BYTES_MAX: u64 = 1 << 20;

fn name(text: &str) -> Result<BlobName, String> {
    BlobName::new(text).map_err(|error| error.to_string())
}

fn equal<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: expected {expected:?}, found {found:?}"))
}

fn kind<T: Debug>(
    what: &str,
    result: Result<T, crate::storage::StorageError>,
    expected: StorageErrorKind,
) -> Result<(), String> {
    equal(what, result.map(|_| ()).map_err(|error| error.kind), Err(expected))
}

fn text(error: crate::storage::StorageError) -> String {
    error.to_string()
}

fn listed(storage: &dyn Storage, prefix: &str) -> Result<BTreeMap<String, u64>, String> {
    let rows = storage.list(prefix).map_err(text)?;
    let count = rows.len();
    let found: BTreeMap<String, u64> =
        rows.into_iter().map(|row| (row.name.as_str().to_owned(), row.len_bytes)).collect();
    equal("rows listed once", count, found.len())?;
    Ok(found)
}

fn content_of(n: u64) -> Vec<u8> {
    let byte = n.to_le_bytes()[0];
    vec![byte; usize::try_from(n % 7 * 10_001).unwrap_or(0)]
}

/// A reader beside a writer sees whole blobs or none.
pub(super) fn create_is_whole_or_absent(make: Make<'_>) -> Result<(), String> {
    const BLOBS_COUNT: u64 = 40;
    let storage = make();
    let names: Vec<BlobName> =
        (0..BLOBS_COUNT).map(|n| name(&format!("p/{n}"))).collect::<Result<_, _>>()?;
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            (0..).zip(&names).try_for_each(|(n, name)| {
                let content = content_of(n);
                let (start, end) = content.split_at(content.len() / 3);
                storage.create(name, &[&[], start, &[], end]).map_err(text)
            })
        });
        loop {
            let last_round = writer.is_finished();
            let found = listed(&*storage, "p/")?;
            for (n, name) in (0..).zip(&names) {
                match storage.read(name, CONTENT_BYTES_MAX) {
                    Ok(content) => equal("a blob read", content == content_of(n), true)?,
                    Err(error) if error.kind == StorageErrorKind::NotFound => {
                        equal("blob listed before it can be read", found.get(name.as_str()), None)?;
                    }
                    Err(error) => return Err(text(error)),
                }
            }
            if last_round {
                equal("blobs at the end", found.len() as u64, BLOBS_COUNT)?;
                return writer.join().map_err(|_| "the writer panicked".to_owned())?;
            }
        }
    })
}

/// Of two writers of one name one wins, and its blob stays.
pub(super) fn create_never_replaces(make: Make<'_>) -> Result<(), String> {
    let storage = make();
    let taken = name("a/b")?;
    storage.create(&taken, &[b"first"]).map_err(text)?;
    for other in [b"other".as_slice(), b"first", b""] {
        kind("create", storage.create(&taken, &[other]), StorageErrorKind::AlreadyExists)?;
        equal("content", storage.read(&taken, 9).map_err(text)?, b"first".to_vec())?;
    }
    for round in 0..16 {
        let raced = name(&format!("race/{round}"))?;
        let race = |content: &'static [u8]| storage.create(&raced, &[content]).is_ok();
        let (left, right) = thread::scope(|scope| {
            let left = scope.spawn(|| race(b"left"));
            let right = race(b"right");
            (left.join(), right)
        });
        let left = left.map_err(|_| "a writer panicked".to_owned())?;
        equal("exactly one writer wins", left != right, true)?;
        let winner: &[u8] = if left { b"left" } else { b"right" };
        equal("content", storage.read(&raced, 9).map_err(text)?, winner.to_vec())?;
    }
    Ok(())
}

/// `sync` succeeds, with and without anything to do. What it is worth is tried by `crash`.
pub(super) fn durable_after_sync(make: Make<'_>) -> Result<(), String> {
    let storage = make();
    storage.sync().map_err(text)?;
    for (n, name) in ["a", "b/c", "b/d", "e/f/g"].into_iter().map(name).enumerate() {
        let name = name?;
        storage.create(&name, &[&content_of(n as u64)]).map_err(text)?;
        storage.sync().map_err(text)?;
        let found = storage.read(&name, CONTENT_BYTES_MAX).map_err(text)?;
        equal("content", found, content_of(n as u64))?;
    }
    storage.delete(&name("a")?).map_err(text)?;
    storage.sync().map_err(text)?;
    equal("blobs", listed(&*storage, "")?.len(), 3)
}

/// By the writer's own eyes and by those of another thread.
pub(super) fn read_after_create(make: Make<'_>) -> Result<(), String> {
    let storage = make();
    for n in 0..20 {
        let name = name(&format!("x/{}/{n}", n % 3))?;
        let content = content_of(n);
        storage.create(&name, &[&content]).map_err(text)?;
        let beside: &Arc<dyn Storage> = &storage;
        let found = thread::scope(|scope| {
            scope.spawn(|| beside.read(&name, CONTENT_BYTES_MAX).map_err(text)).join()
        });
        equal("content", found.map_err(|_| "a reader panicked".to_owned())??, content.clone())?;
        let len_bytes = content.len() as u64;
        equal("length", storage.stat(&name).map_err(text)?.len_bytes, len_bytes)?;
        let row = listed(&*storage, "x/")?.get(name.as_str()).copied();
        equal("row", row, Some(len_bytes))?;
    }
    Ok(())
}

/// Every blob of many, in every folder, and nothing that was deleted.
pub(super) fn list_is_complete_or_an_error(make: Make<'_>) -> Result<(), String> {
    let storage = make();
    equal("an empty storage", listed(&*storage, "")?.len(), 0)?;
    let mut expected = BTreeMap::new();
    for n in 0..300_u64 {
        let place = match n % 4 {
            0 => format!("top{n}"),
            1 => format!("a/{n}"),
            2 => format!("a/b/{n}.x"),
            _ => format!("c-d/{:02x}/{n}", n % 16),
        };
        storage.create(&name(&place)?, &[place.as_bytes()]).map_err(text)?;
        expected.insert(place.clone(), place.len() as u64);
    }
    for place in ["top0", "a/1", "a/b/2.x"] {
        storage.delete(&name(place)?).map_err(text)?;
        expected.remove(place);
    }
    for prefix in ["", "a/", "a/b/", "c-d/", "c-d/03/", "none/", "a/none/"] {
        let within = expected.iter().filter(|(place, _)| place.starts_with(prefix));
        let within: BTreeMap<String, u64> = within.map(|(p, len)| (p.clone(), *len)).collect();
        equal(&format!("the listing of `{prefix}`"), listed(&*storage, prefix)?, within)?;
    }
    Ok(())
}

/// Neighbours in name are no part of a folder, and part of a name is no folder.
pub(super) fn list_ignores_strangers(make: Make<'_>) -> Result<(), String> {
    let storage = make();
    for place in ["ab/x", "a/x", "a.b/x", "a-b"] {
        storage.create(&name(place)?, &[b"1"]).map_err(text)?;
    }
    let found: Vec<String> = listed(&*storage, "a/")?.into_keys().collect();
    equal("the listing of `a/`", found, vec!["a/x".to_owned()])?;
    for wrong in ["a", "/", "a//", "../", "A/"] {
        kind("a listing of no folder", storage.list(wrong), StorageErrorKind::Other)?;
    }
    Ok(())
}

/// A reader gets no more than it allows, and all of what it asks for.
pub(super) fn reads_are_bounded(make: Make<'_>) -> Result<(), String> {
    let storage = make();
    let place = name("a")?;
    storage.create(&place, &[b"0123456789"]).map_err(text)?;
    equal("all of it", storage.read(&place, 10).map_err(text)?.len(), 10)?;
    kind("one too many", storage.read(&place, 9), StorageErrorKind::Length)?;
    let mut part = [0; 4];
    storage.read_range(&place, 6, &mut part).map_err(text)?;
    equal("the end", &part, b"6789")?;
    storage.read_range(&place, 10, &mut []).map_err(text)?;
    for offset in [7, 11, u64::from(u32::MAX), i64::MAX.unsigned_abs() - 4] {
        let read = storage.read_range(&place, offset, &mut part);
        kind("past the end", read, StorageErrorKind::Length)?;
    }
    Ok(())
}

/// A missing blob is told from a failure by every call.
pub(super) fn missing_blobs_are_not_found(make: Make<'_>) -> Result<(), String> {
    let storage = make();
    storage.create(&name("a/b")?, &[b"1"]).map_err(text)?;
    for place in ["none", "a/none", "none/b"].into_iter().map(name) {
        let place = place?;
        kind("read", storage.read(&place, 9), StorageErrorKind::NotFound)?;
        let range = storage.read_range(&place, 0, &mut [0]);
        kind("read of a part", range, StorageErrorKind::NotFound)?;
        kind("stat", storage.stat(&place), StorageErrorKind::NotFound)?;
        kind("delete", storage.delete(&place), StorageErrorKind::NotFound)?;
    }
    storage.delete(&name("a/b")?).map_err(text)?;
    kind("read", storage.read(&name("a/b")?, 9), StorageErrorKind::NotFound)?;
    storage.create(&name("a/b")?, &[b"2"]).map_err(text)
}
