//! Which bytes are as somebody wrote them, though this program can do nothing with them.

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::format::condemned;
use crate::format::condemned::CONDEMNED_KIND;
use crate::format::config::ConfigRecord;
use crate::format::keyring::KeyringRecord;
use crate::format::machine::CustodyRecord;
use crate::format::machine::MachineRecord;
use crate::format::recipients::RecipientsRecord;
use crate::format::record::RecordError;
use crate::format::session;
use crate::format::session::SESSION_KIND;
use crate::format::slot::SlotRecord;
use crate::storage::BlobName;
use crate::vault::Inner;
use crate::vault::gc::condemned::open as open_condemned;
use crate::vault::load;
use crate::vault::names;
use crate::vault::names::MANIFESTS;
use crate::vault::names::NOTES;
use crate::vault::names::NotePlace;
use crate::vault::names::Place as SnapshotPlace;
use crate::vault::records;
use crate::vault::scrub::report::Kind;

/// Where the version of a sealed record stands.
const VERSION_AT: usize = 7;

/// Whether these bytes are no damage: their name tells their hash, or a newer program wrote them.
pub(super) fn is_as_written(vault: &Inner, (kind, name): (Kind, &BlobName), bytes: &[u8]) -> bool {
    let hash = blind::hash(bytes);
    match kind {
        Kind::Pack => names::parse_pack(name).is_some_and(|id| *id.as_bytes() == hash),
        Kind::Index => names::parse_index(name).is_some_and(|id| *id.as_bytes() == hash),
        Kind::Manifest => {
            let mut places = MANIFESTS.iter().filter_map(|it| SnapshotPlace::parse(it, name));
            places.any(|place| *place.id.as_bytes() == hash)
        }
        Kind::Note => {
            let mut places = NOTES.iter().filter_map(|it| NotePlace::parse(it, name));
            places.any(|place| hash.starts_with(place.id.as_bytes()))
        }
        Kind::Config => is_newer(records::signed::<ConfigRecord>(bytes)),
        Kind::Keyring => is_newer(records::signed::<KeyringRecord>(bytes)),
        Kind::Recipients => is_newer(records::signed::<RecipientsRecord>(bytes)),
        Kind::Machine => is_newer(records::signed::<MachineRecord>(bytes)),
        Kind::Custody => is_newer(records::signed::<CustodyRecord>(bytes)),
        Kind::Slot => is_newer(records::plain::<SlotRecord>(bytes)),
        Kind::Session => newer_session(vault, name, bytes),
        Kind::Condemned => newer_condemned(vault, name, bytes),
        // Nothing stands in for one, so it is never moved.
        Kind::Tombstone => true,
    }
}

/// Whether a record that was bad is good when it is read once more.
pub(super) fn is_good_now(vault: &Inner, (kind, name): (Kind, &BlobName), bytes: &[u8]) -> bool {
    match kind {
        Kind::Index => load::open_index(vault, name, bytes).is_ok(),
        Kind::Session => names::parse_session(name).is_some_and(|id| {
            let split = session::split(bytes).ok();
            let place = (SESSION_KIND, id.as_bytes().as_slice());
            split.is_some_and(|sealed| opens(vault, place, sealed).is_some())
        }),
        Kind::Condemned => {
            let id = names::parse_condemned(name);
            id.is_some_and(|id| open_condemned(vault, &id, bytes).is_ok())
        }
        _ => false,
    }
}

fn is_newer<T>(decoded: Result<T, RecordError>) -> bool {
    matches!(decoded, Err(RecordError::Newer { .. }))
}

/// The bytes with version 1, if they begin as a record of another version.
fn with_version_1(magic: &[u8; 8], bytes: &[u8]) -> Option<Vec<u8>> {
    let (version, known) = (bytes.get(VERSION_AT)?, magic.get(VERSION_AT)?);
    let is_other = bytes.get(..VERSION_AT) == magic.get(..VERSION_AT) && version > known;
    let rest = bytes.get(VERSION_AT + 1..)?;
    is_other.then(|| [magic.as_slice(), rest].concat())
}

/// What opens as version 1 is of version 1, and its number is damaged.
fn newer_session(vault: &Inner, name: &BlobName, bytes: &[u8]) -> bool {
    let Some(first) = with_version_1(session::SESSION_MAGIC, bytes) else { return false };
    let id = names::parse_session(name);
    let opens = || {
        let (generation, sealed) = session::split(&first).ok()?;
        let place = (SESSION_KIND, id.as_ref()?.as_bytes().as_slice());
        opens(vault, place, (generation, sealed))
    };
    opens().is_none()
}

fn newer_condemned(vault: &Inner, name: &BlobName, bytes: &[u8]) -> bool {
    let Some(first) = with_version_1(condemned::CONDEMNED_MAGIC, bytes) else { return false };
    let id = names::parse_condemned(name);
    let opens = || {
        let (generation, sealed) = condemned::split(&first).ok()?;
        let place = (CONDEMNED_KIND, id.as_ref()?.as_bytes().as_slice());
        opens(vault, place, (generation, sealed))
    };
    opens().is_none()
}

fn opens(vault: &Inner, (kind, name): (&str, &[u8]), sealed: (u32, &[u8])) -> Option<()> {
    let place = Place { kind, repository: vault.keys.repository(), name };
    blind::open_box(vault.keys.get(sealed.0).ok()?, place, sealed.1).ok().map(drop)
}
