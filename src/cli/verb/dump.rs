//! `dump`: one file of a snapshot, or a folder as an archive, to standard output or a new file.

mod target;

use std::ffi::OsString;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;
use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Opened;
use crate::cli::choose::select::FilterArgs;
use crate::cli::choose::select::Place;
use crate::cli::choose::snapshot;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::table::restore as texts;
use crate::cli::verb::read::ls::no_such_path;
use crate::format::entry::Entry;
use crate::meta::Kind;
use crate::repository::tree::reader::find_entry;
use crate::restore::archive;
use crate::restore::archive::Asked;
use crate::restore::archive::Form;
use crate::restore::dump;
use crate::restore::dump::DumpError;
use crate::run::monitor::Phase;
use crate::units::Bytes;

use self::target::NewFile;

const BUFFER_BYTES: usize = 256 * 1024;

/// Print a file, or a folder as tar or zip.
///
/// Every part is printed after its digest was right. What is lost is left out of an archive and
/// named; if that is found only in the middle of a large member, zeros stand for it, the problem
/// names the member, and a member `NAME.damaged.txt` follows it. Only exit code 0 says that
/// everything was printed.
///
/// A tar keeps what the snapshot keeps, but sockets. GNU tar restores attributes and ACLs with
/// `--xattrs --xattrs-include='*' --acls`. A zip keeps files, folders and symbolic links with times
/// and rights; hard links become copies.
///
/// With `--json` the lines go to standard error.
#[derive(Debug, Args)]
pub struct DumpArgs {
    /// Which snapshot, and which file or folder in it.
    #[arg(value_name = "SNAPSHOT[:PATH]")]
    pub snapshot: OsString,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Print an archive; a folder is a tar unless this says otherwise.
    #[arg(short, long, value_enum, value_name = "FORM")]
    pub archive: Option<ArchiveForm>,
    /// Write a new file in place of standard output: whole or not at all, nothing is overwritten.
    #[arg(short, long, value_name = "FILE")]
    pub target: Option<PathBuf>,
}

/// Forms of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ArchiveForm {
    Tar,
    Zip,
}

#[derive(Serialize)]
struct Dumped {
    archive: Option<&'static str>,
    target: Option<String>,
    members_count: u64,
    content_bytes: u64,
    left_out_count: u64,
    damaged_count: u64,
    lost_nodes_count: u64,
    copies_count: u64,
    renamed_count: u64,
    without_attributes_count: u64,
}

pub fn run(context: &Context, args: &DumpArgs) -> Result<Ended, Failure> {
    let place = Place::parse(&args.snapshot)?;
    if let Some(path) = &args.target {
        target::refuse_taken(path)?;
    }
    let opened = opened::for_objects(context)?;
    let chosen = snapshot::choose(&opened.snapshots, &place.snapshot, &args.filter)?;
    opened::warn_if_suspect(context, &opened.snapshots, chosen);
    context.run.phase(Phase::Restoring);
    let dumping = Dumping { context, opened: &opened, chosen, place: &place };
    let entry = dumping.entry()?;
    let is_folder = entry.as_ref().is_none_or(|entry| entry.meta.kind == Kind::Directory);
    let form = match args.archive {
        Some(ArchiveForm::Tar) => Some(Form::Tar),
        Some(ArchiveForm::Zip) => Some(Form::Zip),
        None if is_folder => Some(Form::Tar),
        None => None,
    };
    let dumped = match &args.target {
        None => {
            let mut out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
            let dumped = dumping.dump(entry, form, &mut out)?;
            out.flush()?;
            dumped
        }
        Some(path) => {
            let mut file = NewFile::create(path, &context.run)?;
            let dumped = dumping.dump(entry, form, file.out());
            let dumped = dumped.map_err(|error| match error {
                DumpError::Write(error) => target::failed(path, &error),
                error => error.into(),
            })?;
            file.finish()?;
            Dumped { target: Some(path.display().to_string()), ..dumped }
        }
    };
    tell(context, &dumped)?;
    Ok(Ended::done())
}

/// What is dumped, and where from.
struct Dumping<'a> {
    context: &'a Context,
    opened: &'a Opened,
    chosen: &'a Snapshot,
    place: &'a Place,
}

impl Dumping<'_> {
    /// The entry that was asked for; `None`: the whole snapshot.
    fn entry(&self) -> Result<Option<Entry>, Failure> {
        let path = &self.place.path;
        if path.is_root() {
            return Ok(None);
        }
        let reader = &self.opened.reader;
        let entry = find_entry(&self.context.run, reader, &self.chosen.root, path)?;
        entry.map(Some).ok_or_else(|| no_such_path(path))
    }

    fn dump(
        &self,
        entry: Option<Entry>,
        form: Option<Form>,
        out: &mut dyn Write,
    ) -> Result<Dumped, DumpError> {
        let (run, reader) = (&self.context.run, &self.opened.reader);
        let (Some(mut entry), None) = (entry, form) else {
            let form = form.unwrap_or(Form::Tar);
            let asked = Asked { root: &self.chosen.root, within: &self.place.path, form };
            return archive::write(run, reader, asked, out).map(|report| archived(form, &report));
        };
        let linked = entry.meta.extra.as_ref().and_then(|extra| extra.hard_link.clone());
        if let Some(first) = linked {
            let path = entry.path.clone();
            let lost = |error| DumpError::Lost { path: path.clone(), offset: 0, error };
            let found = find_entry(run, reader, &self.chosen.root, &first);
            let found = found.map_err(|error| lost(Box::new(error)))?;
            entry = found.ok_or(DumpError::NoFirst { path, first })?;
        }
        let content_bytes = dump::file(run, reader, &entry, out)?;
        let report = archive::Report { members_count: 1, content_bytes, ..Default::default() };
        Ok(Dumped { archive: None, ..archived(Form::Tar, &report) })
    }
}

fn archived(form: Form, report: &archive::Report) -> Dumped {
    let archive = match form {
        Form::Tar => "tar",
        Form::Zip => "zip",
    };
    Dumped {
        archive: Some(archive),
        target: None,
        members_count: report.members_count,
        content_bytes: report.content_bytes,
        left_out_count: report.left_out_count,
        damaged_count: report.damaged_count,
        lost_nodes_count: report.lost_nodes_count,
        copies_count: report.copies_count,
        renamed_count: report.renamed_count,
        without_attributes_count: report.without_attributes_count,
    }
}

/// Everything on standard error, because standard output may be the file.
fn tell(context: &Context, dumped: &Dumped) -> Result<(), Failure> {
    if context.output.is_json() {
        return context.output.json("result", Some("dump"), dumped);
    }
    if let Some(target) = &dumped.target {
        let target = crate::path::escape(target.as_bytes());
        let said = texts::DUMPED.with("count", dumped.members_count).with("target", target);
        context.output.note(said.with("bytes", Bytes(dumped.content_bytes)));
    }
    let parts = [
        (dumped.copies_count, texts::COPIES),
        (dumped.without_attributes_count, texts::NO_ATTRIBUTES),
    ];
    for (count, text) in parts.into_iter().filter(|(count, _)| *count > 0) {
        context.output.note(text.with("count", count));
    }
    let missing = [
        (dumped.left_out_count, texts::LEFT_OUT),
        (dumped.damaged_count, texts::DAMAGED),
        (dumped.lost_nodes_count, texts::LOST_NODES),
    ];
    for (count, text) in missing.into_iter().filter(|(count, _)| *count > 0) {
        context.output.warn(text.with("count", count));
    }
    Ok(())
}
