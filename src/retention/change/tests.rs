use super::*;

fn path(text: &str) -> SnapshotPath {
    SnapshotPath::from_user(text.as_bytes()).unwrap()
}

fn digest(seed: u64) -> Digest {
    Digest::new(*blake3::hash(&seed.to_le_bytes()).as_bytes())
}

/// A file of an office.
#[derive(Clone, PartialEq)]
struct Doc {
    bytes: u64,
    content: u64,
}

type Tree = BTreeMap<String, Doc>;

/// Letters, tables, contracts, pictures; and a mailbox that is most of it.
fn office() -> Tree {
    let mut tree = Tree::new();
    for n in 0..1000_u64 {
        let extension = ["docx", "xlsx", "pdf", "jpg", "txt"][usize::try_from(n % 5).unwrap()];
        let name = format!("/srv/d{}/file-{n}.{extension}", n % 12);
        tree.insert(name, Doc { bytes: 20_000 + n * 50, content: n });
    }
    tree.insert("/srv/mail/all.pst".to_owned(), Doc { bytes: 200_000_000, content: 1 << 40 });
    tree
}

fn counts(tree: &Tree) -> Counts {
    let bytes = tree.values().map(|doc| doc.bytes).sum();
    Counts { files: tree.len() as u64, bytes, ..Counts::default() }
}

/// As a comparison of two trees tells it, in path order.
fn weigh(before: &Tree, now: &Tree) -> Option<MassChange> {
    let mut weigher = Weigher::default();
    let mut names: Vec<_> = before.keys().chain(now.keys()).collect();
    names.sort_by_key(|name| path(name));
    names.dedup();
    for name in names {
        match (before.get(name), now.get(name)) {
            (Some(old), None) => weigher.gone(&path(name), old.bytes, Some(digest(old.content))),
            (None, Some(new)) => weigher.came(&path(name), Some(digest(new.content))),
            (Some(old), Some(new)) if old != new => weigher.changed(old.bytes),
            _ => {}
        }
    }
    weigher.finish(counts(before))
}

/// Every file that `chosen` takes is handed over with its new name and what is in it.
fn edited(tree: &Tree, chosen: impl Fn(u64, &str) -> bool, edit: impl Fn(&str) -> String) -> Tree {
    let mut now = Tree::new();
    for (n, (name, doc)) in (0_u64..).zip(tree) {
        if chosen(n, name) {
            now.insert(edit(name), Doc { bytes: doc.bytes, content: doc.content + (1 << 50) });
        } else {
            now.insert(name.clone(), doc.clone());
        }
    }
    now
}

#[test]
fn an_ordinary_week_freezes_nothing() {
    let mut tree = office();
    let mut days: Vec<Tree> = Vec::new();
    // Monday: a twelfth of the documents is worked on, and the mailbox.
    days.push(edited(&tree, |n, name| n % 12 == 0 || name.ends_with("pst"), str::to_owned));
    // Tuesday: a folder gets another name.
    let moved = days[0].iter().map(|(name, doc)| (name.replace("/d3/", "/2026/"), doc.clone()));
    days.push(moved.collect());
    // Wednesday: two thousand pictures come.
    let mut more = days[1].clone();
    for n in 0..2000 {
        more.insert(format!("/srv/photos/{n}.jpg"), Doc { bytes: 3_000_000, content: 9000 + n });
    }
    days.push(more);
    // Thursday: fifteen old letters are saved in the new format.
    let is_letter = |n: u64, name: &str| n < 75 && name.ends_with("docx");
    days.push(edited(&days[2], is_letter, |name| name.replace(".docx", ".odt")));
    // Friday: a folder of last year is cleared away.
    let kept = days[3].iter().filter(|(name, _)| !name.contains("/d7/"));
    days.push(kept.map(|(name, doc)| (name.clone(), doc.clone())).collect());
    for (n, day) in days.into_iter().enumerate() {
        assert_eq!(weigh(&tree, &day), None, "day {n}");
        tree = day;
    }
    // Everything moves to another folder, as it is.
    let moved: Tree =
        tree.iter().map(|(name, doc)| (name.replace("/srv/", "/data/"), doc.clone())).collect();
    assert_eq!(weigh(&tree, &moved), None);
}

