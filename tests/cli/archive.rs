//! `dump` of folders: archives that other programs read, compared by a comparer of our own.

use std::path::Path;
use std::process::Command;

use super::round_trip::with_files;
use super::scene::Scene;
use super::scene::Told;
use crate::support::Random;
use crate::support::compare::Tree;
use crate::support::compare::assert_alike;
use crate::support::compare::look;
use crate::support::generate;

/// A repository with one snapshot of a tree that holds everything.
fn with_everything() -> Scene {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    println!("not made here: {:?}", generate::full(&scene.path("source/tree"), 5));
    scene.expect(0, &["backup", "-q", "tree"]);
    scene
}

/// Dumps into a file of this name.
#[track_caller]
fn dump(scene: &Scene, code: i32, name: &str, args: &[&str]) -> Told {
    let target = scene.path(name);
    let told = scene
        .expect(code, &[&["dump", "--json", "--target", target.to_str().unwrap()], args].concat());
    assert!(told.stdout.is_empty(), "{told}");
    told
}

#[track_caller]
fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{program}: {out}{err}");
    assert_eq!(err, "", "{program} complains");
    out
}

/// Unpacks with the system's tar, with everything that it can restore.
fn untar(scene: &Scene, archive: &str, into: &str) -> Tree {
    let (archive, folder) = (scene.path(archive), scene.path(into));
    std::fs::create_dir(&folder).unwrap();
    let args = ["--xattrs", "--xattrs-include=*", "--acls", "--numeric-owner"];
    // Times of the tree are old and far ahead on purpose.
    let args = [&args[..], &["--warning=no-timestamp", "-xpf"]].concat();
    let (archive, into) = (archive.to_str().unwrap(), folder.to_str().unwrap());
    run("tar", &[&args[..], &[archive, "-C", into]].concat());
    look(&folder)
}

#[test]
fn a_tar_brings_everything_back_but_sockets() {
    let scene = with_everything();
    let told = dump(&scene, 3, "out.tar", &["latest:tree"]);
    let problems = told.json_on_stderr_of("problem");
    assert_eq!(problems.len(), 1, "{told}");
    assert_eq!(problems[0]["subject"], "tree/specials/socket");
    let mut expected = look(&scene.path("source/tree"));
    expected.remove(&b"specials/socket"[..]);
    let found = untar(&scene, "out.tar", "unpacked");
    assert_alike("tar", &expected, &found);
    let result = &told.json_on_stderr_of("result")[0];
    assert_eq!(result["members_count"], expected.len(), "{told}");
    assert_eq!((&result["left_out_count"], &result["archive"]), (&1.into(), &"tar".into()));
}

/// Writes the files of a tar, one after another, as Python reads them.
const PYTHON_TAR: &str = r"
import os, sys, tarfile
archive, into = sys.argv[1:]
with tarfile.open(archive) as tar:
    for member in tar:
        path = os.path.join(into, member.name)
        if member.isdir():
            os.makedirs(path, exist_ok=True)
        elif member.isreg():
            with open(path, 'xb') as out:
                source = tar.extractfile(member)
                while block := source.read(1 << 20):
                    out.write(block)
            os.chmod(path, member.mode)
";

/// What a reader without attributes, hard links, devices and nanoseconds can bring back.
fn only_files(mut tree: Tree) -> Tree {
    tree.retain(|_, thing| thing.kind == "file" && thing.names.1 == 1);
    for thing in tree.values_mut() {
        thing.xattrs.clear();
        thing.data.clear();
        thing.owner = (0, 0);
        thing.mtime = (0, 0);
    }
    tree
}

#[test]
fn python_reads_the_same_files_from_a_tar() {
    let scene = with_everything();
    dump(&scene, 3, "out.tar", &["latest:tree", "--archive", "tar"]);
    let (archive, into) = (scene.path("out.tar"), scene.path("unpacked"));
    std::fs::create_dir(&into).unwrap();
    let args = ["-c", PYTHON_TAR, archive.to_str().unwrap(), into.to_str().unwrap()];
    run("python3", &args);
    let expected = only_files(look(&scene.path("source/tree")));
    assert!(expected.len() > 500, "{}", expected.len());
    let mut found = only_files(look(&into));
    // Members of which others are links are files here, and alone.
    found.retain(|name, _| expected.contains_key(name));
    assert_alike("tar read by Python", &expected, &found);
}

