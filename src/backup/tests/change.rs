use crate::backup::tests::World;
use crate::backup::tests::noise;
use crate::backup::tests::path;
use crate::format::entry::Content;
use crate::format::object::ObjectKind;
use crate::meta::Kind;
use crate::meta::Meta;
use crate::run::monitor::Count;
use crate::units::FileTime;

/// Small, large and empty files, folders and a link.
fn world() -> World {
    let world = World::new();
    for n in 0..40_usize {
        world.source.put(&format!("home/d{}/f{n}", n % 5), &noise(n as u64, n * 37), 5);
    }
    world.source.put("home/big", &noise(99, 30_000), 5);
    let mut link = Meta::plain(Kind::Symlink, 0);
    link.extra.get_or_insert_default().link = b"to/where".to_vec();
    world.source.put_meta("home/link", link, b"");
    world
}

#[test]
fn the_first_backup_holds_everything() {
    let mut world = world();
    let done = world.backup();
    assert_eq!(done.kept.len(), 1 + 5 + 40 + 1 + 1);
    for n in 0..40_usize {
        let (entry, bytes) = &done.kept[&format!("/home/d{}/f{n}", n % 5)];
        assert_eq!(*bytes, noise(n as u64, n * 37));
        assert_eq!(entry.meta.mtime, FileTime { secs: 5, nanos: 0 });
        let is_slice = matches!(entry.content, Content::Slice { .. });
        assert_eq!(is_slice, n > 0 && n * 37 < super::SMALL_BYTES);
    }
    assert_eq!(done.kept["/home/big"].1, noise(99, 30_000));
    assert_eq!(done.entry("/home/link").meta.extra.as_ref().unwrap().link, b"to/where");
    assert_eq!(done.messages(), [""; 0]);
    let report = &done.report;
    assert_eq!((report.files_count, report.files_new, report.files_changed), (41, 41, 0));
    let total = (0..40).map(|n| n * 37).sum::<u64>() + 30_000;
    assert_eq!(report.content_bytes, total);
    assert_eq!(done.recorded.counts[&Count::BytesFound], total);
    assert_eq!(done.recorded.counts[&Count::BytesDone], total);
}

#[test]
fn an_unchanged_source_puts_nothing() {
    let mut world = world();
    let first = world.backup();
    let second = world.backup();
    assert_eq!(second.new, []);
    assert_eq!(second.report.root, first.report.root);
    assert_eq!((second.report.files_new, second.report.files_changed), (0, 0));
    assert_eq!(second.report.files_unchanged, 41);
    assert_eq!(world.source.opened_count("home/d1/f1"), 1);
    assert_eq!(second.recorded.counts[&Count::BytesDone], first.report.content_bytes);
}

#[test]
fn new_changed_and_removed_files_are_seen() {
    let mut world = world();
    world.backup();
    world.source.put("home/d1/f1", b"changed", 6);
    world.source.put("home/new/file", b"new", 6);
    world.source.remove("home/d2");
    let done = world.backup();
    assert_eq!(done.kept["/home/d1/f1"].1, b"changed");
    assert_eq!(done.kept["/home/new/file"].1, b"new");
    assert!(done.kept.keys().all(|path| !path.starts_with("/home/d2")));
    assert_eq!((done.report.files_new, done.report.files_changed), (1, 1));
    assert_eq!(done.new_of(ObjectKind::Bundle), 1);
    assert_eq!(done.new_of(ObjectKind::Chunk), 0);

    let mut fresh = World::new();
    fresh.source = world.source;
    let fresh = fresh.backup();
    for (path, (entry, bytes)) in &fresh.kept {
        assert_eq!((&done.kept[path].1, &done.entry(path).meta), (bytes, &entry.meta), "{path}");
    }
    assert_eq!(fresh.kept.len(), done.kept.len());
}

#[test]
fn every_sign_of_change_is_heeded() {
    let signs: [fn(&mut Meta); 5] = [
        |meta| meta.mtime.nanos = 1,
        |meta| meta.ctime.nanos = 1,
        |meta| meta.inode = 1 << 40,
        |meta| meta.device = 9,
        |meta| meta.size_bytes += 1,
    ];
    for (n, sign) in signs.into_iter().enumerate() {
        let mut world = world();
        world.backup();
        world.source.edit("home/d1/f1", sign);
        world.backup();
        assert_eq!(world.source.opened_count("home/d1/f1"), 2, "{n}");
        assert_eq!(world.source.opened_count("home/d1/f6"), 1, "{n}");
    }
}

