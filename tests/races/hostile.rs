//! Snapshots that a stranger with all keys could write: the bytes of nodes are made by the
//! encoder and then changed, below every check of a writer.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use lifeboat::format::branch::Branch;
use lifeboat::format::branch::BranchChild;
use lifeboat::format::branch::encode_branch;
use lifeboat::format::entry::Content;
use lifeboat::format::entry::Entry;
use lifeboat::format::leaf::decode::decode_leaf;
use lifeboat::format::leaf::encode::encode_leaf;
use lifeboat::format::object::ObjectKind;
use lifeboat::format::object::Ref;
use lifeboat::ids::Digest;
use lifeboat::ids::Sid;
use lifeboat::meta::Extra;
use lifeboat::meta::Kind;
use lifeboat::meta::Meta;
use lifeboat::path::SnapshotPath;
use lifeboat::repository::error::RepositoryError;
use lifeboat::repository::tree::NodeSource;
use lifeboat::restore;
use lifeboat::restore::ObjectSource;
use lifeboat::restore::Options;
use lifeboat::restore::Overwrite;
use lifeboat::restore::RestoreError;
use lifeboat::run::Run;
use lifeboat::secret::ObjectKey;

use crate::fuzz::mutate::Mutator;
use crate::support::compare::differences;
use crate::support::compare::look;
use crate::support::generate;
use crate::support::profile::Profile;
use crate::support::tally::Tally;
use crate::world::Watched;
use crate::world::fast_folder;
use crate::world::folder_target;
use crate::world::restore_options;
use crate::world::snapshot_path;

const BUNDLE: &[u8] = b"content of every file";

fn reference(number: u8) -> Ref {
    let raw_len = u32::try_from(BUNDLE.len()).unwrap();
    Ref { sid: Sid::new([number; 32]), key: ObjectKey::new([number; 32]), raw_len }
}

/// Leaves below one root.
struct Hostile {
    leaves: Vec<(SnapshotPath, Vec<u8>, Vec<Sid>)>,
}

impl NodeSource for Hostile {
    fn node(
        &self,
        _: &Run,
        node: &Ref,
        kind: ObjectKind,
    ) -> Result<(Vec<u8>, Vec<Sid>), RepositoryError> {
        if kind == ObjectKind::Leaf {
            let at = usize::from(node.sid.as_bytes()[0]);
            let (_, raw, sids) = &self.leaves[at];
            return Ok((raw.clone(), sids.clone()));
        }
        let child = |(at, (first, ..)): (u8, &(SnapshotPath, Vec<u8>, Vec<Sid>))| BranchChild {
            first: first.clone(),
            node: Arc::new(reference(at)),
            entries_count: 1,
        };
        let children = (0..).zip(&self.leaves).map(child).collect();
        let body = encode_branch(&Branch { level: 1, children });
        Ok((body.raw, body.children))
    }
}

impl ObjectSource for Hostile {
    fn data(&self, _: &Run, _: &Ref, _: ObjectKind) -> Result<Vec<u8>, RepositoryError> {
        Ok(BUNDLE.to_vec())
    }
}

fn file(path: &str) -> Entry {
    let digest = Digest::new(*blake3::hash(BUNDLE).as_bytes());
    let len = u32::try_from(BUNDLE.len()).unwrap();
    let bundle = Arc::new(reference(200));
    Entry {
        path: snapshot_path(path),
        meta: Meta::plain(Kind::File, BUNDLE.len() as u64),
        content: Content::Slice { bundle, offset: 0, len, digest },
    }
}

fn other(path: &str, kind: Kind, extra: Extra) -> Entry {
    let mut meta = Meta::plain(kind, 0);
    meta.extra = (extra != Extra::default()).then(|| Box::new(extra));
    Entry { path: snapshot_path(path), meta, content: Content::None }
}

/// A leaf in whose bytes `from` became `to`, of the same length.
fn leaf(entries: &[Entry], from: &[u8], to: &[u8]) -> (SnapshotPath, Vec<u8>, Vec<Sid>) {
    assert_eq!(from.len(), to.len());
    let body = encode_leaf(entries);
    let mut raw = body.raw;
    if from != to {
        let places: Vec<usize> =
            (0..raw.len() - from.len()).filter(|at| raw[*at..].starts_with(from)).collect();
        assert!(!places.is_empty());
        for at in places {
            raw[at..at + to.len()].copy_from_slice(to);
        }
    }
    let first = entries.first().map_or_else(SnapshotPath::root, |entry| entry.path.clone());
    (first, raw, body.children)
}

