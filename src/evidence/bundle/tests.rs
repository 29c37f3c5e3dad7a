mod draws;
mod tampering;

use serde_json::json;

use super::*;
use crate::evidence::bundle::export::export;
use crate::evidence::bundle::finding::Finding;
use crate::evidence::bundle::inspect::NoDraws;
use crate::evidence::bundle::inspect::Report;
use crate::evidence::bundle::inspect::Verdict;
use crate::evidence::bundle::inspect::inspect;
use crate::evidence::bundle::witness::PrintedCode;
use crate::evidence::bundle::witness::Witness;
use crate::evidence::checkpoint::SignedCheckpoint;
use crate::evidence::entry::Kind;
use crate::evidence::keys::Anchor;
use crate::evidence::keys::KeyEvent;
use crate::evidence::keys::Right;
use crate::evidence::keys::fingerprint;
use crate::evidence::ledger::Draft;
use crate::evidence::ledger::Ledger;
use crate::evidence::ledger::Signer;
use crate::evidence::tests::Scene;
use crate::evidence::tests::access;
use crate::evidence::tests::key;
use crate::evidence::tests::office;
use crate::evidence::tests::signer;
use crate::evidence::tests::transition;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Two drills that passed, one that failed, all signed; one more that is planned. What an auditor
/// has on paper of it.
struct Audited {
    ledger: Ledger,
    bundle: Bundle,
    witness: Witness,
}

fn bundle_of(scene: &Scene) -> Bundle {
    let storage = std::sync::Arc::clone(&scene.storage) as _;
    export(&scene.run, &storage, &access()).unwrap()
}

impl Audited {
    fn new() -> Self {
        let scene = Scene::new();
        let mut ledger = scene.founded();
        scene.let_in(&mut ledger);
        let drills = json!([
            {"drill": "D2-2026-12", "due": "2026-12-10T00:00:00.000+07:00"},
            {"drill": "D2-2027-01", "due": "2027-01-10T00:00:00.000+07:00"},
        ]);
        let programme = json!({"schema": "lifeboat/drill-programme/1", "drills": drills});
        scene.add(&mut ledger, &Draft::new(Kind::Programme, "2027", programme)).unwrap();
        for (drill, verdict) in [("D2-2026-12", "pass"), ("D2-x", "fail"), ("D2-2027-01", "pass")] {
            scene.whole(&mut ledger, (drill, verdict));
            ledger.put_checkpoint(&office()).unwrap();
            scene.clock.jump(10 * DAY_MS);
        }
        scene.add(&mut ledger, &transition("D2-2027-02", "planned")).unwrap();
        let (checkpoint, note) = ledger.put_checkpoint(&office()).unwrap();
        let bundle = bundle_of(&scene);
        let witness = Witness {
            anchor: Some(Anchor::Full(fingerprint(&key(1).verifying_key()))),
            codes: vec![PrintedCode { code: checkpoint.code(), size: None }],
            notes: vec![note.into_bytes()],
        };
        Self { ledger, bundle, witness }
    }

    /// Number of the entry of this kind of a drill.
    fn seq(&self, drill: &str, kind: Kind) -> u64 {
        let of = |it: &&crate::evidence::ledger::StoredEntry| {
            it.entry.subject == drill && it.entry.kind == kind
        };
        self.ledger.entries().iter().find(of).unwrap().entry.seq
    }

    fn report(&self, bundle: &Bundle) -> Report {
        inspect(bundle, &self.witness, &NoDraws)
    }
}

/// What is wrong, without notes.
fn wrong(report: &Report) -> Vec<&Finding> {
    let is_wrong = |it: &&Finding| it.class() != finding::Class::Note;
    report.findings.iter().filter(is_wrong).collect()
}

#[test]
fn an_untouched_ledger_is_valid() {
    let audited = Audited::new();
    let report = audited.report(&audited.bundle);
    assert_eq!((report.verdict, wrong(&report)), (Verdict::Valid, vec![]));
    let stage = crate::evidence::drill::Stage::Planned;
    let open = Finding::Open { drill: "D2-2027-02".to_owned(), stage };
    // Planned, and nobody said by when: nothing to say of it.
    assert!(!report.findings.contains(&open));
    assert_eq!(report.findings, []);
    assert_eq!(report.checkpoint, audited.ledger.checkpoint());
    assert_eq!(report.drills_count, 4);
    // The twin on another storage, file by file and in any order.
    let mut files = audited.bundle.files();
    files.reverse();
    let twin = Bundle::from_files(files);
    assert_eq!(twin, audited.bundle);
    let codes = audited.bundle.checkpoints.values().map(|note| {
        let checkpoint = SignedCheckpoint::decode(note).unwrap().checkpoint;
        PrintedCode { code: checkpoint.code(), size: Some(checkpoint.size) }
    });
    let witness = Witness { codes: codes.collect(), ..audited.witness.clone() };
    assert_eq!(inspect(&twin, &witness, &NoDraws).findings, []);
    let nothing = inspect(&twin, &Witness::default(), &NoDraws);
    assert_eq!(nothing.verdict, Verdict::Valid);
    assert_eq!(nothing.findings, [Finding::NoAnchor, Finding::NoWitness]);
}

