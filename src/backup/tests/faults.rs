use std::ffi::OsString;

use crate::backup::error::BackupError;
use crate::backup::tests::World;
use crate::backup::tests::noise;
use crate::backup::tests::path;
use crate::format::entry::Content;
use crate::format::object::ObjectKind;
use crate::meta::Flags;
use crate::source::SourceError;
use crate::source::memory::Fault;
use crate::source::stream::StreamSource;

const SMALL: &str = "d/small";
const LARGE: &str = "d/large";

/// A small and a large file with one fault each, and one without.
fn world(small: Option<Fault>, large: Option<Fault>) -> World {
    let world = World::new();
    world.source.put(SMALL, &noise(1, 500), 5);
    world.source.put(LARGE, &noise(2, 20_000), 5);
    world.source.put("d/whole", b"whole", 5);
    world.source.set_fault(SMALL, small);
    world.source.set_fault(LARGE, large);
    world
}

#[test]
fn what_is_gone_is_told_and_left_out() {
    for fault in [Fault::Vanish, Fault::Replace] {
        let mut world = world(Some(fault), Some(fault));
        let done = world.backup();
        assert_eq!(done.kept.keys().collect::<Vec<_>>(), ["/d", "/d/whole"]);
        let how = if fault == Fault::Vanish { "vanished" } else { "replaced by something else" };
        let message = |path: &str| format!("{path}: {how} while the backup ran");
        assert_eq!(done.messages(), [message(LARGE), message(SMALL)]);
    }
}

#[test]
fn what_is_denied_is_flagged_and_read_when_it_may_be() {
    let mut world = world(Some(Fault::Deny), Some(Fault::Deny));
    world.source.set_fault("d", Some(Fault::Deny));
    let done = world.backup();
    for name in ["/d", "/d/large", "/d/small"] {
        assert_eq!(done.entry(name).meta.flags, Flags::UNREADABLE, "{name}");
        assert_eq!(done.entry(name).content, Content::None);
    }
    let wanted = [LARGE, SMALL, "d"].map(|path| format!("{path}: permission denied"));
    assert_eq!(done.messages(), wanted);
    assert_eq!(done.report.flagged_count, 3);

    // Nothing about the files changed, but they are not taken as kept.
    for name in ["d", LARGE, SMALL] {
        world.source.set_fault(name, None);
    }
    let done = world.backup();
    assert_eq!(done.kept["/d/small"].1, noise(1, 500));
    assert_eq!(done.kept["/d/large"].1, noise(2, 20_000));
    assert_eq!((done.report.flagged_count, done.messages().len()), (0, 0));
}

#[test]
fn a_file_that_changes_is_read_again_then_flagged() {
    let mut once = world(Some(Fault::Change(1)), Some(Fault::Change(1)));
    let done = once.backup();
    assert_eq!(once.source.opened_count(SMALL), 2);
    assert_eq!(done.entry("/d/small").meta.flags, Flags::default());
    assert_eq!(done.entry("/d/large").meta.flags, Flags::CHANGED);
    assert_eq!(done.messages(), ["d/large: changed while it was read"]);

    let mut always = world(Some(Fault::Change(9)), None);
    let done = always.backup();
    assert_eq!(always.source.opened_count(SMALL), 2);
    assert_eq!(done.entry("/d/small").meta.flags, Flags::CHANGED);
    assert_eq!(done.kept["/d/small"].1, noise(1, 500));
    assert_eq!(done.messages(), ["d/small: changed while it was read"]);
}

#[test]
fn a_file_that_shrinks_or_grows_has_the_size_that_was_read() {
    let mut world = world(Some(Fault::Shrink(10)), Some(Fault::Shrink(2_000)));
    world.source.put("d/grown", &noise(4, 9_000), 5);
    world.source.edit("d/grown", |meta| meta.size_bytes = 10);
    let done = world.backup();
    for (name, seed, len) in [("small", 1, 10), ("large", 2, 2_000), ("grown", 4, 9_000)] {
        let (entry, bytes) = &done.kept[&format!("/d/{name}")];
        assert_eq!((entry.meta.flags, entry.meta.size_bytes), (Flags::CHANGED, len as u64));
        assert_eq!(*bytes, noise(seed, len), "{name}");
    }
    assert_eq!(done.messages().len(), 3);
}

#[test]
fn a_read_that_fails_keeps_what_came_before() {
    let mut world = world(Some(Fault::FailAfter(100)), Some(Fault::FailAfter(5_000)));
    let done = world.backup();
    let small = done.entry("/d/small");
    assert_eq!((small.meta.flags, &small.content), (Flags::UNREADABLE, &Content::None));
    assert_eq!(done.entry("/d/large").meta.flags, Flags::TRUNCATED);
    assert_eq!(done.kept["/d/large"].1, noise(2, 20_000)[..5_000]);
    assert_eq!(done.kept["/d/whole"].1, b"whole");
    let wanted = [
        "d/large: only the first 5000 bytes could be read: input/output error",
        "d/small: input/output error",
    ];
    assert_eq!(done.messages(), wanted);
}

#[test]
fn a_source_that_fails_at_its_end_makes_no_tree() {
    let mut world = world(None, None);
    world.source.failure = Some("exit code 1".to_owned());
    let (report, _) = world.try_backup(&world.source);
    assert!(matches!(report, Err(BackupError::Source(SourceError::Command { .. }))));
}

#[test]
fn a_stream_becomes_a_file_if_its_command_ends_well() {
    let mut world = World::new();
    let command = |script: &str| {
        let argv = ["sh", "-c", script].map(OsString::from).to_vec();
        StreamSource::command(path("db/dump"), argv, Vec::new()).unwrap()
    };
    for script in ["exit 1", "printf x; exit 1", "kill -9 $$", "head -c 9000 /dev/zero; exit 1"] {
        let (report, _) = world.try_backup(&command(script));
        let Err(BackupError::Source(SourceError::Command { command, .. })) = report else {
            panic!("a tree from `{script}`")
        };
        assert_eq!(command, "sh");
    }
    for (script, len) in [("true", 0), ("printf hello", 5), ("head -c 99999 /dev/zero", 99_999)] {
        let done = world.backup_of(&command(script));
        assert_eq!(done.kept.keys().collect::<Vec<_>>(), ["/db", "/db/dump"]);
        assert_eq!(done.kept["/db/dump"].1.len(), len);
        assert_eq!(done.messages(), [""; 0]);
    }
}

#[test]
fn a_stream_finds_its_chunks_again() {
    let mut world = World::new();
    let stream = || {
        let bytes = std::io::Cursor::new(noise(5, 70_000));
        StreamSource::from_reader(path("dump"), "input", Box::new(bytes)).unwrap()
    };
    let first = world.backup_of(&stream());
    assert_eq!(first.kept["/dump"].1, noise(5, 70_000));
    let second = world.backup_of(&stream());
    assert_eq!((second.report.files_new, second.report.files_changed), (0, 1));
    assert_eq!(second.new_of(ObjectKind::Chunk), 0);
    assert_eq!(second.entry("/dump").content, first.entry("/dump").content);
}
