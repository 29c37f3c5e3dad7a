//! A twin: the same repository in a second storage, and the records that it needs to be one.
//!
//! Records go as they are, byte for byte, and no key is needed for it. Only what is whole, lies
//! under its own name and is signed by whoever may goes; slots vouch for themselves when they open.

use std::sync::Arc;

use crate::crypto::sign::Purpose;
use crate::crypto::sign::VerifyingKey;
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
use crate::format::record::Record;
use crate::format::record::RecordError;
use crate::format::slot::SLOTS;
use crate::format::slot::SlotRecord;
use crate::ids::RepositoryId;
use crate::repository::keys::complete;
use crate::repository::keys::convert;
use crate::repository::keys::create;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::publish;
use crate::repository::keys::publish::Placed;
use crate::repository::keys::publish::believed;
use crate::repository::keys::publish::numbered;
use crate::repository::keys::slots::SLOT_COPIES;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::vault::records;
use crate::vault::records::Copy;
use crate::vault::records::Records;

/// Who may have signed what is carried over.
struct Trust {
    repository: RepositoryId,
    root: VerifyingKey,
    /// Administrators and root.
    signers: Vec<VerifyingKey>,
}

/// Makes `to` the same repository as `from`, without snapshots. The config comes last, so a crash
/// leaves records that every reader passes over.
///
/// # Errors
/// When `to` holds a config or data, or one of the storages fails.
pub fn create_twin(
    run: &Run,
    from: &Arc<dyn Storage>,
    to: &Arc<dyn Storage>,
) -> Result<ConfigRecord, KeysError> {
    let config = publish::load_config(run, from)?;
    create::refuse_if_taken(to, &Records::new(Arc::clone(to)))?;
    carry_below(run, (from, to), &config)?;
    // A listing that came out empty: without these nobody opens the twin.
    let carried = Records::new(Arc::clone(to));
    for (folder, what) in [(SLOTS, "slot"), (KEYRINGS, "keyring")] {
        if carried.list(folder)?.is_empty() {
            return Err(KeysError::NoRecord { what });
        }
    }
    to.sync()?;
    run.check()?;
    let bytes = good_config(from, &config)?;
    Records::new(Arc::clone(to)).create_all(&publish::config_names()?, &bytes)?;
    to.sync()?;
    Ok(config)
}

fn good_config(from: &Arc<dyn Storage>, config: &ConfigRecord) -> Result<Vec<u8>, KeysError> {
    let records = Records::new(Arc::clone(from));
    for name in publish::config_names()? {
        match records.read_bytes(&name, records::signed::<ConfigRecord>) {
            Copy::Good(((found, _), bytes)) if found == *config => return Ok(bytes),
            _ => {}
        }
    }
    Err(KeysError::NoRepository { location: from.location() })
}

/// Carries over every record of keys that `to` lacks, and answers how many. Both have to be the
/// same repository. What a writer that died left without its other copies gets them too. All of it
/// is durable after the storage's next barrier.
///
/// # Errors
/// When one of the storages fails, or no list of recipients is left.
pub fn carry_records(
    run: &Run,
    from: &Arc<dyn Storage>,
    to: &Arc<dyn Storage>,
) -> Result<u64, KeysError> {
    let config = publish::load_config(run, from)?;
    let carried = carry_below(run, (from, to), &config)?;
    complete::lasting_records(run, to)?;
    Ok(carried)
}

/// All but the config.
fn carry_below(
    run: &Run,
    (from, to): (&Arc<dyn Storage>, &Arc<dyn Storage>),
    config: &ConfigRecord,
) -> Result<u64, KeysError> {
    let root = VerifyingKey::from_bytes(&config.root)?;
    let list = publish::load_recipients(run, from, (config.repository, &root))?;
    let mut signers = convert::admin_keys(&list)?;
    signers.push(root);
    let trust = Trust { repository: config.repository, root, signers };
    let mut carried = 0;
    for (folder, copies) in [
        (RECIPIENTS, RECIPIENTS_COPIES),
        (KEYRINGS, KEYRING_COPIES),
        (MACHINES, MACHINE_COPIES),
        (CUSTODY, CUSTODY_COPIES),
        (SLOTS, SLOT_COPIES),
    ] {
        for name in Records::new(Arc::clone(from)).list(folder)? {
            run.check()?;
            let names = match folder {
                SLOTS => records::twin_names(&name, copies)?,
                _ => records::numbered_names(&name, copies)?,
            };
            carried += u64::from(carry(run, (from, to), &names, |bytes| {
                trust.believes(folder, &name, bytes)
            })?);
        }
    }
    Ok(carried)
}

/// Writes the copies of one record that are missing, from one that is good.
fn carry(
    run: &Run,
    (from, to): (&Arc<dyn Storage>, &Arc<dyn Storage>),
    names: &[BlobName],
    believes: impl Fn(&[u8]) -> Result<Placed, RecordError>,
) -> Result<bool, KeysError> {
    let target = Records::new(Arc::clone(to));
    let mut missing = Vec::new();
    for name in names {
        if !target.exists(name)? {
            missing.push(name.clone());
        }
    }
    if missing.is_empty() {
        return Ok(false);
    }
    let source = Records::new(Arc::clone(from));
    let mut refused = None;
    for name in names {
        match source.read_bytes(name, &believes) {
            Copy::Good((Placed::Right, bytes)) => {
                target.create_all(&missing, &bytes)?;
                return Ok(true);
            }
            Copy::Good(_) | Copy::Missing => {}
            Copy::Unreadable(error) => refused = Some((name, error)),
            Copy::Failed(error) => return Err(error.into()),
        }
    }
    if let Some((name, error)) = refused {
        run.problem(&Problem::damage(name.as_str(), error.to_string()));
    }
    Ok(false)
}