/// Every file of a bundle, one after the other: away, cut, a bit turned. Nothing but what is for
/// people may change without being told.
#[test]
fn no_file_can_be_touched() {
    let scene = Scene::new();
    let mut ledger = scene.founded();
    scene.let_in(&mut ledger);
    scene.whole(&mut ledger, ("D2-a", "pass"));
    let (checkpoint, note) = ledger.put_checkpoint(&office()).unwrap();
    let witness = Witness {
        anchor: Some(Anchor::Full(fingerprint(&key(1).verifying_key()))),
        codes: vec![PrintedCode { code: checkpoint.code(), size: None }],
        notes: vec![note.into_bytes()],
    };
    let inspected = |files| inspect(&Bundle::from_files(files), &witness, &NoDraws);
    let files = bundle_of(&scene).files();
    for at in 0..files.len() {
        let name = files[at].0.clone();
        let mut less = files.clone();
        less.remove(at);
        let report = inspected(less);
        // A checkpoint or a proof that is gone takes a witness away; the paper is still there. A
        // checkpoint that a proof names is missed by it.
        let is_witness = name.starts_with("checkpoints/") || name.starts_with("proofs/");
        assert!(is_witness || report.verdict != Verdict::Valid, "without {name}");
        for byte in [0, files[at].1.len() / 2, files[at].1.len() - 1] {
            let mut other = files.clone();
            other[at].1[byte] ^= 0x20;
            let report = inspected(other);
            // A line feed more or less at the end of the name of the ledger says nothing else.
            assert!(report.verdict != Verdict::Valid, "{name}, byte {byte}");
        }
    }
}

#[test]
fn drills_that_are_not_over_are_told_and_late_ones_are_missing() {
    let scene = Scene::new();
    let mut ledger = scene.founded();
    scene.let_in(&mut ledger);
    scene.add(&mut ledger, &transition("D2-begun", "planned")).unwrap();
    for to in ["approved", "preflight"] {
        scene.add(&mut ledger, &transition("D2-begun", to)).unwrap();
    }
    let record = scene.record(&mut ledger, ("D2-dirty", "pass"));
    let unsigned = scene.record(&mut ledger, ("D2-unsigned", "pass"));
    let record_of = |it: &crate::evidence::ledger::Receipt| it.document.to_string();
    let closing = json!({"schema": "lifeboat/drill-closing/1", "record": record_of(&unsigned)});
    scene.add(&mut ledger, &Draft::new(Kind::Closing, "D2-unsigned", closing)).unwrap();
    let refusal = crate::evidence::tests::word(
        Kind::Refusal,
        "D2-unsigned",
        (&record_of(&unsigned), "owner"),
    );
    ledger.append(&scene.run, &signer("ke-toan", 3), &refusal).unwrap();
    assert!(record.seq < unsigned.seq);
    let report = inspect(&bundle_of(&scene), &Witness::default(), &NoDraws);
    assert_eq!((report.verdict, wrong(&report)), (Verdict::Valid, vec![]));
    let is_open = |it: &&Finding| matches!(it, Finding::Open { .. });
    assert_eq!(report.findings.iter().filter(is_open).count(), 3);
    let (drill, holder) = ("D2-unsigned".to_owned(), "ke-toan".to_owned());
    assert!(report.findings.contains(&Finding::Refused { drill, holder }));
    scene.clock.jump(15 * DAY_MS);
    scene.add(&mut ledger, &transition("D2-next", "planned")).unwrap();
    let report = inspect(&bundle_of(&scene), &Witness::default(), &NoDraws);
    assert_eq!(report.verdict, Verdict::RecordMissing);
    let named = |drill: &str| drill.to_owned();
    for expected in [
        Finding::NoRecord { drill: named("D2-begun") },
        Finding::NoClosing { drill: named("D2-dirty") },
        Finding::NoSignatures { drill: named("D2-unsigned") },
    ] {
        assert!(report.findings.contains(&expected), "{expected}: {:?}", report.findings);
    }
}

#[test]
fn lost_keys_flag_what_they_signed() {
    let scene = Scene::new();
    let mut ledger = scene.founded();
    let runner = signer("runner", 6);
    let event = KeyEvent::add("runner", &runner.key.verifying_key(), &[Right::Write]);
    ledger.append_key(&scene.run, (&office(), &office()), &event).unwrap();
    let add = |ledger: &mut Ledger, who: &Signer, drill: &str| {
        scene.clock.jump(DAY_MS);
        ledger.append(&scene.run, who, &transition(drill, "planned")).unwrap()
    };
    add(&mut ledger, &runner, "a");
    let second = add(&mut ledger, &runner, "b");
    let since = ledger.entries()[usize::try_from(second.seq).unwrap() - 1].entry.time;
    add(&mut ledger, &runner, "c");
    let new = signer("runner", 7);
    let keys = (&runner.key.verifying_key(), &new.key.verifying_key());
    let event = KeyEvent::replace("runner", keys, ("lost", since));
    ledger.append_key(&scene.run, (&office(), &office()), &event).unwrap();
    add(&mut ledger, &new, "d");
    let report = inspect(&bundle_of(&scene), &Witness::default(), &NoDraws);
    let suspect = Finding::Suspect { holder: "runner".to_owned(), from: 4, to: 5 };
    assert!(report.findings.contains(&suspect), "{:?}", report.findings);
    assert_eq!(report.verdict, Verdict::Valid);
}

#[test]
fn a_bundle_of_nothing_and_of_strangers_is_an_answer() {
    let nothing = inspect(&Bundle::default(), &Witness::default(), &NoDraws);
    assert_eq!(nothing.verdict, Verdict::RecordMissing);
    let audited = Audited::new();
    let mut files = audited.bundle.files();
    files.push(("../x".to_owned(), vec![]));
    files.push(("entries/0000000001.exe".to_owned(), vec![]));
    let report = audited.report(&Bundle::from_files(files));
    assert_eq!(report.verdict, Verdict::Valid);
    assert_eq!(report.findings.len(), 2);
}
