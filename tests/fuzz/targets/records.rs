//! Small records, manifests and what is sealed in them.

use lifeboat::crypto::sealed::hpke::Binding;
use lifeboat::crypto::sealed::hpke::KemPublic;
use lifeboat::crypto::sealed::hpke::KemSecret;
use lifeboat::crypto::sealed::hpke::Suite;
use lifeboat::crypto::sealed::slot::Argon2Parameters;
use lifeboat::format::condemned;
use lifeboat::format::condemned::CondemnedRecord;
use lifeboat::format::config::ConfigRecord;
use lifeboat::format::keyring::KeyringRecord;
use lifeboat::format::keyring::KeyringSecrets;
use lifeboat::format::keyset::AgentKeysetRecord;
use lifeboat::format::keyset::RestoreKeysetRecord;
use lifeboat::format::machine::CustodyRecord;
use lifeboat::format::machine::MachineRecord;
use lifeboat::format::manifest;
use lifeboat::format::manifest::SealedPart;
use lifeboat::format::manifest::SignedManifest;
use lifeboat::format::note::NoteWords;
use lifeboat::format::note::SignedNote;
use lifeboat::format::recipients::RecipientsRecord;
use lifeboat::format::record;
use lifeboat::format::record::Record;
use lifeboat::format::record::RecordError;
use lifeboat::format::record::Signed;
use lifeboat::format::record::SignedRecord;
use lifeboat::format::repair::SignedRepair;
use lifeboat::format::session;
use lifeboat::format::session::SessionRecord;
use lifeboat::format::slot::SlotKind;
use lifeboat::format::slot::SlotRecord;
use lifeboat::format::snapshot::SnapshotInfo;
use lifeboat::format::tombstone::SignedTombstone;
use lifeboat::ids::KeyId;
use lifeboat::ids::RepositoryId;
use lifeboat::repository::keys::convert;
use lifeboat::secret::Secret32;
use lifeboat::secret::SecretBytes;

use super::Seen;
use super::choice;
use super::told;

/// How the bytes of a record come about: as they are, or as the body of a whole record, so that a
/// mutator need not find its checksum.
const FORMS: u8 = 2;

fn whole<R: Record>(body: &[u8]) -> Vec<u8> {
    let mut bytes = record::MAGIC.to_vec();
    bytes.extend_from_slice(&[R::KIND, R::VERSION]);
    bytes.extend_from_slice(body);
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    bytes
}

fn plain_record<R: Record>(input: &[u8]) -> Result<R, RecordError> {
    let (form, rest) = choice(input, FORMS);
    let bytes = if form == 0 { rest.to_vec() } else { whole::<R>(rest) };
    let decoded: R = record::decode(&bytes)?;
    assert_eq!(record::encode(&decoded).as_slice(), bytes, "a record has one form");
    Ok(decoded)
}

fn signed_record<R: SignedRecord>(input: &[u8]) -> Result<R, RecordError> {
    let (form, rest) = choice(input, FORMS);
    let bytes = if form == 0 {
        rest.to_vec()
    } else {
        let payload = [&[R::KIND, R::VERSION], rest].concat();
        let signed = Signed { payload, signer: KeyId::new([1; 16]), signature: [2; 64] };
        record::encode_signed::<R>(&signed)
    };
    let (decoded, signed) = record::decode_signed::<R>(&bytes)?;
    assert_eq!(record::encode_signed::<R>(&signed), bytes, "a record has one form");
    assert_eq!(record::payload(&decoded), signed.payload);
    Ok(decoded)
}

fn seen<R>(decoded: Result<R, RecordError>) -> Seen {
    match decoded {
        Ok(_) => Seen::Accepted,
        Err(error) => told(&error),
    }
}

