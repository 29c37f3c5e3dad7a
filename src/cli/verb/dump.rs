//! `dump`: one file of a snapshot to standard output.

use std::ffi::OsString;
use std::io;
use std::io::Write;

use clap::Args;

use crate::cli::choose::opened;
use crate::cli::choose::select::FilterArgs;
use crate::cli::choose::select::Place;
use crate::cli::choose::snapshot;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::verb::read::ls::no_such_path;
use crate::repository::tree::reader::find_entry;
use crate::restore::dump;

/// Print the content of one file.
///
/// It is printed part by part, each after its digest was right. Only exit code 0 says that the
/// whole file was printed.
#[derive(Debug, Args)]
pub struct DumpArgs {
    /// Which snapshot, and which file in it.
    #[arg(value_name = "SNAPSHOT:PATH")]
    pub snapshot: OsString,
    #[command(flatten)]
    pub filter: FilterArgs,
}

pub fn run(context: &Context, args: &DumpArgs) -> Result<Ended, Failure> {
    if context.output.is_json() {
        return Err(Failure::usage(
            "the bytes of a file are no JSON lines",
            "leave --json out, or use `lifeboat restore --json`",
        ));
    }
    let place = Place::parse(&args.snapshot)?;
    let opened = opened::for_reading(context)?;
    let chosen = snapshot::choose(&opened.snapshots, &place.snapshot, &args.filter)?;
    let find = |path| find_entry(&context.run, &opened.reader, &chosen.root, path);
    let mut entry = find(&place.path)?.ok_or_else(|| no_such_path(&place.path))?;
    let linked = entry.meta.extra.as_ref().and_then(|extra| extra.hard_link.clone());
    if let Some(first) = linked {
        entry = find(&first)?.ok_or_else(|| no_such_path(&first))?;
    }
    let mut out = io::stdout().lock();
    dump::file(&context.run, &opened.reader, &entry, &mut out)?;
    out.flush()?;
    Ok(Ended::done())
}
