//! What people type, and names: shares, paths, blob names, sizes, patterns, sizes of chunks.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use lifeboat::chunk::ChunkSizes;
use lifeboat::chunk::Cutter;
use lifeboat::crypto::sealed::shares;
use lifeboat::crypto::sealed::shares::SHARE_BYTES;
use lifeboat::crypto::sealed::shares::Share;
use lifeboat::ids::MachineId;
use lifeboat::ids::Sid;
use lifeboat::path::SnapshotPath;
use lifeboat::path::check_name;
use lifeboat::path::escape;
use lifeboat::repository::keys::recovery::words;
use lifeboat::restore::select::IsFolder;
use lifeboat::restore::select::Selection;
use lifeboat::restore::select::Selector;
use lifeboat::source::exclude::Marker;
use lifeboat::source::exclude::Patterns;
use lifeboat::storage::BlobName;
use lifeboat::storage::NAME_BYTES_MAX;
use lifeboat::units::Bytes;
use lifeboat::units::Timestamp;

use super::Seen;
use super::choice;
use super::told;

pub fn share_words(input: &[u8]) -> Seen {
    let text = String::from_utf8_lossy(input);
    match words::decode(3, &text) {
        Ok(share) => {
            let again = words::encode(&share);
            assert_eq!(words::decode(1, &again).as_ref(), Ok(&share));
            Seen::Accepted
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains("share 3"), "{text}");
            told(&error)
        }
    }
}

/// Input: 0 and a share as it is, or 1 and one without its checksum; or 2 and several to join.
pub fn share(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 3);
    let checked = |body: &[u8]| [body, &blake3::hash(body).as_bytes()[..4]].concat();
    if which == 2 {
        let bodies = rest.chunks_exact(SHARE_BYTES - 4).take(20);
        let shares: Vec<Share> =
            bodies.filter_map(|body| Share::decode(&checked(body)).ok()).collect();
        return match shares::join(&shares) {
            Ok(_) => Seen::Accepted,
            Err(error) => told(&error),
        };
    }
    let bytes = if which == 0 { rest.to_vec() } else { checked(rest) };
    match Share::decode(&bytes) {
        Ok(share) => {
            assert_eq!(share.encode().expose(), bytes);
            assert!((1..=share.n).contains(&share.index) && (2..=share.n).contains(&share.k));
            Seen::Accepted
        }
        Err(error) => told(&error),
    }
}

/// What a path must be, whoever made it.
fn check_path(path: &SnapshotPath) {
    let mut built = SnapshotPath::root();
    for name in path.components() {
        assert_eq!(check_name(name), Ok(()));
        let above = built.clone();
        built = built.join(name).expect("part of a path");
        assert_eq!(built.name(), Some(name));
        assert_eq!(built.parent().as_ref(), Some(&above));
        assert!(path.is_within(&built) && built.is_within(&above));
        assert!(above < built);
    }
    assert_eq!(&built, path);
    assert_eq!(path.relative_to(&SnapshotPath::root()).as_ref(), Some(path));
    assert_eq!(SnapshotPath::from_stored(path.as_stored()).as_ref(), Ok(path));
    assert_eq!(SnapshotPath::from_user(&path.to_slashed()).as_ref(), Ok(path));
    let shown = path.to_string();
    assert!(shown.starts_with('/') && !shown.chars().any(char::is_control), "{shown}");
}

/// Input: 0 and a stored path, or 1 and what a user wrote, or 2 and two paths.
pub fn path(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 3);
    let shown = escape(rest);
    assert!(!shown.chars().any(char::is_control), "{shown}");
    let made = match which {
        0 => SnapshotPath::from_stored(rest),
        1 => SnapshotPath::from_user(rest),
        _ => {
            let (one, two) = rest.split_at(rest.len() / 2);
            let (one, two) = (SnapshotPath::from_user(one), SnapshotPath::from_user(two));
            let (Ok(one), Ok(two)) = (one, two) else { return Seen::Refused };
            let (a, b): (Vec<_>, Vec<_>) = (one.components().collect(), two.components().collect());
            assert_eq!(one.cmp(&two), a.cmp(&b), "{one} and {two}");
            assert_eq!(one.is_within(&two), a.starts_with(&b), "{one} in {two}");
            assert_eq!(one.relative_to(&two).is_some(), one.is_within(&two));
            check_path(&two);
            Ok(one)
        }
    };
    match made {
        Ok(path) => {
            check_path(&path);
            Seen::Accepted
        }
        Err(error) => told(&error),
    }
}

