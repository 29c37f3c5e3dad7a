//! Eleven ways to tamper with a ledger, by strangers and by who holds its keys.

use crate::crypto::sign::SigningKey;
use crate::evidence::bundle::Bundle;
use crate::evidence::bundle::finding::CheckpointFault;
use crate::evidence::bundle::finding::DocumentFault;
use crate::evidence::bundle::finding::Finding;
use crate::evidence::bundle::inspect::NoDraws;
use crate::evidence::bundle::inspect::Verdict;
use crate::evidence::bundle::inspect::inspect;
use crate::evidence::bundle::tests::Audited;
use crate::evidence::bundle::tests::DAY_MS;
use crate::evidence::bundle::tests::bundle_of;
use crate::evidence::bundle::tests::wrong;
use crate::evidence::bundle::witness::PrintedCode;
use crate::evidence::bundle::witness::Witness;
use crate::evidence::chain::Break;
use crate::evidence::checkpoint::Checkpoint;
use crate::evidence::entry::Entry;
use crate::evidence::entry::Kind;
use crate::evidence::keys::OFFICE;
use crate::evidence::signed::Signed;
use crate::evidence::tests::Scene;
use crate::evidence::tests::key;
use crate::evidence::tests::office;
use crate::evidence::tree;
use crate::evidence::tree::Tree;

/// Everything from `seq` on, signed and linked anew as whoever holds the keys can do it.
fn forged(bundle: &mut Bundle, from: u64) {
    let keys = [("office", 1), ("cntt-1", 2), ("ke-toan", 3), ("giam-doc", 4)];
    let mut prev = bundle.entries.get(&(from - 1)).unwrap().hash();
    let all: Vec<_> = std::mem::take(&mut bundle.entries).into_iter().collect();
    for ((_, file), seq) in all.into_iter().zip(1..) {
        if seq < from {
            bundle.entries.insert(seq, file);
            continue;
        }
        let mut entry = Entry::decode(&file.bytes).unwrap();
        (entry.seq, entry.prev) = (seq, prev);
        let n = keys.iter().find(|(holder, _)| *holder == entry.actor).unwrap().1;
        let file = Signed::sign(&key(n), entry.encode().unwrap()).unwrap();
        prev = file.hash();
        bundle.entries.insert(seq, file);
    }
}

/// Checkpoints of a forged ledger, as its keys can make them.
fn checkpoints(bundle: &mut Bundle, key: &SigningKey) {
    let mut tree = Tree::default();
    for file in bundle.entries.values() {
        tree.push(tree::leaf(&file.bytes));
    }
    bundle.checkpoints.clear();
    bundle.proofs.clear();
    let (size, origin) = (tree.size(), bundle.origin.clone());
    let note = Checkpoint { origin, size, root: tree.root(size).unwrap() }.sign(key);
    bundle.checkpoints.insert(size, note.into_bytes());
}

#[test]
fn tampering_1_an_edit_is_found() {
    let audited = Audited::new();
    let seq = audited.seq("D2-x", Kind::Record);
    // Of the entry.
    let mut bundle = audited.bundle.clone();
    let file = bundle.entries.get_mut(&seq).unwrap();
    let text = String::from_utf8(file.bytes.clone()).unwrap();
    file.bytes = text.replace("D2-x", "D2-y").into_bytes();
    let report = audited.report(&bundle);
    assert_eq!(report.verdict, Verdict::Invalid);
    let why = Break::Signature { holder: OFFICE.to_owned() };
    assert!(report.findings.contains(&Finding::Entry { seq, why }));
    assert!(report.findings.contains(&Finding::Entry { seq: seq + 1, why: Break::Link }));
    // Of the document: a fail becomes a pass.
    let mut bundle = audited.bundle.clone();
    let hash = audited.ledger.entries()[usize::try_from(seq).unwrap() - 1].entry.document;
    let file = bundle.documents.get_mut(&hash).unwrap();
    let text = String::from_utf8(file.bytes.clone()).unwrap();
    file.bytes = text.replace("\"fail\"", "\"pass\"").into_bytes();
    let report = audited.report(&bundle);
    let why = DocumentFault::Altered;
    assert_eq!(wrong(&report), [&Finding::Document { seq, why }]);
    assert_eq!(report.verdict, Verdict::Invalid);
    // With the file named as its new hash asks for, the entry's document is missing.
    let file = bundle.documents.remove(&hash).unwrap();
    bundle.documents.insert(file.hash(), file);
    assert_eq!(audited.report(&bundle).verdict, Verdict::RecordMissing);
}

