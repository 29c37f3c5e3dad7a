//! The vault over a storage in memory that writes down its calls, fails on request and dates blobs
//! with a clock of its own.

mod adopt;
mod chains;
mod commit;
mod damage;
mod gc;
mod notes;
mod random;
mod session;
mod soon;
mod storage;

use std::sync::Arc;

use crate::clock::ManualClock;
use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::crypto::blind::StoreKeys;
use crate::format::manifest;
use crate::format::manifest::ManifestPublic;
use crate::format::manifest::SignedManifest;
use crate::format::node_refs;
use crate::format::node_refs::NODE_REFS_KIND;
use crate::format::node_refs::NodeParts;
use crate::format::note::SignedNote;
use crate::format::object::ObjectKind;
use crate::format::object::SealedObject;
use crate::format::tombstone::SignedTombstone;
use crate::ids::DomainId;
use crate::ids::KeyId;
use crate::ids::MachineId;
use crate::ids::RepositoryId;
use crate::ids::RunId;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::run::Run;
use crate::run::monitor::Recorder;
use crate::secret::Secret32;
use crate::units::Timestamp;
use crate::vault::Vault;
use crate::vault::VaultOptions;
use crate::vault::chains::Verifier;
use crate::vault::names::Chain;
use crate::vault::names::Place as SnapshotPlace;
use crate::vault::session::Session;
use crate::vault::session::SessionRequest;
use crate::vault::tests::storage::TestStorage;

pub(in crate::vault) const LEASE_MS: i64 = 15 * 60 * 1000;
pub(in crate::vault) const CHAIN: Chain =
    Chain { machine: MachineId::new([2; 16]), source: SourceId::new([3; 16]) };

/// Believes every signature.
pub(in crate::vault) struct Trusting;

impl Verifier for Trusting {
    fn manifest(&self, _: &SignedManifest) -> Result<(), String> {
        Ok(())
    }

    fn tombstone(&self, _: &SignedTombstone) -> Result<(), String> {
        Ok(())
    }

    fn note(&self, _: &SignedNote) -> Result<(), String> {
        Ok(())
    }
}

/// One process over a storage.
pub(in crate::vault) struct Fixture {
    pub storage: Arc<TestStorage>,
    pub recorder: Arc<Recorder>,
    pub clock: Arc<ManualClock>,
    pub run: Run,
    pub vault: Vault,
}

pub(in crate::vault) fn keys() -> StoreKeys {
    StoreKeys::new(RepositoryId::new([1; 16]), vec![(1, Secret32::new([4; 32]))]).unwrap()
}

impl Fixture {
    pub(in crate::vault) fn new() -> Self {
        Self::over(Arc::new(TestStorage::default()))
    }

    /// Another process over the same storage.
    pub(in crate::vault) fn again(&self) -> Self {
        Self::over(Arc::clone(&self.storage))
    }

    fn over(storage: Arc<TestStorage>) -> Self {
        let recorder = Arc::new(Recorder::default());
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(0)));
        let run =
            Run::new(RunId::new([9; 16]), Arc::clone(&recorder) as _, Arc::clone(&clock) as _, 1);
        let program = "test".to_owned();
        let options = VaultOptions { pack_bytes: 4096, lease_ms: LEASE_MS, program };
        let vault = Vault::open(&run, Arc::clone(&storage) as _, keys(), options).unwrap();
        Self { storage, recorder, clock, run, vault }
    }

    pub(in crate::vault) fn session(&self, parent: Option<SnapshotId>) -> Session {
        let request = SessionRequest { machine: CHAIN.machine, source: CHAIN.source, parent };
        self.vault.open_session(&self.run, request).unwrap()
    }

    pub(in crate::vault) fn manifest(&self, session: &Session, root: Sid) -> SignedManifest {
        let head = self.vault.head(&self.run, &CHAIN).unwrap();
        manifest_after(head, session, root)
    }

    /// A snapshot of `count` chunks under one node.
    pub(in crate::vault) fn backup(&self, seed: u32, count: u32) -> (SnapshotId, Vec<Sid>) {
        let mut session = self.session(None);
        let mut sids = Vec::new();
        for number in 0..count {
            let object = chunk(seed, number);
            sids.push(object.sid);
            session.put(object).unwrap();
        }
        let root = node(&sids);
        sids.push(root.sid);
        session.put(root.clone()).unwrap();
        let manifest = self.manifest(&session, root.sid);
        (session.commit(&self.run, &manifest).unwrap(), sids)
    }

    pub(in crate::vault) fn problem_count(&self) -> usize {
        self.recorder.recorded().problems.len()
    }
}

pub(in crate::vault) fn manifest_after(
    head: Option<SnapshotPlace>,
    session: &Session,
    root: Sid,
) -> SignedManifest {
    let public = ManifestPublic {
        repository: keys().repository(),
        machine: session.request.machine,
        source: session.request.source,
        seq: head.map_or(1, |head| head.seq + 1),
        prev: head.map(|head| head.id),
        session: session.id(),
        time: Timestamp::from_unix_ms(5),
        root,
        capsules: vec![],
        raw_bytes_padded: 0,
        entries_padded: 0,
        domain: DomainId::new([6; 16]),
        domain_generation: 1,
        chunker: 1,
        recipients: vec![],
        signer: KeyId::new([7; 16]),
    };
    manifest::sign(manifest::unsigned(&public, b"sealed").unwrap(), &[8; 64]).unwrap()
}

pub(in crate::vault) fn object(kind: ObjectKind, bytes: Vec<u8>) -> SealedObject {
    SealedObject { sid: blind::sid_of(&bytes), kind, bytes }
}

pub(in crate::vault) fn chunk(seed: u32, number: u32) -> SealedObject {
    let mut bytes = vec![0; 1000];
    let seeds = [seed.to_le_bytes(), number.to_le_bytes()].concat();
    blake3::Hasher::new().update(&seeds).finalize_xof().fill(&mut bytes);
    object(ObjectKind::Chunk, bytes)
}

pub(in crate::vault) fn node(children: &[Sid]) -> SealedObject {
    let keys = keys();
    let (generation, key) = keys.newest();
    let place = Place { kind: NODE_REFS_KIND, repository: keys.repository(), name: b"" };
    let message = node_refs::encode_children(children);
    let sealed_refs = &blind::seal_box_deterministic(key, place, &message);
    let parts = NodeParts { generation, sealed_refs, body: b"body" };
    object(ObjectKind::Leaf, node_refs::join(parts).unwrap())
}