/// Unpacks a zip with rights, owners, links and the seconds of times.
const PYTHON_ZIP: &str = r"
import os, struct, sys, zipfile
archive, into = sys.argv[1:]
with zipfile.ZipFile(archive) as source:
    assert source.testzip() is None
    folders = []
    for info in source.infolist():
        mode = info.external_attr >> 16
        fields, extra = {}, info.extra
        while extra:
            kind, length = struct.unpack('<HH', extra[:4])
            fields[kind] = extra[4:4 + length]
            extra = extra[4 + length:]
        path = os.path.join(into, info.filename)
        if mode >> 12 == 0o04:
            os.makedirs(path)
        elif mode >> 12 == 0o12:
            os.symlink(source.read(info), os.fsencode(path))
        else:
            assert mode >> 12 == 0o10, oct(mode)
            with source.open(info) as content, open(path, 'xb') as out:
                while block := content.read(1 << 20):
                    out.write(block)
        one, uid, four, gid = struct.unpack('<xBIBI', fields[0x7875])[0:4]
        if os.geteuid() == 0:
            os.lchown(path, uid, gid)
        folders.append((path, mode, fields.get(0x5455)))
    for path, mode, time in reversed(folders):
        if mode >> 12 != 0o12:
            os.chmod(path, mode & 0o7777)
        if time:
            seconds = struct.unpack('<i', time[1:5])[0]
            os.utime(path, (seconds, seconds), follow_symlinks=False)
";

/// The tree as a zip can hold it, and how many hard links become copies.
fn as_zip_holds(tree: Tree) -> (Tree, usize) {
    let mut copies_count = 0;
    let mut expected = Tree::new();
    for (name, mut thing) in tree {
        if !["file", "folder", "symlink"].contains(&thing.kind) {
            continue;
        }
        copies_count += usize::from(thing.names.0 != name && thing.names.1 > 1);
        // Per name: what is not UTF-8, or has a backslash, stands with `%`.
        let parts: Vec<String> = name.split(|byte| *byte == b'/').map(zip_name).collect();
        let written = parts.join("/").into_bytes();
        thing.names = (written.clone(), 1);
        thing.xattrs.clear();
        thing.data.clear();
        let fits = i32::try_from(thing.mtime.0).is_ok();
        thing.mtime = (if fits { thing.mtime.0 } else { 0 }, 0);
        expected.insert(written, thing);
    }
    (expected, copies_count)
}

fn zip_name(part: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(part)
        && !text.contains('\\')
    {
        return text.to_owned();
    }
    let mut rest = part;
    let mut out = String::new();
    while let Some(first) = rest.first() {
        let len = (1..=4.min(rest.len())).find(|n| std::str::from_utf8(&rest[..*n]).is_ok());
        let taken = std::str::from_utf8(&rest[..len.unwrap_or(0)]).unwrap();
        match taken {
            "" => out.push_str(&format!("%{first:02x}")),
            "\\" => out.push_str("%5c"),
            "%" => out.push_str("%25"),
            other => out.push_str(other),
        }
        rest = &rest[len.unwrap_or(1)..];
    }
    if out.len() > 255 {
        out.truncate(255 - 17);
        out.push_str(&format!("~{}", &blake3::hash(part).to_string()[..16]));
    }
    out
}

