//! Everything a folder may hold besides plain files.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::CWD;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::XattrFlags;
use rustix::io::Errno;

use crate::meta::Kind;
use crate::meta::Meta;
use crate::source::ReadError;
use crate::source::Source as _;
use crate::source::exclude::Excludes;

use super::at;
use super::put;
use super::run;
use super::source;
use super::walk;

/// Whether the machine let it happen; what it refuses is said, not passed over in silence.
fn is_allowed(what: &str, done: Result<(), Errno>) -> bool {
    match done {
        Ok(()) => true,
        Err(error @ (Errno::PERM | Errno::NOTSUP | Errno::ACCESS)) => {
            eprintln!("skipped: {what}: {error}");
            false
        }
        Err(error) => panic!("{what}: {error}"),
    }
}

fn xattr(meta: &Meta, name: &str) -> Option<Vec<u8>> {
    let xattrs = &meta.extra.as_ref()?.xattrs;
    assert!(xattrs.is_sorted_by(|a, b| a.name < b.name));
    Some(xattrs.iter().find(|xattr| xattr.name == name.as_bytes())?.value.clone())
}

/// A POSIX ACL as the kernel keeps it: version 2, then tag, rights and id of each entry.
fn acl() -> Vec<u8> {
    let mut acl = 2_u32.to_le_bytes().to_vec();
    let none = u32::MAX;
    for (tag, rights, id) in
        [(1_u16, 6_u16, none), (2, 4, 12_345), (4, 4, none), (16, 4, none), (32, 0, none)]
    {
        acl.extend_from_slice(&tag.to_le_bytes());
        acl.extend_from_slice(&rights.to_le_bytes());
        acl.extend_from_slice(&id.to_le_bytes());
    }
    acl
}

/// `cap_net_raw` permitted and effective, revision 2.
fn capability() -> Vec<u8> {
    [0x0200_0001_u32, 1 << 13, 0, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn attributes_rights_and_capabilities_are_read() {
    let dir = tempfile::tempdir().unwrap();
    put(&dir.path().join("f"), b"x");
    fs::create_dir(dir.path().join("d")).unwrap();
    let values: [(&str, &str, Vec<u8>); 5] = [
        ("f", "user.note", b"\0any\xff".to_vec()),
        ("f", "system.posix_acl_access", acl()),
        ("f", "security.capability", capability()),
        ("d", "user.empty", Vec::new()),
        ("d", "system.posix_acl_default", acl()),
    ];
    let mut set = Vec::new();
    for (name, key, value) in values {
        let path = dir.path().join(name);
        let done = rustix::fs::setxattr(&path, key, &value, XattrFlags::empty());
        if is_allowed(key, done) {
            set.push((name, key, value));
        }
    }
    let (run, recorder) = run();
    let source = source(dir.path(), Excludes::default());
    let found = walk(&source, &run);
    let mut reader = source.reader();
    let folder = reader.attributes(&run, &at(&found, "/d")).unwrap();
    let file = reader.open(&run, &at(&found, "/f")).unwrap().meta().clone();
    for (name, key, value) in set {
        let meta = if name == "f" { &file } else { &folder };
        assert_eq!(xattr(meta, key), Some(value), "{name} {key}");
    }
    assert_eq!(recorder.recorded().problems, []);
}

#[test]
fn special_files_are_told_apart_and_never_opened() {
    let dir = tempfile::tempdir().unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
    let mode = Mode::from_raw_mode(0o640);
    let make = |name: &str, kind: FileType, device: u64| {
        let made = rustix::fs::mknodat(CWD, dir.path().join(name), kind, mode, device);
        is_allowed(name, made)
    };
    let mut wanted = vec![("socket", Kind::Socket, (0, 0)), ("fifo", Kind::Fifo, (0, 0))];
    assert!(make("fifo", FileType::Fifo, 0));
    let (char_device, block_device) = ((250, 70_000), (251, 3));
    let number = |(major, minor)| rustix::fs::makedev(major, minor);
    if make("char", FileType::CharacterDevice, number(char_device)) {
        wanted.push(("char", Kind::CharDevice, char_device));
    }
    if make("block", FileType::BlockDevice, number(block_device)) {
        wanted.push(("block", Kind::BlockDevice, block_device));
    }
    let (run, recorder) = run();
    let source = source(dir.path(), Excludes::default());
    let found = walk(&source, &run);
    let mut reader = source.reader();
    for (name, kind, rdev) in wanted {
        let found = at(&found, &format!("/{name}"));
        let meta = reader.attributes(&run, &found).unwrap();
        assert_eq!((found.meta.kind, meta.kind, meta.size_bytes), (kind, kind, 0), "{name}");
        assert_eq!(meta.extra.unwrap_or_default().rdev, rdev, "{name}");
        assert!(matches!(reader.open(&run, &found).err(), Some(ReadError::Failed(_))), "{name}");
    }
    assert_eq!(recorder.recorded().problems, []);
}

#[test]
fn owners_rights_times_and_links_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    put(&one, b"x");
    fs::hard_link(&one, &two).unwrap();
    fs::set_permissions(&one, std::os::unix::fs::PermissionsExt::from_mode(0o4751)).unwrap();
    let (run, _) = run();
    let found = walk(&source(dir.path(), Excludes::default()), &run);
    let (one_meta, two_meta) = (at(&found, "/one").meta, at(&found, "/two").meta);
    assert_eq!(one_meta, two_meta);
    assert_eq!((one_meta.links_count, one_meta.mode, one_meta.size_bytes), (2, 0o4751, 1));
    let stat = fs::metadata(&one).unwrap();
    assert_eq!((one_meta.inode, one_meta.uid, one_meta.gid), (stat.ino(), stat.uid(), stat.gid()));
    assert_eq!(
        (one_meta.mtime.secs, i64::from(one_meta.mtime.nanos)),
        (stat.mtime(), stat.mtime_nsec())
    );
    assert_eq!(
        (one_meta.ctime.secs, i64::from(one_meta.ctime.nanos)),
        (stat.ctime(), stat.ctime_nsec())
    );
}

/// Three times as long as a path may be that is given to the kernel.
#[test]
fn paths_longer_than_the_kernel_takes_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let name = "n".repeat(250);
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = rustix::fs::open(dir.path(), flags, Mode::empty()).unwrap();
    for _ in 0..50 {
        rustix::fs::mkdirat(&folder, &name, Mode::RWXU).unwrap();
        folder = rustix::fs::openat(&folder, &name, flags, Mode::empty()).unwrap();
    }
    let create = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&folder, "deep", create, Mode::RUSR).unwrap();
    rustix::io::write(&file, b"down here").unwrap();
    let (run, recorder) = run();
    let source = source(dir.path(), Excludes::default());
    let found = walk(&source, &run);
    let deep = at(&found, "/deep");
    assert!(deep.path.to_slashed().len() > 3 * 4096);
    let mut reader = source.reader();
    let above = found.iter().rev().find(|f| f.meta.kind == Kind::Directory).unwrap();
    assert!(reader.attributes(&run, above).is_ok());
    let mut content = reader.open(&run, &deep).unwrap();
    let mut buffer = [0; 20];
    assert_eq!(content.read(&mut buffer), Ok(9));
    assert_eq!(&buffer[..9], b"down here");
    assert_eq!(recorder.recorded().problems, []);
}