#[test]
fn tampering_2_an_entry_taken_from_the_middle_is_found() {
    let audited = Audited::new();
    let seq = audited.seq("D2-x", Kind::Record);
    let mut bundle = audited.bundle.clone();
    bundle.entries.remove(&seq);
    // Whether its proof goes with it or not.
    for _ in 0..2 {
        let report = audited.report(&bundle);
        assert_eq!(report.verdict, Verdict::RecordMissing, "{report:?}");
        assert!(report.findings.contains(&Finding::Gap { from: seq, to: seq }));
        bundle.proofs.remove(&seq);
    }
}

#[test]
fn tampering_3_a_cut_end_is_found_by_any_witness() {
    let audited = Audited::new();
    let last = audited.bundle.entries.len() as u64;
    let mut bundle = audited.bundle.clone();
    bundle.entries.remove(&last);
    // What is left has a checkpoint of its own that does not fit.
    let report = inspect(&bundle, &Witness::default(), &NoDraws);
    assert_eq!(report.verdict, Verdict::RecordMissing);
    assert_eq!(wrong(&report), [&Finding::Cut { size: last, last: last - 1 }]);
    // Without it, the note that was sent and the code that was printed do.
    bundle.checkpoints.remove(&last);
    bundle.proofs.clear();
    assert_eq!(inspect(&bundle, &Witness::default(), &NoDraws).verdict, Verdict::Valid);
    for witness in [
        Witness { codes: vec![], ..audited.witness.clone() },
        Witness { notes: vec![], ..audited.witness.clone() },
    ] {
        let report = inspect(&bundle, &witness, &NoDraws);
        assert_eq!(report.verdict, Verdict::RecordMissing, "{:?}", report.findings);
    }
}

#[test]
fn tampering_4_another_order_is_found() {
    let audited = Audited::new();
    let seq = audited.seq("D2-x", Kind::Record);
    let mut bundle = audited.bundle.clone();
    let (one, two) = (bundle.entries[&seq].clone(), bundle.entries[&(seq + 1)].clone());
    bundle.entries.insert(seq, two);
    bundle.entries.insert(seq + 1, one);
    let report = audited.report(&bundle);
    assert_eq!(report.verdict, Verdict::Invalid);
    let why = Break::Number { found: seq + 1 };
    assert!(report.findings.contains(&Finding::Entry { seq, why }));
}

/// FG26 a: the failed drill's record is taken out and the rest numbered anew.
#[test]
fn tampering_5_numbers_made_anew_are_found() {
    let audited = Audited::new();
    let seq = audited.seq("D2-x", Kind::Record);
    let mut bundle = audited.bundle.clone();
    bundle.entries.remove(&seq);
    let all: Vec<_> = std::mem::take(&mut bundle.entries).into_values().collect();
    bundle.entries = (1..).zip(all).collect();
    let report = audited.report(&bundle);
    assert_eq!(report.verdict, Verdict::Invalid);
    let why = Break::Number { found: seq + 1 };
    assert!(report.findings.contains(&Finding::Entry { seq, why }));
    assert!(report.findings.contains(&Finding::Entry { seq, why: Break::Link }));
}

/// By who holds the key, with all that follows signed anew.
#[test]
fn tampering_6_an_earlier_date_is_found() {
    let audited = Audited::new();
    let seq = audited.seq("D2-x", Kind::Record);
    let mut bundle = audited.bundle.clone();
    let mut entry = Entry::decode(&bundle.entries[&seq].bytes).unwrap();
    entry.time.at.unix_ms -= DAY_MS;
    let file = Signed::sign(&key(1), entry.encode().unwrap()).unwrap();
    bundle.entries.insert(seq, file);
    forged(&mut bundle, seq);
    checkpoints(&mut bundle, &key(1));
    let report = inspect(&bundle, &Witness::default(), &NoDraws);
    assert_eq!(wrong(&report), [&Finding::Entry { seq, why: Break::BackDated }]);
    assert_eq!(report.verdict, Verdict::Invalid);
}

