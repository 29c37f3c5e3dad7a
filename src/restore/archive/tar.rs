//! The form tar: POSIX pax, as GNU tar, bsdtar and Python read it.
//!
//! A `ustar` head holds what fits; the rest stands in an extended head before it. Sparse files have
//! GNU's sparse format 1.0: a map of the data in front of the data.

use std::io;
use std::io::Write;

use tar::EntryType;
use tar::Header;

use crate::meta::Kind;
use crate::units::FileTime;

use super::Archive;
use super::Gate;
use super::Refused;
use super::acl;
use super::member::Lack;
use super::member::Layout;
use super::member::Member;

const BLOCK_BYTES: u64 = 512;
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
/// Longest name and link target in a `ustar` head.
const NAME_BYTES_MAX: usize = 100;
const OWNER_BYTES_MAX: usize = 32;
/// Largest owner number and size that its octal digits hold.
const OWNER_MAX: u32 = 0o777_7777;
const SIZE_MAX: u64 = 0o777_7777_7777;
const ACLS: [(&[u8], &str); 2] = [
    (b"system.posix_acl_access", "SCHILY.acl.access"),
    (b"system.posix_acl_default", "SCHILY.acl.default"),
];

pub(super) struct Tar<'a> {
    out: Gate<'a>,
    /// Bytes of the member at hand so far.
    written_bytes: u64,
    /// The member at hand is sparse: holes are nothing.
    is_sparse: bool,
}

impl<'a> Tar<'a> {
    pub(super) const fn new(out: Gate<'a>) -> Self {
        Self { out, written_bytes: 0, is_sparse: false }
    }

    fn zeros(&mut self, len_bytes: u64) -> io::Result<()> {
        let mut left = len_bytes;
        while left > 0 {
            let n = usize::try_from(left).unwrap_or(ZEROS.len()).min(ZEROS.len());
            self.out.write_all(ZEROS.get(..n).unwrap_or_default())?;
            left = left.saturating_sub(n as u64);
        }
        Ok(())
    }

    fn pad(&mut self, len_bytes: u64) -> io::Result<()> {
        self.zeros(len_bytes.next_multiple_of(BLOCK_BYTES) - len_bytes)
    }

    /// Writes a member's heads; `size_bytes` follow it.
    fn head(&mut self, parts: Head<'_>) -> io::Result<()> {
        let Head { member, name, kind, link, size_bytes, mut pax } = parts;
        let meta = member.meta;
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(meta.mode);
        header.set_uid(u64::from(meta.uid.min(OWNER_MAX)));
        header.set_gid(u64::from(meta.gid.min(OWNER_MAX)));
        header.set_size(size_bytes.min(SIZE_MAX));
        header.set_mtime(u64::try_from(meta.mtime.secs).unwrap_or(0).min(SIZE_MAX));
        if matches!(kind, EntryType::Char | EntryType::Block) {
            let (major, minor) = member.device();
            header.set_device_major(major)?;
            header.set_device_minor(minor)?;
        }
        pax.number("uid", u64::from(meta.uid), u64::from(OWNER_MAX));
        pax.number("gid", u64::from(meta.gid), u64::from(OWNER_MAX));
        pax.number("size", size_bytes, SIZE_MAX);
        let secs = meta.mtime.secs;
        if meta.mtime.nanos != 0 || secs < 0 || secs.unsigned_abs() > SIZE_MAX {
            pax.push("mtime", decimal(meta.mtime).as_bytes());
        }
        if let Some(ustar) = header.as_ustar_mut() {
            let texts = [
                ("path", name, &mut ustar.name[..], NAME_BYTES_MAX),
                ("linkpath", link, &mut ustar.linkname[..], NAME_BYTES_MAX),
                ("uname", &meta.user, &mut ustar.uname[..], OWNER_BYTES_MAX - 1),
                ("gname", &meta.group, &mut ustar.gname[..], OWNER_BYTES_MAX - 1),
            ];
            for (key, value, slot, max) in texts {
                slot.iter_mut().zip(value.iter().take(max)).for_each(|(to, from)| *to = *from);
                // Bytes that are no text stand in the head as they are, if they fit.
                let is_odd = !value.is_ascii() && std::str::from_utf8(value).is_ok();
                if value.len() > max || is_odd {
                    pax.push(key, value);
                }
            }
        }
        header.set_cksum();
        self.extended(pax)?;
        self.out.write_all(header.as_bytes())?;
        self.written_bytes = 0;
        Ok(())
    }

