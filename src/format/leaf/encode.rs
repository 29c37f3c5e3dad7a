//! Entries to columns.

use std::collections::HashMap;
use std::sync::Arc;

use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::object::Ref;
use crate::format::tree::Children;
use crate::format::tree::encode_extent;
use crate::format::wire::push_signed;
use crate::format::wire::push_string;
use crate::format::wire::push_varint;
use crate::meta::Extra;
use crate::meta::Flags;
use crate::meta::Kind;
use crate::meta::Meta;

use super::COLUMNS;
use super::Column;
use super::Holding;
use super::NodeBody;
use super::extra_bits;

/// Encodes entries that are sorted by path without twins. The same entries give the same bytes.
#[must_use]
pub fn encode_leaf(entries: &[Entry]) -> NodeBody {
    let mut writer = Writer::default();
    for entry in entries {
        writer.entry(entry);
    }
    writer.finish(entries.len())
}

#[derive(PartialEq, Eq, Hash, Clone)]
struct Owner {
    mode: u32,
    uid: u32,
    gid: u32,
    user: Arc<[u8]>,
    group: Arc<[u8]>,
    device: u64,
}

#[derive(Default)]
struct Writer {
    children: Children,
    columns: [Vec<u8>; COLUMNS],
    owners: HashMap<Owner, u64>,
    last_path: Vec<u8>,
    last_times: [i64; 2],
    last_inode: u64,
    last_child: u64,
    /// Where the next slice of the last bundle is expected.
    next_offset: u64,
}

impl Writer {
    #[expect(clippy::indexing_slicing, reason = "the columns are numbered 1 to COLUMNS")]
    fn column(&mut self, column: Column) -> &mut Vec<u8> {
        &mut self.columns[(column as usize).wrapping_sub(1)]
    }

    fn entry(&mut self, entry: &Entry) {
        let holding = match entry.content {
            Content::None => Holding::None,
            Content::Slice { .. } => Holding::Slice,
            Content::Extents { .. } => Holding::Extents,
            Content::Map { .. } => Holding::Map,
        };
        let shape = kind_code(entry.meta.kind) | ((holding as u8) << 4);
        let bits = extra_of(&entry.meta);
        self.column(Column::Shape).push(shape | if bits == 0 { 0 } else { 0x80 });
        self.path(entry.path.as_stored());
        self.owner(&entry.meta);
        if entry.meta.kind == Kind::File || entry.meta.kind == Kind::HardLink {
            push_varint(self.column(Column::Size), entry.meta.size_bytes);
        }
        self.times(&entry.meta);
        let inode = entry.meta.inode;
        let delta = inode.wrapping_sub(self.last_inode).cast_signed();
        self.last_inode = inode;
        push_signed(self.column(Column::Inode), delta);
        self.content(&entry.content);
        if bits != 0 {
            self.extra(&entry.meta, bits);
        }
    }

    fn path(&mut self, path: &[u8]) {
        let shared = path.iter().zip(&self.last_path).take_while(|(a, b)| a == b).count();
        let rest = path.get(shared..).unwrap_or_default();
        push_varint(self.column(Column::PathShared), shared as u64);
        push_varint(self.column(Column::PathRest), rest.len() as u64);
        self.column(Column::PathBytes).extend_from_slice(rest);
        self.last_path.truncate(shared);
        self.last_path.extend_from_slice(rest);
    }

    fn owner(&mut self, meta: &Meta) {
        let owner = Owner {
            mode: meta.mode,
            uid: meta.uid,
            gid: meta.gid,
            user: Arc::clone(&meta.user),
            group: Arc::clone(&meta.group),
            device: meta.device,
        };
        let next = self.owners.len() as u64;
        let number = *self.owners.entry(owner).or_insert(next);
        if number == next {
            let out = self.column(Column::Owners);
            for number in [meta.mode, meta.uid, meta.gid] {
                push_varint(out, u64::from(number));
            }
            push_string(out, &meta.user);
            push_string(out, &meta.group);
            push_varint(out, meta.device);
        }
        push_varint(self.column(Column::Owner), number);
    }

