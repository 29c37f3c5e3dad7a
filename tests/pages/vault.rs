//! Packs, index, manifests, sessions, tombstones, notes.

use lifeboat::crypto::blind;
use lifeboat::crypto::blind::Place;
use lifeboat::crypto::sealed::hpke::Binding;
use lifeboat::crypto::sign::Purpose;
use lifeboat::format::condemned;
use lifeboat::format::condemned::CondemnedRecord;
use lifeboat::format::index;
use lifeboat::format::index::PackTable;
use lifeboat::format::manifest;
use lifeboat::format::manifest::ManifestPublic;
use lifeboat::format::manifest::SealedPart;
use lifeboat::format::manifest::SignedManifest;
use lifeboat::format::note::NotePublic;
use lifeboat::format::note::NoteWords;
use lifeboat::format::note::SignedNote;
use lifeboat::format::object::ObjectKind;
use lifeboat::format::pack;
use lifeboat::format::pack::TableRow;
use lifeboat::format::pack::Trailer;
use lifeboat::format::record::from_cbor;
use lifeboat::format::record::to_cbor;
use lifeboat::format::repair::RepairRecord;
use lifeboat::format::repair::RepairStep;
use lifeboat::format::repair::SignedRepair;
use lifeboat::format::session;
use lifeboat::format::session::SessionRecord;
use lifeboat::format::snapshot::SnapshotCounts;
use lifeboat::format::snapshot::SnapshotInfo;
use lifeboat::format::tombstone::SignedTombstone;
use lifeboat::format::tombstone::Tombstone;
use lifeboat::ids::BlobId;
use lifeboat::ids::PackId;
use lifeboat::ids::SnapshotId;
use lifeboat::repository::manifest::is_signed_by;
use lifeboat::repository::notes::open_note;
use lifeboat::repository::notes::seal_note;
use lifeboat::secret::Secret32;
use lifeboat::vault::notes::signed_by;

use super::Example;
use super::objects;
use super::values;

/// A box under `S`.
fn sealed(kind: &str, name: &[u8], message: &[u8]) -> Vec<u8> {
    let place = Place { kind, repository: values::REPOSITORY, name };
    blind::seal_box(&values::store_key(), place, message).unwrap()
}

fn opened(kind: &str, name: &[u8], bytes: &[u8]) -> Vec<u8> {
    let place = Place { kind, repository: values::REPOSITORY, name };
    blind::open_box(&values::store_key(), place, bytes).unwrap()
}

fn rows() -> Vec<TableRow> {
    let object = objects::bundle().1;
    let len_bytes = u32::try_from(object.bytes.len()).unwrap();
    vec![TableRow { kind: ObjectKind::Bundle, sid: object.sid, len_bytes }]
}

fn packs() -> Vec<Example> {
    let mut table = Vec::new();
    pack::encode_rows(&mut table, &rows());
    let sealed_table = sealed(pack::PACK_TABLE_KIND, b"", &table);
    let trailer = Trailer { table_len_bytes: 117, generation: 1 };
    assert_eq!(sealed_table.len(), 117);
    let object = objects::bundle().1.bytes;
    let file = [&pack::PACK_MAGIC[..], &object, &sealed_table, &trailer.encode()].concat();
    vec![
        Example::same("table-row", table, |bytes| {
            assert_eq!(pack::decode_rows(bytes).unwrap(), rows());
        }),
        Example::same("trailer", trailer.encode().to_vec(), move |bytes| {
            assert_eq!(Trailer::decode(bytes).unwrap(), trailer);
        }),
        Example::random("pack", file, move |bytes| {
            let rest = bytes.strip_prefix(pack::PACK_MAGIC).unwrap();
            let rest = rest.strip_prefix(object.as_slice()).unwrap();
            assert_eq!(Trailer::decode(rest).unwrap(), trailer);
            let table = opened(pack::PACK_TABLE_KIND, b"", &rest[..rest.len() - 16]);
            assert_eq!(pack::decode_rows(&table).unwrap(), rows());
        }),
    ]
}

fn index_example() -> Example {
    let pack = PackId::new([0xee; 32]);
    let tables = vec![PackTable { pack, sealed_table_bytes: 117, rows: rows() }];
    let body = index::encode_tables(&tables).unwrap();
    let file = index::join(1, &sealed(index::INDEX_KIND, b"", &body));
    Example::random("index", file, move |bytes| {
        let (generation, body) = index::split(bytes).unwrap();
        let body = opened(index::INDEX_KIND, b"", body);
        assert_eq!((generation, index::decode_tables(&body).unwrap()), (1, tables.clone()));
    })
}