    /// The extended head, if there is anything in it.
    fn extended(&mut self, pax: Pax) -> io::Result<()> {
        let body = pax.body;
        if body.is_empty() {
            return Ok(());
        }
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::XHeader);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(body.len() as u64);
        if let Some(ustar) = header.as_ustar_mut() {
            let name = b"PaxHeaders/member";
            ustar.name.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
        }
        header.set_cksum();
        self.out.write_all(header.as_bytes())?;
        self.out.write_all(&body)?;
        self.pad(body.len() as u64)
    }
}

/// What goes into a member's heads.
struct Head<'a> {
    member: &'a Member<'a>,
    name: &'a [u8],
    kind: EntryType,
    link: &'a [u8],
    size_bytes: u64,
    pax: Pax,
}

impl Archive for Tar<'_> {
    fn plain(&mut self, member: &Member<'_>) -> Result<Vec<Lack>, Refused> {
        let kind = match member.meta.kind {
            Kind::Directory => EntryType::Directory,
            Kind::Symlink => EntryType::Symlink,
            Kind::Fifo => EntryType::Fifo,
            Kind::CharDevice => EntryType::Char,
            Kind::BlockDevice => EntryType::Block,
            Kind::File | Kind::HardLink | Kind::Socket => {
                return Err(Refused::NotHeld("tar has no such kind of member".to_owned()));
            }
        };
        let (pax, lacks) = attributes(member);
        let mut name = member.name.to_vec();
        if kind == EntryType::Directory {
            name.extend_from_slice(if name.is_empty() { b"./" } else { b"/" });
        }
        let link = if kind == EntryType::Symlink { member.target() } else { b"" };
        self.head(Head { member, name: &name, kind, link, size_bytes: 0, pax })?;
        Ok(lacks)
    }

    fn link(&mut self, member: &Member<'_>, to: &[u8]) -> Result<bool, Refused> {
        let (name, kind, pax) = (member.name, EntryType::Link, Pax::default());
        self.head(Head { member, name, kind, link: to, size_bytes: 0, pax })?;
        Ok(true)
    }

    fn begin(&mut self, member: &Member<'_>, layout: &Layout) -> Result<Vec<Lack>, Refused> {
        let (mut pax, lacks) = attributes(member);
        self.is_sparse = layout.data.is_some();
        let (name, kind, link) = (member.name, EntryType::Regular, &b""[..]);
        let Some(ranges) = &layout.data else {
            self.head(Head { member, name, kind, link, size_bytes: layout.size_bytes, pax })?;
            return Ok(lacks);
        };
        let map = sparse_map(ranges, layout.size_bytes);
        pax.push("GNU.sparse.major", b"1");
        pax.push("GNU.sparse.minor", b"0");
        pax.push("GNU.sparse.name", name);
        pax.push("GNU.sparse.realsize", layout.size_bytes.to_string().as_bytes());
        let data_bytes: u64 = ranges.iter().map(|(_, len)| len).sum();
        let size_bytes = data_bytes.saturating_add(map.len() as u64);
        self.head(Head { member, name: b"GNUSparseFile.0/member", kind, link, size_bytes, pax })?;
        self.data(&map)?;
        Ok(lacks)
    }

    fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written_bytes = self.written_bytes.saturating_add(bytes.len() as u64);
        self.out.write_all(bytes)
    }

    fn hole(&mut self, len_bytes: u64) -> io::Result<()> {
        if self.is_sparse {
            return Ok(());
        }
        self.written_bytes = self.written_bytes.saturating_add(len_bytes);
        self.zeros(len_bytes)
    }

    fn end(&mut self) -> io::Result<()> {
        self.pad(self.written_bytes)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.zeros(2 * BLOCK_BYTES)?;
        self.out.flush()
    }
}

