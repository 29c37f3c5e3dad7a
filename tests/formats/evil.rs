//! Hostile records: each ends in its error, at once, without a panic and without the memory that it
//! asks for.

use std::process::Command;
use std::sync::Arc;

use lifeboat::clock::ManualClock;
use lifeboat::crypto::blind::StoreKeys;
use lifeboat::crypto::sealed::content::DomainKeys;
use lifeboat::crypto::sealed::hpke::Suite;
use lifeboat::crypto::sealed::slot::MEMORY_KIB_MAX;
use lifeboat::format::branch;
use lifeboat::format::branch::Branch;
use lifeboat::format::branch::BranchChild;
use lifeboat::format::frame::Codec;
use lifeboat::format::frame::FrameHead;
use lifeboat::format::index;
use lifeboat::format::keyring::KeyringRecord;
use lifeboat::format::leaf::decode::decode_leaf;
use lifeboat::format::leaf::encode::encode_leaf;
use lifeboat::format::manifest::SealedPart;
use lifeboat::format::manifest::SignedManifest;
use lifeboat::format::map::decode_map;
use lifeboat::format::node_refs;
use lifeboat::format::object::ObjectKind;
use lifeboat::format::object::Ref;
use lifeboat::format::object::SealedObject;
use lifeboat::format::record;
use lifeboat::format::slot::SlotKind;
use lifeboat::format::slot::SlotPublic;
use lifeboat::format::slot::SlotRecord;
use lifeboat::format::tombstone::SignedTombstone;
use lifeboat::ids::DomainId;
use lifeboat::ids::RepositoryId;
use lifeboat::ids::Sid;
use lifeboat::ids::SlotId;
use lifeboat::meta::Kind;
use lifeboat::meta::Meta;
use lifeboat::path::SnapshotPath;
use lifeboat::repository::keys::unlock::unlock;
use lifeboat::repository::seal::Opener;
use lifeboat::repository::seal::SealKeys;
use lifeboat::repository::seal::Sealer;
use lifeboat::repository::tree::NodeSource;
use lifeboat::repository::tree::reader::TreeReader;
use lifeboat::run::Run;
use lifeboat::run::monitor::Recorder;
use lifeboat::secret::ObjectKey;
use lifeboat::secret::Secret32;
use lifeboat::storage::BlobName;
use lifeboat::storage::Storage;
use lifeboat::storage::memory::MemoryStorage;
use lifeboat::units::Timestamp;

use crate::damage::scene;

/// Says that memory is short, so that what must not be taken cannot be.
const SMALL: &str = "LIFEBOAT_TEST_SMALL_MEMORY";
/// Address space of a test that must do with little: much of it is stacks and the program itself.
const SMALL_KIB: u64 = 1_500_000;

fn path(text: &str) -> SnapshotPath {
    SnapshotPath::from_user(text.as_bytes()).unwrap()
}

fn seal_keys() -> SealKeys {
    let domain = DomainKeys::derive(DomainId::new([5; 16]), 1, &Secret32::new([6; 32]));
    let store = vec![(1, Secret32::new([4; 32]))];
    let store = StoreKeys::new(RepositoryId::new([1; 16]), store).unwrap();
    SealKeys { domain, store, level: 3 }
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap());
    out
}

/// A small record with a right checksum.
fn small_record(kind: u8, version: u8, body: &[u8]) -> Vec<u8> {
    let mut out = [b"LIFEBOAT", &[kind, version][..], body].concat();
    out.extend(blake3::hash(&out).as_bytes());
    out
}

/// What a decoder says, or that it took the bytes.
fn told<T, E: std::fmt::Display>(result: Result<T, E>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "taken".to_owned())
}

