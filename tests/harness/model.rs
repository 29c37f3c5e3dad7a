//! A tree as a plain map: what a snapshot must bring back. It shares no code with the product.

use std::collections::BTreeMap;

use lifeboat::meta::Extra;
use lifeboat::meta::Kind;
use lifeboat::meta::Meta;
use lifeboat::meta::Xattr;
use lifeboat::source::memory::Fault;
use lifeboat::source::memory::MemorySource;
use lifeboat::units::FileTime;

use crate::support::Random;

/// One thing in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    pub kind: Kind,
    pub mode: u32,
    pub owner: (u32, u32),
    pub mtime: (i64, u32),
    pub bytes: Vec<u8>,
    pub link: Vec<u8>,
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// The first name of the same file.
    pub first: String,
}

/// Things by path, and how the source misbehaves.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    pub things: BTreeMap<String, Thing>,
    pub faults: Vec<(String, Fault)>,
    /// The source tells at its end that it failed.
    pub fails_at_end: bool,
    /// Counts changes, so that signs of change differ.
    age: u32,
    changed: BTreeMap<String, u32>,
}

fn thing(kind: Kind, path: &str, age: u32) -> Thing {
    Thing {
        kind,
        mode: if kind == Kind::Directory { 0o750 } else { 0o640 },
        owner: (7, 8 + age % 3),
        mtime: (1000 + i64::from(age), 5 * age),
        bytes: Vec::new(),
        link: Vec::new(),
        xattrs: Vec::new(),
        first: path.to_owned(),
    }
}

impl Tree {
    /// Small, large, empty and linked files, links, a fifo, attributes.
    pub fn new(random: &mut Random) -> Self {
        let mut tree = Self::default();
        for folder in ["d", "d/e", "d/hollow"] {
            tree.put(folder, Kind::Directory, |_| {});
        }
        for (path, len) in [
            ("a", 10),
            ("d/b", 300),
            ("d/c", 700),
            ("d/e/f", 999),
            ("d/empty", 0),
            ("large", 3000 + random.below(2000)),
            ("large2", 1500),
        ] {
            let bytes = random.bytes(len);
            tree.put(path, Kind::File, |thing| thing.bytes = bytes);
        }
        tree.put("d/link", Kind::Symlink, |thing| thing.link = b"../a".to_vec());
        tree.put("fifo", Kind::Fifo, |_| {});
        tree.put("x", Kind::File, |thing| {
            thing.bytes = b"x".to_vec();
            thing.xattrs = vec![(b"user.x".to_vec(), b"value".to_vec())];
        });
        tree.link("d/twin", "a");
        tree
    }

    fn put(&mut self, path: &str, kind: Kind, change: impl FnOnce(&mut Thing)) {
        self.age += 1;
        let mut made = thing(kind, path, self.age);
        change(&mut made);
        self.things.insert(path.to_owned(), made);
        self.changed.insert(path.to_owned(), self.age);
    }

    fn link(&mut self, path: &str, first: &str) {
        let linked = self.things[first].clone();
        self.things.insert(path.to_owned(), linked);
    }

    /// A file more, one less, one changed at its end, one with other attributes.
    pub fn mutate(&mut self, random: &mut Random) {
        self.age += 1;
        let path = format!("d/new{}", self.age);
        let len = random_len(random);
        let bytes = random.bytes(len);
        self.put(&path, Kind::File, |thing| thing.bytes = bytes);
        let mut large = self.things["large"].bytes.clone();
        large.extend(random.bytes(400));
        self.put("large", Kind::File, |thing| thing.bytes = large);
        self.things.remove("d/c");
        let age = self.age;
        if let Some(thing) = self.things.get_mut("d/b") {
            thing.mode = 0o600 + age % 8;
            self.changed.insert("d/b".to_owned(), age);
        }
    }

    /// The tree as a source. Files of one content have one inode.
    pub fn source(&self) -> MemorySource {
        let mut source = MemorySource::default();
        source.failure = self.fails_at_end.then(|| "broken off".to_owned());
        let mut names: BTreeMap<&str, u32> = BTreeMap::new();
        for thing in self.things.values() {
            *names.entry(&thing.first).or_default() += 1;
        }
        let inodes: BTreeMap<&str, u64> = names.keys().copied().zip(1..).collect();
        for (path, thing) in &self.things {
            let mut meta = Meta::plain(thing.kind, thing.bytes.len() as u64);
            meta.mode = thing.mode;
            (meta.uid, meta.gid) = thing.owner;
            meta.mtime = FileTime { secs: thing.mtime.0, nanos: thing.mtime.1 };
            let changed = self.changed.get(&thing.first).copied().unwrap_or_default();
            meta.ctime = FileTime { secs: 2000 + i64::from(changed), nanos: 0 };
            meta.inode = inodes[thing.first.as_str()] + 100;
            meta.links_count = names[thing.first.as_str()];
            if !thing.link.is_empty() || !thing.xattrs.is_empty() {
                let xattrs = thing.xattrs.iter().cloned();
                let xattrs = xattrs.map(|(name, value)| Xattr { name, value }).collect();
                let link = thing.link.clone();
                meta.extra = Some(Box::new(Extra { link, xattrs, ..Extra::default() }));
            }
            source.put_meta(path, meta, &thing.bytes);
        }
        for (path, fault) in &self.faults {
            source.set_fault(path, Some(*fault));
        }
        source
    }

    /// The first file that stands under a final name and is not what the snapshot holds. What is
    /// left of a lost file stands beside its name.
    pub fn wrong_bytes(&self, found: &BTreeMap<String, Thing>) -> Option<String> {
        let is_file = |(path, thing): &(&String, &Thing)| {
            thing.kind == Kind::File && !path.ends_with(".damaged")
        };
        let files = found.iter().filter(is_file);
        let mut wrong = files.filter(|(path, thing)| {
            self.things.get(*path).is_none_or(|wanted| wanted.bytes != thing.bytes)
        });
        wrong.next().map(|(path, _)| format!("`{path}` holds other bytes"))
    }

    /// The first difference to what a restore brought back.
    pub fn difference(&self, found: &BTreeMap<String, Thing>) -> Option<String> {
        for (path, wanted) in &self.things {
            match found.get(path) {
                None => return Some(format!("`{path}` is missing")),
                Some(thing) if thing != wanted => {
                    let lens = (wanted.bytes.len(), thing.bytes.len());
                    let same = if wanted.bytes == thing.bytes { "equal" } else { "other" };
                    return Some(format!("`{path}` differs: {lens:?} bytes, {same}: {thing:?}"));
                }
                Some(_) => {}
            }
        }
        let stranger = found.keys().find(|path| !self.things.contains_key(*path));
        stranger.map(|path| format!("`{path}` was not there"))
    }
}

fn random_len(random: &mut Random) -> usize {
    [0, 1, 511, 512, 513, 1100, 2300][random.below(7)]
}
