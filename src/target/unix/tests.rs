use std::os::unix::fs::FileTypeExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::*;
use crate::meta::Kind;
use crate::meta::Xattr;
use crate::target::Attributes;
use crate::target::Made;
use crate::target::Naming;
use crate::target::Placing;
use crate::target::Special;
use crate::target::Strays;
use crate::target::UNFINISHED_MODE;
use crate::units::FileTime;

/// A target with a canary beside it that nothing may touch.
struct Place {
    temp: tempfile::TempDir,
    target: FolderTarget,
}

impl Place {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("outside")).unwrap();
        let canary = std::os::unix::fs::symlink;
        canary("file", temp.path().join("outside/link")).unwrap();
        let target = FolderTarget::open(&temp.path().join("root"), 7).unwrap();
        Self { temp, target }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.temp.path().join("root").join(name)
    }

    fn assert_canary(&self) {
        let mut names: Vec<_> = std::fs::read_dir(self.temp.path().join("outside"))
            .unwrap()
            .map(|item| item.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["link"]);
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let items = std::fs::read_dir(self.at(folder)).unwrap();
        let name = |item: std::io::Result<std::fs::DirEntry>| item.unwrap().file_name();
        let mut names: Vec<_> = items.map(|i| name(i).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn put(&self, name: &str, bytes: &[u8], placing: Placing) -> Result<(), TargetError> {
        let mut file = self.target.writer().create_file(&path(name), Naming::WhenWhole)?;
        file.write_at(0, bytes)?;
        assert_eq!(file.publish(placing, &attributes())?, []);
        Ok(())
    }
}

fn path(text: &str) -> SnapshotPath {
    SnapshotPath::from_user(text.as_bytes()).unwrap()
}

fn attributes() -> Attributes<'static> {
    let mtime = FileTime { secs: 1_000_000_000, nanos: 123_456_789 };
    Attributes { owner: None, mode: 0o640, mtime, xattrs: &[], strays: Strays::Leave }
}

#[test]
fn a_dropped_file_leaves_nothing_and_a_published_one_is_whole() {
    let place = Place::new();
    assert!(place.target.standing().fresh);
    let mut file = place.target.writer().create_file(&path("a"), Naming::WhenWhole).unwrap();
    file.write_at(0, b"half").unwrap();
    drop(file);
    assert!(place.names("").is_empty());
    place.put("a", b"whole", Placing::New).unwrap();
    let stat = std::fs::metadata(place.at("a")).unwrap();
    assert_eq!(std::fs::read(place.at("a")).unwrap(), b"whole");
    assert_eq!(stat.permissions().mode() & 0o7777, 0o640);
    assert_eq!((stat.mtime(), stat.mtime_nsec()), (1_000_000_000, 123_456_789));
    place.target.sync().unwrap();
    assert!(!FolderTarget::open(&place.at(""), 8).unwrap().standing().fresh);
}

#[test]
fn a_taken_name_is_replaced_only_when_told_to() {
    let place = Place::new();
    place.put("a", b"one", Placing::New).unwrap();
    let refused = place.put("a", b"two", Placing::New).unwrap_err();
    assert_eq!(refused.kind, TargetErrorKind::Taken);
    assert_eq!(std::fs::read(place.at("a")).unwrap(), b"one");
    place.put("a", b"three", Placing::Replace).unwrap();
    assert_eq!(std::fs::read(place.at("a")).unwrap(), b"three");
    place.put("a", b"four", Placing::KeepReplaced).unwrap();
    place.put("a", b"five", Placing::KeepReplaced).unwrap();
    place.put("b", b"new", Placing::KeepReplaced).unwrap();
    assert_eq!(place.names(""), ["a", "a.replaced", "a.replaced-1", "b"]);
    assert_eq!(std::fs::read(place.at("a.replaced")).unwrap(), b"three");
    assert_eq!(std::fs::read(place.at("a.replaced-1")).unwrap(), b"four");
}

#[test]
fn a_folder_is_never_replaced_by_a_file() {
    let place = Place::new();
    std::fs::create_dir(place.at("d")).unwrap();
    place.put("d/kept", b"x", Placing::New).unwrap();
    assert!(place.put("d", b"file", Placing::Replace).is_err());
    assert_eq!(place.names(""), ["d"]);
    assert_eq!(std::fs::read(place.at("d/kept")).unwrap(), b"x");
}

#[test]
fn a_link_at_any_component_is_refused_and_never_written_through() {
    let place = Place::new();
    std::fs::create_dir_all(place.at("a/b")).unwrap();
    for link in ["l", "a/l", "a/b/l"] {
        std::os::unix::fs::symlink(place.temp.path().join("outside"), place.at(link)).unwrap();
        let mut writer = place.target.writer();
        let within = path(link).join(b"new").unwrap();
        let special = Special::Fifo;
        assert!(writer.create_file(&within, Naming::WhenWhole).is_err());
        assert!(writer.create_folder(&within).is_err());
        assert!(writer.create_special(&within, special, &attributes(), Placing::New).is_err());
        assert!(writer.look(&within).is_err());
        assert!(writer.list(&path(link)).is_err());
        assert!(writer.remove(&path(link).join(b"link").unwrap(), Kind::Symlink).is_err());
        assert!(writer.set_attributes(&path(link), Kind::Directory, &attributes()).is_err());
        assert!(writer.create_folder(&path(link)).is_err());
    }
    place.assert_canary();
}

