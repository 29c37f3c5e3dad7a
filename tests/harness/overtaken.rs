//! A copy whose source loses a snapshot under its hands: somebody forgets it and prunes, at every
//! call that the copy makes there.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use lifeboat::run::monitor::Severity;
use lifeboat::storage::Alone;
use lifeboat::storage::BlobName;
use lifeboat::storage::BlobStat;
use lifeboat::storage::Listed;
use lifeboat::storage::Storage;
use lifeboat::storage::StorageError;
use lifeboat::storage::StorageErrorKind;
use lifeboat::vault::chains::ChainFinding;
use lifeboat::vault::chains::Copies;
use lifeboat::vault::chains::Scope;
use lifeboat::vault::gc::Trash;

use super::office::Office;
use super::office::Open;
use super::office::Opening;
use super::office::text;
use super::twins;
use super::twins::Kind;

/// A storage before one of whose calls something else happens.
pub(super) struct Overtaken {
    inner: Arc<dyn Storage>,
    calls: AtomicU64,
    /// Before which call, and what.
    strike: Mutex<Option<(u64, Strike)>>,
    /// What may not be deleted, by the beginning of its name.
    keeps: Option<&'static str>,
}

/// How far a prune comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prune {
    Whole,
    /// Packs are gone and the index names them still.
    Interrupted,
}

type Strike = Box<dyn FnOnce() + Send>;

impl Overtaken {
    fn over(inner: Arc<dyn Storage>, keeps: Option<&'static str>) -> Self {
        Self { inner, calls: AtomicU64::new(0), strike: Mutex::new(None), keeps }
    }

    fn arm(&self, at: u64, strike: Strike) {
        self.calls.store(0, Ordering::SeqCst);
        *self.strike.lock().unwrap() = Some((at, strike));
    }

    fn call(&self) -> &dyn Storage {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let due = self.strike.lock().unwrap().take_if(|(at, _)| *at <= call);
        if let Some((_, strike)) = due {
            strike();
        }
        &*self.inner
    }
}

impl std::fmt::Debug for Overtaken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Overtaken({:?})", self.inner)
    }
}

impl Storage for Overtaken {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        self.call().create(name, parts)
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        self.call().read(name, bytes_max)
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        self.call().read_range(name, offset, into)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        self.call().list(prefix)
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        self.call().stat(name)
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        if let Some(kept) = self.keeps.filter(|kept| name.as_str().starts_with(kept)) {
            return Err(StorageError {
                kind: StorageErrorKind::Other,
                after_s: None,
                location: self.location(),
                operation: "delete",
                name: name.to_string(),
                detail: format!("{kept} stays"),
            });
        }
        self.call().delete(name)
    }

    fn sync(&self) -> Result<(), StorageError> {
        self.call().sync()
    }

    fn try_alone(&self) -> Result<Alone, StorageError> {
        self.inner.try_alone()
    }
}

/// Copies three snapshots of which the oldest goes before this call, and looks at what is told and
/// what stands at the target; how many calls there were.
fn overtaken(at: u64, (prune, kind): (Prune, Kind)) -> Result<u64, String> {
    let mut original = twins::original(7)?;
    let plain = original.process(Opening::Existing)?.storage;
    let source = Arc::new(Overtaken::over(Arc::clone(&plain), None));
    let mut target = match kind {
        Kind::Twin => twins::twin_of(&original, Arc::clone(&source) as _)?,
        Kind::Other => twins::other_of(&original, Arc::clone(&source) as _)?,
    };
    source.arm(
        at,
        Box::new(move || {
            original.forget(0).unwrap();
            let mut remover = original;
            if prune == Prune::Interrupted {
                let kept: Arc<dyn Storage> = Arc::new(Overtaken::over(plain, Some("index/")));
                let open: Open = Arc::new(move |_, _| Ok(Arc::clone(&kept)));
                remover = remover.moved((open, Arc::clone(&remover.now)), &remover.clock);
            }
            // Marked, and marked again; then it goes.
            let packs = |office: &mut Office| {
                let storage = office.process(Opening::Existing).unwrap().storage;
                storage.list("packs/").unwrap().len()
            };
            let before = packs(&mut remover);
            let pruned: Vec<_> = (0..3).map(|_| remover.prune(Trash::Emptied)).collect();
            assert!(packs(&mut remover) < before, "{prune:?}: {pruned:?}");
        }),
    );
    // What went away may end it; then the next one goes on.
    let told = twins::copy(&mut target, u64::MAX);
    let calls = source.calls.load(Ordering::SeqCst);
    if let Ok((_, problems)) = &told {
        let damage: Vec<_> = problems.iter().filter(|it| it.severity == Severity::Damage).collect();
        if !damage.is_empty() {
            return Err(format!("told as damage: {damage:?}"));
        }
    }
    no_gap(&mut target)?;
    let (report, problems) = twins::copy(&mut target, u64::MAX)?;
    match twins::lacks(&report) {
        None if problems.is_empty() => {}
        lacks => return Err(format!("the next copy: {lacks:?} {problems:?}")),
    }
    no_gap(&mut target)?;
    Ok(calls)
}

fn no_gap(target: &mut Office) -> Result<(), String> {
    let reader = target.reader()?;
    let vault = reader.repository.vault();
    let found = vault.manifests(&reader.process.run, Scope::All, Copies::Both, &reader.signers);
    let gaps: Vec<_> = found
        .map_err(text)?
        .findings
        .into_iter()
        .filter(|finding| matches!(finding, ChainFinding::Gap { .. }))
        .collect();
    if gaps.is_empty() { Ok(()) } else { Err(format!("at the target: {gaps:?}")) }
}

#[test]
fn a_snapshot_that_is_removed_under_a_copy_is_no_damage_and_leaves_no_gap() {
    for kind in [Kind::Twin, Kind::Other] {
        let calls = overtaken(u64::MAX, (Prune::Whole, kind)).unwrap();
        assert!(calls > 20, "{kind:?}: {calls} calls");
        for prune in [Prune::Whole, Prune::Interrupted] {
            let at = |at| overtaken(at, (prune, kind)).err().map(|error| (at, error));
            let wrong: Vec<_> = (0..calls).filter_map(at).collect();
            let what = format!("{prune:?} {kind:?}, {} of {calls} calls", wrong.len());
            assert!(wrong.is_empty(), "{what}: {wrong:#?}");
        }
    }
}
