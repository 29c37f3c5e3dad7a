use crate::format::note::NotePublic;
use crate::format::note::SignedNote;
use crate::ids::KeyId;
use crate::ids::NoteId;
use crate::ids::RepositoryId;
use crate::ids::SnapshotId;
use crate::units::Timestamp;
use crate::vault::chains::Copies;
use crate::vault::error::Fault;
use crate::vault::names::NotePlace;
use crate::vault::names::Place;
use crate::vault::notes::NoteFinding;
use crate::vault::notes::Notes;
use crate::vault::tests::CHAIN;
use crate::vault::tests::Fixture;
use crate::vault::tests::Trusting;

const SNAPSHOT: Place = Place { chain: CHAIN, seq: 7, id: SnapshotId::new([9; 32]) };

fn note(number: u32, prev: Option<NoteId>, words: &[u8]) -> SignedNote {
    let public = NotePublic {
        repository: RepositoryId::new([1; 16]),
        machine: CHAIN.machine,
        source: CHAIN.source,
        seq: SNAPSHOT.seq,
        snapshot: SNAPSHOT.id,
        number,
        prev,
        time: Timestamp::from_unix_ms(5),
        signer: KeyId::new([6; 16]),
    };
    SignedNote { public, sealed: words.to_vec(), signature: [7; 64] }
}

fn put(fixture: &Fixture, note: &SignedNote) -> NotePlace {
    fixture.vault.put_note(&fixture.run, note).unwrap()
}

fn read(fixture: &Fixture) -> Notes {
    let all = fixture.vault.notes(&fixture.run, None, (Copies::Both, &Trusting)).unwrap();
    let snapshot = Some(&SNAPSHOT);
    let one = fixture.vault.notes(&fixture.run, snapshot, (Copies::Both, &Trusting)).unwrap();
    assert_eq!((&all.notes, &all.findings), (&one.notes, &one.findings));
    all
}

/// A whole chain of three.
fn three() -> (Fixture, [NotePlace; 3]) {
    let fixture = Fixture::new();
    let one = put(&fixture, &note(1, None, b"one"));
    let two = put(&fixture, &note(2, Some(one.id), b"two"));
    let three = put(&fixture, &note(3, Some(two.id), b"three"));
    (fixture, [one, two, three])
}

#[test]
fn the_second_copy_is_durable_before_the_first_is_written() {
    let fixture = Fixture::new();
    fixture.storage.take_calls();
    let place = put(&fixture, &note(1, None, b"one"));
    let (second, first) = (place.name("notes.2/").unwrap(), place.name("notes/").unwrap());
    let calls = fixture.storage.take_calls();
    let wanted =
        [format!("create {second}"), "sync".into(), format!("create {first}"), "sync".into()];
    assert_eq!(calls.iter().map(|call| call.trim()).collect::<Vec<_>>(), wanted);
    // What is there already stays, and a second writing of the same note does no harm.
    put(&fixture, &note(1, None, b"one"));
    assert_eq!((read(&fixture).notes.len(), read(&fixture).findings), (1, vec![]));
}

#[test]
fn a_writer_that_dies_between_the_copies_left_one_and_it_counts() {
    let (fixture, [.., three]) = three();
    let name = three.name("notes/").unwrap();
    fixture.storage.remove(name.as_str());
    let found = read(&fixture);
    assert_eq!(found.notes.len(), 3);
    assert_eq!(found.findings, [NoteFinding::BadTwin { name, fault: Fault::Missing }]);
    assert_eq!((found.next_number(&SNAPSHOT), found.last_id(&SNAPSHOT)), (4, Some(three.id)));
    put(&fixture, &found.notes[2].note);
    assert_eq!(read(&fixture).findings, []);
}

#[test]
fn gaps_links_and_bad_bytes_are_named() {
    let (fixture, [one, two, _]) = three();
    for prefix in ["notes/", "notes.2/"] {
        fixture.storage.remove(two.name(prefix).unwrap().as_str());
        fixture.storage.flip(one.name(prefix).unwrap().as_str(), 3);
    }
    let found = read(&fixture);
    let lost = NoteFinding::Lost { place: one, fault: Fault::Hash };
    let gap = NoteFinding::Gap { snapshot: SNAPSHOT, number: 2 };
    assert_eq!((found.notes.len(), found.findings), (1, vec![lost, gap]));
    // Another second note than the third was made after.
    let other = put(&fixture, &note(2, Some(one.id), b"other"));
    let found = read(&fixture);
    assert_eq!(found.notes[0].place, other);
    assert!(matches!(found.findings[1], NoteFinding::OtherPrev { place } if place.number == 3));
}

#[test]
fn two_administrators_at_once_both_count() {
    let (fixture, [_, two, _]) = three();
    put(&fixture, &note(3, Some(two.id), b"at the same time"));
    let found = read(&fixture);
    assert_eq!((found.notes.len(), &found.findings), (4, &vec![]));
    // Whichever is taken for the last, the next note fits.
    put(&fixture, &note(4, found.last_id(&SNAPSHOT), b"four"));
    assert_eq!(read(&fixture).findings, []);
}

#[test]
fn a_note_lies_where_it_belongs_and_numbers_are_bounded() {
    let (fixture, [one, ..]) = three();
    let bytes = fixture.storage.bytes(one.name("notes/").unwrap().as_str());
    let elsewhere = NotePlace { snapshot: Place { seq: 8, ..SNAPSHOT }, ..one };
    fixture.storage.insert(elsewhere.name("notes/").unwrap().as_str(), bytes.clone());
    let absurd = format!("{}4000000000-{}", NotePlace::folder("notes/", &SNAPSHOT), one.id);
    fixture.storage.insert(&absurd, bytes);
    let found = fixture.vault.notes(&fixture.run, None, (Copies::First, &Trusting)).unwrap();
    let [NoteFinding::Stranger { name }, NoteFinding::Lost { place, fault }] = &found.findings[..]
    else {
        panic!("{:?}", found.findings)
    };
    assert_eq!((name.as_str(), *place), (absurd.as_str(), elsewhere));
    assert_eq!(*fault, Fault::Misplaced { field: "snapshot" });
    assert_eq!(found.notes.len(), 3);
}
