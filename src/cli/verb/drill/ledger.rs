//! The ledger of the repository that the command line names.

pub mod mend;

use std::sync::Arc;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::evidence::entry::OFFSET_MINUTES_DEFAULT;
use crate::evidence::keys::OFFICE;
use crate::evidence::ledger::Access;
use crate::evidence::ledger::Ledger;
use crate::evidence::ledger::Signer;
use crate::repository::keys::convert;
use crate::repository::keys::publish;
use crate::repository::keys::unlock::Unlocked;
use crate::storage::Storage;

/// Whom documents are sealed to, and what opens them.
///
/// # Errors
/// When the recipients list is lost (20), or the storage fails (15).
pub fn access(
    context: &Context,
    storage: &Arc<dyn Storage>,
    unlocked: &Unlocked,
) -> Result<Access, Failure> {
    let keyset = &unlocked.keyset;
    let place = (keyset.repository, &keyset.root_public);
    let list = publish::load_recipients(&context.run, storage, place)?;
    let recipients = list.recipients.iter().map(convert::recipient_key);
    let now = std::iter::once(&keyset.restore).chain(keyset.recovery.as_ref());
    Ok(Access {
        repository: keyset.repository,
        recipients: recipients.collect::<Result<_, _>>()?,
        secrets: now.chain(&keyset.retired).cloned().collect(),
        offset_minutes: offset(context).unwrap_or(OFFSET_MINUTES_DEFAULT),
    })
}

/// The offset of the configured time zone; none without a configuration.
fn offset(context: &Context) -> Option<i16> {
    let now = context.run.clock.now();
    let loaded = context.configuration().ok()?;
    let zone = jiff::tz::TimeZone::get(&loaded.config().ok()?.time_zone).ok()?;
    let at = jiff::Timestamp::from_millisecond(now.unix_ms).ok()?;
    i16::try_from(zone.to_offset(at).seconds() / 60).ok()
}

/// The administrator's key as the office's.
#[must_use]
pub fn office(unlocked: &Unlocked) -> Signer {
    Signer { holder: OFFICE.to_owned(), key: unlocked.keyset.admin.clone() }
}

/// Opens the ledger and founds it if there is none: for whoever is about to add to it.
///
/// # Errors
/// When it does not verify (23), or another key has founded it (13).
pub fn founded(
    context: &Context,
    storage: &Arc<dyn Storage>,
    unlocked: &Unlocked,
) -> Result<Ledger, Failure> {
    let access = access(context, storage, unlocked)?;
    let mut ledger = Ledger::open(&context.run, Arc::clone(storage), access)?;
    let keyset = &unlocked.keyset;
    let root = (&keyset.root_public, keyset.root.as_ref());
    ledger.ensure_founded(&context.run, &keyset.admin, root)?;
    Ok(ledger)
}
