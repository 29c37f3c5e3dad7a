//! Entries of snapshots, for people and as JSON.

use std::fmt::Write;

use serde::Serialize;

use crate::cli::language::Language;
use crate::cli::language::table::read as texts;
use crate::cli::language::text::Text;
use crate::cli::output::names::Name;
use crate::format::entry::Entry;
use crate::ids::SnapshotId;
use crate::meta::Flags;
use crate::meta::Kind;
use crate::path::escape;
use crate::units::FileTime;

/// An entry as JSON fields. To be flattened into a line.
#[derive(Serialize)]
pub struct EntryLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<String>,
    #[serde(flatten)]
    path: Name<'a>,
    kind: &'static str,
    size_bytes: u64,
    /// Octal digits.
    mode: String,
    uid: u32,
    gid: u32,
    user: String,
    group: String,
    mtime: String,
    links_count: u32,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    link_target: Option<Name<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    same_file_as: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<(u32, u32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_blake3: Option<String>,
    xattrs_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<&'static str>,
}

/// `slashed` is the entry's path with `/` before every name.
#[must_use]
pub fn line<'a>(
    entry: &'a Entry,
    slashed: &'a [u8],
    snapshot: Option<&SnapshotId>,
) -> EntryLine<'a> {
    let meta = &entry.meta;
    let extra = meta.extra.as_deref();
    let is_device = matches!(meta.kind, Kind::CharDevice | Kind::BlockDevice);
    EntryLine {
        snapshot_id: snapshot.map(ToString::to_string),
        path: Name::path(slashed),
        kind: kind_name(meta.kind),
        size_bytes: meta.size_bytes,
        mode: format!("{:04o}", meta.mode),
        uid: meta.uid,
        gid: meta.gid,
        user: escape(&meta.user),
        group: escape(&meta.group),
        mtime: rfc3339(meta.mtime),
        links_count: meta.links_count,
        link_target: extra
            .filter(|_| meta.kind == Kind::Symlink)
            .map(|e| Name::link_target(&e.link)),
        same_file_as: extra.and_then(|e| e.hard_link.as_ref()).map(ToString::to_string),
        device: extra.filter(|_| is_device).map(|e| e.rdev),
        content_blake3: entry.content.digest().map(ToString::to_string),
        xattrs_count: extra.map_or(0, |e| e.xattrs.len()),
        flags: flag_names(meta.flags),
    }
}

/// The entry's path as it is printed in JSON and given back on the command line: `/a/b`.
#[must_use]
pub fn slashed(entry: &Entry) -> Vec<u8> {
    let mut path = vec![b'/'];
    path.extend_from_slice(&entry.path.to_slashed());
    path
}

/// As `ls -l` writes it.
#[must_use]
pub fn long(entry: &Entry, language: Language) -> String {
    let meta = &entry.meta;
    let owner = |name: &[u8], number: u32| match name {
        b"" => number.to_string(),
        name => escape(name),
    };
    let mut text = format!(
        "{} {:<8} {:<8} {:>12} {} {}",
        mode_text(meta.kind, meta.mode),
        owner(&meta.user, meta.uid),
        owner(&meta.group, meta.gid),
        meta.size_bytes,
        seconds_text(meta.mtime),
        entry.path,
    );
    let extra = meta.extra.as_deref();
    // Writing to a String cannot fail.
    let _always_ok = match (meta.kind, extra) {
        (Kind::Symlink, Some(extra)) => write!(text, " -> {}", escape(&extra.link)),
        (Kind::HardLink, Some(extra)) => match &extra.hard_link {
            Some(path) => write!(text, " = {path}"),
            None => Ok(()),
        },
        _ => Ok(()),
    };
    for (_, flag) in FLAGS.iter().filter(|(flag, _)| meta.flags.has(*flag)) {
        let _always_ok = write!(text, " [{}]", flag.words(language));
    }
    text
}

