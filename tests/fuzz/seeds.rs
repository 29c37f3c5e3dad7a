//! Real encodings: what a small repository in memory holds, opened as far as its decoders go, and
//! hand-made ones for what a small repository has none of.

mod evidence;

use std::sync::Arc;

use lifeboat::crypto::blind;
use lifeboat::crypto::blind::Place;
use lifeboat::crypto::sealed::hpke::Binding;
use lifeboat::crypto::sealed::hpke::KemSecret;
use lifeboat::crypto::sealed::hpke::Suite;
use lifeboat::format::branch::decode_branch;
use lifeboat::format::condemned;
use lifeboat::format::entry::Content;
use lifeboat::format::entry::Extent;
use lifeboat::format::frame::FrameHead;
use lifeboat::format::index;
use lifeboat::format::keyring::KeyringSecrets;
use lifeboat::format::keyset::DomainEntry;
use lifeboat::format::keyset::RetiredEntry;
use lifeboat::format::keyset::StoreEntry;
use lifeboat::format::leaf::decode::decode_leaf;
use lifeboat::format::leaf::encode::encode_leaf;
use lifeboat::format::manifest::SealedPart;
use lifeboat::format::manifest::SignedManifest;
use lifeboat::format::map;
use lifeboat::format::node_refs;
use lifeboat::format::note::NotePublic;
use lifeboat::format::note::NoteWords;
use lifeboat::format::note::SignedNote;
use lifeboat::format::object::ObjectKind;
use lifeboat::format::object::Ref;
use lifeboat::format::pack;
use lifeboat::format::record;
use lifeboat::format::repair::RepairRecord;
use lifeboat::format::repair::RepairStep;
use lifeboat::format::repair::SignedRepair;
use lifeboat::format::session;
use lifeboat::format::tombstone::SignedTombstone;
use lifeboat::format::tombstone::Tombstone;
use lifeboat::ids::BlobId;
use lifeboat::ids::CondemnedId;
use lifeboat::ids::Digest;
use lifeboat::ids::DomainId;
use lifeboat::ids::KeyId;
use lifeboat::ids::MachineId;
use lifeboat::ids::NoteId;
use lifeboat::ids::PackId;
use lifeboat::ids::RepairId;
use lifeboat::ids::RepositoryId;
use lifeboat::ids::SessionId;
use lifeboat::ids::Sid;
use lifeboat::ids::SnapshotId;
use lifeboat::ids::SourceId;
use lifeboat::meta::Extra;
use lifeboat::meta::Kind;
use lifeboat::meta::Meta;
use lifeboat::meta::Xattr;
use lifeboat::repository::keys::convert;
use lifeboat::repository::keys::recovery;
use lifeboat::repository::keys::recovery::words;
use lifeboat::repository::manifest::open_manifest;
use lifeboat::repository::open::Repository;
use lifeboat::repository::tree::NodeSource;
use lifeboat::run::Run;
use lifeboat::secret::ObjectKey;
use lifeboat::secret::Secret32;
use lifeboat::source::memory::MemorySource;
use lifeboat::units::Timestamp;

use crate::support::Random;
use crate::world::World;

/// One input of one target.
pub struct Seed {
    pub target: &'static str,
    pub name: String,
    pub input: Vec<u8>,
}

#[derive(Default)]
struct Seeds(Vec<Seed>);

impl Seeds {
    /// `head` is what the target wants in front.
    fn add(&mut self, target: &'static str, name: &str, head: &[u8], rest: &[u8]) {
        let input = [head, rest].concat();
        self.0.push(Seed { target, name: name.to_owned(), input });
    }
}

pub fn all() -> Vec<Seed> {
    let mut seeds = Seeds::default();
    from_a_repository(&mut seeds);
    by_hand(&mut seeds);
    typed(&mut seeds);
    evidence::evidence(&mut seeds);
    seeds.0
}

