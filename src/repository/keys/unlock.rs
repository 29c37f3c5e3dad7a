//! From a passphrase or key file to the restore keyset.

use std::sync::Arc;

use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sealed::slot::SlotError;
use crate::crypto::sealed::slot::SlotSecret;
use crate::crypto::self_test;
use crate::format::config::ConfigRecord;
use crate::ids::SlotId;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::publish;
use crate::repository::keys::slots;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::Storage;

/// A repository whose restore keyset is open.
#[derive(Debug)]
pub struct Unlocked {
    pub config: ConfigRecord,
    pub keyset: RestoreKeyset,
    /// The slot that opened.
    pub slot: SlotId,
}

/// Tries the secret on every slot of its kind, after the self-test of the ciphers.
pub fn unlock(
    run: &Run,
    storage: &Arc<dyn Storage>,
    secret: &SlotSecret,
) -> Result<Unlocked, KeysError> {
    self_test::ensure()?;
    let config = publish::load_config(run, storage)?;
    let slots = slots::load_all(run, storage, config.repository)?;
    if slots.is_empty() {
        return Err(if slots::has_others(storage, config.repository)? {
            KeysError::OtherRepository { what: "config" }
        } else {
            KeysError::NoSlots
        });
    }
    let mut damaged = 0;
    for record in &slots {
        run.check()?;
        let slot = record.public.slot;
        match slots::open(record, secret) {
            Ok(keyset) if *keyset.root_public.as_bytes() != config.root => {
                return Err(KeysError::OtherRepository { what: "config" });
            }
            Ok(keyset) => return Ok(Unlocked { config, keyset, slot }),
            Err(KeysError::Slot(SlotError::WrongSecret | SlotError::OtherKind)) => {}
            Err(KeysError::Slot(error @ (SlotError::Altered | SlotError::AbsurdParameters(_)))) => {
                damaged += 1;
                run.problem(&Problem::damage(format!("slots/{slot}"), error.to_string()));
            }
            Err(error) => return Err(error),
        }
    }
    match slots.len() - damaged {
        0 => Err(KeysError::SlotsDamaged { found: damaged }),
        tried => Err(KeysError::WrongSecret { tried }),
    }
}