#[test]
fn a_zip_brings_files_folders_and_links_back_and_the_rest_is_told() {
    let scene = with_everything();
    let told = dump(&scene, 3, "out.zip", &["latest:tree", "--archive", "zip"]);
    let (expected, copies_count) = as_zip_holds(look(&scene.path("source/tree")));
    let (archive, into) = (scene.path("out.zip"), scene.path("unpacked"));
    std::fs::create_dir(&into).unwrap();
    let args = ["-c", PYTHON_ZIP, archive.to_str().unwrap(), into.to_str().unwrap()];
    run("python3", &args);
    let (mut found, _) = as_zip_holds(look(&into));
    // The folder itself is not in a zip, and times beyond 32 bits are not in its exact field.
    for (name, thing) in &mut found {
        let there = &expected[name];
        if name.is_empty() {
            *thing = there.clone();
        } else if there.mtime == (0, 0) {
            thing.mtime = (0, 0);
        }
    }
    assert_alike("zip", &expected, &found);
    let result = &told.json_on_stderr_of("result")[0];
    assert_eq!(result["copies_count"], copies_count, "{told}");
    let problems = told.json_on_stderr_of("problem");
    let of = |text: &str| {
        problems.iter().filter(|line| line["message"].as_str().unwrap().contains(text)).count()
    };
    let renamed_count = result["renamed_count"].as_u64().unwrap();
    assert!(renamed_count > 200, "{told}");
    assert_eq!(of("stands in the archive as"), usize::try_from(renamed_count).unwrap());
    let left_out = of("is not in the archive");
    assert_eq!(result["left_out_count"], left_out, "{told}");
    assert_eq!(left_out + of("stands in the archive as"), problems.len(), "{told}");
    run("unzip", &["-tqq", archive.to_str().unwrap()]);
}

#[test]
fn one_snapshot_gives_the_same_bytes_and_both_outputs_agree() {
    let scene = with_everything();
    for form in ["tar", "zip"] {
        dump(&scene, 3, form, &["latest:tree", "--archive", form]);
        let told = scene.expect(3, &["dump", "latest:tree", "--archive", form, "--json"]);
        assert!(told.stdout == std::fs::read(scene.path(form)).unwrap(), "{form}");
        assert_eq!(told.json_on_stderr_of("result")[0]["item"], "dump");
    }
}

#[test]
fn one_entry_may_be_an_archive_and_the_whole_snapshot_too() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    dump(&scene, 0, "one.tar", &["latest:sub/b.txt", "--archive", "tar"]);
    let one = untar(&scene, "one.tar", "one");
    assert_eq!(one[&b"b.txt"[..]].content, b"beta");
    dump(&scene, 0, "all.tar", &["latest"]);
    assert_alike("all", &look(&scene.path("source")), &untar(&scene, "all.tar", "all"));
    std::fs::hard_link(scene.path("source/a.txt"), scene.path("source/sub/linked")).unwrap();
    std::fs::hard_link(scene.path("source/a.txt"), scene.path("source/sub/linked2")).unwrap();
    scene.expect(0, &["backup", "-q", "."]);
    // The first name lies outside: the second becomes the file, the third a link to it.
    dump(&scene, 0, "sub.tar", &["latest:sub"]);
    let sub = untar(&scene, "sub.tar", "sub");
    assert_eq!(sub[&b"linked2"[..]].content, b"alpha");
    assert_eq!(sub[&b"linked2"[..]].names, (b"linked".to_vec(), 2));
}

#[test]
fn a_target_is_whole_or_absent_and_never_overwritten() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    scene.file("there.tar", b"mine");
    let there = scene.path("there.tar");
    let told = scene.expect(1, &["dump", "latest", "-t", there.to_str().unwrap()]);
    assert!(told.stderr.contains("nothing is overwritten\nnext:  "), "{told}");
    assert_eq!(std::fs::read(&there).unwrap(), b"mine");
    let nowhere = scene.path("nowhere/x.tar");
    scene.expect(1, &["dump", "latest", "-t", nowhere.to_str().unwrap()]);
    break_packs(&scene, |_| true);
    let target = scene.path("large.bin");
    let args = ["dump", "latest:sub/deep/large.bin", "-t", target.to_str().unwrap()];
    let told = scene.run(&args);
    assert!(!matches!(told.code, Some(0 | 3)), "{told}");
    assert!(!target.exists());
    let left = std::fs::read_dir(scene.path("")).unwrap().map(|row| row.unwrap().file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().contains("dump")), "a leftover");
}

