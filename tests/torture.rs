//! Whole trees through the real program: backup, restore, compare with a comparer of our own.

mod moving;
mod scale;

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use crate::support::compare::assert_alike;
use crate::support::compare::look;
use crate::support::generate;
use crate::support::mutate::mutate;

/// A repository in a folder of its own, and the program with its variables.
pub struct Place {
    pub folder: tempfile::TempDir,
}

impl Place {
    /// With a repository made by the program.
    pub fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.expect(0, &["init"]);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program, ready to start beside the tree.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.path("home"))
            .env("LIFEBOAT_REPOSITORY", self.path("repository"))
            .env("LIFEBOAT_CACHE_DIR", self.path("cache"))
            .env("LIFEBOAT_PASSWORD", "only a test")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program and demands this exit code; its standard output.
    #[track_caller]
    pub fn expect(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Restores the newest snapshot and compares it with `tree`, which was backed up by its name.
    #[track_caller]
    pub fn assert_restores(&self, what: &str, tree: &Path) {
        let target = self.path(&format!("restored {what}"));
        self.expect(0, &["restore", "--quiet", "latest", "--target", target.to_str().unwrap()]);
        let name = tree.file_name().unwrap();
        assert_alike(what, &look(tree), &look(&target.join(name)));
    }
}

#[test]
fn everything_a_folder_can_hold_comes_back() {
    let place = Place::new();
    let tree = place.path("tree");
    println!("not made here: {:?}", generate::full(&tree, 11));
    place.expect(0, &["backup", "--quiet", "tree"]);
    place.assert_restores("full", &tree);
    place.expect(0, &["check", "--quiet", "--read-data"]);
}

#[test]
fn an_unchanged_tree_adds_no_data() {
    let place = Place::new();
    let tree = place.path("tree");
    generate::small(&tree, 3);
    place.expect(0, &["backup", "--quiet", "tree"]);
    let packs = |place: &Place| look(&place.path("repository/packs")).len();
    let before = packs(&place);
    place.expect(0, &["backup", "--quiet", "tree"]);
    assert_eq!(packs(&place), before);
    place.assert_restores("unchanged", &tree);
}

#[test]
fn changed_trees_come_back_after_each_backup() {
    for seed in 100..104 {
        let place = Place::new();
        let tree = place.path("tree");
        generate::small(&tree, seed);
        place.expect(0, &["backup", "--quiet", "tree"]);
        place.assert_restores(&format!("seed {seed}"), &tree);
        for round in 0..3 {
            let done = mutate(&tree, seed * 10 + round, 6);
            println!("seed {seed} round {round}: {done:#?}");
            place.expect(0, &["backup", "--quiet", "tree"]);
            place.assert_restores(&format!("seed {seed} round {round}"), &tree);
        }
        place.expect(0, &["check", "--quiet", "--read-data"]);
    }
}