#[must_use]
pub const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Directory => "directory",
        Kind::Symlink => "symlink",
        Kind::HardLink => "hard_link",
        Kind::Fifo => "fifo",
        Kind::Socket => "socket",
        Kind::CharDevice => "char_device",
        Kind::BlockDevice => "block_device",
    }
}

const FLAGS: [(Flags, Text); 4] = [
    (Flags::CHANGED, texts::FLAG_CHANGED),
    (Flags::UNREADABLE, texts::FLAG_UNREADABLE),
    (Flags::ATTRIBUTES_INCOMPLETE, texts::FLAG_ATTRIBUTES),
    (Flags::TRUNCATED, texts::FLAG_TRUNCATED),
];

/// For programs.
fn flag_names(flags: Flags) -> Vec<&'static str> {
    let set = FLAGS.iter().filter(|(flag, _)| flags.has(*flag));
    set.map(|(_, text)| text.words(Language::En)).collect()
}

/// RFC 3339 with nine digits of a second.
#[must_use]
pub fn rfc3339(time: FileTime) -> String {
    match jiff::Timestamp::new(time.secs, i32::try_from(time.nanos).unwrap_or(0)) {
        Ok(time) => format!("{time:.9}"),
        Err(_) => format!("{} s since 1970", time.secs),
    }
}

/// UTC, to the second.
fn seconds_text(time: FileTime) -> String {
    match jiff::Timestamp::new(time.secs, 0) {
        Ok(time) => format!("{time:.0}").replace('T', " ").replace('Z', ""),
        Err(_) => format!("{} s", time.secs),
    }
}

fn mode_text(kind: Kind, mode: u32) -> String {
    let kind = match kind {
        Kind::File | Kind::HardLink => '-',
        Kind::Directory => 'd',
        Kind::Symlink => 'l',
        Kind::Fifo => 'p',
        Kind::Socket => 's',
        Kind::CharDevice => 'c',
        Kind::BlockDevice => 'b',
    };
    let mut text = String::from(kind);
    for (shift, special, letters) in [(6, 0o4000, "sS"), (3, 0o2000, "sS"), (0, 0o1000, "tT")] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        let may_run = bits & 1 != 0;
        let (with_run, without) = letters.split_at(1);
        text.push_str(match (mode & special != 0, may_run) {
            (true, true) => with_run,
            (true, false) => without,
            (false, true) => "x",
            (false, false) => "-",
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::entry::Content;
    use crate::meta::Extra;
    use crate::meta::Meta;
    use crate::path::SnapshotPath;

    #[test]
    fn modes_are_written_as_by_ls() {
        let cases = [
            (Kind::File, 0o644, "-rw-r--r--"),
            (Kind::Directory, 0o1777, "drwxrwxrwt"),
            (Kind::File, 0o6755, "-rwsr-sr-x"),
            (Kind::File, 0o4600, "-rwS------"),
        ];
        for (kind, mode, text) in cases {
            assert_eq!(mode_text(kind, mode), text);
        }
    }

    #[test]
    fn an_entry_for_people_and_machines() {
        let mut meta = Meta::plain(Kind::Symlink, 0);
        meta.mtime = FileTime { secs: -1, nanos: 5 };
        meta.extra = Some(Box::new(Extra { link: b"to\x1b".to_vec(), ..Extra::default() }));
        let path = SnapshotPath::from_user(b"a/\xff").unwrap();
        let entry = Entry { path, meta, content: Content::None };
        let text = long(&entry, Language::En);
        assert!(text.ends_with("1969-12-31 23:59:59 /a/\\xff -> to\\x1b"), "{text}");
        let path = slashed(&entry);
        let json = serde_json::to_value(line(&entry, &path, None)).unwrap();
        assert_eq!(json["path_b64"], "L2Ev/w==");
        assert_eq!(json["link_target"], "to\u{1b}");
        assert_eq!(json["mtime"], "1969-12-31T23:59:59.000000005Z");
    }
}