pub fn config(input: &[u8]) -> Seen {
    let decoded = signed_record::<ConfigRecord>(input);
    if let Ok(config) = &decoded {
        let parameters = config.parameters;
        let sizes = lifeboat::chunk::ChunkSizes {
            min_bytes: parameters.chunk_bytes_min,
            avg_bytes: parameters.chunk_bytes_avg,
            max_bytes: parameters.chunk_bytes_max,
        };
        // The record's limits are wider than the cutter's, which has the last word.
        let _either = sizes.check().map_err(|error| told(&error));
        assert!(parameters.small_file_bytes <= parameters.bundle_bytes);
    }
    seen(decoded)
}

pub fn slot(input: &[u8]) -> Seen {
    let decoded = plain_record::<SlotRecord>(input);
    if let Ok(slot) = &decoded
        && let SlotKind::Passphrase { memory_kib, passes, lanes, .. } = slot.public.kind
        && (Argon2Parameters { memory_kib, passes, lanes }).check_stored().is_ok()
    {
        assert!(memory_kib <= 4 * 1024 * 1024, "{memory_kib} KiB asked for");
    }
    seen(decoded)
}

pub fn recipients(input: &[u8]) -> Seen {
    let decoded = signed_record::<RecipientsRecord>(input);
    if let Ok(list) = &decoded {
        for entry in &list.recipients {
            let _key_or_not = convert::recipient_key(entry).map_err(|error| told(&error));
        }
        let _keys_or_not = convert::admin_keys(list).map_err(|error| told(&error));
    }
    seen(decoded)
}

/// Input: 0 and a keyring, or 1 and what its envelopes hold.
pub fn keyring(input: &[u8]) -> Seen {
    match choice(input, 2) {
        (0, rest) => seen(signed_record::<KeyringRecord>(rest)),
        (_, rest) => seen(plain_record::<KeyringSecrets>(rest)),
    }
}

/// Input: 0 and a restore keyset, or 1 and an agent's.
pub fn keyset(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 2);
    let (decoded, bytes) = if which == 0 {
        let decoded = plain_record::<RestoreKeysetRecord>(rest);
        (seen(decoded), SecretBytes::new(formed::<RestoreKeysetRecord>(rest)))
    } else {
        let decoded = plain_record::<AgentKeysetRecord>(rest);
        (seen(decoded), SecretBytes::new(formed::<AgentKeysetRecord>(rest)))
    };
    // From the record to the keys themselves, which a record alone does not prove good.
    let again = if which == 0 {
        convert::decode_restore(&bytes).map(|keyset| convert::encode_restore(&keyset))
    } else {
        convert::decode_agent(&bytes).map(|keyset| convert::encode_agent(&keyset))
    };
    match again {
        Ok(again) => assert_eq!(again.expose(), bytes.expose(), "a keyset has one form"),
        Err(error) => drop(told(&error)),
    }
    decoded
}

fn formed<R: Record>(input: &[u8]) -> Vec<u8> {
    let (form, rest) = choice(input, FORMS);
    if form == 0 { rest.to_vec() } else { whole::<R>(rest) }
}

/// Input: 0 and a machine record, or 1 and a custody record.
pub fn machine(input: &[u8]) -> Seen {
    match choice(input, 2) {
        (0, rest) => seen(signed_record::<MachineRecord>(rest)),
        (_, rest) => seen(signed_record::<CustodyRecord>(rest)),
    }
}

/// Input: 0 and a whole manifest, or 1 and its public part.
pub fn manifest(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 2);
    let bytes = if which == 0 {
        rest.to_vec()
    } else {
        let len = u32::try_from(rest.len()).expect("a short input").to_le_bytes();
        let head = [manifest::MANIFEST_MAGIC.as_slice(), &len, rest].concat();
        [head.as_slice(), &2_u32.to_le_bytes(), b"ab", &[9; 64]].concat()
    };
    match SignedManifest::decode(bytes.clone()) {
        Ok(found) => {
            let unsigned =
                manifest::unsigned(&found.public, found.sealed()).expect("within limits");
            assert_eq!(unsigned, found.signed_part());
            let again = manifest::sign(unsigned, found.signature()).expect("within limits");
            assert_eq!(again.as_bytes(), bytes, "a manifest has one form");
            Seen::Accepted
        }
        Err(error) => told(&error),
    }
}