fn public() -> ManifestPublic {
    ManifestPublic {
        repository: values::REPOSITORY,
        machine: values::MACHINE,
        source: values::SOURCE,
        seq: 1,
        prev: None,
        session: values::SESSION,
        time: values::TIME,
        root: objects::bundle().0.sid,
        capsules: Vec::new(),
        raw_bytes_padded: 9,
        entries_padded: 3,
        domain: values::DOMAIN,
        domain_generation: 1,
        chunker: 1,
        recipients: vec![values::restore().public().key_id()],
        signer: values::machine().verifying_key().key_id(),
    }
}

fn info() -> SnapshotInfo {
    let mut info = SnapshotInfo::new(&objects::bundle().0);
    info.host = "desk".to_owned();
    info.paths = vec![b"/home/d".to_vec().into()];
    info.tags = vec!["daily".to_owned()];
    info.platform = "linux-x86_64".to_owned();
    info.program = "lifeboat 0.1.0".to_owned();
    info.started = values::TIME;
    info.finished = values::TIME;
    info.counts = SnapshotCounts { entries: 3, files: 2, content_bytes: 9, ..Default::default() };
    info
}

const SNAPSHOT_KEY: [u8; 32] = [0xa6; 32];

fn sealed_part(public_hash: &[u8; 32]) -> Vec<u8> {
    let place = Place { kind: "snapshot", repository: values::REPOSITORY, name: public_hash };
    let key = Secret32::new(SNAPSHOT_KEY);
    let content = blind::seal_box(&key, place, &to_cbor(&info())).unwrap();
    let restore = values::restore().public();
    let envelope = restore.seal(binding(public_hash), &SNAPSHOT_KEY).unwrap();
    let envelopes = vec![(restore.key_id(), envelope)];
    SealedPart { envelopes, content }.encode().unwrap()
}

const fn binding(public_hash: &[u8; 32]) -> Binding<'_> {
    Binding::Snapshot {
        repository: values::REPOSITORY,
        machine: values::MACHINE,
        source: values::SOURCE,
        seq: 1,
        public_hash,
    }
}

fn read_sealed_part(public_hash: &[u8; 32], sealed: &[u8]) {
    let part = SealedPart::decode(sealed).unwrap();
    let [(recipient, envelope)] = part.envelopes.as_slice() else { panic!("one envelope") };
    assert_eq!(*recipient, values::restore().public().key_id());
    let key = values::restore().open(binding(public_hash), envelope).unwrap();
    assert_eq!(key.expose(), SNAPSHOT_KEY);
    let place = Place { kind: "snapshot", repository: values::REPOSITORY, name: public_hash };
    let found = blind::open_box(&Secret32::new(SNAPSHOT_KEY), place, &part.content).unwrap();
    assert_eq!(from_cbor::<SnapshotInfo>(&found).unwrap(), info());
}

fn manifests() -> Vec<Example> {
    let encoded = manifest::encode_public(&public()).unwrap();
    let hash = blind::hash(&encoded);
    let unsigned = manifest::unsigned(&public(), &sealed_part(&hash)).unwrap();
    let signature = values::machine().sign(Purpose::Manifest, &unsigned);
    let file = manifest::sign(unsigned, &signature).unwrap().as_bytes().to_vec();
    vec![
        Example::same("manifest-public", encoded, |bytes| {
            assert_eq!(bytes, manifest::encode_public(&public()).unwrap());
        }),
        Example::same("snapshot-info", to_cbor(&info()).to_vec(), |bytes| {
            assert_eq!(from_cbor::<SnapshotInfo>(bytes).unwrap(), info());
        }),
        Example::random("manifest", file, move |bytes| {
            let manifest = SignedManifest::decode(bytes.to_vec()).unwrap();
            assert_eq!(manifest.public, public());
            assert!(is_signed_by(&manifest, &values::machine().verifying_key()));
            read_sealed_part(&hash, manifest.sealed());
        }),
    ]
}

fn session_example() -> Example {
    let record = SessionRecord {
        session: values::SESSION,
        machine: values::MACHINE,
        source: values::SOURCE,
        parent: None,
        program: "lifeboat 0.1.0".to_owned(),
    };
    let body = sealed(session::SESSION_KIND, values::SESSION.as_bytes(), &record.encode());
    Example::random("session", session::join(1, &body), move |bytes| {
        let (generation, body) = session::split(bytes).unwrap();
        let body = opened(session::SESSION_KIND, values::SESSION.as_bytes(), body);
        assert_eq!((generation, SessionRecord::decode(&body).unwrap()), (1, record.clone()));
    })
}

