mod race;
mod special;

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::ManualClock;
use crate::ids::RunId;
use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::run::monitor::Recorder;
use crate::source::Found;
use crate::source::ReadError;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::exclude::Excludes;
use crate::source::exclude::Marker;
use crate::source::exclude::Patterns;
use crate::units::Timestamp;

use super::FolderSource;

fn run() -> (Run, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    let clock = Arc::new(ManualClock::new(Timestamp::default()));
    let monitor: Arc<dyn crate::run::monitor::Monitor> = Arc::clone(&recorder) as _;
    (Run::new(RunId::new([7; 16]), monitor, clock, 1), recorder)
}

fn put(path: &Path, bytes: &[u8]) {
    fs::File::options().create_new(true).write(true).open(path).unwrap().write_all(bytes).unwrap();
}

fn source(path: &Path, excludes: Excludes) -> FolderSource {
    FolderSource::new(&[path.to_path_buf()], excludes).unwrap()
}

fn walk(source: &FolderSource, run: &Run) -> Vec<Found> {
    source.walk(run).unwrap().map(Result::unwrap).collect()
}

fn at(found: &[Found], end: &str) -> Found {
    found.iter().find(|f| f.path.to_slashed().ends_with(end.as_bytes())).unwrap().clone()
}

fn naive(folder: &Path, into: &mut Vec<SnapshotPath>) {
    into.push(SnapshotPath::from_user(folder.as_os_str().as_bytes()).unwrap());
    if fs::symlink_metadata(folder).unwrap().is_dir() {
        for entry in fs::read_dir(folder).unwrap() {
            naive(&entry.unwrap().path(), into);
        }
    }
}

#[test]
fn order_and_names_equal_a_naive_walk() {
    let dir = tempfile::tempdir().unwrap();
    for byte in (1..=255_u8).filter(|&b| b != b'/' && b != b'.') {
        put(&dir.path().join(OsStr::from_bytes(&[byte])), b"x");
    }
    put(&dir.path().join("n".repeat(255)), b"x");
    for outer in 0..150 {
        let folder = dir.path().join(format!("d{outer}")).join("e-");
        fs::create_dir_all(&folder).unwrap();
        put(&folder.join("file"), b"x");
        put(&folder.with_file_name("e"), b"x");
    }
    symlink("/", dir.path().join("link")).unwrap();
    let (run, recorder) = run();
    let found = walk(&source(dir.path(), Excludes::default()), &run);
    let mut wanted = Vec::new();
    naive(dir.path(), &mut wanted);
    wanted.extend(
        dir.path()
            .ancestors()
            .skip(1)
            .filter(|p| *p != Path::new("/"))
            .map(|p| SnapshotPath::from_user(p.as_os_str().as_bytes()).unwrap()),
    );
    wanted.sort();
    assert_eq!(found.into_iter().map(|f| f.path).collect::<Vec<_>>(), wanted);
    assert_eq!(recorder.recorded().problems, []);
}

#[test]
fn content_and_attributes_are_read() {
    let dir = tempfile::tempdir().unwrap();
    put(&dir.path().join("f"), b"hello");
    symlink(OsStr::from_bytes(b"to\xff"), dir.path().join("l")).unwrap();
    let (run, _) = run();
    let source = source(dir.path(), Excludes::default());
    let found = walk(&source, &run);
    let mut reader = source.reader();
    let link = reader.attributes(&run, &at(&found, "/l")).unwrap();
    assert_eq!(link.extra.unwrap().link, b"to\xff");
    let mut content = reader.open(&run, &at(&found, "/f")).unwrap();
    let mut buffer = [0; 64];
    assert_eq!(content.read(&mut buffer).unwrap(), 5);
    assert_eq!(&buffer[..5], b"hello");
    assert_eq!(content.read(&mut buffer).unwrap(), 0);
    assert!(!content.changed());
    fs::File::options().append(true).open(dir.path().join("f")).unwrap().write_all(b"!").unwrap();
    assert!(content.changed());
}

#[test]
fn what_was_swapped_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["fifo", "link", "gone", "other"] {
        put(&dir.path().join(name), b"x");
    }
    fs::create_dir(dir.path().join("sub")).unwrap();
    put(&dir.path().join("sub/in"), b"x");
    let (run, _) = run();
    let source = source(dir.path(), Excludes::default());
    let found = walk(&source, &run);
    // Kept beside, so that no inode number is given out twice.
    let aside = tempfile::tempdir_in(dir.path()).unwrap();
    for name in ["fifo", "link", "gone", "other", "sub"] {
        let status = std::process::Command::new("mv")
            .arg(dir.path().join(name))
            .arg(aside.path())
            .status()
            .unwrap();
        assert!(status.success());
    }
    let fifo = dir.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(fifo).status().unwrap().success());
    symlink("/etc/passwd", dir.path().join("link")).unwrap();
    symlink(aside.path().join("sub"), dir.path().join("sub")).unwrap();
    put(&dir.path().join("other"), b"y");
    let mut reader = source.reader();
    let cases = [
        ("/fifo", ReadError::Replaced),
        ("/link", ReadError::Replaced),
        ("/gone", ReadError::Vanished),
        ("/other", ReadError::Replaced),
    ];
    for (name, wanted) in cases {
        assert_eq!(reader.open(&run, &at(&found, name)).err(), Some(wanted), "{name}");
    }
    assert!(reader.open(&run, &at(&found, "/sub/in")).is_err());
}

