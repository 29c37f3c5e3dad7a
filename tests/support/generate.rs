//! Trees with everything a Linux folder can hold, the same for the same seed.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use rustix::fs::AtFlags;
use rustix::fs::CWD;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::Timespec;
use rustix::fs::Timestamps;
use rustix::fs::XattrFlags;

use super::Random;
use super::below;

const KIB: usize = 1024;
/// Sizes at which the program changes its mind, and their neighbours.
const SIZES: [usize; 22] = [
    0,
    1,
    2,
    31,
    100,
    4 * KIB - 1,
    4 * KIB,
    4 * KIB + 1,
    64 * KIB - 1,
    64 * KIB,
    64 * KIB + 1,
    256 * KIB - 1,
    256 * KIB,
    512 * KIB - 1,
    512 * KIB,
    512 * KIB + 1,
    1024 * KIB - 1,
    1024 * KIB + 1,
    2048 * KIB + 77,
    4096 * KIB - 1,
    4096 * KIB + 1,
    6000 * KIB,
];
/// Seconds: before 1970, before 1902 does not fit every disk, far in the future.
const TIMES: [i64; 6] = [-2_000_000_000, -1, 0, 1, 1_700_000_000, 4_102_444_800];
const MODES: [u32; 8] = [0o000, 0o400, 0o600, 0o644, 0o755, 0o777, 0o4755, 0o2755];

/// What this machine or user could not make, by name; tests print it.
pub type NotMade = Vec<&'static str>;

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A tree with every kind of thing below `root`, which must not exist yet.
pub fn full(root: &Path, seed: u64) -> NotMade {
    let mut random = Random::new(seed);
    std::fs::create_dir(root).unwrap();
    sizes(&root.join("sizes"), &mut random);
    names(&root.join("names"));
    deep(&root.join("deep"));
    links(&root.join("links"));
    sparse(&root.join("sparse"), &mut random);
    let mut not_made = specials(&root.join("specials"));
    not_made.extend(attributes(&root.join("attributes"), &mut random));
    stamp(root, &mut random);
    not_made
}

/// A small random tree: some files and folders with few kinds of surprise.
pub fn small(root: &Path, seed: u64) {
    let mut random = Random::new(seed);
    std::fs::create_dir(root).unwrap();
    let mut folders = vec![root.to_path_buf()];
    for number in 0..20 + random.below(60) {
        let folder = folders[random.below(folders.len())].clone();
        let path = folder.join(format!("{number:x}"));
        match random.below(10) {
            0 | 1 => {
                std::fs::create_dir(&path).unwrap();
                folders.push(path);
            }
            2 => symlink(format!("../{number}"), &path).unwrap(),
            3 => File::create_new(&path).unwrap().set_len(300_000).unwrap(),
            _ => {
                let size = SIZES[random.below(16)] / (1 + random.below(4));
                put(&path, &content(&mut random, size));
            }
        }
    }
    stamp(root, &mut random);
}

pub fn put(path: &Path, bytes: &[u8]) {
    let file = File::options().write(true).create(true).truncate(true).open(path);
    file.and_then(|mut file| file.write_all(bytes)).unwrap_or_else(|e| panic!("{path:?}: {e}"));
}

/// Random bytes, zeros, text that repeats, or all of it.
pub fn content(random: &mut Random, size: usize) -> Vec<u8> {
    match random.below(4) {
        0 => random.bytes(size),
        1 => vec![0; size],
        2 => b"the same line again and again\n".iter().copied().cycle().take(size).collect(),
        _ => {
            let mut bytes = random.bytes(size / 3);
            bytes.resize(size / 3 * 2, 0);
            let rest = size - bytes.len();
            bytes.extend(random.bytes(rest));
            bytes
        }
    }
}