#[test]
fn tampering_7_a_forged_signature_is_found() {
    let audited = Audited::new();
    for kind in [Kind::Record, Kind::Signature, Kind::Closing] {
        let seq = audited.seq("D2-x", kind);
        let mut bundle = audited.bundle.clone();
        bundle.entries.get_mut(&seq).unwrap().signature[10] ^= 1;
        let report = audited.report(&bundle);
        assert!(matches!(
            wrong(&report)[..],
            [Finding::Entry { why: Break::Signature { .. }, .. }]
        ));
        let mut bundle = audited.bundle.clone();
        let hash = Entry::decode(&bundle.entries[&seq].bytes).unwrap().document;
        bundle.documents.get_mut(&hash).unwrap().signature[63] ^= 1;
        let report = audited.report(&bundle);
        assert!(matches!(
            wrong(&report)[..],
            [Finding::Document { why: DocumentFault::Signature { .. }, .. }]
        ));
    }
}

#[test]
fn tampering_8_a_foreign_key_is_found() {
    let audited = Audited::new();
    let seq = audited.seq("D2-x", Kind::Record);
    // A holder's name with another key.
    let mut bundle = audited.bundle.clone();
    let text = bundle.entries[&seq].bytes.clone();
    bundle.entries.insert(seq, Signed::sign(&key(77), text).unwrap());
    assert_eq!(audited.report(&bundle).verdict, Verdict::Invalid);
    // A name that the ledger does not know.
    let mut bundle = audited.bundle.clone();
    let mut entry = Entry::decode(&bundle.entries[&seq].bytes).unwrap();
    "stranger".clone_into(&mut entry.actor);
    bundle.entries.insert(seq, Signed::sign(&key(77), entry.encode().unwrap()).unwrap());
    let holder = "stranger".to_owned();
    let why = Break::UnknownSigner { holder };
    assert!(audited.report(&bundle).findings.contains(&Finding::Entry { seq, why }));
    // A whole ledger that somebody else founded, in itself without a fault.
    let other = Scene::new();
    let mut ledger = other.open();
    let root = key(55).verifying_key();
    ledger.ensure_founded(&other.run, &key(66), (&root, None)).unwrap();
    let report = inspect(&bundle_of(&other), &audited.witness, &NoDraws);
    assert!(report.findings.contains(&Finding::OtherLedger));
    assert_eq!(report.verdict, Verdict::Invalid);
    assert_eq!(inspect(&bundle_of(&other), &Witness::default(), &NoDraws).verdict, Verdict::Valid);
    // A checkpoint by a key that may not write.
    let mut bundle = audited.bundle.clone();
    checkpoints(&mut bundle, &key(2));
    let report = audited.report(&bundle);
    let why = CheckpointFault::Unsigned;
    let size = bundle.entries.len() as u64;
    assert_eq!(wrong(&report), [&Finding::Checkpoint { size, why }]);
}

/// Who refused has signed before: somebody brings that word in once more.
#[test]
fn a_word_that_is_said_again_by_others_is_found() {
    let audited = Audited::new();
    let seq = audited.seq("D2-x", Kind::Signature);
    let mut bundle = audited.bundle.clone();
    let last = bundle.entries.len() as u64;
    let mut entry = Entry::decode(&bundle.entries[&seq].bytes).unwrap();
    entry.time = Entry::decode(&bundle.entries[&last].bytes).unwrap().time;
    (entry.seq, entry.prev) = (last + 1, bundle.entries[&last].hash());
    OFFICE.clone_into(&mut entry.actor);
    let file = Signed::sign(&key(1), entry.encode().unwrap()).unwrap();
    bundle.entries.insert(last + 1, file);
    let report = audited.report(&bundle);
    let twice = Finding::Entry { seq: last + 1, why: Break::DocumentUsed };
    assert!(report.findings.contains(&twice), "{:?}", report.findings);
    assert_eq!(report.verdict, Verdict::Invalid);
}

