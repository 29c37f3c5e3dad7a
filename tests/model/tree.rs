//! What a source holds, as a plain map: names to inodes, inodes to content and attributes.

use std::collections::BTreeMap;

use lifeboat::meta::Extra;
use lifeboat::meta::Kind;
use lifeboat::meta::Meta;
use lifeboat::meta::Xattr;
use lifeboat::source::memory::MemorySource;
use lifeboat::units::FileTime;

use crate::support::Random;
use crate::support::compare::Thing;
use crate::support::compare::Tree as Seen;
use crate::support::generate::is_root;

/// Few names, so that the same name comes back as another kind; some of them awkward.
const NAMES: [&str; 14] = [
    "a",
    "b",
    "c",
    "ab",
    "a b",
    "a.b",
    "B",
    "\u{e9}",
    "e\u{301}",
    "back\\slash",
    "new\nline",
    "-rf",
    ".hidden",
    "~",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inode {
    pub kind: Kind,
    pub content: Vec<u8>,
    /// Where data lies in a file with holes.
    pub data: Option<Vec<(usize, usize)>>,
    pub link: Vec<u8>,
    pub mode: u32,
    pub owner: (u32, u32),
    pub mtime: FileTime,
    pub ctime: FileTime,
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    pub names: BTreeMap<String, u64>,
    pub inodes: BTreeMap<u64, Inode>,
    next: u64,
}

/// Sorts as snapshots do: by components.
fn key(path: &str) -> Vec<&str> {
    path.split('/').collect()
}

impl Tree {
    pub fn inode(&self, path: &str) -> &Inode {
        &self.inodes[&self.names[path]]
    }

    /// Names in the order of a snapshot.
    pub fn sorted(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.names.keys().map(String::as_str).collect();
        names.sort_by_key(|name| key(name));
        names
    }

    pub fn pick(&self, random: &mut Random, wanted: impl Fn(&Inode) -> bool) -> Option<String> {
        let fits: Vec<&String> =
            self.names.iter().filter(|(_, n)| wanted(&self.inodes[n])).map(|(p, _)| p).collect();
        (!fits.is_empty()).then(|| fits[random.below(fits.len())].clone())
    }

    fn add(&mut self, path: String, inode: Inode) {
        self.remove(&path);
        self.next += 1;
        self.inodes.insert(self.next, inode);
        self.names.insert(path, self.next);
    }

    pub fn remove(&mut self, path: &str) {
        let beneath = format!("{path}/");
        self.names.retain(|name, _| name != path && !name.starts_with(&beneath));
        let used: std::collections::BTreeSet<u64> = self.names.values().copied().collect();
        self.inodes.retain(|number, _| used.contains(number));
    }

    /// A name in a folder that there is.
    fn place(&self, random: &mut Random) -> String {
        let name = NAMES[random.below(NAMES.len())];
        let folder = self.pick(random, |inode| inode.kind == Kind::Directory);
        match folder.filter(|folder| random.below(4) > 0 && folder.matches('/').count() < 4) {
            Some(folder) => format!("{folder}/{name}"),
            None => name.to_owned(),
        }
    }

    fn touch(&mut self, path: &str, now: FileTime) -> &mut Inode {
        let inode = self.inodes.get_mut(&self.names[path]).unwrap();
        inode.ctime = now;
        inode
    }

    /// One random change; what it was, for messages.
    pub fn edit(&mut self, random: &mut Random, now: FileTime) -> String {
        let file = self.pick(random, |inode| inode.kind == Kind::File);
        let any = self.pick(random, |_| true);
        let (Some(any), Some(file)) = (any, file) else { return self.create(random, now) };
        match random.below(16) {
            0..=4 => self.create(random, now),
            5..=7 => self.edit_content(&file, random, now),
            8 => {
                let inode = self.touch(&any, now);
                if inode.kind != Kind::Symlink {
                    inode.mode = [0o700, 0o755, 0o750, 0o777][random.below(4)];
                }
                format!("mode of {any:?}")
            }
            9 => {
                let inode = self.touch(&any, now);
                inode.mtime =
                    FileTime { secs: random.below(2_000_000_000).cast_signed() as i64, nanos: 5 };
                format!("time of {any:?}")
            }
            10 => {
                let value = random.bytes(20);
                let inode = self.touch(&any, now);
                if matches!(inode.kind, Kind::File | Kind::Directory) {
                    inode.xattrs.insert(format!("user.{}", value[0] % 3), value);
                }
                format!("attribute of {any:?}")
            }
            11 => {
                self.remove(&any);
                format!("removed {any:?}")
            }
            12 | 13 => self.rename(&any, random, now),
            14 => {
                let place = self.place(random);
                let is_free = !self.names.contains_key(&place);
                if is_free {
                    let number = self.names[&file];
                    self.touch(&file, now);
                    self.names.insert(place.clone(), number);
                }
                format!("{place:?} is a name of {file:?}: {is_free}")
            }
            _ => {
                let place = self.place(random);
                let copy = Inode { ctime: now, ..self.inode(&file).clone() };
                if place != file {
                    self.add(place.clone(), copy);
                }
                format!("{place:?} is a copy of {file:?}")
            }
        }
    }

    fn edit_content(&mut self, file: &str, random: &mut Random, now: FileTime) -> String {
        match random.below(3) {
            0 => {
                let size = self.inode(file).content.len();
                let inode = self.touch(file, now);
                if size > 0 {
                    inode.content[random.below(size)] ^= 0x55;
                    inode.data = None;
                }
                if random.below(3) > 0 {
                    inode.mtime = now;
                }
                format!("one byte of {file:?}")
            }
            1 => {
                let more = content(random);
                let inode = self.touch(file, now);
                inode.content.extend(more);
                (inode.data, inode.mtime) = (None, now);
                format!("appended to {file:?}")
            }
            _ => {
                let inode = self.touch(file, now);
                inode.content.truncate(inode.content.len() / 2);
                (inode.data, inode.mtime) = (None, now);
                format!("halved {file:?}")
            }
        }
    }

    fn rename(&mut self, from: &str, random: &mut Random, now: FileTime) -> String {
        let to = self.place(random);
        if to == from || to.starts_with(&format!("{from}/")) || from.starts_with(&format!("{to}/"))
        {
            return format!("{from:?} stays");
        }
        let moved: Vec<(String, u64)> = self
            .names
            .iter()
            .filter(|(name, _)| *name == from || name.starts_with(&format!("{from}/")))
            .map(|(name, number)| (format!("{to}{}", &name[from.len()..]), *number))
            .collect();
        let kept: BTreeMap<u64, Inode> =
            moved.iter().map(|(_, number)| (*number, self.inodes[number].clone())).collect();
        self.remove(&to);
        self.remove(from);
        self.inodes.extend(kept);
        self.names.extend(moved);
        self.touch(&to, now);
        format!("{from:?} renamed to {to:?}")
    }

    fn create(&mut self, random: &mut Random, now: FileTime) -> String {
        let path = self.place(random);
        let mut inode = Inode {
            kind: Kind::File,
            content: Vec::new(),
            data: None,
            link: Vec::new(),
            mode: [0o644, 0o600, 0o755, 0o4755][random.below(4)],
            owner: [(0, 0), (1, 1), (4242, 4243)][random.below(3)],
            mtime: now,
            ctime: now,
            xattrs: BTreeMap::new(),
        };
        match random.below(12) {
            0..=2 => (inode.kind, inode.mode) = (Kind::Directory, 0o755),
            3 => {
                (inode.kind, inode.mode) = (Kind::Symlink, 0o777);
                inode.link = ["a", "../b", "/nowhere", "a b\n"][random.below(4)].into();
            }
            4 => (inode.kind, inode.mode) = (Kind::Fifo, 0o600),
            5 => sparse(&mut inode, random),
            _ => inode.content = content(random),
        }
        let kind = inode.kind;
        self.add(path.clone(), inode);
        format!("made {path:?}, a {kind:?}")
    }
}

/// Mostly a small file, sometimes one that is cut, sometimes one with a map.
fn content(random: &mut Random) -> Vec<u8> {
    let size = match random.below(12) {
        0 => 0,
        1..=7 => random.below(400),
        8 => 500 + random.below(24),
        9 | 10 => random.below(6_000),
        _ => 40_000 + random.below(30_000),
    };
    if random.below(3) == 0 { vec![b'z'; size] } else { random.bytes(size) }
}

fn sparse(inode: &mut Inode, random: &mut Random) {
    let size = 600 + random.below(20_000);
    inode.content = vec![0; size];
    let (at, len) = (random.below(size / 2), 1 + random.below(size / 3));
    inode.content[at..at + len].copy_from_slice(&random.bytes(len));
    inode.data = Some(vec![(at, len)]);
}

impl Tree {
    /// The same for the product to back up.
    pub fn source(&self) -> MemorySource {
        let source = MemorySource::default();
        for path in self.sorted() {
            let number = self.names[path];
            let inode = &self.inodes[&number];
            let names = self.names.values().filter(|other| **other == number).count();
            let xattrs = inode.xattrs.iter();
            let xattrs = xattrs
                .map(|(name, value)| Xattr { name: name.clone().into(), value: value.clone() })
                .collect();
            let extra = Extra { link: inode.link.clone(), xattrs, ..Extra::default() };
            let meta = Meta {
                mode: inode.mode,
                uid: inode.owner.0,
                gid: inode.owner.1,
                mtime: inode.mtime,
                ctime: inode.ctime,
                inode: number,
                links_count: u32::try_from(names).unwrap(),
                extra: (extra != Extra::default()).then(|| Box::new(extra)),
                ..Meta::plain(inode.kind, inode.content.len() as u64)
            };
            match &inode.data {
                Some(data) => {
                    let parts: Vec<(usize, &[u8])> =
                        data.iter().map(|(at, len)| (*at, &inode.content[*at..at + len])).collect();
                    source.put_sparse(path, inode.content.len(), &parts);
                    source.edit(path, |kept| *kept = meta);
                }
                None => source.put_meta(path, meta, &inode.content),
            }
        }
        source
    }

    /// The same as a look at a folder would see it. `within` is a folder, or empty for all.
    pub fn expected(&self, within: &str) -> Seen {
        let mut seen = Seen::new();
        let mut groups: BTreeMap<u64, Vec<Vec<u8>>> = BTreeMap::new();
        for path in self.sorted() {
            let number = self.names[path];
            let Some(name) = relative(path, within) else { continue };
            let inode = &self.inodes[&number];
            // Names of which the first was not asked for are those of one file all the same.
            if inode.kind != Kind::Directory {
                groups.entry(number).or_default().push(name.as_bytes().to_vec());
            }
            seen.insert(name.as_bytes().to_vec(), thing(inode, name));
        }
        for mut names in groups.into_values() {
            names.sort();
            for name in &names {
                seen.get_mut(name).unwrap().names = (names[0].clone(), names.len());
            }
        }
        seen
    }
}

/// The rest of a path beneath a folder; empty for the folder itself.
fn relative<'a>(path: &'a str, within: &str) -> Option<&'a str> {
    if within.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(within)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