#[test]
fn absurd_numbers_are_refused() {
    let many = varint(100_000_000);
    let most = [0xff; 4];
    let huge = [0x9b, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff];
    let leaf = |parts: &[&[u8]]| told(decode_leaf(&parts.concat(), &[]));
    assert_eq!(leaf(&[&[1], &many]), "leaf: 100000000 exceeds the limit of 16384");
    assert_eq!(leaf(&[&[1], &varint(16_384), &[0, 0]]), "leaf column: record ends early");
    assert_eq!(leaf(&[&[1, 1], &many]), "leaf: 100000000 exceeds the limit of 65536");
    let column = [&[1, 1, 0, 4][..], &varint(16 << 20), &[0]].concat();
    assert_eq!(told(decode_leaf(&column, &[])), "leaf: record ends early");
    assert_eq!(told(decode_leaf(&[2, 0, 0], &[])), "leaf: version 2, this program knows 1");
    let branch = [&[1, 1][..], &varint(65_536)].concat();
    let sids = vec![Sid::new([1; 32]); 65_536];
    assert_eq!(told(branch::decode_branch(&branch, &sids)), "branch: record ends early");
    assert_eq!(told(branch::decode_branch(&[1, 16, 0], &[])), "branch: level out of range");
    let map = [&[1, 0][..], &many].concat();
    assert_eq!(told(decode_map(&map, &[])), "map: 100000000 exceeds the limit of 65536");
    let refs = [&[1, 0, 0, 0][..], &most, &[0; 64]].concat();
    assert_eq!(told(node_refs::split(&refs)), "node: record ends early");
    let tables = [&[9; 32][..], &[1, 0, 0, 0], &most].concat();
    assert!(told(index::decode_tables(&tables)).starts_with("index: "), "{tables:?}");
    let manifest = [b"LBMANI\0\x01", &most[..], &[0; 100]].concat();
    assert_eq!(told(SignedManifest::decode(manifest)), "manifest: record ends early");
    let envelope = [&[1][..], &[9; 16], &most, &[0; 64]].concat();
    assert_eq!(told(SealedPart::decode(&envelope)), "manifest's sealed part: record ends early");
    let frame = [&[1, 1, 0, 0][..], &most].concat();
    assert_eq!(told(FrameHead::decode(&frame)), "frame: 4294967295 exceeds the limit of 16777216");
    let tombstone = [b"LBTOMB\0\x01", &[0; 120][..], &many].concat();
    assert!(told(SignedTombstone::decode(&tombstone)).starts_with("tombstone: "));
    let keyring = small_record(4, 1, &[&[0x86][..], &huge].concat());
    let content = record::decode::<lifeboat::format::keyring::KeyringSecrets>(&keyring);
    assert_eq!(told(content), "content of a keyring has an unknown field or a wrong form");
    let text = [0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let slot = small_record(2, 1, &[&[0x82][..], &text].concat());
    assert_eq!(
        told(record::decode::<SlotRecord>(&slot)),
        "slot has an unknown field or a wrong form"
    );
    let deep = small_record(2, 1, &vec![0x81; 60_000]);
    assert_eq!(
        told(record::decode::<SlotRecord>(&deep)),
        "slot has an unknown field or a wrong form"
    );
    let newer = small_record(3, 2, &[0x80]);
    let newer = record::decode_signed::<KeyringRecord>(&newer);
    assert_eq!(told(newer), "keyring of version 2, this program reads up to 1");
}

/// A frame that unpacks to far more than it says ends where it should have ended.
#[test]
fn a_frame_that_unpacks_to_more_than_it_says_is_refused() {
    let bomb = zstd::bulk::compress(&vec![0; 200 << 20], 1).unwrap();
    let head = FrameHead { kind: ObjectKind::Chunk, codec: Codec::Zstd, raw_len: 1000 };
    let mut frame = [&head.encode()[..], &bomb].concat();
    let key = seal_keys().domain.object_key(1, 1, &[], &frame);
    let cipher = <aes_gcm::Aes256Gcm as aes_gcm::KeyInit>::new(key.expose().into());
    let aad = [1, 1, 1, 0];
    let tag = aes_gcm::AeadInOut::encrypt_inout_detached(
        &cipher,
        &[0_u8; 12].into(),
        &aad,
        frame.as_mut_slice().into(),
    );
    frame.extend_from_slice(&tag.unwrap());
    let sid = lifeboat::crypto::blind::sid_of(&frame);
    let node = Ref { sid, key: ObjectKey::new(*key.expose()), raw_len: 1000 };
    let mut opener = Opener::new(RepositoryId::new([1; 16])).unwrap();
    let opened = opener.open_data(&frame, &node, ObjectKind::Chunk);
    assert!(told(opened).starts_with("decompressor: "));
}

/// A small repository with one more slot that asks for so much.
fn with_slot(memory_kib: u32, passes: u32, lanes: u32) -> Arc<dyn Storage> {
    let scene = scene::build(3, Suite::X25519);
    let clock = Arc::new(ManualClock::new(Timestamp::default()));
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::from_blobs(clock, scene.blobs));
    let public = SlotPublic {
        repository: scene.keyset.repository,
        slot: SlotId::new([0; 16]),
        created: Timestamp::default(),
        label: String::new(),
        kind: SlotKind::Passphrase { memory_kib, passes, lanes, salt: [1; 32] },
    };
    let slot = record::encode(&SlotRecord { public, sealed: vec![0; 200] });
    for copy in ["", ".1"] {
        let name = format!("slots/{}{copy}", SlotId::new([0; 16]));
        storage.create(&BlobName::new(&name).unwrap(), &[&slot]).unwrap();
    }
    storage
}

/// Slots that ask for absurd work are named and passed over; the good one still opens.
#[test]
fn slots_that_ask_for_absurd_work_are_passed_over() {
    for (memory, passes, lanes) in [
        (u32::MAX, 1, 1),
        (MEMORY_KIB_MAX + 1, 1, 1),
        (8, u32::MAX, 1),
        (8, 0, 1),
        (8, 1, 0),
        (8, 1, u32::MAX),
        (8, 1, 2),
    ] {
        let storage = with_slot(memory, passes, lanes);
        let recorder = Arc::new(Recorder::default());
        let run = scene::run(Arc::clone(&recorder) as _);
        unlock(&run, &storage, &scene::secret()).unwrap();
        let problems = recorder.recorded().problems;
        assert!(
            problems.iter().any(|problem| problem.message.contains("more than a reader may spend")),
            "{memory} {passes} {lanes}: {problems:?}"
        );
    }
}

