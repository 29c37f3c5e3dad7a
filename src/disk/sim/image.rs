//! What a simulated disk holds: nodes, and names for them.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::hash::Hasher;
use std::io;
use std::path::Component;
use std::path::Path;
use std::sync::Arc;

use crate::disk::DiskItem;
use crate::disk::DiskStat;
use crate::disk::FileKind;
use crate::units::Timestamp;

/// The number of a file or folder. The root is 0.
pub type NodeId = u64;

const ROOT: NodeId = 0;

/// A name in a folder, taken or free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub folder: NodeId,
    pub name: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    File,
    Folder,
}

/// One change that reaches the medium whole or not at all; `Content` may also be torn.
#[derive(Debug, Clone)]
pub enum Change {
    Make { place: Place, node: NodeId, kind: NodeKind },
    Content { node: NodeId, content: Arc<[u8]>, modified: Timestamp },
    Rename { from: Place, to: Place, node: NodeId },
    Remove { place: Place, node: NodeId },
}

#[derive(Debug, Clone)]
enum Node {
    File { content: Arc<[u8]>, modified: Timestamp },
    Folder(BTreeMap<Vec<u8>, NodeId>),
}

impl Node {
    fn empty(kind: NodeKind) -> Self {
        match kind {
            NodeKind::File => {
                Self::File { content: Arc::default(), modified: Timestamp::default() }
            }
            NodeKind::Folder => Self::Folder(BTreeMap::new()),
        }
    }
}

/// All files and folders. Nodes without a name are kept and seen by nobody.
#[derive(Debug, Clone)]
pub struct Image {
    nodes: BTreeMap<NodeId, Node>,
}

impl Default for Image {
    fn default() -> Self {
        Self { nodes: BTreeMap::from([(ROOT, Node::empty(NodeKind::Folder))]) }
    }
}

impl Image {
    /// Every file that has a name, by its path from the root.
    #[must_use]
    pub fn files(&self) -> BTreeMap<Vec<u8>, Arc<[u8]>> {
        let mut found = BTreeMap::new();
        self.walk(&mut |path, node| {
            if let Node::File { content, .. } = node {
                found.insert(path.to_vec(), Arc::clone(content));
            }
        });
        found
    }

    /// Equal for two images in which names and contents are equal.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        self.walk(&mut |path, node| {
            path.hash(&mut hasher);
            match node {
                Node::File { content, .. } => content.hash(&mut hasher),
                Node::Folder(_) => hasher.write_u8(0),
            }
        });
        hasher.finish()
    }

    fn walk(&self, seen: &mut dyn FnMut(&[u8], &Node)) {
        let mut folders = vec![(Vec::new(), ROOT)];
        while let Some((path, id)) = folders.pop() {
            let Some(Node::Folder(names)) = self.nodes.get(&id) else { continue };
            for (name, child) in names {
                let path = [path.as_slice(), b"/", name].concat();
                let Some(node) = self.nodes.get(child) else { continue };
                seen(&path, node);
                folders.push((path, *child));
            }
        }
    }

    /// A number that no node has.
    #[must_use]
    pub fn next_node(&self) -> NodeId {
        self.nodes.last_key_value().map_or(ROOT, |(id, _)| *id) + 1
    }

    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Make { place, node, kind } => {
                self.nodes.entry(*node).or_insert_with(|| Node::empty(*kind));
                self.set(place, *node);
            }
            Change::Content { node, content, modified } => {
                let (content, modified) = (Arc::clone(content), *modified);
                self.nodes.insert(*node, Node::File { content, modified });
            }
            Change::Rename { from, to, node } => {
                self.nodes.entry(*node).or_insert_with(|| Node::empty(NodeKind::File));
                self.unset(from, *node);
                self.set(to, *node);
            }
            Change::Remove { place, node } => self.unset(place, *node),
        }
    }

    fn set(&mut self, place: &Place, node: NodeId) {
        let folder = self.nodes.entry(place.folder);
        let folder = folder.or_insert_with(|| Node::empty(NodeKind::Folder));
        if let Node::Folder(names) = folder {
            names.insert(place.name.clone(), node);
        }
    }

    fn unset(&mut self, place: &Place, node: NodeId) {
        if let Some(Node::Folder(names)) = self.nodes.get_mut(&place.folder)
            && names.get(&place.name) == Some(&node)
        {
            names.remove(&place.name);
        }
    }

    #[must_use]
    pub fn at(&self, place: &Place) -> Option<NodeId> {
        match self.nodes.get(&place.folder) {
            Some(Node::Folder(names)) => names.get(&place.name).copied(),
            _ => None,
        }
    }

    /// The node of a path.
    pub fn find(&self, path: &Path) -> io::Result<NodeId> {
        let mut node = ROOT;
        for name in names_of(path)? {
            self.names(node)?;
            node = self.at(&Place { folder: node, name }).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(node)
    }

    /// Where a path's last component stands or would stand.
    pub fn place(&self, path: &Path) -> io::Result<Place> {
        let mut names = names_of(path)?;
        let name = names.pop().ok_or(io::ErrorKind::InvalidInput)?;
        let folder = names.iter().try_fold(ROOT, |folder, name| {
            let place = Place { folder, name: name.clone() };
            self.at(&place).ok_or(io::Error::from(io::ErrorKind::NotFound))
        })?;
        self.names(folder)?;
        Ok(Place { folder, name })
    }

    pub fn content(&self, node: NodeId) -> io::Result<Arc<[u8]>> {
        match self.nodes.get(&node) {
            Some(Node::File { content, .. }) => Ok(Arc::clone(content)),
            Some(Node::Folder(_)) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub fn stat(&self, node: NodeId) -> io::Result<DiskStat> {
        match self.nodes.get(&node).ok_or(io::ErrorKind::NotFound)? {
            Node::File { content, modified } => Ok(DiskStat {
                kind: FileKind::File,
                len_bytes: content.len() as u64,
                modified: *modified,
            }),
            Node::Folder(_) => {
                let modified = Timestamp::default();
                Ok(DiskStat { kind: FileKind::Folder, len_bytes: 0, modified })
            }
        }
    }

    pub fn list(&self, folder: NodeId) -> io::Result<Vec<DiskItem>> {
        let names = self.names(folder)?.iter();
        names.map(|(name, id)| Ok(DiskItem { name: name.clone(), stat: self.stat(*id)? })).collect()
    }

    fn names(&self, folder: NodeId) -> io::Result<&BTreeMap<Vec<u8>, NodeId>> {
        match self.nodes.get(&folder) {
            Some(Node::Folder(names)) => Ok(names),
            Some(Node::File { .. }) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

fn names_of(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name.as_encoded_bytes().to_vec()),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(io::ErrorKind::InvalidInput.into());
            }
        }
    }
    Ok(names)
}
