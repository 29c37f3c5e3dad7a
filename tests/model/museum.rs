//! Bugs of other programs, planted one at a time as wrappers of a source or target (H14). The
//! sequences have to catch each one.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Mutex;

use lifeboat::meta::Kind;
use lifeboat::meta::Meta;
use lifeboat::path::SnapshotPath;
use lifeboat::run::Run;
use lifeboat::source::Content;
use lifeboat::source::DataRange;
use lifeboat::source::Found;
use lifeboat::source::ReadError;
use lifeboat::source::Reader;
use lifeboat::source::Source;
use lifeboat::source::SourceError;
use lifeboat::source::memory::MemorySource;
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
use lifeboat::vault::names::Place;

use super::OPERATIONS;
use super::sequence::Plant;
use crate::support::profile;
use crate::support::tally::Tally;
use crate::support::tally::Watch;
use crate::world::Watched;

/// Sequences within which a bug must be caught.
const SEQUENCES_MAX: u64 = 60;

type Change = fn(&Bugs, Vec<Found>) -> Vec<Found>;

/// What a planted bug remembers from backup to backup.
#[derive(Default)]
struct Bugs {
    first_seen: Mutex<BTreeMap<SnapshotPath, Meta>>,
}

/// A bug in what the walk finds.
struct SourceBug {
    change: Change,
    bugs: Bugs,
}

impl Plant for SourceBug {
    fn source(&self, source: MemorySource) -> Box<dyn Source> {
        let run = Watched::alone().run;
        let found = source.walk(&run).unwrap().map(Result::unwrap).collect();
        let origin = source.walk(&run).unwrap().map(|found| found.unwrap().path).collect();
        let changed = (self.change)(&self.bugs, found);
        Box::new(Lying { source, changed, origin })
    }

    fn target(&self, target: Box<dyn Target>) -> Box<dyn Target> {
        target
    }
}

/// A source whose walk says something else.
struct Lying {
    source: MemorySource,
    changed: Vec<Found>,
    origin: Vec<SnapshotPath>,
}

impl Source for Lying {
    fn walk<'a>(
        &'a self,
        _: &Run,
    ) -> Result<Box<dyn Iterator<Item = Result<Found, SourceError>> + 'a>, SourceError> {
        Ok(Box::new(self.changed.iter().cloned().map(Ok)))
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(LyingReader { inner: self.source.reader(), lying: self })
    }

    fn finish(&self, run: &Run) -> Result<(), SourceError> {
        self.source.finish(run)
    }
}

struct LyingReader<'a> {
    inner: Box<dyn Reader + 'a>,
    lying: &'a Lying,
}

impl LyingReader<'_> {
    /// The entry that a changed path was made from.
    fn honest(&self, found: &Found) -> Found {
        let at = self.lying.changed.iter().position(|other| other.path == found.path);
        let same = self.lying.origin.contains(&found.path);
        let path = at.filter(|_| !same).and_then(|at| self.lying.origin.get(at));
        Found { path: path.unwrap_or(&found.path).clone(), meta: found.meta.clone() }
    }
}

impl Reader for LyingReader<'_> {
    fn attributes(&mut self, run: &Run, found: &Found) -> Result<Meta, ReadError> {
        self.inner.attributes(run, &self.honest(found))
    }

    fn open<'a>(
        &'a mut self,
        run: &Run,
        found: &Found,
    ) -> Result<Box<dyn Content + 'a>, ReadError> {
        let honest = self.honest(found);
        let inner = self.inner.open(run, &honest)?;
        let meta = Meta { kind: found.meta.kind, ..inner.meta().clone() };
        Ok(Box::new(LyingContent { inner, meta }))
    }
}

/// Content that says of itself what the walk said.
struct LyingContent<'a> {
    inner: Box<dyn Content + 'a>,
    meta: Meta,
}

impl Content for LyingContent<'_> {
    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, ReadError> {
        self.inner.read(into)
    }

    fn seek_data(&mut self, offset: u64) -> Result<Option<DataRange>, ReadError> {
        self.inner.seek_data(offset)
    }

    fn may_have_holes(&self) -> bool {
        self.inner.may_have_holes()
    }

    fn changed(&mut self) -> bool {
        self.inner.changed()
    }
}