fn source() -> MemorySource {
    let source = MemorySource::default();
    let mut random = Random::new(5);
    for n in 0..14 {
        let size = n * n * 5;
        source.put(&format!("home/d{}/file {n}", n % 3), &random.bytes(size), 1_700_000_000);
    }
    source.put("home/large", &random.bytes(9_000), 5);
    source.put("home/huge", &random.bytes(120_000), 6);
    source.put_sparse("home/sparse", 6_000, &[(10, b"data"), (5_000, b"more")]);
    let link = Extra { link: b"../else".to_vec(), ..Extra::default() };
    let kinds = [
        ("link", Kind::Symlink, link),
        ("fifo", Kind::Fifo, Extra::default()),
        ("device", Kind::CharDevice, Extra { rdev: (1, 3), ..Extra::default() }),
    ];
    for (name, kind, extra) in kinds {
        let meta = Meta { extra: Some(Box::new(extra)), ..Meta::plain(kind, 0) };
        source.put_meta(&format!("home/{name}"), meta, b"");
    }
    let xattr = |name: &[u8]| Xattr { name: name.to_vec(), value: b"value".to_vec() };
    let xattrs = vec![xattr(b"user.a"), xattr(b"user.b")];
    for name in ["one", "two"] {
        let mut meta = Meta::plain(Kind::File, 6);
        (meta.inode, meta.links_count) = (900, 2);
        meta.user = Arc::from(&b"root"[..]);
        meta.extra = Some(Box::new(Extra { xattrs: xattrs.clone(), ..Extra::default() }));
        source.put_meta(&format!("home/{name}"), meta, b"linked");
    }
    source
}

fn from_a_repository(seeds: &mut Seeds) {
    let mut world = World::new();
    let machine = world.enrol("desk");
    let watched = world.run();
    let report = world.backup(&watched, &machine, (&source(), "home")).unwrap();
    let id = report.snapshot.unwrap().id;
    let run = &watched.run;
    let shares = recovery::create(run, &world.storage, &world.keyset, (2, 3)).unwrap();
    recovery::check(run, &world.storage, &shares.shares[..2]).unwrap();
    for (name, blob) in world.memory.blobs() {
        stored(seeds, &world, name.as_str(), &blob.content);
    }
    let repository = world.open(run);
    let root = world.root(run, &repository, &id);
    let manifest = repository.vault().read_manifest(run, &id).unwrap();
    let info = open_manifest(&world.keyset, &manifest).unwrap();
    seeds.add("snapshot", "info", &[1], &record::to_cbor(&info));
    nodes(seeds, run, &repository, &root);
    seeds.add("keyset", "restore", &[0, 0], convert::encode_restore(&world.keyset).expose());
    seeds.add("keyset", "agent", &[1, 0], convert::encode_agent(&machine.keyset).expose());
    let restore = convert::encode_restore(&world.keyset);
    seeds.add("keyset", "restore-body", &[0, 1], body_of(restore.expose()));
    let secrets = record::encode(&keyring_secrets());
    seeds.add("keyring", "secrets", &[1, 0], &secrets);
    seeds.add("keyring", "secrets-body", &[1, 1], body_of(&secrets));
    for share in &shares.shares {
        let name = format!("share-{}", share.index);
        seeds.add("share", &name, &[0], share.encode().expose());
        let bytes = share.encode();
        seeds.add("share", &format!("{name}-body"), &[1], &bytes.expose()[..51]);
        seeds.add("share-words", &name, &[], words::encode(share).as_bytes());
    }
    let two: Vec<u8> = shares.shares[..2]
        .iter()
        .flat_map(|share| share.encode().expose()[..51].to_vec())
        .collect();
    seeds.add("share", "two", &[2], &two);
}

fn keyring_secrets() -> KeyringSecrets {
    let secret = |n| Secret32::new([n; 32]);
    let domain = DomainId::new([1; 16]);
    KeyringSecrets {
        store: (1..4).map(|n| StoreEntry { generation: n, secret: secret(9) }).collect(),
        domains: vec![DomainEntry { domain, generation: 1, secret: secret(8) }],
        restore_suite: 1,
        restore: secret(7),
        admin: secret(6),
        root: Some(secret(5)),
        retired: Some(vec![RetiredEntry { suite: 2, secret: secret(4) }]),
    }
}

/// A record without head and checksum.
fn body_of(record: &[u8]) -> &[u8] {
    &record[10..record.len() - 32]
}

/// What a signed record says, without kind, version and signature.
fn signed_body<R: record::SignedRecord>(bytes: &[u8]) -> Vec<u8> {
    let (_, signed) = record::decode_signed::<R>(bytes).unwrap();
    signed.payload[2..].to_vec()
}

