//! A target in memory that forgets what was not synced, as the simulated disk does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;

use lifeboat::meta::Extra;
use lifeboat::meta::Kind;
use lifeboat::meta::Meta;
use lifeboat::path::SnapshotPath;
use lifeboat::target::Attributes;
use lifeboat::target::Lack;
use lifeboat::target::Made;
use lifeboat::target::Naming;
use lifeboat::target::NewFile;
use lifeboat::target::OldFile;
use lifeboat::target::Placing;
use lifeboat::target::Settled;
use lifeboat::target::Special;
use lifeboat::target::Standing;
use lifeboat::target::Target;
use lifeboat::target::TargetError;
use lifeboat::target::TargetErrorKind;
use lifeboat::target::UNFINISHED_MODE;
use lifeboat::target::UNSETTLED_TIME;
use lifeboat::target::Writer;
use lifeboat::units::FileTime;

use super::model::Thing;

/// One change that reaches the medium whole or not at all.
#[derive(Debug, Clone)]
pub enum Change {
    Make {
        node: u64,
        meta: Meta,
    },
    Write {
        node: u64,
        offset: usize,
        bytes: Arc<[u8]>,
    },
    Len {
        node: u64,
        len: usize,
    },
    Attributes {
        node: u64,
        meta: Meta,
    },
    Name {
        path: SnapshotPath,
        node: u64,
    },
    Remove {
        path: SnapshotPath,
    },
    /// Everything before is durable.
    Sync,
}

/// What stands in a target.
#[derive(Debug, Clone, Default)]
pub struct Standings {
    nodes: BTreeMap<u64, (Meta, Vec<u8>)>,
    names: BTreeMap<SnapshotPath, u64>,
}

impl Standings {
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Make { node, meta } => {
                self.nodes.entry(*node).or_insert((meta.clone(), Vec::new()));
            }
            Change::Write { node, offset, bytes } => {
                if let Some((_, content)) = self.nodes.get_mut(node) {
                    let end = offset + bytes.len();
                    content.resize(content.len().max(end), 0);
                    content[*offset..end].copy_from_slice(bytes);
                }
            }
            Change::Len { node, len } => {
                if let Some((_, content)) = self.nodes.get_mut(node) {
                    content.resize(*len, 0);
                }
            }
            Change::Attributes { node, meta } => {
                if let Some((standing, _)) = self.nodes.get_mut(node) {
                    *standing = meta.clone();
                }
            }
            Change::Name { path, node } => {
                // A name in a folder that a crash took away went with it.
                let folder = path.parent().filter(|folder| !folder.is_root());
                let stands = folder.is_none_or(|folder| self.names.contains_key(&folder));
                if stands && self.nodes.contains_key(node) {
                    self.names.insert(path.clone(), *node);
                }
            }
            Change::Remove { path } => drop(self.names.remove(path)),
            Change::Sync => {}
        }
    }

    fn meta(&self, path: &SnapshotPath) -> Option<Meta> {
        let node = self.names.get(path)?;
        let (meta, content) = self.nodes.get(node)?;
        let links = self.names.values().filter(|other| *other == node).count();
        let size_bytes = if meta.kind == Kind::File { content.len() as u64 } else { 0 };
        let links_count = u32::try_from(links).unwrap();
        Some(Meta { size_bytes, links_count, inode: *node, ..meta.clone() })
    }

    /// Everything that has a name, but the unfinished.
    pub fn things(&self) -> BTreeMap<String, Thing> {
        let mut found = BTreeMap::new();
        let mut firsts: BTreeMap<u64, String> = BTreeMap::new();
        for (path, node) in &self.names {
            let (meta, content) = &self.nodes[node];
            let name = String::from_utf8(path.to_slashed()).unwrap();
            let first = firsts.entry(*node).or_insert_with(|| name.clone()).clone();
            let extra = meta.extra.as_deref().cloned().unwrap_or_default();
            let xattrs = extra.xattrs.into_iter().map(|xattr| (xattr.name, xattr.value));
            let thing = Thing {
                kind: meta.kind,
                mode: meta.mode,
                owner: (meta.uid, meta.gid),
                mtime: (meta.mtime.secs, meta.mtime.nanos),
                bytes: content.clone(),
                link: extra.link,
                xattrs: xattrs.collect(),
                first,
            };
            if thing.kind != Kind::File || thing.mode != UNFINISHED_MODE {
                found.insert(name, thing);
            }
        }
        found
    }
}

#[derive(Debug, Default)]
struct State {
    now: Standings,
    history: Vec<Change>,
    next_node: u64,
}

impl State {
    fn change(&mut self, change: Change) {
        self.now.apply(&change);
        self.history.push(change);
    }

    fn make(&mut self, meta: Meta) -> u64 {
        self.next_node += 1;
        let node = self.next_node;
        self.change(Change::Make { node, meta });
        node
    }
}

