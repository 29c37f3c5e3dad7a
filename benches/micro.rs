//! What a byte and an object cost: cutting, sealing, opening, encoding, index look-up.
//!
//! `cargo bench --bench micro [NAME]`. Input is made from a seed, so runs compare.
#![expect(clippy::expect_used, reason = "a bench that cannot be set up ends")]

use std::sync::Arc;

use divan::Bencher;
use divan::counter::BytesCount;
use divan::counter::ItemsCount;
use lifeboat::backup::Cutting;
use lifeboat::chunk::Cutter;
use lifeboat::clock::SystemClock;
use lifeboat::crypto::blind;
use lifeboat::crypto::blind::StoreKeys;
use lifeboat::crypto::sealed::content::DomainKeys;
use lifeboat::evidence::bundle::inspect::NoDraws;
use lifeboat::evidence::bundle::inspect::Verdict;
use lifeboat::evidence::bundle::inspect::inspect;
use lifeboat::evidence::bundle::witness::Witness;
use lifeboat::format::entry::Content;
use lifeboat::format::entry::Entry;
use lifeboat::format::leaf::decode::decode_leaf;
use lifeboat::format::leaf::encode::encode_leaf;
use lifeboat::format::object::ObjectKind;
use lifeboat::format::object::Ref;
use lifeboat::format::object::SealedObject;
use lifeboat::ids::Digest;
use lifeboat::ids::DomainId;
use lifeboat::ids::MachineId;
use lifeboat::ids::RepositoryId;
use lifeboat::ids::RunId;
use lifeboat::ids::Sid;
use lifeboat::ids::SourceId;
use lifeboat::meta::Kind;
use lifeboat::meta::Meta;
use lifeboat::path::SnapshotPath;
use lifeboat::repository::seal::Opener;
use lifeboat::repository::seal::SealKeys;
use lifeboat::repository::seal::Sealer;
use lifeboat::repository::seal::effort::LEVEL_DEFAULT;
use lifeboat::run::Run;
use lifeboat::run::monitor::Silent;
use lifeboat::secret::ObjectKey;
use lifeboat::secret::Secret32;
use lifeboat::storage::memory::MemoryStorage;
use lifeboat::vault::Vault;
use lifeboat::vault::VaultOptions;
use lifeboat::vault::session::SessionRequest;

#[path = "../tests/evidence/maker.rs"]
mod maker;

fn main() {
    divan::main();
}

const BUNDLE_BYTES: usize = 512 * 1024;
const CUT_BYTES: usize = 64 * 1024 * 1024;
const LEAF_ENTRIES: u64 = 1_000;
const LOOK_UPS: usize = 10_000;

fn noise(len: usize, seed: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().update(seed).finalize_xof().fill(&mut bytes);
    bytes
}

/// Lines of words, so that it shrinks about as source text does.
fn text(len: usize) -> Vec<u8> {
    let choices = noise(len, b"text");
    let mut bytes = Vec::with_capacity(len + 16);
    for choice in choices {
        let word: &[u8] = match choice {
            0..=31 => b"\n\tstatic int ",
            32..=63 => b"return ",
            64..=95 => b"struct device *",
            96..=127 => b"0x",
            128..=159 => b" = ",
            160..=191 => b"->",
            _ => std::slice::from_ref(&ALPHABET[usize::from(choice) % ALPHABET.len()]),
        };
        bytes.extend_from_slice(word);
        if bytes.len() >= len {
            break;
        }
    }
    bytes.truncate(len);
    bytes
}

const ALPHABET: &[u8; 27] = b"abcdefghijklmnopqrstuvwxyz_";

fn keys() -> SealKeys {
    let repository = RepositoryId::new([1; 16]);
    let domain = DomainKeys::derive(DomainId::new([2; 16]), 1, &Secret32::new([3; 32]));
    let store = StoreKeys::new(repository, vec![(1, Secret32::new([4; 32]))]).expect("one key");
    SealKeys { domain, store, level: LEVEL_DEFAULT }
}

/// Content-defined cutting of bytes that hold no pattern.
#[divan::bench]
fn cut(bencher: Bencher<'_, '_>) {
    let bytes = noise(CUT_BYTES, b"cut");
    let cutter = Cutter::new(Cutting::DEFAULT.chunks, keys().domain.gear_table()).expect("sizes");
    bencher.counter(BytesCount::new(CUT_BYTES)).bench(|| {
        let (mut at, mut count) = (0, 0_u32);
        while at < bytes.len() {
            at += cutter.cut(&bytes[at..]);
            count += 1;
        }
        count
    });
}

/// Compress, derive, seal, hash, open again and compare.
#[divan::bench]
fn seal_text(bencher: Bencher<'_, '_>) {
    seal(bencher, &text(BUNDLE_BYTES));
}

