//! A dozen damages of a real folder, through the real program: `check` names what is bad and its
//! exit code says how bad; `restore` gives the rest.

use std::path::Path;
use std::path::PathBuf;

use crate::support::Random;
use crate::support::compare::look;
use crate::support::generate::put;
use crate::torture::Place;

/// Everything restores, but a second copy is bad.
const HEALABLE: i32 = 3;
/// Something is lost.
const DAMAGED: i32 = 20;

/// Files beneath a folder, by name; sizes too.
fn files(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = std::fs::symlink_metadata(&path).unwrap();
            if meta.is_dir() {
                pending.push(path);
            } else {
                found.push((path, meta.len()));
            }
        }
    }
    found.sort_unstable();
    found
}

/// A copy of a repository to be damaged, and the program over it.
struct Copy {
    place: Place,
    repository: PathBuf,
}

impl Copy {
    fn of(original: &Place) -> Self {
        let place = Place { folder: tempfile::tempdir().unwrap() };
        for folder in ["repository", "cache"] {
            for (path, _) in files(&original.path(folder)) {
                let name = path.strip_prefix(original.folder.path()).unwrap();
                let target = place.folder.path().join(name);
                std::fs::create_dir_all(target.parent().unwrap()).unwrap();
                std::fs::copy(&path, target).unwrap();
            }
        }
        let repository = place.path("repository");
        Self { place, repository }
    }

    /// Files of a folder of the repository.
    fn list(&self, folder: &str) -> Vec<PathBuf> {
        files(&self.repository.join(folder)).into_iter().map(|(path, _)| path).collect()
    }

    /// Its packs, the smallest first: nodes have packs of their own, which are small.
    fn packs(&self) -> Vec<PathBuf> {
        let mut packs = files(&self.repository.join("packs"));
        packs.sort_unstable_by_key(|(_, len)| *len);
        packs.into_iter().map(|(path, _)| path).collect()
    }

    /// The manifest number `seq` in a folder.
    fn manifest(&self, folder: &str, seq: usize) -> PathBuf {
        let is_it = |path: &&PathBuf| {
            path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{seq}-"))
        };
        self.list(folder).iter().find(is_it).unwrap().clone()
    }

    /// The program's exit code and everything it said.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.place.command(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8_lossy(&text).into_owned())
    }
}

/// Writes a file anew: the program's own files may be read-only.
fn rewrite(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::remove_file(path).unwrap();
    put(path, &bytes);
}

