//! A target in which somebody else is at work.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use lifeboat::meta::Kind;
use lifeboat::meta::Meta;
use lifeboat::path::SnapshotPath;
use lifeboat::target::Attributes;
use lifeboat::target::Lack;
use lifeboat::target::Made;
use lifeboat::target::Naming;
use lifeboat::target::NewFile;
use lifeboat::target::OldFile;
use lifeboat::target::Placing;
use lifeboat::target::Special;
use lifeboat::target::Standing;
use lifeboat::target::Target;
use lifeboat::target::TargetError;
use lifeboat::target::Writer;
use lifeboat::target::unix::FolderTarget;

use super::below;
use crate::support::Random;

/// What the attacker does to one thing in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    FolderToLink,
    FolderToFile,
    FileToLink,
    FileToHardLink,
    FileToFifo,
    PlantLink,
    PlantHardLink,
    Remove,
}

impl How {
    pub const ALL: [Self; 8] = [
        Self::FolderToLink,
        Self::FolderToFile,
        Self::FileToLink,
        Self::FileToHardLink,
        Self::FileToFifo,
        Self::PlantLink,
        Self::PlantHardLink,
        Self::Remove,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::FolderToLink => "folder-to-link",
            Self::FolderToFile => "folder-to-file",
            Self::FileToLink => "file-to-link",
            Self::FileToHardLink => "file-to-hard-link",
            Self::FileToFifo => "file-to-fifo",
            Self::PlantLink => "plant-link",
            Self::PlantHardLink => "plant-hard-link",
            Self::Remove => "remove",
        }
    }
}

pub struct Attacker {
    target: PathBuf,
    /// Where folders go that are swapped away.
    moved: PathBuf,
    outside: PathBuf,
    names: Vec<String>,
    calls: AtomicU64,
    /// At which call, how, and a seed.
    attack: Option<(u64, How, u64)>,
    moves: AtomicU64,
}

impl Attacker {
    pub fn new(
        (target, moved, outside): (&Path, &Path, &Path),
        names: &[String],
        attack: Option<(u64, How, u64)>,
    ) -> Self {
        Self {
            target: target.to_path_buf(),
            moved: moved.to_path_buf(),
            outside: outside.to_path_buf(),
            names: names.to_vec(),
            calls: AtomicU64::new(0),
            attack,
            moves: AtomicU64::new(0),
        }
    }

    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// Called before each operation of the restore.
    fn call(&self) {
        let nth = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some((at, how, seed)) = self.attack
            && at == nth
        {
            // Several things at once: the restore may be about to touch any of them.
            let mut random = Random::new(seed);
            for _ in 0..6 {
                self.strike(how, &mut random);
            }
        }
    }

    /// One swap. What is already gone or in the way makes it do nothing.
    pub fn strike(&self, how: How, random: &mut Random) {
        let things = below(&self.target);
        let is_folder = |path: &&PathBuf| std::fs::symlink_metadata(path).is_ok_and(|m| m.is_dir());
        let (folders, files): (Vec<&PathBuf>, Vec<&PathBuf>) =
            things.iter().partition(|path| is_folder(path));
        let wanted = match how {
            How::FolderToLink | How::FolderToFile => folders,
            How::Remove => things.iter().collect(),
            How::PlantLink | How::PlantHardLink => Vec::new(),
            _ => files,
        };
        let path = if matches!(how, How::PlantLink | How::PlantHardLink) {
            self.target.join(&self.names[random.below(self.names.len())])
        } else if wanted.is_empty() {
            return;
        } else {
            wanted[random.below(wanted.len())].clone()
        };
        let same = self.outside.join(path.strip_prefix(&self.target).unwrap());
        // A restore uses other names in between; those lead to any file of the same folder.
        let same = if same.symlink_metadata().is_ok() { same } else { same.with_file_name("same") };
        match how {
            How::FolderToLink | How::FolderToFile => self.move_away(&path),
            How::PlantLink | How::PlantHardLink => {}
            _ if path.symlink_metadata().is_ok_and(|meta| meta.is_dir()) => self.move_away(&path),
            _ => drop(std::fs::remove_file(&path)),
        }
        let _done_or_not = match how {
            How::FolderToLink | How::FileToLink | How::PlantLink => symlink(&same, &path),
            How::FileToHardLink | How::PlantHardLink => std::fs::hard_link(&same, &path),
            How::FileToFifo => {
                let mode = rustix::fs::Mode::from_raw_mode(0o600);
                let kind = rustix::fs::FileType::Fifo;
                rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, 0).map_err(Into::into)
            }
            How::FolderToFile => std::fs::hard_link(self.outside.join("a/same"), &path),
            How::Remove => Ok(()),
        };
    }

    fn move_away(&self, path: &Path) {
        let number = self.moves.fetch_add(1, Ordering::SeqCst);
        let _gone_or_not = rustix::fs::rename(path, self.moved.join(number.to_string()));
    }
}