/// Flips a byte in the middle of every pack that is chosen by its length.
fn break_packs(scene: &Scene, is_meant: impl Fn(u64) -> bool) -> usize {
    let mut broken_count = 0;
    for path in scene.files("repository").iter().filter(|name| name.contains("/packs/")) {
        let meta = std::fs::metadata(path).unwrap();
        if meta.is_file() && is_meant(meta.len()) {
            let mut bytes = std::fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x40;
            std::fs::remove_file(path).unwrap();
            generate::put(Path::new(path), &bytes);
            broken_count += 1;
        }
    }
    broken_count
}

/// A repository with a file of random bytes that is written chunk by chunk.
fn with_large(seed: u64) -> (Scene, Vec<u8>) {
    let scene = with_files();
    // The small files get a pack of their own.
    scene.expect(0, &["backup", "-q", "."]);
    let large = Random::new(seed).bytes(20_000_000);
    scene.file("source/big.img", &large);
    scene.expect(0, &["backup", "-q", "."]);
    (scene, large)
}

#[test]
fn a_member_damaged_midway_is_filled_named_and_marked() {
    for form in ["tar", "zip"] {
        let (scene, large) = with_large(3);
        assert!(break_packs(&scene, |len| len > 8_000_000) > 0);
        let told = dump(&scene, 20, "out", &["latest", "--archive", form]);
        let into = scene.path("unpacked");
        std::fs::create_dir(&into).unwrap();
        let (archive, folder) = (scene.path("out"), into.to_str().unwrap().to_owned());
        match form {
            "tar" => drop(untar(&scene, "out", "by tar")),
            _ => drop(run("python3", &["-c", PYTHON_ZIP, archive.to_str().unwrap(), &folder])),
        }
        let into = if form == "tar" { scene.path("by tar") } else { into };
        let found = std::fs::read(into.join("big.img")).unwrap();
        assert_eq!(found.len(), large.len());
        let wrong: Vec<usize> = (0..large.len()).filter(|&n| found[n] != large[n]).collect();
        assert!(!wrong.is_empty() && wrong.iter().all(|&n| found[n] == 0), "{form}");
        let note = std::fs::read_to_string(into.join("big.img.damaged.txt")).unwrap();
        assert!(note.starts_with("big.img is damaged: zeros stand for lost bytes "), "{note}");
        let problems = told.json_on_stderr_of("problem");
        let member = problems.iter().find(|line| line["subject"] == "big.img").unwrap();
        assert_eq!(member["severity"], "damage");
        assert_eq!(told.json_on_stderr_of("result")[0]["damaged_count"], 1);
        assert_eq!(std::fs::read(into.join("a.txt")).unwrap(), b"alpha");
    }
}

#[test]
fn what_is_known_to_be_lost_never_becomes_a_member() {
    let (scene, _) = with_large(4);
    for path in scene.files("repository").iter().filter(|name| name.contains("/packs/")) {
        if std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() > 8_000_000) {
            std::fs::remove_file(path).unwrap();
        }
    }
    let told = dump(&scene, 20, "out.tar", &["latest"]);
    let found = untar(&scene, "out.tar", "unpacked");
    assert!(!found.contains_key(&b"big.img"[..]), "{told}");
    assert_eq!(found[&b"a.txt"[..]].content, b"alpha");
    let result = &told.json_on_stderr_of("result")[0];
    assert_eq!((&result["left_out_count"], &result["damaged_count"]), (&1.into(), &0.into()));
    let human = scene.expect(20, &["dump", "latest", "-a", "zip"]);
    assert!(human.stderr.contains("1 entries are not in the archive; see above"), "{human}");
}

#[test]
fn a_reader_that_goes_away_ends_it_in_silence() {
    let scene = with_everything();
    for form in ["tar", "zip"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = scene.command(&["dump", "-q", "latest:tree/sizes", "--archive", form]);
        let output = command.stdout(writer).output().unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{form}");
    }
}