impl Trust {
    fn believes(&self, folder: &str, name: &str, bytes: &[u8]) -> Result<Placed, RecordError> {
        let own = self.repository;
        let signers = self.signers.as_slice();
        match folder {
            RECIPIENTS => {
                let found = records::signed::<RecipientsRecord>(bytes)?;
                let expected = numbered(RECIPIENTS, found.0.version.into(), bytes);
                let place = Placed::of((found.0.repository, own), (name, &expected));
                let root = std::slice::from_ref(&self.root);
                believed(found, (Purpose::Recipients, root), place).map(|_| place)
            }
            KEYRINGS => {
                let found = records::signed::<KeyringRecord>(bytes)?;
                let expected = numbered(KEYRINGS, found.0.generation.into(), bytes);
                let place = Placed::of((found.0.repository, own), (name, &expected));
                believed(found, (Purpose::Keyring, signers), place).map(|_| place)
            }
            MACHINES => {
                let found = records::signed::<MachineRecord>(bytes)?;
                let expected = format!("{MACHINES}{}/{}", found.0.machine, found.0.version);
                let place = Placed::of((found.0.repository, own), (name, &expected));
                believed(found, (Purpose::Machine, signers), place).map(|_| place)
            }
            CUSTODY => {
                let found = records::signed::<CustodyRecord>(bytes)?;
                let at = u64::try_from(found.0.checked.unix_ms).unwrap_or(0);
                let place =
                    Placed::of((found.0.repository, own), (name, &numbered(CUSTODY, at, bytes)));
                believed(found, (Purpose::Custody, signers), place).map(|_| place)
            }
            _ => {
                let slot = records::plain::<SlotRecord>(bytes)?;
                let expected = format!("{SLOTS}{}", slot.public.slot);
                match Placed::of((slot.public.repository, own), (name, &expected)) {
                    Placed::Wrong => Err(RecordError::Misplaced { noun: SlotRecord::NOUN }),
                    place => Ok(place),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::clock::ManualClock;
    use crate::crypto::sealed::hpke::Suite;
    use crate::crypto::sealed::slot::Argon2Parameters;
    use crate::crypto::sealed::slot::SlotSecret;
    use crate::format::config::Parameters;
    use crate::ids::RunId;
    use crate::repository::keys::create::CreateOptions;
    use crate::repository::keys::create::create_repository;
    use crate::repository::keys::slots::NewSlot;
    use crate::repository::keys::unlock;
    use crate::run::monitor::Silent;
    use crate::secret::SecretBytes;
    use crate::storage::memory::MemoryStorage;
    use crate::units::Timestamp;

    fn clock() -> Arc<dyn Clock> {
        Arc::new(ManualClock::new(Timestamp::from_unix_ms(0)))
    }

    fn storage() -> Arc<dyn Storage> {
        Arc::new(MemoryStorage::new(clock()))
    }

    fn new_run() -> Run {
        Run::new(RunId::new([1; 16]), Arc::new(Silent), clock(), 1)
    }

    fn secret() -> SlotSecret {
        SlotSecret::KeyFile(SecretBytes::new(vec![7; 32]))
    }

    fn made(run: &Run) -> Arc<dyn Storage> {
        let storage = storage();
        let slot = NewSlot {
            secret: secret(),
            argon2: Argon2Parameters::OF_COMMANDS,
            label: String::new(),
        };
        let parameters = Parameters::DEFAULT;
        let options = CreateOptions { slot, suite: Suite::DEFAULT, parameters };
        create_repository(run, &storage, &options).unwrap();
        storage
    }

    #[test]
    fn a_twin_has_the_same_records_and_opens_with_the_same_secret() {
        let run = new_run();
        let (from, to) = (made(&run), storage());
        // A copy that is bad where it comes from is good in the twin.
        let [first, ..] = &publish::config_names().unwrap()[..] else { panic!("no name") };
        from.delete(first).unwrap();
        from.create(first, &[b"LIFEBOAT and nonsense"]).unwrap();
        create_twin(&run, &from, &to).unwrap();
        let unlocked = unlock::unlock(&run, &to, &secret()).unwrap();
        assert_eq!(unlocked.config, publish::load_config(&run, &from).unwrap());
        let again = create_twin(&run, &from, &to);
        assert!(matches!(again, Err(KeysError::AlreadyThere { .. })), "{again:?}");
        assert_eq!(carry_records(&run, &from, &to).unwrap(), 0);
    }

    #[test]
    fn a_record_that_nobody_signed_is_left_behind_and_told() {
        let run = new_run();
        let (from, to) = (made(&run), storage());
        let stranger = made(&run);
        for listed in stranger.list(KEYRINGS).unwrap() {
            let bytes = stranger.read(&listed.name, 1 << 20).unwrap();
            from.create(&listed.name, &[&bytes]).unwrap();
        }
        let own = publish::load_config(&run, &from).unwrap().repository;
        create_twin(&run, &from, &to).unwrap();
        for listed in to.list(KEYRINGS).unwrap() {
            let bytes = to.read(&listed.name, 1 << 20).unwrap();
            assert_eq!(records::signed::<KeyringRecord>(&bytes).unwrap().0.repository, own);
        }
    }
}