fn sizes(folder: &Path, random: &mut Random) {
    std::fs::create_dir(folder).unwrap();
    for size in SIZES {
        let bytes = content(random, size);
        put(&folder.join(format!("{size}")), &bytes);
        if size < 600 * KIB {
            put(&folder.join(format!("{size}-again")), &bytes);
            put(&folder.join(format!("{size}-zeros")), &vec![0; size]);
        }
    }
}

fn names(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    for byte in (1..=255_u8).filter(|byte| !matches!(byte, b'/' | b'.')) {
        put(&below(folder, &[byte]), &[byte]);
        put(&below(folder, &[b'x', byte, b'y']), b"");
    }
    for name in [
        "...",
        ". ",
        " ",
        "-rf",
        "~",
        "*",
        "?[a-z]",
        "a\nb",
        "$HOME",
        "CON",
        "a.",
        "a\\..\\b",
        "\u{e9}",
        "e\u{301}",
        "\u{202e}txt",
        "#",
        "!important",
        "COM1.txt",
        "%41",
        "\\x41",
    ] {
        put(&folder.join(name), name.as_bytes());
    }
    for fill in [b'n', 0xff, 0xc3] {
        put(&below(folder, &[fill; 255]), b"long");
    }
    // Names that sort one way by bytes of the path and another by components.
    let order = folder.join("order");
    std::fs::create_dir_all(order.join("a/b")).unwrap();
    for name in ["a-", "a.b", "a0", "a b", "a\u{1}", "a/b/c", "a/b-", "aa", "A"] {
        put(&order.join(name), name.as_bytes());
    }
    std::fs::create_dir(folder.join("empty folder")).unwrap();
}

fn deep(folder: &Path) {
    let mut path = folder.to_path_buf();
    for level in 0..60 {
        std::fs::create_dir(&path).unwrap();
        put(&path.join("f"), format!("{level}").as_bytes());
        path.push(format!("level {level:030}"));
    }
}

fn links(folder: &Path) {
    std::fs::create_dir_all(folder.join("other")).unwrap();
    put(&folder.join("m"), b"content");
    let big = Random::new(7).bytes(700 * KIB);
    put(&folder.join("z-big"), &big);
    for (target, name) in [
        ("m", "to-file"),
        ("other", "to-folder"),
        ("nowhere", "to-nothing"),
        (".", "to-self"),
        ("/etc/passwd", "absolute"),
        ("../../../../..", "up"),
        ("loop", "loop"),
    ] {
        symlink(target, folder.join(name)).unwrap();
    }
    symlink(below(Path::new(""), b"\xff\xfe \n"), folder.join("bytes")).unwrap();
    symlink("x".repeat(4000), folder.join("long")).unwrap();
    for (old, new) in [
        ("m", "a-earlier"),
        ("m", "other/later"),
        ("z-big", "other/big"),
        ("to-nothing", "to-nothing-again"),
    ] {
        std::fs::hard_link(folder.join(old), folder.join(new)).unwrap();
    }
}

fn sparse(folder: &Path, random: &mut Random) {
    use std::os::unix::fs::FileExt;
    std::fs::create_dir(folder).unwrap();
    let mib = 1024 * 1024_u64;
    let cases: [(&str, u64, &[u64]); 6] = [
        ("all-hole", 8 * mib, &[]),
        ("hole-first", 3 * mib, &[2 * mib]),
        ("hole-last", 3 * mib, &[0]),
        ("islands", 40 * mib, &[mib, 9 * mib, 30 * mib]),
        ("small", 48 * 1024, &[16 * 1024]),
        ("odd-end", 2 * mib + 12_345, &[mib]),
    ];
    for (name, len, islands) in cases {
        let file = File::create_new(folder.join(name)).unwrap();
        file.set_len(len).unwrap();
        for at in islands {
            file.write_all_at(&random.bytes(8 * KIB), *at).unwrap();
        }
        file.sync_all().unwrap();
    }
}

