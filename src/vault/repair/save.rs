//! Writes objects into new packs, byte for byte, and names those in an index.

use std::sync::Arc;

use crate::crypto::blind;
use crate::format::index::PackTable;
use crate::format::pack::PACK_BYTES_MAX;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::vault::Inner;
use crate::vault::Vault;
use crate::vault::load::absent_or_error;
use crate::vault::load::whole_or_error;
use crate::vault::names;
use crate::vault::repair::RepairError;
use crate::vault::repair::RepairReport;
use crate::vault::repair::journal::Journal;
use crate::vault::repair::salvage::Rescue;
use crate::vault::session::builder::PackBuilder;
use crate::vault::session::index_file;
use crate::vault::session::of_one_index;
use crate::vault::session::writer::create_pack;

/// Fills new packs.
pub(super) struct Saver<'a, 'j> {
    run: &'a Run,
    vault: &'a Inner,
    other: Option<&'a Vault>,
    journal: &'a mut Journal<'j>,
    first: PackBuilder,
    /// Second copies of nodes: never in a pack with the first.
    second: PackBuilder,
    pub(super) packs: Vec<PackTable>,
}

impl<'a, 'j> Saver<'a, 'j> {
    pub(super) fn new(
        run: &'a Run,
        (vault, other): (&'a Inner, Option<&'a Vault>),
        journal: &'a mut Journal<'j>,
    ) -> Self {
        let (first, second) = (PackBuilder::default(), PackBuilder::default());
        Self { run, vault, other, journal, first, second, packs: Vec::new() }
    }

    /// Writes all of these. The packs are durable and were read back once this returns, and an
    /// index file names them and `tables`.
    pub(super) fn save(
        mut self,
        rescues: &[Rescue],
        tables: &[PackTable],
        report: &mut RepairReport,
    ) -> Result<Vec<PackTable>, RepairError> {
        for rescue in rescues {
            self.run.check()?;
            let bytes = Arc::new(self.bytes_of(rescue)?);
            report.objects_count += u64::from(rescue.copies);
            report.objects_bytes += u64::from(rescue.copies) * bytes.len() as u64;
            self.first.push(rescue.sid, rescue.kind, Arc::clone(&bytes));
            if rescue.copies > 1 {
                self.second.push(rescue.sid, rescue.kind, bytes);
            }
            let pack_bytes = self.vault.options.pack_bytes;
            if self.first.is_full(pack_bytes) {
                let full = std::mem::take(&mut self.first);
                self.write(full)?;
            }
            if self.second.is_full(pack_bytes) {
                let full = std::mem::take(&mut self.second);
                self.write(full)?;
            }
        }
        for rest in [std::mem::take(&mut self.first), std::mem::take(&mut self.second)] {
            if !rest.is_empty() {
                self.write(rest)?;
            }
        }
        self.vault.storage.sync()?;
        self.read_back()?;
        report.packs_count = self.packs.len() as u64;
        let all: Vec<PackTable> = self.packs.iter().chain(tables).cloned().collect();
        report.indexes_count = self.write_index(&all)?;
        self.vault.storage.sync()?;
        Ok(self.packs)
    }

    fn bytes_of(&self, rescue: &Rescue) -> Result<Vec<u8>, RepairError> {
        let Some((name, offset)) = &rescue.at else {
            let other = self.other.ok_or(RepairError::NothingToUndo)?;
            return Ok(other.read_object(self.run, &rescue.sid)?);
        };
        let mut bytes = vec![0; usize::try_from(rescue.len_bytes).unwrap_or_default()];
        let read = self.vault.storage.read_range(name, u64::from(*offset), &mut bytes);
        let is_good = absent_or_error(read, u64::from(rescue.len_bytes))?.is_ok()
            && blind::sid_of(&bytes) == rescue.sid;
        is_good.then_some(bytes).ok_or_else(|| RepairError::Changed { name: name.clone() })
    }

    fn write(&mut self, builder: PackBuilder) -> Result<(), RepairError> {
        let pack = builder.finish(&self.vault.keys)?;
        self.journal.adds(&names::pack(&pack.table.pack)?, pack.table.pack.as_bytes())?;
        create_pack(self.vault, &pack)?;
        self.run.count(Count::PacksWritten, 1);
        self.packs.push(pack.table);
        Ok(())
    }

    fn read_back(&self) -> Result<(), RepairError> {
        for table in &self.packs {
            self.run.check()?;
            let name = names::pack(&table.pack)?;
            let read = self.vault.storage.read(&name, PACK_BYTES_MAX);
            let found = whole_or_error(read, PACK_BYTES_MAX)?;
            if !found.is_ok_and(|file| blind::hash(&file) == *table.pack.as_bytes()) {
                // What is torn would be damage of our own making.
                drop(self.vault.storage.delete(&name));
                return Err(RepairError::Changed { name });
            }
        }
        Ok(())
    }

    fn write_index(&mut self, tables: &[PackTable]) -> Result<u64, RepairError> {
        let (mut rest, mut count) = (tables, 0);
        while !rest.is_empty() {
            self.run.check()?;
            let (now, later) = rest.split_at(of_one_index(rest));
            let (name, file) = index_file(self.vault, now)?;
            self.journal.adds(&name, &blind::hash(&file))?;
            self.vault.storage.create(&name, &[&file])?;
            count += 1;
            rest = later;
        }
        Ok(count)
    }
}
