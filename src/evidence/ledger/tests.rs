use serde_json::json;

use super::*;
use crate::evidence::checkpoint::SignedCheckpoint;
use crate::evidence::drill::Stage;
use crate::evidence::drill::StepError;
use crate::evidence::keys::KeyEvent;
use crate::evidence::keys::OFFICE;
use crate::evidence::keys::Right;
use crate::evidence::tests::Scene;
use crate::evidence::tests::access;
use crate::evidence::tests::key;
use crate::evidence::tests::office;
use crate::evidence::tests::signer;
use crate::evidence::tests::transition;
use crate::evidence::tests::word;

#[test]
fn what_is_added_is_there_for_who_opens_the_ledger_next() {
    let scene = Scene::new();
    let mut ledger = scene.founded();
    let receipt = scene.add(&mut ledger, &transition("D2-2026-12-01", "planned")).unwrap();
    assert_eq!(receipt.seq, 2);
    let again = scene.open();
    assert_eq!(again.head(), Some((2, receipt.hash)));
    assert_eq!(again.entries().len(), 2);
    let document = again.document(receipt.document).unwrap();
    assert_eq!((&document["to"], &document["author"]), (&json!("planned"), &json!("office")));
    assert_eq!(again.entries()[1].entry.time.text().unwrap(), "2026-12-01T09:00:01.000+07:00");
    let (state, wrong) = again.drill_state("D2-2026-12-01").unwrap();
    assert_eq!((state.stage, wrong), (Some(Stage::Planned), vec![]));
    let (checkpoint, note) = ledger.put_checkpoint(&office()).unwrap();
    let signed = SignedCheckpoint::decode(note.as_bytes()).unwrap();
    assert!(signed.is_signed_by(&key(1).verifying_key()));
    assert_eq!(signed.checkpoint, checkpoint);
    assert_eq!(again.checkpoint(), Some(checkpoint));
}

#[test]
fn founding_happens_once_and_another_key_is_told() {
    let scene = Scene::new();
    assert!(scene.open().head().is_none());
    let mut early = scene.open();
    let refused = scene.add(&mut early, &transition("D1", "planned"));
    assert!(matches!(refused, Err(EvidenceError::NotFounded)));
    scene.founded();
    scene.founded();
    // One that opened before the founding finds it done.
    let root = key(9).verifying_key();
    early.ensure_founded(&scene.run, &key(1), (&root, None)).unwrap();
    assert_eq!(scene.open().entries().len(), 1);
    let other = scene.open().ensure_founded(&scene.run, &key(2), (&root, None));
    assert!(matches!(other, Err(EvidenceError::OtherLedger { .. })), "{other:?}");
}

#[test]
fn two_writers_take_two_numbers() {
    let scene = Scene::new();
    let mut first = scene.founded();
    let mut second = scene.open();
    for n in 0..10 {
        let (winner, loser) = (format!("D1-a{n}"), format!("D1-b{n}"));
        scene.add(&mut first, &transition(&winner, "planned")).unwrap();
        scene.add(&mut second, &transition(&loser, "planned")).unwrap();
    }
    let ledger = scene.open();
    assert_eq!(ledger.entries().len(), 21);
    for n in 0..10 {
        for drill in [format!("D1-a{n}"), format!("D1-b{n}")] {
            assert_eq!(ledger.drill_state(&drill).unwrap().0.stage, Some(Stage::Planned));
        }
    }
    // Both at once, on threads.
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let scene = &scene;
            scope.spawn(move || {
                let mut ledger = scene.open();
                for n in 0..20 {
                    let drill = format!("D1-t{writer}-{n}");
                    let draft = transition(&drill, "planned");
                    ledger.append(&scene.run, &office(), &draft).unwrap();
                }
            });
        }
    });
    assert_eq!(scene.open().entries().len(), 61);
}

