//! A part of a snapshot as one archive, written in order to anything.
//!
//! Members stand in path order and nothing of today goes into them, so one snapshot gives the same
//! bytes every time. A member's head comes before its content. So a file is looked at before: small
//! ones are opened whole, of large ones every part must be known to be there. What is found to be
//! lost then is left out and named. What is found only while a large file is written becomes zeros,
//! is named, and a text beside the member says so.

mod acl;
mod content;
mod member;
mod tar;
mod zip;

use std::collections::HashMap;
use std::io;
use std::io::Write;

use crate::format::entry::Entry;
use crate::format::object::Ref;
use crate::meta::Flags;
use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::repository::tree::reader::TreeReader;
use crate::repository::tree::reader::find_entry;
use crate::restore::ObjectSource;
use crate::restore::data::Bundles;
use crate::restore::dump::DumpError;
use crate::restore::dump::lost_or_ends;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::run::monitor::Problem;

use self::content::Given;
use self::member::Lack;
use self::member::Layout;
use self::member::Member;

/// Which kind of archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// POSIX pax.
    Tar,
    Zip,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Of the snapshot's tree.
    pub root: &'a Ref,
    /// A folder, whose content becomes the archive's, or one entry.
    pub within: &'a SnapshotPath,
    pub form: Form,
}

/// What was written. Everything but whole members was told as a problem, unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Members that are whole.
    pub members_count: u64,
    /// Bytes of files in them, as they are at the source.
    pub content_bytes: u64,
    /// Entries that are not in the archive.
    pub left_out_count: u64,
    /// Members with zeros in place of what is lost.
    pub damaged_count: u64,
    /// Nodes of the tree that could not be read: the entries in them are unknown.
    pub lost_nodes_count: u64,
    /// Hard links that became files of their own; no problem.
    pub copies_count: u64,
    /// Names that had to be written otherwise.
    pub renamed_count: u64,
    /// Members whose extended attributes and ACLs the form cannot hold; no problem.
    pub without_attributes_count: u64,
}