/// One blob of the storage; of each kind the first.
fn stored(seeds: &mut Seeds, world: &World, name: &str, bytes: &[u8]) {
    use lifeboat::format::config::ConfigRecord;
    use lifeboat::format::keyring::KeyringRecord;
    use lifeboat::format::machine::CustodyRecord;
    use lifeboat::format::machine::MachineRecord;
    use lifeboat::format::recipients::RecipientsRecord;
    let folder = name.split('/').next().unwrap();
    let (_, key) = world.keyset.store.newest();
    let repository = world.keyset.repository;
    let mut both = |target, which: &[u8], body: Vec<u8>| {
        seeds.add(target, &format!("{folder}-whole"), &[which, &[0]].concat(), bytes);
        seeds.add(target, &format!("{folder}-body"), &[which, &[1]].concat(), &body);
    };
    match folder {
        "config" => both("config", &[], signed_body::<ConfigRecord>(bytes)),
        "keyring" => both("keyring", &[0], signed_body::<KeyringRecord>(bytes)),
        "recipients" => both("recipients", &[], signed_body::<RecipientsRecord>(bytes)),
        "machines" => both("machine", &[0], signed_body::<MachineRecord>(bytes)),
        "custody" => both("machine", &[1], signed_body::<CustodyRecord>(bytes)),
        "slots" => both("slot", &[], body_of(bytes).to_vec()),
        "packs" => a_pack(seeds, world, bytes),
        "index" => {
            let (_, sealed) = index::split(bytes).unwrap();
            let place = Place { kind: index::INDEX_KIND, repository, name: b"" };
            let body = blind::open_box(key, place, sealed).unwrap();
            seeds.add("index", "file", &[0], bytes);
            seeds.add("index", "body", &[1], &body);
        }
        "manifests" => {
            let manifest = SignedManifest::decode(bytes.to_vec()).unwrap();
            seeds.add("manifest", "whole", &[0], bytes);
            let public = lifeboat::format::manifest::encode_public(&manifest.public).unwrap();
            seeds.add("manifest", "public", &[1], &public);
            SealedPart::decode(manifest.sealed()).unwrap();
            seeds.add("snapshot", "sealed", &[0], manifest.sealed());
        }
        "condemned" => {
            seeds.add("condemned", "file", &[0], bytes);
        }
        "sessions" => {
            seeds.add("session", "file", &[0], bytes);
        }
        _ => {}
    }
    if name.len() <= 110 && folder != "manifests.2" {
        seeds.add("blob-name", folder, &[], name.as_bytes());
    }
}

fn a_pack(seeds: &mut Seeds, world: &World, bytes: &[u8]) {
    let trailer = pack::Trailer::decode(bytes).unwrap();
    let end = bytes.len() - pack::PACK_TRAILER_BYTES;
    let start = end - trailer.table_len_bytes as usize;
    let (_, key) = world.keyset.store.newest();
    let repository = world.keyset.repository;
    let place = Place { kind: pack::PACK_TABLE_KIND, repository, name: b"" };
    let table = blind::open_box(key, place, &bytes[start..end]).unwrap();
    seeds.add("pack", &format!("table-{}", table.len()), &[0], &table);
    seeds.add("pack", "trailer", &[1], &bytes[end..]);
    let rows = pack::decode_rows(&table).unwrap();
    let mut at = 8;
    for row in rows {
        let object = &bytes[at..at + row.len_bytes as usize];
        at += row.len_bytes as usize;
        if row.kind.is_node() && object.len() < 2000 {
            seeds.add("node-refs", &format!("node-{:?}", row.kind), &[0], object);
            let parts = node_refs::split(object).unwrap();
            let place = Place { kind: node_refs::NODE_REFS_KIND, repository, name: b"" };
            let sids = blind::open_box(key, place, parts.sealed_refs).unwrap();
            seeds.add("node-refs", &format!("sids-{}", sids.len() / 32), &[1], &sids);
        }
    }
}

/// Every node of the tree, by kind and size; their frames too.
fn nodes(seeds: &mut Seeds, run: &Run, repository: &Repository, root: &Ref) {
    let mut waiting = vec![(root.clone(), ObjectKind::Branch)];
    while let Some((node, kind)) = waiting.pop() {
        let (raw, sids) = repository.node(run, &node, kind).unwrap();
        let count = u16::try_from(sids.len()).unwrap().to_le_bytes();
        let name = format!("{}-{}", raw.len(), sids.len());
        let head = FrameHead {
            kind,
            codec: lifeboat::format::frame::Codec::None,
            raw_len: u32::try_from(raw.len()).unwrap(),
        };
        let frame = [&head.encode()[..], &raw[..]].concat();
        seeds.add("frame", &format!("{kind:?}"), &[], &frame);
        let raw_len = head.raw_len.to_le_bytes();
        seeds.add(
            "object",
            &format!("{kind:?}"),
            &[&[kind as u8, 1], &raw_len[..]].concat(),
            &frame,
        );
        match kind {
            ObjectKind::Branch => {
                seeds.add("branch", &name, &count, &raw);
                let branch = decode_branch(&raw, &sids).unwrap();
                let below = if branch.level == 1 { ObjectKind::Leaf } else { ObjectKind::Branch };
                waiting.extend(branch.children.iter().map(|c| ((*c.node).clone(), below)));
            }
            ObjectKind::Leaf => {
                seeds.add("leaf", &name, &count, &raw);
                seeds.add("restore-plan", &name, &[&[3], &count[..]].concat(), &raw);
                for entry in decode_leaf(&raw, &sids).unwrap() {
                    if let Content::Map { root, .. } = entry.content {
                        waiting.push(((*root).clone(), ObjectKind::MapBranch));
                    }
                }
            }
            ObjectKind::MapBranch => {
                seeds.add("map", &format!("branch-{name}"), &[&[1], &count[..]].concat(), &raw);
                let branch = map::decode_map_branch(&raw, &sids).unwrap();
                let below = if branch.level == 1 { ObjectKind::Map } else { ObjectKind::MapBranch };
                waiting.extend(branch.children.iter().map(|(node, _)| ((**node).clone(), below)));
            }
            _ => {
                map::decode_map(&raw, &sids).unwrap();
                seeds.add("map", &name, &[&[0], &count[..]].concat(), &raw);
            }
        }
    }
}