/// Restores into `folder`; the answer and the problems.
fn restored(
    hostile: &Hostile,
    folder: &Path,
    options: &Options,
) -> (Result<restore::Report, RestoreError>, Vec<String>) {
    let watched = Watched::alone();
    let target = folder_target(folder);
    let root = reference(255);
    let done = restore::execute::execute(&watched.run, (hostile, &root), &target, options);
    (done, watched.problems())
}

/// A folder to restore into, and things beside it that must stay as they are.
fn scene() -> tempfile::TempDir {
    let base = fast_folder();
    for name in ["outside", "outside/folder"] {
        std::fs::create_dir(base.path().join(name)).unwrap();
    }
    for name in ["outside/secret", "outside/folder/f", "beside"] {
        generate::put(&base.path().join(name), b"canary");
    }
    base
}

fn outside_of(base: &Path) -> crate::support::compare::Tree {
    let mut all = look(base);
    all.retain(|name, _| !name.starts_with(b"target") && !name.is_empty());
    all
}

#[test]
fn names_that_leave_their_folder_are_refused_and_the_rest_is_restored() {
    let good = || leaf(&[file("zz/good")], b"zz", b"zz");
    let cases: [(&str, &str, &[u8], &[u8]); 9] = [
        ("dots", "QQ", b"QQ", b".."),
        ("dots above", "QQ/beside", b"QQ", b".."),
        ("dot", "Q/beside", b"Q", b"."),
        ("slash", "aQQbeside", b"aQQ", b"../"),
        ("deep slash", "Q../beside", b"Q..", b"/.."),
        ("absolute", "Qtmp", b"Qtmp", b"/tmp"),
        ("NUL in front", "Qbeside", b"Q", b"\0"),
        ("NUL behind", "besideQ", b"Q", b"\0"),
        ("two NULs", "aQQb", b"QQ", b"\0\0"),
    ];
    for (what, path, from, to) in cases {
        for overwrite in [Overwrite::Always, Overwrite::Never] {
            let base = scene();
            let before = outside_of(base.path());
            let hostile = Hostile { leaves: vec![leaf(&[file(path)], from, to), good()] };
            let options = Options { overwrite, ..restore_options() };
            let folder = base.path().join("target");
            let (done, problems) = restored(&hostile, &folder, &options);
            let report = done.unwrap();
            assert_eq!((report.lost_nodes_count, problems.is_empty()), (1, false), "{what}");
            assert_eq!(differences(&before, &outside_of(base.path())), [""; 0], "{what}");
            // The folder of the good leaf has no entry, and is made anew; nothing else came.
            let came: Vec<Vec<u8>> = look(&folder).into_keys().collect();
            assert_eq!(came, [&b""[..], b"zz", b"zz/good"], "{what}");
        }
    }
}

#[test]
fn entries_that_contradict_each_other_reach_nothing_outside() {
    let link = |to: &str| Extra { link: to.as_bytes().to_vec(), ..Extra::default() };
    let hard = |to: &str| Extra { hard_link: Some(snapshot_path(to)), ..Extra::default() };
    let folder = |path: &str| other(path, Kind::Directory, Extra::default());
    let cases: Vec<(&str, Vec<Vec<Entry>>)> = vec![
        (
            "a file in a link",
            vec![vec![other("a", Kind::Symlink, link("../outside")), file("a/f")]],
        ),
        ("a file in a file", vec![vec![file("a"), file("a/f")]]),
        (
            "twins in two leaves",
            vec![
                vec![folder("a"), file("c")],
                vec![file("b"), other("c", Kind::Symlink, link("../beside"))],
            ],
        ),
        (
            "a folder and a link of one name",
            vec![
                vec![folder("a"), file("a/f"), folder("c")],
                vec![
                    other("b", Kind::Symlink, link("../outside")),
                    folder("b/folder"),
                    file("b/folder/f"),
                ],
            ],
        ),
        ("a hard link to a folder", vec![vec![folder("a"), other("b", Kind::HardLink, hard("a"))]]),
        ("a hard link to nothing", vec![vec![other("b", Kind::HardLink, hard("outside/secret"))]]),
        ("a hard link to itself", vec![vec![other("b", Kind::HardLink, hard("b"))]]),
        (
            "a hard link through a link",
            vec![vec![
                other("a", Kind::Symlink, link("../outside")),
                other("b", Kind::HardLink, hard("a/secret")),
            ]],
        ),
        (
            "hard links in a ring",
            vec![vec![
                other("a", Kind::HardLink, hard("b")),
                other("b", Kind::HardLink, hard("a")),
            ]],
        ),
    ];
    for (what, leaves) in cases {
        let leaves: Vec<_> = leaves.iter().map(|entries| leaf(entries, b"", b"")).collect();
        let hostile = Hostile { leaves };
        for round in 0..2 {
            let base = scene();
            let before = outside_of(base.path());
            let target = base.path().join("target");
            if round == 1 {
                std::fs::create_dir(&target).unwrap();
                symlink("../outside", target.join("a")).unwrap();
                symlink("../beside", target.join("b")).unwrap();
            }
            for _ in 0..2 {
                let (done, problems) = restored(&hostile, &target, &restore_options());
                if let Ok(report) = done {
                    let sum = report.restored_count + report.kept_count + report.failed_count;
                    assert_eq!(report.asked_count, sum, "{what}: {report:?}");
                    assert!(report.failed_count == 0 || !problems.is_empty(), "{what}");
                }
                assert_eq!(differences(&before, &outside_of(base.path())), [""; 0], "{what}");
            }
        }
    }
}