/// kopia #1764: a name that is not plain is replaced by something near.
fn lossy_name(_: &Bugs, found: Vec<Found>) -> Vec<Found> {
    let mut seen = BTreeSet::new();
    let near = |path: &SnapshotPath| {
        let stored = path.as_stored().iter();
        let near: Vec<u8> = stored.map(|b| if *b == b'\\' { b'_' } else { *b }).collect();
        SnapshotPath::from_stored(&near).unwrap()
    };
    let changed = found.into_iter().map(|found| Found { path: near(&found.path), ..found });
    let mut changed: Vec<Found> = changed.filter(|found| seen.insert(found.path.clone())).collect();
    changed.sort_by(|a, b| a.path.cmp(&b.path));
    changed
}

/// restic #4003: a fifo is opened like a file.
fn fifo_opened(_: &Bugs, mut found: Vec<Found>) -> Vec<Found> {
    for one in found.iter_mut().filter(|found| found.meta.kind == Kind::Fifo) {
        one.meta.kind = Kind::File;
    }
    found
}

/// restic #1730: a special file ends its folder.
fn special_ends_folder(_: &Bugs, found: Vec<Found>) -> Vec<Found> {
    let mut ended: Option<SnapshotPath> = None;
    let mut kept = Vec::new();
    for one in found {
        if ended.as_ref().is_some_and(|folder| one.path.is_within(folder)) {
            continue;
        }
        if one.meta.kind == Kind::Fifo {
            ended = one.path.parent();
        }
        kept.push(one);
    }
    kept
}

/// borg #3536: a file that changed is remembered as unchanged.
fn changed_is_unchanged(bugs: &Bugs, mut found: Vec<Found>) -> Vec<Found> {
    let mut first_seen = bugs.first_seen.lock().unwrap();
    for one in &mut found {
        let size = one.meta.size_bytes;
        let first = first_seen.entry(one.path.clone()).or_insert_with(|| one.meta.clone());
        if first.kind == one.meta.kind && first.size_bytes == size {
            one.meta = first.clone();
        }
    }
    found
}

/// restic #4467: a source that cannot be read is an empty one.
fn missing_is_empty(_: &Bugs, _: Vec<Found>) -> Vec<Found> {
    Vec::new()
}

/// rustic_core #571: things of two folders come under one name.
fn twin_names(_: &Bugs, found: Vec<Found>) -> Vec<Found> {
    let last = |path: &SnapshotPath| SnapshotPath::root().join(path.name().unwrap()).unwrap();
    found.into_iter().map(|found| Found { path: last(&found.path), ..found }).collect()
}

/// kopia #5123: what is mounted in a folder is away, and its place is there.
fn empty_is_fine(_: &Bugs, mut found: Vec<Found>) -> Vec<Found> {
    found.retain(|one| one.path.depth() == 1);
    found
}

/// restic #128: what cannot be read is left out, and nobody is told.
fn unreadable_left_out(_: &Bugs, mut found: Vec<Found>) -> Vec<Found> {
    found.retain(|one| one.meta.kind != Kind::File || one.meta.mode & 0o777 != 0o600);
    found
}

/// borg #2092: names of one file become files of their own.
fn links_lost(_: &Bugs, mut found: Vec<Found>) -> Vec<Found> {
    for (number, one) in (1_000_000..).zip(&mut found) {
        one.meta.inode = number;
        one.meta.links_count = 1;
    }
    found
}

/// A bug in how a file gets its name or its bytes.
struct TargetBug(Publishing);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Publishing {
    /// rustic #519: an empty file is skipped.
    SkipEmpty,
    /// A file is named before all of it is written.
    LoseEnd,
    /// restic #3166: a file is not there, and it is told as restored.
    MissingAndDone,
    /// borg #8963: a piece of nothing but zeros is forgotten.
    ForgetZeros,
    /// bupstash #357: a cache gives the bytes of another file.
    BytesOfAnother,
    /// restic #1445: a backslash parts names.
    BackslashParts,
    /// duplicati #399: names that differ in case are one.
    OneCase,
}

