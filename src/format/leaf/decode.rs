//! Columns to entries.

use std::sync::Arc;

use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::INLINE_EXTENTS_MAX;
use crate::format::object::FRAME_RAW_BYTES_MAX;
use crate::format::object::Ref;
use crate::format::tree::child;
use crate::format::tree::decode_children;
use crate::format::tree::decode_extent;
use crate::format::wire::FormatError;
use crate::format::wire::Reader;
use crate::ids::Digest;
use crate::ids::Sid;
use crate::meta::Extra;
use crate::meta::Flags;
use crate::meta::Kind;
use crate::meta::LINK_BYTES_MAX;
use crate::meta::Meta;
use crate::meta::XATTR_BYTES_MAX;
use crate::meta::Xattr;
use crate::path::PATH_BYTES_MAX;
use crate::path::SnapshotPath;
use crate::units::FileTime;

use super::COLUMNS;
use super::Column;
use super::LEAF_ENTRIES_MAX;
use super::LEAF_PATH_BYTES_MAX;
use super::OWNER_NAME_BYTES_MAX;
use super::OWNERS_MAX;
use super::XATTRS_MAX;
use super::extra_bits;

/// Decodes a leaf whose sealed refs named `sids`. Entries come sorted, without twins; every slice
/// lies inside its bundle and every list of extents has the size of its file.
pub fn decode_leaf(raw: &[u8], sids: &[Sid]) -> Result<Vec<Entry>, FormatError> {
    let mut reader = Reader::new("leaf", raw);
    let version = reader.u8()?;
    if version != 1 {
        return Err(FormatError::Version { what: "leaf", found: version });
    }
    let count = reader.count(LEAF_ENTRIES_MAX)?;
    let children = decode_children(&mut reader, sids)?;
    let mut columns = Columns::decode(&mut reader, children)?;
    reader.finish()?;
    // Every entry has a byte of shape.
    let mut entries = Vec::with_capacity(count.min(columns.column(Column::Shape).left()));
    let mut path_bytes = 0_usize;
    let mut last: Option<SnapshotPath> = None;
    for _ in 0..count {
        let entry = columns.entry()?;
        if last.as_ref().is_some_and(|last| *last >= entry.path) {
            return Err(columns.invalid("paths are not sorted"));
        }
        path_bytes = path_bytes.saturating_add(entry.path.as_stored().len());
        if path_bytes > LEAF_PATH_BYTES_MAX {
            let (found, max) = (path_bytes as u64, LEAF_PATH_BYTES_MAX as u64);
            return Err(FormatError::Limit { what: "leaf's paths", found, max });
        }
        last = Some(entry.path.clone());
        entries.push(entry);
    }
    columns.finish()?;
    Ok(entries)
}

#[derive(Clone)]
struct Owner {
    mode: u32,
    uid: u32,
    gid: u32,
    user: Arc<[u8]>,
    group: Arc<[u8]>,
    device: u64,
}

struct Columns<'a> {
    readers: [Reader<'a>; COLUMNS],
    children: Vec<Arc<Ref>>,
    owners: Vec<Owner>,
    path: Vec<u8>,
    last_times: [i64; 2],
    last_inode: u64,
    last_child: u64,
    next_offset: u64,
}

impl<'a> Columns<'a> {
    fn decode(reader: &mut Reader<'a>, children: Vec<Arc<Ref>>) -> Result<Self, FormatError> {
        let mut lengths = Vec::with_capacity(COLUMNS);
        loop {
            let number = reader.u8()?;
            if number == 0 {
                break;
            }
            let rising = lengths.last().is_none_or(|&(last, _)| last < number);
            if !rising || (usize::from(number) > COLUMNS && number < 128) {
                return Err(reader.invalid("columns out of order or unknown"));
            }
            lengths.push((number, reader.count(FRAME_RAW_BYTES_MAX)?));
        }
        let mut readers = [Reader::new("leaf column", &[]); COLUMNS];
        for (number, len) in lengths {
            let bytes = reader.bytes(len)?;
            if let Some(slot) = readers.get_mut(usize::from(number).wrapping_sub(1)) {
                *slot = Reader::new("leaf column", bytes);
            }
        }
        let mut columns = Self {
            readers,
            children,
            owners: Vec::new(),
            path: Vec::new(),
            last_times: [0; 2],
            last_inode: 0,
            last_child: 0,
            next_offset: 0,
        };
        columns.owners()?;
        Ok(columns)
    }

