//! A folder whose content is read and compared with its hashes, and written nowhere: for what does
//! not fit on the disk of a drill.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use crate::capsule::Truth;
use crate::capsule::folder::Chosen;
use crate::capsule::folder::Counter;
use crate::capsule::folder::FolderTruth;
use crate::capsule::format::HEAD_BYTES;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::check::capsule;
use crate::drill::engine::Stage;
use crate::drill::item::Work;
use crate::drill::plan::Extent;
use crate::drill::plan::Kind;
use crate::drill::plan::Planned;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::format::entry::Entry;
use crate::meta;
use crate::meta::Flags;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::tree::reader::TreeReader;
use crate::restore::archive;
use crate::restore::archive::Asked;
use crate::restore::archive::Form;
use crate::restore::dump;
use crate::restore::dump::DumpError;
use crate::run::Run;
use crate::run::Stopped;

/// What nobody has written proves no more, whatever was compared.
const PROVEN_MAX: Level = Level::L1;

/// Whether a dataset is read as a stream; databases need their server, and it needs files.
pub(super) fn is_streamed(planned: &Planned) -> bool {
    planned.extent == Extent::Streamed && planned.kind == Kind::Files
}

/// How far a level that was reached proves a dataset.
pub(super) fn proven(planned: &Planned, reached: Option<Level>) -> Option<Level> {
    if is_streamed(planned) { reached.map(|level| level.min(PROVEN_MAX)) } else { reached }
}

/// What the tree says that there is.
struct Counted {
    truth: FolderTruth,
    /// Entries that a stream can hold.
    wanted_count: u64,
    /// Those that none can: sockets, and files without content.
    not_held_count: u64,
    /// Files that the snapshot itself marks as incomplete.
    flagged_count: u64,
}

/// The first bytes of a file; more is refused, so that nobody reads it.
struct Head(Vec<u8>);

impl Write for Head {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = HEAD_BYTES - self.0.len();
        let taken = bytes.len().min(room);
        self.0.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        if taken == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Work<'_> {
    /// Reads all content. What a stream cannot show is left out, and what the office asks for
    /// beside it is no conclusion.
    pub(super) fn streamed(&mut self) -> Result<(), Stopped> {
        // A socket that no stream holds is no problem.
        let run = &self.bench.run.losses();
        let within = SnapshotPath::root();
        self.marks.t3_ms = Some(self.now_ms());
        let asked = Asked { root: self.root(), within: &within, form: Form::Tar };
        let read = match archive::write(run, self.bench.repository, asked, &mut io::sink()) {
            Ok(read) => read,
            Err(DumpError::Stopped(stopped)) => return Err(stopped),
            Err(error) => {
                let found = Found::skipped(FailureCode::F6, error.to_string());
                self.note(Level::L0, "objects", found);
                return Ok(());
            }
        };
        self.marks.t4_ms = Some(self.now_ms());
        self.bench.steps.reached(Stage::Verifying);
        self.report.restored_bytes = read.content_bytes;
        self.report.verified_count = read.members_count;
        let counted = match counted(&run.unwatched(), self) {
            Ok(counted) => counted,
            Err(RepositoryError::Stopped(stopped)) => return Err(stopped),
            Err(error) => {
                // A storage that is away says nothing of what it holds.
                let found = match error.is_storage() {
                    true => Found::skipped(FailureCode::F6, error.to_string()),
                    false => Found::failed(FailureCode::F1, error.to_string()),
                };
                self.note(Level::L0, "objects", found);
                return Ok(());
            }
        };
        let left_out_count = read.left_out_count.saturating_sub(counted.not_held_count);
        let lost_count = read.lost_nodes_count + read.damaged_count + left_out_count;
        self.note(Level::L0, "objects", Found::equal(FailureCode::F1, 0, lost_count));
        let found = Found::equal(FailureCode::F2, counted.wanted_count, read.members_count);
        let found =
            found.with("every file was read and compared with its hash; nothing was written");
        self.note(Level::L1, "bytes", found);
        if counted.flagged_count > 0 {
            let found = Found::equal(FailureCode::F2, 0, counted.flagged_count)
                .with("the backup itself could not read these to their end");
            self.checks.note((Level::L1, "source.problems"), Weight::Minor, found);
        }
        if let Some(usual) = self.planned.more.shrink {
            capsule::shrink(&mut self.checks, usual, &counted.truth);
        }
        self.compare_streamed(&counted.truth);
        let own = self.customs.iter().filter(|it| it.dataset() == self.planned.dataset);
        for (number, _) in own.enumerate() {
            let why = "nothing was written that it could look at";
            let found = Found::skipped(FailureCode::F8, why);
            let what = format!("custom.{}", number + 1);
            self.checks.note((Level::L3, &what), Weight::Mandatory, found);
        }
        Ok(())
    }

    fn compare_streamed(&mut self, found: &FolderTruth) {
        match self.truth.as_ref().map(|capsule| capsule.truth.clone()) {
            Some(Truth::Folder(expected)) => {
                self.width_permille = capsule::folder(&mut self.checks, &expected, found);
            }
            Some(_) => {
                let why = "the capsule is of another kind than the dataset";
                self.note(Level::L6, "capsule", Found::failed(FailureCode::F2, why));
            }
            None => {}
        }
    }
}

/// Counts the tree as it would lie there, and looks at the first bytes of a sample of its files.
fn counted(run: &Run, work: &Work<'_>) -> Result<Counted, RepositoryError> {
    let (repository, within) = (work.bench.repository, SnapshotPath::root());
    let mut counter = Counter::new(within.clone());
    let mut sizes: BTreeMap<SnapshotPath, u64> = BTreeMap::new();
    let (mut wanted_count, mut not_held_count, mut flagged_count) = (0, 0, 0);
    for leaf in TreeReader::new(run, repository, work.root(), &within) {
        for entry in &leaf?.entries {
            run.check()?;
            let is_file = entry.meta.kind == meta::Kind::File;
            let is_unreadable = is_file && entry.meta.flags.has(Flags::UNREADABLE);
            let is_flagged = is_unreadable || entry.meta.flags.has(Flags::TRUNCATED);
            flagged_count += u64::from(is_flagged);
            match is_unreadable || entry.meta.kind == meta::Kind::Socket {
                true => not_held_count += 1,
                false => wanted_count += 1,
            }
            if is_file && entry.meta.links_count > 1 {
                sizes.insert(entry.path.clone(), entry.meta.size_bytes);
            }
            let mut meta = entry.meta.clone();
            let first = meta.extra.as_deref().and_then(|extra| extra.hard_link.as_ref());
            if let Some(size_bytes) = first.and_then(|first| sizes.get(first)) {
                meta.size_bytes = *size_bytes;
            }
            counter.add(&entry.path, &meta, is_file.then(|| entry.clone()));
        }
    }
    let (mut truth, chosen) = counter.finish();
    for one in &chosen {
        truth.look(one, &head(run, work, one)?);
    }
    Ok(Counted { truth, wanted_count, not_held_count, flagged_count })
}

fn head(
    run: &Run,
    work: &Work<'_>,
    chosen: &Chosen<Option<Entry>>,
) -> Result<Vec<u8>, RepositoryError> {
    let mut head = Head(Vec::new());
    let Some(entry) = &chosen.found else { return Ok(head.0) };
    match dump::file(run, work.bench.repository, entry, &mut head) {
        Err(DumpError::Stopped(stopped)) => Err(stopped.into()),
        Err(DumpError::Storage(error)) => Err(*error),
        // What is lost was counted before.
        _ => Ok(head.0),
    }
}
