//! What a snapshot reaches, and what of it the target lacks.

use std::collections::BTreeSet;
use std::collections::HashSet;

use crate::copy::Ends;
use crate::copy::error::CopyError;
use crate::format::manifest::ManifestPublic;
use crate::format::object::ObjectKind;
use crate::format::object::SealedObject;
use crate::ids::Sid;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::vault::error::VaultError;
use crate::vault::session::Session;
use crate::vault::whole::Presence;

/// Nodes that are read together, in the order in which they lie.
const NODES_TOGETHER: usize = 256;

/// What the target lacks of one or more snapshots.
#[derive(Debug, Default)]
pub(super) struct Lacking {
    /// Data objects that are still to be read.
    pub data: Vec<Sid>,
    /// Objects, nodes among them, and their sealed bytes at the source.
    pub objects_count: u64,
    pub bytes: u64,
}

/// Goes through snapshots, and through each object once.
pub(super) struct Walk<'a> {
    run: &'a Run,
    ends: Ends<'a>,
    visited: HashSet<[u8; 16]>,
    /// What neither side has whole.
    pub bad: BTreeSet<Sid>,
}

struct Node {
    sid: Sid,
    is_held: bool,
}

/// Takes a node, with its bytes if one side has them.
type Take<'a> = dyn FnMut(&Node, Option<Vec<u8>>) -> Result<(), CopyError> + 'a;

impl<'a> Walk<'a> {
    pub(super) fn new(run: &'a Run, ends: Ends<'a>) -> Self {
        Self { run, ends, visited: HashSet::new(), bad: BTreeSet::new() }
    }

    /// Forgets where it was: what it went through is not known to stay at the target.
    pub(super) fn forget(&mut self) {
        self.visited.clear();
    }

    /// Goes through a snapshot. With a session what it reaches is held for that session, and nodes
    /// that the target lacks are put at once.
    pub(super) fn snapshot(
        &mut self,
        public: &ManifestPublic,
        session: Option<&Session>,
        lacking: &mut Lacking,
    ) -> Result<(), CopyError> {
        let mut nodes = Vec::new();
        for sid in std::iter::once(public.root).chain(public.capsules.iter().copied()) {
            self.look(sid, session, (&mut nodes, lacking))?;
        }
        while !nodes.is_empty() {
            let now = nodes.split_off(nodes.len().saturating_sub(NODES_TOGETHER));
            for child in self.open(&now, session)? {
                self.look(child, session, (&mut nodes, lacking))?;
            }
        }
        Ok(())
    }

    fn look(
        &mut self,
        sid: Sid,
        session: Option<&Session>,
        (nodes, lacking): (&mut Vec<Node>, &mut Lacking),
    ) -> Result<(), CopyError> {
        self.run.check()?;
        if !self.visited.insert(prefix(&sid)) {
            return Ok(());
        }
        let is_held = match session {
            Some(session) => session.holds(&sid)?,
            None => self.ends.target.presence(self.run, &sid)? == Presence::Whole,
        };
        let known = match self.ends.source.stored(self.run, &sid)? {
            Some(known) => Some(known),
            None => self.ends.target.stored(self.run, &sid)?,
        };
        let Some(known) = known else {
            self.bad.insert(sid);
            return Ok(());
        };
        if !is_held {
            lacking.objects_count += 1;
            lacking.bytes += u64::from(known.len_bytes);
            self.run.count(Count::BytesFound, known.len_bytes.into());
        }
        match (known.kind.is_node(), is_held) {
            (true, _) => nodes.push(Node { sid, is_held }),
            (false, false) => lacking.data.push(sid),
            (false, true) => {}
        }
        Ok(())
    }

    /// Children of these nodes. A node that is bad at the source may be good at the target.
    fn open(&mut self, nodes: &[Node], session: Option<&Session>) -> Result<Vec<Sid>, CopyError> {
        let mut children = Vec::new();
        let opened = read_nodes(self.run, self.ends, nodes, &mut |node, bytes| {
            let Some(bytes) = bytes else {
                self.bad.insert(node.sid);
                return Ok(());
            };
            match self.ends.source.children(&node.sid, &bytes) {
                Ok(found) => children.extend(found),
                // Signed and named rightly, and no node: whoever made it did not keep to the rules.
                Err(_) => {
                    self.bad.insert(node.sid);
                    return Ok(());
                }
            }
            if let Some(session) = session.filter(|_| !node.is_held) {
                let kind = self.kind(&node.sid)?;
                self.run.count(Count::BytesDone, bytes.len() as u64);
                session.put(SealedObject { sid: node.sid, kind, bytes })?;
            }
            Ok(())
        });
        opened.map(|()| children)
    }

    fn kind(&self, sid: &Sid) -> Result<ObjectKind, VaultError> {
        let known = match self.ends.source.stored(self.run, sid)? {
            Some(known) => Some(known),
            None => self.ends.target.stored(self.run, sid)?,
        };
        known.map(|known| known.kind).ok_or(VaultError::UnknownObject { sid: *sid })
    }

    /// Whether a snapshot reaches something bad.
    pub(super) fn reaches_bad(&self, public: &ManifestPublic) -> Result<bool, CopyError> {
        let mut visited: HashSet<[u8; 16]> = HashSet::new();
        let mut pending: Vec<Sid> = vec![public.root];
        pending.extend(&public.capsules);
        while !pending.is_empty() {
            let mut nodes = Vec::new();
            for sid in pending.split_off(pending.len().saturating_sub(NODES_TOGETHER)) {
                self.run.check()?;
                if self.bad.contains(&sid) {
                    return Ok(true);
                }
                if visited.insert(prefix(&sid)) && self.kind(&sid).is_ok_and(ObjectKind::is_node) {
                    nodes.push(Node { sid, is_held: true });
                }
            }
            let mut is_unread = false;
            read_nodes(&self.run.unwatched(), self.ends, &nodes, &mut |node, bytes| {
                let children = bytes.map(|bytes| self.ends.source.children(&node.sid, &bytes));
                match children {
                    Some(Ok(children)) => pending.extend(children),
                    _ => is_unread = true,
                }
                Ok(())
            })?;
            if is_unread {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn prefix(sid: &Sid) -> [u8; 16] {
    let [prefix @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *sid.as_bytes();
    prefix
}

/// Reads nodes and hands each over, or nothing where neither side has it whole.
fn read_nodes(
    run: &Run,
    ends: Ends<'_>,
    nodes: &[Node],
    take: &mut Take<'_>,
) -> Result<(), CopyError> {
    let sids: Vec<Sid> = nodes.iter().map(|node| node.sid).collect();
    let mut failed = None;
    ends.source.read_objects(run, &sids, &mut |number, read| {
        let (Some(node), None) = (nodes.get(number), &failed) else { return };
        let taken = elsewhere(run, ends, &node.sid, read).and_then(|bytes| take(node, bytes));
        failed = taken.err();
    })?;
    failed.map_or(Ok(()), Err)
}

/// What was read, or the target's own copy where the source has none that is good.
pub(super) fn elsewhere(
    run: &Run,
    ends: Ends<'_>,
    sid: &Sid,
    read: Result<Vec<u8>, VaultError>,
) -> Result<Option<Vec<u8>>, CopyError> {
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(VaultError::Stopped(why)) => Err(why.into()),
        Err(error) if error.is_storage() => Err(error.into()),
        Err(_) => match ends.target.read_object(&run.unwatched(), sid) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(VaultError::Stopped(why)) => Err(why.into()),
            Err(error) if error.is_storage() => Err(error.into()),
            Err(_) => Ok(None),
        },
    }
}
