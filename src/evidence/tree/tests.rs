use ct_merkle::HashableLeaf;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use sha2::Sha256;

use super::*;

/// The inputs and roots of the test vectors of the reference implementation of RFC 6962.
const INPUTS: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn tree_of(count: u64) -> Tree {
    let mut tree = Tree::default();
    for n in 0..count {
        tree.push(leaf(&n.to_le_bytes()));
    }
    tree
}

#[test]
fn roots_are_those_of_the_reference() {
    let mut tree = Tree::default();
    for input in INPUTS {
        tree.push(leaf(input));
    }
    for (size, root) in ROOTS.into_iter().enumerate() {
        assert_eq!(tree.root(size as u64).unwrap().to_string(), root, "{size} leaves");
    }
    assert_eq!(tree.root(9), None);
}

/// Paths of the same reference: of leaf 1, 6, 3, 2 in trees of 1 to 8.
#[test]
fn paths_are_those_of_the_reference() {
    let mut tree = Tree::default();
    for input in INPUTS {
        tree.push(leaf(input));
    }
    let hex = |path: Vec<LedgerHash>| path.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(tree.inclusion(0, 1), Some(vec![]));
    assert_eq!(
        hex(tree.inclusion(0, 8).unwrap()),
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ]
    );
    assert_eq!(tree.consistency(1, 1), Some(vec![]));
    assert_eq!(
        hex(tree.consistency(1, 8).unwrap()),
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ]
    );
    assert_eq!(
        hex(tree.consistency(2, 5).unwrap()),
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ]
    );
}

#[derive(Clone)]
struct Bytes(Vec<u8>);

impl HashableLeaf for Bytes {
    fn hash<H: sha2::digest::Update>(&self, hasher: &mut H) {
        hasher.update(&self.0);
    }
}

/// Another implementation agrees on every root and every proof of small trees.
#[test]
fn another_implementation_agrees() {
    let tree = tree_of(70);
    let mut other = MemoryBackedTree::<Sha256, Bytes>::new();
    for size in 1..=70_u64 {
        other.push(Bytes((size - 1).to_le_bytes().to_vec()));
        let root = tree.root(size).unwrap();
        assert_eq!(other.root().as_bytes().as_slice(), root.as_bytes(), "{size}");
        for index in 0..size {
            let path = tree.inclusion(index, size).unwrap();
            let theirs = other.prove_inclusion(usize::try_from(index).unwrap());
            assert_eq!(theirs.as_bytes(), flat(&path), "{index} of {size}");
        }
        for old in 1..size {
            let path = tree.consistency(old, size).unwrap();
            let theirs = other.prove_consistency(usize::try_from(size - old).unwrap());
            assert_eq!(theirs.as_bytes(), flat(&path), "{old} to {size}");
        }
    }
}

fn flat(path: &[LedgerHash]) -> Vec<u8> {
    path.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

#[test]
fn proofs_hold_for_what_they_prove_and_nothing_else() {
    let tree = tree_of(40);
    for size in 1..=40 {
        let root = tree.root(size).unwrap();
        for index in 0..size {
            let path = tree.inclusion(index, size).unwrap();
            let hash = leaf(&index.to_le_bytes());
            assert!(is_included((hash, index), (root, size), &path));
            for other in (0..=size).filter(|other| *other != index) {
                assert!(!is_included((hash, other), (root, size), &path), "{other} for {index}");
            }
            let mut longer = path.clone();
            longer.push(root);
            assert!(!is_included((hash, index), (root, size), &longer));
            if let Some((_, shorter)) = path.split_last() {
                assert!(!is_included((hash, index), (root, size), shorter));
            }
        }
        for old in 1..=size {
            let (old_root, path) = (tree.root(old).unwrap(), tree.consistency(old, size).unwrap());
            assert!(is_consistent((old_root, old), (root, size), &path), "{old} to {size}");
            for other in (1..=size).filter(|other| *other != old) {
                let root_of_other = tree.root(other).unwrap();
                let holds = is_consistent((root_of_other, other), (root, size), &path);
                assert!(!holds, "{other} for {old} to {size}");
            }
        }
    }
    assert_eq!(tree.inclusion(40, 40), None);
    assert_eq!(tree.consistency(0, 40), None);
    assert_eq!(tree.consistency(5, 41), None);
}

/// Any number, and often a small one.
fn edges() -> impl Strategy<Value = u64> {
    proptest::prop_oneof![0..4_u64, any::<u64>()]
}

proptest::proptest! {
    #[test]
    fn any_proof_is_an_answer(
        index in edges(), size in edges(), old in edges(),
        path in proptest::collection::vec(any::<[u8; 32]>(), 0..4),
    ) {
        let path: Vec<_> = path.into_iter().map(LedgerHash::new).collect();
        let root = sha256(b"root");
        let is_alone = path.is_empty() && size == 1 && index == 0;
        proptest::prop_assert_eq!(is_included((root, index), (root, size), &path), is_alone);
        let is_same = path.is_empty() && old == size && old > 0;
        proptest::prop_assert_eq!(is_consistent((root, old), (root, size), &path), is_same);
    }
}