fn thing(inode: &Inode, name: &str) -> Thing {
    let is_folder = inode.kind == Kind::Directory;
    Thing {
        kind: match inode.kind {
            Kind::Directory => "folder",
            Kind::Symlink => "symlink",
            Kind::Fifo => "fifo",
            _ => "file",
        },
        mode: inode.mode,
        owner: inode.owner,
        mtime: (inode.mtime.secs, inode.mtime.nanos.into()),
        size: inode.content.len() as u64,
        content: match &inode.content {
            long if long.len() > 64 => blake3::hash(long).as_bytes().to_vec(),
            short => short.clone(),
        },
        data: Vec::new(),
        device: 0,
        link: inode.link.clone(),
        xattrs: inode.xattrs.iter().map(|(n, v)| (n.clone().into_bytes(), v.clone())).collect(),
        names: if is_folder { (Vec::new(), 1) } else { (name.as_bytes().to_vec(), 1) },
    }
}

/// What a look at a restored folder saw, without what the model does not say: where holes lie, and
/// owners unless root restores. The root itself only counts when a folder was asked for.
pub fn comparable(mut seen: Seen, within: &str) -> Seen {
    if within.is_empty() {
        seen.remove(b"".as_slice());
    }
    for thing in seen.values_mut() {
        thing.data.clear();
        if !is_root() {
            thing.owner = (0, 0);
        }
    }
    seen
}