/// Input: 0 and a manifest's sealed part, or 1 and what its box holds.
pub fn snapshot(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 2);
    if which == 0 {
        return match SealedPart::decode(rest) {
            Ok(part) => {
                assert_eq!(part.encode().expect("within limits"), rest);
                assert!(part.envelopes.len() <= manifest::RECIPIENTS_COUNT_MAX);
                Seen::Accepted
            }
            Err(error) => told(&error),
        };
    }
    match record::from_cbor::<SnapshotInfo>(rest) {
        Some(info) => {
            assert_eq!(record::to_cbor(&info).as_slice(), rest);
            assert!(!info.started.to_rfc3339().is_empty());
            Seen::Accepted
        }
        None => Seen::Refused,
    }
}

/// Input: 0 and a session's file, or 1 and its body.
pub fn session(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 2);
    if which == 0 {
        return match session::split(rest) {
            Ok((generation, body)) => {
                assert_eq!(session::join(generation, body), rest);
                Seen::Accepted
            }
            Err(error) => told(&error),
        };
    }
    match SessionRecord::decode(rest) {
        Ok(found) => {
            assert_eq!(found.encode(), rest, "a session has one form");
            Seen::Accepted
        }
        Err(error) => told(&error),
    }
}

/// Input: 0 and a record of what goes, or 1 and its body.
pub fn condemned(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 2);
    if which == 0 {
        return match condemned::split(rest) {
            Ok((generation, body)) => {
                assert_eq!(condemned::join(generation, body), rest);
                Seen::Accepted
            }
            Err(error) => told(&error),
        };
    }
    match CondemnedRecord::decode(rest) {
        Ok(found) => {
            assert_eq!(found.encode().unwrap(), rest, "a record has one form");
            Seen::Accepted
        }
        Err(error) => told(&error),
    }
}

/// Input: 0 and a note, or 1 and what its box holds.
pub fn note(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 2);
    if which == 0 {
        return match SignedNote::decode(rest) {
            Ok(found) => {
                assert_eq!(found.encode().expect("within limits"), rest, "a note has one form");
                assert!(!found.public.time.to_rfc3339().is_empty());
                Seen::Accepted
            }
            Err(error) => told(&error),
        };
    }
    match NoteWords::decode(rest) {
        Ok(words) => {
            assert_eq!(words.encode().expect("within limits"), rest, "words have one form");
            let mut tags = words.removed.clone();
            words.apply(&mut tags);
            assert_eq!(tags, words.added);
            Seen::Accepted
        }
        Err(error) => told(&error),
    }
}

pub fn repair(input: &[u8]) -> Seen {
    match SignedRepair::decode(input) {
        Ok(found) => {
            assert_eq!(found.encode(), input, "a journal has one form");
            assert!(!found.record.time.to_rfc3339().is_empty());
            Seen::Accepted
        }
        Err(error) => told(&error),
    }
}

pub fn tombstone(input: &[u8]) -> Seen {
    match SignedTombstone::decode(input) {
        Ok(found) => {
            assert_eq!(found.encode(), input, "a tombstone has one form");
            assert!(!found.tombstone.time.to_rfc3339().is_empty());
            Seen::Accepted
        }
        Err(error) => told(&error),
    }
}

/// An envelope, or a public key, from a stranger. Input: suite and what to do, then the bytes.
pub fn envelope(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 4);
    let suite = if which % 2 == 0 { Suite::X25519 } else { Suite::XWing };
    if which >= 2 {
        return match KemPublic::from_bytes(suite, rest) {
            Ok(key) => {
                assert_eq!(key.as_bytes(), rest);
                Seen::Accepted
            }
            Err(error) => told(&error),
        };
    }
    let secret = KemSecret::new(suite, Secret32::new([6; 32]));
    let binding = Binding::Keyring { repository: RepositoryId::new([1; 16]), generation: 1 };
    match secret.open(binding, rest) {
        Ok(_) => Seen::Accepted,
        Err(error) => told(&error),
    }
}
