//! A ledger of many records, made without a storage: for fuzzing and for measuring.

use lifeboat::crypto::sign::SigningKey;
use lifeboat::evidence::bundle::Bundle;
use lifeboat::evidence::canonical;
use lifeboat::evidence::checkpoint;
use lifeboat::evidence::checkpoint::Checkpoint;
use lifeboat::evidence::entry::Entry;
use lifeboat::evidence::entry::Kind;
use lifeboat::evidence::entry::LedgerTime;
use lifeboat::evidence::entry::NO_PREV;
use lifeboat::evidence::keys::KeyEvent;
use lifeboat::evidence::keys::OFFICE;
use lifeboat::evidence::signed::Signed;
use lifeboat::evidence::tree;
use lifeboat::evidence::tree::Tree;
use lifeboat::ids::LedgerHash;
use lifeboat::ids::RepositoryId;
use lifeboat::secret::Secret32;
use lifeboat::units::Timestamp;
use serde_json::Value;
use serde_json::json;

struct Maker {
    key: SigningKey,
    bundle: Bundle,
    prev: LedgerHash,
    tree: Tree,
}

impl Maker {
    fn add(&mut self, kind: Kind, subject: &str, mut document: Value) {
        document["author"] = OFFICE.into();
        document["salt"] = "00".into();
        let bytes = canonical::write(&document).expect("a canonical document");
        let document = Signed::sign(&self.key, bytes).expect("a signed document");
        let seq = self.tree.size() + 1;
        let at = Timestamp::from_unix_ms(1_796_090_400_000 + seq.cast_signed() * 60_000);
        let entry = Entry {
            seq,
            time: LedgerTime { at, offset_minutes: 420 },
            ntp_offset_ms: Some(12),
            kind,
            subject: subject.to_owned(),
            actor: OFFICE.to_owned(),
            document: document.hash(),
            prev: self.prev,
        };
        let bytes = entry.encode().expect("an entry");
        let entry = Signed::sign(&self.key, bytes).expect("a signed entry");
        self.prev = entry.hash();
        self.tree.push(tree::leaf(&entry.bytes));
        self.bundle.documents.insert(document.hash(), document);
        self.bundle.entries.insert(seq, entry);
    }
}

/// Records of real restores, founding and checkpoint beside them.
pub(crate) fn bundle(records_count: u64) -> Bundle {
    let key = SigningKey::from_seed(&Secret32::new([7; 32]));
    let origin = checkpoint::origin(RepositoryId::new([1; 16]));
    let bundle = Bundle { origin: origin.clone(), ..Bundle::default() };
    let (root, tree) = (SigningKey::from_seed(&Secret32::new([9; 32])), Tree::default());
    let mut maker = Maker { key, bundle, prev: NO_PREV, tree };
    let root = (&root.verifying_key(), Some(&root));
    let event = KeyEvent::found(&origin, &maker.key.verifying_key(), root);
    maker.add(Kind::Key, OFFICE, serde_json::to_value(event).expect("an event"));
    for n in 0..records_count {
        maker.add(Kind::Restore, &format!("restore-{n}"), record(n));
    }
    let size = maker.tree.size();
    let root = maker.tree.root(size).expect("a root");
    let note = Checkpoint { origin, size, root }.sign(&maker.key);
    maker.bundle.checkpoints.insert(size, note.into_bytes());
    maker.bundle
}

/// As long as a record of a small drill.
fn record(n: u64) -> Value {
    let checks: Vec<Value> = (0..8)
        .map(|check| {
            json!({
                "id": format!("L{check}.folder.names"), "level": check, "mandatory": true,
                "result": "pass", "expected": n, "actual": n, "ms": n % 977,
            })
        })
        .collect();
    json!({
        "schema": Kind::Restore.schema(), "kind": "restore", "record_id": format!("restore-{n}"),
        "legal_profile": "vn-2026", "verdict": "pass",
        "people": {"operator": "cntt-1", "chair": "giam-doc"},
        "items": [{
            "service": "ke-toan", "dataset": "accounts", "machine": "may-chu-1", "level": 2,
            "logical_bytes": n * 4096, "files_count": n, "checked_count": n, "checks": checks,
            "marks": {"t0": 0, "t1": 10, "t2": 20, "t3": 30, "t4": 400, "t5": 410, "t6": 500},
            "verdict": "ĐẠT", "proof_level": "L6",
        }],
    })
}