#[test]
fn paths_stand_in_the_snapshot_as_they_were_named() {
    let here = std::env::current_dir().unwrap();
    let above = here.parent().unwrap();
    let absolute = |path: &Path| path.as_os_str().as_bytes().to_vec();
    let cases = [
        ("a/b", b"a/b".to_vec(), here.join("a/b")),
        ("./a//b/.", b"a/b".to_vec(), here.join("a/b")),
        ("a/../b", b"b".to_vec(), here.join("b")),
        (".", b"".to_vec(), here.clone()),
        ("a/..", b"".to_vec(), here.clone()),
        ("..", absolute(above), above.to_path_buf()),
        ("a/../../b", absolute(&above.join("b")), above.join("b")),
        ("/x/./y/../z", b"x/z".to_vec(), "/x/z".into()),
        ("/../x", b"x".to_vec(), "/x".into()),
    ];
    for (named, wanted, wanted_real) in cases {
        let (snapshot, real) = crate::source::unix::resolve(Path::new(named)).unwrap();
        let wanted = wanted.strip_prefix(b"/").unwrap_or(&wanted).to_vec();
        assert_eq!(
            OsStr::from_bytes(&snapshot.to_slashed()),
            OsStr::from_bytes(&wanted),
            "{named}"
        );
        assert_eq!(real, wanted_real, "{named}");
    }
    assert!(crate::source::unix::resolve(Path::new("")).is_err());
    let (run, _) = run();
    let found = walk(&source(Path::new("src/source/unix"), Excludes::default()), &run);
    let paths: Vec<_> = found.iter().take(3).map(|f| f.path.to_string()).collect();
    assert_eq!(paths, ["/src", "/src/source", "/src/source/unix"]);
    assert_eq!(at(&found, "src/source/unix/walk.rs").meta.kind, Kind::File);
}
