//! A ledger in memory, its office and its people.

use std::sync::Arc;

use serde_json::Value;
use serde_json::json;

use crate::clock::ManualClock;
use crate::crypto::sealed::hpke::KemSecret;
use crate::crypto::sealed::hpke::Suite;
use crate::crypto::sign::SigningKey;
use crate::evidence::entry::Kind;
use crate::evidence::error::EvidenceError;
use crate::evidence::keys::KeyEvent;
use crate::evidence::keys::OFFICE;
use crate::evidence::keys::Right;
use crate::evidence::ledger::Access;
use crate::evidence::ledger::Draft;
use crate::evidence::ledger::Ledger;
use crate::evidence::ledger::Receipt;
use crate::evidence::ledger::Signer;
use crate::ids::RepositoryId;
use crate::ids::RunId;
use crate::run::Run;
use crate::run::monitor::Recorder;
use crate::secret::Secret32;
use crate::storage::memory::MemoryBlobs;
use crate::storage::memory::MemoryStorage;
use crate::units::Timestamp;

/// Who signs records, the number of the key, and in which role.
pub(in crate::evidence) const PEOPLE: [(&str, u8, Right, &str); 3] = [
    ("cntt-1", 2, Right::Operator, "operator"),
    ("ke-toan", 3, Right::Owner, "owner"),
    ("giam-doc", 4, Right::Chair, "chair"),
];

pub(in crate::evidence) struct Scene {
    pub(in crate::evidence) clock: Arc<ManualClock>,
    pub(in crate::evidence) run: Run,
    pub(in crate::evidence) storage: Arc<MemoryStorage>,
}

pub(in crate::evidence) fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&Secret32::new([n; 32]))
}

pub(in crate::evidence) fn signer(holder: &str, n: u8) -> Signer {
    Signer { holder: holder.to_owned(), key: key(n) }
}

pub(in crate::evidence) fn office() -> Signer {
    signer(OFFICE, 1)
}

pub(in crate::evidence) fn secret() -> KemSecret {
    KemSecret::new(Suite::X25519, Secret32::new([5; 32]))
}

pub(in crate::evidence) fn access() -> Access {
    Access {
        repository: RepositoryId::new([1; 16]),
        recipients: vec![secret().public()],
        secrets: vec![secret()],
        offset_minutes: 420,
    }
}

impl Scene {
    pub(in crate::evidence) fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(1_796_090_400_000)));
        let recorder = Arc::new(Recorder::default());
        let run = Run::new(RunId::new([9; 16]), recorder, Arc::clone(&clock) as _, 1);
        let storage = Arc::new(MemoryStorage::new(Arc::clone(&clock) as _));
        Self { clock, run, storage }
    }

    pub(in crate::evidence) fn over(&self, blobs: MemoryBlobs) -> Result<Ledger, EvidenceError> {
        let storage = MemoryStorage::from_blobs(Arc::clone(&self.clock) as _, blobs);
        Ledger::open(&self.run, Arc::new(storage), access())
    }

    pub(in crate::evidence) fn open(&self) -> Ledger {
        Ledger::open(&self.run, Arc::clone(&self.storage) as _, access()).unwrap()
    }

    pub(in crate::evidence) fn founded(&self) -> Ledger {
        let mut ledger = self.open();
        let root = key(9);
        let found = ledger.ensure_founded(&self.run, &key(1), (&root.verifying_key(), Some(&root)));
        found.unwrap();
        ledger
    }

    pub(in crate::evidence) fn add(
        &self,
        ledger: &mut Ledger,
        draft: &Draft,
    ) -> Result<Receipt, EvidenceError> {
        self.clock.jump(1000);
        ledger.append(&self.run, &office(), draft)
    }
}

pub(in crate::evidence) fn transition(drill: &str, to: &str) -> Draft {
    let document = json!({"schema": "lifeboat/drill-transition/1", "to": to});
    Draft::new(Kind::Transition, drill, document)
}

/// What a role says about a record.
pub(in crate::evidence) fn word(kind: Kind, drill: &str, (record, role): (&str, &str)) -> Draft {
    let document: Value = json!({
        "schema": "lifeboat/drill-signature/1", "record": record, "role": role,
        "opinion": "đồng ý",
    });
    Draft::new(kind, drill, document)
}

impl Scene {
    /// Lets in whoever signs records.
    pub(in crate::evidence) fn let_in(&self, ledger: &mut Ledger) {
        for (holder, n, right, _) in PEOPLE {
            let event = KeyEvent::add(holder, &key(n).verifying_key(), &[right]);
            ledger.append_key(&self.run, (&office(), &office()), &event).unwrap();
        }
    }

    /// A drill up to its record.
    pub(in crate::evidence) fn record(
        &self,
        ledger: &mut Ledger,
        (drill, verdict): (&str, &str),
    ) -> Receipt {
        for to in ["planned", "approved", "preflight", "restoring", "verifying", "measured"] {
            self.add(ledger, &transition(drill, to)).unwrap();
        }
        let document = json!({
            "schema": "lifeboat/drill-record/1", "verdict": verdict, "drill": {"class": "D2"},
        });
        self.add(ledger, &Draft::new(Kind::Record, drill, document)).unwrap()
    }

    /// A drill from its planning to its end.
    pub(in crate::evidence) fn whole(&self, ledger: &mut Ledger, (drill, verdict): (&str, &str)) {
        let record = self.record(ledger, (drill, verdict)).document.to_string();
        let closing = json!({"schema": "lifeboat/drill-closing/1", "record": record});
        self.add(ledger, &Draft::new(Kind::Closing, drill, closing)).unwrap();
        for (holder, n, _, role) in PEOPLE {
            self.clock.jump(1000);
            let word = word(Kind::Signature, drill, (&record, role));
            ledger.append(&self.run, &signer(holder, n), &word).unwrap();
        }
        self.add(ledger, &transition(drill, "closed")).unwrap();
    }
}