impl Publishing {
    /// The name that a file gets.
    fn named(self, name: &[u8]) -> Vec<u8> {
        match self {
            Self::BackslashParts => name.rsplit(|b| *b == b'\\').next().unwrap_or(name).to_vec(),
            Self::OneCase => name.to_ascii_lowercase(),
            _ => name.to_vec(),
        }
    }
}

impl Plant for TargetBug {
    fn source(&self, source: MemorySource) -> Box<dyn Source> {
        Box::new(source)
    }

    fn target(&self, inner: Box<dyn Target>) -> Box<dyn Target> {
        Box::new(BadTarget { inner, how: self.0, first: Mutex::default() })
    }
}

struct BadTarget {
    inner: Box<dyn Target>,
    how: Publishing,
    /// The longest bytes that were written yet.
    first: Mutex<Vec<u8>>,
}

impl Target for BadTarget {
    fn standing(&self) -> Standing {
        self.inner.standing()
    }

    fn writer(&self) -> Box<dyn Writer + '_> {
        Box::new(BadWriter { inner: self.inner.writer(), how: self.how, first: &self.first })
    }

    fn owner_ids(&self, user: &[u8], group: &[u8]) -> (Option<u32>, Option<u32>) {
        self.inner.owner_ids(user, group)
    }

    fn sync(&self) -> Result<(), TargetError> {
        self.inner.sync()
    }
}

struct BadWriter<'a> {
    inner: Box<dyn Writer + 'a>,
    how: Publishing,
    first: &'a Mutex<Vec<u8>>,
}

impl BadWriter<'_> {
    fn inner(&mut self) -> &mut dyn Writer {
        &mut *self.inner
    }
}

impl Writer for BadWriter<'_> {
    forwarded!(look, list, create_folder, open_file);
    forwarded!(create_special, create_link, set_attributes, settle, remove);

    fn create_file(
        &mut self,
        path: &SnapshotPath,
        _: Naming,
    ) -> Result<Box<dyn NewFile>, TargetError> {
        let name = self.how.named(path.name().unwrap_or_default());
        let path = path.parent().and_then(|folder| folder.join(&name).ok()).unwrap_or(path.clone());
        let inner = self.inner.create_file(&path, Naming::WhenWhole)?;
        // What stands for all files in one cache is the same for the next ones too.
        let first = std::mem::take(&mut *self.first.lock().unwrap());
        let mut file = BadFile { inner, how: self.how, written: 0, forgotten: 0, first: None };
        if self.how == Publishing::BytesOfAnother {
            file.first = Some(first.clone()).filter(|first| !first.is_empty());
            *self.first.lock().unwrap() =
                if first.is_empty() { path.as_stored().to_vec() } else { first };
        }
        Ok(Box::new(file))
    }
}

struct BadFile {
    inner: Box<dyn NewFile>,
    how: Publishing,
    written: usize,
    /// Bytes of zeros that were left out.
    forgotten: u64,
    /// What a cache holds in the place of the first bytes.
    first: Option<Vec<u8>>,
}

impl NewFile for BadFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        self.written += bytes.len();
        if self.how == Publishing::ForgetZeros && bytes.iter().all(|byte| *byte == 0) {
            self.forgotten += bytes.len() as u64;
            return Ok(());
        }
        if let Some(first) = self.first.take() {
            let mut other = bytes.to_vec();
            let len = first.len().min(other.len());
            other[..len].copy_from_slice(&first[..len]);
            return self.inner.write_at(offset, &other);
        }
        let offset = offset - self.forgotten;
        let kept = if self.how == Publishing::LoseEnd { bytes.len() / 2 } else { bytes.len() };
        self.inner.write_at(offset, &bytes[..kept])
    }

    fn set_len(&mut self, len_bytes: u64) -> Result<(), TargetError> {
        self.inner.set_len(len_bytes - self.forgotten)
    }

    fn set_name(&mut self, name: &[u8]) -> Result<(), TargetError> {
        self.inner.set_name(&self.how.named(name))
    }

    fn publish(
        self: Box<Self>,
        placing: Placing,
        attributes: &Attributes<'_>,
    ) -> Result<Vec<Lack>, TargetError> {
        let is_skipped = match self.how {
            Publishing::SkipEmpty => self.written == 0,
            Publishing::MissingAndDone => self.written % 3 == 1,
            _ => false,
        };
        if is_skipped {
            return Ok(Vec::new());
        }
        self.inner.publish(placing, attributes)
    }
}