#[test]
fn attacks_freeze() {
    let tree = office();
    let sign = |now: &Tree| weigh(&tree, now).map(|it| it.sign);
    let is_document = |name: &str| !name.ends_with("pst");
    let locked = |name: &str| format!("{name}.locked");
    // Rewritten in place; under new names; under names that say nothing any more.
    let in_place = edited(&tree, |_, name| is_document(name), str::to_owned);
    assert_eq!(sign(&in_place), Some(Sign::Files));
    assert_eq!(sign(&edited(&tree, |_, _| true, locked)), Some(Sign::Names));
    let nameless = |name: &str| format!("/srv/{}", blake3::hash(name.as_bytes()));
    assert_eq!(sign(&edited(&tree, |_, name| is_document(name), nameless)), Some(Sign::Files));
    // Stopped after an eighth: what it is called gives it away.
    let eighth = edited(&tree, |n, _| n % 8 == 0, locked);
    let found = weigh(&tree, &eighth).unwrap();
    assert_eq!((found.sign, found.percent), (Sign::Names, 12));
    let replaced = |name: &str| format!("{}.crypt", name.rsplit_once('.').unwrap().0);
    assert_eq!(sign(&edited(&tree, |n, _| n % 8 == 0, replaced)), Some(Sign::Names));
    // The large ones first: a third of the files, most of the bytes.
    let large = edited(&tree, |n, name| n % 3 == 0 || name.ends_with("pst"), str::to_owned);
    assert_eq!(sign(&large), Some(Sign::Bytes));
    assert_eq!(sign(&Tree::new()), Some(Sign::Files));
    // Renamed and not yet rewritten.
    let renamed: Tree = tree.iter().map(|(name, doc)| (locked(name), doc.clone())).collect();
    assert_eq!(sign(&renamed), Some(Sign::Names));
}

#[test]
fn counts_alone_tell_the_plain_cases() {
    let before = Counts { files: 1000, ..Counts::default() };
    let now = |files, files_changed, files_unchanged| Counts {
        files,
        files_changed,
        files_unchanged,
        ..Counts::default()
    };
    let percent = |before, now| by_counts(before, now).map(|it| it.percent);
    // Encrypted in place; encrypted under new names; deleted.
    assert_eq!(percent(before, now(1000, 990, 10)), Some(99));
    assert_eq!(percent(before, now(1000, 0, 20)), Some(98));
    assert_eq!(percent(before, now(400, 0, 400)), Some(60));
    assert_eq!(percent(before, now(0, 0, 0)), Some(100));
    // An ordinary day, a great import, a small folder.
    assert_eq!(percent(before, now(1010, 300, 690)), None);
    assert_eq!(percent(before, now(9000, 10, 985)), None);
    assert_eq!(percent(Counts { files: 49, ..before }, now(0, 0, 0)), None);
    // From a tenth on the trees are compared.
    assert!(is_doubtful(before, now(1000, 100, 900)));
    assert!(!is_doubtful(before, now(1000, 99, 901)));
    assert!(!is_doubtful(Counts { files: 100, ..before }, now(100, 19, 81)));
    assert!(!is_doubtful(Counts { files: 49, ..before }, now(49, 49, 0)));
}

#[test]
fn first_bytes_tell_what_names_and_counts_do_not() {
    let folder = |heads: Heads| BTreeMap::from([("top".to_owned(), heads)]);
    let good = Heads { promised: 100, wrong: 1, weighed: 120, random: 60 };
    let percent = |now: Heads| by_heads(&folder(good), &folder(now)).map(|it| it.percent);
    assert_eq!(percent(Heads { wrong: 30, ..good }), Some(29));
    assert_eq!(percent(Heads { random: 108, ..good }), Some(40));
    // More archives than before, and too few files to say anything.
    assert_eq!(percent(Heads { random: 90, wrong: 15, ..good }), None);
    assert_eq!(percent(Heads { promised: 19, wrong: 19, weighed: 19, random: 19 }), None);
    assert_eq!(by_heads(&folder(good), &BTreeMap::new()), None);
    let other = BTreeMap::from([("other".to_owned(), Heads { wrong: 100, ..good })]);
    assert_eq!(by_heads(&folder(good), &other), None);
}
