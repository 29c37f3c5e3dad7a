//! Copies of records that a writer left out because it died between them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::format::config::ConfigRecord;
use crate::format::keyring::KEYRING_COPIES;
use crate::format::keyring::KEYRINGS;
use crate::format::keyring::KeyringRecord;
use crate::format::machine::CUSTODY;
use crate::format::machine::CUSTODY_COPIES;
use crate::format::machine::CustodyRecord;
use crate::format::machine::MACHINE_COPIES;
use crate::format::machine::MACHINES;
use crate::format::machine::MachineRecord;
use crate::format::recipients::RECIPIENTS;
use crate::format::recipients::RECIPIENTS_COPIES;
use crate::format::recipients::RecipientsRecord;
use crate::format::record;
use crate::format::record::RecordError;
use crate::format::record::SignedRecord;
use crate::format::slot::SLOTS;
use crate::format::slot::SlotRecord;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::publish;
use crate::repository::keys::slots;
use crate::run::Run;
use crate::storage::BlobName;
use crate::storage::BlobNameError;
use crate::storage::Storage;
use crate::storage::together;
use crate::vault::records;
use crate::vault::records::Copy;
use crate::vault::records::Records;

/// Writes the copies that are missing of records that are never removed. Needs no key. What it
/// wrote is durable after the storage's next barrier.
///
/// # Errors
/// Those of the storage. Whoever backs up may go on: a copy that is missing is told elsewhere.
pub fn lasting_records(run: &Run, storage: &Arc<dyn Storage>) -> Result<(), KeysError> {
    let writer = Writer::new(storage);
    let folders: [(&str, u8, Check); 4] = [
        (KEYRINGS, KEYRING_COPIES, signed::<KeyringRecord>),
        (RECIPIENTS, RECIPIENTS_COPIES, signed::<RecipientsRecord>),
        (MACHINES, MACHINE_COPIES, signed::<MachineRecord>),
        (CUSTODY, CUSTODY_COPIES, signed::<CustodyRecord>),
    ];
    let config = publish::config_names()?;
    let (of_config, lacking) = together::both(
        &**storage,
        || writer.complete(&config, signed::<ConfigRecord>),
        || {
            together::each(&**storage, &folders, |(folder, copies, check)| {
                let names = |name: &str| records::numbered_names(name, *copies);
                Ok::<_, KeysError>((writer.lacking(folder, &names)?, *check))
            })
        },
    );
    of_config?;
    for (lacking, check) in lacking? {
        for names in lacking {
            run.check()?;
            writer.complete(&names, check)?;
        }
    }
    Ok(())
}

/// The same for slots, at the start of a command that changes them. A backup leaves them alone: a
/// slot that is half removed must not come back while its remover is at work.
pub(in crate::repository::keys) fn slots(
    run: &Run,
    storage: &Arc<dyn Storage>,
) -> Result<(), KeysError> {
    let writer = Writer::new(storage);
    let plain: Check = |bytes| record::decode::<SlotRecord>(bytes).map(drop);
    let names = |name: &str| records::twin_names(name, slots::SLOT_COPIES);
    for names in writer.lacking(SLOTS, &names)? {
        run.check()?;
        writer.complete(&names, plain)?;
    }
    Ok(())
}

/// Whether bytes are a whole record of its kind.
type Check = fn(&[u8]) -> Result<(), RecordError>;

fn signed<R: SignedRecord>(bytes: &[u8]) -> Result<(), RecordError> {
    record::decode_signed::<R>(bytes).map(drop)
}

struct Writer {
    storage: Arc<dyn Storage>,
    records: Records,
}

/// The names of all copies of a record.
type Names<'a> = &'a dyn Fn(&str) -> Result<Vec<BlobName>, BlobNameError>;

impl Writer {
    fn new(storage: &Arc<dyn Storage>) -> Self {
        Self { storage: Arc::clone(storage), records: Records::new(Arc::clone(storage)) }
    }

    /// Records below a folder of which the listing lacks a copy: all their names.
    fn lacking(&self, folder: &str, names: Names<'_>) -> Result<Vec<Vec<BlobName>>, KeysError> {
        let listed: BTreeSet<BlobName> =
            self.storage.list(folder)?.into_iter().map(|listed| listed.name).collect();
        let stems: BTreeSet<&str> =
            listed.iter().map(|name| records::without_copy(name.as_str())).collect();
        let all = stems.into_iter().map(names).collect::<Result<Vec<_>, _>>()?;
        Ok(all.into_iter().filter(|names| !names.iter().all(|it| listed.contains(it))).collect())
    }

    /// Only what is missing is written, and only from a copy that can be read: a damaged copy
    /// stays as it is, for whoever looks at it.
    fn complete(&self, names: &[BlobName], check: Check) -> Result<(), KeysError> {
        let exist = together::each(&*self.storage, names, |name| self.records.exists(name))?;
        let missing = names.iter().zip(exist).filter(|(_, exists)| !exists);
        let missing: Vec<BlobName> = missing.map(|(name, _)| name.clone()).collect();
        if missing.is_empty() || missing.len() == names.len() {
            return Ok(());
        }
        for name in names.iter().filter(|name| !missing.contains(name)) {
            if let Copy::Good(((), bytes)) = self.records.read_bytes(name, check) {
                return Ok(self.records.create_all(&missing, &bytes)?);
            }
        }
        Ok(())
    }
}
