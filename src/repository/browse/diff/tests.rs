use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering as Memory;

use super::*;
use crate::clock::SystemClock;
use crate::format::branch::Branch;
use crate::format::branch::BranchChild;
use crate::format::branch::encode_branch;
use crate::format::entry::Content;
use crate::format::leaf::NodeBody;
use crate::format::leaf::encode::encode_leaf;
use crate::ids::RunId;
use crate::ids::Sid;
use crate::meta::Kind;
use crate::meta::Meta;
use crate::run::monitor::Silent;
use crate::secret::ObjectKey;

/// Nodes without seals, named by their content.
#[derive(Default)]
struct Nodes {
    bodies: HashMap<Sid, NodeBody>,
    reads_count: AtomicUsize,
}

impl Nodes {
    fn keep(&mut self, body: NodeBody) -> Arc<Ref> {
        let raw_len = u32::try_from(body.raw.len()).unwrap();
        let sid = Sid::new(*blake3::hash(&body.raw).as_bytes());
        self.bodies.insert(sid, body);
        Arc::new(Ref { sid, key: ObjectKey::new(*sid.as_bytes()), raw_len })
    }

    /// A tree whose cuts depend on the paths alone.
    fn tree(&mut self, entries: &BTreeMap<SnapshotPath, u64>) -> Ref {
        let is_cut = |path: &SnapshotPath, bits: u8| {
            blake3::hash(path.as_stored()).as_bytes()[0].trailing_zeros() >= u32::from(bits)
        };
        let mut leaves: Vec<Vec<Entry>> = vec![Vec::new()];
        for (path, size) in entries {
            let meta = Meta::plain(Kind::File, *size);
            let entry = Entry { path: path.clone(), meta, content: Content::None };
            leaves.last_mut().unwrap().push(entry);
            if is_cut(path, 2) {
                leaves.push(Vec::new());
            }
        }
        let leaves = leaves.into_iter().filter(|leaf| !leaf.is_empty());
        let mut children: Vec<BranchChild> = leaves
            .map(|leaf| BranchChild {
                first: leaf[0].path.clone(),
                entries_count: leaf.len() as u64,
                node: self.keep(encode_leaf(&leaf)),
            })
            .collect();
        let mut level = 1;
        loop {
            let mut branches: Vec<Vec<BranchChild>> = vec![Vec::new()];
            for child in children {
                let cut = is_cut(&child.first, 2 + level);
                if cut && !branches.last().unwrap().is_empty() {
                    branches.push(Vec::new());
                }
                branches.last_mut().unwrap().push(child);
            }
            let count = branches.len();
            children = branches
                .into_iter()
                .map(|children| BranchChild {
                    first: children[0].first.clone(),
                    entries_count: 0,
                    node: self.keep(encode_branch(&Branch { level, children })),
                })
                .collect();
            if count == 1 {
                return (*children[0].node).clone();
            }
            level += 1;
        }
    }
}

impl NodeSource for Nodes {
    fn node(
        &self,
        _run: &Run,
        node: &Ref,
        _kind: ObjectKind,
    ) -> Result<(Vec<u8>, Vec<Sid>), RepositoryError> {
        self.reads_count.fetch_add(1, Memory::Relaxed);
        let body = &self.bodies[&node.sid];
        Ok((body.raw.clone(), body.children.clone()))
    }
}

fn run() -> Run {
    Run::new(RunId::new([0; 16]), Arc::new(Silent), Arc::new(SystemClock::new()), 0)
}

fn files(count: u64) -> BTreeMap<SnapshotPath, u64> {
    let path = |n| SnapshotPath::from_user(format!("d{}/f{n:05}", n / 100).as_bytes()).unwrap();
    (0..count).map(|n| (path(n), n)).collect()
}

fn found(nodes: &Nodes, before: &Ref, after: &Ref) -> Vec<(SnapshotPath, char)> {
    TreeDiff::new(&run(), nodes, before, after)
        .map(|change| match change.unwrap() {
            Change::Added(entry) => (entry.path, '+'),
            Change::Removed(entry) => (entry.path, '-'),
            Change::Changed { before, what, .. } => {
                assert!(what.has(Differences::CONTENT) && !what.has(Differences::KIND));
                (before.path, 'M')
            }
        })
        .collect()
}

#[test]
fn equal_trees_are_not_read() {
    let mut nodes = Nodes::default();
    let root = nodes.tree(&files(500));
    assert!(found(&nodes, &root, &root).is_empty());
    assert_eq!(nodes.reads_count.load(Memory::Relaxed), 0);
}

#[test]
fn every_difference_is_found_and_little_is_read() {
    // Steps through many shapes of the two trees; the plain maps say what has to be found.
    for seed in 0..40_u64 {
        let before = files(2000);
        let mut after = before.clone();
        let mut expected = BTreeMap::new();
        for n in 0..=seed % 7 {
            let at = usize::try_from((seed * 131 + n * 577) % 2000).unwrap();
            let path = before.keys().nth(at).unwrap().clone();
            let sign = ['+', '-', 'M'][usize::try_from((seed + n) % 3).unwrap()];
            let (path, sign) = match sign {
                '+' => (path.join(b"new").unwrap(), '+'),
                sign => (path, sign),
            };
            match sign {
                '-' => after.remove(&path),
                _ => after.insert(path.clone(), 1_000_000 + n),
            };
            expected.insert(path, sign);
        }
        let mut nodes = Nodes::default();
        let (old, new) = (nodes.tree(&before), nodes.tree(&after));
        let all_count = nodes.bodies.len();
        let changes = found(&nodes, &old, &new);
        assert_eq!(changes, expected.into_iter().collect::<Vec<_>>(), "seed {seed}");
        let reads_count = nodes.reads_count.load(Memory::Relaxed);
        assert!(reads_count < all_count / 2, "{reads_count} of {all_count}");
    }
}

#[test]
fn nothing_in_common_is_all_removed_and_added() {
    let mut nodes = Nodes::default();
    let other = [(SnapshotPath::from_user(b"zz").unwrap(), 1)].into_iter().collect();
    let (old, new) = (nodes.tree(&files(300)), nodes.tree(&other));
    let changes = found(&nodes, &old, &new);
    assert_eq!(changes.iter().filter(|(_, sign)| *sign == '-').count(), 300);
    assert_eq!(changes.last().unwrap().1, '+');
}