/// The same step by two writers: it is the state after the other's that decides.
#[test]
fn a_step_that_another_writer_has_taken_does_not_follow_again() {
    let scene = Scene::new();
    let mut first = scene.founded();
    let mut second = scene.open();
    scene.add(&mut first, &transition("D1", "planned")).unwrap();
    let twice = scene.add(&mut second, &transition("D1", "planned"));
    let why = StepError::Order { from: "planned", to: "planned" };
    assert!(matches!(&twice, Err(EvidenceError::Step { why: found, .. }) if *found == why));
    assert_eq!(scene.open().entries().len(), 2);
}

#[test]
fn who_may_not_sign_adds_nothing() {
    let scene = Scene::new();
    let mut ledger = scene.founded();
    let before = scene.storage.blobs();
    let planned = transition("D1", "planned");
    for stranger in [signer("nobody", 3), signer(OFFICE, 3), signer("root", 3)] {
        let refused = ledger.append(&scene.run, &stranger, &planned);
        assert!(matches!(refused, Err(EvidenceError::NotASigner { .. })), "{refused:?}");
    }
    let event = KeyEvent::add("x", &key(4).verifying_key(), &[Right::Owner]);
    let stranger = signer("root", 3);
    let refused = ledger.append_key(&scene.run, (&stranger, &stranger), &event);
    assert!(matches!(refused, Err(EvidenceError::Key { .. })), "{refused:?}");
    // Root replaces the office's key, but only root itself.
    let time = ledger.entries()[0].entry.time;
    let keys = (&key(1).verifying_key(), &key(6).verifying_key());
    let event = KeyEvent::replace(OFFICE, keys, ("lost", time));
    let refused = ledger.append_key(&scene.run, (&stranger, &stranger), &event);
    assert!(matches!(refused, Err(EvidenceError::NotASigner { .. })), "{refused:?}");
    assert_eq!(scene.storage.blobs(), before);
    let root = signer("root", 9);
    ledger.append_key(&scene.run, (&root, &root), &event).unwrap();
    ledger.append(&scene.run, &signer(OFFICE, 6), &planned).unwrap();
    let refused = ledger.append(&scene.run, &office(), &transition("D2", "planned"));
    assert!(matches!(refused, Err(EvidenceError::NotASigner { .. })));
    scene.open();
}

#[test]
fn documents_are_sealed_and_of_their_kind() {
    let scene = Scene::new();
    let mut ledger = scene.founded();
    let wrong = Draft::new(Kind::Record, "D1", json!({"schema": "lifeboat/drill-transition/1"}));
    let refused = scene.add(&mut ledger, &wrong);
    assert!(matches!(refused, Err(EvidenceError::Schema { .. })));
    for (field, value) in [("author", json!("me")), ("salt", json!("00"))] {
        let mut draft = transition("D1", "planned");
        draft.document[field] = value;
        let refused = scene.add(&mut ledger, &draft);
        assert!(matches!(refused, Err(EvidenceError::FieldTaken { .. })));
    }
    let mut draft = transition("D1", "planned");
    draft.document["reason"] = json!("dữ liệu ke\u{302}\u{301} toán");
    let receipt = scene.add(&mut ledger, &draft).unwrap();
    let reason = ledger.document(receipt.document).unwrap()["reason"].clone();
    assert_eq!(reason, json!("dữ liệu k\u{1ebf} toán"));
    let blobs = scene.storage.blobs();
    let blob = &blobs[&BlobName::new(&format!("ledger/documents/{}", receipt.document)).unwrap()];
    let shows = |needle: &[u8]| blob.content.windows(needle.len()).any(|part| part == needle);
    assert!(!shows(b"planned") && !shows(b"schema"));
    // Without a key entries can be read and added, documents not.
    let blind = Access { secrets: vec![], ..access() };
    let mut blind = Ledger::open(&scene.run, Arc::clone(&scene.storage) as _, blind).unwrap();
    let unread = blind.document(receipt.document);
    assert!(matches!(unread, Err(EvidenceError::NotARecipient { .. })));
    scene.add(&mut blind, &transition("D9", "planned")).unwrap();
}

