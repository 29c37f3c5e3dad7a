//! A target that fails as scripted, for tests: a layer round another one.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::meta::Kind;
use crate::meta::Meta;
use crate::path::SnapshotPath;
use crate::target::Attributes;
use crate::target::Lack;
use crate::target::Made;
use crate::target::Naming;
use crate::target::NewFile;
use crate::target::OldFile;
use crate::target::Placing;
use crate::target::Settled;
use crate::target::Special;
use crate::target::Standing;
use crate::target::Target;
use crate::target::TargetError;
use crate::target::TargetErrorKind;
use crate::target::Writer;
use crate::units::FileTime;

/// Counts every operation that changes something; `fail_count` fail from number `fail_from` on.
#[derive(Debug)]
pub struct Script {
    done: AtomicU64,
    fail_from: u64,
    fail_count: u64,
    kind: TargetErrorKind,
}

impl Script {
    fn step(&self, operation: &'static str) -> Result<(), TargetError> {
        let number = self.done.fetch_add(1, Ordering::SeqCst);
        if !(self.fail_from..self.fail_from.saturating_add(self.fail_count)).contains(&number) {
            return Ok(());
        }
        let (path, detail) = (String::from("/"), String::from("scripted fault"));
        Err(TargetError { kind: self.kind, operation, path, detail })
    }
}

/// A target with a [`Script`].
pub struct FaultTarget<T> {
    inner: T,
    script: Arc<Script>,
}

impl<T: Target> FaultTarget<T> {
    /// The first `fail_from` changes succeed, all later ones fail with `kind`.
    pub fn new(inner: T, fail_from: u64, kind: TargetErrorKind) -> Self {
        Self::failing(inner, (fail_from, u64::MAX), kind)
    }

    /// Behind the first `fail_from` changes, `fail_count` fail; those after them succeed again.
    pub fn failing(inner: T, (fail_from, fail_count): (u64, u64), kind: TargetErrorKind) -> Self {
        let script = Script { done: AtomicU64::new(0), fail_from, fail_count, kind };
        Self { inner, script: Arc::new(script) }
    }

    /// Changes asked for so far.
    pub fn changes_count(&self) -> u64 {
        self.script.done.load(Ordering::SeqCst)
    }
}

impl<T: Target> Target for FaultTarget<T> {
    fn standing(&self) -> Standing {
        self.inner.standing()
    }

    fn writer(&self) -> Box<dyn Writer + '_> {
        Box::new(FaultWriter { inner: self.inner.writer(), script: Arc::clone(&self.script) })
    }

    fn owner_ids(&self, user: &[u8], group: &[u8]) -> (Option<u32>, Option<u32>) {
        self.inner.owner_ids(user, group)
    }

    fn sync(&self) -> Result<(), TargetError> {
        self.script.step("sync")?;
        self.inner.sync()
    }
}

struct FaultWriter<'a> {
    inner: Box<dyn Writer + 'a>,
    script: Arc<Script>,
}

impl Writer for FaultWriter<'_> {
    fn look(&mut self, path: &SnapshotPath) -> Result<Option<Meta>, TargetError> {
        self.inner.look(path)
    }

    fn list(&mut self, folder: &SnapshotPath) -> Result<Vec<Vec<u8>>, TargetError> {
        self.inner.list(folder)
    }

    fn create_folder(&mut self, path: &SnapshotPath) -> Result<Made, TargetError> {
        self.script.step("make folder")?;
        self.inner.create_folder(path)
    }

    fn create_file(
        &mut self,
        path: &SnapshotPath,
        naming: Naming,
    ) -> Result<Box<dyn NewFile>, TargetError> {
        self.script.step("create file")?;
        let inner = self.inner.create_file(path, naming)?;
        Ok(Box::new(FaultFile { inner, script: Arc::clone(&self.script) }))
    }

    fn open_file(&mut self, path: &SnapshotPath) -> Result<Box<dyn OldFile>, TargetError> {
        self.inner.open_file(path)
    }

    fn create_special(
        &mut self,
        path: &SnapshotPath,
        special: Special<'_>,
        attributes: &Attributes<'_>,
        placing: Placing,
    ) -> Result<Vec<Lack>, TargetError> {
        self.script.step("create")?;
        self.inner.create_special(path, special, attributes, placing)
    }

    fn create_link(
        &mut self,
        path: &SnapshotPath,
        existing: &SnapshotPath,
        placing: Placing,
    ) -> Result<(), TargetError> {
        self.script.step("link")?;
        self.inner.create_link(path, existing, placing)
    }

    fn set_attributes(
        &mut self,
        path: &SnapshotPath,
        kind: Kind,
        attributes: &Attributes<'_>,
    ) -> Result<Vec<Lack>, TargetError> {
        self.script.step("set attributes of")?;
        self.inner.set_attributes(path, kind, attributes)
    }

    fn settle(&mut self, path: &SnapshotPath, mtime: FileTime) -> Result<Settled, TargetError> {
        self.script.step("set times of")?;
        self.inner.settle(path, mtime)
    }

    fn remove(&mut self, path: &SnapshotPath, kind: Kind) -> Result<(), TargetError> {
        self.script.step("remove")?;
        self.inner.remove(path, kind)
    }
}

struct FaultFile {
    inner: Box<dyn NewFile>,
    script: Arc<Script>,
}

impl NewFile for FaultFile {
    /// A write that fails has written the first half.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        if let Err(error) = self.script.step("write") {
            self.inner.write_at(offset, bytes.get(..bytes.len() / 2).unwrap_or_default())?;
            return Err(error);
        }
        self.inner.write_at(offset, bytes)
    }

    fn set_len(&mut self, len_bytes: u64) -> Result<(), TargetError> {
        self.script.step("set length of")?;
        self.inner.set_len(len_bytes)
    }

    fn set_name(&mut self, name: &[u8]) -> Result<(), TargetError> {
        self.inner.set_name(name)
    }

    fn publish(
        self: Box<Self>,
        placing: Placing,
        attributes: &Attributes<'_>,
    ) -> Result<Vec<Lack>, TargetError> {
        self.script.step("name file")?;
        self.inner.publish(placing, attributes)
    }
}