fn by_hand(seeds: &mut Seeds) {
    condemned_by_hand(seeds);
    repair_by_hand(seeds);
    let raw = b"some content that zstd makes shorter shorter shorter shorter shorter".repeat(20);
    let packed = zstd::bulk::compress(&raw, 3).unwrap();
    let raw_len = u32::try_from(raw.len()).unwrap();
    let head =
        FrameHead { kind: ObjectKind::Chunk, codec: lifeboat::format::frame::Codec::Zstd, raw_len };
    let frame = [&head.encode()[..], &packed[..], &[0; 9]].concat();
    let input = [&[ObjectKind::Chunk as u8, 1], &raw_len.to_le_bytes()[..]].concat();
    seeds.add("object", "zstd", &input, &frame);
    let tombstone = Tombstone {
        repository: RepositoryId::new([1; 16]),
        machine: MachineId::new([2; 16]),
        source: SourceId::new([3; 16]),
        seq: 9,
        snapshot: SnapshotId::new([4; 32]),
        time: Timestamp::from_unix_ms(1_700_000_000_000),
        signer: KeyId::new([5; 16]),
        reason: "kept by no rule".to_owned(),
    };
    let signed = SignedTombstone { tombstone, signature: [6; 64] };
    seeds.add("tombstone", "one", &[], &signed.encode());
    let words = NoteWords {
        added: vec!["before the merger".to_owned()],
        removed: vec!["daily".to_owned()],
        comment: "asked for by the auditor".to_owned(),
    };
    let sealed = words.encode().unwrap();
    seeds.add("note", "words", &[1], &sealed);
    for (name, number) in [("first", 1), ("next", 2)] {
        let public = NotePublic {
            repository: RepositoryId::new([1; 16]),
            machine: MachineId::new([2; 16]),
            source: SourceId::new([3; 16]),
            seq: 9,
            snapshot: SnapshotId::new([4; 32]),
            number,
            prev: (number > 1).then_some(NoteId::new([8; 16])),
            time: Timestamp::from_unix_ms(1_700_000_000_000),
            signer: KeyId::new([5; 16]),
        };
        let note = SignedNote { public, sealed: sealed.clone(), signature: [6; 64] };
        seeds.add("note", name, &[0], &note.encode().unwrap());
    }
    let parent = Some(SnapshotId::new([7; 32]));
    for (name, parent) in [("first", None), ("next", parent)] {
        let record = session::SessionRecord {
            session: SessionId::new([1; 16]),
            machine: MachineId::new([2; 16]),
            source: SourceId::new([3; 16]),
            parent,
            program: "lifeboat 0.1.0".to_owned(),
        };
        seeds.add("session", name, &[1], &record.encode());
        seeds.add("session", &format!("{name}-file"), &[0], &session::join(1, &record.encode()));
    }
    for (which, suite) in [(0, Suite::X25519), (1, Suite::XWing)] {
        let secret = KemSecret::new(suite, Secret32::new([6; 32]));
        let binding = Binding::Keyring { repository: RepositoryId::new([1; 16]), generation: 1 };
        let envelope = secret.public().seal(binding, b"a snapshot's key of 32 bytes....").unwrap();
        seeds.add("envelope", &format!("{suite:?}"), &[which], &envelope);
        let public = secret.public();
        seeds.add("envelope", &format!("{suite:?}-public"), &[which + 2], public.as_bytes());
    }
    empty_nodes(seeds);
}