fn condemned_example() -> Example {
    let given_up = condemned::GivenUp {
        machine: values::MACHINE,
        source: values::SOURCE,
        seq: 1,
        snapshot: SnapshotId::new([0xdd; 32]),
    };
    let record = CondemnedRecord {
        id: values::CONDEMNED,
        packs: vec![PackId::new([0xee; 32])],
        snapshots: vec![given_up],
    };
    let name = values::CONDEMNED;
    let body = sealed(condemned::CONDEMNED_KIND, name.as_bytes(), &record.encode().unwrap());
    Example::random("condemned", condemned::join(1, &body), move |bytes| {
        let (generation, body) = condemned::split(bytes).unwrap();
        let body = opened(condemned::CONDEMNED_KIND, values::CONDEMNED.as_bytes(), body);
        assert_eq!((generation, CondemnedRecord::decode(&body).unwrap()), (1, record.clone()));
    })
}

fn tombstone_example() -> Example {
    let tombstone = Tombstone {
        repository: values::REPOSITORY,
        machine: values::MACHINE,
        source: values::SOURCE,
        seq: 1,
        snapshot: SnapshotId::new([0xdd; 32]),
        time: values::TIME,
        signer: values::admin().verifying_key().key_id(),
        reason: "keep-daily 7".to_owned(),
    };
    let signature = values::admin().sign(Purpose::Tombstone, &tombstone.unsigned());
    let signed = SignedTombstone { tombstone, signature };
    Example::same("tombstone", signed.encode(), move |bytes| {
        let found = SignedTombstone::decode(bytes).unwrap();
        assert_eq!(found, signed);
        let admin = values::admin().verifying_key();
        let unsigned = found.tombstone.unsigned();
        admin.verify(Purpose::Tombstone, &unsigned, &found.signature).unwrap();
    })
}

fn repair_example() -> Example {
    let (moved, added) = (BlobId::new([0xee; 32]), BlobId::new([0xcc; 32]));
    let name = "config".to_owned();
    let record = RepairRecord {
        repository: values::REPOSITORY,
        repair: values::REPAIR,
        number: 0,
        time: values::TIME,
        signer: values::admin().verifying_key().key_id(),
        manifests: BlobId::new([0xdd; 32]),
        steps: vec![
            RepairStep::Moved { name: name.clone(), hash: moved },
            RepairStep::Added { name, from: "config.1".to_owned(), hash: added },
        ],
    };
    let signature = values::admin().sign(Purpose::Repair, &record.unsigned());
    let signed = SignedRepair { record, signature };
    Example::same("repair", signed.encode(), move |bytes| {
        let found = SignedRepair::decode(bytes).unwrap();
        assert_eq!(found, signed);
        let admin = values::admin().verifying_key();
        admin.verify(Purpose::Repair, &found.record.unsigned(), &found.signature).unwrap();
    })
}

fn note_words() -> NoteWords {
    NoteWords {
        added: vec!["before the merger".to_owned()],
        removed: vec!["daily".to_owned()],
        comment: "auditor".to_owned(),
    }
}

fn notes() -> Vec<Example> {
    let key = || Secret32::new(SNAPSHOT_KEY);
    let public = NotePublic {
        repository: values::REPOSITORY,
        machine: values::MACHINE,
        source: values::SOURCE,
        seq: 1,
        snapshot: SnapshotId::new([0xdd; 32]),
        number: 1,
        prev: None,
        time: values::TIME,
        signer: values::admin().verifying_key().key_id(),
    };
    let note = seal_note(&values::admin(), &key(), public.clone(), &note_words()).unwrap();
    vec![
        Example::same("note-words", note_words().encode().unwrap(), |bytes| {
            assert_eq!(NoteWords::decode(bytes).unwrap(), note_words());
        }),
        Example::random("note", note.encode().unwrap(), move |bytes| {
            let note = SignedNote::decode(bytes).unwrap();
            assert_eq!(note.public, public);
            signed_by(&note, &[values::admin().verifying_key()]).unwrap();
            assert_eq!(open_note(&key(), &note).unwrap(), note_words());
        }),
    ]
}

pub fn examples() -> Vec<Example> {
    let mut all = packs();
    all.push(index_example());
    all.extend(manifests());
    all.push(session_example());
    all.push(condemned_example());
    all.push(tombstone_example());
    all.push(repair_example());
    all.extend(notes());
    all
}
