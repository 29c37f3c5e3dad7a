//! The comparer finds each kind of difference; the generator repeats itself.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::compare::Tree;
use super::compare::assert_alike;
use super::compare::differences;
use super::compare::look;
use super::generate;
use super::mutate::mutate;

#[test]
fn the_same_seed_gives_the_same_tree() {
    let folder = tempfile::tempdir().unwrap();
    let not_made = generate::full(&folder.path().join("a"), 1);
    generate::full(&folder.path().join("b"), 1);
    generate::full(&folder.path().join("c"), 2);
    println!("not made here: {not_made:?}");
    let (a, b) = (look(&folder.path().join("a")), look(&folder.path().join("b")));
    assert_alike("one seed", &a, &b);
    assert!(a.len() > 600, "{} things", a.len());
    assert!(!differences(&a, &look(&folder.path().join("c"))).is_empty());
    if generate::is_root() {
        assert_eq!(not_made, Vec::<&str>::new());
    }
}

#[test]
fn changes_follow_from_their_seed_and_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..5 {
        let (a, b) =
            (folder.path().join(format!("a{seed}")), folder.path().join(format!("b{seed}")));
        generate::small(&a, seed);
        generate::small(&b, seed);
        let before = look(&a);
        assert_eq!(differences(&before, &look(&b)), Vec::<String>::new());
        assert_eq!(mutate(&a, seed, 8).len(), 8);
        assert!(!differences(&before, &look(&a)).is_empty(), "seed {seed}");
    }
}

/// One tree, one change, and the only words that may stand in the differences.
fn planted(change: impl Fn(&Path), expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str| {
        let root = folder.path().join(name);
        std::fs::create_dir(&root).unwrap();
        generate::put(&root.join("file"), b"content");
        generate::put(&root.join("twin"), b"content");
        std::fs::hard_link(root.join("file"), root.join("second")).unwrap();
        symlink("file", root.join("link")).unwrap();
        generate::set_xattr(&root.join("file"), "user.a", b"1");
        File::create_new(root.join("sparse")).unwrap().set_len(1 << 20).unwrap();
        for name in ["file", "twin", "link", "sparse", ""] {
            generate::set_mtime(&root.join(name), 1000, 5);
        }
        root
    };
    let (a, b) = (make("a"), make("b"));
    let clean: (Tree, Tree) = (look(&a), look(&b));
    assert_eq!(differences(&clean.0, &clean.1), Vec::<String>::new());
    change(&b);
    // The folder's own time is no part of the change.
    generate::set_mtime(&b, 1000, 5);
    let found = differences(&clean.0, &look(&b));
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (line, word) in found.iter().zip(expected) {
        assert!(line.contains(word), "{line} lacks {word}");
    }
}

#[test]
fn each_kind_of_difference_is_found() {
    let keep_time = |path: &Path| generate::set_mtime(path, 1000, 5);
    planted(|root| drop(std::fs::remove_file(root.join("twin"))), &["twin: is missing"]);
    planted(|root| generate::put(&root.join("x"), b""), &["x: was not there"]);
    planted(|root| generate::set_mtime(&root.join("twin"), 1000, 6), &["twin: mtime"]);
    planted(|root| generate::set_mtime(&root.join("link"), 1001, 5), &["link: mtime"]);
    planted(
        |root| {
            generate::put(&root.join("twin"), b"c0ntent");
            keep_time(&root.join("twin"));
        },
        &["twin: content"],
    );
    planted(
        |root| {
            let mode = std::fs::Permissions::from_mode(0o4755);
            std::fs::set_permissions(root.join("twin"), mode).unwrap();
        },
        &["twin: mode"],
    );
    planted(
        |root| generate::set_xattr(&root.join("file"), "user.a", b"2"),
        &["file: xattrs", "second: xattrs"],
    );
    planted(
        |root| {
            std::fs::remove_file(root.join("second")).unwrap();
            generate::put(&root.join("second"), b"content");
            generate::set_xattr(&root.join("second"), "user.a", b"1");
            keep_time(&root.join("second"));
        },
        &["file: names", "second: names"],
    );
    planted(
        |root| {
            std::fs::remove_file(root.join("link")).unwrap();
            symlink("twin", root.join("link")).unwrap();
            keep_time(&root.join("link"));
        },
        &["link: link"],
    );
    planted(
        |root| {
            let file = File::options().write(true).open(root.join("sparse")).unwrap();
            file.write_all_at(&vec![0; 1 << 20], 0).unwrap();
            keep_time(&root.join("sparse"));
        },
        &["sparse: data ranges"],
    );
    planted(
        |root| {
            std::fs::remove_file(root.join("twin")).unwrap();
            std::fs::create_dir(root.join("twin")).unwrap();
            keep_time(&root.join("twin"));
        },
        &[
            "twin: kind",
            "twin: mode",
            "twin: size",
            "twin: content",
            "twin: data ranges",
            "twin: names",
        ],
    );
}

#[test]
fn owners_are_compared() {
    if !generate::is_root() {
        println!("not run: only root gives files away");
        return;
    }
    planted(
        |root| {
            std::os::unix::fs::chown(root.join("twin"), Some(4242), Some(4243)).unwrap();
            generate::set_mtime(&root.join("twin"), 1000, 5);
        },
        &["twin: owner"],
    );
}