    #[expect(clippy::indexing_slicing, reason = "the columns are numbered 1 to COLUMNS")]
    fn column(&mut self, column: Column) -> &mut Reader<'a> {
        &mut self.readers[(column as usize).wrapping_sub(1)]
    }

    #[expect(clippy::unused_self, reason = "reads like the same method of a reader")]
    const fn invalid(&self, why: &'static str) -> FormatError {
        FormatError::Invalid { what: "leaf", why }
    }

    fn owners(&mut self) -> Result<(), FormatError> {
        let reader = self.column(Column::Owners);
        let mut owners = Vec::new();
        while reader.left() > 0 {
            if owners.len() >= OWNERS_MAX {
                return Err(reader.invalid("too many owners"));
            }
            owners.push(Owner {
                mode: reader.varint_u32()?,
                uid: reader.varint_u32()?,
                gid: reader.varint_u32()?,
                user: reader.string(OWNER_NAME_BYTES_MAX)?.into(),
                group: reader.string(OWNER_NAME_BYTES_MAX)?.into(),
                device: reader.varint()?,
            });
        }
        self.owners = owners;
        Ok(())
    }

    fn entry(&mut self) -> Result<Entry, FormatError> {
        let shape = self.column(Column::Shape).u8()?;
        let kind = kind_from(shape & 0x0f).ok_or(self.invalid("unknown kind of entry"))?;
        let path = self.path()?;
        let owner = {
            let number = self.column(Column::Owner).count(OWNERS_MAX)?;
            self.owners.get(number).cloned().ok_or(self.invalid("an owner is missing"))?
        };
        let sized = matches!(kind, Kind::File | Kind::HardLink);
        let size_bytes = if sized { self.column(Column::Size).varint()? } else { 0 };
        let (mtime, ctime) = self.times()?;
        let delta = self.column(Column::Inode).signed()?;
        self.last_inode = self.last_inode.wrapping_add(delta.cast_unsigned());
        let mut meta = Meta {
            kind,
            size_bytes,
            mode: owner.mode,
            uid: owner.uid,
            gid: owner.gid,
            user: owner.user,
            group: owner.group,
            mtime,
            ctime,
            inode: self.last_inode,
            device: owner.device,
            links_count: 1,
            flags: Flags::default(),
            extra: None,
        };
        let content = self.content((shape >> 4) & 7, &meta)?;
        if shape & 0x80 != 0 {
            self.extra(&mut meta)?;
        }
        let is_link = meta.extra.as_ref().is_some_and(|extra| extra.hard_link.is_some());
        if is_link != (kind == Kind::HardLink) {
            return Err(self.invalid("a hard link without its target"));
        }
        Ok(Entry { path, meta, content })
    }

    fn path(&mut self) -> Result<SnapshotPath, FormatError> {
        let shared = self.column(Column::PathShared).count(PATH_BYTES_MAX)?;
        let rest = self.column(Column::PathRest).count(PATH_BYTES_MAX)?;
        let rest = self.column(Column::PathBytes).bytes(rest)?;
        if shared > self.path.len() {
            return Err(self.invalid("a path shares more than there is"));
        }
        self.path.truncate(shared);
        self.path.extend_from_slice(rest);
        SnapshotPath::from_stored(&self.path).map_err(|_| self.invalid("a path is not allowed"))
    }

    fn times(&mut self) -> Result<(FileTime, FileTime), FormatError> {
        let [mtime, ctime] = self.last_times;
        let mtime = mtime.wrapping_add(self.column(Column::MtimeSecs).signed()?);
        let ctime = ctime.wrapping_add(self.column(Column::CtimeSecs).signed()?);
        self.last_times = [mtime, ctime];
        let nanos =
            [self.column(Column::MtimeNanos).u32()?, self.column(Column::CtimeNanos).u32()?];
        if nanos.iter().any(|&nanos| nanos > 999_999_999) {
            return Err(self.invalid("nanoseconds above 999 999 999"));
        }
        let [mtime_nanos, ctime_nanos] = nanos;
        Ok((
            FileTime { secs: mtime, nanos: mtime_nanos },
            FileTime { secs: ctime, nanos: ctime_nanos },
        ))
    }

    fn child(&mut self) -> Result<(Arc<Ref>, bool), FormatError> {
        let delta = self.column(Column::Child).signed()?;
        self.last_child = self.last_child.wrapping_add(delta.cast_unsigned());
        let number = self.last_child;
        let reader = *self.column(Column::Child);
        Ok((child(&reader, &self.children, number)?, delta == 0))
    }

    fn content(&mut self, holding: u8, meta: &Meta) -> Result<Content, FormatError> {
        if holding == 0 {
            return Ok(Content::None);
        }
        if meta.kind != Kind::File {
            return Err(self.invalid("content of what is not a file"));
        }
        let digest = Digest::new(self.column(Column::Digest).array()?);
        match holding {
            1 => self.slice(meta, digest),
            2 => self.extents(meta, digest),
            3 => Ok(Content::Map { root: self.child()?.0, digest }),
            _ => Err(self.invalid("unknown holding of content")),
        }
    }

    fn slice(&mut self, meta: &Meta, digest: Digest) -> Result<Content, FormatError> {
        let (bundle, same) = self.child()?;
        if !same {
            self.next_offset = 0;
        }
        let delta = self.column(Column::Offset).signed()?;
        let offset = self.next_offset.wrapping_add(delta.cast_unsigned());
        let end = offset.checked_add(meta.size_bytes);
        let inside = end.is_some_and(|end| end <= u64::from(bundle.raw_len));
        let (Ok(offset), Ok(len), true, Some(end)) =
            (u32::try_from(offset), u32::try_from(meta.size_bytes), inside, end)
        else {
            return Err(self.invalid("a slice reaches outside its bundle"));
        };
        self.next_offset = end;
        Ok(Content::Slice { bundle, offset, len, digest })
    }

    fn extents(&mut self, meta: &Meta, digest: Digest) -> Result<Content, FormatError> {
        let children = std::mem::take(&mut self.children);
        let reader = self.column(Column::Extents);
        let count = reader.count(INLINE_EXTENTS_MAX)?;
        let mut extents = Vec::with_capacity(count);
        let mut total = 0_u64;
        for _ in 0..count {
            let extent = decode_extent(reader, &children)?;
            let sum = total.checked_add(extent.len_bytes());
            total = sum.ok_or(reader.invalid("extents are too long"))?;
            extents.push(extent);
        }
        self.children = children;
        if total != meta.size_bytes {
            return Err(self.invalid("extents differ from the file's size"));
        }
        Ok(Content::Extents { extents, digest })
    }

    fn extra(&mut self, meta: &mut Meta) -> Result<(), FormatError> {
        let reader = self.column(Column::Extra);
        let bits = reader.u8()?;
        if bits == 0 || bits & !extra_bits::ALL != 0 {
            return Err(reader.invalid("unknown extra fields"));
        }
        if bits & extra_bits::FLAGS != 0 {
            meta.flags = Flags(reader.u8()?);
        }
        if bits & extra_bits::LINKS != 0 {
            meta.links_count = reader.varint_u32()?;
        }
        if bits & !(extra_bits::FLAGS | extra_bits::LINKS) == 0 {
            return Ok(());
        }
        let mut extra = Extra::default();
        if bits & extra_bits::LINK != 0 {
            extra.link = reader.string(LINK_BYTES_MAX)?.to_vec();
        }
        if bits & extra_bits::HARD_LINK != 0 {
            let path = SnapshotPath::from_stored(reader.string(PATH_BYTES_MAX)?);
            extra.hard_link = Some(path.map_err(|_| reader.invalid("a link's path"))?);
        }
        if bits & extra_bits::RDEV != 0 {
            extra.rdev = (reader.varint_u32()?, reader.varint_u32()?);
        }
        if bits & extra_bits::XATTRS != 0 {
            extra.xattrs = xattrs(reader)?;
        }
        meta.extra = Some(Box::new(extra));
        Ok(())
    }

    fn finish(self) -> Result<(), FormatError> {
        self.readers.into_iter().try_for_each(Reader::finish)
    }
}

fn xattrs(reader: &mut Reader<'_>) -> Result<Vec<Xattr>, FormatError> {
    let count = reader.count(XATTRS_MAX)?;
    let mut xattrs: Vec<Xattr> = Vec::with_capacity(count);
    let mut left = XATTR_BYTES_MAX;
    for _ in 0..count {
        let name = reader.string(left)?.to_vec();
        left = left.saturating_sub(name.len());
        let value = reader.string(left)?.to_vec();
        left = left.saturating_sub(value.len());
        if xattrs.last().is_some_and(|last| last.name >= name) {
            return Err(reader.invalid("attributes are not sorted"));
        }
        xattrs.push(Xattr { name, value });
    }
    Ok(xattrs)
}

const fn kind_from(code: u8) -> Option<Kind> {
    Some(match code {
        0 => Kind::File,
        1 => Kind::Directory,
        2 => Kind::Symlink,
        3 => Kind::HardLink,
        4 => Kind::Fifo,
        5 => Kind::Socket,
        6 => Kind::CharDevice,
        7 => Kind::BlockDevice,
        _ => return None,
    })
}