/// A hard link whose name leaves the snapshot is refused with its leaf.
#[test]
fn hard_links_outward_are_refused() {
    for (to, from) in [("QQ/beside", "QQ"), ("QQbeside", "QQb")] {
        let extra = Extra { hard_link: Some(snapshot_path(to)), ..Extra::default() };
        let hostile = Hostile {
            leaves: vec![leaf(
                &[other("b", Kind::HardLink, extra)],
                from.as_bytes(),
                from.replace("QQb", "../").replace("QQ", "..").as_bytes(),
            )],
        };
        let base = scene();
        let before = outside_of(base.path());
        let (done, problems) = restored(&hostile, &base.path().join("target"), &restore_options());
        assert_eq!(done.unwrap().lost_nodes_count, 1, "{problems:?}");
        assert_eq!(differences(&before, &outside_of(base.path())), [""; 0]);
    }
}

/// Leaves with bytes changed at random, restored for real, into a fresh folder and over it.
#[test]
fn made_up_leaves_reach_nothing_outside() {
    let seed = 5;
    let rounds = Profile::of_process().pick(1500, 100_000, 5_000_000);
    let mut tally = Tally::start("h11-hostile", seed);
    let mut mutator = Mutator::new(seed);
    let link = Extra { link: b"../outside/secret".to_vec(), ..Extra::default() };
    let hard = Extra { hard_link: Some(snapshot_path("d/f")), ..Extra::default() };
    let entries = [
        other("d", Kind::Directory, Extra::default()),
        file("d/f"),
        other("d/g", Kind::HardLink, hard),
        other("d/l", Kind::Symlink, link),
        other("e", Kind::Directory, Extra::default()),
        other("e/p", Kind::Fifo, Extra::default()),
        file("f"),
    ];
    let (_, raw, sids) = leaf(&entries, b"", b"");
    let pool = vec![raw];
    let base = scene();
    let before = outside_of(base.path());
    let options = restore_options();
    for round in 0..rounds {
        let raw = mutator.next(&pool, 4096);
        let Ok(found) = decode_leaf(&raw, &sids) else {
            tally.count("refused", 1);
            continue;
        };
        // A file of exabytes that is all hole is a right that a snapshot has; not on this disk.
        let huge = found.iter().any(|entry| entry.meta.size_bytes > 1 << 20);
        if huge {
            continue;
        }
        let first = found.first().map_or_else(SnapshotPath::root, |entry| entry.path.clone());
        let hostile = Hostile { leaves: vec![(first, raw, sids.clone())] };
        tally.trials += 1;
        let target = base.path().join(format!("target-{round}"));
        for _ in 0..2 {
            let (done, _) = restored(&hostile, &target, &options);
            if let Ok(report) = done {
                let sum = report.restored_count + report.kept_count + report.failed_count;
                assert_eq!(report.asked_count, sum, "round {round}: {report:?}");
            }
        }
        let changed = differences(&before, &outside_of(base.path()));
        assert!(changed.is_empty(), "seed {seed} round {round}: {changed:#?}");
        std::fs::remove_dir_all(&target).unwrap();
    }
    tally.finish();
    assert!(tally.trials > 20, "only {} were restored", tally.trials);
}