#[test]
fn a_touched_file_keeps_its_refs() {
    let mut world = world();
    let first = world.backup();
    for name in ["home/d1/f1", "home/big"] {
        world.source.edit(name, |meta| meta.mtime.secs = 9);
    }
    let second = world.backup();
    for name in ["/home/d1/f1", "/home/big"] {
        assert_eq!(second.entry(name).content, first.entry(name).content);
        assert_eq!(second.entry(name).meta.mtime.secs, 9);
    }
    assert_eq!(second.new_of(ObjectKind::Bundle) + second.new_of(ObjectKind::Chunk), 0);
}

/// A file written within the clock's step after it was read may look unchanged.
#[test]
fn young_files_are_read_again() {
    for (age_secs, opened_count) in [(-5, 2), (0, 2), (1, 2), (2, 2), (4, 1), (60, 1)] {
        let mut world = world();
        let secs = world.started_secs - age_secs;
        world.source.put("home/young", b"one", secs);
        world.backup();
        world.source.put("home/young", b"two", secs);
        let before = world.source.opened_count("home/young");
        let done = world.backup();
        let opened = before + world.source.opened_count("home/young") + 1;
        assert_eq!(opened, opened_count, "{age_secs}");
        let wanted = if opened_count == 2 { b"two" } else { b"one" };
        assert_eq!(done.kept["/home/young"].1, wanted, "{age_secs}");
    }
}

#[test]
fn hard_links_are_kept_once() {
    let mut world = world();
    let mut meta = Meta::plain(Kind::File, 4);
    (meta.inode, meta.links_count) = (7_000, 3);
    for name in ["a/one", "b/two", "c/three"] {
        world.source.put_meta(name, meta.clone(), b"same");
    }
    let done = world.backup();
    assert_eq!(done.kept["/a/one"].1, b"same");
    for name in ["/b/two", "/c/three"] {
        let meta = &done.entry(name).meta;
        assert_eq!(meta.kind, Kind::HardLink);
        assert_eq!(meta.extra.as_ref().unwrap().hard_link, Some(path("a/one")));
    }
    assert_eq!(world.source.opened_count("b/two"), 0);
    let again = world.backup();
    assert_eq!((again.new.len(), &again.report.root), (0, &done.report.root));

    // The first name goes: the next one takes the content over.
    world.source.remove("a");
    let done = world.backup();
    assert_eq!(done.kept["/b/two"].1, b"same");
    assert_eq!(done.entry("/c/three").meta.extra.as_ref().unwrap().hard_link, Some(path("b/two")));
}

#[test]
fn a_kind_that_changes_is_a_new_entry() {
    let mut world = world();
    world.backup();
    let before = world.source.opened_count("home/d1/f1");
    world.source.put_meta("home/d1/f1", Meta::plain(Kind::Fifo, 0), b"");
    let done = world.backup();
    assert_eq!(before, 1);
    assert_eq!(done.entry("/home/d1/f1").meta.kind, Kind::Fifo);
    assert_eq!(done.entry("/home/d1/f1").content, Content::None);
}

#[test]
fn decayed_bundles_are_gathered_anew() {
    let mut world = World::new();
    for n in 0..9_u64 {
        world.source.put(&format!("d/f{n}"), &noise(n, 300), 5);
    }
    let first = world.backup();
    assert_eq!((first.new_of(ObjectKind::Bundle), first.report.decayed.len()), (1, 0));
    for n in 0..6 {
        world.source.remove(&format!("d/f{n}"));
    }
    let second = world.backup();
    let Content::Slice { bundle, .. } = &first.entry("/d/f8").content else { panic!("no slice") };
    assert_eq!(second.report.decayed, [bundle.sid]);
    assert_eq!(second.new_of(ObjectKind::Bundle), 0);
    let third = world.backup();
    assert_eq!(third.new_of(ObjectKind::Bundle), 1);
    assert_eq!(third.report.decayed, []);
    for n in 6..9_u64 {
        assert_eq!(third.kept[&format!("/d/f{n}")].1, noise(n, 300));
    }
    let fourth = world.backup();
    assert_eq!((fourth.new.len(), fourth.report.root), (0, third.report.root));
}