/// The most that a slot may ask for, where there is not that much.
#[test]
fn a_slot_that_needs_more_memory_than_there_is_is_an_error() {
    if !std::env::vars_os().any(|(name, _)| name == SMALL) {
        let storage = with_slot(1024, 1, 1);
        let run = scene::run(Arc::new(Recorder::default()));
        unlock(&run, &storage, &scene::secret()).unwrap();
        return;
    }
    let storage = with_slot(MEMORY_KIB_MAX, 1, 1);
    let run = scene::run(Arc::new(Recorder::default()));
    let error = unlock(&run, &storage, &scene::secret()).unwrap_err().to_string();
    assert_eq!(error, "not enough memory for 4194304 KiB of key stretching");
}

/// All of this page again in a process that may take little memory.
#[test]
fn hostile_records_take_little_memory() {
    if std::env::vars_os().any(|(name, _)| name == SMALL) {
        return;
    }
    let limit = format!("ulimit -v {SMALL_KIB} && exec \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &limit])
        .arg(std::env::current_exe().unwrap())
        .args(["formats::evil::", "--test-threads", "1"])
        .env(SMALL, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("test result: ok. 6 passed"), "{told}");
}

/// Nodes in memory.
struct Nodes {
    sealer: Sealer,
    objects: std::collections::BTreeMap<Sid, SealedObject>,
}

impl Nodes {
    fn new() -> Self {
        Self { sealer: Sealer::new(&seal_keys()).unwrap(), objects: Default::default() }
    }

    fn leaf(&mut self, at: &str) -> Arc<Ref> {
        let entry = lifeboat::format::entry::Entry {
            path: path(at),
            meta: Meta::plain(Kind::Directory, 0),
            content: lifeboat::format::entry::Content::None,
        };
        let body = encode_leaf(&[entry]);
        self.keep(ObjectKind::Leaf, &body)
    }

    fn branch(&mut self, level: u8, children: &[(&str, &Arc<Ref>)]) -> Arc<Ref> {
        let child = |(at, node): &(&str, &Arc<Ref>)| BranchChild {
            first: path(at),
            node: Arc::clone(node),
            entries_count: 1,
        };
        let branch = Branch { level, children: children.iter().map(child).collect() };
        self.keep(ObjectKind::Branch, &branch::encode_branch(&branch))
    }

    fn keep(&mut self, kind: ObjectKind, body: &lifeboat::format::leaf::NodeBody) -> Arc<Ref> {
        let (node, object) = self.sealer.seal_node(kind, body).unwrap();
        self.objects.insert(object.sid, object);
        Arc::new(node)
    }
}

/// Opens nodes for a reader of trees.
struct Source {
    objects: std::collections::BTreeMap<Sid, SealedObject>,
    store: StoreKeys,
}

impl NodeSource for Source {
    fn node(
        &self,
        _run: &Run,
        node: &Ref,
        kind: ObjectKind,
    ) -> Result<(Vec<u8>, Vec<Sid>), lifeboat::repository::error::RepositoryError> {
        let mut opener = Opener::new(self.store.repository()).unwrap();
        let opened = opener.open_node(&self.objects[&node.sid].bytes, node, (kind, &self.store));
        let (raw, sids) = opened.unwrap();
        Ok((raw.to_vec(), sids))
    }
}

/// Entries and errors of a walk that must end soon.
fn walk(nodes: Nodes, root: &Ref) -> (usize, usize) {
    let source = Source { objects: nodes.objects, store: seal_keys().store };
    let run = scene::run(Arc::new(Recorder::default()));
    let everything = SnapshotPath::root();
    let (mut entries, mut errors) = (0, 0);
    for leaf in TreeReader::new(&run, &source, root, &everything).take(10_000) {
        match leaf {
            Ok(leaf) => entries += leaf.entries.len(),
            Err(_) => errors += 1,
        }
    }
    (entries, errors)
}

/// Trees that lead to the same nodes again and again, or never down, end.
#[test]
fn endless_trees_end() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut nodes = Nodes::new();
    let leaf = nodes.leaf("a");
    let other = nodes.leaf("b");
    let mut node = nodes.branch(1, &[("a", &leaf), ("b", &other)]);
    for level in 2..16 {
        let same: Vec<(&str, &Arc<Ref>)> = names.iter().map(|name| (*name, &node)).collect();
        node = nodes.branch(level, &same);
    }
    // Eight times the same below each of fourteen branches would be 2^43 leaves.
    let (entries, errors) = walk(nodes, &node);
    assert_eq!(entries, 2);
    assert!(errors < 200, "{errors}");

    let mut nodes = Nodes::new();
    let leaf = nodes.leaf("a");
    let mut node = nodes.branch(1, &[("a", &leaf)]);
    for _ in 0..3000 {
        node = nodes.branch(2, &[("a", &node)]);
    }
    assert_eq!(walk(nodes, &node), (0, 1));
}
