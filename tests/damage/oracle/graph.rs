//! How the oracle learns what is in a whole repository: nodes, files, and where their bytes are.

use std::collections::BTreeMap;
use std::ops::Range;

use super::File;
use super::Known;
use super::Oracle;
use super::Place;
use super::Span;
use super::pack_name;
use crate::damage::reader;
use crate::damage::reader::Child;
use crate::damage::reader::Hash;
use crate::damage::reader::Holding;
use crate::damage::reader::Node;
use crate::damage::reader::Piece;

fn slashed(path: &[u8]) -> String {
    String::from_utf8(path.to_vec()).unwrap().replace('\0', "/")
}

impl Oracle {
    fn bytes(&self, sid: &Hash) -> (&[u8], u8) {
        let (pack, row) = &self.copies[sid][0];
        (&self.original[pack][row.range.clone()], row.kind)
    }

    fn open(&self, child: &Child) -> (Node, u8) {
        let (bytes, kind) = self.bytes(&child.sid);
        (self.keys.node(bytes, child, kind).expect("a node that opens"), kind)
    }

    /// Walks the tree below a node once.
    pub fn learn(&mut self, child: &Child) {
        if self.graph.contains_key(&child.sid) {
            return;
        }
        let mut known = Known::default();
        let mut below = Vec::new();
        match self.open(child).0 {
            Node::Branch(children) => below = children,
            Node::Map(pieces) => known.children = objects(&pieces),
            Node::Leaf(entries) => {
                known.is_leaf = true;
                for entry in entries {
                    let mut spans = Vec::new();
                    match &entry.holding {
                        Holding::Nothing => {}
                        Holding::Pieces(pieces) => {
                            known.children.extend(objects(pieces));
                            push_spans(&mut spans, pieces, &[]);
                        }
                        Holding::Map(root) => {
                            below.push(root.clone());
                            self.map_spans(&mut spans, root, &mut Vec::new());
                        }
                    }
                    if entry.kind == 0 {
                        let stored = entry.path.clone();
                        known.files.push(File { path: slashed(&stored), stored, spans });
                    }
                }
            }
        }
        known.children.extend(below.iter().map(|child| child.sid));
        self.graph.insert(child.sid, known);
        below.iter().for_each(|child| self.learn(child));
    }

    fn map_spans(&self, spans: &mut Vec<Span>, node: &Child, above: &mut Vec<Hash>) {
        above.push(node.sid);
        match self.open(node).0 {
            Node::Map(pieces) => push_spans(spans, &pieces, above),
            Node::Branch(children) => {
                children.iter().for_each(|child| self.map_spans(spans, child, above));
            }
            Node::Leaf(_) => panic!("a leaf in a map"),
        }
        above.pop();
    }

    /// The reader finds in the repository what the trees were, byte for byte.
    pub fn assert_trees_are_known(&self) {
        for snapshot in &self.snapshots {
            let mut found = BTreeMap::new();
            self.read(&snapshot.made.root, &mut found);
            assert_eq!(found, snapshot.made.files, "{}", snapshot.place);
        }
    }

    fn read(&self, node: &Child, into: &mut BTreeMap<String, Vec<u8>>) {
        match self.open(node).0 {
            Node::Branch(children) => children.iter().for_each(|child| self.read(child, into)),
            Node::Map(_) => panic!("a map in a tree"),
            Node::Leaf(entries) => {
                for entry in entries.iter().filter(|entry| entry.kind == 0) {
                    let mut content = Vec::new();
                    match &entry.holding {
                        Holding::Nothing => {}
                        Holding::Pieces(pieces) => self.read_pieces(pieces, &mut content),
                        Holding::Map(root) => self.read_map(root, &mut content),
                    }
                    assert_eq!(content.len() as u64, entry.size);
                    into.insert(slashed(&entry.path), content);
                }
            }
        }
    }

    fn read_map(&self, node: &Child, content: &mut Vec<u8>) {
        match self.open(node).0 {
            Node::Map(pieces) => self.read_pieces(&pieces, content),
            Node::Branch(children) => {
                children.iter().for_each(|child| self.read_map(child, content));
            }
            Node::Leaf(_) => panic!("a leaf in a map"),
        }
    }

    fn read_pieces(&self, pieces: &[Piece], content: &mut Vec<u8>) {
        for piece in pieces {
            match piece {
                Piece::Hole(len) => {
                    content.resize(content.len() + usize::try_from(*len).unwrap(), 0);
                }
                Piece::Data { object, offset, len } => {
                    let (bytes, kind) = self.bytes(&object.sid);
                    let raw = reader::data(bytes, object, kind).expect("data that opens");
                    content.extend(&raw[*offset..*offset + *len]);
                }
            }
        }
    }

    /// Whether an index file names a pack.
    pub fn names_pack(&self, index: &str, pack: &str) -> bool {
        let packs = self.keys.index(&self.original[index]).unwrap_or_default();
        packs.keys().any(|id| pack_name(id) == pack)
    }

    /// What the bytes of a pack are.
    pub fn layout(&self, pack: &str) -> Vec<(Range<usize>, Place)> {
        let bytes = &self.original[pack];
        let (rows, table) = self.keys.table(bytes).unwrap();
        let mut layout = vec![(0..8, Place::Head)];
        layout.extend(rows.into_iter().map(|row| (row.range, Place::Object)));
        layout.extend([(table.clone(), Place::Table), (table.end..bytes.len(), Place::Trailer)]);
        layout
    }
}

fn objects(pieces: &[Piece]) -> Vec<Hash> {
    let sid = |piece: &Piece| match piece {
        Piece::Hole(_) => None,
        Piece::Data { object, .. } => Some(object.sid),
    };
    pieces.iter().filter_map(sid).collect()
}

fn push_spans(spans: &mut Vec<Span>, pieces: &[Piece], above: &[Hash]) {
    for piece in pieces {
        let start = spans.last().map_or(0, |span| span.start + span.len);
        let (len, object) = match piece {
            Piece::Hole(len) => (*len, None),
            Piece::Data { object, len, .. } => (*len as u64, Some(object.sid)),
        };
        spans.push(Span { start, len, needs: above.iter().copied().chain(object).collect() });
    }
}