/// How many sequences it took to catch a bug.
fn catch(name: &str, plant: &dyn Plant) -> u64 {
    for seed in 1..=SEQUENCES_MAX {
        if let Err(failure) = super::run(seed, OPERATIONS, plant) {
            println!("{name}: caught by sequence {seed}: {:.300}", failure.why);
            return seed;
        }
    }
    panic!("{name} was not caught by {SEQUENCES_MAX} sequences");
}

#[test]
fn planted_bugs_are_caught() {
    let mut tally = Tally::start("h5-museum", 1);
    let sources: [(&str, Change); 9] = [
        ("kopia-5123-empty-is-fine", empty_is_fine),
        ("restic-128-unreadable-left-out", unreadable_left_out),
        ("borg-2092-links-lost", links_lost),
        ("kopia-1764-lossy-name", lossy_name),
        ("restic-4003-fifo-opened", fifo_opened),
        ("restic-1730-socket-ends-folder", special_ends_folder),
        ("borg-3536-changed-cached-unchanged", changed_is_unchanged),
        ("restic-4467-no-source-is-success", missing_is_empty),
        ("rustic-core-571-twin-names", twin_names),
    ];
    let mut planted: Vec<(&str, Box<dyn Plant>)> = Vec::new();
    for (name, change) in sources {
        planted.push((name, Box::new(SourceBug { change, bugs: Bugs::default() })));
    }
    for (name, how) in [
        ("rustic-519-empty-file-skipped", Publishing::SkipEmpty),
        ("named-before-written", Publishing::LoseEnd),
        ("restic-3166-missing-and-done", Publishing::MissingAndDone),
        ("borg-8963-zeros-forgotten", Publishing::ForgetZeros),
        ("bupstash-357-bytes-of-another", Publishing::BytesOfAnother),
        ("restic-1445-backslash-parts", Publishing::BackslashParts),
        ("duplicati-399-names-of-one-case", Publishing::OneCase),
    ] {
        planted.push((name, Box::new(TargetBug(how))));
    }
    for (name, plant) in planted {
        let watch = Watch::start();
        tally.trials += 1;
        tally.count(name, catch(name, &*plant));
        profile::caught(name, watch);
    }
    tally.finish();
}

/// fastcdc 4.0.0: the same bytes are cut elsewhere. A backup that reads everything again and stores
/// anything new notices.
#[test]
fn fastcdc_400_cuts_moved_is_caught() {
    let bytes = crate::support::Random::new(9).bytes(50_000);
    let stored_again = |moved: u32| {
        let mut world = crate::world::World::new();
        let mut machine = world.enrol("desk");
        let source = MemorySource::default();
        source.put("file", &bytes, 5);
        let mut stored = Vec::new();
        for round in 0..2 {
            let mut cutting = crate::world::CUTTING;
            cutting.chunks.avg_bytes <<= round * moved;
            let watched = world.run();
            let report = world.backup_cut(&watched, &machine, (&source, "home"), cutting).unwrap();
            assert!(report.snapshot.is_some_and(|place: Place| place.seq == u64::from(round) + 1));
            stored.push(report.stored_bytes);
            machine.cache = crate::world::fast_folder();
        }
        assert!(stored[0] > 50_000, "{stored:?}");
        stored[1]
    };
    assert_eq!(stored_again(0), 0);
    let watch = Watch::start();
    assert!(stored_again(1) > 10_000);
    profile::caught("fastcdc-400-cuts-moved", watch);
}