fn flip(path: &Path) -> Vec<PathBuf> {
    rewrite(path, |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    vec![path.to_owned()]
}

fn delete(path: &Path) -> Vec<PathBuf> {
    std::fs::remove_file(path).unwrap();
    vec![path.to_owned()]
}

fn swap(one: &Path, other: &Path) -> Vec<PathBuf> {
    let (left, right) = (std::fs::read(one).unwrap(), std::fs::read(other).unwrap());
    rewrite(one, |bytes| *bytes = right);
    rewrite(other, |bytes| *bytes = left);
    vec![one.to_owned(), other.to_owned()]
}

/// A damage, the exit code of `check`, and what is done: the files that must be named.
type Case = (&'static str, i32, fn(&Copy) -> Vec<PathBuf>);

const CASES: [Case; 14] = [
    ("a manifest's copy deleted", HEALABLE, |copy| delete(&copy.manifest("manifests", 3))),
    ("a manifest deleted, both copies", DAMAGED, |copy| {
        delete(&copy.manifest("manifests", 2));
        delete(&copy.manifest("manifests.2", 2));
        Vec::new()
    }),
    ("a bit of a manifest", HEALABLE, |copy| flip(&copy.manifest("manifests.2", 1))),
    ("an older manifest in place of the newest", DAMAGED, |copy| {
        let mut named = Vec::new();
        for folder in ["manifests", "manifests.2"] {
            let older = std::fs::read(copy.manifest(folder, 1)).unwrap();
            let newest = copy.manifest(folder, 3);
            rewrite(&newest, |bytes| *bytes = older);
            named.push(newest);
        }
        named
    }),
    ("the largest pack deleted", DAMAGED, |copy| delete(copy.packs().last().unwrap())),
    ("a pack of nodes deleted", HEALABLE, |copy| delete(&copy.packs()[0])),
    ("a bit of the largest pack", DAMAGED, |copy| flip(copy.packs().last().unwrap())),
    ("a pack one byte short", HEALABLE, |copy| {
        let pack = copy.packs().pop().unwrap();
        rewrite(&pack, |bytes| _ = bytes.pop());
        vec![pack]
    }),
    ("two packs swapped", DAMAGED, |copy| {
        let packs = copy.packs();
        swap(&packs[packs.len() - 1], &packs[packs.len() - 2])
    }),
    ("a bit of a slot", HEALABLE, |copy| flip(&copy.list("slots")[0])),
    ("a bit of the config", HEALABLE, |copy| flip(&copy.repository.join("config"))),
    ("the config deleted", HEALABLE, |copy| delete(&copy.repository.join("config"))),
    ("a bit of an index file", HEALABLE, |copy| flip(&copy.list("index")[0])),
    ("a keyring in place of a recipients list", HEALABLE, |copy| {
        let keyring = std::fs::read(&copy.list("keyring")[0]).unwrap();
        let list = copy.list("recipients").remove(0);
        rewrite(&list, |bytes| *bytes = keyring);
        vec![list]
    }),
];

/// What must be left of the newest snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    All,
    Some,
}

/// Every file with right bytes, or not under its name.
fn assert_rest(what: &str, copy: &Copy, tree: &Path, left: Left) {
    let is_whole = left == Left::All;
    let target = copy.place.path("restored");
    let (code, told) =
        copy.run(&["restore", "--quiet", "latest", "--target", target.to_str().unwrap()]);
    if !target.exists() {
        assert!(!is_whole && code != 0, "{what}: {code} {told}");
        return;
    }
    // Whatever else is wrong with the repository is told as well.
    assert!(is_whole || code != 0, "{what}: {told}");
    let restored = look(&target.join("tree"));
    let mut missing = 0;
    for (name, thing) in look(tree) {
        match restored.get(&name) {
            Some(found) => assert_eq!(found.content, thing.content, "{what}: {name:?}"),
            None => missing += 1,
        }
    }
    assert_eq!(missing == 0, is_whole, "{what}: {missing} missing\n{told}");
    for name in restored.keys() {
        let name = String::from_utf8(name.clone()).unwrap();
        let known = name.strip_suffix(".damaged").unwrap_or(&name);
        assert!(tree.join(known).exists(), "{what}: {name}");
    }
}

#[test]
fn check_names_what_is_bad_in_a_folder_and_restore_gives_the_rest() {
    let original = Place::new();
    let tree = original.path("tree");
    std::fs::create_dir(&tree).unwrap();
    let mut random = Random::new(4);
    for n in 0..40 {
        put(&tree.join(format!("small {n}")), &random.bytes(50 + n * 97));
    }
    // Two packs of data, so that losing one leaves something.
    put(&tree.join("large"), &random.bytes(6_000_000));
    original.expect(0, &["backup", "--quiet", "tree"]);
    put(&tree.join("later"), &random.bytes(2_000_000));
    original.expect(0, &["backup", "--quiet", "tree"]);
    put(&tree.join("small 3"), b"changed");
    original.expect(0, &["backup", "--quiet", "tree"]);
    let whole = Copy::of(&original);
    assert_eq!(whole.run(&["check", "--read-data"]).0, 0);
    assert_rest("whole", &whole, &tree, Left::All);
    for (what, expected, harm) in CASES {
        let copy = Copy::of(&original);
        let named = harm(&copy);
        let (code, told) = copy.run(&["check", "--read-data"]);
        assert_eq!(code, expected, "{what}: {told}");
        for path in named {
            let name = path.strip_prefix(&copy.repository).unwrap().to_str().unwrap();
            assert!(told.contains(name), "{what}: {name} is not named in\n{told}");
        }
        // What concerns an older snapshot alone leaves the newest whole.
        let is_whole = expected == HEALABLE || what.contains("both copies");
        let left = if is_whole { Left::All } else { Left::Some };
        if !what.contains("older manifest") {
            assert_rest(what, &copy, &tree, left);
        }
    }
}
