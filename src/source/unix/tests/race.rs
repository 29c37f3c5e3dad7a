//! Order on any tree, other file systems, and folders that go away.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

use proptest::prelude::Strategy;

use crate::meta::Flags;
use crate::source::Found;
use crate::source::Source as _;
use crate::source::exclude::Excludes;
use crate::source::exclude::Mounts;

use super::at;
use super::naive;
use super::put;
use super::run;
use super::source;
use super::walk;

/// Names around the separator, which sorts before every byte of a name but is `/` when shown.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let byte = proptest::sample::select(b"ab-!.0 \x01\xff\n".to_vec());
    let dots = |name: &Vec<u8>| name != b"." && name != b"..";
    proptest::collection::vec(byte, 1..4).prop_filter("a name", dots)
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(48))]
    #[test]
    fn order_equals_a_naive_walk(
        paths in proptest::collection::vec(proptest::collection::vec(name(), 1..5), 0..40)
    ) {
        let dir = tempfile::tempdir().unwrap();
        for names in paths {
            let (last, above) = names.split_last().unwrap();
            let mut folder = dir.path().to_path_buf();
            folder.extend(above.iter().map(|name| OsStr::from_bytes(name)));
            // Where a file stands in the way, there is just less to find.
            if fs::create_dir_all(&folder).is_ok() {
                let file = folder.join(OsStr::from_bytes(last));
                let _exists = fs::File::options().create_new(true).write(true).open(file);
            }
        }
        let (run, recorder) = run();
        let found = walk(&source(dir.path(), Excludes::default()), &run);
        let mut wanted = Vec::new();
        naive(dir.path(), &mut wanted);
        wanted.sort();
        let root = wanted[0].clone();
        let found: Vec<_> =
            found.into_iter().map(|f| f.path).filter(|path| path.is_within(&root)).collect();
        proptest::prop_assert_eq!(found, wanted);
        proptest::prop_assert_eq!(recorder.recorded().problems, vec![]);
    }
}

struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let status = Command::new("umount").arg(self.0).status();
        assert!(status.is_ok_and(|status| status.success()));
    }
}

#[test]
fn other_file_systems_are_entered_unless_told_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("mnt");
    fs::create_dir(&inner).unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "none"]).arg(&inner).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this process may not mount");
        return;
    }
    let _mounted = Mounted(&inner);
    fs::create_dir(inner.join("sub")).unwrap();
    put(&inner.join("sub/f"), b"x");
    put(&dir.path().join("z"), b"x");
    let (run, recorder) = run();
    let stay = Excludes { mounts: Mounts::Stay, ..Excludes::default() };
    let found = walk(&source(dir.path(), stay.clone()), &run);
    let ends: Vec<_> = found.iter().rev().take(2).map(|f| f.path.name().unwrap()).collect();
    assert_eq!(ends, [&b"z"[..], b"mnt"]);
    // One that is named itself is not left out.
    let found = walk(&source(&inner, stay), &run);
    assert_eq!(at(&found, "/mnt/sub/f").meta.size_bytes, 1);
    let found = walk(&source(dir.path(), Excludes::default()), &run);
    assert_eq!(at(&found, "/mnt/sub/f").meta.size_bytes, 1);
    assert_eq!(recorder.recorded().problems, []);
}

#[test]
fn a_folder_that_vanishes_during_the_walk_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..400 {
        let folder = dir.path().join(format!("d{n:03}"));
        fs::create_dir(&folder).unwrap();
        put(&folder.join("f"), b"x");
    }
    let (run, recorder) = run();
    let source = source(dir.path(), Excludes::default());
    let mut walk = source.walk(&run).unwrap();
    let mut found = Vec::new();
    while found.last().is_none_or(|f: &Found| f.path.name() != Some(b"d000")) {
        found.push(walk.next().unwrap().unwrap());
    }
    // The last is listed long after the first.
    fs::remove_dir_all(dir.path().join("d399")).unwrap();
    found.extend(walk.map(Result::unwrap));
    let files = found.iter().filter(|f| f.path.name() == Some(b"f")).count();
    assert_eq!(files, 399);
    assert_eq!(at(&found, "/d399").meta.flags, Flags::UNREADABLE);
    let problems = recorder.recorded().problems;
    assert_eq!(problems.len(), 1);
    assert!(problems[0].subject.ends_with(b"/d399"));
    assert_eq!(problems[0].message, "vanished while the backup ran");
}