/// By who holds all keys: no link is broken, no signature wrong, no number missing.
#[test]
fn tampering_9_a_failed_drill_that_was_dropped_is_found() {
    let audited = Audited::new();
    let mut bundle = audited.bundle.clone();
    let first = audited.seq("D2-x", Kind::Transition);
    bundle.entries.retain(|_, file| Entry::decode(&file.bytes).unwrap().subject != "D2-x");
    forged(&mut bundle, first);
    checkpoints(&mut bundle, &key(1));
    let alone = inspect(&bundle, &Witness::default(), &NoDraws);
    assert_eq!((alone.verdict, wrong(&alone)), (Verdict::Valid, vec![]));
    // The paper and the mail know better.
    let printed = Witness { notes: vec![], ..audited.witness.clone() };
    assert_eq!(inspect(&bundle, &printed, &NoDraws).verdict, Verdict::RecordMissing);
    let sent = Witness { codes: vec![], ..audited.witness.clone() };
    assert_eq!(inspect(&bundle, &sent, &NoDraws).verdict, Verdict::RecordMissing);
    // One that was printed after that drill, with its size.
    let size = first + 12;
    let root = audited.ledger.checkpoint().unwrap();
    let mut tree = Tree::default();
    audited.bundle.entries.values().for_each(|file| tree.push(tree::leaf(&file.bytes)));
    let root = Checkpoint { size, root: tree.root(size).unwrap(), ..root };
    let codes = vec![PrintedCode { code: root.code(), size: Some(size) }];
    let report = inspect(&bundle, &Witness { codes, notes: vec![], anchor: None }, &NoDraws);
    assert_eq!(report.verdict, Verdict::Invalid, "{:?}", report.findings);
}

/// A drill of the programme that nobody held, and no word why.
#[test]
fn tampering_10_a_planned_drill_that_was_dropped_is_found() {
    let audited = Audited::new();
    let mut bundle = audited.bundle.clone();
    let first = audited.seq("D2-2026-12", Kind::Transition);
    bundle.entries.retain(|_, file| Entry::decode(&file.bytes).unwrap().subject != "D2-2026-12");
    forged(&mut bundle, first);
    checkpoints(&mut bundle, &key(1));
    let report = inspect(&bundle, &Witness::default(), &NoDraws);
    let (drill, due) = ("D2-2026-12".to_owned(), "2026-12-10T00:00:00.000+07:00".to_owned());
    assert_eq!(wrong(&report), [&Finding::NotHeld { drill, due }]);
    assert_eq!(report.verdict, Verdict::RecordMissing);
}

/// FG26 c: valid in itself, and older than what is on paper.
#[test]
fn tampering_11_last_weeks_ledger_put_back_is_found() {
    let scene = Scene::new();
    let mut ledger = scene.founded();
    scene.let_in(&mut ledger);
    scene.whole(&mut ledger, ("D2-a", "pass"));
    ledger.put_checkpoint(&office()).unwrap();
    let old = bundle_of(&scene);
    scene.clock.jump(7 * DAY_MS);
    scene.whole(&mut ledger, ("D2-b", "fail"));
    let (checkpoint, note) = ledger.put_checkpoint(&office()).unwrap();
    assert_eq!(inspect(&old, &Witness::default(), &NoDraws).verdict, Verdict::Valid);
    let (code, size) = (checkpoint.code(), Some(checkpoint.size));
    for witness in [
        Witness { codes: vec![PrintedCode { code: code.clone(), size }], ..Witness::default() },
        Witness { codes: vec![PrintedCode { code, size: None }], ..Witness::default() },
        Witness { notes: vec![note.into_bytes()], ..Witness::default() },
    ] {
        assert_eq!(inspect(&old, &witness, &NoDraws).verdict, Verdict::RecordMissing);
        assert_eq!(inspect(&bundle_of(&scene), &witness, &NoDraws).verdict, Verdict::Valid);
    }
}
