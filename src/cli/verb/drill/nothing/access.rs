//! From a storage and shares to keys, with nothing that this machine knows.

use std::sync::Arc;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Keys;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::open;
use crate::cli::verb::drill::nothing::Ledger;
use crate::crypto::sealed::shares::Share;
use crate::format::ledger::LEDGER;
use crate::format::manifest::MANIFEST_BYTES_MAX;
use crate::format::recipients::RECIPIENTS;
use crate::repository::keys::recovery::rehearse::rehearse;
use crate::storage::Storage;
use crate::storage::memory::MemoryStorage;

/// Opens the repository with shares alone. What a recovery would write into the storage is written
/// into memory.
///
/// # Errors
/// When there is no repository (10), the shares do not open it (12), or the storage fails (15).
pub fn regain(context: &Context, shares: &[Share], ledger: Ledger) -> Result<Keys, Failure> {
    let storage = open::storage(context)?;
    let unlocked = rehearse(&context.run, &storage, shares)?;
    let store = unlocked.keyset.store.clone();
    let repository = open::repository(context, (&storage, &unlocked.config), store)?;
    let signers = opened::signers(context, &unlocked, &repository)?;
    let ledger = match ledger {
        Ledger::Now => None,
        Ledger::Later => Some(copy_of_ledger(context, &storage)?),
    };
    Ok(Keys { unlocked, signers, repository, ledger })
}

/// The ledger of a storage that nothing is to be added to: its steps go into a copy that ends with
/// this process, as the drill's record does not.
fn copy_of_ledger(
    context: &Context,
    storage: &Arc<dyn Storage>,
) -> Result<Arc<dyn Storage>, Failure> {
    let copy = MemoryStorage::new(Arc::clone(&context.run.clock));
    // Who may sign in it stands in the list of recipients.
    for listed in storage.list(LEDGER)?.into_iter().chain(storage.list(RECIPIENTS)?) {
        context.run.check()?;
        let bytes = storage.read(&listed.name, MANIFEST_BYTES_MAX)?;
        copy.create(&listed.name, &[&bytes])?;
    }
    Ok(Arc::new(copy))
}