fn node(path: &Path, kind: FileType, device: u64) {
    rustix::fs::mknodat(CWD, path, kind, Mode::from_raw_mode(0o640), device)
        .unwrap_or_else(|e| panic!("{path:?}: {e}"));
}

fn specials(folder: &Path) -> NotMade {
    std::fs::create_dir(folder).unwrap();
    node(&folder.join("fifo"), FileType::Fifo, 0);
    node(&folder.join("socket"), FileType::Socket, 0);
    std::fs::hard_link(folder.join("fifo"), folder.join("fifo-again")).unwrap();
    if !is_root() {
        return vec!["devices"];
    }
    node(&folder.join("null"), FileType::CharacterDevice, rustix::fs::makedev(1, 3));
    node(&folder.join("far"), FileType::CharacterDevice, rustix::fs::makedev(511, 70_000));
    node(&folder.join("loop"), FileType::BlockDevice, rustix::fs::makedev(7, 0));
    Vec::new()
}

fn attributes(folder: &Path, random: &mut Random) -> NotMade {
    std::fs::create_dir(folder).unwrap();
    let mut not_made = Vec::new();
    let fresh = |name: &str| {
        let path = folder.join(name);
        put(&path, name.as_bytes());
        path
    };
    for number in 0..12_u32 {
        let path = fresh(&format!("owner-{number}"));
        if is_root() {
            std::os::unix::fs::chown(&path, Some(12_345 + number), Some(54_321)).unwrap();
        }
    }
    set_xattr(&fresh("xattr-empty"), "user.empty", b"");
    let many = fresh("xattr-many");
    for number in 0..8 {
        set_xattr(&many, &format!("user.n{number}"), &random.bytes(200));
    }
    set_xattr(folder, "user.folder", b"\0\xff\n");
    let mut run = |what: &'static str, program: &str, arguments: &[&str], path: &PathBuf| {
        let status = Command::new(program).args(arguments).arg(path).status();
        if !status.is_ok_and(|status| status.success()) {
            not_made.push(what);
        }
    };
    run("ACLs", "setfacl", &["-m", "u:1:r,g:2:rwx"], &fresh("acl"));
    let inner = folder.join("acl folder");
    std::fs::create_dir(&inner).unwrap();
    run("default ACLs", "setfacl", &["-d", "-m", "u:1:rwx"], &inner);
    let capable = fresh("capable");
    std::fs::set_permissions(&capable, std::fs::Permissions::from_mode(0o755)).unwrap();
    run("capabilities", "setcap", &["cap_net_raw+ep"], &capable);
    for mode in MODES {
        if is_root() || mode & 0o400 != 0 {
            let path = fresh(&format!("mode-{mode:o}"));
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    }
    for mode in [0o1777, 0o2775, 0o700] {
        let path = folder.join(format!("folder-{mode:o}"));
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    if !is_root() {
        not_made.extend(["owners", "mode 0"]);
    }
    not_made
}

pub fn set_xattr(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::lsetxattr(path, name, value, XattrFlags::empty())
        .unwrap_or_else(|e| panic!("{path:?} {name}: {e}"));
}

pub fn set_mtime(path: &Path, seconds: i64, nanoseconds: i64) {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let times = Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)
        .unwrap_or_else(|e| panic!("{path:?}: {e}"));
}

/// Gives everything a time of its own, folders after what is in them.
fn stamp(folder: &Path, random: &mut Random) {
    let mut rows: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|row| row.unwrap().path()).collect();
    rows.sort();
    for path in rows {
        if std::fs::symlink_metadata(&path).unwrap().is_dir() {
            stamp(&path, random);
        } else {
            stamp_one(&path, random);
        }
    }
    stamp_one(folder, random);
}

fn stamp_one(path: &Path, random: &mut Random) {
    let seconds = TIMES[random.below(TIMES.len())] + i64::try_from(random.below(1000)).unwrap();
    set_mtime(path, seconds, i64::try_from(random.below(1_000_000_000)).unwrap());
}
