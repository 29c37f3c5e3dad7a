//! Signed records to storage and back.

use std::sync::Arc;

use crate::crypto::blind;
use crate::crypto::self_test;
use crate::crypto::sign::Purpose;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::format::config::CONFIG_NAMES;
use crate::format::config::ConfigRecord;
use crate::format::keyring::KEYRINGS;
use crate::format::machine::MACHINES;
use crate::format::recipients::RECIPIENTS;
use crate::format::recipients::RECIPIENTS_COPIES;
use crate::format::recipients::RecipientsRecord;
use crate::format::record;
use crate::format::record::RecordError;
use crate::format::record::Signed;
use crate::format::record::SignedRecord;
use crate::format::slot::SLOTS;
use crate::ids::MachineId;
use crate::ids::RepositoryId;
use crate::repository::keys::error::KeysError;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::storage::layer::ahead::Ahead;
use crate::storage::layer::ahead::Wanted;
use crate::vault::records;
use crate::vault::records::Records;
use crate::vault::records::RecordsError;

/// Signs a record and encodes it.
pub(in crate::repository::keys) fn sign<R: SignedRecord>(
    record: &R,
    purpose: Purpose,
    key: &SigningKey,
) -> Vec<u8> {
    let payload = record::payload(record);
    let signature = key.sign(purpose, &payload);
    let signer = key.verifying_key().key_id();
    record::encode_signed::<R>(&Signed { payload, signer, signature })
}

/// Whether one of `keys` has signed.
pub(in crate::repository::keys) fn verify(
    signed: &Signed,
    purpose: Purpose,
    keys: &[VerifyingKey],
    what: &'static str,
) -> Result<(), KeysError> {
    let signer = signed.signer;
    let key = keys.iter().find(|key| key.key_id() == signer);
    let key = key.ok_or(KeysError::UnknownSigner { what, signer })?;
    Ok(key.verify(purpose, &signed.payload, &signed.signature)?)
}

/// What a reader of copies believes of one, so that it goes on to the next: a record of another
/// repository, which the caller passes over, or one under its own name that one of `keys` signed.
pub(in crate::repository::keys) fn believed<R: SignedRecord>(
    (record, signed): (R, Signed),
    (purpose, keys): (Purpose, &[VerifyingKey]),
    place: Placed,
) -> Result<R, RecordError> {
    match place {
        Placed::Elsewhere => return Ok(record),
        Placed::Wrong => return Err(RecordError::Misplaced { noun: R::NOUN }),
        Placed::Right => {}
    }
    let verified = verify(&signed, purpose, keys, R::NOUN);
    verified.map(|()| record).map_err(|_| RecordError::Unsigned { noun: R::NOUN })
}

/// Whether a record lies where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::repository::keys) enum Placed {
    /// It belongs to another repository: left behind by an `init` that never finished.
    Elsewhere,
    Right,
    Wrong,
}

impl Placed {
    /// From the two repositories and the two names.
    pub(in crate::repository::keys) fn of(
        (found, own): (RepositoryId, RepositoryId),
        (name, expected): (&str, &str),
    ) -> Self {
        match (found == own, name == expected) {
            (false, _) => Self::Elsewhere,
            (true, true) => Self::Right,
            (true, false) => Self::Wrong,
        }
    }
}

/// A name that no other content takes: `<folder><number>-<16 hex digits of its hash>`.
pub(in crate::repository::keys) fn numbered(folder: &str, number: u64, bytes: &[u8]) -> String {
    let mut name = format!("{folder}{number}-");
    crate::ids::push_hex(&mut name, &blind::hash(bytes)[..8]);
    name
}

/// The names of the config.
pub(in crate::repository::keys) fn config_names() -> Result<Vec<BlobName>, KeysError> {
    Ok(CONFIG_NAMES.iter().map(|name| BlobName::new(name)).collect::<Result<_, _>>()?)
}

/// The storage, with the records of keys read ahead: all that opening a repository needs, in the
/// time of one record. For opening only: what others write meanwhile is not seen. `own` are the
/// machines that this one may be there.
pub fn ahead(storage: &Arc<dyn Storage>, own: &[MachineId]) -> Result<Arc<dyn Storage>, KeysError> {
    let names = config_names()?;
    // Of the copies only the first, unless it is bad.
    let is_wanted = |name: &BlobName| {
        let rest = name.as_str().strip_prefix(records::without_copy(name.as_str()));
        rest.is_none_or(|copy| copy.is_empty() || copy == ".0")
    };
    let own: Vec<String> = own.iter().map(|machine| format!("{MACHINES}{machine}/")).collect();
    let mut folders = vec![SLOTS, RECIPIENTS, KEYRINGS, MACHINES];
    folders.extend(own.iter().map(String::as_str));
    let folders = &folders;
    let names = names.get(..1).unwrap_or_default();
    Ok(Ahead::of(storage, Wanted { names, folders, is_wanted }))
}

/// The config, if there is a repository; the ciphers prove themselves first, because every command
/// on a repository begins here. Its signature is checked against the root key that it
/// names; whether that is the right one shows when a keyset is opened.
pub fn load_config(run: &Run, storage: &Arc<dyn Storage>) -> Result<ConfigRecord, KeysError> {
    self_test::ensure()?;
    let records = Records::new(Arc::clone(storage));
    let loaded = records.load(run, &config_names()?, records::signed::<ConfigRecord>);
    let (config, signed) = loaded.map_err(|error| match error {
        RecordsError::Missing { .. } => KeysError::NoRepository { location: storage.location() },
        other => other.into(),
    })?;
    let root = VerifyingKey::from_bytes(&config.root)?;
    verify(&signed, Purpose::Config, &[root], "config")?;
    Ok(config)
}

/// Writes a version of the recipients list. Durable after the next barrier.
pub(in crate::repository::keys) fn publish_recipients(
    store: &Records,
    list: &RecipientsRecord,
    root: &SigningKey,
) -> Result<(), KeysError> {
    let bytes = sign(list, Purpose::Recipients, root);
    let name = numbered(RECIPIENTS, list.version.into(), &bytes);
    Ok(store.create_all(&records::numbered_names(&name, RECIPIENTS_COPIES)?, &bytes)?)
}

/// The newest recipients list that root has signed for this repository. A list that cannot be read
/// or is not signed by root is a problem; that none is left, an error.
pub fn load_recipients(
    run: &Run,
    storage: &Arc<dyn Storage>,
    (repository, root): (RepositoryId, &VerifyingKey),
) -> Result<RecipientsRecord, KeysError> {
    let records = Records::new(Arc::clone(storage));
    let mut newest: Option<RecipientsRecord> = None;
    for name in records.list(RECIPIENTS)? {
        run.check()?;
        let names = records::numbered_names(&name, RECIPIENTS_COPIES)?;
        let decode = |bytes: &[u8]| {
            let found = records::signed::<RecipientsRecord>(bytes)?;
            let expected = numbered(RECIPIENTS, found.0.version.into(), bytes);
            let place = Placed::of((found.0.repository, repository), (&name, &expected));
            believed(found, (Purpose::Recipients, std::slice::from_ref(root)), place)
        };
        let list = match records.load(run, &names, decode) {
            Ok(loaded) => loaded,
            Err(RecordsError::Unreadable { error, .. }) => {
                run.problem(&Problem::damage(name, error.to_string()));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if list.repository != repository {
            continue; // Left behind by an `init` that never finished.
        }
        if newest.as_ref().is_none_or(|newest| newest.version < list.version) {
            newest = Some(list);
        }
    }
    newest.ok_or(KeysError::NoRecord { what: "recipients list" })
}
