//! Copies of records that a writer left out because it died between them.

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
use crate::storage::Storage;
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
    writer.complete(&publish::config_names()?, signed::<ConfigRecord>)?;
    let folders: [(&str, u8, Check); 4] = [
        (KEYRINGS, KEYRING_COPIES, signed::<KeyringRecord>),
        (RECIPIENTS, RECIPIENTS_COPIES, signed::<RecipientsRecord>),
        (MACHINES, MACHINE_COPIES, signed::<MachineRecord>),
        (CUSTODY, CUSTODY_COPIES, signed::<CustodyRecord>),
    ];
    for (folder, copies, check) in folders {
        for name in writer.records.list(folder)? {
            run.check()?;
            writer.complete(&records::numbered_names(&name, copies)?, check)?;
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
    for name in writer.records.list(SLOTS)? {
        run.check()?;
        writer.complete(&records::twin_names(&name, slots::SLOT_COPIES)?, plain)?;
    }
    Ok(())
}

/// Whether bytes are a whole record of its kind.
type Check = fn(&[u8]) -> Result<(), RecordError>;

fn signed<R: SignedRecord>(bytes: &[u8]) -> Result<(), RecordError> {
    record::decode_signed::<R>(bytes).map(drop)
}

struct Writer {
    records: Records,
}

impl Writer {
    fn new(storage: &Arc<dyn Storage>) -> Self {
        Self { records: Records::new(Arc::clone(storage)) }
    }

    /// Only what is missing is written, and only from a copy that can be read: a damaged copy
    /// stays as it is, for whoever looks at it.
    fn complete(&self, names: &[BlobName], check: Check) -> Result<(), KeysError> {
        let mut missing = Vec::new();
        for name in names {
            if !self.records.exists(name)? {
                missing.push(name.clone());
            }
        }
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