/// A folder in memory; clones are the same folder.
#[derive(Debug, Clone)]
pub struct MemoryTarget {
    state: Arc<Mutex<State>>,
    fresh: bool,
    /// A planted bug: a barrier is answered, and nothing is durable, while times are waited for.
    pub is_lazy: bool,
}

impl MemoryTarget {
    pub fn new() -> Self {
        Self::holding(Standings::default())
    }

    pub fn holding(now: Standings) -> Self {
        let fresh = now.names.is_empty();
        let next_node = now.nodes.last_key_value().map_or(0, |(node, _)| *node);
        let state = Arc::new(Mutex::new(State { now, history: Vec::new(), next_node }));
        Self { state, fresh, is_lazy: false }
    }

    pub fn standings(&self) -> Standings {
        self.lock().now.clone()
    }

    pub fn history(&self) -> Vec<Change> {
        self.lock().history.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn failed(operation: &'static str, path: &SnapshotPath, kind: TargetErrorKind) -> TargetError {
    TargetError { kind, operation, path: path.to_string(), detail: format!("{kind:?}") }
}

fn with_attributes(meta: &Meta, wanted: &Attributes<'_>) -> Meta {
    let mut extra = meta.extra.as_deref().cloned().unwrap_or_default();
    extra.xattrs = wanted.xattrs.to_vec();
    let (uid, gid) = wanted.owner.unwrap_or((meta.uid, meta.gid));
    let extra = (extra != Extra::default()).then(|| Box::new(extra));
    Meta { uid, gid, mode: wanted.mode, mtime: wanted.mtime, extra, ..meta.clone() }
}

/// Puts a node under its name; the file that it replaces is gone, or kept aside.
fn place(
    state: &mut State,
    (path, node): (&SnapshotPath, u64),
    placing: Placing,
) -> Result<(), TargetError> {
    let standing = state.now.names.get(path).copied();
    if let Some(old) = standing {
        if placing == Placing::New || state.now.nodes[&old].0.kind == Kind::Directory {
            return Err(failed("name", path, TargetErrorKind::Taken));
        }
        if placing == Placing::KeepReplaced {
            let name = [path.name().unwrap(), b".replaced"].concat();
            let aside = path.parent().unwrap().join(&name).unwrap();
            state.change(Change::Name { path: aside, node: old });
        }
    }
    state.change(Change::Name { path: path.clone(), node });
    Ok(())
}

impl Target for MemoryTarget {
    fn standing(&self) -> Standing {
        Standing { privileged: true, fresh: self.fresh }
    }

    fn writer(&self) -> Box<dyn Writer + '_> {
        Box::new(MemoryWriter(Arc::clone(&self.state)))
    }

    fn owner_ids(&self, _user: &[u8], _group: &[u8]) -> (Option<u32>, Option<u32>) {
        (None, None)
    }

    fn sync(&self) -> Result<(), TargetError> {
        let mut state = self.lock();
        let waits = |(meta, _): &(Meta, Vec<u8>)| meta.mtime == UNSETTLED_TIME;
        if !(self.is_lazy && state.now.nodes.values().any(waits)) {
            state.change(Change::Sync);
        }
        Ok(())
    }
}

struct MemoryWriter(Arc<Mutex<State>>);

impl MemoryWriter {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Writer for MemoryWriter {
    fn look(&mut self, path: &SnapshotPath) -> Result<Option<Meta>, TargetError> {
        Ok(self.lock().now.meta(path))
    }

    fn list(&mut self, folder: &SnapshotPath) -> Result<Vec<Vec<u8>>, TargetError> {
        let state = self.lock();
        let names = state.now.names.keys();
        let inside = names.filter(|path| path.parent().as_ref() == Some(folder));
        Ok(inside.filter_map(|path| path.name().map(<[u8]>::to_vec)).collect())
    }

    fn create_folder(&mut self, path: &SnapshotPath) -> Result<Made, TargetError> {
        let mut state = self.lock();
        match state.now.meta(path) {
            _ if path.is_root() => Ok(Made::Stood),
            Some(meta) if meta.kind == Kind::Directory => Ok(Made::Stood),
            Some(_) => Err(failed("make folder", path, TargetErrorKind::Taken)),
            None => {
                let node = state.make(Meta { mode: 0o700, ..Meta::plain(Kind::Directory, 0) });
                state.change(Change::Name { path: path.clone(), node });
                Ok(Made::New)
            }
        }
    }

    fn create_file(
        &mut self,
        path: &SnapshotPath,
        naming: Naming,
    ) -> Result<Box<dyn NewFile>, TargetError> {
        let mut state = self.lock();
        if naming == Naming::AtOnce && state.now.names.contains_key(path) {
            return Err(failed("create file", path, TargetErrorKind::Taken));
        }
        let node = state.make(Meta { mode: UNFINISHED_MODE, ..Meta::plain(Kind::File, 0) });
        if naming == Naming::AtOnce {
            state.change(Change::Name { path: path.clone(), node });
        }
        drop(state);
        let (state, path) = (Arc::clone(&self.0), path.clone());
        Ok(Box::new(MemoryFile { state, path, node, naming, done: false }))
    }

