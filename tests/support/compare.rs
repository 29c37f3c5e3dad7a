//! Looks at a tree and tells every difference to another.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// One thing in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    pub kind: &'static str,
    pub mode: u32,
    pub owner: (u32, u32),
    pub mtime: (i64, i64),
    pub size: u64,
    pub content: Vec<u8>,
    /// Ranges that hold data; the rest are holes.
    pub data: Vec<(u64, u64)>,
    pub device: u64,
    pub link: Vec<u8>,
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The first name of the same inode, and how many names it has in the tree.
    pub names: (Vec<u8>, usize),
}

pub type Tree = BTreeMap<Vec<u8>, Thing>;

/// Everything below `root`, and the root itself under the empty name.
pub fn look(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut inodes: HashMap<(u64, u64), Vec<Vec<u8>>> = HashMap::new();
    let mut waiting = vec![root.to_path_buf()];
    while let Some(path) = waiting.pop() {
        let name = path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec();
        let meta = std::fs::symlink_metadata(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        if meta.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|row| row.unwrap().path()));
        } else {
            inodes.entry((meta.dev(), meta.ino())).or_default().push(name.clone());
        }
        tree.insert(name, thing(&path, &meta));
    }
    for mut names in inodes.into_values() {
        names.sort();
        for name in &names {
            tree.get_mut(name).unwrap().names = (names[0].clone(), names.len());
        }
    }
    tree
}

fn thing(path: &Path, meta: &std::fs::Metadata) -> Thing {
    let kind = kind(meta.file_type());
    let file = kind == "file";
    Thing {
        kind,
        mode: meta.mode() & 0o7777,
        owner: (meta.uid(), meta.gid()),
        mtime: (meta.mtime(), meta.mtime_nsec()),
        size: if file { meta.len() } else { 0 },
        content: if file { content(path) } else { Vec::new() },
        data: if file { data_ranges(path, meta.len()) } else { Vec::new() },
        device: if kind.ends_with("device") { meta.rdev() } else { 0 },
        link: match kind {
            "symlink" => std::fs::read_link(path).unwrap().as_os_str().as_bytes().to_vec(),
            _ => Vec::new(),
        },
        xattrs: xattrs(path),
        names: (Vec::new(), 1),
    }
}

fn kind(file_type: std::fs::FileType) -> &'static str {
    match file_type {
        t if t.is_dir() => "folder",
        t if t.is_symlink() => "symlink",
        t if t.is_fifo() => "fifo",
        t if t.is_socket() => "socket",
        t if t.is_char_device() => "char device",
        t if t.is_block_device() => "block device",
        _ => "file",
    }
}

/// The whole content of small files; of others the digest of another crate's making, so that trees
/// fit into memory.
fn content(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
    if bytes.len() > 64 { blake3::hash(&bytes).as_bytes().to_vec() } else { bytes }
}

fn data_ranges(path: &Path, len: u64) -> Vec<(u64, u64)> {
    let file = File::open(path).unwrap();
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < len {
        let Ok(start) = rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(at)) else { break };
        let end = rustix::fs::seek(&file, rustix::fs::SeekFrom::Hole(start)).unwrap();
        ranges.push((start, end));
        at = end;
    }
    ranges
}

fn xattrs(path: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut list = vec![0_u8; 128 * 1024];
    let len = match rustix::fs::llistxattr(path, &mut list[..]) {
        Ok(len) => len,
        Err(rustix::io::Errno::OPNOTSUPP) => 0,
        Err(error) => panic!("{path:?}: {error}"),
    };
    let mut all = BTreeMap::new();
    for name in list[..len].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0_u8; 128 * 1024];
        let len = rustix::fs::lgetxattr(path, name, &mut value[..]).unwrap();
        value.truncate(len);
        all.insert(name.to_vec(), value);
    }
    all
}

/// Every difference, one line each; none means that the trees are alike.
pub fn differences(left: &Tree, right: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (name, there) in left {
        match right.get(name) {
            None => found.push(format!("{}: is missing", show(name))),
            Some(here) => found.extend(thing_differences(name, there, here)),
        }
    }
    for name in right.keys().filter(|name| !left.contains_key(*name)) {
        found.push(format!("{}: was not there", show(name)));
    }
    found
}

fn thing_differences(name: &[u8], left: &Thing, right: &Thing) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, left: &dyn std::fmt::Debug, right: &dyn std::fmt::Debug| {
        let (left, right) = (format!("{left:?}"), format!("{right:?}"));
        if left != right {
            found.push(format!("{}: {what}: {left} became {right}", show(name)));
        }
    };
    compare("kind", &left.kind, &right.kind);
    compare("mode", &left.mode, &right.mode);
    compare("owner", &left.owner, &right.owner);
    compare("mtime", &left.mtime, &right.mtime);
    compare("size", &left.size, &right.size);
    compare("content", &left.content, &right.content);
    compare("data ranges", &left.data, &right.data);
    compare("device", &left.device, &right.device);
    compare("link", &left.link, &right.link);
    compare("xattrs", &left.xattrs, &right.xattrs);
    compare("names", &left.names, &right.names);
    found
}

fn show(name: &[u8]) -> String {
    name.escape_ascii().to_string()
}

/// Fails with the first differences unless the trees are alike.
pub fn assert_alike(what: &str, left: &Tree, right: &Tree) {
    let found = differences(left, right);
    let first: Vec<&String> = found.iter().take(20).collect();
    assert!(found.is_empty(), "{what}: {} differences, such as {first:#?}", found.len());
}