/// One form of archive. Calls come member by member; a file is `begin`, parts in order, `end`.
trait Archive {
    /// A folder, symbolic link, fifo or device.
    fn plain(&mut self, member: &Member<'_>) -> Result<Vec<Lack>, Refused>;
    /// Another name for a member that was written. `false`: this form has none.
    fn link(&mut self, member: &Member<'_>, to: &[u8]) -> Result<bool, Refused>;
    fn begin(&mut self, member: &Member<'_>, layout: &Layout) -> Result<Vec<Lack>, Refused>;
    fn data(&mut self, bytes: &[u8]) -> io::Result<()>;
    fn hole(&mut self, len_bytes: u64) -> io::Result<()>;
    fn end(&mut self) -> io::Result<()>;
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// A member cannot be written.
#[derive(Debug)]
enum Refused {
    /// This form cannot hold it; the archive goes on without it.
    NotHeld(String),
    Write(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// What became of an entry that has several names.
#[derive(Debug, Clone)]
enum First {
    /// It is in the archive under this name.
    Whole(Vec<u8>),
    /// It is not, or it is damaged.
    NotWhole,
}

/// Writes everything asked for and the archive's end.
///
/// # Errors
/// When the run was told to stop or `out` fails: then it is no whole archive.
pub fn write(
    run: &Run,
    source: &dyn ObjectSource,
    asked: Asked<'_>,
    out: &mut dyn Write,
) -> Result<Report, DumpError> {
    let alive = std::cell::Cell::new(true);
    let gate = Gate { out, alive: &alive };
    let archive: Box<dyn Archive + '_> = match asked.form {
        Form::Tar => Box::new(tar::Tar::new(gate)),
        Form::Zip => Box::new(zip::Zip::new(gate)),
    };
    let mut packer = Packer {
        run,
        source,
        asked,
        archive,
        bundles: Bundles::default(),
        firsts: HashMap::new(),
        report: Report::default(),
    };
    let walked = packer.walk();
    // An archive that is not whole must not get an end that says it is.
    alive.set(walked.is_ok());
    walked?;
    packer.archive.finish()?;
    Ok(packer.report)
}

/// Passes bytes on until something has failed.
struct Gate<'a> {
    out: &'a mut dyn Write,
    alive: &'a std::cell::Cell<bool>,
}

impl Write for Gate<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.alive.get() { self.out.write(bytes) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.alive.get() { self.out.flush() } else { Ok(()) }
    }
}

/// Takes the entries of a walk and makes members of them.
struct Packer<'a> {
    run: &'a Run,
    source: &'a dyn ObjectSource,
    asked: Asked<'a>,
    archive: Box<dyn Archive + 'a>,
    bundles: Bundles,
    /// By path in the snapshot: entries that later entries may be other names of.
    firsts: HashMap<SnapshotPath, First>,
    report: Report,
}

impl Packer<'_> {
    fn walk(&mut self) -> Result<(), DumpError> {
        let (run, source) = (self.run, self.source);
        for leaf in TreeReader::new(run, source, self.asked.root, self.asked.within) {
            match leaf {
                Ok(leaf) => leaf.entries.iter().try_for_each(|entry| self.entry(entry))?,
                Err(error) => {
                    let error = lost_or_ends(error)?;
                    self.report.lost_nodes_count += 1;
                    let subject = format!("{}", self.asked.within);
                    let text = format!("a part cannot be listed: {error}");
                    run.problem(&Problem::damage(subject, text));
                }
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &Entry) -> Result<(), DumpError> {
        self.run.check()?;
        let Some(name) = member::name(entry, self.asked.within) else { return Ok(()) };
        let whole = match entry.meta.kind {
            Kind::HardLink => self.hard_link(entry, &name)?,
            _ => self.one(entry, &name, &entry.path)?,
        };
        if entry.meta.links_count > 1 && entry.meta.kind != Kind::Directory {
            let first = if whole { First::Whole(name) } else { First::NotWhole };
            self.firsts.entry(entry.path.clone()).or_insert(first);
        }
        Ok(())
    }

    /// Writes an entry under a name; `path` is what is told of. Whether it is whole.
    fn one(&mut self, entry: &Entry, name: &[u8], path: &SnapshotPath) -> Result<bool, DumpError> {
        let meta = &entry.meta;
        if meta.flags.has(Flags::UNREADABLE) && meta.kind == Kind::File {
            let why = "has no content in the snapshot: it could not be read when it was backed up";
            return self.leave_out(&Problem::new(path.to_slashed(), why));
        }
        if meta.flags.has(Flags::TRUNCATED) {
            let why = "is only its beginning: a read failed when it was backed up";
            self.run.problem(&Problem::new(path.to_slashed(), why));
        }
        let member = Member { name, meta };
        let given = match meta.kind {
            Kind::File => self.file(entry, &member)?,
            Kind::Socket => Given::NotHeld("a socket belongs to a running program".to_owned()),
            _ => match self.archive.plain(&member) {
                Ok(lacks) => Given::Whole(lacks),
                Err(Refused::NotHeld(why)) => Given::NotHeld(why),
                Err(Refused::Write(error)) => return Err(error.into()),
            },
        };
        match given {
            Given::Whole(lacks) => {
                self.lacks(path, lacks);
                self.report.members_count += 1;
                self.report.content_bytes += meta.size_bytes;
                self.run.count(Count::EntriesDone, 1);
                Ok(true)
            }
            Given::NotHeld(why) => {
                let why = format!("is not in the archive: {why}");
                self.leave_out(&Problem::new(path.to_slashed(), why))
            }
            Given::Lost(why) => {
                let why = format!("is not in the archive: its content is lost: {why}");
                self.leave_out(&Problem::damage(path.to_slashed(), why))
            }
            Given::Damaged(why) => {
                let why = format!("is damaged in the archive: {why}");
                self.run.problem(&Problem::damage(path.to_slashed(), why));
                self.report.damaged_count += 1;
                Ok(false)
            }
        }
    }

    fn leave_out(&mut self, problem: &Problem) -> Result<bool, DumpError> {
        self.run.problem(problem);
        self.report.left_out_count += 1;
        Ok(false)
    }

    fn lacks(&mut self, path: &SnapshotPath, lacks: Vec<Lack>) {
        for lack in lacks {
            match lack {
                Lack::Attributes => self.report.without_attributes_count += 1,
                Lack::Name(written) => {
                    self.report.renamed_count += 1;
                    let why = format!("stands in the archive as `{written}`");
                    self.run.problem(&Problem::new(path.to_slashed(), why));
                }
                Lack::Xattr(name) => {
                    let name = crate::path::escape(&name);
                    let why = format!("attribute `{name}` cannot stand in an archive");
                    self.run.problem(&Problem::new(path.to_slashed(), why));
                }
            }
        }
    }

    /// Another name of an entry: a link if that is in the archive, else the entry itself.
    fn hard_link(&mut self, entry: &Entry, name: &[u8]) -> Result<bool, DumpError> {
        let subject = || entry.path.to_slashed();
        let extra = entry.meta.extra.as_deref();
        let Some(first) = extra.and_then(|extra| extra.hard_link.clone()) else {
            return self.leave_out(&Problem::damage(subject(), "a hard link to nothing"));
        };
        match self.firsts.get(&first).cloned() {
            Some(First::NotWhole) => {
                let why = "is not in the archive: nor is, whole, what it is a hard link to";
                // How bad that is was told of the first name.
                return self.leave_out(&Problem::new(subject(), why));
            }
            Some(First::Whole(to)) => {
                let member = Member { name, meta: &entry.meta };
                match self.archive.link(&member, &to) {
                    Ok(true) => {
                        self.report.members_count += 1;
                        self.run.count(Count::EntriesDone, 1);
                        return Ok(true);
                    }
                    Ok(false) => self.report.copies_count += 1,
                    Err(Refused::NotHeld(why)) => {
                        let why = format!("is not in the archive: {why}");
                        return self.leave_out(&Problem::new(subject(), why));
                    }
                    Err(Refused::Write(error)) => return Err(error.into()),
                }
            }
            None => {}
        }
        let found = find_entry(self.run, self.source, self.asked.root, &first);
        let original = match found {
            Err(error) => {
                let why = format!("is not in the archive: {}", lost_or_ends(error)?);
                return self.leave_out(&Problem::damage(subject(), why));
            }
            Ok(Some(original)) if is_first(&original) => original,
            Ok(_) => {
                let why = "what it is a hard link to is not in the snapshot";
                return self.leave_out(&Problem::damage(subject(), why));
            }
        };
        let whole = self.one(&original, name, &entry.path)?;
        let kept = if whole { First::Whole(name.to_vec()) } else { First::NotWhole };
        self.firsts.entry(first).or_insert(kept);
        Ok(whole)
    }
}

const fn is_first(entry: &Entry) -> bool {
    !matches!(entry.meta.kind, Kind::Directory | Kind::HardLink)
}