/// A target whose every call is preceded by the attacker's.
pub struct Attacked<'a> {
    pub inner: Box<dyn Target>,
    pub attacker: &'a Attacker,
}

impl Target for Attacked<'_> {
    fn standing(&self) -> Standing {
        self.inner.standing()
    }

    fn writer(&self) -> Box<dyn Writer + '_> {
        Box::new(AttackedWriter { inner: self.inner.writer(), attacker: self.attacker })
    }

    fn owner_ids(&self, user: &[u8], group: &[u8]) -> (Option<u32>, Option<u32>) {
        self.inner.owner_ids(user, group)
    }

    fn sync(&self) -> Result<(), TargetError> {
        self.attacker.call();
        self.inner.sync()
    }
}

struct AttackedWriter<'a> {
    inner: Box<dyn Writer + 'a>,
    attacker: &'a Attacker,
}

impl AttackedWriter<'_> {
    fn inner(&mut self) -> &mut dyn Writer {
        self.attacker.call();
        &mut *self.inner
    }
}

impl Writer for AttackedWriter<'_> {
    forwarded!(look, list, create_folder, create_file, open_file);
    forwarded!(create_special, create_link, set_attributes, settle, remove);
}

/// A planted bug: files are opened by their path, links followed.
pub struct ThroughLinks {
    pub inner: FolderTarget,
    pub root: PathBuf,
}

impl Target for ThroughLinks {
    fn standing(&self) -> Standing {
        self.inner.standing()
    }

    fn writer(&self) -> Box<dyn Writer + '_> {
        let inner = Mutex::new(self.inner.writer());
        Box::new(CarelessWriter { inner, root: &self.root })
    }

    fn owner_ids(&self, user: &[u8], group: &[u8]) -> (Option<u32>, Option<u32>) {
        self.inner.owner_ids(user, group)
    }

    fn sync(&self) -> Result<(), TargetError> {
        self.inner.sync()
    }
}

struct CarelessWriter<'a> {
    inner: Mutex<Box<dyn Writer + 'a>>,
    root: &'a Path,
}

impl CarelessWriter<'_> {
    fn inner(&mut self) -> &mut dyn Writer {
        &mut **self.inner.get_mut().unwrap()
    }
}

impl Writer for CarelessWriter<'_> {
    fn look(&mut self, path: &SnapshotPath) -> Result<Option<Meta>, TargetError> {
        Ok(self.inner().look(path).unwrap_or_default())
    }

    forwarded!(list, open_file, create_special, create_link, set_attributes, settle, remove);

    /// A link to a folder is taken for one.
    fn create_folder(&mut self, path: &SnapshotPath) -> Result<Made, TargetError> {
        let there = crate::support::below(self.root, &path.to_slashed());
        if there.is_dir() { Ok(Made::Stood) } else { self.inner().create_folder(path) }
    }

    fn create_file(
        &mut self,
        path: &SnapshotPath,
        _: Naming,
    ) -> Result<Box<dyn NewFile>, TargetError> {
        let path = crate::support::below(self.root, &path.to_slashed());
        let mut options = std::fs::File::options();
        let file = options.write(true).create(true).truncate(true).open(&path).unwrap();
        Ok(Box::new(CarelessFile(file)))
    }
}

struct CarelessFile(std::fs::File);

impl NewFile for CarelessFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        std::os::unix::fs::FileExt::write_all_at(&self.0, bytes, offset).unwrap();
        Ok(())
    }

    fn set_len(&mut self, len_bytes: u64) -> Result<(), TargetError> {
        self.0.set_len(len_bytes).unwrap();
        Ok(())
    }

    fn set_name(&mut self, _: &[u8]) -> Result<(), TargetError> {
        Ok(())
    }

    fn publish(self: Box<Self>, _: Placing, _: &Attributes<'_>) -> Result<Vec<Lack>, TargetError> {
        Ok(Vec::new())
    }
}