#[test]
fn a_link_under_the_final_name_is_replaced_not_followed() {
    let place = Place::new();
    std::os::unix::fs::symlink("../outside/file", place.at("f")).unwrap();
    assert!(place.put("f", b"x", Placing::New).is_err());
    assert!(place.target.writer().open_file(&path("f")).is_err());
    assert!(place.target.writer().set_attributes(&path("f"), Kind::File, &attributes()).is_err());
    place.assert_canary();
    place.put("f", b"x", Placing::Replace).unwrap();
    assert!(std::fs::symlink_metadata(place.at("f")).unwrap().is_file());
    place.assert_canary();
}

#[test]
fn a_folder_swapped_for_a_link_during_the_restore_lets_nothing_out() {
    let place = Place::new();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let (mut tried, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        let (folder, link) = (place.at("d"), place.at("l"));
        std::fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink(place.temp.path().join("outside"), &link).unwrap();
        let root = Arc::clone(&place.target.root);
        let stop = &stop;
        scope.spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                rustix::fs::renameat_with(&*root, "d", &*root, "l", flags).unwrap();
            }
        });
        // On a busy machine the other thread may rest long; both have to have had their way.
        while tried < 2000 || refused == tried {
            let mut writer = place.target.writer();
            let within = path(&format!("d/{tried}"));
            tried += 1;
            match writer
                .create_file(&within, Naming::WhenWhole)
                .map(|file| file.publish(Placing::New, &attributes()))
            {
                Ok(published) => assert_eq!(published, Ok(vec![])),
                Err(_) => refused += 1,
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    place.assert_canary();
}

#[test]
fn special_things_are_what_they_should_be() {
    let place = Place::new();
    let mut writer = place.target.writer();
    let link = Special::Symlink { link: b"../outside/not there" };
    for (name, special) in [("l", link), ("f", Special::Fifo), ("s", Special::Socket)] {
        let made = writer.create_special(&path(name), special, &attributes(), Placing::New);
        assert_eq!(made, Ok(vec![]), "{name}");
        let again = writer.create_special(&path(name), special, &attributes(), Placing::New);
        assert_eq!(again.unwrap_err().kind, TargetErrorKind::Taken);
        let stat = std::fs::symlink_metadata(place.at(name)).unwrap();
        assert_eq!((stat.mtime(), stat.mtime_nsec()), (1_000_000_000, 123_456_789));
        if name != "l" {
            assert_eq!(stat.mode() & 0o7777, 0o640);
        }
    }
    let kind = |name| std::fs::symlink_metadata(place.at(name)).unwrap().file_type();
    assert!(kind("f").is_fifo() && kind("s").is_socket() && kind("l").is_symlink());
    assert_eq!(place.names(""), ["f", "l", "s"]);
    place.put("x", b"content", Placing::New).unwrap();
    writer.create_link(&path("y"), &path("x"), Placing::New).unwrap();
    writer.create_link(&path("s"), &path("x"), Placing::Replace).unwrap();
    assert!(writer.create_link(&path("y"), &path("x"), Placing::New).is_err());
    assert_eq!(std::fs::metadata(place.at("s")).unwrap().nlink(), 3);
}

#[test]
fn a_file_named_at_once_shows_that_it_is_unfinished_until_it_is_published() {
    let place = Place::new();
    let mut writer = place.target.writer();
    let mut file = writer.create_file(&path("a"), Naming::AtOnce).unwrap();
    file.write_at(0, b"half").unwrap();
    let standing = writer.look(&path("a")).unwrap().unwrap();
    assert_eq!(standing.mode, UNFINISHED_MODE);
    let taken = writer.create_file(&path("a"), Naming::AtOnce).err().unwrap();
    assert_eq!(taken.kind, TargetErrorKind::Taken);
    drop(file);
    assert!(place.names("").is_empty());
    let mut file = writer.create_file(&path("a"), Naming::AtOnce).unwrap();
    file.write_at(0, b"whole").unwrap();
    assert_eq!(file.publish(Placing::New, &attributes()).unwrap(), []);
    assert_eq!(std::fs::read(place.at("a")).unwrap(), b"whole");
    assert_eq!(std::fs::metadata(place.at("a")).unwrap().mode() & 0o7777, 0o640);
}

#[test]
fn a_name_that_a_link_has_taken_is_not_followed() {
    let place = Place::new();
    std::os::unix::fs::symlink("../outside/new", place.at("a")).unwrap();
    let mut writer = place.target.writer();
    let taken = writer.create_file(&path("a"), Naming::AtOnce).err().unwrap();
    assert_eq!(taken.kind, TargetErrorKind::Taken);
    place.assert_canary();
}

#[test]
fn attributes_survive_and_what_cannot_be_set_is_told() {
    let place = Place::new();
    let xattrs = [
        Xattr { name: b"nonsense".to_vec(), value: vec![1] },
        Xattr { name: b"user.a".to_vec(), value: vec![0, 255] },
    ];
    let mode = 0o4751;
    let owner = place.target.standing().privileged.then_some((12_345, 54_321));
    let wanted = Attributes { owner, mode, xattrs: &xattrs, ..attributes() };
    let file = place.target.writer().create_file(&path("a"), Naming::WhenWhole).unwrap();
    let lacks = file.publish(Placing::New, &wanted).unwrap();
    assert_eq!(lacks.iter().map(|l| &l.what[..]).collect::<Vec<_>>(), [b"nonsense"]);
    let stat = std::fs::metadata(place.at("a")).unwrap();
    assert_eq!(stat.mode() & 0o7777, mode);
    if owner.is_some() {
        assert_eq!((stat.uid(), stat.gid()), (12_345, 54_321));
    }
    let mut value = [0; 8];
    let len = rustix::fs::getxattr(place.at("a"), "user.a", &mut value[..]).unwrap();
    assert_eq!(&value[..len], [0, 255]);
    let wanted = Attributes { strays: Strays::Remove, ..attributes() };
    place.target.writer().set_attributes(&path("a"), Kind::File, &wanted).unwrap();
    assert!(rustix::fs::getxattr(place.at("a"), "user.a", &mut value[..]).is_err());
}

#[test]
fn a_file_with_a_name_outside_gets_no_attributes() {
    let place = Place::new();
    let canary = place.temp.path().join("outside/canary");
    std::fs::File::create_new(&canary).unwrap();
    std::fs::set_permissions(&canary, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::hard_link(&canary, place.at("f")).unwrap();
    let mut writer = place.target.writer();
    let refused = writer.set_attributes(&path("f"), Kind::File, &attributes());
    assert_eq!(refused.unwrap_err().kind, TargetErrorKind::Taken);
    assert_eq!(std::fs::metadata(&canary).unwrap().permissions().mode() & 0o7777, 0o600);
    // What looks as wanted already is as good as set.
    let found = writer.look(&path("f")).unwrap().unwrap();
    let same = Attributes { mode: found.mode, mtime: found.mtime, ..attributes() };
    assert_eq!(writer.set_attributes(&path("f"), Kind::File, &same), Ok(Vec::new()));
    // More than is wanted is not as wanted: who may read it may stand there.
    rustix::fs::setxattr(&canary, "user.more", b"1", rustix::fs::XattrFlags::empty()).unwrap();
    assert_eq!(writer.set_attributes(&path("f"), Kind::File, &same), Ok(Vec::new()));
    let bare = Attributes { strays: Strays::Remove, ..same };
    let refused = writer.set_attributes(&path("f"), Kind::File, &bare);
    assert_eq!(refused.unwrap_err().kind, TargetErrorKind::Taken);
}

#[test]
fn holes_take_no_space_and_read_as_zero() {
    let place = Place::new();
    let mut file = place.target.writer().create_file(&path("a"), Naming::WhenWhole).unwrap();
    file.set_len(64 << 20).unwrap();
    file.write_at(32 << 20, b"data").unwrap();
    file.publish(Placing::New, &attributes()).unwrap();
    let stat = std::fs::metadata(place.at("a")).unwrap();
    assert_eq!(stat.len(), 64 << 20);
    assert!(stat.blocks() * 512 < 1 << 20);
    let mut bytes = [9; 8];
    let mut old = place.target.writer().open_file(&path("a")).unwrap();
    assert_eq!(old.read_at((32 << 20) - 2, &mut bytes), Ok(8));
    assert_eq!(&bytes, b"\0\0data\0\0");
    assert_eq!(old.read_at((64 << 20) - 3, &mut bytes), Ok(3));
    assert_eq!(old.meta().size_bytes, 64 << 20);
}

#[test]
fn paths_longer_than_the_system_takes_in_one_call_work() {
    let place = Place::new();
    let mut writer = place.target.writer();
    let mut folder = SnapshotPath::root();
    for _ in 0..30 {
        folder = folder.join(&[b'n'; 200]).unwrap();
        assert_eq!(writer.create_folder(&folder), Ok(Made::New));
        assert_eq!(writer.create_folder(&folder), Ok(Made::Stood));
    }
    let file = folder.join(b"file").unwrap();
    let new = writer.create_file(&file, Naming::WhenWhole).unwrap();
    new.publish(Placing::New, &attributes()).unwrap();
    assert_eq!(writer.look(&file).unwrap().unwrap().kind, Kind::File);
    let long = SnapshotPath::root().join(&[b'n'; 300]).unwrap();
    assert_eq!(writer.create_folder(&long).unwrap_err().kind, TargetErrorKind::Name);
    // Removed from the inside out, since no outer tool may take such a path.
    writer.remove(&file, Kind::File).unwrap();
    while !folder.is_root() {
        writer.remove(&folder, Kind::Directory).unwrap();
        folder = folder.parent().unwrap();
    }
}