    fn times(&mut self, meta: &Meta) {
        let [mtime, ctime] = self.last_times;
        self.last_times = [meta.mtime.secs, meta.ctime.secs];
        push_signed(self.column(Column::MtimeSecs), meta.mtime.secs.wrapping_sub(mtime));
        self.column(Column::MtimeNanos).extend_from_slice(&meta.mtime.nanos.to_le_bytes());
        push_signed(self.column(Column::CtimeSecs), meta.ctime.secs.wrapping_sub(ctime));
        self.column(Column::CtimeNanos).extend_from_slice(&meta.ctime.nanos.to_le_bytes());
    }

    fn child(&mut self, child: &Arc<Ref>) -> bool {
        let number = self.children.number(child);
        let delta = number.wrapping_sub(self.last_child).cast_signed();
        self.last_child = number;
        push_signed(self.column(Column::Child), delta);
        delta == 0
    }

    fn content(&mut self, content: &Content) {
        if let Some(digest) = content.digest() {
            self.column(Column::Digest).extend_from_slice(digest.as_bytes());
        }
        match content {
            Content::None => {}
            Content::Slice { bundle, offset, len, .. } => {
                if !self.child(bundle) {
                    self.next_offset = 0;
                }
                let offset = u64::from(*offset);
                let delta = offset.wrapping_sub(self.next_offset).cast_signed();
                push_signed(self.column(Column::Offset), delta);
                self.next_offset = offset.wrapping_add(u64::from(*len));
            }
            Content::Map { root, .. } => {
                self.child(root);
            }
            Content::Extents { extents, .. } => {
                let mut column = std::mem::take(self.column(Column::Extents));
                push_varint(&mut column, extents.len() as u64);
                for extent in extents {
                    encode_extent(&mut column, &mut self.children, extent);
                }
                *self.column(Column::Extents) = column;
            }
        }
    }

    fn extra(&mut self, meta: &Meta, bits: u8) {
        let none = Extra::default();
        let extra = meta.extra.as_deref().unwrap_or(&none);
        let out = self.column(Column::Extra);
        out.push(bits);
        if bits & extra_bits::FLAGS != 0 {
            out.push(meta.flags.0);
        }
        if bits & extra_bits::LINKS != 0 {
            push_varint(out, u64::from(meta.links_count));
        }
        if bits & extra_bits::LINK != 0 {
            push_string(out, &extra.link);
        }
        if let Some(path) = &extra.hard_link {
            push_string(out, path.as_stored());
        }
        if bits & extra_bits::RDEV != 0 {
            push_varint(out, u64::from(extra.rdev.0));
            push_varint(out, u64::from(extra.rdev.1));
        }
        if bits & extra_bits::XATTRS != 0 {
            push_varint(out, extra.xattrs.len() as u64);
            for xattr in &extra.xattrs {
                push_string(out, &xattr.name);
                push_string(out, &xattr.value);
            }
        }
    }

    fn finish(self, entries: usize) -> NodeBody {
        let mut raw = vec![1];
        push_varint(&mut raw, entries as u64);
        let children = self.children.encode(&mut raw);
        for (number, column) in (1_u8..).zip(&self.columns) {
            if !column.is_empty() {
                raw.push(number);
                push_varint(&mut raw, column.len() as u64);
            }
        }
        raw.push(0);
        for column in &self.columns {
            raw.extend_from_slice(column);
        }
        NodeBody { raw, children }
    }
}

const fn kind_code(kind: Kind) -> u8 {
    match kind {
        Kind::File => 0,
        Kind::Directory => 1,
        Kind::Symlink => 2,
        Kind::HardLink => 3,
        Kind::Fifo => 4,
        Kind::Socket => 5,
        Kind::CharDevice => 6,
        Kind::BlockDevice => 7,
    }
}

/// A directory's link count changes with its subfolders and says nothing; it is not kept.
const fn keeps_links(meta: &Meta) -> bool {
    meta.links_count != 1 && !matches!(meta.kind, Kind::Directory)
}

fn extra_of(meta: &Meta) -> u8 {
    let mut bits = 0;
    if meta.flags != Flags::default() {
        bits |= extra_bits::FLAGS;
    }
    if keeps_links(meta) {
        bits |= extra_bits::LINKS;
    }
    if let Some(extra) = &meta.extra {
        if !extra.link.is_empty() {
            bits |= extra_bits::LINK;
        }
        if extra.hard_link.is_some() {
            bits |= extra_bits::HARD_LINK;
        }
        if extra.rdev != (0, 0) {
            bits |= extra_bits::RDEV;
        }
        if !extra.xattrs.is_empty() {
            bits |= extra_bits::XATTRS;
        }
    }
    bits
}