/// The same for what does not shrink.
#[divan::bench]
fn seal_noise(bencher: Bencher<'_, '_>) {
    seal(bencher, &noise(BUNDLE_BYTES, b"seal"));
}

fn seal(bencher: Bencher<'_, '_>, raw: &[u8]) {
    let mut sealer = Sealer::new(&keys()).expect("a sealer");
    bencher
        .counter(BytesCount::new(raw.len()))
        .bench_local(|| sealer.seal_data(ObjectKind::Bundle, raw).expect("sealed").0.raw_len);
}

#[divan::bench]
fn open_text(bencher: Bencher<'_, '_>) {
    let keys = keys();
    let raw = text(BUNDLE_BYTES);
    let mut sealer = Sealer::new(&keys).expect("a sealer");
    let (reference, object) = sealer.seal_data(ObjectKind::Bundle, &raw).expect("sealed");
    let mut opener = Opener::new(keys.store.repository()).expect("an opener");
    bencher.counter(BytesCount::new(raw.len())).bench_local(|| {
        let opened = opener.open_data(&object.bytes, &reference, ObjectKind::Bundle);
        opened.expect("opened").len()
    });
}

fn entries() -> Vec<Entry> {
    let bundle = Ref { sid: Sid::new([5; 32]), key: ObjectKey::new([6; 32]), raw_len: 512 * 1024 };
    let bundle = Arc::new(bundle);
    let entry = |number: u64| {
        let path = format!("folder/{:03}/file-{number:06}.c", number / 40);
        let digest = Digest::new(blind::hash(path.as_bytes()));
        let (bundle, offset) = (Arc::clone(&bundle), u32::try_from(number).unwrap_or(0) * 500);
        Entry {
            path: SnapshotPath::from_user(path.as_bytes()).expect("a path"),
            meta: Meta { inode: number, ..Meta::plain(Kind::File, 500) },
            content: Content::Slice { bundle, offset, len: 500, digest },
        }
    };
    (0..LEAF_ENTRIES).map(entry).collect()
}

#[divan::bench]
fn encode_entries(bencher: Bencher<'_, '_>) {
    let entries = entries();
    bencher.counter(ItemsCount::new(LEAF_ENTRIES)).bench(|| encode_leaf(&entries).raw.len());
}

#[divan::bench]
fn decode_entries(bencher: Bencher<'_, '_>) {
    let body = encode_leaf(&entries());
    bencher
        .counter(ItemsCount::new(LEAF_ENTRIES))
        .bench(|| decode_leaf(&body.raw, &body.children).expect("decoded").len());
}

/// Where an object lies, in an index of so many.
#[divan::bench(args = [1_000, 100_000, 1_000_000])]
fn look_up(bencher: Bencher<'_, '_>, objects_count: usize) {
    let clock = Arc::new(SystemClock::new());
    let run = Run::new(RunId::new([7; 16]), Arc::new(Silent), clock.clone(), 0);
    let options = VaultOptions {
        pack_bytes: 16 * 1024 * 1024,
        lease_ms: 15 * 60 * 1000,
        program: "bench".to_owned(),
    };
    let storage = Arc::new(MemoryStorage::new(clock));
    let vault = Vault::open(&run, storage, keys().store, options).expect("a vault");
    let request = SessionRequest {
        machine: MachineId::new([8; 16]),
        source: SourceId::new([9; 16]),
        parent: None,
    };
    let session = vault.open_session(&run, request).expect("a session");
    let mut sids = Vec::with_capacity(objects_count);
    for number in 0..objects_count {
        let bytes = number.to_le_bytes().to_vec();
        let sid = blind::sid_of(&bytes);
        session.put(SealedObject { sid, kind: ObjectKind::Chunk, bytes }).expect("put");
        sids.push(sid);
    }
    session.suspend(&run).expect("written");
    // What another process reads: one sorted table.
    vault.refresh();
    vault.locate(&run, &sids[0]).expect("a loaded index");
    let step = (objects_count / LOOK_UPS).max(1);
    bencher.counter(ItemsCount::new(sids.iter().step_by(step).count())).bench(|| {
        let found = |sid| vault.locate(&run, sid).is_ok_and(|place| place.is_some());
        assert!(sids.iter().step_by(step).all(found), "an object is missing");
    });
}

/// A bundle of so many records, every signature and hash of it.
#[divan::bench(args = [1_000, 10_000])]
fn inspect_evidence(bencher: Bencher<'_, '_>, records_count: u64) {
    let bundle = maker::bundle(records_count);
    bencher.counter(ItemsCount::new(records_count)).bench(|| {
        let report = inspect(&bundle, &Witness::default(), &NoDraws);
        assert_eq!(report.verdict, Verdict::Valid);
    });
}