pub fn blob_name(input: &[u8]) -> Seen {
    let text = String::from_utf8_lossy(input);
    for error in [text.parse::<Sid>().err(), text.parse::<MachineId>().err()].into_iter().flatten()
    {
        told(&error);
    }
    if let Ok(id) = text.parse::<Sid>() {
        assert_eq!(id.to_string(), text);
    }
    match BlobName::new(&text) {
        Ok(name) => {
            assert_eq!(name.as_str(), text);
            assert!((1..=NAME_BYTES_MAX).contains(&name.as_str().len()));
            let parts = Path::new(name.as_str()).components();
            let plain = |part| matches!(part, std::path::Component::Normal(_));
            assert!(parts.into_iter().all(plain), "{name} leaves its folder");
            Seen::Accepted
        }
        Err(error) => told(&error),
    }
}

/// Input: 0 and a size as text, or 1 and a number to show.
pub fn size_and_time(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 2);
    if which == 1 {
        let Some(number) = rest.first_chunk::<8>() else { return Seen::Refused };
        let number = i64::from_le_bytes(*number);
        assert!(!Timestamp::from_unix_ms(number).to_rfc3339().is_empty());
        let shown = Bytes(number.cast_unsigned()).to_string();
        // What is shown can be typed, but for sizes whose name is too large to have a unit.
        if let Ok(Bytes(again)) = shown.parse::<Bytes>() {
            let (wanted, found) = (number.cast_unsigned() as f64, again as f64);
            assert!((wanted - found).abs() <= wanted / 9.0, "{shown} became {again}");
        } else {
            assert!(shown.ends_with("EiB"), "{shown}");
        }
        return Seen::Accepted;
    }
    match String::from_utf8_lossy(rest).parse::<Bytes>() {
        Ok(size) => {
            assert_eq!(format!("{}", size.0).parse(), Ok(size));
            Seen::Accepted
        }
        Err(error) => told(&error),
    }
}

/// Input: lines of patterns, a NUL, and a path to try them on.
pub fn exclude(input: &[u8]) -> Seen {
    let end = input.iter().position(|&byte| byte == 0).unwrap_or(input.len());
    let (lines, tried) = input.split_at(end);
    if let Err(error) = Marker::parse(lines) {
        told(&error);
    }
    let text = String::from_utf8_lossy(lines);
    let lines: Vec<String> = text.lines().take(16).map(str::to_owned).collect();
    let tried = SnapshotPath::from_user(tried.get(1..).unwrap_or_default()).unwrap_or_default();
    let slashed = tried.to_slashed();
    let file = Path::new(std::ffi::OsStr::from_bytes(&slashed));
    let selection = Selection::new(SnapshotPath::root(), &lines, &[]);
    if let Ok(selection) = &selection {
        let mut selector = Selector::new(selection);
        let _either = selector.takes(&tried, IsFolder::Yes);
        assert_eq!(selection.place(&tried, IsFolder::Yes).as_ref(), Some(&tried));
    }
    match Patterns::compile(lines.iter().map(String::as_str)) {
        Ok(patterns) => {
            assert!(selection.is_ok(), "a pattern for one and not for the other");
            let first = (patterns.leave_out(file), patterns.leave_out_folder(file));
            assert_eq!((patterns.leave_out(file), patterns.leave_out_folder(file)), first);
            Seen::Accepted
        }
        Err(error) => told(&error),
    }
}

/// Input: three sizes u32, a seed of the table u8, then bytes to cut.
pub fn cutting(input: &[u8]) -> Seen {
    let Some((head, bytes)) = input.split_first_chunk::<13>() else { return Seen::Refused };
    let size = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let sizes = ChunkSizes { min_bytes: size(0), avg_bytes: size(4), max_bytes: size(8) };
    let mut number = u64::from(head[12]);
    let gear = Box::new(std::array::from_fn(|_| {
        number =
            number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        number
    }));
    let cutter = match Cutter::new(sizes, gear) {
        Ok(cutter) => cutter,
        Err(error) => return told(&error),
    };
    let max = sizes.max_bytes as usize;
    let mut rest = bytes;
    while !rest.is_empty() {
        let len = cutter.cut(rest);
        assert!(len > 0 && len <= rest.len().min(max), "{len} of {}", rest.len());
        assert!(len == rest.len() || len >= sizes.min_bytes as usize, "{len} bytes");
        // Nothing behind the largest chunk matters.
        assert_eq!(cutter.cut(&rest[..rest.len().min(max)]), len);
        rest = &rest[len..];
    }
    Seen::Accepted
}