/// Leaves and maps at the edges of what is allowed.
fn empty_nodes(seeds: &mut Seeds) {
    let leaf = encode_leaf(&[]);
    seeds.add("leaf", "empty", &[0, 0], &leaf.raw);
    let extents = [
        Extent::Hole { len_bytes: u64::MAX },
        Extent::Chunk {
            chunk: Arc::new(Ref {
                sid: Sid::new([1; 32]),
                key: ObjectKey::new([2; 32]),
                raw_len: 1,
            }),
            digest: Digest::new([3; 32]),
        },
    ];
    let body = map::encode_map(&extents);
    seeds.add("map", "hole", &[0, 1, 0], &body.raw);
}

fn typed(seeds: &mut Seeds) {
    for (name, text) in [("plain", "1234"), ("unit", "64KiB"), ("fraction", "1.5 TiB")] {
        seeds.add("size-and-time", name, &[0], text.as_bytes());
    }
    for (name, number) in [("now", 1_700_000_000_000_i64), ("before", -1), ("edge", i64::MIN)] {
        seeds.add("size-and-time", name, &[1], &number.to_le_bytes());
    }
    seeds.add("path", "stored", &[0], b"home\0user\0a file");
    seeds.add("path", "typed", &[1], b"/home//./user/\xff\xfe/x");
    seeds.add("path", "two", &[2], b"/home/user/x/home/user");
    let patterns: [(&str, &[u8]); 5] = [
        ("names", b"*.o\ntarget/\n!keep.o\0src/keep.o"),
        ("tied", b"/home/*/cache\n**/deep/**\0home/a/cache"),
        ("classes", b"[a-z]?{x,y}\n[!0-9]*\0bqx"),
        ("marker", b"CACHEDIR.TAG:Signature\0a"),
        ("odd", b"# comment\n\\#name\nends\\ \n\0#name"),
    ];
    for (name, input) in patterns {
        seeds.add("exclude", name, &[], input);
    }
    for name in ["laptop", "office", "server"] {
        let file = crate::house::text(&format!("config/{name}.toml"));
        seeds.add("configuration", name, &[], file.as_bytes());
    }
    for (name, text) in [("noon", "0 12 * * *"), ("steps", "*/15 8-17 * * mon-fri")] {
        seeds.add("schedule", name, &[1], text.as_bytes());
    }
    let sizes = |min: u32, avg: u32, max: u32| {
        [min.to_le_bytes(), avg.to_le_bytes(), max.to_le_bytes()].concat()
    };
    let bytes = Random::new(3).bytes(6_000);
    seeds.add("cutting", "small", &[sizes(64, 256, 1024), vec![1]].concat(), &bytes);
    seeds.add("cutting", "equal", &[sizes(1024, 1024, 1024), vec![2]].concat(), &[7; 3000]);
    seeds.add("cutting", "wide", &[sizes(64, 4096, 16_777_216), vec![3]].concat(), &bytes);
}

fn repair_by_hand(seeds: &mut Seeds) {
    let hash = BlobId::new([6; 32]);
    let moved = |name: &str| RepairStep::Moved { name: name.to_owned(), hash };
    let added = |name: &str, from: &str| RepairStep::Added {
        name: name.to_owned(),
        from: from.to_owned(),
        hash,
    };
    let cases = [
        ("copy", vec![moved("config"), added("config", "config.1")]),
        ("pack", vec![added("packs/06/0606", "")]),
    ];
    for (name, steps) in cases {
        let record = RepairRecord {
            repository: RepositoryId::new([1; 16]),
            repair: RepairId::new([2; 16]),
            number: 0,
            time: Timestamp::from_unix_ms(1_700_000_000_000),
            signer: KeyId::new([5; 16]),
            manifests: BlobId::new([7; 32]),
            steps,
        };
        seeds.add("repair", name, &[], &SignedRepair { record, signature: [6; 64] }.encode());
    }
}

fn condemned_by_hand(seeds: &mut Seeds) {
    let given_up = condemned::GivenUp {
        machine: MachineId::new([2; 16]),
        source: SourceId::new([3; 16]),
        seq: 4,
        snapshot: SnapshotId::new([5; 32]),
    };
    for (name, snapshots) in [("packs", vec![]), ("snapshots", vec![given_up])] {
        let packs = vec![PackId::new([6; 32]), PackId::new([7; 32])];
        let id = CondemnedId::new([1; 16]);
        let body = condemned::CondemnedRecord { id, packs, snapshots }.encode().unwrap();
        seeds.add("condemned", name, &[1], &body);
        seeds.add("condemned", &format!("{name}-file"), &[0], &condemned::join(1, &body));
    }
}