#[test]
fn rules_leave_out_and_count() {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["cache", "skip", "keep"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
        put(&dir.path().join(folder).join("f"), b"x");
    }
    let tag = b"Signature: 8a477f597d28d172789f06886806bc55\n";
    put(&dir.path().join("cache/CACHEDIR.TAG"), tag);
    put(&dir.path().join("keep/big"), &[0; 100]);
    let excludes = Excludes {
        patterns: Patterns::compile(["skip/"]).unwrap(),
        markers: vec![Marker::caches()],
        larger_than_bytes: Some(50),
        ..Excludes::default()
    };
    let (run, recorder) = run();
    let found = walk(&source(dir.path(), excludes), &run);
    let root = SnapshotPath::from_user(dir.path().as_os_str().as_bytes()).unwrap();
    let names: Vec<_> =
        found.iter().filter_map(|f| f.path.relative_to(&root)).map(|p| p.to_string()).collect();
    assert_eq!(names, ["/", "/cache", "/cache/CACHEDIR.TAG", "/keep", "/keep/f"]);
    assert_eq!(recorder.recorded().counts[&Count::EntriesExcluded], 3);
}

#[test]
fn twins_merge_and_missing_is_told_first() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("a")).unwrap();
    put(&dir.path().join("a/f"), b"x");
    let (run, _) = run();
    let paths: Vec<PathBuf> = ["a/f", "a", "", "a/../a"].map(|p| dir.path().join(p)).to_vec();
    let twins = FolderSource::new(&paths, Excludes::default()).unwrap();
    let once = source(dir.path(), Excludes::default());
    let paths_of = |s| walk(s, &run).into_iter().map(|f| f.path).collect::<Vec<_>>();
    assert_eq!(paths_of(&twins), paths_of(&once));
    let missing = FolderSource::new(&[dir.path().join("none")], Excludes::default());
    assert!(matches!(missing, Err(SourceError::Missing { .. })));
    let file = source(&dir.path().join("a/f"), Excludes::default());
    assert_eq!(walk(&file, &run).last().unwrap().meta.kind, Kind::File);
}

#[test]
fn holes_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = fs::File::create_new(dir.path().join("s")).unwrap();
    file.set_len(1 << 40).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"data", 1 << 30).unwrap();
    let (run, _) = run();
    let source = source(dir.path(), Excludes::default());
    let found = walk(&source, &run);
    let mut reader = source.reader();
    let mut content = reader.open(&run, &at(&found, "/s")).unwrap();
    assert!(content.may_have_holes());
    let range = content.seek_data(0).unwrap().unwrap();
    assert!(range.offset <= 1 << 30 && range.offset + range.len_bytes >= (1 << 30) + 4);
    assert_eq!(content.seek_data(range.offset + range.len_bytes).unwrap(), None);
}

#[test]
fn a_walk_may_be_dropped_or_stopped() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..300 {
        fs::create_dir(dir.path().join(n.to_string())).unwrap();
    }
    let (run, _) = run();
    let source = source(dir.path(), Excludes::default());
    drop(source.walk(&run).unwrap().take(10).collect::<Vec<_>>());
    let mut walk = source.walk(&run).unwrap();
    assert!(walk.next().unwrap().is_ok());
    run.cancel.stop(crate::run::Stopped::Interrupted);
    assert!(matches!(walk.next(), Some(Err(SourceError::Stopped(_)))));
}

#[test]
fn a_file_that_grows_faster_than_it_is_read_comes_to_an_end() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("log");
    put(&path, b"1");
    let (run, _) = run();
    let source = source(&path, Excludes::default());
    let found = at(&walk(&source, &run), "/log");
    let mut reader = source.reader();
    let mut content = reader.open(&run, &found).unwrap();
    let grown = super::read::GROWTH_BYTES_MAX * 2;
    fs::File::options().write(true).open(&path).unwrap().set_len(grown).unwrap();
    let mut buffer = vec![0; 1 << 20];
    let mut read_bytes = 0;
    loop {
        match content.read(&mut buffer).unwrap() {
            0 => break,
            read => read_bytes += read as u64,
        }
    }
    assert_eq!(read_bytes, 1 + super::read::GROWTH_BYTES_MAX);
    assert!(content.changed());
    // The same by ranges.
    let range = content.seek_data(0).unwrap().unwrap();
    assert!(range.offset + range.len_bytes <= 1 + super::read::GROWTH_BYTES_MAX);
    assert_eq!(content.seek_data(grown - 1).unwrap(), None);
}