/// The map of GNU's format 1.0: decimal lines, filled up to whole blocks.
fn sparse_map(ranges: &[(u64, u64)], size_bytes: u64) -> Vec<u8> {
    let mut rows = ranges.to_vec();
    if rows.last().is_none_or(|(offset, len)| offset.saturating_add(*len) < size_bytes) {
        // An empty range at the end, so that the file gets its length.
        rows.push((size_bytes, 0));
    }
    let mut map = format!("{}\n", rows.len()).into_bytes();
    for (offset, len_bytes) in rows {
        map.extend_from_slice(format!("{offset}\n{len_bytes}\n").as_bytes());
    }
    map.resize(map.len().next_multiple_of(512), 0);
    map
}

/// Extended attributes and ACLs as extended records.
fn attributes(member: &Member<'_>) -> (Pax, Vec<Lack>) {
    let mut pax = Pax::default();
    let mut lacks = Vec::new();
    let extra = member.meta.extra.as_deref();
    for xattr in extra.map(|extra| extra.xattrs.as_slice()).unwrap_or_default() {
        let acl = ACLS.iter().find(|(name, _)| *name == xattr.name);
        match acl.and_then(|(_, key)| Some((*key, acl::text(&xattr.value)?))) {
            Some((key, text)) => pax.push(key, text.as_bytes()),
            None => match std::str::from_utf8(&xattr.name) {
                Ok(name) => {
                    // As GNU tar does, because `=` ends a keyword.
                    let name = name.replace('%', "%25").replace('=', "%3D");
                    pax.push(&format!("SCHILY.xattr.{name}"), &xattr.value);
                }
                Err(_) => lacks.push(Lack::Xattr(xattr.name.clone())),
            },
        }
    }
    (pax, lacks)
}

/// Records of an extended head. Names that are not UTF-8 stand in it as they are, which is what GNU
/// tar writes: it does not know `hdrcharset`, and the others do without.
#[derive(Debug, Default)]
struct Pax {
    body: Vec<u8>,
}

impl Pax {
    fn push(&mut self, key: &str, value: &[u8]) {
        self.body.extend_from_slice(&record(key, value));
    }

    fn number(&mut self, key: &str, value: u64, max: u64) {
        if value > max {
            self.push(key, value.to_string().as_bytes());
        }
    }
}

/// `length key=value\n`, where the length counts itself.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut len = rest + 1;
    while rest + len.to_string().len() != len {
        len = rest + len.to_string().len();
    }
    let mut out = format!("{len} {key}=").into_bytes();
    out.extend_from_slice(value);
    out.push(b'\n');
    out
}

/// Seconds since 1970 with nine digits behind the point.
fn decimal(time: FileTime) -> String {
    if time.secs >= 0 || time.nanos == 0 {
        return format!("{}.{:09}", time.secs, time.nanos);
    }
    let whole = time.secs.unsigned_abs() - 1;
    format!("-{whole}.{:09}", 1_000_000_000_u32.saturating_sub(time.nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_its_own_length() {
        assert_eq!(record("path", b"a"), b"9 path=a\n");
        for len in 80..1100 {
            let made = record("path", &vec![b'x'; len]);
            let text = String::from_utf8(made.clone()).unwrap();
            assert_eq!(text.split(' ').next().unwrap().parse(), Ok(made.len()));
        }
    }

    #[test]
    fn times_before_1970_are_one_number() {
        let at = |secs, nanos| decimal(FileTime { secs, nanos });
        assert_eq!(at(1, 5), "1.000000005");
        assert_eq!(at(-1, 500_000_000), "-0.500000000");
        assert_eq!(at(-2, 999_999_999), "-1.000000001");
        assert_eq!(at(-2, 0), "-2.000000000");
    }

    #[test]
    fn a_map_ends_where_the_file_ends() {
        assert!(sparse_map(&[(0, 10)], 10).starts_with(b"1\n0\n10\n\0"));
        assert!(sparse_map(&[(0, 10)], 30).starts_with(b"2\n0\n10\n30\n0\n\0"));
        assert!(sparse_map(&[], 30).starts_with(b"1\n30\n0\n\0"));
        assert_eq!(sparse_map(&[], 30).len(), 512);
    }
}