    fn open_file(&mut self, path: &SnapshotPath) -> Result<Box<dyn OldFile>, TargetError> {
        let state = self.lock();
        let meta = state.now.meta(path).filter(|meta| meta.kind == Kind::File);
        let meta = meta.ok_or_else(|| failed("open", path, TargetErrorKind::NotFound))?;
        let content = state.now.nodes[&meta.inode].1.clone();
        Ok(Box::new(Opened { meta, content }))
    }

    fn create_special(
        &mut self,
        path: &SnapshotPath,
        special: Special<'_>,
        attributes: &Attributes<'_>,
        placing: Placing,
    ) -> Result<Vec<Lack>, TargetError> {
        let mut extra = Extra::default();
        let kind = match special {
            Special::Symlink { link } => {
                extra.link = link.to_vec();
                Kind::Symlink
            }
            Special::Fifo => Kind::Fifo,
            Special::Socket => Kind::Socket,
            Special::CharDevice { .. } => Kind::CharDevice,
            Special::BlockDevice { .. } => Kind::BlockDevice,
        };
        let meta = Meta { extra: Some(Box::new(extra)), ..Meta::plain(kind, 0) };
        let mut state = self.lock();
        let node = state.make(with_attributes(&meta, attributes));
        place(&mut state, (path, node), placing).map(|()| Vec::new())
    }

    fn create_link(
        &mut self,
        path: &SnapshotPath,
        existing: &SnapshotPath,
        placing: Placing,
    ) -> Result<(), TargetError> {
        let mut state = self.lock();
        let node = state.now.names.get(existing).copied();
        let node = node.ok_or_else(|| failed("link", existing, TargetErrorKind::NotFound))?;
        place(&mut state, (path, node), placing)
    }

    fn set_attributes(
        &mut self,
        path: &SnapshotPath,
        _kind: Kind,
        attributes: &Attributes<'_>,
    ) -> Result<Vec<Lack>, TargetError> {
        let mut state = self.lock();
        let meta = state.now.meta(path);
        let meta = meta.ok_or_else(|| failed("look at", path, TargetErrorKind::NotFound))?;
        let node = meta.inode;
        state.change(Change::Attributes { node, meta: with_attributes(&meta, attributes) });
        Ok(Vec::new())
    }

    fn settle(&mut self, path: &SnapshotPath, mtime: FileTime) -> Result<Settled, TargetError> {
        let mut state = self.lock();
        let found = state.now.meta(path);
        let Some(meta) = found.filter(|meta| meta.mtime == UNSETTLED_TIME) else {
            return Ok(Settled::Other);
        };
        let (node, meta) = (meta.inode, Meta { mtime, ..meta });
        state.change(Change::Attributes { node, meta });
        Ok(Settled::Done)
    }

    fn remove(&mut self, path: &SnapshotPath, _kind: Kind) -> Result<(), TargetError> {
        self.lock().change(Change::Remove { path: path.clone() });
        Ok(())
    }
}

struct MemoryFile {
    state: Arc<Mutex<State>>,
    path: SnapshotPath,
    node: u64,
    naming: Naming,
    done: bool,
}

impl NewFile for MemoryFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        let (node, offset) = (self.node, usize::try_from(offset).unwrap());
        self.state.lock().unwrap().change(Change::Write { node, offset, bytes: bytes.into() });
        Ok(())
    }

    fn set_len(&mut self, len_bytes: u64) -> Result<(), TargetError> {
        let (node, len) = (self.node, usize::try_from(len_bytes).unwrap());
        self.state.lock().unwrap().change(Change::Len { node, len });
        Ok(())
    }

    fn set_name(&mut self, name: &[u8]) -> Result<(), TargetError> {
        self.path = self.path.parent().unwrap().join(name).unwrap();
        Ok(())
    }

    fn publish(
        mut self: Box<Self>,
        placing: Placing,
        attributes: &Attributes<'_>,
    ) -> Result<Vec<Lack>, TargetError> {
        let mut state = self.state.lock().unwrap();
        let meta = with_attributes(&state.now.nodes[&self.node].0, attributes);
        state.change(Change::Attributes { node: self.node, meta });
        if self.naming == Naming::WhenWhole {
            place(&mut state, (&self.path, self.node), placing)?;
        }
        drop(state);
        self.done = true;
        Ok(Vec::new())
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        if !self.done && self.naming == Naming::AtOnce {
            let mut state = self.state.lock().unwrap();
            if state.now.names.get(&self.path) == Some(&self.node) {
                state.change(Change::Remove { path: self.path.clone() });
            }
        }
    }
}

struct Opened {
    meta: Meta,
    content: Vec<u8>,
}

impl OldFile for Opened {
    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, TargetError> {
        let start = usize::try_from(offset).unwrap().min(self.content.len());
        let rest = &self.content[start..];
        let len = rest.len().min(into.len());
        into[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }
}