#[test]
fn a_clock_that_was_set_back_is_told() {
    let scene = Scene::new();
    let mut ledger = scene.founded();
    scene.add(&mut ledger, &transition("D1", "planned")).unwrap();
    scene.clock.jump(-3000);
    let drill = transition("D2", "planned");
    let set_back = scene.add(&mut ledger, &drill);
    assert!(set_back.is_ok(), "two seconds are drift: {set_back:?}");
    scene.clock.jump(-60_000);
    let set_back = scene.add(&mut ledger, &transition("D3", "planned"));
    assert!(matches!(set_back, Err(EvidenceError::ClockWentBack { .. })));
    let times: Vec<_> = scene.open().entries().iter().map(|it| it.entry.time.at).collect();
    assert!(times.is_sorted());
}

#[test]
fn persons_sign_records_with_their_own_keys() {
    let scene = Scene::new();
    let mut ledger = scene.founded();
    scene.let_in(&mut ledger);
    let drill = "D2-2026-12-01";
    let hash = scene.record(&mut ledger, (drill, "pass")).document.to_string();
    let closing = json!({"schema": "lifeboat/drill-closing/1", "record": hash});
    scene.add(&mut ledger, &Draft::new(Kind::Closing, drill, closing)).unwrap();
    let word = |role: &str| word(Kind::Signature, drill, (&hash, role));
    // Nobody signs in a role that is not theirs.
    let wrong = ledger.append(&scene.run, &signer("ke-toan", 3), &word("operator"));
    assert!(matches!(wrong, Err(EvidenceError::NotASigner { .. })));
    let wrong = ledger.append(&scene.run, &office(), &word("operator"));
    assert!(matches!(wrong, Err(EvidenceError::NotASigner { .. })));
    // A person writes nothing else.
    let wrong = ledger.append(&scene.run, &signer("cntt-1", 2), &transition("D9", "planned"));
    assert!(matches!(wrong, Err(EvidenceError::NotASigner { .. })));
    ledger.append(&scene.run, &signer("cntt-1", 2), &word("operator")).unwrap();
    let for_owner = (&office(), &signer("ke-toan", 3));
    ledger.append_for(&scene.run, for_owner, &word("owner")).unwrap();
    ledger.append(&scene.run, &signer("giam-doc", 4), &word("chair")).unwrap();
    scene.add(&mut ledger, &transition(drill, "closed")).unwrap();
    let (state, wrong) = scene.open().drill_state(drill).unwrap();
    assert_eq!((state.stage, wrong), (Some(Stage::Closed), vec![]));
}

/// Every blob of a ledger, one after the other, away or with a bit turned: the next who opens it
/// says so, but for documents, which are read when they are asked for.
#[test]
fn a_ledger_that_was_touched_is_not_added_to() {
    let scene = Scene::new();
    let mut ledger = scene.founded();
    for n in 0..3 {
        scene.add(&mut ledger, &transition(&format!("D{n}"), "planned")).unwrap();
    }
    let whole = scene.storage.blobs();
    let last = BlobName::new(&LedgerName::Entry(4).to_string()).unwrap();
    for name in whole.keys().filter(|name| name.as_str().starts_with(LEDGER_ENTRIES)) {
        let mut without = whole.clone();
        without.remove(name);
        let opened = scene.over(without);
        // That the end is missing shows against a checkpoint only.
        assert_eq!(opened.is_ok(), *name == last, "without {name}");
        let mut altered = whole.clone();
        let blob = altered.get_mut(name).unwrap();
        let mut content = blob.content.to_vec();
        let at = content.len() / 2;
        content[at] ^= 1;
        blob.content = content.into();
        assert!(scene.over(altered).is_err(), "{name} altered");
    }
    scene.over(whole).unwrap();
}
